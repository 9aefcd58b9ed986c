"""The look at promises: each stage is done once, and told to the right people."""

from datetime import timedelta

import pytest

from core.commands import SetPromise
from core.decision import Surface
from core.incident import Place, PublicText
from core.nudging import Nudges, messages
from core.promise import NextUpdate, Promise, Stage
from core.service import Incidents
from core.store import PromiseName, StoreUnavailable
from storage.outbox import Outbox
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    NINE,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
    an_incident,
)
from tests.stores import Failing, FoundByTwo

PROMISE = Promise(entry=2, public_at=NINE, due_at=NINE + timedelta(minutes=30))
REMINDER, BREACH = Surface.PROMISE_REMINDER, Surface.PROMISE_BREACH
HERE, SECLUDED = Place(INCIDENTS_CHANNEL), Place(INCIDENTS_CHANNEL, private=True)

TOLD = [
    ("the owner is reminded", Stage.REMINDED, {"owner": GRACE}, [(REMINDER, GRACE.id)]),
    ("without an owner the channel is", Stage.REMINDED, {}, [(REMINDER, INCIDENTS_CHANNEL)]),
    ("a key cannot be", Stage.REMINDED, {"owner": CI}, [(REMINDER, INCIDENTS_CHANNEL)]),
    ("without a channel the declarer is", Stage.REMINDED, {"place": None}, [(REMINDER, ADA.id)]),
    ("nobody is there", Stage.REMINDED, {"place": None, "declared_by": CI}, []),
    ("the channel is told", Stage.TOLD, {"owner": GRACE}, [(BREACH, INCIDENTS_CHANNEL)]),
    ("or the owner", Stage.TOLD, {"place": None, "owner": GRACE}, [(BREACH, GRACE.id)]),
    ("a public channel is not, privately", Stage.TOLD, {"private": True}, [(BREACH, ADA.id)]),
    (
        "a private channel is",
        Stage.TOLD,
        {"private": True, "place": SECLUDED},
        [(BREACH, INCIDENTS_CHANNEL)],
    ),
    (
        "the cards say that it was due",
        Stage.DUE,
        {},
        [
            (Surface.WORKING_CARD, INCIDENTS_CHANNEL),
            (Surface.STATUS_CARD, STATUS_CHANNEL),
            (Surface.STATUS_CARD, "C0OLD"),
        ],
    ),
    (
        "a private one has no public card",
        Stage.DUE,
        {"private": True},
        [(Surface.OWNER_CARD, ADA.id)],
    ),
]


@pytest.mark.parametrize(
    ("stage", "facts", "told"), [case[1:] for case in TOLD], ids=[case[0] for case in TOLD]
)
def test_each_stage_is_told_to_those_whom_it_concerns(stage, facts, told):
    incident = an_incident(**facts)
    found = list(messages(stage, incident, PROMISE, (STATUS_CHANNEL, "C0OLD")))

    assert [(one.surface, one.channel) for one in found] == told
    assert {one.entry for one in found} <= {2 if stage is not Stage.DUE else None}


BESIDE = [
    ("the owner, and the channel", {"owner": GRACE}, [GRACE.id, INCIDENTS_CHANNEL]),
    ("the channel alone, without an owner", {}, [INCIDENTS_CHANNEL]),
    ("the owner, and the declarer", {"owner": GRACE, "place": None}, [GRACE.id, ADA.id]),
    ("the declarer who is the owner", {"owner": ADA, "place": None}, [ADA.id]),
]


@pytest.mark.parametrize(
    ("facts", "told"), [case[1:] for case in BESIDE], ids=[c[0] for c in BESIDE]
)
def test_others_are_reminded_beside_an_owner_who_may_not_be_allowed_to_act(facts, told):
    found = list(messages(Stage.REMINDED, an_incident(**facts), PROMISE, (), limited=True))

    assert [one.channel for one in found] == told
    breach = messages(Stage.TOLD, an_incident(**facts), PROMISE, (), limited=True)
    assert len(list(breach)) == 1


@pytest.fixture
def woken():
    """How often the worker was called, as a list that grows."""
    return []


