"""Places where the bot cannot post, and what their people can do about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.likeness import nearest_of
from bot.slack.people import UNREACHABLE, Memory, SlackUnavailable
from bot.slack.subscription_requests import Readers
from bot.slack.verbs import COMMAND
from bot.slack.web import code_of
from bot.telemetry import log
from core.commands import Declare

# So many near channels are offered.
NEAR_MAX = 3
# The person waits for their answer meanwhile.
PATIENCE_SECONDS = 1.5
# Slack's refusal to describe a private channel without the bot.
# Source: https://docs.slack.dev/reference/methods/conversations.info#errors
UNSEEN = "channel_not_found"
# The scopes that would describe direct and group messages. The manifest does not ask for them.
NO_CHANNELS_SCOPES = frozenset({"im:read", "mpim:read"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why no card can be posted. ``told`` says it, with the cure.

    ``for_good``: it has no cure, so the conversation counts as no channel.
    """

    told: str
    for_good: bool = False


NOT_A_MEMBER = Obstacle(
    "I am not in this channel, so its card cannot be posted yet. Type `/invite @Ratchet` here; the "
    "card follows by itself."
)
ARCHIVED = Obstacle(
    "The channel is archived, so its card cannot be posted yet. Unarchive it, and invite me if I "
    "am not in it; the card follows by itself."
)
NO_CHANNEL = Obstacle(
    "I cannot post in a group message, so no card appears here: you get it as a direct message. "
    f"`{COMMAND}` lists what is open.",
    for_good=True,
)


# Shown for a moment in a channel that is about to be the status channel.
TRIAL = "Ratchet tries whether it can post here. This message goes away by itself."
UNTRIED = "could not be tried, because Slack does not answer: try again in a minute"
# The cures of Slack's refusals to take a post; each completes "The status channel …".
# Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
CURES = {
    "channel_not_found": "is private and without me: type /invite @Ratchet there, then try again",
    "not_in_channel": "is without me: type /invite @Ratchet there, then try again",
    "is_archived": "is archived: unarchive it, or choose another",
    "ratelimited": "could not be tried, because Slack asks me to wait: try again in a minute",
    "restricted_action": "takes posts of few people only: let me post there, or choose another",
}
# What is said about a private channel without the bot, and about one that is hidden from a person.
UNKNOWN = CURES[UNSEEN]
RATE_LIMITED = "ratelimited"


