"""Ratchet as processes that can be killed, and people who go on working all the while."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import random
import signal
import socket
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.app import build
from bot.settings import Settings
from bot.telemetry import configure_logs
from storage import audit
from storage.store import Store

# Processes are forked from one that has everything imported: a start costs no seconds.
fork = multiprocessing.get_context("forkserver")
fork.set_forkserver_preload(["bot.app", "bot.sandbox", "yaml", "psycopg", "alembic.command"])


BEGAN = time.time()
HASTE = 60


def hasty():
    """Seconds since 1970 by a clock that runs so fast that Slack's pace is not what we wait for."""
    return BEGAN + (time.time() - BEGAN) * HASTE


def serve(variables, began):
    """What `ratchet serve` does, in a process of its own, by the hasty clock."""
    asyncio.run(
        _serve(
            Settings.from_env(variables),
            lambda: datetime.fromtimestamp(began + (time.time() - began) * HASTE, UTC),
        )
    )


async def _serve(settings, clock):
    configure_logs(log_format="json", log_level="critical")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app = build(settings, clock=clock)
    app.schedule.every(timedelta(seconds=1 / HASTE), app.worker.look)
    app.schedule.every(timedelta(seconds=30 / HASTE), app.worker.rescue)
    try:
        await app.start()
        await stop.wait()
    finally:
        await app.stop()


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Server:
    """One `ratchet serve` at a port of its own, started as often as it is killed."""

    def __init__(self, variables):
        self.port = a_free_port()
        self.url = f"http://127.0.0.1:{self.port}/slack/events"
        self._variables = {**variables, "PORT": str(self.port)}
        self._process = None

    async def start(self):
        self._process = fork.Process(target=serve, args=(self._variables, BEGAN), daemon=True)
        await asyncio.to_thread(self._process.start)
        async with asyncio.timeout(30):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                assert self._process.exitcode is None, "it ended instead of starting"
                await asyncio.sleep(0.01)

    async def kill(self):
        self._process.kill()
        await self._ended()

    async def stop(self):
        self._process.terminate()
        await self._ended()

    async def _ended(self):
        await asyncio.to_thread(self._process.join, 20)
        assert self._process.exitcode is not None
        self._process.close()


@dataclass
class Ledger:
    """What people were told is done, and what they do not know."""

    confirmed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    words: itertools.count = field(default_factory=lambda: itertools.count(1))


async def a_responder(person, doors, ledger, chance):
    """Declares, moves, writes and resolves without end; each text is a word of its own."""
    number = None
    while True:
        word = f"word{next(ledger.words)}x"
        if number is None:
            line = f"declare {word}"
        else:
            verb = chance.choice(["note", "note", "note", "next", "next", "update"])
            line = f"{verb} {number} {word}"
        said = await attempted(person, line, word, doors, ledger, chance)
        await asyncio.sleep(0.05 if said else 0.2)  # as people do: read, or look what is wrong
        if said is None or "end of its lifecycle" in said:
            number = None
        elif number is None:
            number = said.split("INC-")[1].split()[0]


async def attempted(person, line, word, doors, ledger, chance):
    """Says ``line`` at any of the doors, and returns the answer; None where none came."""
    doors.choose(chance)
    ledger.unknown.append(word)
    asked = await person.command("#payments", f"/incident {line}")
    said = None
    if asked.error is None:
        with suppress(TimeoutError):
            said = (await asked.answer(timeout_seconds=5)).words()
    if said is None or "INC-" not in said:
        return None
    ledger.unknown.remove(word)
    ledger.confirmed.append(word)
    return said


class Doors:
    """The addresses that Slack knows; it sends each request to any of them."""

    def __init__(self, slack, urls):
        self._slack = slack
        self._urls = urls

    def choose(self, chance):
        self._slack.request_url = chance.choice(self._urls)


@asynccontextmanager
async def people_at_work(slack, servers, ledger, *, seed):
    doors = Doors(slack, [server.url for server in servers])
    working = [
        asyncio.create_task(
            a_responder(slack.person(name), doors, ledger, random.Random(f"{seed} {name}"))
        )
        for name in ("mia", "bo", "sam")
    ]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        ended = await asyncio.gather(*working, return_exceptions=True)
    for error in ended:
        if not isinstance(error, asyncio.CancelledError):
            raise error


async def delivered(url, *, seconds=60):
    """Waits until the running servers have told Slack everything."""
    store = Store(url)
    try:
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(store.read_now, waiting):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        store.close()


def waiting(reader):
    return reader.connection.exec_driver_sql(
        "SELECT count(*) FROM outbox WHERE state IN ('available', 'running')"
    ).scalar()


def violations(slack, url, ledger):
    """Everything that was lost, done twice or left in pieces; empty where every promise holds."""
    store = Store(url)
    try:
        return store.read_now(lambda reader: list(_violations(slack, reader, ledger)))
    finally:
        store.close()


def _violations(slack, reader, ledger):
    yield from audit.faults(reader)
    rows = reader.connection.exec_driver_sql(
        "SELECT i.number, u.body, u.kind, i.title, u.visibility FROM incident_update u "
        "JOIN incident i ON i.id = u.incident_id ORDER BY i.number, u.entry"
    ).all()
    kept = Counter(title if kind == "declared" else body for _, body, kind, title, _ in rows)
    for word in ledger.confirmed:
        if kept[word] != 1:
            yield f"{word} was confirmed, and is there {kept[word]} times"
    for word in ledger.unknown:
        if kept[word] > 1:
            yield f"{word} is there {kept[word]} times"
    told = {}
    for number, body, _, _, visibility in rows:
        replies = told.setdefault(f"INC-{number}", [])
        if visibility == "public":
            replies.append(body)
    yield from _misshown(slack, told)


def _misshown(slack, told):
    """Where a channel does not show each incident once, and each public update once, in order."""
    shown = [
        (post.text.split()[0], [reply.text.split(": ")[-1] for reply in post.replies])
        for post in slack.channel_view("#status")
    ]
    if sorted(shown) != sorted(told.items()):
        yield f"told: {sorted(told.items())}; the status channel shows {sorted(shown)}"
    cards = [post.text.split()[0] for post in slack.channel_view("#payments")]
    if sorted(cards) != sorted(told):
        yield f"declared: {sorted(told)}; there are cards of {sorted(cards)}"
