"""The texts that core makes itself, and the limits of those that people write."""

from datetime import timedelta

import pytest

from core.texts import duration, listed


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
        (timedelta(days=400), "400 d 00 h"),
    ],
)
def test_a_duration_is_said_in_words(span, words):
    assert duration(span) == words


@pytest.mark.parametrize(
    ("words", "told"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words_are_listed_as_a_person_lists_them(words, told):
    assert listed(words) == told
