"""The past of an imported incident: its entries, its lifecycle, and what is added to it later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.foreign import ForeignAffected
from core.imported import IMPORTED, IMPORTER, continued, past_of
from core.incident import TITLE_MAX, Component, Kind, Severity, Visibility
from core.lifecycle import STATUSPAGE
from core.page import ComponentStatus, Impact
from core.public_side import KeptAffected
from tests.abroad import YESTERDAY, a_foreign_incident, a_foreign_page, a_foreign_update
from tests.builders import WORKSPACE, an_id

API, WEB = Component(an_id("api"), "API"), Component(an_id("web"), "Web")
KNOWN = {"component-API": API, "component-Web": WEB}
FINE, DOWN = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE

LOOK = a_foreign_update(0, "investigating", "We look.")
FOUND = a_foreign_update(5, "identified", "We found it.")
WATCH = a_foreign_update(9, "monitoring", "We watch.")
OVER = a_foreign_update(12, "resolved", "It is over.")
REVIEW = a_foreign_update(90, "postmortem", "What we learnt.")
AGAIN = a_foreign_update(15, "investigating", "It is back.")


def minute(number):
    return YESTERDAY + timedelta(minutes=number)


def past(there, **page):
    return past_of(there, a_foreign_page(there, **page), WORKSPACE, number=7, known=KNOWN)


def more(before, there, known=KNOWN):
    """What is new of an incident that was imported as ``before``."""
    return continued(
        before.decision.incident,
        before.kept,
        before.texts.values(),
        there=there,
        page=a_foreign_page(there),
        known=known,
    )


def entries(one):
    """The minute, new status and text of each entry."""
    return [
        ((update.at - YESTERDAY) // timedelta(minutes=1), update.new, update.body)
        for update in one.decision.updates
    ]


@pytest.mark.parametrize(
    ("there", "told", "status"),
    [
        (
            a_foreign_incident(LOOK, FOUND, WATCH, OVER),
            [
                (0, "investigating", None),
                (0, None, "We look."),
                (5, "identified", "We found it."),
                (9, "monitoring", "We watch."),
                (12, "resolved", "It is over."),
            ],
            "resolved",
        ),
        (
            a_foreign_incident(LOOK, OVER, REVIEW),
            [
                (0, "investigating", None),
                (0, None, "We look."),
                (12, "identified", None),
                (12, "monitoring", None),
                (12, "resolved", "It is over."),
                (90, None, "What we learnt."),
            ],
            "resolved",
        ),
        (
            a_foreign_incident(replace(LOOK, body=""), replace(FOUND, body="")),
            [(0, "investigating", None), (5, "identified", None)],
            "identified",
        ),
        (
            a_foreign_incident(status="resolved", resolved_at=minute(3)),
            [
                (0, "investigating", None),
                (3, "identified", None),
                (3, "monitoring", None),
                (3, "resolved", None),
            ],
            "resolved",
        ),
        (
            a_foreign_incident(LOOK, status="identified", updated_at=minute(4)),
            [
                (0, "investigating", None),
                (0, None, "We look."),
                (4, "identified", None),
            ],
            "identified",
        ),
        (
            a_foreign_incident(FOUND, OVER, status="monitoring"),
            [
                (5, "investigating", None),
                (5, "identified", "We found it."),
                (12, "monitoring", None),
                (12, "resolved", "It is over."),
            ],
            "resolved",
        ),
    ],
    ids=[
        "each text has its step",
        "skipped steps are passed, a postmortem is a text",
        "a step without a text",
        "no texts",
        "an end without a text",
        "a status that its last text is past",
    ],
)
def test_an_incident_is_declared_at_its_first_text_and_gets_each_of_them(there, told, status):
    made = past(there)

    assert entries(made) == told
    incident = made.decision.incident
    assert (incident.status, incident.lifecycle) == (status, STATUSPAGE)
    assert incident.version == incident.last_entry == len(told) == made.kept.entries


def test_texts_are_public_bare_steps_are_not_and_the_importer_wrote_all():
    made = past(a_foreign_incident(LOOK, OVER))

    assert {one.by for one in made.decision.updates} == {IMPORTER}
    for one in made.decision.updates:
        assert (one.visibility is Visibility.PUBLIC) is (one.body is not None)
        assert one.passed is (one.new in {"identified", "monitoring"})
    assert [one.kind for one in made.decision.updates] == [
        Kind.DECLARED,
        Kind.WROTE,
        *[Kind.MOVED] * 3,
    ]


def test_each_text_keeps_its_id_its_word_and_the_known_components_that_it_names():
    named = (
        ForeignAffected("component-API", "API", FINE, DOWN),
        ForeignAffected("component-gone", "Gone", FINE, DOWN),
    )
    made = past(a_foreign_incident(replace(LOOK, affected=named), OVER, REVIEW))

    assert {entry: (one.id, one.status) for entry, one in made.texts.items()} == {
        2: ("update-0", "investigating"),
        5: ("update-12", "resolved"),
        6: ("update-90", "postmortem"),
    }
    assert made.texts[2].affected == (KeptAffected(API.id, "API", FINE, DOWN),)
    assert made.texts[5].affected is None


def test_texts_of_one_moment_are_told_in_the_order_of_the_page_which_has_the_newest_first():
    second = a_foreign_update(0, "identified", "We found it.", id="update-0b")

    made = past(a_foreign_incident(LOOK, second))

    assert [one.id for one in made.texts.values()] == ["update-0", "update-0b"]


def test_an_incident_that_went_back_a_step_there_may_do_so_here_and_is_closed_at_its_end():
    made = past(a_foreign_incident(LOOK, OVER, AGAIN, replace(OVER, shown_at=minute(20))))

    assert entries(made)[-3:] == [
        (15, "investigating", "It is back."),
        (20, "resolved", "It is over."),
        (20, "closed", None),
    ]
    assert made.decision.incident.lifecycle is IMPORTED
    assert made.decision.incident.terminal


def test_an_incident_that_went_back_and_is_open_there_is_open_here():
    made = past(a_foreign_incident(LOOK, OVER, AGAIN))

    assert (made.decision.incident.status, made.decision.incident.terminal) == (
        "investigating",
        False,
    )


@pytest.mark.parametrize(
    ("impact", "severity"),
    [
        (Impact.CRITICAL, Severity.CRITICAL),
        (Impact.MAJOR, Severity.HIGH),
        (Impact.MINOR, Severity.MEDIUM),
        (Impact.NONE, Severity.LOW),
    ],
)
def test_the_severity_is_made_of_the_impact(impact, severity):
    assert past(a_foreign_incident(OVER, impact=impact)).decision.incident.severity is severity


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Checkout\n fails ", "Checkout fails"),
        ("", "Incident"),
        ("x" * (TITLE_MAX + 1), f"{'x' * (TITLE_MAX - 1)}…"),
    ],
)
def test_the_title_is_one_line_and_not_too_long(name, title):
    assert past(a_foreign_incident(OVER, name=name)).decision.incident.title == title


def test_it_tags_each_known_component_of_itself_and_of_its_texts_once():
    named = tuple(
        ForeignAffected(f"component-{name}", name, FINE, DOWN) for name in ("Web", "API", "gone")
    )
    there = a_foreign_incident(
        replace(LOOK, affected=named), components=("component-API", "component-unknown")
    )

    assert past(there).decision.incident.components == (API, WEB)


@pytest.mark.parametrize(
    ("started", "starts"), [(minute(-30), minute(-30)), (None, YESTERDAY)], ids=["told", "not told"]
)
def test_it_starts_when_the_page_says_so_else_when_it_was_created(started, starts):
    incident = past(a_foreign_incident(FOUND, started_at=started)).decision.incident

    assert (incident.started_at, incident.created_at) == (starts, minute(5))


def test_it_keeps_its_address_and_the_id_of_its_feed_entry():
    address = "https://status.northwind.example"
    feed = {f"{address}/incidents/incident-1": "tag:northwind,2005:Incident/4711"}

    kept = past(a_foreign_incident(OVER), address=address, atom=feed).kept

    assert (kept.address, kept.atom) == (
        f"{address}/incidents/incident-1",
        next(iter(feed.values())),
    )
    nowhere = past(a_foreign_incident(OVER)).kept
    assert (nowhere.address, nowhere.atom) == (None, None)


# --- what comes later --------------------------------------------------------------------------

OPEN = past(a_foreign_incident(LOOK, FOUND))


def test_an_imported_incident_without_new_texts_is_left_as_it_is():
    assert more(OPEN, a_foreign_incident(LOOK, FOUND)) is None
    assert more(OPEN, a_foreign_incident(LOOK, FOUND, status="resolved")) is None


def test_new_texts_are_added_behind_the_others():
    before = replace(OPEN, kept=replace(OPEN.kept, atom="tag:northwind,2005:Incident/4711"))

    added = more(before, a_foreign_incident(LOOK, FOUND, WATCH, OVER))

    assert entries(added) == [(9, "monitoring", "We watch."), (12, "resolved", "It is over.")]
    assert [one.entry for one in added.decision.updates] == list(added.texts) == [4, 5]
    incident = added.decision.incident
    assert (incident.status, incident.version, incident.last_entry) == ("resolved", 5, 5)
    assert (added.kept.entries, added.kept.atom) == (5, before.kept.atom)


LEFT_OUT = "1 newer update of it there was left out"
HERE = replace(
    OPEN,
    decision=replace(OPEN.decision, incident=replace(OPEN.decision.incident, last_entry=4)),
)


@pytest.mark.parametrize(
    ("before", "there", "told"),
    [
        (
            HERE,
            a_foreign_incident(LOOK, FOUND, WATCH),
            f"INC-7 was changed here: {LEFT_OUT}.",
        ),
        (
            HERE,
            a_foreign_incident(LOOK, FOUND, WATCH, OVER),
            "INC-7 was changed here: 2 newer updates of it there were left out.",
        ),
        (
            OPEN,
            a_foreign_incident(LOOK, a_foreign_update(3, "investigating", "Still."), FOUND),
            f"INC-7 has later texts: {LEFT_OUT}.",
        ),
        (
            OPEN,
            a_foreign_incident(LOOK, FOUND, AGAIN),
            f"INC-7 went back a step there, and cannot here: {LEFT_OUT}.",
        ),
    ],
    ids=["changed here", "changed here, two", "an earlier text", "a step back"],
)
def test_what_does_not_fit_behind_the_others_is_left_out_and_told(before, there, told):
    assert more(before, there) == told
