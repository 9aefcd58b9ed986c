"""Hand-overs in both databases: written with the change, answered and looked at once."""

from __future__ import annotations

import asyncio

from core.commands import AnswerHandOver
from core.decision import Surface
from core.handover import Answer
from core.waiting import HandOvers
from tests.builders import ADA, CI, GRACE, LINUS, NINE, a_change, an_actor


async def kept(store, incidents, entry):
    incident = await incidents.find(an_actor(), 1)
    return await store.read(lambda reader: reader.hand_over(incident, entry))


async def test_a_hand_over_is_kept_with_everybody_whom_it_concerns(declare, incidents, store):
    await declare(owner=LINUS)
    await incidents.execute(a_change(ref=1, owner=GRACE))
    first, second = [await kept(store, incidents, entry) for entry in (1, 2)]

    assert (first.to, first.by, first.previous) == (LINUS, ADA, None)
    assert (second.to, second.by, second.previous) == (GRACE, ADA, LINUS)
    assert (second.to.name, second.previous.name) == ("Grace", "Linus")
    assert (second.asked_at, second.answer, second.looked) == (NINE, None, False)
    assert await kept(store, incidents, 3) is None


async def test_an_answer_is_kept_with_the_change_of_the_owner(declare, incidents, store):
    await declare()
    await incidents.execute(a_change(ref=1, owner=GRACE, actor=an_actor(CI, channel=None)))
    answer = AnswerHandOver(actor=an_actor(GRACE), ref=1, entry=2, takes=False)
    await incidents.execute(answer)

    assert (await kept(store, incidents, 2)).answer is Answer.DECLINED
    assert (await incidents.find(an_actor(), 1)).owner is None


async def test_of_two_looks_at_once_one_tells(declare, incidents, store, opened, outbox, clock):
    await declare(owner=GRACE)
    clock.advance(minutes=15)
    stores = [store] if store.kind == "sqlite" else [store, opened()]
    looks = [HandOvers(one, clock=clock, wake=lambda: None).look for one in stores * 2]
    await asyncio.gather(*(look() for look in looks))

    waiting = [one.surface for one in await outbox.undelivered()]
    assert waiting.count(Surface.HAND_OVER_UNANSWERED) == 1
