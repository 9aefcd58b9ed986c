"""The end as the status channel tells it: by a text, by a short reply, by a correction."""

from __future__ import annotations

import pytest

SHORT = "Resolved after"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment):
    """The product's own delay: ten seconds."""
    del environment["PUBLISH_DELAY"]
    return environment


@pytest.fixture
async def monitored(told, settle, clock):
    """INC-1 is one step before its end, 42 minutes after it began."""
    await told("declare Checkout is down")
    await told("status 1 identified")
    await told("status 1 monitoring")
    await settle()
    clock.advance(minutes=42)


def replies(slack):
    """The texts in the thread of the one status card."""
    [card] = slack.channel_view("#status")
    return [str(reply) for reply in card.replies]


async def test_a_bare_end_posts_one_short_broadcast_reply(told, monitored, slack, settle):
    await told("resolve 1 The index is rebuilt.")
    await settle()

    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply
    assert "index" not in reply
    posted = [call for call in slack.calls if SHORT in str(call.arguments.get("text"))]
    assert posted[-1].arguments["text"].endswith("Checkout is down: Resolved after 42 min.")
    replied = [call for call in posted if call.arguments.get("thread_ts")]
    assert [call.arguments["reply_broadcast"] for call in replied] == [True]


async def test_an_end_with_a_text_is_told_by_that_text_alone(told, monitored, slack, settle):
    await told("update 1 status:resolved All is well again.")
    await settle()

    [reply] = replies(slack)
    assert "All is well again." in reply
    assert SHORT not in reply


async def test_a_private_end_is_told_nowhere(told, slack, settle):
    await told("declare Checkout is down private")
    for status in ("identified", "monitoring", "resolved"):
        await told(f"status 1 {status}")
    await settle()

    assert list(slack.channel_view("#status")) == []


async def test_the_note_of_a_bare_end_is_withdrawn_without_an_edit_in_public(
    told, monitored, slack, settle
):
    await told("resolve 1 The index is rebuilt.")
    await settle()
    edits = [call for call in slack.calls if call.method == "chat.update"]
    await told("withdraw 1 4")
    await settle()

    channel = slack.workspace.channel("#status").id
    later = [call for call in slack.calls if call.method == "chat.update"][len(edits) :]
    assert channel not in {call.arguments["channel"] for call in later}


@pytest.fixture
async def ended(told, monitored):
    """The answer to the end with a text that is still held back."""
    return await told("update 1 status:resolved All is well agian.")


async def test_an_end_that_is_taken_back_is_told_after_five_minutes(
    slack, ended, settle, ratchet, clock
):
    mia = slack.person("mia")
    await (await mia.press(ended, "Take back")).answer()
    clock.advance(seconds=200)
    await ratchet.worker.deliver_due()
    assert replies(slack) == []

    clock.advance(seconds=100)
    await settle()

    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply
    assert "agian" not in reply


async def test_take_back_and_edit_puts_one_text_in_the_place_of_the_end(
    slack, ended, settle, clock, told
):
    mia = slack.person("mia")
    await mia.press(ended, "Take back and edit")
    await slack.until(lambda: mia.has_view and mia.view.given.get("submit") is not None)
    assert mia.view.given["submit"]["text"] == "Publish"
    await mia.fill("Public update", "All is well again.")
    await mia.submit()
    began = clock()
    await settle()

    assert (clock() - began).total_seconds() < 60
    [reply] = replies(slack)
    assert "All is well again." in reply
    assert SHORT not in reply
    refused = await told("update 1 And one more.")
    assert "end of its lifecycle" in refused.text or "Resolved" in refused.text
    assert len(replies(slack)) == 1


async def test_a_correction_that_is_taken_back_as_well_leaves_the_short_reply(
    slack, ended, settle, told
):
    mia = slack.person("mia")
    await (await mia.press(ended, "Take back")).answer()
    corrected = await told("update 1 All is well agian, again.")
    await (await mia.press(corrected, "Take back")).answer()
    await settle()

    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply


async def test_a_text_that_was_edited_before_the_end_is_not_replaced_again(
    slack, monitored, settle, told, clock
):
    mia = slack.person("mia")
    written = await told("update 1 Slow.")
    clock.advance(seconds=2)
    await mia.press(written, "Take back and edit")
    await slack.until(lambda: mia.has_view and mia.view.given.get("submit") is not None)
    await mia.fill("Public update", "It is slow.")
    await mia.submit()
    await settle()
    await told("resolve 1")
    await told("withdraw 1 5")

    taken = await told("update 1 It was one region.")
    assert "in place of your text in entry 5, and is the only one that can." in taken.text
    refused = await told("update 1 And one more.")
    assert "end of its lifecycle" in refused.text
    await settle()
    assert "And one more." not in "".join(replies(slack))


async def test_a_correction_comes_within_five_minutes_or_not_at_all(
    slack, ended, settle, told, clock
):
    mia = slack.person("mia")
    await (await mia.press(ended, "Take back")).answer()
    clock.advance(seconds=301)
    await told("update 1 All is well again.")
    await settle()

    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply


AT_THE_EDGE = {"the last moment": 299.999, "within its own hold": 295}


@pytest.mark.parametrize("seconds", AT_THE_EDGE.values(), ids=AT_THE_EDGE.keys())
async def test_a_correction_at_the_edge_of_five_minutes_stands_alone(
    slack, ended, settle, told, clock, ratchet, seconds
):
    await (await slack.person("mia").press(ended, "Take back")).answer()
    clock.advance(seconds=seconds)
    await told("update 1 All is well again.")
    clock.advance(seconds=300 - seconds)
    await ratchet.worker.deliver_due()
    assert replies(slack) == []
    await settle()

    [reply] = replies(slack)
    assert "All is well again." in reply
    assert SHORT not in reply


async def test_no_correction_follows_a_short_reply_that_has_left_at_the_same_moment(
    slack, ended, settle, told, clock, ratchet
):
    await (await slack.person("mia").press(ended, "Take back")).answer()
    clock.advance(seconds=300)
    await ratchet.worker.deliver_due()
    refused = await told("update 1 All is well again.")
    await settle()

    assert "Resolved" in refused.text
    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply


async def test_no_correction_follows_a_short_reply_that_slack_may_have(
    slack, ended, settle, told, clock, ratchet
):
    await (await slack.person("mia").press(ended, "Take back")).answer()
    clock.advance(seconds=300)
    slack.faults.lose_answer("chat.postMessage", channel=slack.workspace.channel("#status").id)
    await ratchet.worker.deliver_due()
    await told("update 1 All is well again.")
    await settle()

    [reply] = replies(slack)
    assert "*Resolved* after 42 min." in reply
