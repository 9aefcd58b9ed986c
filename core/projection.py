"""From public facts and a moment to the status page. Pure, and the only place that decides it.

A component has a course: its status from moment to moment, made of the overrides and of the
incidents that tag it. Day bars, the present, and the past are read from this course.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from core.incident import Component, Severity
from core.lifecycle import PublicWord
from core.page import (
    DAYS,
    IMPACTS,
    INDICATORS,
    LATELY,
    RECENT,
    STATUSES,
    Affected,
    ComponentStatus,
    Day,
    Impact,
    PageComponent,
    PageGroup,
    PageIncident,
    PageUpdate,
    PublicFacts,
    ShownComponent,
    StatusPage,
    in_page_order,
    worst,
)
from core.public_side import KeptUpdate, PublicIncident

# The store keeps microseconds. A promise is overdue once its due moment has passed.
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
# The number of a declaration in its timeline.
FIRST = 1

Value = TypeVar("Value")


class Projector:
    """Makes a page again and again, but only what changed of it anew.

    An incident that is the very same value is shown as before; so is a component, as long as its
    day lasts and nothing in its course begins or ends.
    """

    def __init__(self) -> None:
        self._incidents: dict[UUID, _Shown] = {}
        self._components: dict[UUID, _Kept] = {}

    def project(self, facts: PublicFacts, at: datetime) -> StatusPage:
        """The page at the moment ``at``. ``facts`` must have been read for the same moment."""
        shown = [self._shown(incident) for incident in facts.incidents]
        stretches: dict[UUID, list[_Stretch]] = {}
        for one in shown:
            for stretch in one.stretches:
                stretches.setdefault(stretch.component, []).append(stretch)
        kept = [
            self._kept(component, tuple(stretches.get(component.id, ())), at)
            for _, component in in_page_order(facts.components, facts.groups)
        ]
        self._incidents = {one.page.incident.id: one for one in shown}
        self._components = {one.component.id: one for one in kept}
        return _project(facts, [one.made for one in kept], [one.page for one in shown], at)

    def _shown(self, incident: PublicIncident) -> _Shown:
        known = self._incidents.get(incident.id)
        if known is not None and known.page.incident is incident:
            return known
        return _Shown(page_incident(incident), tuple(_stretches(incident)))

    def _kept(
        self, component: ShownComponent, stretches: tuple[_Stretch, ...], at: datetime
    ) -> _Kept:
        known = self._components.get(component.id)
        if known is not None and known.is_good(component, stretches, at):
            return known
        return _Kept(component, stretches, at, _page_component(component, stretches, at))


def project(facts: PublicFacts, at: datetime) -> StatusPage:
    """The page at the moment ``at``. ``facts`` must have been read for the same moment."""
    return Projector().project(facts, at)


def _project(
    facts: PublicFacts,
    components: Sequence[PageComponent],
    incidents: Sequence[PageIncident],
    at: datetime,
) -> StatusPage:
    open_ = [one for one in incidents if one.open]
    turns = sorted({*facts.turns, *_turns(facts, at)})
    today = at.astimezone(UTC).date()
    return StatusPage(
        settings=facts.settings,
        indicator=worst(
            [*(INDICATORS[one.status] for one in components), *(one.impact for one in open_)],
            best=Impact.NONE,
        ),
        groups=_grouped(facts, components),
        open=tuple(sorted(open_, key=_worst_first)),
        recent=tuple(incidents[:RECENT]),
        lately=_lately(incidents, today),
        since=max([facts.changed_at, *_changes(facts), *(turn for turn in turns if turn <= at)]),
        until=min(turn for turn in turns if turn > at),
        today=today,
    )


def _lately(incidents: Sequence[PageIncident], today: date) -> tuple[PageIncident, ...]:
    ended = [(one.ended_at, one) for one in incidents]
    within = [(at, one) for at, one in ended if at is not None and at.date() >= today - LATELY]
    return tuple(one for _, one in sorted(within, key=lambda row: row[0], reverse=True))


def page_incident(incident: PublicIncident) -> PageIncident:
    """The incident as the page shows it."""
    return PageIncident(
        incident=incident,
        impact=IMPACTS[incident.severity],
        updates=tuple(reversed(list(_page_updates(incident)))),
        monitoring_at=next(
            (since for since, word in _words(incident) if word is PublicWord.MONITORING),
            None,
        )
        if incident.kept is None or incident.kept.monitoring_at is None
        else incident.kept.monitoring_at,
    )


def as_of(incident: PublicIncident, *, at: datetime, entry: int | None) -> PublicIncident:
    """The incident as it was at the moment ``at``, without what was withdrawn since.

    ``incident`` must have been read for that moment. Of updates at the very moment only those up to
    ``entry`` had been written; None: all.
    """
    kept = tuple(
        one
        for one in incident.updates
        if one.at < at or (one.at == at and (entry is None or one.entry <= entry))
    )
    moves = [one for one in kept if one.word is not None and one.status is not None]
    resolved_at = incident.resolved_at
    return replace(
        incident,
        severity=_at(incident.severities, at) if incident.severities else incident.severity,
        components=_at(incident.tags, at) if incident.tags else incident.components,
        status=moves[0].status if moves and moves[0].status else incident.status,
        word=moves[0].word if moves and moves[0].word else incident.word,
        resolved_at=resolved_at if resolved_at is not None and resolved_at <= at else None,
        updated_at=min(incident.updated_at, at),
        updates=kept,
    )


def _page_updates(incident: PublicIncident) -> Iterator[PageUpdate]:
    """The updates, oldest first. A move that keeps the public word, and has no text, is none."""
    word = PublicWord.INVESTIGATING
    before: datetime | None = None
    for update in reversed(incident.updates):
        moved = before is None or (update.word is not None and update.word is not word)
        word = update.word or word
        if incident.kept and update.kept is None and update.entry == FIRST:
            # An imported incident begins with its first text: nobody read of its declaration.
            continue
        if update.body is None and not (update.withdrawn or moved):
            continue
        yield PageUpdate(
            entry=update.entry,
            word=word,
            moved=moved,
            body=update.body,
            at=update.at,
            changed_at=update.changed_at,
            withdrawn=update.withdrawn,
            affected=_affected(incident, before, update.at)
            if update.kept is None
            else tuple(_kept_affected(update.kept)),
            held=update.held,
            settled_at=update.settled_at,
            kept=update.kept,
        )
        before = update.at


def _kept_affected(kept: KeptUpdate) -> Iterator[Affected]:
    for one in kept.affected or ():
        old, new = ComponentStatus(one.old), ComponentStatus(one.new)
        yield Affected(id=one.component, name=one.name, old=old, new=new)


def _affected(
    incident: PublicIncident, before: datetime | None, at: datetime
) -> tuple[Affected, ...]:
    """The components of an incident at two moments; ``before`` None: it tagged none yet."""
    old = {} if before is None else _made_of(incident, before)
    new = _made_of(incident, at)
    fine = ComponentStatus.OPERATIONAL
    return tuple(
        Affected(
            id=one.id,
            name=one.name,
            old=old.get(one, fine),
            new=new.get(one, fine),
        )
        for one in {**old, **new}
    )


def _made_of(incident: PublicIncident, at: datetime) -> dict[Component, ComponentStatus]:
    """The status that ``incident`` gives each of its components at the moment ``at``."""
    resolved = _at(_words(incident), at) is PublicWord.RESOLVED
    severity = _at(incident.severities, at)
    status = ComponentStatus.OPERATIONAL if resolved else STATUSES[severity]
    return dict.fromkeys(_at(incident.tags, at), status)


def _words(incident: PublicIncident) -> list[tuple[datetime, PublicWord]]:
    """The public word since each of its changes, oldest first."""
    words: list[tuple[datetime, PublicWord]] = []
    for update in reversed(incident.updates):
        if update.word is not None and (not words or words[-1][1] is not update.word):
            words.append((update.at, update.word))
    return words


def _at(course: Sequence[tuple[datetime, Value]], at: datetime) -> Value:
    """The value of ``course`` at the moment ``at``; before its beginning, the first one."""
    place = bisect_right([since for since, _ in course], at)
    return course[max(place - 1, 0)][1]


# The course of a component


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A time in which an incident gives a component a status; ``end`` None: it goes on."""

    component: UUID
    incident: UUID
    status: ComponentStatus
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one incident is on the page, and in the courses of components."""

    page: PageIncident
    stretches: tuple[_Stretch, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A component as it was ``made`` for the moment ``at``."""

    component: ShownComponent
    stretches: tuple[_Stretch, ...]
    at: datetime
    made: PageComponent

    def is_good(
        self, component: ShownComponent, stretches: tuple[_Stretch, ...], at: datetime
    ) -> bool:
        """Whether it would be made the same of these values, at that moment."""
        if (self.component, self.stretches) != (component, stretches) or not self.at <= at:
            return False
        moments = [_midnight(at.astimezone(UTC).date())]
        for one in component.overrides:
            moments += (one.at, one.until or one.at)
        for stretch in stretches:
            moments += (stretch.start, stretch.end or stretch.start)
        return not any(self.at < moment <= at for moment in moments)


