"""The rows of subscribed channels.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from core.decision import Surface
from core.incident import Person
from core.subscription import PostingFault, Subscription
from storage.filters import columns_of, filters_of
from storage.models import State, is_kept, kept, outbox, posted, subscription, tagging
from storage.models import update as entries
from storage.models import workspace as workspaces
from storage.rows import AnyRow
from storage.statements import upsert

_ALL = (
    select(subscription)
    .where(subscription.c.workspace_id == bindparam("workspace"))
    .order_by(subscription.c.channel)
)
_ONE = select(subscription).where(
    subscription.c.workspace_id == bindparam("workspace"),
    subscription.c.channel == bindparam("channel"),
)
_TAGGED = (
    select(tagging.c.component_id, tagging.c.tagged, entries.c.at)
    .join(
        entries,
        (entries.c.workspace_id == tagging.c.workspace_id)
        & (entries.c.incident_id == tagging.c.incident_id)
        & (entries.c.entry == tagging.c.entry),
    )
    .where(
        tagging.c.workspace_id == bindparam("workspace"),
        tagging.c.incident_id == bindparam("incident"),
    )
    .order_by(tagging.c.entry)
)
# What the operator can retry, and must not be sent: it was public before the start.
_DROP_DEAD = (
    update(outbox)
    .where(
        kept(outbox, State.DEAD),
        outbox.c.surface.in_([Surface.STATUS_CARD, Surface.PUBLIC_UPDATE]),
        outbox.c.due_at < bindparam("start", type_=outbox.c.due_at.type),
        ~exists().where(
            posted.c.workspace_id == outbox.c.workspace_id,
            posted.c.incident_id == outbox.c.incident_id,
            posted.c.surface == outbox.c.surface,
            posted.c.channel == outbox.c.channel,
            posted.c.entry == func.coalesce(outbox.c.entry, 0),
        ),
    )
    .values(state=State.MERGED, done_at=bindparam("start"))
)
_DROP_DEAD_IN = _DROP_DEAD.where(
    outbox.c.workspace_id == bindparam("in_workspace"), outbox.c.channel == bindparam("in_channel")
)
_DROP_DEAD_IN_ALL = _DROP_DEAD.where(
    exists().where(
        subscription.c.workspace_id == outbox.c.workspace_id,
        subscription.c.channel == outbox.c.channel,
    )
)
_is_taken_back = exists().where(
    entries.c.workspace_id == outbox.c.workspace_id,
    entries.c.incident_id == outbox.c.incident_id,
    entries.c.entry == outbox.c.entry,
    entries.c.new.is_(None),
    entries.c.redacted_at < entries.c.public_at,
)
_LAST_DUE = select(func.max(outbox.c.due_at)).where(
    outbox.c.lane == bindparam("lane"),
    is_kept,
    outbox.c.surface == Surface.PUBLIC_UPDATE,
    ~_is_taken_back,
)
_START_ANEW = (
    update(subscription)
    .where(subscription.c.starts_at < bindparam("start"))
    .values(starts_at=bindparam("start"))
)
# A channel takes posts or not, whatever its filter. A worker may find that out at any moment.
_FAULT = ("fault", "faulty_since")


def _kept(column: Any, excluded: Any) -> ColumnElement[Any]:
    """The value of ``column`` once a subscription is written in the place of another."""
    if column.name not in _FAULT:
        return excluded[column.name]  # type: ignore[no-any-return]
    ends = or_(subscription.c.ended_at.is_not(None), excluded.ended_at.is_not(None))
    return case((ends, null()), else_=column)


_KEEP = upsert(
    lambda insert: insert(subscription).on_conflict_do_update(
        index_elements=list(subscription.primary_key),
        set_={
            column.name: _kept(column, insert(subscription).excluded)
            for column in subscription.c
            if not column.primary_key
        },
    )
)
_COUNT = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(
        subscriptions=select(func.count())
        .where(
            subscription.c.workspace_id == bindparam("workspace"),
            subscription.c.ended_at.is_(None),
        )
        .scalar_subquery()
    )
)


def subscriptions(connection: Connection, workspace: str) -> tuple[Subscription, ...]:
    """All subscriptions of the workspace, ended ones as well, in the order of their channels."""
    rows = connection.execute(_ALL, {"workspace": workspace}).all()
    return tuple(_subscriptions(connection, workspace, rows))


def subscription_of(connection: Connection, workspace: str, channel: str) -> Subscription | None:
    """The subscription of a channel, ended or not; None if it never had one."""
    rows = connection.execute(_ONE, {"workspace": workspace, "channel": channel}).all()
    return next(_subscriptions(connection, workspace, rows), None)


def _subscriptions(
    connection: Connection, workspace: str, rows: Sequence[AnyRow]
) -> Iterator[Subscription]:
    for row, limits in zip(rows, filters_of(connection, workspace, rows), strict=True):
        yield Subscription(
            workspace=row.workspace_id,
            channel=row.channel,
            filter=limits,
            broadcast=row.broadcast,
            by=Person(row.by_id, row.by_name),
            at=row.at,
            since=row.since or row.starts_at,
            starts_at=row.starts_at,
            ended_at=row.ended_at,
            fault=PostingFault(row.fault, row.faulty_since or row.at) if row.fault else None,
        )


def tags_at(
    connection: Connection, workspace: str, incident: UUID, *moments: datetime
) -> Iterator[frozenset[UUID]]:
    """The components that an incident tagged at each of ``moments``, hidden ones as well."""
    named = {"workspace": workspace, "incident": incident}
    changes = connection.execute(_TAGGED, named).all()
    for moment in moments:
        tagged = {one.component_id: one.tagged for one in changes if one.at <= moment}
        yield frozenset(one for one, there in tagged.items() if there)


def last_tagged(connection: Connection, workspace: str, incident: UUID) -> datetime | None:
    """The moment of the newest change of its components, hidden ones as well; None: none."""
    named = {"workspace": workspace, "incident": incident}
    return max((one.at for one in connection.execute(_TAGGED, named)), default=None)


def last_due(connection: Connection, lane: str) -> datetime | None:
    """The moment at which the last reply is public that waits in a lane; None if none waits."""
    due: datetime | None = connection.execute(_LAST_DUE, {"lane": lane}).scalar()
    return due


def keep(connection: Connection, one: Subscription) -> None:
    """Writes a subscription, in the place of the one that its channel has."""
    connection.execute(
        _KEEP[connection.dialect.name],
        {
            "workspace_id": one.workspace,
            "channel": one.channel,
            **columns_of(one.filter),
            "broadcast": one.broadcast,
            "by_id": one.by.id,
            "by_name": one.by.name,
            "at": one.at,
            "since": one.since,
            "starts_at": one.starts_at,
            "ended_at": one.ended_at,
            **dict.fromkeys(_FAULT),
        },
    )
    connection.execute(_COUNT, {"workspace": one.workspace})
    here = {"in_workspace": one.workspace, "in_channel": one.channel}
    connection.execute(_DROP_DEAD_IN, {**here, "start": one.starts_at})


def begin_anew(connection: Connection, *, at: datetime) -> None:
    """Lets every subscription start at the moment ``at``, in a restored database."""
    connection.execute(_DROP_DEAD_IN_ALL, {"start": at})
    connection.execute(_START_ANEW, {"start": at})
