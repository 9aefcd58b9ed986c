"""The answers of the Web API to accepted calls: the shapes that an app relies on."""

import pytest

PAYMENTS = "C0PAYMENTS"


async def test_a_post_returns_the_message(slack, client):
    answer = await client.chat_postMessage(
        channel="#payments",
        text="a card",
        blocks=[{"type": "header", "text": {"type": "plain_text", "text": "INC-42"}}],
    )

    message = answer["message"]
    assert (answer["channel"], answer["ts"]) == (PAYMENTS, message["ts"])
    assert (message["user"], message["bot_id"], message["app_id"]) == (
        "U0JUDGE",
        "B0JUDGE",
        "A0JUDGE",
    )
    [block] = message["blocks"]
    assert block["text"] == {"type": "plain_text", "text": "INC-42", "emoji": True}
    assert block["block_id"]


async def test_timestamps_rise_while_the_clock_stops(client):
    times = [(await client.chat_postMessage(channel=PAYMENTS, text="x"))["ts"] for _ in range(20)]

    assert times == sorted(set(times))


async def test_metadata_is_returned_only_on_request(client):
    metadata = {"event_type": "incident_card", "event_payload": {"number": 42}}
    posted = await client.chat_postMessage(channel=PAYMENTS, text="x", metadata=metadata)

    plain = await client.conversations_history(channel=PAYMENTS)
    full = await client.conversations_history(channel=PAYMENTS, include_all_metadata=True)
    thread = await client.conversations_replies(
        channel=PAYMENTS, ts=posted["ts"], include_all_metadata=True
    )

    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata
    assert thread["messages"][0]["metadata"] == metadata


async def test_history_is_paged_newest_first_with_broadcast_replies_only(client):
    first = await client.chat_postMessage(channel=PAYMENTS, text="first")
    for text, broadcast in (("quiet", False), ("loud", True)):
        await client.chat_postMessage(
            channel=PAYMENTS, text=text, thread_ts=first["ts"], reply_broadcast=broadcast
        )
    await client.chat_postMessage(channel=PAYMENTS, text="last")

    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_history(channel=PAYMENTS, limit=2)
    ]
    thread = await client.conversations_replies(channel=PAYMENTS, ts=first["ts"])

    assert pages == [["last", "loud"], ["first"]]
    assert [message["text"] for message in thread["messages"]] == ["first", "quiet", "loud"]
    assert thread["messages"][0]["reply_count"] == 2


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ({"oldest": 1}, ["c", "b"]),
        ({"oldest": 1, "inclusive": True}, ["c", "b", "a"]),
        ({"latest": 1}, []),
        ({"oldest": 2, "latest": 3, "inclusive": True}, ["c", "b"]),
    ],
)
async def test_history_is_limited_by_oldest_and_latest(client, window, found):
    times = [(await client.chat_postMessage(channel=PAYMENTS, text=text))["ts"] for text in "abc"]
    cut = {
        name: times[value - 1] if name != "inclusive" else value for name, value in window.items()
    }
    history = await client.conversations_history(channel=PAYMENTS, **cut)

    assert [message["text"] for message in history["messages"]] == found


async def test_a_thread_outlives_its_first_message(slack, client):
    first = await client.chat_postMessage(channel=PAYMENTS, text="first")
    await client.chat_postMessage(channel=PAYMENTS, text="reply", thread_ts=first["ts"])
    await client.chat_delete(channel=PAYMENTS, ts=first["ts"])

    [message] = (await client.conversations_history(channel=PAYMENTS))["messages"]
    assert (message["subtype"], message["text"]) == ("tombstone", "This message was deleted.")


async def test_a_message_without_a_text_is_announced_with_the_words_of_its_blocks(slack, client):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*INC-42* is down"}}]
    await client.api_call("chat.postMessage", json={"channel": PAYMENTS, "blocks": blocks})

    assert slack.channel_view(PAYMENTS)[0].text == "*INC-42* is down"


async def test_auth_test_returns_the_bots_ids_and_scopes(slack, client):
    answer = await client.auth_test()

    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (
        "U0JUDGE",
        "B0JUDGE",
        "T0SANDBOX",
    )
    assert answer.headers["x-oauth-scopes"].split(",") == list(slack.workspace.app.scopes)


