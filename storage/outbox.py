"""Messages on their way to Slack: written with the change that they show, claimed by a worker.

A message names a surface of an incident, never a text: the worker renders it from the rows as they
are when its turn comes. `storage.models.State` says who moves a message on, and when.

Messages of one lane (an incident on one surface) are delivered one after another, oldest first;
only a card may pass what is not due yet, for it shows nothing that is held back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.incident import (
    Card,
    Decision,
    Envelope,
    Incident,
    PublicIncident,
    PublicUpdate,
    Surface,
)
from storage import public
from storage.models import (
    CARDS,
    KEPT,
    State,
    among,
    channel_pace,
    is_available,
    is_kept,
    is_waiting_card,
    kept,
    outbox,
    posted,
)
from storage.prepared import Prepared
from storage.queries import AnyRow, SqlReader

T = TypeVar("T")

# The error of a message of which nobody knows whether Slack has it.
UNKNOWN_OUTCOME = "unknown_outcome"
POST_EVERY = timedelta(seconds=1)  # Source: https://docs.slack.dev/apis/web-api/rate-limits
LANES = {
    Surface.WORKING_CARD: "working",
    Surface.OWNER_CARD: "owner",
    Surface.STATUS_CARD: "status",
    Surface.PUBLIC_UPDATE: "status",
    Surface.WITHDRAWAL: "status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """An outbox message as it was when it was read. See `storage.models.State` for its life.

    ``uid`` is what a post carries as metadata. ``attempts`` counts this try as well; ``error`` is
    the code of the last failure. ``unsure``: some earlier try may have reached Slack, so the post
    is to be looked for first. ``incident`` is an id; ``entry`` names the update that it is about.
    ``channel`` is a channel's or, for a direct message, a person's id.
    """

    id: int
    uid: UUID
    workspace: str
    incident: UUID
    entry: int | None
    surface: Surface
    channel: str
    state: State
    attempts: int
    due_at: datetime
    try_at: datetime
    claimed_by: str | None
    error: str | None
    unsure: bool
    created_at: datetime


class Posted(NamedTuple):
    """Where in Slack a message stands. ``channel`` is a conversation's id, for direct ones too."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a message shows, as the rows are now; of texts, those that are public when it is tried.

    A card for responders has ``card``; everything else has ``incident``, read from public facts
    alone and None where it has no public side, and a reply or a withdrawal has ``update`` as well.
    ``place`` is where the surface stands already (None: nowhere yet), ``thread`` where the status
    card does, in whose thread replies go.
    """

    card: Card | None = None
    incident: PublicIncident | None = None
    update: PublicUpdate | None = None
    place: Posted | None = None
    thread: Posted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much waits. ``oldest_due`` is how long the oldest one has been due, zero when none is.

    ``by_state`` counts available, running and dead messages.
    """

    by_state: Mapping[State, int]
    oldest_due: timedelta


class Store(Protocol):
    """What the outbox needs of `storage.store.Store`."""

    def write(self, work: Callable[[SqlReader], T]) -> Awaitable[T]:
        """Runs ``work`` in a transaction."""

    def read(self, work: Callable[[SqlReader], T]) -> Awaitable[T]:
        """Runs ``work`` on one consistent view."""


def _either(build: Callable[[Any], Any]) -> dict[str, Any]:
    """A statement that needs ON CONFLICT, by the name of the dialect: both spell it, each apart."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


# --- written with a change -------------------------------------------------------------------


def lane(incident: UUID, envelope: Envelope) -> str:
    """The lane of a message: one incident, shown in one way, in one place."""
    return f"{incident}:{LANES[envelope.surface]}:{envelope.channel}"


def _later_of(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two moments, where ``other`` may be absent."""
    return case((other > one, other), else_=one)


