"""Promises, hand-overs, reports and figures, by hand on the page of the stand-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import expect

from bot.figures import page as page_of_figures
from core.incident import Actor, Person
from tests.browser.hands import answer, card, declared, messages, say

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]

# For pictures of a little, and of a lot.
LOW = {"width": 1180, "height": 520}
HIGH = {"width": 1180, "height": 980}
CHECKOUT = 'Checkout is down severity:high components:"Checkout API, Payments"'


async def dismissed(page):
    await answer(page).get_by_role("button", name="Dismiss message").click()


@pytest.fixture
def figures(ratchet, slack):
    """The page of figures, beside Slack as in the demo."""
    operator = Actor(
        workspace=slack.workspace.team_id,
        person=Person("key:operator", "operator"),
        sees_private=True,
    )

    async def drawn():
        asked = ratchet.incidents.statistics(operator, period=timedelta(days=30))
        return page_of_figures(await asked)

    slack.front.beside["Statistics"] = drawn


@pytest.mark.usefixtures("published")
async def test_the_first_sight_of_the_demo(at, told, slack, figures, axe, picture):
    played = await told("outage")
    slack.front.welcome = played.hint
    mia = await at(played.person, played.channel)

    await expect(mia.get_by_role("note")).to_contain_text("One step is left.")
    await expect(card(mia, "Checkout is down")).to_contain_text("34 minutes ago")
    await expect(messages(mia).filter(has_text="Only visible to you")).to_have_count(0)
    page = mia.frame_locator("iframe[title='Status page']")
    await expect(page.get_by_role("heading", name="Checkout is down")).to_be_visible()
    assert await axe(mia) == []
    await picture(mia, "demo")
    step = card(mia, "Checkout is down").get_by_role("button", name="Move to Resolved")
    await expect(step).to_be_in_viewport()
    await mia.get_by_role("button", name="Close the welcome").click()
    await expect(mia.get_by_role("note")).to_have_count(0)
    await mia.reload()
    await mia.locator("html[data-ready]").wait_for()
    await expect(mia.get_by_role("note")).to_have_count(0)


async def test_a_promise_is_chosen_in_the_dialog_and_its_owner_reminded(at, settle, axe, picture):
    mia, status = await at("mia"), await at("sam", "#status")
    await declared(mia, CHECKOUT)
    await say(mia, "/incident ack")
    await settle(mia, minutes=4)
    await card(mia).get_by_role("button", name="Update INC-1").click()
    dialog = mia.get_by_role("dialog", name="Update INC-1")
    text = dialog.get_by_role("textbox", name="Public update")
    await text.fill("We are looking at it with the provider.")
    await dialog.get_by_role("button", name="Next public update").click()
    await mia.get_by_role("option", name="in 30 min").click()
    await expect(dialog).to_contain_text("the promise of the next update in 30 min")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(dialog).to_be_hidden()
    await settle(mia, status)

    await expect(messages(status).first).to_contain_text("Next update by 03:46")
    await expect(card(mia)).to_contain_text("Next update by 03:46")
    await settle(mia, status, minutes=26)
    direct = await at("mia", "messages", viewport=LOW)
    reminder = messages(direct).filter(has_text="promised by").last
    await expect(reminder).to_contain_text("03:46")
    assert await axe(direct) == []
    await picture(direct, "promise")
    await reminder.get_by_role("button", name="+15 min").click()
    await settle(mia, status, direct)

    await expect(messages(status).first).to_contain_text("Next update by 04:01")


async def test_a_broken_promise_is_shown_until_something_is_said(at, settle, picture):
    mia, status = await at("mia"), await at("sam", "#status", viewport=LOW)
    await declared(mia, CHECKOUT)
    await say(mia, "/incident update 1 status:identified The provider declines some cards.")
    await settle(mia, status)
    await expect(messages(status).first).to_contain_text("Next update by 04:12")

    await settle(mia, status, minutes=63)

    await expect(messages(status).first).to_contain_text("Next update was due 04:12")
    await expect(messages(mia).filter(has_text="has not come")).to_have_count(1)
    await picture(status, "overdue")
    await say(mia, "/incident update 1 The provider has a fix.")
    await settle(mia, status)
    await expect(messages(status).first).not_to_contain_text("was due")


async def test_a_new_owner_takes_it_or_gives_it_back(at, settle, axe, picture):
    mia = await at("mia")
    await declared(mia, CHECKOUT)
    await say(mia, "/incident assign 1 @bo")
    await settle(mia, minutes=1)
    bo = await at("bo", "messages", viewport=LOW)
    question = messages(bo).last

    await expect(question).to_contain_text("@mia made you the owner of INC-1")
    assert await axe(bo) == []
    await picture(bo, "hand-over")
    await question.get_by_role("button", name="Not me").click()
    await settle(mia, bo)
    await expect(card(mia)).to_contain_text("Owner: @mia")
    await expect(question.get_by_role("button", name="Got it")).to_have_count(0)

    await say(mia, "/incident assign 1 @sam")
    await settle(mia)
    sam = await at("sam", "messages")
    await messages(sam).last.get_by_role("button", name="Got it").click()
    await settle(mia, sam)
    await expect(card(mia)).to_contain_text("Owner: @sam")


async def test_a_report_is_written_read_as_a_file_and_withdrawn(at, told, axe, picture):
    await told("weeks")
    mia = await at("mia", viewport=HIGH)
    await say(mia, "/incident report 4")
    report = answer(mia)
    await expect(report).to_contain_text("A migration dropped the index on orders.")
    assert await axe(mia) == []
    await picture(mia, "report")

    await report.get_by_role("button", name="Write the report of INC-4").click()
    dialog = mia.get_by_role("dialog", name="Report of INC-4")
    await expect(dialog.get_by_label("Impact")).to_have_value("About 800 orders were given up.")
    await dialog.get_by_label("Cause").fill("A migration dropped the index. Ask Pat at 4711.")
    assert await axe(mia) == []
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()

    await say(mia, "/incident report 4")
    await expect(answer(mia)).to_contain_text("Ask Pat at 4711.")
    await answer(mia).get_by_role("button", name="Send me the file").click()
    direct = await at("mia", "messages")
    file = messages(direct).last.get_by_role("button", name="Open the file")
    await file.click()
    opened = direct.get_by_role("dialog")
    await expect(opened).to_contain_text("# INC-4 Checkout is slow")
    await expect(opened).to_contain_text("Ask Pat at 4711.")
    assert await axe(direct) == []
    await picture(direct, "report-file")

    await say(mia, "/incident withdraw 4 cause")
    await expect(answer(mia)).to_contain_text("is withdrawn")
    await say(mia, "/incident report 4")
    await expect(answer(mia)).to_contain_text("To write.")
    await expect(answer(mia)).not_to_contain_text("4711")


async def test_the_statistics_are_a_page_beside_slack(at, told, figures, slack, axe, picture):
    await told("weeks")
    mia = await at("mia")
    await mia.get_by_role("button", name="Statistics").click()

    frame = mia.frame_locator("iframe[title=Statistics]")
    await expect(frame.get_by_role("heading", name="Figures of the 30 days")).to_be_visible()
    await expect(frame.get_by_role("img")).to_have_count(2)
    await expect(mia).to_have_title("Statistics · Sandbox")
    await picture(mia, "statistics")
    await mia.reload()
    await expect(frame.get_by_role("heading", name="Definitions")).to_be_attached()
    await mia.get_by_role("button", name="payments").click()
    await expect(mia.locator("iframe")).to_have_count(0)

    for scheme in ("light", "dark"):
        alone = await at("mia", color_scheme=scheme)
        await alone.route("**/favicon.ico", lambda asked: asked.fulfill(status=204))
        await alone.goto(f"{slack.url}/beside/Statistics")
        assert await axe(alone) == []


async def test_from_home_every_open_incident_is_reached_page_by_page(at, settle, axe):
    mia = await at("mia")
    for number in range(1, 13):
        await declared(mia, f"Shop {number} is slow severity:low")
        await dismissed(mia)
    await settle(mia, minutes=5)
    await mia.get_by_role("button", name="Ratchet").click()
    home = mia.locator(".home-blocks")
    await expect(home).to_contain_text("of 12")
    assert await axe(mia) == []

    await home.get_by_role("button", name="All open").click()
    dialog = mia.get_by_role("dialog")
    await expect(dialog).to_contain_text("10 of 12")
    await expect(dialog).not_to_contain_text("Shop 1 is slow")
    assert await axe(mia) == []
    await dialog.get_by_role("button", name="Next").click()
    await expect(dialog).to_contain_text("Shop 1 is slow")
    await dialog.get_by_role("button", name="Previous").click()
    await expect(dialog).to_contain_text("Shop 12 is slow")
