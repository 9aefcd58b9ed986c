"""Messages: their texts, the texts that they never show, and the values of their buttons."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import cards, lists, markup, refusals, timeline, views
from bot.slack.boxes import Box, OpenBox
from bot.slack.help import help_for
from bot.slack.pressed import Dialog, OpenDialog, Outdated, Step, decode
from bot.slack.public import public_update, reply_now, status_card, withdrawn
from bot.slack.requests import (
    CatchUp,
    OpenDeclare,
    OpenWithdrawal,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.verbs import VERBS
from bot.slack.words import status_word
from core.boards import BoardFilter, Card, Page, Scope
from core.commands import Acknowledge, Change, Redact
from core.decision import Outcome
from core.denials import Denied, Permission
from core.incident import (
    Groups,
    Incident,
    Kind,
    Note,
    Place,
    PublicText,
    Severity,
    Update,
    Visibility,
)
from core.lifecycle import PRESETS, RESPONSE, STATUSPAGE, PublicWord, read
from core.public_side import PublicIncident, PublicUpdate
from core.ranking import COUNTED_MAX, Rank, Ranking
from core.refusals import StaleStatus, TransitionNotAllowed, UnknownStatus
from core.service import TIMELINE_PAGE
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    a_change,
    a_workspace,
    an_actor,
    an_id,
    an_incident,
    an_update,
    decide,
    known,
)

NOW = NINE + timedelta(minutes=12)

WIDE = read(
    "\n".join(
        [
            "[wide.one]\ninitial = true\npublic = 'investigating'",
            "next = ['a', 'b', 'c', 'd', 'z']",
            *(f"[wide.{name}]\npublic = 'identified'\nnext = ['z']" for name in "abcd"),
            "[wide.z]\npublic = 'resolved'\nterminal = true",
        ]
    )
)[0]

FORKED = read(
    "[forked.start]\ninitial = true\npublic = 'investigating'\nnext = ['left', 'right']\n"
    "[forked.left]\npublic = 'identified'\nnext = ['end']\n"
    "[forked.right]\npublic = 'identified'\nnext = ['end']\n"
    "[forked.end]\npublic = 'resolved'\nterminal = true"
)[0]


def every(value: Any, key: str) -> list[Any]:
    """All values under ``key``, however deep."""
    if isinstance(value, list):
        return [found for item in value for found in every(item, key)]
    if not isinstance(value, dict):
        return []
    own = [value[key]] if key in value else []
    return own + [found for item in value.values() for found in every(item, key)]


def told(message: dict[str, Any]) -> str:
    """All that a message says, text and blocks."""
    texts = [text for text in every(message, "text") if isinstance(text, str)]
    return "\n".join([message["text"], *texts])


def buttons(message: dict[str, Any]) -> list[str]:
    """The labels of the visible buttons, in their order."""
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return [e["text"]["text"] for row in rows for e in row if e["type"] == "button"]


def options(message: dict[str, Any]) -> list[str]:
    """The labels of options in selects and overflow menus."""
    return [option["text"]["text"] for group in every(message, "options") for option in group]


def changed(incident: Incident, command: Change | Acknowledge, **facts: Any) -> Outcome:
    decision = decide(incident, command, known(**facts), at=NOW)
    return Outcome(
        incident=decision.incident,
        before=incident,
        updates=decision.updates,
        redacted=decision.redacted,
        workspace=a_workspace(),
    )


def a_public_incident(**changes: Any) -> PublicIncident:
    fields: dict[str, Any] = {
        "id": an_incident().id,
        "workspace": "T0RATCHET",
        "number": 42,
        "title": PublicText("Checkout is down"),
        "severity": Severity.HIGH,
        "status": "identified",
        "word": PublicWord.IDENTIFIED,
        "terminal": False,
        "previous_status": "investigating",
        "components": (),
        "started_at": NINE,
        "declared_at": NINE,
        "updated_at": NOW,
        "resolved_at": None,
    }
    return PublicIncident(**fields | changes)


def a_public_update(**changes: Any) -> PublicUpdate:
    fields: dict[str, Any] = {
        "entry": 3,
        "body": PublicText("We found the cause."),
        "status": "identified",
        "word": PublicWord.IDENTIFIED,
        "at": NOW,
        "changed_at": NOW,
    }
    return PublicUpdate(**fields | changes)


# --- answers and refusals --------------------------------------------------------------------


def test_an_answer_names_the_new_status_the_readers_and_the_next_steps():
    move = a_change(to="identified", public=PublicText("We found it."), note=Note("db-3"))
    message = views.answer(changed(an_incident(), move), at=NOW)

    assert message["text"] == (
        "INC-42 is now *Identified* (was Investigating): Checkout is down. "
        "Everyone in <#C0STATUS> will read your public update. Your note is kept private. "
        "Next: monitoring."
    )
    assert buttons(message) == ["Move to Monitoring", "Update…"]


@pytest.mark.parametrize(
    ("delay_seconds", "countdown"),
    [
        (0, "will read your public update. Next"),
        (1, "will read your public update in 1 second; until then you can take it back. Next"),
        (10, "will read your public update in 10 seconds; until then you can take it back. Next"),
        (300, "will read your public update in 300 seconds; until then you can take it back. Next"),
    ],
)
def test_the_author_of_a_public_update_learns_when_it_goes_out_and_can_take_it_back(
    delay_seconds, countdown
):
    update = a_change(public=PublicText("We look."))
    outcome = changed(an_incident(), update, publish_delay=timedelta(seconds=delay_seconds))
    message = views.answer(outcome, at=NOW)

    assert f"Everyone in <#C0STATUS> {countdown}" in message["text"]
    held = ["Take back", "Take back and edit"] if delay_seconds else []
    offered = [*held, "Move to Identified", "Update…"]
    assert buttons(message) == offered


def test_at_the_end_of_an_incident_the_last_update_can_still_be_taken_back():
    ended = a_change(to="resolved", public=PublicText("All is well."))
    before = an_incident(status="monitoring")
    message = views.answer(changed(before, ended, publish_delay=timedelta(seconds=10)), at=NOW)

    assert buttons(message) == ["Timeline", "Take back", "Take back and edit", "Report"]
    (value,) = (one for one in every(message, "value") if one.startswith("take_back"))
    assert decode(value, actor=an_actor()) == Redact(
        actor=an_actor(), ref=before.id, entry=2, held_only=True
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (a_change(to="identified"), "is now *Identified* (was Investigating)"),
        (
            a_change(note=Note("db-3")),
            "stays *Investigating*: Checkout is down. Your note is kept private.",
        ),
        (a_change(public=PublicText("We look.")), "Everyone in <#C0STATUS> will read"),
        (a_change(owner=LINUS), "is now owned by <@U0LINUS> (was nobody)"),
        (a_change(severity=Severity.LOW), "now has the severity *low* (was high)"),
        (a_change(title="Slow"), 'INC-42 is now called "Slow" (was "Checkout is down")'),
        (a_change(components=("web",)), "INC-42 now affects web: Checkout is down."),
        (
            Acknowledge(actor=an_actor(), ref=42),
            "is acknowledged, and stays *Investigating*: Checkout is down.",
        ),
        (Acknowledge(actor=an_actor(), ref=42), "<@U0ADA> owns it now."),
        (a_change(severity=Severity.HIGH), "Nothing had to change. INC-42 is"),
    ],
)
def test_an_answer_names_what_it_changed(command, expected):
    assert expected in views.answer(changed(an_incident(), command), at=NOW)["text"]


def test_a_second_acknowledgement_is_answered_with_the_first():
    incident = an_incident(acknowledged_by=GRACE, owner=GRACE)
    again = changed(incident, Acknowledge(actor=an_actor(), ref=42))

    said = views.answer(replace(again, acknowledged_at=NINE), at=NOW)["text"]

    assert said.startswith("Nothing had to change. INC-42 is *Investigating* (high)")
    assert "<@U0GRACE> acknowledged it first, <!date^1772442000^{time}|09:00 UTC>." in said
    assert "U0ADA" not in said


def test_the_end_of_an_incident_tells_how_long_it_took():
    before = an_incident(status="monitoring")
    message = views.answer(changed(before, a_change(to="resolved")), at=NOW)

    assert "is now *Resolved* (was Monitoring), after 12 min: Checkout is down." in message["text"]
    assert buttons(message) == ["Timeline", "Report"]


def test_a_refused_step_says_how_far_away_it_is_and_offers_the_next_one():
    message = refusals.refusal(TransitionNotAllowed(an_incident(), "resolved"), at=NOW)

    assert message["text"] == (
        "INC-42 is *Investigating*. "
        "Resolved is three steps away: Identified → Monitoring → Resolved. "
        "Take the next one: identified."
    )
    assert buttons(message) == ["Move to Identified", "Resolve: 3 steps…"]


def test_a_late_click_is_answered_with_the_faster_person_and_the_next_steps():
    moved = an_update(kind=Kind.MOVED, new="identified", by=GRACE, at=NOW - timedelta(seconds=4))
    error = StaleStatus(an_incident(status="identified"), "investigating", moved)
    message = refusals.refusal(error, at=NOW)

    assert message["text"] == (
        "<@U0GRACE> moved INC-42 to *Identified* 4 s before you. "
        "Your click changed nothing. Next: monitoring."
    )
    assert buttons(message) == ["Move to Monitoring", "Update…"]


@pytest.mark.parametrize(
    ("seconds", "ago"), [(0, "a moment"), (59, "a moment"), (60, "1 min"), (3_840, "1 h 04 min")]
)
def test_a_second_click_of_the_same_person_is_not_blamed_on_another(seconds, ago):
    at = NOW - timedelta(seconds=seconds)
    moved = an_update(kind=Kind.MOVED, new="identified", by=ADA, at=at)
    error = StaleStatus(an_incident(status="identified"), "investigating", moved)
    message = refusals.refusal(error, at=NOW, reader=ADA.id)

    assert message["text"].startswith(
        f"You already moved INC-42 to *Identified* {ago} ago. Your click changed nothing."
    )


@pytest.mark.parametrize(
    ("incident", "asked", "expected"),
    [
        (
            an_incident(status="monitoring"),
            "investigating",
            "It can't go back to Investigating: incidents only move forward.",
        ),
        (
            an_incident(lifecycle=FORKED, status="left"),
            "right",
            "It can't become Right: incidents only move forward.",
        ),
    ],
)
def test_a_step_that_no_way_leads_to_is_refused_with_the_reason(incident, asked, expected):
    assert expected in refusals.refusal(TransitionNotAllowed(incident, asked), at=NOW)["text"]


@pytest.mark.parametrize(
    ("title", "end"),
    [
        ("Checkout is down", ": Checkout is down. "),
        ("Is checkout down?", ": Is checkout down? "),
        ("Checkout is down…", ": Checkout is down… "),
    ],
)
def test_a_title_ends_a_sentence_and_is_never_its_subject(title, end):
    message = views.answer(changed(an_incident(title=title), a_change(to="identified")), at=NOW)

    assert f"is now *Identified* (was Investigating){end}" in message["text"]


def test_a_slip_in_a_status_offers_the_closest_one():
    message = refusals.refusal(UnknownStatus(an_incident(), "identifed"), at=NOW)

    assert message["text"] == (
        'There is no status "identifed" in this lifecycle. Did you mean *identified*?\n'
        "Statuses of INC-42: investigating (now), identified, monitoring, resolved."
    )
    assert buttons(message) == ["Move to Identified"]


@pytest.mark.parametrize(
    ("owner", "groups", "expected"),
    [
        (None, Groups(), "Ask one of them."),
        (GRACE, Groups(), "Ask <@U0GRACE> (owner) or one of them."),
        (
            None,
            Groups(responders="S1"),
            "Only <!subteam^S1> may work on incidents. Ask one of them.",
        ),
        (
            GRACE,
            Groups(responders="S1"),
            "Ask <@U0GRACE> (owner) or one of them.",
        ),
        (
            ADA,
            Groups(responders="S1"),
            "Only <!subteam^S1> may work on incidents. Ask one of them.",
        ),
    ],
)
def test_a_denial_names_the_people_to_ask(owner, groups, expected):
    error = Denied(an_actor(groups=groups), Permission.RESPOND, an_incident(owner=owner))

    assert expected in refusals.refusal(error, at=NOW)["text"]


def test_a_denial_sends_nobody_to_an_owner_who_has_left():
    incident = an_incident(owner=GRACE, left_owner=GRACE.id)
    error = Denied(an_actor(groups=Groups(responders="S1")), Permission.RESPOND, incident)

    told = refusals.refusal(error, at=NOW)["text"]
    assert told == "Only <!subteam^S1> may work on incidents. Ask one of them."


def test_a_stranger_is_told_nobodys_name():
    error = Denied(an_actor(), Permission.JOIN, an_incident(owner=GRACE))

    assert GRACE.id not in told(refusals.refusal(error, at=NOW))


def test_an_api_key_is_named_and_never_mentioned():
    card = cards.working_card(Card(incident=an_incident(owner=CI)), at=NOW)

    assert "Owner: ci" in told(card)
    assert "<@key" not in told(card)


def test_help_explains_every_verb():
    everything = help_for(None, STATUSPAGE, whole=True)["text"]

    assert all(markup.escape(verb.usage) in everything for verb in VERBS)


def test_help_names_five_commands_first_and_then_the_way_to_all():
    first = help_for(None, STATUSPAGE)

    named = [verb.name for verb in VERBS if markup.escape(verb.usage) in first["text"]]
    assert sorted(named) == ["ack", "declare", "next", "note", "update"]
    assert "`/incident help all` explains all commands" in first["text"]
    assert buttons(first) == ["Declare an incident", "All commands"]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_for_one_verb_gives_its_usage_and_an_example(verb):
    text = help_for(verb.name, STATUSPAGE)["text"]
    where = ", in a lifecycle with `closed`" if verb.name == "close" else ""

    assert markup.escape(verb.usage) in text
    assert f"For example{where}: `/incident " in text


@pytest.mark.parametrize("lifecycle", PRESETS, ids=lambda one: one.name)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_an_example_names_a_lifecycle_if_the_default_one_cannot_follow_it(verb, lifecycle):
    text = help_for(verb.name, lifecycle)["text"]
    steps = {status.name for one in PRESETS for status in one.statuses} & {verb.step}

    assert steps == ({verb.step} if verb.step else set())
    assert ("in a lifecycle with" in text) == bool(steps and verb.step not in lifecycle)


# --- privacy and escaping --------------------------------------------------------------------


CANARY = "canary-8d1f"


def a_noted_outcome() -> Outcome:
    note = a_change(to="identified", public=PublicText("We found it."), note=Note(CANARY))
    return changed(an_incident(), note)


def everything_but_timelines() -> dict[str, Any]:
    """Messages about an incident with the canary in its timeline, given it wherever it fits."""
    outcome = a_noted_outcome()
    incident = outcome.incident
    last = an_update(incident, kind=Kind.MOVED, old="investigating", new="identified", body=CANARY)
    card = Card(incident=incident, last=last)
    page = Ranking(items=(incident,), total=1)
    return {
        "answer": views.answer(outcome, at=NOW),
        "answer beside a card": views.answer(outcome, at=NOW, beside_card=True),
        "working card": cards.working_card(card, at=NOW),
        "owner card": cards.owner_card(card, at=NOW),
        "card for you": cards.card_for_you(card, at=NOW),
        "late click": refusals.refusal(StaleStatus(incident, "investigating", last), at=NOW),
        "tray": lists.tray(page, page, channel=INCIDENTS_CHANNEL, at=NOW),
        "board": lists.board(page, ShowBoard(), at=NOW),
        "redacted": views.answer(replace(outcome, redacted=last), at=NOW),
    }


@pytest.mark.parametrize("name", sorted(everything_but_timelines()))
def test_a_note_is_only_in_the_timeline(name):
    assert CANARY not in repr(everything_but_timelines()[name])


def test_a_timeline_shows_the_note():
    outcome = a_noted_outcome()
    page = Page(items=outcome.updates)

    assert CANARY in told(timeline.timeline(Card(incident=outcome.incident), page, at=NOW))


PUBLIC_RENDERERS = (status_card, public_update, withdrawn, reply_now)


@pytest.mark.parametrize("render", PUBLIC_RENDERERS, ids=lambda render: render.__name__)
def test_a_public_view_is_made_only_of_public_values(render):
    taken = {name: kind for name, kind in get_type_hints(render).items() if name != "return"}

    # A switch holds no text.
    assert set(taken.values()) <= {PublicIncident, PublicUpdate, bool}


# The tokens that the views write themselves. Slack may obey no other ones.
OURS = re.compile(
    r"<(?:@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!date\^\d+\^[^<>|^]+\|[^<>|]+)>"
)
texts = st.text(
    st.sampled_from("ab \n`*_~<>&|@#!^") | st.characters(exclude_categories=["Cs"]), min_size=1
).filter(str.strip) | st.sampled_from(
    ["<!channel>", "<@U0GRACE>", "&lt;!here&gt;", "<https://x|y>", "<!date^1^x|y>"]
)


def obeyed(message: dict[str, Any]) -> list[str]:
    """The texts with special characters outside our own tokens and the entities."""
    said = [text["text"] for text in every(message, "text") if text_is_obeyed(text)]
    said.append(message["text"])
    rest = [re.sub("&(amp|lt|gt);", "", OURS.sub("", text)) for text in said]
    return [text for text in rest if set(text) & set("<>&")]


def text_is_obeyed(text: Any) -> bool:
    return isinstance(text, dict) and text.get("type") == "mrkdwn"


@given(typed=texts)
def test_typed_text_never_becomes_a_mention_or_a_link(typed):
    person = replace(CI, name=typed)
    incident = an_incident(title=typed, owner=person, description=typed, last_entry=3)
    update = an_update(incident, body=typed, by=person, visibility=Visibility.PUBLIC)
    title = an_update(incident, entry=3, kind=Kind.TITLE, old=typed, new=typed, body=None)
    public = a_public_update(body=PublicText(typed))
    shown = a_public_incident(title=PublicText(typed), updates=(public,))
    page = Ranking(items=(incident,), total=1)
    for message in (
        cards.working_card(Card(incident=incident, last=update), at=NOW),
        cards.card_for_you(Card(incident=incident, last=title), at=NOW),
        status_card(shown),
        public_update(shown, public),
        timeline.timeline(Card(incident=incident), Page(items=(update, title)), at=NOW),
        lists.board(page, ShowBoard(), at=NOW),
        lists.tray(page, page, channel=INCIDENTS_CHANNEL, at=NOW),
        views.answer(changed(an_incident(), a_change(owner=person)), at=NOW),
        refusals.refusal(UnknownStatus(incident, typed), at=NOW),
        refusals.refusal(UsageError(typed, suggestion=typed, hint=typed), at=NOW),
    ):
        assert obeyed(message) == []


# --- texts -----------------------------------------------------------------------------------


@given(text=texts, most=st.integers(5, 60))
def test_shortening_is_visible_and_keeps_its_limit(text, most):
    shown = markup.shown(text, most)

    assert len(shown) <= most
    assert shown == markup.escape(text) or shown.endswith("…")


@given(text=texts, most=st.integers(10, 60))
def test_pieces_leave_nothing_out(text, most):
    pieces = list(markup.pieces(text, most))

    assert all(1 <= len(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == markup.escape("".join(text.split()))


def test_a_time_is_a_token_in_the_readers_zone_with_utc_as_fallback():
    assert markup.moment(NINE, seen_from=NOW) == "<!date^1772442000^{time}|09:00 UTC>"
    assert markup.moment(NINE, seen_from=NOW + timedelta(days=1)) == (
        "<!date^1772442000^{date_short_pretty} {time}|2026-03-02 09:00 UTC>"
    )


# --- buttons ---------------------------------------------------------------------------------


def test_three_steps_are_visible_and_the_others_one_click_away():
    incident = an_incident(lifecycle=WIDE, status="one")
    card = cards.working_card(Card(incident=incident), at=NOW)
    owned = cards.working_card(Card(incident=replace(incident, owner=ADA)), at=NOW)

    assert buttons(owned) == ["Move to A", "Move to B", "Move to C", "Update…"]
    assert buttons(card) == ["Acknowledge", *buttons(owned)]
    assert options(card)[:2] == ["Move to D", "Move to Z"]


def test_a_finished_incident_can_only_be_read():
    card = cards.working_card(Card(incident=an_incident(status="resolved")), at=NOW)

    assert buttons(card) == ["Timeline"]
    assert options(card) == []


@pytest.mark.parametrize(
    ("incident", "visible", "in_menu"),
    [
        (an_incident(), True, False),
        (an_incident(acknowledged_by=ADA), True, False),
        (an_incident(owner=GRACE), False, True),
        (an_incident(acknowledged_by=ADA, owner=ADA), False, False),
        (an_incident(status="resolved"), False, False),
        (an_incident(lifecycle=RESPONSE), False, False),
        (an_incident(lifecycle=RESPONSE, status="acknowledged"), False, False),
        (an_incident(lifecycle=RESPONSE, status="resolved"), False, False),
    ],
)
def test_acknowledge_is_a_button_while_nobody_owns_it(incident, visible, in_menu):
    card = cards.working_card(Card(incident=incident), at=NOW)

    assert ("Acknowledge" in buttons(card), "Acknowledge" in options(card)) == (visible, in_menu)


@pytest.mark.parametrize("lifecycle", [STATUSPAGE, RESPONSE, WIDE], ids=lambda each: each.name)
def test_a_card_offers_exactly_the_legal_steps_and_names_them_in_its_text(lifecycle):
    for status in lifecycle.statuses:
        incident = an_incident(lifecycle=lifecycle, status=status.name)
        card = cards.working_card(Card(incident=incident), at=NOW)
        pressed = [decode(value, actor=an_actor()) for value in every(card, "value")]
        moves = tuple(press.change.to or "" for press in pressed if isinstance(press, Step))

        assert moves == status.next_steps
        assert all(status_word(step) in card["text"] for step in moves)


def test_a_press_is_a_command_for_the_status_at_the_drawing():
    card = cards.working_card(Card(incident=an_incident()), at=NOW)
    pressed = [decode(value, actor=an_actor(GRACE)) for value in every(card, "value")]
    id_, now = an_incident().id, "investigating"

    assert pressed == [
        Acknowledge(actor=an_actor(GRACE), ref=id_, expected_status=now),
        Step(change=Change(actor=an_actor(GRACE), ref=id_, to="identified", expected_status=now)),
        OpenDialog(dialog=Dialog.UPDATE, ref=id_, expected_status=now),
        OpenDialog(dialog=Dialog.ASSIGN, ref=id_, expected_status=now),
        OpenDialog(dialog=Dialog.SEVERITY, ref=id_, expected_status=now),
        ShowTimeline(ref=id_),
        OpenWithdrawal(ref=id_),
        OpenBox(ref=id_, box=Box.DESCRIPTION),
    ]


def confirms(message):
    """The labels of the buttons that ask before they are sent, and what they say."""
    return {
        element["text"]["text"]: element["confirm"]["text"]["text"]
        for block in message["blocks"]
        for element in block.get("elements", [])
        if "confirm" in element
    }


FORWARD = "Incidents only move forward: it cannot be reopened."


@pytest.mark.parametrize(
    ("lifecycle", "status", "asked"),
    [
        (STATUSPAGE, "investigating", {}),
        (STATUSPAGE, "monitoring", {"Move to Resolved": f"INC-42 will be resolved. {FORWARD}"}),
        (RESPONSE, "open", {"Move to Resolved": f"INC-42 will be resolved. {FORWARD}"}),
        (
            RESPONSE,
            "acknowledged",
            {
                "Move to Resolved": f"INC-42 will be resolved. {FORWARD}",
                "Move to Closed": f"INC-42 will be closed. {FORWARD}",
            },
        ),
        (RESPONSE, "resolved", {"Move to Closed": f"INC-42 will be closed. {FORWARD}"}),
    ],
)
def test_a_button_that_ends_an_incident_asks_once(lifecycle, status, asked):
    incident = an_incident(lifecycle=lifecycle, status=status)

    assert confirms(cards.working_card(Card(incident=incident), at=NOW)) == asked
    # A menu cannot ask for one of its options: the answer to the click asks.
    menu = every(lists.board(Ranking(items=(incident,), total=1), ShowBoard(), at=NOW), "value")
    pressed = [decode(value, actor=an_actor()) for value in menu]
    steps = {one.change.to: one.asks for one in pressed if isinstance(one, Step)}
    ends = {label.removeprefix("Move to ").lower() for label in asked}
    assert steps == {step: step in ends for step in incident.next_steps[:2]}


OUTDATED = ("step:42:investigating:identified", "ack:42:investigating", "update:42:investigating",
            "assign:42:open", "severity:42:open", "redact:42:open", "take_back:42:2",
            "timeline:42:21", "show:42")  # fmt: skip


@pytest.mark.parametrize("value", OUTDATED)
def test_a_button_of_an_earlier_version_is_recognized(value):
    assert decode(value, actor=an_actor()) == Outdated(42)


ID = an_id("incident 42")


def test_the_pages_of_a_board_keep_what_it_was_narrowed_to():
    narrowed = BoardFilter(scope=Scope.ALL, severity=Severity.LOW, status="monitoring")
    above, below = Rank(Severity.HIGH, 50), Rank(Severity.LOW, 31, ended=True)
    page = Ranking(items=(an_incident(),), newer=above, older=below, total=40)
    row = lists.board(page, ShowBoard(narrowed=narrowed), at=NOW)["blocks"][-1]

    assert [decode(each["value"], actor=an_actor()) for each in row["elements"]] == [
        ShowBoard(narrowed=narrowed, after=above),
        ShowBoard(narrowed=narrowed, before=below),
    ]


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("tray", ShowTray()),
        ("declare", OpenDeclare()),
        ("help", ShowHelp()),
        ("help:note", ShowHelp(verb="note")),
        ("help:all", ShowHelp(whole=True)),
        (f"show:{ID}", ShowCard(ref=ID)),
        (f"timeline:{ID}:21", ShowTimeline(ref=ID, before=21)),
        (f"catchup:{ID}", CatchUp(ref=ID)),
        ("news", ShowNews()),
        ("board:open::::", ShowBoard()),
        ("board:open:::high-42:", ShowBoard(before=Rank(Severity.HIGH, 42))),
        ("board:open:::ended-high-42:", ShowBoard(before=Rank(Severity.HIGH, 42, ended=True))),
        # From an earlier version, whose lists were in the order of numbers.
        ("board:open::::42", ShowBoard()),
    ],
)
def test_a_button_may_ask_for_a_list_or_for_help(value, asked):
    assert decode(value, actor=an_actor()) == asked


RUBBISH = (
    "",
    "step",
    f"step:{ID}:investigating",
    "step:0:investigating:identified",
    "step:-1:investigating:identified",
    "step:4294967296:investigating:identified",
    "step:٤٢:investigating:identified",
    f"step:{'9' * 5_000}:investigating:identified",
    f"step:{ID}:Investigating:identified",
    f"step:{ID}:investigating:identified:more",
    f"update:{ID}",
    f"severe:{ID}:worst",
    f"give:{ID}:nobody",
    "choose:42:1",
    "help:me",
    "board:some:::::",
    "board:open:::worst-42:",
    "board:open:::high-0:",
    "board:open:::high-:",
    "board:open:::x:",
    "board:open:worst::::",
    "show:INC-42",
    f"take_back:{ID}:",
    f"take_back:{ID}:2:more",
    f"withdraw:{ID}:",
    "sure_private:42",
)


@pytest.mark.parametrize("value", RUBBISH)
def test_an_invalid_value_of_a_button_is_refused(value):
    with pytest.raises(UsageError, match="nothing was changed"):
        decode(value, actor=an_actor())


@given(value=st.text() | st.lists(st.text(max_size=8), max_size=8).map(":".join))
def test_any_value_of_a_button_becomes_a_request_or_a_usage_error(value):
    try:
        decode(value, actor=an_actor())
    except UsageError:
        return


# --- the status channel ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "broadcast"),
    [
        (a_public_update(), True),
        (a_public_update(status=None, word=None), False),
        (a_public_update(body=None, withdrawn=True), False),
    ],
)
def test_a_public_update_reaches_the_channel_when_it_carries_a_transition(update, broadcast):
    assert public_update(a_public_incident(), update)["reply_broadcast"] is broadcast


def test_a_bare_transition_shows_the_last_words_that_were_published():
    bare = a_public_update(entry=5, body=None, status="monitoring")
    card = status_card(a_public_incident(updates=(bare, a_public_update())))

    assert "Latest: We found the cause." in told(card)


def test_the_latest_text_on_the_status_card_is_the_last_one_that_is_valid():
    gone = a_public_update(entry=5, body=None, withdrawn=True)
    alone, after_another = (gone,), (gone, a_public_update())

    assert "Latest" not in told(status_card(a_public_incident(updates=alone)))
    assert "Latest: We found the cause." in told(
        status_card(a_public_incident(updates=after_another))
    )


def test_a_withdrawn_reply_keeps_the_status_that_it_carried():
    gone = a_public_update(body=None, withdrawn=True, status="monitoring")

    assert "*Monitoring*: _This update was withdrawn._" in str(withdrawn(gone))


# --- the timeline ----------------------------------------------------------------------------


def a_page(updates: tuple[Update, ...], before: int | None) -> Page[Update]:
    """A page as the service returns it: the newest ones below ``before``, oldest first."""
    below = [update for update in updates if before is None or update.entry < before]
    return Page(items=tuple(below[-TIMELINE_PAGE:]))


@pytest.mark.parametrize("body", ["short", "&" * 2_000], ids=["short", "longest"])
def test_going_to_older_pages_shows_every_entry_once_and_whole(body):
    updates = tuple(an_update(entry=entry, body=body) for entry in range(1, 51))
    card = Card(incident=an_incident(last_entry=50))
    seen: list[int] = []
    asked: Any = ShowTimeline(ref=42)
    while asked is not None:
        message = timeline.timeline(card, a_page(updates, asked.before), at=NOW)
        said = "".join(text for text in every(message["blocks"], "text") if isinstance(text, str))
        entries = [int(number) for number in re.findall("`([0-9]+)`", said)]
        assert said.count(markup.escape(body)) == len(entries) or "&" in body
        assert said.count("&amp;") == len(entries) * body.count("&")
        seen = [*entries, *seen]
        older = [e for e in every(message, "elements")[-1] if e.get("action_id") == "older"]
        asked = decode(older[0]["value"], actor=an_actor()) if older else None

    assert seen == list(range(1, 51))


def test_an_entry_names_its_readers():
    updates = (
        an_update(entry=1, body="for us"),
        an_update(entry=2, body="for all", visibility=Visibility.PUBLIC),
        an_update(entry=3, body=None, redacted_at=NOW, redacted_by=GRACE),
    )
    text = timeline.timeline(Card(incident=an_incident(last_entry=3)), Page(items=updates), at=NOW)[
        "text"
    ]

    assert '<@U0ADA> · 🔒 private: "for us"' in text
    assert '<@U0ADA> · 📣 public: "for all"' in text
    withdrawn = f"_withdrawn by <@U0GRACE>_ · {markup.moment(NOW, seen_from=NOW)}"
    assert f"<@U0ADA> · 🔒 private: {withdrawn}" in text


def test_a_withdrawn_title_bears_no_private_mark_and_says_who_and_when():
    gone = an_update(
        entry=1, kind=Kind.TITLE, old="a", new=None, body=None, redacted_at=NOW, redacted_by=GRACE
    )
    text = timeline.timeline(Card(incident=an_incident(last_entry=1)), Page(items=(gone,)), at=NOW)[
        "text"
    ]

    assert f"_withdrawn by <@U0GRACE>_ · {markup.moment(NOW, seen_from=NOW)}" in text
    assert "private" not in text


def test_a_text_that_was_taken_back_in_time_was_never_published():
    gone = an_update(
        entry=1,
        visibility=Visibility.PUBLIC,
        body=None,
        public_at=NOW,
        redacted_at=NOW - timedelta(seconds=1),
        redacted_by=ADA,
    )
    message = timeline.timeline(Card(incident=an_incident()), Page(items=(gone,)), at=NOW)

    assert "📣 public: _withdrawn by <@U0ADA>, never published_" in message["text"]


@pytest.mark.parametrize(
    ("later", "severity"),
    [
        ((), "(high)"),
        (({"kind": Kind.SEVERITY, "old": "low", "new": "high"},), "(low)"),
    ],
)
def test_a_declaration_keeps_the_severity_that_it_had(later, severity):
    updates = (
        an_update(entry=1, kind=Kind.DECLARED, new="investigating", body=None),
        *(an_update(entry=2, body=None, **facts) for facts in later),
    )
    card = Card(incident=an_incident(last_entry=len(updates)))

    assert f"declared it {severity}" in timeline.timeline(card, Page(items=updates), at=NOW)["text"]


# --- the tray --------------------------------------------------------------------------------


def test_an_incident_of_this_channel_is_not_listed_again_elsewhere():
    here = an_incident()
    page = Ranking(items=(here, an_incident(number=40, title="Slow search")), total=2)
    only = Ranking(items=(here,), total=1)
    text = lists.tray(only, page, channel=INCIDENTS_CHANNEL, at=NOW)["text"]

    assert text.count("INC-42") == 1
    assert "Open elsewhere (1): 🟠 INC-40 Slow search" in text


def test_the_rest_of_a_channel_is_counted_and_stands_nowhere_else():
    here = tuple(an_incident(number=number) for number in range(1, 13))
    elsewhere = an_incident(number=40, title="Slow search", place=Place("C0OTHER"))
    page = Ranking(items=(*here, elsewhere), total=13)
    ten = Ranking(items=here[:10], total=12)
    text = lists.tray(ten, page, channel=INCIDENTS_CHANNEL, at=NOW)["text"]

    assert "Open here (10 of 12):" in text
    assert "INC-11 " not in text
    assert "Open elsewhere (1): 🟠 INC-40 Slow search" in text


@pytest.mark.parametrize(
    ("severity", "status", "line"),
    [
        ("critical", "identified", "🔴 *INC-42* Checkout is down · *critical* · Identified · "),
        ("high", "identified", "🟠 *INC-42* Checkout is down · *high* · Identified · "),
        ("medium", "identified", "🟡 *INC-42* Checkout is down · medium · Identified · "),
        ("low", "identified", "🔵 *INC-42* Checkout is down · low · Identified · "),
        ("critical", "resolved", "🟢 *INC-42* Checkout is down · *critical* · Resolved · "),
    ],
)
def test_a_line_of_a_list_shows_the_severity_before_the_status(severity, status, line):
    incident = an_incident(severity=Severity(severity), status=status)
    drawn = lists.board(Ranking(items=(incident,), total=1), ShowBoard(), at=NOW)

    assert drawn["blocks"][1]["text"]["text"].startswith(line)


@pytest.mark.parametrize(
    ("above", "count", "total", "place"),
    [
        (10, 1, 11, "11 of 11"),
        (10, 10, 20, "11\N{EN DASH}20 of 20"),
        (10, 10, 31, "11\N{EN DASH}20 of 31"),
        (10, 10, COUNTED_MAX + 1, f"11\N{EN DASH}20 of more than {COUNTED_MAX}"),
        (COUNTED_MAX + 1, 10, COUNTED_MAX + 1, f"10 of more than {COUNTED_MAX}"),
    ],
)
def test_a_later_page_of_a_list_says_its_place(above, count, total, place):
    heading = f"Open incidents · {place}:"
    items = tuple(an_incident(number=100 - row) for row in range(count))
    newer = Rank(Severity.HIGH, 900)
    page = Ranking(items=items, older=newer, newer=newer, total=total, above=above)

    assert heading in lists.board(page, ShowBoard(), at=NOW)["text"]


@pytest.mark.parametrize(
    ("shown", "total", "words"),
    [
        (3, 3, "Open incidents · 3"),
        (10, 31, "Open incidents · 1\N{EN DASH}10 of 31"),
        (10, COUNTED_MAX, f"Open incidents · 1\N{EN DASH}10 of {COUNTED_MAX}"),
        (10, COUNTED_MAX + 1, f"Open incidents · 1\N{EN DASH}10 of more than {COUNTED_MAX}"),
    ],
)
def test_a_list_says_how_many_there_are(shown, total, words):
    items = tuple(an_incident(number=number) for number in range(1, shown + 1))
    drawn = lists.board(Ranking(items=items, total=total), ShowBoard(), at=NOW)

    assert drawn["text"].startswith(f"{words}:")


@pytest.mark.parametrize(
    ("total", "words"), [(16, "Others (7 of 13)"), (COUNTED_MAX + 1, "Others (7 of more than 500)")]
)
def test_home_lists_the_readers_own_first(total, words):
    many = tuple(an_incident(number=number, severity=Severity.CRITICAL) for number in range(20, 30))
    own = tuple(an_incident(number=number, severity=Severity.LOW) for number in (1, 2, 3))
    drawn = lists.home(Ranking(items=own, total=3), Ranking(items=many, total=total), at=NOW)
    headings = [
        block["text"]["text"]
        for block in drawn["blocks"]
        if block["type"] == "section" and "INC" not in block["text"]["text"]
    ]

    assert headings == ["*Yours (3)*", f"*{words}*"]
    assert "INC-1*" in repr(drawn["blocks"][1])


def test_home_lists_no_incident_of_the_reader_under_others():
    own = tuple(an_incident(number=number, owner=ADA) for number in range(1, 13))
    other = an_incident(number=40, owner=GRACE)
    mine = Ranking(items=own[:10], total=12)
    drawn = lists.home(mine, Ranking(items=(*own, other), total=13), at=NOW)

    assert "*Yours (10 of 12)*" in repr(drawn)
    assert "*Others (1)*" in repr(drawn)
    assert "INC-11" not in repr(drawn)


@pytest.mark.parametrize(
    ("narrowed", "label"),
    [
        ({"scope": Scope.MINE, "status": "resolved"}, ["List all, resolved"]),
        ({"severity": Severity.HIGH}, ["List all, high"]),
        ({}, []),
        ({"scope": Scope.ALL, "status": "resolved"}, []),
    ],
)
def test_an_empty_list_of_open_incidents_offers_the_ended_ones(narrowed, label):
    nothing = Ranking(items=(), total=0)
    drawn = lists.board(nothing, ShowBoard(narrowed=BoardFilter(**narrowed)), at=NOW)

    assert buttons(drawn) == [*label, "Declare an incident", "Help"]


def test_an_empty_tray_still_lets_one_declare():
    message = lists.tray(
        Ranking(items=(), total=0), Ranking(items=(), total=0), channel=None, at=NOW
    )

    assert message["text"] == "All quiet. Nothing is open."
    assert buttons(message) == ["Declare an incident", "All open", "What is new", "Help"]


# --- beside a card, and its last line ----------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            a_change(to="identified"),
            "INC-42 is now *Identified* (was Investigating); next: monitoring.",
        ),
        (
            Acknowledge(actor=an_actor(), ref=42),
            (
                "INC-42 is acknowledged, and stays *Investigating*; <@U0ADA> owns it now; "
                "next: identified."
            ),
        ),
        (
            a_change(severity=Severity.LOW),
            "INC-42 now has the severity *low* (was high); next: identified.",
        ),
        (
            a_change(owner=GRACE),
            "INC-42 is now owned by <@U0GRACE> (was nobody); next: identified.",
        ),
        (
            a_change(severity=Severity.HIGH),
            (
                "Nothing had to change: INC-42 is *Investigating* (high), and owned by nobody; "
                "next: identified."
            ),
        ),
    ],
)
def test_an_answer_beside_a_card_is_one_sentence_without_buttons(command, told):
    answer = views.answer(changed(an_incident(), command), at=NOW, beside_card=True)

    assert answer["text"] == told
    assert [block["type"] for block in answer["blocks"]] == ["section"]


def a_last_line(**facts: Any) -> str:
    last = an_update(body=None, **{"by": ADA, "at": NINE, **facts})
    card = cards.working_card(Card(incident=an_incident(), last=last), at=NOW)
    text: str = card["blocks"][-1]["elements"][0]["text"]
    return text.rpartition(" <!date")[0]


TAKEN_BACK: dict[str, Any] = {
    "visibility": Visibility.PUBLIC,
    "public_at": NOW,
    "redacted_at": NINE,
    "redacted_by": ADA,
}
WITHDRAWN: dict[str, Any] = {**TAKEN_BACK, "public_at": None, "redacted_at": NOW}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"kind": Kind.WROTE, "visibility": Visibility.PUBLIC}, "wrote a public update"),
        ({"kind": Kind.WROTE, **TAKEN_BACK}, "took a public update back"),
        ({"kind": Kind.WROTE, **WITHDRAWN}, "wrote a public update, withdrawn since"),
        ({"kind": Kind.CORRECTED, **TAKEN_BACK}, "took a public update back"),
        (
            {"kind": Kind.CORRECTED, **WITHDRAWN},
            "replaced a withdrawn public update, withdrawn since",
        ),
        ({"kind": Kind.TITLE, **TAKEN_BACK}, "took a new title back"),
        (
            {"kind": Kind.MOVED, "old": "investigating", "new": "identified", **TAKEN_BACK},
            "moved it: ~Investigating~ → Identified",
        ),
    ],
)
def test_the_last_line_of_a_card_is_true_after_a_text_was_taken_back(facts, told):
    assert a_last_line(**facts) == f"Last: <@U0ADA> {told}"


def test_the_last_line_has_the_moment_of_taking_back():
    last = an_update(kind=Kind.WROTE, body=None, at=NINE, **TAKEN_BACK | {"redacted_at": NOW})
    later = replace(last, public_at=NOW + timedelta(seconds=1))
    card = cards.working_card(Card(incident=an_incident(), last=later), at=NOW)

    assert f"<!date^{int(NOW.timestamp())}^" in card["blocks"][-1]["elements"][0]["text"]
