"""Payloads in the forms that Slack really sends: of organizations, of alert bots, and late ones."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.sandbox import Limits
from tests.promises.acts import WAYS, Kept, fresh, idle, preview
from tests.promises.conftest import settle, tell
from tests.standin import a_standin


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture
async def card(ratchet, slack, clock, mia):
    await tell(mia, "declare Checkout is down", "note 1 db-3 lost quorum")
    await settle(ratchet, clock)
    await ratchet.worker.stop()
    return slack.workspace.channel("#payments").messages[0]


# --- an app that is installed for a whole organization -----------------------------------------


def of_an_organization(payload):
    """As Slack sends it if the app is installed for an organization."""
    payload = json.loads(json.dumps(payload))
    if "command" in payload:
        return payload | {"is_enterprise_install": "true", "enterprise_id": "E0ORG"}
    return payload | {
        "team": None,
        "enterprise": {"id": "E0ORG", "name": "Org"},
        "is_enterprise_install": True,
    }


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way is not preview], ids=lambda way: way.__name__
)
async def test_a_payload_of_an_organization_does_what_any_other_does(
    way, ratchet, slack, mia, card
):
    kept = Kept(ratchet)
    before = kept.now()
    asked = (await way(slack, mia, card)).request
    await idle(ratchet)
    changed = [len(rows) for rows in kept.now().values()]
    kept.back_to(before)
    payload, _ = fresh(slack, mia, asked.payload)

    (sent,) = await slack.redeliver(replace(asked, payload=of_an_organization(payload)))
    await idle(ratchet)

    assert sent.ack.error is None
    assert [len(rows) for rows in kept.now().values()] == changed
    assert "did not work" not in f"{sent.ack.body}{[call.arguments for call in slack.calls]}"


# --- messages of alert bots --------------------------------------------------------------------

ALERT = {
    "type": "message",
    "subtype": "bot_message",
    "text": "",
    "ts": "1772442000.000100",
    "username": "grafana",
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Disk of <@U0BO> in <#C0GENERAL>"}}
    ],
    "attachments": [{"fallback": "x", "title": "db-3", "text": "96 &lt; 100 %"}],
    "files": [{"name": "graph.png"}],
}


@pytest.mark.parametrize(
    ("shortcut", "callback_id", "box"),
    [("add_to_timeline", "note", "note"), ("declare_from_message", "declare", "description")],
)
async def test_a_shortcut_on_an_alert_reads_blocks_attachments_files_and_names(
    shortcut, callback_id, box, ratchet, slack, mia
):
    await tell(mia, "declare Checkout is down")
    message = await mia.say("#general", "slow")
    asked = await mia.message_shortcut(message, shortcut)
    await slack.until(lambda: mia.has_view and mia.view.callback_id == callback_id)
    await idle(ratchet)
    payload, _ = fresh(slack, mia, asked.request.payload)

    await slack.redeliver(replace(asked.request, payload=payload | {"message": ALERT}))
    await idle(ratchet)

    words = json.dumps(mia.view.blocks, ensure_ascii=False)
    for part in ("Disk of @bo in #general", "db-3", "96 < 100 %", "File: graph.png"):
        assert part in words
    assert ("grafana: " in words) == (shortcut == "add_to_timeline")


# --- answers that come late --------------------------------------------------------------------


@pytest.fixture
async def typed(ratchet, slack, mia, card):
    """A dialog with a note in it, opened from the card."""
    await mia.press(card, "update")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    await idle(ratchet)
    await mia.fill("Private note", "db-3 lost quorum again")


async def test_a_dialog_sent_after_the_life_of_its_url_is_answered_in_the_channel(
    ratchet, slack, mia, typed, clock
):
    clock.advance(minutes=31)

    await mia.submit()
    await idle(ratchet)

    (call,) = slack.calls_of("chat.postEphemeral")
    assert call.answer["ok"]
    assert (call.arguments["channel"], call.arguments["user"]) == (
        slack.workspace.channel("#payments").id,
        mia.id,
    )
    assert "INC-1" in call.arguments["text"]
    assert slack.calls_of("chat.postMessage")[-1].arguments["channel"] != mia.id


@pytest.mark.parametrize("error", ["not_in_channel", "user_not_in_channel", "is_archived"])
async def test_where_the_channel_takes_no_answer_it_is_a_direct_message(
    ratchet, slack, mia, typed, clock, error
):
    clock.advance(minutes=31)
    slack.faults.refuse("chat.postEphemeral", error=error)

    await mia.submit()
    await idle(ratchet)

    call = slack.calls_of("chat.postMessage")[-1]
    assert (call.answer["ok"], call.arguments["channel"]) == (True, mia.id)
    assert "INC-1" in call.arguments["text"]


PASSING = {
    "a cut connection": lambda faults: faults.cut("views.update"),
    "a lost response": lambda faults: faults.lose_answer("views.update"),
    "an error of Slack's": lambda faults: faults.server_error("views.update"),
    "a page of a proxy's": lambda faults: faults.unavailable("views.update"),
    "a refusal that passes": lambda faults: faults.refuse("views.update", error="internal_error"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_dialog_that_was_not_redrawn_is_tried_once_more(ratchet, slack, mia, card, fault):
    fault(slack.faults)

    await mia.press(card, "update")
    await idle(ratchet)

    assert mia.view.callback_id == "update"
    assert len(slack.calls_of("views.update")) == 2


async def test_a_dialog_that_cannot_be_redrawn_is_answered_by_a_message(ratchet, slack, mia, card):
    slack.faults.server_error("views.update", times=None)

    asked = await mia.press(card, "update")
    await idle(ratchet)

    assert "did not open the dialog" in (await asked.answer()).words()


async def test_a_dialog_that_its_reader_closed_is_left_alone(ratchet, slack, mia, card):
    slack.faults.refuse("views.update", error="not_found", times=None)

    asked = await mia.press(card, "update")
    await idle(ratchet)

    assert len(slack.calls_of("views.update")) == 1
    assert asked.messages == []
