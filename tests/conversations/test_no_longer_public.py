"""Once an incident is private, no message in a channel tells anything of it, whatever its kind."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.delivery.metadata import origin
from core.decision import (
    ABOUT_SUBSCRIPTIONS,
    CHANNEL_EFFECTS,
    NOTICES,
    TELLING,
    Surface,
)
from core.incident import Person
from core.subscribing import Subscribing, Wanted
from storage.snapshot import connection_of
from tests.builders import CI, a_change, an_actor
from tests.conversations.conftest import responding

OWN = "#inc-1-checkout-is-down"
# Each kind of message that an incident has in channels, with the channels that have one here.
IN_CHANNELS = {
    Surface.WORKING_CARD: {"#payments", OWN},
    Surface.STATUS_CARD: {"#status", "#random"},
    Surface.PUBLIC_UPDATE: {"#status", "#random"},
    Surface.PROMISE_REMINDER: {"#payments"},
    Surface.PROMISE_BREACH: {"#payments"},
    Surface.HAND_OVER_DECLINED: {"#payments"},
    Surface.HAND_OVER_UNANSWERED: {"#payments"},
    Surface.OWNER_LEFT: {"#payments"},
    Surface.MENTION: {"#payments"},
    Surface.CHANNEL_CLOSING: {OWN},
}
# All others, with the reason for which none is there.
ELSEWHERE = {
    **dict.fromkeys(CHANNEL_EFFECTS, "no message"),
    **dict.fromkeys(ABOUT_SUBSCRIPTIONS, "about no incident, and to a person"),
    Surface.WITHDRAWAL: "the edit of a reply",
    Surface.OWNER_CARD: "to a person",
    Surface.HAND_OVER: "to a person",
    Surface.HAND_OVER_LOST: "to a person",
    Surface.CHANNEL_REFUSED: "to a person",
    Surface.CHANNEL_NOTE: "in a private channel only",
    Surface.CHANNEL_READERS: "says who reads it, and follows on the change",
}
# Everything that may be read in channels of an incident that is private.
LEFT = {
    "INC-1 is no longer public.",
    "This update was withdrawn.",
    "INC-1 is no longer public. Write nothing about it here.",
}


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment, slack):
    return {
        **responding(environment, slack),
        "INCIDENT_CHANNELS": "offer",
    }


def public_messages(slack):
    """The bot's messages in public channels, as pairs of channel and message."""
    return [
        (f"#{channel.name}", message)
        for channel in slack.workspace.channels.values()
        if channel.kind == "public"
        for first in channel.messages
        for message in (first, *first.replies)
        if message.by_app and origin({"metadata": message.metadata})
    ]


def kinds(slack):
    found = {}
    for channel, message in public_messages(slack):
        surface = Surface(message.metadata["event_payload"]["surface"])
        found.setdefault(surface, set()).add(channel)
    return found


@pytest.fixture
async def everywhere(slack, ratchet, settle, told, pressed, clock):
    """An incident at its end, with a message of each kind in public channels."""
    team = slack.workspace.team_id
    wanted = Wanted(channel=slack.workspace.channel("#random").id)
    publisher = an_actor(workspace=team)
    await Subscribing(ratchet.store, clock=clock).subscribe(publisher, wanted)

    async def hand_over():
        key = an_actor(workspace=team, person=CI)
        change = a_change(actor=key, ref=1, owner=Person("U0BO", "bo"))
        await ratchet.incidents.execute(change)
        await settle()

    async def passes(**time):
        clock.advance(**time)
        await ratchet.hand_overs.look()
        await ratchet.nudges.look()
        await ratchet.owners.look()
        await ratchet.channels.look()
        await settle()

    await told("declare Checkout is down")
    await settle()
    card = next(m for m in slack.workspace.channel("#payments").messages if m.by_app)
    await pressed(card, "Open a channel")
    await settle()
    await told("severity 1 critical")
    await told("update 1 We are looking into it.")
    await told("promise 1 10m")
    await settle()
    await passes(minutes=5, seconds=5)  # Nobody owns it: the channel is reminded.
    await passes(minutes=7)  # The promise is broken.
    await hand_over()
    await passes(minutes=16)  # Bo has not answered.
    bo = slack.person("bo").user
    slack.workspace.users[bo.id] = dataclasses.replace(bo, deleted=True)
    await passes(minutes=6)  # Nobody leads.
    slack.workspace.users[bo.id] = bo
    await passes(minutes=6)
    asked = next(m for m in slack.workspace.direct(bo).messages if "hand_over" in repr(m.metadata))
    await pressed(asked, "Not me", name="bo")
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 1 {status}")
    await settle()
    await passes(days=2, minutes=1)  # The own channel is announced as closing.
    return ratchet


def test_every_kind_of_message_is_in_the_table():
    assert IN_CHANNELS.keys() | ELSEWHERE.keys() == set(Surface)
    assert not IN_CHANNELS.keys() & ELSEWHERE.keys()
    assert IN_CHANNELS.keys() & NOTICES <= TELLING


async def make_private(told, pressed, settle):
    await pressed(await told("private 1"), "Make it private")
    await settle()


async def pruned(app, clock):
    """As if a week had passed since the last message."""
    await app.outbox.prune(before=clock() + timedelta(seconds=1))


async def by_an_earlier_version(app, clock):
    """It kept no places of messages that it never edited."""
    kept = {*IN_CHANNELS} - {
        Surface.HAND_OVER_DECLINED,
        Surface.OWNER_LEFT,
        Surface.MENTION,
        Surface.CHANNEL_CLOSING,
    }
    names = ", ".join(f"'{one.value}'" for one in kept)
    forget = text(f"DELETE FROM posted WHERE surface NOT IN ({names})")
    await app.store.write(lambda tx: connection_of(tx).execute(forget).rowcount)


async def just_now(app, clock):
    """They are still in the outbox."""


@pytest.mark.parametrize("delivered", [just_now, pruned, by_an_earlier_version])
async def test_no_message_in_a_channel_keeps_a_fact_of_a_private_incident(
    delivered, slack, everywhere, told, pressed, settle, clock
):
    assert kinds(slack) == IN_CHANNELS
    before = [one.ts for _, one in public_messages(slack)]
    await delivered(everywhere, clock)

    await make_private(told, pressed, settle)

    after = [one for _, one in public_messages(slack)]
    assert [one.ts for one in after if one.ts in before] == before
    assert {one.words().strip("_") for one in after} == LEFT
    assert {one.text for one in after} == LEFT
    assert (await everywhere.readiness()).dead_messages == 0


async def test_a_message_that_is_on_its_way_is_not_posted(slack, ratchet, told, pressed, settle):
    await told("declare Checkout is down")
    await settle()
    await told("severity 1 critical")

    await make_private(told, pressed, settle)

    assert {one.text for _, one in public_messages(slack)} <= LEFT


async def test_the_messages_are_back_once_it_is_public_again(
    slack, everywhere, told, pressed, settle, clock
):
    await make_private(told, pressed, settle)
    await slack.person("mia").command("#payments", "/incident public 1")
    await slack.until(lambda: slack.person("mia").has_view)
    await slack.person("mia").submit()
    await settle()

    words = [one.words() for channel, one in public_messages(slack) if channel == "#payments"]
    assert not [one for one in words if "no longer public" in one]
    assert any("INC-1 is public again." in one for one in words)
