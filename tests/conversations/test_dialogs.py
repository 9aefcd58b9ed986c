"""Dialogs, shortcuts and the Home tab: nothing typed is lost, and every text names its readers."""

from __future__ import annotations

import pytest

from tests import tables
from tests.standin import announced, opened


@pytest.fixture
def mode():
    return "socket"


@pytest.fixture
async def card(slack, ratchet, settle):
    """INC-1's working card in #payments."""
    await slack.person("mia").command("#payments", "/incident declare Checkout is down")
    await settle()
    return slack.workspace.channel("#payments").messages[-1]


async def told(slack, person, words):
    """Waits until only this person has been told ``words``."""
    await slack.until(lambda: any(words in message.words() for message in person.ephemerals))


async def test_one_submit_makes_transition_public_update_and_note(slack, card, settle):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    await mia.fill("Next step", "Identified")
    await mia.fill("Public update", "We found the cause.")
    await mia.fill("Private note", "db-3 lost quorum")

    await announced(slack, mia)
    await mia.submit()
    await settle()

    assert not mia.has_view
    await told(slack, mia, "is now *Identified*")
    public = repr(slack.channel_view("#status"))
    assert "We found the cause." in public
    assert "quorum" not in public
    timeline = (await (await mia.command("#payments", "/incident timeline 1")).answer()).words()
    assert "db-3 lost quorum" in timeline


async def test_one_submit_changes_everything_in_one_transaction(slack, ratchet, card, settle):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    await mia.fill("Next step", "Identified")
    await mia.fill("Public update", "We found the cause.")
    await mia.fill("Private note", "db-3 lost quorum")
    await mia.fill("Severity", "Critical")
    await mia.fill("Next public update", "In 2 h")
    await announced(slack, mia)
    await mia.submit()
    await told(slack, mia, "It promises the next one by")

    # The declaration, and one change with its three entries.
    assert tables.values(ratchet.store, "SELECT entry FROM incident_update") == [1, 2, 3, 4]
    assert tables.values(ratchet.store, "SELECT version FROM incident") == [2]
    await settle()
    shown = repr(slack.channel_view("#status"))
    assert "critical" in shown
    assert "Next update by" in shown


async def test_an_empty_dialog_shows_the_error_once_at_its_field(slack, card):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")

    submitted = await mia.submit()

    assert submitted.field_errors == {
        "step:investigating": "Choose a next step, or write a public update or a note."
    }
    assert mia.has_view


async def test_preview_and_button_follow_what_is_typed(slack, card):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    view = await opened(slack, mia, "update")
    assert view.given["submit"]["text"] == "Save"
    assert "will show nothing new" in view.words()

    await mia.fill("Public update", "W")
    await mia.fill("Public update", "We found")
    await mia.fill("Public update", "We found the cause.")
    await slack.until(lambda: "We found the cause." in str(mia.view.blocks[-2:]))

    assert mia.view.given["submit"]["text"] == "Publish"
    assert mia.view.state["public"]["preview:public"]["value"] == "We found the cause."
    await mia.fill("Public update", None)
    await slack.until(lambda: mia.view.given["submit"]["text"] == "Save")
    assert "will show nothing new" in mia.view.words()
    # Each drawing is paid for: there are fewer of them than characters.
    assert len(slack.calls_of("views.update")) <= 5


async def test_a_drawing_that_slack_does_not_take_is_tried_once_more(slack, card):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    slack.faults.rate_limit("views.update", retry_after=1)

    await mia.fill("Public update", "We found the cause.")

    await announced(slack, mia)
    assert "We found the cause." in mia.view.words()


async def test_nothing_is_published_by_a_button_that_says_save(slack, card, settle):
    mia = slack.person("mia")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    slack.faults.server_error("views.update", times=None)
    await mia.fill("Public update", "We found the cause.")
    await mia.fill("Private note", "db-3 lost quorum")

    await mia.submit()

    assert "This will be public, as the preview shows." in mia.view.words()
    assert mia.view.given["submit"]["text"] == "Publish"
    await settle()
    assert "We found the cause." not in repr(slack.channel_view("#status"))
    await mia.submit()
    await told(slack, mia, "will read your public update")
    await settle()
    assert "We found the cause." in repr(slack.channel_view("#status"))


async def test_a_stale_dialog_under_save_says_who_moved_it(slack, card, settle):
    mia, bo = slack.person("mia"), slack.person("bo")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    await bo.command("#payments", "/incident status 1 identified")
    await mia.fill("Public update", "We found the cause.")

    await mia.submit()

    assert "<@U0BO> moved" in mia.view.words()
    assert "We found the cause." in mia.view.words()
    assert mia.view.given["submit"]["text"] == "Publish"


async def test_a_dialog_keeps_typed_text_after_a_move_in_the_meantime(slack, card):
    mia, bo = slack.person("mia"), slack.person("bo")
    await mia.press(card, "Update…")
    await opened(slack, mia, "update")
    await mia.fill("Private note", "a long story that must not be lost")
    await bo.command("#payments", "/incident status 1 identified")

    await mia.submit()

    view = await opened(slack, mia, "update")
    assert "<@U0BO> moved" in view.words()
    assert "Monitoring" in str(view.blocks)
    assert "a long story that must not be lost" in str(view.state) + str(view.blocks)
    await mia.submit()
    await told(slack, mia, "Your note is kept private")


async def test_declare_without_a_title_opens_the_dialog(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident declare severity:critical")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Payments fail")

    await mia.submit()
    await settle()

    await told(slack, mia, "INC-1 is declared (*Investigating*, critical): Payments fail.")
    assert "critical" in slack.workspace.channel("#payments").messages[-1].words()


