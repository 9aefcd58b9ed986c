"""Page, JSON, Markdown and feeds say the same, and it is what a second, plain fold says.

The fold below shares no code with `core.projection`: it asks for the status at each moment at which
anything happened, and takes the worst.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any, NamedTuple

import feedparser
from hypothesis import given
from hypothesis import strategies as st

from bot.page import html, markdown
from bot.page.feeds import FEEDS
from bot.page.ids import object_id
from bot.page.statuspage import document
from core.incident import Component, PublicText, Severity
from core.page import DAYS, ComponentStatus, Override, StatusPage
from core.public_side import PublicIncident
from tests.builders import NINE, a_component
from tests.core.test_projection import an_incident, page, shown
from tests.page.example import AT

COMPONENTS = [a_component(name) for name in ("API", "Web shop", "Search")]
STARTS = [date(2025, 1, 1), date(2026, 2, 20), date(2026, 3, 3)]
NOW = NINE + timedelta(hours=1)
RANKED = [
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
]
OF_SEVERITY = {
    "low": "operational",
    "medium": "degraded_performance",
    "high": "partial_outage",
    "critical": "major_outage",
}
INDICATORS = ["none", "minor", "major", "critical"]
OF_STATUS = dict(zip(RANKED, ["none", "none", "minor", "major", "critical"], strict=True))
IMPACT = dict(zip(OF_SEVERITY, INDICATORS, strict=True))
BANNERS = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
WORDS = ["investigating", "identified", "monitoring", "resolved"]
TEXTS = ["We look into it.", "a < b & *c*", "See https://a.example/?q=1&r=_2_.", "الدفع معطل 🔥"]


class Raw(NamedTuple):
    """An incident as plain values; steps are (moment, word or None, text or None), oldest first."""

    start: datetime
    steps: list[tuple[datetime, str | None, str | None]]
    severities: list[tuple[datetime, str]]
    tags: list[tuple[datetime, tuple[int, ...]]]


class ByHand(NamedTuple):
    """An override: the component's place, its start, its status, and its end."""

    component: int
    start: datetime
    status: str | None
    end: datetime | None


# --- histories ----------------------------------------------------------------------------------


def after(start: datetime, minutes: list[int]) -> list[datetime]:
    """Ascending moments from ``start``, none of them in the future."""
    made, at = [], start
    for step in minutes:
        at = min(at + timedelta(minutes=step), NOW)
        made.append(at)
    return made


@st.composite
def histories(draw: st.DrawFn) -> Raw:
    start = NOW - timedelta(minutes=draw(st.integers(1, 60 * 24 * 100)))
    gaps = st.lists(st.integers(1, 60 * 24 * 3), max_size=4)
    steps: list[tuple[datetime, str | None, str | None]] = [(start, "investigating", None)]
    place = 0
    for at in after(start, draw(gaps)):
        place = min(place + draw(st.integers(0, 2)), 3)
        word = draw(st.sampled_from([WORDS[place], None]))
        text = draw(st.sampled_from([*TEXTS, None] if word else TEXTS))
        steps.append((at, word, text))
        if word == "resolved":
            break
    changes = after(start, draw(gaps))
    severity = st.sampled_from(list(OF_SEVERITY))
    tagged = st.sets(st.integers(0, 2), max_size=3).map(lambda found: tuple(sorted(found)))
    return Raw(
        start,
        steps,
        [(at, draw(severity)) for at in (start, *changes[::2])],
        [(at, draw(tagged)) for at in (start, *changes[1::2])],
    )


@st.composite
def overrides(draw: st.DrawFn) -> list[ByHand]:
    found = []
    for component in (0, 1, 2):
        begun = NOW - timedelta(minutes=draw(st.integers(0, 60 * 24 * 10)))
        for at in after(begun, draw(st.lists(st.integers(1, 60 * 24), max_size=2))):
            status = draw(st.sampled_from([*RANKED, None]))
            hours = draw(st.sampled_from([None, 1, 30]))
            end = None if hours is None or status is None else at + timedelta(hours=hours)
            found.append(ByHand(component, at, status, end))
    return found


