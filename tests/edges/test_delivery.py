"""Deliveries to a Slack that fails: each message is shown in the end, and shown once."""

from contextlib import closing
from datetime import timedelta

import aiohttp
import pytest

from bot.delivery.slack import SlackTransport
from bot.delivery.worker import RESCUE_AFTER, Worker
from bot.slack.web import a_client
from bot.telemetry import Metrics
from core.commands import AnswerHandOver, SetPromise
from core.incident import Membership, Person, Place, PublicText
from core.nudging import Nudges
from core.owners import Owners
from core.promise import NextUpdate
from core.service import Incidents
from storage.models import State
from storage.outbox import UNKNOWN_OUTCOME, Outbox
from storage.store import SqlStore
from tests.builders import (
    a_change,
    a_declaration,
    an_actor,
    the_settings,
)

STATUS, PAYMENTS, RANDOM, OLD_NEWS = "C0STATUS", "C0PAYMENTS", "C0RANDOM", "C0OLDNEWS"


@pytest.fixture
def store(database_url):
    with closing(SqlStore(database_url, defaults=the_settings(status_channel=STATUS))) as store:
        yield store


@pytest.fixture
def outbox(store):
    return Outbox(store)


@pytest.fixture
async def worker(outbox, settings, clock):
    client = a_client(settings, timeout_seconds=1)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as client.session:
        yield Worker(
            outbox,
            SlackTransport(client),
            name="test",
            clock=clock,
            chance=lambda: 0.0,
            metrics=Metrics(),
        )


@pytest.fixture
def incidents(store, worker, clock):
    return Incidents(store, clock=clock, wake=worker.wake)


@pytest.fixture
def declare(incidents):
    async def declare(*, channel=PAYMENTS, **fields):
        facts = {"actor": an_actor(channel=channel), "place": Place(channel)}
        return await incidents.execute(a_declaration(**facts | fields))

    return declare


@pytest.fixture
def publish(incidents):
    async def publish(text, *, number=1, **fields):
        return await incidents.execute(a_change(ref=number, public=PublicText(text), **fields))

    return publish


@pytest.fixture
def settle(worker, outbox, clock):
    """Let time pass until no message waits any more."""

    async def settle(*, minutes=10):
        for _ in range(minutes * 60):
            await worker.deliver_due()
            if await outbox.next_due() is None:
                return
            clock.advance(seconds=1)
        raise AssertionError(f"messages still wait after {minutes} minutes")

    return settle


async def dead(outbox):
    return [(message.surface, message.error) for message in await outbox.list(State.DEAD)]


def shown(slack, channel):
    """The messages of a channel, each with its replies."""
    return [
        [message, *message.replies]
        for message in slack.workspace.channel(channel).messages
        if not message.deleted
    ]


async def test_a_card_is_posted_once_and_then_edited(slack, declare, publish, settle):
    await declare()
    await settle()
    await publish("We are looking.", to="identified")
    await settle()

    ((card,),) = shown(slack, PAYMENTS)
    ((status_card, reply),) = shown(slack, STATUS)
    assert (card.edits, status_card.edits) == (1, 1)
    assert "We are looking." in reply.words()
    assert reply.broadcast


# --- refusals ----------------------------------------------------------------------------------


async def test_the_bot_joins_the_channel_of_the_incident(slack, declare, settle):
    await declare(channel=RANDOM)
    await settle()

    assert len(shown(slack, RANDOM)) == 1
    assert len(slack.calls_of("conversations.join")) == 1


async def test_the_bot_joins_after_rate_limits_and_a_cut_connection(slack, declare, settle):
    slack.faults.rate_limit("chat.postMessage", channel=RANDOM, retry_after=3, times=3)
    slack.faults.rate_limit("conversations.join", retry_after=5)
    slack.faults.cut("conversations.join")
    await declare(channel=RANDOM)
    await settle()

    assert len(shown(slack, RANDOM)) == 1


