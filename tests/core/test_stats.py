"""Statistics: pure folds over timelines, beside the figures of the period before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Outcome
from core.incident import Kind, PublicText, Resolution, Resolved, Severity, Visibility
from core.moments import moments_of
from core.promise import Promise, Score
from core.public_side import PublicUpdate
from core.stats import (
    Measured,
    Milestone,
    Silence,
    Spread,
    first_words,
    measure,
    milestones,
    statistics,
)
from core.tables import FigureRow, rows_of
from tests.builders import (
    ADA,
    NINE,
    a_component,
    a_public_incident,
    a_workspace,
    an_incident,
    an_update,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PUBLIC = {"visibility": Visibility.PUBLIC}


def at(minutes):
    return NINE + minutes * MINUTE


def entry(number, minutes, kind, **changes):
    return an_update(**{"entry": number, "kind": kind, "at": at(minutes), "body": None} | changes)


DECLARED = entry(1, 0, Kind.DECLARED, new="investigating")
TOLD = entry(3, 9, Kind.WROTE, body="We look.", public_at=at(10), **PUBLIC)
RUN = (
    DECLARED,
    entry(2, 4, Kind.ACKNOWLEDGED),
    TOLD,
    entry(4, 20, Kind.MOVED, old="investigating", new="identified"),
    entry(5, 55, Kind.MOVED, old="identified", new="monitoring", passed=True),
    entry(6, 60, Kind.MOVED, old="monitoring", new="resolved"),
)
RESOLVED = an_incident(status="resolved")


def test_the_moments_of_an_incident_are_read_from_its_timeline():
    reached = moments_of(RESOLVED, RUN)

    assert reached.acknowledged == at(4)
    assert reached.resolved == at(60)
    assert reached.public_texts == (at(10),)
    assert reached.first_public_text == at(10)
    # The step of a walk before its last is none that the public sees.
    assert reached.public == (at(0), at(10), at(20), at(60))


def test_only_the_first_of_each_moment_counts():
    again = (
        *RUN,
        entry(7, 70, Kind.ACKNOWLEDGED),
        entry(8, 80, Kind.MOVED, old="monitoring", new="resolved"),
    )

    reached = moments_of(RESOLVED, again)

    assert (reached.acknowledged, reached.resolved) == (at(4), at(60))
    assert at(80) not in reached.public


def test_a_text_that_was_taken_back_was_never_public():
    taken_back = replace(TOLD, body=None, redacted_at=at(9), redacted_by=ADA)

    assert moments_of(an_incident(), (DECLARED, taken_back)).first_public_text is None


def test_a_text_that_was_withdrawn_later_was_public():
    withdrawn = replace(TOLD, body=None, redacted_at=at(30), redacted_by=ADA)

    assert moments_of(an_incident(), (DECLARED, withdrawn)).first_public_text == at(10)


def test_an_incident_is_measured():
    measured = measure(RESOLVED, RUN, at=at(90))

    assert measured == Measured(
        number=42,
        severity=Severity.HIGH,
        components=(),
        declared=NINE,
        is_open=False,
        resolution=None,
        to_acknowledge=4 * MINUTE,
        to_public_text=10 * MINUTE,
        to_resolve=HOUR,
        silence=40 * MINUTE,
    )


def test_times_to_the_public_count_from_the_start_and_the_acknowledgement_does_not():
    measured = measure(replace(RESOLVED, started_at=NINE - HOUR), RUN, at=at(90))

    assert measured.to_acknowledge == 4 * MINUTE
    assert measured.to_public_text == 70 * MINUTE
    assert measured.to_resolve == 2 * HOUR
    assert measured.silence == 40 * MINUTE


def test_the_promises_of_an_incident_are_scored_at_that_moment():
    promise = Promise(entry=2, public_at=NINE, due_at=at(30))

    assert measure(an_incident(), (DECLARED,), [promise], at=at(30)).promises == Score()
    assert measure(an_incident(), (DECLARED,), [promise], at=at(31)).promises == Score(broken=1)


def test_an_open_incident_is_silent_until_now():
    measured = measure(an_incident(), (DECLARED, TOLD), at=at(100))

    assert measured.is_open
    assert measured.silence == 90 * MINUTE
    assert (measured.to_acknowledge, measured.to_resolve) == (None, None)


def test_a_text_that_is_held_back_is_not_public_yet():
    measured = measure(an_incident(), (DECLARED, TOLD), at=at(9))

    assert measured.to_public_text is None
    assert measured.silence == 9 * MINUTE


@pytest.mark.parametrize("how", [Resolution.FALSE_ALARM, Resolution.DUPLICATE])
def test_false_alarms_and_duplicates_have_no_times(how):
    measured = measure(replace(RESOLVED, resolution=Resolved(how=how)), RUN, at=at(90))

    assert measured.resolution is how
    times = (
        measured.to_acknowledge,
        measured.to_public_text,
        measured.to_resolve,
        measured.silence,
    )
    assert times == (None, None, None, None)


def test_a_private_incident_has_no_public_times():
    measured = measure(replace(RESOLVED, private=True), RUN, at=at(90))

    assert (measured.to_public_text, measured.silence) == (None, None)
    assert (measured.to_acknowledge, measured.to_resolve) == (4 * MINUTE, HOUR)


# --- figures -----------------------------------------------------------------------------------


def a_measure(number=1, minutes=None, **changes):
    fields = {
        "number": number,
        "severity": Severity.HIGH,
        "components": (),
        "declared": NINE,
        "is_open": False,
        "resolution": None,
        "to_acknowledge": None,
        "to_public_text": None,
        "to_resolve": None if minutes is None else minutes * MINUTE,
        "silence": None,
    }
    return Measured(**fields | changes)


def figures(*measured, since=NINE - 7 * DAY, until=NINE + DAY):
    return statistics(measured, since=since, until=until)


@pytest.mark.parametrize(
    ("minutes", "median", "p90"),
    [
        ([5], 5, 5),
        ([1, 3], 2, 3),
        ([9, 1, 5], 5, 9),
        (range(1, 11), 5.5, 9),
        (range(1, 12), 6, 10),
        (range(1, 101), 50.5, 90),
    ],
)
def test_median_and_p90_are_those_of_the_definitions(minutes, median, p90):
    spread = figures(*(a_measure(n, n) for n in minutes)).whole.now.to_resolve

    assert spread == Spread(count=len(minutes), median=median * MINUTE, p90=p90 * MINUTE)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_nine_of_ten_take_no_longer_than_the_p90(minutes):
    spread = figures(*(a_measure(n, m) for n, m in enumerate(minutes))).whole.now.to_resolve
    times = [m * MINUTE for m in minutes]

    assert sum(time <= spread.p90 for time in times) * 10 >= 9 * len(times)
    assert sum(time < spread.p90 for time in times) * 10 < 9 * len(times)
    assert sum(time <= spread.median for time in times) * 2 >= len(times)
    assert sum(time >= spread.median for time in times) * 2 >= len(times)


def test_without_any_time_there_is_no_median():
    assert figures(a_measure()).whole.now.to_resolve == Spread(count=0, median=None, p90=None)


def test_the_longest_silence_is_that_of_the_older_of_two_alike():
    silent = [a_measure(n, silence=span * MINUTE) for n, span in ((3, 5), (4, 8), (2, 8))]

    assert figures(*silent).whole.now.silence == Silence(span=8 * MINUTE, number=2)
    assert figures().whole.now.silence is None


def test_an_incident_counts_in_the_period_of_its_declaration():
    since = NINE
    told = figures(
        a_measure(1, declared=NINE - timedelta(seconds=1)), a_measure(2, declared=NINE), since=since
    )

    assert (told.whole.now.incidents, told.whole.before.incidents) == (1, 1)
    assert told.before == NINE - DAY


def test_there_are_figures_for_each_severity_and_each_component():
    api, web = a_component("api"), a_component("Web")
    told = figures(
        a_measure(1, severity=Severity.LOW, components=(web, api), is_open=True),
        a_measure(2, components=(api,), resolution=Resolution.FALSE_ALARM),
        a_measure(3, components=(), resolution=Resolution.DUPLICATE),
    )

    assert [(s, one.now.incidents) for s, one in told.severities] == [
        (Severity.CRITICAL, 0),
        (Severity.HIGH, 2),
        (Severity.MEDIUM, 0),
        (Severity.LOW, 1),
    ]
    assert [(c, one.now.incidents) for c, one in told.components] == [(api, 2), (web, 1)]
    now = told.whole.now
    assert (now.incidents, now.is_open, now.false_alarms, now.duplicates) == (3, 1, 1, 1)


def test_the_figures_are_said_in_words():
    told = figures(
        a_measure(1, 10, is_open=True, silence=HOUR, promises=Score(kept=2, late=1)),
        a_measure(2, 20, resolution=Resolution.FALSE_ALARM, promises=Score(kept=1)),
        a_measure(3, declared=NINE - 8 * DAY),
        since=NINE - DAY,
        until=NINE + 8 * DAY,
    )

    assert list(rows_of(told.whole)) == [
        FigureRow(label="Incidents", now="2, 1 open, 1 false alarm", before="1"),
        FigureRow(label="To acknowledge", now="none", before="none"),
        FigureRow(label="To the first public update", now="none", before="none"),
        FigureRow(label="To resolve", now="median 15 min, p90 20 min, n 2", before="none"),
        FigureRow(label="Longest public silence", now="1 h, INC-1", before="none"),
        FigureRow(label="Promises", now="3 kept, 1 late", before="none"),
    ]


# --- for metrics -------------------------------------------------------------------------------


def outcome(before, after):
    return Outcome(
        incident=after, before=before, updates=(), redacted=None, workspace=a_workspace()
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"acknowledged_by": ADA}, ("acknowledge", 60 * MINUTE)),
        ({"status": "resolved"}, ("resolve", 90 * MINUTE)),
        ({"status": "identified"}, None),
        ({"status": "resolved", "private": True}, None),
    ],
)
def test_a_public_incident_reaches_a_milestone_once(changes, expected):
    before = an_incident(created_at=NINE, started_at=NINE - 30 * MINUTE)
    after = replace(before, updated_at=at(60), **changes)

    reached = [(one.name, one.after) for one in milestones(outcome(before, after))]

    assert reached == ([expected] if expected else [])
    assert list(milestones(outcome(after, after))) == []
    assert {type(one) for one in milestones(outcome(before, after))} <= {Milestone}


def test_a_declaration_is_no_milestone():
    assert list(milestones(outcome(None, an_incident()))) == []


def said(entry, body=None, **changes):
    fields = {"at": at(entry), "changed_at": at(entry)} | changes
    return PublicUpdate(entry=entry, body=body, status=None, word=None, **fields)


@pytest.mark.parametrize(
    ("entry", "older", "first"),
    [
        (said(3, PublicText("We look.")), (said(1), said(2)), True),
        (said(3, PublicText("We look.")), (said(2, PublicText("We know.")),), False),
        (said(3, PublicText("We look.")), (said(2, withdrawn=True),), False),
        (said(3), (), False),
    ],
)
def test_the_first_public_text_is_a_milestone(entry, older, first):
    incident = a_public_incident(started_at=NINE, updates=(said(4, PublicText("!")), entry, *older))

    reached = first_words(incident, entry, at=at(20))

    expected = Milestone(name="public_update", severity=Severity.HIGH, after=20 * MINUTE)
    assert reached == (expected if first else None)
