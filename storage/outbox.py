"""The outbox, from the worker's side: messages are claimed, delivered, retried or given up.

A message holds no text. The worker renders it from the rows as they are when its turn comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from core.audience import may_be_told
from core.boards import Card
from core.decision import ABOUT_PROMISES, NOTICES, NUDGES, Envelope, Surface
from core.handover import HandOver
from core.incident import Incident, Severity, WorkspaceSettings
from core.promise import Promise
from core.public_side import PublicIncident, PublicUpdate
from storage import claims
from storage.enqueue import later_of, redraw_status_cards
from storage.entries import declared_severity, entry
from storage.messages import COLUMNS, OutboxMessage, message_of
from storage.models import (
    CARDS,
    KEPT,
    State,
    among,
    is_kept,
    kept,
    outbox,
    posted,
)
from storage.models import incident as _incident
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.statements import upsert
from storage.store import SqlStore, SqlTransaction

# The error of a message after a lost response: Slack may have it or not.
UNKNOWN_OUTCOME = "unknown_outcome"

# Every claim was made before it.
EVER = datetime.max.replace(tzinfo=UTC)

RESPONDERS_CARDS = frozenset({Surface.WORKING_CARD, Surface.OWNER_CARD})
# Messages with the facts of such a card, where that card may be shown.
_AS_CARDS = RESPONDERS_CARDS | {Surface.MENTION, Surface.OWNER_LEFT}


class Posted(NamedTuple):
    """The place of a message in Slack. ``channel`` is a conversation's id, for direct ones too."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The content of a message, from the rows as they are now.

    A responders' card has ``card``, None if its readers may not see the incident (any more). All
    others have ``incident``, read only from public facts, with the texts that are public at
    ``try_at``; None if the incident has no public side. ``name`` is ``INC-42`` in any case. A reply
    or a withdrawal has ``update`` too. ``place`` is the surface's post (None: not posted yet), and
    ``thread`` the status card's, whose thread takes the replies. A nudge about a promise has
    ``card`` and ``promise``, None if that is over, or the receiver has nothing to do with it any
    more. A notice about a hand-over has ``hand_over`` and ``card``, None if its reader may not see
    the incident. A mention has ``card`` and ``written``, the moment of its update. A working card
    that is not posted yet has ``declared_severity``. ``settings`` are those of the workspace, for
    messages that mention the group of responders.
    """

    name: str = ""
    card: Card | None = None
    incident: PublicIncident | None = None
    update: PublicUpdate | None = None
    place: Posted | None = None
    thread: Posted | None = None
    promise: Promise | None = None
    hand_over: HandOver | None = None
    declared_severity: Severity | None = None
    written: datetime | None = None
    settings: WorkspaceSettings = field(default_factory=WorkspaceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The size of the outbox. ``by_state`` counts available, running and dead messages.

    ``oldest_due`` is the time since the oldest one was due; zero if none is due.
    """

    by_state: Mapping[State, int]
    oldest_due: timedelta


# A worker that comes back after a rescue must not move a message that another has claimed since.
_is_ours = and_(
    outbox.c.id == bindparam("message"),
    outbox.c.state == State.RUNNING,
    outbox.c.attempts == bindparam("tried"),
)
# A delivery counts in any case, however late its worker reports it.
_DELIVERED = (
    update(outbox)
    .where(outbox.c.id == bindparam("message"), is_kept)
    .values(state=State.DELIVERED, done_at=bindparam("at"), error=None)
)
_DEAD = (
    update(outbox)
    .where(_is_ours)
    .values(
        state=State.DEAD,
        done_at=bindparam("at"),
        error=bindparam("code"),
        unsure=or_(outbox.c.unsure, bindparam("in_doubt")),
    )
)
_LATER = (
    update(outbox)
    .where(_is_ours)
    .values(
        state=State.AVAILABLE,
        # A later time was taken over from an edit that waited for a title, see `_postpone`.
        try_at=later_of(outbox.c.try_at, bindparam("until", type_=outbox.c.try_at.type)),
        error=bindparam("code"),
        unsure=or_(outbox.c.unsure, bindparam("in_doubt")),
        claimed_at=None,
        claimed_by=None,
    )
)
_is_stale = and_(kept(outbox, State.RUNNING), outbox.c.claimed_at < bindparam("claimed_before"))
_RESCUE = (
    update(outbox)
    .where(_is_stale)
    .values(
        state=State.AVAILABLE,
        try_at=later_of(outbox.c.try_at, bindparam("until", type_=outbox.c.try_at.type)),
        error=UNKNOWN_OUTCOME,
        unsure=True,
        claimed_at=None,
        claimed_by=None,
    )
)
_LOOK_FIRST = update(outbox).where(is_kept).values(unsure=True)
_is_dead = kept(outbox, State.DEAD)
_RETRY_DEAD = (
    update(outbox)
    .where(_is_dead)
    .values(
        state=State.AVAILABLE,
        due_at=bindparam("at"),
        try_at=later_of(outbox.c.try_at, bindparam("at", type_=outbox.c.try_at.type)),
        attempts=0,
        claimed_at=None,
        claimed_by=None,
        done_at=None,
    )
)


