"""The benchmarks run, and their floor runs the same statements as the store."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks import databases, raw
from benchmarks.databases import ACTOR, NOTE, WAY
from core.commands import Change
from core.incident import Note
from core.service import Incidents

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
    )
    for what in (*measured, "burst of 200: median", "burst of 200: p99"):
        assert what in run.stdout


async def test_the_floor_runs_the_statements_of_the_store(tmp_path):
    database = databases.sqlite(tmp_path, "ratchet")
    ours, theirs = await databases.fill(database, open_=2, closed=1)
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
