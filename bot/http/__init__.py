"""The HTTP door: both API dialects, the status page and its feeds, health and metrics."""
