"""An answer by response_url, seen only by its recipient.

Slack takes five posts to one within half an hour.
Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum, auto

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import Json
from bot.slack.people import UNREACHABLE
from bot.telemetry import log

TRIES = 3
LIFE_SECONDS = 1_800


class Tried(Enum):
    """The end of one post."""

    SHOWN = auto()
    REFUSED = auto()  # and would be refused again: the URL is used up, or too old
    NOT_SHOWN = auto()  # no connection, a rate limit, an error of Slack's
    LOST = auto()  # no response came back, so Slack may have shown it


DECIDED = frozenset({Tried.SHOWN, Tried.REFUSED})


async def post(
    url: str,
    reply: Json,
    *,
    in_place: bool,
    door: str,
    session: aiohttp.ClientSession | None,
) -> bool:
    """Posts ``reply`` to ``url``, in three tries at most; False if Slack does not take it there.

    After a lost response it is tried only once more: two copies are better than none, and a third
    helps nobody. A reply that replaces a message (``in_place``) never shows twice.
    """
    # slack_sdk's own handlers would try each of these tries twice.
    webhook = AsyncWebhookClient(url, session=session, retry_handlers=[])
    tries: list[Tried] = []
    pause_seconds: int | None = 0
    while pause_seconds is not None:
        await asyncio.sleep(pause_seconds)
        tried, retry_after_seconds = await _tried(webhook, reply, in_place=in_place)
        tries.append(tried)
        pause_seconds = pause_before_next(
            tries, in_place=in_place, retry_after_seconds=retry_after_seconds
        )
    if tries[-1] not in DECIDED:
        log.warning("answer not delivered", door=door)
    return tries[-1] is not Tried.REFUSED


def pause_before_next(
    tries: Sequence[Tried], *, in_place: bool, retry_after_seconds: int = 0
) -> int | None:
    """The seconds to wait after ``tries`` before the next one; None for no further try.

    ``retry_after_seconds`` is Slack's own wish after the last try, 0 without one.
    """
    copies = 1 if in_place else tries.count(Tried.LOST)
    if tries[-1] in DECIDED or len(tries) == TRIES or copies > 1:
        return None
    if retry_after_seconds > LIFE_SECONDS:
        return None
    return retry_after_seconds or len(tries)


async def _tried(webhook: AsyncWebhookClient, reply: Json, *, in_place: bool) -> tuple[Tried, int]:
    """One post, and the seconds to wait before the next that Slack asks for, otherwise 0."""
    try:
        said = await webhook.send(response_type="ephemeral", replace_original=in_place, **reply)
    except aiohttp.ClientConnectorError:
        return Tried.NOT_SHOWN, 0
    except (*UNREACHABLE, ValueError):
        # ValueError: a proxy answered, in bytes that are no text.
        return Tried.LOST, 0
    if said.status_code == 200:
        return Tried.SHOWN, 0
    if said.status_code == 429 or said.status_code >= 500:
        retry_after = said.headers.get("Retry-After", "")
        return Tried.NOT_SHOWN, int(retry_after) if retry_after.isdecimal() else 0
    log.warning("answer refused", status=said.status_code)
    return Tried.REFUSED, 0
