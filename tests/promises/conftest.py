"""The whole of Ratchet against a stand-in that misbehaves on demand."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import build
from bot.sandbox import Limits
from bot.settings import Settings
from bot.telemetry import configure_logs
from tests.clock import Clock
from tests.standin import a_standin


@pytest.fixture
async def slack(clock):
    limits = Limits(posting=True, burst=1)
    async with a_standin(clock=clock.seconds, limits=limits) as slack:
        yield slack


@pytest.fixture
def kind():
    """SQLite by default; tests of the differences name both databases."""
    return "sqlite"


@pytest.fixture
def database_url(kind, a_database):
    """The address of a migrated, empty database."""
    with a_database(kind) as url:
        yield url


@pytest.fixture
def empty_url(kind, a_database):
    """The address of a database with no tables."""
    with a_database(kind, empty=True) as url:
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
        # Only the tests of the delay wait for it.
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
    """Advances the clock until everything is delivered."""
    end = clock() + timedelta(hours=hours)
    while clock() < end:
        await app.worker.deliver_due()
        due = await app.outbox.next_due()
        if due is None:
            return
        clock.advance(seconds=max(1.0, (due - clock()).total_seconds()))
    raise AssertionError("messages are still waiting in the outbox")


OUTAGE = (
    "declare Checkout is down severity:high",
    "update 1 Cards are refused; we are looking into it.",
    "status 1 identified db-3 lost quorum",
    "update 1 status:monitoring A fix is out.",
    "update 1 Payments work again.",
    "resolve 1 all green",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fault_free(tmp_path_factory):
    """The status channel after the outage, without a fault and without a delay."""
    clock = Clock()
    url = f"sqlite:///{tmp_path_factory.mktemp('fault_free')}/ratchet.db"
    async with (
        a_standin(clock=clock.seconds, limits=Limits(posting=True, burst=1)) as slack,
        serving(slack, clock, url) as app,
    ):
        await tell(slack.person("mia"), *OUTAGE)
        await settle(app, clock)
        return slack.channel_view("#status")


@pytest.fixture
def mia(slack):
    return slack.person("mia")


async def tell(person, *lines, channel="#payments"):
    """Types commands one after another; each is answered before the next."""
    for line in lines:
        asked = await person.command(channel, f"/incident {line}")
        await asked.answer()
        assert asked.error is None


async def move_status_channel(person, to):
    """Moves the status channel away from open incidents: a question, and the click on its answer.

    Returns the click.
    """
    asked = await person.command("#payments", f"/incident setup {to}")
    pressed = await person.press(await asked.answer(), "Move it there")
    await pressed.answer()
    return pressed


@pytest.fixture
def figures(capsys):
    """Prints a line of figures past the capture of pytest."""

    def figures(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}")
            sys.stdout.flush()

    return figures


@contextmanager
def file_away(url):
    """Moves the SQLite file away during the block: changes are refused."""
    file = Path(url.removeprefix("sqlite:///"))
    elsewhere = file.with_name("elsewhere.db")
    file.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(file)
