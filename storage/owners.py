"""The owners of open incidents, and the mark of those who were deactivated.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, or_, select, tuple_, update

from core.incident import Incident
from core.store import OwnerName
from storage.models import CARDS, State, incident, is_open, kept, outbox
from storage.rows import AnyRow

# The most incidents of one owner that a look changes; the others follow in the next.
AT_ONCE = 200

_key = tuple_(incident.c.workspace_id, incident.c.owner_id)
_OWNERS = (
    select(incident.c.workspace_id, incident.c.owner_id)
    .where(
        is_open,
        incident.c.owner_id.is_not(None),
        _key > tuple_(bindparam("workspace"), bindparam("person")),
    )
    .group_by(incident.c.workspace_id, incident.c.owner_id)
    .order_by(incident.c.workspace_id, incident.c.owner_id)
    .limit(bindparam("limit"))
)
_OWNED = (
    select(incident.c.id)
    .where(
        is_open,
        incident.c.workspace_id == bindparam("workspace"),
        incident.c.owner_id == bindparam("person"),
    )
    .limit(AT_ONCE)
)
_marked = incident.c.left_owner == incident.c.owner_id
_TO_MARK = _OWNED.where(or_(incident.c.left_owner.is_(None), ~_marked))
_TO_CLEAR = _OWNED.where(_marked)
_MARK = (
    update(incident)
    .where(
        incident.c.workspace_id == bindparam("of_workspace"),
        incident.c.id == bindparam("of_incident"),
    )
    .values(left_owner=bindparam("left"))
)
# Once they have left, there is nothing to send: such a message ends by itself.
_REVIVE = (
    update(outbox)
    .where(
        kept(outbox, State.DEAD),
        outbox.c.workspace_id == bindparam("of_workspace"),
        outbox.c.incident_id == bindparam("of_incident"),
        outbox.c.channel == bindparam("person"),
        outbox.c.surface.not_in(CARDS),
    )
    .values(
        state=State.AVAILABLE,
        due_at=bindparam("at"),
        try_at=bindparam("at"),
        attempts=0,
        claimed_at=None,
        claimed_by=None,
        done_at=None,
    )
)


def page(connection: Connection, *, after: OwnerName | None, limit: int) -> tuple[OwnerName, ...]:
    """The first ``limit`` owners of open incidents behind ``after``, by workspace and id."""
    workspace, person = after or ("", "")
    asked = {"workspace": workspace, "person": person, "limit": limit}
    rows: Sequence[AnyRow] = connection.execute(_OWNERS, asked).all()
    return tuple(OwnerName(*row) for row in rows)


def owned(connection: Connection, owner: OwnerName, *, left: bool) -> tuple[UUID, ...]:
    """The open incidents of ``owner`` whose mark says the contrary of ``left``."""
    asked = {"workspace": owner.workspace, "person": owner.person}
    return tuple(connection.execute(_TO_MARK if left else _TO_CLEAR, asked).scalars())


def mark(connection: Connection, marked: Incident, *, at: datetime) -> None:
    """Writes the mark of ``marked``, and lets messages to an owner who left end."""
    named = {"of_workspace": marked.workspace, "of_incident": marked.id}
    connection.execute(_MARK, {**named, "left": marked.left_owner})
    if marked.left_owner:
        connection.execute(_REVIVE, {**named, "person": marked.left_owner, "at": at})
