"""Whatever was confirmed survives the death of the process; nothing is done twice; all is whole."""

from __future__ import annotations

import asyncio
import random

import pytest
from promises.conftest import MANIFEST, environment
from promises.processes import Ledger, Server, delivered, hasty, people_at_work, violations

from bot.sandbox import Limits, Sandbox

ALIVE_SECONDS = (0.05, 0.6)


@pytest.fixture
async def slack():
    async with Sandbox(MANIFEST, clock=hasty, limits=Limits(posting=False)) as slack:
        yield slack


async def rounds(slack, url, *, count, seed, end, servers=1):
    """Ends and starts one of the servers ``count`` times, at random, with people at work."""
    chance = random.Random(seed)
    ledger = Ledger()
    running = [Server(environment(slack, url)) for _ in range(servers)]
    for server in running:
        await server.start()
    async with people_at_work(slack, running, ledger, seed=seed):
        for _ in range(count):
            await asyncio.sleep(chance.uniform(*ALIVE_SECONDS))
            server = chance.choice(running)
            await end(server)
            await server.start()
    await delivered(url)
    for server in running:
        await server.stop()
    return ledger


async def test_killed_at_random_moments_it_loses_nothing_and_does_nothing_twice(
    slack, database_url
):
    ledger = await rounds(slack, database_url, count=20, seed=7, end=Server.kill)

    assert violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 20


async def test_stopped_and_started_all_the_time_it_loses_nothing_and_does_nothing_twice(
    slack, database_url
):
    ledger = await rounds(slack, database_url, count=10, seed=11, end=Server.stop)

    assert violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 10


@pytest.mark.parametrize("servers", [2, 4])
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_of_several_servers_any_may_die_and_none_does_the_others_work_again(
    servers, slack, database_url
):
    ledger = await rounds(
        slack, database_url, count=6, seed=servers, end=Server.kill, servers=servers
    )

    assert violations(slack, database_url, ledger) == []
    assert len(ledger.confirmed) > 10


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["killed", "stopped"])
async def test_torture(end, kind, slack, database_url, capsys):
    servers = 1 if kind == "sqlite" else 3
    faults = [
        slack.faults.lose_answer("chat.postMessage", times=60),
        slack.faults.cut("*", times=60),
        slack.faults.server_error("*", times=60),
        slack.faults.rate_limit("*", retry_after=2, times=60),
    ]
    count = 200 if end is Server.kill else 50
    ledger = await rounds(slack, database_url, count=count, seed=3, end=end, servers=servers)

    found = violations(slack, database_url, ledger)
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what it is run for
            f"\n{kind}, {count} times {end.__name__}: {sum(f.hits for f in faults)} faults, "
            f"{len(ledger.confirmed)} changes confirmed, {len(ledger.unknown)} unanswered, "
            f"{len(slack.calls_of('chat.postMessage'))} posts tried; lost or twice: {len(found)}"
        )
    assert found == []
