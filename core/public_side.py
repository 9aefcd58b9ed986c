"""The public part of an incident: no field here can hold a note or a person's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.incident import Component, PublicText, Severity
from core.lifecycle import PublicWord
from core.promise import PromiseState


@dataclass(frozen=True, slots=True)
class KeptAffected:
    """The status of a component before and after an imported update, as that page put it."""

    component: UUID
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUpdate:
    """The facts of an update on the page from which it was imported.

    ``status`` is its word there. ``affected`` None: it named no components.
    """

    id: str
    status: str
    created_at: datetime
    updated_at: datetime
    affected: tuple[KeptAffected, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIncident:
    """The facts of an incident on the page from which it was imported.

    ``entries`` counts the entries of its timeline that were imported. ``address`` was its page
    there, and its id in RSS; ``atom`` is its id in Atom, None if it was not read.
    """

    id: str
    entries: int
    created_at: datetime
    updated_at: datetime
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    address: str | None = None
    atom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUpdate:
    """The public part of one update.

    ``body`` None: a bare change of status, a text that is still held back or was taken back in
    time, or a withdrawn text. ``ends``: it is the end of the incident, has no text, and nobody
    wrote one in its place, so a short reply tells it. ``changed_at`` is the moment at which its
    public part changed last: ``at``, the end of a hold, or a withdrawal. ``held``: a text of it is
    still held back; ``settled_at`` is the moment at which that ended, by the clock or because it
    was taken back, None if it never was.
    """

    entry: int
    body: PublicText | None
    status: str | None
    word: PublicWord | None
    at: datetime
    changed_at: datetime
    withdrawn: bool = False
    ends: bool = False
    held: bool = False
    settled_at: datetime | None = None
    kept: KeptUpdate | None = None


@dataclass(frozen=True, slots=True)
class PublicPromise:
    """The due moment of the next public update; ``overdue`` if it has passed in silence."""

    due_at: datetime
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPromise:
    """A promise that the public was told of, and its state when the incident last changed.

    ``lateness`` is the time from the due moment to a text that came late, else zero.
    """

    due_at: datetime
    state: PromiseState
    lateness: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicIncident:
    """The public part of an incident. No field can hold a note or a person's name.

    ``previous_status`` is the status before the newest transition. ``updates`` are newest first.
    ``resolved_at`` is the moment at which the public word first became ``resolved``.
    ``next_update`` is the promise of the next public update, if one was made; ``promises`` are all
    that the public was told of, oldest first. ``severities`` and ``tags`` are the severity and the
    components since each of their changes, oldest first; the first of each counts from the start.
    """

    id: UUID
    workspace: str
    number: int
    title: PublicText
    severity: Severity
    status: str
    word: PublicWord
    terminal: bool
    previous_status: str | None
    components: tuple[Component, ...]
    started_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    next_update: PublicPromise | None = None
    promises: tuple[ToldPromise, ...] = ()
    declared_at: datetime
    severities: tuple[tuple[datetime, Severity], ...] = ()
    tags: tuple[tuple[datetime, tuple[Component, ...]], ...] = ()
    updates: tuple[PublicUpdate, ...] = ()
    kept: KeptIncident | None = None

    @property
    def name(self) -> str:
        """The name that people use: ``INC-42``."""
        return f"INC-{self.number}"

    @property
    def since_declared(self) -> tuple[datetime, int]:
        """Orders incidents by their declaration, as the page does."""
        return self.declared_at, self.number
