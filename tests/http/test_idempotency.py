"""A request with an Idempotency-Key is done once: repeated, concurrent, or after a crash."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from core.incident import Person
from storage import idempotency
from tests.webhooks.receiver import a_receiver

FULL = {"title": "Checkout is down", "severity": "high"}
NOTE = "db-3 lost its quorum"
ONCE = {"Idempotency-Key": "deploy-311"}


def code(answer):
    body = answer.json()
    return answer.status_code, (body["code"] if "code" in body else body["error"]["code"]).lower()


def replayed(answer):
    return answer.headers.get("idempotency-replayed") == "true"


def shown(answer):
    """The bytes of an answer; without a secret, which is shown once."""
    data = answer.json().get("data")
    if not isinstance(data, dict) or "secret" not in data:
        return answer.content
    return {name: data[name] for name in data if name not in {"secret", "notice"}}


@pytest.fixture
def count(url):
    """Counts the rows of a table."""

    def count(table):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    return count


@pytest.fixture
async def webhook(admin):
    """A webhook with an event in its log; its address in the API, and the id of the event."""
    async with a_receiver() as receiver:
        asked = {"url": receiver.url}
        added = await admin.post("/v1/webhooks", json=asked)
        address = f"/v1/webhooks/{added.json()['data']['id']}"
        await admin.post("/v1/incidents", json=FULL)
        (event,) = (await admin.get(f"{address}/log")).json()["data"]["events"]
        yield receiver, address, event["id"]


@pytest.fixture
def operations(ci, declared, reported, webhook, url):
    """Every operation that changes something, each with a request that succeeds."""

    async def operations():
        begun, other, more, opened, acknowledged = [await declared() for _ in range(3)] + [
            await reported() for _ in range(2)
        ]
        posted = await ci.post(
            f"/v1/incidents/{more}/updates", json={"visibility": "public", "body": "x"}
        )
        update = posted.json()["data"]["id"]
        receiver, hook, event = webhook
        # The worker, which this application has not, would have sent it.
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("UPDATE webhook_message SET state = 'delivered'")
            connection.commit()
        tools = {"name": "Tools", "groupLabel": "Shop"}
        made = (await ci.post("/v1/components", json=tools)).json()["data"]["id"]
        groups = (await ci.get("/v1/component-groups")).json()["data"]["groups"]
        group = groups[0]["id"]
        return [
            ("POST", "/v1/incidents", FULL),
            ("PATCH", f"/v1/incidents/{begun}/status", {"status": "identified"}),
            ("PATCH", f"/v1/incidents/{begun}", {"severity": "low", "description": "x"}),
            ("POST", f"/v1/incidents/{other}/updates", {"visibility": "public", "body": "x"}),
            ("POST", f"/v1/incidents/{more}/updates/{update}/redact", None),
            ("POST", f"/v1/incidents/{other}/acknowledge", None),
            ("POST", f"/v1/incidents/{other}/handoff", {"targetUserId": "U0ADA"}),
            ("PUT", f"/v1/incidents/{other}/components", {"componentIds": []}),
            ("POST", "/v1/components", {"name": "web"}),
            ("PATCH", f"/v1/components/{made}", {"shown": True, "position": 2}),
            ("PUT", f"/v1/components/{made}/override", {"status": "under_maintenance"}),
            ("PATCH", f"/v1/component-groups/{group}", {"name": "Store"}),
            ("POST", "/v1/webhooks", {"url": receiver.url}),
            ("PUT", f"{hook}/filter", {"severity": "high"}),
            ("PUT", f"{hook}/switch", {"on": True}),
            ("POST", f"{hook}/rotate", None),
            ("POST", f"{hook}/test", None),
            ("POST", f"{hook}/resend", {"eventId": event}),
            ("POST", "/v1/page/publish", {"title": "Acme status"}),
            ("POST", "/v1/page/unpublish", None),
            ("POST", "/api/incidents", FULL | {"severity": "major"}),
            ("PUT", f"/api/incidents/{opened}/status", {"status": "resolved"}),
            ("POST", f"/api/incidents/{acknowledged}/acknowledge", None),
            ("POST", f"/api/incidents/{opened}/updates", {"message": "x"}),
        ]

    return operations


async def test_a_repeated_change_is_done_once_with_the_same_answer(
    admin, operations, count, client
):
    changing = await operations()
    paths = (await client().get("/openapi.json")).json()["paths"]
    assert len(changing) == sum(
        method not in {"get", "delete"} for path in paths.values() for method in path
    )

    for number, (method, path, body) in enumerate(changing):
        name = {"Idempotency-Key": f"request {number}"}
        first = await admin.request(method, path, json=body, headers=name)
        assert first.is_success, first.text
        before = count("incident_update"), count("outbox"), count("component")

        second = await admin.request(method, path, json=body, headers=name)

        assert (second.status_code, shown(second)) == (first.status_code, shown(first))
        assert (replayed(first), replayed(second)) == (False, True)
        assert (count("incident_update"), count("outbox"), count("component")) == before
        assert second.headers["x-request-id"] != first.headers["x-request-id"]


async def test_a_secret_is_shown_once_and_lies_in_no_kept_answer(admin, webhook, url):
    receiver, hook, _ = webhook
    for number, (path, body) in enumerate(
        [("/v1/webhooks", {"url": receiver.url}), (f"{hook}/rotate", None)]
    ):
        name = {"Idempotency-Key": f"secret {number}"}
        first = (await admin.post(path, json=body, headers=name)).json()["data"]
        again = await admin.post(path, json=body, headers=name)

        repeated = again.json()["data"]
        assert replayed(again)
        assert (first["secret"][:6], first["notice"]) == ("whsec_", None)
        assert repeated["secret"] is None
        assert f"POST /v1/webhooks/{first['id']}/rotate" in repeated["notice"]
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            kept = connection.execute("SELECT body FROM idempotency").fetchall()
        assert "whsec_" not in repr(kept)
        # The way that the notice names leads to one.
        cure = repeated["notice"].split("POST ")[1].split(" ")[0]
        cured = await admin.post(cure, headers={"Idempotency-Key": f"again {number}"})
        assert cured.json()["data"]["secret"] not in {None, first["secret"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/incidents/5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11/acknowledge", {}),
        ("/v1/incidents", {"title": "x"}),
        ("/v1/incidents", FULL | {"componentIds": ["nonsense"]}),
        ("/api/incidents", {"title": "x"}),
    ],
    ids=["not found", "invalid", "refused", "invalid there"],
)
async def test_a_refusal_is_replayed_too(ci, path, body):
    first = await ci.post(path, json=body, headers=ONCE)
    second = await ci.post(path, json=body, headers=ONCE)

    assert 400 <= first.status_code < 500
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert replayed(second)


async def test_a_refused_key_stays_refused_when_the_incident_has_moved_on(ci, declared):
    address = f"/v1/incidents/{await declared()}/status"
    first = await ci.patch(address, json={"status": "monitoring"}, headers=ONCE)
    await ci.patch(address, json={"status": "identified"})

    again = await ci.patch(address, json={"status": "monitoring"}, headers=ONCE)

    assert again.content == first.content
    assert (await ci.patch(address, json={"status": "monitoring"})).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/incidents", FULL | {"severity": "low"}),
        ("/v1/components", FULL),
        ("/api/incidents", FULL),
        ("/v1/incidents?more=1", FULL),
    ],
    ids=["another body", "another address", "another dialect", "another query"],
)
async def test_a_key_belongs_to_one_request(ci, path, body, count):
    await ci.post("/v1/incidents", json=FULL, headers=ONCE)

    answer = await ci.post(path, json=body, headers=ONCE)

    assert code(answer) == (409, "idempotency_conflict")
    assert count("incident") == 1


async def test_each_api_key_has_its_own_idempotency_keys(ci, client, a_key, stranger, count):
    others = [ci, client(a_key(name="other")), stranger]

    answers = [await by.post("/v1/incidents", json=FULL, headers=ONCE) for by in others]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert count("incident") == 3


async def test_an_answer_is_kept_for_24_hours(ci, clock, store, count):
    first = await ci.post("/v1/incidents", json=FULL, headers=ONCE)
    clock.advance(hours=24, seconds=-1)
    assert (await ci.post("/v1/incidents", json=FULL, headers=ONCE)).content == first.content

    clock.advance(seconds=1)

    assert not replayed(await ci.post("/v1/incidents", json=FULL, headers=ONCE))
    assert count("incident") == 2
    clock.advance(hours=24)
    assert await store.write(lambda tx: idempotency.forget(tx, at=clock())) == 1
    assert count("idempotency") == 0


@pytest.mark.parametrize(
    ("name", "taken"), [("x", True), ("x" * 255, True), ("x" * 256, False), ("", False)]
)
async def test_an_idempotency_key_has_1_to_255_characters(ci, name, taken):
    answer = await ci.post("/v1/incidents", json=FULL, headers={"Idempotency-Key": name})

    if taken:
        assert answer.status_code == 201
    else:
        assert answer.json()["errors"] == [
            {
                "field": "Idempotency-Key",
                "message": "Idempotency-Key must have 1 to 255 characters.",
            }
        ]


async def test_a_get_ignores_its_idempotency_key(ci, count):
    for _ in range(2):
        answer = await ci.get("/v1/incidents", headers=ONCE)
        assert not replayed(answer)
    assert count("idempotency") == 0


@pytest.mark.parametrize("instances", [1, 2])
async def test_concurrent_equal_requests_are_done_once(
    client, a_key, opened, serving, count, instances
):
    key = a_key()
    clients = [client(key, of=serving(opened())) for _ in range(instances)]
    for number in range(20):
        name = {"Idempotency-Key": f"burst {number}"}

        async def once(by, name=name):
            while True:
                answer = await by.post("/v1/incidents", json=FULL, headers=name)
                if answer.status_code != 409:
                    return answer
                assert code(answer) == (409, "idempotency_conflict")
                assert answer.headers["retry-after"] == "1"

        answers = await asyncio.gather(*(once(by) for by in clients for _ in range(6 // instances)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum(not replayed(answer) for answer in answers) == 1
        assert count("incident") == number + 1


@pytest.fixture
def request_of(a_key, client, url):
    """A client whose request was claimed by a process that died before the change."""

    async def request_of():
        key = a_key()
        by = client(key)
        await by.post("/v1/incidents", json=FULL | {"title": ""}, headers=ONCE)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("UPDATE idempotency SET status = NULL, body = NULL")
            connection.commit()
        return by

    return request_of


async def test_a_dead_process_loses_its_claim_after_30_seconds(request_of, clock, count):
    by = await request_of()
    body = FULL | {"title": ""}
    running = await by.post("/v1/incidents", json=body, headers=ONCE)
    assert code(running) == (409, "idempotency_conflict")
    assert running.headers["retry-after"] == "1"
    assert code(await by.post("/v1/incidents", json=FULL, headers=ONCE))[0] == 409

    clock.advance(seconds=idempotency.ABANDONED_AFTER.total_seconds())

    assert code(await by.post("/v1/incidents", json=FULL, headers=ONCE))[0] == 409
    taken_over = await by.post("/v1/incidents", json=body, headers=ONCE)
    assert (taken_over.status_code, replayed(taken_over)) == (422, False)
    assert replayed(await by.post("/v1/incidents", json=body, headers=ONCE))


async def test_a_slow_request_that_lost_its_claim_changes_nothing(
    client, a_key, serving, store, clock, count
):
    """The first request waits for Slack until its claim expires; the second one succeeds."""
    from_slack, asked = asyncio.Event(), asyncio.Event()

    async def slow(_workspace, user):
        if not asked.is_set():
            asked.set()
            await from_slack.wait()
        return Person(user, "Ada")

    by = client(a_key(), of=serving(store, member=slow))
    body = FULL | {"ownerId": "U0ADA"}
    first = asyncio.create_task(by.post("/v1/incidents", json=body, headers=ONCE))
    await asked.wait()
    clock.advance(seconds=31)
    second = await by.post("/v1/incidents", json=body, headers=ONCE)

    from_slack.set()

    assert second.status_code == 201
    assert code(await first) == (409, "idempotency_conflict")
    assert count("incident") == 1
    again = await by.post("/v1/incidents", json=body, headers=ONCE)
    assert again.content == second.content


async def test_a_request_that_failed_with_500_can_be_retried_at_once(
    client, a_key, serving, store, count
):
    broken = [True]

    async def fails_once(_workspace, user):
        if broken.pop() if broken else False:
            raise RuntimeError(NOTE)
        return Person(user, "Ada")

    by = client(a_key(), of=serving(store, member=fails_once))
    body = FULL | {"ownerId": "U0ADA"}

    first = await by.post("/v1/incidents", json=body, headers=ONCE)
    second = await by.post("/v1/incidents", json=body, headers=ONCE)

    assert (first.status_code, second.status_code) == (500, 201)
    assert count("incident") == 1


@pytest.mark.parametrize("dialect", ["/v1", "/api"])
async def test_a_withdrawn_text_is_in_no_kept_answer(ci, declared, updates, url, dialect):
    incident = await declared()
    asked = {"/v1": {"visibility": "public", "body": NOTE}, "/api": {"message": NOTE}}[dialect]
    address = f"{dialect}/incidents/{incident}/updates"
    posted = await ci.post(address, json=asked, headers=ONCE)
    update = posted.json()["data"]["id"]

    await ci.post(f"/v1/incidents/{incident}/updates/{update}/redact")

    again = await ci.post(address, json=asked, headers=ONCE)
    assert code(again) == (409, "idempotency_conflict")
    assert NOTE not in again.text
    assert len(await updates(incident)) == 2
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert NOTE not in "\n".join(connection.iterdump())


async def test_a_withdrawn_description_and_its_title_are_in_no_kept_answer(ci, updates, url):
    asked = {"severity": "major", "title": "Checkout is down", "error_message": NOTE}
    posted = await ci.post("/api/incidents", json=asked, headers=ONCE)
    incident = posted.json()["data"]["id"]
    declaration = (await updates(incident))[0]["id"]

    await ci.post(f"/v1/incidents/{incident}/updates/{declaration}/redact")

    again = await ci.post("/api/incidents", json=asked, headers=ONCE)
    assert again.status_code == 409
    assert NOTE not in again.text
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert NOTE not in "\n".join(connection.iterdump())


async def test_a_description_that_is_withdrawn_is_in_no_kept_answer(ci, url):
    def kept():
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            rows = connection.execute("SELECT * FROM idempotency").fetchall()
        return json.dumps(rows, default=str)

    made = await ci.post("/v1/incidents", json=FULL | {"description": NOTE}, headers=ONCE)
    address = f"/v1/incidents/{made.json()['data']['id']}/updates"
    assert NOTE in kept()
    declared = (await ci.get(address)).json()["data"]["updates"][0]["id"]
    assert (await ci.post(f"{address}/{declared}/redact")).is_success

    assert NOTE not in kept()
