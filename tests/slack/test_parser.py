"""The text after `/incident` and the request it makes; the answer to every slip."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.slack.arranged import OpenPage
from bot.slack.boxes import Box, OpenBox
from bot.slack.carrying import ref_of, text_of
from bot.slack.heads import head_of
from bot.slack.markup import plain_text
from bot.slack.requests import (
    NUMBER_MAX,
    AskPrivate,
    AssignTo,
    CatchUp,
    InviteUser,
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenPromise,
    OpenSetup,
    OpenUpdate,
    OpenWithdrawal,
    Question,
    Request,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowStats,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.tried import SENTENCES
from bot.slack.verbs import VERBS, VERBS_BY_WORD, find, markdown_table
from core.boards import BoardFilter, Scope
from core.commands import Acknowledge, Change, Declare, Redact, SetPromise, TakeNextStep
from core.incident import DeclaredText, Note, PublicText, Section, Severity
from core.lifecycle import PRESETS, RESPONSE
from core.promise import NextUpdate
from tests.builders import LINUS, a_change, an_actor
from tests.slack.saying import (
    CATALOGUE,
    ID,
    a_board,
    a_declaration,
    asked,
    meanings,
    published,
    redact,
    said,
)

HIGH = Severity.HIGH
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)

SAID = [
    ("", ShowTray()),
    ("  ", ShowTray()),
    ("list", ShowBoard()),
    ("list mine", a_board(scope=Scope.MINE)),
    ("list mine mine", a_board(scope=Scope.MINE)),
    ("LIST All severity:High", a_board(scope=Scope.ALL, severity=Severity.HIGH)),
    ("list status: monitoring severity: low", a_board(status="monitoring", severity=Severity.LOW)),
    ("list status:resolved", a_board(scope=Scope.ALL, status="resolved")),
    ("list open status:resolved", a_board(status="resolved")),
    ("list status:triage", a_board(status="triage")),
    ("show 42", ShowCard(ref=42)),
    ("42", ShowCard(ref=42)),
    ("inc-42", ShowCard(ref=42)),
    ("INC 42", ShowCard(ref=42)),
    (
        "next 42 rolled back build 311",
        TakeNextStep(actor=an_actor(), ref=42, note=Note("rolled back build 311")),
    ),
    ("update 42 Payments: cards fail", published(public=PublicText("Payments: cards fail"))),
    ("assign 42 <@U0LINUS|linus>.", AssignTo(actor=an_actor(), ref=42, user="U0LINUS")),
    ("components 42 API，Web、Shop", a_change(components=("API", "Web", "Shop"))),
    ("show", ShowCard(ref=None)),
    ("timeline 42", ShowTimeline(ref=42)),
    ("catchup INC-42", CatchUp(ref=42)),
    ("catchup", ShowNews()),
    ("status 42 identified", a_change(to="identified")),
    ("status identified", a_change(ref=None, to="identified")),
    ("Status 42 Identified", a_change(to="identified")),
    (
        "status 42 identified db-3 lost quorum",
        a_change(to="identified", note=Note("db-3 lost quorum")),
    ),
    (
        "status 42 identified db-3\n  lost quorum ",
        a_change(to="identified", note=Note("db-3\n  lost quorum")),
    ),
    ("next 42", TakeNextStep(actor=an_actor(), ref=42)),
    ("next", TakeNextStep(actor=an_actor(), ref=None)),
    ("next 42 done", TakeNextStep(actor=an_actor(), ref=42, note=Note("done"))),
    ("ack 42", Acknowledge(actor=an_actor(), ref=42)),
    ("acknowledge", Acknowledge(actor=an_actor(), ref=None)),
    ("resolve 42 it is over", a_change(to="resolved", note=Note("it is over"))),
    ("close it is over", a_change(ref=None, to="closed", note=Note("it is over"))),
    ("note 42 db-3", a_change(note=Note("db-3"))),
    ("note #db is noisy", a_change(ref=None, note=Note("#db is noisy"))),
    ("note 42: db-3", a_change(note=Note("db-3"))),
    ("update 42 We look.", published(public=PublicText("We look."))),
    (
        "update 42 status:monitoring We look.",
        published(to="monitoring", public=PublicText("We look.")),
    ),
    (
        "update 42 status：monitoring We look.",
        published(to="monitoring", public=PublicText("We look.")),
    ),
    (
        "update status:Monitoring 42 We look.",
        published(to="monitoring", public=PublicText("We look.")),
    ),
    ("assign 42 <@U0LINUS|linus>", AssignTo(actor=an_actor(), ref=42, user="U0LINUS")),
    ("assign <@W0LINUS>", AssignTo(actor=an_actor(), ref=None, user="W0LINUS")),
    ("assign 42 to <@U0LINUS|linus>", AssignTo(actor=an_actor(), ref=42, user="U0LINUS")),
    ("assign 42", a_change(owner=an_actor().person)),
    ("assign 42 to me", a_change(owner=an_actor().person)),
    ("assign me", a_change(ref=None, owner=an_actor().person)),
    ("severity 42 LOW", a_change(severity=Severity.LOW)),
    ("severity low", a_change(ref=None, severity=Severity.LOW)),
    ("title 42 Checkout is slow", a_change(title="Checkout is slow")),
    ("title 42 “Checkout is slow”", a_change(title="Checkout is slow")),
    ("components 42 Checkout API, web", a_change(components=("Checkout API", "web"))),
    ('components 42 "Checkout API",+web,', a_change(components=("Checkout API", "+web"))),
    ("components 42 none", a_change(components=())),
    ("redact 42 3", redact()),
    ("withdraw 42 3", redact()),
    ("withdraw 42 entry 3", redact()),
    ("withdraw 42 the text no. 3", redact()),
    ("withdraw 42 the cause", redact(entry=Section.CAUSE)),
    (f"redact INC-42 {ID}", redact(entry=ID)),
    ("setup", OpenSetup()),
    ("setup <#C0STATUS|status>", SetStatusChannel(channel="C0STATUS")),
    ("setup <#C0STATUS|>", SetStatusChannel(channel="C0STATUS")),
    ("setup C012345678", SetStatusChannel(channel="C012345678")),
    ("help", ShowHelp()),
    ("help new", ShowHelp(verb="declare")),
    ("help All", ShowHelp(whole=True)),
]


@pytest.mark.parametrize(("text", "meant"), SAID, ids=[text for text, _ in SAID])
def test_a_command_becomes_its_request(text, meant):
    assert said(text) == meant


LINK = "https://acme.slack.com/archives/C0PAYMENTS/p1700000000000100"
REFS = [
    ("42", 42),
    ("#42", 42),
    ("INC-42", 42),
    ("inc-042", 42),
    ("INC42", 42),
    ("INC 42", 42),
    ("INC #42", 42),
    ("incident 42", 42),
    ("Incident-42", 42),
    ("incident #42:", 42),
    ("42,", 42),
    ("42.", 42),
    ("42:", 42),
    ("(42)", 42),
    ("[INC-42]", 42),
    ("`42`", 42),
    ("*INC-42*", 42),
    ("“42”", 42),
    ("„42“", 42),
    ("«42»", 42),
    ("\u200b42", 42),
    ("4\u200b2", 42),
    ("\u2067\u0664\u0662\u2069", 42),
    ("４２", 42),
    ("४२", 42),
    ("INC\u201342", 42),
    ("INC\u201142", 42),
    ("INC\u221242", 42),
    ("ＩＮＣ－４２", 42),
    ("4️⃣2️⃣", 42),
    (str(NUMBER_MAX), NUMBER_MAX),
    (str(ID), ID),
    (str(ID).upper(), ID),
    (f"({ID})", ID),
    (LINK, ID),
    (f"<{LINK}>", ID),
]


@pytest.mark.parametrize(("word", "ref"), REFS, ids=[word for word, _ in REFS])
def test_an_incident_is_named_by_number_or_id(word, ref):
    cards = {LINK: ID}

    assert said(f"show {word}", cards=cards) == ShowCard(ref=ref)
    assert said(f"note {word} db-3", cards=cards) == a_change(ref=ref, note=Note("db-3"))


@pytest.mark.parametrize("words", ["for 42 customers", "on the 3rd", "in INK-x", "of INC-"])
def test_a_preposition_before_no_marked_reference_is_text(words):
    assert said(f"note {words} it is over", cards={}).ref is None


@pytest.mark.parametrize("word", ["-1", "1.5", "1e9", "+1", "1-2-3", "x42", "42nd", "#prod"])
def test_a_word_that_names_no_incident_is_text(word):
    assert said(f"note {word} db-3") == a_change(ref=None, note=Note(f"{word} db-3"))


MARKED = ["no 42", "No. 42", "№ 42", "№42", "ticket 42", "ticket-42", "issue #42",
          "INC - 42", "# 42", "42:now", "(42)now", "no 0", "INC_42", "INC/42", "number 42", "42,43",
          "42/43", "42+43", "42-43", "42–INC-43", "42..43", "NIC-42", "lnc-42", "on INC-42",
          "for the incident 42:", "re: #42", "to 42:", "to 42 – so", "to (42)", "ІΝС-42",
          "ІМС-42", "ΙΝС 42", "інсіԁент 42"]  # fmt: skip


@pytest.mark.parametrize("word", MARKED)
@pytest.mark.parametrize("verb", ["next", "resolve", "close", "note"])
def test_a_reference_elsewhere_is_asked_about(verb, word):
    refs = [request.ref for request in meanings(f"{verb} {word} it is over", cards={})]

    assert None in refs
    assert set(refs) <= {None, 42, 43}


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        (
            "status identified 42",
            [
                a_change(to="identified"),
                OpenUpdate(ref=None, to="identified", note=Note("42"), next_update=None),
            ],
        ),
        (
            "resolve over #42",
            [
                a_change(to="resolved", note=Note("over")),
                a_change(ref=None, to="resolved", note=Note("over #42")),
            ],
        ),
        (
            "assign <@U0LINUS> 42",
            [AssignTo(actor=an_actor(), ref=42, user="U0LINUS"), OpenAssign(ref=None)],
        ),
        (
            "note ticket 42 is a duplicate",
            [
                a_change(note=Note("is a duplicate")),
                a_change(ref=None, note=Note("ticket 42 is a duplicate")),
            ],
        ),
        ("redact 3", [OpenWithdrawal(ref=3), redact(ref=None)]),
        ("redact #3", [OpenWithdrawal(ref=3), redact(ref=None)]),
        ("redact INC-3", [OpenWithdrawal(ref=3)]),
        (
            "severity 42-43 high",
            [a_change(severity=Severity.HIGH), a_change(ref=43, severity=Severity.HIGH)],
        ),
        (
            "severity high 42&43",
            [a_change(severity=Severity.HIGH), a_change(ref=43, severity=Severity.HIGH)],
        ),
        ("ack 42,43", [Acknowledge(actor=an_actor(), ref=ref) for ref in (42, 43)]),
        ("show 42/42", [ShowCard(ref=42)]),
        ("42-43", [ShowCard(ref=42), ShowCard(ref=43)]),
        (
            "note 42-43 are the same",
            [
                a_change(note=Note("are the same")),
                a_change(ref=43, note=Note("are the same")),
                a_change(ref=None, note=Note("42-43 are the same")),
            ],
        ),
    ],
)
def test_each_meaning_of_a_reference_elsewhere_is_offered(text, requests):
    assert meanings(text) == requests


@pytest.mark.parametrize(
    "word",
    ["0", "#0", str(NUMBER_MAX + 1), "9" * 5_000, "INC-", "INC-4x", f"{ID}0", str(ID)[:-1]],
)
@pytest.mark.parametrize("verb", ["show", "note", "update", "title", "status"])
def test_a_malformed_number_of_an_incident_is_never_taken_for_text(verb, word):
    question = asked(f"{verb} {word} monitoring")

    assert re.search("is no number of an incident|names no incident", question.problem)
    assert all(ref_of(choice.request)[1] is None for choice in question.choices)


# --- a number behind words that command ------------------------------------------------------

LEADS = ["private", "public", "internal only", "make it private", "(private)", "note", "please",
         "for responders only", "private please", "high", "severity high", "P1", "[high]",
         "monitoring", "to monitoring", "monitring", "status monitoring:", "severity:high",
         "--private", "@bo", "owner @bo", "next 30m", "next update in 30m", "public update",
         "privat", "private -", "high, private", "🔒 private"]  # fmt: skip


@pytest.mark.parametrize("number", ["8", "INC-8", "#8:", "(8)", "INC 8"])
@pytest.mark.parametrize("verb", ["update", "note", "resolve", "next", "title"])
def test_a_number_behind_words_that_command_is_the_incident(verb, number):
    def is_offered(request):
        if request.ref == 8:
            return "8" not in text_of(request)
        return request.ref is None and isinstance(request, OpenUpdate | OpenBox)

    offered = {
        lead: meanings(f"{verb} {lead} {number} We look.", cards={}, at=NOON) for lead in LEADS
    }
    assert [
        lead
        for lead, requests in offered.items()
        if requests[0].ref != 8 or not all(map(is_offered, requests))
    ] == []


@pytest.mark.parametrize("tail", ["private", ", make it private", "(high)", "please",
                                  "severity high", ", internal only", "@bo"])  # fmt: skip
@pytest.mark.parametrize("verb", ["update", "note", "resolve", "next", "title"])
def test_a_number_before_words_that_command_at_the_end_is_the_incident(verb, tail):
    requests = meanings(f"{verb} We look 8 {tail}", cards={}, at=NOON)

    assert requests[0].ref == 8
    assert all(one.ref == 8 or isinstance(one, OpenUpdate | OpenBox) for one in requests)
    assert all("8" not in text_of(one) for one in requests if one.ref == 8)


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        (
            "promise 30m 8 because bo sleeps",
            [
                SetPromise(
                    actor=an_actor(),
                    ref=8,
                    next_update=NextUpdate(within=timedelta(minutes=30)),
                    reason=Note("because bo sleeps"),
                )
            ],
        ),
        ("severity high 8", [a_change(ref=8, severity=HIGH)]),
        (
            "assign <@U0LINUS> 8 please",
            [AssignTo(actor=an_actor(), ref=8, user="U0LINUS"), OpenAssign(ref=None)],
        ),
        ("promise private 8 30m", [OpenPromise(ref=8)]),
        (
            "components private 8 api",
            [a_change(ref=8, components=("private: api",))],
        ),
        (
            "description internal 8 The job",
            [
                a_change(ref=8, description="internal: The job"),
                OpenBox(ref=None, box=Box.DESCRIPTION, text="internal 8 The job"),
            ],
        ),
    ],
)
def test_each_verb_takes_the_number_behind_words_that_command(text, requests):
    assert meanings(text, cards={}) == requests


@pytest.mark.parametrize(
    "text",
    ["We restarted 3 of 5 nodes", "only 3 nodes are left", "for 8 customers",
     "Next 2 hours are slow", "it is 8 o'clock", "high load on 3 nodes", "private key 8 leaked",
     "the status is 5 of 8"],
)  # fmt: skip
def test_a_number_within_a_sentence_is_text(text):
    assert said(f"note {text} again", cards={}) == a_change(ref=None, note=Note(f"{text} again"))


# --- Slack's escaping ------------------------------------------------------------------------

ESCAPED = [
    ("&amp; &lt; &gt;", "& < >"),
    ("&amp;lt;", "&lt;"),
    ("&quot;", "&quot;"),
    ("<@U0MIA|mia>", "@mia"),
    ("<@U0MIA>", "@U0MIA"),
    ("<#C0GENERAL|general>", "#general"),
    ("<#C0GENERAL|>", "#C0GENERAL"),
    ("<!here>", "@here"),
    ("<!here|@here>", "@here"),
    ("<!channel>", "@channel"),
    ("<!everyone|everyone>", "@everyone"),
    ("<!subteam^S0|@oncall>", "@oncall"),
    ("<!subteam^S0>", "@group"),
    ("<!date^1^{time}|09:00 UTC>", "09:00 UTC"),
    ("<https://shop.example/a|the page>", "the page (https://shop.example/a)"),
    ("<https://shop.example/a>", "https://shop.example/a"),
    ("<http://shop.example|shop.example>", "shop.example"),
    ("<https://shop.example/|https://shop.example/>", "https://shop.example/"),
    ("<mailto:mia@shop.example|mia@shop.example>", "mia@shop.example"),
    ("<tel:+441234|+441234>", "+441234"),
    ("a <b> c", "a <b> c"),
    ("1 < 2 > 0", "1 < 2 > 0"),
    ("<", "<"),
]


@pytest.mark.parametrize(("sent", "seen"), ESCAPED)
def test_slacks_escaping_is_undone(sent, seen):
    assert plain_text(sent) == seen
    assert said(f"note 42 {sent}.") == a_change(note=Note(f"{seen}."))


# --- slips -----------------------------------------------------------------------------------

WHOLE_LISTS = (ShowHelp(), ShowBoard())

SLIPS = [
    ("xyzzy", None, 'There is no command "xyzzy".', WHOLE_LISTS),
    ("help status now", "help", '`help` takes one word, and not "now".', [ShowHelp(verb="status")]),
    ("help xyzzy", "help", 'There is no command "xyzzy".', [ShowHelp()]),
    ("help fixed", "help", "Choose the status yourself", [ShowHelp()]),
    ("status", "status", "status is missing.", [TakeNextStep(actor=an_actor(), ref=None)]),
    ("status 42", "status", "status is missing.", [TakeNextStep(actor=an_actor(), ref=42)]),
    (
        "status #prod identified",
        "status",
        '"#prod" names no incident',
        [Change(actor=an_actor(), ref=None, to="identified")],
    ),
    ("note 42", "note", "The text of the note is missing.", [OpenBox(ref=42, box=Box.NOTE)]),
    ("note", "note", "The text of the note is missing.", [OpenBox(ref=None, box=Box.NOTE)]),
    (
        "note INC-4x db-3 is slow",
        "note",
        "names no incident",
        [Change(actor=an_actor(), ref=None, note=Note("db-3 is slow"))],
    ),
    (
        "update 0 We are back.",
        "update",
        "is no number of an incident",
        [OpenUpdate(ref=None, public=PublicText("We are back."))],
    ),
    ("title 42", "title", "The title is missing.", [OpenBox(ref=42, box=Box.TITLE)]),
    *(
        (
            f"components 42{typed}",
            "components",
            "list of components is missing.",
            [OpenBox(ref=42, box=Box.COMPONENTS)],
        )
        for typed in ("", " ,")
    ),
    ("severity 42", "severity", "severity is missing.", [OpenBox(ref=42, box=Box.SEVERITY)]),
    (
        "severity 42 purple",
        "severity",
        "Severities: critical, high, medium, low.",
        [OpenBox(ref=42, box=Box.SEVERITY)],
    ),
    ("show checkout", "show", '"checkout" names no incident', [ShowCard(ref=None)]),
    ("timeline 42 all", "timeline", '`timeline` doesn\'t take "all"', [ShowTimeline(ref=42)]),
    (
        "ack 42 looking",
        "ack",
        '`ack` doesn\'t take "looking"',
        [Acknowledge(actor=an_actor(), ref=42)],
    ),
    ("promise 42 soon", "promise", '"soon" is no time.', [OpenPromise(ref=42)]),
    ("stats soon", "stats", '"soon" is no period', [ShowStats()]),
    ("redact last", "withdraw", "names no incident, and no text", [OpenWithdrawal(ref=None)]),
    ("redact", "withdraw", "The number of the entry is missing.", [OpenWithdrawal(ref=None)]),
    (
        "redact cause",
        "withdraw",
        "The number of the incident is missing.",
        [Redact(actor=an_actor(), ref=None, entry=Section.CAUSE)],
    ),
    *(
        (
            f"redact 42 {typed}",
            "withdraw",
            problem,
            [OpenWithdrawal(ref=42)],
        )
        for typed, problem in (
            ("third", '"third" is not the number of an entry'),
            ("0", '"0" is not the number of an entry'),
            ("3 4", '`withdraw` doesn\'t take "4"'),
        )
    ),
    *(
        (
            f"withdraw {typed}",
            "withdraw",
            "comes right after `withdraw`. Did you mean INC-42?",
            meant,
        )
        for typed, meant in (
            ("entry 3 of 42", [redact()]),
            ("the entry #3 of the incident 42", [redact()]),
            ("note 3, INC-42", [redact()]),
            ("description of INC-42", [redact(entry=DeclaredText.DESCRIPTION)]),
            ("entries 3 and 4 of 42", [OpenWithdrawal(ref=42)]),
            ("the last entry of INC-42", [OpenWithdrawal(ref=42)]),
        )
    ),
    *(
        (f"withdraw {typed}", "withdraw", "comes first, then that of the entry.", [redact()])
        for typed in ("3 of 42", "3 from INC-42", "#3 in the incident 42")
    ),
    *(
        (
            f"withdraw {typed}",
            "withdraw",
            "The number of the incident is missing.",
            [redact(ref=None)],
        )
        for typed in ("entry 3", "the note #3", "entry no. 3 of it")
    ),
    ("setup #status", "setup", '"#status" is no channel that Slack knows', [OpenSetup()]),
    ("setup pge", "setup", '"pge" is no channel', [OpenPage(), OpenSetup()]),
    (
        "list mine all",
        "list",
        "A list has one scope: mine or all?",
        [a_board(scope=Scope.MINE), a_board(scope=Scope.ALL)],
    ),
    ("list severity:", "list", "The value of `severity:` is missing.", [ShowBoard()]),
    ("list status:a.b", "list", 'There is no status "a.b".', [ShowBoard()]),
    (
        "list resolved",
        "list",
        "Did you mean `/incident list status:resolved`?",
        [ShowBoard(narrowed=BoardFilter(scope=Scope.ALL, status="resolved"))],
    ),
    (
        "list mine P1",
        "list",
        'I can\'t list "P1". Did you mean `/incident list mine severity:critical`?',
        [ShowBoard(narrowed=BoardFilter(scope=Scope.MINE, severity=Severity.CRITICAL))],
    ),
    ("list my", "list", "list mine`?", [ShowBoard(narrowed=BoardFilter(scope=Scope.MINE))]),
    ("list opne", "list", "list open`?", [ShowBoard()]),
    (
        "list all sev:high state:resolved",
        "list",
        "Did you mean `/incident list all severity:high status:resolved`?",
        [
            ShowBoard(
                narrowed=BoardFilter(scope=Scope.ALL, severity=Severity.HIGH, status="resolved")
            )
        ],
    ),
    (
        "list mine critical identified",
        "list",
        "Did you mean `/incident list mine severity:critical status:identified`?",
        [a_board(scope=Scope.MINE, severity=Severity.CRITICAL, status="identified")],
    ),
    (
        "list mine severity:foo P1 status:",
        "list",
        (
            'There is no severity "foo". Severities: critical, high, medium, low. '
            'The value of `status:` is missing. I can\'t list "P1". '
            "Did you mean `/incident list mine severity:critical`?"
        ),
        [a_board(scope=Scope.MINE, severity=Severity.CRITICAL)],
    ),
    ("list mine foo:bar", "list", 'There is no option "foo".', [a_board(scope=Scope.MINE)]),
    ("list checkout mine", "list", "Try open, all or mine.", [a_board(scope=Scope.MINE)]),
    (
        "list mine severity:high,critical",
        "list",
        "A list has one severity: high or critical?",
        [
            a_board(scope=Scope.MINE, severity=Severity.HIGH),
            a_board(scope=Scope.MINE, severity=Severity.CRITICAL),
        ],
    ),
    (
        "list identified and monitoring",
        "list",
        "A list has one status: identified or monitoring?",
        [a_board(status="identified"), a_board(status="monitoring")],
    ),
    (
        "list open and resolved",
        "list",
        'I can\'t list "and resolved".',
        [a_board(scope=Scope.ALL), a_board(scope=Scope.ALL, status="resolved"), a_board()],
    ),
    (
        "list critical mine and resolved",
        "list",
        'I can\'t list "critical and resolved".',
        [
            a_board(scope=Scope.ALL, severity=Severity.CRITICAL, status="resolved"),
            a_board(scope=Scope.MINE, severity=Severity.CRITICAL),
        ],
    ),
    (
        "list open status:closed",
        "list",
        "No open incident is closed.",
        [a_board(scope=Scope.ALL), a_board(scope=Scope.ALL, status="closed"), a_board()],
    ),
    ("list page 2", "list", "A list has pages of ten", [ShowBoard()]),
    ("list checkout", "list", "Try open, all or mine.", [ShowBoard()]),
]


@pytest.mark.parametrize(("text", "verb", "problem", "offered"), SLIPS, ids=[s[0] for s in SLIPS])
def test_a_slip_is_answered_with_the_usage_line_and_what_can_be_done(text, verb, problem, offered):
    question = asked(text)

    assert problem in question.problem
    assert question.usage == (find(verb).usage if verb else None)
    assert [choice.request for choice in question.choices] == list(offered)


REFUSED = [
    ("Slow severity:", {}, "The value of `severity:` is missing."),
    ("Slow severity:low severity:high", {}, "`severity` is named twice."),
    ("Slow severity:low severity:low", {"severity": Severity.LOW}, "`severity` is named twice."),
    ("Slow private private", {"private": True}, "`private` is named twice."),
    ("Slow private:no", {"private": True}, "Write only `private`"),
    ("Slow private public:yes", {"private": True}, "`private` and `public` are both named."),
    ("Slow components:api, web", {"title": "Slow web", "components": ("api",)}, "need quotes"),
    ("Slow components:Checkout API, Web",
     {"title": "Slow API, Web", "components": ("Checkout",)}, "need quotes"),
    ("Slow since:25m since:30m", {"since": "25m 30m"}, "`since` is named twice."),
    ("Slow lifecycle:response severity:", {"lifecycle": "response"}, "is missing."),
    ("Slow severity:high severity:high note: x",
     {"title": "Slow note: x", "severity": HIGH, "private": True}, "named twice."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "filled", "problem"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_refused_declaration_offers_the_dialog_filled_with_the_rest(text, filled, problem):
    question = asked(f"declare {text}")

    assert problem in question.message
    assert "Nothing was declared." in question.message
    assert question.usage == find("declare").usage
    assert [(one.request, one.label) for one in question.choices] == [
        (OpenDeclare(**{"title": "Slow"} | filled), "Edit first…")
    ]


def test_a_dialog_of_a_refused_declaration_names_the_start_by_its_time():
    [edited] = meanings("declare Slow since: 25 min ago severity:")

    assert (edited.title, "min" in edited.since, edited.since != "") == ("Slow", False, True)


@pytest.mark.parametrize("known", ["lifecycle", "severity"])
def test_an_unknown_value_offers_a_declaration_for_each_that_is_known(known):
    question = asked(f"declare Slow {known}: banana")
    *declared, edited = question.choices
    names = [one.name for one in CATALOGUE] if known == "lifecycle" else list(Severity)

    assert f'There is no {known} "banana". Nothing was declared.' in question.message
    assert [one.label for one in declared] == [f"Declare it ({name})" for name in names]
    assert [one.request.title for one in declared] == ["Slow"] * len(names)
    assert [getattr(getattr(one.request, known), "name", "").lower() for one in declared] == names
    assert edited.request == OpenDeclare(title="Slow")


def test_an_unknown_value_beside_a_doubt_offers_the_dialog_alone():
    assert meanings("declare Foo note: x severity:banana") == [
        OpenDeclare(title="Foo note: x", private=True)
    ]
    assert meanings("declare Foo severity:!!!") == [OpenDeclare(title="Foo")]


# A slip whose answer offers the command without it.
MENDED = [
    ("staus 42 identified", a_change(to="identified"), 'There is no command "staus".'),
    ("help staus", ShowHelp(verb="status"), "Did you mean status?"),
    ("hlep", ShowHelp(), "Did you mean help?"),
    ("severity 42 hihg", a_change(severity=HIGH), 'no severity "hihg". Did you mean high?'),
    ("severity 42 P1", a_change(severity=Severity.CRITICAL), "Did you mean critical?"),
    ("severity 42 sev1", a_change(severity=Severity.CRITICAL), "Did you mean critical?"),
    ("severity 42 major", a_change(severity=HIGH), "Did you mean high?"),
    ("assign 42 mia", OpenAssign(ref=42), '"mia" is nobody that Slack knows'),
    (
        "assign 42 <@U0MIA|mia> please",
        AssignTo(actor=an_actor(), ref=42, user="U0MIA"),
        "`assign` takes a number and one person, and no other words.",
    ),
    ("assign 42 <@U0MIA> <@U0BO>", OpenAssign(ref=42), "is nobody that Slack knows"),
    ("assign 42 to", OpenAssign(ref=42), '"to" is nobody that Slack knows'),
    (
        "invite 42 with <@U0MIA>",
        InviteUser(actor=an_actor(), ref=42, user="U0MIA", invited=True),
        "`invite` takes a number and one person, and no other words.",
    ),
    ("invite 42 mia", OpenInvite(ref=42, invited=True), '"mia" is nobody that Slack knows'),
    ("invite 42 @mia please", OpenInvite(ref=42, invited=True), "is nobody that Slack knows"),
    ("uninvite 42 mia", OpenInvite(ref=42, invited=False), '"mia" is nobody that Slack knows'),
    ("invite 42", OpenInvite(ref=42, invited=True), "The person is missing"),
    ("list opne", ShowBoard(), "I can't list \"opne\"."),
    ("list sverity:high", a_board(severity=HIGH), 'There is no option "sverity".'),
    ("list status:identifed", a_board(status="identified"), 'There is no status "identifed".'),
    ("declare Slow severity:hihg", a_declaration("Slow", severity=HIGH), "Did you mean high?"),
    ("declare Slow severity:sev1", a_declaration("Slow", severity=Severity.CRITICAL), "critical?"),
    ("declare Slow lifecycle:respons", a_declaration("Slow", lifecycle=RESPONSE), "response?"),
    ("declare Slow sverity:high", a_declaration("Slow", severity=HIGH), 'no option "sverity:".'),
    ("declare Slow sverity: high", a_declaration("Slow", severity=HIGH), 'no option "sverity:".'),
    ("declare Slow sev:high", a_declaration("Slow", severity=HIGH), 'There is no option "sev:".'),
    ("declare Slow sev:hihg", a_declaration("Slow", severity=HIGH), 'There is no option "sev:".'),
    ("declare Slow component:api", a_declaration("Slow", components=("api",)), '"component:".'),
    ("udpate 42 We look.", OpenUpdate(ref=42, public=PublicText("We look.")), "mean update?"),
    (
        "decalre Slow",
        OpenDeclare(title="Slow", severity=Severity.MEDIUM, lifecycle="statuspage"),
        "Did you mean declare?",
    ),
    ("reslove 42 over", ShowCard(ref=42), "Did you mean resolve?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "request_", "problem"), MENDED, ids=[row[0] for row in MENDED])
def test_a_slip_is_answered_with_a_button_that_does_what_was_meant(text, request_, problem):
    question = asked(text)

    edits = [one.request for one in question.choices if one.label == "Edit first…"]
    assert [one.request for one in question.choices if one.request not in edits] == [request_]
    assert len(edits) == isinstance(request_, Declare)
    assert problem in question.message


EDITED = [
    ("Slow lifecycle:respons severity:high", {"lifecycle": "response", "severity": Severity.HIGH}),
    (
        "Slow severity:hgih components:api,web",
        {"severity": Severity.HIGH, "components": ("api", "web")},
    ),
    (
        "Slow severity:P1 since:25m private",
        {"severity": Severity.CRITICAL, "private": True, "since": "1969-12-31 23:35"},
    ),
    ("Slow lifecylce:response", {"lifecycle": "response"}),
    ("Slow severity:hgih lifecycle:respons", {"severity": Severity.HIGH, "lifecycle": "response"}),
]


@pytest.mark.parametrize(("text", "filled"), EDITED, ids=[row[0] for row in EDITED])
def test_the_dialog_after_a_slip_holds_all_that_was_typed(text, filled):
    (edited,) = [one for one in asked(f"declare {text}").choices if one.label == "Edit first…"]

    assert edited.request == OpenDeclare(**{"title": "Slow"} | filled)


@pytest.mark.parametrize(
    "text",
    [
        "status 42 → identified db-3",
        "status 42 -&gt; identified db-3",
        "status 42 to identified db-3",
        "status → identified 42 db-3",
    ],
)
def test_a_status_behind_an_arrow_is_asked_about(text):
    note = Note("42 db-3")
    beside = OpenUpdate(ref=None, to="identified", note=note, next_update=None)

    assert meanings(text) == [
        a_change(to="identified", note=Note("db-3")),
        *([] if text.startswith("status 42") else [beside]),
    ]


@pytest.mark.parametrize(
    ("text", "ref", "to"),
    [
        ("update 42", 42, None),
        ("update", None, None),
        ("update 42 status:monitoring", 42, "monitoring"),
        ("update 42 status:montoring", 42, "monitoring"),
        ("update status:monitoring", None, "monitoring"),
        ("update 42 status:later", 42, "later"),
    ],
)
def test_an_update_without_a_text_offers_the_dialog_and_the_step(text, ref, to):
    question = asked(text)
    step = [a_change(ref=ref, to=to)] if to else []

    assert "The public text is missing. Nothing was published." in question.message
    assert [one.request for one in question.choices] == [OpenUpdate(ref=ref, to=to), *step]


@pytest.mark.parametrize("text", ["/incident show 42", "/incident /Incident show 42",
                                  "`/incident show 42`", "/incident/incident show 42",
                                  "/Incident/incident /incident show 42"])  # fmt: skip
def test_a_command_that_was_copied_brings_its_first_word_along(text):
    assert said(text) == ShowCard(ref=42)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("note42 db-3 lost quorum", a_change(note=Note("db-3 lost quorum"))),
        ("note#42 db-3 lost quorum", a_change(note=Note("db-3 lost quorum"))),
        ("update42 We look.", OpenUpdate(ref=42, public=PublicText("We look."))),
        ("ack42", Acknowledge(actor=an_actor(), ref=42)),
        ("show42", ShowCard(ref=42)),
    ],
)
def test_a_number_behind_a_verb_without_a_blank_is_asked_about(text, request_):
    assert meanings(text) == [request_]


def test_only_the_first_word_of_a_copied_command_is_the_tray():
    assert said("/incident") == ShowTray()


VERBLESS = [
    (
        "42 → identified looks good",
        [a_change(to="identified", note=Note("looks good")), ShowCard(ref=42)],
    ),
    ("42 identified", [a_change(to="identified"), ShowCard(ref=42)]),
    ("identified 42", [a_change(to="identified")]),
    ("monitoring 42 looks good", [a_change(to="monitoring", note=Note("looks good"))]),
    ("identified", [a_change(ref=None, to="identified")]),
    ("INC-42 db-3 is slow", [a_change(note=Note("db-3 is slow")), ShowCard(ref=42)]),
    ("42 note db-3", [a_change(note=Note("db-3")), ShowCard(ref=42)]),
    ("42 update We look.", [OpenUpdate(ref=42, public=PublicText("We look.")), ShowCard(ref=42)]),
    ("42 severity high", [a_change(severity=HIGH), ShowCard(ref=42)]),
    ("42 ack", [Acknowledge(actor=an_actor(), ref=42), ShowCard(ref=42)]),
    ("42 ack looks good", [a_change(note=Note("ack looks good")), ShowCard(ref=42)]),
    ("42 resolve", [a_change(to="resolved"), ShowCard(ref=42)]),
    ("42 Identified!", [a_change(to="identified"), ShowCard(ref=42)]),
    ("42 to identified", [a_change(to="identified"), ShowCard(ref=42)]),
    ("42 identifed", [a_change(to="identified"), ShowCard(ref=42)]),
    ("42 fixed it", [a_change(note=Note("fixed it")), ShowCard(ref=42)]),
    ("fixed 42 rolled back", [a_change(note=Note("rolled back")), ShowCard(ref=42)]),
]


@pytest.mark.parametrize(("text", "requests"), VERBLESS, ids=[row[0] for row in VERBLESS])
def test_a_command_without_a_verb_is_asked_about(text, requests):
    assert meanings(text) == requests


@pytest.mark.parametrize("word", sorted(SENTENCES))
def test_a_word_that_people_try_gets_a_true_sentence_and_no_way_to_publish_or_end(word):
    question = asked(f"{word} 42 this and that")

    assert SENTENCES[word] in question.message
    for choice in question.choices:
        assert choice.request in (a_change(note=Note("this and that")), ShowCard(ref=42))


def test_no_word_that_people_try_is_a_verb():
    assert not {*SENTENCES} & {*VERBS_BY_WORD}


@pytest.mark.parametrize("word", ["private", "reopen", "remove", "delete", "edit", "stop",
                                  "duplicate", "mitigate", "revert", "snooze", "vote", "lose",
                                  "dose", "nodes", "date", "solve"])  # fmt: skip
def test_likeness_leads_to_no_verb_that_publishes_or_ends(word):
    with pytest.raises((Question, UsageError)) as error:
        said(f"{word} 42 a text")

    for choice in getattr(error.value, "choices", ()):
        change = choice.request
        assert getattr(change, "public", None) is None
        assert getattr(change, "title", None) is None
        assert getattr(change, "to", None) is None


# --- the beginning of a public text ------------------------------------------------------------

WE = "We found it."
HEADS = [
    ("42 identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 to identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 identifed We found it.", published(to="identified", public=PublicText(WE))),
    ("42 Identified: We found it.", published(to="identified", public=PublicText(WE))),
    ("42 *identified* We found it.", published(to="identified", public=PublicText(WE))),
    ("42 stauts:monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 status=monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 status : monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 status: montoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 --status monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 —status=monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 status monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 sev:high We found it.", published(severity=HIGH, public=PublicText(WE))),
    ("42 severity=high We found it.", published(severity=HIGH, public=PublicText(WE))),
    ("42 note: We found it.", a_change(note=Note(WE))),
    ("42 note We found it.", a_change(note=Note(WE))),
    ("42 private We found it.", a_change(note=Note(WE))),
    ("42 (private) We found it.", a_change(note=Note(WE))),
    ("42 [internal]: We found it.", a_change(note=Note(WE))),
    ("42 Internal - We found it.", a_change(note=Note(WE))),
    ("42 intenal: We found it.", a_change(note=Note(WE))),
    ("42 --private We found it.", a_change(note=Note(WE))),
    ("42 🔒 private: We found it.", a_change(note=Note(WE))),
    ("42 :lock: note We found it.", a_change(note=Note(WE))),
    ("42 @here internal: We found it.", a_change(note=Note(WE))),
    ("42 → identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 status → identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 status -> identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 status=>identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 to → identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 identified → monitoring We found it.", published(to="monitoring", public=PublicText(WE))),
    ("42 -> identified We found it.", published(to="identified", public=PublicText(WE))),
    ("42 visibility:internal We found it.", a_change(note=Note(WE))),
    ("42 visibility=public We found it.", published(public=PublicText(WE))),
    ("42 visibility:foo We found it.", None),
    ("42 public: We found it.", published(public=PublicText(WE))),
    ("42 (public) We found it.", published(public=PublicText(WE))),
    ("42 --public We found it.", published(public=PublicText(WE))),
    ("42 pubilc: We found it.", published(public=PublicText(WE))),
    ("42 foo:bar We found it.", None),
    ("42 --dry-run We found it.", None),
    ("42 key=value We found it.", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), HEADS, ids=[row[0] for row in HEADS])
def test_the_first_words_of_a_public_text_are_asked_about(text, meant):
    question = asked(f"update {text}")
    requests = [choice.request for choice in question.choices]
    whole = text.removeprefix("42 ")

    assert requests[:-2] == ([meant] if meant else [])
    assert requests[-2:] == [
        published(public=PublicText(whole)),
        OpenUpdate(ref=42, public=PublicText(whole)),
    ]
    assert "Nothing was published." in question.message


@pytest.mark.parametrize(
    "text",
    [
        "Payments: cards fail",
        "We identified the cause.",
        "https://shop.example/status:x is down",
        "10:30 we begin",
        "Update: we look.",
        "Not yet.",
        "Privately owned shops are down",
        "Public transport is down",
        "🎉 It works again.",
        "api->db is slow",
        "🔒",
    ],
)
def test_other_first_words_are_text(text):
    assert said(f"update 42 {text}") == published(public=PublicText(text))


@pytest.mark.parametrize("text", ["private: the shop", "foo:bar Slow", "--internal Slow"])
def test_the_first_words_of_a_title_are_asked_about(text):
    private = [] if text.startswith("foo") else [AskPrivate(ref=42)]

    assert meanings(f"title 42 {text}") == [
        *private,
        a_change(title=text),
        a_change(note=Note(text)),
        OpenBox(ref=42, box=Box.TITLE, text=text),
    ]


def test_a_slip_never_repeats_more_than_a_word():
    question = asked(f"{'x' * 3_000} 42 db-3 lost quorum")

    assert len(question.problem) < 200
    assert "quorum" not in question.problem


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_example_of_a_verb_is_taken_by_the_parser(verb):
    assert verb.example.split()[0] == verb.name
    assert said(verb.example)


def test_no_word_means_two_verbs():
    words = [word for verb in VERBS for word in (verb.name, *verb.aliases)]

    assert len(set(words)) == len(words)


def test_the_table_for_the_readme_has_a_row_for_each_verb():
    rows = markdown_table().splitlines()

    assert len(rows) == 3 + len(VERBS)
    assert "| `/incident show <n>` | shows the card, only to you |" in rows
    assert all(row.replace(r"\|", "").count("|") == 3 for row in rows)


# --- any text --------------------------------------------------------------------------------

words = st.sampled_from(
    [
        *(word for verb in VERBS for word in (verb.name, *verb.aliases)),
        *("42", "#42", "INC-42", str(ID), "0", "9" * 30, "identified", "monitoring", "high", "all"),
        *(
            "severity:",
            "severity:high",
            "status:",
            "status:monitoring",
            "components:a,b",
            "private",
        ),
        *("<@U0LINUS|linus>", "<#C0STATUS|status>", "<https://x|y>", "<!here>", "&lt;", "&amp;"),
        *('"', "“a b”", "text", "Error:", "a,", ",", "none", "me", "\n", "\t", "\u2003", "x" * 99),
    ]
)
typed = st.text() | st.lists(words | st.text(max_size=5), max_size=8).map(" ".join)


@given(text=typed)
@example("declare private")
@example("declare severity: private")
def test_any_text_becomes_a_request_or_a_usage_error(text):
    with suppress(UsageError, Question):
        said(text)


@given(text=typed, verb=st.sampled_from([verb.name for verb in VERBS]))
def test_only_update_makes_a_text_public(text, verb):
    try:
        request = said(f"{verb} {text}")
    except (UsageError, Question):
        return

    assert getattr(request, "public", None) is None or verb == "update"
    assert getattr(request, "note", None) is None or verb != "update"


def typed_by_a_person(text: str) -> str:
    """``text`` as Slack sends it on."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


