"""Words at the ends of a text that may be an option of its command."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.boxes import Box, OpenBox
from bot.slack.requests import AskPrivate, OpenAssign, OpenPromise, OpenUpdate, Question
from core.commands import SetPromise, TakeNextStep
from core.incident import Note, PublicText, Severity
from core.promise import NextUpdate
from tests.builders import a_change, an_actor
from tests.slack.saying import a_declaration, asked, meanings, published, said

HIGH, LOW, CRITICAL = Severity.HIGH, Severity.LOW, Severity.CRITICAL
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
CARDS = "Cards are refused"

SEVERITIES = [
    ("severity high {}", HIGH),
    ("Severity high: {}", HIGH),
    ("severity high, {}", HIGH),
    ("(severity high) {}", HIGH),
    ("sev high {}", HIGH),
    ("prio high {}", HIGH),
    ("sev1 {}", CRITICAL),
    ("P1 {}", CRITICAL),
    ("[high] {}", HIGH),
    ("severity hihg {}", HIGH),
    ("severity is high: {}", HIGH),
    ("{} severity high", HIGH),
    ("{}, severity high", HIGH),
    ("{}. Severity high.", HIGH),
    ("{} - severity high", HIGH),
    ("{} (severity high)", HIGH),
    ("{}, severity is high", HIGH),
    ("{}, high severity", HIGH),
    ("{}, with severity high", HIGH),
    ("{} sev1", CRITICAL),
    ("{}, P1", CRITICAL),
    ("{} (high)", HIGH),
    ("{} severity:high", HIGH),
    ("{} severity: high", HIGH),
    ("{} sev=high", HIGH),
    ("{} --severity high", HIGH),
    ("{} —severity high", HIGH),
]


def without_end(text: str | None) -> str:
    return (text or "").rstrip(".")


@pytest.mark.parametrize(("form", "severity"), SEVERITIES, ids=[row[0] for row in SEVERITIES])
class TestASeverityAtAnEnd:
    def test_of_a_public_text_is_asked_about(self, form, severity):
        text = form.format(CARDS)
        taken, whole, edited = meanings(f"update 42 {text}")

        assert without_end(taken.public) == CARDS
        assert taken == published(severity=severity, public=taken.public)
        assert whole == published(public=PublicText(text))
        assert edited == OpenUpdate(ref=42, public=PublicText(text))

    @pytest.mark.parametrize(
        ("verb", "to"), [("note 42", None), ("resolve 42", "resolved"), ("status 42 open", "open")]
    )
    def test_of_a_note_is_asked_about(self, form, severity, verb, to):
        text = form.format(CARDS)
        taken, whole = meanings(f"{verb} {text}")

        assert without_end(taken.note) == CARDS
        assert taken == a_change(to=to, severity=severity, note=taken.note)
        assert whole == a_change(to=to, note=Note(text))

    def test_of_the_note_of_the_next_step_is_asked_about(self, form, severity):
        text = form.format(CARDS)
        taken, whole = meanings(f"next 42 {text}")

        assert without_end(taken.note) == CARDS
        assert taken == TakeNextStep(actor=an_actor(), ref=42, severity=severity, note=taken.note)
        assert whole == TakeNextStep(actor=an_actor(), ref=42, note=Note(text))

    def test_of_a_title_is_asked_about(self, form, severity):
        text = form.format(CARDS)
        taken, whole, note, edited = meanings(f"title 42 {text}")

        assert without_end(taken.title) == CARDS
        assert taken == a_change(severity=severity, title=taken.title)
        assert (whole, note) == (a_change(title=text), a_change(note=Note(text)))
        assert edited == OpenBox(ref=42, box=Box.TITLE, text=text)

    def test_of_a_description_is_asked_about(self, form, severity):
        text = form.format(CARDS)
        taken, whole = meanings(f"description 42 {text}")

        assert without_end(taken.description) == CARDS
        assert taken == a_change(severity=severity, description=taken.description)
        assert whole == a_change(description=text)


ASKED_FOR = ["make it high: {}", "set to high {}", "{}, raise to high",
             "{}. Please raise it to high.", "{} - mark this as high",
             "set severity to high: {}", "sev 2 {}"]  # fmt: skip


@pytest.mark.parametrize("form", ASKED_FOR)
def test_words_that_ask_for_a_severity_are_no_text_unasked(form):
    text = form.format(CARDS)
    taken, whole, *_ = meanings(f"update 42 {text}")

    assert without_end(taken.public) == CARDS
    assert (taken.severity, whole.public) == (HIGH, text)
    declared = meanings(f"declare {text}")[0]
    assert (without_end(declared.title), declared.severity) == (CARDS, HIGH)


BARE = ["high {}", "High {}", "HIGH, {}", "{} high", "{} High.", "{} high!", "*high* {}",
        "high monitoring {}", "high {} (monitoring)", "monitoring high {}"]  # fmt: skip


@pytest.mark.parametrize("text", [CARDS, "search X is down", "Checkout", "payments fail again"])
@pytest.mark.parametrize("form", BARE)
def test_a_severity_without_a_sign_that_fits_into_no_sentence_is_asked_about(form, text):
    whole = form.format(text)
    if "monitoring" not in form:
        assert meanings(f"declare {whole}")[:2] == [
            a_declaration(text, severity=HIGH),
            a_declaration(whole),
        ]
        assert meanings(f"title 42 {whole}")[0] == a_change(severity=HIGH, title=text)
    to = "monitoring" if "monitoring" in form else None
    assert meanings(f"update 42 {whole}")[:2] == [
        published(severity=HIGH, to=to, public=PublicText(text)),
        published(public=PublicText(whole)),
    ]


@pytest.mark.parametrize("severity", ["critical", "high", "low"])
def test_each_severity_without_a_sign_is_asked_about_unless_a_declaration_has_it(severity):
    for text in (f"{severity} search X is down", f"search X is down {severity}"):
        assert meanings(f"declare {text}")[0].severity == severity
        assert said(f"declare {text}", default_severity=Severity(severity)).title == text
    assert said("declare medium search X is down").title == "medium search X is down"
    assert meanings("update 42 medium search X is down")[0].severity == Severity.MEDIUM


def test_a_severity_without_a_sign_may_stand_in_a_note():
    assert said("note 42 high search X is down").note == "high search X is down"


def test_a_severity_beside_an_owner_is_asked_about_with_it():
    both, whole, _ = asked("declare search X is down critical owner @bo").choices

    assert both.request == a_declaration("search X is down", severity=CRITICAL)
    assert both.label == "Declare it critical, without owner @bo"
    assert whole.request == a_declaration("search X is down critical owner @bo")


PRIVATES = [
    "make it private: {}", "please keep this private, {}", "visibility private {}",
    "keep it internal: {}", "internal only: {}", "{} private", "{}, private", "{} (private)",
    "{} [private]", "{} --private", "{}, make it private", "{}. Keep this private.",
    "{} - internal only", "{} (internal)", "{}, not public", "{}, do not publish",
    "{} visibility private", "{} visibility:private", "{}, as private", "{} // internal",
    "{} dont publish", "'{} (private)'", "{}, for responders only", "for responders only: {}",
    "{}. Don't publish this yet.", "do not share: {}", "{}, do not share", "not public yet: {}",
    "embargoed: {}", "{} (team only)", "only responders: {}", "{} for us only",
    "{} please do not tell customers", "private note: {}", "internal update - {}",
    "private note for us only: {}", "note (private): {}", "{} [internal note]", "{} (private note)",
    "{} internal", "{}, confidential", "{} confidential", "Responders: {}", "for the team: {}",
    "FYI team: {}", "as a note: {}", "On-call: {}", "{} embargoed", "off the record: {}",
    "{} off the record", "off-the-record {}", "TLP RED: {}", "{} TLP:AMBER+STRICT",
    "{} for your eyes only", "eyes only: {}", "between us: {}", "need to know: {}", "{}, under NDA",
    "{} non-public", "no-public: {}", "{} not for publication", "not public yet {}",
    "{} just for the team", "{}, just for us", "{} privately", "just among ourselves: {}",
    "not for customers {}", "public:false {}", "--public=no {}", "{} public:false",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        f"{CARDS} private components:api",
        f"{CARDS} (internal) lifecycle:response",
        "We lost db-3 --private of Acme",
        "We lost db-3\n--private\nof Acme",
        f"severity high not public yet {CARDS}",
        f"{CARDS} @bo --internal",
        f"{CARDS} high internal next 30m",
    ],
)
def test_what_is_offered_first_is_no_public_text(text):
    first = meanings(f"update 42 {text}", at=NOON)[0]

    assert first.public is None


def test_a_note_keeps_what_it_has_no_place_for():
    text = f"{CARDS} @bo --internal"

    assert meanings(f"update 42 {text}")[0].note == Note(text)


@pytest.mark.parametrize("option", ["components:api", "(lifecycle: response)"])
def test_an_option_that_no_text_has_is_asked_about(option):
    assert "may not belong to the public text" in asked(f"update 42 {CARDS} {option}").problem


@pytest.mark.parametrize("form", PRIVATES)
def test_readers_at_an_end_of_a_public_text_are_asked_about(form):
    text = form.format(CARDS)
    question = asked(f"update 42 {text}")
    note, whole, edited = [choice.request for choice in question.choices]

    assert "meant only for responders. Nothing was published." in question.message
    assert without_end(note.note) == CARDS
    assert note == a_change(note=note.note)
    assert whole == published(public=PublicText(text))
    assert edited == OpenUpdate(ref=42, public=PublicText(text))


def test_a_mark_of_the_traffic_light_protocol_before_a_text_stays_in_its_note():
    note, whole, _ = meanings(f"update 42 TLP:RED {CARDS}")

    assert note == a_change(note=Note(f"TLP:RED {CARDS}"))
    assert whole == published(public=PublicText(f"TLP:RED {CARDS}"))


OPENED = ["private: db-3", "note: db-3", "Internal: db-3", "(note: db-3)", "- internal: db-3",
          "private note: db-3", "note : db-3", "privte: db-3", "ｎｏｔｅ：db-3",
          "internal only: db-3", "note text: db-3", "NOTE:db-3", "and private: db-3",
          "private → db-3"]  # fmt: skip


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("before", ["All is fine", "All is fine.", "monitoring All is fine,"])
def test_a_word_for_responders_may_open_a_text_behind_the_public_one(before, opened):
    question = asked(f"update 42 {before} {opened}")
    note, whole, edited = [choice.request for choice in question.choices]

    assert "meant only for responders. Nothing was published." in question.message
    assert note.public is None
    assert note.note == f"{before.removeprefix('monitoring ')} {opened}"
    assert note.to == ("monitoring" if before.startswith("monitoring") else None)
    assert whole == published(public=PublicText(f"{before} {opened}"))
    assert edited == OpenUpdate(ref=42, public=PublicText(f"{before} {opened}"))
    assert meanings(f"title 42 {before} {opened}")[0] == AskPrivate(ref=42)


@pytest.mark.parametrize(
    "opened",
    ["public: we rolled back", "(public: we rolled back)", "- Public: we rolled back",
     "public update: we rolled back", "for public: we rolled back", "pubilc: we rolled back",
     "PUBLIC:we rolled back", "public ：we rolled back", "and public: we rolled back",
     "[public message: we rolled back"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("verb", "to"),
    [("next", ""), ("next 42 identified", "identified"), ("note", None), ("resolve", "resolved"),
     ("status 42 open", "open")],
)  # fmt: skip
def test_a_word_for_everyone_may_open_a_text_behind_the_note(opened, verb, to):
    command = verb if " " in verb else f"{verb} 42"
    question = asked(f"{command} we saw it {opened}")
    both, whole, *_ = [choice.request for choice in question.choices]

    before = {"for": "we saw it for", "and": "we saw it and"}.get(opened.split()[0], "we saw it")
    assert both == OpenUpdate(ref=42, to=to, public=PublicText("we rolled back"), note=Note(before))
    assert whole.note == f"we saw it {opened}"
    assert "may begin a text for everyone. Nothing was done." in question.problem


def test_the_status_behind_next_hides_no_readers():
    both, note, step = meanings("next 42 resolved public: we rolled back")

    assert both == OpenUpdate(ref=42, to="resolved", public=PublicText("we rolled back"))
    assert note == a_change(to="resolved", note=Note("we rolled back"))
    assert step.note == "resolved public: we rolled back"


def test_options_beside_a_text_for_everyone_go_into_the_dialog():
    both, _ = meanings("resolve 42 severity low, done, public: we rolled back", at=NOON)

    assert both == OpenUpdate(
        ref=42,
        to="resolved",
        severity=LOW,
        public=PublicText("we rolled back"),
        note=Note("done"),
    )


@pytest.mark.parametrize(
    ("lead_in", "public"),
    [("public update:", "We are back"), ("public note -", "We are back"),
     ("public message:", "We are back"), ("Public Update :", "We are back"),
     ("public update will follow:", "update will follow: We are back")],
)  # fmt: skip
def test_the_whole_of_a_lead_in_is_left_out(lead_in, public):
    assert meanings(f"next 42 {lead_in} We are back")[0] == OpenUpdate(
        ref=42, to="", public=PublicText(public)
    )


def test_a_lead_in_of_a_note_for_responders_is_left_out():
    assert said("note 42 private note: db-3 is slow") == a_change(note=Note("db-3 is slow"))


IN_ONE_BRACKET = [
    ("{} (high, internal only)", {"severity": HIGH}),
    ("{} (internal only, high)", {"severity": HIGH}),
    ("(high, internal only) {}", {"severity": HIGH}),
    ("{} (severity high; for responders only)", {"severity": HIGH}),
    ("{} [status monitoring, private].", {"to": "monitoring"}),
    ("{} (private, monitoring, low)", {"to": "monitoring", "severity": LOW}),
    ("{} ( private )", {}),
]


@pytest.mark.parametrize(("form", "facts"), IN_ONE_BRACKET)
def test_options_and_readers_in_one_bracket_are_taken_apart(form, facts):
    note, whole, _ = meanings(f"update 42 {form.format(CARDS)}")

    assert note == a_change(note=Note(CARDS), **facts)
    assert whole.public == form.format(CARDS)


def test_a_bracket_that_keeps_some_of_its_words_stays_a_pair():
    note, *_ = meanings(f"update 42 {CARDS} (high, two shops, internal only)")

    assert note == a_change(note=Note(f"{CARDS} (high, two shops)"))


def test_the_dash_between_a_status_and_its_text_is_no_text():
    taken, *_ = meanings("update 42 resolved - Cards work")
    listed, *_ = meanings("update 42 resolved\n- Cards work\n- Links work")

    assert taken.public == "Cards work"
    assert listed.public == "- Cards work\n- Links work"


def test_readers_within_a_public_text_are_asked_about_and_the_note_is_whole():
    text = "Cards are refused. Keep this private. db-3 lost quorum"
    note, whole, _ = meanings(f"update 42 {text}")

    assert note == a_change(note=Note(text))
    assert whole == published(public=PublicText(text))


@pytest.mark.parametrize(
    "text",
    [
        "Cards leak, internal only, owner @bo",
        "Cards leak, private, cc @bo",
        "Cards leak (internal only) cc @bo",
        "Cards leak, internal only --foo",
        "Cards leak, internal only (INC-42)",
        "(monitoring) Cards leak internal only -> monitoring",
        "severity:high severity:high internal: Cards leak",
        "next 30m next 1h internal only: Cards leak",
        "--foo internal: Cards leak",
        "lifecycle:response Cards leak, internal only",
    ],
)
def test_no_option_hides_the_readers_of_a_public_text(text):
    question = asked(f"update 42 {text}")
    note, whole, _ = [choice.request for choice in question.choices]

    assert "meant only for responders. Nothing was published." in question.message
    assert note.public is None
    assert "Cards leak" in str(note.note)
    assert whole == published(public=PublicText(text))


@pytest.mark.parametrize("form", ["{} (private)", "{} private", "{}, make it private"])
def test_readers_at_the_end_of_a_title_are_asked_about(form):
    text = form.format(CARDS)
    question = asked(f"title 42 {text}")

    assert [choice.request for choice in question.choices] == [
        AskPrivate(ref=42),
        a_change(title=text),
        a_change(note=Note(text)),
        OpenBox(ref=42, box=Box.TITLE, text=text),
    ]
    assert question.problem.startswith('"')  # it names the words, first or last


@pytest.mark.parametrize(
    "form", ["{}, owner @bo", "{} @bo", "{}, next update in 30m", "{}, make it public"]
)
def test_words_that_a_title_does_not_take_are_no_title_unasked(form):
    text = form.format(CARDS)
    without, whole, *_ = asked(f"title 42 {text}").choices

    assert without.label == "Rename it without these words"
    assert (without.request, whole.request) == (a_change(title=CARDS), a_change(title=text))


PUBLICS = ["{} public", "{} (public)", "{} --public", "{}, public", "{}, make it public",
           "{} visibility public", "make it public: {}", "visibility public {}",
           "for everyone: {}", "tell customers: {}", "please publish: {}", "and tell everybody: {}",
           "{}, please publish", "{} - publish this", "{}, for customers",
           "announce it: {}"]  # fmt: skip


@pytest.mark.parametrize("form", PUBLICS)
def test_a_note_that_asks_for_everyone_at_an_end_is_asked_about(form):
    text = form.format(CARDS)

    assert meanings(f"note 42 {text}") == [
        OpenUpdate(ref=42, public=PublicText(CARDS)),
        a_change(note=Note(text)),
    ]


@pytest.mark.parametrize("form", ["{} (public)", "{} --public", "{}, make it public"])
def test_public_at_the_end_of_a_public_text_is_no_text_unasked(form):
    text = form.format(CARDS)

    assert meanings(f"update 42 {text}")[:2] == [
        published(public=PublicText(CARDS)),
        published(public=PublicText(text)),
    ]


STATUSES = ["{} status:monitoring", "{} status: monitoring", "{} --status monitoring",
            "{} (monitoring)", "{} [Monitoring]", "(monitoring) {}",
            "{} -&gt; monitoring", "{} → monitoring",
            "{} status → monitoring", "{}, status monitoring", "{}, state monitoring",
            "status monitoring {}", "{} - monitoring", "{} -- Monitoring", "{} | monitoring",
            "status:monitoring. {}"]  # fmt: skip


@pytest.mark.parametrize("form", STATUSES)
def test_a_status_at_an_end_is_asked_about(form):
    text = form.format(CARDS)
    if not text.startswith("status:"):
        assert meanings(f"update 42 {text}")[0] == published(
            to="monitoring", public=PublicText(CARDS)
        )
    assert meanings(f"note 42 {text}")[0] == a_change(to="monitoring", note=Note(CARDS))
    assert meanings(f"next 42 {text}")[0] == a_change(to="monitoring", note=Note(CARDS))


IN_30 = NextUpdate(within=timedelta(minutes=30))
AT_1530 = NextUpdate(by=NOON.replace(hour=15, minute=30))
PROMISES = [
    ("next 30m {}", IN_30),
    ("next 30 min: {}", IN_30),
    ("promise 30m {}", IN_30),
    ("Next update in 30 min: {}", IN_30),
    ("- next update 30m - {}", IN_30),
    ("{} next 30m", IN_30),
    ("{} next:30m", IN_30),
    ("{} --next 30m", IN_30),
    ("{}, promise 30m", IN_30),
    ("{} next update 30m", IN_30),
    ("{}, next update in 30 minutes", IN_30),
    ("{}. Next update by 15:30.", AT_1530),
    ("{} (next update 15:30)", AT_1530),
    ("next update in 30m {}", IN_30),
    ("Next update by 15:30 {}", AT_1530),
    ("Update in 30 min: {}", IN_30),
    ("{} next update in 30m", IN_30),
    ("{}, update in 30m", IN_30),
    ("{} public update in 30m", IN_30),
    ("{} (next update at 15:30 today)", AT_1530),
]


@pytest.mark.parametrize(("form", "promised"), PROMISES, ids=[row[0] for row in PROMISES])
def test_the_time_of_the_next_update_at_an_end_is_asked_about(form, promised):
    text = form.format(CARDS)
    taken, whole, _ = meanings(f"update 42 {text}", at=NOON)

    assert without_end(taken.public) == CARDS
    assert taken == a_change(public=taken.public, next_update=promised)
    assert whole == published(public=PublicText(text))


@pytest.mark.parametrize(("form", "promised"), PROMISES, ids=[row[0] for row in PROMISES])
@pytest.mark.parametrize("verb", ["note", "next", "resolve"])
def test_the_time_of_the_next_update_is_no_note_unasked(form, promised, verb):
    text = form.format(CARDS)
    promise, whole = asked(f"{verb} 42 {text}", at=NOON).choices

    assert without_end(promise.request.reason) == CARDS
    assert promise.request == SetPromise(
        actor=an_actor(), ref=42, next_update=promised, reason=promise.request.reason
    )
    assert (promise.label == "") is (verb == "note")
    assert whole.request.note == text


def test_a_promise_and_a_fact_beside_a_note_are_offered_apart():
    fact, promise, whole = meanings(f"note 42 severity low {CARDS}, next 30m", at=NOON)

    assert fact == a_change(severity=LOW, note=Note(f"severity low {CARDS}, next 30m"))
    assert promise.reason == CARDS
    assert whole == a_change(note=Note(f"severity low {CARDS}, next 30m"))


def test_a_promise_beside_a_text_for_everyone_goes_into_the_dialog():
    assert meanings(f"note 42 public: {CARDS}, next 30m", at=NOON)[0] == OpenUpdate(
        ref=42, public=PublicText(CARDS), next_update=IN_30
    )


@pytest.mark.parametrize("form", ["{} next update in 30m", "{}, next 30m", "next update in 30m {}"])
def test_a_declaration_takes_no_promise_unasked(form):
    text = form.format(CARDS)
    without, whole, _ = meanings(f"declare {text}", at=NOON)

    assert (without.title, whole.title) == (CARDS, text)


OWNERS = ["owner @bo {}", "{}, owner @bo", "{} assign to @bo", "{} @bo", "{}, @bo", "{} (@bo)",
          "{} - @bo", "{} @bo owns it", "{}. @bo takes it.", "{} @bo is the owner", "@bo: {}",
          "{} owned by @bo", "{} and @bo takes over", "{} @bo @al", "{} @bo and @al please",
          "@bo owns it. {}", "[@bo] {}", "{} — assigned to @bo", "{} @bo will handle this",
          "@bo - {}"]  # fmt: skip


@pytest.mark.parametrize("form", OWNERS)
def test_an_owner_at_an_end_of_a_public_text_is_asked_about(form):
    text = form.format(CARDS)
    question = asked(f"update 42 {text}")
    without, whole, _ = [choice.request for choice in question.choices]

    assert "`/incident assign` names an owner." in question.message
    assert without_end(without.public).removesuffix(" and") == CARDS
    assert whole.public == text


@pytest.mark.parametrize("form", OWNERS)
def test_an_owner_at_an_end_of_a_title_is_asked_about(form):
    text = form.format(CARDS)
    without, whole, _ = meanings(f"declare {text}")

    assert without_end(without.title).removesuffix(" and") == CARDS
    assert whole.title == text


TOGETHER = [
    (
        "severity high, next 30m: {}",
        {"severity": HIGH, "next_update": IN_30},
        "Publish, set it to high, next update in 30 min",
    ),
    (
        "monitoring {}, severity low, next 30m",
        {"to": "monitoring", "severity": LOW, "next_update": IN_30},
        "Publish, move it to monitoring, set it to low, next update in 30 min",
    ),
    ("status monitoring severity low {}", {"to": "monitoring", "severity": LOW}, ""),
    ("{} (monitoring, low)", {"to": "monitoring", "severity": LOW}, ""),
    ("{} [low][monitoring]", {"to": "monitoring", "severity": LOW}, ""),
]


@pytest.mark.parametrize(("form", "facts", "label"), TOGETHER)
def test_several_options_at_the_ends_are_taken_together(form, facts, label):
    choice, *_ = asked(f"update 42 {form.format(CARDS)}", at=NOON).choices

    fields = {"public": PublicText(CARDS), "next_update": NextUpdate()} | facts
    assert choice.request == a_change(**fields)
    assert choice.label == label


def test_the_question_names_the_words():
    question = asked("update 42 Cards are refused, severity high")

    assert question.problem == (
        '"severity high" may not belong to the public text. Nothing was published.'
    )


def test_an_option_without_a_text_is_offered_alone():
    assert meanings("note 42 severity high")[0] == a_change(severity=HIGH)
    assert meanings("update 42 next 30m")[0] == SetPromise(
        actor=an_actor(), ref=42, next_update=IN_30
    )


@pytest.mark.parametrize("word", ["ack", "Resolve", "close", "private", "next"])
def test_a_verb_alone_is_no_public_text_unasked(word):
    assert published(public=PublicText(word)) in meanings(f"update 42 {word}")


def test_a_time_alone_may_be_a_promise():
    assert meanings("update 42 30m")[0] == SetPromise(actor=an_actor(), ref=42, next_update=IN_30)


@pytest.mark.parametrize("end", [", private", " (internal)", ", make it private"])
def test_private_behind_a_note_hides_no_option(end):
    text = f"{CARDS}, severity low{end}"

    assert meanings(f"note 42 {text}") == [
        a_change(severity=LOW, note=Note(CARDS)),
        a_change(note=Note(text)),
    ]
    assert said(f"note 42 {CARDS}{end}") == a_change(note=Note(f"{CARDS}{end}"))


def test_readers_in_a_quoted_title_are_asked_about():
    assert meanings('title 42 "Cards leak (private)"')[:2] == [
        AskPrivate(ref=42),
        a_change(title="Cards leak (private)"),
    ]
    assert said('title 42 "Cards leak severity high"') == a_change(title="Cards leak severity high")


@pytest.mark.parametrize("word", ["1", "sev:1"])
def test_a_severity_of_another_school_by_its_number_is_offered(word):
    text = "severity 42 1" if word == "1" else f"declare Slow {word}"

    assert meanings(text)[0].severity == CRITICAL


def test_lines_of_a_note_stay_as_they_are_beside_an_option():
    taken, _ = meanings("note 42 severity high db-3:\n  lost quorum\n  at 02:50")

    assert taken.note == "db-3:\n  lost quorum\n  at 02:50"


# --- other words in the place of a status or a severity -------------------------------------------


def test_a_severity_in_the_place_of_a_status_is_asked_about():
    assert meanings("status 42 high") == [a_change(severity=HIGH)]
    assert meanings("status 42 severity low all calm") == [
        a_change(severity=LOW, note=Note("all calm"))
    ]


def test_words_behind_a_severity_are_kept():
    assert meanings("severity 42 high all cards fail") == [
        a_change(severity=HIGH, note=Note("all cards fail")),
        a_change(severity=HIGH),
    ]


@pytest.mark.parametrize(
    ("typed", "promised"),
    [
        ("next 30m", IN_30),
        ("next update in 30 min", IN_30),
        ("next update by 15:30", AT_1530),
    ],
)
def test_words_before_the_time_of_a_promise_say_the_same(typed, promised):
    assert said(f"promise 42 {typed}", at=NOON) == SetPromise(
        actor=an_actor(), ref=42, next_update=promised
    )


TOMORROW = NextUpdate(by=datetime(2026, 11, 30, 0, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "typed",
    ["00:30 tomorrow", "tomorrow at 00:30", "at 00:30 tomorrow", "00:30 on monday", "mon 00:30",
     "by 00:30, tomorrow", "next update 0:30 2026-11-30", "12:30 am tomorrow"],
)  # fmt: skip
def test_the_day_of_a_promise_may_stand_behind_its_time(typed):
    assert said(f"promise 42 {typed}", at=NOON) == SetPromise(
        actor=an_actor(), ref=42, next_update=TOMORROW
    )


@pytest.mark.parametrize("typed", ["next monday 10:00", "15:30 UTC", "15:30 day after tomorrow"])
def test_a_day_or_a_zone_that_is_not_read_is_asked_about_and_the_dialog_is_offered(typed):
    assert meanings(f"promise 42 {typed}", at=NOON)[-1] == OpenPromise(ref=42)


@pytest.mark.parametrize("typed", ["api, web severity high", "api, web, severity high",
                                   "api, web (high)", "api, web severity:high"])  # fmt: skip
def test_a_severity_behind_components_is_asked_about(typed):
    taken, whole = meanings(f"components 42 {typed}")

    assert taken == a_change(components=("api", "web"), severity=HIGH)
    assert whole.severity is None
    assert " ".join(map(str, whole.components or ())).startswith("api web")


def test_me_before_other_words_is_offered_as_the_owner():
    assert meanings("assign 42 me please") == [
        a_change(owner=an_actor().person),
        OpenAssign(ref=42),
    ]


def test_a_status_before_the_note_of_next_is_asked_about():
    assert meanings("next 42 monitoring all is calm") == [
        a_change(to="monitoring", note=Note("all is calm")),
        TakeNextStep(actor=an_actor(), ref=42, note=Note("monitoring all is calm")),
    ]


def test_a_status_behind_next_is_asked_about():
    assert meanings("next 42 resolved") == [
        a_change(to="resolved"),
        TakeNextStep(actor=an_actor(), ref=42, note=Note("resolved")),
    ]


BESIDE = ["high", "severity high", "(high)", "(monitoring)", "-> monitoring", "status monitoring",
          "@bo", "owner @bo", "@bo owns it", "next 30m", "next update in 30m"]  # fmt: skip
READERS = ["private", "(private)", "internal only", "make it private", "for responders only"]


@pytest.mark.parametrize(
    "form", ["{text} {0} {1}", "{text} {1} {0}", "{0} {1} {text}", "{1} {0} {text}",
             "{0} {text} {1}", "{1} {text} {0}", "{text}, {0}, {1}", "{text} ({0}, {1})"]
)  # fmt: skip
def test_no_option_at_any_place_hides_who_reads_a_text(form):
    def is_hidden(text):
        first = meanings(f"update 42 {text}", at=NOON)[0]
        if (first.public, CARDS in str(first.note)) != (None, True):
            return True
        try:
            declared = said(f"declare {text}", at=NOON)
        except Question as question:
            declared = question.choices[0].request
        titled = meanings(f"title 42 {text}", at=NOON)[0]
        return titled != AskPrivate(ref=42) or not declared.private

    texts = [
        form.format(readers, beside, text=CARDS)
        .replace(">", "&gt;")
        .replace("((", "(")
        .replace("))", ")")
        .replace("),", ",")
        .replace(", (", ", ")
        for readers, beside in itertools.product(READERS, BESIDE)
    ]
    assert [text for text in texts if is_hidden(text)] == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        (f"{CARDS} (monitoring)", "(monitoring)"),
        (f"{CARDS} -&gt; monitoring", "-> monitoring"),
        (f"-&gt; monitoring {CARDS}", "-> monitoring"),
        (f"{CARDS}, status monitoring", "status monitoring"),
        (f"{CARDS} @bo (monitoring)", "(monitoring) @bo"),
    ],
)
def test_a_declaration_takes_no_status_unasked(text, unknown):
    question = asked(f"declare {text}")

    assert question.problem.startswith(f'"{unknown}" is no option of `declare`.')
    assert question.choices[0].request == a_declaration(CARDS)


@pytest.mark.parametrize("note", ["9", "and 9", "#9", "INC-9", "& inc 9", ", 9"])
@pytest.mark.parametrize("verb", ["resolve", "close", "next", "status 42 open"])
def test_a_note_of_a_step_that_is_an_incident_is_asked_about(verb, note):
    command = verb if " " in verb else f"{verb} 42"
    this, other, whole = meanings(f"{command} {note}")

    assert (this.ref, this.note, other.ref, other.note) == (42, None, 9, None)
    assert (whole.ref, whole.note) == (42, note)


@pytest.mark.parametrize(
    "note", ["no", "Not yet!", "later", "in 30m", "at 15:30", "tomorrow 10:00", "wait", "don't"]
)
@pytest.mark.parametrize("verb", ["resolve", "next", "status 42 resolved"])
def test_a_note_that_says_not_now_takes_no_step_unasked(verb, note):
    command = verb if " " in verb else f"{verb} 42"
    kept, step = meanings(f"{command} {note}", at=NOON)

    assert kept == a_change(note=Note(note))
    assert step.note == note
    assert said(f"note 42 {note}", at=NOON) == kept


def test_a_number_alone_is_no_public_text_unasked():
    assert meanings("update 42 9") == [
        OpenUpdate(ref=42),
        OpenUpdate(ref=9),
        published(public=PublicText("9")),
    ]


@pytest.mark.parametrize(
    ("typed", "to", "note"),
    [
        ("to resolved", "resolved", None),
        ("-&gt; identified db-3", "identified", "db-3"),
        ("→ monitoring", "monitoring", None),
        ("status identified db-3", "identified", "db-3"),
    ],
)
def test_a_status_behind_next_and_a_sign_is_asked_about(typed, to, note):
    assert meanings(f"next 42 {typed}")[0] == a_change(to=to, note=note)


def test_a_text_for_everyone_behind_a_severity_is_offered_as_one():
    assert meanings("severity 42 high public: We look")[0] == OpenUpdate(
        ref=42, severity=HIGH, public=PublicText("We look")
    )


@pytest.mark.parametrize("lead", ["to", "=", ":", "->", "new title:", "Title:", "title is:", "is"])
def test_words_that_lead_to_a_title_are_no_title_unasked(lead):
    without, whole, edited = meanings(f"title 42 {lead.replace('>', '&gt;')} {CARDS}")

    assert (without, whole) == (a_change(title=CARDS), a_change(title=f"{lead} {CARDS}"))
    assert edited == OpenBox(ref=42, box=Box.TITLE, text=f"{lead} {CARDS}")
    assert meanings(f"title 42 {lead} {CARDS}, private")[0] == AskPrivate(ref=42)


@pytest.mark.parametrize("names", ["api, private", "private, api", "api,(private)"])
def test_private_among_components_is_asked_about(names):
    private, without, whole = meanings(f"components 42 {names}")

    assert (private, without) == (AskPrivate(ref=42), a_change(components=("api",)))
    assert len(whole.components or ()) == 2


# --- sentences --------------------------------------------------------------------------------

SENTENCES = """
Severity of the errors is falling
high latency in Frankfurt
High load made cards slow
Critical alerts are delayed.
Low stock is shown wrongly
Load is high
The error rate is low
We are private-network only
Your private data was never at risk.
Your data stays private.
All repositories are private.
Until then, sharing is private
We moved the bucket to private
We care about your privacy.
The page is not public
The buttons of the shop are hidden
No public addresses are left
The keys were secret
Nothing is public
The public API answers again.
We turned public sharing off
The cause is internal.
An internal error was shown to some customers.
Our internal network lost a router.
We restarted 3 of 5 nodes (internal load balancers follow).
Please make your own copies private before you share them
The publish button works, the draft button does not
The next 2 hours may be slow.
Next 2 hours may be slow.
The next step is a restart of the cache.
Next, we restart the cache.
Next we look at the queue.
We promise to look again tomorrow.
We check again in 30 minutes.
You will get the next update in 30 minutes.
We retry for the next 30 minutes
We keep monitoring.
We found the cause and keep monitoring the queues.
A fix is out, and we are monitoring.
A fix is out, monitoring.
The cause was identified.
Everything is resolved
We improved our status monitoring
Status codes 500 are gone.
Errors of severity high are gone.
We treat this with high priority.
This has the highest priority for us.
We raised the severity to high.
It is of high severity.
Priority 1 mails are stuck
P1 tickets wait longer than usual.
Tickets of type P1 wait
This is now P1.
Owners of shops can log in again.
The owner of each shop gets a mail.
Shop owners: please log in again.
The note field of an order is empty.
Payments: cards fail
We look into it since 02:50.
All components work again.
Visibility of orders is back.
It works again :tada:
See https://status.example/incident?severity=high
Fix: we restarted db-3
Some customers see "severity high" in their dashboards.
It works for us
This affects the EU team only
Please do not share links to the old page
Please note: cards that were charged twice are refunded.
The bucket is public: anybody can read it
The cause is internal: a router died.
Your data stays private: nobody saw it.
We moved the bucket from private to public
The notes: field is empty
See https://shop.example/?note=1 for details
@bo is looking at it
@bo restarted db-3
Thanks to @bo for the fix
Thanks @bo
Fixed by @bo
Please contact @bo or @al.
Write to @acmestatus
@here we are back
We publish another update in 30 minutes
We will update in 30 minutes
Update: in 30 minutes we restart the cache
We look for the next update of the driver
Next: a restart of the cache
The update in Frankfurt is done
We owe @bo a beer
The high (and low) pressure pumps work again
It is slow (in Frankfurt, London and Paris)
high load on db
critical alert fires on db
High checkout latency
High 5xx rate on the API
Low disk space on db-3
Disk space low
Latency high
CPU on db-3 is too high
Memory running low
Error rate remains high
Critical systems are unaffected.
Critical functions work again.
Critical path of the checkout is broken
Critical CVE in a library
Load is still high.
Load on db-3: high
The risk for customers was low.
Response times are high
High demand slows the checkout
High availability is restored
High number of failed logins
Low numbers of customers are affected.
Low battery on all scanners
High and low tides are mixed up
Medium and large plans are affected.
Medium instances fail to start
The impact was medium
We consider this critical
It's critical.
The queue is abnormally high
Error rates are lower, but still high
We set it to low
We lowered the limit, and set the default to low
Make high priority tickets visible again
Thanks, team
We told customers, partners and staff
We fixed it internally.
We rotated the client secret
Traffic is internal
The plan is to make it public - later
Customers: about 40 are hit
A fix is out – monitoring.
To pay with cards fails
No errors since noon
Later we look at the queue
9 of 12 nodes are back
""".strip().splitlines()


# A declaration asks about these words wherever they may be options.
TITLES = [one for one in SENTENCES if not re.search("private|internal|P1|since|note[:=]", one)]


def unasked(typed):
    """The request of ``typed``; None if it asks."""
    try:
        return said(typed, at=NOON)
    except Question:
        return None


def test_an_ordinary_sentence_is_a_title_unasked():
    declared = {title: unasked(f"declare {title}") for title in TITLES}

    assert [
        title
        for title, one in declared.items()
        if one is None or (one.title, one.severity) != (title, Severity.MEDIUM)
    ] == []


@pytest.mark.parametrize("verb", ["update", "note", "resolve", "next", "title", "description"])
def test_an_ordinary_sentence_goes_through_unasked(verb):
    def is_taken(sentence):
        request = unasked(f"{verb} 42 {sentence}")
        if request is None or isinstance(request, OpenBox) or request.severity is not None:
            return False
        texts = (getattr(request, one, None) for one in ("public", "note", "title", "description"))
        return [text for text in texts if text] == [sentence]

    assert [sentence for sentence in SENTENCES if not is_taken(sentence)] == []
