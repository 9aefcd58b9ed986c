"""The rows of hand-overs. One is claimed by its row, under the lock of its incident.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, exists, select

from core.handover import Answer, HandOver
from core.incident import Incident, Person
from core.store import HandOverName
from storage.entries import of_incident, person_of
from storage.models import hand_over, update
from storage.rows import AnyRow
from storage.statements import upsert

_HAND_OVER = select(
    hand_over.c.entry,
    hand_over.c.to_id,
    hand_over.c.to_name,
    hand_over.c.by_id,
    hand_over.c.by_name,
    hand_over.c.previous_id,
    hand_over.c.previous_name,
    hand_over.c.asked_at,
    hand_over.c.answer,
    hand_over.c.looked,
).where(
    hand_over.c.workspace_id == bindparam("workspace"),
    hand_over.c.incident_id == bindparam("incident"),
)
_ONE = _HAND_OVER.where(hand_over.c.entry == bindparam("entry"))
# Of many incidents, for the export.
_OF_MANY = (
    select(hand_over.c.incident_id, *_HAND_OVER.selected_columns)
    .where(
        hand_over.c.workspace_id == bindparam("workspace"),
        hand_over.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(hand_over.c.incident_id, hand_over.c.entry)
)
_OPEN = _HAND_OVER.where(hand_over.c.answer.is_(None)).order_by(hand_over.c.entry.desc()).limit(1)
_DUE = (
    select(hand_over.c.workspace_id, hand_over.c.incident_id, hand_over.c.entry)
    .where(hand_over.c.look_at.is_not(None), hand_over.c.look_at <= bindparam("at"))
    .order_by(hand_over.c.look_at)
    .limit(bindparam("limit"))
)
_HAS_ACTED = select(
    exists().where(
        of_incident,
        update.c.entry > bindparam("after"),
        update.c.by_id == bindparam("person"),
    )
)


def _keep(insert: Any) -> Any:
    kept = insert(hand_over)
    return kept.on_conflict_do_update(
        index_elements=list(hand_over.primary_key),
        set_={name: kept.excluded[name] for name in ("answer", "looked", "look_at")},
    )


_KEEP = upsert(_keep)


def one(connection: Connection, incident: Incident, entry: int) -> HandOver | None:
    """The hand-over that ``entry`` of ``incident`` made; None if it made none."""
    sought = {"workspace": incident.workspace, "incident": incident.id, "entry": entry}
    row = connection.execute(_ONE, sought).first()
    return row and _hand_over_of(row)


def open_one(connection: Connection, incident: Incident) -> HandOver | None:
    """The newest hand-over of ``incident`` without an answer; None if there is none."""
    sought = {"workspace": incident.workspace, "incident": incident.id}
    row = connection.execute(_OPEN, sought).first()
    return row and _hand_over_of(row)


def of_many(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[HandOver, ...]]:
    """The hand-overs of each of ``incidents`` that has any, oldest first."""
    found: dict[UUID, list[HandOver]] = {}
    asked = {"workspace": workspace, "incidents": incidents}
    for row in connection.execute(_OF_MANY, asked):
        found.setdefault(row.incident_id, []).append(_hand_over_of(row))
    return {incident: tuple(made) for incident, made in found.items()}


def _hand_over_of(row: AnyRow) -> HandOver:
    answer = row.answer
    return HandOver(
        entry=row.entry,
        to=Person(row.to_id, row.to_name),
        by=Person(row.by_id, row.by_name),
        previous=person_of(row.previous_id, row.previous_name),
        asked_at=row.asked_at,
        answer=answer and Answer(answer),
        looked=row.looked,
    )


def due(connection: Connection, *, at: datetime, limit: int) -> tuple[HandOverName, ...]:
    """The hand-overs whose time for an answer is over, the longest due first."""
    rows: Sequence[AnyRow] = connection.execute(_DUE, {"at": at, "limit": limit}).all()
    return tuple(HandOverName(*row) for row in rows)


def has_acted(connection: Connection, incident: Incident, person: Person, *, after: int) -> bool:
    """Whether ``person`` wrote an entry of ``incident`` behind ``after``."""
    sought = {
        "workspace": incident.workspace,
        "incident": incident.id,
        "after": after,
        "person": person.id,
    }
    return bool(connection.execute(_HAS_ACTED, sought).scalar_one())


def keep(connection: Connection, incident: Incident, asked: HandOver) -> None:
    """Writes ``asked`` of ``incident``, in place of its row."""
    row = {
        "workspace_id": incident.workspace,
        "incident_id": incident.id,
        "entry": asked.entry,
        "to_id": asked.to.id,
        "to_name": asked.to.name,
        "by_id": asked.by.id,
        "by_name": asked.by.name,
        "previous_id": asked.previous and asked.previous.id,
        "previous_name": asked.previous and asked.previous.name,
        "asked_at": asked.asked_at,
        "answer": asked.answer and asked.answer.value,
        "looked": asked.looked,
        "look_at": asked.look_at,
    }
    connection.execute(_KEEP[connection.dialect.name], row)
