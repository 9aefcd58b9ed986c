"""Texts of other pages as plain text: known HTML becomes lines and addresses, the rest stays."""

from __future__ import annotations

import re
from html.parser import HTMLParser

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
_KNOWN = _BLOCKS | _INLINE | _LINES | _SILENT
_MARKUP = re.compile(r"[<&]")


def plain(text: str) -> str:
    """``text`` without HTML: line breaks stay, a link is its words and its address.

    ``<`` that begins no known tag stays as it is. Characters that no text may hold are left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _MARKUP.search(text):
        reader = _Reader()
        reader.feed(text)
        reader.close()
        text = reader.text
    return lines(UNSTORABLE.sub("", text))


def plain_line(text: str) -> str:
    """A name or a title without HTML, on one line."""
    return one_line(plain(text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._silent = 0

    @property
    def text(self) -> str:
        """All that was read: no line with a blank at its end, no more than one empty line."""
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        return re.sub("\n{3,}", "\n\n", "\n".join(lines))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _KNOWN:
            self._add(self.get_starttag_text() or "")
        elif tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self._break(2)
        elif tag == "br":
            self._add("\n")
        elif tag == "li":
            self._break(1)
            self._add("- ")
        elif tag in _LINES:
            self._break(1)
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._parts)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _KNOWN:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _KNOWN:
            self._add(f"</{tag}>")
        elif tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._break(2)
        elif tag == "a" and self._links:
            address, began = self._links.pop()
            words = "".join(self._parts[began:]).strip()
            if address.startswith(("http://", "https://")) and address != words:
                self._add(f" ({address})" if words else address)

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_comment(self, data: str) -> None:
        """Nothing: a comment is for nobody."""

    def handle_decl(self, decl: str) -> None:
        self._add(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self._add(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self._add(f"<?{data}>")

    def _add(self, text: str) -> None:
        if not self._silent:
            self._parts.append(text)

    def _break(self, lines: int) -> None:
        """Begins a new line, or a paragraph, unless it is begun already."""
        so_far = "".join(self._parts[-4:])
        if not so_far.strip() and len(self._parts) <= 4:
            return
        missing = lines - (len(so_far) - len(so_far.rstrip("\n")))
        self._add("\n" * max(0, missing))
