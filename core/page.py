"""The status page as a value, and the public facts that it is made from. Nothing private fits in.

Every rendering (page, Markdown, JSON, feeds, badge, static copy, webhooks) is made from these
values. `core.projection` makes them from the facts and a moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import TypeVar
from uuid import UUID

from core.incident import PublicText, Severity
from core.lifecycle import PublicWord
from core.public_side import KeptUpdate, PublicIncident

# The length of a bar: today and the days before it.
DAYS = 90
# The number of incidents that the lists of JSON and of feeds hold.
RECENT = 50
# The page lists the incidents that ended within this time, and no more than so many of them.
LATELY = timedelta(days=14)
LATELY_MAX = 10
WITHDRAWN = "This update was withdrawn."
NO_DATA = "No data"


class ComponentStatus(StrEnum):
    """The status of a component, worst first.

    Source: the component statuses of Atlassian Statuspage's public API.
    """

    MAJOR_OUTAGE = "major_outage"
    PARTIAL_OUTAGE = "partial_outage"
    DEGRADED_PERFORMANCE = "degraded_performance"
    UNDER_MAINTENANCE = "under_maintenance"
    OPERATIONAL = "operational"

    @property
    def words(self) -> str:
        """The status for people: ``Partial outage``."""
        return self.value.replace("_", " ").capitalize()


class Impact(StrEnum):
    """How bad an incident is for the public, worst first; also the indicator of a page.

    Source: the impacts of Atlassian Statuspage's public API.
    """

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    NONE = "none"


IMPACTS = {
    Severity.CRITICAL: Impact.CRITICAL,
    Severity.HIGH: Impact.MAJOR,
    Severity.MEDIUM: Impact.MINOR,
    Severity.LOW: Impact.NONE,
}
# What an open incident makes of the components that it tags.
STATUSES = {
    Severity.CRITICAL: ComponentStatus.MAJOR_OUTAGE,
    Severity.HIGH: ComponentStatus.PARTIAL_OUTAGE,
    Severity.MEDIUM: ComponentStatus.DEGRADED_PERFORMANCE,
    Severity.LOW: ComponentStatus.OPERATIONAL,
}
# What a component makes of the page. Maintenance never raises it.
INDICATORS = {
    ComponentStatus.MAJOR_OUTAGE: Impact.CRITICAL,
    ComponentStatus.PARTIAL_OUTAGE: Impact.MAJOR,
    ComponentStatus.DEGRADED_PERFORMANCE: Impact.MINOR,
    ComponentStatus.UNDER_MAINTENANCE: Impact.NONE,
    ComponentStatus.OPERATIONAL: Impact.NONE,
}


Ranked = TypeVar("Ranked", ComponentStatus, Impact)


def worst(of: Iterable[Ranked], *, best: Ranked) -> Ranked:
    """The worst of ``of``, ``best`` if there is none. Their members are declared worst first."""
    return min(of, key=_RANKS.__getitem__, default=best)


_RANKS = {one: rank for kind in (ComponentStatus, Impact) for rank, one in enumerate(kind)}


# The facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """A page as its workspace has set it up. ``language`` is that of dates, such as ``en``.

    ``kept`` is the id that it keeps of an imported page, as those of groups and components below.
    ``noindex`` keeps search engines away until it is launched.
    """

    workspace: str
    slug: str
    title: str
    language: str = "en"
    noindex: bool = True
    published_at: datetime
    kept: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerPage:
    """The settings of a page that was taken off: its workspace keeps them for the next one."""

    slug: str
    title: str
    language: str
    noindex: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentGroup:
    """A heading of the page over some of its components."""

    id: UUID
    name: str
    position: int
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    kept: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A status that a publisher gave a component by hand, from ``at`` to ``until``.

    ``status`` None: the override before it was cleared. ``until`` None: until the next one. The
    reason is private, so it has no place here.
    """

    at: datetime
    status: ComponentStatus | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownComponent:
    """A component as the page has it; ``shown`` False: it is hidden.

    ``overrides`` are oldest first.
    Its record begins with ``start_date``, otherwise with the day on which it was created.
    """

    id: UUID
    name: str
    position: int
    group: UUID | None = None
    description: str | None = None
    shown: bool = True
    showcase: bool = False
    only_if_degraded: bool = False
    start_date: date | None = None
    created_at: datetime
    updated_at: datetime
    overrides: tuple[Override, ...] = ()
    kept: str | None = None

    def by_hand(self, at: datetime) -> Override | None:
        """The override in force at the moment ``at``; None if it is over or was cleared."""
        newest = next((one for one in reversed(self.overrides) if one.at <= at), None)
        if newest is None or newest.status is None:
            return None
        return None if newest.until is not None and newest.until <= at else newest