def _stretches(incident: PublicIncident) -> Iterator[_Stretch]:
    """The stretches of an incident, from its start; none where it leaves all operational."""
    courses = (incident.severities, incident.tags, _words(incident))
    later = {since for course in courses for since, _ in course if since > incident.started_at}
    cuts = [incident.started_at, *sorted(later)]
    for start, end in zip(cuts, [*cuts[1:], None], strict=True):
        for component, status in _made_of(incident, start).items():
            if status is not ComponentStatus.OPERATIONAL:
                yield _Stretch(
                    component=component.id,
                    incident=incident.id,
                    status=status,
                    start=start,
                    end=end,
                )


def _course(
    component: ShownComponent, stretches: Iterable[_Stretch], at: datetime
) -> list[tuple[datetime, ComponentStatus]]:
    """The status since each of its changes until ``at``, oldest first."""
    changes: list[tuple[datetime, int, ComponentStatus]] = []
    for stretch in stretches:
        changes.append((stretch.start, 1, stretch.status))
        if stretch.end is not None:
            changes.append((stretch.end, -1, stretch.status))
    begins = _begins(component)
    ends = [one.until for one in component.overrides if one.until is not None]
    cuts = {begins, *(moment for moment, _, _ in changes)}
    cuts |= {*(one.at for one in component.overrides), *ends}
    changes.sort(key=lambda change: change[0])
    counts = dict.fromkeys(ComponentStatus, 0)
    course: list[tuple[datetime, ComponentStatus]] = []
    done = 0
    for cut in sorted(one for one in cuts if one <= at):
        while done < len(changes) and changes[done][0] <= cut:
            _, step, status = changes[done]
            counts[status] += step
            done += 1
        by_hand = component.by_hand(cut)
        status = by_hand.status if by_hand and by_hand.status else _worst_of(counts)
        if not course or course[-1][1] is not status:
            course.append((cut, status))
    return course or [(begins, ComponentStatus.OPERATIONAL)]


