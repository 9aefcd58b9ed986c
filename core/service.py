"""The one way in: every door gives its commands and questions here, and is judged alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from core import policy
from core.engine import Known, decide, describe_component
from core.errors import UserError
from core.incident import (
    Acknowledge,
    Actor,
    BoardFilter,
    Card,
    Change,
    Command,
    Component,
    Decision,
    Declare,
    DescribedComponent,
    Incident,
    Outcome,
    Page,
    Redact,
    Ref,
    Update,
    Workspace,
)
from core.refusals import Denied, NotFound, Permission, WhichIncident

T = TypeVar("T")

BOARD_PAGE = 10
TIMELINE_PAGE = 20
# What a request that was about the workspace is marked with, in the place of an incident.
NO_INCIDENT = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was answered to a request that may come again: kept with the change, or not at all.

    ``claim`` is the mark under which the request was admitted. ``about`` is the update whose text
    the answer holds: a redaction takes the text away here as well.
    """

    claim: UUID
    status: int
    body: str
    about: UUID | None = None


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


class Reader(Protocol):
    """What can be read in one consistent view of the store. Everything is of one workspace."""

    def workspace(self, workspace: str) -> Workspace:
        """The workspace's row; one that was never seen has no status channel."""

    def incident(self, workspace: str, ref: int | UUID) -> Incident | None:
        """The incident of that number or id. In a transaction it stays locked until the end."""

    def open_in_channel(self, workspace: str, channel: str) -> tuple[Incident, ...]:
        """The open incidents whose card stands in ``channel``, newest first, at most 10."""

    def card(self, incident: Incident) -> Card:
        """The incident with what its card shows beside it."""

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

    def timeline(self, incident: Incident, *, before: int | None, limit: int) -> Page[Update]:
        """The newest ``limit`` updates with an entry below ``before``; on the page oldest first."""

    def moves(self, incident: Incident) -> tuple[Update, ...]:
        """All transitions, oldest first, the declaration counted as one."""

    def described_components(self, workspace: str) -> tuple[DescribedComponent, ...]:
        """All components of the workspace with their descriptions, by name."""


class Transaction(Reader, Protocol):
    """A `Reader` that can write. What one sees and saves is whole: all is kept, or nothing."""

    def next_number(self, workspace: str) -> int:
        """The number of the next incident: no gaps, no two alike."""

    def components(self, workspace: str) -> tuple[Component, ...]:
        """All components of the workspace."""

    def entry(self, incident: Incident, entry: int | UUID) -> Update | None:
        """The update with that number or id in the incident's timeline."""

    def published_in(self, incident: Incident, entry: Update) -> tuple[str, ...]:
        """The channels where the update stands, or will; none for an internal one."""

    def last_move(self, incident: Incident) -> Update | None:
        """The newest transition, the declaration counted as one."""

    def set_status_channel(self, workspace: str, channel: str) -> Workspace:
        """The workspace, with ``channel`` as the place where public updates go from now on."""

    def save(self, decision: Decision) -> None:
        """Writes incident, updates and outbox messages.

        The row must still have the version that was read.
        """

    def handled(self, workspace: str, request: str) -> UUID | None:
        """The incident that ``request`` was about; None where it has not been done yet."""

    def mark_handled(self, workspace: str, request: str, incident: UUID, *, at: datetime) -> None:
        """Writes that ``request``, which was about ``incident``, is done.

        Where another process was faster, the work is run again and finds that it has.
        """

    def add_component(self, workspace: str, component: DescribedComponent) -> None:
        """Writes a component that is not there yet."""

    def keep(self, receipt: Receipt) -> None:
        """Writes what is answered, for whoever asks the same again.

        Raises:
            ClaimLost: somebody else answers the request by now.
        """


class Store(Protocol):
    """Runs work in its own thread: ``write`` in a transaction, committed before it answers."""

    def write(self, work: Callable[[Transaction], T]) -> Awaitable[T]:
        """What ``work`` returns, once it is committed; what it raises, once it is rolled back.

        ``work`` may run more than once, where another process was faster.
        """

    def read(self, work: Callable[[Reader], T]) -> Awaitable[T]:
        """What ``work`` returns, from one consistent view."""


