"""The queries and bodies of dialect 1 about reports and figures. It has names and no rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bot.http.shapes import Moment, whole_number
from bot.http.v1_shapes import AnswerPart
from core.incident import Severity
from core.promise import Score
from core.stats import (
    DEFINITIONS,
    PERIOD_DAYS,
    PERIOD_DAYS_MAX,
    Figures,
    Spread,
    Statistics,
    TwoPeriods,
)


class ReportQuery(BaseModel):
    """The readers of a report; the public one has public facts and texts alone."""

    model_config = ConfigDict(extra="forbid")

    audience: Literal["internal", "public"] = "internal"


class StatsQuery(BaseModel):
    """The length of the period, which ends now."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, whole_number(PERIOD_DAYS_MAX)] = Field(
        PERIOD_DAYS, ge=1, le=PERIOD_DAYS_MAX
    )


class TimesBody(AnswerPart):
    """`count` times with their median and ninth decile in seconds; null without any."""

    count: int
    median_seconds: float | None
    p90_seconds: float | None

    @classmethod
    def of(cls, spread: Spread) -> TimesBody:
        return cls(
            count=spread.count,
            median_seconds=_seconds(spread.median),
            p90_seconds=_seconds(spread.p90),
        )


class SilenceBody(AnswerPart):
    """The longest public silence, and the number of its incident."""

    seconds: float
    number: int


class ScoreBody(AnswerPart):
    """The promises of a next public update, by the way they ended."""

    kept: int
    late: int
    broken: int
    released: int

    @classmethod
    def of(cls, score: Score) -> ScoreBody:
        return cls(kept=score.kept, late=score.late, broken=score.broken, released=score.released)


class FiguresBody(AnswerPart):
    """The figures of the incidents of one group that were declared in one period."""

    incidents: int
    open: int
    false_alarms: int
    duplicates: int
    to_acknowledge: TimesBody
    to_public_update: TimesBody
    to_resolve: TimesBody
    longest_public_silence: SilenceBody | None
    promises: ScoreBody

    @classmethod
    def of(cls, figures: Figures) -> FiguresBody:
        silence = figures.silence
        return cls(
            incidents=figures.incidents,
            open=figures.is_open,
            false_alarms=figures.false_alarms,
            duplicates=figures.duplicates,
            to_acknowledge=TimesBody.of(figures.to_acknowledge),
            to_public_update=TimesBody.of(figures.to_public_text),
            to_resolve=TimesBody.of(figures.to_resolve),
            longest_public_silence=SilenceBody(
                seconds=silence.span.total_seconds(), number=silence.number
            )
            if silence
            else None,
            promises=ScoreBody.of(figures.promises),
        )


class ComparisonBody(AnswerPart):
    """The figures of the period, and those of the period before."""

    now: FiguresBody
    before: FiguresBody

    @classmethod
    def of(cls, compared: TwoPeriods) -> ComparisonBody:
        return cls(now=FiguresBody.of(compared.now), before=FiguresBody.of(compared.before))


class SeverityFigures(AnswerPart):
    """The figures of one severity."""

    severity: Severity
    figures: ComparisonBody


class ComponentFigures(AnswerPart):
    """The figures of one component."""

    id: UUID
    name: str
    figures: ComparisonBody


class StatisticsBody(AnswerPart):
    """All figures. `beforeSince` is the start of the period before, which ends at `since`."""

    since: Moment
    until: Moment
    before_since: Moment
    definitions: list[str]
    all: ComparisonBody
    by_severity: list[SeverityFigures]
    by_component: list[ComponentFigures]

    @classmethod
    def of(cls, made: Statistics) -> StatisticsBody:
        return cls(
            since=made.since,
            until=made.until,
            before_since=made.before,
            definitions=list(DEFINITIONS),
            all=ComparisonBody.of(made.whole),
            by_severity=[
                SeverityFigures(severity=severity, figures=ComparisonBody.of(compared))
                for severity, compared in made.severities
            ],
            by_component=[
                ComponentFigures(
                    id=component.id, name=component.name, figures=ComparisonBody.of(compared)
                )
                for component, compared in made.components
            ],
        )


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
