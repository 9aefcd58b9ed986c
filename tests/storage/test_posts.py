"""The posts that Slack should have, as the doctor compares them with those that it has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Envelope, Surface
from core.incident import PublicText
from storage import posts
from tests.builders import STATUS_CHANNEL, WORKSPACE, a_change, an_actor

CARD = Envelope(surface=Surface.STATUS_CARD, channel=STATUS_CHANNEL)
REPLY = Envelope(surface=Surface.PUBLIC_UPDATE, channel=STATUS_CHANNEL, entry=2)


@pytest.fixture
async def published(declare, incidents, outbox, clock):
    """INC-1 with a new title and a withdrawn public update, and all its messages delivered."""
    incident = await declare()
    await incidents.execute(a_change(ref=1, public=PublicText("Cards are refused.")))
    await incidents.execute(a_change(ref=1, title="Cards are down"))
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    count = 0
    while await outbox.next_due():
        clock.advance(seconds=1)
        for message in await outbox.claim("w1", limit=9, at=clock()):
            count += 1
            is_edit = message.surface is Surface.WITHDRAWAL
            place = None if is_edit else (message.channel, f"{count}.0")
            await outbox.delivered(message, at=clock(), posted=place)
    return incident


async def test_the_posts_of_an_incident_are_those_that_were_delivered(published, store):
    found = await store.read(lambda reader: posts.standing(reader, WORKSPACE, published.id))

    placed = [one.envelope for one in found.placed if one.conversation == STATUS_CHANNEL]
    assert placed == [REPLY, CARD]
    assert (found.name, found.titles) == ("INC-1", ("Cards are down", published.title))
    assert (found.withdrawn, found.busy) == ({2}, set())


async def test_a_post_is_busy_while_a_message_about_it_waits(published, store, incidents):
    await incidents.execute(a_change(ref=1, to="identified"))

    found = await store.read(lambda reader: posts.standing(reader, WORKSPACE, published.id))

    assert [found.is_busy(envelope) for envelope in (CARD, REPLY)] == [True, True]


async def test_delivered_messages_are_found_by_the_id_in_their_posts(published, store, rows):
    found = await store.read(lambda reader: posts.delivered(reader, WORKSPACE, [published.id]))

    assert len(found) == len(rows("SELECT uid FROM outbox"))
    assert {one.incident for one in found.values()} == {published.id}
    assert REPLY in {one.envelope for one in found.values()}


async def test_recent_incidents_are_open_or_changed_lately(published, declare, store, incidents):
    for status in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=status))
    other = await declare()

    def recent(since):
        return store.read_now(lambda reader: posts.recent(reader, WORKSPACE, since=since, limit=1))

    changed = (await incidents.find(an_actor(), 1)).updated_at
    assert recent(changed) == (2, (other.id,))
    assert recent(changed + timedelta(seconds=1)) == (1, (other.id,))


async def test_an_unknown_incident_has_no_posts(published, store):
    assert await store.read(lambda reader: posts.standing(reader, "T0OTHER", published.id)) is None
