"""The transport to Slack: posts and edits messages, and finds posts whose response was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery.failures import Failure, FailureKind, retry_after
from bot.delivery.metadata import mark, origin
from bot.delivery.surfaces import drawn
from bot.slack import handing, mentions
from bot.slack.web import code_of
from bot.telemetry import log
from core.decision import NUDGES, TELLING, Surface
from storage.facts import Facts, Posted
from storage.messages import PEOPLE, OutboxMessage
from storage.outbox import UNKNOWN_OUTCOME

# Slack's clock and ours may differ by so much: a search for a post goes by its time.
CLOCKS_APART = timedelta(minutes=10)

# After these errors Slack may, or may not, have carried out the call.
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
# The message to edit does not exist any more, or accepts no edits.
NO_MESSAGE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
# The thread to reply to does not exist any more, or accepts no replies.
NO_THREAD = frozenset(
    {
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
GONE = NO_MESSAGE | NO_THREAD
# Refusals of the content, with nothing done: limits whose unit Slack does not say, rules that
# Slack has changed, and texts that its clients write in ways of their own.
CONTENT = frozenset(
    {
        "attachment_payload_limit_exceeded",
        "block_mismatch",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "markdown_text_conflict",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)
# The text of an edit may be shorter than that of a post; half of it fits in any unit.
EDIT_MAX = 2_000
RATE_LIMITED = frozenset({"rate_limited", "ratelimited"})
NOT_IN_CHANNEL = "not_in_channel"
# Reasons that forbid reading a channel: after a lost response the post is then sent again, so that
# it arrives at least once.
UNREADABLE = frozenset(
    {
        "access_denied",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    }
)
# The code of a message that could not be drawn.
OWN_FAULT = "own_fault"
# A withdrawal posts nothing; for a direct message see `SlackTransport._found`.
NEVER_SEARCHED_FOR = frozenset({Surface.OWNER_CARD, Surface.WITHDRAWAL, Surface.HAND_OVER})


def failure(error: Exception, *, last_error: str | None = None) -> Failure:
    """Classify an error of a call to Slack.

    A timeout, a cut connection and an answer that is not Slack's leave the outcome unknown.
    ``last_error`` is the code of the try before: a message that is posted anew and fails in the
    same way again cannot be cured.
    """
    unknown = Failure(FailureKind.UNKNOWN, UNKNOWN_OUTCOME)
    if not isinstance(error, SlackApiError):
        return unknown
    code = code_of(error)
    status = getattr(error.response, "status_code", HTTPStatus.BAD_GATEWAY)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        code = "ratelimited"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or not code or code in MAYBE_DONE:
        return unknown
    if code in RATE_LIMITED:
        pause = retry_after(getattr(error.response, "headers", {}))
        return Failure(FailureKind.RATE_LIMITED, code, pause)
    if code in GONE and last_error not in GONE:
        return Failure(FailureKind.GONE, code)
    return Failure(FailureKind.PASSING if code in PASSING else FailureKind.PERMANENT, code)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A message as it would be sent now. ``edits`` is the ts of the message that it replaces."""

    channel: str
    content: Mapping[str, Any]
    edits: str | None = None

    def as_text(self) -> Rendering:
        """The same message without any layout.

        Its text is that of the blocks, where the text beside them is cut.
        """
        text = str(self.content["text"])
        if self.edits:
            # Without an empty list of blocks, Slack may keep those that the message has.
            content = {**self.content, "text": text[:EDIT_MAX], "blocks": []}
            return replace(self, content=content)
        if text.endswith("…"):
            blocks = self.content.get("blocks", ())
            text = "\n".join(one["text"]["text"] for one in blocks if one["type"] == "section")
        content = {name: value for name, value in self.content.items() if name != "blocks"}
        return replace(self, content={**content, "text": text})


