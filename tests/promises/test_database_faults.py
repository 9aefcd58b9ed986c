"""The database fails: people are told so, /readyz says so, and it comes back without a restart."""

from __future__ import annotations

import asyncio
import itertools
import resource
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from promises.conftest import settle, tell, until

from storage import audit
from storage.store import Store, StoreUnavailable, UnknownSchema

SORRY = "That did not work on our side, and nothing was changed."


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
    return await app.store.read(lambda reader: list(audit.faults(reader)))


async def test_a_full_disk_is_told_and_passes(ratchet, database_url, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    # The file may not grow: what SQLite meets on a full disk, but for the name of the error.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = f"{database_url.removeprefix('sqlite:///')}-wal"
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_of(log), limits[1]))
    try:
        assert await refused(mia, "note 1 lost")
        assert await reason(ratchet) == "the database takes no changes"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    await tell(mia, "note 1 kept", "update 1 Cards are refused.")
    await settle(ratchet, clock)
    assert await reason(ratchet) is None
    assert await sound(ratchet) == []


async def test_a_file_locked_for_long_is_told_and_passes(
    ratchet, database_url, clock, mia, monkeypatch
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    await ratchet.store.write(
        lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout = 50").close()
    )
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    with closing(holder):
        holder.execute("BEGIN IMMEDIATE")
        assert await refused(mia, "note 1 lost")
        # Who only reads is not concerned.
        await tell(mia, "list")

    await tell(mia, "note 1 kept")
    assert await sound(ratchet) == []


class Line:
    """The line to a PostgreSQL server, which can be cut: it is gone then, as if it had stopped."""

    NAME = ".s.PGSQL.5432"

    def __init__(self, server, folder):
        self._server = server
        self._path = f"{folder}/{self.NAME}"
        self._open = set()

    async def start(self):
        self._listening = await asyncio.start_unix_server(self._carry, self._path)

    async def cut(self):
        self._listening.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(f"{self._server}/{self.NAME}")
        self._open |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
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
async def test_a_postgresql_that_goes_and_comes_back_under_load_loses_nothing(
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
        kept = await app.store.read(
            lambda reader: list(
                reader.connection.exec_driver_sql("SELECT body FROM incident_update").scalars()
            )
        )
    confirmed = [note for note, words in said if "kept private" in words]
    assert [note for note in confirmed if kept.count(note) != 1] == []


async def test_what_slack_took_while_the_database_was_away_is_not_sent_again(
    ratchet, slack, clock, mia, monkeypatch
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    write, away = ratchet.store.write, []

    def sometimes(work):
        if away:
            raise StoreUnavailable("away")
        return write(work)

    monkeypatch.setattr(ratchet.store, "write", sometimes)
    hung = slack.faults.late_answer("chat.postMessage", seconds=20, times=1)
    await tell(mia, "update 1 Cards are refused.")
    clock.advance(seconds=1)
    ratchet.worker.wake()
    await until(lambda: hung.hits)
    away.append(True)
    hung.clear()
    await until(lambda: slack.calls_of("chat.postMessage")[-1].answer)
    away.clear()
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert len(card.replies) == 1


def test_a_newer_schema_is_refused_with_what_to_do(database_url):
    with closing(Store(database_url)) as store:
        store.migrate()
        store.write_now(
            lambda tx: tx.connection.exec_driver_sql(
                "UPDATE alembic_version SET version_num = '9999'"
            )
        )
        with pytest.raises(UnknownSchema, match="Upgrade Ratchet"):
            store.open_for_serving()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ratchet.db").write_text("not a database, whatever its name says" * 100)
    with (
        closing(Store(f"sqlite:///{tmp_path}/ratchet.db")) as store,
        pytest.raises(StoreUnavailable, match="not a database"),
    ):
        store.open_for_serving()
