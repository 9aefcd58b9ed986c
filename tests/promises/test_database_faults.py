"""A database error is reported to people and by /readyz, and passes without a restart."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import resource
import shutil
import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox import Limits
from core.store import StoreUnavailable
from storage import audit
from storage.backup import back_up
from storage.databases import postgresql
from storage.snapshot import connection_of
from storage.store import SqlStore
from tests import tables
from tests.patience import PATIENCE_SECONDS, until
from tests.postgres import Server
from tests.promises import processes
from tests.promises.conftest import environment, file_away, settle, tell
from tests.promises.processes import Ledger, delivered, people_at_work, violations
from tests.standin import a_standin

SORRY = "That did not work on our side, and nothing was changed."
IN_DOUBT = "what you asked for may be done or not"


async def reason(app):
    await app.beat()
    return (await app.readiness()).reason


async def refused(mia, line):
    asked = await mia.command("#payments", f"/incident {line}")
    assert asked.error is None
    return SORRY in (await asked.answer()).words()


def size_of(path):
    return Path(path).stat().st_size


async def sound(app):
    return await app.store.read(lambda reader: list(audit.findings(reader)))


@contextmanager
def full_disk(log):
    """``log`` cannot grow in the block, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_of(log), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def files(database_url):
    """The SQLite file, its log and its index."""
    path = database_url.removeprefix("sqlite:///")
    return [Path(f"{path}{end}") for end in ("", "-wal", "-shm")]


async def test_a_full_disk_is_reported_and_recovered_from(ratchet, files, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    with full_disk(files[1]):
        assert await refused(mia, "note 1 lost")
        assert await reason(ratchet) == "the database takes no changes"

    await tell(mia, "note 1 kept", "update 1 Cards are refused.")
    await settle(ratchet, clock)
    assert await reason(ratchet) is None
    assert await sound(ratchet) == []


async def test_a_locked_file_is_reported_and_recovered_from(ratchet, database_url, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    await ratchet.store.write(
        lambda tx: connection_of(tx).exec_driver_sql("PRAGMA busy_timeout = 50").close()
    )
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    with closing(holder):
        holder.execute("BEGIN IMMEDIATE")
        assert await refused(mia, "note 1 lost")
        # Reading continues.
        await tell(mia, "list")

    await tell(mia, "note 1 kept")
    assert await sound(ratchet) == []


class Capabilities(ctypes.Structure):
    """The capabilities of this thread.

    Source: https://man7.org/linux/man-pages/man2/capset.2.html
    """

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for half in ("low", "high")
        for name in (f"effective_{half}", f"permitted_{half}", f"inheritable_{half}")
    )


@contextmanager
def bound_by_rights():
    """Takes root's right to write any file from this thread and the threads that it starts."""
    if os.geteuid() != 0:
        yield
        return
    system, version_3 = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0)
    held, without = Capabilities(), Capabilities()
    assert system.capget(version_3, ctypes.byref(held)) == 0
    assert system.capget(version_3, ctypes.byref(without)) == 0
    without.effective_low &= ~(1 << 1)  # CAP_DAC_OVERRIDE
    assert system.capset(version_3, ctypes.byref(without)) == 0
    try:
        yield
    finally:
        assert system.capset(version_3, ctypes.byref(held)) == 0


async def test_a_read_only_file_is_reported_and_recovered_from(start, files, clock, mia):
    with bound_by_rights():
        async with start() as app:
            await tell(mia, "declare Checkout is down")
            await settle(app, clock)
            for file in files:
                file.chmod(0o444)
            # Open connections still write; a new one can only read.
            await tell(mia, "note 1 kept")
            with full_disk(files[1]):
                assert await refused(mia, "note 1 lost")
            assert await refused(mia, "note 1 lost")
            assert await reason(app) == "the database takes no changes"
            await tell(mia, "show 1")

            for file in files:
                file.chmod(0o644)
            await tell(mia, "note 1 kept again", "update 1 Cards are refused.")
            await settle(app, clock)
            await app.store.write(lambda tx: tx.probe(at=clock()))  # it raises what is wrong
            assert await reason(app) is None
            assert await sound(app) == []
            assert await notes(app) == ["kept", "kept again"]


async def notes(app):
    # In a thread: a proxy between the store and PostgreSQL may run in this loop.
    return await asyncio.to_thread(
        tables.values,
        app.store,
        "SELECT body FROM incident_update WHERE visibility = 'internal' "
        "AND body IS NOT NULL ORDER BY entry",
    )


