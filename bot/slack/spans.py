"""Times that people type: 30m, 1h 30m, 15:30, 3:30 pm. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

_SPAN = re.compile(
    r"(?:([0-9]{1,3}) ?d(?:ays?)?)? ?(?:([0-9]{1,3}) ?h(?:(?:ou)?rs?)?)? ?"
    r"(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?)?"
)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?: ?([ap])m)?")
_NUMBER = re.compile(r"[0-9]{1,4}")
DAY = timedelta(days=1)


def span_of(text: str) -> timedelta | None:
    """The time that ``text`` names, such as ``1h 30m``; None if it names none."""
    match = _SPAN.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (int(digits or 0) for digits in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def next_time(text: str, *, at: datetime, zone: tzinfo) -> datetime | None:
    """The next moment after ``at`` at which a clock in ``zone`` shows ``text``, such as ``15:30``.

    None if ``text`` is no time of day.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        return None
    today = at.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > at else today + DAY


def as_minutes(text: str) -> str | None:
    """``30m`` for ``30``, which names no unit; None for anything else."""
    return f"{text}m" if _NUMBER.fullmatch(text) else None