@pytest.fixture
def nudges(store, clock, woken):
    return Nudges(store, clock=clock, wake=lambda: woken.append(clock.now))


@pytest.fixture
async def promised(store, clock):
    """An incident of Ada's with a promise that is due in half an hour."""
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await incidents.execute(a_declaration(id=an_id(1), owner=ADA))
    within = NextUpdate(within=timedelta(minutes=30))
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=within))
    return incidents


async def nudged(store):
    waiting = await Outbox(store).undelivered()
    return [one.surface for one in waiting if one.surface in {REMINDER, BREACH}]


async def test_each_stage_is_done_once(store, promised, nudges, clock, woken):
    seen = []
    for minutes in (24, 3, 2, 2, 2, 60):
        clock.advance(minutes=minutes)
        await nudges.look()
        await nudges.look()
        seen.append(await nudged(store))

    assert seen == [[], [], [], [], [BREACH], [BREACH]]
    assert len(woken) == 2  # the cards, and the word that it is broken


async def test_the_owner_is_reminded_in_time(store, promised, nudges, clock):
    clock.advance(minutes=25, seconds=1)
    await nudges.look()
    await nudges.look()

    assert await nudged(store) == [REMINDER]


async def test_the_cards_follow_the_end_of_a_hold_once(store, promised, clock, woken):
    incidents = Incidents(
        store, clock=clock, wake=lambda: None, publish_delay=timedelta(seconds=10)
    )
    nudges = Nudges(store, clock=clock, wake=lambda: woken.append(clock.now))
    moment = clock.now + timedelta(minutes=1, seconds=10)
    clock.advance(minutes=1)
    within = NextUpdate(within=timedelta(minutes=10))
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=within))

    async def due():
        shown = (await incidents.card(an_actor(), 1)).promise(clock.now)
        return shown and shown.due_at

    for seconds, so_far in ((5, 0), (5, 0), (1, 1), (1, 1)):
        clock.advance(seconds=seconds)
        await nudges.look()
        held = clock.now < moment
        assert await due() == (NINE if held else moment) + timedelta(minutes=30 if held else 10)
        # The old promise gives way, and the new one is public: one look at each.
        assert len(woken) == so_far


async def test_a_promise_that_is_kept_is_not_looked_at(store, promised, nudges, clock, woken):
    clock.advance(minutes=5)
    await promised.execute(a_change(ref=1, public=PublicText("We found the cause.")))
    clock.advance(hours=2)
    await nudges.look()

    assert await nudged(store) == []
    assert woken == []


async def test_the_cards_follow_a_promise_to_its_end(store, promised, nudges, clock):
    clock.advance(minutes=31)
    await nudges.look()
    card = await promised.card(an_actor(), 1)

    assert card.incident.next_update_by == NINE + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("error", "left"), [(ZeroDivisionError(), [BREACH]), (StoreUnavailable("gone"), [])]
)
async def test_an_error_with_one_promise_keeps_no_other_waiting(
    store, promised, clock, error, left
):
    await promised.execute(a_declaration(id=an_id(2), owner=ADA))
    within = NextUpdate(within=timedelta(minutes=10))
    await promised.execute(SetPromise(actor=an_actor(), ref=2, next_update=within))
    clock.advance(hours=1)
    nudges = Nudges(Failing(store, error), clock=clock, wake=lambda: None)

    with pytest.raises(type(error)):
        await nudges.look()
    assert await nudged(store) == left

    await nudges.look()
    assert await nudged(store) == [BREACH, BREACH]


async def test_a_promise_that_another_process_has_done_is_passed_over(store, promised, clock):
    incident = await promised.find(an_actor(), 1)
    name = PromiseName(WORKSPACE, incident.id, 2)
    gone = [name._replace(incident=an_id("nowhere")), name._replace(entry=9), name]
    woken = []
    look = Nudges(FoundByTwo(store, gone), clock=clock, wake=lambda: woken.append(1)).look

    clock.advance(minutes=5)
    await look()

    assert await nudged(store) == []
    assert woken == []
