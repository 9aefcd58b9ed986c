"""A sandbox whose app may do everything, and real Bolt apps that connect to it in either mode."""

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits, Sandbox
from tests.sandbox.connections import MANIFEST, by_http, by_socket


class Clock:
    """A time that moves only when it is told to."""

    def __init__(self, at=1_750_000_000.0):
        self.at = at

    def __call__(self):
        return self.at

    def advance(self, seconds):
        self.at += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def slack(clock):
    async with Sandbox(MANIFEST, clock=clock, limits=Limits(posting=False)) as sandbox:
        yield sandbox


@pytest.fixture
def impatient(slack):
    """A Slack that gives up on an acknowledgement so soon that a test can wait for it."""
    slack.courier.ack_seconds = 0.2


@pytest.fixture
def mia(slack):
    return slack.person("mia")


@pytest.fixture
async def client(slack):
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def bolt(slack, client):
    """An app of Slack's own framework, yet without listeners and without a connection."""

    async def authorize(**_context):
        return AuthorizeResult(
            enterprise_id=None,
            team_id=slack.workspace.team_id,
            bot_token=slack.bot_token,
            bot_id=slack.workspace.app.bot_id,
            bot_user_id=slack.workspace.app.bot_user,
        )

    return AsyncApp(
        client=client,
        authorize=authorize,
        signing_secret=slack.signing_secret,
        process_before_response=True,
    )


@pytest.fixture(params=[by_socket, by_http], ids=["socket", "http"])
async def app(request, slack, bolt):
    """The Bolt app, connected in each mode in turn."""
    async with request.param(slack, bolt):
        yield bolt
