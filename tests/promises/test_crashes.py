"""Confirmed changes survive the death of a server, complete and done once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import pytest

from bot.sandbox import Limits
from tests.patience import until
from tests.promises.conftest import environment
from tests.promises.processes import Ledger, Server, delivered, hasty, people_at_work, violations
from tests.standin import a_standin

# On SQLite there is one server to a file.
SERVERS = {"sqlite": 1, "postgresql": 3}
CONFIRMED = 20


def a_slack():
    return a_standin(clock=hasty, limits=Limits(posting=False))


@pytest.fixture
async def slack():
    async with a_slack() as slack:
        yield slack


async def killed(server):
    """`kill -9`, and a new start by the operator's supervisor."""
    await server.kill()
    await server.start()


async def stopped(server):
    """A stop and a start, as in an upgrade."""
    await server.stop()
    await server.start()


async def after_a_few_requests(slack, chance):
    """Waits until people have asked for a few things more: servers are in the middle of them."""
    asked = len(slack.requests) + chance.randint(1, 8)
    await until(lambda: len(slack.requests) >= asked)


async def after_a_moment(_slack, chance):
    await asyncio.sleep(chance.uniform(0.05, 0.6))


async def rounds(
    slack,
    url,
    *,
    count,
    seed,
    accidents,
    servers=1,
    pause=after_a_few_requests,
    meanwhile=nullcontext,
):
    """``count`` random accidents to the servers while people work, one after each ``pause``."""
    chance = random.Random(seed)
    ledger = Ledger()
    running = [Server(environment(slack, url)) for _ in range(servers)]
    for server in running:
        await server.start()
    async with people_at_work(slack, running, ledger, seed=seed), meanwhile():
        for _ in range(count):
            await pause(slack, chance)
            accident = chance.choice(accidents)
            await accident(chance.choice(running))
            ledger.accidents[accident.__name__] += 1
        await until(lambda: len(ledger.confirmed) >= CONFIRMED)
    await delivered(url)
    for server in running:
        await server.stop()
    return ledger


async def test_a_killed_server_loses_nothing_and_does_nothing_twice(slack, database_url):
    ledger = await rounds(slack, database_url, count=6, seed=7, accidents=[killed])

    assert await violations(slack, database_url, ledger) == []


async def test_a_restarted_server_loses_nothing_and_does_nothing_twice(slack, database_url):
    ledger = await rounds(slack, database_url, count=4, seed=11, accidents=[stopped])

    assert await violations(slack, database_url, ledger) == []


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_killed_server_among_several_loses_nothing_and_does_nothing_twice(
    slack, database_url
):
    ledger = await rounds(slack, database_url, count=4, seed=3, accidents=[killed], servers=3)

    assert await violations(slack, database_url, ledger) == []


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
    """Slack misbehaves now and then, each time in another way; ``done`` collects the faults."""
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
async def test_servers_killed_at_random_moments_lose_nothing_and_do_nothing_twice(
    kind, a_database, request, figures
):
    """Bout after bout, each with a seed, a Slack and a database of its own."""
    minutes = request.config.getoption("torture_minutes")
    end = time.monotonic() + minutes * 60
    counted = Counter()
    while time.monotonic() < end:
        counted["bouts"] += 1
        seed = f"{kind} {counted['bouts']}"
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
                    pause=after_a_moment,
                    meanwhile=partial(trouble, slack, faults, seed=seed),
                )
                found = await violations(slack, url, ledger)
            counted += ledger.figures()
            counted["faults of Slack"] += sum(fault.hits for fault in faults)
            counted["posts and edits"] += len(slack.calls_of("chat.postMessage"))
            counted["posts and edits"] += len(slack.calls_of("chat.update"))
        said = ", ".join(f"{count:,} {what}" for what, count in counted.items())
        figures(f"{kind}: {said}; lost or twice: {len(found)}")
        if found:
            pytest.fail(f"seed {seed!r}:\n" + "\n".join(found))
