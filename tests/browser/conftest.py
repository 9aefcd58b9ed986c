"""A real browser for the page of the stand-in.

These tests need a Chromium on the machine and, for the audit, axe-core: `tests/programs.py`.
"""

from __future__ import annotations

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits
from tests.browser.chromium import axe, chromium
from tests.browser.visitors import visitors
from tests.sandbox.connections import MANIFEST, bolt_app, by_socket
from tests.standin import a_standin

__all__ = ["axe", "chromium"]


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="write docs/img anew")


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