def rendered(message: OutboxMessage, facts: Facts, *, at: datetime) -> Rendering | None:
    """``message`` as it should be sent now, None if there is nothing (any more) to send.

    A public update is posted once and never edited. One that was withdrawn before its post is not
    posted, and its withdrawal then has nothing to edit.
    """
    content = drawn(message.surface, facts, at=at)
    if content is None or not (facts.wanted or facts.place):
        return None
    if message.surface is Surface.HAND_OVER and message.unsure and facts.place is None:
        content = handing.asked_again(content)
    # A nudge that somebody deleted is posted no second time.
    if message.surface in NUDGES and message.error in GONE:
        return None
    card, group = facts.card, facts.settings.responders_group
    if (
        message.surface is Surface.WORKING_CARD
        and group
        and card
        # A severity that is raised later makes a message of its own.
        and {card.incident.severity, facts.declared_severity} <= facts.settings.mentions
        and not card.incident.terminal
        # Elsewhere the responders are called, or invited, already.
        and message.channel == card.incident.card_channel
        # It is the first post, and not one in the place of a card that somebody deleted.
        and facts.place is None
        and message.error not in GONE
    ):
        content = mentions.with_mention(content, group)
    if message.surface is Surface.PUBLIC_UPDATE:
        update = facts.update
        if facts.place or update is None or (update.body is None and not update.ends):
            return None
        if facts.thread and message.error not in NO_THREAD:
            content = {**content, "thread_ts": facts.thread.ts}
        else:
            content = {**content, "reply_broadcast": False}
    if facts.place:
        return Rendering(facts.place.channel, content, edits=facts.place.ts)
    if message.surface is Surface.WITHDRAWAL:
        return None
    # Otherwise each link in a card would grow a preview under the card.
    return Rendering(message.channel, {"unfurl_links": False, "unfurl_media": False, **content})


class SlackTransport:
    """A `bot.delivery.worker.Transport` over Slack's Web API."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Posted | Failure | None:
        try:
            return await self._joined(message, facts, at=at)
        except SlackApiError as error:
            return failure(error, last_error=message.error)

    async def _joined(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Posted | Failure | None:
        """Show the message; if the bot is not in the channel, join and try once more."""
        try:
            return await self._shown(message, facts, at=at)
        except SlackApiError as error:
            if failure(error).code != NOT_IN_CHANNEL:
                raise
        await self._client.conversations_join(channel=message.channel)
        return await self._shown(message, facts, at=at)

    async def _shown(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Posted | Failure | None:
        found = await self._found(message, facts)
        told = facts.card or message.surface not in TELLING
        if found and message.surface in NUDGES and (told or not found.ts):
            # Where it could not be searched for, it has no place, and is never edited.
            return found if found.ts else None
        if found:
            # The found post shows the facts of its own time, so a card is edited now.
            facts = replace(facts, place=found)
        try:
            rendering = rendered(message, facts, at=at)
        except Exception:  # noqa: BLE001 - any error of the views is ours: nothing was sent
            log.error("message not drawn", surface=message.surface, exc_info=True)
            return Failure(FailureKind.NOT_DRAWN, OWN_FAULT)
        if rendering is None:
            return found
        try:
            return await self._sent(message, facts, rendering) or found
        except SlackApiError as error:
            if code_of(error) not in CONTENT:
                raise
            log.warning("content refused", surface=message.surface, error=code_of(error))
        return await self._sent(message, facts, rendering.as_text()) or found

    async def _sent(
        self, message: OutboxMessage, facts: Facts, rendering: Rendering
    ) -> Posted | None:
        """The place of a new post; None for an edit."""
        if rendering.edits:
            await self._client.chat_update(
                channel=rendering.channel,
                ts=rendering.edits,
                metadata=mark(message, facts),
                **rendering.content,
            )
            return None
        answer = await self._client.chat_postMessage(
            channel=rendering.channel, metadata=mark(message, facts), **rendering.content
        )
        return Posted(str(answer["channel"]), str(answer["ts"]))

    async def _found(self, message: OutboxMessage, facts: Facts) -> Posted | None:
        """The post of an earlier try whose response was lost, if there is one.

        A direct message is not searched for: that takes two more scopes, which would let the bot
        read direct messages, and a second card for its owner does less harm. A second nudge would
        do more harm than none: where no search is possible, it counts as found.
        """
        if not message.unsure or facts.place or message.surface in NEVER_SEARCHED_FOR:
            return None
        nudge = Posted(message.channel, "") if message.surface in NUDGES else None
        if nudge and message.channel.startswith(PEOPLE):
            return nudge
        try:
            async for page in await self._posts(message, facts.thread):
                for posted in page["messages"]:
                    source = origin(posted)
                    if source and source.is_of(message, facts):
                        return Posted(message.channel, str(posted["ts"]))
        except SlackApiError as error:
            # An unreadable channel cannot be searched; without its thread there is no reply.
            if code_of(error) not in {*UNREADABLE, "thread_not_found"}:
                raise
            return nudge
        return None

    async def _posts(self, message: OutboxMessage, thread: Posted | None) -> AsyncSlackResponse:
        """Pages of the posts since ``message`` was written, of its thread or of its channel."""
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
