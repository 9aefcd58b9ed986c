"""The look at hand-overs without an answer: each is told of once."""

import pytest

from core.commands import AnswerHandOver
from core.decision import Surface
from core.incident import Note
from core.service import Incidents
from core.store import HandOverName, StoreUnavailable
from core.waiting import HandOvers
from storage.outbox import Outbox
from tests.builders import (
    ADA,
    GRACE,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
)
from tests.stores import Failing, FoundByTwo


@pytest.fixture
def woken():
    """How often the worker was called, as a list that grows."""
    return []


@pytest.fixture
def look(store, clock, woken):
    return HandOvers(store, clock=clock, wake=lambda: woken.append(clock.now)).look


@pytest.fixture
async def handed(store, clock):
    """An incident that Ada has handed to Grace."""
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await incidents.execute(a_declaration(id=an_id(1)))
    await incidents.execute(a_change(ref=1, owner=GRACE))
    return incidents


async def told(store):
    waiting = await Outbox(store).undelivered()
    return [one.channel for one in waiting if one.surface is Surface.HAND_OVER_UNANSWERED]


async def test_silence_is_told_once(store, handed, look, clock, woken):
    seen = []
    for minutes in (14, 1, 15, 600):
        clock.advance(minutes=minutes)
        await look()
        await look()
        seen.append(await told(store))

    assert seen == [[], [ADA.id], [ADA.id], [ADA.id]]
    assert len(woken) == 1


@pytest.mark.parametrize("takes", [True, False])
async def test_an_answer_is_no_silence(store, handed, look, clock, takes):
    actor = an_actor(GRACE)
    await handed.execute(AnswerHandOver(actor=actor, ref=1, entry=2, takes=takes))
    clock.advance(minutes=20)
    await look()

    assert await told(store) == []


async def test_an_owner_who_writes_something_is_not_silent(store, handed, look, clock, woken):
    await handed.execute(a_change(actor=an_actor(GRACE), ref=1, note=Note("I look.")))
    clock.advance(minutes=20)
    await look()
    await look()

    assert await told(store) == []
    assert woken == []


@pytest.mark.parametrize(
    ("error", "left"), [(ZeroDivisionError(), [ADA.id]), (StoreUnavailable("gone"), [])]
)
async def test_an_error_with_one_hand_over_keeps_no_other_waiting(
    store, handed, clock, error, left
):
    await handed.execute(a_declaration(id=an_id(2), owner=GRACE))
    clock.advance(hours=1)
    look = HandOvers(Failing(store, error), clock=clock, wake=lambda: None).look

    with pytest.raises(type(error)):
        await look()
    assert await told(store) == left

    await look()
    assert await told(store) == [ADA.id, ADA.id]


async def test_a_hand_over_that_another_process_has_done_is_passed_over(store, handed, look, clock):
    incident = await handed.find(an_actor(), 1)
    name = HandOverName(WORKSPACE, incident.id, 2)
    gone = [name._replace(incident=an_id("nowhere")), name._replace(entry=9), name]
    clock.advance(minutes=20)
    await look()
    before = await told(store)

    await HandOvers(FoundByTwo(store, gone), clock=clock, wake=lambda: None).look()

    assert before == await told(store) == [ADA.id]
