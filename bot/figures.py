"""Statistics for people outside Slack: a table for a terminal, a page with pictures. Pure.

The page is one file: its pictures are in it (SVG), and it loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TypeAlias

from core.stats import DEFINITIONS, Spread, Statistics, TwoPeriods
from core.tables import FigureRow, rows_of
from core.times import duration

# In pixels: a line with a name, a bar with the room below it, and a name with its two bars.
LINE, BAR = 26, 24
PAIR = LINE + 2 * BAR + 10
# The longest bar, in hundredths of the width: its number stands beside it, also on a phone.
LONGEST = 70
NAME_MAX = 40
# A name, with the figures of this period and of the one before as lengths and as words.
Bars: TypeAlias = tuple[str, float, float, str, str]

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --now: #2f6fab; --then: #b9c9d9;
  --page: #ffffff; --line: #d9dfe5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf1; --soft: #9fadba; --now: #6cabe6;
  --then: #44566a; --page: #14191f; --line: #2c3640 } }
body { font: 16px/1.5 Inter, system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
svg { display: block; width: 100% } svg text { font-size: 16px; fill: var(--ink) }
.now { fill: var(--now) } .then { fill: var(--then) } .soft { color: var(--soft) }
"""


def table(made: Statistics) -> str:
    """The figures as plain text, with their definitions."""
    lines = [f"Figures of {_period(made)}; in brackets: the period before.", ""]
    for heading, compared in _groups(made):
        lines += [
            heading,
            *(f"  {row.label}: {row.now} ({row.before})" for row in rows_of(compared)),
        ]
        lines.append("")
    return "\n".join([*lines, *DEFINITIONS]) + "\n"


def page(made: Statistics) -> str:
    """The figures as an HTML page with a picture of each comparison, light and dark."""
    groups = list(_groups(made))
    counts = [
        (name, float(now), float(then), str(now), str(then))
        for name, compared in groups[1:]
        for now, then in [(compared.now.incidents, compared.before.incidents)]
    ]
    parts = [
        f"<h1>Figures of {escape(_period(made))}</h1>",
        '<p class="soft">The upper bar is this period, the lower one the period before.</p>',
        *(["<h2>Incidents</h2>", _bars(counts)] if counts else []),
        "<h2>Times (median)</h2>",
        '<p class="soft">Each pair has its own scale: twice the length is twice the time.</p>',
        _bars(list(_times(made.whole)), each=True),
    ]
    for name, compared in groups:
        parts += [f"<h2>{escape(name)}</h2>", _table(list(rows_of(compared)))]
    parts += ["<h2>Definitions</h2>", *(f"<p>{escape(one)}</p>" for one in DEFINITIONS)]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Figures</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _period(made: Statistics) -> str:
    days = (made.until - made.since).days
    return f"the {days} days before {made.until:%Y-%m-%d %H:%M} UTC"


def _groups(made: Statistics) -> Iterator[tuple[str, TwoPeriods]]:
    """All, each severity and each component, if it has any incident in either period."""
    yield "All incidents", made.whole
    named = [
        *((severity.capitalize(), compared) for severity, compared in made.severities),
        *((component.name, compared) for component, compared in made.components),
    ]
    yield from (one for one in named if one[1].now.incidents or one[1].before.incidents)


def _times(whole: TwoPeriods) -> Iterator[Bars]:
    now, before = whole.now, whole.before
    for label, one, other in (
        ("To acknowledge", now.to_acknowledge, before.to_acknowledge),
        ("To the first public update", now.to_public_text, before.to_public_text),
        ("To resolve", now.to_resolve, before.to_resolve),
    ):
        yield label, _length(one), _length(other), _median(one), _median(other)


def _length(spread: Spread) -> float:
    """The length of a bar."""
    return 0 if spread.median is None else spread.median.total_seconds()


def _median(spread: Spread) -> str:
    return "none" if spread.median is None else duration(spread.median)


def _bars(rows: Sequence[Bars], *, each: bool = False) -> str:
    """A picture with two bars under each name; a screen reader gets the numbers as its title.

    It is drawn in pixels from top to bottom and in parts of its width from left to right: its words
    are as large on a phone as anywhere. ``each``: every name has a scale of its own.
    """
    all_rows = max(1.0, *(max(now, then) for _, now, then, _, _ in rows))
    spoken = "; ".join(f"{name}: {now}, before {then}" for name, _, _, now, then in rows)
    drawn = [
        f'<svg height="{len(rows) * PAIR}" role="img" aria-label="{escape(spoken)}">',
        f"<title>{escape(spoken)}</title>",
    ]
    for place, (name, now, then, said, before) in enumerate(rows):
        top = place * PAIR
        most = max(1.0, now, then) if each else all_rows
        short = name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…"
        drawn.append(f'<text x="0" y="{top + LINE - 8}">{escape(short)}</text>')
        for kind, value, text, y in (
            ("now", now, said, top + LINE),
            ("then", then, before, top + LINE + BAR),
        ):
            long = f"{LONGEST * value / most:.1f}%"
            drawn.append(
                f'<rect class="{kind}" x="0" y="{y}" width="{long}" height="{BAR - 4}"/>'
                f'<text x="{long}" dx="6" y="{y + BAR - 8}">{escape(text)}</text>'
            )
    return "\n".join([*drawn, "</svg>"])


def _table(rows: Sequence[FigureRow]) -> str:
    lines = "".join(
        f"<tr><th scope='row'>{escape(row.label)}</th><td>{escape(row.now)}</td>"
        f"<td>{escape(row.before)}</td></tr>\n"
        for row in rows
    )
    head = "<tr><td></td><th scope='col'>this period</th><th scope='col'>before</th></tr>\n"
    return f"<table>\n{head}{lines}</table>"
