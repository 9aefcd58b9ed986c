"""The nouns: people, places, incidents and their updates. Immutable values, without rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID, uuid5

from core.channel import OwnChannel
from core.lifecycle import ACKNOWLEDGED, Lifecycle, PublicWord

# Two types for the two kinds of free text. A public renderer takes only PublicText, so that
# mypy refuses to hand it a note. Two places may make one: an entry point, after a person said
# "public", and ``storage.public``, which reads only public rows.
PublicText = NewType("PublicText", str)
Note = NewType("Note", str)


TITLE_MAX = 255
DESCRIPTION_MAX = 10_000
BODY_MAX = 2_000
CATEGORY_MAX = 100
COMPONENT_NAME_MAX = 100
COMPONENT_DESCRIPTION_MAX = 1_000
COMPONENTS_MAX = 50


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Visibility(StrEnum):
    """The readers of an update: only responders, or everybody."""

    INTERNAL = "internal"
    PUBLIC = "public"


class Membership(StrEnum):
    """The relation of a person to the workspace. Only a member may do anything at all."""

    MEMBER = "member"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    STRANGER = "stranger"


class Resolution(StrEnum):
    """How an incident ended. It is private."""

    FIXED = "fixed"
    WENT_AWAY = "went_away"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"


class Section(StrEnum):
    """A part of the report that people write, in the report's order. It is private."""

    SUMMARY = "summary"
    IMPACT = "impact"
    CAUSE = "cause"
    HELPED = "helped"
    FOLLOW_UPS = "follow_ups"

    @property
    def words(self) -> str:
        """The heading in lower case, for a sentence: ``what helped``."""
        return {"helped": "what helped", "follow_ups": "follow-ups"}.get(self.value, self.value)


class DeclaredText(StrEnum):
    """A text that a declaration holds, and that can be withdrawn by its name alone."""

    DESCRIPTION = "description"
    CATEGORY = "category"
    TITLE = "title"


class Kind(StrEnum):
    """The type of an update. The comments describe its ``old`` and ``new``."""

    DECLARED = "declared"  # new: the initial status
    MOVED = "moved"  # old, new: statuses
    ACKNOWLEDGED = "acknowledged"  # old, new: statuses if it was a transition, otherwise None
    WROTE = "wrote"  # only a body
    ASSIGNED = "assigned"  # old, new: names of the owners; None: nobody
    SEVERITY = "severity"  # old, new: severities
    TITLE = "title"  # old, new: titles
    DESCRIPTION = "description"  # old: the description before; body: the new one
    COMPONENTS = "components"  # old, new: names, joined by commas
    PRIVACY = "privacy"  # old, new: PUBLIC or PRIVATE
    INVITED = "invited"  # new: the name of the person who may see a private incident
    UNINVITED = "uninvited"  # old: the name of the person who was invited
    CORRECTED = "corrected"  # old: the number of the entry whose withdrawn text it replaces
    RESOLUTION = "resolution"  # old, new: resolutions, as `Resolved.words` says them
    REPORTED = "reported"  # new: the section that was written; without a body it was emptied
    PROMISED = "promised"  # a promise was made without a text, or released
    TOOK_OVER = "took_over"  # the new owner said so
    DECLINED = "declined"  # the new owner did not take it; old, new: as those of ASSIGNED
    CHANNEL = "channel"  # new: OPENED or KEPT, about a channel of its own


# Kinds of a transition. An acknowledgement is one only if it has a ``new``.
TRANSITIONS = (Kind.DECLARED, Kind.MOVED, Kind.ACKNOWLEDGED)
# Kinds of a change of the owner.
OWNERS = (Kind.ASSIGNED, Kind.DECLINED)
# Kinds of a change to a fact that the public reads.
PUBLIC_FACTS = (Kind.SEVERITY, Kind.TITLE, Kind.COMPONENTS, Kind.PRIVACY)
# The two values of a `Kind.PRIVACY`.
PUBLIC, PRIVATE = "public", "private"
# The two values of a `Kind.CHANNEL`.
OPENED, KEPT = "opened", "kept"
# The public title while a new one is held back and the one before it was withdrawn.
TITLE_WITHDRAWN = "(title withdrawn)"


