"""The published page of dialect 1. Each test names its lines; docs/api.md has the requirements."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from uuid import UUID

import pytest

from tests.builders import NINE, WORKSPACE

STATUSES = ("investigating", "identified", "monitoring", "resolved")
NEXT = dict(itertools.pairwise(STATUSES))
NOTE = "db-3 lost its quorum"
NOWHERE = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"


def way_to(status):
    return STATUSES[1 : STATUSES.index(status) + 1]


async def moved(by, incident, **asked):
    return await by.patch(f"/v1/incidents/{incident}/status", json=asked)


async def current(by, incident):
    return (await by.get(f"/v1/incidents/{incident}")).json()["data"]


def form(value):
    """The types of a value: the form of a text, and of each part of an object or list."""
    match value:
        case dict():
            return {name: form(part) for name, part in value.items()}
        case list():
            return [form(value[0])]
    for name, shape in {
        "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "moment": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z",
    }.items():
        if re.fullmatch(shape, str(value)):
            return name
    return type(value).__name__


PUBLISHED_FORM = {
    "id": "uuid",
    "orgId": "str",
    "title": "str",
    "severity": "str",
    "status": "str",
    "affectedComponents": [{"id": "uuid", "name": "str"}],
    "createdAt": "moment",
    "updatedAt": "moment",
}


async def test_the_status_is_patched_at_the_published_address(client, app):
    """Lines 2-10."""
    described = (await client().get("/openapi.json")).json()

    assert "patch" in described["paths"]["/v1/incidents/{id}/status"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_the_published_call_works_unchanged(client, a_key, declared, content_type):
    """Lines 11-17 and 88-94."""
    answer = await client().request(
        "PATCH",
        f"/v1/incidents/{await declared()}/status",
        headers={"Authorization": f"Bearer {a_key()}", "Content-Type": content_type},
        content='{\n    "status": "identified"\n  }',
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


async def test_the_answer_has_the_published_fields_in_the_published_form(ci, declared):
    """Lines 18-31 and 95-108. Our answers have further fields."""
    made = await ci.post("/v1/components", json={"name": "web"})
    incident = await declared(severity="critical", componentIds=[made.json()["data"]["id"]])

    answer = (await moved(ci, incident, status="identified")).json()

    data = {name: answer["data"][name] for name in PUBLISHED_FORM}
    assert list(answer) == ["data"]
    assert form(data) == PUBLISHED_FORM
    assert (data["title"], data["severity"]) == ("Checkout is down", "critical")
    assert (data["status"], data["orgId"]) == ("identified", "T0RATCHET")
    assert data["affectedComponents"][0]["name"] == "web"


async def test_the_description_lists_the_operation(client):
    """Lines 1 and 33-37. The index of the page is another site's; ours is `/openapi.json`."""
    described = (await client().get("/openapi.json")).json()

    assert "/v1/incidents/{id}/status" in described["paths"]


async def test_an_incident_advances_through_its_lifecycle(ci, declared):
    """Lines 39, 45 and 47."""
    incident = await declared()
    assert (await current(ci, incident))["status"] == STATUSES[0]

    for status in STATUSES[1:]:
        assert (await moved(ci, incident, status=status)).json()["data"]["status"] == status


@pytest.mark.parametrize("status", STATUSES)
async def test_each_call_moves_exactly_one_step(ci, declared, status):
    """Lines 39 and 48-52."""
    incident = await declared(*way_to(status))
    before = (await current(ci, incident))["statusHistory"]

    answers = {
        to: await moved(ci, incident, status=to) for to in STATUSES if to != NEXT.get(status)
    }
    assert {answer.status_code for answer in answers.values()} == {400}
    assert (await current(ci, incident))["validNext"] == ([NEXT[status]] if status in NEXT else [])
    if status in NEXT:
        assert (await moved(ci, incident, status=NEXT[status])).status_code == 200
        assert len((await current(ci, incident))["statusHistory"]) == len(before) + 1


