"""The commands of people and API clients: immutable values, without rules."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from core.channel import ChannelAct
from core.incident import (
    Actor,
    DeclaredText,
    Note,
    Person,
    Place,
    PublicText,
    Resolution,
    Section,
    Severity,
)
from core.lifecycle import Lifecycle
from core.promise import NextUpdate

# A reference to an incident: its number, its id, or None. None is valid if exactly one open
# incident has its card in the actor's channel.
Ref = int | UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare:
    """A new incident. The entry point makes the ``id``; ``started_at`` None means now.

    ``components`` are names in any case, or ids. An unknown name makes a new component, unless it
    looks like a slip of an existing one. ``confirmed``: the author wants the title as it
    is, whatever the leak guard sees in it.
    """

    actor: Actor
    id: UUID
    title: str
    lifecycle: Lifecycle
    severity: Severity = Severity.MEDIUM
    private: bool = False
    components: tuple[str | UUID, ...] = ()
    owner: Person | None = None
    description: str | None = None
    category: str | None = None
    started_at: datetime | None = None
    place: Place | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Any change to an existing incident, in one transaction. None leaves a fact unchanged.

    ``to`` is the requested status; ``public`` and ``note`` are the two texts, each with its own
    readers. ``expected_status`` is the status for which a button or a dialog was drawn: if the
    incident has moved since, nothing is changed. ``next_update`` is the promise that comes with the
    public text; without such a text there is none. ``confirmed``: the author wants the public text
    and the title as they are, whatever the leak guard sees in them. ``seen`` is the mark of the one
    fact that is changed, as its author had read it: what somebody else wrote since is not
    overwritten.
    """

    actor: Actor
    ref: Ref
    to: str | None = None
    public: PublicText | None = None
    note: Note | None = None
    owner: Person | None = None
    severity: Severity | None = None
    title: str | None = None
    description: str | None = None
    components: tuple[str | UUID, ...] | None = None
    expected_status: str | None = None
    next_update: NextUpdate | None = None
    confirmed: bool = False
    seen: str | None = None

    @property
    def asks(self) -> frozenset[str]:
        """The names of the fields that are set, without those that only address the change."""
        return frozenset(name for name in CHANGEABLE if getattr(self, name) is not None)


# The fields of `Change` that ask for something, made from the class so that a new one is among
# them by itself. The others say by whom, about which incident, and under which condition; a promise
# is a part of the public text.
CHANGEABLE = frozenset(
    field.name
    for field in fields(Change)
    if field.name not in {"actor", "ref", "expected_status", "next_update", "confirmed", "seen"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNextStep:
    """Takes the next step, provided that there is exactly one."""

    actor: Actor
    ref: Ref
    note: Note | None = None
    severity: Severity | None = None
    expected_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Somebody is looking at it: a transition if the lifecycle has one for that, or a mark."""

    actor: Actor
    ref: Ref
    expected_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPromise:
    """Promises the next public update, or releases the promise: ``next_update`` None.

    ``reason`` is private. ``expected`` is the entry of the promise for which a button was drawn: if
    another one is in force by now, or none, nothing is changed.
    """

    actor: Actor
    ref: Ref
    next_update: NextUpdate | None = None
    reason: Note | None = None
    expected: int | None = None
    expected_status: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Takes all steps of the shortest way to the status ``to``, in one transaction.

    ``reason`` and ``public`` are the texts of the last step. ``confirmed`` is that of a `Change`.
    """

    actor: Actor
    ref: Ref
    to: str
    reason: Note
    public: PublicText | None = None
    expected_status: str | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPrivacy:
    """Takes the public side of an incident away, or gives it one; also after the end.

    ``expected_title`` is the title that the actor agreed to make public; None: whichever it is.
    ``held_only``: it becomes private only while nothing of it is public yet. ``confirmed``: the
    actor wants what becomes public as it is, whatever the leak guard sees in it.
    """

    actor: Actor
    ref: Ref
    private: bool
    held_only: bool = False
    expected_title: str | None = None
    expected_status: None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInvitation:
    """Lets ``person`` see a private incident, or takes that back; also after the end."""

    actor: Actor
    ref: Ref
    person: Person
    invited: bool
    expected_status: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameResolution:
    """Says how an incident ended, or corrects it. ``duplicate_of`` is the other incident."""

    actor: Actor
    ref: Ref
    how: Resolution
    duplicate_of: int | None = None
    expected_status: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHandOver:
    """The answer of a new owner: they take it, or not. ``entry`` is the one that made them owner.

    It stays possible after the end.
    """

    actor: Actor
    ref: Ref
    entry: int
    takes: bool
    expected_status: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChannel:
    """Opens a channel of the incident's own, or keeps the one that would be archived."""

    actor: Actor
    ref: Ref
    act: ChannelAct
    expected_status: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """Writes sections of the report, also after the end; None leaves one as it is.

    An empty text empties a section. ``seen`` is the number of the newest entry that the author had
    read: a section that somebody else wrote since is not overwritten. ``marks`` are those of the
    texts that the author had read, in the order of `Section`: one that was left as it was is not
    written again, although it may be withdrawn by now. Empty: unknown.
    """

    actor: Actor
    ref: Ref
    seen: int
    summary: Note | None = None
    impact: Note | None = None
    cause: Note | None = None
    helped: Note | None = None
    follow_ups: Note | None = None
    marks: tuple[str, ...] = ()
    expected_status: None = None

    @property
    def texts(self) -> dict[Section, str]:
        """The sections that are written, with their texts."""
        given = {section: getattr(self, section.value) for section in Section}
        return {section: text for section, text in given.items() if text is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact:
    """Withdraws the texts of one entry. ``entry`` is its number in the timeline, or its id.

    A `Section` or a `DeclaredText` stands for all texts that it has had, as far as the actor may
    withdraw them. The present title is not among them. ``names`` are the texts that go if the entry
    is a declaration. ``present_too`` is for a restore: the present title goes as well, and the
    public one before it returns, if there was one. ``held_only``: a text is withdrawn only while it
    is held back.
    """

    actor: Actor
    ref: Ref
    entry: int | UUID | Section | DeclaredText
    names: tuple[DeclaredText, ...] = tuple(DeclaredText)
    present_too: bool = False
    held_only: bool = False
    # Redaction stays allowed after the end, so a button for it never goes out of date.
    expected_status: None = None


# Commands that move an incident, or change its facts.
Move = Change | TakeNextStep | Acknowledge | Walk | SetPromise
# Commands that are accepted after the end as well.
Lasting = (
    Redact | SetPrivacy | SetInvitation | NameResolution | WriteReport | AnswerHandOver | SetChannel
)
Command = Declare | Move | Lasting
