"""Bolt and slack_sdk, unmodified, work against the stand-in in both of Slack's modes."""

import pytest

from tests.sandbox.blocks import plain

BUTTON = {
    "type": "actions",
    "block_id": "steps",
    "elements": [
        {
            "type": "button",
            "action_id": "advance",
            "value": "42:identified",
            "text": {"type": "plain_text", "text": "Identified"},
        }
    ],
}


async def test_a_command_is_answered_on_its_acknowledgement(app, slack, mia):
    @app.command("/incident")
    async def on_command(ack, command):
        await ack(text=f"heard {command['text']} in {command['channel_name']}")

    interaction = await mia.command("#payments", "/incident list open")

    assert interaction.error is None
    assert [message.text for message in mia.ephemerals] == ["heard list open in payments"]
    assert slack.channel_view("#payments") == []


async def test_a_command_is_answered_by_its_response_url(app, mia):
    @app.command("/incident")
    async def on_command(ack, respond):
        await ack()
        await respond("later", response_type="in_channel")

    interaction = await mia.command("#payments", "/incident list")
    answer = await interaction.answer()

    assert (answer.text, answer.only_for, answer.origin) == ("later", None, "response_url")


async def test_a_click_reaches_the_app_and_can_replace_the_message(app, client, slack, mia):
    seen = []

    @app.action("advance")
    async def on_click(ack, body, action, respond):
        await ack()
        seen.append((action["value"], body["message"]["text"], body["user"]["id"]))
        await respond("done", replace_original=True)

    posted = await client.chat_postMessage(channel="C0PAYMENTS", text="a card", blocks=[BUTTON])
    card = slack.workspace.channel("#payments").by_ts[posted["ts"]]
    interaction = await mia.press(card, "Identified")
    await interaction.answer()

    assert seen == [("42:identified", "a card", mia.id)]
    assert (card.text, card.blocks, card.edits) == ("done", [], 1)


async def test_a_dialog_is_opened_filled_in_refused_corrected_and_closed(app, slack, mia):
    submitted = []

    @app.shortcut("declare")
    async def on_shortcut(ack, body, client):
        await ack()
        await client.views_open(
            trigger_id=body["trigger_id"],
            view={
                "type": "modal",
                "callback_id": "declaration",
                "title": plain("Declare"),
                "submit": plain("Declare"),
                "blocks": [
                    {
                        "type": "input",
                        "block_id": "title",
                        "label": plain("Title"),
                        "element": {"type": "plain_text_input", "action_id": "text"},
                    },
                    {
                        "type": "input",
                        "block_id": "severity",
                        "label": plain("Severity"),
                        "optional": True,
                        "element": {
                            "type": "static_select",
                            "action_id": "level",
                            "options": [
                                {"text": plain("High"), "value": "high"},
                                {"text": plain("Low"), "value": "low"},
                            ],
                        },
                    },
                ],
            },
        )

    @app.view("declaration")
    async def on_submit(ack, view):
        values = view["state"]["values"]
        submitted.append(values)
        if values["title"]["text"]["value"] == "bad":
            await ack(response_action="errors", errors={"title": "Say what is broken."})
        else:
            await ack()

    await mia.shortcut("declare")
    await slack.until(lambda: mia.has_view)
    held_back = await mia.submit()
    await mia.fill("Title", "bad")
    refused = await mia.submit()
    await mia.fill("Title", "Checkout is down")
    await mia.fill("Severity", "High")
    taken = await mia.submit()

    assert held_back.request is None
    assert held_back.field_errors == {"title": "Please complete this required field."}
    assert refused.field_errors == {"title": "Say what is broken."}
    assert (taken.error, mia.has_view) == (None, False)
    assert submitted[0]["severity"]["level"] == {"type": "static_select", "selected_option": None}
    assert submitted[1]["title"]["text"]["value"] == "Checkout is down"
    assert submitted[1]["severity"]["level"]["selected_option"]["value"] == "high"


async def test_opening_the_home_tab_sends_an_event(app, slack, mia):
    @app.event("app_home_opened")
    async def on_home(event, client):
        view = {"type": "home", "blocks": [{"type": "header", "text": plain("All quiet")}]}
        await client.views_publish(user_id=event["user"], view=view)

    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)

    assert mia.home.words() == "\nAll quiet"


async def test_a_message_shortcut_carries_the_message(app, mia):
    heard = []

    @app.shortcut("note")
    async def on_note(ack, shortcut, respond):
        await ack()
        heard.append((shortcut["message"]["text"], shortcut["channel"]["name"]))
        await respond("noted")

    message = await mia.say("#random", "the db & the cache are slow")
    interaction = await mia.message_shortcut(message, "note")
    answer = await interaction.answer()

    assert heard == [("the db &amp; the cache are slow", "random")]
    assert (answer.text, answer.only_for) == ("noted", mia.id)


async def test_a_listener_that_raises_is_shown_as_slack_shows_it(app, mia, impatient):
    @app.command("/incident")
    async def on_command():
        raise RuntimeError("broken on purpose")

    interaction = await mia.command("#payments", "/incident list")

    # Bolt answers 500 over HTTP, and leaves an envelope of Socket Mode unacknowledged.
    assert interaction.error in {"operation_timeout", "dispatch_failed"}
    assert interaction.error_seen == f'/incident failed with the error "{interaction.error}"'


async def test_an_external_select_offers_what_the_app_answers(app, client, slack, mia):
    @app.options("owner")
    async def on_options(ack, payload):
        found = [name for name in ("Mia", "Milo", "Bo") if payload["value"] in name]
        await ack(options=[{"text": plain(name), "value": name.lower()} for name in found])

    chosen = []

    @app.action("owner")
    async def on_choice(ack, action):
        await ack()
        chosen.append(action["selected_option"]["value"])

    select = {"type": "external_select", "action_id": "owner", "min_query_length": 1}
    posted = await client.chat_postMessage(
        channel="C0PAYMENTS", text="who?", blocks=[{"type": "actions", "elements": [select]}]
    )
    card = slack.workspace.channel("#payments").by_ts[posted["ts"]]
    offered = await mia.options(card, "owner", "Mi")
    await mia.choose(card, "owner", "milo", query="Mi")

    assert [option["value"] for option in offered.options] == ["mia", "milo"]
    assert chosen == ["milo"]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            "/incident",
            "<@U0BO|bo> &amp; <#C0STATUS|status> &lt;x&gt; <!here> <https://a.example/b>",
        ),
        ("/plain", "@bo &amp; #status &lt;x&gt; @here https://a.example/b"),
    ],
)
async def test_a_commands_text_is_escaped_as_the_manifest_asks(app, mia, command, text):
    @app.command(command)
    async def on_command(ack, command):
        await ack(text=command["text"])

    interaction = await mia.command(
        "#payments", f"{command} @bo & #status <x> @here https://a.example/b"
    )

    assert interaction.messages[0].text == text
