"""The outbox's way to Slack: claims what is due, renders it from the rows as they are, posts it.

Nothing else posts to a channel. What becomes of a message that could not be delivered is a value
from `after_failure`, a pure function; the loop obeys it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar, assert_never

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack import views
from bot.slack.people import UNREACHABLE
from bot.slack.web import code_of
from bot.telemetry import Metrics, log
from core.incident import Surface
from core.service import StoreUnavailable
from storage.outbox import POST_EVERY, UNKNOWN_OUTCOME, Facts, Message, Outbox, Place

T = TypeVar("T")

# A call of Slack's that hangs holds one of these places, and must not keep others from theirs.
AT_ONCE = 100
# A second claim in vain is followed by a rest of so many times as long as it took.
REST = 9
REST_MAX_SECONDS = 0.3
MAX_BACKOFF_SECONDS = 300
# What we heard no answer to, Slack may still be doing: whoever looked for its post at once would
# not find it, and post it again.
LOOK_AFTER = timedelta(seconds=5)
# What Slack's 429 means where it does not say, and the most that is believed of it.
RETRY_AFTER_SECONDS = 30
MAX_RETRY_AFTER_SECONDS = 86_400
# With the back-off above, some 16 hours: longer than any outage of Slack that is known.
MAX_ATTEMPTS = 200
# A fault of ours does not pass by itself; after this many tries, some four minutes, it is given up.
MAX_OWN_FAULTS = 7
# One try with all its calls. Whoever is rescued from must have ended long before.
TRY_SECONDS = 60
RESCUE_AFTER = timedelta(minutes=3)
# What Slack has must be written down. Together less than is left until the rescue.
INSIST_AFTER_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 10, 10, 10)
PATIENCE_AT_THE_END = timedelta(seconds=5)
KEEP_DELIVERED = timedelta(days=7)
# How far Slack's clock and ours may be apart, where a post is looked for by its time.
CLOCKS_APART = timedelta(minutes=10)

# Errors after which Slack may, or may not, have done what was asked.
# Source: the errors of chat.postMessage, https://docs.slack.dev/reference/methods/chat.postMessage
MAYBE_DONE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
# Errors that pass by themselves, with nothing done.
PASSING = frozenset(
    {
        "external_channel_migrating",
        "message_limit_exceeded",
        "streaming_state_conflict",
        "team_added_to_org",
        "update_failed",
    }
)
# The message that was to be edited is not there any more, or takes no edits.
NO_MESSAGE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
# The thread that was to be replied to is not there any more, or takes no replies.
NO_THREAD = frozenset(
    {
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
RATE_LIMITED = frozenset({"rate_limited", "ratelimited"})
# Why a channel may not be read: a post whose answer got lost is then sent again, at least once.
UNREADABLE = frozenset(
    {
        "access_denied",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    }
)
OWN_FAULT = "own_fault"
# A withdrawal posts nothing; for a direct message see `Worker._already_posted`.
NEVER_LOOKED_FOR = frozenset({Surface.OWNER_CARD, Surface.WITHDRAWAL})


class OwnFault(Exception):
    """A message could not even be drawn: nothing was sent. Its cause is ours to find."""


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
    """What was to be edited or replied to is gone: post a message of its own, at once."""

    error: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No retry can cure it: keep it for the operator, who is told."""

    error: str


Verdict = TryAgain | Join | PostAnew | GiveUp


def after_failure(
    error: Exception, *, attempts: int, last_error: str | None, at: datetime, jitter: float
) -> Verdict:
    """Decide what becomes of a message whose ``attempts``-th try (from 1) has just failed.

    ``last_error`` is what the try before it failed with: what was cured then and fails again in
    the same way cannot be cured. Slack's own ``Retry-After`` (seconds) wins over our back-off of
    2, 4, 8 … seconds, at most 300, of which ``jitter`` (0 to 1) takes off up to a quarter, so that
    many do not come back together.

    Source: https://docs.slack.dev/apis/web-api/rate-limits
    """
    code = _failure(error)
    if code in RATE_LIMITED:
        return TryAgain(at + _retry_after(error), code, whole_channel=True)
    passes = code == UNKNOWN_OUTCOME or code in PASSING
    if attempts < (MAX_OWN_FAULTS if code == OWN_FAULT else MAX_ATTEMPTS if passes else 0):
        pause = timedelta(seconds=min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempts, 16)))
        least = LOOK_AFTER if code == UNKNOWN_OUTCOME else timedelta()
        return TryAgain(at + max(pause * (1 - jitter / 4), least * (1 + jitter / 4)), code)
    if code == "not_in_channel" != last_error:
        return Join()
    gone = NO_MESSAGE | NO_THREAD
    if code in gone and last_error not in gone:
        return PostAnew(code)
    return GiveUp(code)


