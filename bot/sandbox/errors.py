"""The error that Slack answers with."""

from collections.abc import Sequence
from typing import Any


class SlackError(Exception):
    """An answer with ``ok: false``: Slack's name for the error, and the fields beside it."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    @classmethod
    def with_details(cls, error: str, details: Sequence[str]) -> "SlackError":
        """An error with sentences for the app's developer, each with its place."""
        return cls(
            error,
            errors=list(details),
            response_metadata={"messages": [f"[ERROR] {detail}" for detail in details]},
        )
