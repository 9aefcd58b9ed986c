"""Reports: pure folds over a timeline, in two renderings of two types."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.incident import (
    Component,
    Kind,
    PublicText,
    Resolution,
    Resolved,
    Section,
    Visibility,
)
from core.lifecycle import RESPONSE, STATUSPAGE
from core.promise import Promise, PromiseState, Release
from core.public_side import PublicIncident, PublicUpdate, ToldPromise
from core.report import Report, markdown, public_markdown, report_of
from tests.builders import (
    ADA,
    GRACE,
    NINE,
    a_component,
    a_public_incident,
    an_id,
    an_incident,
    an_update,
)

MINUTE = timedelta(minutes=1)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def entries(*rows, start=NINE):
    """A timeline: each row is a kind with the fields that differ, one minute after the other."""
    declared = an_update(entry=1, kind=Kind.DECLARED, body=None, new="investigating", at=start)
    return (
        declared,
        *(
            an_update(entry=entry, kind=kind, at=start + (entry - 1) * MINUTE, **changes)
            for entry, (kind, changes) in enumerate(rows, 2)
        ),
    )


PUBLIC = {"visibility": Visibility.PUBLIC}
WHOLE = entries(
    (Kind.WROTE, {"body": "db-3 lost quorum"}),
    (Kind.ACKNOWLEDGED, {"body": None, "by": GRACE}),
    (Kind.MOVED, {"body": None, "old": "investigating", "new": "identified"}),
    (Kind.WROTE, {"body": "We look into it.", **PUBLIC}),
    (Kind.MOVED, {"body": "A fix is out.", "old": "identified", "new": "monitoring", **PUBLIC}),
    (Kind.MOVED, {"body": None, "old": "monitoring", "new": "resolved"}),
    (Kind.REPORTED, {"body": "Cards\nwere refused.", "new": "impact", "by": GRACE}),
)
ENDED = an_incident(
    status="resolved",
    owner=GRACE,
    acknowledged_by=GRACE,
    resolution=Resolved(how=Resolution.FIXED),
    components=(a_component("api"), a_component("web")),
)


def test_the_internal_report_has_facts_sections_and_the_whole_timeline():
    assert markdown(report_of(ENDED, WHOLE)) == (
        """\
# INC-42 Checkout is down

*Internal: it holds private notes.*

- Severity: high
- Status: Resolved
- Components: api, web
- Started: 2026-03-02 09:00 UTC
- Declared: 2026-03-02 09:00 UTC, by Ada
- Acknowledged: 2026-03-02 09:02 UTC, 2 min after the declaration, by Grace
- Owner: Grace
- First public update: 2026-03-02 09:04 UTC, 4 min after the start
- Resolved: 2026-03-02 09:06 UTC, after 6 min
- How it ended: fixed
- Took part: Ada, Grace

## Summary

*To write.*

## Impact

> Cards\\
> were refused.

By Grace.

## Cause

*To write.*

## What helped

*To write.*

## Follow-ups

*To write.*

## Timeline

- **2026-03-02 09:00 UTC** Ada declared it: Investigating
- **2026-03-02 09:01 UTC** Ada wrote a note (private):

  > db-3 lost quorum

- **2026-03-02 09:02 UTC** Grace acknowledged
- **2026-03-02 09:03 UTC** Ada moved it from Investigating to Identified
- **2026-03-02 09:04 UTC** Ada posted a public update (public):

  > We look into it.

- **2026-03-02 09:05 UTC** Ada moved it from Identified to Monitoring (public):

  > A fix is out.

