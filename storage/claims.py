"""Turns in the outbox: which messages may go to Slack now, and which process takes them.

Slack limits the pace of new messages by channel, and all processes together keep it: the pace is a
row. Edits are not limited so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from core.decision import NEW_CHANNEL, NOTICES, Surface
from storage.enqueue import later_of
from storage.messages import COLUMNS, MAKE_EVERY, POST_EVERY, OutboxMessage, message_of
from storage.models import CARDS, State, channel_pace, is_available, kept, outbox, posted
from storage.statements import upsert

_ahead = outbox.alias("ahead")


def _is_head(at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether no message of the lane must be delivered before one that is tried ``at``."""
    is_held_back = _ahead.c.due_at > at
    return ~exists().where(
        _ahead.c.lane == outbox.c.lane,
        kept(_ahead, State.AVAILABLE, State.RUNNING),
        # A running message blocks its lane even with a higher id: an old message that an operator
        # retries must neither overtake it nor be overtaken.
        or_(
            _ahead.c.state == State.RUNNING,
            and_(
                _ahead.c.id < outbox.c.id,
                or_(outbox.c.surface.not_in(CARDS), ~is_held_back),
            ),
        ),
    )


_is_posted = exists().where(
    posted.c.workspace_id == outbox.c.workspace_id,
    posted.c.incident_id == outbox.c.incident_id,
    posted.c.surface == outbox.c.surface,
    posted.c.channel == outbox.c.channel,
    posted.c.entry == 0,
)
# Whether it will be a new message in Slack, and not an edit; or a new channel, whose pace is kept
# by the place of new channels.
_is_post = or_(
    outbox.c.surface.in_(
        [Surface.PUBLIC_UPDATE, Surface.CHANNEL_NOTE, Surface.CHANNEL, *sorted(NOTICES)]
    ),
    and_(outbox.c.surface.in_(CARDS), ~_is_posted),
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
# If two processes want to post to one channel at the same moment, this row decides.
_TAKE_TURN = upsert(
    lambda insert: (
        insert(channel_pace)
        .values(
            workspace_id=bindparam("of_workspace"),
            channel=bindparam("to_channel"),
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
_HOLD = upsert(
    lambda insert: (
        insert(channel_pace)
        .values(
            workspace_id=bindparam("of_workspace"),
            channel=bindparam("to_channel"),
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
_doubted = outbox.alias("doubted")
# Whether Slack may have the post after a lost response. Of a card, one doubtful message is enough:
# the others would be posted in its place.
is_in_doubt = or_(
    outbox.c.unsure,
    and_(
        outbox.c.surface.in_(CARDS),
        exists().where(
            _doubted.c.lane == outbox.c.lane,
            _doubted.c.surface == outbox.c.surface,
            kept(_doubted, State.AVAILABLE, State.RUNNING, State.DEAD),
            _doubted.c.unsure,
        ),
    ),
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), is_available)
    # A try counts from the claim, not from its failure: a worker that dies while posting must
    # still use up a try, or one poisonous message would restart us for ever.
    .values(
        state=State.RUNNING,
        attempts=outbox.c.attempts + 1,
        claimed_at=bindparam("at"),
        claimed_by=bindparam("worker"),
        unsure=is_in_doubt,
    )
    .returning(*COLUMNS)
)
_after_hold = later_of(outbox.c.try_at, channel_pace.c.held_until)
_NEXT = (
    select(
        func.min(
            case((_is_post, later_of(_after_hold, channel_pace.c.next_post_at)), else_=_after_hold)
        )
    )
    .select_from(_with_pace)
    .where(is_available, _is_head(outbox.c.try_at))
)


def claim(
    connection: Connection, worker: str, *, limit: int, at: datetime
) -> tuple[OutboxMessage, ...]:
    """Claims at most ``limit`` messages for ``worker``, oldest first, one post per channel."""
    due = connection.execute(_DUE, {"at": at, "limit": limit}).all()
    posts: dict[tuple[str, str], int] = {}
    for id_, workspace, channel, is_post in due:
        if is_post:
            posts.setdefault((workspace, channel), id_)
    ids = [id_ for id_, _, _, is_post in due if not is_post]
    # Every process takes the turns in this order: in different orders two would deadlock.
    for (workspace, channel), id_ in sorted(posts.items()):
        pace = MAKE_EVERY if channel in NEW_CHANNEL.values() else POST_EVERY
        turn = {"of_workspace": workspace, "to_channel": channel, "at": at, "next": at + pace}
        if connection.execute(_TAKE_TURN[connection.dialect.name], turn).first():
            ids.append(id_)
    if not ids:
        return ()
    claimed = connection.execute(_CLAIM, {"ids": ids, "at": at, "worker": worker})
    return tuple(sorted(map(message_of, claimed), key=lambda message: message.id))


def pause(connection: Connection, workspace: str, channel: str, *, until: datetime) -> None:
    """Lets nothing go to ``channel`` before ``until``."""
    held = {"of_workspace": workspace, "to_channel": channel, "until": until}
    connection.execute(_HOLD[connection.dialect.name], held)


def next_due(connection: Connection) -> datetime | None:
    """The moment when a message can be claimed next, None if none waits. It may be past."""
    found: datetime | None = connection.execute(_NEXT).scalar_one_or_none()
    return found
