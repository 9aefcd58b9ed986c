"""Hand-overs in both databases: written with the change, answered and looked at once."""

from __future__ import annotations

import asyncio

from core.commands import Acknowledge, AnswerHandOver
from core.decision import Surface
from core.handover import Answer
from core.waiting import HandOvers
from storage.questions import ask_again
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


async def questions(outbox):
    return [one for one in await outbox.undelivered() if one.surface is Surface.HAND_OVER]


async def test_a_question_is_answered_by_an_acknowledgement(declare, incidents, store, outbox):
    await declare(owner=GRACE)
    await incidents.execute(Acknowledge(actor=an_actor(GRACE), ref=1))

    asked = await kept(store, incidents, 1)
    assert (asked.answer, asked.look_at) == (Answer.TAKEN, None)
    assert len(await questions(outbox)) == 2


async def test_another_owner_ends_the_question_before(declare, incidents, store, outbox):
    await declare(owner=GRACE)
    await incidents.execute(a_change(ref=1, owner=LINUS))
    first, second = [await kept(store, incidents, entry) for entry in (1, 2)]

    assert (first.answer, first.look_at) == (Answer.MOOT, None)
    assert second.answer is None
    assert [one.channel for one in await questions(outbox)] == [GRACE.id, LINUS.id, GRACE.id]


async def test_an_old_question_does_not_come_back_with_its_person(declare, incidents, store):
    await declare(owner=GRACE)
    await incidents.execute(a_change(ref=1, owner=LINUS))
    await incidents.execute(a_change(ref=1, owner=GRACE))
    late = AnswerHandOver(actor=an_actor(GRACE), ref=1, entry=1, takes=False)
    await incidents.execute(late)

    assert (await incidents.find(an_actor(), 1)).owner == GRACE


async def facts_for(outbox, person):
    (asked,) = [one for one in await questions(outbox) if one.channel == person.id]
    return await outbox.facts(asked)


async def test_a_question_shows_nothing_to_a_person_who_has_lost_the_sight(
    declare, incidents, outbox
):
    await declare(private=True, owner=GRACE)
    assert (await facts_for(outbox, GRACE)).card is not None
    answer = AnswerHandOver(actor=an_actor(GRACE), ref=1, entry=1, takes=False)
    await incidents.execute(answer)

    assert (await outbox.facts((await questions(outbox))[0])).card is None


async def test_after_a_restore_open_questions_are_shown_as_open_and_nobody_is_told_of_silence(
    declare, incidents, store, outbox, clock
):
    await declare(owner=GRACE)
    await declare(owner=LINUS)
    await incidents.execute(AnswerHandOver(actor=an_actor(LINUS), ref=2, entry=1, takes=True))
    before = len(await questions(outbox))

    count = await store.write(lambda tx: ask_again(tx, at=clock()))
    clock.advance(minutes=20)
    await HandOvers(store, clock=clock, wake=lambda: None).look()

    assert count == 1
    assert [one.channel for one in (await questions(outbox))[before:]] == [GRACE.id]
    surfaces = {one.surface for one in await outbox.undelivered()}
    assert Surface.HAND_OVER_UNANSWERED not in surfaces