async def readers(client: AsyncWebClient, channel: str) -> Readers | str:
    """The readers of ``channel``; a text, as of `refused_trial`, if Slack does not describe it."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await client.conversations_info(channel=channel, include_num_members=True)
    except SlackApiError as error:
        return _cure_of(error)
    except UNREACHABLE:
        return UNTRIED
    found = answer["channel"]
    members = found.get("num_members")
    return Readers(
        private=found.get("is_private") is True,
        shared=found.get("is_ext_shared") is True,
        offered=found.get("is_pending_ext_shared") is True,
        members=members if isinstance(members, int) else None,
    )


class Sights:
    """The channels that people may see, asked of Slack and remembered for five minutes.

    Only a channel that somebody may see is remembered: whoever joins one sees it at once.
    """

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._seen = Memory[tuple[str, str], bool](clock)

    async def seen_by(self, channel: str, person: str, *, acts: bool) -> bool | str:
        """Whether ``person`` may see ``channel``: anybody a public one, its members a private one.

        A text, as of `refused_trial`, if Slack does not say it soon: `UNKNOWN` where it describes
        no such channel to the bot. ``acts``: they are about to change something, so nothing is
        remembered.
        """
        key = channel, person
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if acts:
                    return await self._ask(channel, person)
                return await self._seen.recall(key, lambda: self._ask(channel, person))
        except _NotSeen as found:
            return found.answer
        except (SlackUnavailable, *UNREACHABLE):
            return UNTRIED

    async def _ask(self, channel: str, person: str) -> bool:
        try:
            found = (await self._client.conversations_info(channel=channel))["channel"]
            if not found.get("is_private"):
                return True
            async for page in await self._client.conversations_members(channel=channel, limit=1000):
                if person in page["members"]:
                    return True
        except SlackApiError as error:
            if code_of(error) == RATE_LIMITED:
                raise SlackUnavailable from error
            raise _NotSeen(_cure_of(error)) from error
        raise _NotSeen(answer=False)


class _NotSeen(Exception):
    def __init__(self, answer: bool | str) -> None:  # noqa: FBT001
        super().__init__(answer)
        self.answer = answer


async def refused_trial(client: AsyncWebClient, channel: str) -> str | None:
    """Posts in ``channel`` and takes the post away; the end of a sentence if Slack refuses.

    The bot joins a public channel for that.
    """
    try:
        found = (await client.conversations_info(channel=channel))["channel"]
        if not (found.get("is_member") or found.get("is_private") or found.get("is_archived")):
            await client.conversations_join(channel=channel)
        posted = await client.chat_postMessage(channel=channel, text=TRIAL)
        await client.chat_delete(channel=channel, ts=str(posted["ts"]))
    except SlackApiError as error:
        return _cure_of(error)
    except UNREACHABLE:
        return UNTRIED
    return None


async def near_channels(client: AsyncWebClient, name: str) -> tuple[tuple[str, str], ...]:
    """Public channels whose names ``name`` may be a slip of, by id and name, the closest first.

    Few, and none if Slack does not tell them soon. No private one: its name is for its members.
    """
    plain = name.removeprefix("#").casefold()
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for page in await client.conversations_list(
                types="public_channel", exclude_archived=True, limit=1000
            ):
                found |= {one["name"]: one["id"] for one in page["channels"]}
    except SlackApiError as error:
        log.info("channels not listed", error=code_of(error))
    except UNREACHABLE:
        log.info("channels not listed", error="unreachable")
    close = [plain] if plain in found else nearest_of(plain, found)
    return tuple((found[one], one) for one in close[:NEAR_MAX])


async def is_private(client: AsyncWebClient, channel: str) -> bool:
    """Whether ``channel`` is private.

    Unknown counts as public, so the card of a private incident is not shown there.
    """
    try:
        found = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        log.info("channel not looked up", error=code_of(error))
        return False
    except UNREACHABLE:
        log.info("channel not looked up", error="unreachable")
        return False
    return bool(found["channel"].get("is_private"))


async def obstacle_to(client: AsyncWebClient, command: Declare, *, chosen: bool) -> Obstacle | None:
    """The reason why the card of ``command`` cannot be posted.

    The bot joins public channels by itself. ``chosen``: the channel was chosen in a form, which
    does not say whether it is public.
    """
    place = command.place
    if place is None or not (place.private or chosen):
        return None
    return await obstacle(client, place.channel)


def _cure_of(error: SlackApiError) -> str:
    code = code_of(error)
    log.info("no post in a channel that was chosen", error=code)
    return CURES.get(code, f"takes no post of mine (Slack says {code}): choose another")


async def obstacle(client: AsyncWebClient, channel: str) -> Obstacle | None:
    """The reason why the bot cannot post in ``channel``; None if it can, or if nobody knows."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        code = code_of(error)
        log.info("channel not looked up", error=code)
        if code == UNSEEN:
            return NOT_A_MEMBER
        return NO_CHANNEL if _needed(error) & NO_CHANNELS_SCOPES else None
    except UNREACHABLE:
        return None
    return _of(answer["channel"])


def _needed(error: SlackApiError) -> set[str]:
    """The scopes that Slack misses, as its refusal ``missing_scope`` names them."""
    answer = getattr(error.response, "data", None)
    needed = answer.get("needed") if isinstance(answer, dict) else None
    return set(re.split(r"[\s,]+", needed)) if isinstance(needed, str) else set()


def _of(channel: Mapping[str, Any]) -> Obstacle | None:
    if channel.get("is_im") or channel.get("is_mpim"):
        return NO_CHANNEL
    if channel.get("is_archived"):
        return ARCHIVED
    if channel.get("is_private") and not channel.get("is_member"):
        return NOT_A_MEMBER
    return None  # The bot joins a public channel by itself.
