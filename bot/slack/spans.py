"""Times that people type: 30m, 1h 30m, 15:30, 3:30 pm, yesterday 23:10. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from core.texts import duration

_SPAN = re.compile(
    r"(?:([0-9]{1,3}) ?d(?:ays?)?)? ?(?:([0-9]{1,3}) ?h(?:(?:ou)?rs?)?)? ?"
    r"(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?)?"
)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?: ?([ap])m)?")
_NUMBER = re.compile(r"[0-9]{1,4}")
_DAY_AND_TIME = re.compile(
    r"(?:(today|yesterday|tomorrow|[0-9]{4}-[0-9]{2}-[0-9]{2})[ t,]+(?:at )?)?([0-9:]+(?: ?[ap]m)?)"
)
DAY = timedelta(days=1)
_DAYS = {"today": timedelta(), "yesterday": -DAY, "tomorrow": DAY}
# How a start is written, for a refusal.
STARTS = "write 25m, 02:50, yesterday 23:10 or 2026-11-28 23:10"
# How an end is written, for a refusal.
ENDS = "write 2h, 15:30, tomorrow 08:00 or 2026-11-28 15:30"
# A start that lies further back is rather a slip, unless its day is written.
LONG_AGO = timedelta(days=7)
# Of a time of day that is still to come today, yesterday's is meant only if it is as near as this.
FAR = timedelta(hours=12)


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
    clock = _clock_of(text)
    if clock is None:
        return None
    today = datetime.combine(at.astimezone(zone), clock, zone)
    return today if today > at else today + DAY


def _clock_of(text: str) -> time | None:
    """The time of day that ``text`` names, such as ``3:30 pm``."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour <= 23 and minute <= 59 else None


@dataclass(frozen=True, slots=True)
class Start:
    """A moment that typed words name. ``doubt`` says why it may not be the one that was meant."""

    at: datetime
    doubt: str = ""


def start_of(text: str, *, at: datetime, zone: tzinfo) -> Start | None:
    """The moment that ``text`` names, such as ``25m``, ``02:50`` or ``yesterday 23:10``.

    Times are those of a clock in ``zone``. It may lie after ``at``. None if ``text`` names none.
    """
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if within := span_of(said.removesuffix(" ago")):
        long = f"is {duration(within)} ago" if within > LONG_AGO else ""
        return Start(at - within, long)
    match = _DAY_AND_TIME.fullmatch(said)
    clock = _clock_of(match[2]) if match else None
    if match is None or clock is None or match[1] == "tomorrow":
        return None
    here = at.astimezone(zone)
    if match[1]:
        day = _day_of(match[1], here.date())
        return Start(datetime.combine(day, clock, zone)) if day else None
    today = datetime.combine(here.date(), clock, zone)
    last = today if today <= at else today - DAY
    far = today > at and at - last > FAR
    return Start(last, "is still to come today in your time zone" if far else "")


def end_of(text: str, *, at: datetime, zone: tzinfo) -> datetime | None:
    """The moment to come that ``text`` names, such as ``2h``, ``15:30`` or ``tomorrow 08:00``.

    Times are those of a clock in ``zone``; one without a day is the next. It may lie before ``at``
    if its day is written. None if ``text`` names none.
    """
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if within := span_of(said.removeprefix("in ")):
        return at + within
    if coming := next_time(said, at=at, zone=zone):
        return coming
    match = _DAY_AND_TIME.fullmatch(said)
    clock = _clock_of(match[2]) if match and match[1] else None
    if match is None or clock is None:
        return None
    today = at.astimezone(zone).date()
    day = _day_of(match[1], today)
    return datetime.combine(day, clock, zone) if day else None


def _day_of(word: str, today: date) -> date | None:
    if word in _DAYS:
        return today + _DAYS[word]
    try:
        return date.fromisoformat(word)
    except ValueError:  # such as 30 February
        return None


def written_start(start: datetime, zone: tzinfo) -> str:
    """``start`` as `start_of` reads it: ``2026-11-28 23:10``."""
    return f"{start.astimezone(zone):%Y-%m-%d %H:%M}"


def as_minutes(text: str) -> str | None:
    """``30m`` for ``30``, which names no unit; None for anything else."""
    return f"{text}m" if _NUMBER.fullmatch(text) else None