GONE = "the database file was moved, deleted or replaced"


@pytest.mark.parametrize("way", ["moved", "replaced"])
async def test_no_change_is_confirmed_in_a_moved_file(way, start, files, clock, mia):
    """SQLite would go on writing into it without a word."""
    file, away = files[0], files[0].with_name("away.db")
    async with start() as app:
        await tell(mia, "declare Checkout is down", "note 1 before")
        await settle(app, clock)
        file.rename(away)
        if way == "replaced":
            shutil.copy(away, file)
        assert await refused(mia, "note 1 lost")
        assert await reason(app) == GONE
        assert file.exists() is (way == "replaced")
        await tell(mia, "show 1")

        away.rename(file)
        await tell(mia, "note 1 after", "update 1 Cards are refused.")
        await settle(app, clock)
        assert await reason(app) is None
        assert await sound(app) == []
        assert await notes(app) == ["before", "after"]


async def test_a_file_moved_during_a_change_is_reported(start, files, mia):
    async with start() as app:
        await tell(mia, "declare Checkout is down")
        away = files[0].with_name("away.db")
        with pytest.raises(StoreUnavailable, match=GONE):
            await app.store.write(lambda _: files[0].rename(away))
        away.rename(files[0])
        await tell(mia, "note 1 after")

        assert await notes(app) == ["after"]


async def test_the_content_of_a_deleted_log_is_there_after_a_start(start, files, clock, mia):
    async with start() as app:
        await tell(mia, "declare Checkout is down", "note 1 before")
        files[1].unlink()
        assert await refused(mia, "note 1 lost")
        assert await reason(app) == "the log beside the database file was moved or deleted"

    async with start() as app:
        await tell(mia, "note 1 after")
        await settle(app, clock)
        assert await reason(app) is None
        assert await sound(app) == []
        assert await notes(app) == ["before", "after"]


