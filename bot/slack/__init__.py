"""The Slack door: what people type and press becomes a command, and an outcome becomes blocks."""
