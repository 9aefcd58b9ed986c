"""The status page beside the demo's Slack: both show the same, and move together."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from bot.demo import beside
from tests.browser.hands import card, declared, messages, say
from tests.ports import a_free_port

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]

WIDE = {"width": 1440, "height": 860}


async def test_slack_and_the_status_page_move_together(at, settle, published, axe, picture):
    mia = await at("mia", viewport=WIDE)
    pane = mia.get_by_role("complementary", name="Status page")
    page = mia.frame_locator("iframe[title='Status page']")

    await expect(page.get_by_role("status")).to_have_text("All Systems Operational")
    await declared(mia, 'Checkout is down severity:high components:"Checkout API, Payments"')
    await settle(mia)
    await expect(page.get_by_role("status")).to_have_text("Partial System Outage")
    await expect(page.get_by_role("heading", name="Checkout is down")).to_be_visible()
    await say(mia, "/incident update 1 status:identified The provider declines some cards.")
    await settle(mia)
    await expect(page.get_by_text("The provider declines some cards.")).to_be_visible()
    await expect(card(mia)).to_contain_text("Identified")
    await expect(messages(mia)).not_to_have_count(0)
    assert await axe(mia) == []
    await picture(mia, "beside")

    await pane.get_by_role("button", name="Close Status page").click()
    await expect(pane).to_be_hidden()
    await mia.reload()
    await mia.locator("html[data-ready]").wait_for()
    await expect(pane).to_be_hidden()
    await mia.get_by_role("button", name="Status page").click()
    await expect(page.get_by_role("status")).to_have_text("Partial System Outage")
    await expect(pane.get_by_role("link")).to_have_attribute("href", published)


async def test_after_the_story_the_page_shows_the_outage_and_the_weeks_before(
    told, published, chromium, clock, axe, picture
):
    await told("outage")
    async with await chromium.new_context(
        viewport={"width": 860, "height": 1040},
        timezone_id="Europe/Berlin",
        device_scale_factor=1.5,
    ) as context:
        page = await context.new_page()
        await page.clock.set_fixed_time(clock())
        await page.goto(published)

        await expect(page.get_by_role("heading", name="Checkout is down")).to_be_visible()
        await expect(page.get_by_text("Days not fully operational")).to_be_attached()
        assert await axe(page) == []
        await picture(page, "status-page")


async def test_a_narrow_window_shows_slack_alone_until_the_page_is_wanted(at, published):
    bo = await at("bo", viewport={"width": 390, "height": 780})
    await expect(bo.get_by_role("complementary", name="Status page")).to_be_hidden()
    await bo.get_by_role("button", name="Channels").click()
    await bo.get_by_role("button", name="Status page").click()

    page = bo.frame_locator("iframe[title='Status page']")
    await expect(page.get_by_role("status")).to_have_text("All Systems Operational")


async def test_while_the_bot_is_away_the_pane_says_so():
    assert "The bot does not answer." in await beside(f"http://127.0.0.1:{a_free_port()}/status")
