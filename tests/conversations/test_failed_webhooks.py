"""A webhook that fails is switched off, and the admins are told once, in Slack."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.delivery.notices import NoticeTransport
from bot.delivery.webhooks import WebhookTransport
from bot.webhooks.signing import new_secret
from core.endpoints import Webhooks
from core.incident import Person
from core.settings import Setting
from core.webhooks import EndpointState
from tests.builders import NINE, an_actor, an_id
from tests.conversations.conftest import environment_for, running
from tests.webhooks.receiver import a_receiver

TOLD = "is switched off."


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(slack, database_url, mode):
    return {
        **environment_for(slack, database_url, mode),
        "API_CHANNEL": slack.workspace.channel("#general").id,
        "WEBHOOK_ALLOW_PRIVATE": "yes",
    }


@pytest.fixture
async def receiver():
    """One whose answers have the status ``status``; 500 at first."""

    async def answer(_request):
        return web.Response(status=own.status)

    async with a_receiver(answer) as own:
        own.status = 500
        yield own


def admin_of(slack):
    """The key with which an operator added it: it reads nothing in Slack."""
    person = Person("key:operator", "operator")
    return an_actor(person, workspace=slack.workspace.team_id, admin=True)


async def added(app, slack, clock, url):
    hooks = Webhooks(app.store, clock=clock)
    proposed = await hooks.propose(admin_of(slack), an_id("hook"), url)
    return await hooks.keep(admin_of(slack), proposed, new_secret())


async def fail(app, slack, clock, *, days=3):
    """An incident is told in vain for so long."""
    mia = slack.person("mia")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    for _ in range(days * 2 + 1):
        await app.hook_worker.deliver_due()
        clock.advance(hours=12)
    await app.hook_worker.deliver_due()


def words_in(slack, channel):
    return [one.words() for one in slack.workspace.channel(channel).messages if one.by_app]


def told_in(slack, channel="#general"):
    return [words for words in words_in(slack, channel) if TOLD in words]


async def test_an_endpoint_that_is_silent_for_three_days_is_told_once(
    slack, ratchet, clock, receiver
):
    webhook = await added(ratchet, slack, clock, receiver.url)
    await fail(ratchet, slack, clock)
    clock.advance(days=1)
    await ratchet.hook_worker.deliver_due()

    (words,) = told_in(slack)
    short = str(webhook.id)[:8]
    assert words.startswith(f"The webhook `{short}` is switched off. For three days no event has")
    assert f"ratchet webhooks switch {short} on" in words
    assert "127.0.0.1" not in words
    assert (await ratchet.readiness()).webhooks_off == 1
    log = await Webhooks(ratchet.store, clock=clock).log(admin_of(slack), webhook.id)
    assert [one.event.value for one in log] == ["incident.created"]


async def test_an_endpoint_that_is_gone_is_told_once(slack, ratchet, clock, receiver):
    receiver.status = 410
    await added(ratchet, slack, clock, receiver.url)
    await fail(ratchet, slack, clock, days=1)

    (words,) = told_in(slack)
    assert "Its receiver answered 410: it takes no more events." in words


async def test_without_a_channel_the_admin_who_saved_settings_is_told(
    slack, database_url, mode, clock, receiver
):
    variables = {
        **environment_for(slack, database_url, mode),
        "WEBHOOK_ALLOW_PRIVATE": "yes",
    }
    mia = slack.person("mia").user
    receiver.status = 410
    async with running(variables, slack, clock) as app:
        changes = {Setting.DEFAULT_SEVERITY: "high"}
        by = Person(mia.id, "mia")
        await app.store.write(
            lambda tx: tx.save_settings(slack.workspace.team_id, changes, seen=None, by=by, at=NINE)
        )
        await added(app, slack, clock, receiver.url)
        await fail(app, slack, clock, days=1)

    direct = [one.words() for one in slack.workspace.direct(mia).messages if TOLD in one.words()]
    assert len(direct) == 1


async def test_a_lost_response_makes_no_second_word(slack, ratchet, clock, receiver):
    receiver.status = 410
    await added(ratchet, slack, clock, receiver.url)
    slack.faults.lose_answer("chat.postMessage", channel=slack.workspace.channel("#general").id)
    await fail(ratchet, slack, clock, days=2)

    assert len(told_in(slack)) == 1


async def test_a_process_that_dies_after_the_post_makes_no_second_word(
    slack, environment, clock, receiver
):
    """The post is made, and its record is lost with the process: the next one finds the post."""
    receiver.status = 410
    async with running(environment, slack, clock) as app:
        await app.hook_worker.stop()
        await added(app, slack, clock, receiver.url)
        await (
            await slack.person("mia").command("#payments", "/incident declare Checkout is down")
        ).answer()
        (event,) = await app.hooks.claim("dead", limit=9, at=clock())
        assert await app.hooks.dead(event, error="http_410", at=clock()) is EndpointState.GONE
        (word,) = await app.hooks.claim("dead", limit=9, at=clock())
        events = WebhookTransport(app.outward, address=lambda _page, _alone: "")
        notices = NoticeTransport(app.client, events, is_home=app.people.is_home)
        await notices.deliver(word, await app.hooks.facts(word), at=clock())
    assert len(told_in(slack)) == 1

    clock.advance(hours=1)
    async with running(environment, slack, clock) as app:
        clock.advance(hours=1)
        await app.hook_worker.deliver_due()
        assert (await app.hooks.depth()).waiting == 0
    assert len(told_in(slack)) == 1


async def test_while_slack_is_down_the_word_waits(slack, ratchet, clock, receiver):
    await added(ratchet, slack, clock, receiver.url)
    mia = slack.person("mia")
    await (await mia.command("#payments", "/incident declare Checkout is down")).answer()
    await ratchet.hook_worker.deliver_due()
    down = slack.faults.unavailable("chat.postMessage", times=None)
    receiver.status = 410
    for _ in range(4):
        clock.advance(minutes=1)
        await ratchet.hook_worker.deliver_due()
    assert told_in(slack) == []
    assert down.hits
    down.clear()
    clock.advance(hours=3)
    await ratchet.hook_worker.deliver_due()

    assert len(told_in(slack)) == 1


async def test_an_endpoint_that_is_on_again_is_told_of_no_more(slack, ratchet, clock, receiver):
    receiver.status = 410
    webhook = await added(ratchet, slack, clock, receiver.url)
    limit = slack.faults.refuse("chat.postMessage", error="fatal_error", times=None)
    await fail(ratchet, slack, clock, days=1)
    limit.clear()
    clock.advance(minutes=1)
    await Webhooks(ratchet.store, clock=clock).switch(admin_of(slack), webhook.id, on=True)
    for _ in range(5):
        clock.advance(hours=1)
        await ratchet.hook_worker.deliver_due()
        await ratchet.worker.deliver_due()

    assert told_in(slack) == []
