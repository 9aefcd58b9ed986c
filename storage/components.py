"""The rows of components, and of the incidents that tag them.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from core.components import group_id
from core.decision import Decision
from core.incident import Component, DescribedComponent, Incident, Kind, Person
from core.lifecycle import PublicWord
from core.page import ComponentGroup, Override, ShownComponent
from storage import pages
from storage.models import (
    component,
    component_group,
    component_override,
    incident,
    incident_component,
    is_open,
    tagging,
)
from storage.statements import KEEP_WORKSPACE, upsert

# Cards of incidents that ended before are not edited when a component is shown or hidden.
LOOK_BACK = timedelta(days=7)

_ALL = (
    select(component.c.id, component.c.name)
    .where(component.c.workspace_id == bindparam("workspace"))
    .order_by(component.c.folded)
)
_ADD = component.insert()
_KEEP = upsert(lambda insert: insert(component).on_conflict_do_nothing())
_KEEP_GROUP = upsert(lambda insert: insert(component_group).on_conflict_do_nothing())
_OF_COMPONENT = update(component).where(
    component.c.workspace_id == bindparam("workspace"), component.c.id == bindparam("id_")
)
_ARRANGED = (
    "name",
    "folded",
    "description",
    "group_label",
    "position",
    "shown",
    "showcase",
    "only_if_degraded",
    "start_date",
    "updated_at",
)
_ARRANGE = _OF_COMPONENT.values({name: bindparam(f"new_{name}") for name in _ARRANGED})
_RELABEL = _OF_COMPONENT.values(group_label=bindparam("new_group_label"))
_LABELS = select(component.c.id, component.c.group_label).where(
    component.c.workspace_id == bindparam("workspace"), component.c.group_label.is_not(None)
)
_GROUPS = select(component_group.c.folded, component_group.c.id).where(
    component_group.c.workspace_id == bindparam("workspace")
)
_GROUP_NAME = select(component_group.c.name).where(
    component_group.c.workspace_id == bindparam("workspace"),
    component_group.c.id == bindparam("id_"),
)
_ARRANGE_GROUP = (
    update(component_group)
    .where(
        component_group.c.workspace_id == bindparam("workspace"),
        component_group.c.id == bindparam("id_"),
    )
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("name", "folded", "position", "description", "updated_at")
        }
    )
)
_NAMED = select(component.c.name, component.c.shown).where(
    component.c.workspace_id == bindparam("workspace"), component.c.id == bindparam("id_")
)
_TAGGED_BY = (
    select(incident_component.c.incident_id)
    .join(
        incident,
        (incident.c.workspace_id == incident_component.c.workspace_id)
        & (incident.c.id == incident_component.c.incident_id),
    )
    .where(
        incident_component.c.workspace_id == bindparam("workspace"),
        incident_component.c.component_id == bindparam("id_"),
        or_(is_open, incident.c.updated_at >= bindparam("since")),
    )
    .order_by(incident_component.c.incident_id)
)
_LAST_OVERRIDE = select(func.max(component_override.c.entry)).where(
    component_override.c.workspace_id == bindparam("workspace"),
    component_override.c.component_id == bindparam("id_"),
)
_OVERRIDE = component_override.insert()
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
    """Writes a component that was made on purpose."""
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    pages.bump(connection, workspace, at=at, moved=described.shown)
    if described.group is not None:
        keep_group(connection, workspace, described.group, at=at)
    connection.execute(
        _ADD,
        {
            **_row(workspace, described.component, at),
            "description": described.description,
            "group_label": described.group,
            "shown": described.shown,
        },
    )


def keep_group(connection: Connection, workspace: str, name: str, *, at: datetime) -> None:
    """Writes a group of that name, if there is none."""
    rows = connection.execute(_GROUPS, {"workspace": workspace})
    known = {row.folded: row.id for row in rows}
    if name.casefold() in known:
        return
    connection.execute(
        _KEEP_GROUP[connection.dialect.name],
        {
            "workspace_id": workspace,
            "id": group_id(workspace, name, known.values()),
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
    entry = next(one.entry for one in decision.updates if one.kind is kind)
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
    """The columns by which the page finds an incident that is over, as far as they change.

    An incident is over at the moment at which the public learns it: a later move that keeps the
    public word is no end.
    """
    changed: dict[str, Any] = {}
    if before.components != incident.components:
        changed["tagged"] = True
    was_over, over = (one.public_word is PublicWord.RESOLVED for one in (before, incident))
    if over != was_over:
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


def redrawn(connection: Connection, workspace: str, one: ShownComponent) -> tuple[UUID, ...]:
    """The incidents whose public cards change with ``one``: it is shown, hidden or renamed.

    Those are open, or were changed in the last `LOOK_BACK`: nobody reads older cards.
    """
    before = connection.execute(_NAMED, {"workspace": workspace, "id_": one.id}).one()
    if (before.name, bool(before.shown)) == (one.name, one.shown):
        return ()
    asked = {"workspace": workspace, "id_": one.id, "since": one.updated_at - LOOK_BACK}
    return tuple(connection.execute(_TAGGED_BY, asked).scalars())


def seen_as(connection: Connection, workspace: str, one: UUID) -> str | None:
    """The name of a component that the public reads; None if it is hidden."""
    row = connection.execute(_NAMED, {"workspace": workspace, "id_": one}).one()
    return row.name if row.shown else None


def arrange(connection: Connection, workspace: str, one: ShownComponent) -> None:
    """Writes what the page says of a component. Its group is written as the group's name."""
    named = {"workspace": workspace, "id_": one.id}
    label = connection.execute(_GROUP_NAME, {"workspace": workspace, "id_": one.group}).scalar()
    connection.execute(
        _ARRANGE,
        {
            **named,
            "new_name": one.name,
            "new_folded": one.name.casefold(),
            "new_description": one.description,
            "new_group_label": label,
            "new_position": one.position,
            "new_shown": one.shown,
            "new_showcase": one.showcase,
            "new_only_if_degraded": one.only_if_degraded,
            "new_start_date": one.start_date,
            "new_updated_at": one.updated_at,
        },
    )


def arrange_group(connection: Connection, workspace: str, group: ComponentGroup) -> None:
    """Writes a group, and its name at its components."""
    named = {"workspace": workspace, "id_": group.id}
    before = connection.execute(_GROUP_NAME, named).scalar_one()
    connection.execute(
        _ARRANGE_GROUP,
        {
            **named,
            "new_name": group.name,
            "new_folded": group.name.casefold(),
            "new_position": group.position,
            "new_description": group.description,
            "new_updated_at": group.updated_at,
        },
    )
    # Labels differ from their group in case alone; both databases fold only ASCII, so all are read.
    for row in connection.execute(_LABELS, {"workspace": workspace}):
        if row.group_label.casefold() == before.casefold():
            label = {"workspace": workspace, "id_": row.id, "new_group_label": group.name}
            connection.execute(_RELABEL, label)


def override(
    connection: Connection,
    workspace: str,
    one: UUID,
    made: Override,
    *,
    reason: str | None,
    by: Person,
) -> None:
    """Writes a status by hand, behind those before it."""
    named = {"workspace": workspace, "id_": one}
    last = connection.execute(_LAST_OVERRIDE, named).scalar() or 0
    connection.execute(
        _OVERRIDE,
        {
            "workspace_id": workspace,
            "component_id": one,
            "entry": last + 1,
            "status": made.status and made.status.value,
            "until": made.until,
            "reason": reason,
            "by_id": by.id,
            "by_name": by.name,
            "at": made.at,
        },
    )
