"""A public text that may hold what must not leave: asked about, by command and in dialogs."""

from __future__ import annotations

import json

import pytest

from tests.standin import announced, labels, opened

HOST = "db-3-canary"
LEAK = f"The host {HOST} is down, we are moving away from it."
STOPPED = "Nothing was published on INC-1."
SAFE = "One of our servers is down."


@pytest.fixture(params=["http"])
def mode(request):
    return request.param


@pytest.fixture(autouse=True)
async def mia(slack, ratchet, settle):
    """INC-1 has its card in #payments, and a private note."""
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    await mia.command("#payments", f"/incident note 1 {HOST} lost its quorum")
    await settle()
    return mia


def public(slack):
    """Everything that the status channel shows."""
    return json.dumps([m.blocks for m in slack.workspace.channel("#status").messages]) + "".join(
        m.text for m in slack.workspace.channel("#status").messages
    )


async def dialog(slack, mia, press="Update…", name="update"):
    card = next(m for m in slack.workspace.channel("#payments").messages if m.by_app)
    await mia.press(card, press)
    await opened(slack, mia, name)


async def stopped_in_dialog(slack, mia, text=LEAK):
    """The Update… dialog after ``text`` was stopped in it."""
    await dialog(slack, mia)
    await mia.fill("Public update", text)
    await announced(slack, mia)
    await mia.submit()
    await slack.until(lambda: STOPPED in mia.view.words())


async def test_a_command_is_answered_with_the_places_and_three_ways(slack, told, settle):
    answer = await told(f"update 1 {LEAK}")
    await settle()

    assert STOPPED in answer.text
    assert f'"{HOST}": words of a private note' in answer.text
    assert LEAK in answer.words()
    assert labels(answer) == ["Publish as it is on INC-1", "Edit…", "Keep as a note on INC-1"]
    assert HOST not in public(slack)


async def test_it_is_published_as_it_is(slack, mia, told, settle):
    answer = await told(f"update 1 {LEAK}")

    await (await mia.press(answer, "Publish as it is on INC-1")).answer()
    await settle()

    assert LEAK in public(slack)


async def test_it_is_kept_as_a_note(slack, mia, told, settle):
    answer = await told(f"update 1 {LEAK}")

    await (await mia.press(answer, "Keep as a note on INC-1")).answer()
    await settle()

    assert HOST not in public(slack)
    assert LEAK in (await told("timeline 1")).words()


async def test_it_is_edited_in_the_dialog_and_asked_about_there_again(slack, mia, told, settle):
    answer = await told(f"update 1 {LEAK}")

    await mia.press(answer, "Edit…")
    await opened(slack, mia, "update")
    assert LEAK in str(mia.view.state)
    await mia.submit()
    await slack.until(lambda: STOPPED in mia.view.words())
    await mia.fill("Public update", SAFE)
    await announced(slack, mia)
    await mia.submit()
    await settle()

    assert SAFE in public(slack)
    assert HOST not in public(slack)


async def test_the_dialog_stays_open_and_publishes_what_is_confirmed(slack, mia, settle):
    await stopped_in_dialog(slack, mia)
    assert HOST not in public(slack)

    await mia.fill("This text", "Publish as it is")
    await mia.submit()
    await settle()

    assert LEAK in public(slack)


async def test_the_dialog_keeps_it_as_a_note(slack, mia, told, settle):
    await stopped_in_dialog(slack, mia)

    await mia.fill("This text", "Keep as a note")
    await mia.submit()
    await settle()

    assert HOST not in public(slack)
    assert LEAK in (await told("timeline 1")).words()


async def test_without_a_choice_it_is_asked_about_again(slack, mia, settle):
    await stopped_in_dialog(slack, mia)

    await mia.submit()
    await settle()

    assert STOPPED in mia.view.words()
    assert HOST not in public(slack)


async def test_a_walk_asks_as_well(slack, mia, told, settle):
    asked = await told("resolve 1")
    await mia.press(asked, next(label for label in labels(asked) if label.endswith("…")))
    await opened(slack, mia, "walk")
    await mia.fill("Private reason", "It is over.")
    await mia.fill("Public update", LEAK)
    await mia.submit()
    await slack.until(lambda: STOPPED in mia.view.words())
    assert HOST not in public(slack)

    await mia.fill("This text", "Publish as it is")
    await mia.submit()
    await settle()

    assert LEAK in public(slack)


async def test_no_finding_is_logged_or_counted(slack, mia, told, ratchet, settle, capsys):
    await told(f"update 1 {LEAK}")
    await stopped_in_dialog(slack, mia)
    await settle()

    logged = capsys.readouterr()
    assert "PossibleLeak" in logged.err
    assert HOST not in logged.out + logged.err


async def test_a_correction_after_the_end_is_asked_about_as_well(slack, mia, told, settle):
    for status in ("identified", "monitoring"):
        await told(f"status 1 {status}")
    await told("update 1 status:resolved It is over.")
    await told("withdraw 1 5")

    asked = await told(f"update 1 {LEAK}")

    assert STOPPED in asked.text
    assert labels(asked) == ["Publish as it is on INC-1", "Edit…"]
    assert HOST not in public(slack)
    await (await mia.press(asked, "Publish as it is on INC-1")).answer()
    await settle()
    assert LEAK in public(slack)