@pytest.mark.parametrize("error", ["channel_is_limited_access", "missing_scope", "is_archived"])
async def test_a_channel_that_cannot_be_joined_makes_the_message_dead(
    slack, declare, settle, outbox, error
):
    slack.faults.refuse("conversations.join", error=error)
    await declare(channel=RANDOM)
    await settle()

    assert await dead(outbox) == [("working_card", error)]
    assert len(shown(slack, STATUS)) == 1


async def test_a_bot_removed_right_after_joining_gives_up(slack, declare, settle, outbox):
    slack.faults.refuse("chat.postMessage", channel=RANDOM, error="not_in_channel", times=None)
    await declare(channel=RANDOM)
    await settle()

    assert await dead(outbox) == [("working_card", "not_in_channel")]
    assert len(slack.calls_of("conversations.join")) == 1


async def test_a_dead_message_delays_no_other(slack, declare, publish, settle, outbox):
    await declare(channel=OLD_NEWS)
    await publish("We are looking.")
    await settle()

    assert await dead(outbox) == [("working_card", "is_archived")]
    ((_, reply),) = shown(slack, STATUS)
    assert "We are looking." in reply.words()


# --- deleted messages --------------------------------------------------------------------------


async def test_a_deleted_card_is_posted_again(slack, declare, publish, settle):
    await declare()
    await settle()
    for channel in (PAYMENTS, STATUS):
        slack.workspace.delete(slack.workspace.channel(channel).messages[0])

    await publish("We are looking.", to="identified")
    await settle()

    assert len(shown(slack, PAYMENTS)) == 1
    ((card, reply),) = shown(slack, STATUS)
    assert "Identified" in card.words()
    assert "We are looking." in reply.words()


async def test_an_update_without_its_card_is_posted_outside_a_thread(
    slack, declare, publish, settle, outbox
):
    await declare()
    await settle()
    card = slack.workspace.channel(STATUS).messages[0]
    # The store does not know of the deletion: the edit that would notice fails before the reply.
    slack.faults.refuse("chat.update", channel=STATUS, error="is_archived")
    slack.workspace.delete(card)

    await publish("We are looking.")
    await settle()

    ((update,),) = shown(slack, STATUS)
    assert "We are looking." in update.words()
    assert await dead(outbox) == [("status_card", "is_archived")]


# --- lost responses ----------------------------------------------------------------------------

FAULTS = {
    "cut before the call arrived": lambda slack: slack.faults.cut(
        "chat.postMessage", channel=STATUS, times=2
    ),
    "lost response": lambda slack: slack.faults.lose_answer("chat.postMessage", channel=STATUS),
    "late response": lambda slack: slack.faults.late_answer(
        "chat.postMessage", channel=STATUS, seconds=3, times=1
    ),
    "500": lambda slack: slack.faults.server_error("chat.postMessage", channel=STATUS, times=2),
    "a proxy's page": lambda slack: slack.faults.unavailable("chat.postMessage", channel=STATUS),
    "fatal_error": lambda slack: slack.faults.refuse(
        "chat.postMessage", channel=STATUS, error="fatal_error"
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_card_and_its_replies_are_posted_once_after_a_lost_response(
    slack, declare, publish, settle, fault
):
    fault(slack)
    await declare()
    await settle()
    fault(slack)
    await publish("We are looking.")
    await settle()

    ((card, reply),) = shown(slack, STATUS)
    assert "Checkout is down" in card.words()
    assert "We are looking." in reply.words()


async def test_a_missing_scope_to_search_does_not_stop_the_post(slack, declare, settle, outbox):
    slack.faults.cut("chat.postMessage", channel=STATUS)
    slack.faults.refuse("conversations.history", error="missing_scope")
    await declare()
    await settle()

    assert len(shown(slack, STATUS)) == 1
    assert await dead(outbox) == []


async def test_a_direct_message_is_sent_again_without_a_search(slack, declare, settle, outbox):
    mia = slack.workspace.user("mia")
    slack.faults.cut("chat.postMessage", channel=mia.id)
    await declare(private=True, actor=an_actor(Person(mia.id, "mia")))
    await settle()

    assert len(shown(slack, "@mia")) == 1
    assert await dead(outbox) == []
    assert slack.calls_of("conversations.history") == []


# --- nudges -----------------------------------------------------------------------------------


@pytest.fixture
def promised(declare, incidents, store, worker, clock, settle):
    """Lets a promise of INC-1 be due, after ``minutes`` of its ten; owned by Mia if ``owned``."""

    async def promised(slack, *, minutes, owned):
        mia = slack.workspace.user("mia")
        await declare(owner=Person(mia.id, "mia") if owned else None)
        within = NextUpdate(within=timedelta(minutes=10))
        await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=within))
        await settle()
        clock.advance(minutes=minutes, seconds=1)
        await Nudges(store, clock=clock, wake=worker.wake).look()

    return promised


