"""What the public side shows while a title is held, after a walk, and when it is taken away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.commands import NameResolution, Redact, SetInvitation, SetPrivacy, Walk
from core.decision import Surface
from core.incident import DeclaredText, Kind, Note, PublicText, Resolution, Resolved
from core.refusals import IncidentResolved
from core.service import Incidents
from core.store import Receipt
from storage import audit, idempotency, keys
from storage.facts import Posted
from storage.outbox import Outbox
from tests.builders import (
    ADA,
    GRACE,
    INCIDENTS_CHANNEL,
    NINE,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    an_actor,
)

DELAY = timedelta(seconds=10)
TEXT = PublicText("We look.")


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)


@pytest.fixture
def shown(store, clock):
    """The public side of the only incident, None if it has none."""

    async def shown():
        found = await store.read_public(
            lambda public: public.recent_incidents(WORKSPACE, at=clock())
        )
        return found[0] if found else None

    return shown


@pytest.fixture
def deliver(outbox, clock):
    """Delivers what is due. The posts by surface and channel, with the public title they show."""
    posts = {}

    async def deliver():
        while messages := await outbox.claim("w1", limit=16, at=clock()):
            for message in messages:
                facts = await outbox.facts(message)
                key = (message.surface, message.channel)
                seen = facts.card.incident.title if facts.card else None
                seen = facts.incident.title if facts.incident else seen
                if seen is None and facts.place is None:
                    await outbox.delivered(message, at=clock())
                    continue
                posts[key] = seen or "gone"
                place = None if facts.place else Posted(message.channel, f"{message.id}.0")
                if message.surface is Surface.WITHDRAWAL:
                    place = None
                await outbox.delivered(message, at=clock(), posted=place)
            clock.advance(seconds=1)
        return posts

    return deliver


@pytest.fixture
def is_sound(store):
    async def is_sound():
        return await store.read(lambda reader: list(audit.findings(reader))) == []

    return is_sound


WORKING, STATUS = (
    (Surface.WORKING_CARD, INCIDENTS_CHANNEL),
    (Surface.STATUS_CARD, STATUS_CHANNEL),
)


# --- the hold of titles ----------------------------------------------------------------------


async def test_a_declaration_is_nowhere_in_public_until_its_hold_ends(
    declare, deliver, shown, clock
):
    await declare()
    assert await deliver() == {WORKING: "Checkout is down"}
    clock.now = NINE + timedelta(seconds=9)
    assert await shown() is None

    clock.now = NINE + DELAY
    assert (await shown()).title == "Checkout is down"
    assert (await deliver())[STATUS] == "Checkout is down"


async def test_a_changed_title_and_the_time_of_its_change_are_held_back(
    declare, deliver, incidents, shown, clock
):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await deliver()
    before = await shown()
    await incidents.execute(a_change(ref=1, title="ACME is down"))
    clock.advance(seconds=3)
    await incidents.execute(a_change(ref=1, title="Slow"))

    assert await shown() == before
    assert (await deliver())[STATUS] == "Checkout is down"
    clock.now = NINE + timedelta(seconds=45)
    assert (await shown()).title == "Slow"
    assert (await deliver())[STATUS] == "Slow"


async def test_a_step_is_public_while_the_title_is_held(declare, incidents, shown, clock):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await incidents.execute(a_change(ref=1, title="ACME is down"))
    await incidents.execute(a_change(ref=1, to="identified"))

    public = await shown()
    assert (public.title, public.status) == ("Checkout is down", "identified")


@pytest.mark.parametrize("entry", [2], ids=["the change"])
async def test_a_title_that_is_taken_back_leaves_no_trace_in_public(
    entry, declare, deliver, incidents, shown, clock, is_sound
):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await deliver()
    before = await shown()
    await incidents.execute(a_change(ref=1, title="ACME is down"))
    clock.advance(seconds=3)
    outcome = await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))
    clock.advance(seconds=60)

    assert outcome.incident.title == "Checkout is down"
    assert await shown() == before
    assert (await deliver())[STATUS] == "Checkout is down"
    assert await is_sound()


async def test_an_update_of_a_held_incident_waits_for_its_title(
    declare, deliver, incidents, outbox, shown, clock
):
    """Else it would be drawn while nothing of the incident is public, and so never be posted."""
    await declare()
    clock.advance(seconds=1)
    await incidents.execute(a_change(ref=1, public=TEXT))
    clock.advance(seconds=8)
    await incidents.execute(a_change(ref=1, title="Slow"))
    clock.advance(seconds=6)
    await deliver()
    assert await shown() is None

    clock.now = NINE + timedelta(seconds=30)
    posts = await deliver()
    assert posts[Surface.PUBLIC_UPDATE, STATUS_CHANNEL] == posts[STATUS] == "Slow"


async def test_a_card_that_is_retried_shows_the_title_in_the_end(
    declare, deliver, incidents, outbox, clock
):
    """The edit that waits for the title is merged into the older one, which waits as long."""
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await deliver()
    await incidents.execute(a_change(ref=1, to="identified"))
    claimed = [
        message
        for message in await outbox.claim("w1", limit=16, at=clock())
        if message.surface is Surface.STATUS_CARD
    ]
    await incidents.execute(a_change(ref=1, title="Slow"))
    await outbox.later(claimed[0], until=clock() + timedelta(seconds=1), error="timeout")
    clock.advance(seconds=2)
    assert STATUS not in await deliver() or (await deliver())[STATUS] != "Slow"

    clock.advance(seconds=60)
    assert (await deliver())[STATUS] == "Slow"


# --- the walk --------------------------------------------------------------------------------


async def test_a_walk_is_one_update_in_public_and_all_its_steps_in_the_timeline(
    declare, incidents, shown, store, clock, is_sound
):
    incident = await declare()
    clock.now = NINE + timedelta(seconds=20)
    await incidents.execute(
        Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over"), public=TEXT)
    )
    clock.advance(seconds=10)

    public = await shown()
    moves = await store.read(lambda reader: reader.moves(incident))
    assert [(one.status, one.body) for one in public.updates] == [
        ("resolved", TEXT),
        ("investigating", None),
    ]
    assert (public.status, public.previous_status) == ("resolved", "investigating")
    assert [one.new for one in moves] == ["investigating", "identified", "monitoring", "resolved"]
    assert [one.passed for one in moves] == [False, True, True, False]
    assert await is_sound()


# --- private later, public again -------------------------------------------------------------


def private(ref=1, person=ADA):
    return SetPrivacy(actor=an_actor(person), ref=ref, private=True)


def public(ref=1):
    return SetPrivacy(actor=an_actor(), ref=ref, private=False)


async def test_private_later_every_surface_says_that_there_is_nothing_to_see(
    declare, deliver, incidents, shown, clock, is_sound
):
    await declare(owner=GRACE)
    clock.now = NINE + timedelta(seconds=20)
    await incidents.execute(a_change(ref=1, public=TEXT))
    clock.advance(seconds=20)
    await deliver()
    await incidents.execute(private())

    assert await shown() is None
    posts = await deliver()
    assert {key: posts[key] for key in (WORKING, STATUS)} == {WORKING: "gone", STATUS: "gone"}
    assert posts[Surface.WITHDRAWAL, STATUS_CHANNEL] == "gone"
    assert posts[Surface.OWNER_CARD, ADA.id] == "Checkout is down"
    assert posts[Surface.OWNER_CARD, GRACE.id] == "Checkout is down"
    assert await is_sound()


async def test_private_in_time_nothing_of_it_was_ever_posted(
    declare, deliver, incidents, shown, clock, is_sound
):
    await declare(place=None)
    await incidents.execute(a_change(ref=1, public=TEXT))
    clock.advance(seconds=3)
    await incidents.execute(private())
    clock.advance(seconds=60)

    assert await deliver() == {(Surface.OWNER_CARD, ADA.id): "Checkout is down"}
    assert await shown() is None
    assert await is_sound()


async def test_private_is_at_once_also_while_a_title_is_held(
    declare, deliver, incidents, shown, clock
):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await deliver()
    await incidents.execute(a_change(ref=1, title="Slow"))
    await incidents.execute(private())

    assert (await deliver())[STATUS] == "gone"


@pytest.mark.parametrize("later_seconds", [2, 60])
async def test_public_again_everything_returns_after_the_hold(
    later_seconds, declare, deliver, incidents, shown, clock, is_sound
):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await incidents.execute(a_change(ref=1, public=TEXT))
    await incidents.execute(private())
    clock.advance(seconds=later_seconds)
    await deliver()
    at = clock()
    await incidents.execute(public())
    clock.now = at + timedelta(seconds=9)
    assert await shown() is None
    clock.now = at + timedelta(seconds=30)

    posts = await deliver()
    assert posts[WORKING] == posts[STATUS] == "Checkout is down"
    assert posts[Surface.PUBLIC_UPDATE, STATUS_CHANNEL] == "Checkout is down"
    assert [one.body for one in (await shown()).updates if one.body] == [TEXT]
    assert await is_sound()


async def test_the_invited_see_it_until_their_invitation_ends(
    declare, deliver, incidents, store, clock
):
    await declare(private=True)
    there: dict[str, Any] = {"actor": an_actor(), "ref": 1, "person": GRACE}
    await incidents.execute(SetInvitation(**there, invited=True))
    assert (await deliver())[Surface.OWNER_CARD, GRACE.id] == "Checkout is down"
    assert (await incidents.find(an_actor(GRACE), 1)).invited == (GRACE,)

    await incidents.execute(SetInvitation(**there, invited=False))
    assert (await deliver())[Surface.OWNER_CARD, GRACE.id] == "gone"


# --- withdrawals, corrections, resolutions ---------------------------------------------------


async def test_a_withdrawn_description_is_nowhere_in_the_database(
    declare, incidents, store, clock, rows, is_sound
):
    await declare(title="ACME is down", description="ACME called us", category="acme-call")
    key, _ = await store.write(
        lambda tx: keys.create(
            tx, workspace=WORKSPACE, name="ci", scope=keys.KeyScope.WRITE, at=clock()
        )
    )
    asked = idempotency.KeyedRequest(workspace=WORKSPACE, key=key.id, name="one", digest="d")
    admitted = await store.write(lambda tx: idempotency.claim(tx, asked, at=clock()))
    incident = (await incidents.find(an_actor(), 1)).id
    answer = f'{{"id":"{incident}","title":"ACME is down"}}'
    await store.write(lambda tx: tx.keep(Receipt(claim=admitted.claim, status=201, body=answer)))
    clock.advance(seconds=20)
    await incidents.execute(a_change(ref=1, title="Down"))
    clock.advance(seconds=20)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=1))

    everything = repr(
        [rows(f"SELECT * FROM {table}") for table in ("incident", "incident_update", "idempotency")]
    )
    assert "acme" not in everything.lower()
    assert await is_sound()


async def test_one_correction_is_accepted_after_the_end(declare, incidents, clock, is_sound):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    walk = Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over"), public=TEXT)
    await incidents.execute(walk)
    again = a_change(ref=1, public=PublicText("It was one region."))
    with pytest.raises(IncidentResolved):
        await incidents.execute(again)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=4))
    with pytest.raises(IncidentResolved):
        await incidents.execute(a_change(actor=an_actor(GRACE), ref=1, public=TEXT))

    outcome = await incidents.execute(again)
    assert [(one.kind, one.old) for one in outcome.updates] == [(Kind.CORRECTED, "4")]
    with pytest.raises(IncidentResolved):
        await incidents.execute(again)
    assert await is_sound()


async def test_the_title_of_an_ended_incident_is_nowhere_in_the_database(
    declare, incidents, clock, rows, is_sound
):
    await declare(title="ACME is down", description="Nobody can pay")
    clock.advance(seconds=20)
    walk = Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over"))
    await incidents.execute(walk)
    clock.advance(hours=1)
    admin = an_actor(GRACE, admin=True)
    await incidents.execute(Redact(actor=admin, ref=1, entry=DeclaredText.TITLE))

    tables = ("incident", "incident_update", "outbox")
    everything = repr([rows(f"SELECT * FROM {table}") for table in tables])
    assert "ACME" not in everything
    assert "Nobody can pay" in everything
    assert await is_sound()


async def test_what_was_edited_before_the_end_is_not_replaced_again(declare, incidents, clock):
    await declare()
    for entry in (2, 3):
        clock.advance(seconds=1)
        await incidents.execute(a_change(ref=1, public=TEXT))
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))
        clock.advance(seconds=1)
    await incidents.execute(a_change(ref=1, public=TEXT))
    walk = Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over"))
    await incidents.execute(walk)
    again = a_change(ref=1, public=PublicText("It was one region."))
    with pytest.raises(IncidentResolved):
        await incidents.execute(again)

    clock.advance(seconds=1)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=4))
    outcome = await incidents.execute(again)
    assert [(one.kind, one.old) for one in outcome.updates] == [(Kind.CORRECTED, "4")]
    with pytest.raises(IncidentResolved):
        await incidents.execute(again)


@pytest.mark.parametrize("first", ["the author", "the worker", "nobody"])
async def test_at_the_last_moment_a_correction_or_the_short_reply_is_told_and_never_both(
    first, declare, deliver, incidents, opened, clock, is_sound
):
    """Five minutes after the text was withdrawn, two processes want to tell the end."""
    other = Outbox(opened(status_channel=STATUS_CHANNEL))
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    walk = Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over"), public=TEXT)
    await incidents.execute(walk)
    await deliver()
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=4))
    clock.advance(seconds=300)

    async def corrects():
        try:
            await incidents.execute(a_change(ref=1, public=PublicText("It was one region.")))
        except IncidentResolved:
            return False
        return True

    async def tells():
        claimed = await other.claim("w2", limit=16, at=clock())
        return any((one.surface, one.entry) == (Surface.PUBLIC_UPDATE, 4) for one in claimed)

    if first == "the author":
        corrected, told = await corrects(), await tells()
        assert corrected
    elif first == "the worker":
        told, corrected = await tells(), await corrects()
        assert told
    else:
        corrected, told = await asyncio.gather(corrects(), tells())
    assert corrected != told
    assert await is_sound()


async def test_how_it_ended_is_kept(declare, incidents, shown, clock, is_sound):
    await declare()
    clock.now = NINE + timedelta(seconds=20)
    await incidents.execute(Walk(actor=an_actor(), ref=1, to="resolved", reason=Note("over")))
    before = await shown()
    clock.advance(seconds=5)
    await incidents.execute(NameResolution(actor=an_actor(), ref=1, how=Resolution.FALSE_ALARM))

    found = await incidents.find(an_actor(), 1)
    assert found.resolution == Resolved(how=Resolution.FALSE_ALARM)
    assert await shown() == before
    assert await is_sound()
