"""A command without its incident, where more are open than one answer offers."""

from __future__ import annotations

import re

import pytest

from tests.standin import labels

NOTE = "rolled back build 311, error rate is normal"


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
async def mia(slack, ratchet, settle):
    """Twelve incidents are open in #payments. INC-1 is the least, INC-12 the worst of them."""
    mia = slack.person("mia")
    for place in range(12):
        severity = ("low", "medium", "high", "critical")[place // 3]
        await mia.command("#payments", f"/incident declare severity:{severity} Fault {place + 1}")
    await settle()
    return mia


@pytest.fixture
def told(mia):
    """Types a command and returns its answer."""

    async def told(text, channel="#general"):
        return await (await mia.command(channel, f"/incident {text}")).answer()

    return told


WITHOUT_A_NUMBER = ["resolve", "next", "ack", "assign", "severity high", "timeline", "report"]


@pytest.mark.parametrize("command", WITHOUT_A_NUMBER)
async def test_the_worst_are_offered_and_the_rest_is_one_click_away(command, told, mia):
    elsewhere = await told(command)
    here = await told(command, "#payments")

    assert "Offered: 1\N{EN DASH}10 of 12 open incidents, the worst first." in elsewhere.text
    assert "12 incidents are open in this channel (the worst 10 are INC-12, INC-11," in here.text
    for answer in (elsewhere, here):
        offered = answer.text.partition("Choose: ")[2]
        assert [bool(re.search(rf"INC-{n}\b", offered)) for n in (12, 3, 2)] == [True, True, False]
        assert "INC-12" in labels(answer)[0]
        assert "All open" in labels(answer)
    board = await (await mia.press(elsewhere, "All open")).answer()
    assert "1\N{EN DASH}10 of 12" in board.text
    assert "INC-2 " in (await (await mia.press(board, "Next")).answer()).text


@pytest.mark.parametrize("channel", ["#general", "#payments"])
async def test_the_typed_text_goes_on_to_the_other_incidents(channel, told, mia):
    first = await told(f"note {NOTE}", channel)
    assert "Private note on INC-12" in labels(first)[0]

    others = await (await mia.press(first, "More incidents")).answer()
    assert "Which incident is it? Nothing was done." in others.text
    assert "11\N{EN DASH}12 of 12" in others.text
    assert NOTE in others.text
    assert [one for one in labels(others) if "INC" in one] == [
        "Private note on INC-2",
        "Private note on INC-1",
    ]

    again = await (await mia.press(others, "The first ones again")).answer()
    assert labels(again) == labels(first)
    back = await (await mia.press(again, "More incidents")).answer()
    await (await mia.press(back, "Private note on INC-1")).answer()
    assert NOTE in (await told("timeline 1")).words()


async def test_a_text_that_few_incidents_have_is_looked_for_in_all_of_them(told, mia):
    await told("description 1 Cards are refused since noon.")

    asked = await told("withdraw description")

    assert labels(asked) == ["Withdraw the description of INC-1"]


async def test_a_reader_is_told_how_many_there_are(told):
    tray = await told("", "#payments")

    assert "Open here (10 of 12)" in tray.words()
