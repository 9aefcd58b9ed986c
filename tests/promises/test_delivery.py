"""Every public update reaches the status channel once and in order, for every answer of Slack."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

import pytest

from core.decision import Surface
from storage.models import State
from tests import tables
from tests.patience import until
from tests.promises.conftest import OUTAGE, settle, tell

POST, EDIT = "chat.postMessage", "chat.update"


def faults(slack, kind, method, **options):
    return slack.faults.add(kind, method, **options)


def shown(slack, channel="#status"):
    """The channel as people read it at the end."""
    return slack.channel_view(channel)


TROUBLES = {
    "a rate limit on posts": [("rate_limited", POST, {"seconds": 7, "times": 3})],
    "a rate limit on edits": [("rate_limited", EDIT, {"seconds": 7, "times": 2})],
    "server errors": [("server_error", "*", {"times": 6})],
    "a proxy's pages": [("unavailable", "*", {"times": 6})],
    "fatal errors": [("refused", POST, {"error": "fatal_error", "times": 3})],
    "connections cut before the call arrived": [("cut", "*", {"times": 6})],
    "lost responses": [("lost_answer", POST, {"times": 4})],
    "lost responses, then a rate limit": [
        ("lost_answer", POST, {"times": 1}),
        ("rate_limited", "*", {"seconds": 5, "times": 2}),
    ],
    "posts made after their connection was cut": [
        ("lost_answer", POST, {"times": 4, "seconds": 4})
    ],
    "lost responses to edits": [("lost_answer", EDIT, {"times": 3})],
    "lost responses to all calls, searches as well": [("lost_answer", "*", {"times": 9})],
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_the_status_channel_equals_that_of_a_run_without_faults(
    trouble, fault_free, slack, start, clock, mia
):
    async with start() as app:
        await tell(mia, "list")
        set_up = [faults(slack, kind, method, **options) for kind, method, options in trouble]
        await tell(mia, *OUTAGE)
        await settle(app, clock)

        assert shown(slack) == fault_free
        assert all(fault.hits for fault in set_up)
        assert await app.outbox.list(State.DEAD) == ()


async def test_a_post_is_found_among_hundreds_after_a_lost_response(slack, ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    slack.faults.lose_answer(POST, channel="C0STATUS")
    await tell(mia, "update 1 Cards are refused.")
    await ratchet.worker.deliver_due()
    card = slack.workspace.channel("#status").messages[0]
    for number in range(450):
        await mia.say("#status", f"me too {number}", thread=card)
    await settle(ratchet, clock)

    by_us = [reply for reply in card.replies if reply.author == slack.workspace.app.bot_user]
    assert len(by_us) == 1


async def test_an_update_arrives_at_least_once_in_an_unreadable_channel(slack, ratchet, clock, mia):
    slack.faults.refuse("conversations.replies", error="missing_scope", times=None)
    slack.faults.refuse("conversations.history", error="missing_scope", times=None)
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    slack.faults.lose_answer(POST, channel="C0STATUS")
    await tell(mia, "update 1 Cards are refused.")
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert ["Cards are refused." in reply.text for reply in card.replies] == [True, True]


async def test_an_update_withdrawn_after_a_lost_response_leaves_no_text(slack, ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    slack.faults.lose_answer(POST, channel="C0STATUS")
    await tell(mia, "update 1 Our customer list leaked.")
    await ratchet.worker.deliver_due()
    await tell(mia, "redact 1 2")
    await settle(ratchet, clock)

    assert "leaked" not in str(slack.channel_view("#status"))


async def test_a_rate_limit_delays_its_own_channel_only(slack, ratchet, clock, mia):
    limit = slack.faults.rate_limit(POST, retry_after=30, channel="C0STATUS")
    await tell(mia, "declare Checkout is down")
    await ratchet.worker.deliver_due()
    assert limit.hits == 1
    assert len(slack.channel_view("#payments")) == 1
    first = clock()

    clock.advance(seconds=29)
    await ratchet.worker.deliver_due()
    assert slack.channel_view("#status") == []
    clock.advance(seconds=1)
    await ratchet.worker.deliver_due()

    assert len(slack.channel_view("#status")) == 1
    assert clock() - first == timedelta(seconds=30)


async def test_a_deleted_card_is_posted_again_and_its_thread_continues_there(
    slack, ratchet, clock, mia
):
    await tell(mia, "declare Checkout is down", "update 1 Cards are refused.")
    await settle(ratchet, clock)
    [card] = slack.workspace.channel("#status").messages
    for message in (*card.replies, card):
        slack.workspace.delete(message)
    await tell(mia, "update 1 Payments work again.")
    await settle(ratchet, clock)

    standing = [post for post in slack.channel_view("#status") if post.by == "ratchet"]
    assert [reply.text for post in standing for reply in post.replies] == [
        "INC-1 Checkout is down: Payments work again."
    ]


async def test_a_thread_that_takes_no_replies_loses_no_update(slack, ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    slack.faults.refuse(POST, error="restricted_action_thread_locked", channel="C0STATUS")
    await tell(mia, "update 1 Cards are refused.")
    await settle(ratchet, clock)

    assert "Cards are refused." in str(slack.channel_view("#status"))


async def test_the_bot_joins_the_channel_of_a_declaration(slack, ratchet, clock, mia):
    await tell(mia, "declare Checkout is down", channel="#random")
    await settle(ratchet, clock)

    assert len(slack.channel_view("#random")) == 1


PERMANENT = ("is_archived", "channel_not_found", "token_revoked", "invalid_auth", "msg_too_long")


@pytest.mark.parametrize("error", PERMANENT)
async def test_a_refused_message_is_kept_and_sent_on_retry(error, slack, ratchet, clock, mia):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    broken = slack.faults.refuse(POST, error=error, channel="C0STATUS", times=None)
    await tell(mia, "update 1 Cards are refused.", "update 1 Payments work again.")
    await settle(ratchet, clock)
    dead = await ratchet.outbox.list(State.DEAD)
    assert [(message.surface, message.error) for message in dead] == [
        (Surface.PUBLIC_UPDATE, error),
        (Surface.PUBLIC_UPDATE, error),
    ]

    broken.clear()
    await ratchet.outbox.retry_dead(at=clock())
    await settle(ratchet, clock)

    [card] = slack.channel_view("#status")
    assert [reply.text for reply in card.replies] == [
        "INC-1 Checkout is down: Cards are refused.",
        "INC-1 Checkout is down: Payments work again.",
    ]


async def test_a_message_that_cannot_be_drawn_is_given_up_and_delays_no_other(
    slack, ratchet, clock, mia
):
    await tell(mia, "declare Checkout is down")
    await tell(mia, "update 1 This is poison.", "update 1 Payments work again.")
    spoil = "UPDATE incident_update SET body = X'ff' WHERE body = 'This is poison.'"
    tables.change(ratchet.store, spoil)
    await settle(ratchet, clock)

    [dead] = await ratchet.outbox.list(State.DEAD)
    assert (dead.surface, dead.error, dead.attempts) == (Surface.PUBLIC_UPDATE, "own_fault", 7)
    assert "Payments work again." in str(slack.channel_view("#status"))


async def test_slack_down_for_hours_loses_nothing_and_changes_no_order(
    slack, ratchet, clock, mia, fault_free
):
    await tell(mia, "list")
    down = slack.faults.unavailable("*", times=None)
    await tell(mia, *OUTAGE)
    for _ in range(120):
        await ratchet.worker.deliver_due()
        clock.advance(seconds=60)
    down.clear()
    await settle(ratchet, clock)

    assert slack.channel_view("#status") == fault_free


async def test_a_post_cut_off_by_a_stop_is_sent_once(slack, start, clock, mia):
    async with start() as app:
        await tell(mia, "declare Checkout is down")
        await settle(app, clock)
        clock.advance(seconds=1)
        hung = slack.faults.late_answer(POST, seconds=60, channel="C0STATUS", times=1)
        await tell(mia, "update 1 Cards are refused.")
        await until(lambda: hung.hits == 1)
        await app.worker.stop(patience=timedelta(0))
    hung.clear()
    async with start() as app:
        await settle(app, clock)

    [card] = slack.channel_view("#status")
    assert len(card.replies) == 1


async def hung_deliveries(slack, mia, count):
    """So many cards under way, each to a channel for which Slack does not answer."""
    hung = []
    for number in range(count):
        channel = slack.workspace.add_channel(f"team-{number}", members=["mia"])
        hung.append(slack.faults.slow("*", seconds=60, channel=channel.id))
        await tell(mia, f"declare Service {number} is down", channel=channel.name)
    await until(lambda: all(fault.hits for fault in hung))
    return hung


async def test_hung_deliveries_delay_no_other(slack, ratchet, mia):
    hung = await hung_deliveries(slack, mia, 16)

    await tell(mia, "declare Checkout is down")
    await slack.until(lambda: "Checkout is down" in str(slack.channel_view("#payments")))

    assert [slack.channel_view(f"team-{number}") for number in range(16)] == [[]] * 16
    for fault in hung:
        fault.clear()


@pytest.mark.torture
async def test_64_hung_deliveries_delay_no_other_by_two_seconds(slack, ratchet, mia, figures):
    hung = await hung_deliveries(slack, mia, 64)
    began = monotonic()
    await tell(mia, "declare Checkout is down")
    await slack.until(lambda: "Checkout is down" in str(slack.channel_view("#payments")))
    taken = monotonic() - began

    for fault in hung:
        fault.clear()
    figures(f"a card beside 64 hung deliveries: {taken:.2f} s")
    assert taken < 2


@pytest.mark.parametrize("kind_of_fault", ["server_error", "unavailable", "cut"])
async def test_an_answer_is_repeated_after_a_failed_response_url(
    kind_of_fault, slack, ratchet, mia
):
    await tell(mia, "declare Checkout is down")
    await ratchet.worker.deliver_due()
    fault = faults(slack, kind_of_fault, "response_url", times=1)
    card = slack.workspace.channel("#payments").messages[0]

    answer = await (await mia.press(card, "Move to Identified")).answer()

    assert "is now *Identified*" in answer.words()
    assert fault.hits == 1
