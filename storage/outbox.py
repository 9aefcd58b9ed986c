"""The outbox, from the worker's side: messages are claimed, delivered, retried or given up.

A message holds no text. The worker renders it from the rows as they are when its turn comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Executable,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from core.decision import (
    ABOUT_CHANNELS,
    ABOUT_SUBSCRIPTIONS,
    Envelope,
    Surface,
)
from storage import channel_facts, claims, own_channels, posting_faults
from storage.enqueue import later_of, redraw_beside, redraw_links
from storage.facts import (
    ChannelMade,
    Delivery,
    Facts,
    Members,
    is_place,
    of_channel,
    place_of,
    public_facts,
    responders_facts,
)
from storage.merging import (
    MERGE_DEAD_INTO_RUNNING,
    MERGE_INTO_DEAD,
    MERGE_INTO_OURS,
    MERGE_INTO_STALE,
    POSTPONE_DEAD,
    POSTPONE_OURS,
    POSTPONE_STALE,
    is_dead,
    is_ours,
    is_stale,
)
from storage.messages import COLUMNS, PUBLIC_SURFACES, OutboxMessage, message_of
from storage.models import (
    KEPT,
    State,
    is_kept,
    outbox,
    posted,
)
from storage.snapshot import connection_of
from storage.statements import upsert
from storage.store import SqlStore
from storage.subscribers import as_subscribed
from storage.transactions import SqlTransaction

# The error of a message after a lost response: Slack may have it or not.
UNKNOWN_OUTCOME = "unknown_outcome"

# Every claim was made before it.
EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The size of the outbox. ``by_state`` counts available, running and dead messages.

    ``oldest_due`` is the time since the oldest one was due; zero if none is due.
    """

    by_state: Mapping[State, int]
    oldest_due: timedelta


