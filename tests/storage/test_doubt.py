"""When nobody knows whether Slack has a message: it is looked for, and never forgotten about."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.incident import PublicText, Surface
from core.service import Incidents
from storage.outbox import UNKNOWN_OUTCOME, Outbox, Posted, State
from tests.builders import NINE, WORKSPACE, a_change


@pytest.fixture
def claim(outbox, clock):
    async def claim(worker="w1"):
        return await outbox.claim(worker, limit=16, at=clock())

    return claim


@pytest.fixture
def states(outbox):
    """Every message of a surface, oldest first: its id and where it stands."""

    async def states(surface=Surface.STATUS_CARD):
        listed = await outbox.list(*State)
        return [(message.id, message.state) for message in listed if message.surface is surface]

    return states


@pytest.fixture
async def running(declare, claim):
    """The status card of INC-1, which a worker has just claimed."""
    await declare()
    return next(m for m in await claim() if m.surface is Surface.STATUS_CARD)


async def test_a_try_in_doubt_is_remembered_whatever_later_tries_say(running, claim, outbox, clock):
    tried = running
    told = [tried.unsure]
    for error in ("ratelimited", UNKNOWN_OUTCOME, "ratelimited"):
        await outbox.later(tried, until=clock(), error=error)
        clock.advance(seconds=1)
        tried = next(m for m in await claim() if m.id == running.id)
        told.append(tried.unsure)

    assert told == [False, False, True, True]
    assert (tried.attempts, tried.uid, tried.error) == (4, running.uid, "ratelimited")


async def test_a_doubt_outlives_giving_up(running, claim, outbox, clock):
    await outbox.dead(running, error=UNKNOWN_OUTCOME, at=clock())
    await outbox.retry_dead(at=clock.advance(seconds=1))

    again = next(m for m in await claim() if m.id == running.id)
    assert (again.unsure, again.attempts) == (True, 1)


@pytest.mark.parametrize("way", ["later", "rescue", "dead"])
async def test_the_next_edit_is_merged_into_the_card_that_may_be_posted_already(
    way, running, incidents, claim, outbox, clock, states
):
    """The other way round, the post would be looked for under an id that it does not have."""
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


async def test_public_updates_are_not_merged_when_they_come_back(
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


async def test_of_several_dead_edits_of_one_card_one_is_sent_again(
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


async def test_a_dead_edit_is_not_sent_again_beside_one_that_is_on_its_way(
    running, incidents, claim, outbox, clock, states
):
    await outbox.dead(running, error="is_archived", at=clock())
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=1)
    await claim()

    await outbox.retry_dead(at=clock())

    assert [state for _, state in await states()] == [State.MERGED, State.RUNNING]


async def test_a_worker_that_comes_back_late_moves_nothing_that_another_has_claimed(
    running, claim, outbox, clock, states
):
    at = clock.advance(minutes=3)
    await outbox.rescue(claimed_before=at, at=at, until=at)
    await claim("w2")

    await outbox.later(running, until=at, error="ratelimited")
    await outbox.dead(running, error="is_archived", at=at)

    assert await states() == [(running.id, State.RUNNING)]


async def test_what_slack_has_is_delivered_whoever_says_so_and_however_late(
    running, outbox, clock, states
):
    at = clock.advance(minutes=3)
    await outbox.rescue(claimed_before=at, at=at, until=at)

    await outbox.delivered(running, at=at, posted=Posted("C0STATUS", "5.0"))

    assert await states() == [(running.id, State.DELIVERED)]
    assert (await outbox.facts(running)).place == Posted("C0STATUS", "5.0")


async def test_a_message_that_was_lost_in_slack_stands_nowhere(running, outbox, clock):
    await outbox.delivered(running, at=clock(), posted=Posted("C0STATUS", "5.0"))
    await outbox.forget_posted(running)

    assert (await outbox.facts(running)).place is None


async def test_how_long_something_waits_counts_from_when_it_was_due(running, claim, outbox, clock):
    """Each retry puts the next try off; the public waits since the first one all the same."""
    await outbox.later(running, until=clock() + timedelta(minutes=9), error="ratelimited")
    at = clock.advance(minutes=6)

    depth = await outbox.depth(at=at)

    assert depth.oldest_due == timedelta(minutes=6)
    assert depth.by_state == {State.AVAILABLE: 1, State.RUNNING: 1, State.DEAD: 0}


async def test_the_next_look_is_due_when_something_can_be_claimed(declare, claim, outbox, clock):
    told = [await outbox.next_due()]
    first = await declare()
    told.append(await outbox.next_due())
    await claim()
    await declare(place=first.place)
    told.append(await outbox.next_due())
    await outbox.hold(WORKSPACE, first.place.channel, until=clock() + timedelta(minutes=1))
    await outbox.hold(WORKSPACE, "C0STATUS", until=clock() + timedelta(minutes=2))
    told.append(await outbox.next_due())

    minute = timedelta(minutes=1)
    assert told == [None, NINE, NINE + timedelta(seconds=1), NINE + minute]


async def test_a_shorter_hold_does_not_cut_a_longer_one_short(declare, claim, outbox, clock):
    await declare()
    for seconds in (60, 5):
        until = clock() + timedelta(seconds=seconds)
        await outbox.hold(WORKSPACE, "C0STATUS", until=until)
    clock.advance(seconds=10)

    assert Surface.STATUS_CARD not in {message.surface for message in await claim()}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_card_is_not_claimed_while_a_change_that_it_is_to_show_is_not_committed(
    declare, incidents, claim, opened, clock
):
    """Rendered then it would show less, and nothing would be left to show the rest."""
    await declare()
    saved, commit = threading.Event(), threading.Event()

    def hold(_tx, outcome):
        saved.set()
        commit.wait(10)
        return outcome

    slow = Incidents(opened(status_channel="C0STATUS"), clock=clock, wake=lambda: None)
    changing = asyncio.ensure_future(slow.perform(a_change(ref=1, to="identified"), hold))
    await asyncio.to_thread(saved.wait, 10)
    meanwhile = await claim()
    commit.set()
    await changing
    after = await claim()

    assert meanwhile == ()
    assert len(after) == 2


async def test_claims_and_changes_at_once_lose_no_change(opened, declare, clock, store):
    """However they meet, what is delivered last was rendered after the last change."""
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
        door = Incidents(stores[1], clock=clock, wake=lambda: None)
        for count in range(30):
            await door.execute(a_change(ref=1, title=f"Title {count}"))

    await asyncio.gather(
        change(), *(deliver(number, Outbox(one)) for number, one in enumerate(stores))
    )
    await deliver(9, Outbox(store))

    assert shown[-1] == "Title 29"
    assert await Outbox(store).next_due() is None
