"""The words after ``declare``: options, readers and the title, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.requests import AskPrivate, OpenDeclare
from core.commands import Declare
from core.incident import Note, Place, Severity
from core.lifecycle import RESPONSE
from tests.builders import INCIDENTS_CHANNEL, a_change
from tests.slack.saying import a_declaration, asked, meanings, said

HIGH, LOW = Severity.HIGH, Severity.LOW
TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)

DECLARED = [
    ("Checkout is down severity=high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down --severity high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down --severity=high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down —severity high", "Checkout is down", {"severity": HIGH}),
    ("--severity high Checkout is down", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity :high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity : high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity = high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity：high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity＝high", "Checkout is down", {"severity": HIGH}),
    ("'Checkout is down'", "Checkout is down", {}),
    ("‘Checkout is down’", "Checkout is down", {}),
    ("「Checkout is down」", "Checkout is down", {}),
    ("„Checkout is down“", "Checkout is down", {}),
    ("`Checkout is down`", "Checkout is down", {}),
    ("'Customers can't pay'", "Customers can't pay", {}),
    ("Slow components:API，Web", "Slow", {"components": ("API", "Web")}),
    ("Customer data leak private!", "Customer data leak", {"private": True}),
    ("Customer data leak private.", "Customer data leak", {"private": True}),
    ("Customer data leak (private)", "Customer data leak", {"private": True}),
    ("Customer data leak `private`", "Customer data leak", {"private": True}),
    ("Customer data leak *PRIVATE*", "Customer data leak", {"private": True}),
    ("Customer data leak, private", "Customer data leak", {"private": True}),
    ("Customer data leak — private", "Customer data leak", {"private": True}),
    ("Customer data leak private: yes", "Customer data leak", {"private": True}),
    ("Customer data leak ｐｒｉｖａｔｅ", "Customer data leak", {"private": True}),
    ("(private) Customer data leak", "Customer data leak", {"private": True}),
    ("private: Customer data leak", "Customer data leak", {"private": True}),
    ("[private] Customer data leak", "Customer data leak", {"private": True}),
    ("--private Customer data leak", "Customer data leak", {"private": True}),
    ("—private Customer data leak", "Customer data leak", {"private": True}),
    ("Customer data leak --private", "Customer data leak", {"private": True}),
    ("Customer --private data leak", "Customer data leak", {"private": True}),
    ("Customer data leak private:yes", "Customer data leak", {"private": True}),
    ("Checkout is down --public", "Checkout is down", {}),
    ("The API is public", "The API is public", {}),
    ("Checkout is down", "Checkout is down", {}),
    ("Checkout\n is   down", "Checkout is down", {}),
    ("Checkout is down severity:high", "Checkout is down", {"severity": HIGH}),
    ("Checkout is down severity: high", "Checkout is down", {"severity": HIGH}),
    ("severity:high Checkout is down", "Checkout is down", {"severity": HIGH}),
    ("severity: High Checkout is down", "Checkout is down", {"severity": HIGH}),
    ("Checkout severity:high is down", "Checkout is down", {"severity": HIGH}),
    ("Alert severity: high CPU on db-3", "Alert severity: high CPU on db-3", {}),
    ("severity: unknown to us", "severity: unknown to us", {}),
    ("Error: disk full", "Error: disk full", {}),
    ("Error:disk full", "Error:disk full", {}),
    ("Disk full. Error:", "Disk full. Error:", {}),
    ("https://shop.example/severity:x is down", "https://shop.example/severity:x is down", {}),
    ('"Checkout is down"', "Checkout is down", {}),
    ("“Checkout is down” severity:low", "Checkout is down", {"severity": LOW}),
    ("«Checkout is down» private", "Checkout is down", {"private": True}),
    ('"What severity:high means" severity:low', "What severity:high means", {"severity": LOW}),
    ('"The private key leaked"', "The private key leaked", {}),
    ('"Data leak private" private', "Data leak private", {"private": True}),
    ('"Internal search is slow"', "Internal search is slow", {}),
    ('"--dry-run is broken"', "--dry-run is broken", {}),
    ("Payments: cards fail", "Payments: cards fail", {}),
    ("http://shop.example/a=b is down", "http://shop.example/a=b is down", {}),
    ("10:30 deploy failed", "10:30 deploy failed", {}),
    ("Checkout is down --foo", "Checkout is down --foo", {}),
    ("- Checkout is down", "- Checkout is down", {}),
    ('"Checkout" is down', '"Checkout" is down', {}),
    ("Checkout's down", "Checkout's down", {}),
    ('Unbalanced "quote', 'Unbalanced "quote', {}),
    ("Data leak private", "Data leak", {"private": True}),
    ("Data leak Private severity:low", "Data leak", {"private": True, "severity": LOW}),
    ("Data leak severity:low private", "Data leak", {"private": True, "severity": LOW}),
    ("Slow lifecycle:response", "Slow", {"lifecycle": RESPONSE}),
    ("Slow components:api,web", "Slow", {"components": ("api", "web")}),
    ("Slow components: api", "Slow", {"components": ("api",)}),
    ('Slow components:"Checkout API, web"', "Slow", {"components": ("Checkout API", "web")}),
    ('Slow components: "Checkout API"', "Slow", {"components": ("Checkout API",)}),
    ("<@U0MIA|mia> sees &lt;5 &amp; more", "@mia sees <5 & more", {}),
    ("*Leak private*", "Leak", {"private": True}),
    ("(Leak private)", "Leak", {"private": True}),
    ("_Data leak private!_", "Data leak", {"private": True}),
    ("Data (leak private)", "Data leak", {"private": True}),
    ("**Leak private**", "Leak", {"private": True}),
    ("*Leak* (private)", "*Leak*", {"private": True}),
    ("(private: Data leak)", "Data leak", {"private": True}),
    ("*private* Data *leak*", "Data *leak*", {"private": True}),
    ("(Data leak severity:high)", "Data leak", {"severity": HIGH}),
    ("( Data leak private)", "Data leak", {"private": True}),
]


@pytest.mark.parametrize(("text", "title", "facts"), DECLARED, ids=[row[0] for row in DECLARED])
def test_options_are_found_and_the_title_stays_whole(text, title, facts):
    assert said(f"declare {text}") == a_declaration(title, **facts)


def test_new_is_another_word_for_declare():
    assert said("new Checkout is down") == a_declaration("Checkout is down")


def test_a_declaration_remembers_that_its_channel_is_private():
    here = Place(INCIDENTS_CHANNEL, private=True)

    assert said("declare Checkout is down", place=here) == a_declaration(
        "Checkout is down", place=here
    )


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("declare", OpenDeclare(lifecycle="statuspage")),
        ('declare ""', OpenDeclare(lifecycle="statuspage")),
        (
            "declare severity:high components:api private",
            OpenDeclare(severity=HIGH, lifecycle="statuspage", components=("api",), private=True),
        ),
    ],
)
def test_without_a_title_the_dialog_opens_with_what_was_given(text, draft):
    assert said(text) == draft


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("private Data leak", [("Data leak", True), ("private Data leak", False)]),
        ("private key leaked", [("key leaked", True), ("private key leaked", False)]),
        ("One in private severity:low", [("One", True), ("One in private", False)]),
        ("Data is private", [("Data", True), ("Data is private", False)]),
        ("Keys are not private", [("Keys are not private", True), ("Keys are not private", False)]),
        ("Data leak privat", [("Data leak", True), ("Data leak privat", False)]),
    ],
)  # fmt: skip
def test_a_word_that_may_be_the_audience_or_the_title_is_asked_about(text, choices):
    declared = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert [(one.title, one.private) for one in declared] == choices


@pytest.mark.parametrize(
    ("text", "without", "whole"),
    [
        ("Data leak private please", "Data leak", "Data leak private please"),
        ("Leak (private, please)", "Leak", "Leak (private, please)"),
        ("Data leak private 🔒", "Data leak 🔒", "Data leak private 🔒"),
        ("Data leak private :lock:", "Data leak :lock:", "Data leak private :lock:"),
        ("Data leak visibility=private", "Data leak", "Data leak visibility=private"),
        ("Data leak private,sev", "Data leak", "Data leak private,sev"),
        ("severity:high private Data leak", "Data leak", "private Data leak"),
        ("private Data severity:high leak", "Data leak", "private Data leak"),
        ("*Data leak [internal]*", "Data leak", "*Data leak [internal]*"),
        ("internal: Data leak", "Data leak", "internal: Data leak"),
        ("Data leak [internal]", "Data leak", "Data leak [internal]"),
        ("Data leak components:api,private", "Data leak", "Data leak"),
    ],
)
def test_a_word_beside_the_ends_that_may_be_the_audience_is_asked_about(text, without, whole):
    declared = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert [(one.title, one.private) for one in declared] == [(without, True), (whole, False)]


WORDS_ABOUT_READERS = (
    "visibility private", "visibility: private", "--visibility private", "visibility=private",
    "make it private", "make this incident private", "keep it private, please", "keep private",
    "please make that private", "and keep it private", "it is private", "it's private",
    "this should be private", "this must stay private", "as private", "in private",
    "private please", "private incident", "privat", "private for now", "visibility internal",
    "keep it internal", "not public", "non-public", "internal only", "(responders only)",
    "for internal use only", "confidential", "[secret]", "do not publish", "don't publish this",
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS_ABOUT_READERS)
@pytest.mark.parametrize("form", ["{title}, {words}", "{title} - {words}", '"{title}, {words}"'])
def test_words_that_ask_for_readers_are_no_title_of_a_private_incident(words, form):
    text = form.format(title="Cards are refused", words=words)

    private, public = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert (private.title, private.private) == ("Cards are refused", True)
    assert (public.title, public.private) == (text.strip('"'), False)


@pytest.mark.parametrize(
    "words",
    ["internal only", "for internal eyes only", "not for customers", "do not publish",
     "dont publish", "don't publish it", "responders only", "priv", "pvt", "// internal",
     "| hidden", "--internal", "do not share", "for us only", "non-public", "no public",
     "TLP:RED", "tlp red", "(TLP:AMBER)", "TLP:GREEN", "for your eyes only", "eyes only", "hidden",
     "confidential", "off the record", "need to know", "need-to-know basis", "under NDA",
     "between us", "keep quiet", "not for publication", "embargo", "strictly confidential"],
)  # fmt: skip
def test_words_that_ask_for_readers_need_no_sign_behind_a_title(words):
    private, public = [
        one for one in meanings(f"declare Cards leak {words}") if isinstance(one, Declare)
    ]

    assert private.private
    assert private.title.rstrip(" /|") == "Cards leak"
    assert (public.title, public.private) == (f"Cards leak {words}", False)


@pytest.mark.parametrize(
    "words",
    ["make it private:", "(keep it private)", "visibility private -", "as private:",
     "internal only:", "please keep this private:", "private incident:", "private visibility"],
)  # fmt: skip
def test_words_that_ask_for_readers_before_a_title_are_no_part_of_it(words):
    text = f"{words} Cards are refused"

    private, public = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert (private.title, private.private) == ("Cards are refused", True)
    assert (public.title, public.private) == (text, False)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Leak, make it private, cards too", "Leak, cards too"),
        ("Leak. Please keep this private. Cards too", "Leak. Cards too"),
        ("Leak (private) of cards in two shops", "Leak of cards in two shops"),
        ("Leak of keys visibility private by the old job", "Leak of keys by the old job"),
    ],
)
def test_words_that_ask_for_readers_within_a_title_are_asked_about(text, without):
    private, public = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert (private.title, private.private) == (without, True)
    assert (public.title, public.private) == (text, False)


def test_words_that_ask_for_readers_alone_open_a_private_dialog():
    public, edited = meanings("declare make it private")

    assert (public.title, public.private) == ("make it private", False)
    assert (edited.title, edited.private) == ("", True)


@pytest.mark.parametrize(
    "title",
    [
        "Private-network routes flap between zones",
        "Status page is not public",
        "The API is internal only",
        "Widget (high, low) is gone",
        "Keys (public, private) are mixed up",
        "Public API is down",
        "The public bucket is gone",
        "Nobody can make repositories private any more",
        "Secret rotation is stuck",
        "Secrets are missing in the vault",
        "Internal search is slow",
        "The internal load balancer drops requests",
        "Visibility of orders is delayed",
        "Customers cannot keep carts for now",
        "The confidential computing cluster is down",
        "Do not publish button is missing in the editor",
        "Login button is hidden",
        "Hidden files appear in the list",
        "Non-public API is slow",
        "Nodes need to know their peers",
        "Keep quiet mode is broken",
        "No public addresses are left",
        "Links between us and the exchange flap",
        "TLP:CLEAR page is down",
    ],
)
def test_words_about_readers_in_an_ordinary_title_are_title(title):
    assert said(f"declare {title}") == a_declaration(title)


@pytest.mark.parametrize("words", ["make it public", "visibility public", "visibility: public"])
def test_words_that_ask_for_everybody_are_no_title_unasked(words):
    without, whole, _ = meanings(f"declare Cards are refused, {words}")

    assert without == a_declaration("Cards are refused")
    assert whole == a_declaration(f"Cards are refused, {words}")


@pytest.mark.parametrize("words", ["make it public", "visibility public", "public please"])
def test_words_that_ask_for_everybody_in_a_private_conversation_leave_a_clean_title(words):
    text = f"Build is red, {words}"

    declared = meanings(f"declare {text}", secluded=True)[:2]

    assert [(one.title, one.private) for one in declared] == [
        (text, True),
        ("Build is red", False),
    ]


@pytest.mark.parametrize(
    ("title", "without"),
    [
        ("Leak private", "Leak"),
        ("Data is private", "Data"),
        ("private Data leak", "Data leak"),
        ("Private: Data leak", "Data leak"),
        ("Data leak, (private)", "Data leak"),
        ("Data leak privat", "Data leak"),
        ("Data leak private 🔒", "Data leak 🔒"),
        ("Data leak [internal]", "Data leak"),
        ("Data leak visibility=private", "Data leak"),
    ],
)
@pytest.mark.parametrize("quotes", ['"{}"', "“{}”", "'{}'", "「{}」", '"{}" severity:high'])
def test_an_audience_at_the_end_of_a_quoted_title_is_asked_about(title, without, quotes):
    asked = meanings(f"declare {quotes.format(title)}")
    declared = [one for one in asked if isinstance(one, Declare)]

    assert [(one.title, one.private) for one in declared] == [(without, True), (title, False)]


@pytest.mark.parametrize(
    ("text", "without", "whole"),
    [
        ("'Customers can't pay private'", "Customers can't pay", "Customers can't pay private"),
        ('"Leak, make it private"', "Leak", "Leak, make it private"),
    ],
)
def test_an_audience_within_quotation_marks_is_asked_about(text, without, whole):
    declared = [one for one in meanings(f"declare {text}") if isinstance(one, Declare)]

    assert [(one.title, one.private) for one in declared] == [(without, True), (whole, False)]


def test_a_quoted_title_in_a_private_conversation_is_private_anyhow():
    declared = said('declare "Leak private"', secluded=True)

    assert (declared.title, declared.private) == ("Leak private", True)


def test_public_at_the_end_of_a_quoted_title_is_asked_about_in_a_private_conversation():
    declared = meanings('declare "Build is public"', secluded=True)[:2]

    assert [(one.title, one.private) for one in declared] == [
        ("Build is public", True),
        ("Build", False),
    ]


@pytest.mark.parametrize(
    "word",
    ["--foo", "--dry-run", "—foo", "-x", "--foo=bar", "foo=bar", "*foo=bar*", "foo:bar", "foo：bar",
     "status:identified", "Status:identified", "stauts:identified", "Identified:now", "db-1=down",
     "state=monitoring"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "severity:high "])
def test_an_unknown_option_before_a_title_is_asked_about(word, before):
    question = asked(f"declare {before}{word} Checkout is down")
    without, whole, edited = [choice.request for choice in question.choices]

    assert "Nothing was declared." in question.message
    assert (without.title, whole.title) == ("Checkout is down", f"{word} Checkout is down")
    assert edited.title == whole.title


@pytest.mark.parametrize(
    "words",
    ["status: identified", "Identified:", "status → identified", "to identified",
     ":fire: --foo", "🔥 status:identified", "@here --foo"],
)  # fmt: skip
def test_a_status_or_an_option_behind_signs_is_asked_about_before_a_title(words):
    without, whole, _ = meanings(f"declare {words} Checkout is down")

    assert (without.title, whole.title) == ("Checkout is down", f"{words} Checkout is down")


@pytest.mark.parametrize("text", ["show NIC-42", "ack \u0406\u039d\u0421-42", "timeline INC_42",
                                  "\u0406\u039d\u0421-42", "NIC-42"])  # fmt: skip
def test_a_word_like_a_reference_where_nothing_else_may_stand_is_asked_about(text):
    assert [request.ref for request in meanings(text)] == [42]


@pytest.mark.parametrize(
    "title",
    ["Foo note: secret", "Foo note:secret", "Foo; [note]: secret", "Foo,note:secret",
     "Foo (note: secret)", "Foo *internal:* secret",
     "Foo internal: secret", "Foo Note = secret", "Foo note : secret", "Foo privte: secret",
     "Foo bar note \u2192 secret stuff", "Foo ends. ＮＯＴＥ：secret"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["{}", '"{}"', "{} severity:high"])
def test_an_audience_anywhere_in_a_declaration_is_asked_about(title, form):
    question = asked(f"declare {form.format(title)}")
    private, public, edited = [choice.request for choice in question.choices]

    assert "may say who reads this" in question.message
    assert (private.title, private.private) == (title, True)
    assert (public.title, public.private) == (title, False)
    assert isinstance(edited, OpenDeclare)
    assert edited.title == title


@pytest.mark.parametrize("text", ["Foo note: secret private", "Foo private:yes internal: secret"])
def test_an_audience_within_a_private_declaration_is_title(text):
    assert said(f"declare {text}").private
    assert said("declare Foo note: secret", secluded=True).private


@pytest.mark.parametrize("word", ["starts:02:50", "eta:5m", "*owner:mia*", "tag：db"])
def test_an_unknown_option_within_a_title_is_asked_about(word):
    without, whole, edited = meanings(f"declare Checkout {word} is down")

    assert (without.title, whole.title) == ("Checkout is down", f"Checkout {word} is down")
    assert edited.title == whole.title


@pytest.mark.parametrize(
    "text",
    ["Payments: cards fail", "Down since e.g. 5:30 pm", "Checkout on node: down", "Errors: note http://x.test/a",
     "All https://x.test/a fail", "Some notes: missing", "Batch Error:disk is late",
     "Job with a=b fails", "Note http://x.test"],
)  # fmt: skip
def test_signs_within_a_title_that_mean_nothing_are_title(text):
    assert said(f"declare {text}") == a_declaration(text)


def test_an_unknown_option_alone_is_asked_about():
    whole, edited = meanings("declare --foo")

    assert (whole.title, edited.title) == ("--foo", "--foo")


def test_private_with_a_text_asks_whether_it_is_a_note():
    assert meanings("private 42 db-3 is slow") == [
        a_change(note=Note("db-3 is slow")),
        AskPrivate(ref=42),
    ]


def test_private_among_the_components_is_no_component_of_a_private_declaration():
    asked = meanings("declare Data leak components:api,private severity:high")

    assert [(one.components, one.private) for one in asked if isinstance(one, Declare)] == [
        (("api",), True),
        (("api", "private"), False),
    ]


@pytest.mark.parametrize(
    "text", ["Internal search is slow", "The data of private customers is late"]
)
def test_a_word_about_readers_inside_of_a_sentence_is_title(text):
    assert said(f"declare {text}") == a_declaration(text)


PRIVATE_PLACE = Place(INCIDENTS_CHANNEL, private=True)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("Build is red", True),
        ("Build is red --public", False),
        ("Build is red public:yes", False),
        ("Build is red private", True),
    ],
)
def test_in_a_private_conversation_a_declaration_is_private_unless_it_says_public(text, private):
    declared = said(f"declare {text}", place=PRIVATE_PLACE, secluded=True)

    assert (declared.title, declared.private) == ("Build is red", private)


def test_a_bare_public_is_asked_about_in_a_private_conversation():
    declared = meanings("declare Build is red public", secluded=True)[:2]

    assert [(one.title, one.private) for one in declared] == [
        ("Build is red public", True),
        ("Build is red", False),
    ]


@pytest.mark.parametrize("word", ["sev1", "SEV-1", "P1", "p0"])
@pytest.mark.parametrize("text", ["{} Checkout is down", "Checkout is down {}"])
def test_a_severity_of_another_school_is_a_suggestion(text, word):
    said_so, literal, _ = meanings(f"declare {text.format(word)}")

    assert (said_so.title, said_so.severity) == ("Checkout is down", Severity.CRITICAL)
    assert (literal.title, literal.severity) == (text.format(word), Severity.MEDIUM)


TITLE = "Cards are refused"
IN_WORDS = [
    ("Cards are refused, severity high", {"severity": HIGH}),
    ('"Cards are refused" sev high', {"severity": HIGH}),
    ("Cards are refused prio high", {"severity": HIGH}),
    ("Cards are refused - severity HIGH.", {"severity": HIGH}),
    ("Cards are refused (severity high)", {"severity": HIGH}),
    ("Cards (severity high) are refused", {"severity": HIGH}),
    ("Cards are refused with severity high", {"severity": HIGH}),
    ("Cards are refused severity is high", {"severity": HIGH}),
    ("Cards are refused severity hihg", {"severity": HIGH}),
    ("Cards are refused sev major", {"severity": HIGH}),
    ("Cards are refused priority 2", {"severity": HIGH}),
    ("Cards are refused, high severity", {"severity": HIGH}),
    ("Cards are refused, high priority", {"severity": HIGH}),
    ("Cards are refused (high)", {"severity": HIGH}),
    ("[high] Cards are refused", {"severity": HIGH}),
    ("high: Cards are refused", {"severity": HIGH}),
    ("HIGH - Cards are refused", {"severity": HIGH}),
    ("Cards are refused, high", {"severity": HIGH}),
    ("Cards are refused - high", {"severity": HIGH}),
    ("severity high Cards are refused", {"severity": HIGH}),
    ("Cards are refused lifecycle response", {"lifecycle": RESPONSE}),
    ("Cards are refused components api", {"components": ("api",)}),
    ("Cards are refused, components: api, web", {"components": ("api", "web")}),
    ("Cards are refused since 02:50", {"started_at": TODAY.replace(hour=2, minute=50)}),
    ("Cards are refused since about 3 h.", {"started_at": TODAY - timedelta(hours=3)}),
    ("Since 10 min ago Cards are refused", {"started_at": TODAY - timedelta(minutes=10)}),
    (
        "Cards are refused sev2, components api, web, since 30m",
        {
            "severity": HIGH,
            "components": ("api", "web"),
            "started_at": TODAY - timedelta(minutes=30),
        },
    ),
]


@pytest.mark.parametrize(("text", "options"), IN_WORDS)
def test_an_option_in_plain_words_is_asked_about(text, options):
    without, whole, edited = meanings(f"declare {text}", at=TODAY)

    assert without == a_declaration(TITLE, **options)
    assert whole == a_declaration(text)
    assert (edited.title, edited.severity) == (text, None)


@pytest.mark.parametrize(
    "text",
    [
        "Leak private severity high", "Leak (private) severity high", "Leak, private, sev2",
        "(private) Leak severity high", "severity high private: Leak", "Leak severity high private",
        "[high] Leak private", "Leak, severity high, private", "Leak (high, private)",
        "(private, high) Leak", "[private][high] Leak", "Leak [sev2/private]!",
    ],
)  # fmt: skip
def test_private_beside_an_option_in_plain_words_is_settled(text):
    question = asked(f"declare {text}")
    taken, whole, edited = [choice.request for choice in question.choices]

    assert "It is private either way." in question.message
    assert taken == a_declaration("Leak", severity=HIGH, private=True)
    assert whole.private
    assert edited.private
    assert "private" not in (whole.title, edited.title)


BOTH = [
    ("Leak, make it private, severity high", "Leak, make it private", "Leak, severity high"),
    ("Leak severity high, make it private", "Leak make it private", "Leak severity high"),
    ("private Leak severity high", "private Leak", "Leak severity high"),
    ("severity high Data leak privat", "Data leak privat", "severity high Data leak"),
    ("Leak is private sev2", "Leak is private", "Leak sev2"),
    ("Leak private please (high)", "Leak private please", "Leak (high)"),
    ('"Leak private" severity high', "Leak private", "Leak severity high"),
    ("P2 Leak; [note]: keys", "Leak; [note]: keys", "P2 Leak; [note]: keys"),
]


@pytest.mark.parametrize(("text", "in_public", "in_private"), BOTH, ids=[row[0] for row in BOTH])
def test_readers_and_an_option_in_plain_words_are_settled_by_one_question(
    text, in_public, in_private
):
    question = asked(f"declare {text}")
    both, option, readers, as_typed, edited = [choice.request for choice in question.choices]

    assert "may say who reads this" in question.problem
    assert "may mean severity:high" in question.problem
    assert (both.severity, both.private) == (HIGH, True)
    assert option == a_declaration(in_public, severity=HIGH)
    assert readers == a_declaration(in_private, private=True)
    assert as_typed == a_declaration(text)
    assert edited.title == text
    assert [choice.label for choice in question.choices] == [
        "Declare it private, high",
        "Declare it in public, high",
        "Declare it private, the rest as its title",
        "Declare it in public, as typed",
        "Edit first…",
    ]


def test_private_before_a_severity_that_is_named_twice_stays_private():
    declared = said("declare Leak severity:high private severity low")

    assert (declared.severity, declared.private) == (HIGH, True)


def test_readers_and_an_unknown_option_are_settled_by_one_question():
    both, option, readers, as_typed, _ = asked("declare --foo Leak, make it private").choices

    assert both.request == a_declaration("Leak", private=True)
    assert option.request == a_declaration("Leak, make it private")
    assert readers.request == a_declaration("--foo Leak", private=True)
    assert as_typed.request == a_declaration("--foo Leak, make it private")
    assert both.label == "Declare it private, without that"


def test_private_among_the_components_is_settled_beside_an_option_in_plain_words():
    both, *_ = meanings("declare Leak, severity high components:api,private")

    assert both == a_declaration("Leak", severity=HIGH, private=True, components=("api",))


@pytest.mark.parametrize(
    "text",
    [
        "Cards leak components api, private",
        "Cards leak comp api, privat",
        "Cards leak severity high components api, private",
        "Cards leak, private, owner @bo",
        "Cards leak private assign to @bo",
        "Cards leak, private, cc @bo",
        "Cards leak, internal only, owner @bo",
    ],
)
def test_no_option_in_plain_words_hides_that_a_declaration_is_private(text):
    first = meanings(f"declare {text}")[0]

    assert isinstance(first, Declare)
    assert first.private
    assert first.title.startswith("Cards leak")
    assert first.components in [(), ("api",)]


def test_private_behind_a_list_of_components_is_no_component():
    private = a_declaration("Cards leak", private=True, components=("api",))

    assert said("declare Cards leak components: api, private") == private


@pytest.mark.parametrize("form", ["{} owner @bo", "{}, assign to @bo", "owner @bo {}"])
def test_an_owner_in_plain_words_is_no_title_unasked(form):
    text = form.format(TITLE)
    without, whole, edited = meanings(f"declare {text}")

    assert without == a_declaration(TITLE)
    assert whole == a_declaration(text)
    assert edited.title == text


def test_an_unknown_option_beside_one_in_plain_words_is_named():
    question = asked("declare --foo Cards are refused, severity high")
    without, whole, _ = question.choices

    assert '"--foo" is no option' in question.problem
    assert without.label == "Declare it high, without --foo"
    assert without.request == a_declaration(TITLE, severity=HIGH)
    assert whole.request == a_declaration("--foo Cards are refused, severity high")


def test_the_question_about_plain_words_says_what_they_may_mean():
    question = asked("declare Cards are refused, severity high since 02:50", at=TODAY)

    assert question.problem == (
        '"severity high since 02:50" may mean severity:high since:02:50. Nothing was declared.'
    )
    assert [choice.label for choice in question.choices] == [
        "Declare it with severity:high since:02:50",
        "It is part of the title",
        "Edit first…",
    ]


@pytest.mark.parametrize("text", ["severity high", "sev1", "(high)", "since 02:50"])
def test_an_option_in_plain_words_without_a_title_opens_the_dialog_with_it(text):
    whole, edited = meanings(f"declare {text}", at=TODAY)

    assert whole.title == text
    assert edited.title == ""
    assert edited.severity or edited.since


@pytest.mark.parametrize(
    "title",
    [
        "Load is high",
        "High load on db-3",
        "Critical alerts are missing",
        "Load on db-3: high",
        "Severity: alerts with a high one are missing",
        "Severely high load",
        "Priority 1 mails are stuck",
        "Tickets of priority high are lost",
        "Mails with high priority are lost",
        "Mails lose their high priority",
        "All components down",
        "UI components fail to load",
        "Payment component down",
        "Components page is empty",
        "Slow since the deploy",
        "Down since Monday",
        "Slow since 5",
        "Closed since tomorrow 10:00",
        "Lifecycle hooks fail",
        "The response lifecycle is broken",
    ],
)
def test_words_like_options_within_a_sentence_are_a_title(title):
    assert said(f"declare {title}", at=TODAY).title == title


def test_an_option_that_is_set_is_not_looked_for_in_plain_words():
    declared = said("declare Cards are refused since 02:50 since:10m", at=TODAY)

    assert declared.title == "Cards are refused since 02:50"
