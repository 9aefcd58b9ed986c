"""Requests that clients may repeat: each is done once, and its answer is given again for a day.

A request is claimed in a transaction of its own, and answered in the transaction of its change. If
the process dies between the two, nothing was done, and after `ABANDONED_AFTER` another attempt may
take the claim. An attempt that was only slow loses its claim so, and its change is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from core.store import ClaimLost, Receipt
from storage.models import idempotency
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.statements import upsert

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request with an ``Idempotency-Key``: ``name`` is the header, ``key`` the API key's id.

    ``digest`` is the SHA-256 of everything that decides its effect.
    """

    workspace: str
    key: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request is not answered yet: the caller does it, and answers with this claim."""

    claim: UUID


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer. ``body`` None: the text in it has been withdrawn since."""

    status: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """Another attempt at the request is under way."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The client used the same name for a different request."""


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


_CLAIM = upsert(_claim)
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
_WITHDRAW_ALL = (
    update(idempotency)
    .where(
        idempotency.c.workspace_id == bindparam("workspace"),
        idempotency.c.body.contains(bindparam("incident")),
    )
    .values(body=None)
)
_FORGET = delete(idempotency).where(idempotency.c.claimed_at <= bindparam("forgotten"))


def claim(
    reader: SqlReader, request: KeyedRequest, *, at: datetime
) -> Admitted | Answered | Running | Reused:
    """Admits ``request``, or says how far an earlier attempt has come."""
    connection = connection_of(reader)
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
    """Writes the answer, which every repetition will get.

    Raises:
        ClaimLost: the request is answered, or another attempt holds the claim.
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
    """Frees a request that failed without a lasting answer: the next attempt may start at once."""
    connection_of(reader).execute(_GIVE_BACK, {"mine": claim})


def withdraw(connection: Connection, workspace: str, update: UUID) -> None:
    """Erases the body of each answer that holds the text of ``update``."""
    connection.execute(_WITHDRAW, {"workspace": workspace, "update": update})


def withdraw_all(connection: Connection, workspace: str, incident: UUID) -> None:
    """Erases the body of each answer that names ``incident``, whichever text it holds."""
    connection.execute(_WITHDRAW_ALL, {"workspace": workspace, "incident": str(incident)})


def forget(reader: SqlReader, *, at: datetime) -> int:
    """Deletes the requests that are older than `KEPT_FOR`, and returns their count."""
    forgotten = connection_of(reader).execute(_FORGET, {"forgotten": at - KEPT_FOR})
    return forgotten.rowcount