- **2026-03-02 09:06 UTC** Ada moved it from Monitoring to Resolved
- **2026-03-02 09:07 UTC** Grace wrote the section impact
"""
    )


def test_an_open_incident_lasts_until_its_last_entry():
    told = markdown(report_of(an_incident(), WHOLE[:3]))

    assert (
        "- Last entry: 2026-03-02 09:02 UTC, 2 min after the start, and not resolved yet\n" in told
    )
    assert "- Owner: nobody\n" in told
    assert "- Components: none\n" in told
    assert "First public update" not in told


@pytest.mark.parametrize(("later", "remark"), [((), ", at the end of its hold"), (WHOLE[2:], "")])
def test_a_first_update_that_may_be_held_is_not_called_public(later, remark):
    (_, held) = entries(
        (Kind.WROTE, {"body": "We look into it.", "public_at": NINE + 2 * MINUTE, **PUBLIC})
    )
    told = markdown(report_of(an_incident(), (WHOLE[0], held, *later)))

    assert f"- First public update: 2026-03-02 09:02 UTC, 2 min after the start{remark}\n" in told


def test_an_acknowledgement_without_a_name_has_a_time():
    told = markdown(report_of(an_incident(), WHOLE[:3]))

    assert "- Acknowledged: 2026-03-02 09:02 UTC, 2 min after the declaration\n" in told


def test_the_description_of_now_stands_before_the_sections():
    told = markdown(report_of(an_incident(description="Orders fail.\n# All"), WHOLE[:1]))

    assert "\n## Description\n\n> Orders fail.\\\n> \\# All\n\n## Summary\n" in told


def test_a_private_incident_says_so():
    assert "- Readers: private: it has no public side\n" in markdown(
        report_of(an_incident(private=True), WHOLE[:1])
    )


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (Kind.ACKNOWLEDGED, {"old": "open", "new": "acknowledged"}, "acknowledged: from Open to"),
        (Kind.ASSIGNED, {"old": None, "new": "Grace"}, "made Grace the owner"),
        (Kind.SEVERITY, {"old": "low", "new": "high"}, "changed the severity from low to high"),
        (Kind.TITLE, {"old": None, "new": "Cards"}, 'from one that was withdrawn to "Cards"'),
        (Kind.COMPONENTS, {"old": "api", "new": ""}, "changed the components to none"),
        (Kind.DESCRIPTION, {}, "changed the description"),
        (Kind.PRIVACY, {"old": "public", "new": "private"}, "made it private"),
        (Kind.INVITED, {"new": "Grace"}, "invited Grace"),
        (Kind.UNINVITED, {"old": "Grace"}, "took the invitation of Grace back"),
        (Kind.TOOK_OVER, {}, "took it"),
        (Kind.CHANNEL, {"new": "opened"}, "opened a channel for it"),
        (Kind.CHANNEL, {"new": "kept"}, "kept its channel"),
        (Kind.ASSIGNED, {"old": "Grace"}, "left it without an owner (was Grace)"),
        (Kind.ASSIGNED, {"old": "Ada", "new": "Grace"}, "made Grace the owner (was Ada)"),
        (Kind.DECLINED, {"old": "Ada", "new": "Grace"}, "did not take it: Grace owns it now"),
        (Kind.DECLINED, {"old": "Ada"}, "did not take it: nobody owns it now"),
        (
            Kind.CORRECTED,
            {"old": "3", "body": "We look.", **PUBLIC},
            "replaced a withdrawn public update",
        ),
        (Kind.RESOLUTION, {"new": "false alarm"}, "said how it ended: false alarm"),
        (Kind.REPORTED, {"new": "cause"}, "emptied the section cause"),
        (
            Kind.REPORTED,
            {"new": "helped", "redacted_at": NINE},
            "wrote the section what helped; the text was withdrawn",
        ),
        (Kind.WROTE, {"redacted_at": NINE}, "wrote a note; the text was withdrawn\n"),
        (
            Kind.WROTE,
            {"redacted_at": NINE, "public_at": NINE + MINUTE, **PUBLIC},
            "posted a public update; the text was withdrawn, and was never published\n",
        ),
    ],
)
def test_every_kind_of_entry_is_said_in_words(kind, changes, said):
    lifecycle = RESPONSE if changes.get("new") == "acknowledged" else STATUSPAGE
    declared, entry = entries((kind, {"body": None, **changes}))
    incident = an_incident(lifecycle=lifecycle)

    report = report_of(incident, (replace(declared, new=lifecycle.initial), entry))

    assert said.strip() in report.lines[-1].said
    assert f"**2026-03-02 09:01 UTC** {report.lines[-1].said.split()[0]}" in markdown(report)


def test_a_section_shows_its_newest_text_alone():
    timeline = entries(
        (Kind.REPORTED, {"body": "db-3", "new": "cause"}),
        (Kind.REPORTED, {"body": "db-4", "new": "cause", "by": GRACE}),
    )

    cause = report_of(an_incident(), timeline).sections[list(Section).index(Section.CAUSE)]

    assert (cause.text, cause.by) == ("db-4", GRACE)


def test_a_withdrawn_section_is_to_write_again():
    timeline = entries(
        (Kind.REPORTED, {"body": "db-3", "new": "cause"}),
        (Kind.REPORTED, {"body": None, "new": "cause", "redacted_at": NINE}),
    )

    assert {one.text for one in report_of(an_incident(), timeline).sections} == {""}


# --- typed texts -------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=30).filter(str.strip)


def outline(told):
    for token in PARSER.parse(told):
        yield token.type, token.tag, token.nesting, token.level
        for child in token.children or ():
            if child.type not in {"text", "hardbreak", "softbreak"}:
                yield child.type, child.tag


@given(st.lists(texts, min_size=5, max_size=5))
def test_no_typed_text_changes_the_structure(typed):
    def told(title, note, public, section, component):
        timeline = entries(
            (Kind.WROTE, {"body": note}),
            (Kind.WROTE, {"body": public, **PUBLIC}),
            (Kind.REPORTED, {"body": section, "new": "cause"}),
            (Kind.TITLE, {"body": None, "old": title, "new": note}),
        )
        tagged = (Component(an_id("x"), component),)
        incident = an_incident(title=title, components=tagged, owner=ADA)
        return markdown(report_of(incident, timeline))

    # The sign at the end keeps a text that is nothing but blanks in Markdown.
    assert list(outline(told(*(f"{text}." for text in typed)))) == list(outline(told(*"abcde")))


# --- the public report -------------------------------------------------------------------------


def a_published_incident(**changes):
    updates = (
        public_update(5, withdrawn=True),
        public_update(4, body=PublicText("We *look*\ninto it."), status="identified"),
        public_update(1, status="investigating"),
    )
    return a_public_incident(**{"components": (a_component("api"),), "updates": updates} | changes)


def public_update(entry, **changes):
    facts: dict[str, Any] = {
        "body": None,
        "status": None,
        "word": None,
        "at": NINE + (entry - 1) * MINUTE,
        "changed_at": NINE + (entry - 1) * MINUTE,
    }
    return PublicUpdate(entry=entry, **facts | changes)


def test_the_public_report_has_public_facts_and_texts_alone():
    assert public_markdown(a_published_incident()) == (
        """\
