"""The badge of a page: one word and a colour, as SVG. Pure."""

from __future__ import annotations

from html import escape

from core.page import ComponentStatus, Impact, StatusPage

# Dark enough for white letters (a contrast of 4.5 at least).
COLOURS = {
    Impact.NONE: "#1a7f45",
    Impact.MINOR: "#8a6100",
    Impact.MAJOR: "#b54708",
    Impact.CRITICAL: "#b42318",
}
WORDS = {
    Impact.NONE: "operational",
    Impact.MINOR: "degraded",
    Impact.MAJOR: "partial outage",
    Impact.CRITICAL: "major outage",
}
MAINTAINED = "#1d5fa8"
HEIGHT = 20
LETTER, SPACE = 7, 10


def badge(page: StatusPage) -> str:
    """The badge as it is now."""
    word, colour = WORDS[page.indicator], COLOURS[page.indicator]
    statuses = {one.status for one in page.components}
    if page.indicator is Impact.NONE and ComponentStatus.UNDER_MAINTENANCE in statuses:
        word, colour = "maintenance", MAINTAINED
    left, right = _width("status"), _width(word)
    name = escape(f"{page.settings.title}: {word}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" \
viewBox="0 0 {left + right} {HEIGHT}" role="img" aria-label="{name}">
<title>{name}</title>
<rect width="{left + right}" height="{HEIGHT}" rx="3" fill="#3d4450"/>
<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v{HEIGHT - 6}a3 3 0 0 1 -3 3h-{right - 3}z" \
fill="{colour}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2:g}" y="14">status</text>
<text x="{left + right / 2:g}" y="14">{word}</text>
</g>
</svg>
"""


def _width(word: str) -> int:
    return len(word) * LETTER + SPACE
