"""Everybody is acknowledged within three seconds, and answered in the end, however busy it is."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import time
from contextlib import closing

import pytest

from bot.sandbox import Limits
from tests import tables
from tests.patience import until
from tests.promises.conftest import tell
from tests.standin import a_standin

BURST = 200
MEMORY_KIB = 100_000


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture(params=["socket", "http"])
async def ratchet(request, start, slack):
    doors = {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": None}
    async with start(**(doors if request.param == "socket" else {})) as app:
        if request.param == "socket":
            await slack.connected(connections=2)
        yield app


@pytest.fixture
def locked(database_url):
    """Holds SQLite's one lock for writing, as a backup or a slow disk does."""

    def locked():
        holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        return closing(holder)

    return locked


async def a_burst(mia):
    """200 commands at the same moment; each with the answer that it got in the end."""

    async def one(number):
        asked = await mia.command("#payments", f"/incident note 1 note number {number}")
        return asked, await asked.answer(timeout_seconds=30)

    return await asyncio.gather(*(one(number) for number in range(BURST)))


def latencies(burst):
    return sorted(asked.ack.latency_seconds for asked, _ in burst)


def entries(app):
    return len(tables.rows(app.store, "SELECT id FROM incident_update WHERE kind = 'wrote'"))


async def test_a_burst_of_200_commands_while_slack_takes_200_ms(ratchet, slack, mia):
    await tell(mia, "declare Checkout is down")
    slack.faults.slow("*", seconds=0.2)
    slack.faults.slow("response_url", seconds=0.2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    burst = await a_burst(mia)

    assert [asked.error for asked, _ in burst if asked.error] == []
    assert latencies(burst)[-1] < 3
    assert all("Your note is kept private" in answer.words() for _, answer in burst)
    assert entries(ratchet) == BURST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB


async def test_a_burst_of_200_commands_while_the_database_is_locked_for_two_seconds(
    ratchet, mia, locked
):
    await tell(mia, "declare Checkout is down")
    with locked() as holder:
        asyncio.get_running_loop().call_later(2, holder.rollback)
        burst = await a_burst(mia)

    assert [asked.error for asked, _ in burst if asked.error] == []
    assert latencies(burst)[-1] < 3
    assert all("Your note is kept private" in answer.words() for _, answer in burst)
    assert entries(ratchet) == BURST


async def test_readers_do_not_wait_for_the_writer(ratchet, mia, locked):
    await tell(mia, "declare Checkout is down")
    with locked():
        started = time.monotonic()
        await tell(mia, "list", "show 1", "timeline 1")
        assert (await ratchet.readiness()).reason is None
        assert time.monotonic() - started < 1


async def test_64_hung_calls_of_slack_delay_no_command(ratchet, slack, mia):
    await tell(mia, "declare Checkout is down")
    people = [slack.workspace.add_user(f"person{number}") for number in range(64)]
    slack.workspace.add_channel("all-hands", members=[user.name for user in people])
    hung = slack.faults.slow("users.info", seconds=60)
    waiting = [
        asyncio.create_task(slack.person(user.name).command("#all-hands", "/incident list"))
        for user in people
    ]
    await until(lambda: hung.hits == 64)

    started = time.monotonic()
    await tell(mia, "note 1 still here", "list")
    assert (await ratchet.readiness()).reason is None
    assert time.monotonic() - started < 1

    hung.clear()
    acked = await asyncio.gather(*waiting)
    assert [asked.error for asked in acked if asked.error] == []
