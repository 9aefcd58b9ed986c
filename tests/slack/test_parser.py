"""The text after `/incident` and the request it makes; the answer to every slip."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.slack.markup import plain_text
from bot.slack.parser import parse
from bot.slack.requests import (
    NUMBER_MAX,
    AssignTo,
    OpenDeclare,
    Request,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.verbs import VERBS, find, markdown_table
from core.incident import (
    Acknowledge,
    BoardFilter,
    Declare,
    Note,
    Place,
    PublicText,
    Redact,
    Scope,
    Severity,
    TakeNextStep,
)
from core.lifecycle import PRESETS, RESPONSE, Catalogue
from tests.builders import INCIDENTS_CHANNEL, LINUS, a_change, an_actor, an_id

CATALOGUE = Catalogue(PRESETS, default="statuspage")
NEW = an_id("new")
ID = UUID("6093fb51-8bde-564b-814f-91339cda4c00")


PLACE = Place(INCIDENTS_CHANNEL)


def said(text: str, *, place: Place = PLACE) -> Request:
    return parse(text, actor=an_actor(), catalogue=CATALOGUE, new_id=NEW, place=place)


def a_declaration(title: str, **changes: Any) -> Declare:
    fields: dict[str, Any] = {
        "actor": an_actor(),
        "id": NEW,
        "title": title,
        "lifecycle": CATALOGUE.default,
        "place": PLACE,
    }
    return Declare(**fields | changes)


def redact(**changes: Any) -> Redact:
    fields: dict[str, Any] = {"actor": an_actor(), "ref": 42, "entry": 3}
    return Redact(**fields | changes)


def a_board(**narrowed: Any) -> ShowBoard:
    return ShowBoard(narrowed=BoardFilter(**narrowed))


SAID = [
    ("", ShowTray()),
    ("  ", ShowTray()),
    ("list", ShowBoard()),
    ("list mine", a_board(scope=Scope.MINE)),
    ("LIST All severity:High", a_board(scope=Scope.ALL, severity=Severity.HIGH)),
    ("list status: monitoring severity: low", a_board(status="monitoring", severity=Severity.LOW)),
    ("list status:triage", a_board(status="triage")),
    ("show 42", ShowCard(ref=42)),
    ("show", ShowCard(ref=None)),
    ("timeline 42", ShowTimeline(ref=42)),
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
    ("update 42 We look.", a_change(public=PublicText("We look."))),
    (
        "update 42 status:monitoring We look.",
        a_change(to="monitoring", public=PublicText("We look.")),
    ),
    (
        "update status:Monitoring 42 We look.",
        a_change(to="monitoring", public=PublicText("We look.")),
    ),
    ("update 42 We know. status:resolved", a_change(public=PublicText("We know. status:resolved"))),
    ("update 42 Status: we look.", a_change(public=PublicText("Status: we look."))),
    ("assign 42 <@U0LINUS|linus>", AssignTo(actor=an_actor(), ref=42, user="U0LINUS")),
    ("assign <@W0LINUS>", AssignTo(actor=an_actor(), ref=None, user="W0LINUS")),
    ("assign 42", a_change(owner=an_actor().person)),
    ("assign me", a_change(ref=None, owner=an_actor().person)),
    ("severity 42 LOW", a_change(severity=Severity.LOW)),
    ("severity low", a_change(ref=None, severity=Severity.LOW)),
    ("title 42 Checkout is slow", a_change(title="Checkout is slow")),
    ("title 42 “Checkout is slow”", a_change(title="Checkout is slow")),
    ("components 42 Checkout API, web", a_change(components=("Checkout API", "web"))),
    ('components 42 "Checkout API",+web,', a_change(components=("Checkout API", "+web"))),
    ("components 42 none", a_change(components=())),
    ("redact 42 3", redact()),
    ("redact #3", redact(ref=None)),
    (f"redact INC-42 {ID}", redact(entry=ID)),
    ("setup <#C0STATUS|status>", SetStatusChannel(channel="C0STATUS")),
    ("setup <#C0STATUS|>", SetStatusChannel(channel="C0STATUS")),
    ("setup C012345678", SetStatusChannel(channel="C012345678")),
    ("help", ShowHelp()),
    ("help new", ShowHelp(verb="declare")),
]


@pytest.mark.parametrize(("text", "meant"), SAID, ids=[text for text, _ in SAID])
def test_a_command_becomes_its_request(text, meant):
    assert said(text) == meant


REFS = [
    ("42", 42),
    ("#42", 42),
    ("INC-42", 42),
    ("inc-042", 42),
    ("42,", 42),
    (str(NUMBER_MAX), NUMBER_MAX),
    (str(ID), ID),
    (str(ID).upper(), ID),
]


@pytest.mark.parametrize(("word", "ref"), REFS, ids=[word for word, _ in REFS])
def test_an_incident_is_named_by_number_or_id(word, ref):
    assert said(f"show {word}") == ShowCard(ref=ref)
    assert said(f"note {word} db-3") == a_change(ref=ref, note=Note("db-3"))


@pytest.mark.parametrize(
    "word",
    ["0", "#0", str(NUMBER_MAX + 1), "9" * 5_000, "INC-", "INC-4x", f"{ID}0", str(ID)[:-1]],
)
@pytest.mark.parametrize("verb", ["show", "note", "update", "title", "status"])
def test_a_malformed_number_of_an_incident_is_never_taken_for_text(verb, word):
    with pytest.raises(UsageError, match=r"is no number of an incident|names no incident"):
        said(f"{verb} {word} monitoring")


# --- declare ---------------------------------------------------------------------------------

HIGH, LOW = Severity.HIGH, Severity.LOW

DECLARED = [
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
    ('"Data is private"', "Data is private", {}),
    ('"Checkout" is down', '"Checkout" is down', {}),
    ("Checkout's down", "Checkout's down", {}),
    ('Unbalanced "quote', 'Unbalanced "quote', {}),
    ("Data leak private", "Data leak", {"private": True}),
    ("Data leak Private severity:low", "Data leak", {"private": True, "severity": LOW}),
    ("Data leak severity:low private", "Data leak", {"private": True, "severity": LOW}),
    ("private key leaked", "private key leaked", {}),
    ("Slow lifecycle:response", "Slow", {"lifecycle": RESPONSE}),
    ("Slow components:api,web", "Slow", {"components": ("api", "web")}),
    ("Slow components: api", "Slow", {"components": ("api",)}),
    ('Slow components:"Checkout API, web"', "Slow", {"components": ("Checkout API", "web")}),
    ('Slow components: "Checkout API"', "Slow", {"components": ("Checkout API",)}),
    ("<@U0MIA|mia> sees &lt;5 &amp; more", "@mia sees <5 & more", {}),
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

SLIPS = [
    ("staus 42 identified", "status", "status", 'There is no command "staus".'),
    ("42", "show", "show", 'There is no command "42".'),
    ("xyzzy", None, None, 'There is no command "xyzzy".'),
    ("help staus", "status", "status", 'There is no command "staus".'),
    ("help status now", "help", None, "`help` doesn't take"),
    ("status", "status", None, "The status is missing."),
    ("status 42", "status", None, "The status is missing."),
    ("status #prod identified", "status", None, '"#prod" names no incident'),
    ("note 42", "note", None, "The text of the note is missing."),
    ("update 42", "update", None, "The public text is missing."),
    ("update 42 status:monitoring", "update", None, "The public text is missing."),
    ("update 42 status: monitoring We look.", "update", None, "Nothing was published."),
    ("update 42 status: montoring We look.", "update", None, "write `status:monitoring`"),
    ("title 42", "title", None, "The title is missing."),
    ("components 42", "components", None, "The list of components is missing."),
    ("components 42 ,", "components", None, "The list of components is missing."),
    ("severity 42", "severity", None, "The severity is missing."),
    ("severity 42 hihg", "severity", "high", 'There is no severity "hihg".'),
    ("severity 42 purple", "severity", None, "Severities: critical, high, medium, low."),
    ("severity 42 high now", "severity", None, '`severity` doesn\'t take "now"'),
    ("show checkout", "show", None, '"checkout" names no incident'),
    ("timeline 42 all", "timeline", None, '`timeline` doesn\'t take "all"'),
    ("ack 42 looking", "ack", None, '`ack` doesn\'t take "looking"'),
    ("assign 42 mia", "assign", None, '"mia" is nobody that Slack knows'),
    ("assign 42 <@U0MIA|mia> please", "assign", None, "is nobody that Slack knows"),
    ("redact", "redact", None, "The number of the entry is missing."),
    ("redact 42 third", "redact", None, '"third" is no entry'),
    ("redact 42 0", "redact", None, '"0" is no entry'),
    ("redact 42 3 4", "redact", None, '`redact` doesn\'t take "4"'),
    ("setup", "setup", None, "The channel is missing."),
    ("setup #status", "setup", None, '"#status" is no channel that Slack knows'),
    ("list opne", "list", "open", 'I can\'t list "opne".'),
    ("list mine mine", "list", None, "The scope is named twice."),
    ("list sverity:high", "list", "severity", 'There is no option "sverity".'),
    ("list severity:", "list", None, "The value of `severity:` is missing."),
    ("list status:identifed", "list", "identified", 'There is no status "identifed".'),
    ("list status:a.b", "list", None, 'There is no status "a.b".'),
    ("declare Slow severity:hihg", "declare", "high", 'There is no severity "hihg".'),
    ("declare Slow severity: banana", "declare", None, 'There is no severity "banana".'),
    ("declare Slow lifecycle:respons", "declare", "response", 'There is no lifecycle "respons".'),
    ("declare Slow sverity:high", "declare", "severity:", 'There is no option "sverity:".'),
    ("declare Slow sverity: high", "declare", "severity:", 'There is no option "sverity:".'),
    ("declare Slow sev:high", "declare", "severity:", 'There is no option "sev:".'),
    ("declare Slow component:api", "declare", "components:", 'There is no option "component:".'),
    ("declare Slow severity:", "declare", None, "The value of `severity:` is missing."),
    ("declare Slow severity:low severity:high", "declare", None, "`severity` is named twice."),
    ("declare Slow private private", "declare", None, "`private` is named twice."),
    ("declare Slow private:yes", "declare", None, "Write `private` alone"),
    ("declare Slow components:api, web", "declare", None, "Names with blanks need quotes"),
    ("declare Slow components:Checkout API, Web", "declare", None, "Names with blanks need quotes"),
]


@pytest.mark.parametrize(
    ("text", "verb", "suggestion", "problem"), SLIPS, ids=[row[0] for row in SLIPS]
)
def test_a_slip_is_answered_with_the_closest_word_and_the_usage_line(
    text, verb, suggestion, problem
):
    with pytest.raises(UsageError) as refused:
        said(text)

    error = refused.value
    assert problem in error.message
    assert error.suggestion == suggestion
    assert error.usage == (find(verb).usage if verb else None)
    assert error.usage is None or f"Usage: `{error.usage}`" in error.message
    assert suggestion is None or f"Did you mean {suggestion}?" in error.message


def test_a_slip_never_repeats_more_than_a_word():
    with pytest.raises(UsageError) as refused:
        said(f"{'x' * 3_000} 42 db-3 lost quorum")

    assert len(refused.value.message) < 200
    assert "quorum" not in refused.value.message


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
    assert "| `/incident show <n>` | shows the card, to you alone |" in rows
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
    with suppress(UsageError):
        said(text)


@given(text=typed, verb=st.sampled_from([verb.name for verb in VERBS]))
def test_only_update_makes_a_text_public(text, verb):
    try:
        request = said(f"{verb} {text}")
    except UsageError:
        return

    assert getattr(request, "public", None) is None or verb == "update"
    assert getattr(request, "note", None) is None or verb != "update"


def typed_by_a_person(text: str) -> str:
    """``text`` as Slack sends it on."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


refs = st.integers(1, NUMBER_MAX) | st.just(ID)
bodies = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)
statuses = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
AN_ACTOR = an_actor()


@given(ref=refs, status=statuses, note=st.none() | bodies, public=bodies)
def test_a_formatted_command_is_parsed_back(ref, status, note, public):
    own = typed_by_a_person(note or "")
    said_in_public = typed_by_a_person(public)

    assert said(f"status {ref} {status} {own}") == a_change(ref=ref, to=status, note=note)
    assert said(f"next {ref} {own}") == TakeNextStep(actor=AN_ACTOR, ref=ref, note=note)
    assert said(f"note {ref} {said_in_public}") == a_change(ref=ref, note=public)
    assert said(f"update {ref} status:{status} {said_in_public}") == a_change(
        ref=ref, to=status, public=public
    )


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
