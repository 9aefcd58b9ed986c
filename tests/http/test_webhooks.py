"""Webhooks over dialect 1: each operation, and each refusal."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.webhooks.receiver import a_receiver

NOWHERE = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"
NOTE = "db-3 lost its quorum"


def code(answer):
    return answer.status_code, answer.json()["code"]


def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


@pytest.fixture
async def receiver():
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
def added(admin, receiver):
    """Adds the receiver; the webhook with its secret, and its address in the API."""

    async def added(**filters):
        made = data(await admin.post("/v1/webhooks", json={"url": receiver.url} | filters), 201)
        return made, f"/v1/webhooks/{made['id']}"

    return added


async def test_an_admin_adds_an_address_that_answers_and_gets_its_secret_once(
    admin, added, receiver, clock
):
    made, address = await added(severity="high")

    ((_, headers, body),) = receiver.got
    signature = Webhook(made["secret"]).sign(headers["webhook-id"], clock(), body.decode())
    assert headers["webhook-signature"] == signature
    secret, _ = made.pop("secret"), made.pop("notice")
    assert {key: value for key, value in made.items() if not key.endswith("At")} == {
        "id": made["id"],
        "url": receiver.url,
        "state": "on",
        "severity": "high",
        "components": [],
        "addedBy": {"id": made["addedBy"]["id"], "name": "root"},
        "rotatingUntil": None,
        "failingSince": None,
    }
    listed = await admin.get("/v1/webhooks")
    assert data(listed)["webhooks"] == [made]
    assert data(await admin.get(address)) == made
    assert secret not in listed.text


async def test_an_address_that_does_not_answer_is_not_kept(admin):
    async def answer(_request):
        return web.Response(status=500)

    async with a_receiver(answer) as receiver:
        refused = await admin.post("/v1/webhooks", json={"url": receiver.url})

    assert code(refused) == (422, "validation_failed")
    (problem,) = refused.json()["errors"]
    assert problem["field"] == "url"
    assert problem["message"].startswith("url answered the verification request with 500: any 2xx")
    assert data(await admin.get("/v1/webhooks"))["webhooks"] == []


@pytest.mark.parametrize(
    ("asked", "expected", "field"),
    [
        ({}, (422, "validation_failed"), "url"),
        ({"url": "hooks"}, (422, "validation_failed"), "url"),
        ({"url": "https://nowhere.example/"}, (422, "validation_failed"), "url"),
        ({"url": "https://a:b@nowhere.example/"}, (422, "validation_failed"), "url"),
        ({"url": "x" * 2_001}, (422, "validation_failed"), "url"),
        (
            {"url": "https://x.example/", "severity": "worst"},
            (422, "validation_failed"),
            "severity",
        ),
        ({"url": "https://x.example/", "secret": "x"}, (422, "validation_failed"), "secret"),
        (
            {"url": "https://x.example/", "componentIds": [NOWHERE]},
            (400, "invalid_component_id"),
            0,
        ),
        ({"url": "https://x.example/", "componentIds": ["web"]}, (400, "invalid_component_id"), 0),
    ],
)
async def test_an_impossible_webhook_is_refused_by_field(admin, asked, expected, field):
    answer = await admin.post("/v1/webhooks", json=asked)

    assert code(answer) == expected
    assert [one["field"] for one in answer.json().get("errors", [])] == ([field] if field else [])


OPERATIONS = [
    ("GET", "", None),
    ("DELETE", "", None),
    ("PUT", "/filter", {}),
    ("PUT", "/switch", {"on": False}),
    ("POST", "/rotate", None),
    ("POST", "/test", None),
    ("GET", "/log", None),
    ("POST", "/resend", {"eventId": NOWHERE}),
]


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
async def test_another_scope_and_another_workspace_reach_nothing(
    admin, ci, stranger, added, receiver, method, path, body
):
    _, address = await added()

    refused = await ci.request(method, address + path, json=body)
    foreign = await stranger.request(method, address + path, json=body)
    unknown = await stranger.request(method, f"/v1/webhooks/{NOWHERE}{path}", json=body)
    malformed = await stranger.request(method, f"/v1/webhooks/x{path}", json=body)

    assert code(refused) == (403, "insufficient_scope")
    assert "admin" in refused.json()["message"]
    assert {code(one) for one in (foreign, unknown, malformed)} == {(404, "not_found")}
    assert len({one.json()["message"] for one in (foreign, unknown, malformed)}) == 1
    assert data(await admin.get(address))["state"] == "on"
    assert len(receiver.got) == 1


async def test_whoever_is_no_admin_adds_and_lists_nothing(ci, receiver):
    assert code(await ci.get("/v1/webhooks")) == (403, "insufficient_scope")
    asked = {"url": receiver.url}
    assert code(await ci.post("/v1/webhooks", json=asked)) == (403, "insufficient_scope")
    assert receiver.got == []


async def test_a_filter_is_replaced_as_a_whole(admin, added):
    made = data(await admin.post("/v1/components", json={"name": "API"}), 201)
    _, address = await added(severity="high")

    after = data(await admin.put(f"{address}/filter", json={"componentIds": [made["id"]]}))

    assert (after["severity"], after["components"]) == (
        None,
        [{"id": made["id"], "name": "API"}],
    )


async def test_a_webhook_is_switched_off_and_on_and_starts_anew(admin, added, clock):
    made, address = await added()
    clock.advance(minutes=1)
    off = data(await admin.put(f"{address}/switch", json={"on": False}))
    clock.advance(minutes=1)
    on = data(await admin.put(f"{address}/switch", json={"on": True}))

    assert (off["state"], on["state"], on["offAt"]) == ("off", "on", None)
    assert made["startsAt"] < off["offAt"] < on["startsAt"]


async def test_a_rotated_secret_is_shown_once_and_both_sign(admin, added, receiver, clock):
    made, address = await added()
    rotated = data(await admin.post(f"{address}/rotate"))
    assert rotated["notice"] is None
    trial = data(await admin.post(f"{address}/test"))

    assert trial == {"taken": True, "status": 200, "problem": None}
    _, headers, body = receiver.got[-1]
    assert headers["webhook-signature"].split(" ") == [
        Webhook(secret).sign(headers["webhook-id"], clock(), body.decode())
        for secret in (rotated["secret"], made["secret"])
    ]
    assert rotated["rotatingUntil"] > rotated["startsAt"]
    assert "secret" not in data(await admin.get(address))


async def test_a_third_secret_within_a_day_says_which_one_ended(admin, added):
    _, address = await added()
    await admin.post(f"{address}/rotate")

    third = data(await admin.post(f"{address}/rotate"))

    assert third["secret"].startswith("whsec_")
    assert re.search(r"The secret that was replaced at .* does not sign any more", third["notice"])


async def test_a_trial_that_fails_is_an_answer_and_no_error(admin):
    async with a_receiver() as receiver:
        made = data(await admin.post("/v1/webhooks", json={"url": receiver.url}), 201)

    trial = data(await admin.post(f"/v1/webhooks/{made['id']}/test"))

    assert trial == {"taken": False, "status": None, "problem": "takes no connection"}


async def test_a_removed_webhook_is_unknown(admin, added):
    made, address = await added()

    removed = data(await admin.request("DELETE", address))

    assert removed["id"] == made["id"]
    assert code(await admin.get(address)) == (404, "not_found")
    assert data(await admin.get("/v1/webhooks"))["webhooks"] == []


async def test_the_log_shows_each_event_without_any_text(admin, added, declared, url):
    _, address = await added()
    incident = await declared()
    await admin.patch(
        f"/v1/incidents/{incident}/status", json={"status": "identified", "resolutionNote": NOTE}
    )

    answer = await admin.get(f"{address}/log?limit=1")

    (newest,) = data(answer)["events"]
    assert (newest["type"], newest["incidentId"], newest["state"], newest["attempts"]) == (
        "incident.updated",
        incident,
        "available",
        0,
    )
    assert len(data(await admin.get(f"{address}/log"))["events"]) == 2
    assert NOTE not in answer.text
    assert code(await admin.get(f"{address}/log?limit=101")) == (422, "validation_failed")


async def test_an_event_that_was_sent_is_sent_once_more_with_its_id(admin, added, declared, url):
    _, address = await added()
    await declared()
    (event,) = data(await admin.get(f"{address}/log"))["events"]
    waiting = await admin.post(f"{address}/resend", json={"eventId": event["id"]})
    assert code(waiting) == (422, "validation_failed")

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE webhook_message SET state = 'delivered'")
        connection.commit()
    again = data(await admin.post(f"{address}/resend", json={"eventId": event["id"]}))

    assert again == {"eventId": event["id"]}
    ((state, uid),) = [
        (one["state"], one["id"]) for one in data(await admin.get(f"{address}/log"))["events"]
    ]
    assert (state, uid) == ("available", event["id"])
    (resent,) = data(await admin.get(f"{address}/log"))["events"]
    assert (event["resentAt"], type(resent["resentAt"])) == (None, str)
    unknown = await admin.post(f"{address}/resend", json={"eventId": NOWHERE})
    assert [one["field"] for one in unknown.json()["errors"]] == ["eventId"]
    malformed = await admin.post(f"{address}/resend", json={"eventId": "first"})
    assert malformed.json()["message"] == "eventId must be the id of an event, as the log has it."


async def test_a_webhook_that_is_off_gets_no_event_again(admin, added, declared):
    _, address = await added()
    await declared()
    (event,) = data(await admin.get(f"{address}/log"))["events"]
    await admin.put(f"{address}/switch", json={"on": False})

    refused = await admin.post(f"{address}/resend", json={"eventId": event["id"]})

    assert code(refused) == (422, "validation_failed")
    assert refused.json()["message"].startswith("webhook is switched off: switch it on")
