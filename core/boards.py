"""The results of reads: a card, a page of incidents, and the filters of a board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from core.incident import Incident, Severity, Update
from core.promise import Promise, shown

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The content of a card for responders. It never holds a note.

    ``last`` is the newest update that is not a bare note, without its body. The two times are
    computed from the timeline: the first acknowledgement, and the first status with the public
    word ``resolved``. ``offers_channel``: a channel of its own may be opened. ``promises`` are all
    of the incident's.
    """

    incident: Incident
    last: Update | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    offers_channel: bool = False
    promises: tuple[Promise, ...] = ()

    def promise(self, at: datetime) -> Promise | None:
        """The promise that its readers read at the moment ``at``: none that is held back then."""
        return shown(self.promises, at, internal=self.incident.private)


class Scope(StrEnum):
    """The incidents that a board shows."""

    OPEN = "open"
    ALL = "all"
    MINE = "mine"  # open and owned by the actor


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """The filters of a board.

    ``since`` and ``until`` bound the moment of the declaration, both inclusive. ``number`` is that
    of the only incident. ``channel``: only those with their card in that channel.
    """

    scope: Scope = Scope.OPEN
    severity: Severity | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    number: int | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """A part of a longer list. ``older`` and ``newer`` are the neighbours' keys, None at an end."""

    items: tuple[Item, ...]
    older: int | None = None
    newer: int | None = None
