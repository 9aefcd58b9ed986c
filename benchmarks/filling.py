"""Databases filled by SQL with copies of real incidents: through the service they take hours."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.databases import ACTOR, CHANNEL, NOTE, WAY, WORKSPACE, Database, now
from core.commands import Change, Declare
from core.incident import Note, Place, PublicText
from core.lifecycle import STATUSPAGE
from core.service import Incidents

# Between one declaration and the next: a thousand of them fill the 90 days of the status page.
HOURS_APART = 3
# The numbers of the incidents that are made by the service, and then copied.
CLOSED, OPEN = 1, 2
# The tables that have rows of an incident, with the order of its rows; parents come first.
TABLES = {
    "incident": "number",
    "incident_update": "entry",
    "incident_component": "position",
    "tagging": "entry",
}
# A copy is as much older than its original in all its moments.
MOMENTS = (
    "created_at",
    "started_at",
    "updated_at",
    "over_at",
    "at",
    "public_at",
    "redacted_at",
    "next_update_by",
)


async def fill(
    database: Database, *, open_: int, closed: int, hours_apart: int = HOURS_APART
) -> range:
    """Migrate and fill an empty database; returns the numbers of the open incidents.

    One open and one closed incident are made by the service and copied in SQL, so the rows are
    those that Ratchet writes, with all indexes. One was declared every ``hours_apart``, the last
    one now. The ids are random; in use, those of entries are derived, but they are in no index. A
    closed incident has a component, seven entries and nothing left to deliver.
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
    first = OPEN + 1
    with _filler(database) as filler:
        with filler.in_bulk():
            filler.copy(CLOSED, range(first, first + closed), hours_apart)
            filler.copy(OPEN, range(first + closed, first + closed + open_), hours_apart)
        filler.settle()
    return range(first + closed, first + closed + open_)


def open_more(database: Database, count: int) -> range:
    """Adds open incidents to a database that may be in use; returns their numbers.

    Their moments are those of the one that the service made.
    """
    with _filler(database) as filler:
        last = filler.last_number()
        filler.copy(OPEN, range(last + 1, last + 1 + count), 0)
    return range(last + 1, last + 1 + count)


def lengthen(database: Database, number: int, entries: int) -> None:
    """Gives the open incident ``number`` so many entries: notes and public updates in turn."""
    with _filler(database) as filler:
        filler.lengthen(number, entries)


@contextlib.contextmanager
def _filler(database: Database) -> Iterator[_Filler]:
    with contextlib.closing(database.connect()) as connection:
        yield (_Sqlite if database.is_sqlite else _Postgresql)(connection)


