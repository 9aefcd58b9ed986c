"""Answers by response_url, with posts and responses that get lost."""

from __future__ import annotations

import pytest

from tests.promises.acts import idle


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
async def card(slack, ratchet, settle):
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await settle()
    return slack.workspace.channel("#payments").messages[-1]


def copies(person, words):
    return sum(words in message.text for message in person.ephemerals)


async def test_an_answer_whose_responses_are_lost_is_shown_twice_at_most(slack, ratchet, card):
    slack.faults.lose_answer("response_url", times=None)
    mia = slack.person("mia")

    click = await mia.press(card, "Move to Identified")
    await idle(ratchet)

    assert len(click.uses) == 2
    assert copies(mia, "is now *Identified*") == 2


async def test_an_answer_whose_responses_are_lost_replaces_a_message_once(slack, ratchet, card):
    mia = slack.person("mia")
    shown = await (await mia.command("#payments", "/incident show 1")).answer()
    slack.faults.lose_answer("response_url", times=None)

    click = await mia.press(shown, "Move to Identified")
    await idle(ratchet)

    assert len(click.uses) == 3
    assert copies(mia, "is now *Identified*") == 1


@pytest.mark.parametrize("kind_of_fault", ["rate_limit", "server_error", "unavailable", "cut"])
async def test_an_answer_uses_its_url_three_times_at_most(kind_of_fault, slack, ratchet, card):
    fault = getattr(slack.faults, kind_of_fault)("response_url", times=None)
    mia = slack.person("mia")

    await mia.press(card, "Move to Identified")
    await idle(ratchet)

    assert fault.hits == (2 if kind_of_fault == "cut" else 3)
    assert copies(mia, "is now *Identified*") == 0


async def test_a_rate_limited_answer_comes_when_slack_allows_it(slack, ratchet, card):
    slack.faults.rate_limit("response_url", retry_after=1)

    click = await slack.person("mia").press(card, "Move to Identified")

    assert "is now *Identified*" in (await click.answer()).text
    assert len(click.uses) == 1
