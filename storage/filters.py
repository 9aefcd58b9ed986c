"""Filters of subscriptions as columns, for webhooks and for channels alike.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from core.incident import Component, Severity
from core.subscription import SubscriptionFilter
from storage.models import component
from storage.rows import AnyRow

_COMPONENTS = select(component.c.id, component.c.name).where(
    component.c.workspace_id == bindparam("workspace"),
    component.c.id.in_(bindparam("components", expanding=True)),
)


def filters_of(
    connection: Connection, workspace: str, rows: Sequence[AnyRow]
) -> Iterator[SubscriptionFilter]:
    """The filter in each of ``rows``. Components that are gone have an empty name."""
    wanted = {one for row in rows for one in _ids(row)}
    named: dict[UUID, Component] = {}
    if wanted:
        sought = {"workspace": workspace, "components": sorted(wanted)}
        named = {
            one.id: Component(one.id, one.name) for one in connection.execute(_COMPONENTS, sought)
        }
    for row in rows:
        yield SubscriptionFilter(
            severity=row.severity and Severity(row.severity),
            components=tuple(named.get(one, Component(one, "")) for one in _ids(row)),
        )


def columns_of(limits: SubscriptionFilter) -> dict[str, str | None]:
    """The columns of a filter."""
    return {
        "severity": limits.severity and limits.severity.value,
        "components": " ".join(str(one.id) for one in limits.components) or None,
    }


def _ids(row: AnyRow) -> list[UUID]:
    return [UUID(one) for one in (row.components or "").split()]