def projected(raws: list[Raw], by_hand: list[ByHand]) -> StatusPage:
    components = tuple(
        shown(
            component,
            position=place,
            start_date=STARTS[place],
            overrides=tuple(
                Override(
                    at=one.start,
                    status=ComponentStatus(one.status) if one.status else None,
                    until=one.end,
                )
                for one in by_hand
                if one.component == place
            ),
        )
        for place, component in enumerate(COMPONENTS)
    )
    incidents = [public(number, raw) for number, raw in numbered(raws)]
    return page(*incidents, components=components, at=NOW)


def numbered(raws: list[Raw]) -> list[tuple[int, Raw]]:
    """Newest first, as the store gives them."""
    return [(number, raws[number - 1]) for number in range(len(raws), 0, -1)]


def public(number: int, raw: Raw) -> PublicIncident:
    def named(places: tuple[int, ...]) -> tuple[Component, ...]:
        return tuple(COMPONENTS[place] for place in places)

    over = [at for at, word, _ in raw.steps if word == "resolved"]
    return an_incident(
        *raw.steps[1:],
        number=number,
        severity=Severity(raw.severities[-1][1]),
        tagged=named(raw.tags[-1][1]),
        started_at=raw.start,
        resolved_at=over[0] if over else None,
        title=PublicText(f"Incident <{number}>"),
        severities=tuple((at, Severity(one)) for at, one in raw.severities),
        tags=tuple((at, named(places)) for at, places in raw.tags),
    )


# --- the second fold ----------------------------------------------------------------------------


def last(course: list[tuple[datetime, Any]], at: datetime) -> Any:
    return [value for since, value in course if since <= at][-1]


def word_at(raw: Raw, at: datetime) -> str:
    said: str = last([(since, word) for since, word, _ in raw.steps if word], at)
    return said


def status_at(place: int, raws: list[Raw], by_hand: list[ByHand], at: datetime) -> str:
    mine = [one for one in by_hand if one.component == place and one.start <= at]
    if mine and mine[-1].status and (mine[-1].end is None or at < mine[-1].end):
        return mine[-1].status
    found = [
        OF_SEVERITY[last(raw.severities, at)]
        for raw in raws
        if raw.start <= at and word_at(raw, at) != "resolved" and place in last(raw.tags, at)
    ]
    return max(found, key=RANKED.index, default="operational")


def bar(place: int, raws: list[Raw], by_hand: list[ByHand]) -> list[str | None]:
    moments = {NOW}
    for raw in raws:
        moments |= {one[0] for one in (*raw.steps, *raw.severities, *raw.tags)}
    for one in by_hand:
        moments |= {one.start, *([one.end] if one.end else [])}
    made: list[str | None] = []
    for back in reversed(range(DAYS)):
        day = NOW.date() - timedelta(days=back)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        seen = [midnight, *(at for at in moments if at.date() == day and at <= NOW)]
        statuses = [status_at(place, raws, by_hand, at) for at in seen]
        made.append(None if day < STARTS[place] else max(statuses, key=RANKED.index))
    return made


def told(raw: Raw) -> list[tuple[str, str]]:
    """The updates as word and text, newest first."""
    made, word = [], ""
    for _, moved, text in raw.steps:
        if text or (moved and moved != word):
            made.append((moved or word, text or f"Status changed to {(moved or word).title()}."))
        word = moved or word
    return made[::-1]


# --- what each rendering says -------------------------------------------------------------------