def nudges(slack, channel):
    return [one.text for (one,) in shown(slack, channel) if "promised by" in one.text]


LOST = ["cut", "lose_answer", "server_error"]


@pytest.mark.parametrize("fault", LOST)
async def test_a_nudge_in_a_channel_is_looked_for_before_it_is_sent_again(
    slack, promised, settle, outbox, fault
):
    getattr(slack.faults, fault)("chat.postMessage", channel=PAYMENTS)
    await promised(slack, minutes=12, owned=True)
    await settle()

    assert len(nudges(slack, PAYMENTS)) == 1
    assert await dead(outbox) == []


@pytest.mark.parametrize("fault", LOST)
async def test_a_nudge_to_a_person_is_never_sent_twice(slack, promised, settle, outbox, fault):
    await promised(slack, minutes=5, owned=True)
    getattr(slack.faults, fault)("chat.postMessage", channel=slack.workspace.user("mia").id)
    await settle()

    assert len(nudges(slack, "@mia")) == (fault == "lose_answer")
    assert await dead(outbox) == []


async def test_a_nudge_that_cannot_be_looked_for_is_not_sent_twice(slack, promised, settle, outbox):
    slack.faults.refuse("conversations.history", error="missing_scope")
    await promised(slack, minutes=12, owned=True)
    slack.faults.lose_answer("chat.postMessage", channel=PAYMENTS)
    await settle()

    assert len(nudges(slack, PAYMENTS)) == 1
    assert await dead(outbox) == []


async def test_a_nudge_is_not_taken_for_one_about_another_promise(
    slack, promised, incidents, store, worker, clock, settle
):
    await promised(slack, minutes=12, owned=True)
    await settle()
    within = NextUpdate(within=timedelta(minutes=10))
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=within))
    await settle()
    slack.faults.cut("chat.postMessage", channel=PAYMENTS)
    clock.advance(minutes=12, seconds=1)
    await Nudges(store, clock=clock, wake=worker.wake).look()
    await settle()

    assert len(nudges(slack, PAYMENTS)) == 2


async def test_a_reminder_that_comes_after_the_due_moment_is_not_sent(
    slack, promised, settle, clock, outbox
):
    await promised(slack, minutes=5, owned=True)
    clock.advance(minutes=6)
    await settle()

    assert nudges(slack, "@mia") == []
    assert await outbox.undelivered() == ()


async def test_a_nudge_whose_promise_was_kept_meanwhile_is_not_sent(
    slack, promised, publish, settle
):
    await promised(slack, minutes=5, owned=True)
    await publish("We found the cause.")
    await settle()

    assert nudges(slack, "@mia") == []


async def test_a_reminder_of_somebody_who_owns_it_no_more_is_not_sent(
    slack, promised, incidents, settle
):
    await promised(slack, minutes=5, owned=True)
    await incidents.execute(a_change(ref=1, owner=Person("U0BO", "bo")))
    await settle()

    assert nudges(slack, "@mia") == []


# --- the worker -------------------------------------------------------------------------------


