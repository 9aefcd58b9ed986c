"""How far people have read timelines: one row for each person and incident, bounded in number.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, delete, select

from core.incident import Incident
from core.store import CaughtUp
from storage.models import catch_up
from storage.statements import upsert

# A person catches up on so many incidents; of others everything counts as new.
KEPT_MAX = 200

_of_person = (
    catch_up.c.workspace_id == bindparam("workspace"),
    catch_up.c.person == bindparam("reader"),
)
_FIND = select(catch_up.c.incident_id, catch_up.c.entry, catch_up.c.at).where(
    *_of_person, catch_up.c.incident_id.in_(bindparam("incidents", expanding=True))
)
_TOO_MANY = (
    select(catch_up.c.incident_id)
    .where(*_of_person)
    .order_by(catch_up.c.at.desc(), catch_up.c.incident_id)
    .offset(KEPT_MAX)
)
_ERASE = delete(catch_up).where(
    *_of_person, catch_up.c.incident_id.in_(bindparam("incidents", expanding=True))
)


def _keep(insert: Any) -> Any:
    kept = insert(catch_up)
    # Of two catch-ups at once, the one that read further counts.
    later = kept.excluded.entry > catch_up.c.entry
    return kept.on_conflict_do_update(
        index_elements=list(catch_up.primary_key),
        set_={
            "entry": case((later, kept.excluded.entry), else_=catch_up.c.entry),
            "at": kept.excluded.at,
        },
    )


_KEEP = upsert(_keep)


def find(
    connection: Connection, workspace: str, person: str, incidents: Sequence[UUID]
) -> dict[UUID, CaughtUp]:
    """How far ``person`` has read each of ``incidents`` that they caught up on."""
    sought = {"workspace": workspace, "reader": person, "incidents": list(incidents)}
    return {
        row.incident_id: CaughtUp(entry=row.entry, at=row.at)
        for row in connection.execute(_FIND, sought)
    }


def keep(connection: Connection, incident: Incident, person: str, mark: CaughtUp) -> None:
    """Writes how far ``person`` has read; the oldest of their rows above the limit are erased."""
    connection.execute(
        _KEEP[connection.dialect.name],
        {
            "workspace_id": incident.workspace,
            "person": person,
            "incident_id": incident.id,
            "entry": mark.entry,
            "at": mark.at,
        },
    )
    of_person = {"workspace": incident.workspace, "reader": person}
    old = connection.execute(_TOO_MANY, of_person).scalars().all()
    if old:
        connection.execute(_ERASE, {**of_person, "incidents": list(old)})