_other = outbox.alias("other")
_ours = outbox.alias("ours")


def _merge(*states: State, into: ColumnElement[bool]) -> Update:
    """Merges edits of a card in ``states`` into the one of the same card for which ``into`` holds.

    Of two waiting edits the older one stays, though both would show the same: if the card is in the
    channel without our knowledge, its metadata has the ``uid`` of the older one.
    """
    return (
        update(outbox)
        .where(
            kept(outbox, *states),
            among(outbox.c.surface, *CARDS),
            exists().where(
                _other.c.lane == outbox.c.lane, _other.c.surface == outbox.c.surface, into
            ),
        )
        .values(state=State.MERGED, done_at=bindparam("at"))
    )


def _postpone(condition: ColumnElement[bool]) -> Update:
    """Lets each card wait as long as the edit that is about to be merged into it, and doubt as it.

    That edit may wait for the end of a title's hold: before it, the title is not public.
    """
    waiting = (
        select(func.max(_other.c.try_at))
        .where(
            _other.c.lane == outbox.c.lane,
            _other.c.surface == outbox.c.surface,
            kept(_other, State.AVAILABLE),
        )
        .scalar_subquery()
    )
    return (
        update(outbox)
        .where(condition, among(outbox.c.surface, *CARDS))
        .values(try_at=later_of(outbox.c.try_at, waiting), unsure=claims.is_in_doubt)
    )


_POSTPONE_OURS = _postpone(_is_ours)
_POSTPONE_STALE = _postpone(_is_stale)
_POSTPONE_DEAD = _postpone(_is_dead)
_MERGE_INTO_OURS = _merge(
    State.AVAILABLE,
    into=and_(
        _other.c.id == bindparam("message"),
        _other.c.state == State.RUNNING,
        _other.c.attempts == bindparam("tried"),
    ),
    # Says the lane once more, so that the database searches only that lane.
).where(
    outbox.c.lane
    == select(_ours.c.lane).where(_ours.c.id == bindparam("message")).scalar_subquery()
)
_MERGE_INTO_STALE = _merge(
    State.AVAILABLE,
    into=and_(kept(_other, State.RUNNING), _other.c.claimed_at < bindparam("claimed_before")),
)
_MERGE_DEAD_INTO_RUNNING = _merge(State.DEAD, into=kept(_other, State.RUNNING))
_MERGE_INTO_DEAD = _merge(
    State.AVAILABLE,
    State.DEAD,
    into=and_(
        kept(_other, State.AVAILABLE, State.DEAD),
        _other.c.id < outbox.c.id,
    ),
)
_RETRY = (
    _MERGE_DEAD_INTO_RUNNING,
    _POSTPONE_DEAD,
    _MERGE_INTO_DEAD,
    _RETRY_DEAD,
)
_RETRY_IN_CHANNEL = tuple(
    one.where(
        outbox.c.workspace_id == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
    )
    for one in _RETRY
)
# The batch of one transaction: writers must not wait until a busy week is deleted.
PRUNE_AT_ONCE = 1_000
_PRUNE = delete(outbox).where(
    outbox.c.id.in_(
        select(outbox.c.id)
        .where(
            outbox.c.done_at < bindparam("before"),
            outbox.c.state.in_([State.DELIVERED, State.MERGED]),
        )
        .limit(PRUNE_AT_ONCE)
    )
)
_COUNTS = (
    select(outbox.c.state, func.count(), func.min(outbox.c.due_at))
    .where(is_kept)
    .group_by(outbox.c.state)
)
_LIST = (
    select(*COLUMNS)
    .where(outbox.c.state.in_(bindparam("states", expanding=True)))
    .order_by(outbox.c.id)
    .limit(bindparam("limit"))
)
_LIST_KEPT = _LIST.where(is_kept)


