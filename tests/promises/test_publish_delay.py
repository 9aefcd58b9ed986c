"""A delayed update is in Slack at its time and not before, and never if it was taken back."""

from __future__ import annotations

import re

import pytest

from core.decision import Surface
from storage import audit
from storage.models import State
from tests.promises.conftest import OUTAGE, move_status_channel, settle, tell
from tests.promises.test_delivery import TROUBLES, faults

# The product's own default: ten seconds.
HELD_BACK = {"PUBLISH_DELAY": None}
WITHDRAWN = "withdrawn"


@pytest.fixture
async def ratchet(start):
    async with start(**HELD_BACK) as app:
        yield app


def told(slack, words):
    """When Slack was told something in which ``words`` stand, in seconds."""
    return [call.at for call in slack.calls if words in str(call.arguments)]


async def faults_of(app):
    return await app.store.read(lambda reader: list(audit.findings(reader)))


async def pass_seconds(app, clock, seconds):
    """Second by second, as the schedule looks."""
    for _ in range(seconds):
        clock.advance(seconds=1)
        await app.worker.deliver_due()


@pytest.fixture
async def declared(ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)


@pytest.mark.usefixtures("declared")
async def test_a_public_update_is_posted_after_ten_seconds(slack, ratchet, clock, mia):
    written_at = clock.seconds()
    await tell(mia, "update 1 status:identified Cards are refused.")

    await ratchet.worker.deliver_due()
    await pass_seconds(ratchet, clock, 9)
    [card] = slack.channel_view("#status")
    assert "Identified" in str(card)
    assert told(slack, "Cards are refused.") == []

    await pass_seconds(ratchet, clock, 1)
    [card] = slack.channel_view("#status")
    assert "Cards are refused." in str(card.replies)
    assert "Latest: Cards are refused." in card.text
    assert told(slack, "Cards are refused.") == [written_at + 10] * 2
    assert await faults_of(ratchet) == []


@pytest.mark.usefixtures("declared")
async def test_a_delayed_update_is_on_time_by_its_metric(ratchet, clock, mia):
    await tell(mia, "update 1 Cards are refused.")
    await pass_seconds(ratchet, clock, 9)
    assert (await ratchet.readiness()).reason is None
    assert ratchet.metrics.registry.get_sample_value("ratchet_outbox_oldest_due_seconds") == 0

    await pass_seconds(ratchet, clock, 1)
    waited = ratchet.metrics.registry.get_sample_value(
        "ratchet_delivery_seconds_sum", {"surface": "public_update"}
    )
    assert waited == 0


@pytest.mark.parametrize("seconds", [0, 5, 9])
@pytest.mark.parametrize("step", ["", "status:identified "])
@pytest.mark.usefixtures("declared")
async def test_a_text_taken_back_in_time_never_reaches_slack(
    step, seconds, slack, ratchet, clock, mia
):
    before = slack.channel_view("#status")
    await tell(mia, f"update 1 {step}Our customer list leaked.")
    await pass_seconds(ratchet, clock, seconds)
    await tell(mia, "redact 1 2")
    await settle(ratchet, clock)

    assert told(slack, "leaked") == []
    after = slack.channel_view("#status")
    assert WITHDRAWN not in str(after)
    assert [len(card.replies) for card in after] == [0]
    assert (after == before) is not bool(step)
    assert await ratchet.outbox.undelivered() == ()
    assert await faults_of(ratchet) == []


@pytest.mark.usefixtures("declared")
async def test_a_text_taken_back_too_late_is_withdrawn(slack, ratchet, clock, mia):
    await tell(mia, "update 1 Our customer list leaked.")
    await pass_seconds(ratchet, clock, 10)
    assert "leaked" in str(slack.channel_view("#status"))
    await tell(mia, "redact 1 2")
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert "leaked" not in str(card)
    assert WITHDRAWN in str(card.replies)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_delayed_update_ends_like_a_run_without_faults(
    trouble, fault_free, slack, start, clock, mia
):
    async with start(**HELD_BACK) as app:
        await tell(mia, "list")
        for kind, method, options in trouble:
            faults(slack, kind, method, **options)
        for line in OUTAGE:
            await tell(mia, line)
            await pass_seconds(app, clock, 3)
        await settle(app, clock)

        [card], [expected] = slack.channel_view("#status"), fault_free
        # The end says how long it took, and this run takes longer.
        told = [
            re.sub(r"after \d+ s", "after a while", repr(one.replies)) for one in (card, expected)
        ]
        assert told[0] == told[1]
        assert card.text.partition("(")[2] == expected.text.partition("(")[2]
        assert await app.outbox.list(State.DEAD) == ()
        assert await faults_of(app) == []


@pytest.mark.parametrize("taken_back", [True, False])
async def test_a_killed_server_publishes_on_time_or_never(taken_back, slack, start, clock, mia):
    async with start(**HELD_BACK) as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        written_at = clock.seconds()
        await tell(mia, "update 1 Our customer list leaked.")
        # A crash leaves a message behind that was being posted.
        await app.outbox.claim("dead", limit=100, at=clock())
    clock.advance(seconds=4)
    async with start(**HELD_BACK) as app:
        if taken_back:
            await tell(mia, "redact 1 2")
        await pass_seconds(app, clock, 5)
        assert told(slack, "leaked") == []
        if not taken_back:
            await app.outbox.claim("dead", limit=100, at=clock())
    clock.advance(seconds=1)
    async with start(**HELD_BACK) as app:
        await settle(app, clock)

        [card] = slack.channel_view("#status")
        assert ("leaked" in card.text, "leaked" in str(card.replies)) == (not taken_back,) * 2
        assert len(card.replies) == (not taken_back)
        assert all(at >= written_at + 10 for at in told(slack, "leaked"))


@pytest.mark.usefixtures("declared")
async def test_the_card_shows_a_text_once_its_lost_post_is_found(slack, ratchet, clock, mia):
    await tell(mia, "update 1 Cards are refused.")
    slack.faults.lose_answer("chat.postMessage", channel="C0STATUS")
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert len(card.replies) == 1
    assert "Latest: Cards are refused." in card.text


@pytest.mark.usefixtures("declared")
async def test_an_update_goes_to_the_status_channel_of_its_time(slack, ratchet, clock, mia):
    await tell(mia, "update 1 Cards are refused.")
    await move_status_channel(mia, "#general")
    await tell(mia, "next 1")
    await settle(ratchet, clock)

    [here], [there] = slack.channel_view("#status"), slack.channel_view("#general")
    assert "Cards are refused." in str(here.replies)
    assert "Latest: Cards are refused." in here.text
    assert there.replies == ()
    assert "Latest: Cards are refused." in there.text


@pytest.mark.usefixtures("declared")
async def test_an_undeliverable_update_is_on_the_card_and_posted_on_retry(
    slack, ratchet, clock, mia
):
    await tell(mia, "update 1 Cards are refused.")
    broken = slack.faults.refuse("chat.postMessage", error="msg_too_long", times=None)
    await settle(ratchet, clock)
    [dead] = await ratchet.outbox.list(State.DEAD)
    [card] = slack.channel_view("#status")
    assert dead.surface is Surface.PUBLIC_UPDATE
    assert "Latest: Cards are refused." in card.text

    broken.clear()
    await ratchet.outbox.retry_dead(at=clock())
    await settle(ratchet, clock)
    [card] = slack.channel_view("#status")
    assert len(card.replies) == 1
