"""The table of promises in docs/operations.md: each promise has tests, and each test runs there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Promises with these numbers are kept today.
PROMISES = {*range(1, 28)}
# The columns of the table, by the marks of their tests; most tests have none of these marks.
TEST, WORLD, TORTURE = "`make test`", "`make test-world`", "`make torture`"
MARKS = {"world": WORLD, "torture": TORTURE}


def table():
    """The names of the tests by the number of the promise and the heading of the column."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    heading, _, *rows = re.findall(r"^\|.+\|$", text.partition("## Promises")[2], re.MULTILINE)
    _, _, *columns = cells(heading)
    return {
        int(number): {
            column: re.findall(r"`(test_\w+)`", cell)
            for column, cell in zip(columns, tests, strict=True)
        }
        for number, _, *tests in map(cells, rows)
    }


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def marks(expression):
    return {
        node.attr
        for node in ast.walk(expression)
        if isinstance(node, ast.Attribute) and node.attr in MARKS
    }


def places(test, module_marks):
    """The columns of a test. A mark is on the test, or on one row of its parameters."""
    of_test = set(module_marks)
    of_rows = set()
    for decorator in test.decorator_list:
        found = marks(decorator)
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize"):
            of_rows |= found
        else:
            of_test |= found
    return {MARKS[mark] for mark in of_test or of_rows} | (set() if of_test else {TEST})


def existing():
    """The places of every test by its name; one element for each test of that name."""
    found = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        body = ast.parse(file.read_text("utf-8")).body
        of_module = {
            mark
            for statement in body
            if isinstance(statement, ast.Assign)
            and ast.unparse(statement.targets[0]) == "pytestmark"
            for mark in marks(statement.value)
        }
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.setdefault(statement.name, []).append(places(statement, of_module))
    return found


def test_every_promise_has_a_test():
    assert {number for number, row in table().items() if any(row.values())} == PROMISES


def test_every_test_in_the_table_exists_once_and_runs_in_its_column():
    known = existing()
    named = [(name, column) for row in table().values() for column in row for name in row[column]]

    assert [
        (name, column, known.get(name))
        for name, column in named
        if len(known.get(name, ())) != 1 or column not in known[name][0]
    ] == []


MARKED = """
import pytest

def test_plain(): ...
@pytest.mark.torture
def test_long(): ...
@pytest.mark.parametrize("count", [1, pytest.param(100, marks=pytest.mark.torture)])
def test_both(count): ...
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [("test_plain", {TEST}), ("test_long", {TORTURE}), ("test_both", {TEST, TORTURE})],
)
def test_the_place_of_a_test_follows_from_its_marks(name, expected):
    [test] = [each for each in ast.parse(MARKED).body if getattr(each, "name", "") == name]

    assert places(test, set()) == expected
    assert places(test, {"world"}) >= {WORLD}