STATUSES = [status.name for one in PRESETS for status in one.statuses]
refs = st.integers(1, NUMBER_MAX) | st.just(ID)
bodies = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)
statuses = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
AN_ACTOR = an_actor()


def said_or_asked(text: str) -> Request | None:
    """The request that ``text`` makes; None if it is asked about, as "Stats" alone is."""
    try:
        return said(text)
    except Question:
        return None


@given(ref=refs, status=statuses, note=st.none() | bodies, public=bodies)
def test_a_formatted_command_is_parsed_back(ref, status, note, public):
    for text in (note or "", public):
        assume(head_of(text, statuses=STATUSES, note=True) is None)
    own = typed_by_a_person(note or "")
    said_in_public = typed_by_a_person(public)
    moved = a_change(ref=ref, to=status, note=note)
    published_so = published(ref=ref, to=status, public=public)

    assert said_or_asked(f"status {ref} {status} {own}") in (moved, None)
    assert said_or_asked(f"next {ref} {own}") in (
        TakeNextStep(actor=AN_ACTOR, ref=ref, note=note),
        None,
    )
    assert said_or_asked(f"note {ref} {said_in_public}") in (a_change(ref=ref, note=public), None)
    assert said_or_asked(f"update {ref} status:{status} {said_in_public}") in (published_so, None)


@given(
    title=st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"])), min_size=1),
    severity=st.sampled_from(Severity),
    private=st.booleans(),
    components=st.lists(st.from_regex("[a-z]{1,9}", fullmatch=True), max_size=3, unique=True),
)
def test_a_quoted_title_is_kept_word_for_word(title, severity, private, components):
    asked = " ".join(" ".join(title).split())
    assume(asked)
    options = [f"severity:{severity}", *(["private"] if private else [])]
    options += [f"components:{','.join(components)}"] if components else []

    assert said(f'declare "{asked}" {" ".join(options)}') == a_declaration(
        asked, severity=severity, private=private, components=tuple(components)
    )


def test_a_hand_over_becomes_a_change_once_the_person_is_known():
    asked = said("assign 42 <@U0LINUS|linus>")

    assert isinstance(asked, AssignTo)
    assert asked.to(LINUS) == a_change(owner=LINUS)
