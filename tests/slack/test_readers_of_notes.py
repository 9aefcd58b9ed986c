"""A note that begins with a word for its readers: "public" is asked about, "private" left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.slack.requests import OpenPromise, OpenUpdate, Question, ShowCard
from core.commands import SetPromise, TakeNextStep
from core.incident import Note, PublicText
from core.promise import NextUpdate
from tests.builders import a_change, an_actor
from tests.slack.saying import meanings, said

WE = "We fixed it."
# The command without its note, its request, and the status of its update dialog.
NOTED: dict[str, tuple[Any, str | None]] = {
    "note 7": (a_change(ref=7), None),
    "next 7": (TakeNextStep(actor=an_actor(), ref=7), ""),
    "resolve 7": (a_change(ref=7, to="resolved"), "resolved"),
    "close 7": (a_change(ref=7, to="closed"), "closed"),
    "status 7 monitoring": (a_change(ref=7, to="monitoring"), "monitoring"),
    "status 7 to monitoring": (a_change(ref=7, to="monitoring"), "monitoring"),
    "7 monitoring": (a_change(ref=7, to="monitoring"), "monitoring"),
    "7": (a_change(ref=7), None),
    "resolve": (a_change(ref=None, to="resolved"), "resolved"),
}
MARKED = ["{}:", "{} :", "({})", "[{}]", "*{}*", "`{}`:", "({}):", "--{}", "—{}", "{}=", "📣 {}:",
          "→ {}:", "@here {}:", "visibility={}", "visibility: {}", "{},"]  # fmt: skip


def with_note(request, text):
    return type(request)(**{**_fields(request), "note": Note(text)})


def _fields(request):
    return {name: getattr(request, name) for name in request.__dataclass_fields__}


@pytest.mark.parametrize("typed", NOTED)
def test_a_note_that_says_public_is_asked_about_and_its_text_travels(typed):
    noted, to = NOTED[typed]
    marks = [*MARKED, "Public:", "PUBLIC:", "pubilc:"]

    offered = {mark: meanings(f"{typed} {mark.format('public')} {WE}")[:2] for mark in marks}

    meant = [OpenUpdate(ref=noted.ref, to=to, public=PublicText(WE)), with_note(noted, WE)]
    assert offered == dict.fromkeys(marks, meant)


@pytest.mark.parametrize("typed", NOTED)
def test_a_bare_public_may_belong_to_the_note(typed):
    noted, to = NOTED[typed]

    assert meanings(f"{typed} public holidays are over")[:2] == [
        OpenUpdate(ref=noted.ref, to=to, public=PublicText("holidays are over")),
        with_note(noted, "public holidays are over"),
    ]


@pytest.mark.parametrize("word", ["private", "note", "internal"])
@pytest.mark.parametrize("typed", ["note 7", "next 7", "resolve 7", "status 7 monitoring"])
def test_a_word_that_says_private_is_left_out(typed, word):
    noted, _ = NOTED[typed]

    taken = {mark: said(f"{typed} {mark.format(word)} {WE}") for mark in MARKED}
    assert taken == dict.fromkeys(MARKED, with_note(noted, WE))


@pytest.mark.parametrize(
    "text",
    ["private keys leaked", "note that db-3 is slow", "the public: nobody", "publicly known",
     "public", "public:", "https://public:8000 is slow", "republic: db-3"],
)  # fmt: skip
def test_other_beginnings_are_kept(text):
    assert said(f"next 7 {text}") == TakeNextStep(actor=an_actor(), ref=7, note=Note(text))


def test_a_word_for_the_readers_alone_is_no_note():
    assert said("next 7 private:") == TakeNextStep(actor=an_actor(), ref=7)
    with pytest.raises(Question, match="The text of the note is missing"):
        said("note 7 private:")


# --- a promise without a time ---------------------------------------------------------------------


def promised(minutes):
    within = NextUpdate(within=timedelta(minutes=minutes))
    return SetPromise(actor=an_actor(), ref=None, next_update=within)


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("promise 30", [promised(30), OpenPromise(ref=30)]),
        ("promise 30.", [promised(30), OpenPromise(ref=30)]),
        ("promise INC-30", [OpenPromise(ref=30)]),
        ("promise 99999", [OpenPromise(ref=99_999)]),
        ("promise", [OpenPromise(ref=None)]),
    ],
)
def test_a_promise_without_a_time_offers_its_dialog_and_a_bare_number_as_minutes(text, requests):
    assert meanings(text) == requests


def test_a_command_copied_twice_is_read_once():
    assert said("/incident/incident 2") == ShowCard(ref=2)
