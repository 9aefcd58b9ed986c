"""The transport that tells who subscribed a channel once it takes no posts any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.channels import Messages
from bot.delivery.failures import Failure, FailureKind
from bot.delivery.slack import CONTENT, GONE
from bot.slack.people import UNREACHABLE
from bot.slack.subscriptions import takes_no_posts
from bot.telemetry import log
from storage.facts import Delivery, Facts, Posted
from storage.messages import OutboxMessage
from storage.outbox import Outbox


class SubscribedTransport:
    """A `bot.delivery.worker.Transport`. ``messages`` delivers; ``revive`` sends what was given up.

    A fault of a channel is told once, as a direct message. After the next post it may be told anew.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        messages: Messages,
        outbox: Outbox,
        *,
        revive: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._client = client
        self._messages = messages
        self._outbox = outbox
        self._revive = revive

    async def deliver(
        self, message: OutboxMessage, facts: Facts, *, at: datetime
    ) -> Delivery | Failure | None:
        result = await self._messages.deliver(message, facts, at=at)
        if not facts.subscribed:
            return result
        if isinstance(result, Failure):
            if result.kind is FailureKind.PERMANENT and result.code not in CONTENT | GONE:
                await self._tell(message, result.code)
        elif isinstance(result, Posted) and await self._outbox.sound(
            message.workspace, message.channel
        ):
            await self._revive(message.workspace, message.channel)
        return result

    async def _tell(self, message: OutboxMessage, code: str) -> None:
        """Posts the word; one that Slack does not take is posted with the next fault."""
        workspace, channel = message.workspace, message.channel
        one = await self._outbox.faulty(workspace, channel, code=code)
        if one is None:
            return
        try:
            await self._client.chat_postMessage(channel=one.by.id, **takes_no_posts(channel, code))
        except (SlackApiError, *UNREACHABLE):
            log.warning("fault of a channel not told", channel=channel, exc_info=True)
            await self._outbox.sound(workspace, channel)
