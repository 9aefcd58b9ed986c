"""The stand-in refuses as Slack does: with Slack's error, past the limit and not before."""

import json

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits, blockkit
from tests.sandbox.blocks import mrkdwn, plain
from tests.standin import a_standin

CHANNEL = "C0PAYMENTS"


def button(**changes):
    return {"type": "button", "text": plain(), "action_id": "a", **changes}


def actions(*elements, **changes):
    return {"type": "actions", "elements": list(elements), **changes}


def section(**changes):
    return {"type": "section", "text": mrkdwn(), **changes}


def option(text="x", **changes):
    return {"text": plain(text), "value": "v", **changes}


def select(**changes):
    return {"type": "static_select", "action_id": "s", "options": [option()], **changes}


def choices(kind, **changes):
    return {"type": kind, "action_id": "c", "options": [option()], **changes}


def field_input(**changes):
    return {"type": "input", "label": plain(), "element": {"type": "plain_text_input"}, **changes}


def image(**changes):
    return {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "x", **changes}


def confirm(**changes):
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **changes}


def dialog(**changes):
    return {
        "type": "modal",
        "title": plain("Update"),
        "submit": plain("Save"),
        "blocks": [field_input()],
        **changes,
    }


def cards(count):
    return [{"type": "card", "title": mrkdwn()} for _ in range(count)]


def feedback(**changes):
    side = {"text": plain(), "value": "v"}
    return {
        "type": "feedback_buttons",
        "positive_button": side | changes,
        "negative_button": side,
    }