@pytest.mark.parametrize(
    ("status", "to", "code"),
    [
        pytest.param("investigating", "resolved", "invalid_status_transition", id="skips"),
        pytest.param("monitoring", "identified", "invalid_status_transition", id="goes backwards"),
        pytest.param("resolved", "investigating", "incident_resolved", id="re-opens"),
    ],
)
async def test_no_call_skips_goes_back_or_reopens(ci, declared, updates, status, to, code):
    """Lines 39 and 53."""
    incident = await declared(*way_to(status))
    before = await updates(incident)

    answer = await moved(ci, incident, status=to)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await updates(incident) == before


async def test_a_patch_and_an_update_both_move_an_incident(ci, declared):
    """Line 40."""
    incident = await declared()

    patched = await moved(ci, incident, status="identified")
    posted = await ci.post(
        f"/v1/incidents/{incident}/updates",
        json={"visibility": "public", "body": "A fix is out.", "statusChange": "monitoring"},
    )

    assert (patched.status_code, posted.status_code) == (200, 201)
    assert patched.json()["data"].keys() != posted.json()["data"].keys()


async def test_a_status_moves_an_incident_with_or_without_a_note(ci, declared, updates):
    """Line 41."""
    incident = await declared()

    await moved(ci, incident, status="identified")
    await moved(ci, incident, status="monitoring", resolutionNote=NOTE)

    assert [(u["statusChange"], u["body"], u["visibility"]) for u in await updates(incident)] == [
        ("investigating", None, "internal"),
        ("identified", None, "internal"),
        ("monitoring", NOTE, "internal"),
    ]


async def test_the_note_never_reaches_the_public(ci, store, declared):
    """Line 41."""
    incident = await declared()
    await moved(ci, incident, status="identified", resolutionNote=NOTE)

    shown = store.read_public_now(
        lambda public: public.incident(WORKSPACE, UUID(incident), at=NINE)
    )

    assert shown.status == "identified"
    assert NOTE not in repr(shown)


async def test_one_update_moves_an_incident_and_publishes_a_text(ci, store, declared):
    """Line 42."""
    incident = await declared()

    posted = await ci.post(
        f"/v1/incidents/{incident}/updates",
        json={"visibility": "public", "statusChange": "identified", "body": "A disk is full."},
    )

    shown = store.read_public_now(
        lambda public: public.incident(WORKSPACE, UUID(incident), at=NINE)
    )
    assert posted.status_code == 201
    assert (shown.status, shown.updates[0].body) == ("identified", "A disk is full.")
    assert shown.updates[0].status == "identified"


async def test_a_note_without_a_status_changes_no_status(ci, declared, updates):
    """Line 42."""
    incident = await declared()

    await ci.post(
        f"/v1/incidents/{incident}/updates", json={"visibility": "internal", "body": NOTE}
    )

    last = (await updates(incident))[-1]
    assert (last["body"], last["statusChange"]) == (NOTE, None)
    assert (await current(ci, incident))["status"] == "investigating"


@pytest.mark.parametrize("note", [None, NOTE], ids=["bare", "with a note"])
async def test_a_patch_leaves_the_rows_of_an_internal_update(ci, declared, rows, note):
    """Line 43."""
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
    """Line 53. For a resolved incident line 83 holds instead: `incident_resolved`."""
    incident = await declared("identified")

    for to in ("resolved", "investigating", "identified", "closed"):
        answer = await moved(ci, incident, status=to)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_status_transition")
        assert answer.json()["validNext"] == ["monitoring"]
    ended = await moved(ci, await declared(*STATUSES[1:]), status="resolved")
    assert ended.json()["code"] == "incident_resolved"


async def test_the_incident_is_named_by_its_uuid(ci, declared):
    """Lines 55-60."""
    incident = await declared()

    assert (await moved(ci, UUID(incident), status="identified")).status_code == 200
    assert (await moved(ci, incident.upper(), status="monitoring")).status_code == 200
    assert (await moved(ci, 1, status="resolved")).status_code == 404


async def test_a_status_is_required(ci, declared):
    """Lines 62-66."""
    answer = await moved(ci, await declared(), resolutionNote=NOTE)

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "status", "message": "status is missing."}],
    )


async def test_the_status_must_be_the_next_one_of_the_lifecycle(ci, declared):
    """Line 67. An incident with another lifecycle has other statuses."""
    answer = await moved(ci, await declared(), status="monitoring")
    other = await declared(lifecycle="response")

    assert answer.json()["to"] == "monitoring"
    assert (await moved(ci, other, status="acknowledged")).status_code == 200
    assert (await moved(ci, other, status="identified")).status_code == 400


