"""Subscribed channels in decisions: which of them show an incident, and what each gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import SetPrivacy, SetPromise
from core.decision import Published, Subscribers, Surface
from core.incident import Kind, Severity, Visibility
from core.promise import NextUpdate
from core.subscribing import Subscribing, Wanted
from core.subscription import Subscription, SubscriptionFilter
from tests.builders import (
    ADA,
    NINE,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    a_component,
    a_declaration,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

HERE, API = "C0CUSTOMERS", "C0API"
LATER = NINE + timedelta(minutes=1)


def a_subscription(channel=HERE, *, severity=None, components=(), **changes):
    fields = {
        "workspace": WORKSPACE,
        "channel": channel,
        "filter": SubscriptionFilter(severity=severity, components=components),
        "by": ADA,
        "at": NINE,
        "since": NINE,
        "starts_at": NINE,
    }
    return Subscription(**fields | changes)


def subscribed(*subscriptions, cards=(), held=(), **more):
    to = Subscribers(subscriptions=subscriptions, cards=frozenset(cards), held=held)
    return known(subscribers=to, **more)


def public(decision):
    """The messages in public: surface, channel and entry."""
    kinds = {Surface.STATUS_CARD, Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL}
    return [
        (one.surface.value, one.channel, one.entry)
        for one in decision.envelopes
        if one.surface in kinds
    ]


@pytest.mark.parametrize(
    ("subscription", "shows"),
    [
        (a_subscription(), True),
        (a_subscription(severity=Severity.HIGH), True),
        (a_subscription(severity=Severity.CRITICAL), False),
        (a_subscription(components=(a_component("api"),)), True),
        (a_subscription(components=(a_component("search"),)), False),
        (a_subscription(ended_at=LATER), False),
    ],
)
def test_a_channel_shows_an_incident_that_passes_its_filter(subscription, shows):
    incident = an_incident(components=(a_component("api"),))
    decision = decide(
        incident, a_change(to="identified", public="Soon."), subscribed(subscription), at=LATER
    )

    assert (HERE in {channel for _, channel, _ in public(decision)}) is shows


@pytest.mark.parametrize(
    "subscription", [a_subscription(ended_at=LATER), a_subscription(severity=Severity.CRITICAL)]
)
def test_a_channel_with_a_card_is_followed(subscription):
    facts = subscribed(subscription, cards=[HERE, "C0FORMER"])
    decision = decide(an_incident(), a_change(public="Soon."), facts, at=LATER)

    assert public(decision) == [
        ("status_card", STATUS_CHANNEL, None),
        ("status_card", HERE, None),
        ("public_update", STATUS_CHANNEL, 2),
        ("public_update", HERE, 2),
    ]


def test_a_card_comes_before_the_first_reply_and_before_texts_that_are_held_back():
    held = an_update(
        kind=Kind.WROTE, visibility=Visibility.PUBLIC, body="Soon.", public_at=LATER, entry=2
    )
    incident = an_incident(last_entry=2)
    facts = subscribed(a_subscription(), held=(held,))
    decision = decide(incident, a_change(public="We watch."), facts, at=NINE)

    assert [one for one in public(decision) if one[1] == HERE] == [
        ("status_card", HERE, None),
        ("public_update", HERE, 2),
        ("public_update", HERE, 3),
    ]
    followed = decide(
        incident,
        a_change(public="We watch."),
        subscribed(a_subscription(), cards=[HERE], held=(held,)),
        at=NINE,
    )
    assert ("public_update", HERE, 2) not in public(followed)


@pytest.mark.parametrize(
    ("asked", "held", "due"),
    [
        ({"public": "We watch."}, (), LATER),
        ({"public": "We watch.", "note": "db-3"}, (), LATER),
        ({"title": "Checkout fails"}, (), LATER),
        ({"public": "We watch.", "to": "identified"}, (), NINE),
        ({"public": "We watch.", "severity": Severity.LOW}, (), NINE),
        # An earlier text is public before.
        ({"public": "We watch."}, (NINE + timedelta(seconds=4),), NINE + timedelta(seconds=4)),
    ],
)
def test_a_first_card_waits_until_something_is_public(asked, held, due):
    texts = tuple(
        an_update(
            kind=Kind.WROTE, visibility=Visibility.PUBLIC, body="Soon.", public_at=at, entry=2
        )
        for at in held
    )
    facts = subscribed(a_subscription(), held=texts, publish_delay=LATER - NINE)
    decision = decide(an_incident(last_entry=2), a_change(**asked), facts, at=NINE)

    (card,) = [
        one
        for one in decision.envelopes
        if (one.surface, one.channel) == (Surface.STATUS_CARD, HERE)
    ]
    assert max(card.not_before or NINE, NINE) == due


def test_a_declaration_is_shown_in_each_channel_once_it_is_public():
    facts = subscribed(a_subscription(), publish_delay=timedelta(seconds=10))
    decision = decide(None, a_declaration(severity=Severity.HIGH), facts, at=NINE)

    cards = [one for one in decision.envelopes if one.surface is Surface.STATUS_CARD]
    assert [(one.channel, one.not_before) for one in cards] == [
        (STATUS_CHANNEL, NINE + timedelta(seconds=10)),
        (HERE, NINE + timedelta(seconds=10)),
    ]


def test_a_subscription_of_the_status_channel_shows_nothing_twice():
    facts = subscribed(a_subscription(STATUS_CHANNEL, severity=Severity.CRITICAL))
    decision = decide(an_incident(), a_change(to="identified"), facts, at=LATER)

    assert public(decision) == [("status_card", STATUS_CHANNEL, None)]


def test_without_a_status_channel_the_subscribed_ones_are_left():
    facts = subscribed(
        a_subscription(), workspace=replace(a_workspace(status_channel=None), subscriptions=1)
    )
    decision = decide(an_incident(), a_change(public="Soon."), facts, at=LATER)

    assert public(decision) == [("status_card", HERE, None), ("public_update", HERE, 2)]


def test_a_promise_is_on_the_card_of_each_channel():
    promise = SetPromise(
        actor=an_actor(), ref=42, next_update=NextUpdate(within=timedelta(minutes=30))
    )
    decision = decide(an_incident(), promise, subscribed(a_subscription()), at=LATER)

    assert public(decision) == [
        ("status_card", STATUS_CHANNEL, None),
        ("status_card", HERE, None),
    ]


def test_an_incident_that_becomes_public_comes_with_the_texts_since_the_start():
    old = an_update(visibility=Visibility.PUBLIC, body="Old.", entry=2, at=NINE)
    new = an_update(visibility=Visibility.PUBLIC, body="New.", entry=3, at=LATER)
    there = Published(cards=(API, STATUS_CHANNEL), replies=((API, 3), (STATUS_CHANNEL, 2)))
    facts = subscribed(
        a_subscription(starts_at=LATER),
        a_subscription(API, starts_at=LATER),
        cards=[API, STATUS_CHANNEL],
        published=there,
        texts=(old, new),
    )
    command = SetPrivacy(actor=an_actor(), ref=42, private=False)
    decision = decide(an_incident(private=True, last_entry=3), command, facts, at=LATER)

    assert sorted(public(decision), key=str) == [
        ("public_update", HERE, 3),
        ("public_update", STATUS_CHANNEL, 3),
        ("status_card", API, None),
        ("status_card", HERE, None),
        ("status_card", STATUS_CHANNEL, None),
        ("withdrawal", API, 3),
        ("withdrawal", STATUS_CHANNEL, 2),
    ]


def test_a_private_incident_is_shown_in_no_channel():
    facts = subscribed(a_subscription(), cards=[HERE])
    decision = decide(an_incident(private=True), a_change(to="identified"), facts, at=LATER)

    assert public(decision) == []


def test_an_incident_that_becomes_private_is_taken_from_every_channel():
    there = Published(cards=(HERE, STATUS_CHANNEL), replies=((HERE, 2),))
    facts = subscribed(a_subscription(ended_at=NINE), cards=[HERE], published=there)
    command = SetPrivacy(actor=an_actor(), ref=42, private=True)
    decision = decide(an_incident(last_entry=2), command, facts, at=LATER)

    assert public(decision) == [
        ("status_card", HERE, None),
        ("status_card", STATUS_CHANNEL, None),
        ("withdrawal", HERE, 2),
    ]


@pytest.fixture
def subscribing(store, clock):
    return Subscribing(store, clock=clock)


async def test_a_decision_knows_the_subscriptions_of_its_workspace(
    subscribing, declare, incidents, store, clock
):
    await subscribing.subscribe(an_actor(), Wanted(channel=HERE))
    one = await declare()
    await incidents.execute(a_change(ref=one.id, public="Soon."))

    assert await store.write(lambda tx: tx.status_cards(one)) == {STATUS_CHANNEL, HERE}