def _failure(error: Exception) -> str:
    """Slack's name for what went wrong; `UNKNOWN_OUTCOME` where nobody knows if it was done.

    That is so after a time-out and a cut connection, and after an answer that was not Slack's.
    """
    if isinstance(error, OwnFault):
        return OWN_FAULT
    if not isinstance(error, SlackApiError):
        return UNKNOWN_OUTCOME
    code = code_of(error)
    status = getattr(error.response, "status_code", HTTPStatus.BAD_GATEWAY)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "ratelimited"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not code or code in MAYBE_DONE:
        return UNKNOWN_OUTCOME
    return code


def _retry_after(error: Exception) -> timedelta:
    headers = getattr(getattr(error, "response", None), "headers", {})
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        seconds = int(lowered["retry-after"])
    except (KeyError, TypeError, ValueError):
        seconds = RETRY_AFTER_SECONDS
    return timedelta(seconds=min(max(seconds, 1), MAX_RETRY_AFTER_SECONDS))


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
            if facts.place is None and facts.update.body is not None:
                content = views.public_update(facts.incident, facts.update)
                if facts.thread and message.error not in NO_THREAD:
                    thread = {"thread_ts": facts.thread.ts}
                else:
                    content = {**content, "reply_broadcast": False}
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
        self._looked_at = clock()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Delivers from now on, whenever woken."""
        self._awake.set()
        self._loop = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There may be something to deliver."""
        self._awake.set()

    async def stop(self) -> None:
        """Claims no more, and finishes what is under way or leaves it to be looked for later."""
        self._stopping = True
        self._awake.set()
        if self._loop:
            await self._loop
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=PATIENCE_AT_THE_END.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def silent_for(self) -> timedelta:
        """How long ago it last looked through the outbox."""
        return self._clock() - self._looked_at

    async def look(self) -> None:
        """What the schedule calls: messages may have become due without anybody's doing."""
        self.wake()

    async def rescue(self) -> None:
        """Frees messages whose process died while it was posting them."""
        await self._rescue(claimed_before=self._clock() - RESCUE_AFTER)

    async def rescue_all(self) -> None:
        """The same at once, for a server that is the only one: nobody else can be posting."""
        await self._rescue(claimed_before=self._clock() + CLOCKS_APART)

    async def _rescue(self, *, claimed_before: datetime) -> None:
        at = self._clock()
        count = await self._outbox.rescue(
            claimed_before=claimed_before, at=at, until=at + LOOK_AFTER
        )
        if count:
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
        in_vain = 0
        while not self._stopping:
            await self._awake.wait()
            self._awake.clear()
            began = monotonic()
            found = 0
            try:
                found = await self._claim()
            except Exception:  # noqa: BLE001 - whatever it was, the next look tries again
                log.error("claim failed", exc_info=True)
            in_vain = 0 if found else in_vain + 1
            if in_vain > 1:
                # Every commit wakes us, and a claim looks through all that waits, while on SQLite
                # nobody can write: after a burst, which takes Slack minutes, each command would
                # wait for a claim that finds nothing either.
                took_seconds = monotonic() - began
                await asyncio.sleep(min(REST * took_seconds, REST_MAX_SECONDS))

    async def _claim(self) -> int:
        room = AT_ONCE - len(self._running)
        if room <= 0 or self._stopping:
            return 0
        messages = await self._outbox.claim(self._name, limit=room, at=self._clock())
        self._looked_at = self._clock()
        if messages:
            # By then their channels take posts again, for those that wait behind them.
            asyncio.get_running_loop().call_later(POST_EVERY.total_seconds(), self.wake)
        for message in messages:
            task = asyncio.create_task(self._deliver(message))
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(messages)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wake()

    async def _deliver(self, message: Message) -> None:
        try:
            outcome = await self._tried(message)
        except asyncio.CancelledError:
            # We are being stopped, and nobody knows what Slack has done.
            until = self._clock() + LOOK_AFTER
            await self._outbox.later(message, until=until, error=UNKNOWN_OUTCOME)
            raise
        except Exception:  # noqa: BLE001 - the database, for a long time: the rescue finds it
            outcome = "failed"
            log.error("delivery not recorded", surface=message.surface, exc_info=True)
        self._metrics.deliveries.labels(message.surface, outcome).inc()

    async def _tried(self, message: Message) -> str:
        """What became of one try, as the word for it that the metrics count."""
        facts = await self._insist(lambda: self._outbox.facts(message))
        try:
            async with asyncio.timeout(TRY_SECONDS):
                place = await self._sent(message, facts)
        except Exception as error:  # noqa: BLE001 - whatever it was: `after_failure` knows what to do
            verdict = self._verdict(message, error, message.error)
            return await self._obey(message, verdict)
        at = self._clock()
        await self._insist(lambda: self._outbox.delivered(message, at=at, posted=place))
        waited = (at - message.due_at).total_seconds()
        self._metrics.delivered_after.labels(message.surface).observe(max(waited, 0))
        return "delivered"

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What ``ask`` returns, as soon as the database answers.

        Raises:
            StoreUnavailable: it has not for most of a minute, or we are being stopped.
        """
        for pause in INSIST_AFTER_SECONDS:
            try:
                return await ask()
            except StoreUnavailable:
                if self._stopping:
                    raise
            await asyncio.sleep(pause)
        return await ask()

    def _drafted(self, message: Message, facts: Facts) -> Draft | None:
        try:
            return drafted(message, facts, at=self._clock())
        except Exception as error:
            log.error("message not drawn", surface=message.surface, exc_info=True)
            raise OwnFault from error

    def _verdict(self, message: Message, error: Exception, last_error: str | None) -> Verdict:
        return after_failure(
            error,
            attempts=message.attempts,
            last_error=last_error,
            at=self._clock(),
            jitter=self._chance(),
        )

    async def _sent(self, message: Message, facts: Facts) -> Place | None:
        """Where the message stands from now on; None where nothing was posted."""
        found = await self._already_posted(message, facts)
        if found:
            # It was drawn then, and shows what was true then.
            facts = replace(facts, place=found)
        draft = self._drafted(message, facts)
        if draft is None:
            return found
        metadata = _metadata(message)
        if draft.edits:
            await self._client.chat_update(
                channel=draft.channel, ts=draft.edits, metadata=metadata, **draft.content
            )
            return found
        answer = await self._client.chat_postMessage(
            channel=draft.channel, metadata=metadata, **draft.content
        )
        return Place(str(answer["channel"]), str(answer["ts"]))

    async def _already_posted(self, message: Message, facts: Facts) -> Place | None:
        """Where an earlier try, whose outcome nobody knows, put the message after all.

        A direct message is not looked for: that takes two scopes more, to read what people write
        to the bot, and a card that its owner gets twice does less harm.
        """
        if not message.unsure or facts.place or message.surface in NEVER_LOOKED_FOR:
            return None
        try:
            async for page in await self._posts(message, facts.thread):
                for posted in page["messages"]:
                    metadata = posted.get("metadata") or {}
                    if metadata.get("event_payload", {}).get("id") == str(message.uid):
                        return Place(message.channel, str(posted["ts"]))
        except SlackApiError as error:
            # Where nobody may look it is sent again, and where no thread is there is no reply.
            if code_of(error) not in {*UNREADABLE, "thread_not_found"}:
                raise
        return None

    async def _posts(self, message: Message, thread: Place | None) -> AsyncSlackResponse:
        """Pages of what was posted, since ``message`` was written, where it would stand."""
        since = str((message.created_at - CLOCKS_APART).timestamp())
        if thread and message.surface is Surface.PUBLIC_UPDATE:
            return await self._client.conversations_replies(
                channel=thread.channel,
                ts=thread.ts,
                oldest=since,
                limit=200,
                include_all_metadata=True,
            )
        return await self._client.conversations_history(
            channel=message.channel, oldest=since, limit=200, include_all_metadata=True
        )

    async def _obey(self, message: Message, verdict: Verdict) -> str:
        """Does what `after_failure` says, and returns the word for it that the metrics count."""
        if isinstance(verdict, Join):
            return await self._join(message)
        return await self._insist(lambda: self._noted(message, verdict))

    async def _noted(self, message: Message, verdict: TryAgain | PostAnew | GiveUp) -> str:
        at = self._clock()
        match verdict:
            case TryAgain():
                if verdict.whole_channel:
                    await self._outbox.hold(message.workspace, message.channel, until=verdict.at)
                await self._outbox.later(message, until=verdict.at, error=verdict.error)
            case PostAnew():
                await self._outbox.forget_posted(message)
                await self._outbox.later(message, until=at, error=verdict.error)
            case GiveUp():
                await self._outbox.dead(message, error=verdict.error, at=at)
                log.error(
                    "delivery given up",
                    surface=message.surface,
                    channel=message.channel,
                    error=verdict.error,
                )
                return "dead"
            case _:
                assert_never(verdict)
        log.info("delivery later", surface=message.surface, error=verdict.error)
        return "later"

    async def _join(self, message: Message) -> str:
        """Joins the channel; what goes wrong with that goes wrong with the message."""
        try:
            await self._client.conversations_join(channel=message.channel)
        except (SlackApiError, *UNREACHABLE) as error:
            verdict = self._verdict(message, error, "not_in_channel")
        else:
            verdict = TryAgain(self._clock(), "not_in_channel")
        return await self._obey(message, verdict)
