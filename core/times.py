"""Moments and spans in words: how people write them, and how Ratchet does. Pure.

`span_of` and `start_of` read everything that `duration` and `written_start` write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo

_SPAN = re.compile(
    r"(?:([0-9]{1,3}) ?d(?:ays?)?)? ?"
    r"(?:([0-9]{1,3}) ?h(?:(?:ou)?rs?)?(?: ?([0-5]?[0-9])(?![0-9 ]*[a-z]))?)? ?"
    r"(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?)?"
)
_PARTS = re.compile(r"([0-9]{1,3})[.,]([0-9]{1,2}) ?(?:(d)(?:ays?)?|h(?:(?:ou)?rs?)?)")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?: ?([ap])m)?|([0-9]{1,2}) ?([ap])m")
_NUMBER = re.compile(r"[0-9]{1,4}")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_A_DAY = (
    r"today|yesterday|tomorrow|[0-9]{4}-[0-9]{2}-[0-9]{2}|"
    r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|"
    r"sat(?:urday)?|sun(?:day)?"
)
_CLOCK = r"[0-9:]+(?: ?[ap]m)?"
# The day stands before the time or behind it: "tomorrow at 10:00", "10:00 on monday".
_DAY_AND_TIME = re.compile(
    rf"(?:(?:on )?({_A_DAY})[ t,]+(?:at |by )?)?({_CLOCK})|"
    rf"(?:at |by )?({_CLOCK})[ ,]+(?:on )?({_A_DAY})"
)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
# How a moment is written, for a refusal: of the past, and of the time to come.
STARTS = "write 25m, 1h30, 02:50, 2am, yesterday 23:10 or 2026-11-28 23:10"
ENDS = "write 30m, 1h30, 15:30, 3pm, tomorrow 10:00 or 2026-11-28 15:30"
# A start that lies further back is rather a slip: of its unit, or of the year in a written day.
LONG_AGO, DAY_LONG_AGO = timedelta(days=7), timedelta(days=180)
# Of a time of day that is still to come today, yesterday's is meant only if it is as near as this.
FAR = timedelta(hours=12)


def duration(span: timedelta) -> str:
    """``4 s``, ``12 min``, ``1 h``, ``1 h 04 min``, ``2 d 03 h``: never below zero.

    Two units at most; the second one is left out where it is zero.
    """
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes == 0:
        return f"{seconds} s"
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h" + (f" {minutes % 60:02} min" if minutes % 60 else "")
    return f"{days} d" + (f" {hours % 24:02} h" if hours % 24 else "")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def span_of(text: str) -> timedelta | None:
    """The time that ``text`` names, such as ``1h 30m``, ``1h30`` or ``1.5h``; None if none."""
    said = _plain(text)
    if match := _PARTS.fullmatch(said):
        whole, hundredths = int(match[1]), int(match[2].ljust(2, "0"))
        return (DAY if match[3] else timedelta(hours=1)) * (100 * whole + hundredths) / 100
    match = _SPAN.fullmatch(said)
    if match is None or not any(match.groups()) or (match[3] and match[4]):
        return None
    days, hours, rest, minutes = (int(digits or 0) for digits in match.groups())
    return timedelta(days=days, hours=hours, minutes=rest + minutes)


def next_time(text: str, *, at: datetime, zone: tzinfo) -> datetime | None:
    """The next moment after ``at`` that ``text`` names, such as ``15:30`` or ``tomorrow 10:00``.

    Times are those of a clock in ``zone``. A moment with a day may lie before ``at``, unless that
    is a day of the week. None if ``text`` names none.
    """
    today = at.astimezone(zone).date()
    named = _day_and_clock(text, today)
    if named is None:
        return None
    day, clock, weekly = named
    if day is not None and not weekly:
        return min(_shown(day, clock, zone))
    first, later = (day, WEEK) if day else (today, DAY)
    coming = [moment for one in (first, first + later) for moment in _shown(one, clock, zone)]
    return min(moment for moment in coming if moment > at)


def is_past_today(text: str, *, at: datetime, zone: tzinfo) -> bool:
    """Whether ``text`` is a time of day alone that has passed today, and tomorrow's is far ahead.

    `next_time` then reads it as tomorrow's, which may not be meant.
    """
    today = at.astimezone(zone).date()
    named, coming = _day_and_clock(text, today), next_time(text, at=at, zone=zone)
    if named is None or coming is None or named[0] is not None:
        return False
    return coming.astimezone(zone).date() > today and coming - at > FAR


def evening_of(text: str, *, at: datetime, zone: tzinfo) -> datetime | None:
    """The moment of today, after ``at``, that ``text`` names by a clock of twelve hours.

    22:00 for ``10:00``; None if ``text`` names its half of the day, or that moment has passed.
    """
    today = at.astimezone(zone).date()
    named = _day_and_clock(text, today)
    if named is None or named[0] is not None or not 1 <= named[1].hour < 12 or "m" in _plain(text):
        return None
    evening = max(_shown(today, named[1].replace(hour=named[1].hour + 12), zone))
    return evening if evening > at else None


def end_of(text: str, *, at: datetime, zone: tzinfo) -> datetime | None:
    """The moment to come that ``text`` names, such as ``2h``, ``15:30`` or ``tomorrow 08:00``.

    It may lie before ``at`` if its day is written. None if ``text`` names none.
    """
    said = _plain(text)
    within = span_of(said.removeprefix("in "))
    return at + within if within else next_time(said, at=at, zone=zone)


def _shown(day: date, clock: time, zone: tzinfo) -> Iterator[datetime]:
    """The moments at which a clock in ``zone`` shows ``clock``: two in the hour that is repeated.

    A time that a clock leaves out is as long after midnight as if the clock had not changed.
    """
    first, second = (
        datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)
    )
    yield first
    if second > first:
        yield second


def is_day(word: str) -> bool:
    """Whether ``word`` names a day, such as ``tomorrow``, ``fri`` or ``2026-11-28``."""
    return re.fullmatch(_A_DAY, _plain(word)) is not None


def _day_and_clock(text: str, today: date) -> tuple[date | None, time, bool] | None:
    """The day, if one is named, and the time that ``text`` names.

    The last is whether that day is one of the week: the next such day, which may be ``today``.
    """
    match = _DAY_AND_TIME.fullmatch(_plain(text))
    clock = _clock_of(match[2] or match[3]) if match else None
    if match is None or clock is None:
        return None
    word = match[1] or match[4]
    if not word:
        return None, clock, False
    for number, name in enumerate(_WEEKDAYS):
        if name.startswith(word):
            return today + DAY * ((number - today.weekday()) % 7), clock, True
    day = _day_of(word, today)
    return (day, clock, False) if day else None


def _clock_of(text: str) -> time | None:
    """The time of day that ``text`` names, such as ``3:30 pm`` or ``2am``."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1] or match[4]), int(match[2] or 0), match[3] or match[5]
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
    if within := span_of(_plain(text).removesuffix(" ago")):
        return Start(at - within, _early(within) if within > LONG_AGO else "")
    today = at.astimezone(zone).date()
    named = _day_and_clock(text, today)
    if named is None:
        return None
    day, clock, weekly = named
    if day is not None and weekly:
        said = [moment for one in (day - WEEK, day) for moment in _shown(one, clock, zone)]
        return Start(max(moment for moment in said if moment <= at))
    if day is not None:
        start = min(_shown(day, clock, zone))
        return Start(start, _early(at - start) if at - start > DAY_LONG_AGO else "")
    past = [moment for one in (today - DAY, today) for moment in _shown(one, clock, zone)]
    last = max(moment for moment in past if moment <= at)
    far = min(_shown(today, clock, zone)) > at and at - last > FAR
    return Start(last, "is still to come today in your time zone" if far else "")


