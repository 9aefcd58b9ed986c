"""`ratchet doctor`: checks of the set-up, and a comparison of Slack with the store."""
