"""The rules of incidents. Pure: no Slack, SQL, clock, network or log here."""
