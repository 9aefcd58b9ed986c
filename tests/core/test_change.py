"""`Change.asks`: the requests of a change, found in its fields rather than in a list of them."""

from dataclasses import fields

import pytest

from core import policy
from core.commands import CHANGEABLE, Change
from core.denials import Permission
from core.incident import Note, PublicText, Severity
from tests.builders import GRACE, a_change, an_actor, an_incident, decide, known

NINE = an_incident().created_at

# A value for each field that asks for something. A field without one fails the first test.
ASKED = {
    "to": "identified",
    "public": PublicText("We found the cause."),
    "note": Note("db-3 lost quorum"),
    "owner": GRACE,
    "severity": Severity.LOW,
    "title": "Checkout is slow",
    "description": "Payments time out since the deploy.",
    "components": (),
}
ADDRESS = {"actor", "ref", "expected_status", "seen", "next_update", "confirmed"}


def test_every_field_of_a_change_either_addresses_it_or_asks_for_something():
    assert {field.name for field in fields(Change)} == ADDRESS | set(ASKED)
    assert set(ASKED) == CHANGEABLE


def test_a_change_that_sets_nothing_asks_for_nothing():
    assert a_change(expected_status="identified").asks == frozenset()


@pytest.mark.parametrize("field", ASKED)
def test_a_field_that_is_set_is_asked_for(field):
    assert a_change(**{field: ASKED[field]}).asks == {field}


@pytest.mark.parametrize("field", sorted(CHANGEABLE - {"public"}))
def test_a_publisher_without_respond_may_set_nothing_beside_a_public_text(field):
    publisher = an_actor(responder=False)
    command = a_change(public=ASKED["public"], **{field: ASKED[field]})

    denied = policy.allows(publisher, command, an_incident())

    assert denied is not None
    assert denied.permission is Permission.RESPOND


@pytest.mark.parametrize("field", ASKED)
def test_no_field_that_is_set_counts_as_an_empty_update(field):
    tagged = an_incident(components=())

    decide(tagged, a_change(**{field: ASKED[field]}), known(), at=NINE)
