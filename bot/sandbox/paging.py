"""Pages of long answers: ``limit`` and ``cursor``.

Source: https://docs.slack.dev/apis/web-api/pagination
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.blocks import Json
from bot.sandbox.errors import SlackError


def page(found: Sequence[Any], arguments: Mapping[str, Any], name: str, *, most: int) -> Json:
    """One page of ``found``: ``limit`` entries (by default 100) from ``cursor`` on."""
    try:
        limit = int(arguments.get("limit") or 100)
    except ValueError:
        raise SlackError("invalid_limit") from None
    if not 1 <= limit <= most:
        raise SlackError("invalid_limit")
    start = _start(arguments.get("cursor"))
    end = start + limit
    more = end < len(found)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if more else ""
    answer: Json = {name: list(found[start:end]), "response_metadata": {"next_cursor": cursor}}
    return {**answer, "has_more": more} if name == "messages" else answer


def _start(cursor: object) -> int:
    if cursor in (None, ""):
        return 0
    try:
        return int(base64.b64decode(str(cursor), validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