async def test_the_global_shortcut_declares_in_the_channel_that_is_chosen(slack, ratchet, settle):
    mia = slack.person("mia")
    await mia.shortcut("declare_incident")
    await opened(slack, mia, "declare")
    await mia.fill("Title", "Payments fail")
    await mia.fill("Channel", "#payments")

    await mia.submit()
    await settle()

    assert "INC-1" in slack.workspace.channel("#payments").messages[-1].words()


async def test_a_message_becomes_an_incident_or_a_private_note(slack, ratchet, settle, card):
    mia, bo = slack.person("mia"), slack.person("bo")
    message = await bo.say("#payments", "db-3 looks <odd> & slow")
    await mia.message_shortcut(message, "add_to_timeline")
    await opened(slack, mia, "note")
    await mia.submit()
    await mia.message_shortcut(message, "declare_from_message")
    await opened(slack, mia, "declare")
    link = f"https://sandbox.slack.com/archives/C0PAYMENTS/p{message.ts.replace('.', '')}"
    filled = str(mia.view.blocks)
    assert f"db-3 looks <odd> & slow\\n\\n{link}" in filled
    await mia.fill("Title", "The database is slow")
    await mia.submit()
    await settle()

    timeline = (await (await mia.command("#payments", "/incident timeline 1")).answer()).words()
    assert "bo: db-3 looks &lt;odd&gt; &amp; slow" in timeline
    assert "db-3" not in repr(slack.channel_view("#status")[0])
    listed = (await (await mia.command("#payments", "/incident list")).answer()).words()
    assert "INC-2" in listed


async def test_the_home_tab_lists_and_moves_open_incidents(slack, card, settle):
    mia = slack.person("mia")
    await mia.open_home()
    await slack.until(lambda: "home" in slack.workspace.homes or mia.id in slack.workspace.homes)
    assert "INC-1" in mia.home.words()

    await mia.press(mia.home, "Move to Identified")

    await slack.until(
        lambda: "Identified" in mia.home.words() and "Monitoring" in str(mia.home.blocks)
    )
    assert "is now *Identified*" in (await opened(slack, mia, "message")).words()


async def test_lists_opened_from_home_have_lines_buttons_and_pages(slack, ratchet, settle):
    mia = slack.person("mia")
    for number in range(1, 13):
        await mia.command("#payments", f"/incident declare Fault {number} severity:low")
    await mia.command("#payments", "/incident declare Checkout is down severity:critical")
    await settle()
    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    await mia.press(mia.home, "All open")
    await slack.until(lambda: mia.has_view and "10 of 13" in mia.view.words())
    listed = mia.view
    first = [block["text"]["text"] for block in listed.blocks if "accessory" in block]

    await mia.press(listed, "Next")
    await slack.until(lambda: "3 of 13" in mia.view.words())
    second = [block["text"]["text"] for block in mia.view.blocks if "accessory" in block]
    await mia.press(mia.view, "Previous")
    await slack.until(lambda: "10 of 13" in mia.view.words())

    assert mia.view.id == listed.id
    assert "INC-13" in first[0]
    assert [len(first), len(second)] == [10, 3]
    assert not set(first) & set(second)


async def test_a_dialog_above_a_list_comes_back_to_it_with_the_answer(slack, card, settle):
    mia = slack.person("mia")
    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    await mia.press(mia.home, "All open")
    await slack.until(lambda: mia.has_view and "INC-1" in mia.view.words())
    listed = mia.view
    await mia.choose(listed, "menu", "Update…")
    await opened(slack, mia, "update")
    await mia.fill("Next step", "Identified")
    await announced(slack, mia)
    await mia.submit()

    await slack.until(lambda: "is now *Identified*" in mia.view.words())
    answer = mia.view
    await mia.press(answer, "Move to Monitoring")
    # A second step of the same person at once is asked about, in the same place.
    await slack.until(lambda: "is now *Identified*" not in mia.view.words())

    assert {answer.id, mia.view.id} == {listed.id}
    assert "Monitoring" in mia.view.words()


async def test_a_timeline_read_from_home_is_paged_in_its_dialog(slack, card, settle):
    mia = slack.person("mia")
    for count in range(25):
        await mia.command("#payments", f"/incident note 1 note {count}")
    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    await mia.choose(mia.home, "menu", "Timeline")
    await slack.until(lambda: mia.has_view and "note 24" in mia.view.words())
    read = mia.view.id

    await mia.press(mia.view, "Older")
    await slack.until(lambda: "declared it" in mia.view.words())

    assert mia.view.id == read
    assert len(mia.view.blocks) > 2


async def test_assign_severity_and_redact_have_dialogs_in_the_menu(slack, card, settle):
    mia, bo = slack.person("mia"), slack.person("bo")
    await mia.choose(card, "menu", "Severity…")
    await opened(slack, mia, "severity")
    await mia.fill("Severity", "Critical")
    await mia.submit()
    await bo.choose(card, "menu", "Assign…")
    await opened(slack, bo, "assign")
    await bo.fill("Owner", "mia")
    await bo.submit()
    await mia.command("#payments", "/incident update 1 A secret that should not be public")
    await settle()
    await mia.choose(card, "menu", "Withdraw…")
    await opened(slack, mia, "redact")
    await mia.fill("Text to withdraw", "4")
    await mia.submit()
    await settle()

    now = slack.workspace.channel("#payments").messages[0].words()
    assert "critical" in now
    assert "Owner: <@U0MIA>" in now
    assert "secret" not in repr(slack.channel_view("#status"))
    assert "withdrawn" in repr(slack.channel_view("#status"))
