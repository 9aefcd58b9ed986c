"""The API without a socket: one application, and clients of two workspaces."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from uuid import UUID

import httpx
import pytest
import structlog

from bot.http.gate import Gate
from bot.http.rest import application
from bot.telemetry import Metrics
from bot.webhooks.outward import Outward
from core.errors import InvalidField
from core.incident import Person, Place
from core.lifecycle import PRESETS, Catalogue
from core.service import Incidents
from storage import keys
from storage.keys import KeyScope
from storage.store import SqlStore
from tests.builders import (
    STATUS_CHANNEL,
    WORKSPACE,
    the_settings,
)
from tests.edges.conftest import logging_as_before
from tests.webhooks.receiver import Names

__all__ = ["logging_as_before"]

ELSEWHERE = "T0ELSEWHERE"
ADDRESS = "http://ratchet.example"
MEMBERS = {"U0ADA": "Ada", "U0GRACE": "Grace"}


@pytest.fixture(autouse=True)
def every_line_is_logged():
    """Another test of this process may have left a level that hides the lines of requests."""
    structlog.reset_defaults()


@pytest.fixture
def url(a_database):
    with a_database("sqlite") as url:
        yield url


@pytest.fixture
def opened(url):
    """Opens the database once more, like another process."""
    stores = []

    def opened(status_channel=STATUS_CHANNEL):
        stores.append(SqlStore(url, defaults=the_settings(status_channel=status_channel)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


async def member(workspace, user):
    if workspace != WORKSPACE or user not in MEMBERS:
        raise InvalidField("owner", "must be a full member of this workspace: choose another")
    return Person(user, MEMBERS[user])


async def serves(workspace):
    return workspace in {WORKSPACE, ELSEWHERE}


PRIVATE_CHANNEL = "C0SECRET"


async def place(_workspace, channel):
    return Place(channel, private=channel == PRIVATE_CHANNEL) if channel else None


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture(scope="session")
def applications():
    """Applications to reuse, each with a new gate. Making one takes longer than a test."""
    return defaultdict(list)


@pytest.fixture
async def outward():
    """The way to webhooks, on this machine."""
    async with Outward(allow_private=True, agent="Ratchet", resolver=Names()) as outward:
        yield outward


@pytest.fixture
def serving(clock, metrics, applications, outward):
    """Makes an application over a store. Each call makes another one."""
    running = Counter()

    def serving(
        store,
        *,
        rate=0,
        member=member,
        serves=serves,
        place=place,
        lifecycles=PRESETS,
        default="statuspage",
    ):
        catalogue = Catalogue(lifecycles, default=default)
        incidents = Incidents(store, clock=clock, wake=lambda: None)
        gate = Gate(
            store,
            incidents,
            catalogue,
            member,
            serves,
            find_place=place,
            outward=outward,
            clock=clock,
            rate=rate,
            metrics=metrics,
        )
        alike = applications[lifecycles, default]
        if running[lifecycles, default] == len(alike):
            alike.append(application(gate, catalogue))
        app = alike[running[lifecycles, default]]
        running[lifecycles, default] += 1
        app.state.gate = gate
        return app

    return serving


@pytest.fixture
def incidents(store, clock):
    """The use cases, without HTTP."""
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def app(serving, store):
    return serving(store)


@pytest.fixture
def a_key(store, clock):
    """Makes an API key; returns the whole key."""

    def a_key(scope="publish", *, workspace=WORKSPACE, name="ci"):
        return store.write_now(
            lambda tx: keys.create(
                tx, workspace=workspace, name=name, scope=KeyScope(scope), at=clock()
            )
        )[1]

    return a_key


@pytest.fixture
def client(app):
    """Makes a client of the application, with or without a key."""

    def client(key=None, *, of=app):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(of), base_url=ADDRESS, headers=headers
        )

    return client


@pytest.fixture
def ci(client, a_key):
    """A client with the scope `publish`."""
    return client(a_key())


@pytest.fixture
def admin(client, a_key):
    return client(a_key("admin", name="root"))


@pytest.fixture
def stranger(client, a_key):
    """A client of another workspace, with the scope `admin`."""
    return client(a_key("admin", workspace=ELSEWHERE, name="elsewhere"))


@pytest.fixture
def declared(ci):
    """Declares an incident over dialect 1 and moves it step by step; returns its id."""

    async def declared(*steps, by=ci, **asked):
        asked = {"title": "Checkout is down", "severity": "high"} | asked
        answer = await by.post("/v1/incidents", json=asked)
        assert answer.status_code == 201, answer.text
        incident = answer.json()["data"]["id"]
        for step in steps:
            moved = await by.patch(f"/v1/incidents/{incident}/status", json={"status": step})
            assert moved.status_code == 200, moved.text
        return incident

    return declared


@pytest.fixture
def reported(ci):
    """Reports an incident over dialect 2 and moves it step by step; returns its id."""

    async def reported(*steps, **asked):
        asked = {"title": "Checkout is down", "severity": "major"} | asked
        answer = await ci.post("/api/incidents", json=asked)
        assert answer.status_code == 201, answer.text
        incident = answer.json()["data"]["id"]
        for step in steps:
            moved = await ci.put(f"/api/incidents/{incident}/status", json={"status": step})
            assert moved.status_code == 200, moved.text
        return incident

    return reported


@pytest.fixture
def updates(ci):
    """Reads the timeline of an incident over dialect 1."""

    async def updates(incident, by=ci):
        return (await by.get(f"/v1/incidents/{incident}/updates")).json()["data"]["updates"]

    return updates


@pytest.fixture
def rows(url):
    """Reads the rows of an incident without ids, numbers and times, to compare two incidents."""
    path = url.removeprefix("sqlite:///")
    unique = {"id", "incident_id", "number", "at", "uid", "lane"}

    def rows(incident):
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            return {
                table: [
                    {
                        name: row[name]
                        for name in row.keys()  # noqa: SIM118 - a Row iterates over its values
                        if name not in unique and not name.endswith("_at")
                    }
                    for row in connection.execute(
                        f"SELECT * FROM {table} WHERE {key} = ? ORDER BY rowid",
                        [UUID(incident).hex],
                    )
                ]
                for table, key in {
                    "incident": "id",
                    "incident_update": "incident_id",
                    "outbox": "incident_id",
                }.items()
            }

    return rows
