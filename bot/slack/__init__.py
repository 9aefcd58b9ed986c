"""The entry point of Slack: commands, clicks and dialogs become requests, outcomes become blocks."""
