"""The words after `subscribe`: what they ask for, and what is asked about. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.parser import parse
from bot.slack.pressed import decode, subscribe_value
from bot.slack.questions import Offer, labels_of, value_of
from bot.slack.requests import Choice, Question, Request, UsageError
from bot.slack.subscription_requests import (
    OpenSubscription,
    ShowSubscriptions,
    Subscribe,
    Unsubscribe,
)
from bot.slack.typed import Circumstances
from bot.slack.written import read, written
from core.incident import Place, Severity
from core.lifecycle import PRESETS, Catalogue
from tests.builders import an_actor, an_id

HERE, OTHER = "C0PAYMENTS", "C0SUPPORT"
SUPPORT = f"<#{OTHER}|support>"
CATALOGUE = Catalogue(PRESETS, default="statuspage")
HIGH, CRITICAL = Severity.HIGH, Severity.CRITICAL


def said(text, *, place=HERE):
    known = Circumstances(
        actor=an_actor(),
        catalogue=CATALOGUE,
        new_id=an_id("new"),
        place=Place(place) if place else None,
    )
    return parse(text, known)


def asked(text, *, place=HERE):
    """The choices that the words lead to."""
    with pytest.raises(Question) as question:
        said(text, place=place)
    return [choice.request for choice in question.value.choices]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", Subscribe(channel=HERE)),
        ("here", Subscribe(channel=HERE)),
        ("Here.", Subscribe(channel=HERE)),
        (SUPPORT, Subscribe(channel=OTHER)),
        (f"({SUPPORT})", Subscribe(channel=OTHER)),
        ("C0SUPPORT99", Subscribe(channel="C0SUPPORT99")),
        (f"severity:high+ {SUPPORT}", Subscribe(channel=OTHER, severity=HIGH)),
        ("severity:high", Subscribe(channel=HERE, severity=HIGH)),
        ("severity: High+", Subscribe(channel=HERE, severity=HIGH)),
        ("sev=critical", Subscribe(channel=HERE, severity=CRITICAL)),
        ("--severity=&gt;=high", Subscribe(channel=HERE, severity=HIGH)),
        ("severity:≥high", Subscribe(channel=HERE, severity=HIGH)),
        ("severity:low", Subscribe(channel=HERE)),
        ("severity:all", Subscribe(channel=HERE)),
        ("components:api", Subscribe(channel=HERE, components=("api",))),
        ("components:api,web here", Subscribe(channel=HERE, components=("api", "web"))),
        ("components:api, web", Subscribe(channel=HERE, components=("api", "web"))),
        ("components:api\uff0cweb,", Subscribe(channel=HERE, components=("api", "web"))),
        (
            'components:"Checkout API, Web"',
            Subscribe(channel=HERE, components=("Checkout API", "Web")),
        ),
        ('components:"A &amp; B"', Subscribe(channel=HERE, components=("A & B",))),
        ("component:api component:web", Subscribe(channel=HERE, components=("api", "web"))),
        ("broadcast:on", Subscribe(channel=HERE, broadcast=True)),
        ("broadcast:Yes", Subscribe(channel=HERE, broadcast=True)),
        ("broadcast:off", Subscribe(channel=HERE)),
        ("severity:high severity:high", Subscribe(channel=HERE, severity=HIGH)),
    ],
)
def test_these_words_can_mean_one_thing(words, wanted):
    assert said(f"subscribe {words}") == wanted


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("severity:hihg+", Subscribe(channel=HERE, severity=HIGH)),
        (
            f"{SUPPORT} severity:sev2 broadcast:on",
            Subscribe(channel=OTHER, severity=HIGH, broadcast=True),
        ),
        ("severity:critical,high", Subscribe(channel=HERE, severity=HIGH)),
        ("severty:hihg", Subscribe(channel=HERE, severity=HIGH)),
        ("brodcast:on", Subscribe(channel=HERE, broadcast=True)),
        ("high", Subscribe(channel=HERE, severity=HIGH)),
        ("critcal+", Subscribe(channel=HERE, severity=CRITICAL)),
        ("low", Subscribe(channel=HERE)),
        (
            "components:Checkout API",
            Subscribe(channel=HERE, components=("Checkout", "API")),
        ),
        (f"{SUPPORT} here", Subscribe(channel=HERE)),
        ("broadcast:on broadcast:off", Subscribe(channel=HERE)),
        ("severity:low severity:critical", Subscribe(channel=HERE, severity=CRITICAL)),
    ],
)
def test_what_was_probably_meant_is_among_the_choices(words, meant):
    assert meant in asked(f"subscribe {words}")


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        ("", ("severity", "components", "broadcast")),
        ("severity:low", ("components", "broadcast")),
        ("components:api broadcast:off", ("severity",)),
        ("severity:high components:api broadcast:on", ()),
    ],
)
def test_a_request_knows_what_its_words_leave_out(words, left_out):
    request = said(f"subscribe {words}")
    # Names of components do not fit into a button.
    pressed = decode(subscribe_value(replace(request, components=())) or "", actor=an_actor())

    for one in (request, pressed):
        assert (one.over, one.left_out) == (None, left_out)


def test_a_strange_word_is_never_left_out_in_silence():
    without = Subscribe(channel=HERE, severity=HIGH)

    assert asked("subscribe severity:high please") == [
        Subscribe(channel=HERE, severity=HIGH, components=("please",)),
        without,
        OpenSubscription(filled=without),
    ]


@pytest.mark.parametrize("words", ["severity:", "severity:foo", "broadcast:loudly", "components:"])
def test_a_value_that_cannot_be_read_keeps_the_rest_for_the_dialog(words):
    assert asked(f"subscribe {SUPPORT} components:api {words}") == [
        OpenSubscription(filled=Subscribe(channel=OTHER, components=("api",)))
    ]


def test_an_unknown_channel_is_never_taken_for_this_one():
    assert asked("subscribe #suport severity:high") == [
        OpenSubscription(filled=Subscribe(severity=HIGH))
    ]


def test_a_channel_is_not_subscribed_to_one_incident():
    shown, without, _ = asked("subscribe INC-42")

    assert (shown.ref, without) == (42, Subscribe(channel=HERE))


@pytest.mark.parametrize("words", ["", "here", "severity:high+", "high", "please", "#general"])
def test_without_a_channel_only_the_dialog_is_offered(words):
    choices = asked(f"subscribe {words}", place=None)

    assert {type(choice) for choice in choices} == {OpenSubscription}
    assert all(choice.filled.channel is None for choice in choices)


@pytest.mark.parametrize(
    ("words", "place", "wanted"),
    [
        ("", HERE, Unsubscribe(channel=HERE)),
        ("here", HERE, Unsubscribe(channel=HERE)),
        (SUPPORT, HERE, Unsubscribe(channel=OTHER)),
        (f"{SUPPORT}.", None, Unsubscribe(channel=OTHER)),
    ],
)
def test_the_channel_to_unsubscribe(words, place, wanted):
    assert said(f"unsubscribe {words}", place=place) == wanted


def test_in_no_channel_the_list_asks_which_one():
    listed = said("unsubscribe", place=None)

    assert isinstance(listed, ShowSubscriptions)
    assert listed.told


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        ("all", [Unsubscribe(channel=HERE), ShowSubscriptions()]),
        ("#nowhere", [ShowSubscriptions()]),
        (f"{SUPPORT} now", [Unsubscribe(channel=OTHER), ShowSubscriptions()]),
        ("severity:high", [Unsubscribe(channel=HERE), ShowSubscriptions()]),
    ],
)
def test_other_words_after_unsubscribe_are_asked_about(words, choices):
    assert asked(f"unsubscribe {words}") == choices


SUBSCRIBES = st.builds(
    Subscribe,
    channel=st.sampled_from([HERE, OTHER]),
    severity=st.sampled_from([None, *Severity]),
    components=st.lists(st.uuids(), max_size=50).map(tuple),
    broadcast=st.booleans(),
    agreed=st.sampled_from(["", "private", "shared", "private-shared"]),
    over=st.sampled_from([None, "", "1772442000000"]),
)


@given(SUBSCRIBES)
def test_a_button_carries_the_whole_request(request):
    value = subscribe_value(request) or ""

    assert len(value) <= 2_000
    assert decode(value, actor=an_actor()) == request


@given(SUBSCRIBES, st.lists(st.text(max_size=100), min_size=1, max_size=3).map(tuple))
def test_names_that_a_button_cannot_carry_are_in_a_draft(request, names):
    by_name = Subscribe(
        channel=request.channel,
        severity=request.severity,
        components=names,
        broadcast=request.broadcast,
    )
    kept: list[Request | None] = [
        by_name,
        OpenSubscription(filled=by_name),
        Unsubscribe(channel=HERE, page=2),
    ]

    assert value_of(Offer(Choice(by_name))) is None
    assert read(written(kept), actor=an_actor(), catalogue=CATALOGUE) == kept


def answer(text):
    """The request, the labels of the question's buttons, or the sentence about a slip."""
    try:
        return said(text)
    except Question as question:
        return labels_of([Offer(choice) for choice in question.choices])
    except UsageError as slip:
        return slip.message


@given(st.text(), st.sampled_from(["subscribe", "unsubscribe", "subscriptions"]))
def test_whatever_is_typed_there_is_a_request_or_an_answer(text, verb):
    assert answer(f"{verb} {text}")


@pytest.mark.parametrize(
    "value",
    [
        "subscribe:D0DIRECT:high:on::",
        "subscribe:C0SUPPORT:worst:on::",
        "subscribe:C0SUPPORT:high:on::api",
        "unsubscribe:#general:",
        "unsubscribe:C0SUPPORT:0",
        "subscriptions:x",
        "subscription:U0MIA",
        "dont_subscribe:U0MIA",
    ],
)
def test_a_value_that_no_button_has_is_refused(value):
    with pytest.raises(UsageError):
        decode(value, actor=an_actor())


def test_the_other_buttons_come_back_as_they_were():
    every: list[Request] = [
        Unsubscribe(channel=OTHER),
        Unsubscribe(channel=OTHER, page=2),
        ShowSubscriptions(page=3),
    ]
    values = [value_of(Offer(Choice(one))) or "" for one in every]

    assert [decode(value, actor=an_actor()) for value in values] == every
