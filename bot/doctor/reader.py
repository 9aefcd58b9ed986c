"""Messages of channels and threads, read at the pace that Slack asks for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery.failures import TryAgain, after_failure
from bot.delivery.metadata import NAME, PostOrigin, origin
from bot.delivery.slack import failure
from bot.slack.people import UNREACHABLE
from bot.slack.web import code_of

# Of one channel or thread: 5,000 messages. Older ones are read one by one.
PAGES_MAX = 25
PAGE = 200
# The pauses that Slack asks for, in all, and the tries of one call that gets no answer.
PATIENCE = timedelta(minutes=5)
TRIES = 3

NOT_THERE = frozenset({"message_not_found", "thread_not_found"})

# A link that Slack found in a text, and a mention to which it added a name.
_LINK = re.compile(r"<(?![@#!])([^<>|]*)(?:\|([^<>]*))?>")
_CALLED = re.compile(r"^<!subteam\^[^>]+> ")
_NAMED = re.compile(r"<([@#!][^<>|]*)\|[^<>]*>")
# An emoji's name in a text that is read back; its skin tone is a name of its own. The few names
# without a letter are listed, because a time of day has colons too.
_EMOJI = re.compile(r":(?:\+1|-1|100|1234|[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*):")
# The one emoji that is a letter to Unicode.
INFORMATION = "\N{INFORMATION SOURCE}"
_KEYCAP = re.compile("[0-9#*]\N{VARIATION SELECTOR-16}?\N{COMBINING ENCLOSING KEYCAP}")


def gist(text: str) -> str:
    """``text`` without the parts that Slack changes between the post and the reading.

    Addresses come back as links, mentions with names, and emoji by their names. So no emoji is
    compared at all, and only letters, digits and ASCII are. The mention of a group before the text
    of a first post is left out.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    text = _CALLED.sub("", text)
    plain = _NAMED.sub(r"<\1>", _LINK.sub(lambda link: link[2] or link[1], text))
    plain = _KEYCAP.sub("", _EMOJI.sub("", plain))
    kept = (
        character
        for character in unicodedata.normalize("NFD", plain)
        if character.isascii() or (character.isalnum() and character != INFORMATION)
    )
    return " ".join("".join(kept).split())


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message as Slack returns it.

    ``origin`` is read from its metadata, None for a message of anybody else. ``app`` is the id of
    the bot that posted it.
    """

    ts: str
    text: str
    origin: PostOrigin | None
    has_replies: bool
    is_reply: bool
    app: str | None

    @property
    def uid(self) -> UUID | None:
        """The outbox message of its last edit."""
        return self.origin.uid if self.origin else None

    @property
    def number(self) -> int | None:
        """The number of its incident, as the metadata or the text of a post of ours has it."""
        named = self.origin and NAME.match(self.origin.name or self.text)
        return int(named[1]) if named else None

    @classmethod
    def read(cls, message: Mapping[str, Any]) -> SlackMessage | None:
        """The message, None for the tombstone of a deleted one."""
        if message.get("subtype") == "tombstone" or not isinstance(message.get("ts"), str):
            return None
        return cls(
            ts=message["ts"],
            text=str(message.get("text") or ""),
            origin=origin(message),
            has_replies=bool(message.get("reply_count")),
            is_reply=message.get("thread_ts") not in {None, message["ts"]},
            app=message.get("bot_id"),
        )


class BrokenOff(Exception):
    """Slack is silent, or asks for a long pause; the text says how to go on."""


class SlackReader:
    """Reads channels and threads. ``pause`` sleeps so many seconds, if Slack asks for it."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        at: datetime,
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        self._client = client
        self._at = at
        self._pause = pause
        self._left = PATIENCE

    async def name(self, conversation: str) -> str:
        """``#status``; the id if Slack does not give the name."""
        try:
            answer = await self.ask(lambda: self._client.conversations_info(channel=conversation))
        except SlackApiError:
            return conversation
        return f"#{answer['channel'].get('name') or conversation}"

    async def since(self, conversation: str, moment: datetime) -> AsyncIterator[SlackMessage]:
        """Messages in ``conversation`` since ``moment``, newest first, without threads."""
        oldest = str(moment.timestamp())
        async for seen in self._pages(
            lambda page: self._client.conversations_history(
                channel=conversation, oldest=oldest, include_all_metadata=True, **page
            )
        ):
            yield seen

    async def thread(
        self, conversation: str, ts: str, *, only: str = ""
    ) -> AsyncIterator[SlackMessage]:
        """The message at ``ts`` with its replies; of those the one at ``only``, if that is given.

        Nothing if the message does not exist any more.
        """
        narrowed: dict[str, Any] = {}
        if only:
            narrowed = {"oldest": only, "latest": only, "inclusive": True}
        try:
            async for seen in self._pages(
                lambda page: self._client.conversations_replies(
                    channel=conversation, ts=ts, include_all_metadata=True, **narrowed, **page
                )
            ):
                yield seen
        except SlackApiError as error:
            if code_of(error) not in NOT_THERE:
                raise

    async def _pages(
        self, ask: Callable[[dict[str, Any]], Awaitable[AsyncSlackResponse]]
    ) -> AsyncIterator[SlackMessage]:
        page: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES_MAX):
            answer = await self.ask(lambda page=page: ask(page))  # type: ignore[misc]
            for message in answer["messages"]:
                seen = SlackMessage.read(message) if isinstance(message, dict) else None
                if seen:
                    yield seen
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            page = {"limit": PAGE, "cursor": cursor}

    async def ask(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        """The answer to ``call``, which is repeated after a pause or a lost response.

        Raises:
            BrokenOff: further calls are of no use now.
            SlackApiError: Slack refuses.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return await call()
            except (SlackApiError, *UNREACHABLE) as error:
                verdict = after_failure(failure(error), attempts=tries, at=self._at, jitter=0)
                if not isinstance(verdict, TryAgain):
                    raise
                wait = verdict.at - self._at
                if verdict.whole_channel and wait > self._left:
                    why = f"Slack asks to wait for {wait.total_seconds():.0f} s"
                    raise BrokenOff(f"{why}; run it again then") from None
                if not verdict.whole_channel and tries == TRIES:
                    why = "Slack, or the server at SLACK_API_URL, does not answer"
                    raise BrokenOff(f"{why}; check the network") from None
            self._left -= wait
            await self._pause(wait.total_seconds())
