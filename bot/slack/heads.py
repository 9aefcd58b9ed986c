"""The beginning of a text that is about to be published: words that may not belong to it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.slack.likeness import near
from bot.slack.references import first_word, plain_word

AUDIENCES = ("note", "private", "internal")
PUBLIC = "public"
STATUS_KEYS = ("status", "state", "to")
SEVERITY_KEYS = ("severity", "sev")
PROMISE_KEYS = ("next", "promise")
KEYS = (
    *STATUS_KEYS,
    *SEVERITY_KEYS,
    *PROMISE_KEYS,
    "lifecycle",
    "components",
    PUBLIC,
    "visibility",
)

_KEY = r"([^\W\d_][\w-]*)"
# Long dashes count as "--": some keyboards write one for the other.
_DASHED = re.compile(rf"(?:-{{1,2}}|[–—])\s?{_KEY}(?:\s*[:=]\s*(\S*)|\s+(\S+)|$)?", re.DOTALL)
_ARROW = "[-=]+>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]"
_SIGNED = re.compile(rf"[(\[*_`'\"]*{_KEY}[*_`'\"]*(\s*)({_ARROW}|[:=])(\s*)(\S*)", re.DOTALL)
_SIGNED_WITHIN = re.compile(
    r"(?<![^\W_])([^\W\d_]+)"
    r"(?=((?:\s+(?:update|note|text|message|statement|comment|only)\b){0,2}"
    rf"[^\w\s:=：＝]*\s*(?:{_ARROW}|[:：](?!//)|[=＝])))",
    re.IGNORECASE,
)
# The further words of what a word for readers announces: "public update: …", "private note - …".
_LEAD_IN = re.compile(
    r"(?:[^\w\s]?(?:update|notes?|text|message|statement|comment|private|internal|only|"
    r"for (?:us|responders|staff|the team|everyone|everybody|customers))\b[^\w\s:：]*\s*){1,3}"
    rf"(?:[:：=＝]|[-–—]+(?=\s)|{_ARROW})\s*",
    re.IGNORECASE,
)

# Words without a letter or a digit, emoji, and calls.
_SIGNS = re.compile(rf"{_ARROW}|[^\w-]+|:[a-z0-9_+'-]+:|@(?:here|channel|everyone)", re.IGNORECASE)


# Words that make one for readers behind them a part of the sentence: "The data is private: …".
_PREDICATE = re.compile(
    "in|is|are|was|were|been?|being|not|no|keep|kept|stays?|stayed|remains?|made|becom.*|became|"
    "went|gone|go|goes|turn|turned|set|marked|an?|the|our|your|their|its|this|each|every|more|less|"
    "of|from|with|by|on|at|via|into|than|very"
)
_POLITE = frozenset({"please", "kindly", "do", "also", "take"})


class HeadKind(StrEnum):
    """The meanings that the first words may have, beside text."""

    STATUS = "status"
    SEVERITY = "severity"
    AUDIENCE = "audience"
    PROMISE = "promise"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Head:
    """The first words of a text. ``value`` is the status or the severity, empty if none is known.

    The value of an audience is ``private`` or ``public``, that of a promise a time. ``rest`` is the
    text without the words.
    ``marked``: a sign sets them off from it, as in ``private: …``. ``words`` are those words as
    they were typed, where ``rest`` does not tell; empty otherwise.
    """

    kind: HeadKind
    value: str
    rest: str
    marked: bool = True
    words: str = ""


def head_of(
    text: str, *, statuses: Iterable[str], words: bool = True, note: bool = False
) -> Head | None:
    """The words at the beginning of ``text`` that may be an option, a status or an audience.

    None for a text that begins like any other: ``Payments: cards fail``. Without ``words`` a bare
    status is text: "Monitoring is down" may be a title. ``note``: the text will be a note, so that
    a bare "public" may ask for other readers.
    """
    statuses = tuple(statuses)
    text = after_signs(text)
    signs = unicodedata.normalize("NFKC", text)
    if dashed := _DASHED.match(_dashes(signs)):
        value = dashed[2] if dashed[2] is not None else dashed[3]
        return _option(dashed[1], value or "", signs[dashed.end() :], signs, statuses)
    signed = _SIGNED.match(signs)
    if signed and not signed[5].startswith("//"):
        key, arrow = signed[1].casefold(), signed[3] not in ":="
        tight = not signed[2] and not signed[4] and signed[5] and not arrow
        step = arrow and near(key, statuses) and _status(plain_word(signed[5]), statuses)
        if step:
            return Head(HeadKind.STATUS, step, signs[signed.end() :].lstrip())
        if tight or near(key, (*KEYS, *AUDIENCES)) or near(key, statuses):
            return _option(key, signed[5], signs[signed.end() :], signs, statuses)
    return _word(text, statuses, words=words, note=note)


def _word(text: str, statuses: Iterable[str], *, words: bool, note: bool) -> Head | None:
    """The first word of ``text`` if it is an audience or a status."""
    first = first_word(text)
    word, rest = (plain_word(first[0]), text[first.end() :].lstrip()) if first else ("", "")
    marked = first is not None and first[0].casefold() != word
    if word in (*AUDIENCES, PUBLIC) and (lead_in := _LEAD_IN.match(rest)):
        rest, marked = rest[lead_in.end() :], True
    if word in AUDIENCES:
        return Head(HeadKind.AUDIENCE, "private", rest, marked)
    if word == PUBLIC and (note or marked):
        return Head(HeadKind.AUDIENCE, PUBLIC, rest, marked)
    second = first_word(rest)
    if word in STATUS_KEYS and second and (status := _status(plain_word(second[0]), statuses)):
        return Head(HeadKind.STATUS, status, rest[second.end() :].lstrip())
    bracketed = first is not None and re.fullmatch(r"[(\[{]\w+[)\]}][:,;]?", first[0])
    if bracketed and rest and word in statuses:
        return Head(HeadKind.STATUS, word, rest)
    meant = near(word, statuses, most=1) if words else None
    return Head(HeadKind.STATUS, meant, rest) if meant else None


def status_first(text: str, statuses: Iterable[str]) -> tuple[str, str] | None:
    """The status that ``text`` begins with, behind an arrow or "to", and the rest; None if none."""
    statuses = tuple(statuses)
    text = after_signs(text)
    first = first_word(text)
    if first and plain_word(first[0]) in STATUS_KEYS:
        text = after_signs(text[first.end() :])
        first = first_word(text)
    status = _status(plain_word(first[0]), statuses) if first else ""
    return (status, text[first.end() :].lstrip()) if first and status else None


def audience_within(text: str) -> str:
    """The first audience in ``text`` that has a sign behind it: ``note: …``; empty if none has."""
    return next((f"{said[1]}{said[2]}" for said in signed_within(text, AUDIENCES)), "")


def signed_within(text: str, names: Iterable[str]) -> Iterator[re.Match[str]]:
    """The words of ``text`` with a sign behind them that are among ``names``, or slips of them.

    The second group of each match is what stands behind it, the sign included.
    """
    names = tuple(names)
    for said in _SIGNED_WITHIN.finditer(text):
        word = unicodedata.normalize("NFKC", said[1]).casefold()
        # A word as short as "note" is one letter away from words of titles: "node: down".
        if near(word, names, most=1 if len(word) > 5 else 0):
            yield said


def opened_within(text: str, names: Iterable[str]) -> re.Match[str] | None:
    """The first of ``names`` within ``text`` that opens a text for other readers.

    It has words before it and behind it. "The bucket is public: …" and "Please note: …" are
    sentences, and an address may hold such a word, too.
    """
    for said in signed_within(text, names):
        start = max(text.rfind(blank, 0, said.start()) for blank in " \n\t") + 1
        before, glued = text[:start].split(), text[start : said.start()]
        if "://" in glued or re.search(r"[/?&@#\w-]$", glued):
            continue
        word = plain_word(before[-1]) if before else ""
        bound = _PREDICATE.fullmatch(word) or (said[1].casefold() == "note" and word in _POLITE)
        if bound or not any(map(str.isalnum, text[: said.start()])):
            continue
        if any(map(str.isalnum, text[said.end(2) :])):
            return said
    return None


def after_signs(text: str) -> str:
    """``text`` from its first word, without the arrows, emoji and calls like "@here" before it."""
    rest = text.lstrip()
    while (first := first_word(rest)) and _SIGNS.fullmatch(first[0]):
        rest = rest[first.end() :].lstrip()
    return rest


def _dashes(text: str) -> str:
    """``text`` with the dash before its first letter in ASCII, if it begins with one."""
    return re.sub(r"^[\u2010-\u2013\u2212\ufe58\ufe63]+(?=\w)", "--", text)


def _status(word: str, statuses: Iterable[str]) -> str:
    return near(word, statuses) or ""


def _option(key: str, value: str, rest: str, text: str, statuses: tuple[str, ...]) -> Head:
    """``key`` with its value; the value belongs to the rest if the key takes none."""
    key, plain = key.casefold(), plain_word(value)
    whole = f"{value}{rest}".lstrip()
    if key in PROMISE_KEYS:
        return Head(HeadKind.PROMISE, plain, rest.lstrip())
    if audience := _audience(key, plain, rest, whole):
        return audience
    if (near(key, STATUS_KEYS) or key in STATUS_KEYS) and (status := _status(plain, statuses)):
        return Head(HeadKind.STATUS, status, rest.lstrip())
    severity = near(plain, ("critical", "high", "medium", "low"))
    if (near(key, SEVERITY_KEYS) or key in SEVERITY_KEYS) and severity:
        return Head(HeadKind.SEVERITY, severity, rest.lstrip())
    if near(key, (*STATUS_KEYS, *SEVERITY_KEYS)) or key in (*STATUS_KEYS, *SEVERITY_KEYS):
        return Head(HeadKind.OPTION, "", rest.lstrip())
    meant = near(key, statuses)
    return Head(HeadKind.STATUS, meant, whole) if meant else Head(HeadKind.OPTION, "", text)


def _audience(key: str, plain: str, rest: str, whole: str) -> Head | None:
    if near(key, AUDIENCES):
        return Head(HeadKind.AUDIENCE, "private", whole)
    if near(key, (PUBLIC,), most=1) and plain in {"false", "no", "off"}:
        return Head(HeadKind.AUDIENCE, "private", rest.lstrip())
    if near(key, (PUBLIC,), most=1):
        return Head(HeadKind.AUDIENCE, PUBLIC, whole)
    if near(key, ("visibility",)) and plain in (*AUDIENCES, PUBLIC):
        audience = PUBLIC if plain == PUBLIC else "private"
        return Head(HeadKind.AUDIENCE, audience, rest.lstrip())
    return None
