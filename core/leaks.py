"""Leaks: a public text is compared with private notes and with the shapes of secrets.

It finds; it does not decide. A finding has a kind and a place, and never the words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
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


# Signs that join the parts of a name; people leave them out, or write others.
_JOINTS = re.compile(r"[-_./@:#+]")
# Hyphens of typesetters. A dash as long as an em is a stop between words.
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2043\u2212"), "-")
# They are drawn as nothing: joiners, marks of direction, soft hyphens, choices of a glyph.
_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
# Signs of Slack's markup, which may stand inside a word.
_MARKUP = re.compile(r"[*~`]")
# Its dots are no ends of sentences.
_ELLIPSIS = "\u2026"
# A name of parts with "_" may be written as so many words.
PARTS = 4
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
            r"|\b[\w.+-]+ ?(?:\(at\)|\[at\]|\bat\b) ?"
            r"(?:[\w-]+ ?(?:\(dot\)|\[dot\]|\bdot\b) ?)+[a-z]{2,}\b"
            r"|(?<![\w.])\+\d{1,3}[ ()./-]*(?:\d[ ()./-]*){6,12}\d\b"
            r"|(?<![\w.])\(?0\d{2,4}\)?[ /-]\d{3,}[ -]?\d{2,}\b"
            r"|(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b",
            re.IGNORECASE,
        ),
    ),
    (
        LeakKind.PLACEHOLDER,
        re.compile(
            # A status or a severity in brackets is a heading.
            r"\[(?!(?i:investigating|identified|monitoring|resolved|open|acknowledged|closed"
            r"|verifying|scheduled|in progress|completed|maintenance|post-?mortem|new|final"
            r"|update(?:d| ?\d{1,2})?|critical|high|medium|low|major|minor|sev-?\d|p\d)\])"
            r"[^\]\n]{1,60}\](?!\()"
            r"|\{\{[^}\n]{0,60}\}\}|\{[a-z_]{2,30}\}|<[A-Z][A-Z _-]{2,40}>"
            r"|<(?i:insert|your|enter|fill|name|text|placeholder)\b[^<>\n]{0,40}>"
            r"|<[a-z]+(?: [a-z]+){1,5}>"
            r"|\b(?:TODO|XXX+|(?i:FIXME|TBD))\b|\bXX:XX\b|_{3,}"
            # A list of things to do is a product, too.
            r"|\b(?i:todo)\b(?=\s*(?::|[.!?)\]]?\s*$)"
            r"|\s+(?i:fix|fill|add|write|insert|check|replace|link)\b)"
        ),
    ),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")


def leaks(text: str, notes: Iterable[str] = (), *, public: Iterable[str] = ()) -> tuple[Leak, ...]:
    """The places in ``text`` that may not be public, in their order and without overlaps.

    ``notes`` are the private notes of the incident. ``public`` are texts that are public already,
    such as its title and its components: their words are no secret.
    """
    plain, places = _plain(text)
    bare, bare_places = _without_markup(plain, places)
    found = [
        *_placed([*_shapes(plain), *_cards(plain)], places),
        *_placed(_of_notes(bare, tuple(notes), tuple(public)), bare_places),
    ]
    kept: list[Leak] = []
    for leak in sorted(found, key=lambda one: (one.start, -one.length)):
        if not kept or leak.start >= kept[-1].end:
            kept.append(leak)
    return tuple(kept)


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """``text`` in the signs that a keyboard has, without what nobody sees.

    With the place in ``text`` of each of its characters, and the end.
    """
    if text.isascii():
        return text, range(len(text) + 1)
    made: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        is_seen = unicodedata.category(sign) != "Cf" and not _INVISIBLE.match(sign)
        if is_seen:
            kept = sign if sign == _ELLIPSIS else unicodedata.normalize("NFKC", sign)
            made.append(kept.translate(_HYPHENS))
            places += [place] * len(made[-1])
    return "".join(made), [*places, len(text)]


def _without_markup(text: str, places: Sequence[int]) -> tuple[str, Sequence[int]]:
    kept = [
        (sign, place) for sign, place in zip(text, places, strict=False) if not _MARKUP.match(sign)
    ]
    return "".join(sign for sign, _ in kept), [*(place for _, place in kept), places[-1]]


def _placed(found: Iterable[Leak], places: Sequence[int]) -> Iterator[Leak]:
    """``found`` at their ``places`` in the text as it was typed."""
    for one in found:
        start, last = places[one.start], places[one.end - 1]
        yield Leak(start, last + 1 - start, one.kind)


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
    private = _Private(words, public)
    for note in notes:
        private.read(note)
    for found, word in zip(places, words, strict=True):
        if _key(word) in private.names:
            yield Leak(found.start(), len(found.group()), LeakKind.NOTE)
    for count in range(2, PARTS + 1):
        for place, run in enumerate(_runs(words, count)):
            if run in private.apart:
                start, end = places[place].start(), places[place + count - 1].end()
                yield Leak(start, end - start, LeakKind.NOTE)
    begun: int | None = None
    for place, run in enumerate(_runs(words)):
        if run in private.runs:
            begun = place if begun is None else begun
            last = place == len(words) - RUN
            following = tuple(words[place + 1 : place + 1 + RUN])
            if last or following not in private.runs:
                start, end = places[begun].start(), places[place + RUN - 1].end()
                yield Leak(start, end - start, LeakKind.NOTE)
                begun = None


class _Private:
    """Those of the ``words`` of a text that notes have, and ``public`` texts have not.

    ``names`` are the keys of words that tell something alone, ``apart`` names of several parts that
    the text has as words, ``runs`` the runs of words. A thousand notes are read once, word by word;
    nothing is kept of a word that the text has not.
    """

    def __init__(self, words: list[str], public: tuple[str, ...]) -> None:
        known = [_words(one) for one in public]
        self.names: set[str] = set()
        self.apart: set[tuple[str, ...]] = set()
        self.runs: set[tuple[str, ...]] = set()
        self._names = {_key(word) for word in words}
        self._names -= {_key(word) for one in known for word in one}
        self._apart = set(_names_apart(words)) - {run for one in known for run in _names_apart(one)}
        self._runs = set(_runs(words)) - {run for one in known for run in _runs(one)}

    def read(self, note: str) -> None:
        """Takes what ``note`` has of the text."""
        written = _WORD.findall(_MARKUP.sub("", _plain(note)[0]))
        folded = [word.casefold() for word in written]
        for place, word in enumerate(folded):
            if _key(word) in self._names and _tells(written[place]):
                self.names.add(_key(word))
            parts = tuple(word.split("_"))
            if len(parts) > 1 and parts in self._apart:
                self.apart.add(parts)
            run = tuple(folded[place : place + RUN])
            if run in self._runs:
                self.runs.add(run)


def _key(word: str) -> str:
    """A folded word without the signs that join its parts: ``db3``. A number keeps them."""
    joined = _JOINTS.sub("", word)
    return word if joined.isdigit() else joined


def _names_apart(words: list[str]) -> Iterator[tuple[str, ...]]:
    for count in range(2, PARTS + 1):
        yield from _runs(words, count)


def _tells(word: str) -> bool:
    """Whether a word of a note is so particular that it alone gives something away."""
    if _PLAIN.fullmatch(word) or _JOINED.fullmatch(word):
        return False
    return bool(re.search(r"[\d_./-]", word) or _INNER_CAPITAL.search(word))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(_MARKUP.sub("", _plain(text)[0]))]


def _runs(words: list[str], count: int = RUN) -> Iterator[tuple[str, ...]]:
    return (tuple(words[place : place + count]) for place in range(len(words) - count + 1))
