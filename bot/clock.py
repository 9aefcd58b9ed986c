"""The clock of the running program."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time in UTC. The default of every ``clock`` argument; tests pass their own."""
    return datetime.now(UTC)
