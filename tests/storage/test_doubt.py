"""A message that Slack may have after a lost response stays unsure, so its post is searched for."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.decision import Surface
from core.incident import PublicText
from core.service import Incidents
from storage.facts import Posted
from storage.models import State
from storage.outbox import UNKNOWN_OUTCOME, Outbox
from tests.builders import NINE, WORKSPACE, a_change
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def claim(outbox, clock):
    async def claim(worker="w1"):
        return await outbox.claim(worker, limit=16, at=clock())

    return claim


@pytest.fixture
def states(outbox):
    """The id and the state of every message of a surface, oldest first."""

    async def states(surface=Surface.STATUS_CARD):
        listed = await outbox.list(*State)
        return [(message.id, message.state) for message in listed if message.surface is surface]

    return states


@pytest.fixture
async def running(declare, claim):
    """The status card of INC-1, just claimed by a worker."""
    await declare()
    return next(m for m in await claim() if m.surface is Surface.STATUS_CARD)


async def test_an_unsure_try_stays_unsure_after_later_tries(running, claim, outbox, clock):
    tried = running
    unsure = [tried.unsure]
    for error in ("ratelimited", UNKNOWN_OUTCOME, "ratelimited"):
        await outbox.later(tried, until=clock(), error=error)
        clock.advance(seconds=1)
        tried = next(m for m in await claim() if m.id == running.id)
        unsure.append(tried.unsure)

    assert unsure == [False, False, True, True]
    assert (tried.attempts, tried.uid, tried.error) == (4, running.uid, "ratelimited")


async def test_a_dead_message_stays_unsure_when_it_is_retried(running, claim, outbox, clock):
    await outbox.dead(running, error=UNKNOWN_OUTCOME, at=clock())
    await outbox.retry_dead(at=clock.advance(seconds=1))

    again = next(m for m in await claim() if m.id == running.id)
    assert (again.unsure, again.attempts) == (True, 1)


@pytest.mark.parametrize("way", ["later", "rescue", "dead"])
async def test_the_next_edit_merges_into_the_card_that_may_be_posted_already(
    way, running, incidents, claim, outbox, clock, states
):
    """Merged the other way round, the post would be searched for by an id that it does not have."""
    await incidents.execute(a_change(ref=1, to="identified"))
    at = clock.advance(seconds=1)
    match way:
        case "later":
            await outbox.later(running, until=at, error=UNKNOWN_OUTCOME)
        case "rescue":
            await outbox.rescue(claimed_before=at, at=at, until=at)
        case "dead":
            await outbox.dead(running, error=UNKNOWN_OUTCOME, at=at)
            await outbox.retry_dead(at=at)

    (old, old_state), (_, new_state) = await states()
    assert (old, old_state, new_state) == (running.id, State.AVAILABLE, State.MERGED)
    again = next(m for m in await claim("w2") if m.surface is Surface.STATUS_CARD)
    assert (again.uid, again.unsure) == (running.uid, True)
    assert (await outbox.facts(again)).incident.status == "identified"


async def test_public_updates_that_come_back_do_not_merge(
    declare, incidents, outbox, claim, clock, states
):
    await declare()
    for message in await claim():
        await outbox.delivered(message, at=clock(), posted=Posted(message.channel, "1.0"))
    for text in ("one", "two"):
        await incidents.execute(a_change(ref=1, public=PublicText(text)))
    clock.advance(seconds=1)
    for message in await claim():
        await outbox.later(message, until=clock(), error=UNKNOWN_OUTCOME)

    updates = await states(Surface.PUBLIC_UPDATE)
    assert [state for _, state in updates] == [State.AVAILABLE, State.AVAILABLE]


async def test_a_retry_sends_one_of_several_dead_edits_of_a_card(
    running, incidents, claim, outbox, clock, states
):
    await outbox.dead(running, error="is_archived", at=clock())
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)
    for message in await claim():
        await outbox.dead(message, error="is_archived", at=clock())
    await incidents.execute(a_change(ref=1, to="monitoring"))

    await outbox.retry_dead(at=clock())

    assert await states() == [
        (running.id, State.AVAILABLE),
        *((id_, State.MERGED) for id_, _ in (await states())[1:]),
    ]


async def test_a_retry_merges_a_dead_edit_into_a_running_one(
    running, incidents, claim, outbox, clock, states
):
    await outbox.dead(running, error="is_archived", at=clock())
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)
    await claim()

    await outbox.retry_dead(at=clock())

    assert [state for _, state in await states()] == [State.MERGED, State.RUNNING]


async def test_a_dead_card_in_doubt_makes_the_next_edit_doubtful(
    running, incidents, claim, outbox, clock
):
    """Slack may have the card already, and the next edit would be a second one."""
    await outbox.dead(running, error=UNKNOWN_OUTCOME, at=clock())
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)

    (edit,) = await claim()
    assert edit.surface is Surface.STATUS_CARD
    assert (edit.unsure, edit.id == running.id) == (True, False)


@pytest.mark.parametrize("newer", ["dead", "later", "look_first"])
@pytest.mark.parametrize("older", ["dead", "later"])
async def test_the_doubt_about_a_card_outlives_the_merging_of_its_messages(
    older, newer, running, incidents, claim, outbox, clock, states
):
    """The older message was refused, so Slack does not have it; the newer one may be there."""
    await outbox.dead(running, error="is_archived", at=clock())
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)
    edit = next(m for m in await claim() if m.surface is Surface.STATUS_CARD)
    if newer == "dead":
        await outbox.dead(edit, error=UNKNOWN_OUTCOME, at=clock())
    else:
        await outbox.later(edit, until=clock(), error=UNKNOWN_OUTCOME)
    if newer == "look_first":
        await outbox.look_first(at=clock())
    await outbox.retry_dead(at=clock())
    clock.advance(seconds=1)
    if older == "later":
        again = next(m for m in await claim() if m.surface is Surface.STATUS_CARD)
        await outbox.later(again, until=clock(), error="ratelimited")

    assert await states() == [(running.id, State.AVAILABLE), (edit.id, State.MERGED)]
    clock.advance(seconds=1)
    last = next(m for m in await claim() if m.surface is Surface.STATUS_CARD)
    assert last.unsure


async def test_a_waiting_card_takes_over_the_doubt_of_a_dead_one(
    running, incidents, claim, outbox, clock, states
):
    await outbox.later(running, until=clock(), error="ratelimited")
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)
    again = next(m for m in await claim() if m.surface is Surface.STATUS_CARD)
    await outbox.dead(again, error=UNKNOWN_OUTCOME, at=clock())
    await incidents.execute(a_change(ref=1, to="monitoring"))
    await outbox.retry_dead(at=clock())
    clock.advance(seconds=1)

    assert [state for _, state in await states()] == [State.AVAILABLE, State.MERGED]
    assert next(m for m in await claim() if m.surface is Surface.STATUS_CARD).unsure


async def test_a_late_worker_moves_no_message_that_another_has_claimed(
    running, claim, outbox, clock, states
):
    at = clock.advance(minutes=3)
    await outbox.rescue(claimed_before=at, at=at, until=at)
    await claim("w2")

    await outbox.later(running, until=at, error="ratelimited")
    await outbox.dead(running, error="is_archived", at=at)

    assert await states() == [(running.id, State.RUNNING)]


async def test_a_late_report_of_a_delivery_counts(running, outbox, clock, states):
    at = clock.advance(minutes=3)
    await outbox.rescue(claimed_before=at, at=at, until=at)

    await outbox.delivered(running, at=at, posted=Posted("C0STATUS", "5.0"))

    assert await states() == [(running.id, State.DELIVERED)]
    assert (await outbox.facts(running)).place == Posted("C0STATUS", "5.0")


async def test_the_place_of_a_deleted_slack_message_is_forgotten(running, outbox, clock):
    await outbox.delivered(running, at=clock(), posted=Posted("C0STATUS", "5.0"))
    await outbox.forget_posted(running)

    assert (await outbox.facts(running)).place is None


async def test_the_age_of_a_message_counts_from_its_due_time(running, claim, outbox, clock):
    """A retry moves the next try, but the public has waited since the first one."""
    await outbox.later(running, until=clock() + timedelta(minutes=9), error="ratelimited")
    at = clock.advance(minutes=6)

    depth = await outbox.depth(at=at)

    assert depth.oldest_due == timedelta(minutes=6)
    assert depth.by_state == {State.AVAILABLE: 1, State.RUNNING: 1, State.DEAD: 0}


async def test_next_due_is_the_moment_of_the_next_claim(declare, claim, outbox, clock):
    due = [await outbox.next_due()]
    first = await declare()
    due.append(await outbox.next_due())
    await claim()
    await declare(place=first.place)
    due.append(await outbox.next_due())
    await outbox.pause(WORKSPACE, first.place.channel, until=clock() + timedelta(minutes=1))
    await outbox.pause(WORKSPACE, "C0STATUS", until=clock() + timedelta(minutes=2))
    due.append(await outbox.next_due())

    minute = timedelta(minutes=1)
    assert due == [None, NINE, NINE + timedelta(seconds=1), NINE + minute]


async def test_a_shorter_hold_does_not_shorten_a_longer_one(declare, claim, outbox, clock):
    await declare()
    for seconds in (60, 5):
        until = clock() + timedelta(seconds=seconds)
        await outbox.pause(WORKSPACE, "C0STATUS", until=until)
    clock.advance(seconds=10)

    assert Surface.STATUS_CARD not in {message.surface for message in await claim()}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_card_is_not_claimed_before_the_commit_of_its_change(
    declare, incidents, claim, opened, clock
):
    """A card that is rendered before the commit lacks the change, and no later message adds it."""
    await declare()
    saved, commit = threading.Event(), threading.Event()

    def hold(_tx, outcome):
        saved.set()
        commit.wait(PATIENCE_SECONDS)
        return outcome

    slow = Incidents(opened(status_channel="C0STATUS"), clock=clock, wake=lambda: None)
    changing = asyncio.ensure_future(slow.perform(a_change(ref=1, to="identified"), hold))
    await asyncio.to_thread(saved.wait, PATIENCE_SECONDS)
    meanwhile = await claim()
    commit.set()
    await changing
    after = await claim()

    assert meanwhile == ()
    assert len(after) == 2


async def test_concurrent_claims_and_changes_lose_no_change(opened, declare, clock, store):
    """The last delivery is rendered after the last change, in any order of events."""
    await declare()
    stores = [store, opened(status_channel="C0STATUS")]
    shown = []

    async def deliver(number, outbox):
        for _ in range(60):
            for message in await outbox.claim(f"w{number}", limit=4, at=clock()):
                facts = await outbox.facts(message)
                if facts.incident:
                    shown.append(facts.incident.title)
                place = None if facts.place else Posted(message.channel, "1.0")
                await outbox.delivered(message, at=clock(), posted=place)
            clock.advance(seconds=1)

    async def change():
        service = Incidents(stores[1], clock=clock, wake=lambda: None)
        for count in range(30):
            await service.execute(a_change(ref=1, title=f"Title {count}"))

    await asyncio.gather(
        change(), *(deliver(number, Outbox(one)) for number, one in enumerate(stores))
    )
    await deliver(9, Outbox(store))

    assert shown[-1] == "Title 29"
    assert await Outbox(store).next_due() is None