class _Filler(ABC):
    """Statements over a connection of the driver, in the words of its database."""

    BEGIN: str
    RANDOM_ID: str
    # The name of a moment of the original, moved by the shift of the copy.
    MOVED: str

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @abstractmethod
    def in_bulk(self) -> contextlib.AbstractContextManager[None]:
        """For very many copies in a database that nobody else uses."""

    @abstractmethod
    def settle(self) -> None:
        """Brings the database into the state of one that has been in use for a long time."""

    @abstractmethod
    def shift(self, hours: str) -> str:
        """The expression of a time of ``hours``, itself an expression."""

    @abstractmethod
    def in_order(self, statement: str, order: str) -> str:
        """``statement`` with its rows in the order of their key: a tree grows fast at its end."""

    def copy(self, template: int, numbers: range, hours_apart: int) -> None:
        """Copies the incident ``template`` to ``numbers``, the last one with its own moments."""
        if not numbers:
            return
        first, last = numbers[0], numbers[-1]
        with self._transaction():
            self.connection.execute(
                "CREATE TEMPORARY TABLE copied AS WITH RECURSIVE n(number) AS "
                f"(SELECT {first} UNION ALL SELECT number + 1 FROM n WHERE number < {last}) "
                f"SELECT number, {self.RANDOM_ID} AS id, "
                f"{self.shift(f'(number - {last}) * {hours_apart}')} AS shift FROM n ORDER BY id"
            )
            self.connection.execute("CREATE INDEX copied_by_id ON copied (id)")
            self.connection.execute("ANALYZE copied")
            for table, order in TABLES.items():
                self._copy_rows(table, order, template)
            self.connection.execute("DROP TABLE copied")
            self.connection.execute(
                f"UPDATE workspace SET last_number = {last} WHERE last_number < {last}"
            )

    def _copy_rows(self, table: str, order: str, template: int) -> None:
        changed = {name: self.MOVED.format(name) for name in MOMENTS}
        if table == "incident":
            of, by = f"original.number = {template}", "copied.number"
            changed |= {"id": "copied.id", "number": "copied.number"}
        else:
            of = f"original.incident_id = (SELECT id FROM incident WHERE number = {template})"
            by = f"copied.id, original.{order}"
            changed |= {"id": self.RANDOM_ID, "incident_id": "copied.id"}
        into, values = self._columns(table, changed)
        self.connection.execute(
            self.in_order(
                f"INSERT INTO {table} ({into}) SELECT {values} FROM copied CROSS JOIN {table} AS "
                f"original WHERE original.workspace_id = '{WORKSPACE}' AND {of}",
                by,
            )
        )

    def last_number(self) -> int:
        """The number of the newest incident."""
        found: int = self.connection.execute("SELECT max(number) FROM incident").fetchone()[0]
        return found

    def lengthen(self, number: int, entries: int) -> None:
        """Gives an incident so many entries."""
        into, values = self._columns("incident_update", {"id": self.RANDOM_ID, "entry": "n.entry"})
        with self._transaction():
            self.connection.execute(
                "WITH RECURSIVE n(entry) AS (SELECT 4 UNION ALL "
                f"SELECT entry + 1 FROM n WHERE entry < {entries}) "
                f"INSERT INTO incident_update ({into}) SELECT {values} "
                "FROM incident_update AS original, n WHERE original.entry = 2 + n.entry % 2 AND "
                f"original.incident_id = (SELECT id FROM incident WHERE number = {number})"
            )
            self.connection.execute(
                f"UPDATE incident SET last_entry = {entries} WHERE number = {number}"
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute(self.BEGIN)
        yield
        self.connection.execute("COMMIT")

    def _columns(self, table: str, changed: dict[str, str]) -> tuple[str, str]:
        """The columns of ``table`` and their values: those of the original, except ``changed``."""
        found = self.connection.execute(f"SELECT * FROM {table} LIMIT 0").description
        names = [column[0] for column in found]
        return ", ".join(names), ", ".join(changed.get(name, f"original.{name}") for name in names)


class _Sqlite(_Filler):
    # At once for writing: after a read the writes of a server in between are a conflict.
    BEGIN = "BEGIN IMMEDIATE"
    RANDOM_ID = "lower(hex(randomblob(16)))"
    # Its functions know milliseconds, so the microseconds go around them.
    MOVED = "datetime(substr(original.{0}, 1, 19), copied.shift) || substr(original.{0}, 20)"

    @contextlib.contextmanager
    def in_bulk(self) -> Iterator[None]:
        # A database that is filled only half is thrown away.
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "foreign_keys = OFF",
            "cache_size = -500000",
            "temp_store = MEMORY",
        ):
            self.connection.execute(f"PRAGMA {pragma}").close()
        yield
        self.connection.execute("PRAGMA journal_mode = WAL").close()

    def settle(self) -> None:
        # What is written to disk later would slow down what is measured then.
        path = self.connection.execute("PRAGMA database_list").fetchone()[2]
        with Path(path).open("rb+") as file:
            os.fsync(file.fileno())

    def shift(self, hours: str) -> str:
        return f"({hours}) || ' hours'"

    def in_order(self, statement: str, order: str) -> str:
        # CROSS JOIN keeps the loops in this order; sorting would write everything twice.
        return statement if "original." in order else f"{statement} ORDER BY {order}"


class _Postgresql(_Filler):
    BEGIN = "BEGIN"
    RANDOM_ID = "gen_random_uuid()"
    MOVED = "original.{} + copied.shift"

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        connection.autocommit = True

    @contextlib.contextmanager
    def in_bulk(self) -> Iterator[None]:
        # Foreign keys hold in the original, and so in the copies.
        self.connection.execute("SET session_replication_role = replica")
        yield

    def settle(self) -> None:
        self.connection.execute("VACUUM (ANALYZE)")
        self.connection.execute("CHECKPOINT")

    def shift(self, hours: str) -> str:
        return f"({hours}) * interval '1 hour'"

    def in_order(self, statement: str, order: str) -> str:
        return f"{statement} ORDER BY {order}"
