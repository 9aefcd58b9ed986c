"""A stand-in for an app with all permissions, and real Bolt apps connected in either mode."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Limits, Sandbox
from tests.sandbox.connections import MANIFEST, bolt_app, by_http, by_socket


class Clock:
    """A clock that moves only by ``advance``."""

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
