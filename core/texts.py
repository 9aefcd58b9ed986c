"""The texts and names that people write: their sizes, and the characters that they may hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from core.errors import InvalidField
from core.incident import (
    BODY_MAX,
    COMPONENT_NAME_MAX,
    DESCRIPTION_MAX,
    TITLE_MAX,
)

# No database stores NUL and half a surrogate pair, U+FFFE and U+FFFF are invalid in XML, and other
# control characters let a text forge terminal output. Line feeds and tabs are allowed.
UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


# White space and invisible characters: zero-width ones are format characters (Cf). Category Cn is
# not included: an emoji newer than this Python is unassigned, and visible.
INVISIBLE = frozenset({"Cf", "Cc", "Zl", "Zp", "Zs"})


def one_line(text: str) -> str:
    """``text`` trimmed, with every run of white space turned into one space."""
    return " ".join(text.split())


def title_of(text: str) -> str:
    """A title: one line of 1 to 255 characters.

    Raises:
        InvalidField: ``title``.
    """
    return _sized("title", one_line(text), TITLE_MAX)


def name_of(text: str) -> str:
    """The name of a component or of an API key: one line of 1 to 100 characters.

    Raises:
        InvalidField: ``name``.
    """
    return _sized("name", one_line(text), COMPONENT_NAME_MAX)


def component_name_of(text: str) -> str:
    """The name of a component that is tagged: one line of 1 to 100 characters.

    Raises:
        InvalidField: ``components``.
    """
    name = one_line(text)
    if len(name) > COMPONENT_NAME_MAX or UNSTORABLE.search(name) or _blank(name):
        raise InvalidField(
            "components", f"need names of 1 to {COMPONENT_NAME_MAX} visible characters"
        )
    return name


# The places in templates of public updates: nobody outside may read one.
PLACES = (COMPONENT, NEXT_UPDATE) = ("{component}", "{next_update}")


def body_of(field: str, text: str) -> str:
    """The body of an update: 1 to 2,000 characters after trimming, so white space is refused.

    Raises:
        InvalidField: ``field``.
    """
    return _sized(field, text.replace("\r\n", "\n").strip(), BODY_MAX)


def public_body_of(text: str) -> str:
    """The body of a public update, in which every place of a template is filled in.

    Raises:
        InvalidField: ``public_update``.
    """
    body = body_of("public_update", text)
    for place in PLACES:
        if place in body:
            problem = f"still has {place}, as its template does: write what it stands for"
            raise InvalidField("public_update", problem)
    return body


def description_of(text: str) -> str:
    """A description that replaces another: 1 to 10,000 characters after trimming.

    Raises:
        InvalidField: ``description``.
    """
    return _sized("description", text.replace("\r\n", "\n").strip(), DESCRIPTION_MAX)


def optional_of(field: str, text: str | None, most: int) -> str | None:
    """A text that may be left out: None, or 1 to ``most`` characters after trimming.

    Raises:
        InvalidField: ``field``.
    """
    text = (text or "").replace("\r\n", "\n").strip()
    return _sized(field, text, most) if text else None


def _sized(field: str, text: str, most: int) -> str:
    if len(text) > most:
        raise InvalidField(field, f"has {len(text):,} characters: at most {most:,} fit")
    if UNSTORABLE.search(text):
        raise InvalidField(field, "holds control characters, which cannot be kept: leave them out")
    if _blank(text):
        raise InvalidField(field, f"is empty: write 1 to {most:,} characters")
    return text


def _blank(text: str) -> bool:
    return all(unicodedata.category(character) in INVISIBLE for character in text)


def listed(words: Sequence[str], *, most: int | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most``: ``a, b and 7 more``."""
    if most is not None and len(words) > most:
        words = (*words[:most], f"{len(words) - most} more")
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
