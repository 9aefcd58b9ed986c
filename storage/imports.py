"""The rows of imports: what pages, components and incidents keep of the page that they come from.

Only modules of `storage` use it. It selects nothing private: there is nothing private in it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from core.incident import Incident
from core.lifecycle import PublicWord
from core.page import ComponentGroup, ShownComponent
from core.public_side import KeptAffected, KeptIncident, KeptUpdate
from storage.models import (
    component,
    component_group,
    imported_incident,
    imported_update,
    incident,
    workspace,
)
from storage.statements import KEEP_WORKSPACE, upsert

Kept = tuple[KeptIncident, Mapping[int, KeptUpdate]]

_INCIDENTS = select(imported_incident).where(
    imported_incident.c.workspace_id == bindparam("workspace"),
    imported_incident.c.incident_id.in_(bindparam("incidents", expanding=True)),
)
_KEEPER = select(imported_incident.c.incident_id).where(
    imported_incident.c.workspace_id == bindparam("workspace"),
    imported_incident.c.kept_id == bindparam("kept"),
)
_KEPT_ID = select(imported_incident.c.kept_id).where(
    imported_incident.c.workspace_id == bindparam("workspace"),
    imported_incident.c.incident_id == bindparam("incident"),
)
_UPDATES = (
    select(imported_update)
    .where(
        imported_update.c.workspace_id == bindparam("workspace"),
        imported_update.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(imported_update.c.incident_id, imported_update.c.entry)
)


def _upsert(insert: Any) -> Any:
    kept = insert(imported_incident)
    changed = ("entries", "updated_at", "monitoring_at", "resolved_at", "atom")
    return kept.on_conflict_do_update(
        index_elements=[imported_incident.c.workspace_id, imported_incident.c.incident_id],
        set_={name: kept.excluded[name] for name in changed},
    )


_KEEP = upsert(_upsert)
_KEEP_UPDATE = imported_update.insert()
_MARK = (
    update(incident)
    .where(incident.c.workspace_id == bindparam("workspace"), incident.c.id == bindparam("id_"))
    .values(imported=True, over_at=bindparam("over", type_=incident.c.over_at.type))
)
_PAGE = select(workspace.c.kept_page).where(workspace.c.id == bindparam("workspace"))
_KEEP_PAGE = (
    update(workspace)
    .where(workspace.c.id == bindparam("workspace_"))
    .values(kept_page=bindparam("kept"))
)
_ADD_GROUP, _ADD_COMPONENT = component_group.insert(), component.insert()
_KEEP_GROUP, _KEEP_COMPONENT = (
    update(table)
    .where(table.c.workspace_id == bindparam("workspace"), table.c.id == bindparam("id_"))
    .values(kept_id=bindparam("kept"))
    for table in (component_group, component)
)


def kept(connection: Connection, workspace: str, incidents: Collection[UUID]) -> dict[UUID, Kept]:
    """The facts of those of ``incidents`` that were imported; their updates by entry."""
    if not incidents:
        return {}
    named = {"workspace": workspace, "incidents": list(incidents)}
    texts: dict[UUID, dict[int, KeptUpdate]] = {}
    for row in connection.execute(_UPDATES, named):
        texts.setdefault(row.incident_id, {})[row.entry] = KeptUpdate(
            id=row.kept_id,
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            affected=row.affected and tuple(_affected(row.affected)),
        )
    return {
        row.incident_id: (
            KeptIncident(
                id=row.kept_id,
                entries=row.entries,
                created_at=row.created_at,
                updated_at=row.updated_at,
                monitoring_at=row.monitoring_at,
                resolved_at=row.resolved_at,
                address=row.address,
                atom=row.atom,
            ),
            texts.get(row.incident_id, {}),
        )
        for row in connection.execute(_INCIDENTS, named)
    }


def _affected(text: str) -> Iterable[KeptAffected]:
    for id_, name, old, new in json.loads(text):
        yield KeptAffected(UUID(id_), name, old, new)


def keep(
    connection: Connection,
    incident: Incident,
    past: KeptIncident,
    texts: Mapping[int, KeptUpdate],
) -> None:
    """Writes what an incident keeps, after the incident itself; ``texts`` are new ones."""
    here = {"workspace_id": incident.workspace, "incident_id": incident.id}
    over = incident.public_word is PublicWord.RESOLVED
    connection.execute(
        _MARK,
        {
            "workspace": incident.workspace,
            "id_": incident.id,
            "over": incident.updated_at if over else None,
        },
    )
    connection.execute(
        _KEEP[connection.dialect.name],
        {
            **here,
            "kept_id": past.id,
            "entries": past.entries,
            "created_at": past.created_at,
            "updated_at": past.updated_at,
            "monitoring_at": past.monitoring_at,
            "resolved_at": past.resolved_at,
            "address": past.address,
            "atom": past.atom,
        },
    )
    rows = [
        {
            **here,
            "entry": entry,
            "kept_id": text.id,
            "status": text.status,
            "created_at": text.created_at,
            "updated_at": text.updated_at,
            "affected": text.affected
            and json.dumps(
                [[str(one.component), one.name, one.old, one.new] for one in text.affected]
            ),
        }
        for entry, text in texts.items()
    ]
    if rows:
        connection.execute(_KEEP_UPDATE, rows)


def keeper(connection: Connection, workspace: str, kept_id: str) -> UUID | None:
    """The incident that keeps that id; None if there is none."""
    named = {"workspace": workspace, "kept": kept_id}
    found: UUID | None = connection.execute(_KEEPER, named).scalar()
    return found


def id_of(connection: Connection, workspace: str, incident: UUID) -> str | None:
    """The id that the incident keeps; None if it derives its own."""
    named = {"workspace": workspace, "incident": incident}
    found: str | None = connection.execute(_KEPT_ID, named).scalar()
    return found


def page(connection: Connection, workspace: str) -> str | None:
    """The id that the page of the workspace keeps; None if it derives its own."""
    found: str | None = connection.execute(_PAGE, {"workspace": workspace}).scalar()
    return found


def keep_page(connection: Connection, workspace: str, id_: str) -> None:
    """Writes the id that the page of the workspace keeps."""
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    connection.execute(_KEEP_PAGE, {"workspace_": workspace, "kept": id_})


def add_parts(
    connection: Connection,
    workspace: str,
    groups: Sequence[ComponentGroup],
    components: Sequence[ShownComponent],
    names: Mapping[UUID, str],
) -> None:
    """Writes groups and components that are not there yet; ``names`` are those of all groups."""
    for group in groups:
        connection.execute(
            _ADD_GROUP,
            {
                "workspace_id": workspace,
                "id": group.id,
                "name": group.name,
                "folded": group.name.casefold(),
                "position": group.position,
                "description": group.description,
                "created_at": group.created_at,
                "updated_at": group.updated_at,
                "kept_id": group.kept,
            },
        )
    for one in components:
        connection.execute(
            _ADD_COMPONENT,
            {
                "workspace_id": workspace,
                "id": one.id,
                "name": one.name,
                "folded": one.name.casefold(),
                "description": one.description,
                "group_label": one.group and names[one.group],
                "position": one.position,
                "shown": one.shown,
                "showcase": one.showcase,
                "only_if_degraded": one.only_if_degraded,
                "start_date": one.start_date,
                "created_at": one.created_at,
                "updated_at": one.updated_at,
                "kept_id": one.kept,
            },
        )


def keep_ids(
    connection: Connection,
    workspace: str,
    groups: Mapping[UUID, str],
    components: Mapping[UUID, str],
) -> None:
    """Writes the ids that groups and components keep that were there before."""
    for statement, ids in ((_KEEP_GROUP, groups), (_KEEP_COMPONENT, components)):
        for id_, kept_id in ids.items():
            connection.execute(statement, {"workspace": workspace, "id_": id_, "kept": kept_id})
