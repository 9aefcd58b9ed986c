"""Rules for the page's files; these tests need no browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "bot/sandbox/static"
FILES = sorted(STATIC.iterdir())

# Each of these parses a string, and with it a message of a person, as HTML or code.
FROM_STRINGS = (
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|DOMParser|document\.write|createContextual"
    r"|\beval\(|new Function|srcdoc|javascript:(?!\()"
)
# The namespace of SVG is only a name: nothing is loaded from it.
NAMESPACES = "http://www.w3.org"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_string_becomes_html_or_code(path):
    assert re.findall(FROM_STRINGS, path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_machine(path):
    addresses = re.findall(r"(?:https?:)?//[a-z0-9][\w.-]+\.[a-z]{2,}", path.read_text())

    assert set(addresses) <= {NAMESPACES}


def test_the_page_loads_only_its_own_files():
    page = (STATIC / "index.html").read_text()

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *ROOT.glob("docs/*.md")], ids=lambda p: p.name
)
def test_every_picture_in_a_document_exists(path):
    shown = re.findall(r"[\w/-]*img/[\w-]+\.png", path.read_text())

    assert [name for name in shown if not (path.parent / name).is_file()] == []
