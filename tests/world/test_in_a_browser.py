"""The page in Chromium: audited, without a request elsewhere, and read by other people's pages."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.visitors import PATIENCE_MILLISECONDS, WIDE
from tests.file_server import a_file_server

pytestmark = [pytest.mark.world, pytest.mark.asyncio(loop_scope="session")]

WIDTHS = (390, 768, 1280)
# The widget complains of itself on every page.
OF_THE_WIDGET = "parcelRequire is not defined"
OURS = ("http://127.0.0.1:", "http://localhost:", "data:", "file://")


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium):
    """Opens an address; in the end there was no complaint and no request to another host."""
    contexts, complaints, asked = [], [], []

    async def visit(address, **looks):
        looks = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Asia/Kathmandu", **looks}
        context = await chromium.new_context(**looks)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(address)
        return page

    yield visit
    for context in contexts:
        await context.close()
    assert set(complaints) <= {OF_THE_WIDGET}
    assert [one for one in asked if not one.startswith(OURS)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("slug", ["acme", "empty", "one", "many"])
async def test_axe_finds_nothing_serious_at_any_width(visit, axe, server, slug, scheme):
    page = await visit(f"http://localhost:{server}/status/{slug}", color_scheme=scheme)
    await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        assert await axe(page) == [], width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["", "incidents/3", "history"])
async def test_axe_finds_nothing_serious_at_any_address(visit, axe, site, path):
    for scheme in ("light", "dark"):
        page = await visit(f"{site}/{path}".removesuffix("/"), color_scheme=scheme)
        assert await axe(page) == []


async def test_the_script_adds_the_time_of_the_reader(visit, site):
    page = await visit(site)
    time = page.locator(".since time")
    utc = (await time.text_content()).split(" UTC")[0]

    await expect(time).to_have_text(f"{utc} UTC {await time.locator('.local').text_content()}")
    await expect(time.locator(".local")).to_contain_text("GMT+5:45")
    await expect(time.locator(".local")).to_have_attribute("lang", "en-GB")


async def test_an_old_copy_is_read_from_a_folder_and_says_that_it_is_old(visit, copy):
    page = await visit(f"file://{copy}/index.html")
    old = "This copy is out of date. The true status may be another."
    await expect(page.get_by_role("status")).not_to_have_text(old)
    await page.get_by_role("link", name="History", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Incidents in ")
    await expect(page.get_by_role("status")).to_have_count(0)

    await page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=1))
    for link in ("Now", "History"):
        await page.get_by_role("link", name=link, exact=True).click()
        await expect(page.get_by_role("status")).to_have_text(old)


@pytest.mark.parametrize("look", ["basic", "badge"])
async def test_the_widget_of_statuspage_shows_the_status_on_another_site(
    visit, root, status_widget, tmp_path, look
):
    shutil.copy(status_widget, tmp_path / "widget.js")
    (tmp_path / "index.html").write_text(
        f'<!DOCTYPE html><link rel="icon" href="data:,"><script src="widget.js"></script>'
        f'<statuspage-widget src="{root}" appearance="{look}"></statuspage-widget>'
    )
    with a_file_server(tmp_path) as elsewhere:
        page = await visit(elsewhere)
        widget = page.locator("statuspage-widget")
        await expect(widget.get_by_text("Major Service Outage")).to_be_visible()
        await expect(widget.locator(".status-indicator")).to_have_class("status-indicator critical")
