"""When an answer is posted once more, and how long that waits."""

from __future__ import annotations

import pytest

from bot.slack.response_url import LIFE_SECONDS, Tried, pause_before_next

SHOWN, REFUSED, NOT_SHOWN, LOST = Tried

PAUSES = [
    ([SHOWN], None),
    ([REFUSED], None),
    ([NOT_SHOWN], 1),
    ([NOT_SHOWN, NOT_SHOWN], 2),
    ([NOT_SHOWN, NOT_SHOWN, NOT_SHOWN], None),
    ([LOST], 1),
    ([LOST, LOST], None),
    ([LOST, NOT_SHOWN], 2),
    ([LOST, SHOWN], None),
]


@pytest.mark.parametrize(("tries", "pause_seconds"), PAUSES)
def test_an_answer_is_tried_three_times_and_after_a_lost_response_once(tries, pause_seconds):
    assert pause_before_next(tries, in_place=False) == pause_seconds


def test_an_answer_that_replaces_a_message_may_be_lost_twice():
    assert pause_before_next([LOST, LOST], in_place=True) == 2
    assert pause_before_next([LOST, LOST, LOST], in_place=True) is None


def test_slacks_own_pause_wins():
    assert pause_before_next([NOT_SHOWN], in_place=False, retry_after_seconds=30) == 30


def test_no_pause_outlives_the_url():
    longer = LIFE_SECONDS + 1

    assert pause_before_next([NOT_SHOWN], in_place=False, retry_after_seconds=longer) is None
