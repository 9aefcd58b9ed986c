"""Dialogs: the readers of each text, the requests they make, errors at their fields."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack import dialogs, forms, refusals, updating, words
from bot.slack.forms import UpdateForm
from bot.slack.inputs import Origin, origin_of
from bot.slack.requests import AssignTo, OpenDeclare, Request, UsageError
from bot.slack.withdrawal import redact_dialog
from bot.ways import in_slack
from core.commands import Redact
from core.denials import Denied, Permission
from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.incident import Kind, Note, Place, PublicText, Severity, Visibility
from core.lifecycle import PRESETS, RESPONSE, Catalogue, Lifecycle, read
from core.missing import UnknownComponent, WhichIncident
from core.promise import NextUpdate
from core.refusals import IncidentResolved, NoPublicSurface, TransitionNotAllowed
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    NINE,
    a_change,
    a_declaration,
    a_workspace,
    an_actor,
    an_id,
    an_incident,
    an_update,
)

NOW = NINE + timedelta(minutes=12)
ORIGIN = Origin(place=Place(INCIDENTS_CHANNEL), response_url="https://hooks.slack.com/x")
CATALOGUE = Catalogue(PRESETS, default="statuspage")
INCIDENT = an_incident()


def an_update_dialog(**facts: Any) -> dict[str, Any]:
    incident = facts.pop("incident", INCIDENT)
    workspace = facts.pop("workspace", a_workspace())
    facts = {"at": NOW, "promise_defaults": {}, **facts}
    return updating.update_dialog(incident, workspace, origin=ORIGIN, **facts)


def a_form(**typed: Any) -> UpdateForm:
    return UpdateForm(ref=INCIDENT.id, expected_status="investigating", **typed)


def preview(view: dict[str, Any]) -> list[str]:
    """The lines under the inputs of ``view``."""
    told: list[str] = []
    for block in reversed(view["blocks"]):
        if block["type"] == "input":
            break
        texts = block["elements"] if block["type"] == "context" else [block["text"]]
        told = [*(text["text"] for text in texts), *told]
    return told


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs of ``view`` by their names, without the part after a colon."""
    found = [block for block in view["blocks"] if block["type"] == "input"]
    return {block["block_id"].split(":")[0]: block for block in found}


def option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


HELD = {
    "radio_buttons": lambda value: {"selected_option": value and option(value)},
    "plain_text_input": lambda value: {"value": value},
    "static_select": lambda value: {"selected_option": value and option(value)},
    "users_select": lambda value: {"selected_user": value},
    "checkboxes": lambda value: {"selected_options": [option(value)] if value else []},
}


def started_with(element: dict[str, Any]) -> str | None:
    """The initial value of ``element``."""
    ticked = element.get("initial_options", [])
    chosen = element.get("initial_option", ticked[0] if ticked else {}).get("value")
    return element.get("initial_value", element.get("initial_user", chosen))


def submitted(view: dict[str, Any], **typed: str) -> dict[str, Any]:
    """``view`` as Slack sends it back: each input by its name, untouched ones as they began."""
    values = {}
    for name, block in inputs(view).items():
        element = block["element"]
        value = typed.get(name, started_with(element))
        held = {"type": element["type"], **HELD[element["type"]](value)}
        values[block["block_id"]] = {element["action_id"]: held}
    return {**view, "state": {"values": values}}


def asked(view: dict[str, Any], *, catalogue: Catalogue = CATALOGUE) -> Request:
    """The request that the submission of ``view`` makes."""
    return forms.read(view, actor=an_actor(), catalogue=catalogue, new_id=an_id(1), at=NOW)


# --- readers ---------------------------------------------------------------------------------


def test_each_box_names_its_readers():
    boxes = inputs(an_update_dialog())

    assert boxes["public"]["hint"]["text"] == "Everyone in the status channel will read this."
    assert boxes["note"]["hint"]["text"] == words.RESPONDERS


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"incident": an_incident(private=True)}, "INC-42 is private"),
        ({"workspace": a_workspace(status_channel=None)}, "There is no status channel yet"),
    ],
)
def test_without_a_public_side_the_public_box_is_replaced_by_the_reason(facts, reason):
    view = an_update_dialog(**facts)

    assert "public" not in inputs(view)
    assert reason in view["blocks"][-1]["elements"][0]["text"]


