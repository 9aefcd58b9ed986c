"""The start of an incident: typed, echoed, and counted from."""

from __future__ import annotations

import pytest

from tests.standin import opened

# The clock of the tests shows 09:00 UTC; the people of the stand-in are an hour ahead.


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def mia(slack, ratchet):
    return slack.person("mia")


@pytest.fixture
def say(mia):
    async def say(text):
        return await (await mia.command("#payments", f"/incident {text}")).answer()

    return say


async def test_the_answer_echoes_the_start_in_words(say):
    words = (await say("declare Checkout is down since:09:35")).words()

    assert "09:35" in words.replace("08:35 UTC", "09:35")
    assert "25 min before you declared it." in words


async def test_times_count_from_the_start(slack, say, settle):
    await say("declare Checkout is down since:25m")
    for step in ("identified", "monitoring", "resolved"):
        await say(f"status 1 {step}")
    await settle()

    assert "Resolved* after 25 min" in slack.workspace.channel("#payments").messages[0].words()
    assert "25 min" in repr(slack.channel_view("#status"))
    assert "after 25 min" in (await say("report 1")).words()


async def test_a_start_in_the_dialog_is_read_in_the_zone_of_its_author(slack, mia, say, settle):
    await mia.command("#payments", "/incident declare")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Checkout is down")
    await mia.fill("Started", "09:35")
    await mia.submit()
    await settle()

    card = slack.workspace.channel("#payments").messages[0].words()
    assert "25 min" in card


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("monday", "is no time"),
        ("today 23:00", "lies in the future"),
        ("10:30", "write 2026-03-01 10:30 if you mean that"),
        ("1960-01-01 10:00", "lies before 1970"),
    ],
)
async def test_a_start_that_cannot_be_is_told_at_its_box(slack, mia, typed, problem):
    await mia.command("#payments", "/incident declare")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Checkout is down")
    await mia.fill("Started", typed)

    submitted = await mia.submit()

    assert problem in submitted.field_errors["since"]


async def test_a_doubtful_start_is_a_button_away(slack, mia, say, settle):
    asked = await say("declare Checkout is down since:10:30")
    assert "Nothing was declared." in asked.words()

    done = await mia.press(asked, "Declare it since 2026-03-01 10:30")

    assert "23 h 30 min before you declared it." in (await done.answer()).words()
