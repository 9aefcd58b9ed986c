"""The table of docs/api.md: each sentence of both published pages, and the test that quotes it."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "Dialect 1": "tests/http/test_published_v1.py",
    "Dialect 2": "tests/http/test_published_api.py",
}
# How long each page is, and which of its lines say nothing.
LINES = {
    "Dialect 1": set(range(1, 109)) - {32, 34, 36, 38, 44, 46, 54, 56, 61, 63, 71, 73, 78, 80},
    "Dialect 2": set(range(1, 28)),
}
# Up to the last mark of quotation; what stands behind it is ours.
QUOTE = re.compile(r'Lines? (?P<lines>\d[\d, and-]*): (?P<said>".*")')


def quoted(path):
    """Which lines each test quotes, in the order of the file: lines, words, name."""
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
                words = " ".join(paragraph.split())
                if words.startswith("Line"):
                    found = QUOTE.match(words)
                    assert found, f"{node.name} quotes nothing: {words}"
                    yield found["lines"], found["said"], node.name


def told(dialect):
    """The rows of the table of docs/api.md about the page of ``dialect``."""
    text = (ROOT / "docs/api.md").read_text()
    section = text.partition(f"### {dialect}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [html.unescape(cell.strip()) for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and cells[0][0].isdigit():
            yield cells[0], cells[1], cells[2].strip("`")


def numbers(lines):
    for part in re.split(" and |, ", lines):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("dialect", PAGES)
def test_the_table_says_which_test_holds_each_sentence(dialect):
    assert sorted(told(dialect)) == sorted(quoted(PAGES[dialect]))


@pytest.mark.parametrize("dialect", PAGES)
def test_no_line_of_a_page_is_left_out(dialect):
    quoted_lines = {number for lines, _, _ in told(dialect) for number in numbers(lines)}

    assert LINES[dialect] <= quoted_lines