@pytest.mark.parametrize(
    ("place", "insiders"),
    [
        (
            None,
            (
                "Ticked: you, its owner, workspace admins and whoever you invite, and people in "
                "the channel if it is a private one, see it."
            ),
        ),
        (
            Place("C1"),
            "Ticked: you, its owner, workspace admins and whoever you invite see it.",
        ),
        (
            Place("C1", private=True),
            (
                "Ticked: you, people in this channel, its owner, workspace admins and whoever you "
                "invite see it."
            ),
        ),
    ],
)
def test_a_private_declaration_names_its_readers(place, insiders):
    view = dialogs.declare_dialog(CATALOGUE, by=ADA, origin=Origin(place=place))

    assert inputs(view)["private"]["hint"]["text"] == (
        f"{insiders} Not ticked: everyone in this workspace; everyone where incidents are public "
        "will read its title, severity, status, components and times."
    )


@pytest.mark.parametrize("private", [True, False])
def test_a_box_that_is_ticked_by_default_says_why(private):
    view = dialogs.declare_dialog(
        CATALOGUE, by=ADA, origin=ORIGIN, draft=OpenDeclare(private=private), secluded=True
    )
    box = inputs(view)["private"]

    assert ("initial_options" in box["element"]) is private
    assert box["hint"]["text"].startswith("It is ticked because this conversation") is private


NOTHING = ["Preview: <#C0STATUS> will show nothing new."]
CARD = ["Preview: <#C0STATUS> will show", "🟠 *Checkout is down*  INC-42"]
STAYS, MOVES = "*Investigating* · high", "*Identified* (was Investigating) · high"
IN_THREAD = "and in its thread:"
BROADCAST = "and in its thread, broadcast to the channel:"


@pytest.mark.parametrize(
    ("typed", "shown", "label"),
    [
        ({}, NOTHING, "Save"),
        ({"note": Note("db-3")}, NOTHING, "Save"),
        ({"to": "identified"}, [*CARD, MOVES], "Publish"),
        (
            {"public": PublicText("We <found> it.")},
            [*CARD, STAYS, IN_THREAD, "We &lt;found&gt; it."],
            "Publish",
        ),
        (
            {"to": "identified", "public": PublicText("Found."), "note": Note("db-3")},
            [*CARD, MOVES, BROADCAST, "*Identified*: Found."],
            "Publish",
        ),
        (
            {"severity": Severity.LOW},
            [CARD[0], "🔵 *Checkout is down*  INC-42", "*Investigating* · low"],
            "Publish",
        ),
        # In doubt it says Publish: the engine refuses a text of white space.
        ({"public": PublicText("  ")}, [*CARD, STAYS], "Publish"),
    ],
    ids=["nothing", "a note", "a step", "a text", "both and a note", "a severity", "a blank"],
)
def test_the_preview_and_the_button_say_what_will_be_public(typed, shown, label):
    view = an_update_dialog(form=a_form(**typed))

    assert preview(view) == shown
    assert view["submit"]["text"] == label


@pytest.mark.parametrize(
    "facts",
    [{"incident": an_incident(private=True)}, {"workspace": a_workspace(status_channel=None)}],
    ids=["private", "no status channel"],
)
def test_without_a_public_side_everything_is_only_saved(facts):
    form = a_form(to="identified", severity=Severity.LOW, note=Note("db-3"))

    assert an_update_dialog(form=form, **facts)["submit"]["text"] == "Save"


def test_the_preview_of_a_long_text_is_whole():
    text = "&" * 2_000
    shown = preview(an_update_dialog(form=a_form(public=PublicText(text))))

    assert "".join(shown[4:]) == "&amp;" * 2_000


def test_the_preview_of_a_bare_end_shows_the_reply_about_it():
    incident = an_incident(status="monitoring")
    form = replace(a_form(to="resolved"), expected_status="monitoring")

    assert preview(an_update_dialog(incident=incident, form=form))[-2:] == [
        BROADCAST,
        "*Resolved* after 12 min.",
    ]


DEFAULTS = {Severity.HIGH: timedelta(minutes=60), Severity.CRITICAL: timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"public": PublicText("Found.")}, ["with the promise of the next update in 1 h"]),
        (
            {"public": PublicText("Found."), "severity": Severity.CRITICAL},
            ["with the promise of the next update in 30 min"],
        ),
        ({"public": PublicText("Found."), "chose_promise": True}, []),
        ({"to": "identified"}, []),
    ],
    ids=["of the severity", "of a new severity", "none is chosen", "without a text"],
)
def test_the_preview_names_the_promise_that_comes_with_a_text(typed, told):
    shown = preview(an_update_dialog(form=a_form(**typed), promise_defaults=DEFAULTS))

    assert [line for line in shown if "promise" in line] == told