_NUMBER = select(_incident.c.number).where(
    _incident.c.workspace_id == bindparam("workspace"), _incident.c.id == bindparam("incident")
)
_place = and_(
    posted.c.workspace_id == bindparam("of_workspace"),
    posted.c.incident_id == bindparam("of_incident"),
    posted.c.surface == bindparam("shown_on"),
    posted.c.channel == bindparam("to_channel"),
    posted.c.entry == bindparam("of_entry"),
)
_PLACE = select(posted.c.posted_in, posted.c.ts).where(_place)
_FORGET = delete(posted).where(_place)
_POSTED = upsert(
    lambda insert: insert(posted).on_conflict_do_update(
        index_elements=list(posted.primary_key),
        set_={
            "posted_in": insert(posted).excluded.posted_in,
            "ts": insert(posted).excluded.ts,
        },
    )
)


class Outbox:
    """The outbox of ``store``. ``at`` is the caller's clock; the database's is never used."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def claim(self, worker: str, *, limit: int, at: datetime) -> tuple[OutboxMessage, ...]:
        """Claims for ``worker`` at most ``limit`` messages that may be delivered now, oldest first.

        At most one of them is a new post to any one channel; the next is due a second later.
        """
        return await self._store.write(
            lambda tx: claims.claim(connection_of(tx), worker, limit=limit, at=at)
        )

    async def facts(self, message: OutboxMessage) -> Facts:
        """The content of ``message``, from the rows as they are now."""
        # As of the message's own time, and of no clock: a clock behind the publisher's would leave
        # the text out, and no later message would add it.
        return await self.facts_of(
            message.workspace, message.incident, message.envelope, at=message.try_at
        )

    async def facts_of(
        self, workspace: str, incident: UUID, envelope: Envelope, *, at: datetime
    ) -> Facts:
        """The content of a post of ``incident``, with the texts that are public at ``at``."""
        if envelope.surface in ABOUT_PROMISES:
            return await self._store.read(
                lambda reader: _nudge_facts(reader, workspace, incident, envelope)
            )
        if envelope.surface in _AS_CARDS:
            return await self._store.read(
                lambda reader: _card_facts(reader, workspace, incident, envelope)
            )
        if envelope.surface in NOTICES:
            return await self._store.read(
                lambda reader: _hand_over_facts(reader, workspace, incident, envelope)
            )
        return await self._store.read_public(
            lambda reader: _public_facts(reader, workspace, incident, envelope, at=at)
        )

    async def delivered(
        self, message: OutboxMessage, *, at: datetime, posted: tuple[str, str] | None = None
    ) -> None:
        """Slack has it. ``posted`` is the channel and ts of a new message, None for an edit."""
        await self._store.write(lambda tx: _delivered(connection_of(tx), message, at, posted))

    async def later(self, message: OutboxMessage, *, until: datetime, error: str) -> None:
        """Retries it at ``until``. ``error`` is a short code, such as `UNKNOWN_OUTCOME`.

        If the next edit of the same card waits already, it is merged into this one.
        """
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"until": until, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._write(
            (_POSTPONE_OURS, ours),
            (_MERGE_INTO_OURS, {**ours, "at": until}),
            (_LATER, {**ours, **failure}),
        )

    async def dead(self, message: OutboxMessage, *, error: str, at: datetime) -> None:
        """Gives it up, because no retry can help, and keeps it for the operator.

        ``error`` is a short code.
        """
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"at": at, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._store.write(lambda tx: _dead(connection_of(tx), message, {**ours, **failure}))

    async def pause(self, workspace: str, channel: str, *, until: datetime) -> None:
        """Lets nothing go to ``channel`` before ``until``, from any process, as Slack demands."""
        await self._store.write(
            lambda tx: claims.pause(connection_of(tx), workspace, channel, until=until)
        )

    async def forget_posted(self, message: OutboxMessage) -> None:
        """Forgets the Slack message that ``message`` was to edit: it is gone."""
        await self._write(
            (_FORGET, _place_of(message.workspace, message.incident, message.envelope))
        )

    async def rescue(self, *, claimed_before: datetime, at: datetime, until: datetime) -> int:
        """Frees messages whose worker must have died since, and returns their count.

        Slack may have them or not, so their ``error`` is `UNKNOWN_OUTCOME`. They are retried at
        ``until``.
        """
        stale = {"claimed_before": claimed_before, "at": at, "until": until}
        return await self._write(
            (_POSTPONE_STALE, stale), (_MERGE_INTO_STALE, stale), (_RESCUE, stale)
        )

    async def look_first(self, *, at: datetime) -> int:
        """Has every message searched for before it is sent, and returns their count.

        After a restore Slack may have each of them: it was delivered after the backup was taken.
        Messages that run belong to workers that are gone.
        """
        stale = {"claimed_before": EVER, "at": at, "until": at}
        return await self._write(
            (_POSTPONE_STALE, stale),
            (_MERGE_INTO_STALE, stale),
            (_RESCUE, stale),
            (_LOOK_FIRST, {}),
        )

    async def retry_dead(self, *, at: datetime, channel: tuple[str, str] | None = None) -> int:
        """Makes every dead message available, and returns their count after merging edits.

        ``channel`` limits it to one, by the ids of workspace and channel.
        """
        if channel is None:
            return await self._write(*((one, {"at": at}) for one in _RETRY))
        where = dict(zip(("in_workspace", "in_channel"), channel, strict=True))
        return await self._write(*((one, {"at": at, **where}) for one in _RETRY_IN_CHANNEL))

    async def prune(self, *, before: datetime) -> int:
        """Deletes messages delivered or merged before ``before``, and returns their count."""
        pruned = 0
        while count := await self._write((_PRUNE, {"before": before})):
            pruned += count
        return pruned

    async def next_due(self) -> datetime | None:
        """The moment when a message can be claimed next, None if none waits. It may be past."""
        return await self._store.read(lambda reader: claims.next_due(connection_of(reader)))

    async def depth(self, *, at: datetime) -> Depth:
        """The size and age of the outbox."""
        return await self._store.read(lambda reader: _depth(connection_of(reader), at))

    async def undelivered(self) -> tuple[OutboxMessage, ...]:
        """Messages that wait, run or are dead, oldest first; 10,000 at most."""
        return await self.list(State.AVAILABLE, State.RUNNING, State.DEAD, limit=10_000)

    async def list(self, *states: State, limit: int = 100) -> tuple[OutboxMessage, ...]:
        """Messages in any of ``states``, oldest first."""
        parameters = {"states": states, "limit": limit}
        statement = _LIST_KEPT if set(states) <= set(KEPT) else _LIST
        return await self._store.read(
            lambda reader: tuple(
                map(message_of, connection_of(reader).execute(statement, parameters))
            )
        )

    async def _write(self, *statements: tuple[Executable, Mapping[str, Any]]) -> int:
        """Runs all in one transaction, and returns the last one's count of changed rows."""

        def work(tx: SqlTransaction) -> int:
            connection = connection_of(tx)
            return [connection.execute(*statement).rowcount for statement in statements][-1]

        return await self._store.write(work)