def _worst_of(counts: Mapping[ComponentStatus, int]) -> ComponentStatus:
    """The worst status that is counted; ``counts`` are in the order of the statuses."""
    return next((one for one, n in counts.items() if n), ComponentStatus.OPERATIONAL)


def _begins(component: ShownComponent) -> datetime:
    """The moment at which its record begins."""
    day = component.start_date or component.created_at.astimezone(UTC).date()
    return _midnight(day)


def _page_component(
    component: ShownComponent, stretches: Iterable[_Stretch], at: datetime
) -> PageComponent:
    mine = [one for one in stretches if one.start <= at]
    course = _course(component, mine, at)
    since, status = course[-1]
    return PageComponent(
        component=component,
        status=status,
        since=since,
        days=tuple(_days(component, course, mine, at)),
    )


def _days(
    component: ShownComponent,
    course: Sequence[tuple[datetime, ComponentStatus]],
    stretches: Sequence[_Stretch],
    at: datetime,
) -> Iterator[Day]:
    today = at.astimezone(UTC).date()
    first = today - (DAYS - 1) * DAY
    statuses: list[list[ComponentStatus]] = [[] for _ in range(DAYS)]
    for place, (since, status) in enumerate(course):
        until = course[place + 1][0] if place + 1 < len(course) else None
        for day in _touched(first, since, until):
            statuses[day].append(status)
    named: list[list[tuple[datetime, UUID]]] = [[] for _ in range(DAYS)]
    for stretch in stretches:
        for day in _touched(first, stretch.start, stretch.end):
            named[day].append((stretch.start, stretch.incident))
    unrecorded = (_begins(component).date() - first).days
    for day in range(DAYS):
        recorded = unrecorded <= day
        yield Day(
            date=first + day * DAY,
            status=worst(statuses[day], best=ComponentStatus.OPERATIONAL) if recorded else None,
            incidents=tuple(
                dict.fromkeys(one for _, one in sorted(named[day] if recorded else ()))
            ),
        )


def _touched(first: date, start: datetime, end: datetime | None) -> range:
    """The days since ``first`` that a time touches; ``end`` is not part of it, None: it goes on."""
    begin = (start.astimezone(UTC).date() - first).days
    if end is None:
        return range(max(begin, 0), DAYS)
    last = (max(start, end - TICK).astimezone(UTC).date() - first).days
    return range(max(begin, 0), min(last + 1, DAYS))


# The page as a whole


def _grouped(facts: PublicFacts, components: Sequence[PageComponent]) -> tuple[PageGroup, ...]:
    """The groups of ``components``, which are in the order of the page; none is empty."""
    of: dict[UUID | None, list[PageComponent]] = {}
    known = {group.id: group for group in facts.groups}
    for one in components:
        group = one.component.group
        of.setdefault(group if group in known else None, []).append(one)
    return tuple(
        PageGroup(group=known[key] if key else None, components=tuple(own))
        for key, own in of.items()
    )


def _worst_first(incident: PageIncident) -> tuple[int, int]:
    order = list(Severity)
    return order.index(incident.incident.severity), -incident.incident.number


def _turns(facts: PublicFacts, at: datetime) -> Iterator[datetime]:
    """The moments near ``at`` at which the page changes without a write."""
    midnight = _midnight(at.astimezone(UTC).date())
    yield from (midnight, midnight + DAY)
    for component in facts.components:
        # An earlier one was ended by the next.
        yield from (one.until for one in component.overrides[-1:] if one.until is not None)
    for incident in facts.incidents:
        if incident.next_update is not None:
            yield incident.next_update.due_at + TICK


def _changes(facts: PublicFacts) -> Iterator[datetime]:
    """The moments of the newest change of each fact that has one."""
    seen = {component.group for component in facts.components}
    yield from (group.updated_at for group in facts.groups if group.id in seen)
    for component in facts.components:
        yield component.updated_at
        yield from (one.at for one in component.overrides[-1:])
    yield from (incident.updated_at for incident in facts.incidents)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
