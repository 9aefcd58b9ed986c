"""Statistics: figures of a period beside those of the period before. Pure folds over timelines.

There is no figure about a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from core.decision import Outcome
from core.incident import Component, Incident, Resolution, Severity, Update
from core.lifecycle import PublicWord
from core.moments import Moments, moments_of
from core.promise import Promise, Score, score
from core.public_side import PublicIncident, PublicUpdate

PERIOD_DAYS = 30
PERIOD_DAYS_MAX = 366

# Printed with the figures, wherever they are shown.
DEFINITIONS = (
    "An incident counts in the period of its declaration; the period before is as long.",
    "Private incidents count for those who may see them, without public times.",
    "To acknowledge: from the declaration to the first acknowledgement.",
    "To the first public update: from the start until everybody could read it.",
    "To resolve: from the start until the public status is resolved.",
    "Public silence: the longest wait for a public text or status until it is resolved, or now.",
    "Promises were kept in time or late, broken, or released.",
    "False alarms and duplicates are counted, and left out of all times.",
    "Median: the middle value, or the mean of the middle two. p90: nine of ten took no longer.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One incident, measured. A time is None if it was not reached, or does not count."""

    number: int
    severity: Severity
    components: tuple[Component, ...]
    declared: datetime
    is_open: bool
    resolution: Resolution | None
    to_acknowledge: timedelta | None
    to_public_text: timedelta | None
    to_resolve: timedelta | None
    silence: timedelta | None
    promises: Score = field(default_factory=Score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """``count`` times with their median and their ninth decile; both are None without any."""

    count: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """The longest public silence, and the number of its incident."""

    span: timedelta
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some incidents."""

    incidents: int
    is_open: int
    false_alarms: int
    duplicates: int
    to_acknowledge: Spread
    to_public_text: Spread
    to_resolve: Spread
    silence: Silence | None
    promises: Score = field(default_factory=Score)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeriods:
    """The figures of one group in the period, and in the period before."""

    now: Figures
    before: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All figures of the period from ``since`` to ``until``, which is not included.

    ``components`` are those of the incidents in either period, by name.
    """

    since: datetime
    until: datetime
    whole: TwoPeriods
    severities: tuple[tuple[Severity, TwoPeriods], ...]
    components: tuple[tuple[Component, TwoPeriods], ...]

    @property
    def before(self) -> datetime:
        """The start of the period before."""
        return self.since - (self.until - self.since)


def measure(
    incident: Incident,
    timeline: Iterable[Update],
    promises: Iterable[Promise] = (),
    *,
    at: datetime,
) -> Measured:
    """``incident`` at the moment ``at``, by its transitions and public texts."""
    reached = moments_of(incident, timeline)
    how = incident.resolution.how if incident.resolution else None
    timed = how not in {Resolution.FALSE_ALARM, Resolution.DUPLICATE}
    public = timed and not incident.private
    return Measured(
        number=incident.number,
        severity=incident.severity,
        components=incident.components,
        declared=incident.created_at,
        is_open=not incident.terminal,
        resolution=how,
        to_acknowledge=_span(reached.declared, reached.acknowledged) if timed else None,
        to_public_text=_span(reached.started, _by(reached.first_public_text, at))
        if public
        else None,
        to_resolve=_span(reached.started, reached.resolved) if timed else None,
        silence=_longest_silence(reached, at) if public else None,
        promises=score(promises, at),
    )


def _span(start: datetime, end: datetime | None) -> timedelta | None:
    return None if end is None else end - start


def _by(moment: datetime | None, at: datetime) -> datetime | None:
    """``moment`` if it has come by ``at``."""
    return moment if moment is not None and moment <= at else None


def _longest_silence(reached: Moments, at: datetime) -> timedelta:
    end = reached.resolved or at
    points = [reached.declared, *(one for one in reached.public if one < end), end]
    return max(later - earlier for earlier, later in pairwise(points))


def figures_of(measured: Sequence[Measured]) -> Figures:
    """The figures of ``measured`` incidents."""
    silences = [
        Silence(span=one.silence, number=one.number) for one in measured if one.silence is not None
    ]
    return Figures(
        incidents=len(measured),
        is_open=sum(one.is_open for one in measured),
        false_alarms=sum(one.resolution is Resolution.FALSE_ALARM for one in measured),
        duplicates=sum(one.resolution is Resolution.DUPLICATE for one in measured),
        to_acknowledge=_spread(one.to_acknowledge for one in measured),
        to_public_text=_spread(one.to_public_text for one in measured),
        to_resolve=_spread(one.to_resolve for one in measured),
        # Of two that are equally long, the older incident's.
        silence=max(silences, key=lambda one: (one.span, -one.number), default=None),
        promises=sum((one.promises for one in measured), start=Score()),
    )


def _spread(times: Iterable[timedelta | None]) -> Spread:
    known = sorted(time for time in times if time is not None)
    count = len(known)
    if not count:
        return Spread(count=0, median=None, p90=None)
    median = (known[(count - 1) // 2] + known[count // 2]) / 2
    return Spread(count=count, median=median, p90=known[-(-count * 9 // 10) - 1])


def statistics(measured: Sequence[Measured], *, since: datetime, until: datetime) -> Statistics:
    """The figures from ``since`` to ``until``, of all incidents and of each kind of them.

    ``measured`` are the incidents of this period and of the one before, in any order.
    """
    components: dict[UUID, Component] = {
        component.id: component for one in measured for component in one.components
    }
    return Statistics(
        since=since,
        until=until,
        whole=_compared(measured, since),
        severities=tuple(
            (severity, _compared([one for one in measured if one.severity is severity], since))
            for severity in Severity
        ),
        components=tuple(
            (component, _compared([one for one in measured if component in one.components], since))
            for component in sorted(
                components.values(), key=lambda one: (one.name.casefold(), one.id)
            )
        ),
    )


def _compared(measured: Sequence[Measured], since: datetime) -> TwoPeriods:
    return TwoPeriods(
        now=figures_of([one for one in measured if one.declared >= since]),
        before=figures_of([one for one in measured if one.declared < since]),
    )


# --- for metrics -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A time that a public incident has just reached, by the name of its histogram."""

    name: str
    severity: Severity
    after: timedelta


def milestones(outcome: Outcome) -> Iterator[Milestone]:
    """The times that a command has ended. Private incidents have none: metrics are public."""
    incident, before = outcome.incident, outcome.before
    if before is None or incident.private:
        return
    at = incident.updated_at
    if before.acknowledged_by is None and incident.acknowledged_by is not None:
        after = at - incident.created_at
        yield Milestone(name="acknowledge", severity=incident.severity, after=after)
    resolved = PublicWord.RESOLVED
    if before.public_word is not resolved and incident.public_word is resolved:
        after = at - incident.started_at
        yield Milestone(name="resolve", severity=incident.severity, after=after)


def first_words(
    incident: PublicIncident, update: PublicUpdate, *, at: datetime
) -> Milestone | None:
    """The time to the first public text, if ``update`` is that and everybody can read it ``at``."""
    older = (one for one in incident.updates if one.entry < update.entry)
    if update.body is None or any(one.body is not None or one.withdrawn for one in older):
        return None
    after = at - incident.started_at
    return Milestone(name="public_update", severity=incident.severity, after=after)
