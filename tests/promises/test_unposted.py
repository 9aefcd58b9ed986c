"""Messages that Slack refuses are reported to people, and follow after a cure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.delivery.slack import CONTENT, GONE, MAYBE_DONE, PASSING, RATE_LIMITED
from bot.sandbox import Limits
from bot.slack.markup import plain_text
from storage.models import State
from tests.promises.acts import fresh, idle
from tests.promises.conftest import settle, tell
from tests.standin import a_standin

POST, EDIT = "chat.postMessage", "chat.update"


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


async def answered(person, channel, text):
    asked = await person.command(channel, f"/incident {text}")
    return (await asked.answer()).words()


# --- places ------------------------------------------------------------------------------------


@pytest.fixture
def hidden(slack):
    """A private channel of Mia and Bo, without the bot."""
    return slack.workspace.add_channel("hidden", members=["mia", "bo"], private=True, bot=False)


async def test_where_the_bot_is_not_the_answer_says_what_to_do_and_the_card_follows(
    ratchet, slack, clock, mia, hidden
):
    words = await answered(mia, hidden, "declare Checkout is down")
    await settle(ratchet, clock)
    assert "INC-1" in words
    assert "Type /invite @Ratchet here; the card follows by itself." in words.replace("`", "")
    assert hidden.messages == []

    request = mia.invite_the_app(hidden)
    await slack.until(lambda: request.ack is not None)
    await idle(ratchet)
    await settle(ratchet, clock)

    assert "Checkout is down" in hidden.messages[0].text
    assert await ratchet.outbox.list(State.DEAD) == ()


async def test_a_member_who_joins_is_not_the_bot(ratchet, slack, clock, mia, hidden):
    await answered(mia, hidden, "declare Checkout is down")
    await settle(ratchet, clock)
    calls = len(slack.calls_of(POST))
    request = mia.invite_the_app(hidden)
    await slack.until(lambda: request.ack is not None)
    await idle(ratchet)
    await settle(ratchet, clock)
    assert len(slack.calls_of(POST)) > calls
    calls = len(slack.calls_of(POST))
    slack.faults.refuse(POST, error="restricted_action")
    await tell(mia, "declare Search is slow")
    await settle(ratchet, clock)
    payload = json.loads(json.dumps(request.payload))
    payload["event"] |= {"user": mia.id, "channel": slack.workspace.channel("#payments").id}

    await slack.redeliver(replace(request, payload=payload))
    await idle(ratchet)

    assert [message.error for message in await ratchet.outbox.list(State.DEAD)] == [
        "restricted_action"
    ]


async def test_only_the_messages_of_the_cured_channel_are_sent(ratchet, slack, clock, mia, hidden):
    slack.faults.refuse(POST, error="restricted_action", times=1)
    await tell(mia, "declare Search is slow")
    await settle(ratchet, clock)
    await answered(mia, hidden, "declare Checkout is down")
    await settle(ratchet, clock)
    assert len(await ratchet.outbox.list(State.DEAD)) == 2

    request = mia.invite_the_app(hidden)
    await slack.until(lambda: request.ack is not None)
    await idle(ratchet)
    await settle(ratchet, clock)

    (dead,) = await ratchet.outbox.list(State.DEAD)
    assert dead.channel != hidden.id


async def test_an_unarchived_channel_gets_what_waited(ratchet, slack, clock, mia):
    channel = slack.workspace.channel("#war-room")
    await answered(mia, channel, "declare Checkout is down")
    channel.is_archived = True
    await settle(ratchet, clock)
    assert [message.error for message in await ratchet.outbox.list(State.DEAD)] == ["is_archived"]

    request = mia.unarchive(channel)
    await slack.until(lambda: request.ack is not None)
    await idle(ratchet)
    await settle(ratchet, clock)

    assert "Checkout is down" in channel.messages[0].text


NO_CHANNELS = [("D0MIA", "directmessage"), ("G0GROUP", "mpdm-mia--bo-1")]


@pytest.mark.parametrize(("channel", "name"), NO_CHANNELS, ids=["direct", "group"])
async def test_a_direct_or_group_message_counts_as_no_channel_and_the_answer_is_the_card(
    ratchet, slack, clock, mia, channel, name
):
    asked = await mia.command("#war-room", "/incident list")
    await idle(ratchet)
    payload, interaction = fresh(slack, mia, asked.request.payload)
    payload |= {
        "text": "declare Checkout is down",
        "channel_id": channel,
        "channel_name": name,
    }

    (sent,) = await slack.redeliver(replace(asked.request, payload=payload))
    await idle(ratchet)
    await settle(ratchet, clock)

    assert "Move to Identified" in f"{sent.ack.body}{interaction.messages}"
    assert await ratchet.outbox.list(State.DEAD) == ()
    assert channel not in {call.arguments.get("channel") for call in slack.calls}
    (incident,) = ratchet.store.read_now(
        lambda reader: reader.numbered(slack.workspace.team_id, after=0, until=9, limit=9)
    )
    assert incident.place is None
    card = slack.workspace.direct(mia.user).messages[-1]
    assert "Checkout is down" in card.text
    assert "Move to Identified" in str(card)


CONVERSATIONS = {
    "a channel with the bot": ({"is_private": True, "is_member": True}, None),
    "a private channel without it": (
        {"is_private": True, "is_member": False},
        "Type /invite @Ratchet",
    ),
    "an archived channel": ({"is_archived": True, "is_member": True}, "The channel is archived"),
    "a group message": ({"is_mpim": True, "is_private": True}, "cannot post in a group message"),
    "a public channel without it": ({"is_private": False, "is_member": False}, None),
}


@pytest.mark.parametrize(("described", "told"), CONVERSATIONS.values(), ids=CONVERSATIONS)
async def test_each_kind_of_conversation_is_told_apart(ratchet, slack, mia, described, told):
    answer = {"ok": True, "channel": {"id": "C1", "name": "war-room"} | described}
    slack.faults.garble("conversations.info", body=json.dumps(answer).encode())

    words = (await answered(mia, "#war-room", "declare Checkout is down")).replace("`", "")

    assert "Checkout is down" in words
    if told is None:
        assert "cannot" not in words
    else:
        assert told in words


@pytest.mark.parametrize("needed", ["mpim:read", "im:read,mpim:read", "groups:read", ""])
async def test_a_missing_scope_names_a_group_message_only_if_it_is_that_scope(
    ratchet, slack, mia, needed
):
    refusal = {"ok": False, "error": "missing_scope", "needed": needed, "provided": "commands"}
    slack.faults.garble("conversations.info", body=json.dumps(refusal).encode())

    words = await answered(mia, "#war-room", "declare Checkout is down")

    assert ("group message" in words) == ("mpim:read" in needed)


@pytest.mark.parametrize("silent", ["cut", "server_error", "unavailable"])
async def test_without_an_answer_about_the_channel_the_declaration_goes_on(
    ratchet, slack, mia, silent
):
    getattr(slack.faults, silent)("conversations.info")

    words = await answered(mia, "#war-room", "declare Checkout is down")

    assert "INC-1" in words
    assert "cannot" not in words


async def test_a_public_channel_is_not_looked_up(ratchet, slack, mia):
    await answered(mia, "#payments", "declare Checkout is down")

    assert slack.calls_of("conversations.info") == []


# --- refusals of the content -------------------------------------------------------------------


LONG = "&" * 2_000  # more than a text holds, once it is escaped


def plain(message):
    """Whether the message has no layout."""
    return message.blocks_as_sent in (None, [])


@pytest.mark.parametrize("error", sorted(CONTENT))
@pytest.mark.parametrize("channel", ["#payments", "#war-room"], ids=["public", "private"])
async def test_a_card_whose_layout_is_refused_is_posted_as_text(
    error, channel, ratchet, slack, clock, mia
):
    place = slack.workspace.channel(channel)
    slack.faults.refuse(POST, error=error, channel=place.id)

    await tell(mia, "declare Checkout is down", channel=channel)
    await settle(ratchet, clock)

    (card,) = place.messages
    assert plain(card)
    assert "Checkout is down" in card.text
    assert await ratchet.outbox.list(State.DEAD) == ()


@pytest.mark.parametrize("error", sorted(CONTENT))
async def test_an_edit_whose_layout_is_refused_is_made_as_text_and_the_next_one_as_a_card(
    error, ratchet, slack, clock, mia
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    (card,) = slack.workspace.channel("#payments").messages
    slack.faults.refuse(EDIT, error=error, channel=card.channel)

    await tell(mia, "status 1 identified")
    await settle(ratchet, clock)
    assert plain(card)
    assert "identified" in card.text
    await tell(mia, "status 1 monitoring")
    await settle(ratchet, clock)

    assert not plain(card)
    assert await ratchet.outbox.list(State.DEAD) == ()


@pytest.mark.parametrize("text", ["We found the cause: https://status.example.com", LONG])
@pytest.mark.parametrize("error", sorted(CONTENT))
async def test_a_public_update_whose_layout_is_refused_loses_none_of_its_text(
    error, text, ratchet, slack, clock, mia
):
    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)
    (card,) = slack.workspace.channel("#status").messages
    slack.faults.refuse(POST, error=error, channel=card.channel)

    await tell(mia, f"update 1 {text}")
    await settle(ratchet, clock)

    (reply,) = card.replies
    assert plain(reply)
    assert text in plain_text(reply.text).replace("\n", "")
    assert await ratchet.outbox.list(State.DEAD) == ()


async def test_a_refusal_of_the_text_as_well_is_kept_for_the_operator(ratchet, slack, clock, mia):
    slack.faults.refuse(POST, error="invalid_blocks", times=2, channel="C0PAYMENTS")

    await tell(mia, "declare Checkout is down")
    await settle(ratchet, clock)

    (dead,) = await ratchet.outbox.list(State.DEAD)
    assert dead.error == "invalid_blocks"


# --- refusals for good -------------------------------------------------------------------------

# The errors of chat.postMessage, conversations.join, and of a token that ended.
# Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
PERMANENT = sorted(
    {
        *("access_denied", "account_inactive", "app_access_restricted", "channel_not_found"),
        *("ekm_access_denied", "enterprise_is_restricted", "invalid_auth", "is_archived"),
        *("messages_tab_disabled", "method_deprecated", "missing_scope", "no_permission"),
        *("not_allowed_token_type", "not_authed", "org_login_required", "restricted_action"),
        *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
        *("slack_connect_canvas_sharing_blocked", "slack_connect_file_link_sharing_blocked"),
        *("team_access_not_granted", "team_not_found", "token_expired", "token_revoked"),
        *("two_factor_setup_required", "a_code_that_nobody_knows_yet"),
    }
)


def test_no_permanent_refusal_is_taken_for_another():
    assert CONTENT | GONE | MAYBE_DONE | PASSING | RATE_LIMITED - {*PERMANENT} == (
        CONTENT | GONE | MAYBE_DONE | PASSING | RATE_LIMITED
    )


@pytest.mark.parametrize("error", PERMANENT)
async def test_a_permanent_refusal_anywhere_is_kept_and_sent_once_it_is_cured(
    error, ratchet, slack, clock, mia
):
    places = [slack.workspace.channel(name) for name in ("#payments", "#war-room", "#status")]
    for place in places:
        slack.faults.refuse(POST, error=error, channel=place.id, times=None)
    await tell(mia, "declare Checkout is down")
    await tell(mia, "declare Search is slow", channel="#war-room")
    await tell(mia, "update 1 We found the cause.")
    await settle(ratchet, clock)
    dead = await ratchet.outbox.list(State.DEAD)
    assert {message.error for message in dead} == {error}
    assert {message.channel for message in dead} == {place.id for place in places}

    slack.faults.clear()
    for place in places:
        request = mia.invite_the_app(place)
        await slack.until(lambda request=request: request.ack is not None)
    await idle(ratchet)
    await settle(ratchet, clock)

    assert await ratchet.outbox.list(State.DEAD) == ()
    told = [message.text for place in places for message in place.messages]
    assert sum("Checkout is down" in text for text in told) >= 2
    (card,) = [
        message
        for message in slack.workspace.channel("#status").messages
        if "Checkout" in message.text and not message.is_reply
    ]
    assert ["We found the cause." in reply.text for reply in card.replies] == [True]
