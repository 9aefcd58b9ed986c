"""The transport of the word to people that a webhook is off. Events go on to the one beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.failures import Failure, FailureKind
from bot.delivery.metadata import EVENT, origin
from bot.delivery.slack import CLOCKS_APART, NOT_IN_CHANNEL, UNREADABLE, failure
from bot.slack.blocks import told_again
from bot.slack.hooks import switched_off
from bot.slack.web import code_of
from storage.hook_notices import HookNotice
from storage.hook_queue import HookFacts, HookMessage, HookTold
from storage.messages import PEOPLE


class Events(Protocol):
    """The transport beside this one."""

    async def deliver(
        self, message: HookMessage, facts: HookFacts, *, at: datetime
    ) -> HookTold | Failure: ...


class NoticeTransport:
    """A `bot.delivery.worker.Transport`. ``events`` delivers everything that is no such word.

    ``is_home`` says whether the token of ``client`` is of a workspace.
    """

    def __init__(
        self, client: AsyncWebClient, events: Events, *, is_home: Callable[[str], bool]
    ) -> None:
        self._client = client
        self._events = events
        self._is_home = is_home

    async def deliver(
        self, message: HookMessage, facts: HookFacts, *, at: datetime
    ) -> HookTold | Failure:
        if message.event is not None:
            return await self._events.deliver(message, facts, at=at)
        notice = facts.notice
        if notice is None:
            return HookTold(nothing=True)
        if not self._is_home(message.workspace):
            return Failure(FailureKind.PASSING, "not_served")
        try:
            await self._told(message, notice)
        except SlackApiError as error:
            return failure(error)
        return HookTold()

    async def _told(self, message: HookMessage, notice: HookNotice) -> None:
        """Posts it, unless an earlier try did; joins the channel if the bot is not in it."""
        if message.attempts > 1 and await self._is_posted(message, notice):
            return
        try:
            await self._post(message, notice)
        except SlackApiError as error:
            if code_of(error) != NOT_IN_CHANNEL:
                raise
            await self._client.conversations_join(channel=notice.receiver)
            await self._post(message, notice)

    async def _post(self, message: HookMessage, notice: HookNotice) -> None:
        word = switched_off(message.endpoint, notice.state)
        if message.unsure and notice.receiver.startswith(PEOPLE):
            word = told_again(word)
        await self._client.chat_postMessage(
            channel=notice.receiver,
            metadata={
                "event_type": EVENT,
                "event_payload": {"id": str(message.uid), "surface": message.surface},
            },
            **word,
        )

    async def _is_posted(self, message: HookMessage, notice: HookNotice) -> bool:
        """Whether Slack has it from an earlier try.

        A direct message is not searched for, as that takes more scopes: it may come twice, and the
        second one says so.
        """
        if notice.receiver.startswith(PEOPLE):
            return False
        since = str((message.due_at - CLOCKS_APART).timestamp())
        try:
            async for page in await self._client.conversations_history(
                channel=notice.receiver, oldest=since, limit=200, include_all_metadata=True
            ):
                found = (origin(posted) for posted in page["messages"])
                if any(source and source.uid == message.uid for source in found):
                    return True
        except SlackApiError as error:
            if code_of(error) not in {*UNREADABLE, NOT_IN_CHANNEL}:
                raise
        return False
