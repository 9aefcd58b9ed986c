"""Promises in rows: with their change or not at all, each stage claimed once, public in time."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from core.commands import Redact, SetPrivacy, SetPromise
from core.decision import Surface
from core.incident import PublicText
from core.lifecycle import RESPONSE, STATUSPAGE, PublicWord
from core.nudging import Nudges
from core.promise import NextUpdate, Stage
from core.public_side import PublicPromise
from core.service import Incidents
from storage import audit
from storage.models import State
from storage.store import SqlStore
from tests.builders import (
    NINE,
    WORKSPACE,
    a_change,
    an_actor,
    the_settings,
)

DELAY = timedelta(seconds=10)
TEXT = PublicText("We found the cause.")
WITHIN = NextUpdate(within=timedelta(minutes=30))


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)


@pytest.fixture
def nudges(store, clock):
    return Nudges(store, clock=clock, wake=lambda: None)


@pytest.fixture
async def declared(declare, clock):
    incident = await declare()
    clock.advance(seconds=10)
    return incident


@pytest.fixture
def promises(store, declared):
    async def promises():
        return await store.read(
            lambda reader: reader.promises(reader.incident(WORKSPACE, declared.id))
        )

    return promises


@pytest.fixture
def public(store, declared):
    """The promise that the public reads at a moment."""

    async def public(at):
        shown = await store.read_public(
            lambda reader: reader.incident(WORKSPACE, declared.id, at=at)
        )
        return shown.next_update

    return public


async def surfaces(outbox):
    return [one.surface for one in await outbox.list(*State) if "promise" in one.surface]


async def test_an_update_and_its_promise_are_one_change(incidents, promises, store):
    outcome = await incidents.execute(a_change(ref=1, public=TEXT, next_update=WITHIN))
    (promise,) = await promises()
    found = await incidents.find(an_actor(), 1)

    assert promise.entry == outcome.updates[0].entry
    assert found == outcome.incident
    assert (found.promises, found.next_update_by) == (1, promise.due_at)
    _, page = await incidents.timeline(an_actor(), 1)
    assert page.items[-1].next_update_by == promise.due_at
    assert list(store.read_now(lambda reader: list(audit.findings(reader)))) == []


async def test_a_change_that_fails_leaves_no_promise(incidents, promises, contents, on_statement):
    before = contents()

    def fail(statement):
        if "INSERT INTO outbox" in statement:
            raise OSError("the disk is full")

    on_statement(fail)
    with pytest.raises(OSError, match="the disk is full"):
        await incidents.execute(a_change(ref=1, public=TEXT, next_update=WITHIN))

    assert contents() == before


async def test_the_public_reads_a_promise_from_its_moment_to_its_end(incidents, public, clock):
    await incidents.execute(a_change(ref=1, public=TEXT, next_update=WITHIN))
    first = clock() + DELAY
    due = first + WITHIN.within
    clock.advance(minutes=40)
    await incidents.execute(a_change(ref=1, public=TEXT))
    answered = clock() + DELAY
    second = timedelta(seconds=1)

    # Nothing was written between these moments: they are rendered from the same rows.
    assert await public(first - second) is None
    assert await public(first) == PublicPromise(due)
    assert await public(due) == PublicPromise(due)
    assert await public(due + second) == PublicPromise(due, overdue=True)
    assert await public(answered - second) == PublicPromise(due, overdue=True)
    assert await public(answered) is None


@pytest.mark.parametrize("lifecycle", [STATUSPAGE, RESPONSE], ids=["statuspage", "response"])
@pytest.mark.parametrize("taken_back", [False, True])
async def test_the_end_ends_a_promise_at_once_while_its_text_is_held_back(
    lifecycle, taken_back, incidents, declare, store, clock
):
    other = await declare(lifecycle=lifecycle)
    await incidents.execute(a_change(ref=other.number, public=TEXT, next_update=WITHIN))
    clock.advance(minutes=5)

    async def read():
        return await store.read_public(
            lambda reader: reader.incident(WORKSPACE, other.id, at=clock())
        )

    assert (await read()).next_update is not None
    for to in lifecycle.path(other.status, "resolved")[:-1]:
        await incidents.execute(a_change(ref=other.number, to=to))
    ended = await incidents.execute(a_change(ref=other.number, to="resolved", public=TEXT))
    at_once = await read()
    assert (at_once.word, at_once.updates[0].body) == (PublicWord.RESOLVED, None)
    assert at_once.next_update is None

    if taken_back:
        clock.advance(seconds=3)
        entry = ended.updates[0].entry
        await incidents.execute(Redact(actor=an_actor(), ref=other.number, entry=entry))
        assert (await read()).next_update is None
    clock.advance(seconds=10)
    assert (await read()).next_update is None


async def test_a_promise_that_was_taken_back_was_never_public(incidents, public, promises, clock):
    outcome = await incidents.execute(a_change(ref=1, public=TEXT, next_update=WITHIN))
    clock.advance(seconds=5)
    entry = outcome.updates[0].entry
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))
    (promise,) = await promises()

    assert promise.unsaid
    assert await public(clock() + timedelta(minutes=10)) is None
    assert (await incidents.find(an_actor(), 1)).next_update_by is None


async def test_an_internal_promise_has_no_public_side(incidents, public, clock):
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=WITHIN))
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=False))

    assert await public(clock() + timedelta(minutes=1)) is None


async def test_the_public_sees_when_a_promise_was_made(incidents, store, declared, clock):
    async def updated_at(at):
        shown = await store.read_public(
            lambda reader: reader.incident(WORKSPACE, declared.id, at=at)
        )
        return shown.updated_at

    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=WITHIN))
    said = clock() + DELAY
    clock.advance(minutes=5)
    await incidents.execute(SetPromise(actor=an_actor(), ref=1))

    assert await updated_at(said - timedelta(seconds=1)) < said
    assert await updated_at(said) == said
    assert await updated_at(clock()) == clock()


async def test_two_processes_do_each_stage_once(incidents, promises, outbox, clock, url):
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=WITHIN))
    with closing(SqlStore(url, defaults=the_settings())) as other:
        processes = [
            Nudges(one, clock=clock, wake=lambda: None)
            for one in (incidents._store, other)  # noqa: SLF001 - the store of this process
        ]
        for minutes in (26, 5, 3):
            clock.advance(minutes=minutes)
            await asyncio.gather(*(one.look() for one in processes * 4))

    (promise,) = await promises()
    assert promise.stage is Stage.TOLD
    assert await surfaces(outbox) == [Surface.PROMISE_REMINDER, Surface.PROMISE_BREACH]


async def test_a_bot_that_was_down_tells_of_the_breach_alone(
    incidents, promises, outbox, nudges, clock
):
    await incidents.execute(SetPromise(actor=an_actor(), ref=1, next_update=WITHIN))
    clock.advance(hours=3)
    await nudges.look()

    assert await surfaces(outbox) == [Surface.PROMISE_BREACH]


async def test_the_look_finds_what_is_due_and_nothing_else(incidents, declare, store, clock):
    for number in (1, 2, 3):
        await declare()
        within = NextUpdate(within=timedelta(minutes=10 * number))
        await incidents.execute(SetPromise(actor=an_actor(), ref=number, next_update=within))
    await incidents.execute(SetPromise(actor=an_actor(), ref=1))

    def due(minutes, limit=10):
        at = NINE + timedelta(minutes=minutes)
        return store.read_now(lambda reader: reader.due_promises(at=at, limit=limit))

    # Once the hold of each is over, the cards say it.
    assert len(due(1)) == 3
    clock.advance(minutes=1)
    await Nudges(store, clock=clock, wake=lambda: None).look()
    assert due(14) == ()
    assert len(due(16)) == 1
    assert len(due(60)) == 2
    assert due(60, limit=1) == due(16)


async def test_the_look_reads_an_index(store, rows, kind):
    if kind == "sqlite":
        plan = rows(
            "EXPLAIN QUERY PLAN SELECT entry FROM promise "
            "WHERE look_at IS NOT NULL AND look_at < '2026-03-02' ORDER BY look_at LIMIT 9"
        )
        assert "ix_promise_look_at" in str(plan)
    else:
        found = rows("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_promise_look_at'")
        assert "WHERE (look_at IS NOT NULL)" in str(found)