def test_the_end_promises_nothing():
    form = a_form(to="resolved", public=PublicText("It works."))
    shown = preview(
        an_update_dialog(
            incident=an_incident(status="monitoring"), form=form, promise_defaults=DEFAULTS
        )
    )

    assert [line for line in shown if "promise" in line] == []


def test_previews_that_differ_only_in_notes_are_the_same_bytes():
    first, second = (
        an_update_dialog(form=a_form(public=PublicText("We found it."), note=Note(note)))
        for note in ("db-3 lost quorum", "Pat pulled the cable")
    )

    assert json.dumps(preview(first)) == json.dumps(preview(second))
    assert "quorum" not in json.dumps(preview(first))


@pytest.mark.parametrize("name", ["step", "public", "severity", "next_update"])
def test_an_input_that_may_be_public_is_sent_while_it_is_filled_in(name):
    block = inputs(an_update_dialog())[name]

    assert block["dispatch_action"]
    assert re.match("preview(:|$)", block["element"]["action_id"])
    assert "dispatch_action" not in inputs(an_update_dialog())["note"]


def test_only_legal_steps_can_be_chosen():
    choice = inputs(an_update_dialog(incident=an_incident(lifecycle=RESPONSE)))["step"]["element"]

    assert [o["value"] for o in choice["options"]] == ["stay", "acknowledged", "resolved"]
    assert choice["initial_option"]["text"]["text"] == "Stay Open"


def test_a_finished_incident_has_nothing_to_fill_in():
    view = an_update_dialog(incident=an_incident(status="resolved"))

    assert inputs(view) == {}
    assert "submit" not in view


# --- submissions -----------------------------------------------------------------------------


def test_one_submit_is_one_command():
    form = a_form(public=PublicText("x"))
    view = submitted(
        an_update_dialog(form=form),
        step="identified",
        public="We found it.",
        note="db-3",
        severity="critical",
        next_update="30",
    )

    assert asked(view) == a_change(
        ref=INCIDENT.id,
        to="identified",
        public=PublicText("We found it."),
        note=Note("db-3"),
        severity=Severity.CRITICAL,
        next_update=NextUpdate(within=timedelta(minutes=30)),
        expected_status="investigating",
    )


def test_an_untouched_dialog_asks_for_nothing():
    command = asked(submitted(an_update_dialog()))

    assert command == a_change(ref=INCIDENT.id, expected_status="investigating")


def test_a_proposed_promise_without_a_text_is_none_and_a_chosen_one_is_asked_about():
    view = an_update_dialog(promise_defaults=DEFAULTS)

    assert asked(submitted(view, note="db-3")) == a_change(
        ref=INCIDENT.id,
        note=Note("db-3"),
        next_update=NextUpdate(within=timedelta(minutes=60)),
        expected_status="investigating",
    )
    with pytest.raises(InvalidField, match="comes with a public update") as refused:
        asked(submitted(view, note="db-3", next_update="30"))
    assert forms.field_errors(refused.value, view) == {"next_update:60": refused.value.message}


@pytest.mark.parametrize("typed", [{"public": "x"}, {"step": "identified"}, {"severity": "low"}])
def test_nothing_is_published_by_a_button_that_does_not_say_so(typed):
    view = submitted(an_update_dialog(), **typed)
    form = forms.update_form(view)

    with pytest.raises(forms.Unannounced) as refused:
        asked(view)

    again = an_update_dialog(form=form, unannounced=True)
    assert forms.field_errors(refused.value, view) == {}
    assert "press *Publish*" in again["blocks"][1]["text"]["text"]
    assert asked(submitted(again)) == form.command(an_actor())


def test_a_private_change_is_saved_at_once():
    view = an_update_dialog(incident=an_incident(private=True))

    assert asked(submitted(view, step="identified", note="db-3")) == a_change(
        ref=INCIDENT.id, to="identified", note=Note("db-3"), expected_status="investigating"
    )


