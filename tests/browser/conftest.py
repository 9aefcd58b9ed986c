"""A real browser for the page of the stand-in.

These tests need a Chromium on the machine and, for the audit, axe-core in .venv/axe. The end of a
run names the missing one, and `make test-world` installs it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits
from tests.browser.visitors import SWITCHES, visitors
from tests.sandbox.connections import MANIFEST, bolt_app, by_socket
from tests.standin import a_standin

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
AXE = ROOT / ".venv/axe/node_modules/axe-core/axe.min.js"

NOT_RUN = pytest.StashKey[list[str]]()


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="write docs/img anew")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Deselect the tests that this machine cannot run; the summary names them."""
    kept, left_out = [], []
    for item in items:
        in_browser = item.get_closest_marker("world") is not None
        audits = "axe" in getattr(item, "fixturenames", ())
        cannot = in_browser and (CHROMIUM is None or (audits and not AXE.is_file()))
        (left_out if cannot else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept
    config.stash[NOT_RUN] = [item.nodeid for item in left_out]


def pytest_terminal_summary(terminalreporter, config):
    if not (left_out := config.stash.get(NOT_RUN, [])):
        return
    missing = "Chromium" if CHROMIUM is None else "axe-core"
    terminalreporter.section("tests in a browser were NOT RUN", sep="!", red=True, bold=True)
    terminalreporter.line(
        f"{len(left_out)} tests need {missing}, which is not on this machine: make test-world"
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        await browser.close()


@pytest.fixture
def manifest():
    return MANIFEST


@pytest_asyncio.fixture(loop_scope="session")
async def slack(manifest):
    async with a_standin(manifest, limits=Limits(posting=False)) as slack:
        slack.workspace.add_group("responders", members=["bo"])
        yield slack


@pytest_asyncio.fixture(loop_scope="session")
async def client(slack):
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest_asyncio.fixture(loop_scope="session")
async def app(slack, client):
    """A connected app of Slack's own framework; each test adds its listeners."""
    bolt = bolt_app(slack, client)
    async with by_socket(slack, bolt):
        yield bolt


@pytest_asyncio.fixture(loop_scope="session")
async def at(slack, chromium):
    async with visitors(slack, chromium) as at:
        yield at


@pytest.fixture
def axe():
    """Audits a page: ``await axe(page)`` → serious violations of WCAG 2.2 AA or axe's practices."""

    async def audit(page):
        await page.evaluate(AXE.read_text())
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
