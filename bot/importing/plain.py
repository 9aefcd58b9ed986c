"""Texts of other pages as plain text: known HTML becomes lines and addresses, the rest stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from core.texts import UNSTORABLE, lines, one_line

_BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "del", "em", "i", "img", "ins", "mark", "s", "small", "span"}
    | {"strike", "strong", "sub", "sup", "time", "tt", "u", "var"}
)
_LINES = frozenset({"br", "li", "hr", "table", "tbody", "thead", "tr", "td", "th"})
_SILENT = frozenset({"script", "style"})
_CLOSED = _INLINE | _SILENT
_MARKUP = re.compile(r"[<&]")
# A well-formed tag of a known element: its attributes have values, but for a few. In "a<b and c>d"
# there is none.
_NAMES = "|".join(sorted(_BLOCKS | _CLOSED | _LINES, key=len, reverse=True))
_ATTRIBUTE = (
    r"""\s+(?:[a-z][a-z0-9:_.-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`][^\s"'<>`]*)"""
    r"""|(?:nowrap|hidden|reversed|compact|noshade)(?=[\s/>]))"""
)
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>{_NAMES})(?![^\s/>])"
    rf"(?P<attributes>(?:{_ATTRIBUTE})*)\s*(?P<alone>/?)>",
    re.IGNORECASE,
)
_HREF = re.compile(r"""\shref\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`][^\s"'<>`]*)""", re.IGNORECASE)


def plain(text: str) -> str:
    """``text`` without HTML: line breaks stay, a link is its words and its address.

    ``<`` that begins no well-formed element stays as it is. Characters that no text may hold are
    left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _MARKUP.search(text):
        reader = _Reader()
        reader.read(_without_comments(text))
        text = reader.text
    return lines(UNSTORABLE.sub("", text))


def plain_line(text: str) -> str:
    """A name or a title without HTML, on one line."""
    return one_line(plain(text))


class _Reader:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._silent = 0

    @property
    def text(self) -> str:
        """All that was read: no line with a blank at its end, no more than one empty line."""
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        return re.sub("\n{3,}", "\n\n", "\n".join(lines))

    def read(self, text: str) -> None:
        """Reads ``text``; tags that are none stay words."""
        tags = list(_TAG.finditer(text))
        taken = _taken(tags)
        end = 0
        for place, tag in enumerate(tags):
            self._add(unescape(text[end : tag.start()]))
            end = tag.end()
            name = tag["name"].lower()
            if place not in taken:
                self._add(unescape(tag[0]))
                continue
            if not tag["end"]:
                self._begin(name, tag["attributes"])
            if tag["end"] or tag["alone"]:
                self._finish(name)
        self._add(unescape(text[end:]))

    def _begin(self, name: str, attributes: str) -> None:
        if name in _SILENT:
            self._silent += 1
        elif name in _BLOCKS:
            self._break(2)
        elif name == "br":
            self._add("\n")
        elif name == "li":
            self._break(1)
            self._add("- ")
        elif name in _LINES:
            self._break(1)
        elif name == "a":
            found = _HREF.search(attributes)
            address = unescape(found[1].strip("\"'")) if found else ""
            self._links.append((address, len(self._parts)))

    def _finish(self, name: str) -> None:
        if name in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif name in _BLOCKS:
            self._break(2)
        elif name == "a" and self._links:
            address, began = self._links.pop()
            words = "".join(self._parts[began:]).strip()
            if address.startswith(("http://", "https://")) and address != words:
                self._add(f" ({address})" if words else address)

    def _add(self, text: str) -> None:
        if text and not self._silent:
            self._parts.append(text)

    def _break(self, lines: int) -> None:
        """Begins a new line, or a paragraph, unless it is begun already."""
        so_far = "".join(self._parts[-4:])
        if not so_far.strip() and len(self._parts) <= 4:
            return
        missing = lines - (len(so_far) - len(so_far.rstrip("\n")))
        self._add("\n" * max(0, missing))


def _taken(tags: Sequence[re.Match[str]]) -> set[int]:
    """The places of tags that belong to an element; one that is never closed may be a comparison.

    The ends of paragraphs, items and cells may be missing in HTML.
    """
    taken: set[int] = set()
    begun: dict[str, list[int]] = {}
    for place, tag in enumerate(tags):
        name = tag["name"].lower()
        if name not in _CLOSED or tag["alone"] or name == "img":
            taken.add(place)
        elif not tag["end"]:
            begun.setdefault(name, []).append(place)
        elif begun.get(name):
            taken |= {place, begun[name].pop()}
    return taken


def _without_comments(text: str) -> str:
    """``text`` without what is for nobody; one that has no end is a text."""
    kept, _, rest = text.partition("<!--")
    parts = [kept]
    while "-->" in rest:
        kept, _, rest = rest.partition("-->")[2].partition("<!--")
        parts.append(kept)
    return "".join(parts) + (f"<!--{rest}" if rest else "")
