"""Public texts as HTML: escaped, with their lines, and with links that show where they go."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import escape

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


def duration(span: timedelta) -> str:
    """``1 h 04 min``, ``12 min``, ``3 d 2 h``; ``less than a minute`` below one."""
    minutes = int(span.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else "less than a minute"


def utc(at: datetime) -> str:
    """``2 Mar 2026, 09:00 UTC``."""
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
