"""What an incident is and what may happen to it: pure, with no Slack, SQL, clock, network or log."""
