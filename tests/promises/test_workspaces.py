"""A bot belongs to one workspace; members of others see and change nothing there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.sandbox import Limits
from tests.promises.acts import WAYS, Kept, fresh, idle, preview
from tests.promises.conftest import settle, tell
from tests.standin import a_standin

OTHER = "T0OTHER"
# Texts of the bot's own workspace: of its incident and its settings.
OURS = ("Checkout", "quorum", "INC-1")


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


def of_an_organization(slack):
    """Makes the bot's token one of a whole organization."""
    said = {
        "ok": True,
        "user": "ratchet",
        "team_id": "E0ORGANIZATION",
        "is_enterprise_install": True,
    }
    slack.faults.garble("auth.test", body=json.dumps(said).encode(), times=None)


@pytest.fixture
def eve(slack):
    """A full member, and an admin, of another workspace; they meet in a channel that both share."""
    user = slack.workspace.add_user("eve", team_id=OTHER, is_admin=True)
    slack.workspace.channel("#payments").members.append(user.id)
    return slack.person("eve")


@pytest.fixture
async def card(ratchet, slack, clock, mia):
    await tell(mia, "declare Checkout is down", "note 1 db-3 lost quorum")
    await settle(ratchet, clock)
    await ratchet.worker.stop()
    return slack.workspace.channel("#payments").messages[0]


def elsewhere(payload, mia, eve, team_id):
    """All of it from the other workspace, as if the bot were installed there."""
    told = json.dumps(payload).replace(team_id, OTHER)
    return json.loads(told.replace(json.dumps(mia.id), json.dumps(eve.id)))


def one_of_ours_elsewhere(payload, mia, eve, team_id):
    """Somebody's id of ours in a payload of the other workspace."""
    return json.loads(json.dumps(payload).replace(team_id, OTHER))


def through_a_shared_channel(payload, mia, eve, team_id):
    """As Slack Connect sends it: in our workspace, by somebody of another one."""
    payload = json.loads(json.dumps(payload).replace(json.dumps(mia.id), json.dumps(eve.id)))
    if "user" in payload:
        payload["user"]["team_id"] = OTHER
    return payload | {"user_team": OTHER}


def in_a_view_of_ours(payload, mia, eve, team_id):
    """As Slack Connect sends a form: their workspace, and that of the installation."""
    payload = elsewhere(payload, mia, eve, team_id)
    if "view" in payload:
        payload["view"]["app_installed_team_id"] = team_id
    return payload


ORIGINS = [elsewhere, one_of_ours_elsewhere, through_a_shared_channel, in_a_view_of_ours]


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way is not preview], ids=lambda way: way.__name__
)
async def test_a_member_of_another_workspace_is_turned_away(way, ratchet, slack, mia, eve, card):
    kept = Kept(ratchet)
    before = kept.now()
    asked = (await way(slack, mia, card)).request
    await idle(ratchet)
    kept.back_to(before)

    for origin in ORIGINS:
        person = mia if origin is one_of_ours_elsewhere else eve
        payload, _ = fresh(slack, person, asked.payload)
        payload = origin(payload, mia, eve, slack.workspace.team_id)
        calls = len(slack.calls)
        (sent,) = await slack.redeliver(replace(asked, payload=payload))
        await idle(ratchet)

        told = f"{sent.ack.body}{[call.arguments for call in slack.calls[calls:]]}"
        assert (origin.__name__, sent.ack.error) == (origin.__name__, None)
        assert "full members of this workspace" in told
        assert [word for word in OURS if word in told] == []
        assert kept.now() == before


async def test_a_home_tab_of_another_workspace_shows_nothing_of_ours(ratchet, slack, eve, card):
    event = {
        "type": "app_home_opened",
        "user": eve.id,
        "tab": "home",
        "channel": "D0EVE",
    }
    payload = {"type": "event_callback", "team_id": OTHER, "event_id": "Ev1", "event": event}
    calls = len(slack.calls)

    request = slack.courier.send_event(payload)
    await slack.until(lambda: request.ack is not None)
    await idle(ratchet)

    told = str([call.arguments for call in slack.calls[calls:]])
    assert "full members of this workspace" in told
    assert [word for word in OURS if word in told] == []


async def test_a_guest_is_shown_no_dialog(ratchet, slack, card):
    gus = slack.person("gus")
    asked = await gus.command("#payments", "/incident declare")
    shortcut = await gus.shortcut("declare_incident")
    await idle(ratchet)

    assert "full members of this workspace" in (await asked.answer()).words()
    assert shortcut.error is None
    assert gus.view.callback_id == "message"
    assert "full members of this workspace" in gus.view.words()


async def test_the_workspace_of_the_bot_is_asked_once(ratchet, slack, mia, clock):
    await tell(mia, "list")
    clock.advance(seconds=3_600)
    await tell(mia, "list")

    assert len(slack.calls_of("auth.test")) == 1


async def test_the_bot_of_an_organization_serves_all_its_workspaces(ratchet, slack, mia):
    of_an_organization(slack)

    asked = await mia.command("#payments", "/incident declare Checkout is down")

    assert "INC-1" in (await asked.answer()).words()
    assert await ratchet.people.serves(OTHER)


async def test_the_status_channel_of_the_settings_counts_only_for_the_workspace_of_the_token(
    ratchet, slack, clock, mia
):
    await tell(mia, "declare Checkout is down")
    store = ratchet.store

    def channel(workspace):
        return store.read_now(lambda reader: reader.workspace(workspace).status_channel)

    ours = slack.workspace.channel("#status").id
    assert (channel(slack.workspace.team_id), channel(OTHER)) == (ours, None)


async def test_the_status_channel_of_the_settings_counts_for_no_workspace_of_an_organization(
    ratchet, slack, clock, mia
):
    of_an_organization(slack)

    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)

    assert slack.workspace.channel("#payments").messages != []
    assert slack.workspace.channel("#status").messages == []


async def test_a_start_without_slack_serves_the_one_workspace_that_the_store_knows(
    start, ratchet, slack, clock, mia
):
    await tell(mia, "declare Checkout is down")
    await ratchet.stop()
    slack.faults.unavailable("auth.test", times=None)

    async with start() as again:
        team = slack.workspace.team_id
        assert (await again.people.serves(team), await again.people.serves(OTHER)) == (True, False)
        found = await again.store.read(lambda reader: reader.workspace(team).status_channel)
        assert found == slack.workspace.channel("#status").id
