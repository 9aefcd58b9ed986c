"""Statistics as rows of words, the same in Slack and on the command line. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.stats import Figures, Spread, TwoPeriods
from core.times import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure in words: in the period, and in the one before."""

    label: str
    now: str
    before: str


def rows_of(compared: TwoPeriods) -> Iterator[FigureRow]:
    """The figures of one group, in their order."""
    now, before = compared.now, compared.before
    yield FigureRow(label="Incidents", now=_number(now), before=_number(before))
    for label, one, other in (
        ("To acknowledge", now.to_acknowledge, before.to_acknowledge),
        ("To the first public update", now.to_public_text, before.to_public_text),
        ("To resolve", now.to_resolve, before.to_resolve),
    ):
        yield FigureRow(label=label, now=_spread(one), before=_spread(other))
    yield FigureRow(label="Longest public silence", now=_silence(now), before=_silence(before))
    yield FigureRow(label="Promises", now=now.promises.words, before=before.promises.words)


def _number(figures: Figures) -> str:
    kinds = [
        (figures.is_open, "open", "open"),
        (figures.false_alarms, "false alarm", "false alarms"),
        (figures.duplicates, "duplicate", "duplicates"),
    ]
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in kinds if count]
    return ", ".join([str(figures.incidents), *parts])


def _spread(spread: Spread) -> str:
    if spread.median is None or spread.p90 is None:
        return "none"
    median, p90 = duration(spread.median), duration(spread.p90)
    return f"median {median}, p90 {p90}, n {spread.count}"


def _silence(figures: Figures) -> str:
    silence = figures.silence
    return "none" if silence is None else f"{duration(silence.span)}, INC-{silence.number}"
