"""The composition root: the one place that constructs what has a dependency."""
