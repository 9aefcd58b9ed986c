"""The entry point of Slack: clicks and commands become requests, and outcomes become blocks."""
