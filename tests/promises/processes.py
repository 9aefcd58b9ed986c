"""Servers as processes that can be killed, and people at work meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.app import build
from bot.doctor.checks import examine
from bot.settings import Settings
from bot.telemetry import configure_logs
from storage.store import SqlStore
from tests import tables
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import a_free_port, listening
from tests.promises.conftest import environment

# Servers are forked from a process with all imports, so that a start is quick.
fork = multiprocessing.get_context("forkserver")
fork.set_forkserver_preload(["bot.app", "bot.sandbox", "yaml", "psycopg", "alembic.command"])


BEGAN = time.time()
HASTE = 60


def hasty():
    """Seconds since 1970 by a clock that runs 60 times as fast: Slack's pace costs little."""
    return BEGAN + (time.time() - BEGAN) * HASTE


def hasty_now():
    """The same as a moment."""
    return datetime.fromtimestamp(hasty(), UTC)


def serve(variables, began):
    """The body of a server process: `ratchet serve` by the hasty clock."""
    asyncio.run(
        _serve(
            Settings.from_env(variables),
            lambda: datetime.fromtimestamp(began + (time.time() - began) * HASTE, UTC),
        )
    )


async def _serve(settings, clock):
    configure_logs(log_format="json", log_level="critical")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    end_with_the_test_process()
    app = build(settings, clock=clock)
    for worker in (app.worker, app.hook_worker):
        app.schedule.every(timedelta(seconds=1 / HASTE), worker.look)
        app.schedule.every(timedelta(seconds=30 / HASTE), worker.rescue)
    try:
        await app.start()
        await stop.wait()
    finally:
        await app.stop()


def end_with_the_test_process():
    """Ends this server process with the test process, even a killed one."""
    if parent := multiprocessing.parent_process():
        asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)


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
        await until(self._listens)

    def _listens(self):
        assert self._process.exitcode is None, "it ended instead of starting"
        return listening(self.port)

    @property
    def pid(self):
        return self._process.pid

    async def kill(self):
        self._process.kill()
        await self._ended()

    async def stop(self):
        self._process.terminate()
        await self._ended()

    async def _ended(self):
        await asyncio.to_thread(self._process.join, PATIENCE_SECONDS)
        assert self._process.exitcode is not None
        self._process.close()


@dataclass
class Ledger:
    """The answers that people got: confirmed, refused, or none.

    ``moves`` are clicks that were confirmed, each as an incident's name and its new status;
    ``accidents`` counts the accidents of the servers by name.
    """

    confirmed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    accidents: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    words: itertools.count = field(default_factory=lambda: itertools.count(1))

    def figures(self):
        """The counts of everything."""
        return self.accidents + Counter(
            {
                "changes confirmed": len(self.confirmed) + len(self.moves),
                "refused": len(self.refused),
                "unanswered": len(self.unknown),
                "requests delivered again": self.redelivered,
            }
        )


async def a_responder(person, doors, ledger, chance):
    """Declares, moves, writes, clicks, resolves, and again; each text is a word of its own."""
    number = None
    while not doors.closed:
        if chance.random() < 0.1:
            await pressed(person, doors, ledger, chance)
        if chance.random() < 0.1:
            await doors.redeliver(chance)
            ledger.redelivered += 1
        word = f"word{next(ledger.words)}x"
        if number is None:
            line = f"declare {word}"
        else:
            verb = chance.choice(["note", "note", "note", "next", "next", "update"])
            line = f"{verb} {number} {word}"
        said = await attempted(person, line, word, doors, ledger, chance)
        await asyncio.sleep(0.05 if said else 0.2)  # people read the answer, or wonder
        if said is None or "end of its lifecycle" in said:
            number = None
        elif number is None:
            number = said.split("INC-")[1].split()[0]


# People give up on an answer after this time: a server that is killed takes some with it. A later
# answer does no harm, as nobody is asked whether such a change is there.
GONE_SECONDS = 5

# Answers that confirm a word.
DONE = ("is declared (", "Your note is kept private.", "will read your public update")


async def attempted(person, line, word, doors, ledger, chance):
    """Types ``line`` at one of the servers. The answer, or None if there was none."""
    doors.choose(chance)
    ledger.unknown.append(word)
    asked = await person.command("#payments", f"/incident {line}")
    said = None
    if asked.error is None:
        with suppress(TimeoutError):
            said = (await asked.answer(timeout_seconds=GONE_SECONDS)).words()
    if said is None or "INC-" not in said:
        return None
    if "Nothing had to change" in said:
        # A concurrent delivery of the same request did it.
        return said
    ledger.unknown.remove(word)
    done = any(claim in said for claim in DONE)
    (ledger.confirmed if done else ledger.refused).append(word)
    return said


