"""The pages as HTML: the status now, an incident, a month, a day, and no such page. Pure.

Style and script are part of the page, and its policy names their hashes. So a page needs no other
request, runs nothing else, and can be read without both.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.page.addresses import Addresses, day_path, incident_path, month_path
from bot.page.badge import COLOURS, MAINTAINED
from bot.page.bars import FINE, alternative, day_name, strokes
from bot.page.statuspage import moment
from bot.page.texts import as_html, lasting, utc
from core.page import (
    LATELY,
    LATELY_MAX,
    ComponentStatus,
    Impact,
    PageGroup,
    PageIncident,
    StatusPage,
)

TEMPLATES = Path(__file__).parent / "templates"
# With more components than these, groups without trouble are folded.
MANY = 20
LATELY_HEADING = f"Ended in the last {LATELY.days} days"
LATELY_NOTHING = f"No incident has ended in the last {LATELY.days} days."
LATELY_REST = f"Only the {LATELY_MAX} that ended last are shown here."
# An override makes such a day as well, without an incident.
DAYS_HEADING = "Days not fully operational"
WORST_HEADING = "Components on this day"

# The ways to subscribe, in the words of every page.
FEEDS = {
    "history.atom": "Each incident (Atom)",
    "history.rss": "Each incident (RSS)",
    "updates.atom": "Each update (Atom)",
    "updates.rss": "Each update (RSS)",
}
IN_SLACK, SLACK_COMMAND, FEED_FOR_SLACK = "In a channel of Slack", "/feed subscribe", "updates.rss"
BY_MAIL = "By e-mail: with a service that turns feeds into mail"


def policy(*, header: bool = True) -> str:
    """The content security policy of each page; in a file, some rules cannot be given."""
    rules = [
        "default-src 'none'",
        f"style-src '{_hash(_asset('page.css'))}'",
        f"script-src '{_hash(_asset('page.js'))}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*rules, "frame-ancestors 'none'"] if header else rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The facts of a static copy: the moment at which it was made, and its last good one.

    ``stale`` None: it stays good, since its incident is over.
    """

    made: datetime
    stale: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of incidents: the heading, the sentence for none, and its neighbours with paths.

    ``incidents`` are in the order of the page. ``worst`` are the components that were not
    operational on the day of the list, each with its worst status, as in its bar.
    """

    heading: str
    nothing: str
    turning: str
    path: str
    incidents: Sequence[PageIncident] = field(default=())
    worst: Sequence[tuple[str, str]] = field(default=())
    earlier: tuple[str, str] | None = None
    later: tuple[str, str] | None = None


def now(page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page itself."""
    return _render(
        "page.html.j2",
        page,
        at,
        copy,
        here="now",
        markdown=at.of("index.md"),
        banner=_banner(page),
        groups=shown_groups(page),
        many=len(page.components) > MANY,
        days=eventful_days(page),
        days_heading=DAYS_HEADING,
        lately=lately(page),
        lately_heading=LATELY_HEADING,
        lately_nothing=LATELY_NOTHING,
        lately_rest=lately_rest(page),
    )


