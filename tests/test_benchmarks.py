"""The benchmarks run, and their floor runs the same statements as the store."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks import databases, filling, raw
from benchmarks.databases import ACTOR, NOTE, WAY, Database
from core.commands import Change
from core.incident import Note
from core.service import Incidents
from storage import audit, models

# Of each connection, and of transactions that wait together.
ONLY_OURS = ("PRAGMA", "SAVEPOINT", "RELEASE")
VALUE = re.compile(r"'[^']*'|\b(NULL|[0-9]+)\b")


@pytest.mark.torture
def test_every_measure_of_the_benchmarks_runs():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    measured = (
        "SQLite",
        "PostgreSQL",
        "signed /incident status",
        "no-op Bolt",
        "list open",
        "API, a day",
        "the whole page",
        "static file",
        "10,000 readers",
        "readers of a file",
    )
    for what in (*measured, "burst of 200: median", "burst of 200: p99"):
        assert what in run.stdout


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, a_database):
    with a_database(request.param) as url:
        yield Database(url)


async def test_the_copies_of_an_incident_have_the_rows_that_the_store_wrote(database):
    open_ = await filling.fill(database, open_=1, closed=3, hours_apart=5)
    more = filling.open_more(database, 2)

    assert (list(open_), list(more)) == ([6], [7, 8])
    closed, still_open = (rows_of(database, one) for one in (filling.CLOSED, filling.OPEN))
    assert set(closed) == set(filling.TABLES)
    for number, original, hours in (
        (3, closed, 10),
        (4, closed, 5),
        (5, closed, 0),
        (6, still_open, 0),
        (7, still_open, 0),
        (8, still_open, 0),
    ):
        assert rows_of(database, number) == at_other_moments(original, timedelta(hours=hours))


async def test_the_audit_finds_copies_that_tell_a_sound_story(database):
    await filling.fill(database, open_=2, closed=3)
    filling.open_more(database, 2)

    with database.store() as store:
        found = store.read_now(lambda reader: {one.text for one in audit.findings(reader)})

    # Nothing was sent for the copies, and the ids of their entries are random.
    assert {one for one in found if not re.search("the id of another|card|posted", one)} == set()


def rows_of(database, number):
    """The rows of an incident in each table that has any, except messages and its own ids."""
    found = {}
    with contextlib.closing(database.connect()) as connection:
        (id_,) = connection.execute(f"SELECT id FROM incident WHERE number = {number}").fetchone()
        for table in models.metadata.sorted_tables:
            key = {"incident": "id"}.get(table.name, "incident_id")
            if key not in table.c or table is models.outbox:
                continue
            names = [one.name for one in table.c if one.name not in {"id", key, "number"}]
            order = ", ".join(one.name for one in table.primary_key if one.name != key)
            mine = f"FROM {table.name} WHERE {key} = '{id_}' ORDER BY {order}"
            rows = connection.execute(f"SELECT {', '.join(names)} {mine}").fetchall()
            if rows:
                found[table.name] = [
                    {
                        name: read(table.c[name], value)
                        for name, value in zip(names, row, strict=True)
                    }
                    for row in rows
                ]
    return found


def read(column, value):
    is_text = isinstance(column.type, models.UtcDateTime) and isinstance(value, str)
    return datetime.fromisoformat(value) if is_text else value


def at_other_moments(rows, shift):
    """``rows`` with all their moments earlier by ``shift``."""
    return {
        table: [
            {
                name: value - shift if isinstance(value, datetime) else value
                for name, value in row.items()
            }
            for row in found
        ]
        for table, found in rows.items()
    }


async def test_the_floor_runs_the_statements_of_the_store(tmp_path):
    database = databases.sqlite(tmp_path, "ratchet")
    ours, theirs = await filling.fill(database, open_=2, closed=1)
    asked = [await asked_by_the_store(database, ours, to) for to in WAY]
    with contextlib.closing(database.connect()) as connection:
        floor = raw.Raw(database)
        asked_raw = [asked_by_the_floor(connection, floor, theirs, to) for to in WAY]

    assert asked_raw == asked


async def asked_by_the_store(database, number, to):
    statements = []

    def listen(connection, _record):
        connection.set_trace_callback(statements.append)

    event.listen(Engine, "connect", listen)
    try:
        with database.store() as store:
            statements.clear()  # it has looked whether it must migrate
            incidents = Incidents(store, clock=databases.now, wake=lambda: None)
            await incidents.execute(Change(actor=ACTOR, ref=number, to=to, note=Note(NOTE)))
    finally:
        event.remove(Engine, "connect", listen)
    return [shape_of(one) for one in statements if not one.startswith(ONLY_OURS)]


def asked_by_the_floor(connection, floor, number, to):
    statements = []
    connection.set_trace_callback(statements.append)
    floor.move(connection, number, to)
    return [shape_of(statement) for statement in statements]


def shape_of(statement):
    """A statement without its values and its layout."""
    return re.sub(r"\s+", " ", VALUE.sub("?", statement)).strip()
