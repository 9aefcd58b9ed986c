"""The nouns: the properties of each."""

import pytest

from core.commands import Acknowledge
from core.decision import Decision, Outcome
from core.incident import Kind, Person, Place, PublicText, Severity, update_id
from core.lifecycle import RESPONSE, PublicWord
from core.public_side import PublicIncident
from core.refusals import Refused
from tests.builders import (
    ADA,
    CI,
    GRACE,
    NINE,
    a_component,
    a_workspace,
    an_actor,
    an_id,
    an_incident,
    an_update,
    decide,
    known,
)


def test_an_incident_and_its_public_side_go_by_the_same_name():
    public = PublicIncident(
        id=an_id("incident 42"),
        workspace="T0RATCHET",
        number=42,
        title=PublicText("Checkout is down"),
        severity=Severity.HIGH,
        status="investigating",
        word=PublicWord.INVESTIGATING,
        terminal=False,
        previous_status=None,
        components=(a_component(),),
        declared_at=NINE,
        started_at=NINE,
        updated_at=NINE,
        resolved_at=None,
    )

    assert public.name == an_incident(number=42).name == "INC-42"


def test_an_incident_knows_its_position_in_its_lifecycle():
    incident = an_incident(lifecycle=RESPONSE, status="resolved")

    assert incident.next_steps == ("closed",)
    assert not incident.terminal
    assert incident.public_word is PublicWord.RESOLVED


@pytest.mark.parametrize(
    ("kind", "moved_to"),
    [
        (Kind.DECLARED, "identified"),
        (Kind.MOVED, "identified"),
        (Kind.ACKNOWLEDGED, "identified"),
        (Kind.WROTE, None),
        (Kind.ASSIGNED, None),
        (Kind.SEVERITY, None),
        (Kind.TITLE, None),
        (Kind.COMPONENTS, None),
    ],
)
def test_some_kinds_of_update_move_an_incident(kind, moved_to):
    assert an_update(kind=kind, new="identified").status_change == moved_to


def test_an_acknowledgement_that_is_no_transition_moves_nothing():
    assert an_update(kind=Kind.ACKNOWLEDGED, new=None).status_change is None


def test_the_id_of_an_update_follows_from_the_incident_and_the_entry():
    ids = {update_id(an_id(incident), entry) for incident in "ab" for entry in (1, 2, 11)}

    assert len(ids) == 6
    assert update_id(an_id("a"), 2) == update_id(an_id("a"), 2)


@pytest.mark.parametrize(
    ("person", "in_slack"), [(ADA, True), (Person("W0ADA", "Ada"), True), (CI, False)]
)
def test_slack_can_mention_a_person_and_not_a_key(person, in_slack):
    assert person.in_slack is in_slack


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        pytest.param(None, an_incident(), True, id="declared"),
        pytest.param(an_incident(), an_incident(version=2), True, id="changed"),
        pytest.param(an_incident(), an_incident(), False, id="as it was"),
    ],
)
def test_an_outcome_says_whether_anything_was_written(before, after, changed):
    outcome = Outcome(
        incident=after, before=before, updates=(), redacted=None, workspace=a_workspace()
    )

    assert outcome.changed is changed


def test_a_decision_says_whether_anything_is_to_be_written():
    assert not Decision(incident=an_incident()).changes_anything
    assert Decision(incident=an_incident(), updates=(an_update(),)).changes_anything
    assert Decision(incident=an_incident(), redacted=an_update()).changes_anything


@pytest.mark.parametrize(
    ("facts", "acknowledgeable"),
    [
        ({}, True),
        ({"acknowledged_by": GRACE}, True),
        ({"acknowledged_by": GRACE, "owner": GRACE}, False),
        ({"status": "resolved"}, False),
        ({"lifecycle": RESPONSE}, True),
        ({"lifecycle": RESPONSE, "status": "acknowledged"}, False),
        ({"lifecycle": RESPONSE, "status": "resolved"}, False),
    ],
    ids=[
        "new",
        "acknowledged before, without an owner",
        "acknowledged before",
        "over",
        "new, with a status for it",
        "in that status",
        "past that status",
    ],
)
def test_an_incident_is_acknowledgeable_while_acknowledging_would_change_something(
    facts, acknowledgeable
):
    incident = an_incident(**facts)

    try:
        changes = decide(
            incident, Acknowledge(actor=an_actor(), ref=42), known(), at=NINE
        ).changes_anything
    except Refused:
        changes = False

    assert incident.acknowledgeable is changes is acknowledgeable


@pytest.mark.parametrize(
    ("facts", "ownerless"),
    [
        ({}, True),
        ({"owner": GRACE}, False),
        ({"status": "resolved"}, False),
        ({"lifecycle": RESPONSE}, False),
    ],
    ids=["new", "owned", "over", "acknowledging is a transition"],
)
def test_an_incident_is_ownerless_while_a_click_alone_would_make_an_owner(facts, ownerless):
    assert an_incident(**facts).ownerless is ownerless


@pytest.mark.parametrize(
    ("place", "private", "shown"),
    [
        (Place("C0HERE"), False, True),
        (Place("C0HERE", private=True), True, True),
        (Place("C0HERE"), True, False),
        (None, False, False),
    ],
    ids=["public", "private, in a private channel", "private since", "without a channel"],
)
def test_a_link_leads_only_to_a_card_that_shows_the_incident(place, private, shown):
    incident = an_incident(place=place, private=private, card_address="https://acme.slack.com/1")

    assert incident.card_link == ("https://acme.slack.com/1" if shown else None)
