"""The clock of the running program."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

# A clock that was further ahead than this is believed when it is corrected.
SET_BACK_MAX = timedelta(hours=1)


def now() -> datetime:
    """The time in UTC. The default of every ``clock`` argument; tests pass their own."""
    return datetime.now(UTC)


class SteadyClock:
    """The time in UTC, which goes on while the machine's clock is set back.

    Otherwise whatever was due by the old time would wait for it to come again: a held text, a
    retry, the breach of a promise. ``wall`` is the machine's clock, ``ticks`` counts seconds and
    never goes back.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = now,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._wall = wall
        self._ticks = ticks
        # One value, so that threads never see half of a change.
        self._last = (wall(), ticks())

    def __call__(self) -> datetime:
        """The present moment."""
        wall, ticks = self._wall(), self._ticks()
        told, ticked = self._last
        kept = told + timedelta(seconds=ticks - ticked)
        present = wall if kept - wall > SET_BACK_MAX else max(wall, kept)
        self._last = (present, ticks)
        return present
