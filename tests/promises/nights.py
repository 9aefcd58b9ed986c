"""Simulated nights: incidents with promises, a clock that a test moves, and a Slack that fails."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.delivery.slack import SlackTransport
from bot.delivery.worker import Worker
from bot.export import archive
from bot.telemetry import Metrics
from core.commands import Change, Command, Redact, SetPrivacy, SetPromise
from core.decision import NUDGES
from core.errors import UserError
from core.incident import Note, Place, PublicText, Severity
from core.nudging import Nudges
from core.promise import NextUpdate
from core.service import Incidents
from storage import audit
from storage.messages import OutboxMessage
from storage.models import State
from storage.outbox import Outbox
from storage.store import SqlStore
from tests.builders import (
    ADA,
    GRACE,
    a_declaration,
    an_actor,
    an_id,
    set_status_channel,
)
from tests.clock import Clock

DELAY = timedelta(seconds=10)
DEFAULTS = {Severity.CRITICAL: timedelta(minutes=30), Severity.HIGH: timedelta(minutes=60)}
# A night lasts so long; afterwards nobody acts, until everything is due.
NIGHT, MORNING = timedelta(hours=3), timedelta(hours=6)
ACTS = 9
NIGHTS_PER_WORKSPACE = 25


# --- Slack ---------------------------------------------------------------------------------------


class FaultySlack:
    """Slack's client as far as messages go. A call may be refused, cut, or lose its response."""

    def __init__(self, chance: random.Random, clock: Clock, *, faults: float) -> None:
        self._chance = chance
        self._clock = clock
        self._faults = faults
        self._numbers = count(1)
        self.posts: list[tuple[UUID, datetime]] = []  # the ids of outbox messages
        self._channels: dict[str, list[dict[str, Any]]] = {}

    def _fails(self, *, before: bool) -> None:
        """Raises one of Slack's failures; ``before``: nothing was done yet."""
        if self._chance.random() > self._faults:
            return
        if not before or self._chance.random() < 0.4:
            raise aiohttp.ServerDisconnectedError
        answer = FaultyAnswer({"ok": False, "error": "ratelimited"})
        raise SlackApiError("ratelimited", answer)

    async def chat_postMessage(self, **message: Any) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self._fails(before=True)
        ts = f"{self._clock.seconds():.0f}.{next(self._numbers):06}"
        seen = {"ts": ts, "metadata": message["metadata"], "text": message["text"]}
        self._channels.setdefault(message["channel"], []).append(seen)
        self.posts.append((UUID(message["metadata"]["event_payload"]["id"]), self._clock()))
        self._fails(before=False)
        return {"channel": message["channel"], "ts": ts}

    async def chat_update(self, **_: Any) -> None:
        self._fails(before=True)

    async def conversations_history(self, *, channel: str, **_: Any) -> AsyncIterator[Any]:
        self._fails(before=True)
        return _pages(self._channels.get(channel, []))

    async def conversations_replies(self, *, channel: str, **_: Any) -> AsyncIterator[Any]:
        return await self.conversations_history(channel=channel)