def test_a_severity_that_changed_meanwhile_is_not_changed_back():
    typed = submitted(an_update_dialog(), note="db-3")
    chosen = submitted(an_update_dialog(), severity="low")
    raised = an_incident(severity=Severity.CRITICAL)
    after, own = (
        an_update_dialog(incident=raised, form=forms.update_form(view)) for view in (typed, chosen)
    )

    assert inputs(after)["severity"]["element"]["initial_option"]["value"] == "critical"
    assert forms.update_form(submitted(after)).severity is None
    assert forms.update_form(submitted(own)).severity is Severity.LOW


def test_texts_that_no_box_can_hold_any_more_stay_in_sight():
    form = a_form(public=PublicText("We <found> it."), note=Note("db-3 lost quorum"))
    moved = an_update(kind=Kind.MOVED, new="resolved", by=GRACE, at=NOW - timedelta(seconds=4))
    view = an_update_dialog(incident=an_incident(status="resolved"), form=form, moved=moved)

    assert "submit" not in view
    assert preview(view)[-4:] == [
        "Your public update, which was not saved:",
        "We &lt;found&gt; it.",
        "Your note, which was not saved:",
        "db-3 lost quorum",
    ]


def test_a_correction_stays_a_correction_while_it_is_typed():
    over = an_incident(status="resolved")
    form = a_form(public=PublicText("It works."), corrects=True)
    emptied = submitted(an_update_dialog(incident=over, form=form), public="")
    again = an_update_dialog(incident=over, form=forms.update_form(emptied))

    assert list(inputs(again)) == ["public"]
    assert not inputs(again)["public"]["optional"]


def test_white_space_is_not_an_empty_box():
    assert forms.update_form(submitted(an_update_dialog(), note="  ")).note == "  "


def test_after_a_move_in_the_meantime_texts_stay_and_the_choice_is_new():
    first = an_update_dialog()
    typed = submitted(first, step="identified", public="We found it.", note="db-3")
    moved = an_update(kind=Kind.MOVED, new="identified", by=GRACE, at=NOW - timedelta(seconds=4))
    again = an_update_dialog(
        incident=an_incident(status="identified"),
        form=forms.update_form(typed),
        moved=moved,
        at=NOW,
    )

    for box in ("public", "note"):
        before, after = inputs(first)[box], inputs(again)[box]
        assert after["block_id"] == before["block_id"]
        assert after["element"]["action_id"] == before["element"]["action_id"]
    assert inputs(again)["public"]["element"]["initial_value"] == "We found it."
    assert inputs(again)["note"]["element"]["initial_value"] == "db-3"
    assert inputs(again)["step"]["block_id"] != inputs(first)["step"]["block_id"]
    assert inputs(again)["step"]["element"]["initial_option"]["value"] == "stay"
    assert "<@U0GRACE> moved it to *Identified* 4 s ago." in again["blocks"][1]["text"]["text"]
    assert forms.update_form(submitted(again)).expected_status == "identified"


def test_a_submitted_declaration_has_every_field():
    view = dialogs.declare_dialog(CATALOGUE, by=ADA, origin=ORIGIN)
    view = submitted(
        view,
        title="Checkout is down",
        severity="high",
        lifecycle="response",
        components="Checkout API, , web",
        private="private",
        description="Since the deploy.",
    )
    declared = asked(view)

    assert declared == a_declaration(
        id=an_id(1),
        lifecycle=RESPONSE,
        severity=Severity.HIGH,
        components=("Checkout API", "web"),
        private=True,
        description="Since the deploy.",
    )


def test_a_draft_comes_back_as_it_was_given():
    draft = OpenDeclare(
        title="Checkout is down",
        severity=Severity.HIGH,
        lifecycle="response",
        components=("api", "web"),
        private=True,
        description="Since the deploy.",
    )
    view = dialogs.declare_dialog(CATALOGUE, by=ADA, origin=ORIGIN, draft=draft)
    declared = asked(submitted(view))

    assert declared == a_declaration(
        id=an_id(1),
        lifecycle=RESPONSE,
        severity=Severity.HIGH,
        components=("api", "web"),
        private=True,
        description="Since the deploy.",
    )


def test_a_lifecycle_that_has_been_removed_is_refused():
    view = submitted(dialogs.declare_dialog(CATALOGUE, by=ADA, origin=ORIGIN), title="x")
    smaller = Catalogue([RESPONSE], default="response")

    with pytest.raises(UnknownLifecycle):
        asked(view, catalogue=smaller)


