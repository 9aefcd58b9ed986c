"""The transport that knows whether subscribed channels take posts, and tells their people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.channels import Messages
from bot.delivery.failures import Failure, FailureKind
from bot.delivery.slack import CONTENT, GONE, failure
from bot.delivery.surfaces import drawn
from bot.slack.blocks import told_again
from core.decision import ABOUT_SUBSCRIPTIONS, Surface
from storage.facts import Delivery, Facts, Posted
from storage.messages import OutboxMessage
from storage.outbox import Outbox

# Refusals of the app everywhere, which say nothing about one channel.
# Source: the errors of chat.postMessage, https://docs.slack.dev/reference/methods/chat.postMessage
EVERYWHERE = frozenset(
    {
        "accesslimited",
        "account_inactive",
        "app_access_restricted",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
EDITS = frozenset({Surface.STATUS_CARD, Surface.WITHDRAWAL})


class SubscribedTransport:
    """A `bot.delivery.worker.Transport`. ``messages`` delivers; ``revive`` sends what was given up.

    The fault of a channel is told once, as a direct message. A post or an edit there ends it.
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
        if message.surface in ABOUT_SUBSCRIPTIONS:
            return await self._told(message, facts, at=at)
        result = await self._messages.deliver(message, facts, at=at)
        if not facts.subscribed:
            return result
        if isinstance(result, Failure):
            if result.kind is FailureKind.PERMANENT and _is_of_the_channel(result.code):
                await self._outbox.faulty(message, code=result.code, at=at)
        elif facts.faulty and _is_taken(message, facts, result):
            await self._revive(message.workspace, message.channel)
        return result

    async def _told(self, message: OutboxMessage, facts: Facts, *, at: datetime) -> Failure | None:
        """Posts the word.

        A direct message is not searched for, as that takes more scopes: it may come twice, and the
        second one says so.
        """
        content = drawn(message.surface, facts, at=at)
        if content is None or facts.subscription is None:
            return None
        if message.unsure:
            content = told_again(content)
        try:
            await self._client.chat_postMessage(channel=facts.subscription.by.id, **content)
        except SlackApiError as error:
            return failure(error)
        return None


def _is_of_the_channel(code: str) -> bool:
    return code not in CONTENT | GONE | EVERYWHERE


def _is_taken(message: OutboxMessage, facts: Facts, result: Delivery | None) -> bool:
    """Whether Slack has taken a post or an edit, and not only let one be found."""
    if message.unsure:
        return False
    edited = facts.place is not None and message.surface in EDITS
    return isinstance(result, Posted) or (result is None and edited)
