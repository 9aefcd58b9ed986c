"""Catch-ups: what is new since a person's last act, or since they last caught up."""

from datetime import timedelta

import pytest

from core.catching import news_of
from core.store import CaughtUp
from tests.builders import ADA, GRACE, NINE, an_incident, an_update

MINUTE = timedelta(minutes=1)


def entries(*people):
    """One entry a minute, by each of ``people``."""
    return [
        an_update(entry=number, by=person, at=NINE + number * MINUTE)
        for number, person in enumerate(people, start=1)
    ]


@pytest.mark.parametrize(
    ("people", "mark", "new", "since", "caught_up"),
    [
        ((ADA, ADA, ADA), None, [3, 2, 1], None, False),
        ((ADA, GRACE, ADA), None, [3], NINE + 2 * MINUTE, False),
        ((ADA, ADA, GRACE), None, [], NINE + 3 * MINUTE, False),
        ((ADA, ADA, ADA), 2, [3], NINE, True),
        ((ADA, GRACE, ADA), 1, [3], NINE + 2 * MINUTE, False),
        ((GRACE, ADA, ADA), 2, [3], NINE, True),
        ((ADA, ADA, ADA), 3, [], NINE, True),
    ],
    ids=["never", "an act", "the last act", "a mark", "an act later", "a mark later", "all read"],
)
def test_news_begin_behind_the_last_act_or_the_last_catch_up(people, mark, new, since, caught_up):
    before = mark and CaughtUp(entry=mark, at=NINE)

    news = news_of(an_incident(last_entry=3), entries(*people), before, GRACE)

    assert [one.entry for one in news.entries] == new
    assert (news.count, news.since, news.caught_up) == (len(new), since, caught_up)


def test_entries_that_were_not_read_are_counted():
    newest = [an_update(entry=9), an_update(entry=10)]

    news = news_of(an_incident(last_entry=10), newest, CaughtUp(entry=3, at=NINE), GRACE)

    assert ([one.entry for one in news.entries], news.count) == ([10, 9], 7)
