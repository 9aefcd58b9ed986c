"""Spans and moments in words: what is written can be read, and clocks that change are followed."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import (
    as_minutes,
    clock_time,
    duration,
    end_of,
    evening_of,
    is_day,
    is_past_today,
    next_time,
    span_of,
    start_of,
    written_start,
)
from tests.builders import NINE

BERLIN = ZoneInfo("Europe/Berlin")  # clocks change on 29 March 2026, and on 25 October
HOUR_AHEAD = timezone(timedelta(hours=1))  # it is ten o'clock there at nine
MINUTE = timedelta(minutes=1)


def utc(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def march(day, hour, minute):
    return utc(2026, 3, day, hour, minute)


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


# --- spans, and times of day ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30m", 30),
        ("30 min", 30),
        ("1 minute", 1),
        ("90 minutes", 90),
        ("1h", 60),
        ("2 hours", 120),
        ("1h30m", 90),
        ("1 h 30 min", 90),
        ("1hr 5mins", 65),
        ("1d", 1_440),
        ("2 days 3h", 3_060),
        ("0m", 0),
        ("1h30", 90),
        ("1 h 30", 90),
        ("1.5h", 90),
        ("1,5 hours", 90),
        ("0.25h", 15),
        ("1.5d", 2_160),
        ("1 H 30 Min", 90),
    ],
)
def test_a_span_is_read(text, minutes):
    assert span_of(text) == minutes * MINUTE


@pytest.mark.parametrize(
    "text",
    ["", "30", "m", "soon", "1m30h", "-5m", "30s", "1.5m", "1h30s", "1h 30 5m", "1h60", "99999m"],
)
def test_anything_else_is_no_span(text):
    assert span_of(text) is None


def test_a_number_without_a_unit_is_rather_minutes():
    assert as_minutes("30") == "30m"
    assert as_minutes("soon") is None


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("10:30", 9, 30),
        ("15:30", 14, 30),
        ("3:30 pm", 14, 30),
        ("3:30pm", 14, 30),
        ("12:15 pm", 11, 15),
        ("23:59", 22, 59),
        ("2pm", 13, 0),
        ("3 PM", 14, 0),
        ("today 15:30", 14, 30),
    ],
)
def test_a_time_of_day_is_of_the_zone_of_its_author(text, hour, minute):
    at = utc(2026, 3, 2, hour, minute)

    assert next_time(text, at=NINE, zone=HOUR_AHEAD) == at


@pytest.mark.parametrize(
    "text",
    [
        "9:45",
        "10:00",
        "12:05 am",
        "0:05",
        "2am",
        "tomorrow 15:30",
        "tomorrow at 15:30",
        "15:30 tomorrow",
        "at 0:30, tomorrow",
        "2pm on 2026-03-03",
    ],
)
def test_a_time_that_has_passed_is_of_tomorrow(text):
    found = next_time(text, at=NINE, zone=HOUR_AHEAD)

    assert found is not None
    assert found.astimezone(HOUR_AHEAD).day == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "24:00",
        "12:60",
        "13:00 pm",
        "0:30 am",
        "15:3",
        "1530",
        "0am",
        "13pm",
        "tomorrow",
        "monday",
    ],
)
def test_anything_else_is_no_time_of_day(text):
    assert next_time(text, at=NINE, zone=HOUR_AHEAD) is None


@given(text=st.text(max_size=9))
def test_any_text_is_a_time_or_none(text):
    found = next_time(text, at=NINE, zone=HOUR_AHEAD)

    assert found is None or timedelta() < found - NINE <= timedelta(days=8)


def test_a_word_that_names_a_day_is_known():
    assert [word for word in ("Fri", "tomorrow", "2026-03-02", "next", "m") if is_day(word)] == [
        "Fri",
        "tomorrow",
        "2026-03-02",
    ]


# The second of March is a Monday, and it is ten o'clock.
@pytest.mark.parametrize(
    ("text", "coming", "past"),
    [
        ("monday 15:30", march(2, 14, 30), utc(2026, 2, 23, 14, 30)),
        ("15:30 on Monday", march(2, 14, 30), utc(2026, 2, 23, 14, 30)),
        ("00:30 on monday", march(8, 23, 30), march(1, 23, 30)),
        ("10:00 mon", march(9, 9, 0), march(2, 9, 0)),
        ("on thu at 3 pm", march(5, 14, 0), utc(2026, 2, 26, 14)),
        ("23:10 on sunday", march(8, 22, 10), march(1, 22, 10)),
    ],
)
def test_a_day_of_the_week_is_the_next_one_or_for_a_start_the_last_one(text, coming, past):
    assert next_time(text, at=NINE, zone=HOUR_AHEAD) == coming
    assert start_of(text, at=NINE, zone=HOUR_AHEAD).at == past


# --- ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", march(2, 11, 0)),
        ("in 30 min", march(2, 9, 30)),
        ("15:30", march(2, 14, 30)),
        ("9:30", march(3, 8, 30)),
        ("tomorrow 08:00", march(3, 7, 0)),
        ("today 9:30", march(2, 8, 30)),
        ("2026-03-01 10:00", march(1, 9, 0)),
        ("0m", None),
        ("soon", None),
        ("", None),
    ],
)
def test_an_end_is_a_span_from_now_or_a_moment_and_past_only_if_its_day_is_written(text, moment):
    assert end_of(text, at=NINE, zone=HOUR_AHEAD) == moment


# It is 13:53 there.
AFTERNOON = march(2, 12, 53)


@pytest.mark.parametrize(
    ("text", "past", "evening"),
    [
        ("10:00", True, march(2, 21, 0)),  # the next one is twenty hours ahead
        ("13:50", True, None),
        ("3:30", True, march(2, 14, 30)),
        ("1:00", False, None),  # of the night to come, and no time of this evening
        ("1:55", True, march(2, 12, 55)),
        ("10am", True, None),
        ("0:30", False, None),  # half past midnight has one reading
        ("15:30", False, None),
        ("tomorrow 10:00", False, None),
        ("today 10:00", False, None),
        ("30m", False, None),
        ("soon", False, None),
    ],
)
def test_a_time_of_day_that_has_passed_may_be_meant_for_tomorrow_or_for_this_evening(
    text, past, evening
):
    assert is_past_today(text, at=AFTERNOON, zone=HOUR_AHEAD) is past
    assert evening_of(text, at=AFTERNOON, zone=HOUR_AHEAD) == evening


def test_a_clock_time_has_its_day_unless_it_is_today():
    assert clock_time(march(2, 14, 30), at=NINE, zone=HOUR_AHEAD) == "15:30"
    assert clock_time(march(2, 23, 30), at=NINE, zone=HOUR_AHEAD) == "2026-03-03 00:30"


# --- starts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("25m", march(2, 8, 35)),
        ("25 min ago", march(2, 8, 35)),
        ("1h 30m", march(2, 7, 30)),
        ("1h30", march(2, 7, 30)),
        ("1.5h", march(2, 7, 30)),
        ("90m", march(2, 7, 30)),
        ("2am", march(2, 1, 0)),
        ("yesterday 2 pm", march(1, 13, 0)),
        ("tomorrow 9:00", march(3, 8, 0)),
        ("2d", NINE - timedelta(days=2)),
        ("09:50", march(2, 8, 50)),
        ("9:50 am", march(2, 8, 50)),
        ("23:10", march(1, 22, 10)),
        ("today 00:05", march(1, 23, 5)),
        ("yesterday 23:10", march(1, 22, 10)),
        ("yesterday at 11:10 pm", march(1, 22, 10)),
        ("23:10 yesterday", march(1, 22, 10)),
        ("11:10 pm on 2026-03-01", march(1, 22, 10)),
        ("2026-02-01 12:00", utc(2026, 2, 1, 11)),
        ("2026-02-01T12:00", utc(2026, 2, 1, 11)),
        ("\uff10\uff19:\uff15\uff10", march(2, 8, 50)),
    ],
)
def test_a_start_is_read_in_the_zone_of_its_author(text, moment):
    start = start_of(text, at=NINE, zone=HOUR_AHEAD)

    assert (start.at, start.doubt) == (moment, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25",
        "soon",
        "yesterday",
        "monday",
        "mo 10:00",
        "tomorrow 10:00 tomorrow",
        "24:00",
        "9:60",
        "13:00 pm",
        "2026-02-30 12:00",
        "9",
    ],
)
def test_anything_else_is_no_start(text):
    assert start_of(text, at=NINE, zone=HOUR_AHEAD) is None


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("10:05", "is still to come today in your time zone"),
        ("8d", "is 8 d ago, and so early a start may be a slip"),
        ("400d", "is 400 d ago, and so early a start may be a slip"),
        ("2025-03-02 10:00", "is 365 d ago, and so early a start may be a slip"),
    ],
)
def test_a_start_that_is_rather_a_slip_says_why(text, doubt):
    assert start_of(text, at=NINE, zone=HOUR_AHEAD).doubt == doubt


def test_a_written_day_of_the_last_half_year_is_no_slip():
    assert start_of("2025-09-05 10:00", at=NINE, zone=HOUR_AHEAD).doubt == ""


@pytest.mark.parametrize("text", ["today 10:05", "2026-03-02 10:01", "2026-03-03 09:00"])
def test_a_start_may_lie_in_the_future(text):
    assert start_of(text, at=NINE, zone=HOUR_AHEAD).at > NINE


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2026, 3, 1)),  # noqa: DTZ001 - made aware below
    st.integers(-840, 840),
)
def test_a_start_that_is_written_is_read_back(moment, minutes):
    zone = timezone(timedelta(minutes=minutes))
    start = moment.replace(tzinfo=zone, second=0, microsecond=0)

    assert start_of(written_start(start, zone), at=NINE, zone=zone).at == start


# --- clocks that change ------------------------------------------------------------------------


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
