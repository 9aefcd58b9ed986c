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

from benchmarks import databases, servers, traffic
from benchmarks.databases import Database, now
from benchmarks.measures import Comparison, Effort, Supply, ratchet, responding
from benchmarks.rounds import in_turn
from core.curating import Curation

# The least rate of a page, as a part of the rate of a static file; here the highest ratio of costs.
WHOLE_PAGE = 1 / 0.7
NOT_MODIFIED = 1 / 0.9
READERS = 10_000
EACH_ASKS_EVERY_SECONDS = 30
CONNECTIONS = 16
IN_A_SLICE = 25
ADDRESS = "/status/benchmark"
ETAG = re.compile(rb"etag: *(\"[^\"]+\")", re.IGNORECASE)


async def publish(database: Database) -> None:
    """Publishes the page of the workspace of ``database``."""
    with database.store() as store:
        curation = Curation(store, clock=now)
        await curation.publish(databases.ADMIN, title="Benchmark", slug="benchmark")


async def served(folder: Path, effort: Effort) -> AsyncIterator[Comparison]:
    """A page and a static file of the same bytes, whole and not modified, from equal servers."""
    ours = databases.sqlite(folder, "page")
    supply = await Supply.filling(ours, effort)
    await publish(ours)
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(ratchet(ours))
        page = await _page(port)
        file = folder / "static" / ADDRESS.removeprefix("/")
        file.parent.mkdir(parents=True)
        file.write_bytes(page)
        static = await stack.enter_async_context(
            servers.running(*servers.STATIC, environment={"STATIC_FOLDER": str(folder / "static")})
        )
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
                measure=f"page of {len(page):,} bytes, {measure}",
                clients=CONNECTIONS,
                target=target,
                against="static file",
            )
        async for line in _beside_readers(port, supply, effort):
            yield line


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


async def _beside_readers(port: int, supply: Supply, effort: Effort) -> AsyncIterator[Comparison]:
    """Signed commands while `READERS` ask in turn, and the same commands alone."""

    async def crowded() -> float:
        readers = asyncio.create_task(_crowd(port))
        try:
            return await responding(port, supply, 1)
        finally:
            readers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await readers

    samples = await in_turn(
        {"beside readers": crowded, "alone": partial(responding, port, supply, 1)},
        rounds=effort.rounds,
        within_seconds=effort.seconds,
    )
    yield Comparison.of(
        samples,
        measure=f"signed /incident status, {READERS:,} readers",
        clients=1,
        target=2.0,
        against="alone",
    )


async def _crowd(port: int) -> None:
    """Requests at the pace of all readers, until it is cancelled; every tenth reader is new."""
    pause = EACH_ASKS_EVERY_SECONDS / READERS
    async with traffic.Clients(port, 1) as connection:
        began, etag = time.perf_counter(), b""
        for asked in itertools.count():
            # Counted from the beginning: a late answer does not delay all later requests.
            await asyncio.sleep(began + asked * pause - time.perf_counter())
            etag = _etag(await connection.answer(_request(etag if asked % 10 else b"")))
