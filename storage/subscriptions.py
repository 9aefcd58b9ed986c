"""The rows of subscribed channels.

Only modules of `storage` use it.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, update

from core.incident import Person
from core.subscription import Subscription
from storage.filters import columns_of, filters_of
from storage.models import subscription
from storage.models import workspace as workspaces
from storage.statements import KEEP_WORKSPACE, upsert

_ALL = (
    select(subscription)
    .where(subscription.c.workspace_id == bindparam("workspace"))
    .order_by(subscription.c.channel)
)
# One after another: otherwise two could pass the limit together, or both be left out of the count.
_LOCK = select(workspaces.c.id).where(workspaces.c.id == bindparam("workspace")).with_for_update()
_KEEP = upsert(
    lambda insert: insert(subscription).on_conflict_do_update(
        index_elements=list(subscription.primary_key),
        set_={
            column.name: insert(subscription).excluded[column.name]
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
    return tuple(
        Subscription(
            workspace=row.workspace_id,
            channel=row.channel,
            filter=limits,
            broadcast=row.broadcast,
            by=Person(row.by_id, row.by_name),
            at=row.at,
            starts_at=row.starts_at,
            ended_at=row.ended_at,
        )
        for row, limits in zip(rows, filters_of(connection, workspace, rows), strict=True)
    )


def lock(connection: Connection, workspace: str) -> None:
    """Lets nobody else change a subscription of the workspace until the end of the transaction."""
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    connection.execute(_LOCK, {"workspace": workspace})


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
            "starts_at": one.starts_at,
            "ended_at": one.ended_at,
        },
    )
    connection.execute(_COUNT, {"workspace": one.workspace})
