"""Moves: those of the table happen, the rest is refused, and refusals have an order."""

from datetime import timedelta

import pytest

from core import engine
from core.commands import Acknowledge, Redact, SetPrivacy, TakeNextStep
from core.decision import ForChange, ForRedaction
from core.errors import EmptyUpdate, InvalidField
from core.incident import Kind, Note, Severity, Update, Visibility, update_id
from core.lifecycle import PRESETS, RESPONSE, STATUSPAGE
from core.missing import NotFound, UnknownComponent
from core.refusals import (
    IncidentResolved,
    NoPublicSurface,
    SeveralNextSteps,
    StaleStatus,
    TransitionNotAllowed,
    UnknownStatus,
)
from tests.builders import (
    ADA,
    GRACE,
    NINE,
    a_change,
    a_component,
    a_declaration,
    a_workspace,
    an_actor,
    an_id,
    an_incident,
    an_update,
    decide,
    known,
)

LATER = NINE + timedelta(minutes=20)

PAIRS = [
    pytest.param(lifecycle, start.name, to.name, id=f"{lifecycle.name}: {start.name} → {to.name}")
    for lifecycle in PRESETS
    for start in lifecycle.statuses
    for to in lifecycle.statuses
]


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize(("lifecycle", "start", "to"), PAIRS)
def test_only_the_moves_of_the_table_happen(lifecycle, start, to):
    incident = an_incident(lifecycle=lifecycle, status=start)
    command = a_change(to=to)

    if to in lifecycle.next_steps(start):
        assert decide(incident, command, known(), at=LATER).incident.status == to
    elif lifecycle.is_terminal(start):
        with pytest.raises(IncidentResolved) as over:
            decide(incident, command, known(), at=LATER)
        assert over.value.incident is incident
        assert (over.value.asked, over.value.next_steps) == (to, ())
    else:
        with pytest.raises(TransitionNotAllowed) as refused:
            decide(incident, command, known(), at=LATER)
        assert refused.value.incident is incident
        assert (refused.value.asked, refused.value.next_steps) == (to, incident.next_steps)


def test_a_move_is_one_internal_update_with_the_transition():
    incident = an_incident(last_entry=4, version=7)

    decision = decide(incident, a_change(actor=an_actor(GRACE), to="identified"), known(), at=LATER)

    assert decision.updates == (
        Update(
            id=update_id(incident.id, 5),
            incident=incident.id,
            entry=5,
            kind=Kind.MOVED,
            visibility=Visibility.INTERNAL,
            by=GRACE,
            at=LATER,
            body=None,
            old="investigating",
            new="identified",
        ),
    )
    assert decision.updates[0].status_change == "identified"
    assert decision.updates[0].by.name == "Grace"


def test_a_move_changes_only_the_status_and_the_counters():
    incident = an_incident(last_entry=4, version=7)

    decision = decide(incident, a_change(to="identified"), known(), at=LATER)

    assert decision.changes_anything
    assert decision.incident == an_incident(
        status="identified", last_entry=5, version=8, updated_at=LATER
    )
    assert (decision.new_components, decision.redacted) == ((), None)


@pytest.mark.parametrize(
    ("lifecycle", "start", "asked", "path"),
    [
        (STATUSPAGE, "investigating", "resolved", ("identified", "monitoring", "resolved")),
        (STATUSPAGE, "investigating", "monitoring", ("identified", "monitoring")),
        (STATUSPAGE, "monitoring", "identified", ()),
        (STATUSPAGE, "identified", "identified", ()),
        (RESPONSE, "open", "closed", ("acknowledged", "closed")),
        (RESPONSE, "resolved", "acknowledged", ()),
    ],
)
def test_a_skip_is_answered_with_the_path_and_a_step_back_with_none(lifecycle, start, asked, path):
    with pytest.raises(TransitionNotAllowed) as refused:
        decide(
            an_incident(lifecycle=lifecycle, status=start),
            a_change(to=asked),
            known(),
            at=NINE,
        )

    assert refused.value.path == path


