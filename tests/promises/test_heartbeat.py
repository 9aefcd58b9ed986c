"""Somebody outside hears from the bot once a minute, and only while all of it works."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from tests.patience import until
from tests.promises.conftest import file_away, settle, tell


@pytest.fixture
async def heard():
    """Calls of the address that somebody watches."""
    calls = []

    async def hear(request):
        calls.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/alive", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield calls, f"http://{host}:{port}/alive"
    await runner.cleanup()


@pytest.fixture
async def ratchet(start, heard):
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(start(HEARTBEAT_URL=heard[1]))


async def test_the_heartbeat_is_sent_if_all_is_well(ratchet, heard):
    await ratchet.beat()

    assert heard[0] == ["/alive"]


async def test_the_heartbeat_stops_while_changes_fail(ratchet, heard, database_url):
    with file_away(database_url):
        await ratchet.beat()
        assert (await ratchet.readiness()).reason == (
            "the database file was moved, deleted or replaced"
        )
    assert heard[0] == []

    await ratchet.beat()
    assert (await ratchet.readiness()).reason is None
    assert heard[0] == ["/alive"]


async def test_the_heartbeat_stops_while_messages_wait_too_long(ratchet, heard, slack, clock, mia):
    await tell(mia, "list")
    down = slack.faults.unavailable("*", times=None)
    await tell(mia, "declare Checkout is down")
    await until(lambda: down.hits)
    clock.advance(seconds=301)
    await ratchet.beat()
    assert heard[0] == []
    assert "five minutes" in (await ratchet.readiness()).reason

    down.clear()
    await settle(ratchet, clock)
    await until(lambda: ratchet.worker.silent_for().total_seconds() == 0)
    await ratchet.beat()
    assert heard[0] == ["/alive"]


async def test_the_heartbeat_stops_without_a_working_worker(ratchet, heard, clock):
    await ratchet.worker.stop()
    clock.advance(seconds=61)
    await ratchet.beat()

    assert heard[0] == []
