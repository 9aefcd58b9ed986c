"""One example of each rendering as a file. ``pytest --update-golden`` writes them anew."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from bot.page import html, markdown
from bot.page.badge import badge
from bot.page.feeds import FEEDS
from bot.page.statuspage import document
from tests.page.example import AT, the_page

GOLDENS = Path(__file__).parent / "goldens"
PAGE = the_page()
FEBRUARY = html.month(date(2026, 2, 1), PAGE.recent[1:], PAGE)
DAY = html.day(date(2026, 3, 2), (), PAGE)
RENDERINGS = {
    "now.html": html.now(PAGE, AT),
    "incident.html": html.incident(PAGE.recent[0], PAGE, AT),
    "month.html": html.listed(FEBRUARY, PAGE, AT),
    "day.html": html.listed(DAY, PAGE, AT),
    "missing.html": html.missing(PAGE, AT),
    "now.md": markdown.now(PAGE, AT),
    "month.md": markdown.listed(FEBRUARY, PAGE, AT),
    "summary.json": json.dumps(document("summary", PAGE, AT), indent=1, ensure_ascii=False) + "\n",
    "history.atom": FEEDS["history.atom"](PAGE, AT).decode(),
    "updates.rss": FEEDS["updates.rss"](PAGE, AT).decode(),
    "badge.svg": badge(PAGE),
}
# Style and script have files of their own; bars and feeds are read a line for each part.
ASSETS = re.compile(r"(<style>|<script>).*?(</style>|</script>)", re.DOTALL)


def readable(made: str) -> str:
    return ASSETS.sub(r"\1…\2", made).replace("></entry><", "></entry>\n<")


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_as_it_was(name, pytestconfig):
    made = readable(RENDERINGS[name])
    if pytestconfig.getoption("--update-golden"):
        GOLDENS.mkdir(exist_ok=True)
        GOLDENS.joinpath(name).write_text(made, encoding="utf-8")

    assert made == GOLDENS.joinpath(name).read_text(encoding="utf-8")


def test_no_golden_is_left_over():
    assert {one.name for one in GOLDENS.iterdir()} == set(RENDERINGS)
