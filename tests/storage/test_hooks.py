"""Webhooks in the store: endpoints, and the messages that a change writes with itself."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.arranging import ComponentChange
from core.commands import Redact, SetPrivacy
from core.curating import Curation
from core.endpoints import ENDPOINTS_MAX, Webhooks
from core.errors import InvalidField
from core.incident import PublicText, Severity
from core.missing import NoSuchWebhook
from core.page import ComponentStatus
from core.service import Incidents
from core.webhooks import SWITCHED_OFF, EndpointState
from storage.hook_notices import HookNotice
from storage.hook_queue import AT_ONCE, GONE, HookQueue, HookTold
from storage.snapshot import connection_of
from tests.builders import ADA, CI, WORKSPACE, a_change, a_declaration, an_actor, an_id
from tests.patience import GLANCE_SECONDS, PATIENCE_SECONDS
from tests.storage.conftest import BLOCKED

ADMIN = an_actor(admin=True)
DELAY = timedelta(seconds=10)
URL = "https://example.com/hooks"
SECRET = "whsec_first"


@pytest.fixture
def hooks(store, clock):
    return Webhooks(store, clock=clock)


@pytest.fixture
def queue(store):
    return HookQueue(store)


@pytest.fixture
def held(store, clock):
    """Incidents whose texts and titles are held back."""
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)


@pytest.fixture
def add(hooks):
    count = 0

    async def add(**filter_):
        nonlocal count
        count += 1
        proposed = await hooks.propose(ADMIN, an_id(f"hook {count}"), URL, **filter_)
        return await hooks.keep(ADMIN, proposed, SECRET)

    return add


@pytest.fixture
def deliver(queue, clock):
    """Delivers what is due, and returns the event, status and texts of each message."""

    async def deliver(endpoint=None):
        done = []
        while messages := await queue.claim("w1", limit=16, at=clock()):
            for message in messages:
                facts = await queue.facts(message)
                shown = facts.incident
                if facts.page and endpoint in {None, message.endpoint}:
                    texts = [one.body for one in shown.updates if one.body] if shown else []
                    done.append((message.event.value, shown and shown.status, texts))
                told = HookTold(nothing=facts.page is None)
                await queue.delivered(message, at=clock(), posted=told)
        return done

    return deliver


async def test_an_endpoint_is_added_listed_limited_and_removed(hooks, add, declare, clock):
    await declare(components=("api",))
    made = await add(severity=Severity.HIGH, components=("API",))

    assert [one.filter.components[0].name for one in await hooks.endpoints(ADMIN)] == ["api"]
    assert await hooks.endpoints(ADMIN) == (made,)
    assert "whsec" not in repr(await hooks.endpoints(ADMIN))
    changed = await hooks.refilter(ADMIN, made.id, severity=None, components=())
    assert await hooks.endpoints(ADMIN) == (changed,)
    await hooks.remove(ADMIN, made.id)
    assert await hooks.endpoints(ADMIN) == ()
    with pytest.raises(NoSuchWebhook):
        await hooks.remove(ADMIN, made.id)


@pytest.fixture
def overlapping(blocked, hooks):
    """Does ``second`` while the commit of a webhook that is added waits; the results of both."""

    async def overlapping(proposed, second):
        saved, commit = threading.Event(), threading.Event()

        def hold(_tx, _kept):
            saved.set()
            commit.wait(PATIENCE_SECONDS)

        first = asyncio.ensure_future(hooks.keep(ADMIN, proposed, SECRET, then=hold))
        await asyncio.to_thread(saved.wait, PATIENCE_SECONDS)
        later = asyncio.ensure_future(second())
        await blocked(later)
        commit.set()
        return await asyncio.gather(first, later, return_exceptions=True)

    return overlapping


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_two_webhooks_that_are_added_at_once_keep_the_limit(hooks, add, overlapping):
    for _ in range(ENDPOINTS_MAX - 1):
        await add()
    proposed = await hooks.propose(ADMIN, an_id("hook"), URL)

    first, second = await overlapping(proposed, add)

    assert (first.id, type(second)) == (proposed.id, InvalidField)
    assert len(await hooks.endpoints(ADMIN)) == ENDPOINTS_MAX


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("act", ["switched off", "removed"])
async def test_a_webhook_gets_events_if_another_ends_while_it_is_added(
    hooks, add, overlapping, declare, deliver, act
):
    other = await add()
    proposed = await hooks.propose(ADMIN, an_id("hook"), URL)

    async def end():
        if act == "removed":
            return await hooks.remove(ADMIN, other.id)
        return await hooks.switch(ADMIN, other.id, on=False)

    await overlapping(proposed, end)
    await declare()

    assert [event for event, _, _ in await deliver()] == ["incident.created"]


@pytest.fixture
async def changes(incidents, store, clock, declare):
    """Changes of what is there already, by name, each with the events that tell of it."""
    incident = await declare(components=("api",))
    curation = Curation(store, clock=clock)
    await curation.change_component(ADMIN, "api", ComponentChange(shown=True))

    async def move():
        return await incidents.execute(a_change(ref=incident.id, to="identified"))

    async def by_hand():
        return await curation.override(ADMIN, "api", ComponentStatus.UNDER_MAINTENANCE)

    told = ["incident.updated", "component.updated"]
    return {"a move": (move, told), "by hand": (by_hand, told[1:])}


CHANGES = ("a move", "by hand")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_during_the_commit_of_the_first_webhook_is_told_to_it(
    hooks, overlapping, changes, queue, clock, change
):
    do, events = changes[change]
    proposed = await hooks.propose(ADMIN, an_id("hook"), URL)

    await overlapping(proposed, do)

    assert [one.event for one in await queue.claim("w1", limit=16, at=clock())] == events


@pytest.mark.parametrize("change", CHANGES)
async def test_a_webhook_starts_after_each_change_that_does_not_find_it(
    hooks, add, blocked, changes, queue, clock, on_statement, change
):
    do, _ = changes[change]
    begun, go_on = threading.Event(), threading.Event()
    deciding = []

    def pause(statement):
        # The change has read its workspace, and what follows depends on that.
        if not deciding and statement.startswith(("UPDATE incident", "INSERT INTO component_over")):
            deciding.append(threading.current_thread())
            begun.set()
            go_on.wait(PATIENCE_SECONDS)

    on_statement(pause)
    changing = asyncio.ensure_future(do())
    await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
    adding = asyncio.ensure_future(add())
    await blocked(adding)
    changed_at = clock()
    clock.advance(minutes=1)
    go_on.set()
    added, _ = await asyncio.gather(adding, changing)

    assert added.starts_at > changed_at
    assert await queue.claim("w1", limit=16, at=clock()) == ()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_webhook_waits_for_no_change_that_began_after_it(
    add, declare, incidents, deliver, on_statement, store
):
    """Otherwise changes that overlap would let it wait for as long as they go on."""
    one, other = await declare(), await declare()
    paused = {"first": threading.Event(), "second": threading.Event()}
    go_on = {name: threading.Event() for name in paused}
    names = list(paused)

    def pause(statement):
        if names and statement.startswith("UPDATE incident"):
            name = names.pop(0)
            paused[name].set()
            go_on[name].wait(PATIENCE_SECONDS)

    async def waiting(task, count):
        """Waits until so many transactions wait, or the second change has gone past them."""
        while not paused["second"].is_set():
            if await store.read(_waiting) >= count:
                return
            await asyncio.wait({task}, timeout=GLANCE_SECONDS)

    def move(incident):
        command = a_change(ref=incident.id, to="identified")
        return asyncio.ensure_future(incidents.execute(command))

    on_statement(pause)
    first = move(one)
    await asyncio.to_thread(paused["first"].wait, PATIENCE_SECONDS)
    adding = asyncio.ensure_future(add())
    await waiting(adding, 1)
    second = move(other)
    await waiting(second, 2)
    went_past = paused["second"].is_set()
    go_on["first"].set()
    go_on["second"].set()
    await asyncio.gather(first, adding, second)

    assert not went_past
    assert [event for event, _, _ in await deliver()] == ["incident.updated"]


def _waiting(reader):
    return connection_of(reader).exec_driver_sql(BLOCKED).scalar_one()


async def test_each_change_is_told_in_order_with_what_was_public_then(
    add, declare, incidents, deliver, clock
):
    await add()
    incident = await declare()
    for status, text in (("identified", "We know."), ("monitoring", "We watch.")):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=incident.id, to=status, public=PublicText(text)))
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=incident.id, to="resolved", note="db-3 lost quorum"))

    assert await deliver() == [
        ("incident.created", "investigating", []),
        ("incident.updated", "identified", ["We know."]),
        ("incident.updated", "monitoring", ["We watch.", "We know."]),
        ("incident.resolved", "resolved", ["We watch.", "We know."]),
    ]
    assert await deliver() == []


async def test_nothing_from_before_its_start_is_sent(
    add, hooks, declare, incidents, deliver, clock
):
    incident = await declare()
    clock.advance(minutes=1)
    made = await add()
    assert await deliver() == []

    await hooks.switch(ADMIN, made.id, on=False)
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=incident.id, to="identified"))
    clock.advance(minutes=1)
    await hooks.switch(ADMIN, made.id, on=True)
    assert await deliver() == []

    await incidents.execute(a_change(ref=incident.id, to="monitoring"))
    assert await deliver() == [("incident.updated", "monitoring", [])]


async def test_what_waits_for_an_endpoint_that_is_switched_off_is_dropped(
    add, hooks, declare, deliver, clock
):
    made = await add()
    await declare()
    await hooks.switch(ADMIN, made.id, on=False)
    clock.advance(minutes=1)
    await hooks.switch(ADMIN, made.id, on=True)

    assert await deliver() == []


async def test_an_incident_is_followed_to_its_end_once_it_has_passed_the_filter(
    add, declare, incidents, deliver, clock
):
    await add(severity=Severity.HIGH)
    incident = await declare(severity=Severity.LOW)
    assert await deliver() == []
    for severity in (Severity.CRITICAL, Severity.LOW):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=incident.id, severity=severity))

    assert [one[0] for one in await deliver()] == ["incident.updated"] * 2


async def test_a_hidden_component_is_told_to_those_alone_who_ask_for_it(
    add, store, declare, incidents, clock, deliver
):
    curation = Curation(store, clock=clock)
    for name, shown in (("Search", True), ("acquisition-zeta", False)):
        await curation.add_component(ADMIN, ComponentChange(name=name, shown=shown))
    every = await add()
    await add(components=["acquisition-zeta"])
    await declare()
    await deliver()
    clock.advance(minutes=1)

    await incidents.execute(a_change(ref=1, components=("acquisition-zeta",)))
    # The status of a component that is hidden is nothing to be sent.
    assert [one for one in await deliver() if one[1]] == [("incident.updated", "investigating", [])]
    await incidents.execute(a_change(ref=1, components=()))
    assert [one for one in await deliver(every.id) if one[1]] == []
    await incidents.execute(a_change(ref=1, components=("Search", "acquisition-zeta")))
    assert [event for event, status, _ in await deliver(every.id) if status] == ["incident.updated"]


async def test_a_held_text_goes_when_it_is_public(add, held, declare, deliver, clock):
    await add()
    incident = await declare()
    await deliver()
    clock.advance(minutes=1)
    await held.execute(a_change(ref=incident.id, public=PublicText("We look.")))
    clock.advance(seconds=9)
    assert await deliver() == []
    clock.advance(seconds=1)
    assert await deliver() == [("incident.updated", "investigating", ["We look."])]


@pytest.mark.parametrize("start", ["added", "switched on"])
async def test_a_text_that_is_held_at_the_start_goes_when_it_is_public(
    start, add, hooks, held, declare, deliver, clock
):
    incident = await declare()
    made = await add() if start == "switched on" else None
    if made:
        await hooks.switch(ADMIN, made.id, on=False)
    clock.advance(minutes=1)
    await held.execute(a_change(ref=incident.id, public=PublicText("We look.")))
    clock.advance(seconds=5)
    await (hooks.switch(ADMIN, made.id, on=True) if made else add())
    assert await deliver() == []

    clock.advance(seconds=5)
    assert await deliver() == [("incident.updated", "investigating", ["We look."])]
    await held.execute(a_change(ref=incident.id, severity=Severity.CRITICAL))
    assert [event for event, _, _ in await deliver()] == ["incident.updated"]


async def test_a_declaration_that_is_held_at_the_start_is_told(add, held, deliver, clock):
    await held.execute(a_declaration())
    clock.advance(seconds=5)
    await add()
    assert await deliver() == []

    clock.advance(seconds=5)
    assert await deliver() == [("incident.created", "investigating", [])]


async def test_a_text_that_was_taken_back_before_the_start_is_never_told(
    add, held, declare, deliver, clock
):
    incident = await declare()
    for taken_back_after in (4, 6):
        clock.advance(minutes=1)
        await held.execute(a_change(ref=incident.id, public=PublicText("We look.")))
        clock.advance(seconds=5)
        if taken_back_after > 5:
            await add()
        redact = Redact(actor=an_actor(), ref=incident.id, entry=2 + (taken_back_after > 5))
        await held.execute(redact)
        if taken_back_after < 5:
            await add()
        clock.advance(minutes=1)
        assert await deliver() == []


async def test_nothing_that_is_held_on_a_private_incident_is_told(add, held, deliver, clock):
    incident = (await held.execute(a_declaration())).incident
    await held.execute(a_change(ref=incident.id, public=PublicText("We look.")))
    await held.execute(SetPrivacy(actor=ADMIN, ref=incident.id, private=True))
    await add()
    clock.advance(minutes=1)

    assert await deliver() == []


async def test_a_text_that_is_taken_back_is_never_told(add, held, declare, deliver, clock):
    await add()
    incident = await declare()
    await deliver()
    clock.advance(minutes=1)
    await held.execute(a_change(ref=incident.id, public=PublicText("We look.")))
    clock.advance(seconds=5)
    await held.execute(Redact(actor=an_actor(), ref=incident.id, entry=2))
    clock.advance(minutes=5)

    assert await deliver() == []


@pytest.fixture
async def at_the_end(add, incidents, store, clock, deliver):
    """INC-1 with a component that is shown, one step before its end; all of it is told."""
    await Curation(store, clock=clock).add_component(ADMIN, ComponentChange(name="api"))
    await add()
    await incidents.execute(a_declaration(id=an_id(1), components=("api",)))
    for to in ("identified", "monitoring"):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=1, to=to))
    await deliver()
    clock.advance(minutes=1)


@pytest.mark.usefixtures("at_the_end")
async def test_a_component_is_told_with_the_held_text_of_its_incident(held, deliver, clock):
    await held.execute(a_change(ref=1, to="resolved", public=PublicText("Over.")))
    clock.advance(seconds=9)
    assert await deliver() == []
    clock.advance(seconds=1)
    assert await deliver() == [
        ("incident.resolved", "resolved", ["Over."]),
        ("component.updated", None, []),
    ]


@pytest.mark.usefixtures("at_the_end")
async def test_a_step_whose_text_is_taken_back_is_told_at_once(held, deliver, queue, clock):
    await held.execute(a_change(ref=1, to="resolved", public=PublicText("Over.")))
    clock.advance(seconds=3)
    await held.execute(Redact(actor=an_actor(), ref=1, entry=4))
    told = [
        ("incident.resolved", "resolved", []),
        ("component.updated", None, []),
    ]
    assert await deliver() == told
    clock.advance(minutes=1)
    assert await deliver() == []


@pytest.mark.usefixtures("at_the_end")
async def test_a_text_that_is_taken_back_hurries_nothing_else(
    held, store, deliver, clock, incidents
):
    until = clock() + timedelta(seconds=20)
    maintained = ComponentStatus.UNDER_MAINTENANCE
    curation = Curation(store, clock=clock)
    await curation.override(ADMIN, "api", maintained, until=until)
    await deliver()
    await held.execute(a_change(ref=1, title="Cards fail"))
    await held.execute(a_change(ref=1, to="resolved", public=PublicText("Over.")))
    clock.advance(seconds=3)
    await held.execute(Redact(actor=an_actor(), ref=1, entry=5))
    # The title stands before the end in the order of the incident, and waits for its own moment.
    assert [event for event, _, _ in await deliver()] == ["component.updated"]
    clock.advance(seconds=7)
    assert [event for event, _, _ in await deliver()] == ["incident.updated", "incident.resolved"]
    clock.advance(seconds=10)
    assert [event for event, _, _ in await deliver()] == ["component.updated"]


async def test_a_withdrawn_text_is_in_no_event_that_still_waits(
    add, declare, incidents, deliver, clock
):
    await add()
    incident = await declare()
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=incident.id, public=PublicText("We look.")))
    clock.advance(minutes=1)
    await incidents.execute(Redact(actor=an_actor(), ref=incident.id, entry=2))

    assert await deliver() == [
        ("incident.created", "investigating", []),
        ("incident.updated", "investigating", []),
        ("incident.update_withdrawn", "investigating", []),
    ]


async def test_an_incident_that_becomes_private_is_withdrawn(
    add, declare, incidents, deliver, clock
):
    await add()
    incident = await declare()
    await deliver()
    late = await add()
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=incident.id, to="identified"))
    clock.advance(minutes=1)
    await incidents.execute(SetPrivacy(actor=ADMIN, ref=incident.id, private=True))

    assert await deliver() == [("incident.withdrawn", None, [])] * 2
    await incidents.execute(a_change(actor=ADMIN, ref=incident.id, to="monitoring"))
    assert await deliver(late.id) == []


async def test_a_declaration_that_is_made_private_in_time_is_never_told(add, held, deliver, clock):
    await add()
    incident = (await held.execute(a_declaration())).incident
    clock.advance(seconds=5)
    await held.execute(SetPrivacy(actor=ADMIN, ref=incident.id, private=True))
    clock.advance(minutes=5)

    assert await deliver() == []


async def test_a_declaration_waits_for_the_hold_of_its_newest_title(add, held, deliver, clock):
    await add()
    incident = (await held.execute(a_declaration())).incident
    clock.advance(seconds=8)
    await held.execute(a_change(ref=incident.id, title="Cards fail"))
    clock.advance(seconds=9)
    assert await deliver() == []
    clock.advance(seconds=1)

    assert [one[0] for one in await deliver()] == ["incident.created"]


async def test_a_lane_waits_for_its_failing_message_and_others_do_not(
    add, declare, incidents, queue, clock
):
    await add()
    first, second = await declare(), await declare()
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=first.id, to="identified"))
    for message in await queue.claim("w1", limit=16, at=clock()):
        if message.incident == first.id:
            later = clock() + timedelta(minutes=5)
            await queue.later(message, until=later, error="http_500")
        else:
            await queue.delivered(message, at=clock())
    await incidents.execute(a_change(ref=second.id, to="identified"))

    assert [one.incident for one in await queue.claim("w1", limit=16, at=clock())] == [second.id]
    clock.advance(minutes=5)
    (again,) = await queue.claim("w1", limit=16, at=clock())
    assert (again.incident, again.entry, again.attempts) == (first.id, 1, 2)


async def test_an_endpoint_that_hangs_takes_no_place_of_another(add, declare, queue, clock):
    hung = await add()
    for _ in range(AT_ONCE + 2):
        await declare()
    assert len(await queue.claim("w1", limit=100, at=clock())) == AT_ONCE
    well = await add()
    await declare()

    assert {one.endpoint for one in await queue.claim("w2", limit=100, at=clock())} == {well.id}
    assert hung.id != well.id


async def test_a_message_whose_worker_died_is_sent_again_with_the_same_id(
    add, declare, queue, clock
):
    await add()
    await declare()
    (lost,) = await queue.claim("w1", limit=16, at=clock())
    clock.advance(minutes=5)
    assert await queue.rescue(claimed_before=clock(), at=clock(), until=clock()) == 1

    (again,) = await queue.claim("w2", limit=16, at=clock())
    assert (again.uid, again.attempts) == (lost.uid, 2)


async def test_an_endpoint_without_a_success_for_three_days_is_switched_off(
    add, hooks, declare, queue, clock
):
    await add()
    await declare()
    switched = []
    for hours in (0, 71, 1):
        clock.advance(hours=hours)
        (message,) = await queue.claim("w1", limit=16, at=clock())
        switched.append(await queue.later(message, until=clock(), error="http_500"))

    assert switched == [None, None, EndpointState.SILENT]
    (one,) = await hooks.endpoints(ADMIN)
    assert (one.state, one.off_at, one.failing_since) == (
        EndpointState.SILENT,
        clock(),
        clock() - timedelta(days=3),
    )
    (word,) = await queue.claim("w1", limit=16, at=clock())
    assert (word.event, word.due_at, word.surface) == (None, clock(), "webhook.off")
    assert (await queue.facts(word)).notice == HookNotice(EndpointState.SILENT, ADA.id)
    assert (await queue.depth()).off == 1


async def test_an_endpoint_that_is_gone_is_switched_off_at_once(add, hooks, declare, queue, clock):
    await add()
    await declare()
    (message,) = await queue.claim("w1", limit=16, at=clock())

    assert await queue.dead(message, error=GONE, at=clock()) is EndpointState.GONE
    assert [one.state for one in await hooks.endpoints(ADMIN)] == [EndpointState.GONE]


async def test_two_secrets_sign_while_one_is_rotated(add, hooks, declare, queue, clock):
    made = await add()
    await hooks.rotate(ADMIN, made.id, "whsec_second")
    await declare()
    (message,) = await queue.claim("w1", limit=16, at=clock())
    facts = await queue.facts(message)

    assert facts.secrets.at(clock()) == ("whsec_second", SECRET)
    assert facts.secrets.at(clock() + timedelta(hours=24)) == ("whsec_second",)
    assert "whsec" not in repr(facts)


async def test_an_event_that_waits_for_a_webhook_that_is_switched_off_says_so(add, hooks, declare):
    made = await add()
    await declare()
    await hooks.switch(ADMIN, made.id, on=False)

    (dropped,) = await hooks.log(ADMIN, made.id)

    assert (dropped.state, dropped.error) == ("merged", SWITCHED_OFF)


async def test_an_event_is_resent_with_its_id(add, hooks, declare, queue, deliver, clock):
    made = await add()
    await declare()
    await deliver()
    (sent,) = await hooks.log(ADMIN, made.id)
    assert sent.resent_at is None
    clock.advance(minutes=1)

    assert await hooks.resend(ADMIN, made.id, sent.uid)
    assert [one.resent_at for one in await hooks.log(ADMIN, made.id)] == [clock()]
    (again,) = await queue.claim("w1", limit=16, at=clock())
    assert again.uid == sent.uid
    assert not await hooks.resend(ADMIN, made.id, an_id("nothing"))
    await queue.delivered(again, at=clock())
    clock.advance(minutes=1)
    await hooks.switch(ADMIN, made.id, on=False)
    await hooks.switch(ADMIN, made.id, on=True)
    assert not await hooks.resend(ADMIN, made.id, sent.uid)


async def test_a_status_by_hand_is_told_when_it_begins_and_when_it_ends(
    add, declare, store, queue, clock
):
    await declare(components=("api",))
    curation = Curation(store, clock=clock)
    await curation.change_component(ADMIN, "api", ComponentChange(shown=True))
    clock.advance(minutes=1)
    await add()
    until = clock() + timedelta(hours=1)
    await curation.override(ADMIN, "api", ComponentStatus.UNDER_MAINTENANCE, until=until)
    (begins,) = await queue.claim("w1", limit=16, at=clock())
    facts = await queue.facts(begins)
    assert facts.known is ComponentStatus.PARTIAL_OUTAGE
    told = HookTold(status=ComponentStatus.UNDER_MAINTENANCE)
    await queue.delivered(begins, at=clock(), posted=told)
    clock.advance(hours=1)
    (ends,) = await queue.claim("w1", limit=16, at=clock())

    assert (await queue.facts(ends)).known is ComponentStatus.UNDER_MAINTENANCE
    assert {begins.component, ends.component} == {
        one.id for one in (await curation.arrangement(ADMIN)).components
    }
    assert begins.workspace == WORKSPACE


@pytest.fixture
async def gone(add, declare, queue, clock):
    """An endpoint that was switched off while another event was on its way; that event."""
    endpoint = await add()
    await declare()
    await declare()
    first, second = await queue.claim("w1", limit=16, at=clock())
    await queue.dead(first, error=GONE, at=clock())
    return endpoint, second


async def test_the_word_that_an_endpoint_is_off_survives_the_end_of_its_events(
    gone, hooks, queue, clock
):
    endpoint, second = gone
    await queue.later(second, until=clock(), error="http_500")

    (word,) = await queue.claim("w1", limit=16, at=clock())
    assert (word.event, word.endpoint) == (None, endpoint.id)
    assert word.uid not in [one.uid for one in await hooks.log(ADMIN, endpoint.id)]
    await queue.delivered(word, at=clock())
    assert await queue.claim("w1", limit=16, at=clock()) == ()
    (after,) = await hooks.endpoints(ADMIN)
    assert (after.state, after.last_success_at) == (EndpointState.GONE, None)


async def test_the_word_is_told_again_after_its_teller_died_and_given_up_alone(
    gone, hooks, queue, clock
):
    (word,) = await queue.claim("w1", limit=16, at=clock())
    clock.advance(minutes=5)
    await queue.rescue(claimed_before=clock(), at=clock(), until=clock())
    again = next(one for one in await queue.claim("w2", limit=16, at=clock()) if one.event is None)
    assert (again.uid, again.attempts) == (word.uid, 2)

    assert await queue.dead(again, error="channel_not_found", at=clock()) is None
    assert (await hooks.endpoints(ADMIN))[0].state is EndpointState.GONE


@pytest.mark.parametrize("act", ["switch on", "switch off", "remove"])
async def test_nobody_is_told_of_an_endpoint_that_an_admin_has_looked_after(
    gone, hooks, queue, clock, act
):
    endpoint, _ = gone
    (running,) = await queue.claim("w1", limit=16, at=clock())
    await queue.later(running, until=clock(), error="channel_not_found")
    clock.advance(minutes=1)
    if act == "remove":
        await hooks.remove(ADMIN, endpoint.id)
    else:
        await hooks.switch(ADMIN, endpoint.id, on=act == "switch on")

    assert await queue.claim("w1", limit=16, at=clock()) == ()
    assert (await queue.facts(running)).notice is None


async def test_a_key_that_added_an_endpoint_is_told_nothing(store, clock, declare, queue):
    key = an_actor(CI, admin=True)
    hooks = Webhooks(store, clock=clock)
    await hooks.keep(key, await hooks.propose(key, an_id("hook"), URL), SECRET)
    await declare()
    (message,) = await queue.claim("w1", limit=16, at=clock())
    await queue.dead(message, error=GONE, at=clock())

    (word,) = await queue.claim("w1", limit=16, at=clock())
    assert (await queue.facts(word)).notice is None
