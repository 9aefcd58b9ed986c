"""The tables of a store's database, read and changed with a connection of the test's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, inspect

from storage.store import SqlStore
from tests.patience import PATIENCE_SECONDS


@contextmanager
def _connected(store: SqlStore) -> Iterator[Connection]:
    url = store._database.engine.url  # noqa: SLF001 - nobody but a test needs it
    # The server holds the lock of SQLite while it commits, on a busy disk for long.
    options = {"timeout": PATIENCE_SECONDS} if store.kind == "sqlite" else {}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    with engine.begin() as connection:
        if store.kind == "sqlite":
            # Only the server may checkpoint.
            connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0").close()
        yield connection


def rows(store: SqlStore, statement: str) -> list[tuple[Any, ...]]:
    """The rows that ``statement`` selects."""
    with _connected(store) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def values(store: SqlStore, statement: str) -> list[Any]:
    """The first column of ``rows``."""
    return [row[0] for row in rows(store, statement)]


def change(store: SqlStore, *statements: str) -> None:
    """Runs ``statements`` in one transaction."""
    with _connected(store) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement).close()


def contents(store: SqlStore, tables: Iterable[str] | None = None) -> dict[str, list[Any]]:
    """All rows of ``tables`` (None: of all), sorted, by table."""
    with _connected(store) as connection:
        return {
            table: sorted(
                map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}")), key=repr
            )
            for table in tables or inspect(connection).get_table_names()
        }


def replace(store: SqlStore, contents: dict[str, list[Any]]) -> None:
    """Replaces all rows of the tables in ``contents``, in the order of the tables."""
    with _connected(store) as connection:
        run = connection.exec_driver_sql
        value = "?" if store.kind == "sqlite" else "%s"
        for table, lines in contents.items():
            run(f"DELETE FROM {table}")
            for line in lines:
                run(f"INSERT INTO {table} VALUES ({', '.join([value] * len(line))})", line)


def empty(store: SqlStore) -> None:
    """Deletes all rows, except those of the migrations."""
    with _connected(store) as connection:
        kept = ("alembic_version", "compatibility")
        run = connection.exec_driver_sql
        names = [name for name in inspect(connection).get_table_names() if name not in kept]
        if store.kind == "sqlite":
            for name in names:
                run(f"DELETE FROM {name}")
        else:
            run(f"TRUNCATE {', '.join(names)}")
