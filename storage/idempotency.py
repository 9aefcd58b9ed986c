"""Requests that may come again: each is admitted once, and its first answer given again for a day.

A request is claimed in a transaction of its own, and answered in the transaction of what it does.
Whoever dies between the two has done nothing, and after `ABANDONED_AFTER` the claim is another's.
Whoever was only slow finds the claim gone when they come to answer, and what they did is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.service import ClaimLost, Receipt
from storage.models import idempotency
from storage.queries import SqlReader

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """What a client names by an ``Idempotency-Key``: ``name`` is the header, ``key`` the API key's.

    ``digest`` is the SHA-256 of all that decides what the request does.
    """

    workspace: str
    key: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Nobody has answered the request yet; whoever does, does it under this claim."""

    claim: UUID


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered the first time. ``body`` None: its text has been withdrawn since."""

    status: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """Somebody is answering the request."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The name belongs to another request."""


def _claim(insert: Any) -> Any:
    offered = insert(idempotency)
    return offered.on_conflict_do_update(
        index_elements=[
            idempotency.c.workspace_id,
            idempotency.c.key_id,
            idempotency.c.name,
        ],
        set_={
            "digest": offered.excluded.digest,
            "claim": offered.excluded.claim,
            "claimed_at": offered.excluded.claimed_at,
            "status": None,
            "body": None,
            "about": None,
        },
        where=or_(
            idempotency.c.claimed_at <= bindparam("forgotten"),
            and_(
                idempotency.c.status.is_(None),
                idempotency.c.claimed_at <= bindparam("abandoned"),
                idempotency.c.digest == offered.excluded.digest,
            ),
        ),
    ).returning(idempotency.c.claim)


_CLAIM = {"sqlite": _claim(sqlite.insert), "postgresql": _claim(postgresql.insert)}
_FIND = select(idempotency.c.digest, idempotency.c.status, idempotency.c.body).where(
    idempotency.c.workspace_id == bindparam("workspace"),
    idempotency.c.key_id == bindparam("key"),
    idempotency.c.name == bindparam("request"),
)
_is_mine = and_(idempotency.c.claim == bindparam("mine"), idempotency.c.status.is_(None))
_KEEP = (
    update(idempotency)
    .where(_is_mine)
    .values(status=bindparam("answered"), body=bindparam("answer"), about=bindparam("update"))
)
_GIVE_BACK = delete(idempotency).where(_is_mine)
_WITHDRAW = (
    update(idempotency)
    .where(
        idempotency.c.workspace_id == bindparam("workspace"),
        idempotency.c.about == bindparam("update"),
    )
    .values(body=None)
)
_FORGET = delete(idempotency).where(idempotency.c.claimed_at <= bindparam("forgotten"))


def claim(
    reader: SqlReader, request: KeyedRequest, *, at: datetime
) -> Admitted | Answered | Running | Reused:
    """Admits ``request``, or says what has become of it."""
    connection = reader.connection
    admitted = connection.execute(
        _CLAIM[connection.dialect.name],
        {
            "workspace_id": request.workspace,
            "key_id": request.key,
            "name": request.name,
            "digest": request.digest,
            "claim": uuid4(),
            "claimed_at": at,
            "forgotten": at - KEPT_FOR,
            "abandoned": at - ABANDONED_AFTER,
        },
    ).scalar()
    if admitted is not None:
        return Admitted(admitted)
    digest, status, body = connection.execute(
        _FIND, {"workspace": request.workspace, "key": request.key, "request": request.name}
    ).one()
    if digest != request.digest:
        return Reused()
    return Running() if status is None else Answered(status, body)


def keep(connection: Connection, receipt: Receipt) -> None:
    """Writes the answer that every repetition will get.

    Raises:
        ClaimLost: it was given, or somebody else gives it.
    """
    kept = connection.execute(
        _KEEP,
        {
            "mine": receipt.claim,
            "answered": receipt.status,
            "answer": receipt.body,
            "update": receipt.about,
        },
    )
    if kept.rowcount != 1:
        raise ClaimLost


def give_back(reader: SqlReader, claim: UUID) -> None:
    """Lets the next one try at once, where a request failed without an answer that would stand."""
    reader.connection.execute(_GIVE_BACK, {"mine": claim})


def withdraw(connection: Connection, workspace: str, update: UUID) -> None:
    """Takes away the answers that hold the text of ``update``."""
    connection.execute(_WITHDRAW, {"workspace": workspace, "update": update})


def forget(reader: SqlReader, *, at: datetime) -> int:
    """Deletes what nobody may ask for again; how many."""
    forgotten = reader.connection.execute(_FORGET, {"forgotten": at - KEPT_FOR})
    return forgotten.rowcount