@pytest.mark.parametrize(
    ("asked", "suggestion"),
    [("identifed", "identified"), ("Resolved", "resolved"), ("acknowledged", None), ("", None)],
)
def test_a_status_that_the_lifecycle_has_not_is_answered_with_the_closest(asked, suggestion):
    with pytest.raises(UnknownStatus) as refused:
        decide(an_incident(), a_change(to=asked), known(), at=NINE)

    assert (refused.value.asked, refused.value.suggestion) == (asked, suggestion)


def test_at_the_end_even_an_unknown_status_is_answered_with_the_end():
    with pytest.raises(IncidentResolved) as refused:
        decide(an_incident(status="resolved"), a_change(to="identifed"), known(), at=NINE)

    assert refused.value.asked == "identifed"


@pytest.mark.parametrize(
    "asked",
    [
        {"to": "investigating"},
        {"note": "one more thing"},
        {"public": "one more thing"},
        {"owner": GRACE},
        {"severity": "low"},
        {"title": "Checkout was down"},
        {"components": ("web",)},
        pytest.param({"title": "Checkout is down"}, id="what is so already"),
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_at_the_end_no_update_is_accepted(asked):
    with pytest.raises(IncidentResolved) as refused:
        decide(an_incident(status="resolved"), a_change(**asked), known(), at=NINE)

    assert (refused.value.asked, refused.value.next_steps) == (asked.get("to"), ())


# --- the only next step ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "to"),
    [
        ("investigating", "identified"),
        ("identified", "monitoring"),
        ("monitoring", "resolved"),
    ],
)
def test_the_only_next_step_is_taken_without_naming_it(start, to):
    incident = an_incident(status=start)

    note = Note("rolled back")
    command = TakeNextStep(actor=an_actor(), ref=42, note=note, severity=Severity.LOW)

    decision = decide(incident, command, known(), at=LATER)

    change = a_change(to=to, note=note, severity=Severity.LOW)
    assert decision == decide(incident, change, known(), at=LATER)
    assert decision.incident.status == to


def test_of_several_next_steps_one_has_to_be_chosen():
    incident = an_incident(lifecycle=RESPONSE)

    with pytest.raises(SeveralNextSteps) as refused:
        decide(incident, TakeNextStep(actor=an_actor(), ref=42), known(), at=NINE)

    assert refused.value.incident is incident


def test_at_the_end_there_is_no_next_step():
    with pytest.raises(IncidentResolved) as refused:
        decide(
            an_incident(status="resolved"), TakeNextStep(actor=an_actor(), ref=42), known(), at=NINE
        )

    assert refused.value.asked is None


# --- out of date -----------------------------------------------------------------------------

DRAWN_FOR_INVESTIGATING = [
    pytest.param(a_change(to="identified", expected_status="investigating"), id="move"),
    pytest.param(a_change(note="rolled back", expected_status="investigating"), id="note"),
    pytest.param(
        TakeNextStep(actor=an_actor(), ref=42, expected_status="investigating"), id="next step"
    ),
    pytest.param(
        Acknowledge(actor=an_actor(), ref=42, expected_status="investigating"), id="acknowledge"
    ),
]


@pytest.mark.parametrize("command", DRAWN_FOR_INVESTIGATING)
@pytest.mark.parametrize("status", ["identified", "resolved"])
def test_an_outdated_button_changes_nothing_and_names_the_mover(command, status):
    incident = an_incident(status=status)
    moved = an_update(incident, kind=Kind.MOVED, old="investigating", new=status, by=GRACE)

    with pytest.raises(StaleStatus) as refused:
        decide(incident, command, known(moved=moved), at=NINE)

    assert refused.value.incident is incident
    assert refused.value.expected == "investigating"
    assert refused.value.moved is moved


@pytest.mark.parametrize("command", DRAWN_FOR_INVESTIGATING)
def test_an_up_to_date_button_does_its_act(command):
    assert decide(an_incident(), command, known(), at=NINE).changes_anything


# --- which refusal comes first ---------------------------------------------------------------

OVER = an_incident(status="resolved")
SEVERAL = an_incident(lifecycle=RESPONSE)
PRIVATE = an_incident(private=True)


def test_refusals_come_in_their_order():
    """Everything is wrong at first, and one fault after the other is put right."""
    everything_wrong = {
        "expected_status": "investigating",
        "note": " ",
        "to": "investigating",
        "public": "We are on it.",
    }
    stale = a_change(**everything_wrong)
    unreadable = a_change(**everything_wrong | {"expected_status": None})
    backwards = a_change(**everything_wrong | {"expected_status": None, "note": "db-3 is back"})
    forwards = a_change(to="resolved", public="We are on it.", note="db-3 is back")
    running = an_incident(status="monitoring")
    nowhere = known(workspace=a_workspace(status_channel=None), moved=an_update())

    for incident, command, refusal in [
        (None, stale, NotFound),
        (OVER, stale, StaleStatus),
        (OVER, unreadable, InvalidField),
        (OVER, backwards, IncidentResolved),
        (running, backwards, TransitionNotAllowed),
        (running, forwards, NoPublicSurface),
    ]:
        with pytest.raises(refusal):
            decide(incident, command, nowhere, at=NINE)

    assert decide(running, forwards, known(), at=NINE).incident.status == "resolved"


@pytest.mark.parametrize(
    ("incident", "command", "refusal"),
    [
        (OVER, a_change(), EmptyUpdate),
        (OVER, a_change(title=" "), InvalidField),
        (OVER, a_change(components=("appi",)), UnknownComponent),
        (OVER, TakeNextStep(actor=an_actor(), ref=42, note=Note(" ")), InvalidField),
        (SEVERAL, TakeNextStep(actor=an_actor(), ref=42, note=Note(" ")), InvalidField),
        (PRIVATE, a_change(to="resolved", public="Soon."), TransitionNotAllowed),
        (PRIVATE, a_change(to="solved", public="Soon."), UnknownStatus),
    ],
    ids=[
        "nothing asked, at the end",
        "title, at the end",
        "component, at the end",
        "note on the next step, at the end",
        "note on the next step, of several",
        "step, on a private incident",
        "status, on a private incident",
    ],
)
def test_a_field_that_cannot_be_taken_comes_before_the_end_and_a_step_before_the_surface(
    incident, command, refusal
):
    with pytest.raises(refusal):
        decide(incident, command, known(components=(a_component("api"),)), at=NINE)


@pytest.mark.parametrize(
    "command",
    [
        a_change(ref=7, to="identified"),
        TakeNextStep(actor=an_actor(ADA), ref=7),
        Acknowledge(actor=an_actor(ADA), ref=7),
        Redact(actor=an_actor(ADA), ref=7, entry=1),
    ],
    ids=lambda command: type(command).__name__,
)
def test_without_an_incident_every_command_gets_the_same_refusal(command):
    with pytest.raises(NotFound) as refused:
        decide(None, command, known(), at=NINE)

    assert refused.value.ref == 7


def test_an_id_that_does_not_exist_is_not_repeated():
    with pytest.raises(NotFound) as refused:
        decide(None, a_change(ref=an_id("elsewhere"), to="identified"), known(), at=NINE)

    assert str(an_id("elsewhere")) not in refused.value.message


@pytest.mark.parametrize(
    "command",
    [
        a_declaration(),
        a_change(to="identified"),
        Redact(actor=an_actor(), ref=42, entry=2),
        SetPrivacy(actor=an_actor(), ref=42, private=True),
    ],
)
def test_a_command_is_never_decided_with_the_facts_of_another_kind(command):
    of_another = ForRedaction if not isinstance(command, Redact) else ForChange

    with pytest.raises(TypeError, match="is not the context of"):
        engine.decide(an_incident(), command, of_another(workspace=a_workspace()), at=NINE)


def test_a_stale_command_is_never_decided_without_the_transition_that_came_first():
    stale = a_change(to="identified", expected_status="monitoring")

    with pytest.raises(TypeError, match="newest transition"):
        engine.decide(an_incident(), stale, ForChange(workspace=a_workspace()), at=NINE)