def incident(one: PageIncident, page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page of one incident."""
    markdown = at.of(f"{incident_path(one.incident)}.md")
    return _render(
        "incident.html.j2",
        page,
        at,
        copy,
        markdown=markdown,
        here="",
        one=one,
        unchanged=unchanged([one], page),
    )


def listed(of: Listed, page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page of a month, or of a day."""
    return _render(
        "list.html.j2",
        page,
        at,
        copy,
        here="history" if of.turning == "Months" else "",
        markdown=at.of(f"{of.path}.md"),
        unchanged=unchanged(of.incidents, page),
        heading=of.heading,
        nothing=of.nothing,
        turning=of.turning,
        incidents=of.incidents,
        worst=of.worst,
        worst_heading=WORST_HEADING,
        earlier=of.earlier if of.earlier and at.has(of.earlier[1]) else None,
        later=of.later,
    )


def unchanged(incidents: Sequence[PageIncident], page: StatusPage) -> tuple[str, datetime]:
    """What a page with these ``incidents`` says is unchanged, and since when.

    A list counts the incidents that it shows; one that has left it does not count. Without any
    incident it is the whole page: nothing on it is newer.
    """
    if not incidents:
        return "The status page is unchanged", page.since
    subject = "This incident is" if len(incidents) == 1 else "These incidents are"
    return f"{subject} unchanged", max(one.since for one in incidents)


def missing(page: StatusPage, at: Addresses, copy: Copy | None = None) -> str:
    """The page of every address that is none: nothing in it tells of what the address names."""
    return _render("missing.html.j2", page, at, copy, here="", markdown=at.of("index.md"))


def month(first: date, incidents: Sequence[PageIncident], page: StatusPage) -> Listed:
    """The incidents that were declared in the month that begins with ``first``."""
    before, after = (first - timedelta(days=1)).replace(day=1), _next_month(first)
    return Listed(
        heading=f"Incidents in {first:%B %Y}",
        nothing="There was no incident in this month.",
        turning="Months",
        path=month_path(first),
        incidents=incidents,
        earlier=(f"{before:%B %Y}", month_path(before)),
        later=(f"{after:%B %Y}", month_path(after)) if after <= page.today else None,
    )


def day(of: date, incidents: Sequence[PageIncident], page: StatusPage) -> Listed:
    """The incidents of one day."""
    before, after = of - timedelta(days=1), of + timedelta(days=1)
    return Listed(
        heading=f"Incidents on {day_name(of)}",
        nothing="There was no incident on this day.",
        turning="Days",
        path=day_path(of),
        incidents=incidents,
        worst=_worst(of, page),
        earlier=(day_name(before), day_path(before)),
        later=(day_name(after), day_path(after)) if after <= page.today else None,
    )


def lately(page: StatusPage) -> tuple[PageIncident, ...]:
    """The incidents that ended in the last days, as many as the page shows."""
    return page.lately[:LATELY_MAX]


def lately_rest(page: StatusPage) -> str:
    """The sentence below them that says that more of them ended; empty if all are shown."""
    return LATELY_REST if len(page.lately) > LATELY_MAX else ""


def shown_groups(page: StatusPage) -> list[PageGroup]:
    """The groups with the components that the page shows now; none is empty."""
    groups = [
        PageGroup(group=group.group, components=tuple(one for one in group.components if one.shown))
        for group in page.groups
    ]
    return [group for group in groups if group.components]


def _banner(page: StatusPage) -> str:
    statuses = {one.status for one in page.components}
    if page.indicator is Impact.NONE and ComponentStatus.UNDER_MAINTENANCE in statuses:
        return "maintenance"
    return page.indicator.value


def eventful_days(page: StatusPage) -> list[tuple[date, str]]:
    """The days of the bars on which a component was not operational, newest first."""
    found: dict[date, list[str]] = {}
    for one in page.components:
        for day in one.days:
            if day.status is not None and day.status not in FINE:
                words = f"{one.component.name} ({day.status.words.lower()})"
                found.setdefault(day.date, []).append(words)
    return [(day, ", ".join(found[day])) for day in sorted(found, reverse=True)]


def _worst(of: date, page: StatusPage) -> list[tuple[str, str]]:
    """The components that were not operational on that day, with their worst status."""
    return [
        (one.component.name, day.status.words)
        for one in page.components
        for day in one.days
        if day.date == of and day.status is not None and day.status not in FINE
    ]


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _render(
    template: str, page: StatusPage, at: Addresses, copy: Copy | None, **values: Any
) -> str:
    made = (
        _environment()
        .get_template(template)
        .render(
            page=page,
            at=at,
            css=Markup(_asset("page.css")),  # noqa: S704 - our own file
            script=Markup(_asset("page.js")),  # noqa: S704 - our own file
            feeds=[(name, at.of(path)) for path, name in FEEDS.items()],
            in_slack=IN_SLACK,
            slack_command=f"{SLACK_COMMAND} {at.whole(FEED_FOR_SLACK)}",
            by_mail=BY_MAIL,
            policy=policy(header=False) if copy else None,
            made=copy and copy.made,
            stale=copy and copy.stale,
            **values,
        )
    )
    return f"{made.strip()}\n"


def _icon(banner: str) -> str:
    """A dot in the colour of the banner, as the address of a picture."""
    colour = MAINTAINED if banner == "maintenance" else COLOURS[Impact(banner)]
    dot = f'<circle cx="8" cy="8" r="7" fill="{colour}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{dot}</svg>'
    return f"data:image/svg+xml,{quote(svg)}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "iso": moment,
        "utc": utc,
        "duration": lasting,
        "text": lambda text: Markup(as_html(text)),  # noqa: S704 - `as_html` escapes
        "alternative": alternative,
        "day": day_name,
        "icon": _icon,
        "strokes": strokes,
    }
    return environment


@cache
def _asset(name: str) -> str:
    return TEMPLATES.joinpath(name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
