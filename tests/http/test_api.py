"""Dialect 2: requests, answers and refusals."""

from __future__ import annotations

import pytest

from bot.http.api_shapes import UpdateRecord
from core.incident import Kind
from tests.builders import an_update

NOTE = "db-3 lost its quorum"
FULL = {"title": "Checkout is down", "severity": "major"}
WORDS = {"critical": "critical", "major": "high", "minor": "medium", "warning": "low"}


def details(answer):
    body = answer.json()
    assert (answer.status_code, body["success"]) == (400, False), answer.text
    assert body["error"]["code"] == "VALIDATION_ERROR"
    return body["error"]["details"]


def data(answer, status=200):
    body = answer.json()
    assert (answer.status_code, body["success"]) == (status, True), answer.text
    return body["data"]


async def put(by, incident, **asked):
    return await by.put(f"/api/incidents/{incident}/status", json=asked)


async def timeline(by, incident):
    return data(await by.get(f"/api/incidents/{incident}/updates"))


# --- reporting -------------------------------------------------------------------------------


async def test_a_reported_incident_has_every_given_fact(ci):
    asked = {
        "title": " Checkout is down ",
        "severity": "major",
        "type": "status_code",
        "error_message": "502 from the gateway",
        "started_at": "2026-03-02T10:40:00.5+02:00",
    }

    incident = data(await ci.post("/api/incidents", json=asked), 201)

    assert incident.pop("id")
    assert incident == {
        "number": 1,
        "title": "Checkout is down",
        "type": "status_code",
        "severity": "major",
        "status": "open",
        "lifecycle": "response",
        "valid_transitions": ["acknowledged", "resolved"],
        "error_message": "502 from the gateway",
        "private": False,
        "assignee_id": None,
        "acknowledged_by": None,
        "started_at": "2026-03-02T08:40:00.500Z",
        "created_at": "2026-03-02T09:00:00.000Z",
        "updated_at": "2026-03-02T09:00:00.000Z",
    }


@pytest.mark.parametrize(("spoken", "canonical"), WORDS.items())
async def test_severities_are_translated_both_ways(ci, spoken, canonical):
    reported = data(await ci.post("/api/incidents", json=FULL | {"severity": spoken}), 201)
    declared = await ci.post("/v1/incidents", json={"title": "x", "severity": canonical})

    seen = await ci.get(f"/v1/incidents/{reported['id']}")
    assert seen.json()["data"]["severity"] == canonical
    assert (
        data(await ci.get(f"/api/incidents/{declared.json()['data']['id']}"))["severity"] == spoken
    )


async def test_the_lifecycle_is_response_unless_the_body_names_one(ci):
    own = data(await ci.post("/api/incidents", json=FULL | {"lifecycle": "statuspage"}), 201)

    assert data(await ci.post("/api/incidents", json=FULL), 201)["lifecycle"] == "response"
    assert (own["lifecycle"], own["status"]) == ("statuspage", "investigating")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"title": "x" * 255}, {}, id="title of 255"),
        pytest.param({"title": "x" * 256}, {"title": "has more than 255 characters"}, id="of 256"),
        pytest.param({"title": ""}, {"title": "must have 1 character or more"}, id="empty title"),
        pytest.param(
            {"severity": "high"},
            {"severity": "must be critical, major, minor or warning"},
            id="the other dialect's severity",
        ),
        pytest.param({"error_message": "x" * 1_000}, {}, id="error message of 1000"),
        pytest.param(
            {"error_message": "x" * 1_001},
            {"error_message": "has more than 1,000 characters"},
            id="error message of 1001",
        ),
        pytest.param(
            {"error_message": "\x07"},
            {"error_message": "holds control characters, which cannot be kept: leave them out"},
            id="control characters",
        ),
        pytest.param({"type": 5}, {"type": "must be a string"}, id="a number for a type"),
        pytest.param(
            {"type": "\u200b"},
            {"type": "is empty: write 1 to 100 characters"},
            id="an invisible type",
        ),
        pytest.param(
            {"started_at": "2026-03-02T09:00:00.001Z"},
            {"started_at": "lies in the future: leave it out, or give an earlier one"},
            id="in the future",
        ),
        pytest.param(
            {"started_at": "0001-01-01T00:00:00+14:00"},
            {"started_at": "lies before 1970: leave it out, or give a later one"},
            id="before 1970",
        ),
        pytest.param(
            {"started_at": "2026-02-30T00:00:00Z"},
            {"started_at": "must be a moment such as 2026-03-02T09:00:00Z"},
            id="no such day",
        ),
        pytest.param(
            {"started_at": "2026-03-02T09:00:00"},
            {"started_at": "must be a moment such as 2026-03-02T09:00:00Z"},
            id="no time zone",
        ),
        pytest.param(
            {"started_at": 1_772_442_000},
            {"started_at": "must be a moment such as 2026-03-02T09:00:00Z"},
            id="a number of seconds",
        ),
        pytest.param(
            {"lifecycle": "none"},
            {"lifecycle": "must be one of statuspage, response"},
            id="an unknown lifecycle",
        ),
        pytest.param(
            {"lifecycle": ""},
            {"lifecycle": "must be one of statuspage, response"},
            id="an empty lifecycle",
        ),
        pytest.param({"note": "x"}, {"note": "is not known: leave it out"}, id="an unknown field"),
        pytest.param(
            {"title": None, "severity": 4},
            {
                "severity": "must be critical, major, minor or warning",
                "title": "must be a string",
            },
            id="two at once",
        ),
    ],
)
async def test_an_invalid_field_is_mapped_to_its_error(ci, asked, expected):
    answer = await ci.post("/api/incidents", json=FULL | asked)

    if expected:
        assert details(answer) == expected
    else:
        data(answer, 201)


