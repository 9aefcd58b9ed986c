"""Messages of people and of alert bots: all their words become text, and none of them twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.markup import TEXT_MAX, escape, linked
from bot.slack.messages import LOOKED_UP_MAX, WORDS_MAX, Names, bot_name, markup_of, named, unnamed


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(elements)}],
    }


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


NAMES = Names({"U1": "mia"}, {"C1": "payments"}, {"S1": "oncall"})
LIST = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_list",
            "style": "ordered",
            "elements": [
                {"type": "rich_text_section", "elements": [words("stop")]},
                {"type": "rich_text_section", "elements": [words("look")]},
            ],
        },
        {"type": "rich_text_quote", "elements": [words("a\nb")]},
        {"type": "rich_text_preformatted", "elements": [words("exit 1 < 2")]},
    ],
}
ALERT = {
    "fallback": "[FIRING] disk",
    "pretext": "Alert",
    "title": "Disk is full",
    "title_link": "https://grafana.example/d/1",
    "text": "db-3 has 1 &lt; 5 GB",
    "fields": [{"title": "Host", "value": "db-3", "short": True}, {"value": "eu-1"}],
    "footer": "Grafana",
}
TABLE = {
    "type": "table",
    "rows": [
        [{"type": "raw_text", "text": "host"}, {"type": "raw_text", "text": "state"}],
        [{"type": "raw_text", "text": "db-3"}, rich(words("down"))],
    ],
}

MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, ""),
    "a text": ({"text": "db-3 lost &amp; found"}, "db-3 lost & found"),
    "a text and its own blocks": (
        {"text": "*db-3* is slow", "blocks": [rich(words("db-3"), words(" is slow"))]},
        "*db-3* is slow",
    ),
    "only blocks": ({"text": "", "blocks": [mrkdwn("db-3 &lt; db-4")]}, "db-3 < db-4"),
    "blocks that say more": (
        {"text": "Disk is full", "blocks": [mrkdwn("Disk is full on db-3")]},
        "Disk is full on db-3",
    ),
    "blocks that say something else": (
        {"text": "Alert", "blocks": [mrkdwn("db-3 is full")]},
        "Alert\n\ndb-3 is full",
    ),
    "a header, fields and small print": (
        {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "a < b"}},
                {
                    "type": "section",
                    "fields": [
                        {"type": "mrkdwn", "text": "*Host*"},
                        {"type": "mrkdwn", "text": "db-3"},
                    ],
                },
                {
                    "type": "context",
                    "elements": [
                        {"type": "mrkdwn", "text": "since 3"},
                        {"type": "image", "alt_text": "a graph"},
                    ],
                },
                {"type": "divider"},
                {"type": "actions", "elements": [{"type": "button", "text": {"text": "Silence"}}]},
            ]
        },
        "a < b\n*Host*\ndb-3\nsince 3 a graph",
    ),
    "a list, a quotation and code": ({"blocks": [LIST]}, "1. stop\n2. look\n> a\n> b\nexit 1 < 2"),
    "a table": ({"blocks": [TABLE]}, "host | state\ndb-3 | down"),
    "a picture": (
        {"blocks": [{"type": "image", "alt_text": "latency, rising"}]},
        "latency, rising",
    ),
    "markdown": ({"blocks": [{"type": "markdown", "text": "**db-3**"}]}, "**db-3**"),
    "an attachment": (
        {"text": "", "attachments": [ALERT]},
        (
            "Alert\nDisk is full (https://grafana.example/d/1)\n"
            "db-3 has 1 < 5 GB\nHost: db-3\neu-1\nGrafana"
        ),
    ),
    "an attachment's fallback": ({"attachments": [{"fallback": "[FIRING]"}]}, "[FIRING]"),
    "blocks of an attachment": ({"attachments": [{"blocks": [mrkdwn("db-3")]}]}, "db-3"),
    "a shared message": (
        {"attachments": [{"message_blocks": [{"message": {"blocks": [rich(words("db-3"))]}}]}]},
        "db-3",
    ),
    "only files": (
        {"text": "", "files": [{"name": "graph.png"}, {"title": "log & more"}, {}]},
        "Files: graph.png, log & more",
    ),
    "a text and a file": ({"text": "look", "files": [{"name": "a.png"}]}, "look\n\nFile: a.png"),
    "ids in a text": (
        {"text": "<@U1> see <#C1> <!subteam^S1>"},
        "@mia see #payments @oncall",
    ),
    "ids in rich text": (
        {
            "blocks": [
                rich(
                    {"type": "user", "user_id": "U1"},
                    words(" in "),
                    {"type": "channel", "channel_id": "C1"},
                    words(" "),
                    {"type": "usergroup", "usergroup_id": "S1"},
                    {"type": "emoji", "name": "fire"},
                    {"type": "broadcast", "range": "here"},
                )
            ]
        },
        "@mia in #payments @oncall:fire:@here",
    ),
    "names that Slack gave": ({"text": "<@U1|Mia> <#C1|pay>"}, "@Mia #pay"),
    "ids that nobody knows": ({"text": "<@U9> <#C9> <!subteam^S9>"}, "@U9 #C9 @group"),
    "links": (
        {"blocks": [rich({"type": "link", "url": "https://a.example/?b&c", "text": "here"})]},
        "here (https://a.example/?b&c)",
    ),
}


@pytest.mark.parametrize(("message", "told"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_becomes_its_words(message, told):
    assert named(markup_of(message), NAMES) == told


def test_only_ids_without_a_name_are_looked_up():
    asked = unnamed("<@U1> <@U2|mia> <#C1|> <#C2|x> <!subteam^S1> <!here> <https://x.example>")

    assert (set(asked.people), set(asked.channels), set(asked.groups)) == ({"U1"}, {"C1"}, {"S1"})


def test_no_message_asks_for_more_names_than_fit():
    asked = unnamed("".join(f"<@U{number}>" for number in range(100)))

    assert len(asked.people) == LOOKED_UP_MAX


def test_a_name_mentions_nobody_and_changes_nothing_else():
    markup = named("<@U1> and <@U2>", Names({"U1": "<!channel> & <@U2>", "U2": "$1\\g<0>"}))

    assert markup == "@<!channel> & <@U2> and @$1\\g<0>"
    assert "<!channel>" not in escape(markup)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"username": "grafana"}, "grafana"),
        ({"bot_profile": {"name": "Grafana"}}, "Grafana"),
        ({"bot_profile": []}, None),
        ({}, None),
    ],
)
def test_a_bot_has_the_name_that_slack_shows(message, name):
    assert bot_name(message) == name


KEYS = ["type", "text", "blocks", "elements", "attachments", "files", "fields", "rows", "title"]
TYPES = ["rich_text", "rich_text_list", "rich_text_section", "section", "table", "link", "mrkdwn"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(TYPES),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=5)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_a_message_of_any_shape_becomes_a_text(message):
    markup = markup_of(message)

    assert isinstance(named(markup, NAMES), str)
    assert len(markup) <= WORDS_MAX


def test_blocks_of_any_depth_are_read():
    block: dict[str, Any] = mrkdwn("deep")
    for _ in range(5_000):
        block = {"type": "container", "children": [block]}

    assert markup_of({"blocks": [block]}) == ""


# --- links in public texts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://a.example/b?c=1&d=2.", "See <https://a.example/b?c=1&amp;d=2>."),
        ("(https://a.example)", "(<https://a.example>)"),
        ("https://a.example/x_(y), then", "<https://a.example/x_(y)>, then"),
        ('"https://a.example"!', '"<https://a.example>"!'),
        ("*https://a.example*", "*<https://a.example>*"),
        ("HTTP://A.example", "<HTTP://A.example>"),
        ("<https://evil.example|bank.example>", "&lt;https://evil.example|bank.example&gt;"),
        ("https://a.example|b", "https://a.example|b"),
        ("https://a.example/\u202egpj.exe", "https://a.example/\u202egpj.exe"),
        ("https://a.exam\u200bple", "https://a.exam\u200bple"),
        ("https://a.example/cut…", "https://a.example/cut…"),
        ("https:// http://. ftp://a.example", "https:// http://. ftp://a.example"),
        ("javascript:alert(1) mailto:a@b.example", "javascript:alert(1) mailto:a@b.example"),
    ],
)
def test_an_address_is_a_link_that_shows_where_it_goes(text, shown):
    assert linked(escape(text)) == shown


@given(st.text(st.sampled_from("ah:/.&<>|()…* \u202e"), max_size=60).map("https://a.b ".__add__))
def test_links_add_nothing_but_their_brackets(text):
    made = linked(escape(text))

    assert made.replace("<", "").replace(">", "") == escape(text)
    assert made.count("<") == made.count(">")


def test_a_text_full_of_addresses_stays_within_the_limit():
    text = "http://a " * (TEXT_MAX // 9)

    assert len(text) <= len(linked(text)) <= TEXT_MAX