UNSAFE, UNDECLARED = "Ask ops@northwind.example", "Nothing was declared."


async def test_a_declaration_with_a_title_that_may_leak_is_asked_about(slack, mia, told, settle):
    for label, private in (("Declare as it is", False), ("Declare it private", True)):
        answer = await told(f"declare {UNSAFE} severity:high")
        assert UNDECLARED in answer.text
        assert '"ops@northwind.example": an e-mail address' in answer.text
        assert labels(answer) == ["Declare as it is", "Edit…", "Declare it private"]

        declared = await (await mia.press(answer, label)).answer()
        await settle()
        assert UNSAFE in declared.words()
        assert ("Everyone in <#C0STATUS> sees" in declared.words()) is not private
    cards = [one for one in slack.workspace.channel("#status").messages if "Ask ops" in one.text]
    assert len(cards) == 1


async def test_a_declaration_that_was_stopped_is_edited_with_all_that_was_typed(
    slack, mia, told, settle
):
    answer = await told(f"declare {UNSAFE} severity:high components:+Mail since:08:30")

    await mia.press(answer, "Edit…")
    await opened(slack, mia, "declare")
    filled = str(mia.view.state)
    assert all(each in filled for each in (UNSAFE, "high", "Mail", "08:30"))
    await mia.fill("Title", "Mail is late")
    await mia.submit()
    await settle()

    assert "Mail is late" in public(slack)
    assert "ops@" not in public(slack)


async def test_a_title_that_was_stopped_is_edited(slack, mia, told, settle):
    answer = await told(f"title 1 {HOST} is down")

    await mia.press(answer, "Edit…")
    await opened(slack, mia, "shorten")
    assert HOST in str(mia.view.state)
    assert "too many" not in mia.view.words()
    await mia.fill("Title", "One server is down")
    await mia.submit()
    await settle()

    assert "One server is down" in public(slack)
    assert HOST not in public(slack)


STAYS = "INC-2 stays private."


@pytest.fixture
async def opening(slack, mia, told, settle):
    """The dialog that makes INC-2 public, whose title holds a word of its note, was submitted."""
    await told(f"declare {HOST} is down private")
    await told(f"note #2 {HOST} lost its quorum")
    await mia.command("#payments", "/incident public 2")
    await opened(slack, mia, "public")
    await mia.submit()
    await slack.until(lambda: STAYS in mia.view.words())
    await settle()
    assert f'"{HOST}": words of a private note' in mia.view.words()
    assert HOST not in public(slack)


async def test_a_private_incident_is_made_public_as_it_is(slack, mia, opening, settle):
    await mia.press(mia.view, "Publish as it is on INC-2")
    await slack.until(lambda: STAYS not in mia.view.words())
    await settle()

    assert HOST in public(slack)


async def test_a_private_incident_is_kept_private(slack, mia, told, opening, settle):
    await mia.press(mia.view, "Keep private on INC-2")
    await slack.until(lambda: STAYS not in mia.view.words())
    await settle()

    assert HOST not in public(slack)
    assert "INC-2 is private." in (await told("show 2")).words()


async def test_the_title_of_a_private_incident_is_edited_before_it_is_public(
    slack, mia, told, opening, settle
):
    await mia.press(mia.view, "Edit…")
    await opened(slack, mia, "shorten")
    assert HOST in str(mia.view.state)
    await mia.fill("Title", "A server is down")
    await mia.submit()
    await settle()
    await mia.command("#payments", "/incident public 2")
    await opened(slack, mia, "public")
    await mia.submit()
    await settle()

    assert "A server is down" in public(slack)
    assert HOST not in public(slack)


async def test_the_dialog_of_a_declaration_asks_about_its_title(slack, mia, settle):
    await mia.command("#payments", "/incident declare")
    await opened(slack, mia, "declare")
    await mia.fill("Title", UNSAFE)
    await mia.submit()
    await slack.until(lambda: UNDECLARED in mia.view.words())
    assert "Ask ops" not in public(slack)

    await mia.fill("This title", "Declare as it is")
    await mia.submit()
    await settle()

    assert "Ask ops" in public(slack)


async def test_a_title_that_may_leak_is_used_or_kept_as_a_note(slack, mia, told, settle):
    answer = await told(f"title 1 {HOST} is down")
    assert "Nothing was changed on INC-1." in answer.text
    assert labels(answer) == ["Publish as it is on INC-1", "Edit…", "Keep as a note on INC-1"]
    assert HOST not in public(slack)

    await (await mia.press(answer, "Keep as a note on INC-1")).answer()
    await settle()
    assert f"{HOST} is down" in (await told("timeline 1")).words()
    assert HOST not in public(slack)

    answer = await told(f"title 1 {HOST} is down")
    await (await mia.press(answer, "Publish as it is on INC-1")).answer()
    await settle()
    assert HOST in public(slack)
