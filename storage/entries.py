"""Entries of a timeline: their columns, and reads of single ones.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, exists, or_, select

from core.incident import DeclaredText, Incident, Kind, Person, Severity, Update, Visibility
from core.withdrawing import without_successor
from storage.models import is_move, update
from storage.rows import AnyRow

# `update_of` unpacks them in this order, with the body behind them.
UPDATE_FACTS = (
    update.c.id,
    update.c.incident_id,
    update.c.entry,
    update.c.kind,
    update.c.visibility,
    update.c.by_id,
    update.c.by_name,
    update.c.at,
    update.c.old,
    update.c.new,
    update.c.public_at,
    update.c.redacted_at,
    update.c.redacted_by_id,
    update.c.redacted_by_name,
    update.c.passed,
    update.c.next_update_by,
    update.c.withdrawn,
)
of_incident = and_(
    update.c.workspace_id == bindparam("workspace"),
    update.c.incident_id == bindparam("incident"),
)
UPDATE = select(*UPDATE_FACTS, update.c.body).where(of_incident)
is_transition = and_(is_move, update.c.new.is_not(None))

_ENTRY_BY_NUMBER = UPDATE.where(update.c.entry == bindparam("entry"))
_ENTRY_BY_ID = UPDATE.where(update.c.id == bindparam("entry"))
_LAST_MOVE = UPDATE.where(is_transition).order_by(update.c.entry.desc()).limit(1)
_TITLES = UPDATE.where(update.c.kind == Kind.TITLE).order_by(update.c.entry)
_DESCRIPTIONS = UPDATE.where(update.c.kind == Kind.DESCRIPTION).order_by(update.c.entry)
_HAD_SEVERITY = select(
    exists().where(
        of_incident,
        update.c.kind == Kind.SEVERITY,
        update.c.old.in_(bindparam("severities", expanding=True)),
    )
)
_FIRST_SEVERITY = (
    select(update.c.old)
    .where(of_incident, update.c.kind == Kind.SEVERITY)
    .order_by(update.c.entry)
    .limit(1)
)
# Moves have an old value, too: rows to choose from, by their index alone.
_TEXTS = select(update.c.kind, update.c.visibility, update.c.body, update.c.old).where(
    of_incident, or_(update.c.body.is_not(None), update.c.old.is_not(None))
)
_SECTIONS = UPDATE.where(update.c.kind == Kind.REPORTED).order_by(update.c.entry)
# Public texts by a person that are new or withdrawn, and what replaced some after the end.
_CORRECTIONS = UPDATE.where(
    or_(
        update.c.kind == Kind.CORRECTED,
        and_(
            update.c.visibility == Visibility.PUBLIC,
            update.c.by_id == bindparam("person"),
            or_(update.c.redacted_at >= bindparam("since"), update.c.at >= bindparam("since")),
        ),
    )
)


def entry(connection: Connection, incident: Incident, entry: int | UUID) -> Update | None:
    """The update with that number or id in the incident's timeline."""
    if isinstance(entry, int) and not 0 < entry <= incident.last_entry:
        return None
    row = connection.execute(
        _ENTRY_BY_NUMBER if isinstance(entry, int) else _ENTRY_BY_ID,
        {"workspace": incident.workspace, "incident": incident.id, "entry": entry},
    ).first()
    return row and update_of(row)


def titles(connection: Connection, incident: Incident) -> tuple[Update, ...]:
    """All changes of the title, oldest first."""
    of_incident = {"workspace": incident.workspace, "incident": incident.id}
    return tuple(update_of(row) for row in connection.execute(_TITLES, of_incident))


def descriptions(connection: Connection, incident: Incident) -> tuple[Update, ...]:
    """All changes of the description, oldest first."""
    of_incident = {"workspace": incident.workspace, "incident": incident.id}
    return tuple(update_of(row) for row in connection.execute(_DESCRIPTIONS, of_incident))


def texts(connection: Connection, incident: Incident) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The private texts of a timeline, earlier descriptions too, and the public ones."""
    private: list[str] = []
    public: list[str] = []
    for row in connection.execute(
        _TEXTS, {"workspace": incident.workspace, "incident": incident.id}
    ):
        if row.visibility == Visibility.PUBLIC:
            public += [row.body] if row.body is not None else []
            continue
        former = row.old if row.kind == Kind.DESCRIPTION else None
        private += [text for text in (row.body, former) if text is not None]
    return tuple(private), tuple(public)


def sections(connection: Connection, incident: Incident) -> tuple[Update, ...]:
    """All entries of the report's sections, oldest first."""
    of_incident = {"workspace": incident.workspace, "incident": incident.id}
    return tuple(update_of(row) for row in connection.execute(_SECTIONS, of_incident))


def correctable(
    connection: Connection, incident: Incident, by: Person, *, since: datetime
) -> Update | None:
    """The newest public text by ``by``, withdrawn ``since``, in whose place there is none."""
    sought = {
        "workspace": incident.workspace,
        "incident": incident.id,
        "person": by.id,
        "since": since,
    }
    found = (update_of(row) for row in connection.execute(_CORRECTIONS, sought))
    return without_successor(found, by, since=since)


def had_severity(
    connection: Connection, incident: Incident, severities: Collection[Severity]
) -> bool:
    """Whether the incident had one of ``severities`` before the present one."""
    sought = {
        "workspace": incident.workspace,
        "incident": incident.id,
        "severities": sorted(severities),
    }
    return bool(connection.execute(_HAD_SEVERITY, sought).scalar_one())


def declared_severity(connection: Connection, incident: Incident) -> Severity:
    """The severity with which the incident was declared."""
    sought = {"workspace": incident.workspace, "incident": incident.id}
    changed = connection.execute(_FIRST_SEVERITY, sought).scalar()
    return Severity(changed) if changed else incident.severity


def last_move(connection: Connection, incident: Incident) -> Update | None:
    """The newest transition; the declaration counts as one."""
    row = connection.execute(
        _LAST_MOVE, {"workspace": incident.workspace, "incident": incident.id}
    ).first()
    return row and update_of(row)


def person_of(id_: str | None, name: str | None) -> Person | None:
    return None if id_ is None else Person(id_, name or id_)


def update_of(row: AnyRow) -> Update:
    (
        id_,
        incident,
        entry,
        kind,
        visibility,
        by_id,
        by_name,
        at,
        old,
        new,
        public_at,
        redacted_at,
        redacted_by_id,
        redacted_by_name,
        passed,
        next_update_by,
        withdrawn,
        body,
    ) = row
    return Update(
        id=id_,
        incident=incident,
        entry=entry,
        kind=Kind(kind),
        visibility=Visibility(visibility),
        by=Person(by_id, by_name),
        at=at,
        body=body,
        old=old,
        new=new,
        public_at=public_at,
        redacted_at=redacted_at,
        redacted_by=person_of(redacted_by_id, redacted_by_name),
        passed=bool(passed),
        next_update_by=next_update_by,
        withdrawn=tuple(map(DeclaredText, withdrawn.split())) if withdrawn else (),
    )
