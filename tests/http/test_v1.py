"""Dialect 1: requests, answers and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from core.lifecycle import PRESETS, read
from tests.builders import STATUS_CHANNEL

NOTE = "db-3 lost its quorum"
FULL = {"title": "Checkout is down", "severity": "high"}


def faults(answer):
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "validation_failed"
    return {fault["field"]: fault["message"] for fault in answer.json()["errors"]}


def code(answer):
    return answer.status_code, answer.json()["code"]


async def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


@pytest.fixture
def component(ci):
    async def component(name):
        return (await data(await ci.post("/v1/components", json={"name": name}), 201))["id"]

    return component


# --- declaring -------------------------------------------------------------------------------


async def test_a_declared_incident_has_every_given_fact(ci, component):
    web = await component("web")

    incident = await data(
        await ci.post(
            "/v1/incidents",
            json={
                "title": "  Checkout   is down ",
                "severity": "high",
                "description": "since the deploy",
                "startedAt": "2026-03-02T09:50:00+01:00",
                "componentIds": [web],
                "lifecycle": "response",
                "private": True,
                "ownerId": "U0GRACE",
            },
        ),
        201,
    )

    assert incident.pop("id")
    assert incident == {
        "orgId": "T0RATCHET",
        "number": 1,
        "title": "Checkout is down",
        "description": "since the deploy",
        "severity": "high",
        "status": "open",
        "lifecycle": "response",
        "validNext": ["acknowledged", "resolved"],
        "affectedComponents": [{"id": web, "name": "web"}],
        "private": True,
        "ownerId": "U0GRACE",
        "acknowledgedBy": None,
        "acknowledgedAt": None,
        "resolvedAt": None,
        "nextUpdateBy": None,
        "links": {"slack": None},
        "startedAt": "2026-03-02T08:50:00.000Z",
        "createdAt": "2026-03-02T09:00:00.000Z",
        "updatedAt": "2026-03-02T09:00:00.000Z",
    }


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
async def test_severities_are_the_canonical_ones(ci, severity):
    answer = await ci.post("/v1/incidents", json=FULL | {"severity": severity})

    assert (await data(answer, 201))["severity"] == severity


@pytest.mark.parametrize("empty", [None, [], ""], ids=["null", "list", "text"])
async def test_an_optional_field_may_be_null_or_empty(ci, empty):
    optional: dict[str, Any] = {"description": None, "lifecycle": None, "ownerId": None}
    if empty == []:
        optional |= {"componentIds": []}
    if empty == "":
        optional |= {"description": ""}

    incident = await data(await ci.post("/v1/incidents", json=FULL | optional), 201)

    assert (incident["lifecycle"], incident["ownerId"]) == ("statuspage", None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"title": "x" * 100}, None, id="title of 100"),
        pytest.param({"title": f" {'x' * 100} "}, None, id="title of 100, padded"),
        pytest.param(
            {"title": "x" * 101}, "title has more than 100 characters.", id="title of 101"
        ),
        pytest.param(
            {"title": " \t\n"}, "title must have 1 character or more.", id="title of space"
        ),
        pytest.param(
            {"title": "\u200b"}, "title is empty: write 1 to 255 characters.", id="invisible"
        ),
        pytest.param({"title": 7}, "title must be a string.", id="title of a number"),
        pytest.param({"title": None}, "title must be a string.", id="title of null"),
        pytest.param(
            {"severity": "urgent"},
            "severity must be critical, high, medium or low.",
            id="an unknown severity",
        ),
        pytest.param(
            {"severity": 1}, "severity must be critical, high, medium or low.", id="number"
        ),
        pytest.param({"description": "x" * 10_000}, None, id="description of 10000"),
        pytest.param(
            {"description": "x" * 10_001},
            "description has more than 10,000 characters.",
            id="description of 10001",
        ),
        pytest.param(
            {"description": "a\x00b"},
            "description holds control characters, which cannot be kept: leave them out.",
            id="control characters",
        ),
        pytest.param({"componentIds": "web"}, "componentIds must be a list.", id="no list"),
        pytest.param(
            {"componentIds": [1]}, "componentIds.0 must be a string.", id="list of numbers"
        ),
        pytest.param({"private": "yes"}, "private must be true or false.", id="no bool"),
        pytest.param(
            {"lifecycle": "respons"},
            "lifecycle must be one of statuspage, response.",
            id="an unknown lifecycle",
        ),
        pytest.param(
            {"lifecycle": ""},
            "lifecycle must be one of statuspage, response.",
            id="an empty lifecycle",
        ),
        pytest.param(
            {"ownerId": "U0NOBODY"},
            "ownerId must be a full member of this workspace: choose another.",
            id="an unknown owner",
        ),
        pytest.param({"channelId": "C0PAYMENTS"}, None, id="a channel"),
        pytest.param(
            {"channelId": "#payments"},
            "channelId must be the id of a channel, such as C024BE91L.",
            id="no id of a channel",
        ),
        pytest.param({"sevrity": "low"}, "sevrity is not known: leave it out.", id="a slip"),
        pytest.param(
            {"owner_id": "U0ADA"}, "owner_id is not known: leave it out.", id="snake case"
        ),
        pytest.param({"x" * 200: 1}, f"{'x' * 100}… is not known: leave it out.", id="a long name"),
    ],
)
async def test_an_invalid_field_is_named_with_its_error(ci, asked, expected):
    answer = await ci.post("/v1/incidents", json=FULL | asked)

    if expected is None:
        assert answer.status_code == 201
    else:
        assert faults(answer) == {expected.partition(" ")[0]: expected}


@pytest.mark.parametrize(
    ("asked", "channel"),
    [
        ({"channelId": "C0PAYMENTS"}, "C0PAYMENTS"),
        ({}, None),
        ({"channelId": "C0PAYMENTS", "private": True}, None),
        ({"channelId": "C0SECRET", "private": True}, "C0SECRET"),
    ],
)
async def test_the_card_goes_to_the_named_channel_that_may_show_it(ci, store, asked, channel):
    await data(await ci.post("/v1/incidents", json=FULL | asked), 201)

    incident = await store.read(lambda reader: reader.incident("T0RATCHET", 1))

    assert incident.card_channel == channel


async def test_all_field_errors_are_reported_at_once(ci):
    answer = await ci.post("/v1/incidents", json={"title": "", "more": 1})

    assert list(faults(answer)) == ["title", "severity", "more"]


async def test_an_incident_gets_the_lifecycle_that_the_operator_chose(
    client, a_key, serving, store
):
    own = read(
        '[own.begun]\ninitial = true\nnext = ["done"]\npublic = "investigating"\n'
        '[own.done]\nterminal = true\npublic = "resolved"\n'
    )
    by = client(a_key(), of=serving(store, lifecycles=(*PRESETS, *own), default="own"))

    incident = await data(await by.post("/v1/incidents", json=FULL), 201)

    assert (incident["lifecycle"], incident["validNext"]) == ("own", ["done"])
    described = (await by.get("/openapi.json")).json()["components"]["schemas"]["NewIncident"]
    assert described["properties"]["lifecycle"]["anyOf"][0]["enum"] == [
        "statuspage",
        "response",
        "own",
    ]


@pytest.mark.parametrize("path", ["create", "tag"])
async def test_components_must_exist_in_the_workspace_and_be_named_once(
    ci, stranger, component, declared, path
):
    incident = await declared()
    web = await component("web")
    made = await stranger.post("/v1/components", json={"name": "web"})
    elsewhere = (await data(made, 201))["id"]

    async def ask(*named):
        if path == "create":
            return await ci.post("/v1/incidents", json=FULL | {"componentIds": named})
        return await ci.put(f"/v1/incidents/{incident}/components", json={"componentIds": named})

    assert code(await ask(web, web)) == (400, "duplicate_component_id")
    assert code(await ask(elsewhere)) == (400, "invalid_component_id")
    assert code(await ask(web, "web")) == (400, "invalid_component_id")
    assert (await ask(web)).is_success


# --- lists -----------------------------------------------------------------------------------


@pytest.fixture
async def many(ci, clock, declared):
    """Seven incidents, one a day from 2 March on. Every third is critical."""
    numbers = {}
    for day in range(7):
        numbers[day + 1] = await declared(
            *(["identified"] if day % 2 else []),
            title=f"Day {day}",
            severity="critical" if day % 3 == 0 else "low",
        )
        clock.advance(days=1)
    return numbers


async def listed(by, **asked):
    page = await data(await by.get("/v1/incidents", params=asked))
    return [incident["number"] for incident in page["incidents"]], page["nextCursor"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"severity": "critical"}, [7, 4, 1]),
        ({"status": "identified"}, [6, 4, 2]),
        ({"status": "identified", "severity": "critical"}, [4]),
        ({"status": "closed"}, []),
        ({"from": "2026-03-04"}, [7, 6, 5, 4, 3]),
        ({"to": "2026-03-04"}, [3, 2, 1]),
        ({"from": "2026-03-03", "to": "2026-03-03"}, [2]),
        ({"from": "0001-01-01", "to": "9999-12-31"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"from": "2026-03-09"}, []),
        ({"number": "4"}, [4]),
        ({"number": "8"}, []),
        ({"number": "4", "severity": "low"}, []),
        ({"number": "4", "from": "2026-03-06"}, []),
        ({"open": "true"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"open": "true", "status": "identified"}, [6, 4, 2]),
    ],
)
async def test_a_list_has_filters_and_is_newest_first(ci, many, asked, found):
    assert await listed(ci, **asked) == (found, None)


async def test_an_incident_that_has_ended_is_not_open(ci, declared):
    await declared("identified", "monitoring", "resolved")
    await declared()

    assert await listed(ci, open="true") == ([2], None)
    assert await listed(ci, open="true", number="1") == ([], None)


async def test_days_are_whole_and_in_utc(ci, clock, declared):
    clock.advance(hours=15, minutes=-0.001)  # The last moment of 2 March.
    await declared(title="late")
    clock.advance(minutes=0.001)
    await declared(title="early")

    assert await listed(ci, to="2026-03-02") == ([1], None)
    assert await listed(ci, **{"from": "2026-03-03"}) == ([2], None)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_go_through_the_whole_list_once(ci, many, limit):
    seen, cursor = await listed(ci, limit=limit)
    while cursor:
        page, cursor = await listed(ci, limit=limit, cursor=cursor)
        assert 0 < len(page) <= limit
        seen += page

    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_new_incident_does_not_shift_the_next_page(ci, many, declared):
    first, cursor = await listed(ci, limit=3)
    await declared()

    second, _ = await listed(ci, limit=3, cursor=cursor)

    assert (first, second) == ([7, 6, 5], [4, 3, 2])


async def test_an_incident_has_the_moments_that_it_has_reached(ci, clock, declared):
    incident = await declared()
    clock.advance(minutes=2)
    await ci.post(f"/v1/incidents/{incident}/acknowledge")
    clock.advance(minutes=3)
    for status in ("identified", "monitoring", "resolved"):
        await ci.patch(f"/v1/incidents/{incident}/status", json={"status": status})

    alone = await data(await ci.get(f"/v1/incidents/{incident}"))
    (in_a_list,) = (await data(await ci.get("/v1/incidents")))["incidents"]

    for shown in (alone, in_a_list):
        assert shown["acknowledgedBy"]["name"] == "ci"
        assert shown["acknowledgedAt"] == "2026-03-02T09:02:00.000Z"
        assert shown["resolvedAt"] == "2026-03-02T09:05:00.000Z"


async def test_no_two_entries_of_a_timeline_look_alike(ci, declared):
    incident = await declared()
    for owner in ("U0ADA", "U0GRACE"):
        await ci.post(f"/v1/incidents/{incident}/handoff", json={"targetUserId": owner})

    updates = (await data(await ci.get(f"/v1/incidents/{incident}/updates")))["updates"]

    assert [(one["kind"], one["old"], one["new"]) for one in updates] == [
        ("declared", None, "investigating"),
        ("assigned", None, "Ada"),
        ("assigned", "Ada", "Grace"),
    ]


async def test_a_page_has_20_incidents_by_default(ci, declared):
    for _ in range(21):
        await declared()

    page, cursor = await listed(ci)

    assert (len(page), bool(cursor)) == (20, True)


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "low"},
        {"status": "identified"},
        {"from": "2026-03-02"},
        {"to": "2026-03-09"},
        {"number": "1"},
        {"open": "true"},
    ],
)
async def test_a_cursor_belongs_to_its_filters(ci, many, other):
    _, cursor = await listed(ci, limit=2)

    answer = await ci.get("/v1/incidents", params=other | {"cursor": cursor})

    assert faults(answer) == {
        "cursor": "cursor is of a list with other filters: leave it out and begin anew."
    }


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.0", "limit"),
        ("limit=+1", "limit"),
        ("limit=", "limit"),
        (f"limit={'9' * 5_000}", "limit"),
        ("number=0", "number"),
        ("number=2147483647", "number"),
        ("number=INC-4", "number"),
        ("open=false", "open"),
        ("open=", "open"),
        ("from=2026-02-30", "from"),
        ("from=2026-3-2", "from"),
        ("from=1772442000", "from"),
        ("to=2026-03-02T00:00:00Z", "to"),
        ("from=2026-03-03&to=2026-03-02", "query"),
        ("cursor=nonsense", "cursor"),
        ("cursor=0000000000000000-99999999999999", "cursor"),
        ("severity=major", "severity"),
        ("status=Identified", "status"),
        ("sevrity=high", "sevrity"),
    ],
)
async def test_an_invalid_query_is_refused_by_field(ci, asked, field):
    answer = await ci.get(f"/v1/incidents?{asked}")

    assert list(faults(answer)) == [field]


@pytest.mark.parametrize("status", ["foo", "Identified", "", "\x00", "i" * 500])
async def test_a_status_that_no_lifecycle_has_is_refused_with_those_that_are_known(ci, status):
    for path, refused in (("/v1", 422), ("/api", 400)):
        answer = await ci.get(f"{path}/incidents", params={"status": status})

        assert answer.status_code == refused
        assert "must be one of investigating, identified, monitoring, resolved, " in answer.text
        assert "open" in answer.text


async def test_a_status_of_a_lifecycle_that_has_left_the_file_finds_its_incidents(
    client, a_key, serving, store, declared
):
    await declared(lifecycle="response")
    less = tuple(one for one in PRESETS if one.name == "statuspage")
    later = client(a_key(name="later"), of=serving(store, lifecycles=less))

    assert await listed(later, status="open") == ([1], None)
    assert (await later.get("/v1/incidents", params={"status": "closed"})).status_code == 422


# --- one incident ----------------------------------------------------------------------------


async def test_an_incident_has_its_whole_history_oldest_first(ci, declared, clock):
    incident = await declared()
    clock.advance(minutes=1)
    await ci.patch(
        f"/v1/incidents/{incident}/status", json={"status": "identified", "resolutionNote": NOTE}
    )
    clock.advance(minutes=1)
    posted = await ci.post(
        f"/v1/incidents/{incident}/updates",
        json={"visibility": "public", "body": "Found.", "statusChange": "monitoring"},
    )

    history = (await data(await ci.get(f"/v1/incidents/{incident}")))["statusHistory"]

    assert [entry["status"] for entry in history] == ["investigating", "identified", "monitoring"]
    assert [entry["changedAt"] for entry in history] == [
        f"2026-03-02T09:0{minute}:00.000Z" for minute in range(3)
    ]
    # The text of a public update is no resolution note.
    assert [entry["resolutionNote"] for entry in history] == [None, NOTE, None]
    assert history[-1]["id"] == posted.json()["data"]["id"]


# --- updates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        pytest.param({"body": "x"}, "visibility", "is missing", id="no visibility, no default"),
        pytest.param(
            {"visibility": "all", "body": "x"},
            "visibility",
            "must be public, internal",
            id="another",
        ),
        pytest.param({"visibility": "public"}, "body", "is missing", id="public, without a body"),
        pytest.param(
            {"visibility": "public", "statusChange": "identified"},
            "body",
            "is missing",
            id="a step",
        ),
        pytest.param(
            {"visibility": "public", "body": None}, "body", "must be a string", id="public, null"
        ),
        pytest.param({"visibility": "internal"}, "body", "or a status must be given", id="nothing"),
        pytest.param(
            {"visibility": "internal", "body": None, "statusChange": None},
            "body",
            "or a status must be given",
            id="nulls",
        ),
        pytest.param(
            {"visibility": "internal", "body": "  "},
            "body",
            "must have 1 character or more",
            id="white space",
        ),
        pytest.param(
            {"visibility": "public", "body": "x" * 2_001},
            "body",
            "has more than 2,000 characters",
            id="2001",
        ),
        pytest.param(
            {"visibility": "public", "body": "x", "public": True},
            "public",
            "is not known: leave it out",
            id="a field by the name of a visibility",
        ),
        pytest.param(
            {"visibility": "internal", "body": "a\x1b[31mb"},
            "body",
            "holds control characters, which cannot be kept: leave them out",
            id="control characters",
        ),
    ],
)
async def test_an_update_with_missing_or_invalid_fields_is_refused(
    ci, declared, updates, asked, field, message
):
    incident = await declared()

    answer = await ci.post(f"/v1/incidents/{incident}/updates", json=asked)

    assert faults(answer) == {field: f"{field} {message}."}
    assert len(await updates(incident)) == 1


async def test_updates_of_both_visibilities_are_listed_oldest_first(ci, declared, updates, clock):
    incident = await declared()
    for asked in (
        {"visibility": "internal", "body": NOTE},
        {"visibility": "public", "body": "We are looking."},
        {"visibility": "internal", "statusChange": "identified"},
    ):
        clock.advance(minutes=1)
        answer = await ci.post(f"/v1/incidents/{incident}/updates", json=asked)
        posted = await data(answer, 201)
        assert (await updates(incident))[-1] == posted

    told = [(u["visibility"], u["body"], u["statusChange"]) for u in await updates(incident)]
    assert told == [
        ("internal", None, "investigating"),
        ("internal", NOTE, None),
        ("public", "We are looking.", None),
        ("internal", None, "identified"),
    ]
    assert {u["incidentId"] for u in await updates(incident)} == {incident}
    assert {u["postedBy"]["name"] for u in await updates(incident)} == {"ci"}


@pytest.mark.parametrize("why", ["private", "no status channel"])
async def test_without_a_public_surface_nothing_is_published(
    client, a_key, opened, serving, declared, why
):
    channel = None if why == "no status channel" else STATUS_CHANNEL
    by = client(a_key(), of=serving(opened(channel)))
    incident = await declared(by=by, private=why == "private")

    answer = await by.post(
        f"/v1/incidents/{incident}/updates", json={"visibility": "public", "body": "We know."}
    )

    assert code(answer) == (400, "no_public_surface")
    ways = {
        "private": f"`POST /v1/incidents/{incident}/updates`",
        "no status channel": "`/incident setup #channel` in Slack",
    }
    assert ways[why] in answer.json()["message"]


async def test_a_resolved_incident_takes_no_update(ci, declared):
    incident = await declared("identified", "monitoring", "resolved")

    answer = await ci.post(
        f"/v1/incidents/{incident}/updates", json={"visibility": "internal", "body": NOTE}
    )

    assert code(answer) == (400, "incident_resolved")
    assert answer.json()["to"] is None


# --- redaction -------------------------------------------------------------------------------


@pytest.fixture
def written(ci, declared):
    """An update with a text: its incident and its address."""

    async def written(**asked):
        incident = await declared()
        asked = {"visibility": "public", "body": "Call 555-0100."} | asked
        posted = await data(await ci.post(f"/v1/incidents/{incident}/updates", json=asked), 201)
        return incident, f"/v1/incidents/{incident}/updates/{posted['id']}/redact"

    return written


@pytest.mark.parametrize("body", [None, {}], ids=["no body", "an empty one"])
async def test_a_redaction_removes_only_the_text(ci, written, updates, clock, body):
    incident, address = await written(statusChange="identified")
    before = (await updates(incident))[-1]
    clock.advance(minutes=5)

    redacted = await data(await (ci.post(address) if body is None else ci.post(address, json=body)))

    assert redacted == before | {
        "body": None,
        "redactedAt": "2026-03-02T09:05:00.000Z",
        "redactedBy": before["postedBy"],
    }
    assert (await updates(incident))[-1] == redacted


async def test_a_second_redaction_succeeds_and_changes_nothing(ci, written, clock):
    _, address = await written()
    first = await ci.post(address)
    clock.advance(minutes=1)

    assert (await ci.post(address)).json() == first.json()


async def test_only_the_author_within_five_minutes_or_an_admin_may_redact(
    ci, admin, client, a_key, written, clock
):
    _, address = await written()
    other = client(a_key(name="other"))

    assert code(await other.post(address)) == (403, "redaction_not_permitted")
    clock.advance(minutes=5, seconds=0.001)
    assert code(await ci.post(address)) == (403, "redaction_not_permitted")
    assert (await data(await admin.post(address)))["redactedBy"]["name"] == "root"


async def test_an_update_without_a_text_cannot_be_redacted(ci, declared, updates):
    incident = await declared("identified")
    bare = (await updates(incident))[-1]["id"]

    answer = await ci.post(f"/v1/incidents/{incident}/updates/{bare}/redact")

    assert code(answer) == (400, "nothing_to_redact")


async def test_the_title_of_an_ended_incident_is_withdrawn_by_its_entry(
    admin, ci, declared, updates, clock
):
    incident = await declared("identified")
    first = f"/v1/incidents/{incident}/updates/{(await updates(incident))[0]['id']}/redact"
    refused = await admin.post(first)
    assert code(refused) == (400, "nothing_to_redact")
    assert f"`PATCH /v1/incidents/{incident}`" in refused.json()["message"]
    for status in ("monitoring", "resolved"):
        await ci.patch(f"/v1/incidents/{incident}/status", json={"status": status})
    clock.advance(hours=1)

    assert (await admin.post(first)).status_code == 200
    assert (await data(await ci.get(f"/v1/incidents/{incident}")))["title"] == "(title withdrawn)"


async def test_an_update_of_another_incident_is_not_found(ci, written, declared):
    _, address = await written()
    other = await declared()
    update = address.split("/")[5]
    nowhere = "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"

    answers = [
        await ci.post(f"/v1/incidents/{other}/updates/{named}/redact")
        for named in (update, nowhere, "7", "nonsense")
    ]

    assert {code(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.json()["message"] for answer in answers}) == 1


# --- acknowledgement and ownership -----------------------------------------------------------


async def test_a_key_acknowledges_without_becoming_owner_and_a_second_changes_nothing(
    ci, client, a_key, declared, updates
):
    incident = await declared()
    first = await data(await ci.post(f"/v1/incidents/{incident}/acknowledge"))
    written = await updates(incident)

    second = await client(a_key(name="other")).post(f"/v1/incidents/{incident}/acknowledge")

    assert first["ownerId"] is None
    assert written[-1]["postedBy"]["id"].startswith("key:")
    assert await data(second) == first
    assert await updates(incident) == written


async def test_a_resolved_incident_is_acknowledged_without_a_change(ci, declared):
    incident = await declared("identified", "monitoring", "resolved")
    before = await data(await ci.get(f"/v1/incidents/{incident}"))

    after = await data(await ci.post(f"/v1/incidents/{incident}/acknowledge", json={}))

    assert after == {name: value for name, value in before.items() if name != "statusHistory"}


async def test_an_acknowledgement_that_is_a_transition_happens_once(ci, declared):
    incident = await declared(lifecycle="response")

    first = await data(await ci.post(f"/v1/incidents/{incident}/acknowledge"))
    second = await ci.post(f"/v1/incidents/{incident}/acknowledge")

    assert first["status"] == "acknowledged"
    assert code(second) == (400, "invalid_status_transition")


async def test_an_incident_is_handed_over(ci, declared):
    incident = await declared()

    answer = await ci.post(f"/v1/incidents/{incident}/handoff", json={"targetUserId": "U0GRACE"})

    assert (await data(answer))["ownerId"] == "U0GRACE"


@pytest.mark.parametrize("target", ["U0NOBODY", "key:ci", "x"])
async def test_an_incident_is_handed_only_to_members(ci, declared, target):
    address = f"/v1/incidents/{await declared()}/handoff"

    answer = await ci.post(address, json={"targetUserId": target})

    assert code(answer) == (400, "invalid_target_user")


@pytest.mark.parametrize("asked", [{}, {"targetUserId": ""}, {"targetUserId": None}])
async def test_a_handoff_needs_a_target(ci, declared, asked):
    answer = await ci.post(f"/v1/incidents/{await declared()}/handoff", json=asked)

    assert list(faults(answer)) == ["targetUserId"]


async def test_a_resolved_incident_cannot_be_handed_over(ci, declared):
    incident = await declared("identified", "monitoring", "resolved")

    answer = await ci.post(f"/v1/incidents/{incident}/handoff", json={"targetUserId": "U0GRACE"})

    assert code(answer) == (400, "incident_resolved")


# --- components ------------------------------------------------------------------------------


async def test_components_are_made_and_listed_by_name(ci, component):
    await component("web")
    made = await data(
        await ci.post(
            "/v1/components",
            json={"name": " API ", "description": "What apps call.", "groupLabel": "Core"},
        ),
        201,
    )

    listed_ = (await data(await ci.get("/v1/components")))["components"]

    assert [one["name"] for one in listed_] == ["API", "web"]
    assert made == listed_[0] | {"newGroup": "Core"}
    assert (made["description"], made["groupLabel"]) == ("What apps call.", "Core")


async def test_a_component_name_is_unique_in_any_case(ci, component):
    await component("web")

    assert code(await ci.post("/v1/components", json={"name": "WEB"})) == (409, "name_conflict")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "description": "x" * 1_001}, "description"),
        ({"name": "x", "groupLabel": ""}, "groupLabel"),
        ({"name": "x", "groupLabel": "\u200b"}, "groupLabel"),
        ({"name": "x", "color": "red"}, "color"),
    ],
)
async def test_an_invalid_component_is_refused_by_field(ci, asked, field):
    assert list(faults(await ci.post("/v1/components", json=asked))) == [field]


async def test_the_components_of_an_incident_are_replaced(ci, component, declared):
    web, plus = await component("web"), await component("1+ numbers")
    address = f"/v1/incidents/{await declared()}/components"

    both = await data(await ci.put(address, json={"componentIds": [plus, web]}))
    none = await data(await ci.put(address, json={"componentIds": []}))

    assert [one["name"] for one in both["affectedComponents"]] == ["1+ numbers", "web"]
    assert none["affectedComponents"] == []
    assert list(faults(await ci.put(address, json={}))) == ["componentIds"]
