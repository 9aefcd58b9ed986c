"""What an incident is and what may happen to it: no Slack, SQL, clock, network or log here."""
