"""A change over HTTP shows in Slack as one made in Slack does, and the other way round."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bot.sandbox import Limits
from core.settings import Setting
from storage import keys
from storage.keys import KeyScope
from tests.builders import GRACE, NINE
from tests.clock import Clock
from tests.conversations.conftest import environment_for, running, settled, without_ids
from tests.patience import PATIENCE_SECONDS
from tests.standin import a_standin, labels

NOTE = "db-3 lost its quorum"
TEXT = "We found the cause & are rolling back."


@pytest.fixture
def mode():
    return "http"


async def a_client(app, slack, *, scope=KeyScope.PUBLISH, name="ci"):
    """A client of ``app`` with a key of the stand-in's workspace."""
    workspace = slack.workspace.team_id
    _, key = await app.store.write(
        lambda tx: keys.create(tx, workspace=workspace, name=name, scope=scope, at=NINE)
    )
    return httpx.AsyncClient(
        base_url=app.http.address,
        headers={"Authorization": f"Bearer {key}"},
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture
async def ci(ratchet, slack):
    async with await a_client(ratchet, slack) as client:
        yield client


async def done(answer):
    answer = await answer
    assert answer.is_success, answer.text
    return answer.json()["data"]


async def in_slack(person, _client):
    for said in (
        f"/incident status 1 identified {NOTE}",
        f"/incident update 1 status:monitoring {TEXT}",
        "/incident assign 1 @bo",
        f"/incident note 1 {NOTE}",
        "/incident next 1",
    ):
        yield await person.command("#payments", said)


async def over_http(_person, client):
    (incident,) = (await done(client.get("/v1/incidents")))["incidents"]
    address = f"/v1/incidents/{incident['id']}"
    public = {
        "visibility": "public",
        "body": TEXT,
        "statusChange": "monitoring",
        # In Slack, the severity makes this promise.
        "nextUpdateIn": 3_600,
    }
    for method, path, body in (
        ("PATCH", f"{address}/status", {"status": "identified", "resolutionNote": NOTE}),
        ("POST", f"{address}/updates", public),
        ("POST", f"{address}/handoff", {"targetUserId": "U0BO"}),
        ("POST", f"{address}/updates", {"visibility": "internal", "body": NOTE}),
        ("PATCH", f"{address}/status", {"status": "resolved"}),
    ):
        yield await done(client.request(method, path, json=body))


async def shown(database_url, way):
    """Both channels after each of five changes that were made in the ``way``."""
    clock, seen = Clock(), []
    limits = Limits(posting=True, burst=1)
    async with (
        a_standin(clock=clock.seconds, limits=limits) as slack,
        running(environment_for(slack, database_url, "http"), slack, clock) as app,
    ):
        mia = slack.person("mia")
        await mia.command("#payments", "/incident declare Checkout is down severity:high")
        await settled(app, clock)
        async with await a_client(app, slack) as client:
            async for _ in way(mia, client):
                await settled(app, clock)
                views = (slack.channel_view(f"#{c}") for c in ("payments", "status"))
                seen.append([without_ids(view) for view in views])
    return seen


async def test_channels_show_the_same_for_changes_over_http_and_in_slack(a_database):
    with a_database("sqlite") as one, a_database("sqlite") as other:
        by_hand = await shown(one, in_slack)
        by_key = await shown(other, over_http)

    # Only the author differs, and the public does not see the author.
    assert [status for _, status in by_key] == [status for _, status in by_hand]
    assert (
        [card for card, _ in by_key]
        == [card.replace("<@U0MIA>", "ci") for card, _ in by_hand]
        != [card for card, _ in by_hand]
    )
    assert TEXT.replace("&", "&amp;") in by_key[-1][1]
    assert NOTE not in repr(by_key)


async def test_changes_in_slack_show_over_http(slack, ratchet, settle, ci):
    mia, bo = slack.person("mia"), slack.person("bo")
    await mia.command("#payments", "/incident declare Checkout is down severity:high")
    await mia.command("#payments", f"/incident status 1 identified {NOTE}")
    await bo.command("#payments", "/incident ack 1")
    await mia.command("#payments", f"/incident update 1 {TEXT}")
    await mia.command("#payments", "/incident severity 1 critical")

    (incident,) = (await done(ci.get("/v1/incidents")))["incidents"]
    updates = (await done(ci.get(f"/v1/incidents/{incident['id']}/updates")))["updates"]
    told = await done(ci.get(f"/api/incidents/{incident['id']}/updates"))

    assert (incident["number"], incident["status"], incident["ownerId"]) == (
        1,
        "identified",
        "U0BO",
    )
    assert [(u["postedBy"]["id"], u["statusChange"], u["body"]) for u in updates] == [
        ("U0MIA", "investigating", None),
        ("U0MIA", "identified", NOTE),
        ("U0BO", None, None),
        ("U0MIA", None, TEXT),
        ("U0MIA", None, None),
    ]
    assert (told[0]["action"], told[0]["old_value"], told[0]["new_value"]) == (
        "severity_changed",
        "major",
        "critical",
    )


async def test_an_incident_declared_over_http_can_be_moved_in_slack(slack, ratchet, settle, ci):
    created = await done(ci.post("/v1/incidents", json={"title": "Disk", "severity": "high"}))
    await settle()
    mia = slack.person("mia")

    moved = await mia.command("#payments", "/incident status 1 identified")
    await settle()

    assert "is now *Identified*" in (await moved.answer()).words()
    seen = await done(ci.get(f"/v1/incidents/{created['id']}"))
    assert seen["status"] == "identified"
    assert "Identified" in repr(slack.channel_view("#status"))
    timeline = await mia.command("#payments", "/incident timeline 1")
    assert "ci" in (await timeline.answer()).words()


async def test_a_key_and_a_person_at_once_cause_one_transition(slack, ratchet, settle, ci):
    mia = slack.person("mia")
    for number in range(1, 21):
        await mia.command("#payments", f"/incident declare Outage {number}")
        (incident, *_) = (await done(ci.get("/v1/incidents")))["incidents"]
        address = f"/v1/incidents/{incident['id']}"

        said, patched = await asyncio.gather(
            mia.command("#payments", f"/incident status {number} identified"),
            ci.patch(f"{address}/status", json={"status": "identified"}),
        )

        words = (await said.answer()).words()
        assert ("is now *Identified*" in words) != patched.is_success
        assert len((await done(ci.get(address)))["statusHistory"]) == 2


@pytest.mark.parametrize(
    ("target", "taken"), [("U0BO", True), ("U0NOBODY", False), ("U0GUS", False)]
)
async def test_only_full_members_can_take_over(slack, ratchet, ci, target, taken):
    slack.workspace.add_user("gus", is_restricted=True)
    created = await done(ci.post("/v1/incidents", json={"title": "Disk", "severity": "high"}))

    answer = await ci.post(f"/v1/incidents/{created['id']}/handoff", json={"targetUserId": target})

    if taken:
        assert answer.json()["data"]["ownerId"] == target
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_target_user")


async def test_a_declaration_over_http_is_held_back_like_one_in_slack(environment, slack, clock):
    held = {**environment, "PUBLISH_DELAY": "10"}
    async with (
        running(held, slack, clock) as app,
        await a_client(app, slack) as client,
    ):
        incident = await done(
            client.post("/v1/incidents", json={"title": "ACME is down", "severity": "high"})
        )
        await app.worker.deliver_due()
        assert slack.channel_view("#status") == []
        assert incident["title"] == "ACME is down"

        clock.advance(seconds=10)
        await app.worker.deliver_due()
        (card,) = slack.channel_view("#status")
        assert "ACME is down" in card.text


# --- the card of an incident that was declared over HTTP -------------------------------------

V1 = ("/v1/incidents", {"title": "Checkout is down", "severity": "high"})
API = ("/api/incidents", {"title": "Checkout is down", "severity": "major"})


@pytest.fixture
async def with_default(environment, slack, clock):
    """Ratchet with a channel for the API, and a client of it."""
    environment["API_CHANNEL"] = slack.workspace.channel("#general").id
    async with running(environment, slack, clock) as app, await a_client(app, slack) as client:
        yield app, client


def cards(slack, channel):
    return [
        one
        for one in slack.workspace.channel(channel).messages
        if one.metadata and "working_card" in repr(one.metadata)
    ]


@pytest.mark.parametrize(("path", "body"), [V1, API])
async def test_an_incident_declared_over_http_has_a_working_card(
    slack, clock, with_default, path, body
):
    app, client = with_default
    declared = await done(client.post(path, json=body))
    await settled(app, clock)

    (card,) = cards(slack, "#general")
    assert "Checkout is down" in card.words()
    shown = await done(client.get(f"/v1/incidents/{declared['id']}"))
    assert shown["links"]["slack"].endswith(f"/p{card.ts.replace('.', '')}")
    pressed = await slack.person("mia").command("#general", "/incident ack")
    await pressed.answer()
    await settled(app, clock)
    assert "Owner: <@U0MIA>" in cards(slack, "#general")[0].words()


@pytest.mark.parametrize("handed", [False, True])
async def test_the_question_to_an_owner_links_to_the_card_that_comes_after_it(
    handed, slack, clock, with_default
):
    app, client = with_default
    body = V1[1] if handed else {**V1[1], "ownerId": "U0BO"}
    declared = await done(client.post("/v1/incidents", json=body))
    if handed:
        address = f"/v1/incidents/{declared['id']}/handoff"
        await done(client.post(address, json={"targetUserId": "U0BO"}))
    await settled(app, clock)

    (card,) = cards(slack, "#general")
    (asked,) = slack.workspace.direct(slack.person("bo").user).messages
    assert f"/p{card.ts.replace('.', '')}" in asked.words()
    assert labels(asked) == ["Got it", "Not me", "Update…"]


async def test_the_channel_for_the_api_that_a_workspace_saved_comes_first(
    slack, clock, with_default
):
    app, client = with_default
    changes = {Setting.API_CHANNEL: slack.workspace.channel("#random").id}
    await app.store.write(
        lambda tx: tx.save_settings(
            slack.workspace.team_id, changes, seen=None, by=GRACE, at=clock.now
        )
    )
    path, body = V1
    await done(client.post(path, json=body))
    await settled(app, clock)

    assert len(cards(slack, "#random")) == 1
    assert cards(slack, "#general") == []


async def test_a_declaration_over_http_names_the_channel_of_its_card(slack, clock, with_default):
    app, client = with_default
    path, body = V1
    channel = slack.workspace.channel("#payments").id
    await done(client.post(path, json=body | {"channelId": channel}))
    await settled(app, clock)

    assert len(cards(slack, "#payments")) == 1
    assert cards(slack, "#general") == []


async def test_a_private_incident_over_http_is_told_to_its_owner_alone(slack, clock, with_default):
    app, client = with_default
    path, body = V1
    await done(client.post(path, json=body | {"private": True, "ownerId": slack.person("bo").id}))
    await settled(app, clock)

    assert cards(slack, "#general") == []
    direct = slack.workspace.direct(slack.person("bo").user).messages
    assert any("owner_card" in repr(one.metadata) for one in direct)


async def test_a_card_that_cannot_be_posted_keeps_no_incident_from_being_declared(
    slack, ratchet, settle, ci
):
    path, body = V1
    declared = await done(ci.post(path, json=body | {"channelId": "C0NOWHERE"}))
    await settle()

    assert declared["links"]["slack"] is None
    assert (await ratchet.readiness()).dead_messages == 1


async def test_the_card_of_an_unknown_channel_goes_to_that_for_the_api(slack, clock, with_default):
    app, client = with_default
    secret = slack.workspace.add_channel("#secret", private=True, bot=False)
    path, body = V1
    for unknown in ("C0NOWHERE", secret.id):
        await done(client.post(path, json=body | {"channelId": unknown}))
    await settled(app, clock)

    assert len(cards(slack, "#general")) == 2
    assert (await app.readiness()).dead_messages == 0


async def test_while_slack_does_not_tell_a_channel_the_card_goes_there(slack, clock, with_default):
    app, client = with_default
    slack.faults.refuse("conversations.info", error="internal_error", times=1)
    path, body = V1
    channel = slack.workspace.channel("#payments").id
    await done(client.post(path, json=body | {"channelId": channel}))
    await settled(app, clock)

    assert len(cards(slack, "#payments")) == 1
