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


# Explicit directions turn the words around them: "gpj.exe" reads as "exe.jpg".
_TURNING = "\u202a-\u202e\u2066-\u2069"
_DIRECTIONS = re.compile(f"[{_TURNING}]")
# In one line, marks of direction and what has no width have no use: two names that look alike
# would differ. Longer texts keep them: Thai and Khmer break lines at U+200B.
_UNSEEN = re.compile(
    f"[{_TURNING}\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]"
)
# Lists of names have commas of any script between them.
COMMAS = re.compile("[,\uff0c\u3001\ufe50]")
# Quotation marks, which are left out around a name.
_QUOTES = (
    "\"'`\u00b4\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
    "\u300c\u300d\u300e\u300f\u301d\u301e\uff02\u2018\u2019\u201a\u201b\uff07"
)


def one_line(text: str) -> str:
    """``text`` trimmed, each run of white space one space, without signs that nobody sees."""
    return " ".join(_UNSEEN.sub("", text).split())


def lines(text: str) -> str:
    """``text`` trimmed, with one kind of line break, without signs that turn directions."""
    return _DIRECTIONS.sub("", text.replace("\r\n", "\n")).strip()


def title_of(text: str) -> str:
    """A title: one line of 1 to 255 characters.

    Raises:
        InvalidField: ``title``.
    """
    return _sized("title", one_line(text), TITLE_MAX)


def name_of(text: str) -> str:
    """The name of a group or of an API key: one line of 1 to 100 characters.

    Raises:
        InvalidField: ``name``.
    """
    return _sized("name", one_line(text), COMPONENT_NAME_MAX)


def component_name_of(text: str) -> str:
    """The name of a component: one line of 1 to 100 characters that a list of names can hold.

    Raises:
        InvalidField: ``name``.
    """
    name = name_of(text)
    if problem := unlistable(name):
        raise InvalidField("name", problem)
    return name


def tagged_name_of(text: str) -> str:
    """The name of a component in a list.

    Raises:
        InvalidField: ``components``, for the reasons of `component_name_of`.
    """
    name = one_line(text)
    if len(name) > COMPONENT_NAME_MAX or UNSTORABLE.search(name) or _blank(name):
        raise InvalidField(
            "components", f"need names of 1 to {COMPONENT_NAME_MAX} visible characters"
        )
    if problem := unlistable(name):
        raise InvalidField("components", f"need other names: one {problem}")
    return name


def unlistable(name: str) -> str | None:
    """The reason why a list of names would read ``name`` otherwise; None if it would not."""
    if COMMAS.search(name):
        return "holds a comma, which stands between names in lists: write another sign"
    if name.startswith("+"):
        return "begins with +, which marks a new name in lists: leave it out"
    if name[0] in _QUOTES and name[-1] in _QUOTES:
        return "stands in quotation marks, which lists leave out: leave them out"
    if _letters(name) == "none":
        return 'is "none", which means no component in lists: choose another'
    return None


def listable(name: str) -> str:
    """``name`` as a list of names can hold it: ``API / Web`` for ``API, Web``."""
    parts = [part for one in COMMAS.split(one_line(name)) if (part := one.strip())]
    plain = " / ".join(parts).lstrip("+ ")
    if plain and plain[0] in _QUOTES and plain[-1] in _QUOTES:
        plain = plain.strip(f"+ {_QUOTES}")
    return f"{plain} component" if _letters(plain) == "none" else plain


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


# The places in templates of public updates: nobody outside may read one.
PLACES = (COMPONENT, NEXT_UPDATE) = ("{component}", "{next_update}")


def body_of(field: str, text: str) -> str:
    """The body of an update: 1 to 2,000 characters after trimming, so white space is refused.

    Raises:
        InvalidField: ``field``.
    """
    return _sized(field, lines(text), BODY_MAX)


def public_body_of(text: str) -> str:
    """The body of a public update, in which every place of a template is filled in.

    Raises:
        InvalidField: ``public_update``.
    """
    body = body_of("public_update", text)
    for place in PLACES:
        if place in body:
            problem = f"has {place}, which is still to be filled in: write what it stands for"
            raise InvalidField("public_update", problem)
    return body


def description_of(text: str) -> str:
    """A description that replaces another: 1 to 10,000 characters after trimming.

    Raises:
        InvalidField: ``description``.
    """
    return _sized("description", lines(text), DESCRIPTION_MAX)


def optional_of(field: str, text: str | None, most: int) -> str | None:
    """A text that may be left out: None, or 1 to ``most`` characters after trimming.

    Raises:
        InvalidField: ``field``.
    """
    text = lines(text or "")
    return _sized(field, text, most) if text else None


def optional_line_of(field: str, text: str | None, most: int) -> str | None:
    """One line that may be left out: None, or 1 to ``most`` characters after trimming.

    Raises:
        InvalidField: ``field``; also for a text of which nothing is seen.
    """
    return _sized(field, one_line(text), most) if text and text.strip() else None


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


def listed(words: Sequence[str], *, most: int | None = None, last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most``: ``a, b and 7 more``.

    ``last`` is the word before the last one.
    """
    if most is not None and len(words) > most:
        words = (*words[:most], f"{len(words) - most} more")
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end
