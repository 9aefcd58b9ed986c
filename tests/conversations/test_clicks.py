"""Buttons: out of date, pressed by many at once, forged."""

from __future__ import annotations

import asyncio

import pytest

from tests.standin import announced


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


async def test_five_acts_on_a_card_leave_five_sentences_and_no_button(slack, ratchet, settle):
    mia, bo = slack.person("mia"), slack.person("bo")
    await declare(mia, settle, slack)
    card = slack.workspace.channel("#payments").messages[-1]
    told = []

    async def answered(act):
        told.append(await (await act).answer())
        await settle()

    async def chosen(person, item, field, value):
        await person.choose(card, "menu", item)
        await slack.until(lambda: person.has_view and person.view.given.get("submit"))
        await person.fill(field, value)
        seen = len(person.ephemerals)
        await person.submit()
        await slack.until(lambda: len(person.ephemerals) > seen)
        told.append(person.ephemerals[-1])
        await settle()

    await answered(mia.press(card, "Acknowledge"))
    await answered(bo.press(card, "Move to Identified"))
    await chosen(bo, "Severity…", "Severity", "Critical")
    await chosen(bo, "Assign…", "Owner", bo.id)
    await answered(mia.press(card, "Move to Monitoring"))

    assert [message.text for message in told] == [
        "INC-1 is acknowledged, and stays *Investigating*; <@U0MIA> owns it now; next: identified.",
        "INC-1 is now *Identified* (was Investigating); next: monitoring.",
        "INC-1 now has the severity *critical* (was medium); next: monitoring.",
        "INC-1 is now owned by <@U0BO> (was mia); next: monitoring.",
        "INC-1 is now *Monitoring* (was Identified); next: resolved.",
    ]
    assert {block["type"] for message in told for block in message.blocks} == {"section"}


async def test_answers_to_commands_and_on_answers_keep_their_buttons(slack, ratchet, settle):
    mia = slack.person("mia")
    await declare(mia, settle, slack)
    shown = await (await mia.command("#payments", "/incident show 1")).answer()

    moved = await (await mia.press(shown, "Move to Identified")).answer()

    assert "Move to Monitoring" in str(moved.blocks)


async def test_severity_takes_three_clicks_and_a_new_owner_a_fourth(slack, ratchet, settle):
    """Each act below is one click; no owner is guessed."""
    mia, bo = slack.person("mia"), slack.person("bo")
    card = await declare(mia, settle, slack)

    await mia.press(card, "Update…")
    await slack.until(lambda: mia.has_view and mia.view.callback_id == "update")
    await mia.fill("Severity", "Critical")
    await announced(slack, mia)
    await mia.submit()
    # The menu is opened, and one of its options chosen.
    await bo.choose(card, "menu", "Assign…")
    await slack.until(lambda: bo.has_view and bo.view.callback_id == "assign")
    await bo.fill("Owner", bo.id)
    await bo.submit()
    await settle()

    shown = slack.workspace.channel("#payments").messages[0].words()
    assert "critical" in shown
    assert "Owner: <@U0BO>" in shown
