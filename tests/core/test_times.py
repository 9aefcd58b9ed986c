"""Spans and moments in words: what is written can be read, and clocks that change are followed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import duration, next_time, span_of, start_of

BERLIN = ZoneInfo("Europe/Berlin")  # clocks change on 29 March 2026, and on 25 October


def utc(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=4), "4 s"),
        (timedelta(seconds=59, milliseconds=999), "59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=12, seconds=40), "12 min"),
        (timedelta(minutes=64), "1 h 04 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=2, hours=3), "2 d 03 h"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_a_duration_is_said_in_words(span, words):
    assert duration(span) == words


@given(minutes=st.integers(1, 999 * 24 * 60))
def test_a_duration_is_read_as_it_is_written(minutes):
    words = duration(timedelta(minutes=minutes))
    read = span_of(words)

    assert read is not None
    assert duration(read) == words


@pytest.mark.parametrize(
    ("text", "at", "moment"),
    [
        ("tomorrow 10:00", utc(2026, 3, 28, 9), utc(2026, 3, 29, 8)),
        ("10:00", utc(2026, 3, 28, 9, 30), utc(2026, 3, 29, 8)),
        ("tomorrow 10:00", utc(2026, 10, 24, 8), utc(2026, 10, 25, 9)),
        # The clock leaves 02:30 out.
        ("2:30", utc(2026, 3, 29, 0), utc(2026, 3, 29, 1, 30)),
        # The clock shows 02:30 twice: at 00:30 and 01:30 in UTC.
        ("2:30", utc(2026, 10, 25, 0, 10), utc(2026, 10, 25, 0, 30)),
        ("2:30", utc(2026, 10, 25, 0, 40), utc(2026, 10, 25, 1, 30)),
        ("2:30", utc(2026, 10, 25, 1, 40), utc(2026, 10, 26, 1, 30)),
    ],
)
def test_a_coming_time_is_by_the_clock_of_its_day(text, at, moment):
    assert next_time(text, at=at, zone=BERLIN) == moment


@pytest.mark.parametrize(
    ("text", "at", "moment"),
    [
        ("yesterday 10:00", utc(2026, 3, 29, 9), utc(2026, 3, 28, 9)),
        ("2026-02-01 12:00", utc(2026, 7, 1, 9), utc(2026, 2, 1, 11)),
        ("23:10", utc(2026, 3, 29, 7), utc(2026, 3, 28, 22, 10)),
        ("2:30", utc(2026, 10, 25, 1, 20), utc(2026, 10, 25, 0, 30)),
        ("2:30", utc(2026, 10, 25, 1, 40), utc(2026, 10, 25, 1, 30)),
    ],
)
def test_a_start_is_by_the_clock_of_its_day(text, at, moment):
    start = start_of(text, at=at, zone=BERLIN)

    assert start is not None
    assert (start.at, start.doubt) == (moment, "")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30"])
@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York"), UTC])
def test_a_day_without_a_moment_in_each_zone_is_none(day, zone):
    at = utc(2026, 3, 2, 9)

    assert start_of(f"{day} 00:00", at=at, zone=zone) is None
    assert next_time(f"{day} 23:59", at=at, zone=zone) is None
