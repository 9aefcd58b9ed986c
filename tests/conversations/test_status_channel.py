"""The status channel: it moves away from the cards of open incidents only after a question."""

from __future__ import annotations

import pytest

from tests.standin import labels

KEPT, MOVED = "Keep it as it is", "Move it there"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def shown(slack, settle):
    """The titles of the status cards in a channel, once everything is delivered."""

    async def shown(channel):
        await settle()
        return [post.text for post in slack.channel_view(channel) if "Checkout" in post.text]

    return shown


async def test_another_channel_is_asked_about_while_incidents_are_open(slack, told, shown):
    await told("declare Checkout is down")

    answer = await told("setup #random")

    assert answer.text == (
        "<#C0STATUS> is the status channel, and open incidents have their cards there. Nothing "
        "was changed.\nMove it to <#C0RANDOM>? Each open incident then gets a card in "
        "<#C0RANDOM> with its next change, and its public updates follow there. The cards in "
        "<#C0STATUS> stay."
    )
    kept = await (await slack.person("mia").press(answer, KEPT)).answer()
    assert "<#C0STATUS> is the status channel now" in kept.text
    await told("next 1")
    assert await shown("#random") == []


async def test_the_button_moves_it(slack, told, shown):
    await told("declare Checkout is down")
    answer = await told("setup #random")

    moved = await (await slack.person("mia").press(answer, MOVED)).answer()
    await told("next 1")

    assert "<#C0RANDOM> is the status channel now" in moved.text
    assert len(await shown("#random")) == len(await shown("#status")) == 1


async def test_an_answer_to_an_older_question_asks_anew(slack, told):
    await told("declare Checkout is down")
    answer = (await told("setup #random")).snapshot()
    moved = await slack.person("mia").press(await told("setup #general"), MOVED)
    await moved.answer()

    late = await (await slack.person("mia").press(answer, KEPT)).answer()

    assert late.text.startswith("<#C0GENERAL> is the status channel, and open incidents")


@pytest.mark.parametrize("before", [[], ["declare Checkout is down private"]])
async def test_nothing_is_asked_where_no_open_incident_is_public(before, told):
    for line in before:
        await told(line)

    assert "<#C0RANDOM> is the status channel now" in (await told("setup #random")).text


async def test_the_present_channel_is_set_again_without_a_question(told):
    await told("declare Checkout is down")

    assert "<#C0STATUS> is the status channel now" in (await told("setup #status")).text


async def test_a_person_who_may_not_move_it_is_refused_and_not_asked(told):
    await told("declare Checkout is down")

    assert "Only workspace admins may do that." in (await told("setup #random", "bo")).text


async def test_the_channel_is_tried_with_a_post_that_goes_away(slack, told):
    answer = await told("setup #random")

    assert "<#C0RANDOM> is the status channel now" in answer.text
    assert len(slack.calls_of("chat.postMessage")) == len(slack.calls_of("chat.delete")) == 1
    assert slack.channel_view("#random") == []


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"archived": True}, "<#C0CLOSED> is archived: unarchive it, or choose another."),
        (
            {"private": True, "bot": False},
            ("<#C0CLOSED> is private and without me: type /invite @Ratchet there, then try again."),
        ),
    ],
)
async def test_a_channel_that_takes_no_post_is_refused_with_the_cure(
    slack, ratchet, told, flags, sentence
):
    slack.workspace.add_channel("closed", members=["mia"], **flags)

    answer = await told("setup #closed")
    assert answer.text == f"{sentence} <#C0STATUS> stays the status channel."
    assert labels(answer) == ["All settings…"]
    team = slack.workspace.team_id
    assert await ratchet.store.read(lambda reader: reader.workspace(team).version) == 0


async def test_the_button_is_refused_with_the_cure_too(slack, told):
    slack.workspace.add_channel("closed", members=["mia"], archived=True)
    await told("declare Checkout is down")
    answer = await told("setup #closed")

    moved = await (await slack.person("mia").press(answer, MOVED)).answer()

    assert moved.text == (
        "<#C0CLOSED> is archived: unarchive it, or choose another. "
        "<#C0STATUS> stays the status channel."
    )
    assert labels(moved) == ["All settings…"]


async def test_a_person_who_may_not_set_it_makes_no_post(slack, told):
    await told("setup #random", "bo")

    assert slack.calls_of("chat.postMessage") == []
