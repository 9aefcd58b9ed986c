"""The bar of a component: its days as strokes to draw, and in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from core.page import ComponentStatus, Day, PageComponent

# A day is this wide, with the gap to the next one; drawn are the first `STROKE` of it.
STEP, STROKE, HEIGHT = 4, 3, 28
FINE = {None, ComponentStatus.OPERATIONAL}


@dataclass(frozen=True, slots=True)
class Stroke:
    """Days in a row as one path of SVG; ``status`` None: there are no data of them.

    A day that was not operational is a stroke of its own, so that it can be pointed at.
    """

    status: ComponentStatus | None
    path: str
    words: str


def strokes(one: PageComponent) -> list[Stroke]:
    """The days of the bar, oldest first; each is in one stroke."""
    made = []
    for _, found in groupby(enumerate(one.days), key=_run):
        run = list(found)
        place, first = run[0]
        begin = f"M{place * STEP + STROKE / 2:g} 0v{HEIGHT}"
        path = begin + f"m{STEP}-{HEIGHT}v{HEIGHT}" * (len(run) - 1)
        made.append(Stroke(first.status, path, _span([day for _, day in run])))
    return made


def alternative(one: PageComponent) -> str:
    """The bar in words: the days that were not operational, or that there was none."""
    recorded = sum(day.status is not None for day in one.days)
    begin = f"The last {len(one.days)} days: "
    if not recorded:
        return f"{begin}no data."
    span = "" if recorded == len(one.days) else f"data of {recorded} days; "
    bad = "; ".join(bad_days(one))
    return f"{begin}{span}{bad or 'operational on all days'}."


def bad_days(one: PageComponent) -> list[str]:
    """The days that were not operational, oldest first: ``2 March 2026: partial outage``."""
    return [_span([day]) for day in one.days if day.status not in FINE]


def day_name(of: date) -> str:
    """``2 March 2026``."""
    return f"{of.day} {of:%B %Y}"


def _run(placed: tuple[int, Day]) -> tuple[ComponentStatus | None, int]:
    place, day = placed
    return day.status, -1 if day.status in FINE else place


def _span(days: Sequence[Day]) -> str:
    first, last = days[0], days[-1]
    words = first.status.words.lower() if first.status else "no data"
    if first == last:
        return f"{day_name(first.date)}: {words}"
    return f"{day_name(first.date)} to {day_name(last.date)}: {words}"
