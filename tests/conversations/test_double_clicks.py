"""A double click whose second half hits a button that has just taken the place of the first."""

from __future__ import annotations

import pytest

from tests.standin import labels

WE = "Refunds fail for some customers."


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def environment(environment):
    """The product's own delay: ten seconds."""
    del environment["PUBLISH_DELAY"]
    return environment


@pytest.fixture(autouse=True)
async def mia(slack, ratchet, settle, clock):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    clock.advance(seconds=60)
    return mia


async def pressed(person, message, label):
    return await (await person.press(message, label)).answer()


# A command, and the button in its answer whose own answer has a step in it.
BEFORE_A_STEP = [
    (f"update 1 {WE}", "Take back"),
    (f"update 1 {WE}", "No promise"),
    (f"update 1 note: {WE}", "Private note on INC-1"),
    (f"next 1 public: {WE}", "As a private note on INC-1"),
    ("status identified 1", "Move INC-1 to Identified"),
    ("title 1 Checkout is slow", "Take back"),
    ("severity 1 P1", "Set INC-1 to critical"),
]


@pytest.mark.parametrize(("line", "label"), BEFORE_A_STEP)
async def test_the_second_half_of_a_double_click_is_asked_about(
    line, label, told, mia, clock, slack, settle
):
    await told("severity 1 high")
    answer = await pressed(mia, await told(line), label)
    [step] = [one for one in labels(answer) if one.startswith("Move to")]
    before = (await told("show 1")).words()
    clock.advance(seconds=2)

    again = await pressed(mia, answer, step)

    assert "Your click followed another one at once, and changed nothing." in again.text
    assert (await told("show 1")).words().split("since")[0] == before.split("since")[0]
    done = await pressed(mia, again, step)
    assert f"is now *{step.removeprefix('Move to ')}*" in done.text


@pytest.mark.parametrize(("line", "label"), BEFORE_A_STEP)
async def test_after_three_seconds_the_step_is_done_at_once(line, label, told, mia, clock):
    await told("severity 1 high")
    answer = await pressed(mia, await told(line), label)
    [step] = [one for one in labels(answer) if one.startswith("Move to")]
    clock.advance(seconds=3)

    assert f"is now *{step.removeprefix('Move to ')}*" in (await pressed(mia, answer, step)).text


async def hasty_in_an_answer(told, mia, slack, settle):
    """A click on the step that has just taken the place of a clicked button."""
    answer = await pressed(mia, await told(f"update 1 {WE}"), "Take back")
    return await mia.press(answer, "Move to Identified")


async def hasty_on_the_card(told, mia, slack, settle):
    """A click on the next step of a card right after the one before it."""
    (card,) = [one for one in slack.workspace.channel("#payments").messages if one.by_app]
    await pressed(mia, card, "Move to Identified")
    await settle()
    return await mia.press(card, "Move to Monitoring")


@pytest.mark.parametrize("click", [hasty_in_an_answer, hasty_on_the_card])
async def test_a_hasty_click_that_slack_delivers_again_later_moves_nothing(
    click, told, mia, clock, slack, settle
):
    hasty = await click(told, mia, slack, settle)
    assert "changed nothing" in (await hasty.answer()).text
    before = (await told("show 1")).words().split("since")[0]
    clock.advance(seconds=4)

    await slack.redeliver(hasty.request)

    await slack.until(lambda: len(hasty.uses) == 2)
    assert "changed nothing" in (await hasty.answer()).text
    assert (await told("show 1")).words().split("since")[0] == before


async def test_a_step_that_is_out_of_date_is_so_at_once(told, mia, slack):
    answer = await pressed(mia, await told(f"update 1 {WE}"), "Take back")
    bo = slack.person("bo")
    await (await bo.command("#payments", "/incident next 1")).answer()

    late = await pressed(mia, answer, "Move to Identified")

    assert "<@U0BO> moved INC-1 to *Identified*" in late.text


async def test_a_declaration_by_a_button_is_not_moved_by_a_double_click(told, mia, slack):
    answer = await pressed(mia, await told("declare private key leaked"), "Declare it private")

    again = await pressed(mia, answer, "Move to Identified")

    assert "changed nothing" in again.text
