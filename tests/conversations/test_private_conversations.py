"""Declarations in private conversations: the default, its setting, and the way to the public."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conversations.conftest import running, settled

PLACES = ["@mia", "#payments-leads"]


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def mia(slack):
    # A direct message to the app takes commands once its messages tab is on.
    slack.workspace.app = replace(slack.workspace.app, messages_read_only=False)
    slack.workspace.add_channel("payments-leads", private=True, members=["mia", "bo"])
    return slack.person("mia")


async def declared(mia, place, words):
    return await (await mia.command(place, f"/incident declare {words}")).answer()


@pytest.mark.parametrize("place", PLACES)
async def test_the_first_line_says_why_it_is_private_and_offers_to_make_it_public(
    place, mia, slack, ratchet, settle
):
    answer = await declared(mia, place, "Checkout is down")

    assert "is private, because it was declared in a private conversation" in answer.text
    opened = await mia.press(answer, "Make it public…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "public")
    assert "Checkout is down" in str(mia.view.given)
    await mia.submit()
    assert "is public now" in (await opened.answer()).text
    await settle()
    [card] = slack.channel_view("#status")
    assert "Checkout is down" in str(card)


@pytest.mark.parametrize("place", PLACES)
async def test_public_at_once_needs_its_own_word(place, mia, slack, ratchet, settle):
    answer = await declared(mia, place, "Checkout is down --public")
    await settle()

    assert "private" not in answer.text
    assert "sees its title, status and severity" in answer.text
    [card] = slack.channel_view("#status")
    assert "Checkout is down" in str(card)


async def test_the_declarer_has_the_card_of_a_direct_message_and_works_with_it(
    mia, slack, ratchet, settle
):
    answer = await declared(mia, "@mia", "Checkout is down --public")
    await settle()

    assert "You get its card as a direct message" in answer.text
    card = slack.workspace.direct(mia.user).messages[-1]
    await (await mia.press(card, "Move to Identified")).answer()
    await settle()
    assert "Identified" in str(slack.workspace.direct(mia.user).messages[-1].blocks)
    late = await (await mia.press(answer, "Make it private")).answer()
    assert "has been public since" in late.text
    asked = await (await mia.press(late, "Make it private…")).answer()
    private = await (await mia.press(asked, "Make it private")).answer()
    await settle()
    assert "is private now" in private.text
    [gone] = slack.channel_view("#status")
    assert "is no longer public" in str(gone)
    assert "Checkout is down" in slack.workspace.direct(mia.user).messages[-1].text


@pytest.mark.parametrize("place", PLACES)
async def test_the_setting_turns_the_default_off(place, mia, environment, slack, clock):
    environment["PRIVATE_BY_DEFAULT"] = "no"
    async with running(environment, slack, clock) as app:
        answer = await declared(mia, place, "Checkout is down")
        titled = await declared(mia, place, "Build is red public")
        await settled(app, clock)

        assert "private conversation" not in answer.text
        assert "Build is red public" in titled.text
        assert len(list(slack.channel_view("#status"))) == 2
        await mia.command(place, "/incident declare")
        await slack.until(lambda: mia.has_view)
        box = next(one for one in mia.view.given["blocks"] if one.get("block_id") == "private")
        assert "initial_options" not in box["element"]


@pytest.mark.parametrize("place", PLACES)
async def test_the_dialog_of_a_private_conversation_says_why_its_box_is_ticked(
    place, mia, slack, ratchet
):
    await mia.command(place, "/incident declare")
    await slack.until(lambda: mia.has_view)

    box = next(one for one in mia.view.given["blocks"] if one.get("block_id") == "private")
    assert "initial_options" in box["element"]
    assert "ticked because this conversation is private" in box["hint"]["text"]
