"""A new owner is asked; the answer, no answer, and whoever hears of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.audience import may_be_told
from core.commands import Acknowledge, AnswerHandOver, SetPrivacy
from core.decision import Envelope, Surface
from core.handing import followed, unanswered
from core.handover import ANSWER_WITHIN, Answer, HandOver
from core.incident import Kind, Note, Person, Place, Severity
from core.lifecycle import RESPONSE
from core.refusals import NotAsked
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    a_change,
    a_declaration,
    an_actor,
    an_incident,
    decide,
    known,
)

ASKED = HandOver(entry=2, to=GRACE, by=ADA, asked_at=NINE)
OWNED = an_incident(owner=GRACE)
WORKING = Envelope(surface=Surface.WORKING_CARD, channel=INCIDENTS_CHANNEL)
QUESTION = Envelope(surface=Surface.HAND_OVER, channel=GRACE.id, entry=2)
DUE = NINE + ANSWER_WITHIN


def declined(channel):
    return Envelope(surface=Surface.HAND_OVER_DECLINED, channel=channel, entry=2)


def answered(incident, asked=ASKED, *, takes, by=GRACE):
    command = AnswerHandOver(actor=an_actor(by), ref=42, entry=2, takes=takes)
    return decide(incident, command, known(hand_over=asked), at=NINE)


@pytest.mark.parametrize(
    ("before", "command", "asked"),
    [
        (an_incident(), a_change(owner=GRACE), ASKED),
        (an_incident(owner=LINUS), a_change(owner=GRACE), replace(ASKED, previous=LINUS)),
        (an_incident(), a_change(owner=GRACE, actor=an_actor(CI)), replace(ASKED, by=CI)),
        (None, a_declaration(owner=GRACE), replace(ASKED, entry=1)),
    ],
    ids=["nobody before", "an owner before", "by an API key", "at the declaration"],
)
def test_somebody_who_is_made_owner_by_another_is_asked(before, command, asked):
    decision = decide(before, command, known(), at=NINE)

    assert decision.hand_overs == (asked,)
    assert decision.envelopes[-1] == replace(QUESTION, entry=asked.entry)


@pytest.mark.parametrize(
    ("before", "command"),
    [
        (an_incident(), a_change(owner=ADA)),
        (an_incident(owner=GRACE), a_change(owner=GRACE)),
        (an_incident(), a_change(owner=CI)),
        (an_incident(), a_change(to="identified")),
        (an_incident(), Acknowledge(actor=an_actor(), ref=42)),
        (an_incident(lifecycle=RESPONSE), Acknowledge(actor=an_actor(), ref=42)),
        (None, a_declaration()),
        (None, a_declaration(owner=ADA)),
    ],
    ids=[
        "oneself",
        "the owner already",
        "an API key",
        "no owner",
        "an acknowledgement",
        "an acknowledging step",
        "a declaration",
        "a declaration by its owner",
    ],
)
def test_nobody_is_asked_about_their_own_act(before, command):
    decision = decide(before, command, known(), at=NINE)

    assert decision.hand_overs == ()
    assert all(one.surface is not Surface.HAND_OVER for one in decision.envelopes)


LED = an_incident(owner=LINUS)
TAKES = a_change(owner=ADA)
LOST = [
    ("given away by another", LED, a_change(owner=GRACE), True),
    ("taken by another", LED, TAKES, True),
    ("given away by a key", LED, a_change(owner=GRACE, actor=an_actor(CI)), True),
    ("given away with a step", LED, a_change(owner=GRACE, to="identified"), True),
    ("of a private incident", replace(LED, private=True), TAKES, True),
    ("given away by the owner", LED, a_change(owner=GRACE, actor=an_actor(LINUS)), False),
    ("given to the owner", LED, a_change(owner=LINUS), False),
    ("of an owner who left", LED.with_owner_left(left=True), TAKES, False),
    ("of a key", an_incident(owner=CI), TAKES, False),
    ("of nobody", an_incident(), TAKES, False),
]


@pytest.mark.parametrize(
    ("before", "command", "told"), [case[1:] for case in LOST], ids=[case[0] for case in LOST]
)
def test_an_owner_is_told_of_the_loss_unless_it_is_their_own_act(before, command, told):
    if "owner" in command.asks and command.owner == before.owner:
        command = replace(command, severity=Severity.LOW)
    decision = decide(before, command, known(), at=NINE)

    lost = [one for one in decision.envelopes if one.surface is Surface.HAND_OVER_LOST]
    entry = next((one.entry for one in decision.updates if one.kind is Kind.ASSIGNED), None)
    envelope = Envelope(surface=Surface.HAND_OVER_LOST, channel=LINUS.id, entry=entry)
    assert lost == ([envelope] if told else [])


@pytest.mark.parametrize("takes", [True, False])
def test_an_owner_who_answers_is_told_of_no_loss(takes):
    surfaces = [one.surface for one in answered(OWNED, takes=takes).envelopes]

    assert Surface.HAND_OVER_LOST not in surfaces


def test_an_owner_who_takes_it_stays_owner():
    decision = answered(OWNED, takes=True)

    assert decision.incident.owner == GRACE
    assert [(one.kind, one.by) for one in decision.updates] == [(Kind.TOOK_OVER, GRACE)]
    assert decision.hand_overs == (replace(ASKED, answer=Answer.TAKEN),)
    assert decision.envelopes == (WORKING, QUESTION)


OVER = an_incident(owner=GRACE, status="resolved")
BY_A_KEY = replace(ASKED, by=CI)
BACK = [
    ("to the one who assigned it", OWNED, ASKED, ADA, [ADA.id]),
    (
        "to them, though there was an owner before",
        OWNED,
        replace(ASKED, previous=LINUS),
        ADA,
        [ADA.id],
    ),
    (
        "from a key, to the owner before",
        OWNED,
        replace(BY_A_KEY, previous=LINUS),
        LINUS,
        [LINUS.id, INCIDENTS_CHANNEL],
    ),
    ("from a key, to nobody", OWNED, BY_A_KEY, None, [INCIDENTS_CHANNEL]),
    (
        "after the end, to the owner before",
        OVER,
        replace(ASKED, previous=LINUS),
        LINUS,
        [LINUS.id, INCIDENTS_CHANNEL],
    ),
    ("after the end, to nobody", OVER, ASKED, None, [INCIDENTS_CHANNEL]),
    ("without a channel, the declarer is told", replace(OVER, place=None), ASKED, None, [ADA.id]),
    (
        "of a key's incident without a channel, nobody is",
        replace(OVER, place=None, declared_by=CI),
        ASKED,
        None,
        [],
    ),
    (
        "of a private one, no public channel is",
        replace(OVER, private=True),
        ASKED,
        None,
        [ADA.id],
    ),
    (
        "from one who has lost the sight, to nobody",
        replace(OWNED, private=True, declared_by=LINUS),
        ASKED,
        None,
        [LINUS.id],
    ),
    (
        "after the end, from an owner before who has lost it, to nobody",
        replace(OVER, private=True),
        replace(ASKED, previous=LINUS),
        None,
        [ADA.id],
    ),
    (
        "to one who was invited",
        replace(OWNED, private=True, declared_by=LINUS, invited=(ADA,)),
        ASKED,
        ADA,
        [ADA.id],
    ),
    (
        "in a private channel, to nobody, and the channel is told",
        replace(
            OWNED,
            private=True,
            declared_by=LINUS,
            place=Place(INCIDENTS_CHANNEL, private=True),
        ),
        ASKED,
        None,
        [INCIDENTS_CHANNEL],
    ),
    (
        "a key that owned it has no messages",
        OWNED,
        replace(BY_A_KEY, previous=Person("key:other", "other")),
        Person("key:other", "other"),
        [INCIDENTS_CHANNEL],
    ),
]


@pytest.mark.parametrize(
    ("incident", "asked", "owner", "told"),
    [case[1:] for case in BACK],
    ids=[case[0] for case in BACK],
)
def test_an_incident_that_is_declined_goes_back(incident, asked, owner, told):
    decision = answered(incident, asked, takes=False)

    assert decision.incident.owner == owner
    assert [(one.kind, one.old, one.new) for one in decision.updates] == [
        (Kind.DECLINED, "Grace", owner.name if owner else None)
    ]
    assert decision.hand_overs == (replace(asked, answer=Answer.DECLINED),)
    assert [one for one in decision.envelopes if one.entry] == [QUESTION, *map(declined, told)]


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    ("incident", "asked"),
    [
        (OWNED, replace(ASKED, answer=Answer.TAKEN)),
        (OWNED, replace(ASKED, answer=Answer.DECLINED)),
        (an_incident(owner=LINUS), ASKED),
        (an_incident(), ASKED),
    ],
    ids=["taken already", "declined already", "another owner", "no owner"],
)
def test_an_answer_that_comes_too_late_changes_nothing(incident, asked, takes):
    assert not answered(incident, asked, takes=takes).changes_anything


@pytest.mark.parametrize(("asked", "by"), [(ASKED, LINUS), (None, GRACE)])
def test_only_the_new_owner_answers(asked, by):
    with pytest.raises(NotAsked):
        answered(OWNED, asked, takes=True, by=by)


@pytest.mark.parametrize(
    ("asked", "incident", "acted", "at", "silent"),
    [
        (ASKED, OWNED, False, DUE, True),
        (ASKED, OWNED, False, DUE - timedelta(seconds=1), False),
        (ASKED, OWNED, True, DUE, False),
        (ASKED, an_incident(owner=LINUS), False, DUE, False),
        (ASKED, OVER, False, DUE, False),
        (replace(ASKED, looked=True), OWNED, False, DUE, False),
        (replace(ASKED, answer=Answer.TAKEN), OWNED, False, DUE, False),
    ],
    ids=["due", "too early", "acted", "another owner", "over", "told already", "answered"],
)
def test_an_owner_is_silent_who_neither_answers_nor_acts(asked, incident, acted, at, silent):
    assert asked.is_silent(incident, acted=acted, at=at) is silent


@pytest.mark.parametrize(
    ("asked", "incident", "told"),
    [
        (ASKED, OWNED, [ADA.id]),
        (BY_A_KEY, OWNED, [INCIDENTS_CHANNEL]),
        (BY_A_KEY, replace(OWNED, private=True), [ADA.id]),
        (
            BY_A_KEY,
            replace(OWNED, private=True, place=Place(INCIDENTS_CHANNEL, private=True)),
            [INCIDENTS_CHANNEL],
        ),
        (BY_A_KEY, replace(OWNED, place=None, declared_by=CI), []),
        (ASKED, replace(OWNED, private=True, declared_by=LINUS), [LINUS.id]),
    ],
    ids=["a person", "a key", "privately", "in a private channel", "nobody", "without sight"],
)
def test_the_one_who_assigned_it_hears_of_silence(asked, incident, told):
    found = unanswered(incident, asked)

    assert [one.channel for one in found] == told
    assert {(one.surface, one.entry) for one in found} <= {(Surface.HAND_OVER_UNANSWERED, 2)}


LOOKED = replace(ASKED, looked=True)


def to_tell(decision):
    """The receivers of the word that no answer came, or of its edit."""
    found = [one for one in decision.envelopes if one.surface is Surface.HAND_OVER_UNANSWERED]
    assert {one.entry for one in found} <= {2}
    return [one.channel for one in found]


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    ("asked", "told"),
    [(ASKED, []), (LOOKED, [ADA.id, INCIDENTS_CHANNEL]), (replace(LOOKED, by=CI), None)],
    ids=["in time", "late", "late, by a key"],
)
def test_an_answer_after_the_word_of_silence_edits_it_wherever_it_may_be(asked, told, takes):
    assert to_tell(answered(OWNED, asked, takes=takes)) == (
        [INCIDENTS_CHANNEL] if told is None else told
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (a_change(owner=LINUS), True),
        (Acknowledge(actor=an_actor(GRACE), ref=42), True),
        (a_change(to="identified"), False),
        (a_change(title="Cards fail"), False),
    ],
    ids=["another owner", "acknowledged", "a step", "a title"],
)
@pytest.mark.parametrize("asked", [ASKED, LOOKED], ids=["in time", "late"])
def test_the_word_of_silence_is_edited_once_nobody_waits_for_an_answer(command, told, asked):
    before = replace(OWNED, last_entry=2)
    decision = followed(decide(before, command, known(), at=NINE), before, asked)

    assert bool(to_tell(decision)) == (told and asked.looked)


def test_the_end_of_the_incident_edits_the_word_of_silence():
    before = replace(OWNED, status="monitoring", last_entry=5)
    decision = followed(decide(before, a_change(to="resolved"), known(), at=NINE), before, LOOKED)

    assert to_tell(decision) == [ADA.id, INCIDENTS_CHANNEL]


def by_grace(command):
    return replace(command, actor=an_actor(GRACE))


@pytest.mark.parametrize(
    ("before", "command", "after"),
    [
        (
            replace(OWNED, last_entry=2),
            a_change(owner=LINUS),
            replace(ASKED, answer=Answer.MOOT),
        ),
        (OWNED, a_change(owner=ADA), replace(ASKED, answer=Answer.MOOT)),
        (
            OWNED,
            by_grace(Acknowledge(actor=an_actor(), ref=42)),
            replace(ASKED, answer=Answer.TAKEN),
        ),
        (OWNED, Acknowledge(actor=an_actor(LINUS), ref=42), None),
        (
            replace(OWNED, status="monitoring"),
            a_change(to="resolved"),
            replace(ASKED, looked=True),
        ),
        (OWNED, a_change(to="identified"), ASKED),
        (OWNED, a_change(severity=Severity.LOW), ASKED),
        (OWNED, a_change(title="Search is slow"), ASKED),
        (OWNED, SetPrivacy(actor=an_actor(), ref=42, private=True), ASKED),
        (OWNED, by_grace(a_change(note=Note("I look."))), None),
    ],
    ids=[
        "another owner",
        "the one who assigned it",
        "an acknowledgement by the owner",
        "one by somebody else",
        "the end",
        "a step",
        "a severity",
        "a title",
        "private",
        "a note",
    ],
)
def test_an_open_question_follows_every_change_that_it_shows(before, command, after):
    """``after`` is the question after the change, None if nothing of it changes."""
    decision = followed(decide(before, command, known(), at=NINE), before, ASKED)

    kept = [one for one in decision.hand_overs if one.entry == ASKED.entry]
    assert kept == ([after] if after else [])
    assert decision.envelopes.count(QUESTION) == len(kept)


def test_an_answer_is_followed_by_nothing_more():
    command = AnswerHandOver(actor=an_actor(GRACE), ref=42, entry=2, takes=True)
    decision = decide(OWNED, command, known(hand_over=ASKED), at=NINE)

    assert followed(decision, OWNED, ASKED) == decision
    assert followed(decision, OWNED, None) == decision


PRIVATE = replace(OWNED, private=True, declared_by=LINUS, invited=(CI,))


@pytest.mark.parametrize(
    ("incident", "receiver", "told"),
    [
        (OWNED, "U0SOMEBODY", True),
        (OWNED, INCIDENTS_CHANNEL, True),
        (PRIVATE, GRACE.id, True),
        (PRIVATE, LINUS.id, True),
        (PRIVATE, CI.id, True),
        (PRIVATE, ADA.id, False),
        (PRIVATE, INCIDENTS_CHANNEL, False),
        (replace(PRIVATE, place=Place(INCIDENTS_CHANNEL, private=True)), INCIDENTS_CHANNEL, True),
        (replace(PRIVATE, place=Place(INCIDENTS_CHANNEL, private=True)), "C0OTHER", False),
    ],
)
def test_a_message_about_an_incident_goes_to_its_readers_alone(incident, receiver, told):
    assert may_be_told(incident, receiver) is told
