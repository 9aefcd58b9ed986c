"""The store as the use cases need it: Protocols that `storage` fulfils."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from core.boards import BoardFilter, Card, Page
from core.channel import OwnChannel
from core.decision import Decision, Envelope, Published
from core.drafts import Drafts
from core.handover import HandOver
from core.incident import Actor, Component, DescribedComponent, Incident, Person, Severity, Update
from core.page import Arrangement, ComponentGroup, Override, PageSettings, ShownComponent
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate, PublicIncident
from core.ranking import Rank, Ranking
from core.settings import SavedSetting, Setting
from core.subscription import Subscriptions, SubscriptionWriter
from core.webhooks import Endpoints, EndpointWriter
from core.workspace import Workspace, WorkspaceSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a request with an idempotency key: committed with the change, or not at all.

    ``claim`` is the attempt that was admitted. ``about`` is the update that the answer quotes: its
    redaction erases the text here, too.
    """

    claim: UUID
    status: int
    body: str
    about: UUID | None = None


class PromiseName(NamedTuple):
    """A promise: the workspace and the id of its incident, and the entry that made it."""

    workspace: str
    incident: UUID
    entry: int


class HandOverName(NamedTuple):
    """A hand-over: the workspace and the id of its incident, and the entry that made it."""

    workspace: str
    incident: UUID
    entry: int


class OwnerName(NamedTuple):
    """Somebody who owns an open incident, by the ids of workspace and person."""

    workspace: str
    person: str


class CaughtUp(NamedTuple):
    """A person has read a timeline up to ``entry``, at the moment ``at``."""

    entry: int
    at: datetime


class ChannelName(NamedTuple):
    """A channel of an incident: the workspace and the id of its incident, and which one it is."""

    workspace: str
    incident: UUID
    private: bool


