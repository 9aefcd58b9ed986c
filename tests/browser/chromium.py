"""Fixtures: a real browser, and the audit of a page in it."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.browser.visitors import SWITCHES
from tests.programs import PROGRAMS


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAMS["chromium"].path, args=SWITCHES
        )
        yield browser
        await browser.close()


@pytest.fixture
def axe():
    """Audits a page: ``await axe(page)`` → serious violations of WCAG 2.2 AA or axe's practices."""

    async def audit(page):
        await page.evaluate(PROGRAMS["axe"].path.read_text())
        told = await page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
        )
        return [
            f"{fault['id']}: {fault['help']} at {node['target']} {node['failureSummary']}"
            for fault in told
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    return audit
