"""The composition root: the one place where things that depend on each other are put together."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp

from bot.clock import now
from bot.delivery.slack import SlackTransport
from bot.delivery.worker import Worker
from bot.http import health
from bot.http.gate import Gate
from bot.http.health import Readiness
from bot.http.rest import application
from bot.http.server import HttpServer
from bot.schedule import Schedule
from bot.settings import Settings
from bot.slack.listeners import SlackListeners
from bot.slack.people import People
from bot.slack.web import a_client
from bot.telemetry import Metrics, log
from core.service import Incidents, StoreUnavailable
from storage import idempotency
from storage.outbox import Outbox
from storage.store import SqlStore

# Slack answers in well under a second; a call that hangs must not hold its place for long.
SLACK_TIMEOUT_SECONDS = 10
LATE = timedelta(minutes=5)
# Slack repeats for some two hours at most, and with delayed events for a day.
# Source: https://docs.slack.dev/apis/events-api#retries
REDELIVERED_WITHIN = timedelta(hours=24)
BEAT_EVERY = timedelta(minutes=1)
# Of the ten seconds that a stop may take: those in which what runs may finish, in which what is cut
# off may leave word of it, and in which the database may let go. The rest is Python's own end.
PATIENCE_AT_THE_END = timedelta(seconds=6)
LAST_WORDS = timedelta(seconds=0.5)
LETTING_GO = timedelta(seconds=1)


class App:
    """Everything of one process. Made by `build`, started and stopped once."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime], patience: timedelta
    ) -> None:
        self.settings = settings
        self._clock = clock
        self.metrics = Metrics()
        self.store = SqlStore(settings.database_url, status_channel=settings.status_channel)
        self.outbox = Outbox(self.store)
        self.client = a_client(settings, timeout_seconds=SLACK_TIMEOUT_SECONDS)
        self.worker = Worker(
            self.outbox,
            SlackTransport(self.client),
            name=f"{socket.gethostname()}:{os.getpid()}",
            clock=clock,
            chance=random.random,
            metrics=self.metrics,
        )
        self.incidents = Incidents(
            self.store,
            clock=clock,
            wake=self.worker.wake,
            publish_delay=timedelta(seconds=settings.publish_delay),
        )
        people = People(
            self.client,
            clock=clock,
            responders_group=settings.responders_group,
            publishers_group=settings.publishers_group,
        )
        self.slack = SlackListeners(
            self.incidents,
            people,
            self.client,
            settings=settings,
            clock=clock,
            patience=patience,
            metrics=self.metrics,
        )
        gate = Gate(
            self.store,
            self.incidents,
            settings.lifecycles,
            people.member,
            clock=clock,
            rate=settings.api_rate_limit,
            metrics=self.metrics,
        )
        self.http = HttpServer(
            host=settings.host,
            port=settings.port,
            rest=application(
                gate,
                settings.lifecycles,
                beside=[health.router(readiness=self.readiness, registry=self.metrics.registry)],
            ),
            slack=self.slack.asgi,
            metrics=self.metrics,
        )
        self.schedule = Schedule()
        self._unwritable = False

    async def start(self) -> None:
        """Migrates, listens, connects. What it needs first is started first.

        Raises:
            StoreUnavailable, SecondServer, AddressTaken: it cannot run like this; each says why.
        """
        await asyncio.to_thread(self.store.open_for_serving)
        self.client.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=SLACK_TIMEOUT_SECONDS),
            # No call waits for another that hangs; how many there are is bounded by who makes them.
            connector=aiohttp.TCPConnector(limit=0),
        )
        if self.store.kind == "sqlite":
            await self.worker.rescue_all()
        await self.http.start()
        self.worker.start()
        self.schedule.every(timedelta(seconds=1), self.worker.look)
        self.schedule.every(timedelta(seconds=30), self.worker.rescue)
        self.schedule.every(BEAT_EVERY, self.beat)
        self.schedule.every(timedelta(hours=1), self.worker.prune)
        self.schedule.every(timedelta(hours=1), self.forget)
        self.schedule.start()
        await self.slack.start()
        log.info("started", database=self.store.kind)

    async def stop(self) -> None:
        """Takes nothing more, finishes what runs, leaves the rest in the outbox."""
        self.schedule.stop()
        # Beside each other, so that one that is late leaves the other its time.
        stopping = {
            asyncio.create_task(self._close_doors(), name="doors"),
            asyncio.create_task(self.worker.stop(), name="worker"),
        }
        ended, late = await asyncio.wait(stopping, timeout=PATIENCE_AT_THE_END.total_seconds())
        for task in late:
            log.warning("stopped late", reason=task.get_name())
            task.cancel()
        if late:
            ended |= (await asyncio.wait(late, timeout=LAST_WORDS.total_seconds()))[0]
        for task in ended:
            if not task.cancelled() and (error := task.exception()):
                log.error("not stopped", reason=task.get_name(), exc_info=error)
        if self.client.session:
            await self.client.session.close()
        # A database that hangs is not waited for: nothing is confirmed any more, and what was is
        # committed. The thread ends with the process.
        closing = threading.Thread(target=self.store.close, name="store-closer", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, LETTING_GO.total_seconds())
        log.info("stopped")

    async def _close_doors(self) -> None:
        # HTTP first: what still runs there may leave an answer for Slack's door to send.
        await self.http.stop()
        await self.slack.stop()

    async def beat(self) -> None:
        """Calls the address of the settings, if all is well: whoever watches it misses the call.

        The schedule ticked, or we would not be here; the outbox was looked through just now, and
        nothing waits too long in it; the database takes a change.
        """
        at = self._clock()
        try:
            await self.store.write(lambda tx: tx.probe(at=at))
        except StoreUnavailable as error:
            self._unwritable = True
            log.error("no change can be kept", exc_info=error)
            return
        self._unwritable = False
        readiness = await self.readiness()
        if readiness.reason or self.worker.silent_for() > BEAT_EVERY:
            log.warning("no heartbeat", reason=readiness.reason or "the outbox does not move")
            return
        if self.settings.heartbeat_url and self.client.session:
            async with self.client.session.get(self.settings.heartbeat_url) as answer:
                answer.raise_for_status()

    async def forget(self) -> None:
        """Lets go of requests that nobody delivers again."""
        before = self._clock() - REDELIVERED_WITHIN
        await self.store.write(lambda tx: tx.forget_handled(before=before))
        await self.store.write(lambda tx: idempotency.forget(tx, at=self._clock()))

    async def readiness(self) -> Readiness:
        """Whether requests should come here; brings the outbox's gauges up to date."""
        try:
            async with asyncio.timeout(2):
                depth = await self.outbox.depth(at=self._clock())
        except (StoreUnavailable, TimeoutError):
            return Readiness(self.store.file_error or "the database does not answer")
        counts = {state.value: count for state, count in depth.by_state.items()}
        for state, count in counts.items():
            self.metrics.outbox.labels(state).set(count)
        self.metrics.outbox_age.set(depth.oldest_due.total_seconds())
        if error := self.store.file_error or (self._unwritable and "the database takes no changes"):
            return Readiness(error, counts["dead"])
        waiting = "messages to Slack have been waiting for more than five minutes"
        late = depth.oldest_due > LATE
        return Readiness(waiting if late else None, counts["dead"])


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now,
    patience: timedelta = timedelta(seconds=1),
) -> App:
    """The whole of Ratchet for ``settings``.

    ``patience`` is how long an answer may take and still ride on the acknowledgement.
    """
    return App(settings, clock=clock, patience=patience)
