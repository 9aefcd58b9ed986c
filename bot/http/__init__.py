"""The HTTP entry points: both API dialects, health and metrics."""
