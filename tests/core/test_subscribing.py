"""Subscribed channels: who may, which can be, what begins anew, and what a repetition gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.commands import SetPrivacy
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.incident import Membership, Severity
from core.missing import NotSubscribed
from core.settings import NONE, Setting
from core.subscribing import SUBSCRIPTIONS_MAX, Subscribing, Wanted
from core.subscription import SubscriptionFilter
from tests.builders import ADA, GRACE, STATUS_CHANNEL, an_actor
from tests.stores import FoundByTwo

PUBLISHER = an_actor()
HERE = Wanted(channel="C0CUSTOMERS")


@pytest.fixture
def subscribing(store, clock):
    return Subscribing(store, clock=clock)


async def test_a_subscription_starts_when_it_is_made_with_its_filter(subscribing, declare, clock):
    api = (await declare(components=("api",))).components
    clock.advance(minutes=1)
    asked = Wanted(
        channel="C0CUSTOMERS", severity=Severity.HIGH, components=("API",), broadcast=True
    )

    made = await subscribing.subscribe(PUBLISHER, asked)

    kept = made.subscription
    assert (made.before, made.changed, kept.in_force) == (None, True, True)
    assert (kept.starts_at, kept.by, kept.broadcast) == (clock(), ADA, True)
    assert kept.filter == SubscriptionFilter(severity=Severity.HIGH, components=api)
    assert await subscribing.subscriptions(PUBLISHER) == (kept,)


async def test_another_filter_begins_anew_and_the_same_one_changes_nothing(subscribing, clock):
    first = (await subscribing.subscribe(PUBLISHER, HERE)).subscription
    clock.advance(minutes=1)

    same = await subscribing.subscribe(an_actor(GRACE), HERE)
    assert (same.changed, same.subscription) == (False, first)

    high = Wanted(channel="C0CUSTOMERS", severity=Severity.HIGH)
    other = await subscribing.subscribe(an_actor(GRACE), high)
    assert (other.changed, other.before) == (True, first)
    assert (other.subscription.starts_at, other.subscription.by) == (clock(), GRACE)
    assert (other.subscription.since, other.subscription.at) == (first.at, clock())
    assert await subscribing.subscriptions(PUBLISHER) == (other.subscription,)


async def test_a_channel_that_was_unsubscribed_begins_anew(subscribing, clock):
    kept = (await subscribing.subscribe(PUBLISHER, HERE)).subscription
    clock.advance(minutes=1)
    ended = await subscribing.unsubscribe(PUBLISHER, HERE.channel)
    assert (ended.before, ended.changed) == (kept, True)
    assert (ended.subscription.ended_at, ended.subscription.in_force) == (clock(), False)
    assert await subscribing.subscriptions(PUBLISHER) == ()
    with pytest.raises(NotSubscribed):
        await subscribing.unsubscribe(PUBLISHER, HERE.channel)
    clock.advance(minutes=1)

    again = await subscribing.subscribe(PUBLISHER, HERE)

    assert (again.before, again.former, again.changed) == (None, ended.subscription, True)
    assert again.subscription.since == clock()
    assert (again.subscription.starts_at, again.subscription.ended_at) == (clock(), None)


async def test_a_look_says_what_would_be_and_writes_nothing(subscribing):
    looked = await subscribing.proposed(
        PUBLISHER, Wanted(channel="C0CUSTOMERS", severity=Severity.LOW)
    )

    assert looked.changed
    assert looked.subscription.filter == SubscriptionFilter(severity=Severity.LOW)
    assert await subscribing.subscriptions(PUBLISHER) == ()


@pytest.mark.parametrize(
    ("asked", "field", "problem"),
    [
        (Wanted(channel=STATUS_CHANNEL), "channel", "is the status channel"),
        (Wanted(channel="D0DIRECT"), "channel", "is no channel"),
        (Wanted(channel="U0ADA"), "channel", "is no channel"),
        (Wanted(channel="customers"), "channel", "is no channel"),
        (Wanted(channel=""), "channel", "is no channel"),
        (
            Wanted(channel="C0CUSTOMERS", components=("serach",)),
            "components",
            'include one that is unknown: the nearest name is "search"',
        ),
    ],
    ids=["status channel", "direct message", "person", "name", "nothing", "component"],
)
async def test_what_cannot_be_subscribed_is_refused_with_a_reason(
    subscribing, declare, asked, field, problem
):
    await declare(components=("search",))

    for act in (subscribing.proposed(PUBLISHER, asked), subscribing.subscribe(PUBLISHER, asked)):
        with pytest.raises(InvalidField, match=problem) as refused:
            await act
        assert refused.value.field == field
    assert await subscribing.subscriptions(PUBLISHER) == ()


async def test_a_workspace_has_a_bounded_number_of_subscriptions(subscribing):
    for number in range(SUBSCRIPTIONS_MAX):
        await subscribing.subscribe(PUBLISHER, Wanted(channel=f"C0{number:03}"))
    with pytest.raises(InvalidField, match="is one too many: unsubscribe one of 50 first"):
        await subscribing.subscribe(PUBLISHER, HERE)

    narrower = Wanted(channel="C0007", severity=Severity.HIGH)
    assert (await subscribing.subscribe(PUBLISHER, narrower)).changed
    await subscribing.unsubscribe(PUBLISHER, "C0007")
    assert (await subscribing.subscribe(PUBLISHER, HERE)).changed


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(publisher=False), Permission.PUBLISH),
        (an_actor(membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["a responder", "a guest"],
)
async def test_only_publishers_have_to_do_with_subscriptions(subscribing, actor, permission):
    for act in (
        subscribing.subscriptions(actor),
        subscribing.components(actor),
        subscribing.proposed(actor, HERE),
        subscribing.subscribe(actor, HERE),
        subscribing.unsubscribe(actor, HERE.channel),
    ):
        with pytest.raises(Denied) as refused:
            await act
        assert refused.value.permission is permission
    with pytest.raises(Denied):
        subscribing.admit(actor)


async def test_publishers_get_the_names_that_a_filter_can_have(subscribing, declare):
    await declare(components=("api", "Web"))

    subscribing.admit(PUBLISHER)
    assert set(await subscribing.components(PUBLISHER)) == {"api", "Web"}


async def test_a_repeated_delivery_changes_nothing_and_gets_what_is_there_by_now(
    subscribing, clock
):
    await subscribing.subscribe(PUBLISHER, HERE, request="one")
    ended = await subscribing.unsubscribe(PUBLISHER, HERE.channel, request="two")
    clock.advance(minutes=1)

    for again in (
        await subscribing.subscribe(PUBLISHER, HERE, request="one"),
        await subscribing.unsubscribe(PUBLISHER, HERE.channel, request="two"),
    ):
        assert (again.changed, again.subscription) == (False, ended.subscription)
    assert await subscribing.subscriptions(PUBLISHER) == ()


@pytest.mark.parametrize(
    ("status_channel", "ends"), [("C0CUSTOMERS", True), ("C0OTHER", False), (NONE, False)]
)
async def test_a_subscribed_channel_that_the_operator_makes_the_status_channel_is_no_more(
    subscribing, store, clock, status_channel, ends
):
    team = PUBLISHER.workspace
    assert await subscribing.end_in_status_channel(team) is None
    kept = (await subscribing.subscribe(PUBLISHER, HERE)).subscription
    await store.write(
        lambda tx: tx.save_settings(
            team, {Setting.STATUS_CHANNEL: status_channel}, seen=None, by=GRACE, at=clock()
        )
    )
    clock.advance(minutes=1)

    ended = await subscribing.end_in_status_channel(team)

    assert ended == (replace(kept, at=clock(), ended_at=clock()) if ends else None)
    assert await subscribing.subscriptions(PUBLISHER) == (() if ends else (kept,))
    assert await subscribing.end_in_status_channel(team) is None


async def test_the_end_of_a_subscription_is_written_and_told_by_one_of_two_servers(
    subscribing, declare, store, clock
):
    team = PUBLISHER.workspace
    await declare()
    await subscribing.subscribe(PUBLISHER, HERE)
    changes = {Setting.STATUS_CHANNEL: HERE.channel}
    await store.write(lambda tx: tx.save_settings(team, changes, seen=None, by=GRACE, at=clock()))
    second = Subscribing(FoundByTwo(store, True), clock=clock)

    assert await subscribing.end_in_status_channel(team) is not None
    assert await second.end_in_status_channel(team) is None


# --- a component that may not be named ---------------------------------------------------------


async def test_a_component_that_became_private_has_no_name_in_a_filter_for_others(
    subscribing, declare, incidents
):
    one = await declare(components=("+api",))
    limited = Wanted(channel=HERE.channel, components=("api",))
    kept = (await subscribing.subscribe(PUBLISHER, limited)).subscription
    await incidents.execute(SetPrivacy(actor=PUBLISHER, ref=one.id, private=True))
    outside = an_actor(GRACE)

    async def names(actor):
        (found,) = await subscribing.subscriptions(actor)
        return [each.name for each in found.filter.components]

    assert await names(PUBLISHER) == ["api"]
    assert await names(outside) == [""]
    assert await subscribing.components(PUBLISHER) == ()

    # What they cannot know of stays in the filter, however they change the rest.
    wanted = Wanted(channel=HERE.channel, severity=Severity.HIGH)
    changed = await subscribing.subscribe(outside, wanted)
    ended = await subscribing.unsubscribe(outside, HERE.channel)

    assert "api" not in repr((changed, ended))
    assert changed.subscription.filter.severity is Severity.HIGH
    assert {each.id for each in changed.subscription.filter.components} == {
        each.id for each in kept.filter.components
    }
