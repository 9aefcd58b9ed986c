"""What answers 200 in Slack's place counts as no answer, and nothing is lost over it."""

from __future__ import annotations

import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.app import build
from bot.doctor.checks import examine
from bot.settings import Settings
from bot.slack.people import UNREACHABLE, People, SlackUnavailable
from bot.slack.web import ANSWERS, a_client
from core.incident import Place, PublicText
from storage.models import State
from tests.builders import a_change, a_declaration, an_actor

PAYMENTS, STATUS = "C0PAYMENTS", "C0STATUS"
JSON = "application/json"
HTML = "text/html"

ODD = {
    "a proxy's page": (b"<html>Please log in</html>", HTML),
    "a page that calls itself text": (b"<html>Please log in</html>", "text/plain"),
    "a page that calls itself JSON": (b"<html>Please log in</html>", JSON),
    "a compressed file": (b"\x1f\x8b\x08", "application/gzip"),
    "a picture": (b"\x89PNG\r\n", "image/png"),
    "nothing": (b"", JSON),
    "JSON that breaks off": (b'{"ok": true, "user": {"id": "U0', JSON),
    "a list": (b"[]", JSON),
    "a text in JSON": (b'"ok"', JSON),
    "a number": (b"7", JSON),
    "null": (b"null", JSON),
    "an empty object": (b"{}", JSON),
    "success, and nothing else": (b'{"ok": true}', JSON),
    "success that is a word": (b'{"ok": "yes"}', JSON),
    "a success of other shapes": (
        json.dumps(
            {
                "ok": True,
                **dict.fromkeys(("user", "users", "channel", "messages", "view", "url"), 7),
            }
        ).encode(),
        JSON,
    ),
    "another's refusal": (b'{"error": "Forbidden"}', JSON),
    "bytes that are no text": (b'{"ok": true, "user": "\xff\xfe"}', JSON),
    "a number without end": (b'{"ok": true, "user": ' + b"9" * 5_000 + b"}", JSON),
    "brackets without end": (b"[" * 100_000, JSON),
}
each_odd_answer = pytest.mark.parametrize(("body", "kind"), ODD.values(), ids=ODD)


@pytest.fixture
async def client(environment):
    client = a_client(Settings.from_env(environment), timeout_seconds=5)
    async with aiohttp.ClientSession() as client.session:
        yield client


def asked(client, method):
    arguments = {
        "auth.test": {},
        "apps.connections.open": {"app_token": "xapp-1-a"},
        "chat.postMessage": {"channel": "C0STATUS", "text": "x"},
        "conversations.history": {"channel": "C0STATUS"},
        "conversations.info": {"channel": "C0STATUS"},
        "conversations.replies": {"channel": "C0STATUS", "ts": "1.0"},
        "usergroups.users.list": {"usergroup": "S0"},
        "users.info": {"user": "U0MIA"},
        "views.open": {"trigger_id": "1", "view": {}},
    }
    return getattr(client, method.replace(".", "_"))(**arguments[method])


@each_odd_answer
@pytest.mark.parametrize("method", ANSWERS)
async def test_an_odd_answer_is_none_of_slacks(slack, client, method, body, kind):
    slack.faults.garble(method, body=body, content_type=kind)

    with pytest.raises((*UNREACHABLE, SlackApiError)) as met:
        await asked(client, method)

    assert getattr(getattr(met.value, "response", None), "data", {}).get("ok") is not False


@each_odd_answer
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_a_person_is_told_that_slack_does_not_answer(
    slack, client, clock, method, body, kind
):
    group = slack.workspace.add_group("responders", members=["mia"])
    people = People(client, clock=clock, responders_group=group.id, publishers_group=None)
    slack.faults.garble(method, body=body, content_type=kind)

    with pytest.raises(SlackUnavailable, match="Nothing was changed"):
        await people.actor(slack.workspace.team_id, "U0MIA", channel=None)
    assert (await people.actor(slack.workspace.team_id, "U0MIA", channel=None)).responder


@each_odd_answer
@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("auth.test", "token"),
        ("apps.connections.open", "socket mode"),
        ("usergroups.users.list", "RESPONDERS_GROUP"),
        ("conversations.info", "status channel"),
    ],
)
async def test_the_doctor_says_that_slack_does_not_answer(
    slack, environment, method, what, body, kind
):
    group = slack.workspace.add_group("responders", members=["mia"])
    slack.faults.garble(method, body=body, content_type=kind)

    findings = await examine(Settings.from_env(environment | {"RESPONDERS_GROUP": group.id}))

    assert [finding.text for finding in findings if not finding.well] == [
        f"{what}: Slack, or the server at SLACK_API_URL, does not answer; check the network"
    ]


@pytest.fixture
async def app(environment, client, clock):
    """The whole of Ratchet, at which nobody knocks: what happens, the test makes happen."""
    app = build(Settings.from_env(environment), clock=clock)
    app.store.open_for_serving()
    app.client.session = client.session
    yield app
    app.store.close()


async def settle(app, clock):
    for _ in range(600):
        await app.worker.deliver_due()
        if await app.outbox.next_due() is None:
            return
        clock.advance(seconds=1)
    raise AssertionError("messages are still waiting")


@each_odd_answer
async def test_every_card_and_update_is_posted_once_all_the_same(slack, app, clock, body, kind):
    here = {"actor": an_actor(channel=PAYMENTS)}
    methods = ("chat.postMessage", "conversations.history", "chat.update", "conversations.replies")
    for method in methods:
        slack.faults.garble(method, body=body, content_type=kind)
    await app.incidents.execute(a_declaration(**here, place=Place(PAYMENTS)))
    await settle(app, clock)
    slack.faults.garble("chat.postMessage", body=body, content_type=kind, times=2)
    await app.incidents.execute(a_change(**here, ref=1, public=PublicText("We are looking.")))
    await settle(app, clock)

    assert await app.outbox.list(State.DEAD) == ()
    assert len(slack.channel_view(PAYMENTS)) == 1
    (card,) = slack.channel_view(STATUS)
    assert [reply.text for reply in card.replies] == ["INC-1 Checkout is down: We are looking."]