def _enqueue(insert: Any) -> Prepared:
    insertion = insert(outbox)
    # A card that waits already will show this change too: it is rendered when its turn comes.
    # Writing to it, rather than doing nothing, holds its row on PostgreSQL until we commit, so that
    # no worker can take it and render it without this change. Replies and withdrawals never merge:
    # the index knows of cards alone.
    return Prepared(
        insertion.on_conflict_do_update(
            index_elements=[outbox.c.lane, outbox.c.surface],
            index_where=is_waiting_card,
            # It shows what is public by then, and this change may be that a text is.
            set_={"try_at": _later_of(outbox.c.try_at, insertion.excluded.try_at)},
        )
    )


_ENQUEUE = _either(_enqueue)


def enqueue(connection: Connection, decision: Decision) -> None:
    """Writes the decision's messages in the transaction of ``connection``."""
    incident = decision.incident
    rows = [
        _row(incident.workspace, incident.id, envelope, at=incident.updated_at)
        for envelope in decision.envelopes
    ]
    if rows:
        _ENQUEUE[connection.dialect.name].run(connection, *rows)


def _row(workspace: str, incident: UUID, envelope: Envelope, *, at: datetime) -> dict[str, Any]:
    """A message that is written ``at`` that moment."""
    due_at = max(envelope.not_before or at, at)
    return {
        "uid": uuid4(),
        "workspace_id": workspace,
        "incident_id": incident,
        "entry": envelope.entry,
        "surface": envelope.surface.value,
        "channel": envelope.channel,
        "lane": lane(incident, envelope),
        "state": State.AVAILABLE.value,
        "attempts": 0,
        "unsure": False,
        "due_at": due_at,
        "try_at": due_at,
        "created_at": at,
    }


_IN_CHANNELS, _TO_CHANNELS = (
    select(table.c.channel).where(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
        table.c.surface == Surface.PUBLIC_UPDATE,
        table.c.entry == bindparam("entry"),
    )
    for table in (posted, outbox)
)
# Locked, so that until we commit no worker takes what is to be withdrawn, and reads its text.
_ON_THEIR_WAY_TO = _TO_CHANNELS.where(is_kept).with_for_update()


def published_in(connection: Connection, incident: Incident, entry: int) -> tuple[str, ...]:
    """The channels where that public update of ``incident`` stands, or is on its way to."""
    named = {"workspace": incident.workspace, "incident": incident.id, "entry": entry}
    # In this order: what is delivered in between is missed by neither.
    on_their_way = connection.execute(_ON_THEIR_WAY_TO, named).scalars().all()
    # What was delivered stands where ``posted`` says.
    there = connection.execute(_IN_CHANNELS, named).scalars()
    return tuple(sorted({*on_their_way, *there}))


_CARD_IN = union(
    *(
        select(table.c.channel).where(
            table.c.workspace_id == bindparam("workspace"),
            table.c.incident_id == bindparam("incident"),
            table.c.surface == Surface.STATUS_CARD,
            still,
        )
        for table, still in ((posted, true()), (outbox, is_kept))
    )
)


# --- worked off ------------------------------------------------------------------------------

_COLUMNS = (
    outbox.c.id,
    outbox.c.uid,
    outbox.c.workspace_id,
    outbox.c.incident_id,
    outbox.c.entry,
    outbox.c.surface,
    outbox.c.channel,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.due_at,
    outbox.c.try_at,
    outbox.c.claimed_by,
    outbox.c.error,
    outbox.c.unsure,
    outbox.c.created_at,
)

_ahead = outbox.alias("ahead")


