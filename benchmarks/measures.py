"""The measures. Each yields the lines of its part of the table."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import databases, filling, servers, traffic
from benchmarks.databases import (
    ACTOR,
    CHANNEL,
    NOTE,
    STATUS_CHANNEL,
    WAY,
    WORKSPACE,
    Database,
    now,
)
from benchmarks.raw import Step, Threads
from benchmarks.rounds import Samples, in_turn
from bot.sandbox import Sandbox, Workspace
from core.commands import Change
from core.incident import Note
from core.service import Incidents
from storage.store import SqlStore

CLIENTS = (1, 16)
BURST = 200
# The aims for a burst, on a machine that does nothing else.
AIMS = {"median, aim 20 ms": 0.5, "p99, aim 250 ms": 0.99}
SECRET = "benchmark"  # noqa: S105 - signs requests from this machine to itself


@dataclass(frozen=True, slots=True)
class Effort:
    """The amount of measuring.

    ``each``: incidents that a client moves to their end in one slice, by the number of clients; a
    slice should take a tenth of a second. No comparison begins a round after ``seconds``.
    """

    each: Mapping[int, int]
    rounds: int
    seconds: float
    few_closed: int
    many_closed: int
    many_entries: int

    @property
    def incidents(self) -> int:
        """The number of open incidents that one side of a comparison uses up."""
        return (self.rounds + 1) * sum(clients * self.each[clients] for clients in CLIENTS)


WHOLE = Effort(
    each={1: 48, 16: 6},
    rounds=20,
    seconds=15,
    few_closed=1_000,
    many_closed=1_000_000,
    many_entries=5_000,
)
QUICK = Effort(
    each={1: 2, 16: 1}, rounds=3, seconds=1, few_closed=10, many_closed=100, many_entries=100
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One line of the table: two sides, in seconds for one operation, and their ratio.

    ``target``: the highest ratio allowed; None without one.
    """

    measure: str
    clients: int
    against: str
    ours: float
    theirs: float
    ratio: float
    target: float | None

    @classmethod
    def of(
        cls, samples: Samples, *, measure: str, clients: int, target: float | None, against: str
    ) -> Comparison:
        """The line about the first side of ``samples`` and the one called ``against``."""
        return cls(
            measure=measure,
            clients=clients,
            against=against,
            ours=samples.seconds(samples.first),
            theirs=samples.seconds(against),
            ratio=samples.ratio(samples.first, against),
            target=target,
        )

    @property
    def met(self) -> bool:
        """Whether the ratio is within the target."""
        return self.target is None or self.ratio <= self.target


class Supply:
    """Open incidents that wait to be used up."""

    def __init__(self, numbers: Iterable[int], effort: Effort) -> None:
        self._numbers = iter(numbers)
        self._each = effort.each

    @classmethod
    async def filling(cls, database: Database, effort: Effort, *, closed: int = 1_000) -> Supply:
        """Fill the empty ``database``; returns its open incidents."""
        numbers = await filling.fill(database, open_=effort.incidents, closed=closed)
        return cls(numbers, effort)

    def rows(self, clients: int) -> list[list[Step]]:
        """The transitions of each client in a slice: all those of a few incidents, in order."""
        each = self._each[clients]
        return [
            [(number, to) for number in itertools.islice(self._numbers, each) for to in WAY]
            for _ in range(clients)
        ]


class Service:
    """Transitions and boards through `core.service`, on an open store."""

    def __init__(self, store: SqlStore, supply: Supply) -> None:
        self._incidents = Incidents(store, clock=now, wake=lambda: None)
        self._supply = supply

    async def transitions(self, clients: int) -> float:
        """A slice; each client sends its next command after the answer to its last."""
        rows = [
            [Change(actor=ACTOR, ref=number, to=to, note=Note(NOTE)) for number, to in row]
            for row in self._supply.rows(clients)
        ]
        began = time.perf_counter()
        await asyncio.gather(*map(self._client, rows))
        return (time.perf_counter() - began) / sum(map(len, rows))

    async def _client(self, commands: Sequence[Change]) -> None:
        for command in commands:
            await self._incidents.execute(command)


async def transitions(
    make: Callable[[str], Database],
    effort: Effort,
    *,
    measure: str,
    targets: Mapping[int, float],
) -> AsyncIterator[Comparison]:
    """A transition through the service against the same statements, sent with the driver only.

    ``targets`` by the number of clients.
    """
    ours, floor = make("ours"), make("floor")
    our_supply = await Supply.filling(ours, effort)
    supply = await Supply.filling(floor, effort)
    with ours.store() as store:
        service = Service(store, our_supply)
        for clients in CLIENTS:
            # Sixteen connections to one SQLite file sleep in SQLite's busy handler and take five
            # times as long as sixteen threads that share one connection. The floor is the faster.
            sharing = floor.is_sqlite and clients > 1
            with Threads(floor, clients, sharing=sharing) as threads:
                samples = await in_turn(
                    {
                        "service": partial(service.transitions, clients),
                        "raw SQL": partial(_raw, threads, supply, clients),
                    },
                    rounds=effort.rounds,
                    within_seconds=effort.seconds,
                )
            yield Comparison.of(
                samples,
                measure=measure,
                clients=clients,
                target=targets[clients],
                against="raw SQL",
            )


