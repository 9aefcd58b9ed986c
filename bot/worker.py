"""The outbox's way to Slack: claims what is due, renders it from the rows as they are, posts it.

Nothing else posts to a channel. What becomes of a message that could not be delivered is a value
from `after_failure`, a pure function; the loop obeys it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import views
from bot.telemetry import Metrics, log
from core.incident import Surface
from storage.outbox import UNKNOWN_OUTCOME, Facts, Message, Outbox, Place

AT_ONCE = 16
MAX_BACKOFF_SECONDS = 300
# With the back-off above, some 16 hours: longer than any outage of Slack that is known.
MAX_ATTEMPTS = 200
RESCUE_AFTER = timedelta(minutes=2)
KEEP_DELIVERED = timedelta(days=7)

# Errors after which Slack may, or may not, have done what was asked.
# Source: the errors of chat.postMessage, https://docs.slack.dev/reference/methods/chat.postMessage
MAYBE_DONE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
# Errors that pass by themselves, with nothing done.
PASSING = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org"})
# The message that was to be edited, or answered in its thread, is not there any more.
LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


@dataclass(frozen=True, slots=True)
class TryAgain:
    """At ``at``, not before. ``whole_channel``: everything for the channel waits as long."""

    at: datetime
    error: str
    whole_channel: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """The bot is not in the channel: join it, then try again at once."""


@dataclass(frozen=True, slots=True)
class PostAnew:
    """The message that was to be edited is gone: forget where it was, and post it again."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No retry can cure it: keep it for the operator, who is told."""

    error: str


Verdict = TryAgain | Join | PostAnew | GiveUp


def after_failure(error: Exception, *, attempts: int, at: datetime, jitter: float) -> Verdict:
    """Decide what becomes of a message whose ``attempts``-th try (from 1) has just failed.

    Slack's own ``Retry-After`` (seconds) wins over our back-off of 2, 4, 8 … seconds, at most 300,
    of which ``jitter`` (0 to 1) takes off up to a quarter, so that many do not come back together.

    Source: https://docs.slack.dev/apis/web-api/rate-limits
    """
    seconds = min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempts, 16)) * (1 - jitter / 4)
    later = at + timedelta(seconds=seconds)
    if not isinstance(error, SlackApiError):
        # A time-out or a cut connection: nobody knows whether Slack heard us.
        return _while_tries_last(TryAgain(later, UNKNOWN_OUTCOME), attempts)
    status, code = error.response.status_code, str(error.response.get("error", ""))
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        wait = timedelta(seconds=_retry_after(error.response.headers))
        return TryAgain(at + wait, "ratelimited", whole_channel=True)
    if status >= 500 or code in MAYBE_DONE:
        return _while_tries_last(TryAgain(later, UNKNOWN_OUTCOME), attempts)
    if code in PASSING:
        return _while_tries_last(TryAgain(later, code), attempts)
    if code == "not_in_channel" and attempts == 1:
        return Join()
    if code in LOST and attempts < 3:
        return PostAnew()
    return GiveUp(code or "no_error_named")


def _while_tries_last(verdict: TryAgain, attempts: int) -> Verdict:
    return verdict if attempts < MAX_ATTEMPTS else GiveUp(verdict.error)


