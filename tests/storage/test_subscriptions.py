"""Subscribed channels in the store: who may, what is kept, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import InvalidField
from core.incident import Severity
from core.refusals import Denied, NotSubscribed
from core.subscribing import SUBSCRIPTIONS_MAX, Subscribing, Wanted
from core.subscription import SubscriptionFilter
from tests.builders import ADA, GRACE, STATUS_CHANNEL, WORKSPACE, an_actor, set_status_channel

PUBLISHER = an_actor()
HERE = "C0CUSTOMERS"


@pytest.fixture
def subscribing(store, clock):
    return Subscribing(store, clock=clock)


def wanted(channel, **limits):
    return Wanted(channel=channel, **limits)


@pytest.fixture
def counted(store):
    """The count of subscriptions that the workspace knows of itself."""

    async def counted():
        return (await store.read(lambda reader: reader.workspace(WORKSPACE))).subscriptions

    return counted


async def test_a_channel_is_subscribed_listed_and_unsubscribed(
    subscribing, declare, counted, clock
):
    await declare(components=("api",))
    assert (await counted(), await subscribing.subscriptions(PUBLISHER)) == (None, ())

    made = await subscribing.subscribe(
        PUBLISHER, wanted(HERE, severity=Severity.HIGH, components=("API",), broadcast=True)
    )
    kept = made.subscription
    assert (made.before, made.changed, kept.starts_at, kept.by) == (None, True, clock(), ADA)
    assert [one.name for one in kept.filter.components] == ["api"]
    assert await subscribing.subscriptions(PUBLISHER) == (kept,)
    assert await counted() == 1

    clock.advance(minutes=1)
    ended = await subscribing.unsubscribe(PUBLISHER, HERE)
    assert (ended.before, ended.subscription.ended_at) == (kept, clock())
    assert (await counted(), await subscribing.subscriptions(PUBLISHER)) == (0, ())
    with pytest.raises(NotSubscribed):
        await subscribing.unsubscribe(PUBLISHER, HERE)


async def test_another_filter_begins_anew_and_the_same_one_changes_nothing(subscribing, clock):
    first = (await subscribing.subscribe(PUBLISHER, wanted(HERE))).subscription
    clock.advance(minutes=1)

    same = await subscribing.subscribe(an_actor(GRACE), wanted(HERE))
    assert (same.changed, same.subscription) == (False, first)

    other = await subscribing.subscribe(an_actor(GRACE), wanted(HERE, severity=Severity.HIGH))
    assert (other.changed, other.before) == (True, first)
    assert (other.subscription.starts_at, other.subscription.by) == (clock(), GRACE)
    assert await subscribing.subscriptions(PUBLISHER) == (other.subscription,)


async def test_a_channel_that_was_unsubscribed_begins_anew(subscribing, counted, clock):
    await subscribing.subscribe(PUBLISHER, wanted(HERE))
    await subscribing.unsubscribe(PUBLISHER, HERE)
    clock.advance(minutes=1)

    again = await subscribing.subscribe(PUBLISHER, wanted(HERE))

    assert (again.before, again.changed, again.subscription.ended_at) == (None, True, None)
    assert again.subscription.starts_at == clock()
    assert await counted() == 1


async def test_a_look_says_what_would_be_and_writes_nothing(subscribing, counted):
    looked = await subscribing.proposed(PUBLISHER, wanted(HERE, severity=Severity.LOW))

    assert looked.changed
    assert looked.subscription.filter == SubscriptionFilter(severity=Severity.LOW)
    assert await subscribing.subscriptions(PUBLISHER) == ()
    assert not await counted()


async def test_only_publishers_have_to_do_with_subscriptions(subscribing):
    for act in (
        subscribing.subscriptions(an_actor(publisher=False)),
        subscribing.proposed(an_actor(publisher=False), wanted(HERE)),
        subscribing.subscribe(an_actor(publisher=False), wanted(HERE)),
        subscribing.unsubscribe(an_actor(publisher=False), HERE),
    ):
        with pytest.raises(Denied):
            await act


async def test_what_cannot_be_subscribed_is_refused_with_a_reason(subscribing, declare):
    await declare(components=("search",))
    with pytest.raises(InvalidField, match="is the status channel"):
        await subscribing.subscribe(PUBLISHER, wanted(STATUS_CHANNEL))
    for no_channel in ("D0DIRECT", "U0ADA", "", "customers"):
        with pytest.raises(InvalidField, match="is no channel"):
            await subscribing.subscribe(PUBLISHER, wanted(no_channel))
    with pytest.raises(InvalidField, match='did you mean "search"'):
        await subscribing.subscribe(PUBLISHER, wanted(HERE, components=("serach",)))


async def test_a_workspace_has_a_bounded_number_of_subscriptions(subscribing, counted):
    for number in range(SUBSCRIPTIONS_MAX):
        await subscribing.subscribe(PUBLISHER, wanted(f"C0{number:03}"))
    with pytest.raises(InvalidField, match="is one too many"):
        await subscribing.subscribe(PUBLISHER, wanted(HERE))

    # A filter of one that is there may change.
    assert (await subscribing.subscribe(PUBLISHER, wanted("C0007", severity=Severity.HIGH))).changed
    await subscribing.unsubscribe(PUBLISHER, "C0007")
    assert (await subscribing.subscribe(PUBLISHER, wanted(HERE))).changed
    assert await counted() == SUBSCRIPTIONS_MAX


async def test_two_at_once_keep_the_count_and_the_limit(subscribing, counted):
    for number in range(SUBSCRIPTIONS_MAX - 1):
        await subscribing.subscribe(PUBLISHER, wanted(f"C0{number:03}"))

    both = await asyncio.gather(
        *(subscribing.subscribe(PUBLISHER, wanted(channel)) for channel in (HERE, "C0SALES")),
        return_exceptions=True,
    )

    assert sorted(isinstance(one, InvalidField) for one in both) == [False, True]
    assert await counted() == len(await subscribing.subscriptions(PUBLISHER)) == SUBSCRIPTIONS_MAX


async def test_a_repeated_delivery_changes_nothing(subscribing, clock):
    made = await subscribing.subscribe(PUBLISHER, wanted(HERE), request="one")
    ended = await subscribing.unsubscribe(PUBLISHER, HERE, request="two")
    clock.advance(minutes=1)

    again = await subscribing.subscribe(PUBLISHER, wanted(HERE), request="one")
    assert (again.changed, again.subscription) == (False, ended.subscription)
    assert again.subscription.starts_at == made.subscription.starts_at
    assert not (await subscribing.unsubscribe(PUBLISHER, HERE, request="two")).changed
    assert await subscribing.subscriptions(PUBLISHER) == ()


async def test_subscriptions_are_of_their_workspace(subscribing):
    await subscribing.subscribe(PUBLISHER, wanted(HERE))
    other = an_actor(workspace="T0OTHER")

    assert await subscribing.subscriptions(other) == ()
    assert (await subscribing.subscribe(other, wanted(HERE))).before is None


async def test_a_subscribed_channel_is_a_public_surface(opened, clock):
    store = opened()
    subscribing = Subscribing(store, clock=clock)

    async def is_public():
        return (await store.read(lambda reader: reader.workspace(WORKSPACE))).has_public_surface

    assert not await is_public()
    await subscribing.subscribe(PUBLISHER, wanted(HERE))
    assert await is_public()
    await subscribing.unsubscribe(PUBLISHER, HERE)
    assert not await is_public()


async def test_the_status_channel_may_become_one_that_is_subscribed(subscribing, store):
    await subscribing.subscribe(PUBLISHER, wanted(HERE))
    await store.write(lambda tx: set_status_channel(tx, WORKSPACE, HERE))

    assert [one.channel for one in await subscribing.subscriptions(PUBLISHER)] == [HERE]
    assert not (await subscribing.unsubscribe(PUBLISHER, HERE)).subscription.in_force
