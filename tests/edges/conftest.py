"""A stand-in for Slack, a clock that moves when it is told to, and settings that name both."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.sandbox import Limits, Sandbox
from bot.settings import Settings

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "app_manifest.yml").read_text())


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
async def slack(clock):
    async with Sandbox(MANIFEST, clock=clock.seconds, limits=Limits(posting=False)) as slack:
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
    }


@pytest.fixture
def settings(environment):
    return Settings.from_env(environment)
