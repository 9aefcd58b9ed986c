"""Buttons: out of date, pressed by many at once, forged."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
async def crowd(slack):
    """Eight members of the workspace."""
    users = [
        slack.workspace.add_user(f"responder{n}", real_name=f"Responder {n}") for n in range(8)
    ]
    for user in users:
        slack.workspace.channel("#payments").members.append(user.id)
    return [slack.person(user.name) for user in users]


async def declare(mia, settle, slack, title="Checkout is down"):
    await mia.command("#payments", f"/incident declare {title}")
    await settle()
    return slack.workspace.channel("#payments").messages[-1]


async def test_an_out_of_date_button_changes_nothing_and_says_who_moved_it(
    slack, ratchet, settle, clock
):
    mia, bo = slack.person("mia"), slack.person("bo")
    old = (await declare(mia, settle, slack)).snapshot()
    await mia.press(old, "Move to Identified")
    await settle()
    clock.advance(seconds=4)

    click = await bo.press(old, "Move to Identified")

    words = (await click.answer()).words()
    assert "<@U0MIA> moved INC-1 to *Identified*" in words
    assert "Your click changed nothing." in words
    assert "Monitoring" in words
    shown = await (await bo.command("#payments", "/incident timeline 1")).answer()
    assert shown.words().count("→") == 1


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.torture)])
async def test_of_eight_clicks_at_once_one_moves_the_incident(count, slack, ratchet, settle, crowd):
    mia = slack.person("mia")
    for number in range(1, count + 1):
        await mia.command("#payments", f"/incident declare Outage {number}")
    await settle()
    cards = [
        m for m in slack.workspace.channel("#payments").messages if m.by_app and not m.only_for
    ]
    assert len(cards) == count

    for card in cards:
        clicks = await asyncio.gather(
            *(person.press(card, "Move to Identified") for person in crowd)
        )

        answers = [(await click.answer()).text for click in clicks]
        assert sum("is now" in text for text in answers) == 1
        assert sum("Your click changed nothing." in text for text in answers) == 7


async def test_a_forged_button_is_refused_and_changes_nothing(slack, ratchet, settle):
    mia = slack.person("mia")
    card = await declare(mia, settle, slack)
    forged = card.snapshot()
    for block in forged.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == "step:identified":
                element["value"] = element["value"].replace(":identified", ":no such")

    click = await mia.press(forged, "Move to Identified")

    assert "nothing was changed" in (await click.answer()).text.lower()
