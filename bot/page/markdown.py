"""The pages as Markdown: the same facts in the same order. Typed texts stay within their lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.page import html
from bot.page.addresses import Addresses, day_path, incident_path
from bot.page.bars import bad_days, day_name
from bot.page.html import Copy, Listed
from bot.page.texts import lasting, utc
from core.markdown import inline, quote
from core.page import PageIncident, StatusPage


def now(page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page itself."""
    return _text([*_now(page, at), *_made(copy)])


def incident(one: PageIncident, page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page of one incident."""
    since = _since(*html.unchanged([one], page))
    return _text([*_incident(one, at, level=1), *since, *_made(copy)])


def listed(of: Listed, page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page of a month, or of a day."""
    lines = [f"# {inline(of.heading)}", ""]
    for one in of.incidents:
        lines += _incident(one, at, level=2)
    if not of.incidents:
        lines += [of.nothing, ""]
    if of.worst:
        lines += [f"## {html.WORST_HEADING}", ""]
        lines += [f"- {inline(name)}: {words.lower()}" for name, words in of.worst]
        lines += [""]
    lines += [
        f"- [{inline(name)}]({at.of(f'{path}.md')})"
        for name, path in filter(None, (of.earlier, of.later))
        if at.has(f"{path}.md")
    ]
    return _text([*lines, "", *_since(*html.unchanged(of.incidents, page)), *_made(copy)])


def _now(page: StatusPage, at: Addresses) -> Iterator[str]:
    yield from (f"# {inline(page.settings.title)}", "", f"**{page.description}**", "")
    if page.open:
        yield from ("## Open incidents", "")
        for one in page.open:
            yield from _incident(one, at, level=3)
    yield from _components(page)
    yield from _days(page, at)
    yield from (f"## {html.LATELY_HEADING}", "")
    if over := html.lately(page):
        for one in over:
            yield from _incident(one, at, level=3)
    else:
        yield from (html.LATELY_NOTHING, "")
    if rest := html.lately_rest(page):
        yield from (rest, "")
    yield from (f"[All incidents by month]({at.of('history.md')})", "")
    yield from _subscribe(at)
    yield from _since("Unchanged", page.since)


def _components(page: StatusPage) -> Iterator[str]:
    groups = html.shown_groups(page)
    if groups:
        yield from ("## Components", "")
    for group in groups:
        if group.group is not None:
            yield f"- **{inline(group.group.name)}**: {group.words}"
        indent = "" if group.group is None else "  "
        for each in group.components:
            yield f"{indent}- {inline(each.component.name)}: {each.words}"
            yield from (f"{indent}  - {word}" for word in bad_days(each))
    if groups:
        yield ""


def _days(page: StatusPage, at: Addresses) -> Iterator[str]:
    if days := html.eventful_days(page):
        yield from (f"## {html.DAYS_HEADING}", "")
        for day, words in days:
            yield f"- [{day_name(day)}]({at.of(f'{day_path(day)}.md')}): {inline(words)}"
        yield ""


def _incident(one: PageIncident, at: Addresses, *, level: int) -> list[str]:
    public = one.incident
    facts = [
        public.word.capitalize(),
        public.severity.capitalize(),
        f"started {utc(public.started_at)}",
    ]
    if public.resolved_at:
        facts.append(f"lasted {lasting(public.resolved_at - public.started_at)}")
    facts.append(public.name)
    address = at.of(f"{incident_path(public)}.md")
    lines = [
        f"{'#' * level} [{inline(public.title)}]({address})",
        "",
        " · ".join(facts),
        "",
    ]
    if public.components:
        lines += [f"Affects: {', '.join(inline(each.name) for each in public.components)}", ""]
    if public.next_update:
        said = "Next update was due" if public.next_update.overdue else "Next update by"
        lines += [f"{said} {utc(public.next_update.due_at)}", ""]
    for update in one.updates:
        lines += [f"**{update.status.capitalize()}** · {utc(update.at)}", ""]
        lines += [*quote(update.words), ""]
    return lines


def _subscribe(at: Addresses) -> Iterator[str]:
    yield from ("## Subscribe", "")
    for feed, name in html.FEEDS.items():
        yield f"- [{name}]({at.of(feed)})"
    yield f"- {html.IN_SLACK}: `{html.SLACK_COMMAND} {at.whole(html.FEED_FOR_SLACK)}`"
    yield from (f"- {html.BY_MAIL}", "")


def _since(unchanged: str, moment: datetime) -> list[str]:
    return [f"{unchanged} since {utc(moment)}. All days are days in UTC."]


def _made(copy: Copy | None) -> list[str]:
    """The line of a static copy: its moment, and the last one at which it is good."""
    if copy is None:
        return []
    good = f"; after {utc(copy.stale)} it is out of date" if copy.stale else ""
    return ["", f"Made {utc(copy.made)}{good}."]


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip() + "\n"