def _delivered(
    connection: Connection, message: OutboxMessage, at: datetime, posted: tuple[str, str] | None
) -> None:
    connection.execute(_DELIVERED, {"message": message.id, "at": at})
    # A nudge is never edited, so its place is of no use.
    if posted and message.surface not in NUDGES:
        channel, ts = posted
        connection.execute(
            _POSTED[connection.dialect.name],
            {
                "workspace_id": message.workspace,
                "incident_id": message.incident,
                "surface": message.surface.value,
                "channel": message.channel,
                "entry": message.entry or 0,
                "posted_in": channel,
                "ts": ts,
            },
        )
        _show_on_card(connection, message, at)


def _dead(connection: Connection, message: OutboxMessage, failure: Mapping[str, Any]) -> None:
    if connection.execute(_DEAD, failure).rowcount:
        _show_on_card(connection, message, failure["at"])


def _show_on_card(connection: Connection, message: OutboxMessage, at: datetime) -> None:
    """Edits the status cards that were drawn while the text of ``message`` was held back.

    They need not be in its channel: the status channel may be another one by now.
    """
    if message.surface is Surface.PUBLIC_UPDATE and message.created_at != message.due_at:
        redraw_status_cards(connection, message.workspace, message.incident, at=at)


def _depth(connection: Connection, at: datetime) -> Depth:
    by_state = dict.fromkeys((State.AVAILABLE, State.RUNNING, State.DEAD), 0)
    oldest = at
    for state, count, due_at in connection.execute(_COUNTS):
        by_state[State(state)] = count
        if state != State.DEAD:
            oldest = min(oldest, due_at)
    return Depth(by_state=by_state, oldest_due=at - oldest)


