"""The rows of components, and of the incidents that tag them.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from core.components import group_id
from core.decision import Decision
from core.incident import Component, DescribedComponent, Incident, Kind
from core.lifecycle import PublicWord
from storage import pages
from storage.models import component, component_group, incident_component, tagging
from storage.statements import KEEP_WORKSPACE, upsert

_ALL = (
    select(component.c.id, component.c.name)
    .where(component.c.workspace_id == bindparam("workspace"))
    .order_by(component.c.folded)
)
_ADD = component.insert()
_KEEP = upsert(lambda insert: insert(component).on_conflict_do_nothing())
_KEEP_GROUP = upsert(lambda insert: insert(component_group).on_conflict_do_nothing())
_TAG = incident_component.insert()
_UNTAG = delete(incident_component).where(
    incident_component.c.workspace_id == bindparam("workspace"),
    incident_component.c.incident_id == bindparam("incident"),
)
_RECORD = tagging.insert()


def all_of(connection: Connection, workspace: str) -> tuple[Component, ...]:
    """All components of the workspace, by name."""
    rows = connection.execute(_ALL, {"workspace": workspace})
    return tuple(Component(*row) for row in rows)


def keep(
    connection: Connection, workspace: str, made: Iterable[Component], *, at: datetime
) -> None:
    """Writes components that a command has tagged for the first time. The page hides them."""
    rows = [_row(workspace, one, at) for one in made]
    if rows:
        connection.execute(_KEEP[connection.dialect.name], rows)


def add(
    connection: Connection, workspace: str, described: DescribedComponent, *, at: datetime
) -> None:
    """Writes a component that was made on purpose. The page shows it."""
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    pages.bump(connection, workspace, at=at)
    if described.group is not None:
        keep_group(connection, workspace, described.group, at=at)
    connection.execute(
        _ADD,
        {
            **_row(workspace, described.component, at),
            "description": described.description,
            "group_label": described.group,
            "shown": True,
        },
    )


def keep_group(connection: Connection, workspace: str, name: str, *, at: datetime) -> None:
    """Writes a group of that name, if there is none."""
    connection.execute(
        _KEEP_GROUP[connection.dialect.name],
        {
            "workspace_id": workspace,
            "id": group_id(workspace, name),
            "name": name,
            "folded": name.casefold(),
            "position": 0,
            "created_at": at,
            "updated_at": at,
        },
    )


def tag(connection: Connection, incident: Incident, *, again: bool) -> None:
    """Writes the components that the incident affects now; ``again``: others may be written."""
    if again:
        connection.execute(_UNTAG, {"workspace": incident.workspace, "incident": incident.id})
    rows = [
        {
            "workspace_id": incident.workspace,
            "incident_id": incident.id,
            "position": position,
            "component_id": one.id,
        }
        for position, one in enumerate(incident.components)
    ]
    if rows:
        connection.execute(_TAG, rows)


def record(connection: Connection, before: Incident | None, decision: Decision) -> None:
    """Writes the components that the decision tags or untags, with the entry that does it."""
    incident = decision.incident
    old = {one.id for one in before.components} if before else set()
    new = {one.id for one in incident.components}
    if old == new:
        return
    kind = Kind.COMPONENTS if before else Kind.DECLARED
    entry = next(update.entry for update in decision.updates if update.kind is kind)
    rows = [
        {
            "workspace_id": incident.workspace,
            "incident_id": incident.id,
            "entry": entry,
            "component_id": one,
            "tagged": one in new,
        }
        for one in old ^ new
    ]
    connection.execute(_RECORD, rows)


def marks(before: Incident, incident: Incident) -> dict[str, Any]:
    """The columns by which bars find an incident, as far as they change."""
    changed: dict[str, Any] = {}
    if before.components != incident.components:
        changed["tagged"] = True
    if before.status != incident.status:
        over = incident.public_word is PublicWord.RESOLVED
        if over or before.public_word is PublicWord.RESOLVED:
            changed["over_at"] = incident.updated_at if over else None
    return changed


def _row(workspace: str, one: Component, at: datetime) -> dict[str, Any]:
    return {
        "workspace_id": workspace,
        "id": one.id,
        "name": one.name,
        "folded": one.name.casefold(),
        "created_at": at,
        "updated_at": at,
    }
