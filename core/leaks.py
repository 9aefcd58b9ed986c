"""Leaks: a public text is compared with private notes and with the shapes of secrets.

It finds; it does not decide. A finding has a kind and a place, and never the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class LeakKind(StrEnum):
    """The kind of a finding, with the words for people."""

    NOTE = "note"  # words of a private note of the incident
    SECRET = "secret"  # noqa: S105 - a key, a token, a password
    INTERNAL = "internal"  # an internal host name or address
    PERSONAL = "personal"  # an e-mail address, a telephone or a card number
    PLACEHOLDER = "placeholder"  # a part that was left to be filled in

    @property
    def words(self) -> str:
        """The finding for people: ``a word of a private note``."""
        return _WORDS[self]


_WORDS = {
    LeakKind.NOTE: "words of a private note",
    LeakKind.SECRET: "a key, a token or a password",
    LeakKind.INTERNAL: "an internal host name or address",
    LeakKind.PERSONAL: "an e-mail address, or a telephone or card number",
    LeakKind.PLACEHOLDER: "a part that is not filled in",
}


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A finding. ``start`` and ``length`` count the characters of the text."""

    start: int
    length: int
    kind: LeakKind

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + self.length


# A run of this many words of a note is one, however plain each of them is.
RUN = 4
_WORD = re.compile(r"[^\W_](?:[\w./@:#+-]*[^\W_])?")
# Words of everybody: numbers of one to three digits, times, shares, sizes, years, incidents.
_PLAIN = re.compile(
    r"\d{1,3}(?:[.,]\d{1,3})?(?:%|st|nd|rd|th|h|m|s|ms|min|x|k|kb|mb|gb|tb|am|pm)?|[45]xx|[45]\d\d"
    r"|\d{1,2}[:.]\d{2}(?:[:.]\d{2})?|(?:19|20)\d\d|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?"
    r"|inc-?\d+|24/7|and/or|https?|v\d|oauth2?|ipv[46]|e\.g|i\.e|a\.m|p\.m",
    re.IGNORECASE,
)
# Hyphens of ordinary English.
_JOINED = re.compile(
    r"(?:re|pre|non|co|self|long|short|high|low|well|up|follow|roll|log|sign|check|time|time-|read|write|third|first|"
    r"second|one|two|three|real|last|mid|on|off|in|out|over|under|follow|work|fail|back|end|e|on-going)"
    r"-[a-z]{2,}(?:-[a-z]{2,})?",
    re.IGNORECASE,
)
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}[A-Z]")
# A word for a secret with its value, as people write it. The value is any word behind "=" or in
# quotation marks; behind "is" or a colon it is no word of a sentence, or the last one of a line.
_SAID_SECRET = re.compile(
    r"""
    \b(?:pass(?:word|wd|phrase|code)|pwd|secret|token|(?:api|access)[ _-]?key|pin|bearer)
    (?:s|code)?\b
    (?:\s+(?:for|of)(?:\s+(?:the|our))?\s+[\w@.-]+)?
    (?:
      \s*(?::?=|(?:IS|ARROW)\s*(?=QUOTE))\s*(?:QUOTE[^\sQ]{3,}QUOTE|[^\sQ`,;)]{4,})
      |(?:ARROW|\s+IS)\s*
        (?=\S*\d|\S*(?-i:[a-z][A-Z])|\S*\w[!@#$%^&*+=]\w)[\w!@#$%^&*+/=.-]{3,}[\w!@#$%^&*+/=-]
      |:\s*(?!(?:none|new|resolved|fixed|expired|invalid|wrong|unknown|required|missing|resets?
        |leaked|changed|rotated|revoked|renewed)\b)[\w!@#$%^&*+/=-]{6,}(?=[.\u2026]?\s*(?:$|\n))
    )
    """.replace(
        "IS",
        r"(?:\b(?:is|was|are)(?:\s+now)?:?|\b(?:(?:is|was|are|now)\s+)?(?:re)?(?:set|changed|rotated)\s+to)",
    )
    .replace("ARROW", r"\s*(?::|->|\u2192)")
    .replace("QUOTE", "[Q`]")
    .replace("Q", r"\"'\u2018\u2019\u201c\u201d"),
    re.IGNORECASE | re.VERBOSE,
)
_SHAPES: tuple[tuple[LeakKind, re.Pattern[str]], ...] = (
    (
        LeakKind.SECRET,
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
            r"|\b(?:xox[abeoprs]|xapp)-[\w-]{8,}"
            r"|\b(?:sk|pk|rk|whsec|ghp|gho|ghs|glpat|npm|pypi|AIza|dop_v1|shpat|sq0\w{3}|hf)[_-][\w-]{12,}"
            r"|\bAIza[\w-]{20,}"
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
            r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
            r"|\b(?:password|passwd|pwd|secret|token|api[_ -]?key|bearer)\b\s*"
            r"[\"']?(?=[\w!@#$%^&*+/=-]*\d)[\w!@#$%^&*+/=-]{6,}"
            r"|\bBearer\s+[\w.~+/-]{12,}"
            r"|[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@\S+"
            r"|\b(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])"
            r"[A-Za-z0-9+_-]{28,}={0,2}"
            r"|\b[0-9a-f]{32,}\b"
        ),
    ),
    (LeakKind.SECRET, _SAID_SECRET),
    (
        LeakKind.INTERNAL,
        re.compile(
            r"\b(?:10\.\d{1,3}|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|127\.0)\.\d{1,3}(?:\.\d{1,3})?\b"
            r"|\b(?:fd[0-9a-f]{2}|fe80):[0-9a-f:]+"
            r"|\b(?:[\w-]+\.)+(?:internal|local|corp|lan|intranet|localdomain)\b"
            r"|\blocalhost\b",
            re.IGNORECASE,
        ),
    ),
    (
        LeakKind.PERSONAL,
        re.compile(
            r"\b[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b"
            r"|(?<![\w.])\+\d{1,3}[ ()./-]*(?:\d[ ()./-]*){6,12}\d\b"
            r"|(?<![\w.])\(?0\d{2,4}\)?[ /-]\d{3,}[ -]?\d{2,}\b"
            r"|(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b",
            re.IGNORECASE,
        ),
    ),
    (
        LeakKind.PLACEHOLDER,
        re.compile(
            r"\[[^\]\n]{1,60}\](?!\()|\{\{[^}\n]{0,60}\}\}|\{[a-z_]{2,30}\}|<[A-Z][A-Z _-]{2,40}>"
            r"|\b(?:TODO|FIXME|TBD|XXX+)\b|\bXX:XX\b"
        ),
    ),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")