def _retry_after(headers: Mapping[str, Any]) -> float:
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        return min(max(float(lowered.get("retry-after", 30)), 1.0), 3600.0)
    except (TypeError, ValueError):
        return 30.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it would be sent now. ``edits`` is the ts of the message that it replaces."""

    channel: str
    content: Mapping[str, Any]
    edits: str | None = None


def drafted(message: Message, facts: Facts, *, at: datetime) -> Draft | None:
    """What ``message`` comes to now, None where there is nothing to show (any more).

    A public update that was withdrawn before it was ever posted is not posted, and its withdrawal
    then finds nothing to edit.
    """
    content: Mapping[str, Any] | None = None
    thread: dict[str, str] = {}
    match message.surface:
        case Surface.WORKING_CARD if facts.card:
            content = views.working_card(facts.card, at=at)
        case Surface.OWNER_CARD if facts.card:
            content = views.owner_card(facts.card, at=at)
        case Surface.STATUS_CARD if facts.incident:
            content = views.status_card(facts.incident)
        case Surface.PUBLIC_UPDATE if facts.incident and facts.update:
            if facts.place is None and not facts.update.withdrawn:
                content = views.public_update(facts.incident, facts.update)
                thread = {"thread_ts": facts.thread.ts} if facts.thread else {}
        case Surface.WITHDRAWAL if facts.place:
            content = views.withdrawn()
        case _:
            pass
    if content is None:
        return None
    if facts.place:
        return Draft(facts.place.channel, content, edits=facts.place.ts)
    # Links in a card would each grow a preview under it.
    quiet = {"unfurl_links": False, "unfurl_media": False}
    return Draft(message.channel, {**quiet, **content, **thread})


def _metadata(message: Message) -> dict[str, Any]:
    """Says which outbox message a post is, so that one whose answer got lost is found again."""
    return {"event_type": "ratchet_message", "event_payload": {"id": str(message.uid)}}


class Worker:
    """Delivers what the outbox holds. ``chance`` gives a number from 0 to 1 for the back-off."""

    def __init__(
        self,
        outbox: Outbox,
        client: AsyncWebClient,
        *,
        name: str,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._name = name
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._running: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Delivers from now on, whenever woken."""
        self._awake.set()
        self._loop = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There may be something to deliver."""
        self._awake.set()

    async def stop(self) -> None:
        """Claims no more and finishes what is under way."""
        self._stopping = True
        self._awake.set()
        if self._loop:
            await self._loop
        await asyncio.gather(*self._running, return_exceptions=True)

    async def look(self) -> None:
        """What the schedule calls: messages may have become due without anybody's doing."""
        self.wake()

    async def rescue(self) -> None:
        """Frees messages whose process died while it was posting them."""
        at = self._clock()
        if count := await self._outbox.rescue(claimed_before=at - RESCUE_AFTER, at=at):
            log.warning("messages rescued", count=count)
            self.wake()

    async def prune(self) -> None:
        """Forgets messages that were delivered a week ago."""
        await self._outbox.prune(before=self._clock() - KEEP_DELIVERED)

    async def deliver_due(self) -> None:
        """Delivers until nothing is due any more."""
        while await self._claim() or self._running:
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _run(self) -> None:
        while not self._stopping:
            await self._awake.wait()
            self._awake.clear()
            try:
                await self._claim()
            except Exception:
                # The database is away: the next look tries again.
                log.error("claim failed", exc_info=True)

    async def _claim(self) -> int:
        room = AT_ONCE - len(self._running)
        if room <= 0 or self._stopping:
            return 0
        messages = await self._outbox.claim(self._name, limit=room, at=self._clock())
        for message in messages:
            task = asyncio.create_task(self._deliver(message))
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(messages)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wake()

    async def _deliver(self, message: Message) -> None:
        outcome = "delivered"
        try:
            await self._write(message)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            outcome = await self._obey(message, error)
        except Exception:
            # Ours, not Slack's. The message stays claimed and is rescued: it is not lost, and
            # it cannot make the worker turn in circles.
            outcome = "failed"
            log.error("delivery failed", surface=message.surface, exc_info=True)
        self._metrics.deliveries.labels(message.surface, outcome).inc()

    async def _write(self, message: Message) -> None:
        draft = drafted(message, await self._outbox.facts(message), at=self._clock())
        place = None
        if draft is None:
            pass
        elif draft.edits:
            await self._client.chat_update(
                channel=draft.channel, ts=draft.edits, metadata=_metadata(message), **draft.content
            )
        else:
            place = await self._already_posted(message, draft) or await self._post(message, draft)
        await self._outbox.delivered(message, at=self._clock(), posted=place)

    async def _post(self, message: Message, draft: Draft) -> Place:
        answer = await self._client.chat_postMessage(
            channel=draft.channel, metadata=_metadata(message), **draft.content
        )
        return Place(str(answer["channel"]), str(answer["ts"]))

    async def _already_posted(self, message: Message, draft: Draft) -> Place | None:
        """Where an earlier try, whose outcome nobody knows, put the message after all."""
        if message.error != UNKNOWN_OUTCOME:
            return None
        thread = draft.content.get("thread_ts")
        try:
            found = (
                await self._client.conversations_replies(
                    channel=draft.channel, ts=thread, include_all_metadata=True, limit=200
                )
                if thread
                else await self._client.conversations_history(
                    channel=draft.channel, include_all_metadata=True, limit=200
                )
            )
        except SlackApiError as error:
            if error.response.get("error") == "missing_scope":
                return None
            raise
        for posted in found["messages"]:
            metadata = posted.get("metadata") or {}
            if metadata.get("event_payload", {}).get("id") == str(message.uid):
                return Place(draft.channel, str(posted["ts"]))
        return None

    async def _obey(self, message: Message, error: Exception) -> str:
        """Does what `after_failure` says, and returns the word for it that the metrics count."""
        at = self._clock()
        verdict = after_failure(error, attempts=message.attempts, at=at, jitter=self._chance())
        match verdict:
            case TryAgain():
                if verdict.whole_channel:
                    await self._outbox.hold(message.workspace, message.channel, until=verdict.at)
                await self._outbox.later(message, until=verdict.at, error=verdict.error)
                log.info("delivery later", surface=message.surface, error=verdict.error)
                return "later"
            case Join():
                error_code = await self._join(message.channel)
                if error_code is None:
                    await self._outbox.later(message, until=at, error="not_in_channel")
                    return "later"
                verdict = GiveUp(error_code)
            case PostAnew():
                await self._outbox.forget_posted(message)
                await self._outbox.later(message, until=at, error="message_not_found")
                return "later"
            case GiveUp():
                pass
        await self._outbox.dead(message, error=verdict.error, at=at)
        log.error("delivery given up", surface=message.surface, error=verdict.error)
        return "dead"

    async def _join(self, channel: str) -> str | None:
        try:
            await self._client.conversations_join(channel=channel)
        except SlackApiError as error:
            return f"not_in_channel ({error.response.get('error')})"
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return None
