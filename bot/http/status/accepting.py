"""The form of a page that a reader prefers: HTML or Markdown, by the weights of `Accept`. Pure.

Source: RFC 9110, 12.4.2 and 12.5.1
"""

from __future__ import annotations

import re

MARKDOWN, HTML = "text/markdown", "text/html"
# A media range with its weight: 0 to 1, with at most three digits behind the point.
_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def prefers_markdown(accept: str) -> bool:
    """Whether a reader with this `Accept` wants Markdown rather than HTML.

    The most specific range counts for each of the two. Of equal weights, Markdown wins only if it
    is named, and HTML is not named before it. A range whose weight cannot be read is left out.
    """
    named: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (one.strip().lower() for one in part.split(";"))
        weights = [one for one in parameters if one.startswith("q=")]
        found = [_WEIGHT.fullmatch(one) for one in weights]
        if all(found):
            named.setdefault(kind, min((float(one[1]) for one in found if one), default=1.0))
    markdown, html = _weight(MARKDOWN, named), _weight(HTML, named)
    if markdown != html:
        return markdown > html
    order = [kind for kind in named if kind in {MARKDOWN, HTML}]
    return markdown > 0 and order[:1] == [MARKDOWN]


def _weight(kind: str, named: dict[str, float]) -> float:
    ranges = (kind, "text/*", "*/*")
    return next((named[one] for one in ranges if one in named), 0.0)
