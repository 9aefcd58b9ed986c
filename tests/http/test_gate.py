"""The checks of every request in both dialects: keys, order, bodies, rate, log lines."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from bot.http import problems
from bot.http.gate import KEYS_BEFORE_SWEEP, RateLimit
from bot.http.problems import problem_of
from bot.slack.people import SlackUnavailable
from core import errors
from core import refusals as rules
from core.errors import UserError
from core.refusals import Refused
from core.store import StoreUnavailable
from storage import keys
from tests.builders import WORKSPACE
from tests.tables import contents

NOWHERE = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"
DIALECTS = ["/v1", "/api"]
FULL = {"/v1": {"title": "Checkout is down", "severity": "high"}}
FULL["/api"] = FULL["/v1"] | {"severity": "major"}

# Every operation with an incident in its path, and a valid body for it.
ON_INCIDENT = [
    ("GET", "/v1/incidents/{}", None),
    ("PATCH", "/v1/incidents/{}", {"description": "Since the deploy."}),
    ("PATCH", "/v1/incidents/{}/status", {"status": "identified"}),
    ("POST", "/v1/incidents/{}/updates", {"visibility": "internal", "body": "x"}),
    ("GET", "/v1/incidents/{}/updates", None),
    ("POST", f"/v1/incidents/{{}}/updates/{NOWHERE}/redact", None),
    ("POST", "/v1/incidents/{}/acknowledge", None),
    ("POST", "/v1/incidents/{}/handoff", {"targetUserId": "U0ADA"}),
    ("PUT", "/v1/incidents/{}/components", {"componentIds": []}),
    ("GET", "/v1/incidents/{}/report.md", None),
    ("GET", "/api/incidents/{}", None),
    ("PUT", "/api/incidents/{}/status", {"status": "identified"}),
    ("POST", "/api/incidents/{}/acknowledge", None),
    ("POST", "/api/incidents/{}/updates", {"message": "x"}),
    ("GET", "/api/incidents/{}/updates", None),
]
ELSEWHERE = [
    ("GET", "/v1/incidents", None),
    ("POST", "/v1/incidents", FULL["/v1"]),
    ("GET", "/v1/stats", None),
    ("GET", "/v1/components", None),
    ("POST", "/v1/components", {"name": "web"}),
    ("GET", f"/v1/components/{NOWHERE}", None),
    ("PATCH", f"/v1/components/{NOWHERE}", {"shown": True}),
    ("PUT", f"/v1/components/{NOWHERE}/override", {"status": None}),
    ("GET", "/v1/component-groups", None),
    ("PATCH", f"/v1/component-groups/{NOWHERE}", {"position": 1}),
    ("GET", "/v1/webhooks", None),
    ("POST", "/v1/webhooks", {"url": "https://hooks.example/"}),
    ("GET", f"/v1/webhooks/{NOWHERE}", None),
    ("DELETE", f"/v1/webhooks/{NOWHERE}", None),
    ("PUT", f"/v1/webhooks/{NOWHERE}/filter", {}),
    ("PUT", f"/v1/webhooks/{NOWHERE}/switch", {"on": True}),
    ("POST", f"/v1/webhooks/{NOWHERE}/rotate", {}),
    ("POST", f"/v1/webhooks/{NOWHERE}/test", {}),
    ("GET", f"/v1/webhooks/{NOWHERE}/log", None),
    ("POST", f"/v1/webhooks/{NOWHERE}/resend", {"eventId": NOWHERE}),
    ("GET", "/v1/page", None),
    ("POST", "/v1/page/publish", {}),
    ("POST", "/v1/page/unpublish", {}),
    ("GET", "/api/incidents", None),
    ("POST", "/api/incidents", FULL["/api"]),
]


def code(answer):
    body = answer.json()
    return answer.status_code, (body["code"] if "code" in body else body["error"]["code"]).lower()


async def ask(by, operation, incident="", **more):
    method, path, body = operation
    return await by.request(method, path.format(incident), json=body, **more)


def named(operations):
    return [pytest.param(one, id=f"{one[0]} {one[1]}") for one in operations]


@pytest.mark.parametrize("operation", named([*ON_INCIDENT, *ELSEWHERE]))
async def test_a_key_of_a_workspace_that_is_not_served_opens_nothing(operation, client, a_key):
    answer = await ask(client(a_key("admin", workspace="T0NOTOURS")), operation, NOWHERE)

    assert code(answer) == code(await ask(client("rk_live_" + "0" * 40), operation, NOWHERE))
    assert answer.status_code == 401


async def test_while_nobody_knows_which_workspace_is_served_a_key_is_asked_to_wait(
    serving, store, client, a_key
):
    async def nobody_knows(workspace):
        raise SlackUnavailable

    answer = await client(a_key(), of=serving(store, serves=nobody_knows)).get("/v1/incidents")

    assert code(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"


async def test_every_operation_is_in_these_tables(client):
    paths = (await client().get("/openapi.json")).json()["paths"]

    names = {
        "updates": "{updateId}",
        "components": "{componentId}",
        "component-groups": "{groupId}",
        "webhooks": "{webhookId}",
    }
    told = {
        (
            method,
            re.sub(
                f"([a-z-]+)/{NOWHERE}", lambda at: f"{at[1]}/{names[at[1]]}", path.format("{id}")
            ),
        )
        for method, path, _ in ON_INCIDENT + ELSEWHERE
    }
    assert told == {(method.upper(), path) for path in paths for method in paths[path]}


# --- keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", named(ON_INCIDENT + ELSEWHERE))
async def test_every_operation_needs_a_key(client, operation):
    answer = await ask(client(), operation, NOWHERE)

    assert answer.status_code == 401


FORGED = {
    "none": {},
    "empty": {"Authorization": "Bearer "},
    "another scheme": {"Authorization": "Basic eDp5"},
    "of nobody": {"Authorization": "Bearer rk_live_" + "0" * 40},
    "of nobody, beside": {"X-API-Key": "rk_live_" + "0" * 40},
    "no key at all": {"Authorization": "Bearer \u00e9".encode()},
    "enormous": {"Authorization": "Bearer " + "x" * 60_000},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
async def test_a_request_without_a_key_leaves_only_a_count(
    client, declared, store, metrics, dialect, headers
):
    incident = await declared()
    before = contents(store)
    asked = {**headers, "Idempotency-Key": "one"}
    with structlog.testing.capture_logs() as lines:
        for method, path in (
            ("GET", "incidents"),
            ("POST", "incidents"),
            ("GET", f"incidents/{incident}"),
        ):
            answer = await client().request(
                method, f"{dialect}/{path}", headers=asked, content=b"{" * 100_000
            )
            assert (answer.status_code, incident in answer.text) == (401, False)

    assert lines == []
    assert contents(store) == before
    labels = {"door": dialect[1:], "verb": "unverified", "outcome": "refused"}
    assert metrics.registry.get_sample_value("ratchet_requests_total", labels) == 3


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_all_wrong_keys_get_the_same_answer(client, a_key, dialect):
    key = a_key()
    wrong = [key[:-1] + "f" * (key[-1] != "f") + "0" * (key[-1] == "f"), key[:-1], key + "0"]

    answers = [await client(each).get(f"{dialect}/incidents") for each in wrong]

    assert {answer.status_code for answer in answers} == {401}
    assert len({json.dumps(without_id(answer.json())) for answer in answers}) == 1


async def test_unknown_addresses_and_methods_leave_no_log_line(client):
    with structlog.testing.capture_logs() as lines:
        assert (await client().get("/v1/nowhere")).status_code == 404
        assert (await client().put("/api/incidents")).status_code == 405

    assert lines == []


def without_id(body):
    """The body of an answer without the id of its request."""
    return {name: value for name, value in body.items() if "request" not in name.lower()}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "header",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer {key}"},
        lambda key: {"X-API-Key": key},
        lambda key: {"X-API-Key": key, "Authorization": "Basic eDp5"},
    ],
    ids=["Bearer", "in lower case", "X-API-Key", "beside a proxy's own"],
)
async def test_both_headers_work_in_both_dialects(client, a_key, dialect, header):
    answer = await client().get(f"{dialect}/incidents", headers=header(a_key()))

    assert answer.status_code == 200


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_revoked_key_is_refused_at_once(client, a_key, store, clock, dialect):
    key = a_key()
    by = client(key)
    assert (await by.get(f"{dialect}/incidents")).status_code == 200

    await store.write(lambda tx: keys.revoke(tx, key.removeprefix("rk_live_")[:8], at=clock()))

    assert (await by.get(f"{dialect}/incidents")).status_code == 401


@pytest.mark.parametrize(
    ("scope", "writes", "publishes", "redacts"),
    [
        ("read", 403, 403, 403),
        ("write", 201, 403, 403),
        ("publish", 201, 201, 403),
        ("admin", 201, 201, 200),
    ],
)
async def test_each_scope_includes_those_before_it(
    ci, client, a_key, declared, scope, writes, publishes, redacts
):
    incident = await declared()
    address = f"/v1/incidents/{incident}/updates"
    posted = await ci.post(address, json={"visibility": "internal", "body": "theirs"})
    by = client(a_key(scope, name=scope))

    wrote = await by.post(address, json={"visibility": "internal", "body": "x"})
    published = await by.post(address, json={"visibility": "public", "body": "x"})
    redacted = await by.post(f"{address}/{posted.json()['data']['id']}/redact")

    assert (await by.get(address)).json()["data"]["updates"][1]["body"] in {"theirs", None}
    assert (wrote.status_code, published.status_code) == (writes, publishes)
    assert redacted.status_code == redacts


@pytest.mark.parametrize(
    "operation",
    named([one for one in ON_INCIDENT + ELSEWHERE if one[0] != "GET" and NOWHERE not in one[1]]),
)
async def test_a_key_that_may_only_read_changes_nothing(
    client, a_key, declared, updates, operation
):
    incident = await declared(
        lifecycle="response" if "acknowledge" in operation[1] else "statuspage"
    )
    before = await updates(incident)

    answer = await ask(client(a_key("read")), operation, incident)

    assert code(answer) == (403, "insufficient_scope" if "/v1" in operation[1] else "forbidden")
    assert await updates(incident) == before


async def test_the_actor_in_the_timeline_is_the_name_of_the_key(client, a_key, declared, updates):
    by = client(a_key(name="deploy pipeline"))
    incident = await declared(by=by)

    posted_by = (await updates(incident))[0]["postedBy"]

    assert posted_by["name"] == "deploy pipeline"
    assert posted_by["id"].startswith("key:")


# --- two workspaces --------------------------------------------------------------------------


def unsigned(answer):
    """The answer without the id of its request."""
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], "")


@pytest.mark.parametrize("operation", named(ON_INCIDENT))
async def test_foreign_unknown_and_malformed_ids_get_the_same_answer(
    ci, stranger, declared, updates, operation
):
    theirs = await declared(by=stranger)
    before = await updates(theirs, by=stranger)

    answers = [
        await ask(ci, operation, incident)
        for incident in (theirs, NOWHERE, NOWHERE.upper(), "1", "INC-1", "nonsense", "%F0%9F%94%A5")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({unsigned(answer) for answer in answers}) == 1
    assert await updates(theirs, by=stranger) == before


@pytest.mark.parametrize("operation", named(ON_INCIDENT))
async def test_an_id_is_checked_before_body_and_scope(client, a_key, operation):
    method, path, _ = operation
    by = client(a_key("read"))

    answer = await by.request(method, path.format(NOWHERE), content=b"no JSON")

    assert answer.status_code == 404


async def test_each_workspace_has_its_own_lists_and_numbers(ci, stranger, declared):
    await declared()
    theirs = await declared(by=stranger, title="Elsewhere")
    await stranger.post("/v1/components", json={"name": "web"})

    (incident,) = (await stranger.get("/v1/incidents")).json()["data"]["incidents"]
    assert (incident["id"], incident["number"], incident["orgId"]) == (theirs, 1, "T0ELSEWHERE")
    assert "Elsewhere" not in (await ci.get("/v1/incidents")).text
    assert "Elsewhere" not in (await ci.get("/api/incidents")).text
    assert (await ci.get("/v1/components")).json()["data"]["components"] == []
    assert (await ci.post("/v1/components", json={"name": "web"})).status_code == 201


async def test_keys_of_the_workspace_see_its_private_incidents(client, a_key, stranger, declared):
    incident = await declared(private=True)

    assert (await client(a_key("read")).get(f"/v1/incidents/{incident}")).status_code == 200
    assert (await stranger.get(f"/v1/incidents/{incident}")).status_code == 404


# --- the order of refusals -------------------------------------------------------------------


async def test_refusals_come_in_their_order(client, a_key, opened, serving, declared):
    app = serving(opened(None))  # No status channel: public updates have no reader.
    reader, writer = client(a_key("read"), of=app), client(a_key("write"), of=app)
    resolved = await declared("identified", "monitoring", "resolved")
    begun = await declared()

    async def posted(by, incident, **asked):
        answer = await by.post(f"/v1/incidents/{incident}/updates", json=asked)
        return answer.status_code if answer.is_success else code(answer)

    skip = {"visibility": "public", "body": "x", "statusChange": "resolved"}
    step = skip | {"statusChange": "identified"}
    assert await posted(client(of=app), NOWHERE, x=1) == (401, "not_authorized")
    assert await posted(reader, NOWHERE, x=1) == (404, "not_found")
    assert await posted(reader, resolved, x=1) == (422, "validation_failed")
    assert await posted(reader, resolved, **skip) == (400, "incident_resolved")
    assert await posted(reader, begun, **skip) == (400, "invalid_status_transition")
    assert await posted(reader, begun, **step) == (400, "no_public_surface")
    assert await posted(reader, begun, visibility="internal", body="x") == (
        403,
        "insufficient_scope",
    )
    assert await posted(writer, begun, visibility="internal", body="x") == 201


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"NaN",
        b'{"title": NaN}',
        b'{"title": "\xff"}',
        b"\xef\xbb\xbf{}",
        '{"title": "x"}'.encode("utf-16"),
        b"[" * 60_000,
        b'{"title": ' + b"9" * 10_000 + b"}",
        json.dumps({"title": "\ud800", "severity": "high"}).encode(),
        json.dumps({"\ud800": 1}).encode(),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_a_body_that_is_no_json_object_is_invalid(ci, dialect, body):
    answer = await ci.post(
        f"{dialect}/incidents", content=body, headers={"Content-Type": "application/json"}
    )

    expected = (422, "validation_failed") if dialect == "/v1" else (400, "validation_error")
    assert code(answer) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
async def test_a_body_without_a_json_content_type_is_refused(ci, dialect, kind):
    answer = await ci.post(
        f"{dialect}/incidents", content=json.dumps(FULL[dialect]), headers={"Content-Type": kind}
    )

    assert code(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json; charset=utf-8"])
async def test_several_content_types_are_json(ci, kind):
    answer = await ci.post(
        "/v1/incidents", content=json.dumps(FULL["/v1"]), headers={"Content-Type": kind}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("in_parts", [False, True])
async def test_a_body_has_at_most_64_kib(ci, dialect, in_parts):
    async def parts(body):
        for start in range(0, len(body), 1_000):
            yield body[start : start + 1_000]

    async def post(size):
        body = json.dumps(FULL[dialect]).encode().ljust(size)
        content = parts(body) if in_parts else body
        return await ci.post(
            f"{dialect}/incidents", content=content, headers={"Content-Type": "application/json"}
        )

    assert (await post(65_536)).status_code == 201
    assert code(await post(65_537)) == (413, "body_too_large")


async def test_an_optional_body_may_have_no_fields(ci, declared):
    address = f"/v1/incidents/{await declared()}/acknowledge"

    answer = await ci.post(address, json={"force": True})

    assert code(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == "force"


# --- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", ["/", "/nothing", "/incidents/", "/incidents/x/y/z"])
async def test_an_unknown_address_is_answered_in_its_dialect(ci, dialect, path):
    answer = await ci.get(f"{dialect}{path}")

    assert code(answer) == (404, "not_found")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/incidents", "GET, POST"),
        ("POST", f"/v1/incidents/{NOWHERE}/status", "PATCH"),
        ("TRACE", f"/api/incidents/{NOWHERE}/updates", "GET, POST"),
        ("HEAD", "/v1/components", "GET, POST"),
    ],
)
async def test_a_refused_method_lists_the_allowed_ones(ci, method, path, allowed):
    answer = await ci.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


# --- rate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_key_is_limited_with_bursts_of_twice_the_rate(
    client, a_key, serving, store, clock, dialect
):
    app = serving(store, rate=5)
    by, other = client(a_key(), of=app), client(a_key(name="other"), of=app)

    async def burst():
        return [(await by.get(f"{dialect}/incidents")).status_code for _ in range(12)]

    assert await burst() == [200] * 10 + [429] * 2
    assert (await other.get(f"{dialect}/incidents")).status_code == 200
    clock.advance(seconds=0.2)
    assert await burst() == [200] + [429] * 11
    clock.advance(seconds=-3_600)
    assert await burst() == [429] * 12
    clock.advance(hours=10)
    assert await burst() == [200] * 10 + [429] * 2


def test_a_limit_forgets_those_who_ask_no_more(clock):
    limit = RateLimit(1, clock=clock)
    for reader in range(3 * KEYS_BEFORE_SWEEP):
        clock.advance(seconds=0.01)
        limit.take(f"reader {reader}")
    assert not limit.take("greedy")
    assert not limit.take("greedy")
    for reader in range(KEYS_BEFORE_SWEEP):
        limit.take(f"another {reader}")

    assert limit.take("greedy")
    clock.advance(minutes=1)
    for reader in range(2 * KEYS_BEFORE_SWEEP):
        limit.take(f"a third {reader}")
    assert len(limit) < 3 * KEYS_BEFORE_SWEEP


async def test_a_limited_request_gets_retry_after(client, a_key, serving, store):
    by = client(a_key(), of=serving(store, rate=1))
    for _ in range(2):
        await by.get("/v1/incidents")

    answer = await by.get("/v1/incidents")

    assert code(answer) == (429, "rate_limited")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-request-id"] == answer.json()["requestId"]


async def test_a_rate_of_0_is_no_limit(ci):
    answers = await asyncio.gather(*(ci.get("/v1/incidents") for _ in range(150)))

    assert {answer.status_code for answer in answers} == {200}


# --- log lines and metrics -------------------------------------------------------------------


@pytest.mark.parametrize("operation", named(ON_INCIDENT + ELSEWHERE))
async def test_each_request_has_an_id_in_its_answer_and_in_its_one_log_line(
    ci, declared, operation
):
    incident = await declared()
    with structlog.testing.capture_logs() as lines:
        answer = await ask(ci, operation, incident)

    (line,) = lines
    assert UUID(answer.headers["x-request-id"]) == line["request_id"]
    assert (line["event"], line["workspace"]) == ("request", WORKSPACE)
    assert line["status"] == answer.status_code
    assert incident not in line["verb"]
    assert answer.headers["cache-control"] == "no-store"


async def test_requests_are_counted_by_operation_and_outcome(ci, declared, metrics):
    await declared("identified")
    await ci.get(f"/v1/incidents/{NOWHERE}")

    def count(verb, outcome):
        labels = {"door": "v1", "verb": verb, "outcome": outcome}
        return metrics.registry.get_sample_value("ratchet_requests_total", labels)

    assert count("POST /v1/incidents", "done") == 1
    assert count("PATCH /v1/incidents/{id}/status", "done") == 1
    assert count("GET /v1/incidents/{id}", "refused") == 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_failing_database_is_a_503_with_retry_after(client, a_key, store, dialect):
    by = client(a_key())
    await asyncio.to_thread(store.close)

    answer = await by.get(f"{dialect}/incidents")

    assert code(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_no_handoff_happens_while_slack_does_not_answer(
    client, a_key, serving, store, declared, updates
):
    async def silent(_workspace, _user):
        raise SlackUnavailable

    incident = await declared()
    by = client(a_key(), of=serving(store, member=silent))

    answer = await by.post(f"/v1/incidents/{incident}/handoff", json={"targetUserId": "U0ADA"})

    assert code(answer) == (503, "unavailable")
    assert len(await updates(incident)) == 1


# --- the table of refusals -------------------------------------------------------------------

# Refusals of commands that only Slack has.
NEVER_OVER_HTTP = {
    "AlreadyPublic",
    "ChannelArchived",
    "InvalidDuplicate",
    "NoChannels",
    "NotOver",
    "NoSuchSection",
    "NoSuchText",
    "NotAsked",
    "NotImported",
    "NotPrivate",
    "FactChanged",
    "SectionChanged",
    "SettingsChanged",
    "NothingToPromise",
    "NothingToRelease",
    "PromiseOver",
    "SeveralNextSteps",
    "StaleStatus",
    "TitleChanged",
    "TooSoon",
    "UnknownComponent",
    "WhichIncident",
}


def refusals(root: type[UserError] = UserError) -> Iterator[type[UserError]]:
    for error in root.__subclasses__():
        if error.__module__ in {errors.__name__, rules.__name__}:
            yield error
            yield from refusals(error)


@pytest.mark.parametrize("error", sorted(refusals(), key=str))
def test_every_refusal_of_core_has_a_code(error):
    foreseen = hasattr(problems, error.__name__) or issubclass(error, Refused)

    assert foreseen != (error.__name__ in NEVER_OVER_HTTP)


def test_a_failing_database_is_no_client_error():
    assert problem_of(StoreUnavailable("gone")).status == 503


# --- names that an object has twice ------------------------------------------------------------

REPEATED = [
    ('{"title": "a", "severity": "low", "title": "b"}', "title"),
    ('{"title": "a", "severity": "low", "private": true, "private": false}', "private"),
    (r'{"title": "a", "severity": "low", "t\u0069tle": "b"}', "title"),
    ('{"title": "a", "severity": "low", "componentIds": [{"x": 1, "x": 1}]}', "x"),
    ('{"title": "a", "severity": "low", "more": {"deep": {"y": [[{"z": 1, "z": 2}]]}}}', "z"),
    ('{"title": "a", "severity": "low", "": 1, "": 2}', ""),
    ('{"title": {"a": 1, "a": 2}, "severity": "low", "title": "b"}', "a"),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("body", "name"), REPEATED)
async def test_a_name_that_an_object_has_twice_is_refused_at_any_depth(ci, dialect, body, name):
    answer = await ci.post(
        f"{dialect}/incidents", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == (422 if dialect == "/v1" else 400)
    assert f"{name} is there more than once" in answer.text
    assert (await ci.get("/v1/incidents")).json()["data"]["incidents"] == []


async def test_an_update_with_two_visibilities_is_not_published(ci, declared, updates):
    incident = await declared()

    answer = await ci.post(
        f"/v1/incidents/{incident}/updates",
        content='{"visibility": "internal", "body": "db-3", "visibility": "public"}',
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert len(await updates(incident)) == 1


async def test_equal_names_in_different_objects_are_no_repetition(ci):
    body = '{"title": "a", "severity": "low", "componentIds": [{"x": 1}, {"x": 1}]}'

    answer = await ci.post(
        "/v1/incidents", content=body, headers={"Content-Type": "application/json"}
    )

    assert "more than once" not in answer.text


async def test_a_body_full_of_names_is_read_in_one_pass(ci):
    names = ", ".join(f'"{number:x}": 1' for number in range(5_000))

    answer = await ci.post(
        "/v1/incidents",
        content=f'{{{names}, "0": 1}}',
        headers={"Content-Type": "application/json"},
    )

    assert "0 is there more than once" in answer.text
