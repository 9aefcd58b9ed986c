"""The site of a page: each path under its address, and the bytes that it has. Pure.

The bytes of a path follow from the page's value, and from the incidents that a path asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from bot.page import html, markdown
from bot.page.addresses import Addresses
from bot.page.badge import badge
from bot.page.feeds import FEEDS, changed_at
from bot.page.html import Copy
from bot.page.statuspage import DOCUMENTS, document
from core.page import PageIncident, StatusPage

HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
JSON = "application/json; charset=utf-8"
TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
}
SVG = "image/svg+xml; charset=utf-8"

_INCIDENT = re.compile(r"incidents/([1-9][0-9]{0,8})")
# The address that an imported incident had before. No number of an incident is as long.
_KEPT = re.compile(r"incidents/([A-Za-z0-9_-]{10,64})")
# Before the year 2000 nothing happened; the last years of the calendar have no following month.
_MONTH = re.compile(r"history/(2[0-9]{3}-[0-9]{2})")
_DAY = re.compile(r"days/(2[0-9]{3}-[0-9]{2}-[0-9]{2})")
_JSON = re.compile(r"api/v2/([a-z/-]+)\.json")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of a path, and their type.

    ``changed_at`` is the moment of their newest change if it may be after that of the page.
    """

    body: bytes
    media_type: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class One:
    """A path that needs the incident of this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Former:
    """A path that needs the imported incident with this id, which it had before."""

    id: str


@dataclass(frozen=True, slots=True)
class Span:
    """A path that needs the incidents of a time; ``end`` is not part of it.

    ``overlapping``: also those that were declared before it, and ended in it.
    """

    start: datetime
    end: datetime
    overlapping: bool


Needs = One | Former | Span | None


class Render(Protocol):
    """Renders a path from the page and from what it needs; ``copy``: as a file of a static copy."""

    def __call__(
        self,
        page: StatusPage,
        at: Addresses,
        found: Sequence[PageIncident],
        copy: Copy | None = None,
        /,
    ) -> Rendered | None:
        """The bytes of the path; None: there is none."""


@dataclass(frozen=True, slots=True)
class SitePath:
    """A path of the site: what it needs beside the page, and how it is rendered."""

    needs: Needs
    render: Render


def path_of(path: str, page: StatusPage) -> SitePath | None:
    """The document at ``path``, which begins with no slash; None if there is none."""
    if path in FIXED:
        return FIXED[path]
    if found := _JSON.fullmatch(path):
        return _json(found.group(1))
    as_markdown = path.endswith(".md")
    name = path.removesuffix(".md")
    if found := _INCIDENT.fullmatch(name):
        return SitePath(One(int(found.group(1))), _incident(as_markdown=as_markdown))
    if found := _KEPT.fullmatch(name):
        return SitePath(Former(found.group(1)), _incident(as_markdown=as_markdown))
    if name == "history":
        name = f"history/{page.today:%Y-%m}"
    if found := _MONTH.fullmatch(name):
        return _month(_date(f"{found.group(1)}-01"), page, as_markdown=as_markdown)
    found = _DAY.fullmatch(name)
    return _day(_date(found.group(1)), page, as_markdown=as_markdown) if found else None


def missing(page: StatusPage, at: Addresses, copy: Copy | None = None) -> Rendered:
    """The answer for people at every path that has no document, the same for each."""
    return _html(html.missing(page, at, copy))


def is_within(one: PageIncident, span: Span) -> bool:
    """Whether the incident was declared in ``span``, or overlaps it, if that counts."""
    if span.start <= one.incident.declared_at < span.end:
        return True
    over = one.incident.resolved_at
    begun = one.incident.started_at < span.end
    return span.overlapping and begun and (over is None or over >= span.start)


def _html(text: str) -> Rendered:
    return Rendered(text.encode(), HTML)


def _markdown(text: str) -> Rendered:
    return Rendered(text.encode(), MARKDOWN)


def _json(name: str) -> SitePath | None:
    if name not in DOCUMENTS:
        return None

    def render(
        page: StatusPage, at: Addresses, _: Sequence[PageIncident], _copy: Copy | None = None
    ) -> Rendered:
        made = json.dumps(document(name, page, at), ensure_ascii=False, separators=(",", ":"))
        return Rendered(made.encode(), JSON)

    return SitePath(None, render)


def _feed(name: str) -> SitePath:
    def render(
        page: StatusPage, at: Addresses, _: Sequence[PageIncident], _copy: Copy | None = None
    ) -> Rendered:
        kind = TYPES[name[name.index(".") :]]
        return Rendered(FEEDS[name](page, at), kind, changed_at(name, page))

    return SitePath(None, render)


FIXED: dict[str, SitePath] = {
    "": SitePath(None, lambda page, at, _, copy=None: _html(html.now(page, at, copy))),
    "index.md": SitePath(
        None, lambda page, at, _, copy=None: _markdown(markdown.now(page, at, copy))
    ),
    "badge.svg": SitePath(
        None, lambda page, _at, _, _copy=None: Rendered(badge(page).encode(), SVG)
    ),
    **{name: _feed(name) for name in FEEDS},
}


def _incident(*, as_markdown: bool) -> Render:
    def render(
        page: StatusPage, at: Addresses, found: Sequence[PageIncident], copy: Copy | None = None
    ) -> Rendered | None:
        if not found:
            return None
        one = found[0]
        if as_markdown:
            return _markdown(markdown.incident(one, page, at, copy))
        return _html(html.incident(one, page, at, copy))

    return render


def _month(first: date | None, page: StatusPage, *, as_markdown: bool) -> SitePath | None:
    if first is None or first > page.today:
        return None
    start = _midnight(first)
    end = _midnight((first + timedelta(days=31)).replace(day=1))

    def render(
        page: StatusPage, at: Addresses, found: Sequence[PageIncident], copy: Copy | None = None
    ) -> Rendered:
        of = html.month(first, found, page)
        if as_markdown:
            return _markdown(markdown.listed(of, page, at, copy))
        return _html(html.listed(of, page, at, copy))

    return SitePath(Span(start, end, overlapping=False), render)


def _day(day: date | None, page: StatusPage, *, as_markdown: bool) -> SitePath | None:
    if day is None or day > page.today:
        return None
    start = _midnight(day)

    def render(
        page: StatusPage, at: Addresses, found: Sequence[PageIncident], copy: Copy | None = None
    ) -> Rendered:
        of = html.day(day, found, page)
        if as_markdown:
            return _markdown(markdown.listed(of, page, at, copy))
        return _html(html.listed(of, page, at, copy))

    return SitePath(Span(start, start + timedelta(days=1), overlapping=True), render)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
