"""Every command is acknowledged and answered, even in a burst and while Slack or database hang.

The figures of a burst of 200 are measured by `make torture`.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest

from bot.sandbox import Limits
from bot.sandbox.courier import ACK_SECONDS
from tests import tables
from tests.patience import until
from tests.promises.conftest import tell
from tests.standin import a_standin

FEW, MANY = 20, 200
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
    """Holds SQLite's only lock for writing during the block, as a backup or a slow disk does."""

    @contextmanager
    def locked():
        path = database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield holder

    return locked


def slow(slack):
    for method in ("*", "response_url"):
        slack.faults.slow(method, seconds=0.2)


async def a_burst(mia, count):
    """``count`` commands at the same moment, each with its answer."""

    async def one(number):
        asked = await mia.command("#payments", f"/incident note 1 note number {number}")
        return asked, await asked.answer()

    return await asyncio.gather(*(one(number) for number in range(count)))


def assert_all_are_kept(burst, app):
    assert [asked.error for asked, _ in burst if asked.error] == []
    assert all("Your note is kept private" in answer.words() for _, answer in burst)
    assert tables.values(
        app.store, "SELECT count(*) FROM incident_update WHERE kind = 'wrote'"
    ) == [len(burst)]


async def test_a_burst_is_answered_while_slack_is_slow(ratchet, slack, mia):
    await tell(mia, "declare Checkout is down")
    slow(slack)

    assert_all_are_kept(await a_burst(mia, FEW), ratchet)


async def test_a_burst_is_answered_once_the_database_is_unlocked(ratchet, slack, mia, locked):
    await tell(mia, "declare Checkout is down")
    with locked():
        burst = asyncio.create_task(a_burst(mia, FEW))
        await until(lambda: len(slack.requests) > FEW)

    assert_all_are_kept(await burst, ratchet)


async def test_readers_do_not_wait_for_the_writer(ratchet, mia, locked):
    await tell(mia, "declare Checkout is down")
    with locked():
        for line in ("list", "show 1", "timeline 1"):
            asked = await mia.command("#payments", f"/incident {line}")
            assert "Checkout is down" in (await asked.answer()).words()
        assert (await ratchet.readiness()).reason is None


async def hung_calls(slack, count):
    """``count`` people type a command while ``users.info`` hangs; the fault, and their commands."""
    people = [slack.workspace.add_user(f"person{number}") for number in range(count)]
    slack.workspace.add_channel("all-hands", members=[user.name for user in people])
    hung = slack.faults.slow("users.info", seconds=60)
    asking = [
        asyncio.create_task(slack.person(user.name).command("#all-hands", "/incident list"))
        for user in people
    ]
    await until(lambda: hung.hits == count)
    return hung, asking


async def test_hung_calls_of_slack_delay_no_command(ratchet, slack, mia):
    await tell(mia, "declare Checkout is down")
    hung, asking = await hung_calls(slack, FEW)

    await tell(mia, "note 1 still here", "list")
    assert (await ratchet.readiness()).reason is None

    hung.clear()
    assert [asked.error for asked in await asyncio.gather(*asking) if asked.error] == []


# --- figures -----------------------------------------------------------------------------------


def acknowledged_seconds(burst):
    """The slowest acknowledgement."""
    return max(asked.ack.latency_seconds for asked, _ in burst)


@pytest.mark.torture
async def test_a_burst_of_200_is_acknowledged_in_time_while_slack_is_slow(
    ratchet, slack, mia, figures
):
    await tell(mia, "declare Checkout is down")
    slow(slack)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    burst = await a_burst(mia, MANY)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert_all_are_kept(burst, ratchet)
    figures(f"{MANY} commands, slow Slack: {acknowledged_seconds(burst):.2f} s, {grown:,} KiB")
    assert acknowledged_seconds(burst) < ACK_SECONDS
    assert grown < MEMORY_KIB


@pytest.mark.torture
async def test_a_burst_of_200_is_acknowledged_in_time_while_the_database_is_locked(
    ratchet, mia, locked, figures
):
    await tell(mia, "declare Checkout is down")
    with locked() as holder:
        asyncio.get_running_loop().call_later(2, holder.rollback)
        burst = await a_burst(mia, MANY)

    assert_all_are_kept(burst, ratchet)
    figures(f"{MANY} commands, database locked for 2 s: {acknowledged_seconds(burst):.2f} s")
    assert acknowledged_seconds(burst) < ACK_SECONDS


@pytest.mark.torture
async def test_64_hung_calls_delay_no_command_by_a_second(ratchet, slack, mia, figures):
    await tell(mia, "declare Checkout is down")
    hung, asking = await hung_calls(slack, 64)
    began = time.monotonic()
    await tell(mia, "note 1 still here", "list")
    taken = time.monotonic() - began

    hung.clear()
    await asyncio.gather(*asking)
    figures(f"two commands beside 64 hung calls: {taken:.2f} s")
    assert taken < 1