def _is_head(at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether nothing of its lane is to be delivered before a message that is tried ``at``."""
    is_held_back = _ahead.c.due_at > at
    return ~exists().where(
        _ahead.c.lane == outbox.c.lane,
        kept(_ahead, State.AVAILABLE, State.RUNNING),
        # Running ones count whatever their number: an old message that an operator sends again
        # must not overtake, or be overtaken by, what is on its way.
        or_(
            _ahead.c.state == State.RUNNING,
            and_(
                _ahead.c.id < outbox.c.id,
                or_(outbox.c.surface.not_in(CARDS), ~is_held_back),
            ),
        ),
    )


_stands = exists().where(
    posted.c.workspace_id == outbox.c.workspace_id,
    posted.c.incident_id == outbox.c.incident_id,
    posted.c.surface == outbox.c.surface,
    posted.c.channel == outbox.c.channel,
    posted.c.entry == 0,
)
# Whether it will be a new message rather than the edit of one: Slack paces posts by channel.
_is_post = or_(
    outbox.c.surface == Surface.PUBLIC_UPDATE, and_(outbox.c.surface.in_(CARDS), ~_stands)
)
_with_pace = outbox.outerjoin(
    channel_pace,
    and_(
        channel_pace.c.workspace_id == outbox.c.workspace_id,
        channel_pace.c.channel == outbox.c.channel,
    ),
)
_channel_is_free = or_(
    channel_pace.c.channel.is_(None),
    and_(
        channel_pace.c.held_until <= bindparam("at"),
        or_(channel_pace.c.next_post_at <= bindparam("at"), ~_is_post),
    ),
)
_DUE = (
    select(outbox.c.id, outbox.c.workspace_id, outbox.c.channel, _is_post.label("is_post"))
    .select_from(_with_pace)
    .where(
        is_available,
        outbox.c.try_at <= bindparam("at"),
        _is_head(bindparam("at")),
        _channel_is_free,
    )
    .order_by(outbox.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=outbox, skip_locked=True)
)
# Two processes that want to post to one channel at the same moment: the row decides who may.
_TAKE_TURN = _either(
    lambda insert: (
        insert(channel_pace)
        .values(
            workspace_id=bindparam("team"),
            channel=bindparam("where"),
            held_until=bindparam("at"),
            next_post_at=bindparam("next"),
        )
        .on_conflict_do_update(
            index_elements=list(channel_pace.primary_key),
            set_={"next_post_at": bindparam("next")},
            where=and_(
                channel_pace.c.next_post_at <= bindparam("at"),
                channel_pace.c.held_until <= bindparam("at"),
            ),
        )
        .returning(channel_pace.c.channel)
    )
)
_HOLD = _either(
    lambda insert: (
        insert(channel_pace)
        .values(
            workspace_id=bindparam("team"),
            channel=bindparam("where"),
            held_until=bindparam("until"),
            next_post_at=bindparam("until"),
        )
        .on_conflict_do_update(
            index_elements=list(channel_pace.primary_key),
            set_={"held_until": bindparam("until")},
            where=channel_pace.c.held_until < bindparam("until"),
        )
    )
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), is_available)
    # Counted when the message is taken, not when it fails: a worker that dies while posting must
    # still use up a try, or one poisonous message would restart us for ever.
    .values(
        state=State.RUNNING,
        attempts=outbox.c.attempts + 1,
        claimed_at=bindparam("at"),
        claimed_by=bindparam("worker"),
    )
    .returning(*_COLUMNS)
)

# Whoever was rescued from, and comes back late, must not move what somebody else has claimed.
_is_ours = and_(
    outbox.c.id == bindparam("message"),
    outbox.c.state == State.RUNNING,
    outbox.c.attempts == bindparam("tried"),
)
# But what Slack has is delivered, whoever reports it and however late.
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
        try_at=bindparam("until"),
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
        try_at=bindparam("until"),
        error=UNKNOWN_OUTCOME,
        unsure=True,
        claimed_at=None,
        claimed_by=None,
    )
)
_is_dead = kept(outbox, State.DEAD)
_RETRY_DEAD = (
    update(outbox)
    .where(_is_dead)
    .values(
        state=State.AVAILABLE,
        due_at=bindparam("at"),
        try_at=bindparam("at"),
        attempts=0,
        claimed_at=None,
        claimed_by=None,
        done_at=None,
    )
)


_other = outbox.alias("other")
_ours = outbox.alias("ours")


def _merge(*states: State, into: ColumnElement[bool]) -> Update:
    """Merges edits of a card that are in ``states`` into the one of the same card that is ``into``.

    Of two that wait the older one stays, though the newer would show as much: if the card is in the
    channel without our knowing, it is there under the older one's ``uid``.
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


_MERGE_INTO_OURS = _merge(
    State.AVAILABLE,
    into=and_(
        _other.c.id == bindparam("message"),
        _other.c.state == State.RUNNING,
        _other.c.attempts == bindparam("tried"),
    ),
    # Said twice so that only the lane is looked through, and not all that waits.
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
# So many at a time: whoever waits to write must not wait for all of a busy week.
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
    select(*_COLUMNS)
    .where(outbox.c.state.in_(bindparam("states", expanding=True)))
    .order_by(outbox.c.id)
    .limit(bindparam("limit"))
)
_LIST_KEPT = _LIST.where(is_kept)


_after_hold = _later_of(outbox.c.try_at, channel_pace.c.held_until)
_NEXT = (
    select(
        func.min(
            case((_is_post, _later_of(_after_hold, channel_pace.c.next_post_at)), else_=_after_hold)
        )
    )
    .select_from(_with_pace)
    .where(is_available, _is_head(outbox.c.try_at))
)

_place = and_(
    posted.c.workspace_id == bindparam("team"),
    posted.c.incident_id == bindparam("of"),
    posted.c.surface == bindparam("shown_on"),
    posted.c.channel == bindparam("where"),
    posted.c.entry == bindparam("about"),
)
_PLACE = select(posted.c.posted_in, posted.c.ts).where(_place)
_FORGET = delete(posted).where(_place)
_POSTED = _either(
    lambda insert: insert(posted).on_conflict_do_update(
        index_elements=list(posted.primary_key),
        set_={
            "posted_in": insert(posted).excluded.posted_in,
            "ts": insert(posted).excluded.ts,
        },
    )
)


class Outbox:
    """The worker's side. ``at`` is always the caller's clock: no time of a database is used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, worker: str, *, limit: int, at: datetime) -> tuple[OutboxMessage, ...]:
        """Takes at most ``limit`` messages that may be delivered now, oldest first, for ``worker``.

        At most one of them is a new post to any one channel; the next comes a second later.
        """
        return await self._store.write(lambda tx: _claim(tx.connection, worker, limit=limit, at=at))

    async def facts(self, message: OutboxMessage) -> Facts:
        """What ``message`` is to show, as the rows are now."""
        return await self._store.read(lambda reader: _facts(reader, message))

    async def delivered(
        self, message: OutboxMessage, *, at: datetime, posted: tuple[str, str] | None = None
    ) -> None:
        """Slack has it. ``posted`` is the channel and ts of a new message, None for an edit."""
        await self._store.write(lambda tx: _delivered(tx.connection, message, at, posted))

    async def later(self, message: OutboxMessage, *, until: datetime, error: str) -> None:
        """It is tried again at ``until``. ``error`` is a short code, such as `UNKNOWN_OUTCOME`.

        The next edit of a card, where it waits already, is merged into this one.
        """
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"until": until, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._write(
            (_MERGE_INTO_OURS, {**ours, "at": until}),
            (_LATER, {**ours, **failure}),
        )

    async def dead(self, message: OutboxMessage, *, error: str, at: datetime) -> None:
        """No retry can cure it: it is kept for the operator. ``error`` is a short code."""
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"at": at, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._store.write(lambda tx: _dead(tx.connection, message, {**ours, **failure}))

    async def hold(self, workspace: str, channel: str, *, until: datetime) -> None:
        """Nothing goes to ``channel`` before ``until``, from any process. Slack asks for it."""
        await self._store.write(
            lambda tx: (
                tx.connection.execute(
                    _HOLD[tx.connection.dialect.name],
                    {"team": workspace, "where": channel, "until": until},
                ).rowcount
            )
        )

    async def forget_posted(self, message: OutboxMessage) -> None:
        """The Slack message that ``message`` was to edit is gone: its surface stands nowhere."""
        await self._write((_FORGET, _place_of(message)))

    async def rescue(self, *, claimed_before: datetime, at: datetime, until: datetime) -> int:
        """Frees what was claimed so long ago that its worker must have died; how many.

        Whether Slack has them is not known, and their ``error`` says so: `UNKNOWN_OUTCOME`. They
        are tried again at ``until``.
        """
        stale = {"claimed_before": claimed_before, "at": at, "until": until}
        return await self._write((_MERGE_INTO_STALE, stale), (_RESCUE, stale))

    async def retry_dead(self, *, at: datetime) -> int:
        """Makes every dead message available again; how many, after edits of one card merged."""
        return await self._write(
            (_MERGE_DEAD_INTO_RUNNING, {"at": at}),
            (_MERGE_INTO_DEAD, {"at": at}),
            (_RETRY_DEAD, {"at": at}),
        )

    async def prune(self, *, before: datetime) -> int:
        """Forgets what was delivered or merged before ``before``; how many."""
        pruned = 0
        while count := await self._write((_PRUNE, {"before": before})):
            pruned += count
        return pruned

    async def next_due(self) -> datetime | None:
        """When a message can next be claimed, None where none waits. May lie in the past."""
        return await self._store.read(
            lambda reader: reader.connection.execute(_NEXT).scalar_one_or_none()
        )

    async def depth(self, *, at: datetime) -> Depth:
        """How much waits, and for how long."""
        return await self._store.read(lambda reader: _depth(reader.connection, at))

    async def undelivered(self) -> tuple[OutboxMessage, ...]:
        """What Slack does not have yet or can never have, oldest first; 10,000 at most."""
        return await self.list(State.AVAILABLE, State.RUNNING, State.DEAD, limit=10_000)

    async def list(self, *states: State, limit: int = 100) -> tuple[OutboxMessage, ...]:
        """Messages in any of ``states``, oldest first."""
        parameters = {"states": states, "limit": limit}
        statement = _LIST_KEPT if set(states) <= set(KEPT) else _LIST
        return await self._store.read(
            lambda reader: tuple(
                _message(row) for row in reader.connection.execute(statement, parameters)
            )
        )

    async def _write(self, *statements: tuple[Executable, Mapping[str, Any]]) -> int:
        """Runs all in one transaction; how many rows the last one changed."""

        def work(tx: SqlReader) -> int:
            return [tx.connection.execute(*statement).rowcount for statement in statements][-1]

        return await self._store.write(work)


def _claim(
    connection: Connection, worker: str, *, limit: int, at: datetime
) -> tuple[OutboxMessage, ...]:
    due = connection.execute(_DUE, {"at": at, "limit": limit}).all()
    posts: dict[tuple[str, str], int] = {}
    for id_, workspace, channel, is_post in due:
        if is_post:
            posts.setdefault((workspace, channel), id_)
    ids = [id_ for id_, _, _, is_post in due if not is_post]
    # In one order, whoever claims: two that took turns crosswise would wait for each other.
    for (workspace, channel), id_ in sorted(posts.items()):
        turn = {"team": workspace, "where": channel, "at": at, "next": at + POST_EVERY}
        if connection.execute(_TAKE_TURN[connection.dialect.name], turn).first():
            ids.append(id_)
    if not ids:
        return ()
    claimed = connection.execute(_CLAIM, {"ids": ids, "at": at, "worker": worker})
    return tuple(sorted((_message(row) for row in claimed), key=lambda message: message.id))


def _delivered(
    connection: Connection, message: OutboxMessage, at: datetime, posted: tuple[str, str] | None
) -> None:
    connection.execute(_DELIVERED, {"message": message.id, "at": at})
    if posted:
        channel, ts = posted
        connection.execute(
            _POSTED[connection.dialect.name],
            {
                "workspace_id": message.workspace,
                "incident_id": message.incident,
                "surface": message.surface.value,
                "channel": message.channel,
                "entry": _place_of(message)["about"],
                "posted_in": channel,
                "ts": ts,
            },
        )
        _show_on_card(connection, message, at)


def _dead(connection: Connection, message: OutboxMessage, failure: Mapping[str, Any]) -> None:
    if connection.execute(_DEAD, failure).rowcount:
        _show_on_card(connection, message, failure["at"])


def _show_on_card(connection: Connection, message: OutboxMessage, at: datetime) -> None:
    """Has the status card edited where it was drawn while the text of ``message`` was held back.

    That is also where another channel has become the status channel meanwhile.
    """
    if message.surface is not Surface.PUBLIC_UPDATE or message.created_at == message.due_at:
        return
    named = {"workspace": message.workspace, "incident": message.incident}
    rows = [
        _row(
            message.workspace,
            message.incident,
            Envelope(surface=Surface.STATUS_CARD, channel=channel),
            at=at,
        )
        for channel in sorted(connection.execute(_CARD_IN, named).scalars())
    ]
    if rows:
        _ENQUEUE[connection.dialect.name].run(connection, *rows)


def _depth(connection: Connection, at: datetime) -> Depth:
    by_state = dict.fromkeys((State.AVAILABLE, State.RUNNING, State.DEAD), 0)
    oldest = at
    for state, count, due_at in connection.execute(_COUNTS):
        by_state[State(state)] = count
        if state != State.DEAD:
            oldest = min(oldest, due_at)
    return Depth(by_state=by_state, oldest_due=at - oldest)


def _facts(reader: SqlReader, message: OutboxMessage) -> Facts:
    connection = reader.connection
    place = _found(connection, _place_of(message))
    if message.surface in {Surface.WORKING_CARD, Surface.OWNER_CARD}:
        incident = reader.incident(message.workspace, message.incident)
        return Facts(card=reader.card(incident) if incident else None, place=place)
    # By the message's own time, and by no clock: one that is behind the clock of whoever published
    # a text would leave it out, and nobody would come to add it.
    shown = public.incident(reader, message.workspace, message.incident, at=message.try_at)
    if message.entry is None:
        return Facts(incident=shown, place=place)
    updates = shown.updates if shown else ()
    status_card = {**_place_of(message), "shown_on": Surface.STATUS_CARD.value, "about": 0}
    return Facts(
        incident=shown,
        update=next((one for one in updates if one.entry == message.entry), None),
        place=place,
        thread=_found(connection, status_card),
    )


def _place_of(message: OutboxMessage) -> dict[str, Any]:
    """The key under which the place of the message's surface is kept."""
    surface = message.surface
    return {
        "team": message.workspace,
        "of": message.incident,
        # A withdrawal edits the reply that it withdraws.
        "shown_on": (Surface.PUBLIC_UPDATE if surface is Surface.WITHDRAWAL else surface).value,
        "where": message.channel,
        "about": message.entry or 0,
    }


def _found(connection: Connection, place: Mapping[str, Any]) -> Posted | None:
    row = connection.execute(_PLACE, place).first()
    return row and Posted(*row)


def _message(row: AnyRow) -> OutboxMessage:
    return OutboxMessage(
        id=row[0],
        uid=row[1],
        workspace=row[2],
        incident=row[3],
        entry=row[4],
        surface=Surface(row[5]),
        channel=row[6],
        state=State(row[7]),
        attempts=row[8],
        due_at=row[9],
        try_at=row[10],
        claimed_by=row[11],
        error=row[12],
        unsure=row[13],
        created_at=row[14],
    )