async def _raw(threads: Threads, supply: Supply, clients: int) -> float:
    return threads.seconds_each(supply.rows(clients))


async def commands(folder: Path, effort: Effort) -> AsyncIterator[Comparison]:
    """A signed `/incident status` over HTTP: all of Ratchet against two servers that do less."""
    ours, floor = databases.sqlite(folder, "ratchet"), databases.sqlite(folder, "http_floor")
    supplies = {
        "ratchet": await Supply.filling(ours, effort),
        "floor": await Supply.filling(floor, effort),
        # This server does not look incidents up.
        "no-op Bolt": Supply(range(effort.incidents), effort),
    }
    async with contextlib.AsyncExitStack() as stack:
        secret = {"SLACK_SIGNING_SECRET": SECRET}
        started = {
            "ratchet": ratchet(ours),
            "floor": servers.running(
                *servers.FLOOR, environment={**secret, "DATABASE_URL": floor.url}
            ),
            "no-op Bolt": servers.running(*servers.BOLT, environment=secret),
        }
        ports = {name: await stack.enter_async_context(server) for name, server in started.items()}
        for clients in CLIENTS:
            samples = await in_turn(
                {
                    name: partial(responding, port, supplies[name], clients)
                    for name, port in ports.items()
                },
                rounds=effort.rounds,
                within_seconds=effort.seconds,
            )
            # A ratio of 2 is half of the floor's rate.
            for against, target in {
                "floor": 2.0 if clients > 1 else None,
                "no-op Bolt": None,
            }.items():
                yield Comparison.of(
                    samples,
                    measure="signed /incident status",
                    clients=clients,
                    target=target,
                    against=against,
                )
        del ports["floor"]
        async for line in _bursts(ports, effort):
            yield line


async def _bursts(ports: Mapping[str, int], effort: Effort) -> AsyncIterator[Comparison]:
    """The wait of each of 200 people after a command at the same moment."""
    numbers = itertools.count()
    for aim, quantile in AIMS.items():
        samples = await in_turn(
            {name: partial(_burst, port, numbers, quantile) for name, port in ports.items()},
            rounds=effort.rounds,
            within_seconds=effort.seconds,
        )
        yield Comparison.of(
            samples,
            measure=f"burst of {BURST}: {aim}",
            clients=BURST,
            target=None,
            against="no-op Bolt",
        )


async def _burst(port: int, numbers: Iterator[int], quantile: float) -> float:
    """The ``quantile`` of the seconds to the acknowledgement of each of `BURST` commands."""
    words = itertools.islice(numbers, BURST)
    rows = [[signed(f"note 1 number {word}", trigger=f"burst.{word}")] for word in words]
    async with traffic.Clients(port, BURST) as connections:
        waits = await connections.waits(rows)
    return sorted(waits)[round(quantile * (BURST - 1))]


MANIFEST = {
    "display_information": {"name": "Ratchet"},
    "features": {"slash_commands": [{"command": "/incident", "description": "Incidents"}]},
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "users:read"]}},
}


def _populate(workspace: Workspace) -> None:
    ada = workspace.add_user(ACTOR.person.name.lower())
    for name in ("incidents", "status"):
        workspace.add_channel(name, members=[ada])


@contextlib.asynccontextmanager
async def ratchet(database: Database) -> AsyncIterator[int]:
    """Run `ratchet serve` on ``database`` beside a local Slack; yields its port."""
    async with Sandbox(MANIFEST, populate=_populate) as slack:
        environment = {
            "DATABASE_URL": database.url,
            "LOG_FORMAT": "json",
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": SECRET,
            "STATUS_CHANNEL": STATUS_CHANNEL,
        }
        async with servers.running(*servers.RATCHET, environment=environment) as port:
            yield port


async def responding(port: int, supply: Supply, clients: int) -> float:
    """A slice of commands. They are signed before the clock starts, because Slack signs them."""
    requests = [
        [signed(f"status {number} {to} {NOTE}", trigger=f"{number}.{to}") for number, to in row]
        for row in supply.rows(clients)
    ]
    async with traffic.Clients(port, clients) as connections:
        return await connections.seconds_each(requests, expecting=b"is now")


def signed(text: str, *, trigger: str) -> bytes:
    """A command of the benchmark's one person."""
    return traffic.command(
        text,
        secret=SECRET,
        trigger=trigger,
        team_id=WORKSPACE,
        channel_id=CHANNEL,
        channel_name="incidents",
        user_id=ACTOR.person.id,
    )