async def pressed(person, doors, ledger, chance):
    """Presses a button for a next step, which may be out of date, on one of the newest cards."""
    doors.choose(chance)
    steps = doors.steps()
    if not steps:
        return
    card, step = chance.choice(steps)
    asked = await person.press(card, step)
    with suppress(TimeoutError, LookupError):
        said = (await asked.answer(timeout_seconds=GONE_SECONDS)).words()
        if "is now" in said:
            ledger.moves.append((card.text.split()[0], step.removeprefix("step:")))


class Doors:
    """The servers' addresses; each request goes to one of them.

    Once they are ``closed``, people finish their command and stop.
    """

    def __init__(self, slack, urls):
        self._slack = slack
        self._urls = urls
        self.closed = False

    def choose(self, chance):
        self._slack.request_url = chance.choice(self._urls)

    def steps(self):
        """The buttons for next steps on the newest cards, each with its card."""
        return [
            (card, element["action_id"])
            for card in self._slack.workspace.channel("#payments").messages[-6:]
            for block in card.blocks
            for element in block.get("elements", [])
            if element.get("action_id", "").startswith("step:")
        ]

    async def redeliver(self, chance):
        """Delivers the last request again, to any server."""
        if self._slack.requests:
            await self._slack.redeliver(to=chance.choice(self._urls))


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
        doors.closed = True
        await asyncio.gather(*working)


async def delivered(url):
    """Waits until the running servers have delivered everything to Slack."""
    with closing(SqlStore(url)) as store:
        await until(lambda: not waiting(store))


def waiting(store):
    return tables.rows(store, "SELECT id FROM outbox WHERE state IN ('available', 'running')")


async def violations(slack, url, ledger):
    """Everything lost, done twice or left in pieces; empty if every promise holds."""
    found = await examine(
        Settings.from_env(environment(slack, url)), deep=True, clock=hasty_now, pause=no_pause
    )
    with closing(SqlStore(url)) as store:
        rows = await asyncio.to_thread(remembered, store)
    return [finding.text for finding in found if not finding.well] + [
        *_misremembered(rows, ledger),
        *_misshown(slack, rows),
    ]


async def no_pause(_seconds):
    """Does not pause: nothing here asks the doctor to wait."""


def remembered(store):
    """Every update with its incident, oldest first."""
    return tables.rows(
        store,
        "SELECT i.number, u.body, u.kind, i.title, u.visibility, u.new FROM incident_update u "
        "JOIN incident i ON i.id = u.incident_id ORDER BY i.number, u.entry",
    )


def _misremembered(rows, ledger):
    """Differences between the rows and the answers that people got."""
    kept = Counter(title if kind == "declared" else body for _, body, kind, title, _, _ in rows)
    for word in ledger.confirmed:
        if kept[word] != 1:
            yield f"{word} was confirmed, and is there {kept[word]} times"
    for word in ledger.refused:
        if kept[word]:
            yield f"{word} was refused, and is there"
    for word in ledger.unknown:
        if kept[word] > 1:
            yield f"{word} is there {kept[word]} times"
    moved = Counter((f"INC-{number}", new) for number, _, _, _, _, new in rows)
    for move, times in Counter(ledger.moves).items():
        if times != 1 or moved[move] != 1:
            yield f"{move} was confirmed {times} times, and is there {moved[move]} times"


END = "the end"


def _misshown(slack, rows):
    """Incidents and public updates that the channels do not show once and in order."""
    told = {}
    for number, body, _, _, visibility, new in rows:
        replies = told.setdefault(f"INC-{number}", [])
        if visibility == "public":
            replies.append(body)
        elif new == "resolved":
            # An end without a public text is announced by a short reply.
            replies.append(END)
    shown = {}
    for post in slack.channel_view("#status"):
        texts = [reply.text.split(": ")[-1] for reply in post.replies]
        replies = [END if text.startswith("Resolved after") else text for text in texts]
        shown.setdefault(post.text.split()[0], []).append(replies)
    cards = Counter(post.text.split()[0] for post in slack.channel_view("#payments"))
    for name in sorted(told.keys() | shown.keys() | cards.keys()):
        if shown.get(name) != [told.get(name)]:
            yield f"{name}: told {told.get(name)}; the status channel shows {shown.get(name)}"
        if cards[name] != 1:
            yield f"{name} has {cards[name]} cards"
