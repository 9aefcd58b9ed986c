"""A stand-in for an app with all permissions, and real Bolt apps connected in either mode."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits
from bot.sandbox.workspace import TRIGGER_SECONDS
from tests.sandbox.connections import MANIFEST, bolt_app, by_http, by_socket
from tests.standin import a_standin


@pytest.fixture
async def slack(clock):
    async with a_standin(
        MANIFEST,
        clock=clock.seconds,
        # The time in which Slack lets an app open a dialog; it passes by the test's clock.
        trigger_seconds=TRIGGER_SECONDS,
        limits=Limits(posting=False),
    ) as sandbox:
        yield sandbox


@pytest.fixture
def impatient(slack):
    """A short time-out for acknowledgements, which a test can wait for."""
    slack.courier.ack_seconds = 0.2


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
async def client(slack):
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def bolt(slack, client):
    return bolt_app(slack, client, process_before_response=True)


@pytest.fixture(params=[by_socket, by_http], ids=["socket", "http"])
async def app(request, slack, bolt):
    """The Bolt app, connected in each mode in turn."""
    async with request.param(slack, bolt):
        yield bolt
