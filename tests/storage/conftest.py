"""One suite, two databases: each test runs on an SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event

from core.service import Incidents
from storage.models import metadata
from storage.outbox import Outbox
from storage.store import SqlStore
from tests.builders import NINE, STATUS_CHANNEL, a_declaration, an_id
from tests.postgres import NoServer, Server

TABLES = tuple(metadata.tables)
SERVER = pytest.StashKey[Server]()
NOT_TESTED = pytest.StashKey[str]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Starts the server where tests ask for one; without any they are left out, and loudly."""
    if config.option.collectonly:
        return
    asking = [item for item in items if _kind(item) == "postgresql"]
    if not asking:
        return
    folder = Path(tempfile.mkdtemp(prefix="ratchet-pg-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    try:
        config.stash[SERVER] = server = Server(folder)
    except NoServer as error:
        config.stash[NOT_TESTED] = str(error)
        items[:] = [item for item in items if item not in asking]
        config.hook.pytest_deselected(items=asking)
    else:
        config.add_cleanup(server.stop)


def _kind(item):
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("kind") if callspec else None


def pytest_terminal_summary(terminalreporter, config):
    if reason := config.stash.get(NOT_TESTED, None):
        terminalreporter.section("PostgreSQL was NOT tested", sep="!", red=True, bold=True)
        terminalreporter.line(reason)


@pytest.fixture(scope="session")
def migrated(request, tmp_path_factory):
    """A migrated, empty database of each kind, to be copied: migrating costs more than a test."""
    made = {}

    def migrated(kind):
        if kind not in made:
            server = request.config.stash.get(SERVER, None)
            path = tmp_path_factory.mktemp("template") / "ratchet.db"
            made[kind] = path if kind == "sqlite" else server.database()
            store = SqlStore(f"sqlite:///{path}" if kind == "sqlite" else server.uri(made[kind]))
            store.migrate()
            store.close()
        return made[kind]

    return migrated


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def empty_url(kind, request, tmp_path):
    """The address of a database in which nothing is."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server = request.config.stash[SERVER]
    name = server.database()
    yield server.uri(name)
    server.drop(name)


@pytest.fixture
def url(kind, request, tmp_path, migrated):
    """The address of a migrated database in which nothing is."""
    if kind == "sqlite":
        shutil.copy(migrated("sqlite"), tmp_path / "ratchet.db")
        yield f"sqlite:///{tmp_path}/ratchet.db"
        return
    server = request.config.stash[SERVER]
    name = server.database(template=migrated("postgresql"))
    yield server.uri(name)
    server.drop(name)


@pytest.fixture
def opened(url):
    """Opens a store on the test's database: each is what another process would have."""
    stores = []

    def opened(**options):
        stores.append(SqlStore(url, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened(status_channel=STATUS_CHANNEL)


class Clock:
    def __init__(self) -> None:
        self.now: datetime = NINE

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def outbox(store):
    return Outbox(store)


@pytest.fixture
def declare(incidents):
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
    """Asks the database itself, past everything that is ours: ``rows("SELECT …")``."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def rows(statement, parameters=()):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]

    yield rows
    engine.dispose()


@pytest.fixture
def contents(rows):
    """Everything that the database holds, table by table, in one value to compare."""

    def contents():
        return {table: sorted(map(repr, rows(f"SELECT * FROM {table}"))) for table in TABLES}

    return contents


@pytest.fixture
def on_statement():
    """Calls a function with each statement of a store, before the database gets it.

    What the function raises comes out of the statement.
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