# A name, Slack's limit, and a function that makes a block with that number.
MOST = [
    ("section text", 3000, lambda n: section(text=mrkdwn("x" * n))),
    ("section fields", 10, lambda n: section(fields=[mrkdwn()] * n)),
    ("text of a field", 2000, lambda n: section(fields=[mrkdwn("x" * n)])),
    ("header", 150, lambda n: {"type": "header", "text": plain("x" * n)}),
    ("context elements", 10, lambda n: {"type": "context", "elements": [mrkdwn()] * n}),
    ("context text", 3000, lambda n: {"type": "context", "elements": [mrkdwn("x" * n)]}),
    ("actions elements", 25, lambda n: actions(*[button(action_id=str(i)) for i in range(n)])),
    ("block_id", 255, lambda n: {"type": "divider", "block_id": "x" * n}),
    ("action_id", 255, lambda n: actions(button(action_id="x" * n))),
    ("button text", 75, lambda n: actions(button(text=plain("x" * n)))),
    ("button value", 2000, lambda n: actions(button(value="x" * n))),
    ("button url", 3000, lambda n: actions(button(url="x" * n))),
    ("button label", 75, lambda n: actions(button(accessibility_label="x" * n))),
    ("confirm title", 100, lambda n: actions(button(confirm=confirm(title=plain("x" * n))))),
    ("confirm text", 300, lambda n: actions(button(confirm=confirm(text=mrkdwn("x" * n))))),
    ("confirm button", 30, lambda n: actions(button(confirm=confirm(confirm=plain("x" * n))))),
    ("deny button", 30, lambda n: actions(button(confirm=confirm(deny=plain("x" * n))))),
    ("option text", 75, lambda n: actions(select(options=[option("x" * n)]))),
    ("option value", 150, lambda n: actions(select(options=[option(value="x" * n)]))),
    ("option words", 75, lambda n: actions(select(options=[option(description=plain("x" * n))]))),
    ("select options", 100, lambda n: actions(select(options=[option()] * n))),
    ("select placeholder", 150, lambda n: actions(select(placeholder=plain("x" * n)))),
    ("groups", 100, lambda n: actions(grouped([group()] * n))),
    ("group label", 75, lambda n: actions(grouped([group(label=plain("x" * n))]))),
    ("options of a group", 100, lambda n: actions(grouped([group(options=[option()] * n)]))),
    ("overflow options", 5, lambda n: actions(choices("overflow", options=[option()] * n))),
    ("overflow url", 3000, lambda n: actions(choices("overflow", options=[option(url="x" * n)]))),
    ("checkboxes", 10, lambda n: actions(choices("checkboxes", options=[option()] * n))),
    ("radio buttons", 10, lambda n: actions(choices("radio_buttons", options=[option()] * n))),
    ("image url", 3000, lambda n: image(image_url="x" * n)),
    ("image alt_text", 2000, lambda n: image(alt_text="x" * n)),
    ("image title", 2000, lambda n: image(title=plain("x" * n))),
    ("markdown", 12_000, lambda n: {"type": "markdown", "text": "x" * n}),
    ("table rows", 100, lambda n: {"type": "table", "rows": [[cell()]] * n}),
    ("table columns", 20, lambda n: {"type": "table", "rows": [[cell()] * n]}),
    (
        "column settings",
        20,
        lambda n: {"type": "table", "rows": [[cell()]], "column_settings": [{}] * n},
    ),
    ("data table rows", 201, lambda n: data_table([[cell()]] * n)),
    ("data table columns", 20, lambda n: data_table([[cell()] * n, [cell()]])),
    ("data table page", 100, lambda n: data_table([[cell()]] * 2, page_size=n)),
    ("data table text", 20_000, lambda n: data_table([[cell("x")], [cell("x" * (n - 1))]])),
    ("context actions", 5, lambda n: {"type": "context_actions", "elements": [feedback()] * n}),
    ("feedback text", 75, lambda n: context_action(feedback(text=plain("x" * n)))),
    ("card title", 150, lambda n: {"type": "card", "title": mrkdwn("x" * n)}),
    ("card subtitle", 150, lambda n: {"type": "card", "subtitle": mrkdwn("x" * n)}),
    ("card body", 200, lambda n: {"type": "card", "body": mrkdwn("x" * n)}),
    ("card subtext", 200, lambda n: {"type": "card", "subtext": mrkdwn("x" * n)}),
    ("carousel", 10, lambda n: {"type": "carousel", "elements": cards(n)}),
    ("container", 10, lambda n: {"type": "container", "child_blocks": [section()] * n}),
    ("plan tasks", 50, lambda n: {"type": "plan", "title": "x", "tasks": [task()] * n}),
    ("video alt_text", 200, lambda n: video(alt_text="x" * n)),
    ("video title", 199, lambda n: video(title=plain("x" * n))),
    ("video author", 49, lambda n: video(author_name="x" * n)),
    ("video words", 200, lambda n: video(description=plain("x" * n))),
    ("video provider", 50, lambda n: video(provider_name="x" * n)),
    ("indent of a list", 8, lambda n: bullets(indent=n)),
    ("label of an input", 2000, lambda n: field_input(label=plain("x" * n))),
    ("hint of an input", 2000, lambda n: field_input(hint=plain("x" * n))),
    ("placeholder of an input", 150, lambda n: typed(placeholder=plain("x" * n))),
    ("length that may be typed", 3000, lambda n: typed(max_length=n)),
    ("length that must be typed", 3000, lambda n: typed(min_length=n)),
    ("text that is there already", 3000, lambda n: typed(initial_value="x" * n)),
    ("lines", 100, lambda n: field_input(element={"type": "rich_text_input", "max_lines": n})),
]


def group(**changes):
    return {"label": plain(), "options": [option()], **changes}


def grouped(groups):
    return {"type": "static_select", "action_id": "s", "option_groups": groups}


def cell(text="x"):
    return {"type": "raw_text", "text": text}


def data_table(rows, **changes):
    return {"type": "data_table", "caption": "x", "rows": rows, **changes}


def context_action(*elements):
    return {"type": "context_actions", "elements": list(elements)}


def task():
    return {"type": "task_card", "task_id": "1", "title": "x", "status": "pending"}


def video(**changes):
    return {
        "type": "video",
        "alt_text": "x",
        "title": plain(),
        "thumbnail_url": "https://a.example/i.png",
        "video_url": "https://a.example/v",
        **changes,
    }


def bullets(**changes):
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    listed = {"type": "rich_text_list", "style": "bullet", "elements": [item], **changes}
    return {"type": "rich_text", "elements": [listed]}


def typed(**changes):
    return field_input(element={"type": "plain_text_input", **changes})


