"""The name of a channel, and the stages of its end."""

import random
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.channel import (
    ANNOUNCE_BEFORE,
    ARCHIVE_AFTER,
    ChannelStage,
    OwnChannel,
    channel_name,
    is_name_of,
    passed,
)
from tests.builders import NINE

VALID = re.compile(r"[a-z0-9_-]{1,80}")
HERE = OwnChannel(private=False, entry=2, id="C0OWN", over_at=NINE)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Checkout is down", "inc-42-checkout-is-down"),
        ("  Checkout -- is DOWN!! ", "inc-42-checkout-is-down"),
        ("Größe der Köpfe", "inc-42-grosse-der-kopfe"),
        ("Ünïcödé ①②", "inc-42-unicode-12"),
        ("الدفع لا يعمل", "inc-42"),
        ("db-3 \u202e\u200fdown\u200f", "inc-42-db-3-down"),
        ("🔥🔥🔥", "inc-42"),
        ("a_b", "inc-42-a-b"),
        ("---", "inc-42"),
        ("", "inc-42"),
        (None, "inc-42"),
        ("<!channel> & <@U0ADA>", "inc-42-channel-u0ada"),
        ("2", "inc-42-2"),
    ],
)
def test_a_name_is_made_from_number_and_title(title, name):
    assert channel_name(42, title) == name


def test_a_long_title_is_cut_between_two_words():
    name = channel_name(42, "checkout " * 20)

    assert len(name) <= 80
    assert name.endswith("-checkout")
    assert channel_name(42, f"{'a' * 73} b") == f"inc-42-{'a' * 73}"
    assert channel_name(42, "x" * 300) == f"inc-42-{'x' * 73}"
    assert channel_name(42, f"{'y' * 400} tail") == f"inc-42-{'y' * 73}"


def test_a_name_that_is_taken_gets_a_number_behind_it():
    names = [channel_name(42, "Checkout is down", taken=taken) for taken in range(3)]

    assert names == [f"inc-42-checkout-is-down{end}" for end in ("", "-2", "-3")]
    assert channel_name(42, "x" * 300, taken=1) == f"inc-42-{'x' * 71}-2"
    assert channel_name(42, None, taken=9) == "inc-42-10"


@given(st.integers(1, 2**31 - 1), st.one_of(st.none(), st.text(max_size=255)), st.integers(0, 20))
def test_a_name_is_valid_for_any_title(number, title, taken):
    name = channel_name(number, title, taken=taken)

    assert VALID.fullmatch(name)
    assert is_name_of(name, number)
    assert not name.endswith("-")


def test_ten_thousand_titles_give_ten_thousand_names():
    chance = random.Random(8)
    letters = (
        "aäßзж中あ\u0661\u0662\u202e\u200d\U0001f525e\u0301 -_.,:#@<>&!?0123456789" + "\x00\n\t"
    )
    titles = [
        "".join(chance.choice(letters) for _ in range(chance.randrange(0, 255)))
        for _ in range(10_000)
    ]

    names = [channel_name(number, title) for number, title in enumerate(titles, start=1)]

    assert all(VALID.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)
    assert all(is_name_of(name, number) for number, name in enumerate(names, start=1))


def test_the_names_of_one_incident_are_no_names_of_another():
    assert not is_name_of("inc-421-checkout", 42)
    assert not is_name_of("inc-4", 42)
    assert not is_name_of("the-inc-42", 42)
    assert is_name_of("inc-42-2", 42)


def test_a_channel_is_announced_two_days_after_the_end_and_archived_after_three():
    assert HERE.look_at == NINE + 2 * DAY
    assert passed(HERE, NINE + 2 * DAY - timedelta(seconds=1)) == HERE

    announced = passed(HERE, NINE + 2 * DAY)

    assert announced.stage is ChannelStage.ANNOUNCED
    assert announced.look_at == announced.archive_at == NINE + ARCHIVE_AFTER
    assert passed(announced, NINE + 3 * DAY - timedelta(seconds=1)) == announced

    archived = passed(announced, NINE + 3 * DAY)

    assert archived.stage is ChannelStage.ARCHIVED
    assert archived.look_at is None
    assert archived.live is None
    assert passed(archived, NINE + 9 * DAY) == archived


def test_an_announcement_that_comes_late_leaves_a_day():
    announced = passed(HERE, NINE + 10 * DAY)

    assert announced.stage is ChannelStage.ANNOUNCED
    assert announced.look_at == NINE + 10 * DAY + ANNOUNCE_BEFORE


@pytest.mark.parametrize("changes", [{"id": None}, {"over_at": None}, {"kept": True}])
def test_a_channel_without_an_end_is_not_archived(changes):
    channel = replace(HERE, **changes)

    assert channel.look_at is None
    assert passed(channel, NINE + 9 * DAY) == channel
    assert channel.archive_at is None


def test_the_end_of_an_incident_begins_the_end_of_its_channel():
    fresh = replace(HERE, over_at=None)

    assert fresh.followed(over=False, at=NINE) == fresh
    assert fresh.followed(over=True, at=NINE) == HERE
    assert HERE.followed(over=True, at=NINE + DAY) == HERE


def test_a_reopened_incident_keeps_its_channel():
    announced = passed(HERE, NINE + 2 * DAY)

    assert announced.followed(over=False, at=NINE + 2 * DAY) == replace(HERE, over_at=None)


def test_only_a_private_channel_takes_notes():
    assert HERE.for_notes is None
    assert replace(HERE, private=True).for_notes == "C0OWN"
    assert replace(HERE, private=True, id=None).for_notes is None
    assert replace(HERE, private=True, stage=ChannelStage.ARCHIVED).for_notes is None
