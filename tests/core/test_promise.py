"""Promises: when one is due, how it ended, and what happens when."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.promise import (
    NextUpdate,
    Promise,
    PromiseState,
    Release,
    Score,
    Stage,
    answered,
    in_force,
    next_look,
    passed,
    released,
    score,
    shown,
    taken_back,
    withheld,
)
from tests.builders import NINE


def at(minutes: float) -> Any:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def a_promise(**changes: Any) -> Promise:
    """Made at nine, due at half past."""
    fields: dict[str, Any] = {"entry": 2, "public_at": NINE, "due_at": at(30)}
    return Promise(**fields | changes)


# --- how it stands -----------------------------------------------------------------------------

STATES = [
    ("nothing was said yet", {}, 29, PromiseState.OPEN),
    ("at its very moment it is not broken", {}, 30, PromiseState.OPEN),
    ("nothing came", {}, 31, PromiseState.BROKEN),
    ("a text came", {"answered_at": at(12)}, 13, PromiseState.KEPT),
    ("it stays kept", {"answered_at": at(12)}, 300, PromiseState.KEPT),
    ("a text at the very moment", {"answered_at": at(30)}, 31, PromiseState.KEPT),
    ("a text that is held back", {"answered_at": at(12)}, 11, PromiseState.OPEN),
    ("a text held back beyond it", {"answered_at": at(31)}, 30.5, PromiseState.BROKEN),
    ("a text came late", {"answered_at": at(31)}, 31, PromiseState.LATE),
    ("it was released", {"released_at": at(12)}, 13, PromiseState.RELEASED),
    ("its release lies ahead", {"released_at": at(12)}, 11, PromiseState.OPEN),
    ("released at the very moment", {"released_at": at(30)}, 31, PromiseState.RELEASED),
    ("released when it was broken", {"released_at": at(31)}, 32, PromiseState.BROKEN),
    (
        "released when it was broken, and then said",
        {"released_at": at(31), "answered_at": at(40)},
        41,
        PromiseState.LATE,
    ),
    ("taken back unsaid", {"public_at": at(1), "released_at": at(0.5)}, 2, PromiseState.UNSAID),
]


@pytest.mark.parametrize(
    ("facts", "minutes", "state"), [case[1:] for case in STATES], ids=[case[0] for case in STATES]
)
def test_a_promise_is_in_one_state(facts, minutes, state):
    assert a_promise(**facts).state(at(minutes)) is state


minutes = st.none() | st.integers(0, 90).map(at)


@given(answered_at=minutes, released_at=minutes, seen=st.lists(st.integers(0, 120), min_size=2))
def test_broken_is_never_rewritten(answered_at, released_at, seen):
    promise = a_promise(answered_at=answered_at, released_at=released_at)
    states = [promise.state(at(minute)) for minute in sorted(seen)]

    for before, after in pairwise(states):
        if before is not PromiseState.OPEN:
            late = before is PromiseState.BROKEN and after is PromiseState.LATE
            assert after is before or late


def test_the_lateness_counts_from_the_due_moment():
    assert a_promise(answered_at=at(42)).lateness == timedelta(minutes=12)
    assert a_promise(answered_at=at(12)).lateness == timedelta()
    assert a_promise().lateness == timedelta()


def test_the_score_counts_each_promise_once():
    promises = [
        a_promise(answered_at=at(1)),
        a_promise(answered_at=at(2)),
        a_promise(answered_at=at(40)),
        a_promise(),
        a_promise(released_at=at(5)),
        a_promise(due_at=at(120)),
        a_promise(public_at=at(1), released_at=at(0)),
    ]

    assert score(promises, at(60)) == Score(kept=2, late=1, broken=1, released=1)


def test_scores_are_added_and_said():
    both = Score(kept=1, late=2) + Score(kept=3, broken=1, released=4)

    assert both == Score(kept=4, late=2, broken=1, released=4)
    assert both.words == "4 kept, 2 late, 1 broken, 4 released"
    assert Score().words == "none"


# --- its stages --------------------------------------------------------------------------------


@pytest.mark.parametrize(("due", "reminded"), [(60, 55), (10, 5), (6, 3), (1, 0.5)])
def test_the_reminder_comes_five_minutes_before_or_at_half_of_the_time(due, reminded):
    assert a_promise(due_at=at(due)).remind_at == at(reminded)


def stages(promise):
    """The stages of a promise that nothing ends, with the minutes of each."""
    while following := promise.next_stage():
        yield following
        promise = replace(promise, stage=following[0])


def test_a_promise_has_three_stages():
    assert list(stages(a_promise())) == [
        (Stage.REMINDED, at(25)),
        (Stage.DUE, at(30)),
        (Stage.TOLD, at(32)),
    ]


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({"answered_at": at(12)}, []),
        ({"released_at": at(12)}, []),
        # The cards say that it was due until the text is out.
        ({"answered_at": at(31)}, [Stage.DUE]),
        ({"answered_at": at(31), "stage": Stage.DUE}, []),
        ({"stage": Stage.REMINDED}, [Stage.DUE, Stage.TOLD]),
        ({"stage": Stage.TOLD}, []),
    ],
)
def test_nudges_die_with_their_reason(facts, left):
    assert [stage for stage, _ in stages(a_promise(**facts))] == left


@pytest.mark.parametrize(
    ("minutes", "stage", "effects"),
    [
        (25, Stage.MADE, ()),
        (25.1, Stage.REMINDED, (Stage.REMINDED,)),
        (26, Stage.REMINDED, (Stage.REMINDED,)),
        # The bot was down: a reminder would come too late, and the rest is done.
        (26.1, Stage.REMINDED, ()),
        (31, Stage.DUE, (Stage.DUE,)),
        (33, Stage.TOLD, (Stage.DUE, Stage.TOLD)),
        (600, Stage.TOLD, (Stage.DUE, Stage.TOLD)),
    ],
)
def test_a_late_look_does_what_still_helps(minutes, stage, effects):
    done = passed(a_promise(), at(minutes))

    assert (done.promise.stage, done.effects) == (stage, effects)
    assert passed(done.promise, at(minutes)).effects == ()


# --- many promises -----------------------------------------------------------------------------


HELD = {
    "while it is held back": ({}, -1, 0),
    "from then on": ({}, 0, 25),
    "while what answers it is held back": ({"answered_at": at(3)}, 2, 3),
    "while what takes its place is held back": ({"released_at": at(3)}, 2, 3),
    "after its answer": ({"answered_at": at(3)}, 3, None),
    "if it is due before that answer": ({"answered_at": at(31)}, 29, 30),
}


@pytest.mark.parametrize(("facts", "minutes", "look"), HELD.values(), ids=HELD.keys())
def test_the_next_look_is_at_a_stage_or_at_the_end_of_a_hold(facts, minutes, look):
    found = next_look(a_promise(**facts), at(minutes))
    assert found == (None if look is None else at(look))


def test_responders_read_the_promise_of_a_private_incident():
    promises = [a_promise(internal=True), a_promise(entry=3, public_at=at(1))]

    assert shown(promises, at(0), internal=True) == promises[0]
    assert shown(promises, at(2), internal=True) == promises[0]
    assert shown(promises, at(2)) == promises[1]
    assert shown(promises[:1], at(2)) is None


def test_the_newest_promise_is_in_force_until_something_ends_it():
    old, new = a_promise(released_at=at(10)), a_promise(entry=5)

    assert in_force([old, new]) == new
    assert in_force([old]) is None
    assert in_force([]) is None


def test_the_public_reads_the_newest_promise_that_is_public():
    old = a_promise(released_at=at(10), release=Release.MOVED)
    new = a_promise(entry=5, public_at=at(10), due_at=at(50))
    unsaid = a_promise(entry=7, public_at=at(20), released_at=at(19))
    internal = a_promise(entry=8, public_at=at(20), internal=True)

    assert shown([old, new, unsaid, internal], at(9)) == old
    assert shown([old, new, unsaid, internal], at(10)) == new
    assert shown([old, new, unsaid, internal], at(99)) == new
    assert shown([replace(new, answered_at=at(30))], at(30)) is None
    assert shown([], NINE) is None


@pytest.mark.parametrize(
    ("facts", "answers"),
    [
        ({}, True),
        ({"answered_at": at(3), "answered_by": 3}, False),
        ({"released_at": at(10), "release": Release.MOVED}, False),
        ({"released_at": at(31), "release": Release.MOVED}, True),
        ({"released_at": at(31), "release": Release.PERSON}, True),
        ({"released_at": at(31), "release": Release.ENDED}, False),
        ({"released_at": at(31), "release": Release.READERS}, False),
    ],
)
def test_a_text_answers_what_still_waits_for_it(facts, answers):
    (promise,) = answered([a_promise(**facts)], entry=9, public_at=at(40))

    assert (promise.answered_by == 9) is answers


@pytest.mark.parametrize("internal", [True, False])
def test_a_text_answers_promises_to_its_own_readers(internal):
    (promise,) = answered([a_promise()], entry=9, public_at=at(40), internal=internal)

    assert (promise.answered_by == 9) is not internal


def test_a_release_ends_the_promise_in_force():
    kept = a_promise(answered_at=at(5))
    ended = list(released([kept, a_promise(entry=5)], Release.PERSON, at=at(10)))

    assert ended == [kept, a_promise(entry=5, released_at=at(10), release=Release.PERSON)]


def test_a_promise_stays_until_the_one_that_follows_is_public():
    (old,) = released([a_promise()], Release.MOVED, at=at(11), since=at(10))
    held = a_promise(entry=5, public_at=at(11))
    moved, unsaid = released([old, held], Release.MOVED, at=at(12), since=at(10.5))

    assert old.released_at == at(11)
    assert moved.released_at == at(12)
    assert unsaid.state(at(12)) is PromiseState.UNSAID


def test_other_readers_end_a_promise_with_the_texts_that_they_will_never_see():
    held, kept = withheld([a_promise(answered_at=at(11)), a_promise(answered_at=at(5))], at=at(10))

    assert (held.answered_at, held.release) == (None, Release.READERS)
    assert kept.state(at(60)) is PromiseState.KEPT


# --- a text that was taken back ----------------------------------------------------------------

TEXT = 4
OLD = a_promise(answered_at=at(11), answered_by=TEXT)
NEW = a_promise(entry=TEXT, public_at=at(11), due_at=at(41))


def test_a_text_that_was_taken_back_keeps_nothing_and_promises_nothing():
    old, new = taken_back([OLD, NEW], {}, entry=TEXT, ended_at=None, at=at(10.5))

    assert old == replace(OLD, answered_at=None, answered_by=None)
    assert new.state(at(60)) is PromiseState.UNSAID


def test_the_next_text_keeps_it_instead():
    texts = {1: at(-5), 6: at(13), 7: at(14)}
    old, _ = taken_back([OLD, NEW], texts, entry=TEXT, ended_at=None, at=at(10.5))

    assert (old.answered_at, old.answered_by) == (at(13), 6)


def test_a_promise_that_was_made_meanwhile_takes_its_place():
    other = a_promise(entry=6, public_at=at(12), due_at=at(50))
    old, _, after = taken_back([OLD, NEW, other], {}, entry=TEXT, ended_at=None, at=at(10.5))

    assert (old.released_at, old.release) == (at(12), Release.MOVED)
    assert after == other


def test_the_end_stays_when_the_text_of_it_is_taken_back():
    (old,) = taken_back([OLD], {}, entry=TEXT, ended_at=at(10.4), at=at(10.5))

    assert (old.released_at, old.release) == (at(10.4), Release.ENDED)
    assert old.state(at(60)) is PromiseState.RELEASED


def test_a_promise_that_another_text_kept_is_left_alone():
    other = a_promise(answered_at=at(5), answered_by=3)

    assert list(taken_back([other], {}, entry=TEXT, ended_at=None, at=at(10.5))) == [other]


@pytest.mark.parametrize(
    ("asked", "default"),
    [
        (NextUpdate(), True),
        (NextUpdate(within=timedelta(minutes=5)), False),
        (NextUpdate(by=NINE), False),
        (NextUpdate(later=timedelta(minutes=5)), False),
    ],
)
def test_without_a_time_the_severity_decides(asked, default):
    assert asked.is_default is default