@pytest.mark.parametrize(("name", "most", "block"), MOST, ids=[row[0] for row in MOST])
def test_a_block_is_accepted_at_the_limit_and_refused_past_it(name, most, block):
    assert blockkit.message_errors([block(most)]) == []
    assert len(blockkit.message_errors([block(most + 1)])) == 1


FAULTS = [
    ("no type", {}, "missing required field: type [json-pointer:/blocks/0]"),
    ("unknown type", {"type": "poem"}, "unsupported type: poem [json-pointer:/blocks/0/type]"),
    ("nothing said", {"type": "section"}, "missing required field: text [json-pointer:/blocks/0]"),
    (
        "empty text",
        section(text=mrkdwn("")),
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    (
        "unknown field",
        section(colour="red"),
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    (
        "mrkdwn in a header",
        {"type": "header", "text": mrkdwn()},
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    (
        "mrkdwn on a button",
        actions(button(text=mrkdwn())),
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    (
        "mrkdwn in a select",
        actions(select(options=[option() | {"text": mrkdwn()}])),
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/options/0/text/type]",
    ),
    (
        "a style of one's own",
        actions(button(style="warning")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        "one action_id twice in a block",
        actions(button(), button()),
        "`action_id` already exists: a [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    (
        "an image in actions",
        actions(image()),
        "unsupported type: image [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        "no alt_text",
        {"type": "image", "image_url": "https://a.example/i.png"},
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    (
        "no elements",
        actions(),
        "no less than 1 items allowed [json-pointer:/blocks/0/elements]",
    ),
    (
        "options and groups",
        actions(select(option_groups=[group()])),
        "must provide exactly one of: options, option_groups [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "a start that is not offered",
        actions(select(initial_option=option("y"))),
        "must exactly match one of the provided options [json-pointer:/blocks",
    ),
    (
        "least above most",
        typed(min_length=5, max_length=4),
        "min_length must be less than or equal to max_length [json-pointer:/blocks/0/element]",
    ),
    (
        "a date that is none",
        actions({"type": "datepicker", "initial_date": "tomorrow"}),
        "must match the expected format [json-pointer:/blocks/0/elements/0/initial_date]",
    ),
    ("an alert outside a dialog", {"type": "alert", "text": plain()}, "unsupported type: alert"),
    (
        "a file input outside a dialog",
        field_input(element={"type": "file_input"}),
        "unsupported type: file_input [json-pointer:/blocks]",
    ),
]


@pytest.mark.parametrize(("why", "block", "fault"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_block_is_refused_with_the_place_of_the_error(why, block, fault):
    faults = blockkit.message_errors([block])

    assert len(faults) == 1
    assert faults[0].startswith(fault)


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        (
            [{"type": "divider", "block_id": "b"}] * 2,
            "`block_id` already exists: b [json-pointer:/blocks/1/block_id]",
        ),
        ([{"type": "table", "rows": [[cell()]]}] * 2, "only_one_table_allowed"),
        ([{"type": "markdown", "text": "x" * 6001}] * 2, "must be less than 12001 characters"),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ],
)
def test_blocks_are_refused_in_a_wrong_combination(blocks, fault):
    [found] = blockkit.message_errors(blocks)

    assert found.startswith(fault)


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
@pytest.mark.parametrize(
    ("block", "surfaces"),
    [
        ({"type": "divider"}, {"message", "modal", "home"}),
        ({"type": "markdown", "text": "x"}, {"message"}),
        ({"type": "file", "external_id": "x", "source": "remote"}, {"message"}),
        ({"type": "table", "rows": [[cell()]]}, {"message", "home"}),
        ({"type": "alert", "text": plain()}, {"modal"}),
        (field_input(), {"message", "modal", "home"}),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else None,
)
def test_a_block_is_accepted_only_on_its_surfaces(block, surfaces, surface):
    faults = {
        "message": lambda: blockkit.message_errors([block]),
        "modal": lambda: blockkit.view_errors(dialog(blocks=[block]), kind="modal"),
        "home": lambda: blockkit.view_errors({"type": "home", "blocks": [block]}, kind="home"),
    }[surface]()

    assert (faults == []) == (surface in surfaces)


VIEW_LIMITS = [
    ("title", 24, lambda n: {"title": plain("x" * n)}),
    ("submit", 24, lambda n: {"submit": plain("x" * n)}),
    ("close", 24, lambda n: {"close": plain("x" * n)}),
    ("private_metadata", 3000, lambda n: {"private_metadata": "x" * n}),
    ("callback_id", 255, lambda n: {"callback_id": "x" * n}),
    ("external_id", 255, lambda n: {"external_id": "x" * n}),
    ("blocks", 100, lambda n: {"blocks": [section()] * n}),
    (
        "files",
        10,
        lambda n: {"blocks": [field_input(element={"type": "file_input", "max_files": n})]},
    ),
    ("alert", 200, lambda n: {"blocks": [{"type": "alert", "text": plain("x" * n)}]}),
]


@pytest.mark.parametrize(("name", "most", "part"), VIEW_LIMITS, ids=[row[0] for row in VIEW_LIMITS])
def test_a_dialog_is_accepted_at_the_limit_and_refused_past_it(name, most, part):
    assert blockkit.view_errors(dialog(**part(most)), kind="modal") == []
    assert len(blockkit.view_errors(dialog(**part(most + 1)), kind="modal")) == 1


@pytest.mark.parametrize(
    ("view", "fault"),
    [
        (
            {key: value for key, value in dialog().items() if key != "submit"},
            "missing required field: submit [json-pointer:/view]",
        ),
        (
            {key: value for key, value in dialog().items() if key != "title"},
            "missing required field: title [json-pointer:/view]",
        ),
        (dialog(title=mrkdwn()), "unsupported type: mrkdwn [json-pointer:/view/title/type]"),
        (
            dialog(submit_disabled=True),
            "invalid additional property: submit_disabled [json-pointer:/view]",
        ),
        (dialog(blocks=[]), "no less than 1 items allowed [json-pointer:/view/blocks]"),
        (dialog(type="home"), "must be a view of type modal [json-pointer:/view/type]"),
        (
            dialog(
                blocks=[
                    typed(action_id=name, focus_on_load=True) | {"block_id": name} for name in "ab"
                ]
            ),
            "only one element may have focus_on_load [json-pointer:/view/blocks]",
        ),
    ],
)
def test_a_dialog_is_refused_with_the_place_of_the_error(view, fault):
    assert blockkit.view_errors(view, kind="modal") == [fault]


# --- by the Web API ---


async def refusal(call):
    """The error of a refused call; ``ok`` for an accepted one."""
    try:
        await call
    except SlackApiError as refused:
        return refused.response["error"]
    return "ok"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"text": "x"}, "ok"),
        ({}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"blocks": [section()]}, "ok"),
        ({"markdown_text": "**x**"}, "ok"),
        ({"markdown_text": "**x**", "text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "x" * 100_000}, "ok"),
        ({"text": "x", "blocks": [section()] * 50}, "ok"),
        ({"text": "x", "blocks": [section()] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": [section(text=mrkdwn("x" * 2640))] * 5}, "ok"),
        ({"text": "x", "blocks": [section(text=mrkdwn("x" * 2641))] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "attachments": [{"text": "a"}] * 100}, "ok"),
        ({"text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"text": "x", "metadata": {"event_type": "e", "event_payload": {}}}, "ok"),
        ({"text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": "not json"}, "invalid_metadata_format"),
        (
            {"text": "x", "metadata": {"event_type": "e", "event_payload": {"p": "x" * 8000}}},
            "metadata_too_large",
        ),
        ({"text": "x", "as_user": True}, "as_user_not_supported"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_a_message_is_checked_by_slacks_rules(client, message, error):
    # Not by slack_sdk's own method, which warns of some of these before the call.
    posted = client.api_call("chat.postMessage", json={"channel": CHANNEL, **message})

    assert await refusal(posted) == error


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0PAYMENTS", "ok"),
        ("#payments", "ok"),
        ("U0MIA", "ok"),
        ("C0NOWHERE", "channel_not_found"),
        ("C0RANDOM", "not_in_channel"),
        ("C0OLDNEWS", "is_archived"),
        ("C0WARROOM", "ok"),
        ("C0SECRET", "channel_not_found"),
        ("U0JUDGE", "cannot_dm_bot"),
    ],
)
async def test_a_message_goes_only_to_permitted_channels(slack, client, channel, error):
    slack.workspace.add_channel("secret", members=["mia"], private=True, bot=False)

    assert await refusal(client.chat_postMessage(channel=channel, text="x")) == error


async def test_a_refusal_of_blocks_has_the_place_and_the_reason(client):
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section(text=plain(""))])

    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_a_text_past_forty_thousand_characters_is_cut(slack, client):
    await client.chat_postMessage(channel=CHANNEL, text="x" * 40_001)

    assert len(slack.workspace.channel(CHANNEL).messages[0].text) == 40_000


async def test_a_reply_to_a_reply_is_refused(client):
    first = await client.chat_postMessage(channel=CHANNEL, text="x")
    reply = await client.chat_postMessage(channel=CHANNEL, text="y", thread_ts=first["ts"])
    nested = client.chat_postMessage(channel=CHANNEL, text="z", thread_ts=reply["ts"])

    assert await refusal(nested) == "cannot_reply_to_message"


async def test_only_the_bots_own_lasting_messages_can_be_changed(slack, client, mia):
    own = (await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    hers = (await mia.say("#payments", "hello")).ts
    hidden = (await client.chat_postEphemeral(channel=CHANNEL, user=mia.id, text="x"))["message_ts"]
    gone = "1.000001"

    updates = {
        ts: await refusal(client.chat_update(channel=CHANNEL, ts=ts, text="y"))
        for ts in (own, hers, hidden, gone)
    }
    deletions = {
        ts: await refusal(client.chat_delete(channel=CHANNEL, ts=ts))
        for ts in (own, hers, hidden, gone)
    }

    assert updates == {
        own: "ok",
        hers: "cant_update_message",
        hidden: "cant_update_message",
        gone: "message_not_found",
    }
    assert deletions == {
        own: "ok",
        hers: "cant_delete_message",
        hidden: "cant_delete_message",
        gone: "message_not_found",
    }


@pytest.mark.parametrize(("length", "error"), [(4000, "ok"), (4001, "msg_too_long")])
async def test_an_update_has_a_shorter_text(client, length, error):
    own = (await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    update = client.chat_update(channel=CHANNEL, ts=own, text="x" * length)

    assert await refusal(update) == error


async def test_an_update_in_an_archived_channel_is_refused(slack, client):
    own = (await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    slack.workspace.channel(CHANNEL).is_archived = True

    assert await refusal(client.chat_update(channel=CHANNEL, ts=own, text="y")) == "is_inactive"


async def test_an_update_without_blocks_removes_the_old_ones(slack, client):
    own = (await client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section()]))["ts"]
    await client.chat_update(channel=CHANNEL, ts=own, text="y")

    assert slack.workspace.channel(CHANNEL).by_ts[own].blocks == []


async def test_an_ephemeral_message_needs_a_member(slack, client):
    eve = slack.workspace.add_user("eve")

    outside = client.chat_postEphemeral(channel=CHANNEL, user=eve.id, text="x")
    assert await refusal(outside) == "user_not_in_channel"
    assert slack.ephemerals(eve) == []


@pytest.mark.parametrize(
    ("age_seconds", "uses", "error"),
    [
        (0, 1, "ok"),
        (3, 1, "ok"),
        (3.1, 1, "expired_trigger_id"),
        (0, 2, "exchanged_trigger_id"),
    ],
)
async def test_a_trigger_opens_one_dialog_within_three_seconds(
    slack, client, clock, age_seconds, uses, error
):
    trigger = slack.workspace.new_trigger("U0MIA")
    clock.advance(seconds=age_seconds)

    results = [
        await refusal(client.views_open(trigger_id=trigger, view=dialog())) for _ in range(uses)
    ]

    assert results[-1] == error


async def test_an_unknown_trigger_opens_nothing(client):
    opened = client.views_open(trigger_id="1.2.guess", view=dialog())

    assert await refusal(opened) == "invalid_trigger_id"


async def test_an_invalid_dialog_does_not_spend_its_trigger(slack, client, mia):
    trigger = slack.workspace.new_trigger(mia.id)

    faulty = client.views_open(trigger_id=trigger, view=dialog(title=plain("x" * 25)))
    assert await refusal(faulty) == "invalid_arguments"
    assert await refusal(client.views_open(trigger_id=trigger, view=dialog())) == "ok"


async def test_a_stack_holds_three_dialogs(slack, client, mia):
    await client.views_open(trigger_id=slack.workspace.new_trigger(mia.id), view=dialog())
    pushed = [
        await refusal(
            client.views_push(trigger_id=slack.workspace.new_trigger(mia.id), view=dialog())
        )
        for _ in range(3)
    ]

    assert pushed == ["ok", "ok", "push_limit_reached"]


async def test_an_update_with_an_old_hash_is_refused(slack, client, mia):
    trigger = slack.workspace.new_trigger(mia.id)
    opened = (await client.views_open(trigger_id=trigger, view=dialog()))["view"]

    first = client.views_update(view_id=opened["id"], hash=opened["hash"], view=dialog())
    second = client.views_update(view_id=opened["id"], hash=opened["hash"], view=dialog())

    assert [await refusal(first), await refusal(second)] == ["ok", "hash_conflict"]
    missing = client.views_update(view_id="V0GONE", view=dialog())
    assert await refusal(missing) == "not_found"


async def test_an_external_id_is_unique_in_the_workspace(slack, client, mia):
    bo = slack.person("bo")
    for person, error in ((mia, "ok"), (bo, "duplicate_external_id")):
        trigger = slack.workspace.new_trigger(person.id)
        opened = client.views_open(trigger_id=trigger, view=dialog(external_id="one"))
        assert await refusal(opened) == error


async def test_a_dialog_over_250_kilobytes_is_refused(slack, client, mia):
    options = [option("x" * 75, value=f"{number:0150}") for number in range(100)]
    blocks = [section(accessory=select(options=options)) for _ in range(10)]

    trigger = slack.workspace.new_trigger(mia.id)
    opened = client.views_open(trigger_id=trigger, view=dialog(blocks=blocks))
    assert await refusal(opened) == "view_too_large"


@pytest.mark.parametrize(
    ("user", "error"),
    [("U0MIA", "ok"), ("U0NOBODY", "invalid_arguments"), ("U0EVE", "invalid_arguments")],
)
async def test_a_home_tab_is_published_to_the_workspaces_own_people(slack, client, user, error):
    slack.workspace.add_user("eve", is_stranger=True, team_id="T0OTHER")
    view = {"type": "home", "blocks": [section()]}

    assert await refusal(client.views_publish(user_id=user, view=view)) == error


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("inc-42_db", "ok"),
        ("x" * 80, "ok"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Inc", "invalid_name_specials"),
        ("inc 42", "invalid_name_specials"),
        ("--", "invalid_name_punctuation"),
        ("payments", "name_taken"),
        ("old-news", "name_taken"),
        ("war-room", "name_taken"),
    ],
)
async def test_a_channel_name_follows_slacks_rules(client, name, error):
    assert await refusal(client.conversations_create(name=name)) == error


async def test_each_refused_invitation_has_its_error(client):
    invited = client.conversations_invite(channel=CHANNEL, users="U0MIA,U0NOBODY,U0JUDGE")

    with pytest.raises(SlackApiError) as refused:
        await invited
    assert {each["user"]: each["error"] for each in refused.value.response["errors"]} == {
        "U0MIA": "already_in_channel",
        "U0NOBODY": "user_not_found",
        "U0JUDGE": "cant_invite_self",
    }


async def test_with_force_the_others_are_invited(slack, client):
    slack.workspace.add_user("ada")
    slack.workspace.add_user("una", is_ultra_restricted=True)
    answer = await client.conversations_invite(
        channel=CHANNEL, users="U0ADA,U0NOBODY,U0UNA", force=True
    )

    assert {each["user"]: each["error"] for each in answer["errors"]} == {
        "U0NOBODY": "user_not_found",
        "U0UNA": "user_is_restricted",
    }
    members = (await client.conversations_members(channel=CHANNEL))["members"]
    assert [who in members for who in ("U0ADA", "U0UNA")] == [True, False]


async def test_a_message_is_pinned_once_and_a_channel_has_a_hundred_pins(slack, client):
    posted = [(await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"] for _ in range(101)]
    *first, last = posted
    for ts in first:
        await client.pins_add(channel=CHANNEL, timestamp=ts)

    again = client.pins_add(channel=CHANNEL, timestamp=first[0])
    assert await refusal(again) == "already_pinned"
    assert await refusal(client.pins_add(channel=CHANNEL, timestamp=last)) == "too_many_pins"
    assert slack.workspace.channel("#payments").pins == first


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("bots.info", {"bot": "B0OTHER"}, "bot_not_found"),
        ("chat.getPermalink", {"channel": CHANNEL, "message_ts": "1.0"}, "message_not_found"),
        ("conversations.replies", {"channel": CHANNEL, "ts": "1.0"}, "thread_not_found"),
        ("conversations.history", {"channel": "C0RANDOM"}, "not_in_channel"),
        ("conversations.history", {"channel": CHANNEL, "cursor": "?"}, "invalid_cursor"),
        ("conversations.history", {"channel": CHANNEL, "oldest": "?"}, "invalid_ts_oldest"),
        ("conversations.join", {"channel": "C0OLDNEWS"}, "is_archived"),
        ("conversations.archive", {"channel": "C0OLDNEWS"}, "already_archived"),
        ("conversations.archive", {"channel": "C0GENERAL"}, "cant_archive_general"),
        ("conversations.archive", {"channel": "C0RANDOM"}, "not_in_channel"),
        ("conversations.archive", {"channel": "C0NOWHERE"}, "channel_not_found"),
        ("conversations.kick", {"channel": CHANNEL, "user": "U0NOBODY"}, "user_not_found"),
        ("conversations.kick", {"channel": CHANNEL, "user": "U0JUDGE"}, "cant_kick_self"),
        ("conversations.kick", {"channel": "C0WARROOM", "user": "U0SAM"}, "not_in_channel"),
        ("conversations.kick", {"channel": "C0GENERAL", "user": "U0MIA"}, "cant_kick_from_general"),
        ("conversations.kick", {"channel": "C0OLDNEWS", "user": "U0MIA"}, "is_archived"),
        ("conversations.rename", {"channel": CHANNEL, "name": "new"}, "not_authorized"),
        ("conversations.rename", {"channel": "C0OLDNEWS", "name": "new"}, "is_archived"),
        ("conversations.setTopic", {"channel": CHANNEL, "topic": "x" * 251}, "too_long"),
        ("conversations.setTopic", {"channel": "C0RANDOM", "topic": "x"}, "not_in_channel"),
        ("conversations.setPurpose", {"channel": CHANNEL, "purpose": "x" * 251}, "too_long"),
        ("conversations.invite", {"channel": CHANNEL, "users": ","}, "no_user"),
        ("conversations.invite", {"channel": CHANNEL, "users": "U1," * 101}, "invalid_arguments"),
        ("conversations.invite", {"channel": "C0OLDNEWS", "users": "U0BO"}, "is_archived"),
        ("conversations.invite", {"channel": "C0RANDOM", "users": "U0BO"}, "not_in_channel"),
        ("pins.add", {"channel": CHANNEL, "timestamp": "1.0"}, "message_not_found"),
        ("pins.add", {"channel": "C0OLDNEWS", "timestamp": "1.0"}, "is_archived"),
        ("pins.add", {"channel": "C0RANDOM", "timestamp": "1.0"}, "not_in_channel"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.info", {}, "invalid_arguments"),
        ("reactions.add", {}, "unknown_method"),
    ],
)
async def test_other_methods_refuse_with_their_own_errors(client, method, arguments, error):
    assert await refusal(client.api_call(method, params=arguments)) == error


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("xoxb-sandbox-bot", "auth.test", "ok"),
        ("xoxb-guess", "auth.test", "invalid_auth"),
        (None, "auth.test", "not_authed"),
        ("xapp-sandbox-app", "auth.test", "not_allowed_token_type"),
        ("xapp-sandbox-app", "apps.connections.open", "ok"),
        ("xoxb-sandbox-bot", "apps.connections.open", "not_allowed_token_type"),
    ],
)
async def test_a_token_is_accepted_only_for_its_methods(slack, token, method, error):
    client = AsyncWebClient(token, base_url=slack.api_url)

    assert await refusal(client.api_call(method)) == error


SCOPED = [
    ("chat.postMessage", {"channel": CHANNEL, "text": "x"}, "chat:write"),
    ("users.info", {"user": "U0MIA"}, "users:read"),
    ("usergroups.users.list", {"usergroup": "S0X"}, "usergroups:read"),
    ("team.info", {}, "team:read"),
    ("conversations.join", {"channel": "C0RANDOM"}, "channels:join"),
    ("conversations.create", {"name": "new"}, "channels:manage"),
    ("conversations.create", {"name": "new", "is_private": "true"}, "groups:write"),
    ("conversations.archive", {"channel": CHANNEL}, "channels:manage"),
    ("conversations.archive", {"channel": "C0WARROOM"}, "groups:write"),
    ("conversations.kick", {"channel": "C0WARROOM", "user": "U0MIA"}, "groups:write"),
    ("conversations.rename", {"channel": CHANNEL, "name": "new"}, "channels:manage"),
    ("pins.add", {"channel": CHANNEL, "timestamp": "1.0"}, "pins:write"),
    ("conversations.history", {"channel": CHANNEL}, "channels:history"),
    ("conversations.history", {"channel": "C0WARROOM"}, "groups:history"),
    ("conversations.info", {"channel": "C0WARROOM"}, "groups:read"),
]


@pytest.mark.parametrize(("method", "arguments", "scope"), SCOPED)
async def test_a_method_needs_its_scope(method, arguments, scope):
    others = ["channels:read", "channels:history", "groups:history", "groups:read"]
    others += ["channels:manage", "groups:write"]
    granted = [other for other in others if other != scope]
    manifest = {
        "display_information": {"name": "Judge"},
        "oauth_config": {"scopes": {"bot": granted}},
    }
    async with a_standin(manifest) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        with pytest.raises(SlackApiError) as refused:
            await client.api_call(method, params=arguments)

    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == scope
    assert refused.value.response["provided"] == ",".join(granted)


# --- rate limits ---


async def test_a_channel_accepts_one_post_a_second_after_a_small_burst(slack, client, clock):
    slack.webapi.limits.posting = True

    def post(channel=CHANNEL):
        return client.chat_postMessage(channel=channel, text="x")

    burst = [await refusal(post()) for _ in range(6)]
    elsewhere = await refusal(post("C0STATUS"))
    by_another_name = await refusal(post("#payments"))
    clock.advance(seconds=1)
    a_second_later = [await refusal(post()), await refusal(post())]

    assert burst == ["ok"] * 5 + ["ratelimited"]
    assert (elsewhere, by_another_name) == ("ok", "ratelimited")
    assert a_second_later == ["ok", "ratelimited"]
    last = slack.calls[-1]
    assert (last.status, last.answer["error"]) == (429, "ratelimited")


async def test_a_tier_counts_the_calls_of_a_minute(client, clock):
    async with a_standin(
        {
            "display_information": {"name": "Judge"},
            "oauth_config": {"scopes": {"bot": ["users:read"]}},
        },
        clock=clock.seconds,
        limits=Limits(tiers=True),
    ) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        taken = [await refusal(client.users_list()) for _ in range(21)]
        clock.advance(seconds=60)
        later = await refusal(client.users_list())

    assert taken == ["ok"] * 20 + ["ratelimited"]
    assert later == "ok"


async def test_arguments_are_accepted_as_form_and_as_json(slack, client):
    await client.api_call(
        "chat.postMessage",
        data={"channel": CHANNEL, "text": "x", "blocks": json.dumps([section()])},
    )
    await client.api_call(
        "chat.postMessage", json={"channel": CHANNEL, "text": "x", "blocks": [section()]}
    )

    first, second = slack.channel_view(CHANNEL)
    assert first == second


async def test_a_form_only_method_does_not_read_json(client):
    call = client.api_call("conversations.info", json={"channel": CHANNEL})

    assert await refusal(call) == "invalid_arguments"
