"""The walk: several legal steps in one act, each in the timeline; to the public, one update."""

from typing import Any

import pytest

from core.commands import Walk
from core.decision import Surface
from core.errors import InvalidField
from core.incident import Kind, Note, PublicText, Visibility
from core.lifecycle import RESPONSE
from core.refusals import (
    IncidentResolved,
    NoPublicSurface,
    StaleStatus,
    TransitionNotAllowed,
    UnknownStatus,
)
from tests.builders import (
    ADA,
    NINE,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

REASON = Note("It was over before we looked.")


def walk(incident=None, **changes):
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42, "to": "resolved", "reason": REASON}
    moved = an_update(kind=Kind.MOVED, old="investigating", new="identified")
    return decide(incident or an_incident(), Walk(**fields | changes), known(moved=moved), at=NINE)


def test_each_step_is_an_entry_and_the_reason_is_of_the_last():
    decision = walk()

    assert [(one.old, one.new, one.body, one.passed) for one in decision.updates] == [
        ("investigating", "identified", None, True),
        ("identified", "monitoring", None, True),
        ("monitoring", "resolved", REASON, False),
    ]
    assert (decision.incident.status, decision.incident.version) == ("resolved", 2)


def test_the_public_text_rides_on_the_last_step_and_is_one_reply():
    decision = walk(public=PublicText("All is well."))

    assert [(one.new, one.body, one.visibility) for one in decision.updates] == [
        ("identified", None, Visibility.INTERNAL),
        ("monitoring", None, Visibility.INTERNAL),
        ("resolved", "All is well.", Visibility.PUBLIC),
        (None, REASON, Visibility.INTERNAL),
    ]
    assert [(one.surface, one.entry) for one in decision.envelopes] == [
        (Surface.WORKING_CARD, None),
        (Surface.STATUS_CARD, None),
        (Surface.PUBLIC_UPDATE, 4),
    ]


def test_a_walk_through_acknowledged_makes_nobody_owner():
    decision = walk(an_incident(lifecycle=RESPONSE, status="open"), to="closed")

    assert [one.new for one in decision.updates] == ["acknowledged", "closed"]
    assert decision.incident.owner is None
    assert decision.incident.acknowledged_by is None


def test_a_walk_that_ends_at_acknowledged_acknowledges():
    decision = walk(an_incident(lifecycle=RESPONSE, status="open"), to="acknowledged")

    assert decision.incident.owner == decision.incident.acknowledged_by == ADA


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_the_reason_is_required(reason):
    with pytest.raises(InvalidField) as refused:
        walk(reason=Note(reason))

    assert refused.value.field == "note"


@pytest.mark.parametrize(
    ("incident", "asked", "refusal"),
    [
        ({"status": "resolved"}, {"to": "identified"}, IncidentResolved),
        ({"status": "monitoring"}, {"to": "identified"}, TransitionNotAllowed),
        ({}, {"to": "investigating"}, TransitionNotAllowed),
        ({}, {"to": "closed"}, UnknownStatus),
        ({"status": "identified"}, {"expected_status": "investigating"}, StaleStatus),
        ({"private": True}, {"public": PublicText("Soon.")}, NoPublicSurface),
    ],
    ids=["after the end", "back", "to the same", "unknown", "out of date", "no public side"],
)
def test_a_walk_is_refused_like_a_step(incident, asked, refusal):
    with pytest.raises(refusal):
        walk(an_incident(**incident), **asked)


def test_without_a_status_channel_a_walk_publishes_nothing():
    command = Walk(
        actor=an_actor(), ref=42, to="resolved", reason=REASON, public=PublicText("Soon.")
    )

    with pytest.raises(NoPublicSurface):
        decide(an_incident(), command, known(workspace=a_workspace(status_channel=None)), at=NINE)
