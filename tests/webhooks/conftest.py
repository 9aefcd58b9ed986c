"""A store of each kind with a clock, the use cases of webhooks, and a receiver with its worker."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from bot.delivery.failures import (
    after_webhook_failure,
)
from bot.delivery.webhooks import WebhookTransport, WebhookWorker
from bot.telemetry import Metrics
from bot.webhooks.outward import Outward
from bot.webhooks.signing import new_secret
from bot.webhooks.verifying import Proving
from core.endpoints import Webhooks
from core.service import Incidents
from storage.hook_queue import HookQueue
from storage.store import SqlStore
from tests.builders import (
    an_actor,
    an_id,
    the_settings,
)
from tests.webhooks.receiver import a_receiver

ADMIN = an_actor(admin=True)
PAGE = "https://status.acme.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def store(kind, a_database):
    with a_database(kind) as url:
        store = SqlStore(url, defaults=the_settings())
        yield store
        store.close()


@pytest.fixture
async def proving(store, clock):
    """The use cases over a client that may call this machine."""
    async with Outward(allow_private=True, agent="Ratchet") as outward:
        yield Proving(Webhooks(store, clock=clock), outward, clock=clock)


class Answers:
    """The answers of a receiver, in order; then 200. An answer may be a pause in seconds."""

    def __init__(self):
        self.next = []

    async def __call__(self, _request):
        status = self.next.pop(0) if self.next else 200
        if isinstance(status, tuple):
            status, seconds = status
            return web.Response(status=status, headers={"Retry-After": str(seconds)})
        if status == "cut":
            _request.transport.abort()
            return web.Response()
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
async def receiver(answers):
    async with a_receiver(answers) as receiver:
        yield receiver


@pytest.fixture
def queue(store):
    return HookQueue(store)


@pytest.fixture
async def worker(queue, clock):
    async with Outward(allow_private=True, agent="Ratchet") as outward:
        yield WebhookWorker(
            queue,
            WebhookTransport(outward, address=lambda _page, _alone: PAGE),
            name="test",
            clock=clock,
            chance=lambda: 0.0,
            metrics=Metrics(),
            verdict=after_webhook_failure,
        )


@pytest.fixture
def hooks(store, clock):
    return Webhooks(store, clock=clock)


@pytest.fixture
def add(hooks, receiver):
    count = 0

    async def add(url=None, secret=None, **filter_):
        nonlocal count
        count += 1
        proposed = await hooks.propose(
            ADMIN, an_id(f"hook {count}"), url or receiver.url, **filter_
        )
        return await hooks.keep(ADMIN, proposed, secret or new_secret())

    return add


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def bodies(receiver):
    """The bodies that the receiver has got."""
    return lambda: [json.loads(body) for _, _, body in receiver.got]


@pytest.fixture
def types(bodies):
    return lambda: [body["type"] for body in bodies()]
