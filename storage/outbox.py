"""Messages on their way to Slack: written with the change that they show, claimed by a worker.

A message names a surface of an incident, never a text: the worker renders it from the rows as they
are when its turn comes. `storage.models.State` says who moves a message on, and when.

Messages of one lane (an incident on one surface) are delivered one after another, oldest first.
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
    Row,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.incident import Card, Decision, Envelope, PublicIncident, PublicUpdate, Surface
from storage import public
from storage.models import (
    CARDS,
    State,
    among,
    channel_pace,
    is_available,
    is_kept,
    is_unfinished,
    is_waiting_card,
    outbox,
    posted,
)
from storage.queries import Reader

T = TypeVar("T")

POST_EVERY = timedelta(seconds=1)  # Source: https://docs.slack.dev/apis/web-api/rate-limits
LANES = {
    Surface.WORKING_CARD: "working",
    Surface.OWNER_CARD: "owner",
    Surface.STATUS_CARD: "status",
    Surface.PUBLIC_UPDATE: "status",
    Surface.WITHDRAWAL: "status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An outbox message as it was when it was read. See `storage.models.State` for its life.

    ``uid`` is what a post carries as metadata. ``attempts`` counts this try as well; ``error`` is
    the code of the last failure. ``incident`` is an id; ``entry`` names the update that it is
    about. ``channel`` is a channel's or, for a direct message, a person's id.
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
    created_at: datetime


class Place(NamedTuple):
    """Where in Slack a message stands. ``channel`` is a conversation's id, for direct ones too."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a message shows, as the rows are now.

    A card for responders has ``card``; everything else has ``incident``, read from public facts
    alone and None where it has no public side, and a reply or a withdrawal has ``update`` as well.
    ``place`` is where the surface stands already (None: nowhere yet), ``thread`` where the status
    card does, in whose thread replies go.
    """

    card: Card | None = None
    incident: PublicIncident | None = None
    update: PublicUpdate | None = None
    place: Place | None = None
    thread: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much waits. ``oldest_due`` is how long the oldest one has been due, zero when none is.

    ``by_state`` counts available, running and dead messages.
    """

    by_state: Mapping[State, int]
    oldest_due: timedelta


class Store(Protocol):
    """What the outbox needs of `storage.store.Store`."""

    def write(self, work: Callable[[Reader], T]) -> Awaitable[T]:
        """Runs ``work`` in a transaction."""

    def read(self, work: Callable[[Reader], T]) -> Awaitable[T]:
        """Runs ``work`` on one consistent view."""


def _either(build: Callable[[Any], Any]) -> dict[str, Any]:
    """A statement that needs ON CONFLICT, by the name of the dialect: both spell it, each apart."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


# --- written with a change -------------------------------------------------------------------


def lane(incident: UUID, envelope: Envelope) -> str:
    """The lane of a message. Each owner of a private incident has one, for their own copy."""
    name = LANES[envelope.surface]
    whose = f":{envelope.channel}" if envelope.surface is Surface.OWNER_CARD else ""
    return f"{incident}:{name}{whose}"


_ENQUEUE = outbox.insert()

# A card that waits already will show this change too: it is rendered when its turn comes. Writing
# to it, rather than doing nothing, holds its row on PostgreSQL until we commit, so that no worker
# can take it and render it without this change.
_MERGE = _either(
    lambda insert: insert(outbox).on_conflict_do_update(
        index_elements=[outbox.c.lane, outbox.c.surface],
        index_where=is_waiting_card,
        set_={"channel": insert(outbox).excluded.channel},
    )
)


def enqueue(connection: Connection, decision: Decision) -> None:
    """Writes the decision's messages, due at once, in the transaction of ``connection``."""
    if not decision.envelopes:
        return
    incident = decision.incident
    cards, others = [], []
    for envelope in decision.envelopes:
        row = {
            "uid": uuid4(),
            "workspace_id": incident.workspace,
            "incident_id": incident.id,
            "entry": envelope.entry,
            "surface": envelope.surface.value,
            "channel": envelope.channel,
            "lane": lane(incident.id, envelope),
            "state": State.AVAILABLE.value,
            "attempts": 0,
            "due_at": incident.updated_at,
            "try_at": incident.updated_at,
            "created_at": incident.updated_at,
        }
        (cards if envelope.surface in CARDS else others).append(row)
    if cards:
        connection.execute(_MERGE[connection.dialect.name], cards)
    if others:
        connection.execute(_ENQUEUE, others)


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
    outbox.c.created_at,
)

