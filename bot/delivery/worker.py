"""The loop of deliveries: claims due messages, hands each to a transport, records the result.

It knows no transport. A failed try becomes a verdict of `after_failure`, and the loop obeys it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Generic, Protocol, TypeVar, assert_never

from bot.delivery.failures import (
    LOOK_AFTER,
    Failure,
    FailureKind,
    GiveUp,
    PostAnew,
    TryAgain,
    Verdict,
    after_failure,
)
from bot.telemetry import Metrics, log
from core.stats import Milestone
from core.store import StoreUnavailable
from storage.messages import POST_EVERY
from storage.outbox import UNKNOWN_OUTCOME

T = TypeVar("T")

# A hung call holds one of these places, and must not keep other messages from theirs.
AT_ONCE = 100
# After a second claim in vain the loop rests for so many times the claim's own duration.
REST = 9
REST_MAX_SECONDS = 0.3
# One try with all its calls: far shorter than the time after which the message is rescued.
TRY_SECONDS = 60
RESCUE_AFTER = timedelta(minutes=3)
# The pauses between attempts to record a delivery: together shorter than the rest until the rescue.
INSIST_AFTER_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 10, 10, 10)
PATIENCE_AT_THE_END = timedelta(seconds=5)
KEEP_DELIVERED = timedelta(days=7)
# The process before may have claimed by a clock that was ahead of ours by so much.
CLOCK_SET_BACK = timedelta(minutes=10)


class Deliverable(Protocol):
    """A message, as far as the loop looks at it."""

    @property
    def workspace(self) -> str:
        """The id of its workspace."""

    @property
    def surface(self) -> str:
        """Its kind, a word for logs and metrics."""

    @property
    def channel(self) -> str:
        """The id of its receiver."""

    @property
    def attempts(self) -> int:
        """The number of tries, this one counted."""

    @property
    def due_at(self) -> datetime:
        """When it should be delivered."""


class Content(Protocol):
    """The content of a message."""

    def reached(self, *, at: datetime) -> Milestone | None:
        """The milestone that its delivery is, if it is one."""


Sent = TypeVar("Sent", bound=Deliverable)
Shown = TypeVar("Shown", bound=Content)
Result = TypeVar("Result")
Sent_contra = TypeVar("Sent_contra", bound=Deliverable, contravariant=True)
Shown_contra = TypeVar("Shown_contra", bound=Content, contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
Shown_co = TypeVar("Shown_co", bound=Content, covariant=True)
Result_contra = TypeVar("Result_contra", contravariant=True)


class Transport(Protocol[Sent_contra, Shown_contra, Result_co]):
    """A way out for messages: `bot.delivery.slack` is one, `bot.delivery.webhooks` another."""

    async def deliver(
        self, message: Sent_contra, facts: Shown_contra, *, at: datetime
    ) -> Result_co | Failure | None:
        """Deliver ``message`` as ``facts`` describe it at the moment ``at``.

        Returns the place of a new post, None after an edit or if there was nothing to send, or
        the failure. An exception counts as a lost response: the message may have arrived. Such a
        message comes again with ``unsure``, and the transport avoids a duplicate if it can.
        """


class Queue(Protocol[Sent, Shown_co, Result_contra]):
    """The messages that wait: `storage.outbox` is one, `storage.hook_queue` another."""

    async def claim(self, worker: str, *, limit: int, at: datetime) -> tuple[Sent, ...]:
        """Claims at most ``limit`` messages that may be delivered now."""

    async def facts(self, message: Sent) -> Shown_co:
        """The content of ``message``."""

    async def delivered(
        self, message: Sent, *, at: datetime, posted: Result_contra | None = None
    ) -> None:
        """Its receiver has it."""

    async def later(self, message: Sent, *, until: datetime, error: str) -> object:
        """Retries it at ``until``. Returns the reason if this has switched its receiver off."""

    async def dead(self, message: Sent, *, error: str, at: datetime) -> object:
        """Gives it up. Returns the reason if this has switched its receiver off."""

    async def pause(self, workspace: str, channel: str, *, until: datetime) -> None:
        """Lets nothing go to a receiver before ``until``."""

    async def forget_posted(self, message: Sent) -> None:
        """Forgets the post that ``message`` was to edit."""

    async def rescue(self, *, claimed_before: datetime, at: datetime, until: datetime) -> int:
        """Frees messages whose worker must have died, and returns their count."""

    async def prune(self, *, before: datetime) -> int:
        """Deletes old messages."""


class Judge(Protocol):
    """Decides on the next step after a failure: `after_failure` is one."""

    def __call__(self, failure: Failure, *, attempts: int, at: datetime, jitter: float) -> Verdict:
        """The next step of a message whose ``attempts``-th try has failed."""


class Worker(Generic[Sent, Shown, Result]):
    """Delivers the messages of a queue. ``chance`` gives a number from 0 to 1 for the back-off.

    ``verdict`` decides what follows from a failure.
    """

    def __init__(
        self,
        outbox: Queue[Sent, Shown, Result],
        transport: Transport[Sent, Shown, Result],
        *,
        name: str,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        metrics: Metrics,
        verdict: Judge = after_failure,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._name = name
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._verdict = verdict
        self._running: set[asyncio.Task[None]] = set()
        # One claim at a time, so that `deliver_due` also waits for the messages of the loop.
        self._claiming = asyncio.Lock()
        self._awake = asyncio.Event()
        self._stopping = False
        self._looked_at = clock()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Deliver from now on, whenever woken."""
        self._awake.set()
        self._loop = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look for due messages soon."""
        self._awake.set()

    async def stop(self, *, patience: timedelta = PATIENCE_AT_THE_END) -> None:
        """Claim no more; give running tries ``patience`` to end, then cut them off.

        A try that was cut off counts as a lost response.
        """
        self._stopping = True
        self._awake.set()
        if self._loop:
            await self._loop
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=patience.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def silent_for(self) -> timedelta:
        """The time since the last look through the outbox."""
        return self._clock() - self._looked_at

    async def look(self) -> None:
        """Wake up, called by the schedule: messages become due by the mere passage of time."""
        self.wake()

    async def rescue(self) -> None:
        """Free messages whose process died during their delivery."""
        await self._rescue(claimed_before=self._clock() - RESCUE_AFTER)

    async def rescue_all(self) -> None:
        """Free all claimed messages at once: for a server that is the only one, at its start."""
        await self._rescue(claimed_before=self._clock() + CLOCK_SET_BACK)

    async def _rescue(self, *, claimed_before: datetime) -> None:
        at = self._clock()
        count = await self._outbox.rescue(
            claimed_before=claimed_before, at=at, until=at + LOOK_AFTER
        )
        if count:
            log.warning("messages rescued", count=count)
            self.wake()

    async def prune(self) -> None:
        """Delete messages that were delivered a week ago."""
        await self._outbox.prune(before=self._clock() - KEEP_DELIVERED)

    async def deliver_due(self) -> None:
        """Deliver until nothing is due any more."""
        while await self._claim() or self._running:
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _run(self) -> None:
        in_vain = 0
        while not self._stopping:
            await self._awake.wait()
            self._awake.clear()
            began = monotonic()
            found = 0
            try:
                found = await self._claim()
            except Exception:  # noqa: BLE001 - the next look tries again after any error
                log.error("claim failed", exc_info=True)
            in_vain = 0 if found else in_vain + 1
            if in_vain > 1:
                # Every commit wakes us, and a claim looks through all waiting messages, while on
                # SQLite nobody can write. After a burst, which takes Slack minutes, each command
                # would wait for another claim in vain.
                took_seconds = monotonic() - began
                await asyncio.sleep(min(REST * took_seconds, REST_MAX_SECONDS))

    async def _claim(self) -> int:
        async with self._claiming:
            return await self._claim_next()

    async def _claim_next(self) -> int:
        room = AT_ONCE - len(self._running)
        if room <= 0 or self._stopping:
            return 0
        messages = await self._outbox.claim(self._name, limit=room, at=self._clock())
        self._looked_at = self._clock()
        if messages:
            # By then their channels accept posts again, for the messages that wait behind them.
            asyncio.get_running_loop().call_later(POST_EVERY.total_seconds(), self.wake)
        for message in messages:
            task = asyncio.create_task(self._deliver(message))
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(messages)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wake()

    async def _deliver(self, message: Sent) -> None:
        try:
            outcome = await self._tried(message)
        except asyncio.CancelledError:
            # We are being stopped, and the response is lost.
            until = self._clock() + LOOK_AFTER
            await self._outbox.later(message, until=until, error=UNKNOWN_OUTCOME)
            raise
        except Exception:  # noqa: BLE001 - the database, for a long time: the rescue finds it
            outcome = "failed"
            log.error("delivery not recorded", surface=message.surface, exc_info=True)
        self._metrics.deliveries.labels(message.surface, outcome).inc()

    async def _tried(self, message: Sent) -> str:
        """Try once and record the result. Returns the metrics' word for it."""
        facts = await self._insist(lambda: self._outbox.facts(message))
        result = await self._sent(message, facts)
        at = self._clock()
        if isinstance(result, Failure):
            verdict = self._verdict(result, attempts=message.attempts, at=at, jitter=self._chance())
            await self._insist(lambda: self._obey(message, verdict, at=at))
            return "dead" if isinstance(verdict, GiveUp) else "later"
        await self._insist(lambda: self._outbox.delivered(message, at=at, posted=result))
        waited = (at - message.due_at).total_seconds()
        self._metrics.delivered_after.labels(message.surface).observe(max(waited, 0))
        if result:
            self._observe(facts.reached(at=at))
        return "delivered"

    def _observe(self, reached: Milestone | None) -> None:
        if reached:
            histogram = self._metrics.milestones[reached.name]
            histogram.labels(reached.severity.value).observe(reached.after.total_seconds())

    async def _sent(self, message: Sent, facts: Shown) -> Result | Failure | None:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                return await self._transport.deliver(message, facts, at=self._clock())
        except Exception:  # noqa: BLE001 - after any error the message may have arrived
            return Failure(FailureKind.UNKNOWN, UNKNOWN_OUTCOME)

    async def _obey(self, message: Sent, verdict: Verdict, *, at: datetime) -> None:
        match verdict:
            case TryAgain():
                if verdict.whole_channel:
                    await self._outbox.pause(message.workspace, message.channel, until=verdict.at)
                off = await self._outbox.later(message, until=verdict.at, error=verdict.error)
                self._say_off(message, off)
            case PostAnew():
                await self._outbox.forget_posted(message)
                await self._outbox.later(message, until=at, error=verdict.error)
            case GiveUp():
                off = await self._outbox.dead(message, error=verdict.error, at=at)
                self._say_off(message, off)
                log.error(
                    "delivery given up",
                    surface=message.surface,
                    channel=message.channel,
                    error=verdict.error,
                )
                return
            case _:
                assert_never(verdict)
        log.info("delivery later", surface=message.surface, error=verdict.error)

    def _say_off(self, message: Sent, reason: object) -> None:
        if reason:
            log.error("receiver switched off", channel=message.channel, reason=str(reason))

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The result of ``ask``, as soon as the database answers.

        Raises:
            StoreUnavailable: no answer for most of a minute, or we are being stopped.
        """
        for pause in INSIST_AFTER_SECONDS:
            try:
                return await ask()
            except StoreUnavailable:
                if self._stopping:
                    raise
            await asyncio.sleep(pause)
        return await ask()
