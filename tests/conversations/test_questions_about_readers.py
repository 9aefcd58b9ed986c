"""A note that begins with "public", a promise without a unit, a list of a status that is none."""

from __future__ import annotations

import pytest

from tests.conversations.test_questions import timeline
from tests.standin import labels, opened

WE = "We fixed the index, and search is quick again."


@pytest.fixture
def mode():
    return "http"


@pytest.fixture(autouse=True)
async def mia(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    return mia


@pytest.mark.parametrize(
    ("typed", "moved"),
    [("next 1", "Identified"), ("status 1 identified", "Identified"), ("note 1", None)],
)
async def test_a_note_for_everyone_becomes_a_public_update_only_in_the_dialog(
    typed, moved, told, mia, slack, settle
):
    answer = await told(f"{typed} public: {WE}")
    await settle()

    assert answer.text.startswith("This may be meant for everyone. Nothing was done.")
    assert labels(answer) == ["As a public update…", "As a private note on INC-1"]
    assert WE in answer.words()
    assert "index" not in repr(slack.channel_view("#status"))
    await mia.press(answer, "As a public update…")
    view = await opened(slack, mia, "update")
    assert WE in str(view.blocks)
    await mia.submit()
    await settle()

    [card] = slack.channel_view("#status")
    assert WE in repr(card)
    assert (f"now {moved.lower()}" if moved else "now investigating") in card.text


async def test_a_note_for_everyone_may_stay_private(told, mia, slack, settle):
    answer = await told(f"next 1 public: {WE}")
    done = await (await mia.press(answer, "As a private note on INC-1")).answer()
    await settle()

    assert "INC-1 is now *Identified*" in done.text
    assert "Your note is kept private." in done.text
    assert f'private: "{WE}"' in await timeline(told, 1)
    assert "index" not in repr(slack.channel_view("#status"))


async def test_a_note_for_everyone_at_a_status_several_steps_away_opens_the_walk(told, mia, slack):
    answer = await told(f"resolve 1 public: {WE}")

    assert labels(answer) == [
        "Publish and move INC-1 to Resolved…",
        "As a public update…",
        "Move INC-1 to Resolved…",
        "Private note on INC-1",
        "Show INC-1",
    ]
    await mia.press(answer, "Publish and move INC-1 to Resolved…")
    assert WE in str((await opened(slack, mia, "walk")).blocks)


async def test_a_private_incident_offers_no_public_update(told):
    await told("declare Key leaked private")

    assert labels(await told(f"note 2 public: {WE}")) == ["As a private note on INC-2"]


async def test_a_private_incident_gets_a_public_text_as_a_note(told, settle, case):
    await told("declare Key leaked private", channel="#general")
    await settle()

    for text in ("Vault is fine", "500 errors are gone"):
        with case(text):
            offered = labels(await told(f"update {text}", channel="#random"))

            assert not any("Publish" in label and "INC-2" in label for label in offered)
            assert any(label.startswith("Private note on INC-2") for label in offered)


async def test_a_question_about_a_private_incident_publishes_nothing(told):
    await told("declare Key leaked private")

    offered = labels(await told(f"update #2 monitoring {WE}"))

    assert not any("Publish" in label for label in offered)
    assert any(label.startswith("Private note on INC-2") for label in offered)


async def test_minutes_without_a_unit_are_promised_by_a_button(told, mia):
    answer = await told("promise 30")

    assert answer.text.startswith('"30" may be minutes, or the number of an incident.')
    done = await (await mia.press(answer, "Promise an update of INC-1 in 30 min")).answer()
    assert "INC-1: the next update is promised by" in done.text


async def test_a_step_that_is_impossible_is_explained_where_the_number_comes_first(told):
    await told("next 1")
    answer = await told("1 investigating")

    assert answer.text.startswith(
        "INC-1 is *Identified*. It can't go back to Investigating: incidents only move forward."
    )
    assert labels(answer) == ["Move INC-1 to Monitoring", "Show INC-1"]
    assert 'no status "open"' in (await told("1 open")).text.lower()


@pytest.mark.parametrize("scope", ["", "mine ", "all "])
async def test_a_list_of_a_status_that_is_none_says_so(scope, told, mia):
    answer = await told(f"list {scope}status:foo")

    assert answer.text.startswith('There is no status "foo". Statuses: investigating, identified, ')
    shown = await (await mia.press(answer, "List them without it")).answer()
    assert "foo" not in shown.text


async def test_a_status_that_no_listed_incident_has_is_no_mistake(told):
    assert "no status" not in (await told("list status:monitoring")).text
