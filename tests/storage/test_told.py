"""Messages that tell of an incident: each is edited once others than its readers may read it."""

from __future__ import annotations

import pytest

from core.commands import AnswerHandOver, SetInvitation, SetPrivacy
from core.decision import Surface
from core.service import Incidents
from storage.facts import Posted
from tests.builders import CI, GRACE, INCIDENTS_CHANNEL, LINUS, a_change, an_actor

PRIVATE = SetPrivacy(actor=an_actor(), ref=1, private=True)


@pytest.fixture
def deliver(outbox, clock):
    """Delivers all messages; those of ``surfaces`` without a place, as earlier versions did."""

    async def deliver(*surfaces):
        while claimed := await outbox.claim("worker", limit=10, at=clock()):
            for one in claimed:
                place = None if one.surface in surfaces else Posted(one.channel, f"{one.id}.0")
                await outbox.delivered(one, at=clock(), posted=place)
            clock.advance(seconds=1)

    return deliver


@pytest.fixture
def edits(outbox):
    async def edits(surface):
        waiting = await outbox.undelivered()
        return [one for one in waiting if one.surface is surface]

    return edits


@pytest.fixture
async def declined(declare, incidents, deliver):
    """The channel gets the word that an owner, whom a key has named, did not take it."""
    await declare()
    await incidents.execute(a_change(actor=an_actor(CI), ref=1, owner=GRACE))
    await deliver()
    await incidents.execute(AnswerHandOver(actor=an_actor(GRACE), ref=1, entry=2, takes=False))


async def test_a_message_is_edited_once_it_is_private_and_once_it_is_public_again(
    incidents: Incidents, declined, deliver, edits
):
    await deliver()
    for private in (True, False):
        await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=private))
        (edit,) = await edits(Surface.HAND_OVER_DECLINED)
        assert (edit.channel, edit.entry, edit.unsure) == (INCIDENTS_CHANNEL, 2, False)
        await deliver()


async def test_a_message_of_an_earlier_version_is_searched_for_since_it_was_written(
    incidents, declined, deliver, edits, clock
):
    written = clock()
    await deliver(Surface.HAND_OVER_DECLINED)
    clock.advance(days=3)

    await incidents.execute(PRIVATE)

    (edit,) = await edits(Surface.HAND_OVER_DECLINED)
    assert (edit.unsure, edit.created_at) == (True, written)


async def test_a_message_on_its_way_is_followed_by_its_edit(incidents, declined, edits):
    await incidents.execute(PRIVATE)

    assert [one.unsure for one in await edits(Surface.HAND_OVER_DECLINED)] == [False, False]


async def test_who_is_no_reader_any_more_keeps_no_message(declare, incidents, deliver, edits):
    await declare(private=True)
    for invited in (True, False):
        if not invited:
            for owner in (GRACE, LINUS):
                await incidents.execute(a_change(ref=1, owner=owner))
                await deliver()
        await incidents.execute(
            SetInvitation(actor=an_actor(), ref=1, person=GRACE, invited=invited)
        )

    assert GRACE.id in [one.channel for one in await edits(Surface.HAND_OVER)]
