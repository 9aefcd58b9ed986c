"""The time in tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.builders import NINE


class Clock:
    """A time that moves only by ``advance``: a datetime for Ratchet, seconds for the stand-in."""

    def __init__(self, now: datetime = NINE) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.now.timestamp()

    def advance(self, **by: float) -> datetime:
        """Adds ``timedelta(**by)``; the new time."""
        self.now += timedelta(**by)
        return self.now
