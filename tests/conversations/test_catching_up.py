"""Catching up: what happened meanwhile, in eight lines, to one person alone."""

from __future__ import annotations

import pytest


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
def mia(slack, ratchet):
    return slack.person("mia")


@pytest.fixture
def bo(slack, ratchet):
    return slack.person("bo")


async def say(person, text, channel="#payments"):
    return await (await person.command(channel, f"/incident {text}")).answer()


async def test_it_shows_what_others_did_since_ones_own_last_act(mia, bo):
    await say(mia, "declare Checkout is down")
    await say(bo, "ack 1")
    await say(mia, "note 1 db-3 lost its quorum")
    await say(mia, "status 1 identified rolled back")

    words = (await say(bo, "catchup 1")).words()

    assert "INC-1 is *Identified* (medium): Checkout is down." in words
    assert "since your last act" in words
    assert "2 entries" in words
    assert "db-3 lost its quorum" in words
    assert "declared" not in words
    assert "Nothing is new since your last catch-up" in (await say(bo, "catchup 1")).words()


async def test_it_has_at_most_eight_lines_and_leads_to_the_timeline(mia, bo, slack):
    await say(mia, "declare Checkout is down")
    for number in range(12):
        await say(mia, f"note 1 note number {number}")

    answer = await say(bo, "catchup 1")

    lines = [
        line
        for block in answer.blocks
        if block["type"] == "section"
        for line in block["text"]["text"].splitlines()
    ]
    assert len(lines) == 8
    assert "note number 11" in answer.words()
    assert "… and 8 more: the timeline has them all." in answer.words()
    shown = await (await bo.press(answer, "Timeline")).answer()
    assert "note number 0" in shown.words()


async def test_without_a_number_it_lists_open_incidents_with_something_new(mia, bo):
    await say(mia, "declare Checkout is down severity:high")
    await say(mia, "declare Search is slow severity:low")

    listed = await say(bo, "catchup")
    assert "2 open incidents have something new for you" in listed.words()
    await (await bo.press(listed, "catchup:1")).answer()

    words = (await say(bo, "catchup")).words()
    assert "1 open incident has something new" in words
    assert "Checkout" not in words


async def test_the_tray_leads_to_it(mia, bo):
    await say(mia, "declare Checkout is down")
    tray = await say(bo, "")

    found = await (await bo.press(tray, "What is new")).answer()

    assert "1 open incident has something new for you" in found.words()
    assert "Nothing is new on any open incident." in (await say(mia, "catchup")).words()


async def test_somebody_who_may_not_see_it_learns_nothing(slack, mia, bo):
    await say(mia, "declare Customer data leaked private")

    assert "There is no incident INC-1 here" in (await say(bo, "catchup 1", "#general")).words()
    assert "Nothing is new" in (await say(bo, "catchup", "#general")).words()
