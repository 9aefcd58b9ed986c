"""The status page: requests beside a static file, and commands beside its readers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks import databases, filling, servers, traffic
from benchmarks.databases import NOTE, WAY, Database, now
from benchmarks.measures import Comparison, Effort, ratchet, signed
from benchmarks.rounds import in_turn
from core.arranging import ComponentChange
from core.curating import Curation
from core.service import Incidents

# The least rate of a page, as a part of the rate of a static file; here the highest ratio of costs.
WHOLE_PAGE = 1 / 0.7
NOT_MODIFIED = 1 / 0.9
COMPONENTS = 12
READERS = 10_000
EACH_ASKS_EVERY_SECONDS = 30
# The hours between two incidents, by what a page with them is called.
PAGES = {"an incident a day": 24, "8 incidents a day": 3}
CLOSED = 1_000
# A slice of commands: responders close so many incidents, with a command each so often.
OPEN, EACH_COMMAND_SECONDS = 5, 0.05
CONNECTIONS = 16
IN_A_SLICE = 25
ADDRESS = "/status/benchmark"
ETAG = re.compile(rb"etag: *(\"[^\"]+\")", re.IGNORECASE)


FILLED = (
    f"Pages: {CLOSED:,} closed incidents of seven entries, one a day or eight, all of one of "
    f"{COMPONENTS} components;\n{OPEN} open ones, which commands close, one command every "
    f"{EACH_COMMAND_SECONDS * 1_000:.0f} ms. A reader asks every {EACH_ASKS_EVERY_SECONDS} s, and "
    "has the page\nalready, except every tenth. Readers and servers share the CPUs: the same "
    "commands beside readers of a\nfile on another server show how much of the cost is theirs."
)


async def publish(database: Database) -> None:
    """Publishes the page of the workspace of ``database``, with components in groups.

    The first one is that of all closed incidents; the others never failed.
    """
    with database.store() as store:
        curation = Curation(store, clock=now)
        await curation.publish(databases.ADMIN, title="Benchmark", slug="benchmark")
        await curation.change_component(
            databases.ADMIN, "Checkout", ComponentChange(shown=True, group="Shop")
        )
        incidents = Incidents(store, clock=now, wake=lambda: None)
        for number in range(1, COMPONENTS):
            await incidents.make_component(
                databases.ADMIN,
                name=f"Part {number}",
                description=None,
                group="Shop" if number % 2 else "Office",
                then=lambda _tx, _made: None,
            )


async def served(folder: Path, effort: Effort) -> AsyncIterator[Comparison]:
    """A page and a static file of the same bytes, whole and not modified, from equal servers.

    Then commands beside the readers of either.
    """
    for name, hours_apart in PAGES.items():
        ours = databases.sqlite(folder, f"page_{hours_apart}")
        await filling.fill(ours, open_=OPEN, closed=CLOSED, hours_apart=hours_apart)
        await publish(ours)
        async with contextlib.AsyncExitStack() as stack:
            port = await stack.enter_async_context(ratchet(ours))
            page = await _page(port)
            file = folder / f"static_{hours_apart}" / ADDRESS.removeprefix("/")
            file.parent.mkdir(parents=True)
            file.write_bytes(page)
            files = {"STATIC_FOLDER": str(folder / f"static_{hours_apart}")}
            static = await stack.enter_async_context(
                servers.running(*servers.STATIC, environment=files)
            )
            measured = f"page of {len(page) // 1_000} kB, {name}"
            async for line in _requested(measured, port, static, effort):
                yield line
            async for line in _beside_readers(name, ours, port, static, effort):
                yield line


async def _requested(
    measured: str, port: int, static: int, effort: Effort
) -> AsyncIterator[Comparison]:
    sides = {"page": port, "static file": static}
    for measure, target in (("200", WHOLE_PAGE), ("304", NOT_MODIFIED)):
        known = measure == "304"
        samples = await in_turn(
            {name: partial(_read, server, known=known) for name, server in sides.items()},
            rounds=effort.rounds,
            within_seconds=effort.seconds,
        )
        yield Comparison.of(
            samples,
            measure=f"{measured}: {measure}",
            clients=CONNECTIONS,
            target=target,
            against="static file",
        )


async def _page(port: int) -> bytes:
    async with traffic.Clients(port, 1) as connection:
        return (await connection.answer(_request())).partition(b"\r\n\r\n")[2]


_readers: Iterator[int] = itertools.cycle(range(READERS))


def _request(etag: bytes = b"") -> bytes:
    """A request of the next reader, as a proxy on this machine passes it on."""
    reader = next(_readers)
    known = b"If-None-Match: %b\r\n" % etag if etag else b""
    return (
        b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n"
        b"X-Forwarded-For: 10.0.%d.%d\r\n%b\r\n"
    ) % (ADDRESS.encode(), reader // 250, reader % 250, known)


def _etag(answer: bytes) -> bytes:
    found = ETAG.search(answer)
    if found is None:
        raise traffic.NotDone(answer[:500].decode(errors="replace"))
    return found[1]


async def _read(port: int, *, known: bool) -> float:
    """A slice of requests by readers who have the page already, if it is ``known``, or have not."""
    async with traffic.Clients(port, CONNECTIONS) as connections:
        etag = _etag(await connections.answer(_request())) if known else b""
        rows = [[_request(etag) for _ in range(IN_A_SLICE)] for _ in range(CONNECTIONS)]
        if known:
            return await connections.seconds_each(rows, status=304)
        return await connections.seconds_each(rows, expecting=b"</html>")


async def _beside_readers(
    name: str, database: Database, port: int, static: int, effort: Effort
) -> AsyncIterator[Comparison]:
    """Signed commands while `READERS` ask in turn, and the same commands alone.

    And while as many ask the static server: so much is due to readers on the same machine, and the
    rest to our page.
    """

    async def beside(readers_of: int | None) -> float:
        readers = asyncio.create_task(_crowd(readers_of)) if readers_of else None
        try:
            return await _responding(database, port)
        finally:
            if readers:
                readers.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await readers

    samples = await in_turn(
        {
            "beside readers": partial(beside, port),
            "alone": partial(beside, None),
            "readers of a file": partial(beside, static),
        },
        rounds=effort.rounds,
        within_seconds=effort.seconds * 2,
    )
    for against, target in {"alone": 2.0, "readers of a file": None}.items():
        yield Comparison.of(
            samples,
            measure=f"{READERS:,} readers, {name}: signed /incident status",
            clients=1,
            target=target,
            against=against,
        )


async def _responding(database: Database, port: int) -> float:
    """The mean wait for the answer to a command that changes the page, one command each so often.

    The incidents are put there before, and each command is another step of one of them.
    """
    steps = [(number, to) for number in filling.open_more(database, OPEN) for to in WAY]
    requests = [
        signed(f"status {number} {to} {NOTE}", trigger=f"{number}.{to}") for number, to in steps
    ]
    waits = []
    async with traffic.Clients(port, 1) as connection:
        for request in requests:
            await asyncio.sleep(EACH_COMMAND_SECONDS)
            waits.append(await connection.seconds_each([[request]], expecting=b"is now"))
    return fmean(waits)


async def _crowd(port: int) -> None:
    """Requests at the pace of all readers, until it is cancelled; every tenth reader is new."""
    pause = EACH_ASKS_EVERY_SECONDS / READERS
    async with traffic.Clients(port, 1) as connection:
        began, etag = time.perf_counter(), b""
        for asked in itertools.count():
            # Counted from the beginning: a late answer does not delay all later requests.
            await asyncio.sleep(began + asked * pause - time.perf_counter())
            etag = _etag(await connection.answer(_request(etag if asked % 10 else b"")))