async def _pages(messages: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    yield {"messages": messages}


class FaultyAnswer(dict[str, Any]):
    """An answer of Slack's with its status and headers."""

    status_code = 200
    headers: dict[str, str] = {"Retry-After": "20"}  # noqa: RUF012


# --- a process -----------------------------------------------------------------------------------


class Process:
    """One `ratchet serve`, as far as promises go."""

    def __init__(self, store: SqlStore, slack: FaultySlack, clock: Clock, name: str) -> None:
        client: Any = slack
        self.outbox = Outbox(store)
        self.worker = Worker(
            self.outbox,
            SlackTransport(client),
            name=name,
            clock=clock,
            chance=lambda: 0.0,
            metrics=Metrics(),
        )
        self.incidents = Incidents(
            store,
            clock=clock,
            wake=lambda: None,
            publish_delay=DELAY,
        )
        self.nudges = Nudges(store, clock=clock, wake=lambda: None)

    async def look(self) -> None:
        await self.nudges.look()
        await self.worker.deliver_due()

    async def die(self, clock: Clock) -> None:
        """Claims messages, as in the middle of their delivery, and is gone."""
        await self.outbox.claim("dead", limit=100, at=clock())


# --- nights --------------------------------------------------------------------------------------


@dataclass
class Night:
    """One incident and the acts of its people, at their moments."""

    seed: int
    began: datetime
    id: UUID = field(init=False)
    acts: list[tuple[datetime, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.id = an_id(f"night {self.seed}")
        span = int(NIGHT.total_seconds())
        moments = sorted(self.chance.randrange(span) for _ in range(ACTS))
        # Some acts follow others within the time for which a text is held back.
        close = [one + self.chance.randrange(1, 10) for one in moments if one % 3 == 0]
        self.acts = [
            (self.began + timedelta(seconds=one), place)
            for place, one in enumerate(sorted(moments + close))
        ]

    @property
    def workspace(self) -> str:
        return f"T0{self.seed // NIGHTS_PER_WORKSPACE}"

    @property
    def channel(self) -> str:
        return f"C0N{self.seed}"

    def declaration(self) -> Command:
        return a_declaration(
            id=self.id,
            actor=self._actor(),
            severity=self.chance.choice(list(Severity)),
            owner=self.chance.choice([None, ADA, GRACE]),
            place=Place(self.channel, private=self.chance.random() < 0.3),
            private=self.chance.random() < 0.15,
        )

    def _actor(self) -> Any:
        return an_actor(ADA, workspace=self.workspace, channel=self.channel)

    def act(self, last_entry: int) -> Command:  # noqa: PLR0911 - one for each kind of act
        chance, actor, ref = self.chance, self._actor(), self.id
        soon = timedelta(minutes=chance.choice((2, 5, 8, 15, 30, 60, 120)))
        asked = chance.choice((None, NextUpdate(), NextUpdate(within=soon)))
        kind = chance.choices(
            ("text", "promise", "release", "later", "note", "step", "take back", "side"),
            (30, 20, 6, 6, 8, 8, 16, 3),
        )[0]
        match kind:
            case "text":
                to = chance.choice((None, None, None, "identified", "monitoring", "resolved"))
                return Change(
                    actor=actor, ref=ref, to=to, public=PublicText("We look."), next_update=asked
                )
            case "promise":
                return SetPromise(actor=actor, ref=ref, next_update=NextUpdate(within=soon))
            case "release":
                return SetPromise(actor=actor, ref=ref, reason=Note("the vendor decides"))
            case "later":
                later = NextUpdate(later=timedelta(minutes=15))
                return SetPromise(actor=actor, ref=ref, next_update=later)
            case "note":
                return Change(actor=actor, ref=ref, note=Note("db-3 lost quorum"))
            case "step":
                to = chance.choice(("identified", "monitoring", "resolved"))
                return Change(actor=actor, ref=ref, to=to)
            case "take back":
                return Redact(actor=actor, ref=ref, entry=last_entry)
            case _:
                return SetPrivacy(actor=actor, ref=ref, private=chance.random() < 0.5)


class Nights:
    """Many nights at once, on the same clock, in one database, by one process or several."""

    def __init__(self, stores: list[SqlStore], *, nights: int, seed: int = 0) -> None:
        self.clock = Clock()
        self._chance = random.Random(seed)
        self.slack = FaultySlack(random.Random(seed + 1), self.clock, faults=0.08)
        self.stores = stores
        self.processes = [
            Process(store, self.slack, self.clock, f"process {number}")
            for number, store in enumerate(stores)
        ]
        self.nights = [Night(seed * 1_000_000 + one, self.clock()) for one in range(nights)]

    async def run(self) -> None:
        for workspace in sorted({night.workspace for night in self.nights}):
            channel = f"C0STATUS{workspace}"
            self.stores[0].write_now(lambda tx: set_status_channel(tx, workspace, channel))  # noqa: B023
        for night in self.nights:
            await self.processes[0].incidents.execute(night.declaration())
        acts = sorted(
            (at, place, night.seed, night) for night in self.nights for at, place in night.acts
        )
        end = self.clock() + MORNING
        while self.clock() < end:
            while acts and acts[0][0] <= self.clock():
                await self._act(acts.pop(0)[-1])
            await self._look()
            self.clock.now = min(
                [self.clock() + timedelta(seconds=self._pause(night=bool(acts)))]
                + [at for at, *_ in acts[:1]]
            )

    def _pause(self, *, night: bool) -> float:
        """Seconds until the next look. Now and then the bot is down for a while."""
        if self._chance.random() < 0.01:
            return self._chance.choice((90, 200, 900, 2_400))
        return 30 if night else 120

    async def _act(self, night: Night) -> None:
        process = self._chance.choice(self.processes)
        with suppress(UserError):
            found = await process.incidents.find(night._actor(), night.id)  # noqa: SLF001
            await process.incidents.execute(night.act(found.last_entry))

    async def _look(self) -> None:
        if self._chance.random() < 0.01:
            await self._chance.choice(self.processes).die(self.clock)
        await asyncio.gather(*(process.look() for process in self.processes))
        await self.processes[0].worker.rescue()

    def lines(self) -> Iterator[dict[str, Any]]:
        for line in archive(self.stores[0], public=False, workspace=None, at=self.clock()):
            yield json.loads(line)

    def findings(self) -> list[str]:
        store = self.stores[0]
        return [str(one) for one in store.read_now(lambda reader: list(audit.findings(reader)))]

    async def nudges(self) -> tuple[OutboxMessage, ...]:
        """The outbox messages of all nudges."""
        found = await self.processes[0].outbox.list(*State, limit=1_000_000)
        return tuple(one for one in found if one.surface in NUDGES)


# --- the recount ---------------------------------------------------------------------------------


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def recounted(lines: list[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """The final state of each promise of an export, by its incident and its entry.

    The timelines alone tell it: no rule of `core.promise` and no row of a promise is used.
    """
    states = {}
    timelines: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["type"] == "update":
            timelines.setdefault(line["incident"], []).append(line)
    for incident in (line for line in lines if line["type"] == "incident"):
        told = Told(incident, timelines[incident["id"]])
        for line in told.timeline:
            if line["next_update_by"]:
                states[incident["id"], line["entry"]] = told.state_of(line)
    return states


class Told:
    """One timeline, read as a story of promises."""

    def __init__(self, incident: dict[str, Any], timeline: list[dict[str, Any]]) -> None:
        self.timeline = timeline
        self._sides = [line for line in timeline if line["kind"] == "privacy"]
        first = self._sides[0]["old"] if self._sides else ""
        self._began_private = incident["private"] if not first else first == "private"

    def state_of(self, made: dict[str, Any]) -> str:
        """How the promise that ``made`` made ended, once everything is over."""
        public_at, due = self._public_at(made), datetime.fromisoformat(made["next_update_by"])
        if made["kind"] != "promised" and self._is_unread(made, hidden=False):
            return "unsaid"
        gone: tuple[datetime, str] | None = None
        for line in self.timeline[made["entry"] :]:
            at = datetime.fromisoformat(line["at"])
            waits = gone is None or (gone[0] > due and gone[1] in {"moved", "person"})
            if waits and self._answers(line, made):
                in_time = gone is None and self._public_at(line) <= due
                return "kept" if in_time else "late"
            if how := self._release(line):
                if gone is None and public_at > at:
                    return "unsaid"
                then = self._public_at(line) if how == "moved" else at
                if gone is None:
                    gone = (then, how)
                elif gone[0] > at:
                    gone = (then, gone[1])
        return "released" if gone and gone[0] <= due else "broken"

    def _private(self, line: dict[str, Any]) -> bool:
        """Whether the incident was private when ``line`` was written."""
        before = [one for one in self._sides if one["entry"] < line["entry"]]
        return before[-1]["new"] == "private" if before else bool(self._began_private)

    def _public_at(self, line: dict[str, Any]) -> datetime:
        at = datetime.fromisoformat(line["at"])
        if line["kind"] == "promised":
            return at if self._private(line) else at + DELAY
        return moment(line["public_at"]) or at

    def _answers(self, line: dict[str, Any], made: dict[str, Any]) -> bool:
        """Whether ``line`` is a text for the readers of the promise, and they got to read it."""
        if self._private(line) is not self._private(made) or line["kind"] == "promised":
            return False
        said = line["body"] is not None or line["redacted_at"] is not None
        if self._private(line):
            return said
        return said and line["visibility"] == "public" and not self._is_unread(line, hidden=True)

    def _is_unread(self, line: dict[str, Any], *, hidden: bool) -> bool:
        """Whether a public text was taken back, or (``hidden``) its incident made private, in
        time."""
        public_at = moment(line["public_at"])
        ends = [line["redacted_at"]]
        if hidden:
            ends += [
                one["at"]
                for one in self._sides
                if one["new"] == "private" and one["entry"] > line["entry"]
            ]
        return public_at is not None and any(
            end < public_at for end in map(moment, ends) if end is not None
        )

    @staticmethod
    def _release(line: dict[str, Any]) -> str:
        """How ``line`` ends the promise before it without a text; empty if it does not."""
        match line["kind"]:
            case "privacy":
                return "readers"
            case "moved" if line["new"] == "resolved":
                return "ended"
            case "promised":
                return "moved" if line["next_update_by"] else "person"
            case _:
                return ""
