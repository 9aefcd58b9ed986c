"""Subscribed channels in the store: what is kept, counted, and seen by others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from core.errors import InvalidField
from core.incident import PublicText, Severity
from core.missing import NotSubscribed
from core.subscribing import SUBSCRIPTIONS_MAX, Subscribing, Wanted
from tests.builders import ADA, WORKSPACE, a_change, an_actor, set_status_channel
from tests.patience import PATIENCE_SECONDS

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


async def test_a_channel_that_was_unsubscribed_begins_anew(subscribing, counted, clock):
    await subscribing.subscribe(PUBLISHER, wanted(HERE))
    await subscribing.unsubscribe(PUBLISHER, HERE)
    clock.advance(minutes=1)

    again = await subscribing.subscribe(PUBLISHER, wanted(HERE))

    assert (again.before, again.changed, again.subscription.ended_at) == (None, True, None)
    assert again.subscription.starts_at == clock()
    assert await counted() == 1


async def test_two_at_once_keep_the_count_and_the_limit(subscribing, counted):
    for number in range(SUBSCRIPTIONS_MAX - 1):
        await subscribing.subscribe(PUBLISHER, wanted(f"C0{number:03}"))

    both = await asyncio.gather(
        *(subscribing.subscribe(PUBLISHER, wanted(channel)) for channel in (HERE, "C0SALES")),
        return_exceptions=True,
    )

    assert sorted(isinstance(one, InvalidField) for one in both) == [False, True]
    assert await counted() == len(await subscribing.subscriptions(PUBLISHER)) == SUBSCRIPTIONS_MAX


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


async def test_a_change_during_the_commit_of_the_first_subscription_is_shown_there(
    subscribing, declare, incidents, blocked, on_statement, rows
):
    incident = await declare()
    written, commit = threading.Event(), threading.Event()

    def pause(statement):
        # The last statement before the commit.
        if statement.startswith("UPDATE outbox") and not written.is_set():
            written.set()
            commit.wait(PATIENCE_SECONDS)

    on_statement(pause)
    first = asyncio.ensure_future(subscribing.subscribe(PUBLISHER, wanted(HERE)))
    await asyncio.to_thread(written.wait, PATIENCE_SECONDS)
    change = a_change(ref=incident.id, public=PublicText("We look."))
    changing = asyncio.ensure_future(incidents.execute(change))
    await blocked(changing)
    commit.set()
    await asyncio.gather(first, changing)

    assert rows(f"SELECT surface FROM outbox WHERE channel = '{HERE}' ORDER BY id") == [
        ("status_card",),
        ("public_update",),
    ]
