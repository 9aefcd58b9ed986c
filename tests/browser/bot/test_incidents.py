"""The unmodified bot, used by hand on the page of the stand-in.

The pictures in docs/img are taken from these journeys: `make screenshots`.
"""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.hands import answer, card, declared, messages, say
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"width": 390, "height": 760}


async def test_an_incident_is_declared_by_dialog(at, settle, picture):
    mia, status = await at("mia"), await at("bo", "#status")
    await say(mia, "/incident declare")
    dialog = mia.get_by_role("dialog", name="Declare an incident")

    await dialog.get_by_label("Title").fill("Checkout is down")
    await dialog.get_by_role("button", name="Severity").click()
    await mia.get_by_role("option", name="High").click()
    await dialog.get_by_label("Affected components").fill("Checkout API, Payments")
    await picture(mia, "declare")
    await dialog.get_by_role("button", name="Declare").click()
    await settle()

    await expect(dialog).to_be_hidden()
    await expect(card(mia)).to_contain_text("Investigating · high · since 03:12")
    await expect(card(mia)).to_contain_text("Checkout API, Payments")
    await expect(messages(status)).to_contain_text("Checkout is down")
    await expect(messages(status).get_by_role("button", name="Update INC-1")).to_have_count(0)


async def test_a_missing_title_is_an_error_at_its_field(at):
    mia = await at("mia")
    await say(mia, "/incident declare")
    dialog = mia.get_by_role("dialog")

    await dialog.get_by_label("Description").fill("503 since three")
    await dialog.get_by_role("button", name="Declare").click()

    await expect(dialog.get_by_label("Title")).to_be_focused()
    await expect(dialog.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    await expect(dialog.get_by_label("Description")).to_have_value("503 since three")


async def test_a_button_moves_the_incident_for_everybody(at, settle):
    mia, bo, status = await at("mia"), await at("bo"), await at("sam", "#status")
    await declared(mia)
    await settle()

    await card(bo).get_by_role("button", name="Move to Identified: INC-1").click()
    await settle()

    for page in (mia, bo):
        await expect(card(page)).to_contain_text("Identified · high")
        await expect(card(page)).to_contain_text("@bo moved it: Investigating → Identified")
        await expect(
            card(page).get_by_role("button", name="Move to Monitoring: INC-1")
        ).to_be_visible()
    await expect(messages(status)).to_have_count(1)
    await expect(messages(status)).to_contain_text("Identified (was Investigating)")


async def test_a_refused_move_is_answered_with_the_steps_that_are_possible(at, settle, picture):
    bo, mia = await at("bo"), await at("mia")
    await say(bo, "Card payments fail for about a third of the tries since 03:05, @mia")
    await say(mia, "Looking at it. The *gateway* answers, it is us.")
    await declared(mia, 'Checkout is down severity:high components:"Checkout API, Payments"')
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle(mia, minutes=4)
    await say(mia, "/incident ack")
    await expect(answer(mia)).to_contain_text("acknowledged")
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle(mia, minutes=2)

    await say(mia, "/incident status 1 resolved")

    refusal = answer(mia)
    await expect(refusal).to_contain_text("INC-1 is Investigating.")
    await expect(refusal).to_contain_text("Identified → Monitoring → Resolved")
    await picture(mia, "refused")
    await expect(card(mia)).to_contain_text("Investigating")
    await refusal.get_by_role("button", name="Move to Identified: INC-1").click()
    await settle()
    await expect(card(mia)).to_contain_text("Identified · high")


async def test_one_dialog_takes_a_public_update_and_a_private_note(at, settle, picture):
    mia, status = await at("mia"), await at("sam", "#status")
    await declared(mia)
    await say(mia, "/incident next 1")
    await settle(mia, status, minutes=11)

    await card(mia).get_by_role("button", name="Update INC-1").click()
    dialog = mia.get_by_role("dialog", name="Update INC-1")
    await dialog.get_by_role("textbox", name="Public update").fill(
        "We found the cause and are rolling back."
    )
    await dialog.get_by_label("Private note").fill("db-3 lost quorum after the 03:00 deploy")
    await dialog.get_by_role("button", name="Next step").click()
    await mia.get_by_role("option", name="Monitoring").click()
    await expect(dialog).to_contain_text("Monitoring (was Identified) · high")
    await expect(dialog).to_contain_text("Monitoring: We found the cause and are rolling back.")
    await expect(dialog.get_by_role("textbox", name="Public update")).to_have_value(
        "We found the cause and are rolling back."
    )
    await dialog.get_by_text("Preview:").scroll_into_view_if_needed()
    await picture(mia, "update")
    await dialog.get_by_role("button", name="Publish").click()
    await settle(status)

    await expect(dialog).to_be_hidden()
    await expect(card(mia)).to_contain_text("Monitoring · high")
    await expect(messages(status).first).to_contain_text("We found the cause and are rolling back.")
    await expect(messages(status).last).to_contain_text("replied to a thread")
    await expect(messages(status).get_by_text("quorum")).to_have_count(0)
    await status.get_by_role("button", name="1 reply").click()
    thread = status.get_by_role("complementary", name="Thread")
    await expect(thread).to_contain_text("Monitoring: We found the cause and are rolling back.")
    await picture(status, "status")
    await say(mia, "/incident timeline 1")
    await expect(answer(mia)).to_contain_text('private: "db-3 lost quorum after the 03:00 deploy"')


async def test_a_question_does_what_was_meant_with_the_text_that_was_typed(at, settle, picture):
    mia, status = await at("mia"), await at("sam", "#status")
    await declared(mia, 'Checkout is down severity:high components:"Checkout API, Payments"')
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle(mia, status, minutes=6)
    await say(mia, "/incident ack")
    await expect(answer(mia)).to_contain_text("acknowledged")
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle(mia, status)

    await say(mia, "/incident update 1 identified We found the cause and are rolling back.")
    await settle(mia, status)

    question = answer(mia)
    await expect(question).to_contain_text("We found the cause and are rolling back.")
    await expect(card(mia)).to_contain_text("Investigating · high")
    await expect(messages(status).get_by_text("rolling back")).to_have_count(0)
    await picture(mia, "question")
    await question.get_by_role("button", name="Identified").first.click()
    await settle(mia, status, minutes=1)
    await settle()
    await expect(card(mia)).to_contain_text("Identified · high")
    await expect(messages(status).first).to_contain_text("We found the cause and are rolling back.")


@pytest.mark.parametrize("ratchet", [10], indirect=True)
async def test_a_public_text_is_taken_back_and_edited_before_anybody_reads_it(at, settle, picture):
    mia, status = await at("mia"), await at("sam", "#status")
    await declared(mia, 'Checkout is down severity:high components:"Checkout API, Payments"')
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle(mia, status, minutes=6)

    await say(mia, "/incident update 1 Ask for Pat at extension 4711.")
    await expect(answer(mia)).to_contain_text("until then you can take it back")
    await picture(mia, "take-back")
    await answer(mia).get_by_role("button", name="Take back and edit").click()

    dialog = mia.get_by_role("dialog", name="Update INC-1")
    text = dialog.get_by_role("textbox", name="Public update")
    await expect(text).to_have_value("Ask for Pat at extension 4711.")
    await text.fill("We are looking at it with the provider.")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(dialog).to_be_hidden()
    await settle(mia, status, minutes=1)
    await settle()
    await expect(messages(status).first).to_contain_text("We are looking at it")
    await expect(messages(status).get_by_text("4711")).to_have_count(0)


async def test_an_empty_update_is_an_error_at_one_field(at, settle):
    mia = await at("mia")
    await declared(mia)
    await settle()
    await card(mia).get_by_role("button", name="Update INC-1").click()

    await mia.get_by_role("dialog").get_by_role("button", name="Save").click()

    missing = "Choose a next step, or write a public update or a note."
    await expect(mia.get_by_role("dialog").get_by_text(missing)).to_have_count(1)


async def test_of_two_concurrent_clicks_one_moves_the_incident(at, slack, settle):
    mia, bo = await at("mia"), await at("bo")
    await declared(mia)
    await answer(mia).get_by_role("button", name="Dismiss message").click()
    await settle()

    async def click(page):
        await card(page).get_by_role("button", name="Move to Identified: INC-1").click()

    # The card keeps its buttons until both have clicked.
    redrawn_later = slack.faults.slow("chat.update", seconds=PATIENCE_SECONDS)
    await asyncio.gather(click(mia), click(bo))
    await slack.until(lambda: sum(i.kind == "block_actions" for i in slack.interactions) == 2)
    redrawn_later.clear()
    clicks = [each for each in slack.interactions if each.kind == "block_actions"]
    answers = [(await click.answer()).words() for click in clicks]
    await settle()

    assert sum("Your click changed nothing" in words for words in answers) == 1
    for page in (mia, bo):
        await expect(card(page)).to_contain_text("Identified · high")
    await say(mia, "/incident timeline 1")
    await expect(answer(mia)).to_contain_text("declared it")
    assert (await answer(mia).inner_text()).count("→ Identified") == 1


async def test_a_private_incident_is_hidden_from_others(at, settle):
    mia = await at("mia", "#war-room")
    sam, status = await at("sam"), await at("bo", "#status")
    await say(mia, "/incident declare Leaked key severity:critical private", "#war-room")
    await expect(answer(mia)).to_contain_text("private")
    await settle()

    await expect(card(mia)).to_contain_text("critical")
    await say(sam, "/incident show 1")
    await expect(answer(sam)).to_contain_text("There is no incident INC-1 here.")
    await expect(sam.get_by_role("button", name="war-room")).to_have_count(0)
    await expect(messages(status)).to_have_count(0)


async def test_a_published_text_is_withdrawn_for_everybody(at, settle, picture):
    mia, status = await at("mia"), await at("sam", "#status")
    await declared(mia)
    await say(mia, "/incident update 1 Ask for Pat at extension 4711.")
    await settle(mia, status, minutes=2)
    await expect(messages(status)).to_contain_text("extension 4711")

    await card(mia).get_by_role("button", name="More actions", exact=True).click()
    await mia.get_by_role("menuitem", name="Withdraw…").click()
    dialog = mia.get_by_role("dialog", name="Withdraw from INC-1")
    await dialog.get_by_role("button", name="Text to withdraw").click()
    await mia.get_by_role("option", name="extension 4711").click()
    await picture(mia, "redact")
    await dialog.get_by_role("button", name="Withdraw", exact=True).click()
    await settle()

    await expect(dialog).to_be_hidden()
    await expect(messages(status).get_by_text("4711")).to_have_count(0)
    await status.get_by_role("button", name="1 reply").click()
    thread = status.get_by_role("complementary", name="Thread")
    await expect(thread.locator("li.message").last).to_contain_text("This update was withdrawn.")


async def test_on_a_phone_an_incident_is_moved_with_a_thumb(at, settle, picture):
    mia = await at("mia", viewport=PHONE, has_touch=True, is_mobile=True)
    await declared(mia, 'Checkout is down severity:high components:"Checkout API, Payments"')
    await answer(mia).get_by_role("button", name="Dismiss message").tap()
    await settle(mia, minutes=3)

    await card(mia).get_by_role("button", name="Move to Identified: INC-1").tap()
    await settle()

    await expect(card(mia)).to_contain_text("Identified · high")
    await picture(mia, "phone")


async def test_the_home_tab_lists_open_incidents_and_moves_them(at, settle, picture):
    mia = await at("mia")
    await declared(mia)
    await declared(mia, "Search is slow severity:low")
    await settle(mia, minutes=35)

    await (
        mia.get_by_role("navigation", name="Channels").get_by_role("button", name="Ratchet").click()
    )
    home = mia.locator(".home-blocks")
    await expect(home).to_contain_text("Search is slow")
    await picture(mia, "home")
    await home.get_by_role("button", name="Move to Identified: INC-1").first.click()
    await settle()

    await expect(home).to_contain_text("Identified")


async def test_the_shortcut_declares_and_a_message_becomes_a_note(at, settle):
    mia = await at("mia")
    await mia.get_by_role("button", name="Shortcuts").click()
    await mia.get_by_role("menuitem", name="Declare an incident").click()
    dialog = mia.get_by_role("dialog", name="Declare an incident")
    await dialog.get_by_label("Title").fill("Checkout is down")
    await dialog.get_by_role("button", name="Declare").click()
    await expect(mia.get_by_role("dialog")).to_contain_text("INC-1 is declared.")
    await mia.get_by_role("dialog").get_by_text("Close", exact=True).click()
    await expect(mia.get_by_role("dialog")).to_be_hidden()
    await settle()

    await say(mia, "db-3 answers again")
    said = messages(mia).filter(has_text="db-3 answers again")
    await said.hover()
    await said.get_by_role("button", name="More actions on this message").click()
    await mia.get_by_role("menuitem", name="Add to a timeline").click()
    note = mia.get_by_role("dialog").get_by_label("Private note")
    await expect(note).to_have_value("mia: db-3 answers again")


async def test_the_inspector_shows_the_calls_of_a_command(at, settle, picture):
    mia = await at("mia", viewport={"width": 1400, "height": 800})
    await mia.get_by_role("button", name="Inspector").click()
    await declared(mia)
    await settle()

    rows = mia.get_by_role("list", name="Requests and calls").get_by_role("listitem")
    await expect(rows.filter(has_text="/incident declare")).to_contain_text("ack")
    await expect(rows.filter(has_text="chat.postMessage").first).to_contain_text("ok")
    await rows.filter(has_text="chat.postMessage").first.locator("summary").click()
    await picture(mia, "inspector")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_the_bots_messages(at, settle, axe, scheme):
    mia = await at("mia", color_scheme=scheme)
    await declared(mia, 'Checkout is down components:"Checkout API"')
    await say(mia, "/incident status 1 resolved")
    await expect(answer(mia)).to_contain_text("INC-1 is Investigating.")
    await settle()

    assert await axe(mia) == []
    await card(mia).get_by_role("button", name="Update INC-1").click()
    await expect(mia.get_by_role("dialog", name="Update INC-1")).to_contain_text("Preview")
    assert await axe(mia) == []
