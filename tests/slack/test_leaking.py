"""The choice in a dialog whose public text was stopped, drawn and read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack import dialogs, forms, refusals
from bot.slack.inputs import Kept
from bot.slack.leaking import settled, with_choice
from bot.slack.requests import OpenWalk
from bot.slack.walking import walk_dialog
from core.commands import Change, Redact, Walk
from core.incident import Note, PublicText
from core.leaks import Leak, LeakKind
from core.lifecycle import PRESETS, Catalogue
from core.refusals import PossibleLeak
from tests.builders import NINE as NOW
from tests.builders import a_workspace, an_actor, an_id, an_incident
from tests.slack.test_views_dialogs import ORIGIN, an_update_dialog, inputs, submitted

INCIDENT = an_incident()
TEXT = "db-3 is down"
PUBLISH, NOTE = "Publish as it is", "Keep as a note"


def stopped(view, incident=INCIDENT, text=TEXT):
    error = PossibleLeak(incident, (Leak(0, 4, LeakKind.NOTE),), text)
    return with_choice(view, error, refusals.refusal(error, at=NOW))


def options(view):
    return [one["text"]["text"] for one in inputs(view)["leak"]["element"]["options"]]


def read(view):
    catalogue = Catalogue(PRESETS, default="statuspage")
    asked = forms.read(view, actor=an_actor(), catalogue=catalogue, new_id=an_id(1), at=NOW)
    return settled(view, asked)


def chosen(view, value, **typed):
    """``view`` as it is sent with that choice."""
    sent = submitted(view, **typed)
    (name,) = [block for block in sent["state"]["values"] if block.startswith("leak:")]
    option = value and {"value": value}
    sent["state"]["values"][name] = {"leak": {"type": "radio_buttons", "selected_option": option}}
    return {**sent, "submit": {"type": "plain_text", "text": forms.PUBLISH}}


@pytest.fixture
def update():
    view = an_update_dialog(
        form=forms.UpdateForm(
            ref=INCIDENT.id,
            expected_status=INCIDENT.status,
            public=PublicText(TEXT),
            note=Note("n"),
        )
    )
    return stopped(submitted(view))


@pytest.fixture
def walk():
    asked = OpenWalk(ref=INCIDENT.id, to="resolved", note=Note("n"), public=PublicText(TEXT))
    return stopped(submitted(walk_dialog(INCIDENT, a_workspace(), asked, origin=ORIGIN)))


def test_the_choice_stands_under_the_text(update):
    names = [block["block_id"].partition(":")[0] for block in inputs(update).values()]

    assert names[names.index("public") + 1] == "leak"
    assert options(update) == [PUBLISH, NOTE]
    assert "Nothing was published on INC-42." in update["blocks"][0]["text"]["text"]


def test_a_second_refusal_has_one_choice_for_the_text_of_now(update):
    again = stopped(chosen(update, "publish", public="db-4 is down"), text="db-4 is down")

    drawn = [block for block in again["blocks"] if "leak:" in block.get("block_id", "")]
    assert len(drawn) == 1
    assert inputs(again)["leak"]["block_id"] != inputs(update)["leak"]["block_id"]
    assert "initial_option" not in inputs(again)["leak"]["element"]


def test_after_the_end_nothing_is_kept_as_a_note():
    over = replace(INCIDENT, status="resolved")

    assert options(stopped(submitted(an_update_dialog()), over)) == [PUBLISH]


def test_a_text_that_was_shortened_has_the_choice_too():
    kept = Kept(an_id(1), 0)
    view = dialogs.shorten_dialog(TEXT, label="Text", hint="h", origin=ORIGIN, kept=kept)

    assert options(stopped(submitted(view))) == [PUBLISH, NOTE]


@pytest.mark.parametrize("dialog", ["update", "walk"])
def test_the_choice_to_publish_confirms_the_text(dialog, request):
    asked = read(chosen(request.getfixturevalue(dialog), "publish"))

    assert isinstance(asked, Change | Walk)
    assert (asked.confirmed, asked.public) == (True, TEXT)


def test_a_text_that_was_changed_since_is_not_confirmed(update):
    asked = read(chosen(update, "publish", public="db-4 is down"))

    assert isinstance(asked, Change)
    assert (asked.confirmed, asked.public) == (False, "db-4 is down")


def test_without_a_choice_nothing_is_confirmed(update):
    asked = read(chosen(update, None))

    assert isinstance(asked, Change)
    assert (asked.confirmed, asked.public) == (False, TEXT)


def test_kept_as_a_note_nothing_is_public_even_if_the_text_was_changed(update, walk):
    change, moved = read(chosen(update, "note", public="db-4 is down")), read(chosen(walk, "note"))

    assert isinstance(change, Change)
    assert isinstance(moved, Walk)
    assert (change.public, change.note) == (None, "db-4 is down\n\nn")
    assert (moved.public, moved.reason) == (None, f"{TEXT}\n\nn")


def test_other_requests_are_left_as_they_are(update):
    asked = Redact(actor=an_actor(), ref=1, entry=2)

    assert settled(update, asked) is asked
