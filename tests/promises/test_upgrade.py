"""While servers are upgraded one by one, old and new code work side by side on one schema."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
import time
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    DateTime,
    Integer,
    MetaData,
    NullPool,
    Uuid,
    bindparam,
    create_engine,
    inspect,
    text,
)
from sqlalchemy.exc import OperationalError

from bot.sandbox import Limits
from core.incident import update_id
from storage import audit, migrations
from storage.store import SqlStore, UnknownSchema
from tests import tables
from tests.builders import NINE
from tests.patience import GLANCE_SECONDS, PATIENCE_SECONDS, until
from tests.ports import a_free_port, listening
from tests.promises import processes
from tests.promises.conftest import environment, settle, tell
from tests.promises.processes import Ledger, delivered, people_at_work, violations
from tests.standin import a_standin
from tests.watchdog import WATCHDOG

ROOT = Path(__file__).parents[2]


def engine(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)


def migrate(url, revision):
    with engine(url).begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        command.upgrade(migrations._config(connection), revision)  # noqa: SLF001


def revisions(url):
    with engine(url).begin() as connection:
        script = ScriptDirectory.from_config(migrations._config(connection))  # noqa: SLF001
        return [revision.revision for revision in script.walk_revisions()][::-1]


def columns(url):
    """Every column of every table, as the code of that schema reads and writes them."""
    return {
        table: {each["name"]: {**each, "type": str(each["type"])} for each in found}
        for (_, table), found in inspect(engine(url)).get_multi_columns().items()
    }


def oldest_code(url):
    with engine(url).connect() as connection:
        return migrations.oldest_code(connection)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_migration_leaves_older_code_its_columns(kind, empty_url):
    """The code before, and all older code that the schema allows."""
    seen = {}
    for revision in revisions(empty_url):
        migrate(empty_url, revision)
        after = columns(empty_url)
        before = max(seen, default=revision)
        oldest = oldest_code(empty_url) or before
        assert oldest <= before
        older = [known.items() for step, known in seen.items() if step >= oldest]
        seen[revision] = after

        for table, known in chain.from_iterable(older):
            # Every column of the old code is still there, of the same type.
            assert {name: after[table][name]["type"] for name in known} == {
                name: column["type"] for name, column in known.items()
            }
            # Columns that are new to it need no value.
            for name in after[table].keys() - known.keys():
                new = after[table][name]
                assert new["nullable"] or new["default"] is not None, f"{table}.{name}"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("may", [True, False], ids=["that may", "that may not"])
async def test_older_code_starts_only_on_a_newer_schema_that_allows_it(
    may, kind, database_url, start, clock, mia
):
    newest = revisions(database_url)[-1]
    with engine(database_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        oldest = {"oldest": newest if may else "9998"}
        connection.execute(text("UPDATE compatibility SET oldest = :oldest"), oldest)
        connection.execute(text("ALTER TABLE incident_update ADD COLUMN mood VARCHAR"))
    if not may:
        with (
            closing(SqlStore(database_url)) as store,
            pytest.raises(UnknownSchema, match="Upgrade Ratchet"),
        ):
            store.open_for_serving()
        return
    async with start() as app:
        await tell(mia, "declare Checkout is down", "note 1 kept", "update 1 Cards are refused.")
        await settle(app, clock)
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
    assert revision_of(database_url) == "9999"


def test_migrations_lose_no_row(empty_url):
    steps = revisions(empty_url)
    migrate(empty_url, steps[0])
    with engine(empty_url).begin() as connection:
        connection.execute(text("INSERT INTO workspace (id, last_number) VALUES ('T1', 0)"))
    migrate(empty_url, "head")

    with engine(empty_url).begin() as connection:
        assert connection.execute(text("SELECT id FROM workspace")).scalars().all() == ["T1"]


INCIDENT = """
INSERT INTO incident (workspace_id, id, number, title, severity, lifecycle, status, public_word,
    is_open, private, declared_by_id, declared_by_name, component_count, channel_private,
    started_at, created_at, updated_at, version, last_entry)
VALUES ('T1', :id, :number, 'Slow', 'high', 'd', 's', 'monitoring', :is_open, false, 'U1', 'Mia', 0,
    false, :at, :at, :at, 1, 1)
"""
POSTED = """
INSERT INTO posted (workspace_id, incident_id, surface, channel, entry, posted_in, ts)
VALUES ('T1', :id, :surface, 'C1', 0, 'C1', :ts)
"""


MOVED = """
INSERT INTO incident_update (workspace_id, incident_id, entry, id, kind, visibility, by_id, by_name,
    at, old, new)