class Incidents:
    """The use cases. ``wake`` is called after each commit that left something to deliver.

    ``publish_delay`` is how long the text of a public update is held back, so that its author can
    still take it back before anybody else reads it.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        publish_delay: timedelta = timedelta(),
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._publish_delay = publish_delay

    def admit(self, actor: Actor) -> None:
        """Turns away whoever may do nothing here, before they are shown anything to fill in.

        Raises:
            Denied: the actor is no full member of the workspace.
        """
        _admit(actor)

    async def execute(self, command: Command, *, request: str | None = None) -> Outcome:
        """Does what ``command`` asks for, in one transaction: load, decide, judge, save.

        ``request`` names what may be delivered twice: the second time nothing is done, and the
        outcome is what is true now.

        Raises:
            UserError: the command was refused, and nothing was written.
        """
        return await self.perform(command, lambda _, outcome: outcome, request=request)

    async def perform(
        self,
        command: Command,
        then: Callable[[Transaction, Outcome], T],
        *,
        request: str | None = None,
    ) -> T:
        """`execute`, and what ``then`` makes of the outcome in the same transaction.

        What ``then`` writes is kept with the change; what it raises undoes both.
        """
        _admit(command.actor)

        def work(tx: Transaction) -> tuple[T, bool]:
            outcome, deliver = self._once(tx, command, request)
            return then(tx, outcome), deliver

        result, deliver = await self._store.write(work)
        if deliver:
            self._wake()
        return result

    def _once(self, tx: Transaction, command: Command, request: str | None) -> tuple[Outcome, bool]:
        if request is None:
            return self._perform(tx, command)
        if handled := _handled(tx, command, request):
            return handled, False
        try:
            outcome, deliver = self._perform(tx, command)
        except UserError:
            # It was being handled all the while, and what it did is now in its own way.
            if handled := _handled(tx, command, request):
                return handled, False
            raise
        # Also where nothing had to change: it was answered, and must not undo what others do later.
        tx.mark_handled(command.actor.workspace, request, outcome.incident.id, at=self._clock())
        return outcome, deliver

    def _perform(self, tx: Transaction, command: Command) -> tuple[Outcome, bool]:
        incident, known = _loaded(tx, command, self._publish_delay)
        decision = decide(incident, command, known, at=self._clock())
        # Judged before anything is written, but after the refusals that everybody gets: an API
        # client without the right scope learns first that what it asks for cannot be done.
        if denied := policy.allows(command.actor, command, incident):
            raise denied
        if decision.changes_anything:
            tx.save(decision)
        outcome = Outcome(
            incident=decision.incident,
            before=incident,
            updates=decision.updates,
            redacted=decision.redacted or known.entry,
            workspace=known.workspace,
            acknowledged_at=None
            if decision.changes_anything
            else _acknowledged_at(tx, command, decision.incident),
        )
        return outcome, bool(decision.envelopes)

    async def find(self, actor: Actor, ref: Ref) -> Incident:
        """One incident.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        return await self._store.read(lambda reader: _find(reader, actor, ref))

    async def history(self, actor: Actor, ref: Ref) -> tuple[Incident, tuple[Update, ...]]:
        """One incident with its transitions and their notes, oldest first.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            Denied: the actor may not read notes.
        """
        _admit(actor)

        def read(reader: Reader) -> tuple[Incident, tuple[Update, ...]]:
            incident = _readable(reader, actor, ref)
            return incident, reader.moves(incident)

        return await self._store.read(read)

    async def whole_timeline(self, actor: Actor, ref: Ref) -> tuple[Update, ...]:
        """Every update of one incident with its notes, oldest first.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            Denied: the actor may not read notes.
        """
        _admit(actor)

        def read(reader: Reader) -> tuple[Update, ...]:
            incident = _readable(reader, actor, ref)
            return reader.timeline(incident, before=None, limit=incident.last_entry).items

        return await self._store.read(read)

    async def components(self, actor: Actor) -> tuple[DescribedComponent, ...]:
        """The components of the actor's workspace, by name."""
        _admit(actor)
        return await self._store.read(lambda reader: reader.described_components(actor.workspace))

    async def make_component(
        self,
        actor: Actor,
        *,
        name: str,
        description: str | None,
        group: str | None,
        then: Callable[[Transaction, DescribedComponent], T],
    ) -> T:
        """What ``then`` makes of a new component, in the transaction that adds it.

        Raises:
            InvalidField, ComponentExists: it cannot be made so.
            Denied: the actor is no responder.
        """
        _admit(actor)

        def work(tx: Transaction) -> T:
            described = describe_component(
                tx.workspace(actor.workspace),
                tx.components(actor.workspace),
                name=name,
                description=description,
                group=group,
            )
            if not policy.holds(actor, Permission.RESPOND):
                raise Denied(actor, Permission.RESPOND)
            tx.add_component(actor.workspace, described)
            return then(tx, described)

        return await self._store.write(work)

    async def card(self, actor: Actor, ref: Ref) -> Card:
        """One incident as its card shows it.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        return await self._store.read(lambda reader: reader.card(_find(reader, actor, ref)))

    async def workspace(self, actor: Actor) -> Workspace:
        """The actor's workspace, with its status channel."""
        _admit(actor)
        return await self._store.read(lambda reader: reader.workspace(actor.workspace))

    async def set_status_channel(
        self, actor: Actor, channel: str, *, request: str | None = None
    ) -> Workspace:
        """The workspace, with ``channel`` as its public surface.

        ``request`` names what may be delivered twice, as for `execute`.

        Raises:
            Denied: the actor is no workspace admin.
        """
        _admit(actor)
        if not policy.holds(actor, Permission.ADMINISTER):
            raise Denied(actor, Permission.ADMINISTER)

        def work(tx: Transaction) -> Workspace:
            if request is not None:
                if tx.handled(actor.workspace, request):
                    return tx.workspace(actor.workspace)
                tx.mark_handled(actor.workspace, request, NO_INCIDENT, at=self._clock())
            return tx.set_status_channel(actor.workspace, channel)

        return await self._store.write(work)

    async def open_here(self, actor: Actor) -> tuple[Incident, ...]:
        """The open incidents whose card stands in the channel where the actor speaks."""
        _admit(actor)
        return await self._store.read(lambda reader: _open_here(reader, actor))

    async def board(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = BOARD_PAGE,
    ) -> Page[Incident]:
        """A page of incidents, newest first, with those alone that ``actor`` may see."""
        _admit(actor)
        return await self._store.read(
            lambda reader: reader.board(actor, narrowed, before=before, after=after, limit=limit)
        )

    async def timeline(
        self, actor: Actor, ref: Ref, *, before: int | None = None, limit: int = TIMELINE_PAGE
    ) -> tuple[Card, Page[Update]]:
        """The timeline with its notes, which are for responders alone.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            Denied: the actor may not read notes.
        """
        _admit(actor)

        def read(reader: Reader) -> tuple[Card, Page[Update]]:
            incident = _readable(reader, actor, ref)
            return reader.card(incident), reader.timeline(incident, before=before, limit=limit)

        return await self._store.read(read)