def _early(ago: timedelta) -> str:
    return f"is {duration(ago)} ago, and so early a start may be a slip"


def _day_of(word: str, today: date) -> date | None:
    away = {"yesterday": -DAY, "today": timedelta(), "tomorrow": DAY}
    if word in away:
        return today + away[word]
    try:
        day = date.fromisoformat(word)
    except ValueError:  # such as 30 February
        return None
    # The first and the last day of the calendar have no moment in some zones.
    return day if MINYEAR < day.year < MAXYEAR else None


def clock_time(moment: datetime, *, at: datetime, zone: tzinfo) -> str:
    """``moment`` by a clock in ``zone``: ``15:40``, with its day unless that is the day of ``at``.

    For plain text in Slack, which shows no date tokens.
    """
    there = moment.astimezone(zone)
    same_day = there.date() == at.astimezone(zone).date()
    return f"{there:%H:%M}" if same_day else f"{there:%Y-%m-%d %H:%M}"


def written_start(start: datetime, zone: tzinfo) -> str:
    """``start`` as `start_of` reads it: ``2026-11-28 23:10``."""
    return f"{start.astimezone(zone):%Y-%m-%d %H:%M}"


def as_minutes(text: str) -> str | None:
    """``30m`` for ``30``, which names no unit; None for anything else."""
    return f"{text}m" if _NUMBER.fullmatch(text) else None
