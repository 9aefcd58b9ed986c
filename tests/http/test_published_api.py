"""The published page of dialect 2. Each test names its lines; docs/api.md has the requirements."""

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


async def current(by, incident):
    return (await by.get(f"/api/incidents/{incident}")).json()["data"]


async def test_a_refusal_is_the_published_one_to_the_letter(ci, reported):
    """Lines 1 and 24."""
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
    """Lines 2-4."""
    described = (await client().get("/openapi.json")).json()
    answer = await put(ci, await reported(), status="acknowledged")

    assert "put" in described["paths"]["/api/incidents/{id}/status"]
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert list(answer.json()["data"]) == ["incident", "recovery_time_seconds"]


async def test_an_incident_goes_through_its_whole_lifecycle(ci, reported):
    """Line 5."""
    incident = await reported()

    for status in ("acknowledged", "resolved", "closed"):
        answer = await put(ci, incident, status=status)
        assert answer.json()["data"]["incident"]["status"] == status
    assert (await current(ci, incident))["valid_transitions"] == []


@pytest.mark.parametrize(("start", "to"), PAIRS)
async def test_only_the_published_transitions_happen(ci, reported, start, to):
    """Lines 5-21."""
    incident = await reported(*WAY_TO[start])

    answer = await put(ci, incident, status=to)

    allowed = to in NEXT[start]
    assert answer.status_code == (200 if allowed else 400)
    now = await current(ci, incident)
    assert now["status"] == (to if allowed else start)
    assert now["valid_transitions"] == NEXT[now["status"]]


@pytest.mark.parametrize(("start", "to"), BACK)
async def test_no_incident_goes_back(ci, reported, start, to):
    """Line 22."""
    incident = await reported(*WAY_TO[start])

    answer = await put(ci, incident, status=to)

    assert (answer.status_code, answer.json()["error"]["details"]["fromStatus"]) == (400, start)


@pytest.mark.parametrize("status", NEXT)
async def test_the_current_status_is_refused(ci, reported, status):
    """Line 22."""
    incident = await reported(*WAY_TO[status])

    answer = await put(ci, incident, status=status)

    details = answer.json()["error"]["details"]
    assert (answer.status_code, details["fromStatus"], details["toStatus"]) == (400, status, status)


@pytest.mark.parametrize("start", NEXT)
async def test_a_refusal_lists_the_valid_transitions(ci, reported, start):
    """Line 23."""
    answer = await put(ci, await reported(*WAY_TO[start]), status=start)

    assert (answer.status_code, answer.reason_phrase) == (400, "Bad Request")
    assert answer.json()["error"]["details"]["validTransitions"] == NEXT[start]


async def test_an_acknowledged_incident_is_closed_directly(ci, reported):
    """Line 25."""
    incident = await reported("acknowledged")

    answer = await put(ci, incident, status="closed", note="The check was wrong.")

    assert answer.status_code == 200
    (last, *_) = (await ci.get(f"/api/incidents/{incident}/updates")).json()["data"]
    assert (last["action"], last["message"]) == ("closed", "The check was wrong.")


async def test_an_open_incident_cannot_be_closed(ci, reported):
    """Line 26."""
    answer = await put(ci, await reported(), status="closed")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Cannot transition incident from 'open' to 'closed'. "
        "Valid transitions: acknowledged, resolved"
    )


async def test_a_closed_incident_cannot_be_opened(ci, reported):
    """Line 27. The page has two wordings; ours is that of line 1."""
    answer = await put(ci, await reported("resolved", "closed"), status="open")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Cannot transition from closed to open. Incident is in final state and cannot be modified."
    )
