"""References to incidents in typed text: 42, INC-42, an id, the link of a card. Pure.

People type in a hurry, on phones and with other keyboards, and copy decorated words. So a word is
normalised before it is read, and a reference is recognized in any script and any decoration.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from bot.slack.likeness import near
from bot.slack.requests import NUMBER_MAX
from core.commands import Ref

WORD = re.compile(r"\S+")
UUID_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# The link of a message, as "Copy link" gives it. The digits are its ts without the point.
# Source: https://docs.slack.dev/reference/methods/chat.getPermalink
LINK = re.compile(r"https://[^/\s<>|]+/archives/([CDG][A-Z0-9]+)/p([0-9]{10})([0-9]{6})[^\s<>|]*")

_REFERENCE = re.compile(r"(?:#|(?:inc|incident)[ -]*#?)?([0-9]+)")
_LEADING_WORD = re.compile(r"(?:inc|incident)-?#?")
_MEANT = re.compile(r"inc-.*|#\S*|[0-9a-f]{8}-[0-9a-f-]{8,}", re.DOTALL)
# The words before a number that make it look like a reference, although it may be none.
_WORDS = "#|inc|incidents?|no|nr|number|ticket|issue"
_MARK = re.compile(rf"(?:{_WORDS})[.:#_/-]*")
_MARKED = re.compile(rf"(?:(?:{_WORDS})[ .:#_/-]*)*([0-9]+)")
# A number with a text glued to it, "1:We", "(1)We", or with a second one: "1,2", "INC-1/INC-2".
_GLUED = re.compile(r"(?:#|inc|incident)?-?([0-9]+)[:,;!?)\]}][^\W\d_].*", re.DOTALL)
_PAIR = re.compile(
    r"(?:#|inc|incident)?-?([0-9]+)(?:[,;/&+-]|\.\.+)(?:#|inc-?|incident-?)?([0-9]+)"
)
# A slip of INC-1, such as NIC-1, and words before a reference: "on INC-1", "for the incident 1".
_SLIP = re.compile(r"([^\W\d_]{3})[-_]?([0-9]+)")
_BEFORE = frozenset({"on", "for", "to", "about", "re", "the", "in", "of", "regarding"})

# Small letters of Cyrillic and Greek whose capitals, or they themselves, look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "\u0456\u04cf\u03b9\u043f\u043d\u03bd\u0441\u03f2\u0501\u0435\u03b5\u0442\u03c4\u043c\u03bc",
    "iiinhnccdeettmm",
)

_DASHES = frozenset("\u2212\u2043\u02d7\u30fc")
_DECORATIONS = frozenset("'\"`´*_~<>|‘’‚‛“”„‟′″")
_FINAL = frozenset(".,:;!?…。、·")
_OPENING, _CLOSING = frozenset({"Ps", "Pi", "Pf"}), frozenset({"Pe", "Pi", "Pf"})
_ASCII_BEFORE = "'\"`*_~<>|([{"
_ASCII_AFTER = "'\"`*_~<>|)]}.,:;!?"
# Characters that change the look of the one before: variation selectors, the box of a keycap.
_LOOKS = frozenset({*(chr(code) for code in range(0xFE00, 0xFE10)), "\u20e3"})


def plain_word(word: str) -> str:
    """``word`` in lower case, in ASCII digits and dashes, without invisible signs and decoration.

    Decoration is brackets, quotation marks, back-ticks and asterisks around it, and punctuation
    after it. A sign before a number stays: ``-1`` names no incident.
    """
    if word.isascii():  # the same, and much faster: a text has thousands of words
        return word.lower().lstrip(_ASCII_BEFORE).rstrip(_ASCII_AFTER).strip()
    letters = (_plain(one) for one in unicodedata.normalize("NFKC", word))
    plain = "".join(letters).casefold()
    start, end = 0, len(plain)
    while start < end and (
        plain[start] in _DECORATIONS or unicodedata.category(plain[start]) in _OPENING
    ):
        start += 1
    while end > start and (
        plain[end - 1] in _DECORATIONS
        or plain[end - 1] in _FINAL
        or unicodedata.category(plain[end - 1]) in _CLOSING
    ):
        end -= 1
    return plain[start:end].strip()


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character in _LOOKS:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "-" if category == "Pd" or character in _DASHES else character


def _heads(text: str, most: int) -> Iterator[tuple[str, int]]:
    """The first visible words of ``text``, normalised: one, two, … of them, and where they end."""
    words: list[str] = []
    for match in WORD.finditer(text):
        if plain := plain_word(match[0]):
            words.append(plain)
            yield " ".join(words), match.end()
        if len(words) == most:
            return


class NoNumber(ValueError):
    """A reference is meant, and no incident can have it: 0, or too many digits."""


def at_head(text: str, cards: Mapping[str, UUID]) -> tuple[Ref, str]:
    """The incident that the beginning of ``text`` names, and the text after it.

    ``cards`` are the ids of incidents by the links of their messages. The reference is None if the
    beginning names none; then the text is returned as it was.

    Raises:
        NoNumber: it is written as a number of an incident, and is none.
    """
    first = first_word(text)
    if first and (link := LINK.search(first[0])) and link[0] in cards:
        return cards[link[0]], text[first.end() :].lstrip()
    for words, end in _heads(text, 2):
        rest = text[end:].lstrip()
        if UUID_FORM.fullmatch(words):
            return UUID(words), rest
        if match := _REFERENCE.fullmatch(words):
            return _number(match[1]), rest
        if not _LEADING_WORD.fullmatch(words):
            break
    return None, text


def _number(digits: str) -> int:
    number = number_of(digits)
    if number is None:
        raise NoNumber
    return number


def number_of(digits: str) -> int | None:
    """The number that the ASCII ``digits`` write; None if no incident can have it."""
    # Python refuses to convert thousands of digits, so the length is checked first.
    digits = digits.lstrip("0")
    if not digits or len(digits) > len(str(NUMBER_MAX)):
        return None
    return number if (number := int(digits)) <= NUMBER_MAX else None


def message_of(link: str) -> tuple[str, str]:
    """The channel and the ts of the message that ``link``, a match of `LINK`, points to."""
    match = LINK.fullmatch(link)
    return (match[1], f"{match[2]}.{match[3]}") if match else ("", "")


def is_bare(word: str) -> bool:
    """Whether ``word`` is a number as a sentence has it, without a sign of a reference."""
    plain = plain_word(word)
    return plain.isdigit() and word.rstrip(".,;").isdecimal()


def is_meant_as_reference(word: str) -> bool:
    """Whether ``word`` names no incident, and yet looks as if it should: ``INC-4x``."""
    return _MEANT.fullmatch(plain_word(word)) is not None


Found = tuple[tuple[Ref, ...], str]


def possible(text: str, cards: Mapping[str, UUID]) -> Found | None:
    """The incidents that the first or the last words of ``text`` may name, and the rest of it.

    A pair like 1-2 names two. There are none if no incident can have the number. None alone: no
    word looks like a reference.
    """
    for head, end in _heads(text, 3):
        if match := _MARKED.fullmatch(" ".join(map(_folded, head.split(" ")))):
            return _named(match[1]), text[end:].lstrip()
    words = [match for match in WORD.finditer(text) if plain_word(match[0])]
    if not words:
        return None
    return (
        _first_of(words, text) or _behind_other_words(text, cards) or _last_of(words, text, cards)
    )


def _named(*digits: str) -> tuple[Ref, ...]:
    """The numbers that ``digits`` write, each once, without those that no incident can have."""
    return tuple(dict.fromkeys(filter(None, map(number_of, digits))))


def _first_of(words: Sequence[re.Match[str]], text: str) -> Found | None:
    """The incidents that the first of ``words`` may name."""
    first, after = _folded(plain_word(words[0][0])), text[words[0].end() :].lstrip()
    if match := _GLUED.fullmatch(first):
        return _named(match[1]), text
    if match := _PAIR.fullmatch(first):
        return _named(match[1], match[2]), after
    if (match := _SLIP.fullmatch(first)) and near(match[1], ("inc",)):
        return _named(match[2]), after
    return ((), after) if LINK.search(words[0][0]) else None


def _last_of(words: Sequence[re.Match[str]], text: str, cards: Mapping[str, UUID]) -> Found | None:
    """The incidents that the last of ``words`` may name."""
    last, start = _folded(plain_word(words[-1][0])), words[-1].start()
    if link := LINK.search(words[-1][0]):
        return ((cards[link[0]],), text[:start].rstrip()) if link[0] in cards else None
    if UUID_FORM.fullmatch(last):
        return (UUID(last),), text[:start].rstrip()
    if match := _MARKED.fullmatch(last):
        if len(words) > 1 and _MARK.fullmatch(_folded(plain_word(words[-2][0]))):
            start = words[-2].start()
        return _named(match[1]), text[:start].rstrip()
    if match := _PAIR.fullmatch(last):
        return _named(match[1], match[2]), text[:start].rstrip()
    if (match := _SLIP.fullmatch(last)) and near(match[1], ("inc",)):
        return _named(match[2]), text[:start].rstrip()
    return None


def _behind_other_words(text: str, cards: Mapping[str, UUID]) -> Found | None:
    """A marked reference behind one or two words like "on" and "the", and the text after it."""
    rest = text
    for _ in range(2):
        before = first_word(rest)
        if before and plain_word(before[0]) in _BEFORE:
            rest = rest[before.end() :].lstrip()
    first = first_word(rest)
    if rest == text or first is None:
        return None
    if plain_word(first[0]).isdigit() and first[0].isalnum():
        # A number alone is a part of the sentence, "for 42 customers", unless a sign ends it.
        sign = first_word(rest[first.end() :])
        if sign is None or any(character.isalnum() for character in sign[0]):
            return None
    try:
        ref, rest = at_head(rest, cards)
    except NoNumber:
        return None
    return None if ref is None else ((ref,), rest)


def _folded(word: str) -> str:
    """``word`` with a Latin "inc" or "incident" for one in letters that look like them.

    A keyboard of another script, or a copied text, brings such letters.
    """
    letters = re.match(r"[^\W\d_]*", word)
    latin = letters[0].translate(_LOOK_ALIKES) if letters else ""
    meant = near(latin, ("inc", "incident")) if not word.startswith(latin) else None
    return meant + word[len(latin) :] if meant else word


def first_word(text: str) -> re.Match[str] | None:
    """The first visible word of ``text``."""
    return next((match for match in WORD.finditer(text) if plain_word(match[0])), None)