# INC-42 Checkout is down

- Severity: high
- Status: Identified
- Components: api
- Started: 2026-03-02 09:00 UTC
- Last change: 2026-03-02 09:05 UTC, 5 min after the start, and not resolved yet

## Updates

- **2026-03-02 09:00 UTC** Investigating
- **2026-03-02 09:03 UTC** Identified

  > We \\*look\\*\\
  > into it.

- **2026-03-02 09:04 UTC** *This text was withdrawn.*
"""
    )


def test_the_public_report_of_the_end_has_the_duration():
    told = public_markdown(a_published_incident(resolved_at=NINE + 64 * MINUTE))

    assert "- Resolved: 2026-03-02 10:04 UTC, after 1 h 04 min\n" in told


def test_the_public_report_names_promises_as_facts():
    told = public_markdown(
        a_published_incident(
            promises=(
                ToldPromise(due_at=NINE + 30 * MINUTE, state=PromiseState.BROKEN),
                ToldPromise(
                    due_at=NINE + 60 * MINUTE, state=PromiseState.LATE, lateness=12 * MINUTE
                ),
            )
        )
    )

    assert told.endswith(
        "## Promises of the next update\n\n"
        "- By **2026-03-02 09:30 UTC**: broken\n"
        "- By **2026-03-02 10:00 UTC**: kept late, after 12 min\n"
    )


def test_the_two_reports_are_made_from_two_types():
    """No field of the public one can hold a note or a person."""
    internal = {field.name for field in fields(Report)}
    public = {field.name: str(field.type) for field in fields(PublicIncident)}

    assert not internal & {"updates", "word"}
    assert not {kind for kind in public.values() if "Note" in kind or "Person" in kind}


def test_the_report_has_the_score_of_promises_and_who_made_them():
    by = NINE + timedelta(minutes=30)
    timeline = entries(
        (Kind.PROMISED, {"body": None, "next_update_by": by}),
        (Kind.PROMISED, {"body": "the vendor decides"}),
    )
    made = Promise(entry=2, public_at=timeline[1].at, due_at=by)
    released = replace(made, released_at=timeline[2].at, release=Release.PERSON)
    told = markdown(report_of(an_incident(), timeline, [released]))

    assert "- Promises of the next public update: 1 released" in told
    assert "promised the next update by 2026-03-02 09:30 UTC" in told
    assert "released the promise of the next update (private):" in told
    assert "Promises" not in markdown(report_of(an_incident(), timeline))


def test_a_promise_in_force_is_in_the_report_with_its_time():
    by = NINE + timedelta(minutes=30)
    timeline = entries((Kind.PROMISED, {"body": None, "next_update_by": by}))
    now = Promise(entry=2, public_at=timeline[-1].at, due_at=by)
    kept = replace(now, entry=1, answered_at=timeline[-1].at, answered_by=2)

    alone = markdown(report_of(an_incident(), timeline, [now]))
    second = markdown(report_of(an_incident(), timeline, [kept, now]))

    assert "- Next public update, as promised: 2026-03-02 09:30 UTC\n" in alone
    assert "Promises of" not in alone
    assert "- Promises of the next public update: 1 kept\n- Next public update, as" in second
