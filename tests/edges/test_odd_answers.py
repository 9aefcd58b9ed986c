"""A status 200 from a server that is not Slack counts as no answer, and loses no message."""

from __future__ import annotations

import itertools
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.app import build
from bot.doctor.checks import examine
from bot.settings import Settings
from bot.slack.people import UNREACHABLE, People, SlackUnavailable
from bot.slack.web import ANSWERS, a_client
from core.incident import (
    Groups,
    Place,
    PublicText,
)
from storage.models import State
from tests.builders import a_change, a_declaration, an_actor
from tests.patience import PATIENCE_SECONDS

PAYMENTS, STATUS = "C0PAYMENTS", "C0STATUS"
JSON = "application/json"
HTML = "text/html"

ODD = {
    "a proxy's page": (b"<html>Please log in</html>", HTML),
    "a page as plain text": (b"<html>Please log in</html>", "text/plain"),
    "a page as JSON": (b"<html>Please log in</html>", JSON),
    "a compressed file": (b"\x1f\x8b\x08", "application/gzip"),
    "a picture": (b"\x89PNG\r\n", "image/png"),
    "an empty body": (b"", JSON),
    "JSON that is cut off": (b'{"ok": true, "user": {"id": "U0', JSON),
    "a list": (b"[]", JSON),
    "a text in JSON": (b'"ok"', JSON),
    "a number": (b"7", JSON),
    "null": (b"null", JSON),
    "an empty object": (b"{}", JSON),
    "success without a field": (b'{"ok": true}', JSON),
    "success as a text": (b'{"ok": "yes"}', JSON),
    "success with fields of other types": (
        json.dumps(
            {
                "ok": True,
                **dict.fromkeys(
                    ("user", "users", "usergroups", "channel", "messages", "view", "url"), 7
                ),
            }
        ).encode(),
        JSON,
    ),
    "a refusal by another server": (b'{"error": "Forbidden"}', JSON),
    "bytes that are not UTF-8": (b'{"ok": true, "user": "\xff\xfe"}', JSON),
    "a number of 5,000 digits": (b'{"ok": true, "user": ' + b"9" * 5_000 + b"}", JSON),
    "100,000 brackets": (b"[" * 100_000, JSON),
}
# The client checks these two against the fields of each method.
BY_FIELDS = ("success without a field", "success with fields of other types")
# The client fails in four ways, and our code sees only the error: one answer for each of them.
FOUR = ("a proxy's page", "JSON that is cut off", "a refusal by another server", "an empty body")

METHODS = tuple(ANSWERS)
# Each answer for one method in turn, and every method with the answers that its fields decide on.
PAIRS = dict.fromkeys(
    [
        *zip(itertools.cycle(METHODS), ODD),
        *itertools.product(METHODS, BY_FIELDS),
    ]
)
each_of_four = pytest.mark.parametrize("name", FOUR)


@pytest.fixture
async def client(environment):
    client = a_client(Settings.from_env(environment), timeout_seconds=int(PATIENCE_SECONDS))
    async with aiohttp.ClientSession() as client.session:
        yield client


def asked(client, method):
    arguments: dict[str, dict[str, Any]] = {
        "auth.test": {},
        "apps.connections.open": {"app_token": "xapp-1-a"},
        "chat.postMessage": {"channel": "C0STATUS", "text": "x"},
        "conversations.create": {"name": "inc-1"},
        "conversations.list": {},
        "conversations.members": {"channel": "C0STATUS"},
        "conversations.history": {"channel": "C0STATUS"},
        "conversations.info": {"channel": "C0STATUS"},
        "conversations.replies": {"channel": "C0STATUS", "ts": "1.0"},
        "files.completeUploadExternal": {"files": [{"id": "F1"}]},
        "files.getUploadURLExternal": {"filename": "INC-1.md", "length": 7},
        "usergroups.list": {},
        "usergroups.users.list": {"usergroup": "S0"},
        "users.info": {"user": "U0MIA"},
        "views.open": {"trigger_id": "1", "view": {}},
    }
    return getattr(client, method.replace(".", "_"))(**arguments[method])


def garble(slack, method, name, *, times=1):
    body, content_type = ODD[name]
    slack.faults.garble(method, body=body, content_type=content_type, times=times)


async def error_of(slack, client, method, name):
    garble(slack, method, name)
    with pytest.raises((*UNREACHABLE, SlackApiError)) as raised:
        await asked(client, method)
    return raised.value


def form(error):
    """The types by which our code distinguishes errors of the client."""
    return type(error), type(getattr(getattr(error, "response", None), "data", None))


@pytest.mark.parametrize(("method", "name"), PAIRS)
async def test_an_odd_answer_is_no_answer_of_slack(slack, client, method, name):
    error = await error_of(slack, client, method, name)

    assert getattr(getattr(error, "response", None), "data", {}).get("ok") is not False


async def test_every_odd_answer_fails_like_one_of_the_four(slack, client):
    forms = {name: form(await error_of(slack, client, "users.info", name)) for name in ODD}

    assert {forms[name] for name in FOUR} == set(forms.values())


@each_of_four
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_a_person_is_told_that_slack_does_not_answer(slack, client, clock, method, name):
    group = slack.workspace.add_group("responders", members=["mia"])
    people, groups = People(client, clock=clock), Groups(responders=group.id)
    team = slack.workspace.team_id
    garble(slack, method, name)

    with pytest.raises(SlackUnavailable, match="Nothing was changed"):
        await people.actor(team, "U0MIA", channel=None, groups=groups)
    assert (await people.actor(team, "U0MIA", channel=None, groups=groups)).responder


@each_of_four
@pytest.mark.parametrize(
    ("method", "check"),
    [
        ("auth.test", "token"),
        ("apps.connections.open", "socket mode"),
        ("usergroups.users.list", "RESPONDERS_GROUP"),
        ("conversations.info", "status channel"),
    ],
)
async def test_the_doctor_says_that_slack_does_not_answer(slack, environment, method, check, name):
    group = slack.workspace.add_group("responders", members=["mia"])
    garble(slack, method, name)

    results = await examine(Settings.from_env(environment | {"RESPONDERS_GROUP": group.id}))

    assert [result.text for result in results if not result.well] == [
        f"{check}: Slack, or the server at SLACK_API_URL, does not answer; check the network"
    ]


@pytest.fixture
async def app(environment, client, clock):
    """The whole of Ratchet without its schedule and its servers: the test makes each step."""
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


@each_of_four
async def test_every_card_and_update_is_posted_once(slack, app, clock, name):
    team = slack.workspace.team_id
    assert await app.people.serves(team)
    here = {"actor": an_actor(workspace=team, channel=PAYMENTS)}
    methods = ("chat.postMessage", "conversations.history", "chat.update", "conversations.replies")
    for method in methods:
        garble(slack, method, name)
    await app.incidents.execute(a_declaration(**here, place=Place(PAYMENTS)))
    await settle(app, clock)
    garble(slack, "chat.postMessage", name, times=2)
    await app.incidents.execute(a_change(**here, ref=1, public=PublicText("We are looking.")))
    await settle(app, clock)

    assert await app.outbox.list(State.DEAD) == ()
    assert len(slack.channel_view(PAYMENTS)) == 1
    (card,) = slack.channel_view(STATUS)
    assert [reply.text for reply in card.replies] == ["INC-1 Checkout is down: We are looking."]
