"""Whatever was confirmed survives the death of the process; nothing is done twice; all is whole."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import pytest

from bot.sandbox import Limits
from tests.promises.conftest import environment
from tests.promises.processes import Ledger, Server, delivered, hasty, people_at_work, violations
from tests.standin import a_standin

ALIVE_SECONDS = (0.05, 0.6)
# On SQLite there is one server to a file.
SERVERS = {"sqlite": 1, "postgresql": 3}


def a_slack():
    return a_standin(clock=hasty, limits=Limits(posting=False))


@pytest.fixture
async def slack():
    async with a_slack() as slack:
        yield slack


async def killed(server):
    """What `kill -9` does, and whoever watches over the process."""
    await server.kill()
    await server.start()


async def stopped(server):
    """What an upgrade does."""
    await server.stop()
    await server.start()


async def rounds(slack, url, *, count, seed, accidents, servers=1, meanwhile=nullcontext):
    """Lets ``count`` accidents happen to the servers, at random, with people at work."""
    chance = random.Random(seed)
    ledger = Ledger()
    running = [Server(environment(slack, url)) for _ in range(servers)]
    for server in running:
        await server.start()
    async with people_at_work(slack, running, ledger, seed=seed), meanwhile():
        for _ in range(count):
            await asyncio.sleep(chance.uniform(*ALIVE_SECONDS))
            accident = chance.choice(accidents)
            await accident(chance.choice(running))
            ledger.accidents[accident.__name__] += 1
    await delivered(url)
    for server in running:
        await server.stop()
    return ledger


async def test_killed_at_random_moments_it_loses_nothing_and_does_nothing_twice(
    slack, database_url
):
    ledger = await rounds(slack, database_url, count=20, seed=7, accidents=[killed])

    assert await violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 20


async def test_stopped_and_started_all_the_time_it_loses_nothing_and_does_nothing_twice(
    slack, database_url
):
    ledger = await rounds(slack, database_url, count=10, seed=11, accidents=[stopped])

    assert await violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 10


@pytest.mark.parametrize("servers", [2, 4])
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_of_several_servers_any_may_die_and_none_does_the_others_work_again(
    servers, slack, database_url
):
    ledger = await rounds(
        slack, database_url, count=6, seed=servers, accidents=[killed], servers=servers
    )

    assert await violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 10


ACCIDENTS = [killed, killed, stopped]
TROUBLES = [
    lambda faults: faults.lose_answer("chat.postMessage", times=3),
    lambda faults: faults.lose_answer(times=2),
    lambda faults: faults.lose_answer("chat.postMessage", times=2, seconds=3),
    lambda faults: faults.cut(times=3),
    lambda faults: faults.server_error(times=3),
    lambda faults: faults.unavailable(times=3),
    lambda faults: faults.rate_limit(retry_after=5, times=3),
    lambda faults: faults.refuse("chat.postMessage", error="fatal_error", times=2),
    lambda faults: faults.slow(seconds=0.1, times=5),
    lambda faults: faults.late_answer(seconds=0.3, times=5),
    # Slack is down, until the next trouble begins.
    lambda faults: faults.unavailable(times=None),
]


@asynccontextmanager
async def trouble(slack, done, *, seed):
    """Slack misbehaves now and then, each time in another way; ``done`` gets what it does."""
    chance = random.Random(f"{seed} trouble")

    async def misbehaving():
        while True:
            done.append(chance.choice(TROUBLES)(slack.faults))
            await asyncio.sleep(chance.uniform(0.05, 1))
            if done[-1].times is None:
                done[-1].clear()

    task = asyncio.create_task(misbehaving())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        slack.faults.clear()


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_torture(kind, a_database, request, capsys):
    """Bout after bout, each with a seed, a Slack and a database of its own."""
    minutes = request.config.getoption("torture_minutes")
    end = time.monotonic() + minutes * 60
    figures = Counter()
    while time.monotonic() < end:
        figures["bouts"] += 1
        seed = f"{kind} {figures['bouts']}"
        async with a_slack() as slack:
            faults = []
            with a_database(kind) as url:
                ledger = await rounds(
                    slack,
                    url,
                    count=40,
                    seed=seed,
                    accidents=ACCIDENTS,
                    servers=SERVERS[kind],
                    meanwhile=partial(trouble, slack, faults, seed=seed),
                )
                found = await violations(slack, url, ledger)
            figures += ledger.figures()
            figures["faults of Slack"] += sum(fault.hits for fault in faults)
            figures["posts and edits"] += len(slack.calls_of("chat.postMessage"))
            figures["posts and edits"] += len(slack.calls_of("chat.update"))
        said = ", ".join(f"{count:,} {what}" for what, count in figures.items())
        with capsys.disabled():
            print(f"\n{kind}: {said}; lost or twice: {len(found)}", end="", flush=True)  # noqa: T201
        if found:
            pytest.fail(f"seed {seed!r}:\n" + "\n".join(found))
