"""One suite, two databases: each test runs on an SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import Engine, create_engine, event

from core.service import Incidents
from storage.models import metadata
from storage.outbox import Outbox
from storage.snapshot import connection_of
from storage.store import SqlStore
from tests.builders import (
    STATUS_CHANNEL,
    a_declaration,
    an_id,
    the_settings,
)
from tests.patience import GLANCE_SECONDS

TABLES = tuple(metadata.tables)
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def empty_url(kind, a_database):
    """The address of a database with no tables."""
    with a_database(kind, empty=True) as url:
        yield url


@pytest.fixture
def url(kind, a_database):
    """The address of a migrated, empty database."""
    with a_database(kind) as url:
        yield url


@pytest.fixture
def opened(url):
    """Opens a store on the test's database; a second one stands for another process."""
    stores = []

    def opened(status_channel=None, **options):
        defaults = the_settings(status_channel=status_channel)
        stores.append(SqlStore(url, defaults=defaults, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened(status_channel=STATUS_CHANNEL)


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def outbox(store):
    return Outbox(store)


@pytest.fixture
def declare(incidents):
    return declaring(incidents)


def declaring(incidents):
    """Declares an incident, each with an id of its own."""
    count = 0

    async def declare(**changes):
        nonlocal count
        count += 1
        outcome = await incidents.execute(a_declaration(**{"id": an_id(count)} | changes))
        return outcome.incident

    return declare


@pytest.fixture
def rows(url):
    """The rows of a statement, with a connection of the test's own: ``rows("SELECT …")``."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def rows(statement, parameters=()):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]

    yield rows
    engine.dispose()


@pytest.fixture
def contents(rows):
    """All rows of all tables, in one value to compare."""

    def contents():
        return {table: sorted(map(repr, rows(f"SELECT * FROM {table}"))) for table in TABLES}

    return contents


@pytest.fixture
def on_statement():
    """Calls a function with each statement of a store, before the database gets it.

    An error of the function becomes the statement's.
    """
    listening = []

    def on_statement(look):
        def listener(_connection, _cursor, statement, _parameters, _context, _many):
            if threading.current_thread().name.startswith("store-"):
                look(statement)

        event.listen(Engine, "before_cursor_execute", listener)
        listening.append(listener)

    yield on_statement
    for listener in listening:
        event.remove(Engine, "before_cursor_execute", listener)


@pytest.fixture
def blocked(store, kind):
    """Waits until a task is done, or its transaction waits for another one."""

    def waits(reader):
        return connection_of(reader).exec_driver_sql(BLOCKED).scalar_one()

    async def blocked(task):
        # SQLite has one writer, and the other transaction has it.
        while kind == "postgresql" and not task.done() and not await store.read(waits):
            await asyncio.wait({task}, timeout=GLANCE_SECONDS)

    return blocked