class StoreUnavailable(Exception):
    """The database failed or does not answer. Nothing was kept, unless ``unsure`` is set.

    The text names the failure and never a value: parameters may be notes. ``unsure``: the
    connection was lost during the commit, so the change may have been kept.
    """

    def __init__(self, reason: str, *, unsure: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unsure = unsure


class ClaimLost(Exception):
    """Another attempt holds the claim by now, or it was given back; this one must be undone."""


class NewParts(Protocol):
    """The groups and components of an import: new ones, and the ids that others keep."""

    @property
    def groups(self) -> Sequence[ComponentGroup]:
        """Those that are not there yet."""

    @property
    def components(self) -> Sequence[ShownComponent]:
        """Those that are not there yet."""

    @property
    def kept_groups(self) -> Mapping[UUID, str]:
        """The ids that groups keep that are there."""

    @property
    def kept_components(self) -> Mapping[UUID, str]:
        """The ids that components keep that are there."""

    @property
    def names(self) -> Mapping[UUID, str]:
        """The names of all groups."""


class Reader(Endpoints, Subscriptions, Protocol):
    """Reads from one snapshot of the store. Every method is limited to one workspace."""

    def workspace(self, workspace: str) -> Workspace:
        """The workspace with its settings; an unknown one has the defaults."""

    def saved_settings(self, workspace: str) -> tuple[SavedSetting, ...]:
        """The settings that the workspace has saved itself."""

    def default_settings(self, workspace: str) -> WorkspaceSettings:
        """The settings of a workspace that has saved none."""

    def incident(self, workspace: str, ref: int | UUID) -> Incident | None:
        """The incident of that number or id. In a transaction it stays locked until the end."""

    def shown_by(self, workspace: str, channel: str, ts: str) -> UUID | None:
        """The id of the incident that the message ``ts`` in ``channel`` shows; None for others."""

    def open_in_channel(self, workspace: str, channel: str) -> Ranking:
        """The open incidents that have their card in ``channel``, at most 10, and their number."""

    def card(self, incident: Incident) -> Card:
        """The content of the incident's card."""

    def times(self, workspace: str, incidents: Sequence[Incident]) -> tuple[Card, ...]:
        """The cards of ``incidents``, without their newest updates."""

    def board(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: int | None,
        after: int | None,
        limit: int,
    ) -> Page[Incident]:
        """Incidents that ``actor`` may see, newest first.

        ``before`` and ``after`` are numbers, exclusive.
        """

    def ranking(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: Rank | None,
        after: Rank | None,
        limit: int,
    ) -> Ranking:
        """Incidents that ``actor`` may see, in the order of `Rank`.

        ``before`` asks for those down the list, ``after`` for those up the list; both exclusive.
        """

    def timeline(self, incident: Incident, *, before: int | None, limit: int) -> Page[Update]:
        """The newest ``limit`` updates with an entry below ``before``; on the page oldest first."""

    def caught_up(
        self, workspace: str, person: str, incidents: Sequence[UUID]
    ) -> Mapping[UUID, CaughtUp]:
        """How far ``person`` has read each of ``incidents`` that they caught up on."""

    def moves(self, incident: Incident) -> tuple[Update, ...]:
        """All transitions, oldest first, the declaration counted as one."""

    def texts(self, incident: Incident) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All private texts of the incident, earlier descriptions too, and all public ones."""

    def public_texts(self, incident: Incident) -> tuple[Update, ...]:
        """The entries with a public text, oldest first."""

    def sections(self, incident: Incident) -> tuple[Update, ...]:
        """All entries of the report's sections, oldest first."""

    def declared(self, actor: Actor, *, since: datetime, until: datetime) -> tuple[UUID, ...]:
        """The ids of the incidents for ``actor`` that were declared from ``since`` to ``until``.

        The end is not included. Oldest first.
        """

    def histories(
        self, workspace: str, incidents: Sequence[UUID]
    ) -> tuple[tuple[Incident, tuple[Update, ...]], ...]:
        """Each of ``incidents`` with its transitions and public updates, without any text."""

    def promises(self, incident: Incident) -> tuple[Promise, ...]:
        """All promises of the incident, oldest first."""

    def promises_of(
        self, workspace: str, incidents: Sequence[Incident]
    ) -> dict[UUID, tuple[Promise, ...]]:
        """The promises of each of ``incidents`` that has any, oldest first."""

    def due_promises(self, *, at: datetime, limit: int) -> tuple[PromiseName, ...]:
        """Promises of all workspaces with a stage whose moment has passed at ``at``."""

    def owners(self, *, after: OwnerName | None, limit: int) -> tuple[OwnerName, ...]:
        """The first ``limit`` owners of open incidents behind ``after``, in all workspaces."""

    def owned(self, owner: OwnerName, *, left: bool) -> tuple[UUID, ...]:
        """The open incidents of ``owner`` whose mark says the contrary of ``left``."""

    def due_hand_overs(self, *, at: datetime, limit: int) -> tuple[HandOverName, ...]:
        """Hand-overs of all workspaces whose time for an answer is over at ``at``."""

    def arrangement(self, workspace: str) -> Arrangement:
        """All components and groups of the workspace, with its page if it is published."""

    def unnamed(self, actor: Actor) -> frozenset[UUID]:
        """The components whose names ``actor`` may not know: those that `nameable` leaves out.

        They are hidden on the page, and no incident that exists for ``actor`` is tagged with them.
        """

    def kept_page(self, workspace: str) -> str | None:
        """The id that the page of the workspace keeps of an imported one; None without one."""

    def imported(
        self, workspace: str, incidents: Sequence[UUID]
    ) -> Mapping[UUID, tuple[KeptIncident, Mapping[int, KeptUpdate]]]:
        """The facts of those of ``incidents`` that were imported; their updates by entry."""

    def due_channels(self, *, at: datetime, limit: int) -> tuple[ChannelName, ...]:
        """Channels of all workspaces with a stage whose moment has passed at ``at``."""

    def incident_of_channel(self, workspace: str, channel: str) -> UUID | None:
        """The id of the incident whose own channel ``channel`` is; None for others."""

    def described_components(self, workspace: str) -> tuple[DescribedComponent, ...]:
        """All components of the workspace with their descriptions, by name."""


class PublicView(Protocol):
    """Reads of the public side, from one snapshot. Nothing here can be private."""

    def incident(self, workspace: str, incident: UUID, *, at: datetime) -> PublicIncident | None:
        """The public side of one incident at the moment ``at``, None if it has none."""


class Transaction(Reader, Drafts, EndpointWriter, SubscriptionWriter, Protocol):
    """A `Reader` that can write. All its writes are committed together, or none."""

    def next_number(self, workspace: str) -> int:
        """The number of the next incident: unique and without gaps."""

    def components(self, workspace: str) -> tuple[Component, ...]:
        """All components of the workspace."""

    def entry(self, incident: Incident, entry: int | UUID) -> Update | None:
        """The update with that number or id in the incident's timeline."""

    def published_in(self, incident: Incident, entry: Update) -> tuple[str, ...]:
        """The channels that show or will show the update; empty for an internal one."""

    def published(self, incident: Incident) -> Published:
        """All posts of the incident in public, delivered or on their way."""

    def status_cards(self, incident: Incident) -> frozenset[str]:
        """The channels that have the incident's status card, or will have it."""

    def titles(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the title, oldest first."""

    def descriptions(self, incident: Incident) -> tuple[Update, ...]:
        """All changes of the description, oldest first."""

    def correctable(self, incident: Incident, by: Person, *, since: datetime) -> Update | None:
        """The newest public text by ``by`` that was withdrawn ``since``, with none in its place."""

    def last_move(self, incident: Incident) -> Update | None:
        """The newest transition, the declaration counted as one."""

    def publish_page(self, settings: PageSettings, *, at: datetime) -> None:
        """Writes the settings of a page, which is published from then on."""

    def unpublish_page(self, workspace: str, *, at: datetime) -> None:
        """Takes the page of the workspace off."""

    def arrange(
        self, workspace: str, component: ShownComponent, *, new_group: str | None, at: datetime
    ) -> None:
        """Writes what the page says of a component; ``new_group`` names its group, if it is new."""

    def arrange_group(self, workspace: str, group: ComponentGroup, *, at: datetime) -> None:
        """Writes a group. Its components stay in it if it gets another name."""

    def override(
        self, workspace: str, component: UUID, made: Override, *, reason: str | None, by: Person
    ) -> None:
        """Writes a status that a person gives by hand."""

    def save_settings(
        self,
        workspace: str,
        changes: Mapping[Setting, str | None],
        *,
        seen: int | None,
        by: Person,
        at: datetime,
    ) -> Workspace | None:
        """Writes ``changes``, and returns the workspace. None in it restores a default.

        None, and nothing is written, if another version than ``seen`` is there by now; ``seen``
        None: whichever is there.
        """

    def save(self, decision: Decision) -> None:
        """Writes incident, updates and outbox messages.

        The row must still have the version that was read.
        """

    def keep_page(self, workspace: str, kept: str, *, at: datetime) -> None:
        """Writes the id that the page of the workspace keeps of an imported one."""

    def import_parts(self, workspace: str, parts: NewParts) -> None:
        """Writes imported groups and components, and the ids that others keep."""

    def save_imported(
        self, decision: Decision, kept: KeptIncident, texts: Mapping[int, KeptUpdate]
    ) -> None:
        """Writes an incident with its imported past. No message tells of it."""

    def save_stage(
        self, incident: Incident, promise: Promise, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes a promise after a stage at ``at``, and the outbox messages of that.

        The incident is locked, so no other process does the same.
        """

    def hand_over(self, incident: Incident, entry: int) -> HandOver | None:
        """The hand-over that ``entry`` made; None if it made none."""

    def open_hand_over(self, incident: Incident) -> HandOver | None:
        """The newest hand-over of the incident without an answer; None if there is none."""

    def has_acted(self, incident: Incident, person: Person, *, after: int) -> bool:
        """Whether ``person`` wrote an entry behind the one of number ``after``."""

    def had_severity(self, incident: Incident, severities: Collection[Severity]) -> bool:
        """Whether the incident had one of ``severities`` before the present one."""

    def save_look(
        self, incident: Incident, asked: HandOver, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes a hand-over after a look at ``at``, and the outbox messages of that.

        The incident is locked, so no other process does the same.
        """

    def save_owner_left(
        self, incident: Incident, envelopes: Sequence[Envelope], *, at: datetime
    ) -> None:
        """Writes whether the owner of ``incident`` left, and the outbox messages of that.

        The incident is locked, so no other process does the same.
        """

    def keep_caught_up(self, incident: Incident, person: str, mark: CaughtUp) -> None:
        """Writes how far ``person`` has read; the oldest of their marks above a limit go."""

    def save_channel(
        self,
        incident: Incident,
        channel: OwnChannel,
        envelopes: Sequence[Envelope],
        *,
        at: datetime,
    ) -> None:
        """Writes a channel after a stage at ``at``, and the outbox messages of that.

        The incident is locked, so no other process does the same.
        """

    def handled(self, workspace: str, request: str) -> UUID | None:
        """The incident of ``request`` if it is done, otherwise None."""

    def mark_handled(self, workspace: str, request: str, incident: UUID, *, at: datetime) -> None:
        """Marks ``request`` about ``incident`` as done.

        If another process did so first, the work runs again and finds the mark.
        """

    def add_component(self, workspace: str, component: DescribedComponent, *, at: datetime) -> None:
        """Writes a component that is not there yet."""

    def keep(self, receipt: Receipt) -> None:
        """Stores the answer for repetitions of the request.

        Raises:
            ClaimLost: another attempt holds the claim by now.
        """


class Store(Protocol):
    """Runs work in its own threads; ``write`` in a transaction that commits before it returns."""

    def write(self, work: Callable[[Transaction], T]) -> Awaitable[T]:
        """Returns the result of ``work`` after the commit; raises its error after the rollback.

        ``work`` runs again if another process committed a conflicting change first.
        """

    def read(self, work: Callable[[Reader], T]) -> Awaitable[T]:
        """Returns the result of ``work`` on one snapshot."""

    def read_public(self, work: Callable[[PublicView], T]) -> Awaitable[T]:
        """Returns the result of ``work`` on one snapshot of the public side."""
