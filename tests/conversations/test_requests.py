"""Requests of any shape are acknowledged, in both modes, and unsigned ones are refused."""

from __future__ import annotations

import json
import time
from pathlib import Path

import aiohttp
import pytest

PERSON = {"id": "U0MIA", "username": "mia", "name": "mia", "team_id": "T0SANDBOX"}
TEAM = {"id": "T0SANDBOX", "domain": "sandbox"}
VIEW = {
    "id": "V111",
    "team_id": "T0SANDBOX",
    "type": "modal",
    "blocks": [],
    "private_metadata": "somebody else's",
    "callback_id": "somebody-elses",
    "state": {"values": {}},
    "hash": "111.xxx",
    "title": {"type": "plain_text", "text": "Not ours"},
}
COMMAND = {
    "team_id": "T0SANDBOX",
    "channel_id": "C0PAYMENTS",
    "channel_name": "payments",
    "user_id": "U0MIA",
    "command": "/renamed",
    "text": "list",
    "trigger_id": "111.222.xxx",
}
EVENT = {
    "type": "event_callback",
    "team_id": "T0SANDBOX",
    "event_id": "Ev111",
    "event_time": 1595926230,
    "event": {"type": "message", "text": "hello", "user": "U0MIA", "channel": "C0PAYMENTS"},
}
SEEN = {
    "a command under another name": ("slash_commands", COMMAND),
    "an event that nobody asked for": ("events_api", EVENT),
    "a click on an unknown button": (
        "interactive",
        {
            "type": "block_actions",
            "user": PERSON,
            "team": TEAM,
            "trigger_id": "111.222.valid",
            "container": {"type": "message", "message_ts": "111.222", "channel_id": "C0PAYMENTS"},
            "channel": {"id": "C0PAYMENTS", "name": "payments"},
            "actions": [{"type": "button", "action_id": "a", "block_id": "b", "value": "click_me"}],
        },
    ),
    "a search in an unknown menu": (
        "interactive",
        {
            "type": "block_suggestion",
            "user": PERSON,
            "team": TEAM,
            "container": {"type": "view", "view_id": "V111"},
            "action_id": "es_a",
            "block_id": "es_b",
            "value": "search word",
            "view": VIEW,
        },
    ),
    "an unknown form": (
        "interactive",
        {"type": "view_submission", "user": PERSON, "team": TEAM, "view": VIEW, "trigger_id": "1"},
    ),
    "a form that was closed": (
        "interactive",
        {"type": "view_closed", "user": PERSON, "team": TEAM, "view": VIEW},
    ),
    "an unknown shortcut": (
        "interactive",
        {
            "type": "shortcut",
            "user": PERSON,
            "team": TEAM,
            "callback_id": "test-shortcut",
            "trigger_id": "111.111.xxxxxx",
        },
    ),
    "a shortcut on a message": (
        "interactive",
        {
            "type": "message_action",
            "user": PERSON,
            "team": TEAM,
            "channel": {"id": "C0PAYMENTS", "name": "payments"},
            "callback_id": "test-shortcut",
            "trigger_id": "111.222.xxx",
            "message": {"type": "message", "text": "<@U0BO> test", "user": "U0MIA"},
        },
    ),
}


def recorded():
    """Bodies recorded of the real Slack, if a collection of them is beside the checkout."""
    folder = Path(__file__).parents[3] / "shared" / "reference" / "slack" / "requests"
    for path in sorted(folder.glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        body = body.get("_decoded", body)
        kind = "slash_commands" if "command" in body else "interactive"
        yield path.stem, ("events_api" if body.get("type") == "event_callback" else kind, body)


BODIES = {**SEEN, **dict(recorded())}


async def test_every_body_of_slacks_is_acknowledged(slack, ratchet, case):
    for name, (kind, recording) in BODIES.items():
        with case(name):
            # An answer goes to the stand-in, wherever the recorded one went.
            body = {**recording, "response_url": f"{slack.url}/commands/T0/1/none"}
            answers = kind == "slash_commands"

            request = await slack.courier.send(kind, body, accepts_response=answers)

            assert request.ack is not None
            assert request.ack.error is None
            assert request.ack.status in {None, 200}


@pytest.fixture
async def post(slack, ratchet):
    async with aiohttp.ClientSession() as session:

        async def post(body, headers):
            url = f"{ratchet.http.address}/slack/events"
            async with session.post(url, data=body, headers=headers) as answer:
                return answer.status

        yield post


FORM = "application/x-www-form-urlencoded"
BODY = (
    b"command=%2Fincident&text=declare+Forged&team_id=T0SANDBOX&user_id=U0MIA&channel_id=C0PAYMENTS"
)


class TestHttpMode:
    """Requests that only a server on the network receives."""

    @pytest.fixture
    def mode(self):
        return "http"

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"x-slack-signature": "v0=" + "0" * 64},
            {"x-slack-signature": "v0=\u00e9"},
            {"x-slack-signature": ""},
            {"x-slack-request-timestamp": "12345"},
            {"x-slack-request-timestamp": "soon"},
        ],
        ids=["another signature", "a strange one", "none", "another time", "no time"],
    )
    async def test_a_request_without_slacks_signature_gets_401(self, slack, ratchet, post, spoilt):
        signed = slack.signed_headers(BODY, content_type=FORM)
        headers = {name.lower(): value for name, value in signed.items()}

        assert await post(BODY, {**headers, **spoilt}) == 401

        assert (await ratchet.outbox.next_due()) is None

    async def test_a_signed_body_of_no_known_shape_is_answered(self, slack, post):
        strange = b"command=%2Fincident"

        assert await post(strange, slack.signed_headers(strange, content_type=FORM)) == 200

    @pytest.mark.parametrize("minutes", [-6, 6])
    async def test_a_request_signed_minutes_away_gets_401(self, slack, post, minutes):
        stale = slack.signed_headers(BODY, content_type=FORM, at=time.time() + 60 * minutes)

        assert await post(BODY, stale) == 401

    @pytest.mark.usefixtures("ratchet")
    async def test_slacks_questions_about_the_address_are_answered(self, slack):
        assert await slack.courier.verify_url()
        assert await slack.courier.check_ssl() == 200
