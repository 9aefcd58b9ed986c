"""The whole of Ratchet against a Slack that misbehaves on demand."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import yaml

from bot.app import build
from bot.sandbox import Limits, Sandbox
from bot.settings import Settings
from bot.telemetry import configure_logs
from tests.postgres import Server

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "app_manifest.yml").read_text())
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A time that moves only when it is told to: seconds for Slack, a datetime for Ratchet."""

    def __init__(self, at=NINE):
        self._at = at

    def __call__(self):
        return self._at

    def seconds(self):
        return self._at.timestamp()

    def advance(self, *, seconds):
        self._at += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def slack(clock):
    limits = Limits(posting=True, burst=1)
    async with Sandbox(MANIFEST, clock=clock.seconds, limits=limits) as slack:
        yield slack


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL of our own, which may be stopped and started."""
    folder = Path(tempfile.mkdtemp(prefix="ratchet-pg-"))
    server = Server(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kind():
    """One database is enough, where what differs between the two is proved elsewhere."""
    return "sqlite"


@pytest.fixture
def a_database(kind, request, tmp_path):
    """Makes an empty database that lasts as long as the block, and gives its address."""
    counter = itertools.count(1)

    @contextmanager
    def a_database():
        if kind == "sqlite":
            yield f"sqlite:///{tmp_path}/ratchet-{next(counter)}.db"
            return
        server = request.getfixturevalue("postgresql")
        name = server.database()
        try:
            yield server.uri(name)
        finally:
            server.drop(name)

    return a_database


@pytest.fixture
def database_url(a_database):
    """The address of an empty database."""
    with a_database() as url:
        yield url


def environment(slack, database_url, **changes):
    """The variables that Ratchet is started with, in HTTP mode unless told otherwise."""
    variables = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "DATABASE_URL": database_url,
        "PORT": "0",
        # What is not about the delay need not wait for it.
        "PUBLISH_DELAY": "0",
    } | changes
    return {name: value for name, value in variables.items() if value is not None}


@asynccontextmanager
async def serving(slack, clock, database_url, **changes):
    """Ratchet in this process, as long as the block lasts."""
    configure_logs(log_format="json", log_level="critical")
    settings = Settings.from_env(environment(slack, database_url, **changes))
    app = build(settings, clock=clock)
    await app.start()
    if settings.slack_signing_secret:
        slack.request_url = f"{app.http.address}/slack/events"
    try:
        yield app
    finally:
        await app.stop()


@pytest.fixture
def start(slack, clock, database_url):
    """Starts Ratchet as often as a test asks for it; each stops at the end of its block."""
    return partial(serving, slack, clock, database_url)


@pytest.fixture
async def ratchet(start):
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(start())


async def settle(app, clock, *, hours=1):
    """Lets time pass until Slack has been told everything that it takes."""
    end = clock() + timedelta(hours=hours)
    while clock() < end:
        await app.worker.deliver_due()
        due = await app.outbox.next_due()
        if due is None:
            return
        clock.advance(seconds=max(1.0, (due - clock()).total_seconds()))
    raise AssertionError("messages are still waiting in the outbox")


@pytest.fixture
def mia(slack):
    return slack.person("mia")


async def tell(person, *lines, channel="#payments"):
    """Commands one after another, each answered before the next."""
    for line in lines:
        asked = await person.command(channel, f"/incident {line}")
        await asked.answer()
        assert asked.error is None


async def until(claim, *, seconds=20):
    """Waits for what happens by itself, such as a process that starts or a call that arrives."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - nobody could tell us: it happens in another process
            await asyncio.sleep(0.01)
