"""Promises in decisions: made, moved, kept by a text, released."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.commands import Redact, SetPrivacy, SetPromise, Walk
from core.decision import Surface
from core.errors import InvalidField
from core.incident import Kind, Note, PublicText, Severity, Visibility
from core.lifecycle import RESPONSE
from core.promise import NextUpdate, Promise, PromiseState, Release
from core.refusals import (
    IncidentResolved,
    NoPublicSurface,
    NothingToPromise,
    NothingToRelease,
    PromiseOver,
)
from tests.builders import (
    NINE,
    a_change,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

DELAY = timedelta(seconds=10)
TEN = NINE + timedelta(hours=1)
HALF_AN_HOUR = NextUpdate(within=timedelta(minutes=30))
DEFAULTS = {Severity.HIGH: timedelta(minutes=60)}
PROMISE = Promise(entry=2, public_at=NINE, due_at=TEN)
PROMISED = an_incident(promises=1, next_update_by=TEN, last_entry=2)
TEXT = PublicText("We found the cause.")


def asks(**changes: Any) -> SetPromise:
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42, "next_update": HALF_AN_HOUR}
    return SetPromise(**fields | changes)


def decided(command, incident=PROMISED, *, minutes=10.0, promises=(PROMISE,), **facts):
    at = NINE + timedelta(minutes=minutes)
    workspace = facts.pop("workspace", a_workspace())
    settings = replace(workspace.settings, promise_defaults=DEFAULTS)
    facts["workspace"] = replace(workspace, settings=settings)
    facts = known(promises=promises, publish_delay=DELAY, **facts)
    return decide(incident, command, facts, at=at)


def states(decision, *, minutes=600.0):
    return {
        promise.entry: promise.state(NINE + timedelta(minutes=minutes))
        for promise in decision.promises
    }


# --- with a public text ------------------------------------------------------------------------


def test_a_public_text_keeps_the_promise_and_makes_the_next_one():
    decision = decided(a_change(public=TEXT, next_update=HALF_AN_HOUR))
    public_at = NINE + timedelta(minutes=10) + DELAY
    old, new = decision.promises

    assert (old.answered_at, old.answered_by) == (public_at, 3)
    # "In 30 minutes" counts from the moment at which it is public.
    assert new == Promise(entry=3, public_at=public_at, due_at=public_at + timedelta(minutes=30))
    assert decision.updates[0].next_update_by == new.due_at
    assert (decision.incident.promises, decision.incident.next_update_by) == (2, new.due_at)


def test_the_severity_decides_about_a_promise_without_a_time():
    decision = decided(a_change(public=TEXT, next_update=NextUpdate()))
    lowered = decided(a_change(public=TEXT, next_update=NextUpdate(), severity=Severity.LOW))

    assert decision.incident.next_update_by == NINE + timedelta(minutes=70) + DELAY
    assert lowered.incident.next_update_by is None


def test_a_text_without_a_promise_ends_the_one_before():
    decision = decided(a_change(public=TEXT))

    assert states(decision) == {2: PromiseState.KEPT}
    assert decision.incident.next_update_by is None
    assert Surface.WORKING_CARD in {one.surface for one in decision.envelopes}


def test_a_text_that_comes_too_late_leaves_it_broken_and_says_since_when():
    decision = decided(a_change(public=TEXT), minutes=65)

    assert states(decision, minutes=64) == {2: PromiseState.BROKEN}
    assert states(decision) == {2: PromiseState.LATE}


def test_a_note_says_nothing_to_the_public():
    decision = decided(a_change(note=Note("db-3 lost quorum")))

    assert decision.promises == ()
    assert decision.incident.next_update_by == TEN


def test_no_promise_comes_with_a_note_or_without_a_text():
    noted = decided(a_change(note=Note("n"), next_update=HALF_AN_HOUR), promises=())
    moved = decided(a_change(to="identified", next_update=HALF_AN_HOUR), promises=())

    assert noted.promises == moved.promises == ()


@pytest.mark.parametrize("far", [timedelta(seconds=59), timedelta(days=7, seconds=1)])
def test_a_promise_is_from_a_minute_to_seven_days_away(far):
    with pytest.raises(InvalidField, match="from one minute to seven days away"):
        decided(a_change(public=TEXT, next_update=NextUpdate(within=far)))


# --- the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("public", [None, TEXT])
def test_the_end_ends_the_promise_and_makes_none(public):
    here = replace(PROMISED, status="monitoring")
    decision = decided(a_change(to="resolved", public=public, next_update=NextUpdate()), here)

    assert states(decision) == {2: PromiseState.KEPT if public else PromiseState.RELEASED}
    assert decision.incident.next_update_by is None


def test_a_broken_promise_stays_broken_beyond_the_end():
    here = replace(PROMISED, status="monitoring")
    decision = decided(a_change(to="resolved"), here, minutes=70)

    assert states(decision) == {2: PromiseState.BROKEN}


def test_resolved_for_the_public_ends_it_as_well():
    here = replace(PROMISED, lifecycle=RESPONSE, status="acknowledged")
    decision = decided(a_change(to="resolved"), here)

    assert not decision.incident.terminal
    assert decision.promises[0].release is Release.ENDED


def test_a_walk_to_the_end_ends_it():
    command = Walk(actor=an_actor(), ref=42, to="resolved", reason=Note("false alarm"))

    assert states(decided(command)) == {2: PromiseState.RELEASED}


# --- a command of its own ----------------------------------------------------------------------


def test_a_promise_is_held_back_like_a_text():
    decision = decided(asks(), an_incident(), promises=())
    (promise,) = decision.promises
    (entry,) = decision.updates
    cards = {one.surface: one.not_before for one in decision.envelopes}

    assert promise.public_at == NINE + timedelta(minutes=10) + DELAY
    assert promise.due_at == promise.public_at + timedelta(minutes=30)
    assert (entry.kind, entry.visibility) == (Kind.PROMISED, Visibility.INTERNAL)
    assert entry.next_update_by == promise.due_at
    assert cards == {Surface.WORKING_CARD: None, Surface.STATUS_CARD: promise.public_at}


def test_a_new_promise_takes_the_place_of_the_one_in_force():
    decision = decided(asks())
    old, new = decision.promises

    assert (old.release, old.released_at) == (Release.MOVED, new.public_at)
    assert states(decision)[2] is PromiseState.RELEASED


def test_one_that_was_never_public_counts_nowhere():
    held = replace(PROMISE, public_at=NINE + timedelta(minutes=10, seconds=5))
    decision = decided(asks(), promises=(held,))

    assert states(decision)[2] is PromiseState.UNSAID


def test_it_can_be_due_at_a_time_of_day():
    decision = decided(asks(next_update=NextUpdate(by=TEN)), promises=())

    assert decision.incident.next_update_by == TEN


def test_fifteen_minutes_more_count_from_the_due_moment():
    later = asks(next_update=NextUpdate(later=timedelta(minutes=15)), expected=2)

    assert decided(later).incident.next_update_by == TEN + timedelta(minutes=15)
    # Of one that is long overdue, from now.
    overdue = decided(later, minutes=90).incident.next_update_by
    assert overdue == NINE + timedelta(minutes=105) + DELAY


def test_without_a_promise_nothing_can_be_later():
    with pytest.raises(PromiseOver):
        decided(asks(next_update=NextUpdate(later=timedelta(minutes=15))), promises=())


def test_a_severity_without_a_default_makes_no_promise_by_itself():
    low = an_incident(severity=Severity.LOW)
    with pytest.raises(InvalidField, match="no default for the severity low"):
        decided(asks(next_update=NextUpdate()), low, promises=())


def test_a_release_has_a_reason_that_is_private():
    decision = decided(asks(next_update=None, reason=Note("the vendor decides")))
    (entry,) = decision.updates

    assert (entry.kind, entry.body) == (Kind.PROMISED, "the vendor decides")
    assert entry.visibility is Visibility.INTERNAL
    assert states(decision) == {2: PromiseState.RELEASED}
    assert decision.incident.next_update_by is None


@pytest.mark.parametrize("reason", [None, Note("the vendor decides")])
def test_without_a_promise_nothing_is_released_and_no_reason_dropped(reason):
    with pytest.raises(NothingToRelease):
        decided(asks(next_update=None, reason=reason), promises=())


@pytest.mark.parametrize("expected", [2, 9])
def test_a_button_of_another_promise_changes_nothing(expected):
    promises = () if expected == 2 else (PROMISE,)
    with pytest.raises(PromiseOver):
        decided(asks(next_update=None, expected=expected), promises=promises)


def test_after_the_end_nothing_is_promised():
    with pytest.raises(IncidentResolved):
        decided(asks(), an_incident(status="resolved"))
    with pytest.raises(NothingToPromise):
        decided(asks(), an_incident(lifecycle=RESPONSE, status="resolved"))


def test_nothing_is_promised_to_nobody():
    with pytest.raises(NoPublicSurface):
        decided(asks(), workspace=a_workspace(status_channel=None))


# --- private incidents -------------------------------------------------------------------------

PRIVATE = an_incident(private=True)
INTERNAL = replace(PROMISE, internal=True)


def test_the_promise_of_a_private_incident_is_internal():
    decision = decided(asks(), PRIVATE, promises=(), workspace=a_workspace(status_channel=None))
    (promise,) = decision.promises

    assert promise.internal
    assert promise.public_at == NINE + timedelta(minutes=10)
    assert {one.surface for one in decision.envelopes} == {Surface.OWNER_CARD}


def test_a_note_keeps_an_internal_promise():
    here = replace(PRIVATE, promises=1, next_update_by=TEN)
    decision = decided(a_change(note=Note("n")), here, promises=(INTERNAL,))

    assert states(decision) == {2: PromiseState.KEPT}
    assert Surface.OWNER_CARD in {one.surface for one in decision.envelopes}


@pytest.mark.parametrize("private", [True, False])
def test_other_readers_end_the_promise(private):
    here = replace(PROMISED, private=not private)
    decision = decided(SetPrivacy(actor=an_actor(), ref=42, private=private), here)

    assert decision.promises[0].release is Release.READERS
    assert decision.incident.next_update_by is None


# --- a text that is taken back -----------------------------------------------------------------


def test_a_text_that_is_taken_back_gives_the_promise_before_it_back():
    published = decided(a_change(public=TEXT, next_update=HALF_AN_HOUR))
    (text,) = published.updates
    decision = decided(
        Redact(actor=an_actor(), ref=42, entry=text.entry),
        published.incident,
        minutes=10.1,
        promises=published.promises,
        entry=text,
        texts=(text,),
    )

    assert decision.incident.next_update_by == TEN
    assert states(decision) == {2: PromiseState.BROKEN, 3: PromiseState.UNSAID}
    assert Surface.WORKING_CARD in {one.surface for one in decision.envelopes}


def test_a_text_that_was_read_has_kept_the_promise_for_good():
    kept = replace(PROMISE, answered_at=NINE + timedelta(minutes=9), answered_by=3)
    text = an_update(PROMISED, entry=3, visibility=Visibility.PUBLIC, body=TEXT)
    decision = decided(
        Redact(actor=an_actor(), ref=42, entry=3), promises=(kept,), entry=text, minutes=4
    )

    assert decision.promises == ()


def test_a_text_of_an_incident_without_promises_is_taken_back_as_ever():
    public_at = NINE + timedelta(minutes=11)
    text = an_update(entry=2, visibility=Visibility.PUBLIC, body=TEXT, public_at=public_at)
    text = replace(text, at=NINE + timedelta(minutes=9))
    decision = decided(
        Redact(actor=an_actor(), ref=42, entry=2), an_incident(), promises=(), entry=text
    )

    assert decision.promises == ()
    assert decision.redacted.taken_back


def test_the_end_stays_when_its_text_is_taken_back():
    here = replace(PROMISED, status="monitoring")
    resolved = decided(a_change(to="resolved", public=TEXT), here)
    (text,) = resolved.updates
    decision = decided(
        Redact(actor=an_actor(), ref=42, entry=text.entry),
        resolved.incident,
        minutes=10.1,
        promises=resolved.promises,
        entry=text,
        texts=(text,),
        moved=text,
    )
    (promise,) = decision.promises

    assert (promise.released_at, promise.release) == (text.at, Release.ENDED)
    assert decision.incident.next_update_by is None
