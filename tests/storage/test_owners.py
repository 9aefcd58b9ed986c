"""An owner who was deactivated: noticed once, told once, replaced by whoever takes over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.commands import Acknowledge, SetPromise
from core.decision import Surface
from core.incident import Kind, Membership, Severity
from core.lifecycle import RESPONSE
from core.nudging import Nudges
from core.owners import Owners
from core.promise import NextUpdate
from core.service import Incidents
from storage import audit, owners
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    WORKSPACE,
    a_change,
    an_actor,
)

HALF_AN_HOUR = timedelta(minutes=30)


def a_promise(asked):
    return SetPromise(actor=an_actor(), ref=1, next_update=asked)


@pytest.fixture
def gone():
    """The ids of people who are deactivated."""
    return {}


@pytest.fixture
def woken():
    return []


@pytest.fixture
def looking(store, clock, gone, woken):
    """Makes the look of another process."""

    async def membership_of(_workspace, person):
        return Membership.DEACTIVATED if gone.get(person) else Membership.MEMBER

    def looking(**options):
        return Owners(store, membership_of, clock=clock, wake=lambda: woken.append(1), **options)

    return looking


@pytest.fixture
def look(looking):
    return looking().look


@pytest.fixture
def incident(store):
    def incident(number=1):
        return store.read(lambda reader: reader.incident(WORKSPACE, number))

    return incident


@pytest.fixture
def told(outbox):
    async def told(surface=Surface.OWNER_LEFT):
        waiting = await outbox.undelivered()
        return [one.channel for one in waiting if one.surface is surface]

    return told


async def test_the_working_channel_is_told_once(
    declare, look, looking, gone, told, woken, incident
):
    await declare(owner=GRACE)
    await look()
    assert (await told(), woken) == ([], [])
    gone[GRACE.id] = True

    for _ in range(2):
        await look()
        await looking().look()

    assert (await told(), woken) == ([INCIDENTS_CHANNEL], [1])
    assert (await incident()).owner_left


async def test_an_incident_without_an_owner_or_after_its_end_is_left_alone(
    declare, incidents, look, gone, told
):
    await declare()
    await declare(owner=GRACE, lifecycle=RESPONSE)
    await incidents.execute(a_change(ref=2, to="resolved"))
    await incidents.execute(a_change(ref=2, to="closed"))
    gone[GRACE.id] = gone[ADA.id] = True

    await look()

    assert await told() == []


async def test_who_comes_back_leads_again_and_may_leave_again(declare, look, gone, told, incident):
    await declare(owner=GRACE)
    seen = []
    for left in (True, False, True):
        gone[GRACE.id] = left
        await look()
        seen.append((await incident()).owner_left)

    assert seen == [True, False, True]
    # The second follows the edit of the first.
    assert await told() == [INCIDENTS_CHANNEL] * 3


async def test_every_owner_is_asked_about_in_turn(declare, looking, gone, told):
    for owner in (ADA, GRACE, LINUS):
        await declare(owner=owner)
        gone[owner.id] = True
    look = looking(at_once=1).look

    for _ in range(3):
        await look()

    assert len(await told()) == 3


async def test_an_owner_of_many_incidents_is_told_about_in_each(declare, look, gone, told):
    for _ in range(3):
        await declare(owner=GRACE)
    gone[GRACE.id] = True

    await look()

    assert await told() == [INCIDENTS_CHANNEL] * 3
    assert owners.AT_ONCE >= 3


@pytest.mark.parametrize("acknowledged", [False, True])
async def test_an_acknowledgement_takes_over_from_an_owner_who_left(
    declare, incidents, look, gone, store, incident, acknowledged
):
    await declare(owner=GRACE)
    if acknowledged:
        await incidents.execute(Acknowledge(actor=an_actor(GRACE), ref=1))
    gone[GRACE.id] = True
    await look()

    outcome = await incidents.execute(Acknowledge(actor=an_actor(LINUS), ref=1))

    assert outcome.incident.leader == LINUS
    assert [(one.kind, one.old, one.new) for one in outcome.updates] == [
        (Kind.ACKNOWLEDGED, None, None),
        (Kind.ASSIGNED, "Grace", "Linus"),
    ]
    assert not (await incident()).owner_left
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


async def test_a_step_that_acknowledges_takes_over_too(
    declare, incidents, look, gone, store, incident
):
    await declare(owner=GRACE, lifecycle=RESPONSE)
    gone[GRACE.id] = True
    await look()

    await incidents.execute(Acknowledge(actor=an_actor(LINUS), ref=1))

    assert (await incident()).leader == LINUS
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


async def test_an_api_key_takes_nothing_over(declare, incidents, look, gone, incident):
    await declare(owner=GRACE)
    gone[GRACE.id] = True
    await look()

    await incidents.execute(Acknowledge(actor=an_actor(CI), ref=1))

    assert ((await incident()).owner, (await incident()).leader) == (GRACE, None)


async def test_reminders_go_to_the_channel_of_an_owner_who_left(
    declare, store, clock, look, gone, told
):
    promising = Incidents(store, clock=clock, wake=lambda: None)
    await declare(owner=GRACE, severity=Severity.HIGH)
    await promising.execute(a_promise(NextUpdate(within=HALF_AN_HOUR)))
    gone[GRACE.id] = True
    await look()
    clock.advance(minutes=26)

    await Nudges(store, clock=clock, wake=lambda: None).look()

    assert await told(Surface.PROMISE_REMINDER) == [INCIDENTS_CHANNEL]


async def test_a_reminder_that_nobody_got_is_repeated_in_the_channel(
    declare, store, outbox, clock, look, gone, told, incidents
):
    await declare(owner=GRACE)
    await incidents.execute(a_promise(NextUpdate(within=HALF_AN_HOUR)))
    clock.advance(minutes=26)
    await Nudges(store, clock=clock, wake=lambda: None).look()
    gone[GRACE.id] = True

    await look()

    assert sorted(await told(Surface.PROMISE_REMINDER)) == [INCIDENTS_CHANNEL, GRACE.id]
    (lost,) = [
        one
        for one in await outbox.undelivered()
        if (one.surface, one.channel) == (Surface.PROMISE_REMINDER, GRACE.id)
    ]
    assert (await outbox.facts(lost)).promise is None


async def test_a_dead_message_to_an_owner_who_left_ends_by_itself(
    declare, incidents, outbox, clock, look, gone
):
    await declare()
    await incidents.execute(a_change(ref=1, owner=GRACE))
    for message in await outbox.claim("w1", limit=9, at=clock.advance(seconds=1)):
        if message.surface is Surface.HAND_OVER:
            await outbox.dead(message, error="user_disabled", at=clock())
    gone[GRACE.id] = True

    await look()

    (asked,) = [one for one in await outbox.undelivered() if one.surface is Surface.HAND_OVER]
    assert asked.state == "available"
    assert (await outbox.facts(asked)).hand_over is None
