"""The database that ``DATABASE_URL`` names."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from core.store import StoreUnavailable
from storage.databases.postgresql import PostgreSQL
from storage.databases.sqlite import SQLite

Database = SQLite | PostgreSQL


def database(url: str) -> Database:
    """The database at ``url``: ``sqlite:///…``, ``postgresql://…`` or ``postgres://…``.

    Raises:
        StoreUnavailable: ``url`` names no database that can be used.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        raise StoreUnavailable("DATABASE_URL is no address of a database") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return SQLite(parsed)
        case "postgresql" | "postgres":
            return PostgreSQL(parsed)
        case _:
            raise StoreUnavailable(
                "DATABASE_URL must be sqlite:///<file> or postgresql://<user>@<host>/<name>"
            )
