"""API keys and kept answers: their rows, and concurrent requests."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest

from core.boards import BoardFilter, Scope
from core.commands import Redact
from core.service import Incidents
from core.store import ClaimLost, Receipt
from storage import idempotency, keys
from storage.idempotency import Admitted, Answered, KeyedRequest, Reused, Running
from storage.keys import KeyScope
from tests.builders import NINE, WORKSPACE, a_change, a_declaration, an_actor, an_id


@pytest.fixture
def a_key(store):
    async def a_key(name="ci", **changes):
        fields = {"workspace": WORKSPACE, "name": name, "scope": KeyScope.READ, "at": NINE}
        return await store.write(lambda tx: keys.create(tx, **fields | changes))

    return a_key


# --- keys ------------------------------------------------------------------------------------


async def test_a_key_is_found_only_by_its_exact_text(store, a_key):
    key, whole = await a_key()

    for presented, found in (
        (whole, key),
        (whole.upper(), None),
        (whole[:-1], None),
        (f"{whole[:16]}{'0' * 32}", None),
        (f"rk_live_{'0' * 40}", None),
        (key.prefix, None),
        ("", None),
        ("\udcff", None),
    ):
        assert await store.read(lambda reader, it=presented: keys.find(reader, it)) == found


async def test_only_digest_and_prefix_of_a_key_are_stored(a_key, rows):
    key, whole = await a_key()

    (row,) = rows("SELECT * FROM api_key")

    assert hashlib.sha256(whole.encode()).hexdigest() in row
    assert key.id in row
    assert whole.removeprefix(key.prefix) not in repr(row)


async def test_keys_are_unique(store, a_key):
    made = [await a_key(f"key {number}") for number in range(20)]

    known = await store.read(keys.every)

    assert len({whole for _, whole in made}) == 20
    assert {key.id for key in known} == {key.id for key, _ in made}


async def test_a_revoked_key_stays_revoked_since_the_first_time(store, a_key, clock):
    key, whole = await a_key()
    await store.write(lambda tx: keys.revoke(tx, key.id, at=clock()))
    clock.advance(hours=1)

    revoked = await store.write(lambda tx: keys.revoke(tx, key.id, at=clock()))

    assert revoked.revoked_at == NINE
    assert await store.read(lambda reader: keys.find(reader, whole)) is None
    assert await store.write(lambda tx: keys.revoke(tx, "nobodys0", at=clock())) is None


@pytest.mark.parametrize("scope", KeyScope)
def test_each_scope_includes_those_before_it(scope):
    assert [other for other in KeyScope if scope.includes(other)] == list(KeyScope)[
        : list(KeyScope).index(scope) + 1
    ]


# --- answers ---------------------------------------------------------------------------------


@pytest.fixture
async def request_(a_key):
    key, _ = await a_key()
    return KeyedRequest(workspace=WORKSPACE, key=key.id, name="deploy-311", digest="a")


@pytest.fixture
def claim(store, clock, request_):
    def claim(request=request_):
        return store.write(lambda tx: idempotency.claim(tx, request, at=clock()))

    return claim


async def test_a_request_is_admitted_once_and_then_gets_its_first_answer(store, claim, request_):
    admitted = await claim()
    assert isinstance(admitted, Admitted)
    assert await claim() == Running()

    receipt = Receipt(claim=admitted.claim, status=201, body='{"data": 1}')
    await store.write(lambda tx: tx.keep(receipt))

    assert await claim() == Answered(201, '{"data": 1}')
    other = KeyedRequest(workspace=WORKSPACE, key=request_.key, name=request_.name, digest="b")
    assert await claim(other) == Reused()


async def test_one_of_many_concurrent_processes_is_admitted(opened, request_):
    stores = [opened() for _ in range(3)]
    for number in range(20):
        request = KeyedRequest(
            workspace=WORKSPACE, key=request_.key, name=f"burst {number}", digest="a"
        )
        found = await asyncio.gather(
            *(
                store.write(lambda tx, it=request: idempotency.claim(tx, it, at=NINE))
                for store in stores * 3
            )
        )
        assert sorted(type(one).__name__ for one in found) == ["Admitted"] + ["Running"] * 8


async def test_the_former_holder_of_an_abandoned_claim_can_write_nothing(
    store, claim, clock, incidents
):
    first = await claim()
    clock.advance(seconds=29)
    assert await claim() == Running()
    clock.advance(seconds=1)
    second = await claim()
    assert isinstance(second, Admitted)

    def answer(claim):
        return lambda tx, _: tx.keep(Receipt(claim=claim, status=201, body="{}"))

    with pytest.raises(ClaimLost):
        await incidents.perform(a_declaration(id=an_id(1)), answer(first.claim))
    await incidents.perform(a_declaration(id=an_id(2)), answer(second.claim))

    page = await incidents.board(an_actor(), BoardFilter(scope=Scope.ALL))
    assert [(incident.id, incident.number) for incident in page.items] == [(an_id(2), 1)]


async def test_a_claim_that_is_given_back_is_free_at_once(store, claim):
    admitted = await claim()

    await store.write(lambda tx: idempotency.give_back(tx, admitted.claim))

    assert isinstance(await claim(), Admitted)


async def test_an_answer_cannot_be_given_back(store, claim):
    admitted = await claim()
    await store.write(lambda tx: tx.keep(Receipt(claim=admitted.claim, status=200, body="{}")))

    await store.write(lambda tx: idempotency.give_back(tx, admitted.claim))

    assert await claim() == Answered(200, "{}")


async def test_answers_are_forgotten_after_a_day(store, claim, clock, rows):
    await claim()
    clock.advance(hours=23, minutes=59)
    assert await store.write(lambda tx: idempotency.forget(tx, at=clock())) == 0
    clock.advance(minutes=1)

    assert await store.write(lambda tx: idempotency.forget(tx, at=clock())) == 1
    assert rows("SELECT * FROM idempotency") == []


async def test_a_withdrawn_text_is_in_no_kept_answer(store, claim, declare, incidents, rows):
    incident = await declare()
    admitted = await claim()

    def answer(tx, outcome):
        update = outcome.updates[0]
        tx.keep(Receipt(claim=admitted.claim, status=201, body=update.body, about=update.id))
        return update

    noted = a_change(ref=incident.id, note="db-3 lost quorum")
    update = await incidents.perform(noted, answer)
    assert await claim() == Answered(201, "db-3 lost quorum")

    await incidents.execute(Redact(actor=an_actor(), ref=incident.id, entry=update.id))

    assert await claim() == Answered(201, None)
    assert "quorum" not in repr(rows("SELECT * FROM idempotency"))


# --- reads of the API ------------------------------------------------------------------------


async def test_a_board_is_narrowed_to_moments_of_declaration(declare, incidents, clock):
    for _ in range(4):
        await declare()
        clock.advance(days=1)

    async def numbers(**narrowed):
        page = await incidents.board(an_actor(), BoardFilter(scope=Scope.ALL, **narrowed))
        return [incident.number for incident in page.items]

    second, third = NINE.replace(day=3), NINE.replace(day=4)
    assert await numbers(since=second) == [4, 3, 2]
    assert await numbers(until=third) == [3, 2, 1]
    assert await numbers(since=second, until=third) == [3, 2]


async def test_descriptions_of_components_and_incidents_are_kept(incidents, declare):
    made = await incidents.make_component(
        an_actor(), name="web", description="Shops.", group="Front", then=lambda _, it: it
    )
    incident = await declare(components=(made.component.id,), category="timeout")

    assert made.new_group == "Front"
    assert await incidents.components(an_actor()) == (replace(made, new_group=None),)
    found = await incidents.find(an_actor(), incident.id)
    assert (found.components, found.category) == ((made.component,), "timeout")


async def test_concurrent_requests_for_one_component_make_one(opened, clock):
    from_everywhere = [Incidents(opened(), clock=clock, wake=lambda: None) for _ in range(3)]
    await from_everywhere[0].make_component(
        an_actor(), name="first", description=None, group=None, then=lambda _, it: it
    )

    made = await asyncio.gather(
        *(
            incidents.make_component(
                an_actor(), name=name, description=None, group=None, then=lambda _, it: it
            )
            for incidents in from_everywhere
            for name in ("web", "WEB", "Web")
        ),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in made) == ["ComponentExists"] * 8 + [
        "DescribedComponent"
    ]
