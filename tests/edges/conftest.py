"""A stand-in for Slack, a clock that moves when it is told to, and settings that name both."""

import logging
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import yaml

from bot.sandbox import Limits, Sandbox
from bot.settings import Settings

ROOT = Path(__file__).parents[2]


class Clock:
    """A time that moves only when it is told to: seconds for Slack, a datetime for Ratchet."""

    def __init__(self):
        self._at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self._at

    def seconds(self):
        return self._at.timestamp()

    def advance(self, **time):
        self._at += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def manifest():
    return yaml.safe_load((ROOT / "app_manifest.yml").read_text())


@pytest.fixture
async def slack(clock, manifest):
    async with Sandbox(manifest, clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture
def environment(slack, tmp_path):
    """The variables that Ratchet is started with, both doors open."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "DATABASE_URL": f"sqlite:///{tmp_path}/ratchet.db",
        "PORT": "0",
        # What is not about the delay need not wait for it.
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
