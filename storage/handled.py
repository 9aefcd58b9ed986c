"""Requests of people that are done, so that a repetition of one does nothing.

Only modules of `storage` use it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, literal, select

from storage.models import handled
from storage.statements import Prepared

_FIND = select(handled.c.incident_id).where(
    handled.c.workspace_id == bindparam("workspace"),
    handled.c.request == bindparam("request"),
)
_MARK = Prepared(handled.insert())
_FORGET_PROBE = delete(handled).where(handled.c.workspace_id == literal(""))
_FORGET = delete(handled).where(handled.c.at < bindparam("before"))


def find(connection: Connection, workspace: str, request: str) -> UUID | None:
    """The incident that ``request`` was about; None if it has not been done yet."""
    sought = {"workspace": workspace, "request": request}
    incident: UUID | None = connection.execute(_FIND, sought).scalar_one_or_none()
    return incident


def mark(
    connection: Connection, workspace: str, request: str, incident: UUID, *, at: datetime
) -> None:
    """Writes that ``request``, which was about ``incident``, is done."""
    row = {"workspace_id": workspace, "request": request, "incident_id": incident, "at": at}
    _MARK.run(connection, row)


def probe(connection: Connection, *, at: datetime) -> None:
    """Writes a row without a meaning, in the place of the one before."""
    connection.execute(_FORGET_PROBE)
    mark(connection, "", f"probe {at}", UUID(int=0), at=at)


def forget(connection: Connection, *, before: datetime) -> int:
    """Deletes requests that were done before ``before``, and returns their count."""
    return connection.execute(_FORGET, {"before": before}).rowcount