async def test_a_note_is_recorded_with_its_transition(ci, declared):
    """Lines 68-70."""
    incident = await declared("identified", "monitoring")

    await moved(ci, incident, status="resolved", resolutionNote=NOTE)

    history = (await current(ci, incident))["statusHistory"]
    assert [entry["status"] for entry in history] == list(STATUSES)
    assert [entry["resolutionNote"] for entry in history] == [None, None, None, NOTE]


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        pytest.param("x", "x", id="one"),
        pytest.param("x" * 2_000, "x" * 2_000, id="2000"),
        pytest.param("x" * 2_001, None, id="2001"),
        pytest.param("", None, id="none"),
        pytest.param(" \n\t ", None, id="only white space"),
        pytest.param("\u200b\u200b", None, id="only invisible characters"),
        pytest.param(f"  {NOTE}\n", NOTE, id="trimmed"),
        pytest.param(
            " " * 5_000 + "x" * 2_000 + "\n" * 5_000, "x" * 2_000, id="counted after trimming"
        ),
    ],
)
async def test_a_note_has_1_to_2000_characters_after_trimming(ci, declared, updates, note, kept):
    """Line 70."""
    incident = await declared()

    answer = await moved(ci, incident, status="identified", resolutionNote=note)

    if kept is None:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "resolutionNote")
        assert len(await updates(incident)) == 1
    else:
        assert answer.status_code == 200
        assert (await updates(incident))[-1]["body"] == kept


async def test_the_updated_incident_is_returned(ci, declared, clock):
    """Lines 72-77."""
    incident = await declared()
    clock.advance(minutes=5)

    data = (await moved(ci, incident, status="identified")).json()["data"]

    assert (data["id"], data["status"]) == (incident, "identified")
    assert datetime.fromisoformat(data["updatedAt"]) == clock()
    assert data["updatedAt"] > data["createdAt"]


async def test_a_step_out_of_order_is_an_invalid_transition(ci, declared):
    """Line 82."""
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
async def test_a_resolved_incident_accepts_no_status(ci, declared, to):
    """Line 83."""
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
        pytest.param({"Authorization": "Bearer nonsense"}, "invalid_api_key", id="malformed"),
        pytest.param(
            {"Authorization": f"Bearer rk_live_{'0' * 40}"}, "invalid_api_key", id="wrong"
        ),
        pytest.param(
            {"X-API-Key": f"rk_live_{'0' * 40}"}, "invalid_api_key", id="the other header"
        ),
        pytest.param({"X-API-Key": "ü"}, "invalid_api_key", id="no ASCII"),
    ],
)
async def test_a_missing_or_invalid_key_is_not_authorized(client, headers, reason, declared):
    """Line 84."""
    answer = await client().patch(
        f"/v1/incidents/{await declared()}/status",
        json={"status": "identified"},
        headers={name: value.encode() for name, value in headers.items()},
    )

    body = answer.json()
    assert (answer.status_code, body["type"]) == (401, "not_authorized_error")
    assert (body["code"], body["reason"]) == ("not_authorized", reason)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_incident_of_another_workspace_is_not_found(ci, stranger, declared):
    """Line 85."""
    elsewhere = await declared(by=stranger)

    answer = await moved(ci, elsewhere, status="identified")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["message"] == "No incident with the given ID exists in your workspace."


async def test_a_validation_error_names_the_field(ci, declared):
    """Line 86. The page gives no code: it is `validation_failed`."""
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


async def test_an_error_of_ours_is_reported_without_its_cause(
    client, serving, store, a_key, declared
):
    """Line 87."""

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


async def test_every_error_has_a_status_a_code_and_a_message(ci, client, declared):
    """Lines 79-81."""
    incident = await declared()
    errors = [
        await moved(client(), incident, status="identified"),
        await moved(ci, NOWHERE, status="identified"),
        await moved(ci, incident),
        await moved(ci, incident, status="resolved"),
    ]

    assert [answer.status_code for answer in errors] == [401, 404, 422, 400]
    for answer in errors:
        body = answer.json()
        assert body["statusCode"] == answer.status_code
        assert all(isinstance(body[name], str) and body[name] for name in ("code", "message"))
