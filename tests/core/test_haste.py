"""Haste: a second click on a next step within three seconds of the own step is asked about."""

from datetime import timedelta

import pytest

from core.engine import IMPATIENCE, refuse_haste
from core.incident import Kind
from core.refusals import TooSoon
from tests.builders import ADA, GRACE, NINE, a_change, an_incident, an_update

IDENTIFIED = an_incident(status="identified")
CLICK = a_change(to="monitoring", expected_status="identified")
OWN_STEP = an_update(kind=Kind.MOVED, by=ADA, at=NINE, old="investigating", new="identified")


def test_a_second_click_within_three_seconds_is_refused_with_its_step():
    with pytest.raises(TooSoon) as refused:
        refuse_haste(IDENTIFIED, CLICK, OWN_STEP, at=NINE + IMPATIENCE - timedelta(milliseconds=1))

    assert (refused.value.incident, refused.value.asked) == (IDENTIFIED, "monitoring")


@pytest.mark.parametrize(
    ("click", "moved", "after"),
    [
        (CLICK, OWN_STEP, IMPATIENCE),
        (CLICK, an_update(kind=Kind.MOVED, by=GRACE, at=NINE), timedelta()),
        (CLICK, an_update(kind=Kind.DECLARED, by=ADA, at=NINE), timedelta()),
        (CLICK, None, timedelta()),
        (a_change(note="n"), OWN_STEP, timedelta()),
        (a_change(to="identified", expected_status="investigating"), OWN_STEP, timedelta()),
        (a_change(to="resolved", expected_status="identified"), OWN_STEP, timedelta()),
    ],
    ids=[
        "three seconds later",
        "after another person's step",
        "after the own declaration",
        "without a step before",
        "no step is asked for",
        "out of date, which is refused elsewhere",
        "not a next step, which is refused elsewhere",
    ],
)
def test_no_other_click_counts_as_haste(click, moved, after):
    refuse_haste(IDENTIFIED, click, moved, at=NINE + after)