async def test_a_user_object_has_the_persons_flags(slack, client):
    slack.workspace.add_user("eve", is_stranger=True, team_id="T0OTHER")
    slack.workspace.add_user("una", is_ultra_restricted=True)
    slack.workspace.add_user("ex", deleted=True)
    flags = ("is_admin", "is_restricted", "is_ultra_restricted", "deleted", "is_stranger", "is_bot")

    told = {}
    for name in ("mia", "bo", "gus", "una", "ex", "eve", "judge"):
        user = (await client.users_info(user=slack.workspace.user(name).id))["user"]
        told[name] = {flag for flag in flags if user.get(flag)}

    assert told == {
        "mia": {"is_admin"},
        "bo": set(),
        "gus": {"is_restricted"},
        "una": {"is_restricted", "is_ultra_restricted"},
        "ex": {"deleted"},
        "eve": {"is_stranger"},
        "judge": {"is_bot"},
    }


async def test_a_group_lists_its_members(slack, client):
    group = slack.workspace.add_group("responders", members=["mia", "bo"])

    users = await client.usergroups_users_list(usergroup=group.id)
    groups = await client.usergroups_list(include_users=True)

    assert users["users"] == ["U0MIA", "U0BO"]
    assert [(each["handle"], each["users"]) for each in groups["usergroups"]] == [
        ("responders", ["U0MIA", "U0BO"])
    ]


async def test_a_post_to_a_user_id_goes_to_the_open_direct_message(slack, client):
    opened = await client.conversations_open(users="U0MIA")
    written = await client.chat_postMessage(channel="U0MIA", text="psst")

    assert opened["channel"]["id"] == written["channel"] == "D0MIA"
    assert [message.text for message in slack.person("mia").reads("@mia")] == ["psst"]


@pytest.mark.parametrize(
    ("shared", "described"),
    [("", (False, False)), ("connected", (True, False)), ("offered", (False, True))],
)
async def test_a_channel_says_who_else_reads_it(slack, client, shared, described):
    channel = slack.workspace.add_channel("acme", members=["mia", "bo"], shared=shared)

    found = await client.conversations_info(channel=channel.id, include_num_members=True)

    kinds = (found["channel"]["is_ext_shared"], found["channel"]["is_pending_ext_shared"])
    assert (kinds, found["channel"]["num_members"]) == (described, 3)


async def test_channels_are_created_joined_listed_and_invited_to(client):
    made = (await client.conversations_create(name="inc-42", is_private=True))["channel"]
    await client.conversations_invite(channel=made["id"], users="U0BO,U0SAM")
    members = await client.conversations_members(channel=made["id"])
    joined = await client.conversations_join(channel="C0RANDOM")
    again = await client.conversations_join(channel="C0RANDOM")
    listed = await client.conversations_list(types="public_channel", exclude_archived=True)

    assert (made["is_private"], made["is_member"], made["name"]) == (True, True, "inc-42")
    assert members["members"] == ["U0JUDGE", "U0BO", "U0SAM"]
    assert joined["channel"]["is_member"]
    assert again["warning"] == "already_in_channel"
    assert {channel["name"] for channel in listed["channels"]} == {
        "general",
        "payments",
        "status",
        "random",
    }


async def test_an_own_channel_is_renamed_described_emptied_and_archived(slack, client):
    made = (await client.conversations_create(name="inc-42"))["channel"]
    here = made["id"]
    await client.conversations_invite(channel=here, users="U0BO,U0SAM")
    renamed = await client.conversations_rename(channel=here, name="inc-42-down")
    topic = await client.conversations_setTopic(channel=here, topic="INC-42 Down")
    purpose = await client.conversations_setPurpose(channel=here, purpose="Of INC-42")
    await client.conversations_kick(channel=here, user="U0BO")
    members = await client.conversations_members(channel=here)
    await client.conversations_archive(channel=here)
    shown = (await client.conversations_info(channel=here))["channel"]

    assert made["creator"] == "U0JUDGE"
    assert (renamed["channel"]["name"], renamed["channel"]["previous_names"]) == (
        "inc-42-down",
        ["inc-42"],
    )
    assert topic["channel"]["topic"]["value"] == "INC-42 Down"
    assert purpose["channel"]["purpose"]["value"] == "Of INC-42"
    assert members["members"] == ["U0JUDGE", "U0SAM"]
    assert shown["is_archived"]
    assert (await client.conversations_create(name="inc-42"))["ok"]


async def test_a_permalink_to_a_reply_names_its_thread(slack, client):
    first = await client.chat_postMessage(channel=PAYMENTS, text="first")
    reply = await client.chat_postMessage(channel=PAYMENTS, text="r", thread_ts=first["ts"])
    link = await client.chat_getPermalink(channel=PAYMENTS, message_ts=reply["ts"])

    assert link["permalink"] == (
        f"{slack.url}/archives/{PAYMENTS}/p{reply['ts'].replace('.', '')}"
        f"?thread_ts={first['ts']}&cid={PAYMENTS}"
    )
