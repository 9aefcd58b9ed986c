"""The events of a decision, the filter of a subscription, the secrets of an endpoint."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import SetPrivacy, Walk
from core.decision import Decision
from core.errors import InvalidField
from core.incident import Kind, Note, PublicText, Severity, Visibility
from core.page import ComponentStatus
from core.subscription import SubscriptionFilter, lowest_severity
from core.webhooks import HookEvent, Secrets, admits, happenings, touched
from tests.builders import (
    ADA,
    NINE,
    a_change,
    a_component,
    a_declaration,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

DELAY = timedelta(seconds=10)
AT = NINE + timedelta(hours=1)
HELD = AT + DELAY
API, WEB = a_component("api"), a_component("web")


def told(before, command, **facts):
    """The events of ``command``: type, entry, and how long each waits."""
    decision = decide(before, command, known(publish_delay=DELAY, **facts), at=AT)
    return [(one.event.value, one.entry, one.due_at - AT) for one in happenings(before, decision)]


@pytest.mark.parametrize(
    ("named", "others", "hidden", "is_news"),
    [
        (("+api",), (), {API}, False),
        (("+api",), (), {WEB}, True),
        (("+api", "+web"), (), {API}, True),
        ((), (API,), {API}, False),
        ((), (API, WEB), {API}, True),
        # The public reads them in an order of its own.
        (("web", "api"), (API, WEB), set(), False),
    ],
)
def test_to_tag_a_hidden_component_is_no_event(named, others, hidden, is_news):
    before = an_incident(components=others)
    facts = known(components=(API, WEB))
    decision = decide(before, a_change(components=named), facts, at=AT)
    told = happenings(before, decision, hidden=frozenset(one.id for one in hidden))

    assert bool(told) is is_news
    beside = decide(before, a_change(components=named, severity=Severity.LOW), facts, at=AT)
    assert happenings(before, beside, hidden=frozenset(one.id for one in hidden))


NOW, WAITS = timedelta(), DELAY
OVER = PublicText("Over.")


@pytest.mark.parametrize(
    ("command", "events"),
    [
        pytest.param(a_change(to="identified"), [("incident.updated", 2, NOW)], id="step"),
        pytest.param(a_change(public="Soon."), [("incident.updated", 2, WAITS)], id="text"),
        pytest.param(
            a_change(public="Soon.", to="identified"), [("incident.updated", 2, WAITS)], id="both"
        ),
        pytest.param(a_change(note="db-3 lost quorum"), [], id="note"),
        pytest.param(a_change(owner=ADA), [], id="owner"),
        pytest.param(a_change(description="db-3"), [], id="description"),
        pytest.param(
            a_change(severity=Severity.LOW), [("incident.updated", 2, NOW)], id="severity"
        ),
        pytest.param(a_change(title="Cards fail"), [("incident.updated", 2, WAITS)], id="title"),
        pytest.param(a_change(components=("+api",)), [("incident.updated", 2, NOW)], id="tags"),
        pytest.param(
            a_change(public="Soon.", severity=Severity.LOW, note="db-3"),
            [("incident.updated", 4, NOW), ("incident.updated", 2, WAITS)],
            id="a fact at once, a text later",
        ),
    ],
)
def test_a_change_is_told_when_it_is_public(command, events):
    assert told(an_incident(), command) == events


def test_the_end_is_an_event_of_its_own():
    before = an_incident(status="monitoring")

    assert told(before, a_change(to="resolved")) == [("incident.resolved", 2, NOW)]
    assert told(before, a_change(to="resolved", public="Over.")) == [
        ("incident.resolved", 2, WAITS)
    ]


def test_a_declaration_is_told_at_the_end_of_its_hold():
    assert told(None, a_declaration()) == [("incident.created", 1, WAITS)]
    assert told(None, a_declaration(private=True)) == []


def test_a_change_during_the_first_hold_is_shown_by_the_first_event():
    before = an_incident(title_public_at=AT + timedelta(seconds=4))

    assert told(before, a_change(severity=Severity.LOW)) == []
    assert told(before, a_change(public="Soon.")) == [("incident.updated", 2, WAITS)]
    assert told(replace(before, status="monitoring"), a_change(to="resolved")) == [
        ("incident.resolved", 2, timedelta(seconds=4))
    ]


@pytest.mark.parametrize(
    ("before", "private", "events"),
    [
        (an_incident(), True, [("incident.withdrawn", 2, NOW)]),
        (an_incident(title_public_at=HELD), True, []),
        (an_incident(private=True), False, [("incident.created", 2, NOW)]),
    ],
    ids=["was public", "was held back", "was private"],
)
def test_a_change_of_the_readers(before, private, events):
    actor = an_actor(admin=True)
    command = SetPrivacy(actor=actor, ref=42, private=private)
    found = told(before, command)

    assert [one[0] for one in found] == [one[0] for one in events]


@pytest.mark.parametrize(
    ("after", "events"),
    [
        (timedelta(seconds=9), []),
        (timedelta(seconds=11), [HookEvent.UPDATE_WITHDRAWN]),
    ],
    ids=["taken back", "withdrawn"],
)
def test_only_a_text_that_was_public_is_withdrawn(after, events):
    incident = an_incident(last_entry=2, updated_at=NINE + after)
    text = an_update(
        incident, visibility=Visibility.PUBLIC, public_at=NINE + DELAY, redacted_at=NINE + after
    )
    decision = Decision(incident=incident, redacted=text)

    assert [one.event for one in happenings(incident, decision)] == events


def test_a_withdrawn_note_is_no_event():
    incident = an_incident(last_entry=2)
    note = an_update(incident, kind=Kind.WROTE, redacted_at=NINE)

    assert happenings(incident, Decision(incident=incident, redacted=note)) == ()


def test_a_decision_touches_the_components_whose_status_it_may_change():
    before = an_incident(components=(API,))
    later = {"updated_at": AT}

    def concerned(**changes):
        after = replace(before, **(later | changes))
        return [one.name for one in touched(before, Decision(incident=after))[0]]

    assert concerned() == []
    assert concerned(severity=Severity.LOW) == ["api"]
    assert concerned(components=(WEB,)) == ["api", "web"]
    assert concerned(status="resolved") == ["api"]
    assert concerned(private=True) == ["api"]
    assert touched(None, Decision(incident=replace(before, title_public_at=HELD))) == (
        (API,),
        HELD,
    )


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ({"to": "resolved"}, NOW),
        ({"to": "resolved", "note": "db-3"}, NOW),
        ({"to": "resolved", "public": "Over."}, WAITS),
        # Each of these is public at once, and so is what it does to components.
        ({"to": "resolved", "public": "Over.", "severity": Severity.LOW}, NOW),
        ({"to": "resolved", "public": "Over.", "components": ("api", "web")}, NOW),
        ({"to": "resolved", "title": "Cards fail"}, NOW),
    ],
)
def test_components_are_told_with_the_step_that_they_follow_from(asked, waits):
    before = an_incident(status="monitoring", components=(API,))
    facts = known(publish_delay=DELAY, components=(API, WEB))
    decision = decide(before, a_change(**asked), facts, at=AT)

    assert touched(before, decision)[1] - AT == waits
    # So is a status that several steps lead to.
    walk = Walk(actor=an_actor(), ref=42, to="resolved", reason=Note("db-3"), public=OVER)
    begun = an_incident(components=(API,))
    assert touched(begun, decide(begun, walk, facts, at=AT))[1] - AT == WAITS


@pytest.mark.parametrize("before", [None, an_incident(private=True, components=(API,))])
def test_a_private_incident_touches_no_component(before):
    private = an_incident(private=True, components=(API, WEB), severity=Severity.LOW)

    assert touched(before, Decision(incident=private))[0] == ()


@pytest.mark.parametrize(
    ("severity", "components", "passes"),
    [
        (None, (), True),
        (Severity.HIGH, (), True),
        (Severity.CRITICAL, (), False),
        (None, (API,), True),
        (None, (WEB,), False),
        (Severity.LOW, (API, WEB), True),
    ],
)
def test_a_filter_passes_what_is_bad_enough_and_of_its_components(severity, components, passes):
    chosen = SubscriptionFilter(severity=severity, components=components)

    assert chosen.matches(Severity.HIGH, (API,)) is passes


def test_a_severity_is_read_with_and_without_a_plus():
    assert lowest_severity("High+") is lowest_severity("high") is Severity.HIGH
    with pytest.raises(InvalidField, match=r'"high\+" means high and all that is worse'):
        lowest_severity("bad")


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        (ComponentStatus.OPERATIONAL, ComponentStatus.PARTIAL_OUTAGE, True),
        (ComponentStatus.MAJOR_OUTAGE, ComponentStatus.OPERATIONAL, True),
        (ComponentStatus.DEGRADED_PERFORMANCE, ComponentStatus.OPERATIONAL, True),
        (ComponentStatus.OPERATIONAL, ComponentStatus.DEGRADED_PERFORMANCE, False),
        (ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE, False),
    ],
)
def test_a_component_passes_a_severity_by_what_that_makes_of_it(old, new, passes):
    chosen = SubscriptionFilter(severity=Severity.HIGH, components=(API,))

    assert admits(chosen, API, old=old, new=new) is passes
    assert admits(chosen, WEB, old=old, new=new) is False
    assert admits(SubscriptionFilter(), API, old=old, new=new)


def test_the_old_secret_signs_as_well_until_its_time_is_over():
    secrets = Secrets(new="b", old="a", old_until=AT)

    assert secrets.at(NINE) == ("b", "a")
    assert secrets.at(AT) == ("b",)
    assert Secrets(new="b").at(NINE) == ("b",)
    assert repr(Secrets(new="b")) == "Secrets(old_until=None)"
