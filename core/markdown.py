"""Texts that people typed, as Markdown that changes nothing around them.

A typed text never makes a heading, a list, a link, HTML, code, a table or emphasis, and never ends
the paragraph that it is in. Markdown here is CommonMark, and GitHub's additions to it.

Source: https://spec.commonmark.org/0.31.2/#backslash-escapes
"""

from __future__ import annotations

import re

from core.texts import UNSTORABLE, one_line

# Everything that can begin something within a line; GitHub adds ``~``, ``|`` and ``$``.
_WITHIN = re.compile(r"[\\`*_\[\]<>&~|$#]")
# What can begin a block at the start of a line: a list, a numbered list, a heading's or a table's
# underline. Other signs for it are among those above.
_AT_START = re.compile(r"(?:([-+=:])|(\d{1,9})([.)]))")


def inline(text: str) -> str:
    """``text`` in one line, for a place within a line."""
    return _WITHIN.sub(r"\\\g<0>", one_line(_clean(text)))


def quote(text: str, *, indent: str = "") -> list[str]:
    """``text`` as the lines of a block quote: one paragraph, with its line breaks.

    Blanks at both ends of a line are left out: they have no meaning in a paragraph.
    """
    lines = [_line(line) for line in _clean(text).strip().split("\n")]
    return [f"{indent}> {line}" for line in ("\\\n".join(lines)).split("\n")]


def _line(line: str) -> str:
    line = _WITHIN.sub(r"\\\g<0>", line.strip())
    return _AT_START.sub(_escaped, line, count=1) if _AT_START.match(line) else line


def _escaped(start: re.Match[str]) -> str:
    sign, number, after = start.groups()
    return f"\\{sign}" if sign else f"{number}\\{after}"


def _clean(text: str) -> str:
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
