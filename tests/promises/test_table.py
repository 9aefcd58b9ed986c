"""The table of promises names tests that exist, and every promise has one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMISES = range(1, 20)


def table():
    """The names of the tests by the number of the promise."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d+) \| (.+) \| (.+) \|$", text.partition("## Promises")[2], re.MULTILINE
    )
    return {int(number): re.findall(r"`(test_\w+)`", tests) for number, _, tests in rows}


def existing():
    """Every test that there is, with the file it stands in."""
    found = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text("utf-8")
        for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE):
            found.setdefault(name, []).append(file)
    return found


def test_every_promise_has_a_test():
    assert {number for number, names in table().items() if names} == set(PROMISES)


def test_every_test_in_the_table_exists_once():
    known = existing()

    named = [name for names in table().values() for name in names]
    assert [name for name in named if len(known.get(name, ())) != 1] == []
