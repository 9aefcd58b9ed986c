"""Each sentence of the published page that dialect 1 follows, quoted, and held to be true."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from uuid import UUID

import pytest

from storage import public
from tests.builders import NINE, WORKSPACE

STATUSES = ("investigating", "identified", "monitoring", "resolved")
NEXT = dict(itertools.pairwise(STATUSES))
NOTE = "db-3 lost its quorum"


def way_to(status):
    return STATUSES[1 : STATUSES.index(status) + 1]


async def moved(by, incident, **asked):
    return await by.patch(f"/v1/incidents/{incident}/status", json=asked)


async def standing(by, incident):
    return (await by.get(f"/v1/incidents/{incident}")).json()["data"]


def kind(value):
    """What a value is, as one who reads an example would say."""
    match value:
        case dict():
            return {name: kind(part) for name, part in value.items()}
        case list():
            return [kind(value[0])]
    for name, shape in {
        "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "moment": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z",
    }.items():
        if re.fullmatch(shape, str(value)):
            return name
    return type(value).__name__


PUBLISHED = {
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "orgId": "org_01HX4K9MNPQRST",
    "title": "Payment service elevated error rate",
    "severity": "critical",
    "status": "identified",
    "affectedComponents": [{"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "name": "Payments API"}],
    "createdAt": "2025-04-07T08:23:11.000Z",
    "updatedAt": "2025-04-07T09:15:44.000Z",
}


async def test_the_status_is_patched_at_the_published_address(client, app):
    """Lines 2-10: "PATCH /v1/incidents/{id}/status"."""
    described = (await client().get("/openapi.json")).json()

    assert "patch" in described["paths"]["/v1/incidents/{id}/status"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_the_published_call_works_as_it_stands(client, a_key, declared, content_type):
    """Lines 11-17 and 88-94:
    "curl --request PATCH --url https://api.scaling.cloud/v1/incidents/YOUR_INCIDENT_ID/status
    --header Authorization: Bearer YOUR_API_KEY --header Content-Type: application/json
    --data {"status": "identified"}".
    """
    answer = await client().request(
        "PATCH",
        f"/v1/incidents/{await declared()}/status",
        headers={"Authorization": f"Bearer {a_key()}", "Content-Type": content_type},
        content='{\n    "status": "identified"\n  }',
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


async def test_the_answer_has_the_published_fields_in_the_published_form(ci, declared):
    """Lines 18-31 and 95-108: "{"data": {"id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", …}}".

    Our answers hold more beside; what is published keeps its name, its place and its form.
    """
    made = await ci.post("/v1/components", json={"name": "Payments API"})
    incident = await declared(
        title=PUBLISHED["title"],
        severity="critical",
        componentIds=[made.json()["data"]["id"]],
    )

    answer = (await moved(ci, incident, status="identified")).json()

    data = {name: answer["data"][name] for name in PUBLISHED}
    assert list(answer) == ["data"]
    assert kind(data) == kind(PUBLISHED)
    told = ("title", "severity", "status")
    assert [data[name] for name in told] == [PUBLISHED[name] for name in told]
    assert data["affectedComponents"][0]["name"] == "Payments API"
    assert data["orgId"] == "T0RATCHET"


async def test_the_index_of_the_documentation_is_served_here(client):
    """Lines 1 and 33-37: "Skip to main content"; "Documentation Index"; "Fetch the complete
    documentation index at: https://docs.scaling.cloud/llms.txt"; "Use this file to discover all
    available pages before exploring further."

    Another site's index is not ours to serve: our operations are listed here.
    """
    described = (await client().get("/openapi.json")).json()

    assert "/v1/incidents/{id}/status" in described["paths"]


async def test_an_incident_advances_through_its_lifecycle(ci, declared):
    """Line 39: "Advances an incident through its fixed lifecycle."

    Lines 45 and 47: "Status lifecycle"; "investigating → identified → monitoring → resolved".
    """
    incident = await declared()
    assert (await standing(ci, incident))["status"] == STATUSES[0]

    for status in STATUSES[1:]:
        assert (await moved(ci, incident, status=status)).json()["data"]["status"] == status


@pytest.mark.parametrize("status", STATUSES)
async def test_each_call_moves_exactly_one_step(ci, declared, status):
    """Line 39: "Each call moves the incident exactly one step forward."

    Lines 48-52: "Current status", "Valid next status"; "investigating identified";
    "identified monitoring"; "monitoring resolved"; "resolved — (terminal state)".
    """
    incident = await declared(*way_to(status))
    before = (await standing(ci, incident))["statusHistory"]

    answers = {
        to: await moved(ci, incident, status=to) for to in STATUSES if to != NEXT.get(status)
    }
    assert {answer.status_code for answer in answers.values()} == {400}
    assert (await standing(ci, incident))["validNext"] == ([NEXT[status]] if status in NEXT else [])
    if status in NEXT:
        assert (await moved(ci, incident, status=NEXT[status])).status_code == 200
        assert len((await standing(ci, incident))["statusHistory"]) == len(before) + 1


@pytest.mark.parametrize(
    ("status", "to", "code"),
    [
        pytest.param("investigating", "resolved", "invalid_status_transition", id="skips"),
        pytest.param("monitoring", "identified", "invalid_status_transition", id="goes backwards"),
        pytest.param("resolved", "investigating", "incident_resolved", id="re-opens"),
    ],
)
async def test_nothing_skips_goes_back_or_reopens(ci, declared, updates, status, to, code):
    """Line 39: "You cannot skip steps, go backwards, or re-open a resolved incident."

    Line 53: "Status transitions are one-way and must follow the exact sequence above."
    """
    incident = await declared(*way_to(status))
    before = await updates(incident)

    answer = await moved(ci, incident, status=to)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await updates(incident) == before


async def test_both_ways_to_move_an_incident_are_there(ci, declared):
    """Line 40: "This endpoint coexists with Post Incident Update." "They are not redundant:"."""
    incident = await declared()

    patched = await moved(ci, incident, status="identified")
    posted = await ci.post(
        f"/v1/incidents/{incident}/updates",
        json={"visibility": "public", "body": "A fix is out.", "statusChange": "monitoring"},
    )

    assert (patched.status_code, posted.status_code) == (200, 201)
    assert patched.json()["data"].keys() != posted.json()["data"].keys()


async def test_a_status_alone_moves_it_with_or_without_a_note_for_staff(ci, declared, updates):
    """Line 41: "Use PATCH /status for a simple, status-only transition with an optional staff-only
    resolutionNote."
    """
    incident = await declared()

    await moved(ci, incident, status="identified")
    await moved(ci, incident, status="monitoring", resolutionNote=NOTE)

    assert [(u["statusChange"], u["body"], u["visibility"]) for u in await updates(incident)] == [
        ("investigating", None, "internal"),
        ("identified", None, "internal"),
        ("monitoring", NOTE, "internal"),
    ]


async def test_the_note_never_reaches_the_public(ci, store, declared):
    """Line 41: "The note never reaches your public status page."."""
    incident = await declared()
    await moved(ci, incident, status="identified", resolutionNote=NOTE)

    shown = store.read_now(
        lambda reader: public.incident(reader, WORKSPACE, UUID(incident), at=NINE)
    )

    assert shown.status == "identified"
    assert NOTE not in repr(shown)


async def test_one_write_moves_it_and_publishes(ci, store, declared):
    """Line 42: "Use POST /updates when you want the same write to publish a customer-visible
    message on your status page (visibility: 'public', statusChange: <next>, body: <what customers
    should read>)".
    """
    incident = await declared()

    posted = await ci.post(
        f"/v1/incidents/{incident}/updates",
        json={"visibility": "public", "statusChange": "identified", "body": "A disk is full."},
    )

    shown = store.read_now(
        lambda reader: public.incident(reader, WORKSPACE, UUID(incident), at=NINE)
    )
    assert posted.status_code == 201
    assert (shown.status, shown.updates[0].body) == ("identified", "A disk is full.")
    assert shown.updates[0].status == "identified"


async def test_a_free_text_note_changes_no_status(ci, declared, updates):
    """Line 42: "or when you want to post a free-text note without changing status"."""
    incident = await declared()

    await ci.post(
        f"/v1/incidents/{incident}/updates", json={"visibility": "internal", "body": NOTE}
    )

    last = (await updates(incident))[-1]
    assert (last["body"], last["statusChange"]) == (NOTE, None)
    assert (await standing(ci, incident))["status"] == "investigating"


@pytest.mark.parametrize("note", [None, NOTE], ids=["bare", "with a note"])
async def test_a_patch_leaves_the_rows_of_an_internal_update(ci, declared, rows, note):
    """Line 43: "Internally, PATCH /status is now a thin alias that posts an internal update via the
    same engine path."
    """
    patched, posted = await declared(), await declared()

    await moved(ci, patched, status="identified", **({"resolutionNote": note} if note else {}))
    await ci.post(
        f"/v1/incidents/{posted}/updates",
        json={"visibility": "internal", "statusChange": "identified"}
        | ({"body": note} if note else {}),
    )

    assert rows(patched) == rows(posted)
    assert len(rows(patched)["incident_update"]) == 2


async def test_any_other_status_is_an_invalid_transition(ci, declared):
    """Line 53: "Attempting to transition to any status other than the immediate next step —
    including skipping ahead, going backwards, or updating a resolved incident — will return a 400
    error with code invalid_status_transition."

    Of a resolved incident line 83 says otherwise: there it is incident_resolved.
    """
    incident = await declared("identified")

    for to in ("resolved", "investigating", "identified", "closed"):
        answer = await moved(ci, incident, status=to)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_status_transition")
        assert answer.json()["validNext"] == ["monitoring"]
    ended = await moved(ci, await declared(*STATUSES[1:]), status="resolved")
    assert ended.json()["code"] == "incident_resolved"


async def test_the_incident_is_named_by_its_uuid(ci, declared):
    """Lines 55-60: "Path parameters"; "id", "string", "required";
    "The UUID of the incident to update."
    """
    incident = await declared()

    assert (await moved(ci, UUID(incident), status="identified")).status_code == 200
    assert (await moved(ci, incident.upper(), status="monitoring")).status_code == 200
    assert (await moved(ci, 1, status="resolved")).status_code == 404


async def test_a_status_is_required(ci, declared):
    """Lines 62-66: "Request body"; "status", "string", "required"."""
    answer = await moved(ci, await declared(), resolutionNote=NOTE)

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "status", "message": "status is missing."}],
    )


async def test_the_status_must_be_the_next_one_of_the_lifecycle(ci, declared):
    """Line 67: "The status to transition to." "Must be the next valid status in the lifecycle
    sequence." "One of investigating, identified, monitoring, or resolved."

    A lifecycle of its own gives an incident statuses of its own.
    """
    answer = await moved(ci, await declared(), status="monitoring")
    other = await declared(lifecycle="response")

    assert answer.json()["to"] == "monitoring"
    assert (await moved(ci, other, status="acknowledged")).status_code == 200
    assert (await moved(ci, other, status="identified")).status_code == 400


async def test_a_note_is_recorded_beside_the_transition(ci, declared):
    """Lines 68-70: "resolutionNote", "string"; "Optional note to record alongside this transition."
    "Commonly used when transitioning to resolved to summarize the root cause and fix."
    """
    incident = await declared("identified", "monitoring")

    await moved(ci, incident, status="resolved", resolutionNote=NOTE)

    history = (await standing(ci, incident))["statusHistory"]
    assert [entry["status"] for entry in history] == list(STATUSES)
    assert [entry["resolutionNote"] for entry in history] == [None, None, None, NOTE]


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        pytest.param("x", "x", id="one"),
        pytest.param("x" * 2_000, "x" * 2_000, id="2000"),
        pytest.param("x" * 2_001, None, id="2001"),
        pytest.param("", None, id="none"),
        pytest.param(" \n\t ", None, id="white space alone"),
        pytest.param("\u200b\u200b", None, id="nothing to be seen"),
        pytest.param(f"  {NOTE}\n", NOTE, id="trimmed"),
        pytest.param(
            " " * 5_000 + "x" * 2_000 + "\n" * 5_000, "x" * 2_000, id="trimmed, then counted"
        ),
    ],
)
async def test_a_note_has_1_to_2000_characters_after_trimming(ci, declared, updates, note, kept):
    """Line 70: "Must be between 1 and 2000 characters."
    "Leading and trailing whitespace is trimmed automatically."
    """
    incident = await declared()

    answer = await moved(ci, incident, status="identified", resolutionNote=note)

    if kept is None:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "resolutionNote")
        assert len(await updates(incident)) == 1
    else:
        assert answer.status_code == 200
        assert (await updates(incident))[-1]["body"] == kept


async def test_the_updated_incident_is_returned(ci, declared, clock):
    """Lines 72-77: "Response"; "Returns the updated incident object."; "data", "object",
    "required".
    """
    incident = await declared()
    clock.advance(minutes=5)

    data = (await moved(ci, incident, status="identified")).json()["data"]

    assert (data["id"], data["status"]) == (incident, "identified")
    assert datetime.fromisoformat(data["updatedAt"]) == clock()
    assert data["updatedAt"] > data["createdAt"]


async def test_a_step_out_of_order_is_refused_with_its_code(ci, declared):
    """Line 82: "400 invalid_status_transition The requested status does not follow the required
    sequence."
    """
    answer = await moved(ci, await declared(), status="resolved")

    assert answer.status_code == 400
    assert answer.json() == {
        "statusCode": 400,
        "type": "invalid_request_error",
        "code": "invalid_status_transition",
        "requestId": answer.headers["x-request-id"],
        "message": "INC-1 is investigating and cannot become resolved now. "
        "Valid next steps: identified.",
        "from": "investigating",
        "to": "resolved",
        "validNext": ["identified"],
    }


@pytest.mark.parametrize("to", STATUSES)
async def test_a_resolved_incident_takes_no_further_changes(ci, declared, to):
    """Line 83: "400 incident_resolved The incident is already resolved; no further status changes
    are accepted."
    """
    incident = await declared(*STATUSES[1:])

    answer = await moved(ci, incident, status=to)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "incident_resolved")
    assert (body["from"], body["to"], body["validNext"]) == ("resolved", to, [])


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({}, "missing_authorization_header", id="no key"),
        pytest.param({"Authorization": "Basic eDp5"}, "missing_authorization_header", id="Basic"),
        pytest.param({"Authorization": "Bearer"}, "missing_authorization_header", id="no space"),
        pytest.param({"Authorization": "Bearer nonsense"}, "invalid_api_key", id="no key of ours"),
        pytest.param(
            {"Authorization": f"Bearer rk_live_{'0' * 40}"}, "invalid_api_key", id="wrong"
        ),
        pytest.param(
            {"X-API-Key": f"rk_live_{'0' * 40}"}, "invalid_api_key", id="the other header"
        ),
        pytest.param({"X-API-Key": "ü"}, "invalid_api_key", id="no ASCII"),
    ],
)
async def test_without_a_valid_key_nothing_is_done(client, headers, reason, declared):
    """Line 84: "401 not_authorized Missing or invalid API key."."""
    answer = await client().patch(
        f"/v1/incidents/{await declared()}/status",
        json={"status": "identified"},
        headers={name: value.encode() for name, value in headers.items()},
    )

    body = answer.json()
    assert (answer.status_code, body["type"]) == (401, "not_authorized_error")
    assert (body["code"], body["reason"]) == ("not_authorized", reason)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_incident_that_is_not_in_the_workspace_is_not_found(ci, stranger, declared):
    """Line 85: "404 not_found No incident with the given ID exists in your organization."

    We say workspace.
    """
    elsewhere = await declared(by=stranger)

    answer = await moved(ci, elsewhere, status="identified")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["message"] == "No incident with the given ID exists in your workspace."


async def test_a_body_that_fails_validation_is_told_by_field(ci, declared):
    """Line 86: "422 Request body failed validation (e.g. resolutionNote exceeds 2000 characters)."

    The page leaves the code open: it is validation_failed.
    """
    answer = await moved(ci, await declared(), status="identified", resolutionNote="x" * 2_001)

    body = answer.json()
    assert (answer.status_code, body["type"], body["code"]) == (
        422,
        "validation_error",
        "validation_failed",
    )
    assert body["errors"] == [
        {
            "field": "resolutionNote",
            "message": "resolutionNote has more than 2,000 characters.",
        }
    ]


async def test_a_fault_of_ours_is_told_without_what_caused_it(
    client, serving, store, a_key, declared
):
    """Line 87: "500 server_error An unexpected error occurred on our side."."""

    async def fails(_workspace, _user):
        raise RuntimeError(NOTE)

    by = client(a_key(), of=serving(store, member=fails))

    answer = await by.post(
        f"/v1/incidents/{await declared()}/handoff", json={"targetUserId": "U0ADA"}
    )

    body = answer.json()
    assert (answer.status_code, body["type"], body["code"]) == (
        500,
        "internal_error",
        "server_error",
    )
    assert body["message"].startswith("An unexpected error occurred on our side.")
    assert NOTE not in answer.text


@pytest.mark.parametrize("line", [79, 81])
async def test_every_error_has_a_status_a_code_and_a_description(ci, line):
    """Lines 79-81: "Error responses"; "StatusCodeDescription"."""
    body = (await moved(ci, line, status="identified")).json()

    assert {"statusCode", "code", "message"} <= body.keys()
