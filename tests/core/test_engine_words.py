"""Words: notes are for responders, public updates for everybody, and texts have limits."""

import pytest

from core.errors import EmptyUpdate, InvalidField
from core.incident import Kind, Visibility
from core.lifecycle import RESPONSE
from core.missing import UnknownComponent
from core.refusals import NoPublicSurface, StaleStatus, TransitionNotAllowed, UnknownStatus
from core.texts import one_line
from tests.builders import (
    NINE,
    a_change,
    a_component,
    a_declaration,
    a_workspace,
    an_incident,
    an_update,
    decide,
    known,
)

INTERNAL, PUBLIC = Visibility.INTERNAL, Visibility.PUBLIC


def timeline(incident, **asked):
    """The updates of a change, in short: kind, visibility, body, old and new status."""
    decision = decide(incident, a_change(**asked), known(), at=NINE)
    return [(u.kind, u.visibility, u.body, u.old, u.new) for u in decision.updates]


# --- readers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        pytest.param(
            {"note": "db-3 lost quorum"},
            [(Kind.WROTE, INTERNAL, "db-3 lost quorum", None, None)],
            id="only a note",
        ),
        pytest.param(
            {"to": "identified", "note": "db-3 lost quorum"},
            [(Kind.MOVED, INTERNAL, "db-3 lost quorum", "investigating", "identified")],
            id="a note that rides on a transition",
        ),
        pytest.param(
            {"public": "We are on it."},
            [(Kind.WROTE, PUBLIC, "We are on it.", None, None)],
            id="only a public update",
        ),
        pytest.param(
            {"to": "identified", "public": "We found it."},
            [(Kind.MOVED, PUBLIC, "We found it.", "investigating", "identified")],
            id="a public update that carries a transition",
        ),
        pytest.param(
            {"public": "We are on it.", "note": "db-3 lost quorum"},
            [
                (Kind.WROTE, PUBLIC, "We are on it.", None, None),
                (Kind.WROTE, INTERNAL, "db-3 lost quorum", None, None),
            ],
            id="both texts",
        ),
        pytest.param(
            {"to": "identified", "public": "We found it.", "note": "db-3 lost quorum"},
            [
                (Kind.MOVED, PUBLIC, "We found it.", "investigating", "identified"),
                (Kind.WROTE, INTERNAL, "db-3 lost quorum", None, None),
            ],
            id="all three",
        ),
    ],
)
def test_each_text_stands_in_an_update_with_its_own_readers(asked, written):
    assert timeline(an_incident(), **asked) == written


@pytest.mark.parametrize("to", ["acknowledged", "resolved"])
def test_a_note_may_ride_on_any_transition(to):
    (update,) = timeline(an_incident(lifecycle=RESPONSE), to=to, note="db-3 lost quorum")

    assert update[1:] == (INTERNAL, "db-3 lost quorum", "open", to)


def test_all_of_one_change_is_one_version_with_entries_in_a_row():
    decision = decide(
        an_incident(last_entry=3, version=5),
        a_change(to="identified", public="We found it.", note="db-3 lost quorum", title="Down"),
        known(),
        at=NINE,
    )

    assert [update.entry for update in decision.updates] == [4, 5, 6]
    assert (decision.incident.version, decision.incident.last_entry) == (6, 6)


@pytest.mark.parametrize(
    "asked", [{}, {"expected_status": "investigating"}], ids=["command", "dialog"]
)
def test_an_update_with_neither_words_nor_a_step_is_refused(asked):
    with pytest.raises(EmptyUpdate):
        decide(an_incident(), a_change(**asked), known(), at=NINE)


@pytest.mark.parametrize(
    ("incident", "status_channel"),
    [
        pytest.param(an_incident(), None, id="no status channel"),
        pytest.param(an_incident(private=True), "C0STATUS", id="private incident"),
        pytest.param(an_incident(private=True), None, id="neither"),
    ],
)
@pytest.mark.parametrize(
    "more",
    [{}, {"to": "identified"}, {"note": "db-3 lost quorum"}],
    ids=["by itself", "with a step", "with a note"],
)
def test_a_public_update_needs_a_public_surface(incident, status_channel, more):
    workspace = a_workspace(status_channel=status_channel)

    with pytest.raises(NoPublicSurface) as refused:
        decide(incident, a_change(public="Soon.", **more), known(workspace=workspace), at=NINE)

    assert refused.value.incident is incident


@pytest.mark.parametrize(
    ("incident", "status_channel"),
    [(an_incident(), None), (an_incident(private=True), "C0STATUS")],
    ids=["no status channel", "private incident"],
)
def test_a_move_with_a_note_needs_no_public_surface(incident, status_channel):
    workspace = a_workspace(status_channel=status_channel)

    decision = decide(
        incident, a_change(to="identified", note="n"), known(workspace=workspace), at=NINE
    )

    assert decision.incident.status == "identified"


# --- acceptable texts ------------------------------------------------------------------------

CONTROL = "holds control characters, which cannot be kept: leave them out"
EMPTY = "is empty: write 1 to 2,000 characters"