async def test_a_damaged_file_takes_no_change_until_a_backup_is_in_its_place(
    start, database_url, files, tmp_path, clock, mia
):
    file, copy = files[0], tmp_path / "backup.db"
    async with start() as app:
        await tell(mia, "declare Checkout is down", "note 1 before")
        await settle(app, clock)
        back_up(database_url, copy)
        with closing(sqlite3.connect(file)) as other:
            # A change by another connection makes the server read the file again, with its damage.
            other.execute("PRAGMA user_version = 7")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        with file.open("r+b") as pages:
            pages.seek(4096)
            pages.write(b"rust" * ((size_of(file) - 4096) // 4))
        assert await refused(mia, "show 1")
        assert await refused(mia, "note 1 lost")
        assert (await reason(app)).startswith("the database file is damaged")

    copy.replace(file)
    async with start() as app:
        await tell(mia, "note 1 after")
        await settle(app, clock)
        assert await reason(app) is None
        assert await sound(app) == []
        assert await notes(app) == ["before", "after"]


class Line:
    """The connection to a PostgreSQL server. It can be cut, as if the server had stopped.

    Or it ``swallows`` all bytes without an error.
    """

    NAME = ".s.PGSQL.5432"

    def __init__(self, server, folder):
        self._server = server
        self._path = f"{folder}/{self.NAME}"
        self._open = set()

    async def start(self):
        self.swallows = False
        self._listening = await asyncio.start_unix_server(self._carry, self._path)

    async def cut(self):
        self._listening.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(f"{self._server}/{self.NAME}")
        self._open |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not self.swallows:
                    writer.write(data)
                    await writer.drain()
        writer.close()


@pytest.fixture
async def line(postgresql, tmp_path):
    line = Line(postgresql.uri().split("host=")[1], tmp_path)
    await line.start()
    yield line
    await line.cut()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_lost_connection_to_postgresql_loses_no_change(
    start, line, database_url, tmp_path, slack, clock, mia
):
    far = database_url.split("?")[0]
    async with start(DATABASE_URL=f"{far}?host={tmp_path}") as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        said = []

        async def working():
            for number in itertools.count():
                asked = await mia.command("#payments", f"/incident note 1 note {number}")
                said.append((f"note {number}", (await asked.answer()).words()))

        work = asyncio.create_task(working())
        await until(lambda: len(said) > 5)
        await line.cut()
        assert (await app.readiness()).reason == "the database does not answer"
        await until(lambda: said[-1][1].startswith(SORRY))
        await line.start()
        count = len(said)
        await until(lambda: any("kept private" in words for _, words in said[count:]))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

        await tell(mia, "update 1 Cards are refused.")
        await settle(app, clock)
        assert await reason(app) is None
        assert await sound(app) == []
        kept = await notes(app)
    promised = {"kept private": {1}, SORRY: {0}, IN_DOUBT: {0, 1}}
    for note, words in said:
        [times] = [times for claim, times in promised.items() if claim in words]
        assert kept.count(note) in times, (note, words)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_silent_postgresql_is_given_up_after_a_while(
    start, line, database_url, tmp_path, clock, mia, figures
):
    far = database_url.split("?")[0]
    async with start(DATABASE_URL=f"{far}?host={tmp_path}&connect_timeout=2") as app:
        await tell(mia, "declare Checkout is down", "note 1 before")
        await settle(app, clock)
        threads = threading.active_count()
        line.swallows = True
        began = time.monotonic()
        lines = [f"/incident note 1 note {n}" for n in range(20)]
        asked = await asyncio.gather(*(mia.command("#payments", each) for each in lines))
        assert (await app.readiness()).reason == "the database does not answer"
        told = [(await one.answer()).words() for one in asked]
        taken = time.monotonic() - began
        assert all(words.startswith(SORRY) for words in told)
        figures(f"everybody was answered {taken:.1f} s after PostgreSQL fell silent")
        assert taken < 3 * (postgresql.SILENT_SECONDS + 2)

        line.swallows = False
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await refused(mia, "note 1 after"):
                pass
        await settle(app, clock)
        assert threading.active_count() <= threads
        assert await reason(app) is None
        assert await sound(app) == []
        assert await notes(app) == ["before", "after"]


@pytest.fixture
def own_server():
    """A PostgreSQL for one test."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
async def hasty_slack():
    async with a_standin(clock=processes.hasty, limits=Limits(posting=False)) as slack:
        yield slack


async def ready(server):
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{server.port}/readyz") as answer,
    ):
        return (await answer.json())["reason"]


@pytest.mark.parametrize(
    "times", [1, pytest.param(20, marks=pytest.mark.torture)], ids=["once", "often"]
)
async def test_a_restart_of_postgresql_loses_no_change(times, own_server, hasty_slack):
    url = own_server.uri(own_server.database())
    servers = [processes.Server(environment(hasty_slack, url)) for _ in range(2)]
    for server in servers:
        await server.start()
    ledger = Ledger()

    def worked(count=10):
        until_then = len(ledger.confirmed) + count
        return until(lambda: len(ledger.confirmed) >= until_then)

    async with people_at_work(hasty_slack, servers, ledger, seed=times):
        for mode in ["immediate", "fast"] * times:
            await worked()
            await asyncio.to_thread(own_server.halt, mode)
            # Commands under way are answered as well.
            assert await refused(hasty_slack.person("mia"), "declare Search is slow")
            for server in servers:
                assert await ready(server) == "the database does not answer"
            await asyncio.to_thread(own_server.resume)
        await worked()
    await delivered(url)
    # A change that was tried for the heartbeat while the database was away is tried again then.
    async with asyncio.timeout(PATIENCE_SECONDS):
        for server in servers:
            while await ready(server):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.1)
    for server in servers:
        await server.stop()

    assert await violations(hasty_slack, url, ledger) == []


async def test_a_post_accepted_while_the_database_was_away_is_not_repeated(
    ratchet, slack, clock, mia, database_url
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    hung = slack.faults.late_answer("chat.postMessage", seconds=20, times=1)
    await tell(mia, "update 1 Cards are refused.")
    clock.advance(seconds=1)
    ratchet.worker.wake()
    await until(lambda: hung.hits)
    with file_away(database_url):
        hung.clear()
        await until(lambda: slack.calls_of("chat.postMessage")[-1].answer)
        with pytest.raises(StoreUnavailable):
            await ratchet.outbox.retry_dead(at=clock())
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert len(card.replies) == 1


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ratchet.db").write_text("not a database, whatever its name says" * 100)
    with (
        closing(SqlStore(f"sqlite:///{tmp_path}/ratchet.db")) as store,
        pytest.raises(StoreUnavailable, match="not a database"),
    ):
        store.open_for_serving()
