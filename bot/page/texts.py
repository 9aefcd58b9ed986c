"""Public texts as HTML: escaped, with their lines, and with links that show where they go."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import escape

from core.times import duration

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
# Punctuation behind an address belongs to the sentence.
_BEHIND = ".,;:!?)]}"


def as_html(text: str) -> str:
    """``text`` as HTML that holds nothing but lines and links."""
    made: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(_BEHIND)
        made.append(escape(text[end : found.start()]))
        shown = escape(address)
        made.append(f'<a href="{shown}" rel="nofollow noopener">{shown}</a>')
        end = found.start() + len(address)
    made.append(escape(text[end:]))
    return "".join(made).replace("\n", "<br>")


def lasting(span: timedelta) -> str:
    """``span`` in words; ``less than a minute`` below one."""
    return duration(span) if span >= timedelta(minutes=1) else "less than a minute"


def utc(at: datetime) -> str:
    """``2 Mar 2026, 09:00 UTC``."""
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
