"""Report and statistics over dialect 1."""

from __future__ import annotations

import pytest

from core.commands import WriteReport
from core.incident import Note
from tests.builders import an_actor


def report(incident, audience=None):
    query = f"?audience={audience}" if audience else ""
    return f"/v1/incidents/{incident}/report.md{query}"


@pytest.fixture
async def reported_on(ci, declared, incidents, clock):
    """An incident with a note, a public text, an end and a cause."""
    incident = await declared()
    clock.advance(minutes=5)
    for body in (
        {"visibility": "internal", "body": "db-3 lost quorum"},
        {"visibility": "public", "body": "We look into it."},
    ):
        assert (await ci.post(f"/v1/incidents/{incident}/updates", json=body)).status_code == 201
    await incidents.execute(
        WriteReport(actor=an_actor(), ref=1, seen=9, cause=Note("A disk of db-3 was full"))
    )
    return incident


async def test_the_report_is_markdown_with_everything(ci, reported_on):
    answer = await ci.get(report(reported_on))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert answer.text.startswith("# INC-1 Checkout is down\n")
    for text in ("db-3 lost quorum", "We look into it.", "A disk of db-3 was full"):
        assert f"> {text}" in answer.text
    assert (await ci.get(report(reported_on, "internal"))).text == answer.text


async def test_the_public_report_has_public_texts_alone(ci, reported_on):
    answer = await ci.get(report(reported_on, "public"))

    assert answer.status_code == 200
    assert "> We look into it." in answer.text
    assert "db-3" not in answer.text


async def test_a_private_incident_has_no_public_report(ci, declared):
    incident = await declared(private=True)

    answer = await ci.get(report(incident, "public"))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await ci.get(report(incident))).status_code == 200


async def test_another_audience_is_refused_by_name(ci, declared):
    answer = await ci.get(report(await declared(), "press"))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "audience", "message": "audience must be internal or public."}
    ]


async def test_an_incident_elsewhere_has_no_report(stranger, reported_on):
    for audience in (None, "public"):
        answer = await stranger.get(report(reported_on, audience))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_read_key_reads_the_report(client, a_key, reported_on):
    answer = await client(a_key("read", name="reader")).get(report(reported_on))

    assert answer.status_code == 200


async def test_statistics_have_their_definitions_and_both_periods(ci, declared, clock):
    await declared()
    clock.advance(days=20)
    incident = await declared(severity="low")
    clock.advance(minutes=3)
    await ci.post(f"/v1/incidents/{incident}/acknowledge")
    clock.advance(minutes=7)
    for step in ("identified", "monitoring", "resolved"):
        await ci.patch(f"/v1/incidents/{incident}/status", json={"status": step})

    answer = await ci.get("/v1/stats?days=10")

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["definitions"]
    assert data["all"]["now"] == {
        "incidents": 1,
        "open": 0,
        "falseAlarms": 0,
        "duplicates": 0,
        "toAcknowledge": {"count": 1, "medianSeconds": 180.0, "p90Seconds": 180.0},
        "toPublicUpdate": {"count": 0, "medianSeconds": None, "p90Seconds": None},
        "toResolve": {"count": 1, "medianSeconds": 600.0, "p90Seconds": 600.0},
        "longestPublicSilence": {"seconds": 600.0, "number": 2},
        "promises": {"kept": 0, "late": 0, "broken": 0, "released": 0},
    }
    assert data["all"]["before"]["incidents"] == 0
    assert [one["figures"]["now"]["incidents"] for one in data["bySeverity"]] == [0, 0, 0, 1]
    assert data["byComponent"] == []
    assert data["beforeSince"] < data["since"] < data["until"]
    wider = (await ci.get("/v1/stats")).json()["data"]
    assert wider["all"]["now"]["incidents"] == 2


async def test_statistics_name_the_components(ci, declared, clock):
    made = (await ci.post("/v1/components", json={"name": "Checkout"})).json()["data"]
    await declared(componentIds=[made["id"]])
    clock.advance(seconds=1)

    (component,) = (await ci.get("/v1/stats")).json()["data"]["byComponent"]

    assert (component["id"], component["name"]) == (made["id"], "Checkout")
    assert component["figures"]["now"]["incidents"] == 1


@pytest.mark.parametrize("days", ["0", "367", "1.0", "month"])
async def test_a_period_has_limits(ci, days):
    answer = await ci.get(f"/v1/stats?days={days}")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "days", "message": "days must be a whole number from 1 to 366."}
    ]


async def test_statistics_of_another_workspace_are_empty(stranger, declared, clock):
    await declared()
    clock.advance(seconds=1)

    data = (await stranger.get("/v1/stats")).json()["data"]

    assert data["all"]["now"]["incidents"] == 0
