"""No typed text changes the structure of a report: an independent parser reads it back."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.markdown import inline, quote
from core.texts import UNSTORABLE

# CommonMark with GitHub's tables and struck-out text; bare addresses stay text.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ODD = [
    "# a heading",
    "ends in # #",
    "- a list\n+ another\n* a third",
    "1. one\n2) two\n123456789. three",
    "Setext\n===\nagain\n---",
    "a | b\n:-|:-\nc | d",
    "head\n:--\ncell",
    "```\ncode\n```\n~~~\nmore\n~~~",
    "    indented\n\ttabbed",
    "<b>bold</b> <!-- gone --> &amp; &#35;",
    "[a](http://b) ![c](d) [e]: f <http://g>",
    "**bold** _it_ ~~out~~ `code` $x$",
    "\\ back\\slash\\",
    "> a quote\n>> deeper",
    "one\n\n\ntwo",
    "---\n***\n___",
    "\u200b- a list behind an invisible sign",
    "a\rb\x00c",
    "\u2028- a list behind a line separator",
]
SIGNS = "ab1 .)-+=:#>*_`~|[]()<>!&\\$\t\n\u00a0\u200b"
TYPED = st.text(alphabet=st.sampled_from(SIGNS), max_size=40)


def outline(markdown):
    """The block tokens of ``markdown``, and in each run of text the kinds of its parts."""
    for token in PARSER.parse(markdown):
        yield token.type, token.tag, token.nesting
        yield {child.type for child in token.children or ()} <= {"text", "hardbreak"}


def words(markdown):
    """The text that a reader sees, line by line."""
    (token,) = [one for one in PARSER.parse(markdown) if one.type == "inline"]
    told = "".join("\n" if one.type == "hardbreak" else one.content for one in token.children)
    return re.split("\n", told)


def seen(text):
    """``text`` as it must be read: without the blanks around its lines."""
    clean = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n")).strip()
    return [line.strip() for line in clean.split("\n")]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_one_quoted_paragraph_with_all_their_words(text):
    quoted = "\n".join(quote(text))

    assert list(outline(quoted)) == list(outline("> plain"))
    assert words(quoted) == seen(text)


@given(TYPED | st.text(max_size=40))
def test_any_text_is_one_quoted_paragraph_with_all_its_words(text):
    text = f"{text.strip()}." if text.strip() else "."
    quoted = "\n".join(quote(text))

    assert list(outline(quoted)) == list(outline("> plain"))
    assert [line.split() for line in words(quoted)] == [line.split() for line in seen(text)]


@given(TYPED | st.text(max_size=40))
@example("#")
@example("a #")
def test_any_text_fits_into_a_heading_and_into_a_line_of_a_list(text):
    for before in ("# INC-42 ", "- **now** Ada "):
        line = f"{before}{inline(text)}."

        assert [kind for kind in outline(line) if kind is not True] == [
            kind for kind in outline(f"{before}plain.") if kind is not True
        ]
