"""A store of each kind with a clock, the use cases of webhooks, and a way out that stays inside."""

from __future__ import annotations

import pytest

from bot.webhooks.outward import Outward
from bot.webhooks.verifying import Proving
from core.endpoints import Webhooks
from storage.store import SqlStore
from tests.builders import the_settings


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
