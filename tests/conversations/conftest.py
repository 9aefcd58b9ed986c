"""The whole of Ratchet against a stand-in for Slack, in both of Slack's modes."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager

import pytest

from bot.app import App, build
from bot.doctor.comparison import compare
from bot.sandbox import Limits
from bot.settings import Settings
from bot.telemetry import configure_logs
from storage import audit
from tests.standin import a_standin


@pytest.fixture
async def slack(clock):
    limits = Limits(posting=True, burst=1)
    async with a_standin(clock=clock.seconds, limits=limits) as slack:
        yield slack


@pytest.fixture(params=["socket", "http"])
def mode(request):
    return request.param


def environment_for(slack, database_url, mode):
    """The variables that Ratchet is started with."""
    door = {
        "socket": {"SLACK_APP_TOKEN": slack.app_token},
        "http": {"SLACK_SIGNING_SECRET": slack.signing_secret},
    }
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "DATABASE_URL": database_url,
        "PORT": "0",
        # Only the tests of the delay wait for it.
        "PUBLISH_DELAY": "0",
        **door[mode],
    }


def responding(environment, slack):
    """``environment``, in which mia and bo are the responders."""
    slack.workspace.add_group("responders", members=["mia", "bo"])
    return {**environment, "RESPONDERS_GROUP": "S0RESPONDERS"}


def only_mia_publishes(environment, slack):
    """``environment``, in which mia and bo respond, and only mia publishes."""
    slack.workspace.add_group("publishers", members=["mia"])
    return {**responding(environment, slack), "PUBLISHERS_GROUP": "S0PUBLISHERS"}


@asynccontextmanager
async def running(environment, slack, clock):
    """Ratchet, started with ``environment`` and connected to ``slack``."""
    settings = Settings.from_env(environment)
    configure_logs(log_format="json", log_level="info")
    app = build(settings, clock=clock)
    await app.start()
    if settings.slack_app_token:
        await slack.connected()
    else:
        slack.request_url = f"{app.http.address}/slack/events"
    try:
        yield app
    finally:
        await app.stop()


async def differences(app, slack, clock):
    """Differences at the end of a conversation, inside the store or between it and Slack."""
    faults = await app.store.read(lambda reader: list(audit.findings(reader)))
    team = slack.workspace.team_id
    compared = await compare(app.store, app.client, team, at=clock())
    return [*map(str, faults), *(line for one in compared for line in one.differences)]


def without_ids(shown):
    """``shown`` as text, without ids, which are chance in every run.

    So is the moment at which Slack got a card, which its link names.
    """
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", repr(shown))
    return re.sub(r"/p[0-9]{16}", "/pTS", text)


async def settled(app, clock):
    """Lets time pass, second by second, until Slack shows everything that was decided."""
    for _ in range(600):
        await app.worker.deliver_due()
        if await app.outbox.next_due() is None:
            return
        clock.advance(seconds=1)
    raise AssertionError("after ten minutes messages are still waiting in the outbox")


@pytest.fixture
def database_url(a_database):
    with a_database("sqlite") as url:
        yield url


@pytest.fixture
def environment(slack, database_url, mode):
    """The settings, which a test may change before it asks for ``ratchet``."""
    return environment_for(slack, database_url, mode)


@pytest.fixture
async def ratchet(environment, slack, clock):
    async with running(environment, slack, clock) as app:
        yield app
        assert await differences(app, slack, clock) == []


@pytest.fixture
def settle(ratchet: App, clock):
    return lambda: settled(ratchet, clock)


@pytest.fixture
async def two_open(slack, ratchet, settle):
    """INC-1 has its card in #general, INC-2 in #payments; it is mia, who declared both."""
    mia = slack.person("mia")
    await mia.command("#general", "/incident declare Search is slow")
    await mia.command("#payments", "/incident declare Checkout is down")
    await settle()
    return mia


@pytest.fixture
def told(slack, ratchet):
    """Types a command, and returns its answer."""

    async def told(text, name="mia", channel="#payments"):
        asked = await slack.person(name).command(channel, f"/incident {text}")
        return await asked.answer()

    return told


@pytest.fixture
def pressed(slack, ratchet):
    """Presses a button of an answer, and returns the answer to that."""

    async def pressed(message, label, name="mia"):
        asked = await slack.person(name).press(message, label)
        return await asked.answer()

    return pressed
