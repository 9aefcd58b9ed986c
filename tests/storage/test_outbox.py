"""The outbox: the order of claims, the pace of channels, retries, and dead messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Surface
from core.incident import Note, Place, PublicText
from storage.facts import Posted
from storage.outbox import UNKNOWN_OUTCOME, Outbox
from storage.store import SqlStore
from tests.builders import (
    NINE,
    STATUS_CHANNEL,
    a_change,
    an_actor,
    the_settings,
)


@pytest.fixture
def claim(outbox, clock):
    async def claim(worker="w1", limit=16):
        return await outbox.claim(worker, limit=limit, at=clock())

    return claim


@pytest.fixture
def shown(outbox, clock):
    """Delivers all due messages, a second apart, and returns their surfaces."""

    async def shown():
        done = []
        for _ in range(50):
            for message in await outbox.claim("w1", limit=16, at=clock()):
                done.append((message.surface, message.entry))
                facts = await outbox.facts(message)
                posted = None if facts.place else Posted(message.channel, f"{len(done)}.0")
                await outbox.delivered(message, at=clock(), posted=posted)
            if await outbox.next_due() is None:
                return done
            clock.advance(seconds=1)
        raise AssertionError("the outbox does not become empty")

    return shown


def surfaces(messages):
    return [(message.surface, message.entry) for message in messages]


async def test_a_declaration_leaves_one_card_for_each_surface(declare, claim):
    await declare()

    assert sorted(surfaces(await claim())) == [
        (Surface.STATUS_CARD, None),
        (Surface.WORKING_CARD, None),
    ]


async def test_a_waiting_card_shows_later_changes_too(declare, incidents, shown):
    await declare()
    for step in ("identified", "monitoring"):
        await incidents.execute(a_change(ref=1, to=step))

    done = await shown()

    assert done.count((Surface.WORKING_CARD, None)) == 1
    assert done.count((Surface.STATUS_CARD, None)) == 1


async def test_public_updates_are_never_merged_and_keep_their_order(declare, incidents, shown):
    await declare()
    for text in ("one", "two", "three"):
        await incidents.execute(a_change(ref=1, public=PublicText(text)))

    done = [entry for surface, entry in await shown() if surface is Surface.PUBLIC_UPDATE]

    assert done == [2, 3, 4]


async def test_the_next_change_does_not_merge_into_a_claimed_card(
    declare, incidents, claim, outbox
):
    await declare()
    first = await claim()
    await incidents.execute(a_change(ref=1, to="identified"))

    assert await claim() == ()
    for message in first:
        await outbox.delivered(message, at=NINE, posted=Posted(message.channel, "1.0"))
    assert len(await claim()) == 2


async def test_an_older_message_blocks_only_its_own_lane(declare, incidents, claim, outbox, clock):
    await declare()
    await incidents.execute(a_change(ref=1, public=PublicText("one")))
    head = next(m for m in await claim() if m.surface is Surface.STATUS_CARD)
    await outbox.later(head, until=clock() + timedelta(minutes=1), error="ratelimited")
    await declare(place=Place("C0ELSEWHERE"))

    claimed = await claim()

    assert {message.incident for message in claimed} != {head.incident}
    assert (Surface.PUBLIC_UPDATE, 2) not in surfaces(claimed)


async def test_concurrent_workers_claim_each_message_once(declare, claim, url, clock):
    for number in range(10):
        await declare(place=Place(f"C0{number}"))
    stores = [SqlStore(url, defaults=the_settings()) for _ in range(3)]
    try:
        claims = await asyncio.gather(
            *(
                Outbox(store).claim(f"w{index}", limit=4, at=clock())
                for index, store in enumerate(stores)
            )
        )
    finally:
        for store in stores:
            store.close()

    taken = [message.id for claimed in claims for message in claimed]
    assert len(taken) == len(set(taken)) > 0


async def test_one_channel_takes_one_new_post_a_second(declare, claim, clock):
    for _ in range(3):
        await declare()

    posts = []
    for _ in range(3):
        posts.append(sum(m.surface is Surface.STATUS_CARD for m in await claim()))
        posts.append(sum(m.surface is Surface.STATUS_CARD for m in await claim()))
        clock.advance(seconds=1)

    assert posts == [1, 0, 1, 0, 1, 0]


async def test_a_held_channel_gets_nothing_before_the_end_of_the_hold(
    declare, claim, outbox, clock
):
    incident = await declare()
    await outbox.pause(incident.workspace, STATUS_CHANNEL, until=clock() + timedelta(seconds=30))

    assert surfaces(await claim()) == [(Surface.WORKING_CARD, None)]
    clock.advance(seconds=31)
    assert surfaces(await claim()) == [(Surface.STATUS_CARD, None)]


async def test_a_message_of_a_dead_worker_is_rescued_as_unsure(declare, claim, outbox, clock):
    await declare()
    lost = await claim()
    clock.advance(minutes=3)

    freed = await outbox.rescue(
        claimed_before=clock() - timedelta(minutes=2),
        at=clock(),
        until=clock() + timedelta(seconds=5),
    )

    clock.advance(seconds=4)
    assert await claim("w2") == ()
    clock.advance(seconds=1)
    again = await claim("w2")
    assert freed == len(lost) == 2
    assert {m.id for m in again} == {m.id for m in lost}
    assert {(m.attempts, m.error) for m in again} == {(2, UNKNOWN_OUTCOME)}


async def test_a_dead_message_is_kept_and_counted_until_it_is_retried(
    declare, claim, outbox, clock
):
    await declare()
    for message in await claim():
        await outbox.dead(message, error="is_archived", at=clock())

    depth = await outbox.depth(at=clock())
    assert depth.by_state["dead"] == 2
    assert await claim() == ()
    clock.advance(seconds=1)
    assert await outbox.retry_dead(at=clock()) == 2
    assert len(await claim()) == 2


async def test_a_withdrawal_follows_the_update_that_it_withdraws(declare, incidents, shown):
    await declare()
    await incidents.execute(a_change(ref=1, public=PublicText("A slip.")))
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))

    done = [one for one in await shown() if one[1] == 2]

    assert done == [(Surface.PUBLIC_UPDATE, 2), (Surface.WITHDRAWAL, 2)]


async def test_no_row_of_the_outbox_holds_a_text(declare, incidents, rows):
    await declare(title="A title of its own")
    await incidents.execute(
        a_change(ref=1, public=PublicText("public words"), note=Note("private words"))
    )

    kept = repr(rows("SELECT * FROM outbox"))

    for text in ("title of its own", "public words", "private words"):
        assert text not in kept


async def test_old_delivered_messages_are_pruned(declare, shown, outbox, clock, rows):
    await declare()
    await shown()

    assert await outbox.prune(before=clock() + timedelta(seconds=1)) == 2
    assert rows("SELECT * FROM outbox") == []