def redraws_status_card(kind: Kind, visibility: Visibility, new: str | None) -> bool:
    """Whether an update changes the status card; ``new`` is the update's own."""
    is_transition = kind in TRANSITIONS and new is not None
    return is_transition or kind in PUBLIC_FACTS or visibility == Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a timeline: a Slack user (id ``U…`` or ``W…``) or an API key (``key:…``).

    People are compared only by id: names change, and Slack's payloads differ in them.
    """

    id: str
    name: str = field(compare=False)

    @property
    def in_slack(self) -> bool:
        """Whether Slack can mention this person; an API key can only be named."""
        return not self.id.startswith("key:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The ids of the Slack user groups that permissions depend on.

    None allows every full member. ``gone``: the group was deleted in Slack, so nobody is in it.
    """

    responders: str | None = None
    publishers: str | None = None
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person who acts, with the facts that the policy needs. The entry point looks them up.

    ``responder`` and ``publisher`` follow from ``groups``, those of the workspace's settings.
    ``channel`` is the Slack channel of the request, None over the API. ``sees_private`` is for API
    keys.
    """

    workspace: str
    person: Person
    membership: Membership = Membership.MEMBER
    responder: bool = True
    publisher: bool = True
    admin: bool = False
    sees_private: bool = False
    channel: str | None = None
    groups: Groups = Groups()


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the product that customers know by name: unique in a workspace, in any case."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedComponent:
    """A component with its description; ``group`` is a heading in the list of components.

    ``shown``: it is on the status page. ``new_group`` is ``group``, if it is made for a component
    that is added.
    """

    component: Component
    description: str | None = None
    group: str | None = None
    shown: bool = True
    new_group: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A channel in Slack. ``private``: only its members read it."""

    channel: str
    private: bool = False

    def may_show(self, *, private: bool) -> bool:
        """Whether it may show the card of an incident that is ``private``, or is not."""
        return self.private or not private


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The resolution of an incident; ``duplicate_of`` is the number of the other incident."""

    how: Resolution
    duplicate_of: int | None = None

    @property
    def words(self) -> str:
        """``false alarm``, or ``duplicate of INC-41``."""
        of = f" of INC-{self.duplicate_of}" if self.duplicate_of else ""
        return self.how.value.replace("_", " ") + of


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The thing. ``number`` is for people and counts per workspace.

    ``category`` is a short label by the declarer, such as ``timeout``. It is private, and so is the
    ``description``. ``version`` rises by one with each change. ``place`` is the channel of the
    declaration, which holds the working card (None over the API). ``last_entry`` is the number of
    the newest update, from 1. ``invited`` may see it while it is private, in the order of their
    invitations.

    ``title_public_at`` is the moment at which ``title`` becomes public, None if it was not held
    back; ``title_before`` is the public title until then, None if there is none. A private incident
    has neither.

    ``promises`` counts the promises of a next public update that were made. ``next_update_by`` is
    the due moment of the one in force, which may be past or held back; None without one.

    ``left_owner`` is the id of the owner who was found deactivated; once somebody else is owner, it
    means nothing.

    ``card_address`` is the link of the working card, None until Slack has it. It is no fact of the
    incident, so two that differ only in it are equal.

    ``channels`` are those of its own: at most one public, and one private.
    """

    id: UUID
    workspace: str
    number: int
    title: str
    severity: Severity
    lifecycle: Lifecycle
    status: str
    private: bool
    declared_by: Person
    owner: Person | None = None
    acknowledged_by: Person | None = None
    components: tuple[Component, ...] = ()
    description: str | None = None
    category: str | None = None
    place: Place | None = None
    invited: tuple[Person, ...] = ()
    resolution: Resolved | None = None
    title_public_at: datetime | None = None
    title_before: str | None = None
    promises: int = 0
    next_update_by: datetime | None = None
    left_owner: str | None = None
    card_address: str | None = field(default=None, compare=False)
    channels: tuple[OwnChannel, ...] = ()
    started_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int = 1
    last_entry: int = 1

    @property
    def name(self) -> str:
        """The name that people use: ``INC-42``."""
        return f"INC-{self.number}"

    @property
    def next_steps(self) -> tuple[str, ...]:
        """The statuses that are valid next, in the lifecycle's order; empty at the end."""
        return self.lifecycle.next_steps(self.status)

    @property
    def terminal(self) -> bool:
        """Whether the status is terminal: then no update is accepted any more."""
        return self.lifecycle.is_terminal(self.status)

    @property
    def public_word(self) -> PublicWord:
        """The word of status pages for its status."""
        return self.lifecycle.public_word(self.status)

    @property
    def owner_left(self) -> bool:
        """Whether the owner is deactivated, so that nobody leads it."""
        return self.owner is not None and self.owner.id == self.left_owner

    @property
    def leader(self) -> Person | None:
        """The owner who can act; None without one."""
        return None if self.owner_left else self.owner

    def with_owner_left(self, *, left: bool) -> Incident:
        """It, with the mark that its owner is deactivated, or without one."""
        return replace(self, left_owner=self.owner.id if left and self.owner else None)

    @property
    def acknowledgeable(self) -> bool:
        """Whether a person who acknowledges would change anything now.

        It is a transition in a lifecycle that has a status for it. In any other lifecycle it is
        a mark that an open incident gets once, and makes an owner where there is none.
        """
        if ACKNOWLEDGED in self.lifecycle:
            return ACKNOWLEDGED in self.next_steps
        return not self.terminal and None in (self.acknowledged_by, self.leader)

    @property
    def ownerless(self) -> bool:
        """Whether nobody leads it, and acknowledging, which is no transition, makes an owner."""
        return self.leader is None and self.acknowledgeable and ACKNOWLEDGED not in self.lifecycle

    @property
    def card_channel(self) -> str | None:
        """The channel of the working card; None over the API, or if too many would read it."""
        place = self.place
        return place.channel if place and place.may_show(private=self.private) else None

    @property
    def card_link(self) -> str | None:
        """The link of the working card, for people who may see the incident; None without one.

        The card of an incident that was made private shows nothing of it where many read it.
        """
        return self.card_address if self.card_channel else None

    @property
    def own_channel(self) -> OwnChannel | None:
        """The channel of its own that its present readers use; None if nobody asked for one."""
        return next((one for one in self.channels if one.private == self.private), None)

    @property
    def card_channels(self) -> tuple[str, ...]:
        """All channels with a working card: that of the declaration, and those of its own."""
        own = (one for one in self.channels if one.private or not self.private)
        found = (self.card_channel, *(one.live for one in own))
        return tuple(dict.fromkeys(filter(None, found)))

    def shows_card_in(self, channel: str) -> bool:
        """Whether a working card may be in ``channel``, which may be an archived one of its own."""
        own = {one.id for one in self.channels if one.private or not self.private}
        return channel in {self.card_channel, *own}

    @property
    def card_people(self) -> tuple[Person, ...]:
        """The people who get the card as a direct message.

        Of a private incident everybody who was invited; also declarer and owner, if no channel may
        show the card. Of a public one the declarer, if it was declared outside of any channel.
        """
        if self.private:
            near = () if self.card_channel else (self.declared_by, self.owner)
            readers = (*near, *self.invited)
        else:
            readers = () if self.place else (self.declared_by,)
        people = {person.id: person for person in readers if person}
        left = {self.left_owner}
        return tuple(one for one in people.values() if one.in_slack and one.id not in left)

    def public_title(self, at: datetime) -> str | None:
        """The title that the public may read at the moment ``at``; None if there is none."""
        if self.private:
            return None
        held = self.title_public_at is not None and self.title_public_at > at
        return self.title_before if held else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One line of a timeline. Append-only; a redaction erases the body and nothing else.

    ``entry`` counts from 1 within the incident; people type it. ``old`` and ``new`` are described
    at `Kind`. ``public_at`` is the moment at which the body of a public update becomes public, None
    if it was not held back. Of a new title it is the moment at which the title becomes public. All
    other facts are public at once. ``passed``: a step of a walk before its last; to the public, a
    walk is one step. ``next_update_by`` is the due moment of the promise that it made, if any.
    ``withdrawn`` are the texts of a declaration that were withdrawn; empty for those that an
    earlier version withdrew, which were all.
    """

    id: UUID
    incident: UUID
    entry: int
    kind: Kind
    visibility: Visibility
    by: Person
    at: datetime
    body: str | None = None
    old: str | None = None
    new: str | None = None
    public_at: datetime | None = None
    redacted_at: datetime | None = None
    redacted_by: Person | None = None
    passed: bool = False
    next_update_by: datetime | None = None
    withdrawn: tuple[DeclaredText, ...] = ()

    @property
    def status_change(self) -> str | None:
        """The status after this update if it is a transition, otherwise None."""
        return self.new if self.kind in TRANSITIONS else None

    @property
    def redacted(self) -> bool:
        """Whether its body has been withdrawn."""
        return self.redacted_at is not None

    @property
    def taken_back(self) -> bool:
        """Whether the body was withdrawn before it became public: only the author read it."""
        withdrawn, public = self.redacted_at, self.public_at
        return withdrawn is not None and public is not None and withdrawn < public


def is_end(lifecycle: Lifecycle, before: str | None, after: str | None) -> bool:
    """Whether a step from ``before`` to ``after`` is the end as the public has it."""
    if before is None or after is None:
        return False
    words = lifecycle.public_word(before), lifecycle.public_word(after)
    return words[1] is PublicWord.RESOLVED and words[0] is not PublicWord.RESOLVED


def update_id(incident: UUID, entry: int) -> UUID:
    """The id of an incident's ``entry``-th update: deterministic, so `decide` needs no chance."""
    return uuid5(incident, f"update {entry}")


def declaration(incident: Incident) -> Update:
    """The first entry of the timeline of ``incident``, as it is when it is declared."""
    return Update(
        id=update_id(incident.id, 1),
        incident=incident.id,
        entry=1,
        kind=Kind.DECLARED,
        visibility=Visibility.INTERNAL,
        by=incident.declared_by,
        at=incident.created_at,
        new=incident.status,
    )
