"""API keys: who may speak over HTTP, for which workspace, and how far.

The store keeps the SHA-256 of a key and its prefix, never the key: whoever reads the database
cannot speak with what stands there. A key is shown once, by `create`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, select, update

from storage.models import api_key, keep_workspace
from storage.queries import AnyRow, SqlReader

SHAPE = re.compile(r"rk_live_(?P<id>[0-9a-f]{8})[0-9a-f]{32}")

# What a key is compared with where its prefix is nobody's, so that this takes no less time.
NOBODYS = hashlib.sha256(b"").hexdigest()


class KeyScope(StrEnum):
    """What a key may do. Each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    PUBLISH = "publish"
    ADMIN = "admin"

    def includes(self, other: KeyScope) -> bool:
        """Whether a key of this scope may do what one of ``other`` may."""
        order = list(KeyScope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key as it is known after it was made. ``id`` is the part of it that may be shown."""

    id: str
    workspace: str
    name: str
    scope: KeyScope
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """How the key begins: what people find it by in their own settings."""
        return f"rk_live_{self.id}"


_KEY = select(
    api_key.c.id,
    api_key.c.workspace_id,
    api_key.c.name,
    api_key.c.scope,
    api_key.c.created_at,
    api_key.c.revoked_at,
)
_BY_ID = _KEY.add_columns(api_key.c.digest).where(api_key.c.id == bindparam("key"))
_ALL = _KEY.order_by(api_key.c.workspace_id, api_key.c.created_at, api_key.c.id)
_INSERT = api_key.insert()
_REVOKE = (
    update(api_key)
    .where(api_key.c.id == bindparam("key"), api_key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


def create(
    reader: SqlReader, *, workspace: str, name: str, scope: KeyScope, at: datetime
) -> tuple[Key, str]:
    """A new key of ``workspace``, and the only sight of it that anybody will have."""
    whole = f"rk_live_{secrets.token_hex(20)}"
    key = Key(
        id=whole.removeprefix("rk_live_")[:8],
        workspace=workspace,
        name=name,
        scope=scope,
        created_at=at,
    )
    connection = reader.connection
    connection.execute(keep_workspace[connection.dialect.name], {"id": workspace})
    connection.execute(
        _INSERT,
        {
            "workspace_id": workspace,
            "id": key.id,
            "name": name,
            "scope": scope.value,
            "digest": _digest(whole),
            "created_at": at,
        },
    )
    return key, whole


def find(reader: SqlReader, presented: str) -> Key | None:
    """The key that ``presented`` is, None where it is none or was revoked."""
    shape = SHAPE.fullmatch(presented)
    row = shape and reader.connection.execute(_BY_ID, {"key": shape["id"]}).first()
    same = hmac.compare_digest(row.digest if row else NOBODYS, _digest(presented))
    return _key(row) if row and same and row.revoked_at is None else None


def every(reader: SqlReader) -> tuple[Key, ...]:
    """All keys, revoked ones too, by workspace and age."""
    return tuple(_key(row) for row in reader.connection.execute(_ALL))


def revoke(reader: SqlReader, key: str, *, at: datetime) -> Key | None:
    """The key of that id, which opens nothing from now on; None where there is none."""
    reader.connection.execute(_REVOKE, {"key": key, "at": at})
    row = reader.connection.execute(_BY_ID, {"key": key}).first()
    return _key(row) if row else None


def _digest(whole: str) -> str:
    # What is presented may be any header, and a header any bytes.
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: AnyRow) -> Key:
    return Key(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        scope=KeyScope(row.scope),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