# --- moving ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        pytest.param("x" * 500, "x" * 500, id="500"),
        pytest.param(f" {'x' * 500}\n", "x" * 500, id="500, padded"),
        pytest.param("x" * 501, None, id="501"),
        pytest.param("  ", None, id="nothing but white space"),
    ],
)
async def test_a_note_has_at_most_500_characters(ci, reported, note, kept):
    incident = await reported()

    answer = await put(ci, incident, status="resolved", note=note)

    if kept is None:
        assert list(details(answer)) == ["note"]
    else:
        assert data(answer)["incident"]["status"] == "resolved"
        assert (await timeline(ci, incident))[0]["message"] == kept


async def test_recovery_counts_from_the_start_to_the_first_resolution(ci, reported, clock):
    incident = await reported(started_at="2026-03-02T08:30:00Z")
    clock.advance(minutes=1)
    assert data(await put(ci, incident, status="acknowledged"))["recovery_time_seconds"] is None
    clock.advance(minutes=4, seconds=0.9)

    resolved = data(await put(ci, incident, status="resolved"))
    clock.advance(hours=1)
    closed = data(await put(ci, incident, status="closed"))

    assert resolved["recovery_time_seconds"] == 35 * 60
    assert closed["recovery_time_seconds"] == 35 * 60


async def test_a_direct_close_is_the_recovery(ci, reported, clock):
    incident = await reported("acknowledged")
    clock.advance(seconds=90)

    assert data(await put(ci, incident, status="closed"))["recovery_time_seconds"] == 90


async def test_the_owner_changes_only_by_name(ci, reported):
    incident = await reported("resolved")
    assert data(await ci.get(f"/api/incidents/{incident}"))["assignee_id"] is None
    other = await reported()

    named = data(await put(ci, other, status="acknowledged", assignee_id="U0GRACE"))["incident"]
    later = data(await put(ci, other, status="resolved"))["incident"]
    by_key = data(await put(ci, await reported(), status="acknowledged"))["incident"]

    assert (named["assignee_id"], later["assignee_id"]) == ("U0GRACE", "U0GRACE")
    assert by_key["acknowledged_by"].startswith("key:")
    assert by_key["assignee_id"] is None


async def test_an_assignee_must_be_a_member(ci, reported):
    answer = await put(ci, await reported(), status="resolved", assignee_id="U0NOBODY")

    assert list(details(answer)) == ["assignee_id"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [({}, "status"), ({"status": "Closed"}, "status"), ({"status": "closed", "x": 1}, "x")],
)
async def test_field_errors_have_details_without_a_status(ci, reported, asked, field):
    found = details(await put(ci, await reported(), **asked))

    assert list(found) == [field]
    assert "fromStatus" not in found


async def test_an_unknown_status_is_a_refused_transition(ci, reported):
    assert details(await put(ci, await reported(), status="monitoring")) == {
        "fromStatus": "open",
        "toStatus": "monitoring",
        "validTransitions": ["acknowledged", "resolved"],
    }


# --- acknowledging ---------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {}], ids=["no body", "an empty one"])
async def test_an_incident_is_acknowledged_once(ci, reported, body):
    address = f"/api/incidents/{await reported()}/acknowledge"

    first = await (ci.post(address) if body is None else ci.post(address, json=body))
    second = await ci.post(address)

    assert data(first)["status"] == "acknowledged"
    assert details(second) == {
        "fromStatus": "acknowledged",
        "toStatus": "acknowledged",
        "validTransitions": ["resolved", "closed"],
    }


@pytest.mark.parametrize("steps", [["resolved"], ["resolved", "closed"]])
async def test_a_resolved_or_closed_incident_cannot_be_acknowledged(ci, reported, steps):
    answer = await ci.post(f"/api/incidents/{await reported(*steps)}/acknowledge")

    assert details(answer)["fromStatus"] == steps[-1]


# --- updates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "taken"),
    [("x", True), ("x" * 1_000, True), ("x" * 1_001, False), (" ", False), (None, False)],
    ids=["1", "1000", "1001", "white space", "null"],
)
async def test_a_message_has_1_to_1000_characters(ci, reported, message, taken):
    answer = await ci.post(f"/api/incidents/{await reported()}/updates", json={"message": message})

    if taken:
        assert data(answer, 201)["message"] == message
    else:
        assert list(details(answer)) == ["message"]