VALUES ('T1', :id, 2, :id, 'moved', 'internal', 'U1', 'Mia', :at, 'monitoring', 's')
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_page_finds_what_ended_lately_before_the_upgrade(kind, empty_url):
    migrate(empty_url, "0014")
    names = (bindparam("id", type_=Uuid), bindparam("at", type_=DateTime))
    now = datetime.now(UTC)
    with engine(empty_url).begin() as connection:
        connection.execute(text("INSERT INTO workspace (id, last_number) VALUES ('T1', 2)"))
        lifecycle = "INSERT INTO lifecycle (digest, name, definition) VALUES ('d', 'n', 't')"
        connection.execute(text(lifecycle))
        for number, days in ((1, 13), (2, 90)):
            facts = {"id": uuid4(), "at": now - timedelta(days=days)}
            incident = text(INCIDENT.replace("'monitoring'", "'resolved'")).bindparams(*names)
            connection.execute(incident, {**facts, "number": number, "is_open": False})
            connection.execute(text(MOVED).bindparams(*names), facts)

    migrate(empty_url, "head")

    with engine(empty_url).begin() as connection:
        found = text("SELECT number FROM incident WHERE over_at IS NOT NULL")
        assert connection.execute(found).scalars().all() == [1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_buttons_of_open_cards_are_drawn_anew_and_nothing_else_is_sent(kind, empty_url):
    migrate(empty_url, "0005")
    open_one, closed_one = uuid4(), uuid4()
    row = text(INCIDENT).bindparams(bindparam("id", type_=Uuid), bindparam("at", type_=DateTime))
    place = text(POSTED).bindparams(bindparam("id", type_=Uuid))
    with engine(empty_url).begin() as connection:
        connection.execute(text("INSERT INTO workspace (id, last_number) VALUES ('T1', 2)"))
        lifecycle = "INSERT INTO lifecycle (digest, name, definition) VALUES ('d', 'n', 't')"
        connection.execute(text(lifecycle))
        for number, (id_, is_open) in enumerate(((open_one, True), (closed_one, False)), start=1):
            facts = {"id": id_, "number": number, "is_open": is_open, "at": NINE}
            connection.execute(row, facts)
            for surface in ("working_card", "status_card"):
                connection.execute(place, {"id": id_, "surface": surface, "ts": f"{number}.1"})

    migrate(empty_url, "head")

    with engine(empty_url).begin() as connection:
        found = text("SELECT incident_id, surface, channel, lane, state FROM outbox")
        sent = connection.execute(found.columns(incident_id=Uuid)).all()
    lane = f"{open_one}:working:C1"
    assert sent == [(open_one, "working_card", "C1", lane, "available")]


def known_to(url, chosen):
    """The tables and columns of each revision of ``chosen``, oldest first; parent tables first."""
    known = {}
    for revision in chosen:
        migrate(url, revision)
        tables = MetaData()
        tables.reflect(engine(url))
        known[revision] = {
            table.name: [column.name for column in table.columns]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }
    return known


@contextmanager
def writing(url, tables):
    """A transaction beside the server's, which has ``tables`` to itself."""
    with engine(url).connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            lock_all(connection, tables)
        yield connection
        connection.commit()


def lock_all(connection, tables):
    """Locks all ``tables`` at once, or waits with none: one by one could be a deadlock."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} NOWAIT")
        except OperationalError:
            connection.rollback()
            time.sleep(GLANCE_SECONDS)
        else:
            return
    raise TimeoutError


def written_by_code_that(knows, url):
    """Every row becomes one in which only the columns of ``knows`` were written."""
    with writing(url, knows) as connection:
        for table in knows:
            connection.execute(text(f"CREATE TEMPORARY TABLE was_{table} AS SELECT * FROM {table}"))
        for table in reversed(knows):
            connection.execute(text(f"DELETE FROM {table}"))
        for table, names in knows.items():
            listed = ", ".join(names)
            connection.execute(
                text(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM was_{table}")
            )
            connection.execute(text(f"DROP TABLE was_{table}"))


def noted_by_code_that(knows, url, number):
    """Entry 2 of the incident is written once more, as a new one, by code that knows ``knows``."""
    with writing(url, knows) as connection:
        found = text("SELECT id, last_entry FROM incident WHERE number = :number")
        incident, last = connection.execute(
            found.columns(id=Uuid, last_entry=Integer), {"number": number}
        ).one()
        values = {"id": update_id(incident, last + 1), "entry": last + 1, "body": "written again"}
        names = knows["incident_update"]
        taken = ", ".join(f":{name}" if name in values else name for name in names)
        connection.execute(
            text(
                f"INSERT INTO incident_update ({', '.join(names)}) SELECT {taken} "
                "FROM incident_update WHERE incident_id = :incident AND entry = 2"
            ).bindparams(bindparam("id", type_=Uuid), bindparam("incident", type_=Uuid)),
            {**values, "incident": incident},
        )
        connection.execute(
            text(
                "UPDATE incident SET last_entry = last_entry + 1, version = version + 1 "
                "WHERE number = :number"
            ),
            {"number": number},
        )


def timeline(app, number):
    """The text of each entry, or its new status."""
    rows = tables.rows(
        app.store,
        "SELECT u.body, u.new FROM incident_update u JOIN incident i "
        f"ON i.id = u.incident_id WHERE i.number = {number} ORDER BY u.entry",
    )
    return [body or new for body, new in rows]


# The first code knew the fewest columns; what the newest migration adds is tested by no other run.
SOME = (slice(1), slice(-3, None))
ALL = (slice(None),)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "which",
    [pytest.param(SOME, id="some"), pytest.param(ALL, id="all", marks=pytest.mark.torture)],
)
async def test_newer_code_continues_with_rows_of_older_code(
    which, kind, a_database, database_url, ratchet, slack, clock, mia
):
    older = revisions(database_url)[:-1]
    with a_database(kind, empty=True) as url:
        known = known_to(url, chain.from_iterable(older[part] for part in which))
    for number, knows in enumerate(known.values(), 1):
        await tell(mia, f"declare Outage {number}")
        # The update waits in the outbox, and is not on its way, while its row is written anew.
        down = slack.faults.unavailable(times=None)
        await tell(mia, f"note {number} written", f"update {number} waits")
        await ratchet.worker.deliver_due()
        written_by_code_that(knows, database_url)
        noted_by_code_that(knows, database_url, number)
        down.clear()
        await tell(mia, f"next {number}", f"update {number} withdrawn", f"redact {number} 6")
        await settle(ratchet, clock)
        written_by_code_that(knows, database_url)
        await tell(mia, f"next {number}", f"update {number} ends")
        await settle(ratchet, clock)

        assert await ratchet.store.read(lambda reader: list(audit.findings(reader))) == []
        assert timeline(ratchet, number) == [
            "investigating",
            "written",
            "waits",
            "written again",
            "identified",
            None,
            "monitoring",
            "ends",
        ]
        post = next(p for p in slack.channel_view("#status") if f"INC-{number} " in p.text)
        assert [reply.text.split(": ")[-1] for reply in post.replies] == ["waits", "ends"]


@pytest.fixture(scope="module")
def code_before(tmp_path_factory):
    """The product as it was before its schema last changed; takes the repository's history."""
    folder = tmp_path_factory.mktemp("before")

    def git(*words):
        command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), *words]
        return subprocess.run(command, check=False, capture_output=True).stdout

    added = git("log", "--diff-filter=A", "--format=%H", "--", "storage/migrations/versions")
    parts = ("core", "storage", "bot", "tests", "app_manifest.yml")
    packed = git("archive", f"{added.decode().partition(chr(10))[0]}^", *parts)
    if not packed:
        pytest.fail("This takes the repository with all its history: `git fetch --unshallow`.")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class ServerOf:
    """One `ratchet serve` of the code in another folder."""

    def __init__(self, folder, variables):
        self.port = a_free_port()
        self.url = f"http://127.0.0.1:{self.port}/slack/events"
        self._folder = folder
        self._asked = ({**variables, "PORT": str(self.port)}, processes.BEGAN)

    async def start(self):
        path = os.pathsep.join([str(self._folder), str(self._folder / "tests")])
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it only begins here
            [
                sys.executable,
                "-c",
                f"from tests.promises import processes\nprocesses.serve{self._asked}",
            ],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._watched = WATCHDOG.watching(self._process.pid)
        self._watched.__enter__()
        await until(self._listens)

    def _listens(self):
        assert self._process.poll() is None, "it ended instead of starting"
        return listening(self.port)

    async def kill(self):
        self._process.kill()
        await asyncio.to_thread(self._process.wait, PATIENCE_SECONDS)
        self._watched.__exit__(None, None, None)


