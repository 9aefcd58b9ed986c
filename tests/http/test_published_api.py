"""Each sentence of the published page that dialect 2 follows, quoted, and held to be true."""

from __future__ import annotations

import itertools

import pytest

NEXT = {
    "open": ["acknowledged", "resolved"],
    "acknowledged": ["resolved", "closed"],
    "resolved": ["closed"],
    "closed": [],
}
WAY_TO = {
    "open": [],
    "acknowledged": ["acknowledged"],
    "resolved": ["resolved"],
    "closed": ["resolved", "closed"],
}
PAIRS = list(itertools.product(NEXT, repeat=2))
BACK = [(start, to) for start, to in PAIRS if list(NEXT).index(to) < list(NEXT).index(start)]


async def put(by, incident, **asked):
    return await by.put(f"/api/incidents/{incident}/status", json=asked)


async def standing(by, incident):
    return (await by.get(f"/api/incidents/{incident}")).json()["data"]


async def test_the_published_refusal_is_ours_to_the_letter(ci, reported):
    """Lines 1 and 24: "{ "success": false, "error": { "code": "VALIDATION_ERROR", "message":
    "Cannot transition from closed to open. Incident is in final state and cannot be modified.",
    "details": { "fromStatus": "closed", "toStatus": "open", "validTransitions": [] } }}".
    """
    answer = await put(ci, await reported("resolved", "closed"), status="open")

    assert answer.status_code == 400
    assert answer.json() == {
        "success": False,
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "Cannot transition from closed to open. "
            "Incident is in final state and cannot be modified.",
            "details": {"fromStatus": "closed", "toStatus": "open", "validTransitions": []},
        },
    }


async def test_the_status_is_updated_at_the_published_address(ci, client, reported):
    """Lines 2-4: "Incidents"; "Update Incident Status"; "Update incident status with state machine
    validation".
    """
    described = (await client().get("/openapi.json")).json()
    answer = await put(ci, await reported(), status="acknowledged")

    assert described["paths"]["/api/incidents/{id}/status"]["put"]["summary"] == (
        "Update the status of an incident"
    )
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert list(answer.json()["data"]) == ["incident", "recovery_time_seconds"]


async def test_an_incident_goes_through_its_whole_lifecycle(ci, reported):
    """Line 5: "Update the status of an incident through its lifecycle." "It's the primary way to
    acknowledge, resolve, and close incidents."
    """
    incident = await reported()

    for status in ("acknowledged", "resolved", "closed"):
        answer = await put(ci, incident, status=status)
        assert answer.json()["data"]["incident"]["status"] == status
    assert (await standing(ci, incident))["valid_transitions"] == []


@pytest.mark.parametrize(("start", "to"), PAIRS)
async def test_only_the_moves_of_the_table_happen(ci, reported, start, to):
    """Line 5: "This endpoint enforces strict state transition rules to maintain incident workflow
    integrity."

    Lines 6-21: "The incident status follows a strict forward-only state machine:"; "Current
    Status", "Valid Transitions", "Notes"; "open", "acknowledged, resolved", "Can acknowledge or
    directly resolve"; "acknowledged", "resolved, closed", "Can resolve or close directly";
    "resolved", "closed", "Can only close after resolution"; "closed", "(none)", "Terminal state -
    no further transitions".
    """
    incident = await reported(*WAY_TO[start])

    answer = await put(ci, incident, status=to)

    allowed = to in NEXT[start]
    assert answer.status_code == (200 if allowed else 400)
    now = await standing(ci, incident)
    assert now["status"] == (to if allowed else start)
    assert now["valid_transitions"] == NEXT[now["status"]]


@pytest.mark.parametrize(("start", "to"), BACK)
async def test_no_incident_goes_back(ci, reported, start, to):
    """Line 22: "Backward transitions are not allowed." "The state machine enforces forward-only
    progression." "Once an incident moves to a later state, it cannot return to a previous state."
    """
    incident = await reported(*WAY_TO[start])

    answer = await put(ci, incident, status=to)

    assert (answer.status_code, answer.json()["error"]["details"]["fromStatus"]) == (400, start)


@pytest.mark.parametrize("status", NEXT)
async def test_the_same_status_again_is_refused(ci, reported, status):
    """Line 22: "Same-state transitions (e.g., open to open) are also rejected."."""
    incident = await reported(*WAY_TO[status])

    answer = await put(ci, incident, status=status)

    details = answer.json()["error"]["details"]
    assert (answer.status_code, details["fromStatus"], details["toStatus"]) == (400, status, status)


@pytest.mark.parametrize("start", NEXT)
async def test_a_refusal_lists_the_valid_transitions(ci, reported, start):
    """Line 23: "Invalid transitions will result in a 400 Bad Request error with the valid
    transitions listed."
    """
    answer = await put(ci, await reported(*WAY_TO[start]), status=start)

    assert (answer.status_code, answer.reason_phrase) == (400, "Bad Request")
    assert answer.json()["error"]["details"]["validTransitions"] == NEXT[start]


async def test_a_false_positive_is_closed_directly(ci, reported):
    """Line 25: "# Close directly from acknowledged state (e.g., false positive)"; "PUT
    /api/incidents/{id}/status {"status": "closed", "note": "False positive - no action needed"}".
    """
    incident = await reported("acknowledged")

    answer = await put(ci, incident, status="closed", note="False positive - no action needed")

    assert answer.status_code == 200
    (last, *_) = (await ci.get(f"/api/incidents/{incident}/updates")).json()["data"]
    assert (last["action"], last["message"]) == ("closed", "False positive - no action needed")


async def test_an_open_incident_cannot_be_closed(ci, reported):
    """Line 26: "# This will fail - cannot go from open directly to closed"; "PUT
    /api/incidents/{id}/status {"status": "closed"}"; "# Response: 400 Bad Request"; "Cannot
    transition incident from 'open' to 'closed'. Valid transitions: acknowledged, resolved".
    """
    answer = await put(ci, await reported(), status="closed")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Cannot transition incident from 'open' to 'closed'. "
        "Valid transitions: acknowledged, resolved"
    )


async def test_a_closed_incident_cannot_be_opened(ci, reported):
    """Line 27: "# This will fail - closed is a terminal state"; "PUT /api/incidents/{id}/status
    {"status": "open"}"; "# Response: 400 Bad Request"; "Cannot transition incident from 'closed' to
    'open'. Incident is in final state and cannot be modified."

    The page words it in two ways; ours is that of its sample of an answer, in line 1.
    """
    answer = await put(ci, await reported("resolved", "closed"), status="open")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Cannot transition from closed to open. Incident is in final state and cannot be modified."
    )
