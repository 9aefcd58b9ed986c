"""The buttons of one question: no two look alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from bot.slack.blocks import LABEL_MAX
from bot.slack.carrying import bound, ref_of
from bot.slack.questions import Offer, asked, labels_of
from bot.slack.requests import Choice, OpenDeclare, OpenUpdate, Question, UsageError
from core.incident import Note, PublicText
from tests.builders import a_change, an_id, an_incident
from tests.slack.saying import said
from tests.slack.test_parser import typed

INCIDENTS = [replace(an_incident(), id=an_id(f"inc {n}"), number=n) for n in (42, 43)]


def offers_of(choices):
    """An offer for each incident that a choice may be about."""
    return [
        Offer(replace(choice, request=bound(choice.request, one)), one)
        for choice in choices
        if ref_of(choice.request)[0]
        for one in INCIDENTS
    ] + [Offer(choice) for choice in choices if not ref_of(choice.request)[0]]


@given(text=typed)
def test_the_labels_of_any_question_differ(text):
    try:
        said(text)
    except Question as question:
        offers = offers_of(question.choices)
    except UsageError:
        return
    else:
        return

    labels = labels_of(offers)
    shown = [
        element["text"]["text"]
        for block in asked("So?", "", offers, an_id("draft"))["blocks"]
        for element in block.get("elements", [])
    ]

    assert len({*labels}) == len(labels)
    assert shown == [label[: LABEL_MAX - 1] if len(label) > LABEL_MAX else label for label in shown]
    assert len({*shown}) == len(shown)


def note(text, ref=42):
    return Choice(a_change(ref=ref, note=Note(text)))


def on(incident, *choices):
    return [Offer(choice, incident) for choice in choices]


HERE, THERE = INCIDENTS
LONG = "The index of the shop is being rebuilt, and it takes until noon"
EDIT = Choice(OpenUpdate(ref=42, public=PublicText("We look.")), "Edit first…")
FOLLOW_UP = [Choice(OpenDeclare(description=text), "Declare a follow-up…") for text in ("a", "a b")]


@pytest.mark.parametrize(
    ("offers", "labels"),
    [
        (on(HERE, note("a"), EDIT), ["Private note on INC-42", "Edit first…"]),
        (
            on(HERE, note("@bo look at"), note("@bo look at INC-42")),
            [
                'Private note on INC-42: "@bo look at"',
                'Private note on INC-42: "@bo look at INC-42"',
            ],
        ),
        (
            on(HERE, note(LONG), note(f"{LONG} INC-42")),
            [
                'Private note on INC-42: "…being rebuilt, and it takes until noon"',
                'Private note on INC-42: "…ebuilt, and it takes until noon INC-42"',
            ],
        ),
        (
            [*on(HERE, EDIT), *on(THERE, EDIT)],
            ["Edit first on INC-42…", "Edit first on INC-43…"],
        ),
        (
            [Offer(choice) for choice in FOLLOW_UP],
            ['Declare a follow-up…: "a"', 'Declare a follow-up…: "a b"'],
        ),
        (
            on(HERE, note("same"), note("same")),
            ['Private note on INC-42: "same" (1)', 'Private note on INC-42: "same" (2)'],
        ),
    ],
)
def test_labels_that_are_alike_say_more(offers, labels):
    assert labels_of(offers) == labels


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("update 42 public: We are on it", 'Publish on INC-42: "We are on it"'),
        ("update 42 We are on it, next 30m", "Publish on INC-42, next update in 30 min"),
        ("update 42 We are on it, severity high", "Publish, and set INC-42 to high"),
    ],
)
def test_the_label_beside_the_whole_text_says_what_is_published(text, label):
    with pytest.raises(Question) as question:
        said(text)
    labels = labels_of(
        [
            Offer(replace(choice, request=bound(choice.request, INCIDENTS[0])), INCIDENTS[0])
            for choice in question.value.choices
        ]
    )

    assert labels[:2] == [label, "Publish all of it on INC-42"]
