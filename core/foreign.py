"""Another status page as values: what an import reads of it. Its words are those of Statuspage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from core.lifecycle import PublicWord
from core.page import ComponentStatus, Impact

# The words of Statuspage; a postmortem is a text after the end.
WORDS = {word.value: word for word in PublicWord} | {"postmortem": PublicWord.RESOLVED}


def _object(of: UUID) -> str:
    return str(of)


def _update(incident: UUID, entry: int) -> str:
    return f"{incident} {entry}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIds:
    """The ids that the page of this workspace derives: of its parts and incidents, of updates.

    A document with one of them was made here: what it names is there already.
    """

    object: Callable[[UUID], str] = _object
    update: Callable[[UUID, int], str] = _update


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGroup:
    """A group of components there."""

    id: str
    name: str
    position: int
    description: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignComponent:
    """A component there; ``group`` is the id of its group."""

    id: str
    name: str
    status: ComponentStatus
    position: int
    description: str | None
    showcase: bool
    only_if_degraded: bool
    start_date: date | None
    group: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ForeignAffected:
    """A component in an update there, by its id."""

    component: str
    name: str
    old: ComponentStatus
    new: ComponentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignUpdate:
    """An update there; ``shown_at`` is the moment that its page names. ``body`` is plain text."""

    id: str
    status: str
    body: str
    created_at: datetime
    updated_at: datetime
    shown_at: datetime
    affected: tuple[ForeignAffected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignIncident:
    """An incident there, with its updates in any order; ``components`` are ids."""

    id: str
    name: str
    status: str
    impact: Impact
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    monitoring_at: datetime | None
    resolved_at: datetime | None
    updates: tuple[ForeignUpdate, ...]
    components: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is not resolved there."""
        return WORDS[self.status] is not PublicWord.RESOLVED

    @property
    def in_order(self) -> tuple[ForeignUpdate, ...]:
        """Its updates, oldest first; there the newest is first."""
        oldest_first = list(self.updates)
        oldest_first.reverse()
        oldest_first.sort(key=lambda one: one.shown_at)
        return tuple(oldest_first)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPage:
    """Another status page, as far as it was read.

    ``address`` is its own, without a slash at its end. ``atom`` are the ids of its feed's entries,
    by the addresses of incidents. ``names`` are those of components that its incidents name, by id:
    some of them may be gone from the page.
    """

    id: str
    name: str
    address: str | None
    groups: tuple[ForeignGroup, ...] = ()
    components: tuple[ForeignComponent, ...] = ()
    incidents: tuple[ForeignIncident, ...] = ()
    atom: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