TAKEN = [
    pytest.param("x", "x", id="1 character"),
    pytest.param("x" * 2_000, "x" * 2_000, id="2,000 characters"),
    pytest.param(" \n\t" + "x" * 2_000 + "\u2003\n", "x" * 2_000, id="2,000 after trimming"),
    pytest.param("é" * 2_000, "é" * 2_000, id="2,000 characters, not bytes"),
    pytest.param("🔥" * 2_000, "🔥" * 2_000, id="2,000 characters outside the basic plane"),
    pytest.param("one\r\ntwo", "one\ntwo", id="line feeds as Windows sends them"),
    pytest.param("x" + "\r\n" * 1_998 + "x", "x" + "\n" * 1_998 + "x", id="counted as one each"),
    pytest.param("one\n\n\ttwo", "one\n\n\ttwo", id="line feeds and tabs inside"),
    pytest.param("a\u200bb", "a\u200bb", id="a zero-width space between letters"),
    pytest.param("👩\u200d🚒", "👩\u200d🚒", id="an emoji joined by zero width"),
    pytest.param("\U0001fae9", "\U0001fae9", id="an emoji younger than some Pythons"),
    pytest.param(
        "<!channel> & <@U0ADA>", "<!channel> & <@U0ADA>", id="left to the views to escape"
    ),
]

REFUSED = [
    pytest.param("", EMPTY, id="nothing"),
    pytest.param(" \t\r\n\u00a0\u3000", EMPTY, id="nothing but white space"),
    pytest.param("\u200b\u200d\ufeff", EMPTY, id="nothing but zero-width characters"),
    pytest.param("\u200b \u200b", EMPTY, id="zero-width characters around a space"),
    pytest.param("x" * 2_001, "has 2,001 characters: at most 2,000 fit", id="2,001 characters"),
    pytest.param("a\x00b", CONTROL, id="NUL"),
    pytest.param("a\x1b[31mb", CONTROL, id="an escape sequence"),
    pytest.param("a\x9b31mb", CONTROL, id="an escape sequence of one byte"),
    pytest.param("a\x7fb", CONTROL, id="delete"),
    pytest.param("a\rb", CONTROL, id="a carriage return of its own"),
    pytest.param("a\ud800b", CONTROL, id="half a surrogate pair"),
    pytest.param("a\uffffb", CONTROL, id="what no feed can hold"),
]


@pytest.mark.parametrize(("text", "kept"), TAKEN)
@pytest.mark.parametrize("field", ["note", "public"])
def test_a_body_has_1_to_2000_characters_after_trimming(field, text, kept):
    ((_, _, body, _, _),) = timeline(an_incident(), **{field: text})

    assert body == kept


@pytest.mark.parametrize(("text", "problem"), REFUSED)
@pytest.mark.parametrize(("asked", "field"), [("note", "note"), ("public", "public_update")])
def test_a_body_that_cannot_be_taken_is_refused_with_its_field(asked, field, text, problem):
    with pytest.raises(InvalidField) as refused:
        decide(an_incident(), a_change(**{asked: text}), known(), at=NINE)

    assert (refused.value.field, refused.value.problem) == (field, problem)


def test_of_two_bodies_that_cannot_be_taken_the_public_one_is_named():
    with pytest.raises(InvalidField) as refused:
        decide(an_incident(), a_change(public=" ", note=" "), known(), at=NINE)

    assert refused.value.field == "public_update"


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        pytest.param("x", "x", id="1 character"),
        pytest.param("x" * 255, "x" * 255, id="255 characters"),
        pytest.param("  Checkout \n is\tdown ", "Checkout is down", id="several lines"),
        pytest.param("", None, id="nothing"),
        pytest.param(" ", None, id="nothing but white space"),
        pytest.param("\u200b", None, id="nothing but zero-width characters"),
        pytest.param("x" * 256, None, id="256 characters"),
        pytest.param("a\x00b", None, id="NUL"),
    ],
)
@pytest.mark.parametrize("ask", [a_change, a_declaration])
def test_a_title_is_one_line_of_1_to_255_characters(ask, title, kept):
    incident = an_incident() if ask is a_change else None
    command = ask(title=title)

    if kept:
        assert decide(incident, command, known(), at=NINE).incident.title == kept
    else:
        with pytest.raises(InvalidField) as refused:
            decide(incident, command, known(), at=NINE)
        assert refused.value.field == "title"


def test_one_line_turns_every_run_of_white_space_into_one_space():
    assert one_line("\n a \u3000\t b\r\n") == "a b"


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"note": "canary\x00"}, InvalidField),
        ({"note": "canary" * 400}, InvalidField),
        ({"public": "canary", "note": " "}, InvalidField),
        ({"public": "canary\x00"}, InvalidField),
        ({"title": "canary" * 50}, InvalidField),
        ({"note": "canary", "to": "resolved"}, TransitionNotAllowed),
        ({"note": "canary", "to": "nowhere"}, UnknownStatus),
        ({"note": "canary", "components": ("appi",)}, UnknownComponent),
        ({"note": "canary", "public": "canary"}, NoPublicSurface),
        ({"note": "canary", "to": "identified", "expected_status": "monitoring"}, StaleStatus),
    ],
)
def test_no_refusal_repeats_a_text(asked, refusal):
    what = known(
        workspace=a_workspace(status_channel=None),
        components=(a_component("api"),),
        moved=an_update(kind=Kind.MOVED, body="canary", new="investigating"),
    )

    with pytest.raises(refusal) as refused:
        decide(an_incident(), a_change(**asked), what, at=NINE)

    assert "canary" not in f"{refused.value!s} {refused.value!r} {refused.value.args}"
