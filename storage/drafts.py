"""Drafts: typed and not done. Erased when used and after an hour; a withdrawal empties them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from core.drafting import may_hold
from core.drafts import DRAFT_LIFE, DRAFTS_MAX, Draft
from storage.models import draft
from storage.statements import upsert

_his = (draft.c.workspace_id == bindparam("workspace"), draft.c.person == bindparam("author"))
_is_it = (*_his, draft.c.id == bindparam("sought"))


def _keep(insert: Any) -> Any:
    kept = insert(draft)
    return kept.on_conflict_do_update(
        index_elements=[draft.c.workspace_id, draft.c.person, draft.c.id],
        set_={name: kept.excluded[name] for name in ("at", "incidents", "body")},
    )


_KEEP = upsert(_keep)
_FIND = select(draft).where(*_is_it, draft.c.at > bindparam("forgotten"))
_ERASE = delete(draft).where(*_is_it)
_TOO_MANY = (
    select(draft.c.id).where(*_his).order_by(draft.c.at.desc(), draft.c.id).offset(DRAFTS_MAX)
)
_OF_WORKSPACE = select(draft).where(
    draft.c.workspace_id == bindparam("workspace"), draft.c.body != ""
)
_EMPTY = update(draft).where(*_is_it).values(body="")
_FORGET = delete(draft).where(draft.c.at <= bindparam("forgotten"))


def keep(connection: Connection, kept: Draft) -> int:
    """Writes a draft; its author's oldest above the limit are erased. Returns their count."""
    connection.execute(
        _KEEP[connection.dialect.name],
        {
            "workspace_id": kept.workspace,
            "person": kept.person,
            "id": kept.id,
            "at": kept.at,
            "incidents": " ".join(sorted(map(str, kept.incidents))),
            "body": kept.body,
        },
    )
    named = {"workspace": kept.workspace, "author": kept.person}
    too_many = connection.execute(_TOO_MANY, named).scalars().all()
    for old in too_many:
        connection.execute(_ERASE, {**named, "sought": old})
    return len(too_many)


def find(
    connection: Connection, workspace: str, person: str, sought: UUID, *, at: datetime
) -> Draft | None:
    """The person's draft of that id; None if it is used, too old, or somebody else's."""
    row = connection.execute(
        _FIND,
        {
            "workspace": workspace,
            "author": person,
            "sought": sought,
            "forgotten": at - DRAFT_LIFE,
        },
    ).one_or_none()
    if row is None:
        return None
    return _draft_of(row)


def erase(connection: Connection, workspace: str, person: str, sought: UUID) -> int:
    """Erases the person's draft of that id, and returns the count: 0 or 1."""
    named = {"workspace": workspace, "author": person, "sought": sought}
    return connection.execute(_ERASE, named).rowcount


def withdraw(
    connection: Connection,
    workspace: str,
    incident: UUID,
    texts: Collection[str],
    *,
    authors: Collection[str],
) -> None:
    """Empties the drafts that may hold one of ``texts``, which ``authors`` wrote."""
    for row in connection.execute(_OF_WORKSPACE, {"workspace": workspace}).all():
        kept = _draft_of(row)
        if may_hold(kept, [*_texts_in(kept.body)], texts, incident=incident, authors=authors):
            named = {"workspace": workspace, "author": kept.person, "sought": kept.id}
            connection.execute(_EMPTY, named)


def forget(connection: Connection, *, at: datetime) -> int:
    """Erases the drafts that are older than `DRAFT_LIFE`, and returns their count."""
    return connection.execute(_FORGET, {"forgotten": at - DRAFT_LIFE}).rowcount


def _draft_of(row: Row[Any]) -> Draft:
    return Draft(
        id=row.id,
        workspace=row.workspace_id,
        person=row.person,
        at=row.at,
        incidents=frozenset(map(UUID, row.incidents.split())),
        body=row.body,
    )


def _texts_in(body: str) -> Iterator[str]:
    """Every text in ``body``: those of its JSON, or all of it if it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        found = body
    yield from _strings(found)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            # The kind of a request is a word of the program.
            for name, one in value.items():
                if name != "kind":
                    yield from _strings(one)