# A delivery counts in any case, however late its worker reports it.
_DELIVERED = (
    update(outbox)
    .where(outbox.c.id == bindparam("message"), is_kept)
    .values(state=State.DELIVERED, done_at=bindparam("at"), error=None)
)
_DEAD = (
    update(outbox)
    .where(is_ours)
    .values(
        state=State.DEAD,
        done_at=bindparam("at"),
        error=bindparam("code"),
        unsure=or_(outbox.c.unsure, bindparam("in_doubt")),
    )
)
_LATER = (
    update(outbox)
    .where(is_ours)
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
_RESCUE = (
    update(outbox)
    .where(is_stale)
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
_RETRY_DEAD = (
    update(outbox)
    .where(is_dead)
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


_RETRY = (
    MERGE_DEAD_INTO_RUNNING,
    POSTPONE_DEAD,
    MERGE_INTO_DEAD,
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


_FORGET = delete(posted).where(is_place)
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
        if message.surface in ABOUT_SUBSCRIPTIONS:
            return await self._store.read(
                lambda reader: Facts(subscription=posting_faults.told_of(reader, message))
            )
        # As of the message's own time, and of no clock: a clock behind the publisher's would leave
        # the text out, and no later message would add it.
        facts = await self.facts_of(
            message.workspace, message.incident, message.envelope, at=message.try_at
        )
        if message.surface not in PUBLIC_SURFACES:
            return facts
        return await self._store.read(lambda reader: as_subscribed(reader, message, facts))

    async def facts_of(
        self, workspace: str, incident: UUID, envelope: Envelope, *, at: datetime
    ) -> Facts:
        """The content of a post of ``incident``, with the texts that are public at ``at``."""
        if envelope.surface in PUBLIC_SURFACES:
            return await self._store.read_public(
                lambda reader: public_facts(reader, workspace, incident, envelope, at=at)
            )
        if envelope.surface in ABOUT_CHANNELS:
            return await self._channel_facts(workspace, incident, envelope, at=at)
        return await self._store.read(
            lambda reader: responders_facts(reader, workspace, incident, envelope)
        )

    async def _channel_facts(
        self, workspace: str, incident: UUID, envelope: Envelope, *, at: datetime
    ) -> Facts:
        facts = await self._store.read(
            lambda reader: of_channel(reader, workspace, incident, envelope)
        )
        channel = facts.channel
        named = envelope.surface in {Surface.CHANNEL, Surface.CHANNEL_NAME}
        if channel is None or channel.own.private or not named:
            return facts
        # Everybody reads the name of a public channel: its title comes from the public side.
        public = await self._store.read_public(
            lambda reader: reader.incident(workspace, incident, at=at)
        )
        return replace(facts, channel=replace(channel, title=public.title if public else None))

    async def delivered(
        self,
        message: OutboxMessage,
        *,
        at: datetime,
        posted: Delivery | None = None,
    ) -> None:
        """Slack has it. ``posted`` is the place of a new message, None for an edit."""
        await self._store.write(lambda tx: _delivered(tx, message, at, posted))

    async def later(self, message: OutboxMessage, *, until: datetime, error: str) -> None:
        """Retries it at ``until``. ``error`` is a short code, such as `UNKNOWN_OUTCOME`.

        If the next edit of the same card waits already, it is merged into this one.
        """
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"until": until, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._write(
            (POSTPONE_OURS, ours),
            (MERGE_INTO_OURS, {**ours, "at": until}),
            (_LATER, {**ours, **failure}),
        )

    async def dead(self, message: OutboxMessage, *, error: str, at: datetime) -> None:
        """Gives it up, because no retry can help, and keeps it for the operator.

        ``error`` is a short code.
        """
        ours = {"message": message.id, "tried": message.attempts}
        failure = {"at": at, "code": error, "in_doubt": error == UNKNOWN_OUTCOME}
        await self._store.write(lambda tx: _dead(tx, message, {**ours, **failure}))

    async def pause(self, workspace: str, channel: str, *, until: datetime) -> None:
        """Lets nothing go to ``channel`` before ``until``, from any process, as Slack demands."""
        await self._store.write(
            lambda tx: claims.pause(connection_of(tx), workspace, channel, until=until)
        )

    async def forget_posted(self, message: OutboxMessage) -> None:
        """Forgets the Slack message that ``message`` was to edit: it is gone."""
        await self._write(
            (_FORGET, place_of(message.workspace, message.incident, message.envelope))
        )

    async def rescue(self, *, claimed_before: datetime, at: datetime, until: datetime) -> int:
        """Frees messages whose worker must have died since, and returns their count.

        Slack may have them or not, so their ``error`` is `UNKNOWN_OUTCOME`. They are retried at
        ``until``.
        """
        stale = {"claimed_before": claimed_before, "at": at, "until": until}
        return await self._write(
            (POSTPONE_STALE, stale), (MERGE_INTO_STALE, stale), (_RESCUE, stale)
        )

    async def look_first(self, *, at: datetime) -> int:
        """Has every message searched for before it is sent, and returns their count.

        After a restore Slack may have each of them: it was delivered after the backup was taken.
        Messages that run belong to workers that are gone.
        """
        stale = {"claimed_before": EVER, "at": at, "until": at}
        return await self._write(
            (POSTPONE_STALE, stale),
            (MERGE_INTO_STALE, stale),
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

    async def faulty(self, message: OutboxMessage, *, code: str, at: datetime) -> bool:
        """Says that Slack takes no posts in the channel of ``message``; False if that is known."""
        return await self._store.write(
            lambda tx: posting_faults.mark_faulty(tx, message, code=code, at=at)
        )

    async def sound(self, workspace: str, channel: str) -> None:
        """Says that a channel takes posts."""
        await self._store.write(lambda tx: posting_faults.mark_sound(tx, workspace, channel))

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
    tx: SqlTransaction,
    message: OutboxMessage,
    at: datetime,
    posted_as: Delivery | None,
) -> None:
    connection = connection_of(tx)
    if isinstance(posted_as, ChannelMade):
        # First, because it locks the incident: others lock its messages only after that.
        channel_facts.made(tx, message, posted_as.channel, at=at)
        posted_as = None
    connection.execute(_DELIVERED, {"message": message.id, "at": at})
    if isinstance(posted_as, Members):
        own_channels.set_members(
            connection, message.workspace, message.incident, message.channel, posted_as.ids
        )
    elif posted_as:
        channel, ts = posted_as
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
        if message.surface is Surface.WORKING_CARD:
            redraw_links(connection, message, at=at)
            channel_facts.pin(connection, message, at=at)


def _dead(tx: SqlTransaction, message: OutboxMessage, failure: Mapping[str, Any]) -> None:
    connection = connection_of(tx)
    if message.surface is Surface.CHANNEL:
        channel_facts.not_made(tx, message, failure["code"], at=failure["at"])
    if connection.execute(_DEAD, failure).rowcount:
        _show_on_card(connection, message, failure["at"])


def _show_on_card(connection: Connection, message: OutboxMessage, at: datetime) -> None:
    """Edits the status cards that were drawn while the text of ``message`` was held back."""
    if message.surface is Surface.PUBLIC_UPDATE and message.created_at != message.due_at:
        redraw_beside(connection, message, at=at)


def _depth(connection: Connection, at: datetime) -> Depth:
    by_state = dict.fromkeys((State.AVAILABLE, State.RUNNING, State.DEAD), 0)
    oldest = at
    for state, count, due_at in connection.execute(_COUNTS):
        by_state[State(state)] = count
        if state != State.DEAD:
            oldest = min(oldest, due_at)
    return Depth(by_state=by_state, oldest_due=at - oldest)
