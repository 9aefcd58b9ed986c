"""A held-back text appears nowhere before its time, and cards do not wait for it."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Surface
from core.incident import PublicText
from core.lifecycle import RESPONSE, STATUSPAGE
from core.service import Incidents
from storage import audit
from storage.facts import Posted
from storage.models import CARDS, State
from storage.outbox import Outbox
from tests.builders import NINE, STATUS_CHANNEL, WORKSPACE, a_change, a_declaration, an_actor, an_id
from tests.patience import PATIENCE_SECONDS

DELAY = timedelta(seconds=10)
TEXT = PublicText("We look.")


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)


@pytest.fixture
def deliver(outbox, clock):
    """Delivers the messages that are due now, and returns the public texts that each showed."""

    async def deliver():
        done = []
        while messages := await outbox.claim("w1", limit=16, at=clock()):
            for message in messages:
                facts = await outbox.facts(message)
                if facts.incident:
                    texts = [update.body for update in facts.incident.updates if update.body]
                    done.append((message.surface, facts.incident.status, texts))
                is_card = message.surface in CARDS
                new = not facts.place and (is_card or (facts.update and facts.update.body))
                place = Posted(message.channel, f"{message.id}.0")
                await outbox.delivered(message, at=clock(), posted=place if new else None)
        return done

    return deliver


@pytest.fixture
async def declared(store, deliver, clock):
    """An incident with its card in the status channel; its title was not held back."""
    at_once = Incidents(store, clock=clock, wake=lambda: None)
    incident = (await at_once.execute(a_declaration(id=an_id(1)))).incident
    await deliver()
    clock.advance(seconds=2)
    return incident


@pytest.fixture
def seen(store, clock):
    """The public updates of the incident now: entry, status, text, withdrawn."""

    async def seen(incident):
        shown = await store.read_public(
            lambda public: public.incident(WORKSPACE, incident.id, at=clock())
        )
        updates = [(u.entry, u.status, u.body, u.withdrawn) for u in shown.updates]
        return updates, shown.updated_at

    return seen


DECLARED = (1, "investigating", None, False)


async def test_a_text_is_public_from_its_time_on(declared, incidents, seen, clock):
    await incidents.execute(a_change(ref=1, public=TEXT))
    clock.advance(seconds=9)
    assert await seen(declared) == ([DECLARED], NINE)

    at = clock.advance(seconds=1)
    assert await seen(declared) == ([(2, None, TEXT, False), DECLARED], at)

    at = clock.advance(seconds=1)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    assert await seen(declared) == ([(2, None, None, True), DECLARED], at)


async def test_a_step_is_public_at_once_and_its_text_later(declared, incidents, seen, clock):
    at = clock()
    await incidents.execute(a_change(ref=1, to="identified", public=TEXT))
    assert await seen(declared) == ([(2, "identified", None, False), DECLARED], at)

    at = clock.advance(seconds=10)
    assert await seen(declared) == ([(2, "identified", TEXT, False), DECLARED], at)


async def test_a_reader_knows_whether_a_text_of_an_update_is_held_back(
    declared, incidents, store, clock
):
    async def newest():
        found = await store.read_public(
            lambda public: public.incident(WORKSPACE, declared.id, at=clock())
        )
        return found.updates[0].held, found.updates[0].settled_at

    outcome = await incidents.execute(a_change(ref=1, to="identified", public=TEXT))
    public_at = clock() + DELAY
    assert await newest() == (True, None)
    clock.advance(seconds=10)
    assert await newest() == (False, public_at)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=outcome.updates[0].entry))
    assert await newest() == (False, public_at)

    outcome = await incidents.execute(a_change(ref=1, to="monitoring", public=TEXT))
    taken_back_at = clock.advance(seconds=3)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=outcome.updates[0].entry))
    assert await newest() == (False, taken_back_at)
    clock.advance(seconds=60)
    assert await newest() == (False, taken_back_at)

    await incidents.execute(a_change(ref=1, to="resolved", note="db-3"))
    assert await newest() == (False, None)


@pytest.mark.parametrize("to", [None, "identified"])
@pytest.mark.parametrize("later", [0, 60])
async def test_a_text_withdrawn_in_time_was_never_public(
    to, later, declared, incidents, seen, clock
):
    written_at = clock()
    await incidents.execute(a_change(ref=1, to=to, public=TEXT))
    clock.advance(seconds=9)
    outcome = await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    clock.advance(seconds=later)

    assert outcome.redacted.taken_back
    bare = ([(2, to, None, False), DECLARED], written_at)
    assert await seen(declared) == (bare if to else ([DECLARED], NINE))


async def test_the_card_shows_a_text_after_its_reply(declared, incidents, deliver, clock):
    await incidents.execute(a_change(ref=1, to="identified", public=TEXT))

    assert await deliver() == [(Surface.STATUS_CARD, "identified", [])]
    clock.advance(seconds=10)
    assert await deliver() == [
        (Surface.PUBLIC_UPDATE, "identified", [TEXT]),
        (Surface.STATUS_CARD, "identified", [TEXT]),
    ]


async def test_a_later_change_does_not_wait_for_a_held_back_text(
    declared, incidents, deliver, clock
):
    await incidents.execute(a_change(ref=1, to="identified", public=TEXT))
    await deliver()
    clock.advance(seconds=3)
    await incidents.execute(a_change(ref=1, to="monitoring"))

    assert await deliver() == [(Surface.STATUS_CARD, "monitoring", [])]


async def test_two_texts_keep_their_order_and_their_times(declared, incidents, deliver, clock):
    later = PublicText("We know.")
    await incidents.execute(a_change(ref=1, public=TEXT))
    clock.advance(seconds=4)
    await incidents.execute(a_change(ref=1, public=later))
    await deliver()

    clock.advance(seconds=6)
    assert [texts for _, _, texts in await deliver()] == [[TEXT], [TEXT]]
    clock.advance(seconds=4)
    assert [texts for _, _, texts in await deliver()] == [[later, TEXT], [later, TEXT]]


async def test_a_text_with_a_shorter_delay_does_not_overtake(
    declared, store, incidents, deliver, clock
):
    """The operator shortened the delay and restarted."""
    await incidents.execute(a_change(ref=1, public=TEXT))
    sooner = Incidents(store, clock=clock, wake=lambda: None)
    await sooner.execute(a_change(ref=1, public=PublicText("We know.")))

    assert {surface for surface, _, _ in await deliver()} == {Surface.STATUS_CARD}
    clock.advance(seconds=10)
    first, *_ = await deliver()
    assert first[0] is Surface.PUBLIC_UPDATE
    clock.advance(seconds=1)
    assert Surface.PUBLIC_UPDATE in [surface for surface, _, _ in await deliver()]


async def test_a_card_that_waited_longer_than_its_reply_shows_the_text(
    declared, incidents, deliver, outbox, clock
):
    """After a hold of the channel card and reply are due together, and the reply is older."""
    await incidents.execute(a_change(ref=1, public=TEXT))
    await deliver()
    clock.advance(seconds=3)
    await outbox.pause(WORKSPACE, STATUS_CHANNEL, until=clock() + timedelta(seconds=30))
    await incidents.execute(a_change(ref=1, to="identified"))
    clock.advance(seconds=30)

    assert await deliver() == [
        (Surface.PUBLIC_UPDATE, "identified", [TEXT]),
        (Surface.STATUS_CARD, "identified", [TEXT]),
    ]


async def test_the_card_shows_the_text_of_a_dead_reply(declared, incidents, deliver, outbox, clock):
    await incidents.execute(a_change(ref=1, public=TEXT))
    await deliver()
    clock.advance(seconds=10)
    [reply] = await outbox.claim("w1", limit=1, at=clock())
    await outbox.dead(reply, error="msg_too_long", at=clock())

    assert await deliver() == [(Surface.STATUS_CARD, "investigating", [TEXT])]


async def test_a_late_report_of_a_dead_reply_redraws_no_card(
    declared, incidents, deliver, outbox, clock
):
    await incidents.execute(a_change(ref=1, public=TEXT))
    await deliver()
    clock.advance(seconds=10)
    [late] = await outbox.claim("w1", limit=1, at=clock())
    at = clock.advance(minutes=5)
    await outbox.rescue(claimed_before=at, at=at, until=at)
    await outbox.dead(late, error="msg_too_long", at=at)

    assert [message.surface for message in await outbox.undelivered()] == [Surface.PUBLIC_UPDATE]


async def test_a_text_withdrawn_in_time_shows_nothing_and_blocks_nothing(
    declared, incidents, deliver, outbox, store, clock
):
    await incidents.execute(a_change(ref=1, public=TEXT))
    await deliver()
    clock.advance(seconds=3)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    assert await deliver() == [(Surface.STATUS_CARD, "investigating", [])]
    assert await outbox.depth(at=clock()) == await outbox.depth(at=clock.advance(seconds=7))

    assert await deliver() == [
        (Surface.PUBLIC_UPDATE, "investigating", []),
        (Surface.WITHDRAWAL, "investigating", []),
    ]
    assert await outbox.next_due() is None
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


@pytest.fixture
async def at_the_end(declared, incidents, deliver, clock):
    """The end, with a text that is held back and then taken back."""
    for to in ("identified", "monitoring"):
        await incidents.execute(a_change(ref=1, to=to))
    await incidents.execute(a_change(ref=1, to="resolved", public=TEXT))
    clock.advance(seconds=3)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=4))
    await deliver()


async def test_an_end_that_was_taken_back_waits_five_minutes_for_another_text(
    at_the_end, outbox, clock, store
):
    clock.advance(seconds=299)
    assert await outbox.claim("w1", limit=9, at=clock()) == ()
    assert (await outbox.depth(at=clock())).oldest_due == timedelta()
    clock.advance(seconds=1)

    [reply, *_] = await outbox.claim("w1", limit=9, at=clock())

    assert (reply.surface, reply.entry) == (Surface.PUBLIC_UPDATE, 4)
    assert (await outbox.facts(reply)).update.ends
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


async def test_a_text_in_the_place_of_the_end_does_not_wait_behind_it(
    at_the_end, incidents, outbox, deliver, store, clock
):
    clock.advance(seconds=60)
    await incidents.execute(a_change(ref=1, public=PublicText("All is well.")))
    clock.advance(seconds=10)
    shown = await deliver()
    clock.advance(seconds=1)
    shown += await deliver()

    replies = [texts for surface, _, texts in shown if surface is Surface.PUBLIC_UPDATE]
    assert replies == [["All is well."], ["All is well."]]
    assert await outbox.next_due() is None
    told = await store.read_public(lambda public: public.incident(WORKSPACE, an_id(1), at=clock()))
    assert not any(update.ends for update in told.updates)


@pytest.mark.parametrize(
    ("lifecycle", "steps", "ends"),
    [
        (STATUSPAGE, ["identified", "monitoring", "resolved"], [4]),
        (RESPONSE, ["acknowledged", "resolved", "closed"], [3]),
    ],
    ids=["statuspage", "response"],
)
async def test_the_public_end_without_a_text_is_one(
    lifecycle, steps, ends, incidents, store, clock
):
    outcome = await incidents.execute(a_declaration(id=an_id(1), lifecycle=lifecycle))
    for to in steps:
        await incidents.execute(a_change(ref=1, to=to, note="db-3"))

    clock.advance(seconds=10)
    shown = await store.read_public(
        lambda public: public.incident(WORKSPACE, outcome.incident.id, at=clock())
    )

    assert [update.entry for update in shown.updates if update.ends] == ends


async def test_a_reply_without_a_delay_redraws_no_card(declared, store, deliver, clock):
    at_once = Incidents(store, clock=clock, wake=lambda: None)
    await at_once.execute(a_change(ref=1, public=TEXT))

    assert [surface for surface, _, _ in await deliver()] == [
        Surface.STATUS_CARD,
        Surface.PUBLIC_UPDATE,
    ]


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_no_worker_claims_a_text_during_its_withdrawal(
    declared, incidents, deliver, opened, outbox, clock
):
    """Otherwise it could post the text after its author was told that nobody has read it."""
    await incidents.execute(a_change(ref=1, public=TEXT))
    await deliver()
    saved, commit = threading.Event(), threading.Event()

    def hold(_tx, outcome):
        saved.set()
        commit.wait(PATIENCE_SECONDS)
        return outcome

    clock.advance(seconds=9)
    slow = Incidents(opened(status_channel=STATUS_CHANNEL), clock=clock, wake=lambda: None)
    withdrawing = asyncio.ensure_future(
        slow.perform(Redact(actor=an_actor(), ref=1, entry=2), hold)
    )
    await asyncio.to_thread(saved.wait, PATIENCE_SECONDS)
    clock.advance(seconds=1)
    meanwhile = await outbox.claim("w1", limit=16, at=clock())
    commit.set()
    outcome = await withdrawing
    after = await deliver()

    assert meanwhile == ()
    assert outcome.redacted.taken_back
    assert [texts for _, _, texts in after] == [[]] * len(after)


async def test_a_message_that_is_not_due_blocks_no_claim(declared, incidents, store, clock):
    await incidents.execute(a_change(ref=1, public=TEXT))

    depth = await Outbox(store).depth(at=clock())

    assert depth.oldest_due == timedelta(0)
    assert depth.by_state[State.AVAILABLE] == 3