class Page(HTMLParser):
    """The texts by class, the bars, and the updates of each incident."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.by_class: dict[str, list[str]] = {}
        self.bars: list[list[str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(source)

    def of(self, kind: str) -> list[str]:
        """The texts of the elements whose tag and class begin with ``kind``."""
        found = (texts for name, texts in self.by_class.items() if name.startswith(kind))
        return [text for texts in found for text in texts]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("class") == "bar":
            self.bars.append([])
        if tag == "path" and self.bars and self._open[-1] == "svg":
            strokes = (named["d"] or "").count("v")
            self.bars[-1] += [named.get("class")] * strokes
        if tag not in {"meta", "link", "br"}:
            self._open.append(f"{tag} {named.get('class') or ''}".strip())

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "link", "br"}:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open[-1] not in {"style", "script", "title"}:
            self.by_class.setdefault(self._open[-1], []).append(data.strip())
            self.text.append(data)


def words_of(content: str) -> list[str]:
    return re.findall(r"<strong>(\w+)</strong>", content)


def without_blanks(text: str) -> str:
    return "".join(text.split())


def plain(of_markdown: str) -> str:
    """Markdown without its escapes."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", of_markdown)


@given(st.lists(histories(), max_size=4), overrides())
def test_all_renderings_agree_with_a_second_fold(raws, by_hand):
    made = projected(raws, by_hand)
    made_at = {one.incident.number: one.incident.declared_at for one in made.recent}
    statuses = [status_at(place, raws, by_hand, NOW) for place in range(3)]
    open_ = {n: raw for n, raw in numbered(raws) if word_at(raw, NOW) != "resolved"}
    indicator = max(
        (
            *(OF_STATUS[one] for one in statuses),
            *(IMPACT[raw.severities[-1][1]] for raw in open_.values()),
            "none",
        ),
        key=INDICATORS.index,
    )
    maintained = indicator == "none" and "under_maintenance" in statuses
    banner = "Service Under Maintenance" if maintained else BANNERS[indicator]

    summary, incidents = document("summary", made, AT), document("incidents", made, AT)
    assert summary["status"] == {"indicator": indicator, "description": banner}
    assert [one["status"] for one in summary["components"]] == statuses
    newest_first = sorted(open_, key=lambda n: (made_at[n], n), reverse=True)
    assert [one["name"] for one in summary["incidents"]] == [
        f"Incident <{n}>" for n in newest_first
    ]
    assert [
        [(one["status"], one["body"]) for one in each["incident_updates"]]
        for each in incidents["incidents"]
    ] == [told(raw) for _, raw in numbered(raws)]

    assert {one["id"] for one in summary["components"]} == {object_id(c.id) for c in COMPONENTS}

    words = [one.replace("_", " ").capitalize() for one in statuses]
    if STARTS[2] > NOW.date() and statuses[2] == "operational":
        words[2] = "No data"
    now = Page(html.now(made, AT))
    assert now.bars == [bar(place, raws, by_hand) for place in range(3)]
    assert now.of("p banner") == [banner]
    assert sorted(now.of("span how")) == sorted(words)
    in_markdown = markdown.now(made, AT)
    assert f"**{banner}**" in in_markdown
    assert re.findall(r"^- (?:API|Web shop|Search): (.*)$", in_markdown, re.MULTILINE) == words

    feed = feedparser.parse(FEEDS["history.atom"](made, AT))
    assert len(feed.entries) == len(made.recent) == len(raws)
    for (number, raw), one, entry in zip(numbered(raws), made.recent, feed.entries, strict=True):
        on_page = " ".join(Page(html.incident(one, made, AT)).text)
        in_markdown = plain(markdown.incident(one, made, AT))
        content = entry.content[0].value
        assert entry.title == f"Incident <{number}>"
        assert words_of(content) == [word.capitalize() for word, _ in told(raw)]
        for word, said in told(raw):
            assert without_blanks(said) in without_blanks(on_page)
            assert without_blanks(said) in without_blanks(
                " ".join(Page(f"<div>{content}</div>").text)
            )
            assert f"**{word.capitalize()}**" in in_markdown
            assert said in in_markdown
    updates = feedparser.parse(FEEDS["updates.rss"](made, AT))
    assert len(updates.entries) == sum(len(told(raw)) for raw in raws)
