"""Timelines of incidents: a page of one, or all that is asked for of several.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, null, or_, select

from core.boards import Page
from core.incident import TRANSITIONS, Incident, Update, Visibility
from storage.entries import UPDATE, UPDATE_FACTS, is_transition, update_of
from storage.models import update
from storage.rows import NEWEST, AnySelect

_TIMELINE = (
    UPDATE.where(update.c.entry < bindparam("before"))
    .order_by(update.c.entry.desc())
    .limit(bindparam("limit"))
)
_PUBLIC_TEXTS = UPDATE.where(
    update.c.visibility == Visibility.PUBLIC, update.c.body.is_not(None)
).order_by(update.c.entry)
_MOVES = UPDATE.where(is_transition).order_by(update.c.entry)
_TIMELINES = (
    select(*UPDATE_FACTS, update.c.body)
    .where(
        update.c.workspace_id == bindparam("workspace"),
        update.c.incident_id.in_(bindparam("incidents", expanding=True)),
        update.c.entry > bindparam("after"),
        update.c.entry <= bindparam("until"),
    )
    .order_by(update.c.incident_id, update.c.entry)
)
# All that times are computed from; no text is read.
_HISTORIES = (
    select(*UPDATE_FACTS, null())
    .where(
        update.c.workspace_id == bindparam("workspace"),
        update.c.incident_id.in_(bindparam("incidents", expanding=True)),
        or_(update.c.kind.in_(TRANSITIONS), update.c.visibility == Visibility.PUBLIC),
    )
    .order_by(update.c.incident_id, update.c.entry)
)


def page(
    connection: Connection, incident: Incident, *, before: int | None, limit: int
) -> Page[Update]:
    """The newest ``limit`` updates below ``before``, oldest first; keys are a ``before``."""
    key = min(max(before, 0), NEWEST) if before is not None else NEWEST
    rows = connection.execute(
        _TIMELINE,
        {
            "workspace": incident.workspace,
            "incident": incident.id,
            "before": key,
            "limit": limit + 1,
        },
    ).all()
    return Page(
        items=tuple(update_of(row) for row in reversed(rows[:limit])),
        older=rows[limit - 1].entry if len(rows) > limit else None,
        newer=min(key + limit, incident.last_entry + 1) if key <= incident.last_entry else None,
    )


def public_texts(connection: Connection, incident: Incident) -> tuple[Update, ...]:
    """The entries with a public text, oldest first."""
    return _updates(connection, _PUBLIC_TEXTS, incident)


def moves(connection: Connection, incident: Incident) -> tuple[Update, ...]:
    """All transitions, oldest first, with the declaration as the first."""
    return _updates(connection, _MOVES, incident)


def of_many(
    connection: Connection, workspace: str, incidents: Sequence[UUID], *, after: int, until: int
) -> tuple[Update, ...]:
    """The updates of each of ``incidents`` above ``after``, to ``until``, oldest first."""
    rows = connection.execute(
        _TIMELINES,
        {"workspace": workspace, "incidents": incidents, "after": after, "until": until},
    )
    return tuple(update_of(row) for row in rows)


def histories(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[Update, ...]]:
    """The transitions and public updates of each of ``incidents``, oldest first, without texts."""
    found: dict[UUID, list[Update]] = {}
    for row in connection.execute(_HISTORIES, {"workspace": workspace, "incidents": incidents}):
        found.setdefault(row.incident_id, []).append(update_of(row))
    return {incident: tuple(updates) for incident, updates in found.items()}


def _updates(
    connection: Connection, statement: AnySelect, incident: Incident
) -> tuple[Update, ...]:
    of_incident = {"workspace": incident.workspace, "incident": incident.id}
    return tuple(update_of(row) for row in connection.execute(statement, of_incident))
