"""What a decision is to webhooks: which events, about which entry, and when they become public."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.decision import Decision
from core.incident import TITLE_WITHDRAWN, Kind, Visibility
from core.lifecycle import RESPONSE
from core.webhooks import Happening, HookEvent, happenings, still_to_come
from tests.builders import NINE, an_incident, an_update

LATER = NINE + timedelta(minutes=5)
BEFORE = an_incident()


def moved(entry, old, new, **changes):
    return an_update(entry=entry, kind=Kind.MOVED, old=old, new=new, body=None, at=LATER, **changes)


def test_a_walk_of_several_steps_is_one_event_about_the_last_of_them():
    steps = (
        moved(2, "investigating", "identified", passed=True),
        moved(3, "identified", "monitoring", passed=True),
        moved(4, "monitoring", "resolved"),
    )
    after = replace(BEFORE, status="resolved", updated_at=LATER, last_entry=4)

    told = happenings(BEFORE, Decision(incident=after, updates=steps))

    assert told == (Happening(event=HookEvent.RESOLVED, entry=4, due_at=LATER),)


def test_a_public_title_that_is_withdrawn_while_another_is_held_is_told_at_once():
    held = replace(
        BEFORE,
        title="Cards fail",
        title_before=BEFORE.title,
        title_public_at=LATER + timedelta(seconds=10),
        last_entry=2,
    )
    renamed = an_update(entry=2, kind=Kind.TITLE, old=None, new="Cards fail", body=None)
    gone = replace(renamed, redacted_at=LATER, redacted_by=BEFORE.declared_by)
    after = replace(held, title_before=TITLE_WITHDRAWN, updated_at=LATER)

    told = happenings(held, Decision(incident=after, redacted=gone))

    assert told == (Happening(event=HookEvent.UPDATED, entry=2, due_at=LATER),)


def test_a_note_that_is_withdrawn_is_no_event():
    note = an_update(entry=2, visibility=Visibility.INTERNAL)
    gone = replace(note, body=None, redacted_at=LATER, redacted_by=note.by)
    after = replace(BEFORE, updated_at=LATER, last_entry=2)

    assert happenings(BEFORE, Decision(incident=after, redacted=gone)) == ()


UNTIL, SOON = LATER + timedelta(seconds=5), LATER + timedelta(seconds=9)


def test_what_is_held_is_still_to_come_for_an_endpoint_that_starts():
    text = an_update(entry=2, public_at=UNTIL)
    end = moved(3, "monitoring", "resolved", public_at=SOON)
    over = an_update(entry=4, public_at=LATER)

    assert still_to_come(BEFORE, (text, end, over), at=LATER) == (
        Happening(event=HookEvent.UPDATED, entry=2, due_at=UNTIL),
        Happening(event=HookEvent.RESOLVED, entry=3, due_at=SOON),
    )


def test_a_held_declaration_is_one_event_with_all_that_is_public_by_then():
    unseen = replace(BEFORE, title_public_at=UNTIL, last_entry=3)
    texts = (an_update(entry=2, public_at=UNTIL), an_update(entry=3, public_at=SOON))

    assert still_to_come(unseen, texts, at=LATER) == (
        Happening(event=HookEvent.CREATED, entry=3, due_at=UNTIL),
        Happening(event=HookEvent.UPDATED, entry=3, due_at=SOON),
    )


def test_a_title_that_is_held_beside_the_end_does_not_hide_the_end():
    end = moved(2, "monitoring", "resolved", public_at=UNTIL)
    title = an_update(entry=3, kind=Kind.TITLE, old=None, new="Cards fail", public_at=UNTIL)

    assert still_to_come(BEFORE, (end, title), at=LATER) == (
        Happening(event=HookEvent.RESOLVED, entry=3, due_at=UNTIL),
    )


def test_a_step_behind_the_end_is_no_second_end():
    closed = moved(2, "resolved", "closed", public_at=UNTIL)

    assert still_to_come(an_incident(lifecycle=RESPONSE), (closed,), at=LATER) == (
        Happening(event=HookEvent.UPDATED, entry=2, due_at=UNTIL),
    )


def test_of_a_private_incident_nothing_is_to_come():
    text = an_update(entry=2, public_at=UNTIL)

    assert still_to_come(replace(BEFORE, private=True), (text,), at=LATER) == ()
