"""A stand-in for Slack, a clock that moves when it is told to, and settings that name both."""

import copy
import logging
import sys
import threading
from pathlib import Path

import pytest
import structlog

from bot.sandbox import Limits
from bot.settings import Settings
from tests.standin import MANIFEST, a_standin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manifest():
    return copy.deepcopy(MANIFEST)


@pytest.fixture
async def slack(clock, manifest):
    async with a_standin(manifest, clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture
def database_url(a_database):
    with a_database("sqlite") as url:
        yield url


@pytest.fixture
def environment(slack, database_url):
    """The variables that Ratchet is started with, both doors open."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "DATABASE_URL": database_url,
        "PORT": "0",
        # Only the tests of the delay wait for it.
        "PUBLISH_DELAY": "0",
    }


@pytest.fixture
def logging_as_before():
    """Gives the process its own logging back, which `configure_logs` takes over for good."""
    root = logging.getLogger()
    before = (root.handlers, root.level, logging.raiseExceptions)
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers, root.level, logging.raiseExceptions = before
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


@pytest.fixture
def settings(environment):
    return Settings.from_env(environment)
