"""Socket Mode: the end of a connection loses no command and repeats none."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from bot.slack.sockets import CONNECTIONS
from tests.patience import until
from tests.promises.conftest import settle, tell


@pytest.fixture
async def ratchet(start, slack):
    async with AsyncExitStack() as stack:
        doors = {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": None}
        app = await stack.enter_async_context(start(**doors))
        await slack.connected(connections=CONNECTIONS)
        yield app


async def announced(slack, *connections):
    await slack.sockets.announce_disconnect("refresh_requested", *connections)


async def warned(slack, *connections):
    await slack.sockets.announce_disconnect("warning", *connections)


async def closed(slack, *connections):
    await slack.sockets.close(*connections)


async def cut(slack, *connections):
    slack.sockets.cut(*connections)


async def gone_silent(slack, *connections):
    slack.sockets.half_open(*connections)


ENDS = [announced, warned, closed, cut, gone_silent]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_the_other_connection_takes_over(end, ratchet, slack, clock, mia):
    await end(slack, slack.sockets.connections[0])
    if end is gone_silent:
        slack.sockets.connections.remove(slack.sockets.connections[0])

    await tell(mia, "declare Checkout is down", *(f"note 1 {n}" for n in range(10)))
    await settle(ratchet, clock)

    assert len(slack.channel_view("#payments")) == 1


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_new_connections_replace_ended_ones(end, ratchet, slack, mia):
    old = list(slack.sockets.connections)
    await end(slack, *old)

    await until(
        lambda: len([one for one in slack.sockets.connections if one not in old]) == CONNECTIONS
    )
    for connection in old:
        slack.sockets.cut(connection)
    await tell(mia, "declare Checkout is down")


async def test_an_address_of_socket_mode_is_used_once(ratchet, slack, mia):
    slack.sockets.cut()
    spent = slack.faults.lose_answer("apps.connections.open", times=2)
    await until(lambda: spent.hits == 2)
    await slack.connected(connections=CONNECTIONS)

    await tell(mia, "declare Checkout is down")


async def test_a_failed_connection_is_retried_with_a_new_address(ratchet, slack, mia):
    # The offered addresses are void, as after a restart of Slack between offer and connection.
    offer = slack.sockets.new_ticket
    void = ["void"] * 4
    slack.sockets.new_ticket = lambda: void.pop() if void else offer()
    slack.sockets.cut()
    await until(lambda: not void)
    await slack.connected(connections=CONNECTIONS)

    await tell(mia, "declare Checkout is down")
