"""Promises over HTTP: made by `nextUpdateIn` alone, and shown by incidents and updates."""

from __future__ import annotations

import pytest

TEN = "2026-03-02T10:00:00.000Z"


async def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


@pytest.fixture
async def incident(ci):
    body = {"title": "Checkout is down", "severity": "critical"}
    return (await data(await ci.post("/v1/incidents", json=body), 201))["id"]


@pytest.fixture
def post(ci, incident):
    async def post(**body):
        update = {"visibility": "public", "body": "We are looking."} | body
        return await ci.post(f"/v1/incidents/{incident}/updates", json=update)

    return post


@pytest.fixture
def shown(ci, incident):
    async def shown():
        return (await data(await ci.get(f"/v1/incidents/{incident}")))["nextUpdateBy"]

    return shown


async def test_a_public_update_promises_the_next_one(ci, incident, post, shown):
    update = await data(await post(nextUpdateIn=3_600.0), 201)
    listed = await data(await ci.get("/v1/incidents"))
    timeline = await data(await ci.get(f"/v1/incidents/{incident}/updates"))

    assert update["nextUpdateBy"] == TEN
    assert await shown() == TEN
    assert listed["incidents"][0]["nextUpdateBy"] == TEN
    assert [one["nextUpdateBy"] for one in timeline["updates"]] == [None, TEN]


async def test_the_severity_makes_no_promise(post, shown):
    assert (await data(await post(), 201))["nextUpdateBy"] is None
    assert await shown() is None


async def test_the_next_update_keeps_it(post, shown, clock):
    await post(nextUpdateIn=3_600)
    clock.advance(minutes=90)
    assert await shown() == TEN
    await post()

    assert await shown() is None


async def test_the_end_promises_nothing(ci, incident, post, shown):
    for status in ("identified", "monitoring"):
        await data(await ci.patch(f"/v1/incidents/{incident}/status", json={"status": status}))
    update = await data(await post(nextUpdateIn=3_600, statusChange="resolved"), 201)

    assert update["nextUpdateBy"] is None
    assert await shown() is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (59, "must be 60 or more"),
        (-60, "must be 60 or more"),
        (604_801, "must be 604,800 or less"),
        ("3600", "must be a whole number"),
        (60.5, "must be a whole number"),
        (True, "must be a whole number"),
    ],
)
async def test_a_promise_is_from_a_minute_to_seven_days_away(post, shown, seconds, told):
    answer = await post(nextUpdateIn=seconds)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "nextUpdateIn", "message": f"nextUpdateIn {told}."}
    ]
    assert await shown() is None


async def test_a_note_promises_nothing(post, shown):
    answer = await post(visibility="internal", nextUpdateIn=3_600)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "nextUpdateIn",
            "message": "nextUpdateIn belongs to a public update: leave it out of an internal one.",
        }
    ]
    assert await shown() is None


async def test_a_repeated_request_promises_once(ci, incident, clock):
    body = {"visibility": "public", "body": "We are looking.", "nextUpdateIn": 3_600}
    headers = {"Idempotency-Key": "one"}
    address = f"/v1/incidents/{incident}/updates"
    first = await data(await ci.post(address, json=body, headers=headers), 201)
    clock.advance(minutes=5)

    assert await data(await ci.post(address, json=body, headers=headers), 201) == first
