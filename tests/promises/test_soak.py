"""Memory, file handles, tasks and tables stay as they are, however long people work."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.app import build
from bot.sandbox import Limits
from bot.settings import Settings
from bot.telemetry import configure_logs
from storage import keys
from storage.keys import KeyScope
from storage.store import SqlStore
from tests import tables
from tests.patience import PATIENCE_SECONDS
from tests.promises.conftest import environment
from tests.promises.processes import (
    Ledger,
    Server,
    end_with_the_test_process,
    fork,
    people_at_work,
)
from tests.standin import a_standin

MINUTES = 4
# A day passes in two seconds and a week in fifteen, so that old rows are pruned meanwhile.
HASTE = 40_000
BEGAN = time.time()
PRUNED = ("handled", "idempotency", "outbox")
GROWTH_KIB = 12_000


def hasty(began):
    """Seconds since 1970 by a clock that runs very fast."""
    return began + (time.time() - began) * HASTE


def serve(variables, began, tasks):
    """`ratchet serve` by the hasty clock; ``tasks`` is told how many of them there are."""
    asyncio.run(_serve(Settings.from_env(variables), began, tasks))


async def _serve(settings, began, tasks):
    configure_logs(log_format="json", log_level="critical")
    end_with_the_test_process()
    app = build(settings, clock=lambda: datetime.fromtimestamp(hasty(began), UTC))

    async def count():
        tasks.value = len(asyncio.all_tasks())

    for work in (count, app.worker.look, app.worker.prune, app.forget):
        app.schedule.every(timedelta(seconds=0.5), work)
    try:
        await app.start()
        await asyncio.Event().wait()
    finally:
        await app.stop()


class Watched(Server):
    """A server that reports its use of the machine."""

    def __init__(self, variables):
        super().__init__(variables)
        self._tasks = fork.Value("i")

    async def start(self):
        arguments = (self._variables, BEGAN, self._tasks)
        self._process = fork.Process(target=serve, args=arguments, daemon=True)
        await asyncio.to_thread(self._process.start)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.answers():  # noqa: ASYNC110 - a process tells nobody
                await asyncio.sleep(0.05)

    async def answers(self):
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as http, http.get(self.address("healthz")):
                return True
        return False

    def address(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def use(self):
        """KiB of memory, open files, threads and tasks."""
        folder = Path(f"/proc/{self._process.pid}")
        told = dict(
            line.split(":", 1)
            for line in (folder / "status").read_text().splitlines()
            if ":" in line
        )
        files = len(list((folder / "fd").iterdir()))
        return int(told["VmRSS"].split()[0]), files, int(told["Threads"]), self._tasks.value


async def a_machine(server, key):
    """Declares over the API without end, each time under a name of its own."""
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for number in range(10**9):
            name = {"Idempotency-Key": f"name {number}"}
            body = {"title": f"Outage {number}", "severity": "high"}
            async with http.post(server.address("v1/incidents"), headers=name, json=body) as answer:
                assert answer.status == 201, await answer.text()
            await asyncio.sleep(0.1)


def counts(url):
    """The number of rows in each table that is pruned."""
    with closing(SqlStore(url)) as store:
        return {table: len(lines) for table, lines in tables.contents(store, PRUNED).items()}


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_long_day_leaves_nothing_behind(kind, database_url, request, figures):
    minutes = min(MINUTES, request.config.getoption("torture_minutes"))
    limits = Limits(posting=False)
    uses = []
    async with a_standin(clock=lambda: hasty(BEGAN), limits=limits) as slack:
        server = Watched(environment(slack, database_url))
        await server.start()
        store = SqlStore(database_url)
        _, key = store.write_now(
            lambda tx: keys.create(
                tx,
                workspace=slack.workspace.team_id,
                name="soak",
                scope=KeyScope.WRITE,
                at=datetime.now(UTC),
            )
        )
        store.close()
        ledger = Ledger()
        machine = asyncio.create_task(a_machine(server, key))
        async with people_at_work(slack, [server], ledger, seed=f"soak {kind}"):
            end = time.monotonic() + minutes * 60
            while time.monotonic() < end:
                await asyncio.sleep(0.5)
                uses.append(server.use())
        machine.cancel()
        ended = await asyncio.gather(machine, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError), ended
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(counts(database_url).values()):  # noqa: ASYNC110 - another process prunes
                await asyncio.sleep(0.5)
        await server.stop()

    third = len(uses) // 3
    before, after = (
        [statistics.median(column) for column in zip(*part, strict=True)]
        for part in (uses[third : 2 * third], uses[2 * third :])
    )
    figures(
        f"{kind}, {len(ledger.confirmed):,} commands in {minutes:g} minutes; KiB, files, "
        f"threads and tasks: {before}, then {after}"
    )
    assert len(ledger.confirmed) > 100 * minutes
    assert after[0] - before[0] < GROWTH_KIB
    assert all(new <= old + 3 for old, new in zip(before[1:], after[1:], strict=True))
