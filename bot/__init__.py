"""The edges: Slack, HTTP, the clock and the command line, each a door to the same core."""
