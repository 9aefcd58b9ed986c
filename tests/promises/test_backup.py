"""A backup taken under load opens, agrees with itself and holds all that was confirmed before."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bot.sandbox import Limits
from core.store import StoreUnavailable
from storage import audit
from storage.backup import back_up
from storage.store import SqlStore
from tests import tables
from tests.patience import until
from tests.promises.conftest import environment
from tests.promises.processes import Ledger, Server, hasty, people_at_work
from tests.standin import a_standin


@pytest.fixture
async def slack():
    async with a_standin(clock=hasty, limits=Limits(posting=False)) as slack:
        yield slack


def texts(store):
    rows = tables.rows(
        store,
        "SELECT u.body, u.kind, i.title FROM incident_update u JOIN incident i "
        "ON i.id = u.incident_id",
    )
    return Counter(title if kind == "declared" else body for body, kind, title in rows)


async def test_a_backup_under_load_is_whole(slack, database_url, tmp_path):
    ledger = Ledger()
    server = Server(environment(slack, database_url))
    await server.start()
    async with people_at_work(slack, [server], ledger, seed=5):
        for number in range(3):
            more = len(ledger.confirmed) + 5
            await until(lambda more=more: len(ledger.confirmed) >= more)
            confirmed = list(ledger.confirmed)
            copy = tmp_path / f"copy-{number}.db"
            await asyncio.to_thread(back_up, database_url, copy)

            store = SqlStore(f"sqlite:///{copy}")
            assert store.is_current()
            assert store.read_now(lambda reader: list(audit.findings(reader))) == []
            kept = texts(store)
            assert [word for word in confirmed if kept[word] != 1] == []
            store.close()
    await server.stop()


def test_a_failed_backup_keeps_the_last_one(tmp_path):
    last = tmp_path / "copy.db"
    last.write_text("the last one")

    with pytest.raises(StoreUnavailable, match="There is no database at"):
        back_up(f"sqlite:///{tmp_path}/nothing.db", last)

    assert last.read_text() == "the last one"
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
