"""The use cases. All entry points call them, so the same rules judge every request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from core import policy, reviewing, timelines
from core.boards import BoardFilter, Card, Page
from core.commands import Change, Command, Ref, SetPrivacy
from core.components import describe_component
from core.concluding import concluded, handled
from core.decision import Outcome
from core.denials import Denied, Permission
from core.engine import decide, refuse_haste
from core.errors import UserError
from core.guarding import refuse_leaks
from core.handing import followed
from core.incident import Actor, DescribedComponent, Incident, Update
from core.loading import (
    found,
    held_back,
    loaded,
    open_here,
    shown_in,
)
from core.promise import Promise
from core.ranking import Rank, Ranking
from core.refusals import StaleStatus
from core.report import Report
from core.stats import Statistics
from core.store import Reader, Store, Transaction
from core.workspace import Workspace

T = TypeVar("T")

BOARD_PAGE = 10
TIMELINE_PAGE = 20
# Marks a request about the workspace as done; other requests are marked with their incident.
NO_INCIDENT = UUID(int=0)


class Incidents:
    """The use cases. ``wake`` is called after each commit that queued an outbox message.

    ``publish_delay`` is the time for which a public text is held back, so that its author can still
    take it back before anybody else reads it. ``observe`` gets each outcome after its commit.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        publish_delay: timedelta = timedelta(),
        observe: Callable[[Outcome], object] = lambda _: None,
    ) -> None:
        self._observe = observe
        self._store = store
        self._clock = clock
        self._wake = wake
        self._publish_delay = publish_delay

    def admit(self, actor: Actor) -> None:
        """Refuses an outsider before a dialog is opened for them.

        Raises:
            Denied: the actor is no full member of the workspace.
        """
        _admit(actor)

    async def execute(
        self, command: Command, *, request: str | None = None, clicked_at: datetime | None = None
    ) -> Outcome:
        """Executes ``command`` in one transaction: load, decide, authorize, save.

        ``request`` identifies a delivery that Slack may repeat. A repetition changes nothing, and
        its outcome shows the present facts. ``clicked_at``: it is a click on a next step at that
        moment, which is refused if it follows another step of the same person at once.

        Raises:
            UserError: the command was refused, and nothing was written.
        """
        return await self.perform(
            command, lambda _, outcome: outcome, request=request, clicked_at=clicked_at
        )

    async def perform(
        self,
        command: Command,
        then: Callable[[Transaction, Outcome], T],
        *,
        request: str | None = None,
        clicked_at: datetime | None = None,
    ) -> T:
        """`execute`, and the result of ``then`` on the outcome, in the same transaction.

        Writes of ``then`` are committed with the change; an error of ``then`` rolls both back.
        """
        _admit(command.actor)

        def work(tx: Transaction) -> tuple[T, Outcome, bool]:
            outcome, deliver = self._once(tx, command, request, clicked_at=clicked_at)
            return then(tx, outcome), outcome, deliver

        result, outcome, deliver = await self._store.write(work)
        if deliver:
            self._wake()
        self._observe(outcome)
        return result

    def _once(
        self, tx: Transaction, command: Command, request: str | None, *, clicked_at: datetime | None
    ) -> tuple[Outcome, bool]:
        if request is None:
            return self._perform(tx, command, clicked_at=clicked_at)
        if done := handled(tx, command.actor.workspace, command, request):
            return done, False
        try:
            outcome, deliver = self._perform(tx, command, clicked_at=clicked_at)
        except UserError:
            # A concurrent delivery of this request committed first; this attempt failed because of
            # its effect.
            if done := handled(tx, command.actor.workspace, command, request):
                return done, False
            raise
        # Marked even if nothing changed: a repetition must not undo a later change by others.
        tx.mark_handled(command.actor.workspace, request, outcome.incident.id, at=self._clock())
        return outcome, deliver

    def _perform(
        self, tx: Transaction, command: Command, *, clicked_at: datetime | None
    ) -> tuple[Outcome, bool]:
        at = self._clock()
        incident, known = loaded(tx, command, self._publish_delay, at)
        if clicked_at and incident and isinstance(command, Change):
            refuse_haste(incident, command, tx.last_move(incident), at=clicked_at)
        decision = decide(incident, command, known, at=at)
        # Authorized before anything is written, but after the refusals that everybody gets: an API
        # client without the right scope still learns that its request is impossible.
        if denied := policy.allows(command.actor, command, incident):
            raise denied
        refuse_leaks(tx, command, incident, decision, known.workspace)
        if decision.changes_anything:
            if incident and incident.owner:
                decision = followed(decision, incident, tx.open_hand_over(incident))
            tx.save(decision)
        outcome = concluded(
            tx, command, incident, decision, known, publish_delay=self._publish_delay, at=at
        )
        return outcome, bool(decision.envelopes)

    async def repeated(self, actor: Actor, request: str) -> Outcome | None:
        """The present facts, as `execute` gives them, if ``request`` is done already; or None."""
        _admit(actor)
        return await self._store.write(lambda tx: handled(tx, actor.workspace, None, request))

    async def begin(self, actor: Actor, request: str, incident: Incident) -> bool:
        """Whether ``request`` about ``incident`` is not done yet; it counts as done from now on.

        For an effect outside the database that must not happen twice.
        """
        _admit(actor)

        def work(tx: Transaction) -> bool:
            if tx.handled(actor.workspace, request):
                return False
            tx.mark_handled(actor.workspace, request, incident.id, at=self._clock())
            return True

        return await self._store.write(work)

    async def shown_by(
        self, actor: Actor, messages: Iterable[tuple[str, str]]
    ) -> list[UUID | None]:
        """The ids of the incidents that ``messages`` show, each a channel and a ts."""
        _admit(actor)
        return await self._store.read(
            lambda reader: [reader.shown_by(actor.workspace, *message) for message in messages]
        )

    async def find(self, actor: Actor, ref: Ref) -> Incident:
        """One incident.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        return await self._store.read(lambda reader: found(reader, actor, ref))

    async def held_back(self, actor: Actor, ref: Ref) -> tuple[Incident, Update] | None:
        """The newest text of ``actor`` on one incident that is held back, with the incident.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        at = self._clock()
        return await self._store.write(
            lambda tx: held_back(tx, actor, ref, self._publish_delay, at)
        )

    async def unmoved(self, actor: Actor, ref: Ref, expected_status: str) -> Incident:
        """One incident that is still in the status for which a dialog was drawn.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            StaleStatus: it has moved since.
        """
        _admit(actor)

        def read(reader: Reader) -> Incident:
            incident = found(reader, actor, ref)
            if incident.status != expected_status:
                raise StaleStatus(incident, expected_status, reader.moves(incident)[-1])
            return incident

        return await self._store.read(read)

    async def history(self, actor: Actor, ref: Ref) -> tuple[Card, tuple[Update, ...]]:
        """The card of one incident with its transitions: `timelines.history`."""
        _admit(actor)
        return await self._store.read(lambda reader: timelines.history(reader, actor, ref))

    async def oldest_entries(
        self,
        actor: Actor,
        ref: Ref,
        *,
        after: int = 0,
        limit: int,
        then: Callable[[Page[Update]], T],
    ) -> T:
        """The result of ``then`` on a page of a timeline: `timelines.oldest`.

        ``then`` runs in a thread of the store.
        """
        _admit(actor)
        return await self._store.read(
            lambda reader: then(timelines.oldest(reader, actor, ref, after=after, limit=limit))
        )

    async def newest_entries(
        self,
        actor: Actor,
        ref: Ref,
        *,
        before: int | None = None,
        limit: int,
        wanted: Callable[[Update], bool],
        then: Callable[[Page[Update]], T],
    ) -> T:
        """The result of ``then`` on a page of a timeline: `timelines.newest`.

        ``then`` runs in a thread of the store.
        """
        _admit(actor)
        return await self._store.read(
            lambda reader: then(
                timelines.newest(reader, actor, ref, before=before, limit=limit, wanted=wanted)
            )
        )

    async def timeline(
        self, actor: Actor, ref: Ref, *, before: int | None = None, limit: int = TIMELINE_PAGE
    ) -> tuple[Card, Page[Update]]:
        """A page of the timeline with its notes, only for responders: `timelines.page`."""
        _admit(actor)
        return await self._store.read(
            lambda reader: timelines.page(reader, actor, ref, before=before, limit=limit)
        )

    async def report(self, actor: Actor, ref: Ref, then: Callable[[Incident, Report], T]) -> T:
        """The result of ``then`` on an incident and its internal report: `reviewing.report`."""
        _admit(actor)
        return await self._store.read(lambda reader: reviewing.report(reader, actor, ref, then))

    async def public_report(self, actor: Actor, ref: Ref) -> str:
        """The public report of one incident, as Markdown.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            NoPublicSide: nothing of it is public now.
        """
        incident, at = await self.find(actor, ref), self._clock()
        return await self._store.read_public(
            lambda view: reviewing.public_report(view, incident, at=at)
        )

    async def sections(self, actor: Actor, ref: Ref) -> tuple[Incident, tuple[Update, ...]]:
        """An incident with the entries of its sections, to be written: `reviewing.sections`."""
        _admit(actor)
        return await self._store.read(lambda reader: reviewing.sections(reader, actor, ref))

    async def statistics(self, actor: Actor, *, period: timedelta) -> Statistics:
        """The figures of the last ``period`` and of the one before, as far as ``actor`` may see.

        Raises:
            Denied: the actor may not read notes.
        """
        _admit(actor)
        return await reviewing.statistics_of(self._store, actor, period=period, at=self._clock())

    async def components(self, actor: Actor) -> tuple[DescribedComponent, ...]:
        """The components of the actor's workspace, by name."""
        _admit(actor)

        def read(reader: Reader) -> tuple[DescribedComponent, ...]:
            unnamed = reader.unnamed(actor)
            every = reader.described_components(actor.workspace)
            return tuple(one for one in every if one.component.id not in unnamed)

        return await self._store.read(read)

    async def make_component(
        self,
        actor: Actor,
        *,
        name: str,
        description: str | None,
        group: str | None,
        then: Callable[[Transaction, DescribedComponent], T],
    ) -> T:
        """Adds a component, and returns the result of ``then`` on it, in the same transaction.

        The page shows one that an admin adds; others are hidden until an admin shows them.

        Raises:
            InvalidField, ComponentExists: the component is not possible.
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
                groups=[one.name for one in tx.arrangement(actor.workspace).groups],
                shown=policy.holds(actor, Permission.ADMINISTER),
            )
            if not policy.holds(actor, Permission.RESPOND):
                raise Denied(actor, Permission.RESPOND)
            tx.add_component(actor.workspace, described, at=self._clock())
            return then(tx, described)

        return await self._store.write(work)

    async def card(self, actor: Actor, ref: Ref) -> Card:
        """The card of one incident.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        return await self._store.read(lambda reader: reader.card(found(reader, actor, ref)))

    async def promise(self, actor: Actor, ref: Ref) -> tuple[Incident, Promise | None]:
        """One incident, and the promise of it that is in force.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        return await self._store.read(lambda reader: reviewing.promise(reader, actor, ref))

    async def to_publish(self, actor: Actor, ref: Ref) -> tuple[Incident, tuple[Update, ...]]:
        """A private incident and its texts that would be public, for an actor who may publish.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            Denied: the actor may not publish.
        """
        _admit(actor)

        def read(reader: Reader) -> tuple[Incident, tuple[Update, ...]]:
            incident = found(reader, actor, ref)
            command = SetPrivacy(actor=actor, ref=ref, private=False)
            if denied := policy.allows(actor, command, incident):
                raise denied
            return incident, reader.public_texts(incident)

        return await self._store.read(read)

    async def to_hide(self, actor: Actor, ref: Ref) -> tuple[Incident, Workspace, tuple[str, ...]]:
        """One incident, its workspace, and the channels that show its public side.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
        """
        _admit(actor)
        at = self._clock()
        return await self._store.write(lambda tx: shown_in(tx, actor, ref, at))

    async def workspace(self, actor: Actor) -> Workspace:
        """The actor's workspace, with its status channel."""
        _admit(actor)
        return await self._store.read(lambda reader: reader.workspace(actor.workspace))

    async def workspace_of(self, workspace: str) -> Workspace:
        """The workspace of that id, before anybody is known to be asking."""
        return await self._store.read(lambda reader: reader.workspace(workspace))

    async def open_here(self, actor: Actor) -> Ranking:
        """The open incidents that have their card in the actor's channel, and their number."""
        _admit(actor)
        return await self._store.read(lambda reader: open_here(reader, actor))

    async def board(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = BOARD_PAGE,
    ) -> Page[Incident]:
        """A page of the incidents that ``actor`` may see, newest first."""
        _admit(actor)
        return await self._store.read(
            lambda reader: reader.board(actor, narrowed, before=before, after=after, limit=limit)
        )

    async def listed(
        self, actor: Actor, narrowed: BoardFilter, *, before: int | None = None, limit: int
    ) -> Page[Card]:
        """A page as `board` gives it, with the times of each incident."""
        _admit(actor)

        def read(reader: Reader) -> Page[Card]:
            page = reader.board(actor, narrowed, before=before, after=None, limit=limit)
            cards = reader.times(actor.workspace, page.items)
            return Page(items=cards, older=page.older, newer=page.newer)

        return await self._store.read(read)

    async def ranking(
        self,
        actor: Actor,
        narrowed: BoardFilter,
        *,
        before: Rank | None = None,
        after: Rank | None = None,
        limit: int = BOARD_PAGE,
    ) -> Ranking:
        """A page of the incidents that ``actor`` may see, in the order of `Rank`."""
        _admit(actor)
        return await self._store.read(
            lambda reader: reader.ranking(actor, narrowed, before=before, after=after, limit=limit)
        )


def _admit(actor: Actor) -> None:
    """Refuses everybody but full members, before anything is looked up."""
    if not policy.holds(actor, Permission.JOIN):
        raise Denied(actor, Permission.JOIN)
