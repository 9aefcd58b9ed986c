"""The rows of promises. A stage is claimed by its row, under the lock of its incident.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from core.incident import Incident
from core.promise import Promise, Release, Stage, next_look
from core.store import PromiseName
from storage.models import promise
from storage.rows import AnyRow
from storage.statements import upsert

# In the order in which `promise_of` unpacks them, behind the incident's id.
COLUMNS = (
    promise.c.entry,
    promise.c.public_at,
    promise.c.due_at,
    promise.c.internal,
    promise.c.stage,
    promise.c.answered_at,
    promise.c.answered_by,
    promise.c.released_at,
    promise.c.release,
    promise.c.look_at,
)
OF_INCIDENTS = (
    select(promise.c.incident_id, *COLUMNS)
    .where(
        promise.c.workspace_id == bindparam("workspace"),
        promise.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(promise.c.incident_id, promise.c.entry)
)
_DUE = (
    select(promise.c.workspace_id, promise.c.incident_id, promise.c.entry)
    .where(promise.c.look_at.is_not(None), promise.c.look_at < bindparam("at"))
    .order_by(promise.c.look_at)
    .limit(bindparam("limit"))
)


def _keep(insert: Any) -> Any:
    kept = insert(promise)
    return kept.on_conflict_do_update(
        index_elements=list(promise.primary_key),
        set_={
            name: kept.excluded[name]
            for name in (
                "stage",
                "answered_at",
                "answered_by",
                "released_at",
                "release",
                "look_at",
            )
        },
    )


_KEEP = upsert(_keep)


def promises_of(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Promise, ...]]:
    """The promises of each of ``incidents`` that has any, oldest first.

    Most incidents have none: for an empty ``incidents`` no statement is run.
    """
    if not incidents:
        return {}
    found: dict[UUID, list[Promise]] = {}
    for incident, *facts in connection.execute(
        OF_INCIDENTS, {"workspace": workspace, "incidents": incidents}
    ):
        found.setdefault(incident, []).append(_promise_of(facts))
    return {incident: tuple(promises) for incident, promises in found.items()}


def _promise_of(facts: Sequence[Any]) -> Promise:
    (
        entry,
        public_at,
        due_at,
        internal,
        stage,
        answered_at,
        answered_by,
        released_at,
        release,
        look_at,
    ) = facts
    return Promise(
        entry=entry,
        public_at=public_at,
        due_at=due_at,
        internal=internal,
        stage=Stage(stage),
        answered_at=answered_at,
        answered_by=answered_by,
        released_at=released_at,
        release=release and Release(release),
        look_at=look_at,
    )


def due(connection: Connection, *, at: datetime, limit: int) -> tuple[PromiseName, ...]:
    """The promises with a stage whose moment has passed, the longest due first."""
    rows: Sequence[AnyRow] = connection.execute(_DUE, {"at": at, "limit": limit}).all()
    return tuple(PromiseName(*row) for row in rows)


def keep(
    connection: Connection, incident: Incident, promises: Iterable[Promise], *, at: datetime
) -> None:
    """Writes ``promises`` of ``incident`` at the moment ``at``, each in place of its row."""
    rows = [_row(incident, promise, at) for promise in promises]
    if rows:
        connection.execute(_KEEP[connection.dialect.name], rows)


def _row(incident: Incident, promise: Promise, at: datetime) -> dict[str, Any]:
    return {
        "workspace_id": incident.workspace,
        "incident_id": incident.id,
        "entry": promise.entry,
        "public_at": promise.public_at,
        "due_at": promise.due_at,
        "internal": promise.internal,
        "stage": promise.stage.value,
        "answered_at": promise.answered_at,
        "answered_by": promise.answered_by,
        "released_at": promise.released_at,
        "release": promise.release and promise.release.value,
        "look_at": next_look(promise, at),
    }