def in_page_order(
    components: Iterable[ShownComponent], groups: Iterable[ComponentGroup]
) -> list[tuple[ComponentGroup | None, ShownComponent]]:
    """Components with their groups, in the order of the page; those without a group come last."""
    known = {one.id: one for one in groups}
    rows = [(known.get(one.group) if one.group else None, one) for one in components]

    def place(
        row: tuple[ComponentGroup | None, ShownComponent],
    ) -> tuple[bool, int, str, int, str]:
        group, one = row
        heading = (group is None, group.position if group else 0, group.name if group else "")
        return (*heading, one.position, one.name)

    return sorted(rows, key=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """All components of a workspace, hidden ones too, and all groups. For responders.

    ``page`` is None while none is published; ``former`` is the one that was taken off then.
    """

    components: tuple[ShownComponent, ...]
    groups: tuple[ComponentGroup, ...]
    page: PageSettings | None
    former: FormerPage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """All public facts of a page, as they are at one moment.

    ``incidents`` are the open ones, the `RECENT` newest, those that tagged a component within the
    last `DAYS` days, and of the others the last to end within `LATELY`, one more than `LATELY_MAX`;
    each once, newest first. ``changed_at`` is the moment of the newest write
    to them. ``turns`` are moments at which a text becomes public, or a promise ends, without a
    write; those ahead make the page change by itself.
    """

    settings: PageSettings
    groups: tuple[ComponentGroup, ...] = ()
    components: tuple[ShownComponent, ...] = ()
    incidents: tuple[PublicIncident, ...] = ()
    changed_at: datetime
    turns: tuple[datetime, ...] = ()


# The page


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day (UTC) of a component's bar.

    ``status`` is the worst of the day, None before the record began. ``incidents`` are those that
    made it worse than operational, oldest first.
    """

    date: date
    status: ComponentStatus | None
    incidents: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageComponent:
    """A component on the page. ``days`` are `DAYS`, oldest first; ``since`` begins its status."""

    component: ShownComponent
    status: ComponentStatus
    since: datetime
    days: tuple[Day, ...]

    @property
    def shown(self) -> bool:
        """Whether the page shows it now: some are shown only while they are not operational."""
        fine = self.status is ComponentStatus.OPERATIONAL
        return not (fine and self.component.only_if_degraded)

    @property
    def recorded(self) -> bool:
        """Whether anything is known of it: its record has begun, or its status is not the best."""
        begun = any(day.status is not None for day in self.days)
        return begun or self.status is not ComponentStatus.OPERATIONAL

    @property
    def words(self) -> str:
        """Its status for people; without any record it is not called operational."""
        return self.status.words if self.recorded else NO_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGroup:
    """A group with its components, in their order; None: those without a group."""

    group: ComponentGroup | None
    components: tuple[PageComponent, ...]

    @property
    def status(self) -> ComponentStatus:
        """The worst status in it."""
        statuses = (one.status for one in self.components)
        return worst(statuses, best=ComponentStatus.OPERATIONAL)

    @property
    def recorded(self) -> bool:
        """Whether anything is known of one of its components."""
        return any(one.recorded for one in self.components)

    @property
    def words(self) -> str:
        """Its status for people."""
        return self.status.words if self.recorded else NO_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """The status of a component that an incident tags, before and after one of its updates."""

    id: UUID
    name: str
    old: ComponentStatus
    new: ComponentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUpdate:
    """One update of an incident as the page shows it. ``word`` is the public word from it on.

    ``body`` None: a bare change of status, or a withdrawn text. ``moved``: it changed the word.
    ``changed_at`` is ``at``, or the moment of the withdrawal. ``held`` and ``settled_at`` are those
    of `PublicUpdate`.
    """

    entry: int
    word: PublicWord
    moved: bool
    body: PublicText | None
    at: datetime
    changed_at: datetime
    withdrawn: bool = False
    affected: tuple[Affected, ...] = ()
    held: bool = False
    settled_at: datetime | None = None
    kept: KeptUpdate | None = None

    @property
    def told_at(self) -> datetime:
        """The moment from which all of it is public; a text that was taken back leaves no trace."""
        has_text = self.body is not None or self.withdrawn
        return self.settled_at if has_text and self.settled_at is not None else self.at

    @property
    def status(self) -> str:
        """The public word, or that of the page that it was imported from: ``postmortem``."""
        return self.kept.status if self.kept else self.word.value

    @property
    def words(self) -> str:
        """Its text, or the fixed sentence that stands in for it."""
        if self.body is not None:
            return self.body
        return WITHDRAWN if self.withdrawn else f"Status changed to {self.word.capitalize()}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageIncident:
    """An incident as the page shows it; ``updates`` are newest first.

    ``monitoring_at`` is the moment of the first public word ``monitoring``, None before.
    """

    incident: PublicIncident
    impact: Impact
    updates: tuple[PageUpdate, ...]
    monitoring_at: datetime | None

    @property
    def status(self) -> str:
        """The public word, or ``postmortem`` if an imported incident ends with one."""
        last = self.updates[0] if self.updates else None
        ended = not self.open and last is not None and last.word is PublicWord.RESOLVED
        return last.status if last and ended else self.incident.word.value

    @property
    def open(self) -> bool:
        """Whether the public still waits for its end."""
        return self.incident.word is not PublicWord.RESOLVED

    @property
    def latest(self) -> tuple[PageUpdate, ...]:
        """The updates from the newest text on, newest first; without any text, the newest one.

        A change of status without words does not hide what was said last.
        """
        place = next((n for n, one in enumerate(self.updates) if one.body is not None), 0)
        return self.updates[: place + 1]

    @property
    def ended_at(self) -> datetime | None:
        """The moment of its last end, None if it is open. A later text or correction is no end."""
        if self.open:
            return None
        after = takewhile(lambda one: one.word is PublicWord.RESOLVED, self.updates)
        return min((one.at for one in after), default=self.incident.resolved_at)

    @property
    def since(self) -> datetime:
        """The moment of its newest change, with a write or without one."""
        promise = self.incident.next_update
        overdue = [promise.due_at] if promise is not None and promise.overdue else []
        return max([self.incident.updated_at, *overdue])


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The whole page at one moment.

    ``since`` is the moment of its newest change, so it is the same until ``until``, the first
    moment at which it changes without a write. ``today`` is the last day of the bars (UTC).
    ``open`` are worst first, ``recent`` newest first (at most `RECENT`). ``lately`` ended within
    `LATELY`, the last to end first; with more than `LATELY_MAX` of them, some may be missing.
    """

    settings: PageSettings
    indicator: Impact
    groups: tuple[PageGroup, ...]
    open: tuple[PageIncident, ...]
    recent: tuple[PageIncident, ...]
    lately: tuple[PageIncident, ...]
    since: datetime
    until: datetime
    today: date

    @property
    def components(self) -> tuple[PageComponent, ...]:
        """All components, in the order of the page."""
        return tuple(one for group in self.groups for one in group.components)

    @property
    def description(self) -> str:
        """The banner's sentence.

        Source: the descriptions of Atlassian Statuspage's public API.
        """
        maintained = any(one.status is ComponentStatus.UNDER_MAINTENANCE for one in self.components)
        if self.indicator is Impact.NONE and maintained:
            return "Service Under Maintenance"
        return {
            Impact.NONE: "All Systems Operational",
            Impact.MINOR: "Minor Service Outage",
            Impact.MAJOR: "Partial System Outage",
            Impact.CRITICAL: "Major Service Outage",
        }[self.indicator]