@pytest.fixture
async def hasty_slack():
    async with a_standin(clock=processes.hasty, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_older_code_serves_beside_newer_over_the_newest_migration(
    code_before, kind, database_url, hasty_slack, figures
):
    variables = environment(hasty_slack, database_url)
    old, new = ServerOf(code_before, variables), processes.Server(variables)
    ledger, confirmed = Ledger(), []

    async def worked(*servers, count=100):
        """People work at ``servers`` until so many changes more are confirmed."""
        enough = len(ledger.confirmed) + count
        seed = len(confirmed)
        async with people_at_work(hasty_slack, servers, ledger, seed=seed):
            yield
            await until(lambda: len(ledger.confirmed) >= enough)
        confirmed.append(len(ledger.confirmed))

    at_work = asynccontextmanager(worked)
    await old.start()
    async with at_work(old):
        # Nobody knows of the new one yet.
        pass
    was = revision_of(database_url)
    async with at_work(old):
        await new.start()
    is_ = revision_of(database_url)
    async with at_work(old, new):
        pass
    async with at_work(old, new):
        await old.kill()
    async with at_work(new):
        pass
    await delivered(database_url)
    await new.stop()

    found = await violations(hasty_slack, database_url, ledger)
    figures(
        f"{was} and {is_} side by side: {len(ledger.confirmed)} changes confirmed, "
        f"{len(ledger.unknown)} unanswered; lost or twice: {len(found)}"
    )
    assert was != is_
    assert found == []


def revision_of(url):
    with engine(url).connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
