"""Declaring: the facts of a new incident, and the refused declarations."""

from datetime import UTC, datetime, timedelta

import pytest

from core.commands import Declare
from core.errors import InvalidField
from core.incident import Incident, Kind, Place, Severity, Update, Visibility, update_id
from core.lifecycle import PRESETS, RESPONSE, STATUSPAGE, PublicWord
from tests.builders import (
    ADA,
    GRACE,
    INCIDENTS_CHANNEL,
    NINE,
    WORKSPACE,
    a_declaration,
    an_actor,
    an_id,
    decide,
    known,
)


def test_the_least_that_can_be_said_declares_an_incident():
    command = Declare(
        actor=an_actor(ADA), id=an_id("new"), title="Checkout is down", lifecycle=STATUSPAGE
    )

    decision = decide(None, command, known(number=7), at=NINE)

    assert decision.incident == Incident(
        id=an_id("new"),
        workspace=WORKSPACE,
        number=7,
        title="Checkout is down",
        severity=Severity.MEDIUM,
        lifecycle=STATUSPAGE,
        status="investigating",
        private=False,
        declared_by=ADA,
        owner=None,
        acknowledged_by=None,
        components=(),
        description=None,
        category=None,
        place=None,
        started_at=NINE,
        created_at=NINE,
        updated_at=NINE,
        version=1,
        last_entry=1,
    )
    assert decision.incident.name == "INC-7"


def test_all_that_is_said_is_kept():
    decision = decide(
        None,
        a_declaration(
            actor=an_actor(GRACE),
            lifecycle=RESPONSE,
            severity=Severity.CRITICAL,
            private=True,
            owner=ADA,
            description=" since the deploy\r\nof build 311 \n",
            category=" status  code ",
            started_at=NINE - timedelta(hours=1),
            place=Place(INCIDENTS_CHANNEL, private=True),
        ),
        known(number=43),
        at=NINE,
    )

    incident = decision.incident
    assert incident.lifecycle == RESPONSE
    assert incident.severity is Severity.CRITICAL
    assert incident.private
    assert (incident.declared_by, incident.owner) == (GRACE, ADA)
    assert incident.description == "since the deploy\nof build 311"
    assert incident.category == "status code"
    assert incident.started_at == NINE - timedelta(hours=1)
    assert incident.created_at == incident.updated_at == NINE
    assert incident.place == Place(INCIDENTS_CHANNEL, private=True)


@pytest.mark.parametrize("lifecycle", PRESETS, ids=lambda lifecycle: lifecycle.name)
def test_an_incident_begins_in_the_initial_status_of_its_lifecycle(lifecycle):
    incident = decide(None, a_declaration(lifecycle=lifecycle), known(), at=NINE).incident

    assert incident.status == lifecycle.initial
    assert incident.next_steps == lifecycle.next_steps(lifecycle.initial)
    assert incident.public_word is PublicWord.INVESTIGATING
    assert not incident.terminal


def test_the_declaration_is_the_first_update():
    decision = decide(None, a_declaration(actor=an_actor(GRACE)), known(), at=NINE)

    assert decision.updates == (
        Update(
            id=update_id(decision.incident.id, 1),
            incident=decision.incident.id,
            entry=1,
            kind=Kind.DECLARED,
            visibility=Visibility.INTERNAL,
            by=GRACE,
            at=NINE,
            new="investigating",
        ),
    )
    assert decision.updates[0].status_change == "investigating"


@pytest.mark.parametrize("description", [None, "", " \n\t"], ids=["none", "nothing", "white space"])
def test_a_description_may_be_left_out(description):
    decision = decide(None, a_declaration(description=description), known(), at=NINE)

    assert decision.incident.description is None


def test_a_description_has_at_most_10000_characters():
    kept = decide(None, a_declaration(description="x" * 10_000), known(), at=NINE)
    assert kept.incident.description == "x" * 10_000

    with pytest.raises(InvalidField) as refused:
        decide(None, a_declaration(description="x" * 10_001), known(), at=NINE)
    assert refused.value.message == "The description has 10,001 characters: at most 10,000 fit."


def test_a_description_holds_no_control_characters():
    with pytest.raises(InvalidField) as refused:
        decide(None, a_declaration(description="a\x00b"), known(), at=NINE)

    assert refused.value.field == "description"


@pytest.mark.parametrize("earlier", [timedelta(0), timedelta(days=2)], ids=["now", "two days ago"])
def test_an_incident_may_have_begun_before_it_was_declared(earlier):
    decision = decide(None, a_declaration(started_at=NINE - earlier), known(), at=NINE)

    assert decision.incident.started_at == NINE - earlier


def test_an_incident_cannot_have_begun_after_it_was_declared():
    with pytest.raises(InvalidField) as refused:
        decide(None, a_declaration(started_at=NINE + timedelta(milliseconds=1)), known(), at=NINE)

    assert refused.value.field == "started_at"


def test_it_cannot_have_begun_before_the_calendars_agree():
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    decision = decide(None, a_declaration(started_at=epoch), known(), at=NINE)
    assert decision.incident.started_at == epoch

    with pytest.raises(InvalidField) as refused:
        decide(None, a_declaration(started_at=epoch - timedelta(seconds=1)), known(), at=NINE)
    assert refused.value.message == (
        "The time of the start lies before 1970: leave it out, or give a later one."
    )


def test_a_category_has_at_most_100_characters():
    with pytest.raises(InvalidField) as refused:
        decide(None, a_declaration(category="x" * 101), known(), at=NINE)

    assert refused.value.field == "category"
