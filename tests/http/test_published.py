"""The tables of docs/api.md: the lines of both published pages, and the tests that hold them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "Dialect 1": "tests/http/test_published_v1.py",
    "Dialect 2": "tests/http/test_published_api.py",
}
# The lines of each page that have a text.
LINES = {
    "Dialect 1": set(range(1, 109)) - {32, 34, 36, 38, 44, 46, 54, 56, 61, 63, 71, 73, 78, 80},
    "Dialect 2": set(range(1, 28)),
}


def held(path):
    """The lines that each test of a file names in its docstring, with the name of the test."""
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
            named = re.match(r"Lines? (\d[\d, and-]*)\.", ast.get_docstring(node) or "")
            assert named, f"{node.name} names no line"
            yield named[1], node.name


def listed(dialect):
    """The lines and the test of each row in the table of docs/api.md about a dialect."""
    text = (ROOT / "docs/api.md").read_text()
    section = text.partition(f"### {dialect}\n")[2].partition("\n### ")[0]
    return re.findall(r"^\| (\d[^|]*) \| [^|]+ \| `(test_\w+)` \|$", section, re.MULTILINE)


def numbers(lines):
    for part in re.split(" and |, ", lines):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("dialect", PAGES)
def test_the_table_has_every_test_with_its_lines(dialect):
    assert sorted(listed(dialect)) == sorted(held(PAGES[dialect]))


@pytest.mark.parametrize("dialect", PAGES)
def test_every_line_of_a_page_is_held(dialect):
    assert {number for lines, _ in listed(dialect) for number in numbers(lines)} >= LINES[dialect]
