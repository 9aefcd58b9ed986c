"""A request of Slack's that is delivered again has no second effect, wherever and whenever."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from promises.conftest import settle, tell


async def by_command(mia, slack):
    await mia.command("#payments", "/incident note 1 db-3 lost quorum")


async def by_move(mia, slack):
    await mia.command("#payments", "/incident status 1 identified db-3 lost quorum")


async def by_declaring(mia, slack):
    await mia.command("#payments", "/incident declare Search is slow")


async def by_resolving_the_only_one(mia, slack):
    await mia.command("#payments", "/incident resolve")


async def by_click(mia, slack):
    card = slack.workspace.channel("#payments").messages[0]
    await (await mia.press(card, "Identified")).answer()


async def by_form(mia, slack):
    card = slack.workspace.channel("#payments").messages[0]
    await mia.press(card, "update")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    await mia.fill("Public update", "Cards are refused.")
    await mia.submit()


WAYS = [
    by_command,
    by_move,
    by_declaring,
    by_resolving_the_only_one,
    by_click,
    by_form,
]


@pytest.fixture(params=["socket", "http"])
def doors(request, slack):
    return {
        "socket": {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": None},
        "http": {},
    }[request.param]


@pytest.fixture
async def ratchet(start, doors, slack):
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(start(**doors))
        if "SLACK_APP_TOKEN" in doors:
            await slack.connected()
        yield app


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_second_delivery_changes_nothing(way, at_once, ratchet, slack, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    await way(mia, slack)
    await settle(ratchet, clock)
    before = slack.channel_view("#payments"), slack.channel_view("#status")
    counted = await entries(ratchet)

    await slack.redeliver(copies=3, at_once=at_once)
    await settle(ratchet, clock)

    assert await entries(ratchet) == counted
    assert (slack.channel_view("#payments"), slack.channel_view("#status")) == before
    again = [request.ack for request in slack.requests if request.redelivered]
    assert [ack.error for ack in again] == [None, None, None]
    assert [ack.body for ack in again if "did not work" in str(ack.body)] == []


async def entries(app):
    """How many updates there are, incident by incident."""
    return await app.store.read(
        lambda reader: [
            tuple(row)
            for row in reader.connection.exec_driver_sql(
                "SELECT number, last_entry, version FROM incident ORDER BY number"
            )
        ]
    )


async def test_what_was_handled_is_forgotten_after_a_day(ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    clock.advance(seconds=timedelta(hours=23).total_seconds())
    await tell(mia, "note 1 still here")
    clock.advance(seconds=timedelta(hours=2).total_seconds())
    await ratchet.forget()

    kept = await ratchet.store.read(
        lambda reader: reader.connection.exec_driver_sql("SELECT count(*) FROM handled").scalar()
    )
    assert kept == 1


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("way", [by_command, by_move, by_declaring], ids=lambda way: way.__name__)
async def test_copies_at_several_processes_at_once_are_handled_by_one(
    way, kind, start, slack, clock, mia
):
    async with start() as one, start() as other:
        await tell(mia, "declare Checkout is down")
        await way(mia, slack)
        before = await entries(one)
        last = slack.requests[-1]

        urls = [f"{app.http.address}/slack/events" for app in (one, other)]
        fresh = {**last.payload, "trigger_id": "1.2.another"}
        again = replace(last, payload=fresh, id="another")
        await asyncio.gather(
            *(slack.courier.again(again, copies=4, at_once=True, to=url) for url in urls)
        )
        after = await entries(one)
        assert (
            sum(version for _, _, version in after) - sum(version for _, _, version in before) <= 1
        )
        await settle(one, clock)
