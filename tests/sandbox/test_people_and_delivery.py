"""Acts of people: their payloads, the delivery to the app, and the visible results."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox import CannotDo
from tests.sandbox.blocks import plain
from tests.sandbox.connections import by_http, by_socket

PAYMENTS = "C0PAYMENTS"


def button(text="Go", **changes):
    return {"type": "button", "action_id": "go", "text": plain(text), **changes}


def row(*elements, **changes):
    return {"type": "actions", "elements": list(elements), **changes}


def dialog(*blocks, **changes):
    return {
        "type": "modal",
        "title": plain("Update"),
        "submit": plain("Save"),
        "blocks": list(blocks) or [field()],
        **changes,
    }


def field(name="note", **changes):
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name.title()),
        "element": {"type": "plain_text_input", "action_id": "text"},
        **changes,
    }


async def posted(slack, client, *blocks, channel=PAYMENTS, **changes):
    """A message of the bot with these blocks, in the channel."""
    answer = await client.chat_postMessage(
        channel=channel, text="a card", blocks=list(blocks), **changes
    )
    return slack.workspace.channels[answer["channel"]].by_ts[answer["ts"]]


@pytest.fixture
async def listening(slack, bolt):
    """A Bolt app in Socket Mode that acknowledges and keeps every payload."""
    heard = []

    async def keep(ack, body):
        heard.append(body)
        await ack()

    bolt.command("/incident")(keep)
    bolt.action({"type": "block_actions", "action_id": "go"})(keep)
    bolt.action("choice")(keep)
    bolt.shortcut("declare")(keep)
    bolt.shortcut("note")(keep)
    bolt.view("update")(keep)
    bolt.view_closed("update")(keep)
    bolt.event("message")(keep)
    bolt.event("app_mention")(keep)
    async with by_socket(slack, bolt):
        yield heard


# --- payloads ---


async def test_a_command_has_the_payload_of_slack(slack, listening, mia):
    interaction = await mia.command("#war-room", "/incident  status 42 ")

    [body] = listening
    assert {key: body[key] for key in body if key not in {"response_url", "trigger_id"}} == {
        "token": "verification-token",
        "team_id": "T0SANDBOX",
        "team_domain": "sandbox",
        "channel_id": "C0WARROOM",
        "channel_name": "privategroup",
        "user_id": "U0MIA",
        "user_name": "mia",
        "command": "/incident",
        "text": "status 42",
        "api_app_id": "A0JUDGE",
        "is_enterprise_install": "false",
    }
    assert body["response_url"].startswith(f"{slack.url}/commands/T0SANDBOX/")
    assert interaction.request.payload == body


async def test_a_click_has_its_message_and_element(slack, client, listening, mia):
    card = await posted(slack, client, row(button(value="42", style="primary"), block_id="steps"))
    await mia.press(card, "Go")

    [body] = listening
    assert body["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": PAYMENTS,
        "is_ephemeral": False,
    }
    assert body["message"]["blocks"] == card.blocks
    [action] = body["actions"]
    assert {key: action[key] for key in action if key != "action_ts"} == {
        "type": "button",
        "action_id": "go",
        "block_id": "steps",
        "value": "42",
        "style": "primary",
        "text": {"type": "plain_text", "text": "Go", "emoji": True},
    }


async def test_a_click_in_an_ephemeral_message_carries_no_message(slack, client, listening, mia):
    await client.chat_postEphemeral(channel=PAYMENTS, user=mia.id, text="x", blocks=[row(button())])
    await mia.press(mia.ephemerals[0], "Go")

    [body] = listening
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body


async def test_a_click_on_a_redrawn_message_sends_the_old_value(slack, client, listening, mia):
    card = await posted(slack, client, row(button("Identified", value="1")))
    as_drawn = card.snapshot()
    await client.chat_update(
        channel=PAYMENTS, ts=card.ts, text="y", blocks=[row(button("Monitoring", value="2"))]
    )
    await mia.press(as_drawn, "Identified")

    assert listening[0]["actions"][0]["value"] == "1"


CHOICES: list[tuple[dict[str, Any], Any, dict[str, Any]]] = [
    (
        {"type": "overflow", "options": [{"text": plain("One"), "value": "1"}]},
        "One",
        {"selected_option": {"text": plain("One") | {"emoji": True}, "value": "1"}},
    ),
    (
        {"type": "static_select", "options": [{"text": plain("One"), "value": "1"}]},
        "1",
        {"selected_option": {"text": plain("One") | {"emoji": True}, "value": "1"}},
    ),
    ({"type": "users_select"}, "bo", {"selected_user": "U0BO"}),
    ({"type": "conversations_select"}, "#status", {"selected_conversation": "C0STATUS"}),
    ({"type": "multi_users_select"}, ["bo", "sam"], {"selected_users": ["U0BO", "U0SAM"]}),
    ({"type": "datepicker"}, "2025-06-15", {"selected_date": "2025-06-15"}),
]


@pytest.mark.parametrize(
    ("element", "choice", "said"), CHOICES, ids=[row[0]["type"] for row in CHOICES]
)
async def test_a_choice_has_the_chosen_value(slack, client, listening, mia, element, choice, said):
    card = await posted(slack, client, row({"action_id": "choice", **element}, block_id="b"))
    await mia.choose(card, "choice", choice)

    [action] = listening[0]["actions"]
    assert {key: action[key] for key in said} == said
    if element["type"] != "overflow":
        entry = listening[0]["state"]["values"]["b"]["choice"]
        assert {key: entry[key] for key in said} == said


async def test_a_shortcut_opens_with_a_trigger_and_a_message_shortcut_with_a_message(
    listening, mia
):
    message = await mia.say("#random", "look")
    await mia.shortcut("declare")
    await mia.message_shortcut(message, "note")

    everywhere, on_message = listening
    assert (everywhere["type"], "response_url" in everywhere) == ("shortcut", False)
    assert (on_message["type"], on_message["message_ts"]) == ("message_action", message.ts)
    assert on_message["channel"] == {"id": "C0RANDOM", "name": "random"}


async def test_closing_a_dialog_notifies_the_app_on_request(slack, client, listening, mia):
    for notify in (True, False):
        await client.views_open(
            trigger_id=slack.workspace.new_trigger(mia.id),
            view=dialog(callback_id="update", notify_on_close=notify),
        )
        await mia.close()

    assert [(body["type"], body["is_cleared"]) for body in listening] == [("view_closed", False)]
    assert not mia.has_view


# --- limits of the client ---


async def test_a_person_has_the_limits_of_slacks_client(slack, client, listening, mia):
    gus = slack.person("gus")
    card = await posted(slack, client, row(button(), block_id="a"), row(button(), block_id="b"))
    attempts = [
        mia.command("#payments", "/unknown"),
        mia.command("#old-news", "/incident list"),
        gus.command("#war-room", "/incident list"),
        mia.press(card, "Stop"),
        mia.press(card, "Go"),
        mia.submit(),
        mia.shortcut("note"),
    ]
    for attempt in attempts:
        with pytest.raises(CannotDo):
            await attempt
    await mia.press(card, "Go", block="b")

    assert [body["actions"][0]["block_id"] for body in listening] == ["b"]


async def test_a_redrawn_input_keeps_its_value(slack, client, listening, mia):
    opened = await client.views_open(
        trigger_id=slack.workspace.new_trigger(mia.id),
        view=dialog(field("note"), field("public", optional=True), callback_id="update"),
    )
    await mia.fill("Note", "db-3 lost quorum")
    await mia.fill("Public", "soon")
    await client.views_update(
        view_id=opened["view"]["id"],
        view=dialog(field("note"), field("other", optional=True), callback_id="update"),
    )
    await mia.submit()

    [body] = listening
    assert body["view"]["state"]["values"] == {
        "note": {"text": {"type": "plain_text_input", "value": "db-3 lost quorum"}},
        "other": {"text": {"type": "plain_text_input", "value": None}},
    }


@pytest.mark.parametrize(
    ("element", "value", "fault"),
    [
        ({"type": "plain_text_input", "max_length": 3}, "four", "Must be 3 characters or fewer."),
        ({"type": "plain_text_input", "min_length": 5}, "four", "Must be at least 5 characters."),
        ({"type": "plain_text_input"}, "", "Please complete this required field."),
        ({"type": "email_text_input"}, "mia", "Please enter a valid email address."),
        ({"type": "url_text_input"}, "mia", "Please enter a valid URL."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "Please enter a number."),
        (
            {"type": "number_input", "is_decimal_allowed": True, "max_value": "1"},
            "1.5",
            "Please enter a number in the allowed range.",
        ),
        (
            {"type": "multi_users_select", "max_selected_items": 1},
            ["bo", "sam"],
            "Select 1 or fewer.",
        ),
    ],
)
async def test_an_invalid_form_is_not_sent(slack, client, listening, mia, element, value, fault):
    await client.views_open(
        trigger_id=slack.workspace.new_trigger(mia.id),
        view=dialog(field(element={"action_id": "text", **element})),
    )
    await mia.fill("note", value)
    interaction = await mia.submit()

    assert interaction.field_errors == {"note": fault}
    assert (interaction.request, listening) == (None, [])


# --- acknowledgements ---

SUBMISSIONS = [
    ({}, None, 0),
    ({"response_action": "clear"}, None, 0),
    ({"response_action": "errors", "errors": {"note": "no"}}, None, 2),
    (
        {"response_action": "errors", "errors": {"nowhere": "no"}},
        "invalid_response_errors",
        2,
    ),
    ({"response_action": "update", "view": dialog(title=plain("New"))}, None, 2),
    (
        {"response_action": "update", "view": dialog(title=plain("x" * 25))},
        "invalid_arguments",
        2,
    ),
    ({"response_action": "push", "view": dialog()}, None, 3),
    ({"response_action": "dance"}, "invalid_response_action", 2),
]


@pytest.mark.parametrize(("answer", "error", "left"), SUBMISSIONS)
async def test_the_answer_to_a_submission_changes_the_dialogs(
    slack, client, app, mia, answer, error, left
):
    @app.view("update")
    async def on_submit(ack):
        await ack(**answer)

    for call in (client.views_open, client.views_push):
        trigger = slack.workspace.new_trigger(mia.id)
        await call(trigger_id=trigger, view=dialog(callback_id="update"))
    await mia.fill("Note", "x")
    interaction = await mia.submit()

    assert interaction.error == error
    expected = left if answer else 1
    assert len(slack.workspace.stacks[mia.id]) == expected


async def test_a_command_to_a_slow_app_times_out(slack, bolt, mia, impatient):
    let_go = asyncio.Event()

    @bolt.command("/incident")
    async def on_command(ack):
        await let_go.wait()
        await ack("too late")

    for connection in (by_socket, by_http):
        async with connection(slack, bolt):
            interaction = await mia.command("#payments", "/incident list")
            assert interaction.error == "operation_timeout"
            assert interaction.error_seen == ('/incident failed with the error "operation_timeout"')
            assert interaction.ack.latency_seconds >= slack.courier.ack_seconds
    let_go.set()
    assert mia.ephemerals == []


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9/slack/events"])
async def test_without_an_app_a_command_fails_at_once(slack, mia, url):
    slack.request_url = url
    interaction = await mia.command("#payments", "/incident list")

    assert interaction.error_seen == '/incident failed with the error "dispatch_failed"'


async def test_an_answer_with_invalid_blocks_is_shown_as_an_error(app, mia):
    @app.command("/incident")
    async def on_command(ack):
        await ack(text="x", blocks=[{"type": "header", "text": plain("x" * 151)}])

    interaction = await mia.command("#payments", "/incident list")

    assert interaction.error == "invalid_command_response"
    assert interaction.details[1:] == [
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]
    assert mia.ephemerals == []


# --- response_url ---


async def test_a_response_url_works_five_times_in_half_an_hour(slack, listening, clock, mia):
    first = await mia.command("#payments", "/incident list")
    second = await mia.command("#payments", "/incident list")
    uses = [
        (await AsyncWebhookClient(first.response_url).send(text=str(number))).status_code
        for number in range(6)
    ]
    clock.advance(seconds=30 * 60 + 1)
    late = await AsyncWebhookClient(second.response_url).send(text="late")

    assert uses == [200] * 5 + [404]
    assert [use.error for use in first.uses] == [None] * 5 + ["used_url"]
    assert (late.status_code, "expired_url" in late.body) == (404, True)
    assert [message.text for message in mia.ephemerals] == list("01234")


async def test_a_response_url_can_replace_and_delete_the_original(slack, client, listening, mia):
    await client.chat_postEphemeral(channel=PAYMENTS, user=mia.id, text="x", blocks=[row(button())])
    [shown] = mia.ephemerals
    interaction = await mia.press(shown, "Go")
    webhook = AsyncWebhookClient(interaction.response_url)

    await webhook.send(text="replaced", replace_original=True)
    assert [message.text for message in mia.ephemerals] == ["replaced"]
    await webhook.send(text="beside it")
    assert [message.text for message in mia.ephemerals] == ["replaced", "beside it"]
    await webhook.send(delete_original=True)
    assert [message.text for message in mia.ephemerals] == ["beside it"]


async def test_a_response_url_can_post_to_a_channel_without_the_bot(slack, listening, mia):
    interaction = await mia.command("#random", "/incident list")
    answer = await AsyncWebhookClient(interaction.response_url).send(
        text="for all", response_type="in_channel"
    )

    assert answer.status_code == 200
    assert [post.text for post in slack.channel_view("#random")] == ["for all"]


# --- events ---


async def test_an_event_is_delivered_until_it_is_acknowledged(slack, bolt, mia):
    slack.courier.event_retry_seconds = (0, 0, 0)
    tries = []

    @bolt.event("message")
    async def on_message(request):
        tries.append(request.headers.get("x-slack-retry-num", ["0"])[0])
        if len(tries) < 3:
            raise RuntimeError("broken on purpose")

    async with by_http(slack, bolt):
        await mia.say("#payments", "hello")
        await slack.courier.settle()

    assert tries == ["0", "1", "2"]
    assert len({request.payload["event_id"] for request in slack.requests}) == 1


async def test_an_app_gets_only_subscribed_events_of_its_channels(slack, listening, mia):
    await mia.say("#payments", "in")
    await mia.say("#random", "the bot is not here")
    await mia.say("#war-room", "not subscribed to message.groups")
    await mia.say("#payments", "<@U0BO> @judge")
    await slack.courier.settle()

    events = [request.payload["event"] for request in slack.requests]
    assert [(event["type"], event["text"]) for event in events] == [
        ("message", "in"),
        ("message", "&lt;@U0BO&gt; <@U0JUDGE>"),
        ("app_mention", "&lt;@U0BO&gt; <@U0JUDGE>"),
    ]


# --- Socket Mode ---


async def test_payloads_alternate_between_connections(slack, bolt, mia):
    @bolt.command("/incident")
    async def on_command(ack):
        await ack()

    async with by_socket(slack, bolt), by_socket(slack, bolt):
        for _ in range(4):
            await mia.command("#payments", "/incident list")

    used = [request.connection for request in slack.requests]
    assert used[0] != used[1]
    assert used[:2] == used[2:]


async def test_an_envelope_of_a_dropped_connection_goes_to_another(slack, bolt, mia):
    arrived = asyncio.Event()
    answers = iter([asyncio.Event(), None])

    @bolt.command("/incident")
    async def on_command(ack):
        arrived.set()
        if (wait := next(answers)) is not None:
            await wait.wait()
        await ack("heard")

    async with by_socket(slack, bolt), by_socket(slack, bolt):
        command = asyncio.create_task(mia.command("#payments", "/incident list"))
        await arrived.wait()
        [busy] = [each for each in slack.sockets.connections if each.unacknowledged]
        slack.sockets.cut(busy)
        interaction = await command

    assert (interaction.error, interaction.request.redelivered) == (None, True)
    assert [message.text for message in mia.ephemerals] == ["heard"]


async def test_a_half_open_connection_delivers_nothing(slack, listening, mia, impatient):
    slack.sockets.half_open()
    interaction = await mia.command("#payments", "/incident list")

    assert (interaction.error, listening) == ("operation_timeout", [])


@pytest.mark.parametrize("end", ["announce_disconnect", "close"])
async def test_an_app_reconnects_after_the_end_of_its_connection(slack, listening, mia, end):
    [before] = slack.sockets.connections
    await getattr(slack.sockets, end)()
    await slack.until(lambda: any(each is not before for each in slack.sockets.connections))
    interaction = await mia.command("#payments", "/incident list")

    assert interaction.error is None


async def test_an_eleventh_connection_is_refused(slack, client):
    async def connect(session):
        opened = await client.apps_connections_open(app_token=slack.app_token)
        socket = await session.ws_connect(opened["url"])
        return socket, await socket.receive_json()

    async with aiohttp.ClientSession() as session:
        hellos = [await connect(session) for _ in range(11)]
        kinds = [hello["type"] for _socket, hello in hellos]
        reasons = [hello.get("reason") for _socket, hello in hellos]
        for socket, _hello in hellos:
            await socket.close()

    assert kinds == ["hello"] * 10 + ["disconnect"]
    assert reasons[-1] == "too_many_websockets"


async def test_a_ticket_admits_one_connection(slack, client):
    opened = await client.apps_connections_open(app_token=slack.app_token)
    async with aiohttp.ClientSession() as session:
        await (await session.ws_connect(opened["url"])).close()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(opened["url"])


# --- duplicates and signatures ---


async def test_a_request_can_be_redelivered_in_concurrent_copies(slack, bolt, mia):
    heard = []

    @bolt.command("/incident")
    async def on_command(ack, command):
        heard.append(command["trigger_id"])
        await ack("once")

    for connection in (by_socket, by_http):
        heard.clear()
        async with connection(slack, bolt):
            await mia.command("#payments", "/incident list")
            copies = await slack.redeliver(copies=3, at_once=True)
        assert len(heard) == 4
        assert len(set(heard)) == 1
        assert [copy.ack.error for copy in copies] == [None] * 3

    # In Slack only one acknowledgement counts, so the answers to the copies are not shown.
    assert [message.text for message in mia.ephemerals] == ["once", "once"]


async def test_a_copy_can_go_to_another_connection_of_the_app(slack, bolt, mia):
    @bolt.command("/incident")
    async def on_command(ack):
        await ack()

    async with by_socket(slack, bolt), by_socket(slack, bolt):
        first = await mia.command("#payments", "/incident list")
        [other] = [
            each for each in slack.sockets.connections if each.id != first.request.connection
        ]
        [copy] = await slack.redeliver(to=other)

    assert copy.connection == other.id
    assert copy.id == first.request.id


async def test_slacks_own_verifier_accepts_the_signatures(slack):
    body = json.dumps({"type": "event_callback"}).encode()
    headers = slack.signed_headers(body, content_type="application/json")
    stale = slack.signed_headers(body, content_type="application/json", at=1_000_000_000)
    verifier = SignatureVerifier(slack.signing_secret)

    assert verifier.is_valid_request(body, headers)
    assert not verifier.is_valid_request(body, stale)
    assert not verifier.is_valid_request(body + b" ", headers)


async def test_a_request_url_gets_slacks_handshakes(slack, bolt):
    async with by_http(slack, bolt):
        assert await slack.courier.verify_url()
        assert await slack.courier.check_ssl() == 200
