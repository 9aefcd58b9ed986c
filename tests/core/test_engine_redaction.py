"""Redaction: permission, time limit, and the facts that stay."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import Redact
from core.decision import Decision
from core.incident import Kind, Visibility
from core.missing import NoSuchEntry
from core.refusals import NothingToRedact, RedactionNotPermitted
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    an_actor,
    an_id,
    an_incident,
    an_update,
    decide,
    known,
)

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
AUTHOR, OTHER, ADMIN = an_actor(ADA), an_actor(GRACE), an_actor(LINUS, admin=True)

NOTE = an_update()
WITH_STEP = an_update(kind=Kind.MOVED, old="investigating", new="identified")
PUBLIC = an_update(visibility=Visibility.PUBLIC, body="We are on it.")
WITHDRAWN = replace(NOTE, body=None, redacted_at=NINE + MINUTE, redacted_by=ADA)
WITHDRAWN_BY_ADMIN = replace(WITHDRAWN, redacted_by=LINUS)


def redact(entry, *, by=AUTHOR, after, incident=None):
    return decide(
        incident or an_incident(last_entry=2, version=2),
        Redact(actor=by, ref=42, entry=2),
        known(entry=entry),
        at=NINE + after,
    )


@pytest.mark.parametrize("entry", [NOTE, WITH_STEP, PUBLIC], ids=["note", "with a step", "public"])
@pytest.mark.parametrize(
    ("by", "after"),
    [
        pytest.param(AUTHOR, timedelta(0), id="author at once"),
        pytest.param(AUTHOR, timedelta(seconds=300), id="author after 300 s"),
        pytest.param(ADMIN, timedelta(0), id="admin at once"),
        pytest.param(ADMIN, timedelta(days=400), id="admin a year later"),
    ],
)
def test_the_body_goes_and_author_time_and_transition_stay(entry, by, after):
    decision = redact(entry, by=by, after=after)

    assert decision.redacted == replace(
        entry, body=None, redacted_at=NINE + after, redacted_by=by.person
    )
    assert decision.redacted.redacted
    assert decision.redacted.status_change == entry.status_change
    assert decision.changes_anything


def test_a_redaction_is_a_change_of_the_incident_but_no_new_entry():
    incident = an_incident(last_entry=2, version=2)

    decision = redact(NOTE, after=MINUTE)

    assert decision.updates == ()
    assert decision.incident == replace(incident, version=3, updated_at=NINE + MINUTE)


@pytest.mark.parametrize(
    ("entry", "by", "after"),
    [
        pytest.param(NOTE, AUTHOR, timedelta(seconds=300.001), id="author after 300.001 s"),
        pytest.param(NOTE, OTHER, timedelta(0), id="somebody else"),
        pytest.param(WITHDRAWN, OTHER, timedelta(0), id="somebody else, withdrawn already"),
        pytest.param(WITHDRAWN_BY_ADMIN, OTHER, timedelta(0), id="somebody else, by an admin"),
    ],
)
def test_nobody_else_may(entry, by, after):
    incident = an_incident()

    with pytest.raises(RedactionNotPermitted) as refused:
        redact(entry, by=by, after=after, incident=incident)

    assert (refused.value.incident, refused.value.update) == (incident, entry)


@pytest.mark.parametrize(
    ("entry", "by", "after"),
    [
        pytest.param(WITHDRAWN, AUTHOR, 2 * MINUTE, id="the author in time"),
        pytest.param(WITHDRAWN, AUTHOR, 60 * MINUTE, id="the author late"),
        pytest.param(WITHDRAWN, ADMIN, 60 * MINUTE, id="an admin after the author"),
        pytest.param(WITHDRAWN_BY_ADMIN, AUTHOR, 60 * MINUTE, id="the author after an admin"),
        pytest.param(
            WITHDRAWN_BY_ADMIN, an_actor(LINUS), 60 * MINUTE, id="whoever did it, no admin any more"
        ),
    ],
)
def test_a_second_redaction_succeeds_and_changes_nothing(entry, by, after):
    incident = an_incident(last_entry=2, version=3)

    decision = redact(entry, by=by, after=after, incident=incident)

    assert decision == Decision(incident=incident)
    assert not decision.changes_anything


@pytest.mark.parametrize("by", [AUTHOR, ADMIN], ids=["author", "admin"])
@pytest.mark.parametrize(
    "entry",
    [
        an_update(kind=Kind.MOVED, body=None, old="investigating", new="identified"),
        an_update(kind=Kind.SEVERITY, body=None, old="high", new="low"),
    ],
    ids=["bare transition", "severity"],
)
def test_an_update_without_a_body_cannot_be_redacted(entry, by):
    with pytest.raises(NothingToRedact) as refused:
        redact(entry, by=by, after=MINUTE)

    assert refused.value.update == entry


@pytest.mark.parametrize("entry", [99, an_id("elsewhere")], ids=["number", "id"])
def test_an_entry_that_is_not_there_cannot_be_redacted(entry):
    incident = an_incident()

    with pytest.raises(NoSuchEntry) as refused:
        decide(incident, Redact(actor=ADMIN, ref=42, entry=entry), known(), at=NINE)

    assert refused.value.incident is incident


@pytest.mark.parametrize("by", [AUTHOR, ADMIN], ids=["author", "admin"])
def test_redaction_is_the_one_thing_that_is_accepted_after_the_end(by):
    over = an_incident(status="resolved", last_entry=9, version=9)

    assert redact(NOTE, by=by, after=MINUTE, incident=over).redacted.body is None


@pytest.mark.parametrize(
    ("public_at", "after", "taken_back"),
    [
        pytest.param(None, timedelta(0), False, id="never held back"),
        pytest.param(NINE + 10 * SECOND, timedelta(0), True, id="at once"),
        pytest.param(NINE + 10 * SECOND, 9 * SECOND, True, id="just in time"),
        pytest.param(NINE + 10 * SECOND, 10 * SECOND, False, id="just too late"),
        pytest.param(NINE + 10 * SECOND, MINUTE, False, id="late"),
    ],
)
def test_a_text_is_taken_back_until_the_moment_it_is_public(public_at, after, taken_back):
    held_back = replace(PUBLIC, public_at=public_at)

    assert redact(held_back, after=after).redacted.taken_back is taken_back
    assert not held_back.taken_back
