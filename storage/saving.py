"""An incident and its updates, written as a decision leaves them.

Only modules of `storage` use it.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, and_, bindparam, delete, update

from core.decision import Decision
from core.incident import Incident, Kind, Update
from storage import components, drafts, handovers, idempotency, models, own_channels, promises
from storage.columns import incident_columns, lifecycle_row, update_row
from storage.databases.failures import Conflict
from storage.databases.sqlite import ERASED
from storage.statements import Prepared, upsert

_INSERT_INCIDENT = models.incident.insert()
_INSERT_UPDATE = Prepared(models.update.insert())
_INSERT_INVITED = models.incident_invited.insert()
_UNINVITE = delete(models.incident_invited).where(
    models.incident_invited.c.workspace_id == bindparam("workspace"),
    models.incident_invited.c.incident_id == bindparam("incident"),
)
_OF_ENTRY = update(models.update).where(
    models.update.c.workspace_id == bindparam("workspace"),
    models.update.c.incident_id == bindparam("incident"),
    models.update.c.entry == bindparam("number"),
)
_ERASE_REPEATED = _OF_ENTRY.values(old=bindparam("old_left"), new=bindparam("new_left"))
_REDACT = _OF_ENTRY.values(
    body=None,
    redacted_at=bindparam("at_last"),
    redacted_by_id=bindparam("person"),
    redacted_by_name=bindparam("person_name"),
    withdrawn=bindparam("names"),
)
_KEEP_LIFECYCLE = upsert(lambda insert: insert(models.lifecycle).on_conflict_do_nothing())


@cache
def _set(columns: frozenset[str]) -> Prepared:
    """The compare-and-set of ``columns``. Indexes of all other columns stay untouched."""
    return Prepared(
        update(models.incident)
        .where(
            and_(
                models.incident.c.workspace_id == bindparam("workspace"),
                models.incident.c.id == bindparam("incident"),
                models.incident.c.version == bindparam("version_read"),
            )
        )
        .values({name: bindparam(f"new_{name}") for name in sorted(columns)})
    )


def write(connection: Connection, before: Incident | None, decision: Decision) -> None:
    """Writes the incident of ``decision`` with its updates; ``before`` is None for a new one.

    Raises:
        Conflict: the row has another version than ``before``.
    """
    incident = decision.incident
    components.keep(connection, incident.workspace, decision.new_components, at=incident.updated_at)
    if before is None:
        _insert(connection, incident)
    else:
        _change(connection, before, incident)
    if before is None or before.components != incident.components:
        components.tag(connection, incident, again=before is not None)
    if (before.invited if before else ()) != incident.invited:
        _invite(connection, incident)
    if decision.updates:
        rows = [update_row(incident.workspace, update) for update in decision.updates]
        _INSERT_UPDATE.run(connection, *rows)
    components.record(connection, before, decision)
    for asked in decision.hand_overs:
        handovers.keep(connection, incident, asked)
    promises.keep(connection, incident, decision.promises, at=incident.updated_at)
    if before is None or before.channels != incident.channels:
        own_channels.keep(connection, incident, incident.channels)
    for redacted in filter(None, (decision.redacted, *decision.redacted_too)):
        _redact(connection, incident.workspace, redacted)
    if decision.withdrawn_texts:
        gone = filter(None, (decision.redacted, *decision.redacted_too))
        drafts.withdraw(
            connection,
            incident.workspace,
            incident.id,
            decision.withdrawn_texts,
            authors={one.by.id for one in gone},
        )
    for entry in decision.erased:
        _erase_repeated(connection, incident.workspace, entry)


def _insert(connection: Connection, incident: Incident) -> None:
    definition = lifecycle_row(incident.lifecycle)
    connection.execute(_KEEP_LIFECYCLE[connection.dialect.name], definition)
    connection.execute(
        _INSERT_INCIDENT,
        {
            **incident_columns(incident),
            "workspace_id": incident.workspace,
            "id": incident.id,
            "number": incident.number,
            "lifecycle": definition["digest"],
            "declared_by_id": incident.declared_by.id,
            "declared_by_name": incident.declared_by.name,
            "channel": incident.place.channel if incident.place else None,
            "channel_private": incident.place is not None and incident.place.private,
            "started_at": incident.started_at,
            "created_at": incident.created_at,
            "tagged": bool(incident.components) or None,
        },
    )


def _change(connection: Connection, before: Incident, incident: Incident) -> None:
    was, is_ = incident_columns(before), incident_columns(incident)
    changed = {name: value for name, value in is_.items() if value != was[name]}
    changed |= components.marks(before, incident)
    count = _set(frozenset(changed)).run(
        connection,
        {
            "workspace": incident.workspace,
            "incident": incident.id,
            "version_read": before.version,
            **{f"new_{name}": value for name, value in changed.items()},
        },
    )
    if count != 1:
        raise Conflict


def _invite(connection: Connection, incident: Incident) -> None:
    connection.execute(_UNINVITE, {"workspace": incident.workspace, "incident": incident.id})
    rows = [
        {
            "workspace_id": incident.workspace,
            "incident_id": incident.id,
            "position": position,
            "person_id": person.id,
            "person_name": person.name,
        }
        for position, person in enumerate(incident.invited)
    ]
    if rows:
        connection.execute(_INSERT_INVITED, rows)


def _erase_repeated(connection: Connection, workspace: str, update: Update) -> None:
    connection.execute(
        _ERASE_REPEATED,
        {
            "workspace": workspace,
            "incident": update.incident,
            "number": update.entry,
            "old_left": update.old,
            "new_left": update.new,
        },
    )


def _redact(connection: Connection, workspace: str, redacted: Update) -> None:
    by = redacted.redacted_by
    if redacted.kind in {Kind.DECLARED, Kind.TITLE, Kind.DESCRIPTION}:
        # The answers of the API repeat title and description of the incident.
        idempotency.withdraw_all(connection, workspace, redacted.incident)
    if redacted.kind in {Kind.TITLE, Kind.DESCRIPTION}:
        _erase_repeated(connection, workspace, redacted)
    connection.execute(
        _REDACT,
        {
            "workspace": workspace,
            "incident": redacted.incident,
            "number": redacted.entry,
            "at_last": redacted.redacted_at,
            "person": by and by.id,
            "person_name": by and by.name,
            "names": " ".join(redacted.withdrawn) or None,
        },
    )
    idempotency.withdraw(connection, workspace, redacted.id)
    connection.info[ERASED] = True