async def test_a_message_is_an_internal_update_of_the_timeline(ci, reported, updates):
    incident = await reported()

    posted = await ci.post(f"/api/incidents/{incident}/updates", json={"message": f" {NOTE} "})

    comment = data(posted, 201)
    assert (comment["action"], comment["message"]) == ("comment_added", NOTE)
    last = (await updates(incident))[-1]
    assert (last["id"], last["visibility"], last["body"]) == (comment["id"], "internal", NOTE)


async def test_a_closed_incident_takes_no_message(ci, reported):
    incident = await reported("resolved", "closed")

    answer = await ci.post(f"/api/incidents/{incident}/updates", json={"message": NOTE})

    assert answer.json()["error"]["message"] == (
        "Incident is in final state and cannot be modified."
    )
    assert details(answer) == {"fromStatus": "closed", "toStatus": None, "validTransitions": []}


async def test_the_timeline_is_newest_first_and_without_comments(ci, reported, clock):
    incident = await reported()
    address = f"/v1/incidents/{incident}"
    web = (await ci.post("/v1/components", json={"name": "web"})).json()["data"]["id"]
    for method, path, asked in (
        ("POST", f"/api/incidents/{incident}/updates", {"message": NOTE}),
        ("PUT", f"/api/incidents/{incident}/status", {"status": "acknowledged", "note": NOTE}),
        ("POST", f"{address}/updates", {"visibility": "public", "body": "We know."}),
        ("POST", f"{address}/handoff", {"targetUserId": "U0ADA"}),
        ("PUT", f"{address}/components", {"componentIds": [web]}),
        ("PUT", f"/api/incidents/{incident}/status", {"status": "closed"}),
    ):
        clock.advance(minutes=1)
        assert (await ci.request(method, path, json=asked)).is_success

    told = await timeline(ci, incident)

    assert [(u["action"], u["message"], u["old_value"], u["new_value"]) for u in told] == [
        ("closed", None, "acknowledged", "closed"),
        ("components_changed", None, "", "web"),
        ("assigned", None, None, "Ada"),
        ("update_published", "We know.", None, None),
        ("acknowledged", NOTE, "open", "acknowledged"),
        ("created", None, None, "open"),
    ]
    assert told[-1] | {"id": "", "user_id": ""} == {
        "id": "",
        "incident_id": incident,
        "action": "created",
        "user_id": "",
        "user_name": "ci",
        "message": None,
        "old_value": None,
        "new_value": "open",
        "created_at": "2026-03-02T09:00:00.000Z",
    }


async def test_transitions_of_other_lifecycles_are_status_changes(ci, declared):
    incident = await declared("identified")

    assert [update["action"] for update in await timeline(ci, incident)] == [
        "status_changed",
        "created",
    ]


# --- reading ---------------------------------------------------------------------------------


async def test_a_list_has_filters_and_pages_as_in_dialect_1(ci, reported):
    for number in range(5):
        await reported(title=f"Number {number}", severity="minor" if number % 2 else "critical")

    first = data(await ci.get("/api/incidents", params={"severity": "critical", "limit": 2}))
    rest = data(
        await ci.get(
            "/api/incidents",
            params={"severity": "critical", "limit": 2, "cursor": first["next_cursor"]},
        )
    )

    assert [incident["number"] for incident in first["incidents"]] == [5, 3]
    assert [incident["number"] for incident in rest["incidents"]] == [1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("severity=high", "severity"),
        ("limit=0", "limit"),
        ("from=2026-03-03&to=2026-03-02", "query"),
        ("cursor=0000000000000000-1", "cursor"),
        ("page=2", "page"),
    ],
)
async def test_an_invalid_query_is_refused_by_field(ci, asked, field):
    assert list(details(await ci.get(f"/api/incidents?{asked}"))) == [field]


# --- the other answers -----------------------------------------------------------------------


async def test_every_failure_has_the_envelope(ci, client, a_key, reported, serving, store):
    async def fails(_workspace, _user):
        raise RuntimeError(NOTE)

    incident = await reported()
    reader = client(a_key("read"))
    broken = client(a_key(), of=serving(store, member=fails))

    answers = [
        await client().get("/api/incidents"),
        await put(reader, incident, status="resolved"),
        await ci.get("/api/incidents/nonsense"),
        await ci.get("/api/nothing"),
        await ci.delete("/api/incidents"),
        await put(broken, incident, status="resolved", assignee_id="U0ADA"),
    ]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (500, "INTERNAL_ERROR"),
    ]
    for answer in answers:
        assert answer.json().keys() == {"success", "error"}
        assert answer.json()["error"].keys() == {"code", "message", "details"}
        assert answer.headers["x-request-id"]


def test_a_change_of_severity_has_the_words_of_the_dialect():
    changed = an_update(kind=Kind.SEVERITY, body=None, old="high", new="low")

    shown = UpdateRecord.of(changed)

    assert (shown.action, shown.old_value, shown.new_value) == (
        "severity_changed",
        "major",
        "warning",
    )
