"""A subscriber gets each event in order, though senders die between a request and its record."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import closing
from uuid import UUID

import pytest
from aiohttp import web

from bot.delivery.failures import after_webhook_failure
from bot.delivery.webhooks import WebhookTransport, WebhookWorker
from bot.sandbox import Limits
from bot.telemetry import Metrics
from bot.webhooks.outward import Outward
from bot.webhooks.signing import new_secret
from core.endpoints import Webhooks
from core.incident import PublicText
from core.service import Incidents
from storage.hook_queue import HookQueue
from storage.store import SqlStore
from tests import tables
from tests.builders import a_change, a_declaration, an_actor, an_id, the_settings
from tests.patience import until
from tests.promises.conftest import environment
from tests.promises.processes import Server, hasty, hasty_now
from tests.standin import a_standin
from tests.webhooks.receiver import a_receiver

INCIDENTS = 8
# What becomes of each incident after its declaration: a new status or none, a text or none.
STORY = (
    ("identified", "The cause of {} is known."),
    (None, "A fix for {} is on its way."),
    ("monitoring", None),
    ("resolved", "{} is over."),
)
# What happens at the first try of the n-th event that comes. Each event has one trouble at most:
# the pauses after a second one are long.
CUT_OFF = 0
TROUBLES = {3: 500, 8: CUT_OFF, 11: 503, 20: CUT_OFF, 23: 302}
DEATHS = (5, 17)


class Accidents:
    """The answers of a receiver; some come after the end of the process that asked.

    Whoever stops or starts a server holds ``one_by_one``.
    """

    def __init__(self, servers, deaths, chance):
        self._servers = servers
        self._deaths = deaths
        self._chance = chance
        self.one_by_one = asyncio.Lock()
        self.came = []
        self.taken = []
        self.died = 0

    async def __call__(self, request):
        uid, told = UUID(request.headers["webhook-id"]), json.loads(await request.read())
        first = uid not in [one for one, _ in self.came]
        self.came.append((uid, told))
        number = len({one for one, _ in self.came})
        if first and number in self._deaths:
            # It has the request, and nobody will record that.
            async with self.one_by_one:
                server = self._chance.choice(self._servers)
                await server.kill()
                await server.start()
                self.died += 1
        elif first and (trouble := TROUBLES.get(number)) is not None:
            if trouble == CUT_OFF:
                request.transport.abort()
                return web.Response()
            return web.Response(status=trouble, headers={"Location": "/elsewhere"})
        self.taken.append(uid)
        return web.Response()


class Author:
    """Writes incidents into the database beside the servers, as an API client would."""

    def __init__(self, store, workspace, clock):
        self.incidents = Incidents(store, clock=clock, wake=lambda: None)
        self.who = {"actor": an_actor(workspace=workspace, channel=None, admin=True)}

    async def declare(self, number):
        await self.incidents.execute(
            a_declaration(**self.who, id=an_id(number), title=f"Fault {number}", place=None)
        )

    async def go_on(self, number, step):
        to, text = STORY[step]
        public = text and PublicText(text.format(f"fault {number}"))
        await self.incidents.execute(
            a_change(**self.who, ref=an_id(number), to=to, public=public, confirmed=True)
        )

    async def write_everything(self, seen):
        """All incidents, side by side; a receiver has ``seen`` some before it goes on."""
        for number in range(INCIDENTS):
            await self.declare(number)
        for step in range(len(STORY)):
            for number in range(INCIDENTS):
                await self.go_on(number, step)
            await until(lambda step=step: seen() > step * INCIDENTS)


def told_in_order(sent, taken):
    """The newest text of each event, by incident, in the order in which a receiver took them.

    A receiver takes each id once, as it should.
    """
    lanes = {}
    for uid in dict.fromkeys(taken):
        (incident,) = {json.dumps(told["incident"]) for one, told in sent if one == uid}
        shown = json.loads(incident)
        lanes.setdefault(shown["name"], []).append(shown["incident_updates"][0]["body"])
    return lanes


EXPECTED = {
    f"Fault {number}": [
        "Status changed to Investigating.",
        *(
            text.format(f"fault {number}") if text else f"Status changed to {to.capitalize()}."
            for to, text in STORY
        ),
    ]
    for number in range(INCIDENTS)
}


@pytest.fixture
async def slack():
    async with a_standin(clock=hasty, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture
def store(database_url, slack):
    status_channel = slack.workspace.channel("#status").id
    defaults = the_settings(status_channel=status_channel)
    with closing(SqlStore(database_url, defaults=defaults)) as store:
        yield store


async def subscribed(store, who, url, clock):
    hooks = Webhooks(store, clock=clock)
    proposed = await hooks.propose(who["actor"], an_id("hook"), url)
    return await hooks.keep(who["actor"], proposed, new_secret())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_each_event_arrives_in_order_though_its_sender_dies_before_the_record(
    kind, slack, database_url, store
):
    variables = environment(slack, database_url, WEBHOOK_ALLOW_PRIVATE="yes")
    # On SQLite there is one server to a file.
    servers = [Server(variables) for _ in range(1 if kind == "sqlite" else 2)]
    author = Author(store, slack.workspace.team_id, hasty_now)
    await author.declare("of before")
    accidents = Accidents(servers, DEATHS, random.Random(5))
    for server in servers:
        await server.start()
    async with a_receiver(accidents) as receiver:
        await subscribed(store, author.who, receiver.url, hasty_now)
        await author.write_everything(lambda: len(set(accidents.taken)))
        # An upgrade stops servers, and starts them.
        async with accidents.one_by_one:
            await servers[0].stop()
            await servers[0].start()
        await until(lambda: not waiting(store))
        async with accidents.one_by_one:
            for server in servers:
                await server.stop()

    sent = tables.rows(store, "SELECT uid, state, attempts FROM webhook_message")
    assert {state for _, state, _ in sent} == {"delivered"}
    assert {UUID(str(uid)) for uid, _, _ in sent} == {uid for uid, _ in accidents.came}
    assert accidents.died == len(DEATHS)
    assert len(accidents.came) >= len(sent) + len(TROUBLES)
    assert told_in_order(accidents.came, accidents.taken) == EXPECTED


def waiting(store):
    return tables.rows(
        store, "SELECT id FROM webhook_message WHERE state IN ('available', 'running')"
    )


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_two_processes_send_each_event_once(kind, slack, database_url, store, clock):
    accidents = Accidents((), (), random.Random(5))
    author = Author(store, slack.workspace.team_id, clock)
    with closing(SqlStore(database_url)) as other:
        async with (
            a_receiver(accidents) as receiver,
            Outward(allow_private=True, agent="Ratchet") as outward,
        ):
            await subscribed(store, author.who, receiver.url, clock)
            workers = [
                WebhookWorker(
                    HookQueue(one),
                    WebhookTransport(outward, address=lambda _page, _alone: ""),
                    name=name,
                    clock=clock,
                    chance=lambda: 0.0,
                    metrics=Metrics(),
                    verdict=after_webhook_failure,
                )
                for name, one in (("one", store), ("other", other))
            ]
            for step in range(-1, len(STORY)):
                for number in range(INCIDENTS):
                    await (author.go_on(number, step) if step >= 0 else author.declare(number))
                clock.advance(seconds=1)
                await asyncio.gather(*(worker.deliver_due() for worker in workers))
            # The retries of what was refused.
            while waiting(store):
                clock.advance(seconds=5)
                await asyncio.gather(*(worker.deliver_due() for worker in workers))

    ids = [uid for uid, _ in accidents.came]
    assert len(accidents.taken) == len(set(accidents.taken)) == len(set(ids))
    assert len(ids) == len(set(ids)) + len(TROUBLES)
    assert told_in_order(accidents.came, accidents.taken) == EXPECTED
    claimed = tables.rows(store, "SELECT sum(attempts) FROM webhook_message")
    assert claimed == [(len(ids),)]
