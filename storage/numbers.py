"""Numbers of incidents after a restore: some are skipped, because they are in use already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update

from storage.models import incident as _incident
from storage.models import skipped, workspace
from storage.snapshot import Snapshot, connection_of
from storage.statements import KEEP_WORKSPACE

_LAST = select(workspace.c.last_number).where(workspace.c.id == bindparam("workspace"))
_CONTINUE = (
    update(workspace)
    .where(workspace.c.id == bindparam("workspace"))
    .values(last_number=bindparam("number"))
)
_SKIP = insert(skipped)
_SKIPPED = (
    select(skipped.c.first, skipped.c.last)
    .where(skipped.c.workspace_id == bindparam("workspace"))
    .order_by(skipped.c.first)
)
_NEWEST = select(func.max(_incident.c.created_at))

Numbers = tuple[int, int]  # the first and the last


def skip_to(tx: Snapshot, workspace: str, number: int, *, at: datetime) -> Numbers | None:
    """Lets the numbers of ``workspace`` continue above ``number``; the numbers that are skipped.

    None if they do already. The audit does not miss numbers that are skipped.
    """
    connection = connection_of(tx)
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    named = {"workspace": workspace}
    last: int = connection.execute(_LAST.with_for_update(), named).scalar_one()
    if number <= last:
        return None
    connection.execute(_CONTINUE, {**named, "number": number})
    row = {"workspace_id": workspace, "first": last + 1, "last": number, "at": at}
    connection.execute(_SKIP, row)
    return last + 1, number


def skipped_in(reader: Snapshot, workspace: str) -> tuple[Numbers, ...]:
    """The numbers of ``workspace`` that restores skipped, lowest first."""
    rows = connection_of(reader).execute(_SKIPPED, {"workspace": workspace})
    return tuple((row.first, row.last) for row in rows)


def newest_declaration(reader: Snapshot) -> datetime | None:
    """The moment of the newest declaration in any workspace."""
    found: datetime | None = connection_of(reader).execute(_NEWEST).scalar_one()
    return found