def many_lifecycles(count: int) -> list[Lifecycle]:
    rows = "[l{0}.a]\ninitial = true\nnext = ['b']\npublic = 'investigating'\n"
    rows += "[l{0}.b]\nterminal = true\npublic = 'resolved'\n"
    return [read(rows.format(index))[0] for index in range(count)]


def test_more_lifecycles_than_a_select_holds_are_put_into_groups():
    catalogue = Catalogue(many_lifecycles(130), default="l0")
    choice = inputs(dialogs.declare_dialog(catalogue, by=ADA, origin=ORIGIN))["lifecycle"][
        "element"
    ]

    assert [group["label"]["text"] for group in choice["option_groups"]] == [
        "1 to 100",
        "101 to 130",
    ]
    assert "options" not in choice


def test_a_hand_over_names_the_chosen_person():
    view = dialogs.assign_dialog(an_incident(owner=ADA), origin=ORIGIN)

    assert asked(submitted(view, person=GRACE.id)) == AssignTo(
        actor=an_actor(), ref=INCIDENT.id, user=GRACE.id
    )


def test_the_present_owner_is_chosen_already():
    view = dialogs.assign_dialog(an_incident(owner=GRACE), origin=ORIGIN)

    assert asked(submitted(view)) == AssignTo(actor=an_actor(), ref=INCIDENT.id, user=GRACE.id)


@pytest.mark.parametrize(
    "incident",
    [
        an_incident(),
        an_incident(owner=CI),
        an_incident(owner=GRACE).with_owner_left(left=True),
    ],
    ids=["nobody", "an API key", "one who left"],
)
def test_nobody_is_chosen_already_who_could_not_be(incident):
    view = dialogs.assign_dialog(incident, origin=ORIGIN)

    with pytest.raises(UsageError, match="Nobody was chosen"):
        asked(submitted(view))


def test_a_severity_starts_as_it_is():
    view = dialogs.severity_dialog(INCIDENT, a_workspace(), origin=ORIGIN)

    assert asked(submitted(view)) == a_change(ref=INCIDENT.id, severity=Severity.HIGH)


def test_only_a_text_that_is_still_there_can_be_withdrawn():
    updates = (
        an_update(entry=1, body=None, kind=Kind.DECLARED),
        an_update(entry=2, body="for us"),
        an_update(entry=3, body=None, redacted_at=NOW),
        an_update(entry=4, body="for\nall", visibility=Visibility.PUBLIC),
    )
    view = redact_dialog(INCIDENT, updates, origin=ORIGIN)
    choices = inputs(view)["entry"]["element"]["options"]

    assert [each["text"]["text"] for each in choices] == [
        "4 · 📣 public: for all",
        "2 · 🔒 private: for us",
    ]
    assert asked(submitted(view, entry="4")) == Redact(actor=an_actor(), ref=INCIDENT.id, entry=4)


@pytest.mark.parametrize(
    "view",
    [
        dialogs.assign_dialog(an_incident(), origin=ORIGIN),
        redact_dialog(INCIDENT, (an_update(),), origin=ORIGIN),
    ],
)
def test_a_missing_choice_is_asked_for(view):
    with pytest.raises(UsageError, match="was chosen"):
        asked(submitted(view))


def test_a_dialog_remembers_where_it_was_opened():
    origin = Origin(place=Place("C1", private=True), response_url="https://hooks.slack.com/x")

    assert origin_of(dialogs.declare_dialog(CATALOGUE, by=ADA, origin=origin)) == origin
    assert origin_of(dialogs.severity_dialog(INCIDENT, a_workspace(), origin=origin)) == origin


# --- rubbish ---------------------------------------------------------------------------------

