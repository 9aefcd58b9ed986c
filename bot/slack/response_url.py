"""An answer by response_url, which only the person who asked sees.

Slack takes five posts to one within half an hour.
Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import asyncio
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


async def post(
    url: str,
    reply: Json,
    *,
    in_place: bool,
    door: str,
    session: aiohttp.ClientSession | None,
) -> None:
    """Posts ``reply`` to ``url``, in three tries at most.

    After a lost response it is tried only once more: two copies are better than none, and a third
    helps nobody. A reply that replaces a message (``in_place``) never shows twice.
    """
    # slack_sdk's own handlers would try each of these tries twice.
    webhook = AsyncWebhookClient(url, session=session, retry_handlers=[])
    lost = 0
    for attempt in range(1, TRIES + 1):
        tried, retry_after_seconds = await _tried(webhook, reply, in_place=in_place)
        lost += tried is Tried.LOST
        if tried in {Tried.SHOWN, Tried.REFUSED}:
            return
        if attempt == TRIES or (lost > 1 and not in_place) or retry_after_seconds > LIFE_SECONDS:
            break
        await asyncio.sleep(retry_after_seconds or attempt)
    log.warning("answer not delivered", door=door)


async def _tried(webhook: AsyncWebhookClient, reply: Json, *, in_place: bool) -> tuple[Tried, int]:
    """One post, and the seconds that Slack asks to wait before the next; 0 where it names none."""
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
