"""Lists that show open incidents first, and the worst of them first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from core.incident import Incident, Severity

# The incidents of a list are counted up to this number: the count must not grow with the store.
COUNTED_MAX = 500


def counted(total: int) -> str:
    """``total`` in words: ``31``, or ``more than 500``."""
    return f"more than {COUNTED_MAX}" if total > COUNTED_MAX else f"{total}"


class Rank(NamedTuple):
    """The place of an incident in a list: open ones first, then by severity, then the newest."""

    severity: Severity
    number: int
    ended: bool = False


def rank_of(incident: Incident) -> Rank:
    """The place of ``incident``."""
    return Rank(incident.severity, incident.number, incident.terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A page of such a list. ``older`` and ``newer`` are keys of pages, None at an end.

    ``older`` leads down the list, to lesser incidents, and ``newer`` up. ``total`` is the number of
    incidents in the whole list, and ``above`` of those above this page; more than `COUNTED_MAX` say
    only that there are more.
    """

    items: tuple[Incident, ...]
    older: Rank | None = None
    newer: Rank | None = None
    total: int
    above: int = 0
