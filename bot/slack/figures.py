"""Statistics in Slack: figures beside those of the period before, with their definitions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.slack.blocks import Json, actions, button, context, message, paragraphs, section
from bot.slack.markup import moment, shown
from bot.slack.pressed import encode
from core.stats import DEFINITIONS, Statistics, TwoPeriods
from core.tables import FigureRow, rows_of

# Slack refuses messages with more than about 11,000 characters of text.
COMPONENTS_MAX = 12


def stats(figures: Statistics, *, at: datetime) -> Json:
    """The figures, for one responder alone, with buttons for other periods."""
    days = (figures.until - figures.since).days
    since = moment(figures.since, seen_from=at)
    title = f"*Figures of the last {days} days*, since {since}; in brackets, the {days} days before"
    whole = list(_said(figures.whole))
    told = [f"Figures of the last {days} days. {'. '.join(whole)}."]
    blocks = [section(title), section("\n".join(whole))]
    for severity, compared in figures.severities:
        if _counts(compared):
            blocks.append(section("\n".join([f"*{severity.capitalize()}*", *_said(compared)])))
    named = [one for one in figures.components if _counts(one[1])]
    lines = [
        f"*{shown(component.name, 120)}*: {'; '.join(_in_short(compared))}"
        for component, compared in named[:COMPONENTS_MAX]
    ]
    blocks += paragraphs(lines, between="\n")
    if len(named) > COMPONENTS_MAX:
        more = len(named) - COMPONENTS_MAX
        blocks.append(context(f"… and {more} more components: `ratchet stats` has all of them"))
    blocks += [context(text["text"]["text"]) for text in paragraphs(DEFINITIONS)]
    others = [
        button(f"{period} days", action_id=f"stats:{period}", value=encode("stats", period))
        for period in (7, 30, 90)
        if period != days
    ]
    return message(told, [*blocks, *actions(others)])


def _counts(compared: TwoPeriods) -> bool:
    """Whether the group has any incident in either period."""
    return bool(compared.now.incidents or compared.before.incidents)


def _in_short(compared: TwoPeriods) -> list[str]:
    """The number of incidents, and the time to resolve if there is one."""
    rows = list(rows_of(compared))
    return list(_told([rows[0], rows[3]]))


def _said(compared: TwoPeriods) -> Iterator[str]:
    yield from _told(rows_of(compared))


def _told(rows: Iterable[FigureRow]) -> Iterator[str]:
    """``rows`` in words, without those that have no figure in either period."""
    for row in rows:
        if not row.now == row.before == "none":
            yield f"{row.label}: {row.now} ({row.before})"
