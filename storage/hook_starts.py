"""The events of an endpoint that starts while something is held back, which is public later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from core.webhooks import Endpoint, HookEvent, still_to_come
from storage import entries, webhooks
from storage.hook_rows import about, about_components, of
from storage.models import incident, update
from storage.queries import SqlReader
from storage.snapshot import connection_of

_HELD = select(update.c.incident_id).where(
    update.c.workspace_id == bindparam("workspace"),
    update.c.public_at.is_not(None),
    update.c.public_at > bindparam("at"),
)
_UNSEEN = select(incident.c.id).where(
    incident.c.workspace_id == bindparam("workspace"),
    incident.c.title_public_at.is_not(None),
    incident.c.title_public_at > bindparam("at"),
)
_HELD_OF = entries.UPDATE.where(
    update.c.public_at > bindparam("at"), update.c.redacted_at.is_(None)
).order_by(update.c.entry)


def begin(tx: SqlReader, endpoint: Endpoint) -> None:
    """Writes the events of what is held back now, for ``endpoint``, which starts now."""
    connection, at = connection_of(tx), endpoint.starts_at
    named = {"workspace": endpoint.workspace, "at": at}
    found = {one for each in (_HELD, _UNSEEN) for one in connection.execute(each, named).scalars()}
    rows: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for id_ in sorted(found):
        one = tx.incident(endpoint.workspace, id_)
        if one is None:
            continue
        of_it = connection.execute(_HELD_OF, {**named, "incident": id_}).all()
        happened = still_to_come(one, map(entries.update_of, of_it), at=at)
        made = list(about(endpoint, one, happened, knows=False, at=at))
        rows += made
        if made:
            told.append({**of(endpoint), "incident_id": id_})
        if any(each.event is HookEvent.CREATED for each in happened):
            shown_at = happened[0].due_at
            rows += about_components(endpoint, one.components, due_at=shown_at, at=at)
    webhooks.send(connection, rows, told)
