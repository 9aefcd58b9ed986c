"""A public incident as it was at a moment, and one that keeps what it had on another page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.incident import PublicText, Severity
from core.lifecycle import PublicWord
from core.page import Affected, ComponentStatus
from core.projection import as_of, page_incident
from core.public_side import (
    KeptAffected,
    KeptIncident,
    KeptUpdate,
    PublicPromise,
    PublicUpdate,
)
from tests.builders import NINE, a_component, a_public_incident

MINUTE = timedelta(minutes=1)
API, WEB = a_component("API"), a_component("Web")
WORDS = PublicWord.INVESTIGATING, PublicWord.IDENTIFIED, PublicWord.RESOLVED


def at(minutes):
    return NINE + minutes * MINUTE


def told(entry, word=None, body=None, *, minute=None, **changes: Any):
    """A public update; without a ``minute`` its number is the minute, too."""
    moment = at(entry if minute is None else minute)
    return PublicUpdate(
        entry=entry,
        body=None if body is None else PublicText(body),
        status=word and word.value,
        word=word,
        at=moment,
        changed_at=moment,
        **changes,
    )


LOOK, FOUND, OVER = (told(entry, word) for entry, word in enumerate(WORDS, 1))
TEXT = told(4, body="More tomorrow.", minute=3)
ENDED = a_public_incident(
    status="resolved",
    word=PublicWord.RESOLVED,
    terminal=True,
    severity=Severity.LOW,
    components=(API, WEB),
    severities=((at(0), Severity.HIGH), (at(2), Severity.LOW)),
    tags=((at(0), (API,)), (at(3), (API, WEB))),
    updated_at=at(3),
    resolved_at=at(3),
    updates=(TEXT, OVER, FOUND, LOOK),
)


# --- as it was ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minute", "entry", "status", "severity", "components", "entries"),
    [
        (1, None, "investigating", Severity.HIGH, (API,), [1]),
        (2, None, "identified", Severity.LOW, (API,), [2, 1]),
        (2.5, None, "identified", Severity.LOW, (API,), [2, 1]),
        (3, 3, "resolved", Severity.LOW, (API, WEB), [3, 2, 1]),
        (3, None, "resolved", Severity.LOW, (API, WEB), [4, 3, 2, 1]),
        (9, 3, "resolved", Severity.LOW, (API, WEB), [4, 3, 2, 1]),
    ],
    ids=["at first", "at a step", "between", "up to an entry", "at its end", "later"],
)
def test_an_incident_is_shown_as_it_was(minute, entry, status, severity, components, entries):
    was = as_of(ENDED, at=at(minute), entry=entry)

    assert (was.status, was.word.value, was.severity) == (status, status, severity)
    assert was.components == components
    assert [one.entry for one in was.updates] == entries
    assert was.updated_at == at(min(minute, 3))
    assert was.resolved_at == (at(3) if minute >= 3 else None)


def test_without_a_course_and_without_a_step_its_facts_are_those_of_now():
    bare = replace(ENDED, severities=(), tags=(), updates=(TEXT,))

    was = as_of(bare, at=at(3), entry=None)

    assert (was.severity, was.components) == (Severity.LOW, (API, WEB))
    assert (was.status, was.word) == ("resolved", PublicWord.RESOLVED)


# --- what it keeps of another page -------------------------------------------------------------


def kept(number, status, *affected):
    return KeptUpdate(
        id=f"update-{number}",
        status=status,
        created_at=at(number),
        updated_at=at(number),
        affected=affected or None,
    )


DOWN = KeptAffected(API.id, "The API", "operational", "major_outage")
THERE = KeptIncident(id="there", entries=4, created_at=NINE, updated_at=NINE)
IMPORTED = replace(
    ENDED,
    kept=THERE,
    updates=(
        replace(TEXT, word=PublicWord.RESOLVED, kept=kept(4, "postmortem")),
        replace(OVER, body=PublicText("It is over."), kept=kept(3, "resolved")),
        replace(FOUND, body=PublicText("We found it."), kept=kept(2, "identified", DOWN)),
        LOOK,
    ),
)


def test_an_imported_incident_begins_with_its_first_text():
    shown = page_incident(IMPORTED)

    assert [one.entry for one in shown.updates] == [4, 3, 2]
    assert [one.entry for one in page_incident(replace(IMPORTED, kept=None)).updates] == [
        4,
        3,
        2,
        1,
    ]


def test_an_imported_text_keeps_its_word_and_its_components():
    *_, found = page_incident(IMPORTED).updates

    assert found.affected == (
        Affected(
            id=API.id,
            name="The API",
            old=ComponentStatus.OPERATIONAL,
            new=ComponentStatus.MAJOR_OUTAGE,
        ),
    )
    assert [one.status for one in page_incident(IMPORTED).updates] == [
        "postmortem",
        "resolved",
        "identified",
    ]


@pytest.mark.parametrize(
    ("incident", "status"),
    [
        (IMPORTED, "postmortem"),
        (replace(IMPORTED, updates=IMPORTED.updates[1:]), "resolved"),
        (ENDED, "resolved"),
        (replace(ENDED, updates=()), "resolved"),
        (a_public_incident(), "identified"),
    ],
    ids=["a text after the end", "no text after it", "not imported", "no updates", "open"],
)
def test_its_status_is_the_public_word_or_that_of_a_postmortem(incident, status):
    assert page_incident(incident).status == status


@pytest.mark.parametrize(
    ("there", "since"), [(THERE, at(2)), (replace(THERE, monitoring_at=at(1)), at(1))]
)
def test_monitoring_begins_when_the_page_said_so_else_with_the_word(there, since):
    watched = told(2, PublicWord.MONITORING)
    incident = replace(ENDED, updates=(watched, LOOK), kept=there)

    assert page_incident(incident).monitoring_at == since


# --- order, and the newest change --------------------------------------------------------------


@pytest.mark.parametrize(
    ("promise", "since"),
    [
        (None, at(5)),
        (PublicPromise(at(30)), at(5)),
        (PublicPromise(at(30), overdue=True), at(30)),
        (PublicPromise(at(3), overdue=True), at(5)),
    ],
    ids=["no promise", "one to come", "one that was broken", "one that was broken before"],
)
def test_its_newest_change_is_a_write_or_a_promise_that_was_broken(promise, since):
    assert page_incident(a_public_incident(next_update=promise)).since == since


def test_incidents_are_ordered_by_their_declaration_and_then_by_their_number():
    first, second, third = (
        a_public_incident(number=number, declared_at=at(minute))
        for number, minute in ((9, 0), (7, 1), (8, 1))
    )

    ordered = sorted((third, second, first), key=lambda one: one.since_declared)

    assert ordered == [first, second, third]
