"""`PATCH /v1/incidents/{id}`: title, severity and description, in one transaction."""

from __future__ import annotations

import pytest

from bot.http.api_shapes import ACTIONS
from core.incident import Kind

SECRET = "vermilion-canary"
ALL = {
    "title": "  Payments   are down ",
    "severity": "critical",
    "description": " Since the deploy of 14:10. ",
}


@pytest.fixture
def patch(ci, declared):
    async def patch(body, *, of=None, by=ci, **headers):
        incident = of or await declared()
        return await by.patch(f"/v1/incidents/{incident}", json=body, headers=headers)

    return patch


def code(answer):
    return answer.status_code, answer.json()["code"]


def kinds(updates):
    return [(one["visibility"], one["body"]) for one in updates]


async def test_three_facts_are_corrected_in_one_transaction(patch, declared, updates, clock):
    incident = await declared()
    clock.advance(seconds=5)

    answer = await patch(ALL, of=incident)

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["title"], data["severity"], data["description"]) == (
        "Payments are down",
        "critical",
        "Since the deploy of 14:10.",
    )
    entries = await updates(incident)
    assert kinds(entries) == [
        ("internal", None),
        ("internal", None),
        ("internal", None),
        ("internal", "Since the deploy of 14:10."),
    ]
    assert len({one["postedAt"] for one in entries[1:]}) == 1


@pytest.mark.parametrize("field", ALL)
async def test_one_field_leaves_the_others(patch, declared, ci, field):
    incident = await declared(description="before")
    before = (await ci.get(f"/v1/incidents/{incident}")).json()["data"]

    after = (await patch({field: ALL[field]}, of=incident)).json()["data"]

    changed = {name for name in ALL if before[name] != after[name]}
    assert changed == {field}


async def test_the_same_facts_change_nothing(patch, declared, updates):
    incident = await declared()
    await patch(ALL, of=incident)

    assert (await patch(ALL, of=incident)).status_code == 200
    assert len(await updates(incident)) == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"title": None, "severity": None, "description": None}, "body"),
        ({"title": " "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"severity": "major"}, "severity"),
        ({"description": ""}, "description"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": 7}, "description"),
        ({"status": "identified"}, "status"),
        ({"description": "a\u0000b"}, "description"),
    ],
)
async def test_an_invalid_field_is_named_and_nothing_is_changed(
    patch, declared, updates, body, field
):
    incident = await declared()

    answer = await patch(body, of=incident)

    assert code(answer) == (422, "validation_failed")
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert len(await updates(incident)) == 1


async def test_a_resolved_incident_stays_as_it_is(patch, declared, ci):
    incident = await declared()
    for status in ("identified", "monitoring", "resolved"):
        await ci.patch(f"/v1/incidents/{incident}/status", json={"status": status})

    assert code(await patch(ALL, of=incident)) == (400, "incident_resolved")


async def test_the_order_of_refusals(patch, declared, client, a_key, ci):
    reader = client(a_key("read", name="reader"))
    nowhere = "00000000-0000-4000-8000-000000000000"
    incident = await declared()

    assert code(await patch({}, of=incident, by=client())) == (401, "not_authorized")
    assert code(await patch({}, of=nowhere, by=reader)) == (404, "not_found")
    assert code(await patch({}, of=incident, by=reader)) == (422, "validation_failed")
    assert code(await patch(ALL, of=incident, by=reader)) == (403, "insufficient_scope")
    for status in ("identified", "monitoring", "resolved"):
        await ci.patch(f"/v1/incidents/{incident}/status", json={"status": status})
    assert code(await patch(ALL, of=incident, by=reader)) == (400, "incident_resolved")


async def test_a_key_that_may_write_may_correct_a_public_title(patch, client, a_key):
    writer = client(a_key("write", name="writer"))

    assert (await patch(ALL, by=writer)).status_code == 200


async def test_an_incident_of_another_workspace_is_not_found(patch, declared, client, a_key):
    elsewhere = client(a_key(workspace="T0ELSEWHERE", name="theirs"))

    answer = await patch(ALL, of=await declared(), by=elsewhere)

    assert code(answer) == (404, "not_found")


async def test_a_repeated_request_is_done_once(patch, declared, updates):
    incident = await declared()
    first = await patch(ALL, of=incident, **{"Idempotency-Key": "one"})
    again = await patch(ALL, of=incident, **{"Idempotency-Key": "one"})

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await updates(incident)) == 4


async def test_a_withdrawn_description_leaves_the_kept_answer(
    patch, declared, updates, client, a_key
):
    incident = await declared()
    await patch({"description": SECRET}, of=incident, **{"Idempotency-Key": "one"})
    entry = (await updates(incident))[1]["id"]
    admin = client(a_key("admin", name="admin"))
    await admin.post(f"/v1/incidents/{incident}/updates/{entry}/redact")

    again = await patch({"description": SECRET}, of=incident, **{"Idempotency-Key": "one"})

    assert code(again) == (409, "idempotency_conflict")
    assert SECRET not in again.text
    whole = (await admin.get(f"/v1/incidents/{incident}")).json()["data"]
    assert whole["description"] is None


async def test_a_description_is_in_no_refusal(patch):
    answer = await patch({"description": SECRET * 1_000, "title": SECRET * 100})

    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        ("2026-03-02T09:00:01Z", "lies in the future"),
        ("1969-12-31T23:59:59Z", "lies before 1970"),
        ("yesterday", "must be a moment"),
    ],
)
async def test_a_start_lies_between_1970_and_now(ci, moment, problem):
    body = {"title": "Checkout is down", "severity": "high", "startedAt": moment}
    answer = await ci.post("/v1/incidents", json=body)

    assert code(answer) == (422, "validation_failed")
    (error,) = answer.json()["errors"]
    assert error["field"] == "startedAt"
    assert problem in error["message"]


def test_an_entry_of_every_kind_has_an_action_in_dialect_2():
    assert set(ACTIONS) == set(Kind)