def _card_facts(reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope) -> Facts:
    incident = reader.incident(workspace, incident_id)
    shown = incident if incident and _may_show(incident, envelope) else None
    connection = connection_of(reader)
    place = _found(connection, _place_of(workspace, incident_id, envelope))
    first = shown is not None and place is None and envelope.surface is Surface.WORKING_CARD
    return Facts(
        name=incident.name if incident else "",
        card=reader.card(shown) if shown else None,
        place=place,
        declared_severity=declared_severity(connection, shown) if shown and first else None,
        written=_written(connection, shown, envelope) if shown and envelope.entry else None,
        settings=reader.workspace(workspace).settings,
    )


def _written(connection: Connection, incident: Incident, envelope: Envelope) -> datetime | None:
    """The moment of the update that a mention is about."""
    found = entry(connection, incident, envelope.entry or 0)
    return found.at if found else None


def _hand_over_facts(
    reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope
) -> Facts:
    incident = reader.incident(workspace, incident_id)
    if incident is None:
        return Facts()
    asked = reader.hand_over(incident, envelope.entry or 0)
    return Facts(
        name=incident.name,
        card=reader.card(incident) if may_be_told(incident, envelope.channel) else None,
        # A message to an owner who left reaches nobody.
        hand_over=asked if envelope.channel != incident.left_owner else None,
        place=_found(connection_of(reader), _place_of(workspace, incident_id, envelope)),
    )


def _nudge_facts(reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope) -> Facts:
    incident = reader.incident(workspace, incident_id)
    if incident is None:
        return Facts()
    named = (one for one in reader.promises(incident) if one.entry == envelope.entry)
    promise = next((one for one in named if one.over_at is None), None)
    owner = incident.owner or incident.declared_by
    receivers = {incident.card_channel, owner.id, incident.declared_by.id}
    concerned = envelope.channel in receivers - {incident.left_owner}
    return Facts(
        name=incident.name,
        card=reader.card(incident),
        promise=promise if concerned else None,
        settings=reader.workspace(workspace).settings,
    )


def _may_show(incident: Incident, envelope: Envelope) -> bool:
    """Whether the receiver of a responders' card, or a message like it, may see ``incident``."""
    to_people = envelope.surface in {Surface.OWNER_CARD, Surface.OWNER_LEFT}
    if to_people and envelope.channel != incident.card_channel:
        return envelope.channel in {person.id for person in incident.card_people}
    return envelope.channel == incident.card_channel


def _public_facts(
    reader: PublicReader, workspace: str, incident: UUID, envelope: Envelope, *, at: datetime
) -> Facts:
    connection = connection_of(reader)
    here = _place_of(workspace, incident, envelope)
    place = _found(connection, here)
    shown = reader.incident(workspace, incident, at=at)
    # Only the number, for the posts of an incident that has no public side any more.
    number = connection.execute(_NUMBER, {"workspace": workspace, "incident": incident}).scalar()
    name = f"INC-{number}"
    if envelope.entry is None:
        return Facts(name=name, incident=shown, place=place)
    updates = shown.updates if shown else ()
    status_card = {**here, "shown_on": Surface.STATUS_CARD.value, "of_entry": 0}
    return Facts(
        name=name,
        incident=shown,
        update=next((one for one in updates if one.entry == envelope.entry), None),
        place=place,
        thread=_found(connection, status_card),
    )


def _place_of(workspace: str, incident: UUID, envelope: Envelope) -> dict[str, Any]:
    """The key of a post in ``posted``."""
    surface = envelope.surface
    return {
        "of_workspace": workspace,
        "of_incident": incident,
        # A withdrawal edits the reply of its entry.
        "shown_on": (Surface.PUBLIC_UPDATE if surface is Surface.WITHDRAWAL else surface).value,
        "to_channel": envelope.channel,
        "of_entry": envelope.entry or 0,
    }


def _found(connection: Connection, place: Mapping[str, Any]) -> Posted | None:
    row = connection.execute(_PLACE, place).first()
    return row and Posted(*row)