class Broken:
    """A transport whose every delivery raises."""

    async def deliver(self, message, facts, *, at):
        raise ZeroDivisionError(message, facts, at)


async def test_an_exception_of_a_transport_counts_as_a_lost_response(declare, outbox, clock):
    worker = Worker(
        outbox, Broken(), name="test", clock=clock, chance=lambda: 0.0, metrics=Metrics()
    )
    await declare()
    await worker.deliver_due()

    waiting = await outbox.list(State.AVAILABLE)
    assert [(message.error, message.unsure) for message in waiting] == [
        (UNKNOWN_OUTCOME, True),
        (UNKNOWN_OUTCOME, True),
    ]


async def test_messages_of_a_dead_worker_are_delivered_by_another(
    slack, declare, settle, worker, outbox, clock
):
    await declare()
    assert len(await outbox.claim("a worker that dies", limit=10, at=clock())) == 2

    clock.advance(seconds=RESCUE_AFTER.total_seconds() - 1)
    await worker.rescue()
    await settle()
    assert shown(slack, STATUS) == shown(slack, PAYMENTS) == []
    clock.advance(seconds=2)
    await worker.rescue()
    await settle()

    assert len(shown(slack, STATUS)) == len(shown(slack, PAYMENTS)) == 1


async def test_messages_delivered_a_week_ago_are_deleted(declare, settle, worker, outbox, clock):
    await declare()
    await settle()
    clock.advance(days=7)
    await worker.prune()
    assert len(await outbox.list(*State)) == 2
    clock.advance(minutes=1)
    await worker.prune()
    assert await outbox.list(*State) == ()


# --- messages about people, and the end, after a lost response ---------------------------------


@pytest.fixture
def left(declare, store, worker, clock, settle):
    """Mia owns INC-1, and is deactivated; the channel is about to be told."""

    async def left(slack):
        mia = slack.workspace.user("mia")
        await declare(owner=Person(mia.id, "mia"))
        await settle()

        async def membership_of(_workspace, _person):
            return Membership.DEACTIVATED

        await Owners(store, membership_of, clock=clock, wake=worker.wake).look()

    return left


@pytest.mark.parametrize("fault", LOST)
async def test_the_word_about_an_owner_who_left_is_posted_once(slack, left, settle, outbox, fault):
    await left(slack)
    getattr(slack.faults, fault)("chat.postMessage", channel=PAYMENTS)
    await settle()

    told = [one for (one,) in shown(slack, PAYMENTS) if "nobody leads INC-1" in one.text]
    assert len(told) == 1
    assert await dead(outbox) == []


@pytest.mark.parametrize("fault", LOST)
async def test_the_end_is_announced_once(slack, declare, incidents, settle, outbox, fault):
    await declare()
    await settle()
    for status in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=status))
    getattr(slack.faults, fault)("chat.postMessage", channel=STATUS)
    await settle()

    (replies,) = [thread[1:] for thread in shown(slack, STATUS)]
    assert len([one for one in replies if "Resolved after" in one.text]) == 1
    assert await dead(outbox) == []


@pytest.mark.parametrize("fault", LOST)
async def test_the_word_that_an_owner_did_not_take_it_is_not_sent_twice(
    slack, declare, incidents, settle, outbox, fault
):
    mia, bo = (slack.workspace.user(name) for name in ("mia", "bo"))
    await declare()
    await incidents.execute(
        a_change(actor=an_actor(Person(mia.id, "mia")), ref=1, owner=Person(bo.id, "bo"))
    )
    await settle()
    refusal = AnswerHandOver(actor=an_actor(Person(bo.id, "bo")), ref=1, entry=2, takes=False)
    await incidents.execute(refusal)
    getattr(slack.faults, fault)("chat.postMessage", channel=mia.id)
    await settle()

    told = [one for (one,) in shown(slack, "@mia") if "did not take INC-1" in one.text]
    assert len(told) == (fault == "lose_answer")
    assert await dead(outbox) == []