def leaks(text: str, notes: Iterable[str] = (), *, public: Iterable[str] = ()) -> tuple[Leak, ...]:
    """The places in ``text`` that may not be public, in their order and without overlaps.

    ``notes`` are the private notes of the incident. ``public`` are texts that are public already,
    such as its title and its components: their words are no secret.
    """
    found = [*_shapes(text), *_cards(text), *_of_notes(text, tuple(notes), tuple(public))]
    kept: list[Leak] = []
    for leak in sorted(found, key=lambda one: (one.start, -one.length)):
        if not kept or leak.start >= kept[-1].end:
            kept.append(leak)
    return tuple(kept)


def _shapes(text: str) -> Iterator[Leak]:
    for kind, shape in _SHAPES:
        for found in shape.finditer(text):
            yield Leak(found.start(), len(found.group()), kind)


def _cards(text: str) -> Iterator[Leak]:
    """Numbers of payment cards, which pass the check of their last digit (ISO/IEC 7812)."""
    for found in _CARD.finditer(text):
        digits = [int(digit) for digit in found.group() if digit.isdigit()]
        doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            yield Leak(found.start(), len(found.group()), LeakKind.PERSONAL)


def _of_notes(text: str, notes: tuple[str, ...], public: tuple[str, ...]) -> Iterator[Leak]:
    places = list(_WORD.finditer(text))
    words = [found.group().casefold() for found in places]
    telling, runs = _private(words, notes, public)
    for found, word in zip(places, words, strict=True):
        if word in telling:
            yield Leak(found.start(), len(found.group()), LeakKind.NOTE)
    begun: int | None = None
    for place, run in enumerate(_runs(words)):
        if run in runs:
            begun = place if begun is None else begun
            last = place == len(words) - RUN
            following = tuple(words[place + 1 : place + 1 + RUN])
            if last or following not in runs:
                start, end = places[begun].start(), places[place + RUN - 1].end()
                yield Leak(start, end - start, LeakKind.NOTE)
                begun = None


def _private(
    words: list[str], notes: tuple[str, ...], public: tuple[str, ...]
) -> tuple[set[str], set[tuple[str, ...]]]:
    """Those of ``words``, and of their runs, that ``notes`` have and ``public`` has not.

    A thousand notes are read once, word by word; nothing is kept of a word that the text has not.
    """
    known = {word for one in public for word in _words(one)}
    told = {run for one in public for run in _runs(_words(one))}
    asked, sought = set(words), set(_runs(words)) - told
    telling: set[str] = set()
    runs: set[tuple[str, ...]] = set()
    for note in notes:
        written = _WORD.findall(note)
        folded = [word.casefold() for word in written]
        for place, word in enumerate(folded):
            if word in asked:
                if word not in known and _tells(written[place]):
                    telling.add(word)
                run = tuple(folded[place : place + RUN])
                if run in sought:
                    runs.add(run)
    return telling, runs


def _tells(word: str) -> bool:
    """Whether a word of a note is so particular that it alone gives something away."""
    if _PLAIN.fullmatch(word) or _JOINED.fullmatch(word):
        return False
    return bool(re.search(r"[\d_./-]", word) or _INNER_CAPITAL.search(word))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1))
