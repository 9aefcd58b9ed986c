"""Readers in plain words at the ends of a text: "make it private", "visibility private". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack.likeness import near
from bot.slack.references import plain_word

PRIVATE, PUBLIC = "private", "public"

# "private" inside of a word that is written otherwise: "visibility=private", "(private,". It is an
# adjective in "private-network".
PRIVATE_WITHIN = re.compile(r"(?<![^\W_])private(?![^\W_]|-\w)")

# Words after which "private" belongs to the sentence: "Data is private", "Only one in private".
_BINDING = re.compile(
    "in|is|are|was|were|been?|being|not|no|its?|them|keep|kept|stays?|remains?|made|makes?|becom.*|"
    "became|went|gone|go|goes|turn|turned|set|marked|an?|the|our|your|more|less|and|or|of|to|from|"
    "for|with|by|on|at|as|via|into|than|that|very|now|still|only|also|should|must|will|can|cannot"
)
_IT = "(?:it|this|that|them|(?:the|this) (?:incident|one|update|note))"
_PLEASE = "(?:please|pls|plz)"
_ASKING = (
    rf"(?:(?:make|mark|keep|set|treat|declare|file|have|leave) (?:{_IT} )?|"
    rf"(?:made|kept|marked) {_IT} )(?:(?:all|to|stay|remain|be|as|in) )*"
)
_STANDING = r"(?:should|must|needs to|has to|to|is to) (?:be|stay|remain) (?:(?:kept|in) )*"
_KEY = "(?:visibility|audience|readers) (?:(?:is|are|to|as|set to) )?"
_ABOUT_IT = rf"{_IT} (?:(?:is|are|stays|remains) |{_STANDING})|its |it's "
# "Data is private" is rather a sentence.
_SENTENCE = rf"{_STANDING}|(?:as|in|is|are|stays?) "
_BEFORE = (
    rf"(?:(?:and|but|so) )?(?:{_PLEASE} )?"
    rf"(?P<asks>{_ASKING}|{_KEY}|{_ABOUT_IT})?(?P<says>{_SENTENCE})?"
)
_AFTER = (
    r"(?: (?:incident|one|mode|visibility|notes?|update|text|message|for now|thanks|thx|"
    rf"{_PLEASE}))*"
)
# These are words of many titles. They name readers behind words that ask, or set off by a sign.
_INSIDERS = (
    r"internal(?:ly)?|confidential|secret|hidden|non?-?public|embargo(?:ed)?|classified|unlisted|"
    r"restricted|sensitive|nda|team only|privately|"
    r"only (?:for )?(?:responders|us|the team|staff)"
)
# These are words of few titles, and name readers behind a title without a sign as well.
_ONLY_THEM = (
    r"internal(?:ly)? only|for internal (?:use|eyes)(?: only)?|not public(?: yet)?|priv|pvt|prv|"
    r"not for (?:the public|customers)|(?:for )?(?:responders|staff) only|"
    r"(?:for )?us only|for the team only|"
    r"just for (?:us|ourselves|(?:the|our) team)|only for (?:us|ourselves)|"
    r"(?:just |only )?among (?:us|ourselves)|"
    r"no public|not for publication|(?:(?:for )?(?:your|our|my|their|internal) )?eyes only|"
    r"(?:on an? )?need[ -]to[ -]know(?: basis)?(?: only)?|off[ -]the[ -]record|"
    r"tlp (?:red|amber|green)(?:[+ ]strict)?|under (?:embargo|nda)|"
    r"(?:just |only )?between (?:us|ourselves)|keep (?:it |this )?(?:quiet|secret|under wraps)|"
    r"(?:strictly|private and) confidential|hush[ -]hush|"
    r"(?:do not|don'?t) (?:publish|share|tell (?:customers|anyone|anybody))"
    r"(?: (?:it|this))?(?: yet)?"
)
# The last word of a text that names readers without a sign, unless the word before it binds it.
_AT_LAST = re.compile(
    "internal|confidential|embargo(?:ed)?|hidden|non?-?public|classified|unlisted|nda|privately"
)
# These belong to no sentence, whatever stands before them: "db-3 lost it TLP:RED".
_UNBOUND = re.compile(r"^tlp |eyes only$|off[ -]the[ -]record$|not for publication$")
# The same before a text; "Do not publish …" may begin a sentence.
_FIRST_ONLY = re.compile(
    r"internal(?:ly)? only|for internal (?:use|eyes)(?: only)?|"
    r"(?:for )?(?:the )?(?:responders|staff|us|team) only|tlp (?:red|amber|green)(?:[+ ]strict)?|"
    r"(?:(?:for )?(?:your|our|my|their|internal) )?eyes only|off[ -]the[ -]record|"
    r"need[ -]to[ -]know(?: only)?|not public yet|not for (?:publication|the public|customers)"
)
# Who is called upon at the beginning of a text, with a colon behind: "Responders: db-3 is slow".
_CALLED = re.compile(
    r"(?:(?:fyi|hey|hi|only|just)? ?(?:for|to|as)? ?(?:an?|the|our)? ?)"
    r"(?:responders?|(?:on-?call |internal )?team|staff|on-?call|engineers|colleagues|devs|us|note)"
    r"(?: only)?"
)
_CALLED_BY_ALL = re.compile(
    r"(?:and )?(?:(?:for|to|tell) (?:everyone|everybody|all|(?:the |our )?(?:customers|users))|"
    rf"(?:{_PLEASE} )?(?:publish|announce|post|make public)(?: (?:it|this|that))?)"
)
_PUBLISH = re.compile(
    rf"(?:{_PLEASE} )?(?:publish|announce)(?: (?:it|this|that))?(?: {_PLEASE})?|"
    rf"(?:{_PLEASE} )?tell (?:everyone|everybody|all|(?:the |our )?customers)(?: {_PLEASE})?|"
    r"for (?:everyone|everybody|(?:the |our )?customers)"
)
_CALL_MAX = 6
# The first words of these.
_ONLY_FIRST = frozenset({"internal", "internally", "for", "not", "priv", "pvt", "prv", "us"})
_ONLY_FIRST |= {"responders", "staff", "do", "dont", "don't", "no", "eyes", "need", "need-to-know"}
_ONLY_FIRST |= {"off", "off-the-record", "under", "just", "only", "between", "keep", "strictly"}
_ONLY_FIRST |= {"among"}
_ONLY_FIRST |= {"hush", "hush-hush", "tlp", "tlp:red", "tlp:amber", "tlp:amber+strict", "tlp:green"}
_NAMED = re.compile(rf"{_BEFORE}(?P<name>private|public){_AFTER}")
_INSIDE = re.compile(rf"{_BEFORE}(?:(?P<only>{_ONLY_THEM})|(?:{_INSIDERS})){_AFTER}")
_WITHIN = re.compile(
    rf"(?:{_PLEASE} )?(?:{_KEY}|(?:make|mark|keep|set|treat) {_IT} (?:as )?)private(?: {_PLEASE})?"
)
_WORDS_MAX, _ONLY_WORDS_MAX = 12, 6
# A colon rather opens what a word before it announces: "Note: secret".
_SET_OFF = re.compile(r"[.,;!?|–—-]$")


@dataclass(frozen=True, slots=True)
class SaidReaders:
    """The words from ``start`` to before ``end`` that may say who reads the text.

    ``name`` is ``private`` or ``public``. ``bare``: it is that word alone. ``asks``: words before
    it ask for readers; without them a phrase may as well be the end of a sentence.
    """

    start: int
    end: int
    name: str
    bare: bool = False
    asks: bool = False


def readers_at_end(words: Sequence[str]) -> SaidReaders | None:
    """The readers that the last of ``words`` may name. Words without a letter are passed over."""
    last = len(words)
    while last and not _is_word(words[last - 1]):
        last -= 1
    for start in range(max(0, last - _WORDS_MAX), last):
        if _is_word(words[start]) and (found := _named(words, start, last)):
            return found
    return None


def readers_at_start(words: Sequence[str]) -> SaidReaders | None:
    """The readers that the first of ``words`` may name. Words without a letter are passed over."""
    start = next((place for place, word in enumerate(words) if _is_word(word)), len(words))
    for end in reversed(range(start + 1, min(len(words), start + _WORDS_MAX) + 1)):
        if _is_word(words[end - 1]) and (found := _named(words, start, end)):
            return found
    return None


def readers_within(words: Sequence[str]) -> SaidReaders | None:
    """The readers that a whole phrase or a word in brackets names anywhere among ``words``."""
    known: dict[str, str] = {}
    for place, word in enumerate(words):
        plain = plain_word(word)
        if plain in _ONLY_FIRST and (said := _only_them(words, place)):
            return said
        if not PRIVATE_WITHIN.search(plain):
            continue
        between = place > 0 and _SET_OFF.search(words[place - 1]) and _SET_OFF.search(word)
        if between or re.fullmatch(
            r"(?:[(\[{]private[)\]}]|(?:--?|[–—])private)[.,;:!?]?", word.casefold()
        ):
            return SaidReaders(place, place + 1, PRIVATE)
        if said := _asked_around(words, place, known):
            return said
    return None


def _asked_around(words: Sequence[str], place: int, known: dict[str, str]) -> SaidReaders | None:
    """A phrase such as "make it private" around the word at ``place``.

    ``known`` has the words that were looked at from other places already.
    """
    first = max(0, place - _WORDS_MAX)
    for word in words[first : place + 2]:
        if word not in known:
            known[word] = _plain([word])
    for start in range(first, place + 1):
        for end in (place + 2, place + 1):
            text = " ".join(filter(None, (known[one] for one in words[start:end])))
            if _is_word(words[start]) and _WITHIN.fullmatch(text):
                return SaidReaders(start, min(end, len(words)), PRIVATE, asks=True)
    return None


def _only_them(words: Sequence[str], start: int) -> SaidReaders | None:
    """Words such as "internal only" from ``start`` on, that signs set off from those before."""
    for end in range(min(len(words), start + _ONLY_WORDS_MAX), start, -1):
        match = _INSIDE.fullmatch(_plain(words[start:end]))
        if match and match["only"] and start and is_set_off(words, start, end):
            return SaidReaders(start, end, PRIVATE, asks=True)
    return None


def binds(words: Sequence[str]) -> bool:
    """Whether the last of ``words`` makes the next one a part of the sentence.

    Words about readers do not, although "internal only" ends like a sentence that goes on.
    """
    if not words or not _BINDING.fullmatch(plain_word(words[-1])):
        return False
    return not ends_with_readers(words)


def ends_with_readers(words: Sequence[str]) -> bool:
    """Whether the last of ``words`` may name readers: "internal only", "private"."""
    return any(names_readers(words[-count:]) for count in range(1, _ONLY_WORDS_MAX + 1))


def _named(words: Sequence[str], start: int, end: int) -> SaidReaders | None:
    text = _plain(words[start:end])
    if match := _NAMED.fullmatch(text):
        bare = match["name"] == text
        return SaidReaders(start, end, match["name"], bare=bare, asks=bool(match["asks"]))
    match = _INSIDE.fullmatch(text)
    few = match and (match["only"] or (end == len(words) and _AT_LAST.fullmatch(text)))
    bound = start and binds(words[:start]) and not _UNBOUND.search(text)
    alone = few and match and start and not match["says"] and not bound
    first = not start and end < len(words) and _FIRST_ONLY.fullmatch(text)
    if match and (match["asks"] or alone or first or is_set_off(words, start, end)):
        return SaidReaders(start, end, PRIVATE, asks=True)
    return None


def called_at_start(words: Sequence[str]) -> SaidReaders | None:
    """The readers that a text calls upon with a colon: "Responders: …", "tell everyone: …"."""
    for end, word in enumerate(words[:_CALL_MAX], start=1):
        if word.endswith((":", "：")):
            text = _plain(words[:end])
            for pattern, name in ((_CALLED, PRIVATE), (_CALLED_BY_ALL, PUBLIC)):
                if pattern.fullmatch(text):
                    return SaidReaders(0, end, name, asks=True)
            return None
    return None


def published_at_end(words: Sequence[str]) -> int:
    """The number of last words that ask to publish a note, with a sign before them."""
    for count in range(min(_CALL_MAX, len(words) - 1), 0, -1):
        set_off = _SET_OFF.search(words[-count - 1]) or not _is_word(words[-count - 1])
        if set_off and _PUBLISH.fullmatch(_plain(words[-count:])):
            return count
    return 0


def names_readers(words: Sequence[str]) -> bool:
    """Whether all of ``words`` may name readers, wherever they stand: "internal only"."""
    text = _plain(words)
    return bool(_NAMED.fullmatch(text) or _INSIDE.fullmatch(text))


def is_set_off(words: Sequence[str], start: int, end: int) -> bool:
    """Whether signs stand between the words and the others: ", not public", "(internal only)"."""
    if not start and end == len(words):
        return False
    brackets = bool(re.match(r"[(\[{]", words[start]) and re.search(r"[)\]}]\W*$", words[end - 1]))
    before = start > 0 and (
        _SET_OFF.search(words[start - 1]) is not None or words[start - 1] in {"//", "/"}
    )
    after = start == 0 and re.search("[:|–—]$", words[end - 1]) is not None
    return brackets or before or after


def _is_word(token: str) -> bool:
    """Whether ``token`` has a letter or a digit, and is no emoji such as ``:lock:``."""
    return any(character.isalnum() for character in token) and not re.fullmatch(
        r":[a-z0-9_+'-]+:", token, re.IGNORECASE
    )


def _plain(words: Sequence[str]) -> str:
    """``words`` in lower case without signs, a slip of "private" as that word."""
    plain: list[str] = []
    for token in words:
        if not _is_word(token):
            continue
        word = re.sub(r"^\W+|\W+$", "", plain_word(token)).replace("’", "'")
        plain += re.sub(r"^(visibility|audience|readers|tlp)[:=→-]+", r"\1 ", word).split()
    # "privacy" is two letters away.
    return " ".join(PRIVATE if near(word, (PRIVATE,), most=1) else word for word in plain)