FIELDS = ["step", "note", "public", "entry", "person", "severity", "lifecycle", "private", "title"]
HELD_BY_SLACK = ["value", "selected_option", "selected_options", "selected_user"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*HELD_BY_SLACK, "incident", "status"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
held = st.dictionaries(st.sampled_from(HELD_BY_SLACK), anything) | anything
fields = st.dictionaries(st.sampled_from(FIELDS), st.fixed_dictionaries({"x": held}) | anything)
states = st.fixed_dictionaries({"values": fields | anything}) | anything
metadata = anything.map(json.dumps) | st.text() | st.just("[" * 50_000)


@given(state=states, remembered=metadata)
@example(state={"values": {"step": {"x": {"selected_options": 5}}}}, remembered="{}")
def test_any_form_becomes_a_request_or_a_refusal(state, remembered):
    about = json.dumps({"incident": str(INCIDENT.id), "status": "investigating"})
    for private_metadata in (remembered, about):
        view = {"private_metadata": private_metadata, "state": state}
        origin_of(view)
        for callback_id in (*sorted(forms.CALLBACK_IDS), "unknown", None):
            with suppress(UserError):
                asked({**view, "callback_id": callback_id})


# --- faults at their fields --------------------------------------------------------------------

UPDATE = an_update_dialog()
DECLARE = dialogs.declare_dialog(CATALOGUE, by=ADA, origin=ORIGIN)

FAULTS = [
    (InvalidField("public_update", "is empty"), UPDATE, ["public"]),
    (InvalidField("note", "is empty"), UPDATE, ["note"]),
    (EmptyUpdate(), UPDATE, ["step:investigating"]),
    (InvalidField("next_update", "is too near"), UPDATE, ["next_update:none"]),
    (TransitionNotAllowed(INCIDENT, "resolved"), UPDATE, ["step:investigating"]),
    (IncidentResolved(INCIDENT, None), UPDATE, ["step:investigating"]),
    (NoPublicSurface(INCIDENT), UPDATE, ["public"]),
    (Denied(an_actor(), Permission.PUBLISH), UPDATE, ["public"]),
    (Denied(an_actor(), Permission.RESPOND), UPDATE, ["step:investigating"]),
    (InvalidField("title", "is empty"), DECLARE, ["title"]),
    (InvalidField("description", "is too long"), DECLARE, ["description"]),
    (UnknownComponent("wbe", "web"), DECLARE, ["components"]),
    (UnknownLifecycle("x", ("y",)), DECLARE, ["lifecycle"]),
    (WhichIncident(()), DECLARE, ["title"]),
]


@pytest.mark.parametrize(
    ("error", "view", "fields"),
    FAULTS,
    ids=[f"{row[1]['callback_id']}: {row[0].message}" for row in FAULTS],
)
def test_an_error_is_shown_once_at_the_field_that_it_is_about(error, view, fields):
    assert forms.field_errors(error, view) == dict.fromkeys(fields, error.told(in_slack))


def test_an_error_about_a_missing_field_is_shown_at_the_first_one():
    view = an_update_dialog(incident=an_incident(private=True))

    assert list(forms.field_errors(NoPublicSurface(INCIDENT), view)) == ["step:investigating"]


# --- dialogs that only tell --------------------------------------------------------------------


def test_a_refusal_in_a_dialog_is_laid_out_with_its_buttons():
    refusal = refusals.refusal(TransitionNotAllowed(INCIDENT, "resolved"), at=NOW)

    assert dialogs.message_dialog(refusal)["blocks"] == refusal["blocks"]


def test_a_refusal_above_the_inputs_of_a_dialog_has_its_text_and_no_buttons():
    refusal = refusals.refusal(TransitionNotAllowed(INCIDENT, "resolved"), at=NOW)
    view = submitted(DECLARE, title="Checkout is down", severity="low", private="private")
    told, *inputs = dialogs.refilled(view, refusal)["blocks"]

    assert told["text"]["text"] == refusal["text"]
    assert "Take the next one: identified." in refusal["text"]
    assert {block["type"] for block in inputs} == {"input"}


def test_an_error_of_ours_keeps_the_typed_text():
    view = submitted(DECLARE, title="Checkout is down", severity="low", private="private")
    again = dialogs.refilled(view, refusals.failure("7f3c"))

    assert "nothing was changed" in again["blocks"][0]["text"]["text"]
    assert asked(submitted(again)) == asked(view)
    assert len(dialogs.refilled(submitted(again), refusals.failure("8a4d"))["blocks"]) == len(
        again["blocks"]
    )


@pytest.mark.parametrize(("total", "told"), [(3, False), (4, True), (501, True)])
def test_the_dialog_of_a_note_says_if_more_are_open_than_it_lists(total, told):
    three = [an_incident(number=number) for number in (1, 2, 3)]
    drawn = dialogs.note_dialog(three, "db-3 is slow", total=total, origin=ORIGIN)

    hint = drawn["blocks"][0].get("hint", {}).get("text", "")
    assert bool(hint) is told
    assert hint.startswith("3 of ") is told
