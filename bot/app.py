"""The composition root: the one module that builds objects which depend on each other."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp

from bot.clock import SteadyClock
from bot.delivery.channels import ChannelTransport, SlackWorker
from bot.delivery.failures import after_webhook_failure
from bot.delivery.notices import NoticeTransport
from bot.delivery.rights import RightsTransport
from bot.delivery.slack import SlackTransport
from bot.delivery.subscribed import SubscribedTransport
from bot.delivery.webhooks import WebhookTransport, WebhookWorker
from bot.http.gate import Gate
from bot.http.health import Readiness, Watched
from bot.http.rest import VERSION, application
from bot.http.server import HttpServer
from bot.http.status.routes import StatusPages
from bot.http.status.shelf import Shelf
from bot.page.addresses import root_of
from bot.publishing.copying import StaticCopy
from bot.schedule import Schedule
from bot.settings import Settings
from bot.slack.curating import Pages
from bot.slack.listeners import SlackListeners
from bot.slack.people import People
from bot.slack.web import a_client
from bot.telemetry import Metrics, log
from bot.webhooks.outward import Outward
from core.archiving import Channels
from core.catching import CatchUps
from core.configuring import SettingsBook
from core.curating import Curation
from core.decision import Outcome
from core.drafting import DraftBook
from core.incident import Place
from core.nudging import Nudges
from core.owners import Owners
from core.page import PageSettings
from core.service import Incidents
from core.stats import milestones
from core.store import StoreUnavailable
from core.subscribing import Subscribing
from core.waiting import HandOvers
from storage import idempotency, keys
from storage.hook_queue import HookQueue
from storage.outbox import Outbox
from storage.store import SqlStore

# Slack answers in well under a second. A call that hangs is given up after this time.
SLACK_TIMEOUT_SECONDS = 10
LATE = timedelta(minutes=5)
# Slack repeats a request for about two hours; with delayed events, for a day.
# Source: https://docs.slack.dev/apis/events-api#retries
REDELIVERED_WITHIN = timedelta(hours=24)
BEAT_EVERY = timedelta(minutes=1)
# A stop may take ten seconds. These are the limits of its parts: running work ends, work that was
# cut off is recorded, the database is closed. Python's own exit takes the rest.
PATIENCE_AT_THE_END = timedelta(seconds=6)
RECORDING = timedelta(seconds=0.5)
CLOSING = timedelta(seconds=1)


class App:
    """All objects of one process. Made by `build`, started and stopped once."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime], patience: timedelta
    ) -> None:
        self.settings = settings
        self._clock = clock
        self.metrics = Metrics()
        self.client = a_client(settings, timeout_seconds=SLACK_TIMEOUT_SECONDS)
        self.people = people = People(self.client, clock=clock)
        self.store = SqlStore(
            settings.database_url,
            defaults=settings.workspace,
            # A channel of one workspace must not get the public updates of another.
            counts_in=people.is_home,
            address=people.address,
        )
        self.outbox = Outbox(self.store)
        name = f"{socket.gethostname()}:{os.getpid()}"
        self.worker = SlackWorker(
            self.outbox,
            SubscribedTransport(
                self.client,
                ChannelTransport(
                    self.client,
                    RightsTransport(SlackTransport(self.client), actor_of=people.actor),
                    members=people.members_of,
                ),
                self.outbox,
                revive=self.revive,
            ),
            name=name,
            clock=clock,
            chance=random.random,
            metrics=self.metrics,
        )
        self.hooks = HookQueue(self.store)
        self.outward = Outward(
            allow_private=settings.webhook_allow_private, agent=f"ratchet/{VERSION}"
        )
        # A worker of its own: a receiver that hangs takes no place from a message to Slack.
        self.hook_worker = WebhookWorker(
            self.hooks,
            NoticeTransport(
                self.client,
                WebhookTransport(self.outward, address=self._address_of),
                is_home=people.is_home,
            ),
            name=name,
            clock=clock,
            chance=random.random,
            metrics=self.metrics,
            verdict=after_webhook_failure,
        )
        self.incidents = Incidents(
            self.store,
            clock=clock,
            wake=self._wake,
            publish_delay=timedelta(seconds=settings.publish_delay),
            observe=self._observe,
        )
        self.nudges = Nudges(self.store, clock=clock, wake=self.worker.wake)
        self.hand_overs = HandOvers(self.store, clock=clock, wake=self.worker.wake)
        self.owners = Owners(self.store, people.membership, clock=clock, wake=self.worker.wake)
        self.channels = Channels(self.store, clock=clock, wake=self.worker.wake)
        self.subscribing = Subscribing(self.store, clock=clock)
        shelf = Shelf(self.store, clock=clock, address=self._address_of)
        self.slack = SlackListeners(
            self.incidents,
            people,
            self.client,
            DraftBook(self.store, clock=clock),
            SettingsBook(self.store, clock=clock),
            pages=Pages(Curation(self.store, clock=clock), shelf.address_of),
            catch_ups=CatchUps(self.store, clock=clock),
            subscribing=self.subscribing,
            settings=settings,
            clock=clock,
            patience=patience,
            metrics=self.metrics,
            revive=self.revive,
        )
        gate = Gate(
            self.store,
            self.incidents,
            settings.lifecycles,
            people.member,
            people.serves,
            find_place=self._api_place,
            outward=self.outward,
            clock=clock,
            rate=settings.api_rate_limit,
            metrics=self.metrics,
        )
        self.http = HttpServer(
            host=settings.host,
            port=settings.port,
            rest=StatusPages(
                application(
                    gate,
                    settings.lifecycles,
                    public_url=settings.public_url,
                    watched=Watched(self.readiness, self.metrics.registry),
                ),
                shelf,
                hosts=settings.status_hosts,
                clock=clock,
            ),
            slack=self.slack.asgi,
            proxies=settings.trusted_proxies,
            metrics=self.metrics,
        )
        self.copy = settings.publish_dir and StaticCopy(
            self.store, settings.publish_dir, clock=clock, address=self._address_of
        )
        self.schedule = Schedule()
        self._unwritable = False

    async def _api_place(self, workspace: str, channel: str | None) -> Place | None:
        """Where the card of an incident goes that is declared over HTTP, and names ``channel``.

        Only here the channel for incidents that name none is chosen. It is also for those that name
        one which takes no card: an incident that nobody sees helps nobody.
        """
        named = channel
        if channel is None or await self.people.lacks(channel):
            default = (await self.incidents.workspace_of(workspace)).settings.api_channel
            named = default or channel
        return await self.people.place(named) if named else None

    def _address_of(self, page: PageSettings, alone: bool) -> str:  # noqa: FBT001 - a callback
        """The address of a page, as people see it; ``alone``: it is the only one."""
        server = self.settings.public_url or self.http.address
        return root_of(page, self.settings.status_hosts, server=server, alone=alone)

    def _observe(self, outcome: Outcome) -> None:
        for reached in milestones(outcome):
            histogram = self.metrics.milestones[reached.name]
            histogram.labels(reached.severity.value).observe(reached.after.total_seconds())

    def _wake(self) -> None:
        self.worker.wake()
        self.hook_worker.wake()

    async def start(self) -> None:
        """Migrate the database, listen, connect; each part starts after those that it needs.

        Raises:
            StoreUnavailable, SecondServer, AddressTaken: it cannot run; the text says why.
        """
        await asyncio.to_thread(self.store.open_for_serving)
        known = await self.store.read(keys.known_workspaces)
        if len(known) == 1:
            # Slack may be down. The only workspace in the database must be that of the token.
            self.people.presume(known[0])
        await self.end_subscriptions()
        self.client.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=SLACK_TIMEOUT_SECONDS),
            # Without a limit no call waits for a hung one. The callers limit their calls.
            connector=aiohttp.TCPConnector(limit=0),
        )
        if self.store.kind == "sqlite":
            await self.worker.rescue_all()
            await self.hook_worker.rescue_all()
        await self.outward.__aenter__()
        await self.http.start()
        for worker in (self.worker, self.hook_worker):
            worker.start()
            self.schedule.every(timedelta(seconds=1), worker.look)
            self.schedule.every(timedelta(seconds=30), worker.rescue)
            self.schedule.every(timedelta(hours=1), worker.prune)
        self.schedule.every(timedelta(seconds=1), self.nudges.look)
        self.schedule.every(timedelta(seconds=1), self.hand_overs.look)
        self.schedule.every(timedelta(minutes=1), self.owners.look)
        self.schedule.every(timedelta(seconds=1), self.channels.look)
        self.schedule.every(BEAT_EVERY, self.beat)
        self.schedule.every(BEAT_EVERY, self.end_subscriptions)
        self.schedule.every(timedelta(hours=1), self.forget)
        self.schedule.every(timedelta(minutes=1), self.forget_drafts)
        if self.copy:
            self.schedule.every(timedelta(seconds=1), self.publish)
        self.schedule.start()
        await self.slack.start()
        log.info("started", database=self.store.kind)

    async def stop(self) -> None:
        """Take no more requests, finish running work, leave the rest in the outbox."""
        self.schedule.stop()
        # Both at once, so that a slow one takes no time from the other.
        stopping = {
            asyncio.create_task(self._close_entry_points(), name="entry points"),
            asyncio.create_task(self.worker.stop(), name="worker"),
            asyncio.create_task(self.hook_worker.stop(), name="webhooks"),
        }
        ended, late = await asyncio.wait(stopping, timeout=PATIENCE_AT_THE_END.total_seconds())
        for task in late:
            log.warning("stopped late", reason=task.get_name())
            task.cancel()
        if late:
            ended |= (await asyncio.wait(late, timeout=RECORDING.total_seconds()))[0]
        for task in ended:
            if not task.cancelled() and (error := task.exception()):
                log.error("not stopped", reason=task.get_name(), exc_info=error)
        if self.client.session:
            await self.client.session.close()
        await self.outward.__aexit__(None, None, None)
        # A hung database is not waited for: confirmed changes are committed, and no more will be
        # confirmed. The thread ends with the process.
        closing = threading.Thread(target=self.store.close, name="store-closer", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSING.total_seconds())
        log.info("stopped")

    async def _close_entry_points(self) -> None:
        # HTTP first: a request that still runs there may start an answer to Slack.
        await self.http.stop()
        await self.slack.stop()

    async def beat(self) -> None:
        """Call `HEARTBEAT_URL` if all is well: an outside monitor notices a missing call.

        That means: the schedule ticks, since it called this; the worker looked through the outbox
        just now; no message waits too long in it; the database accepts a change.
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

    async def publish(self) -> None:
        """Makes the static copy of the page anew if it is time."""
        if self.copy:
            await asyncio.to_thread(self.copy.look)

    async def revive(self, workspace: str, channel: str) -> None:
        """Retry the messages to ``channel`` that could not be delivered."""
        await self.outbox.sound(workspace, channel)
        if await self.outbox.retry_dead(at=self._clock(), channel=(workspace, channel)):
            self.worker.wake()

    async def end_subscriptions(self) -> None:
        """End the subscription of a channel that `STATUS_CHANNEL` has made the status channel.

        The variable counts once Slack has said which workspace is the token's.
        """
        for workspace in await self.store.read(keys.known_workspaces):
            if ended := await self.subscribing.end_in_status_channel(workspace):
                log.warning("subscription ended", channel=ended.channel)
                self.worker.wake()

    async def forget(self) -> None:
        """Delete handled requests that nobody delivers again, and expired idempotency keys."""
        before = self._clock() - REDELIVERED_WITHIN
        await self.store.write(lambda tx: tx.forget_handled(before=before))
        await self.store.write(lambda tx: idempotency.forget(tx, at=self._clock()))

    async def forget_drafts(self) -> None:
        """Erase the drafts that are older than an hour."""
        await self.store.write(lambda tx: tx.forget_drafts(at=self._clock()))

    async def readiness(self) -> Readiness:
        """Whether requests should come here; updates the outbox's gauges."""
        try:
            async with asyncio.timeout(2):
                depth = await self.outbox.depth(at=self._clock())
                hooks = await self.hooks.depth()
        except (StoreUnavailable, TimeoutError):
            return Readiness(self.store.file_error or "the database does not answer")
        counts = {state.value: count for state, count in depth.by_state.items()}
        for state, count in counts.items():
            self.metrics.outbox.labels(state).set(count)
        self.metrics.outbox_age.set(depth.oldest_due.total_seconds())
        self.metrics.webhooks_off.set(hooks.off)
        for state, count in {"waiting": hooks.waiting, "dead": hooks.dead}.items():
            self.metrics.webhook_messages.labels(state).set(count)
        if error := self.store.file_error or (self._unwritable and "the database takes no changes"):
            return Readiness(error, counts["dead"], hooks.off)
        waiting = "messages to Slack have been waiting for more than five minutes"
        late = depth.oldest_due > LATE
        return Readiness(waiting if late else None, counts["dead"], hooks.off)


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    patience: timedelta = timedelta(seconds=1),
) -> App:
    """The whole of Ratchet for ``settings``.

    An answer that is ready within ``patience`` is sent with the acknowledgement. ``clock`` None:
    the machine's, which goes on while the machine is set back.
    """
    return App(settings, clock=clock or SteadyClock(), patience=patience)
