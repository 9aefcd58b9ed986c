"""API keys: each speaks over HTTP for one workspace, as far as its scope allows.

The store keeps the SHA-256 of a key and its prefix, never the key, so a copy of the database opens
nothing. A key is shown once, by `create`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, exists, or_, select, update

from storage.models import api_key, component, page, webhook, workspace
from storage.queries import SqlReader
from storage.rows import AnyRow
from storage.snapshot import connection_of
from storage.statements import KEEP_WORKSPACE
from storage.transactions import SqlTransaction

SHAPE = re.compile(r"rk_live_(?P<id>[0-9a-f]{8})[0-9a-f]{32}")

# An unknown prefix is compared with this digest, so that it takes as long as a known one.
NOBODYS = hashlib.sha256(b"").hexdigest()


class KeyScope(StrEnum):
    """The rights of a key. Each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    PUBLISH = "publish"
    ADMIN = "admin"

    def includes(self, other: KeyScope) -> bool:
        """Whether this scope has all rights of ``other``."""
        order = list(KeyScope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key without its secret. ``id`` is the part that may be shown.

    ``leak_guard``: public texts are looked at before they are taken from it.
    """

    id: str
    workspace: str
    name: str
    scope: KeyScope
    created_at: datetime
    revoked_at: datetime | None = None
    leak_guard: bool = False

    @property
    def prefix(self) -> str:
        """The beginning of the key, by which people find it in their own settings."""
        return f"rk_live_{self.id}"


_KEY = select(
    api_key.c.id,
    api_key.c.workspace_id,
    api_key.c.name,
    api_key.c.scope,
    api_key.c.created_at,
    api_key.c.revoked_at,
    api_key.c.leak_guard,
)
_BY_ID = _KEY.add_columns(api_key.c.digest).where(api_key.c.id == bindparam("key"))
_ALL = _KEY.order_by(api_key.c.workspace_id, api_key.c.created_at, api_key.c.id)
_KNOWN_WORKSPACES = (
    select(workspace.c.id)
    .where(
        or_(
            workspace.c.last_number > 0,
            workspace.c.status_channel.is_not(None),
            workspace.c.settings_version.is_not(None),
            workspace.c.kept_page.is_not(None),
            workspace.c.subscriptions.is_not(None),
            *(
                exists().where(table.c.workspace_id == workspace.c.id)
                for table in (page, component, webhook)
            ),
        )
    )
    .order_by(workspace.c.id)
)
_INSERT = api_key.insert()
_REVOKE = (
    update(api_key)
    .where(api_key.c.id == bindparam("key"), api_key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


def create(
    tx: SqlTransaction,
    *,
    workspace: str,
    name: str,
    scope: KeyScope,
    at: datetime,
    leak_guard: bool = False,
) -> tuple[Key, str]:
    """A new key of ``workspace``, with the whole key: it cannot be read again."""
    whole = f"rk_live_{secrets.token_hex(20)}"
    key = Key(
        id=whole.removeprefix("rk_live_")[:8],
        workspace=workspace,
        name=name,
        scope=scope,
        created_at=at,
        leak_guard=leak_guard,
    )
    connection = connection_of(tx)
    connection.execute(KEEP_WORKSPACE[connection.dialect.name], {"id": workspace})
    connection.execute(
        _INSERT,
        {
            "workspace_id": workspace,
            "id": key.id,
            "name": name,
            "scope": scope.value,
            "digest": _digest(whole),
            "created_at": at,
            "leak_guard": leak_guard or None,
        },
    )
    return key, whole


def find(reader: SqlReader, presented: str) -> Key | None:
    """The key that ``presented`` spells, None if there is no such key or it was revoked."""
    shape = SHAPE.fullmatch(presented)
    row = shape and connection_of(reader).execute(_BY_ID, {"key": shape["id"]}).first()
    same = hmac.compare_digest(row.digest if row else NOBODYS, _digest(presented))
    return _key(row) if row and same and row.revoked_at is None else None


def every(reader: SqlReader) -> tuple[Key, ...]:
    """All keys, revoked ones too, by workspace and age."""
    return tuple(_key(row) for row in connection_of(reader).execute(_ALL))


def known_workspaces(reader: SqlReader) -> tuple[str, ...]:
    """The workspaces with anything of their own but keys, by id: incidents, settings, a page.

    A key is not enough: one that was made for a wrong id would make it known.
    """
    return tuple(connection_of(reader).execute(_KNOWN_WORKSPACES).scalars())


def revoke(tx: SqlTransaction, key: str, *, at: datetime) -> Key | None:
    """The key with the id ``key``, revoked from now on; None if there is none."""
    connection = connection_of(tx)
    connection.execute(_REVOKE, {"key": key, "at": at})
    row = connection.execute(_BY_ID, {"key": key}).first()
    return _key(row) if row else None


def _digest(whole: str) -> str:
    # A client may present any header, and a header may hold any bytes.
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: AnyRow) -> Key:
    return Key(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        scope=KeyScope(row.scope),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        leak_guard=bool(row.leak_guard),
    )
