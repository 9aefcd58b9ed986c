"""The look at owners: one who was deactivated leads nothing, and the others are told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.commands import SetPromise
from core.decision import Surface
from core.errors import UserError
from core.incident import Membership, Place
from core.lifecycle import RESPONSE
from core.nudging import Nudges
from core.owners import Owners
from core.promise import NextUpdate
from storage.outbox import Outbox
from tests.builders import ADA, GRACE, INCIDENTS_CHANNEL, LINUS, WORKSPACE, a_change, an_actor

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def gone():
    """Whether a person is deactivated, by id; None: nobody can say."""
    return {}


@pytest.fixture
def woken():
    """How often the worker was called, as a list that grows."""
    return []


@pytest.fixture
def looking(store, clock, gone, woken):
    """Makes the look of another process."""

    async def membership_of(_workspace, person):
        if gone.get(person, False) is None:
            raise UserError("Slack does not answer.")
        return Membership.DEACTIVATED if gone.get(person) else Membership.MEMBER

    def looking(store=store, **options):
        return Owners(store, membership_of, clock=clock, wake=lambda: woken.append(1), **options)

    return looking


@pytest.fixture
def look(looking):
    return looking().look


@pytest.fixture
def owner_left(store):
    async def owner_left(number=1):
        found = await store.read(lambda reader: reader.incident(WORKSPACE, number))
        return found.owner_left

    return owner_left


@pytest.fixture
def told(store):
    async def told(surface=Surface.OWNER_LEFT):
        waiting = await Outbox(store).undelivered()
        return [one.channel for one in waiting if one.surface is surface]

    return told


async def test_the_channel_is_told_once_and_the_worker_is_called(
    declare, looking, gone, told, woken, owner_left
):
    await declare(owner=GRACE)
    await looking().look()
    assert (await told(), woken) == ([], [])
    gone[GRACE.id] = True

    for _ in range(3):
        await looking().look()

    assert (await told(), woken) == ([INCIDENTS_CHANNEL], [1])
    assert await owner_left()


async def test_nothing_is_known_while_nobody_can_say(declare, look, gone, told, owner_left):
    await declare(owner=GRACE)
    gone[GRACE.id] = None

    await look()

    assert (await told(), await owner_left()) == ([], False)


async def test_who_comes_back_leads_again_and_may_leave_again(
    declare, look, gone, told, owner_left
):
    await declare(owner=GRACE)
    seen = []
    for left in (True, False, True):
        gone[GRACE.id] = left
        await look()
        seen.append(await owner_left())

    assert seen == [True, False, True]
    # The second follows the edit of the first.
    assert await told() == [INCIDENTS_CHANNEL] * 3


async def test_every_owner_is_asked_about_in_turn(declare, looking, gone, told):
    for owner in (ADA, GRACE, LINUS):
        await declare(owner=owner)
        gone[owner.id] = True
    look = looking(at_once=1).look

    for many in (1, 2, 3, 3):
        await look()
        assert len(await told()) == many


@pytest.mark.parametrize(
    ("declared", "people"),
    [
        ({"private": True}, [ADA.id]),
        ({"private": True, "place": Place("C0SECRET", private=True)}, ["C0SECRET"]),
        ({"place": None}, [ADA.id]),
    ],
    ids=["private", "in a private channel", "without a channel"],
)
async def test_those_are_told_who_see_the_incident(declare, look, gone, told, declared, people):
    await declare(owner=GRACE, **declared)
    gone[GRACE.id] = True

    await look()

    assert await told() == people


@pytest.mark.parametrize(
    ("minutes", "reminded"),
    [(20, []), (26, [GRACE.id, INCIDENTS_CHANNEL])],
    ids=["no reminder yet", "a reminder that nobody got"],
)
async def test_a_reminder_to_an_owner_who_left_is_repeated_in_the_channel(
    declare, incidents, store, clock, look, gone, told, minutes, reminded
):
    await declare(owner=GRACE)
    asked = NextUpdate(within=HALF_AN_HOUR)
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=asked))
    clock.advance(minutes=minutes)
    await Nudges(store, clock=clock, wake=lambda: None).look()
    gone[GRACE.id] = True

    await look()

    assert sorted(await told(Surface.PROMISE_REMINDER)) == sorted(reminded)


class Faster:
    """A store in which others change everything between the reads of a look and its writes."""

    def __init__(self, store, change):
        self._store = store
        self._change = change

    def read(self, work):
        return self._store.read(work)

    def read_public(self, work):
        return self._store.read_public(work)

    async def write(self, work):
        await self._change()
        return await self._store.write(work)


@pytest.mark.parametrize("faster", ["another look", "another owner", "the end"])
async def test_a_look_asks_again_under_the_lock(
    declare, incidents, looking, store, gone, told, faster
):
    await declare(owner=GRACE, lifecycle=RESPONSE)
    gone[GRACE.id] = True

    async def change():
        if faster == "another look":
            await looking().look()
        elif faster == "another owner":
            await incidents.execute(a_change(ref=1, owner=LINUS))
        else:
            await incidents.execute(a_change(ref=1, to="resolved"))
            await incidents.execute(a_change(ref=1, to="closed"))

    await looking(Faster(store, change)).look()

    assert len(await told()) == (faster == "another look")