_ahead = outbox.alias("ahead")
# Running ones count whatever their number: an old message that an operator sends again must not
# overtake, or be overtaken by, what is on its way.
_is_head = ~exists().where(
    _ahead.c.lane == outbox.c.lane,
    among(_ahead.c.state, State.AVAILABLE, State.RUNNING),
    or_(_ahead.c.state == State.RUNNING, _ahead.c.id < outbox.c.id),
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
    .where(is_available, outbox.c.try_at <= bindparam("at"), _is_head, _channel_is_free)
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
    .where(outbox.c.id == bindparam("message"), is_unfinished)
    .values(state=State.DELIVERED, done_at=bindparam("at"), error=None)
)
_DEAD = (
    update(outbox)
    .where(_is_ours)
    .values(state=State.DEAD, done_at=bindparam("at"), error=bindparam("code"))
)
_newer = outbox.alias("newer")
_next_edit_waits = and_(
    outbox.c.surface.in_(CARDS),
    exists().where(
        _newer.c.lane == outbox.c.lane,
        _newer.c.surface == outbox.c.surface,
        among(_newer.c.state, State.AVAILABLE),
    ),
)
_back = {
    "state": case(
        (_next_edit_waits, literal(State.MERGED.value)), else_=literal(State.AVAILABLE.value)
    ),
    "done_at": case((_next_edit_waits, bindparam("at")), else_=null()),
    "claimed_at": None,
    "claimed_by": None,
}
_LATER = (
    update(outbox)
    .where(_is_ours)
    .values(**_back, try_at=bindparam("until"), error=bindparam("code"))
)
# What became of its post is not known: whoever takes it next must look for it in the channel.
UNKNOWN_OUTCOME = "unknown_outcome"
_RESCUE = (
    update(outbox)
    .where(among(outbox.c.state, State.RUNNING), outbox.c.claimed_at < bindparam("claimed_before"))
    .values(**_back, try_at=bindparam("at"), error=UNKNOWN_OUTCOME)
)
_also_dead = outbox.alias("also_dead")
_later_dead_edit = and_(
    outbox.c.surface.in_(CARDS),
    exists().where(
        _also_dead.c.lane == outbox.c.lane,
        _also_dead.c.surface == outbox.c.surface,
        among(_also_dead.c.state, State.DEAD),
        _also_dead.c.id > outbox.c.id,
    ),
)
_MERGE_DEAD = (
    update(outbox)
    .where(among(outbox.c.state, State.DEAD), or_(_next_edit_waits, _later_dead_edit))
    .values(state=State.MERGED, done_at=bindparam("at"))
)
_RETRY_DEAD = (
    update(outbox)
    .where(among(outbox.c.state, State.DEAD))
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


def _later_of(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two moments; ``other`` may be absent. (Each database has a name of its own.)"""
    return case((other > one, other), else_=one)


_after_hold = _later_of(outbox.c.try_at, channel_pace.c.held_until)
_NEXT = (
    select(
        func.min(
            case((_is_post, _later_of(_after_hold, channel_pace.c.next_post_at)), else_=_after_hold)
        )
    )
    .select_from(_with_pace)
    .where(is_available, _is_head)
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

    async def claim(self, worker: str, *, limit: int, at: datetime) -> tuple[Message, ...]:
        """Takes at most ``limit`` messages that may be delivered now, oldest first, for ``worker``.

        At most one of them is a new post to any one channel; the next comes a second later.
        """
        return await self._store.write(lambda tx: _claim(tx.connection, worker, limit=limit, at=at))

    async def facts(self, message: Message) -> Facts:
        """What ``message`` is to show, as the rows are now."""
        return await self._store.read(lambda reader: _facts(reader, message))

    async def delivered(
        self, message: Message, *, at: datetime, posted: tuple[str, str] | None = None
    ) -> None:
        """Slack has it. ``posted`` is the channel and ts of a new message, None for an edit."""
        await self._store.write(lambda tx: _delivered(tx.connection, message, at, posted))

    async def later(self, message: Message, *, until: datetime, error: str) -> None:
        """Nothing was delivered: it is tried again at ``until``. ``error`` is a short code.

        A card whose next edit waits already is merged into that one.
        """
        tried = {"message": message.id, "tried": message.attempts}
        await self._write(_LATER, **tried, at=until, until=until, code=error)

    async def dead(self, message: Message, *, error: str, at: datetime) -> None:
        """No retry can cure it: it is kept for the operator. ``error`` is a short code."""
        tried = {"message": message.id, "tried": message.attempts}
        await self._write(_DEAD, **tried, at=at, code=error)

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

    async def forget_posted(self, message: Message) -> None:
        """The Slack message that ``message`` was to edit is gone: its surface stands nowhere."""
        await self._write(_FORGET, **_place_of(message))

    async def rescue(self, *, claimed_before: datetime, at: datetime) -> int:
        """Frees what was claimed so long ago that its worker must have died; how many.

        Whether Slack has them is not known, and their ``error`` says so: `UNKNOWN_OUTCOME`.
        """
        return await self._write(_RESCUE, claimed_before=claimed_before, at=at)

    async def retry_dead(self, *, at: datetime) -> int:
        """Makes every dead message available again, cards merged; how many there were."""
        return await self._store.write(
            lambda tx: (
                tx.connection.execute(_MERGE_DEAD, {"at": at}).rowcount
                + tx.connection.execute(_RETRY_DEAD, {"at": at}).rowcount
            )
        )

    async def prune(self, *, before: datetime) -> int:
        """Forgets what was delivered or merged before ``before``; how many."""
        pruned = 0
        while count := await self._write(_PRUNE, before=before):
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

    async def list(self, *states: State, limit: int = 100) -> tuple[Message, ...]:
        """Messages in any of ``states``, oldest first."""
        parameters = {"states": states, "limit": limit}
        return await self._store.read(
            lambda reader: tuple(
                _message(row) for row in reader.connection.execute(_LIST, parameters)
            )
        )

    async def _write(self, statement: Executable, **parameters: Any) -> int:
        return await self._store.write(
            lambda tx: tx.connection.execute(statement, parameters).rowcount
        )


def _claim(connection: Connection, worker: str, *, limit: int, at: datetime) -> tuple[Message, ...]:
    turns: dict[tuple[str, str], bool] = {}
    ids = []
    for id_, workspace, channel, is_post in connection.execute(_DUE, {"at": at, "limit": limit}):
        if is_post:
            if (workspace, channel) in turns:
                continue
            turn = {"team": workspace, "where": channel, "at": at, "next": at + POST_EVERY}
            taken = connection.execute(_TAKE_TURN[connection.dialect.name], turn).first()
            turns[workspace, channel] = taken is not None
            if not taken:
                continue
        ids.append(id_)
    if not ids:
        return ()
    claimed = connection.execute(_CLAIM, {"ids": ids, "at": at, "worker": worker})
    return tuple(sorted((_message(row) for row in claimed), key=lambda message: message.id))


def _delivered(
    connection: Connection, message: Message, at: datetime, posted: tuple[str, str] | None
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


def _depth(connection: Connection, at: datetime) -> Depth:
    by_state = dict.fromkeys((State.AVAILABLE, State.RUNNING, State.DEAD), 0)
    oldest = at
    for state, count, due_at in connection.execute(_COUNTS):
        by_state[State(state)] = count
        if state != State.DEAD:
            oldest = min(oldest, due_at)
    return Depth(by_state=by_state, oldest_due=at - oldest)


def _facts(reader: Reader, message: Message) -> Facts:
    connection = reader.connection
    place = _found(connection, _place_of(message))
    if message.surface in {Surface.WORKING_CARD, Surface.OWNER_CARD}:
        incident = reader.incident(message.workspace, message.incident)
        return Facts(card=incident and reader.card(incident), place=place)
    shown = public.incident(reader, message.workspace, message.incident)
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


def _place_of(message: Message) -> dict[str, Any]:
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


def _found(connection: Connection, place: Mapping[str, Any]) -> Place | None:
    row = connection.execute(_PLACE, place).first()
    return row and Place(*row)


def _message(row: Row[*tuple[Any, ...]]) -> Message:
    return Message(
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
        created_at=row[13],
    )