def _admit(actor: Actor) -> None:
    """Turns away, before anything is looked up, whoever is no full member."""
    if not policy.holds(actor, Permission.JOIN):
        raise Denied(actor, Permission.JOIN)


def _handled(tx: Transaction, command: Command, request: str) -> Outcome | None:
    """What is true of the incident that ``request`` was about, if it has been done already."""
    workspace = command.actor.workspace
    changed = tx.handled(workspace, request)
    incident = tx.incident(workspace, changed) if changed else None
    if incident is None:
        return None
    return Outcome(
        incident=incident,
        before=incident,
        updates=(),
        redacted=None,
        workspace=tx.workspace(workspace),
        acknowledged_at=_acknowledged_at(tx, command, incident),
    )


def _acknowledged_at(reader: Reader, command: Command, incident: Incident) -> datetime | None:
    """When somebody first did what ``command`` asks for in vain, None where it asks for another."""
    asks = isinstance(command, Acknowledge)
    return reader.card(incident).acknowledged_at if asks else None


def _find(reader: Reader, actor: Actor, ref: Ref) -> Incident:
    if ref is None:
        here = _open_here(reader, actor)
        if len(here) != 1:
            raise WhichIncident(here)
        ref = here[0].id
    incident = reader.incident(actor.workspace, ref)
    if incident is None or not policy.may_see(actor, incident):
        raise NotFound(ref)
    return incident


def _readable(reader: Reader, actor: Actor, ref: Ref) -> Incident:
    incident = _find(reader, actor, ref)
    if not policy.may_read_notes(actor):
        raise Denied(actor, Permission.RESPOND, incident)
    return incident


def _open_here(reader: Reader, actor: Actor) -> tuple[Incident, ...]:
    if actor.channel is None:
        return ()
    here = reader.open_in_channel(actor.workspace, actor.channel)
    return tuple(incident for incident in here if policy.may_see(actor, incident))


def _loaded(
    tx: Transaction, command: Command, publish_delay: timedelta
) -> tuple[Incident | None, Known]:
    """The incident that ``command`` is about, None for a declaration, and what else decides it."""
    actor = command.actor
    if isinstance(command, Declare):
        number = tx.next_number(actor.workspace)
        return None, Known(
            workspace=tx.workspace(actor.workspace),
            number=number,
            components=_existing(tx, command),
        )
    incident = _find(tx, actor, command.ref)
    workspace = tx.workspace(actor.workspace)
    if isinstance(command, Redact):
        entry = tx.entry(incident, command.entry)
        published_in = tx.published_in(incident, entry) if entry else ()
        return incident, Known(workspace=workspace, entry=entry, published_in=published_in)
    stale = command.expected_status not in {None, incident.status}
    return incident, Known(
        workspace=workspace,
        publish_delay=publish_delay,
        components=_existing(tx, command),
        moved=tx.last_move(incident) if stale else None,
    )


def _existing(tx: Transaction, command: Command) -> tuple[Component, ...]:
    names = command.components if isinstance(command, Declare | Change) else None
    return tx.components(command.actor.workspace) if names else ()
