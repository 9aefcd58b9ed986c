"""The number of an incident behind other words of its command: "resolve private 11 it is over".
Pure.

It stands first. Before it, or behind it at the end of a text, stand words that command: readers, a
severity, a status, an option, a person. Other words are text, and a number among them may be any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from bot.slack.audience_words import names_readers
from bot.slack.likeness import near
from bot.slack.references import WORD, Found, NoNumber, at_head, plain_word, possible
from core.incident import Severity

_WORDS_MAX = 6
_READERS = ("private", "public", "internal")
_COMMANDING = re.compile(
    "note|internally|confidential|secret|hidden|priv|pvt|please|pls|plz|(?:sev|p)-?[0-5]|"
    r"--?[^\W\d_]\S*|[^\W\d_][\w-]*[:=]\S+|@\S+"
)
# Words between these.
_BETWEEN = re.compile(
    "severity|sev|prio|priority|status|state|to|owner|assign|only|it|is|mode|update|for|and|set"
)
_SIGNED = re.compile(r"[:=]|^--?\w|^(?:please|pls|plz)$", re.IGNORECASE)
_PROMISE = re.compile(
    r"(?:next|promise)(?: (?:public )?update)?(?: (?:in|at|by))? ?[0-9][0-9:]*(?: ?[a-z]+)?"
)
_TIME = re.compile(r"[0-9]+(?:[a-z]+|:[0-9]{2})")


def beside_commands(
    text: str, cards: Mapping[str, UUID], *, statuses: Iterable[str], timed: bool
) -> Found | None:
    """The incidents named behind or before words that command, and the text without the number.

    ``timed``: a time is such a word, too. None if no number stands there.
    """
    tokens = list(WORD.finditer(text))
    words = [one[0] for one in tokens]
    for count in range(1, min(_WORDS_MAX + 1, len(words))):
        if not _command(words[:count], statuses, timed=timed):
            continue
        try:
            ref, rest = at_head(text[tokens[count].start() :], cards)
        except NoNumber:
            continue
        if ref is not None:
            lead = text[: tokens[count].start()].rstrip()
            # The number set the words off from the text, so a sign does from now on.
            sign = (
                ":" if rest and lead[-1].isalnum() and not _SIGNED.search(words[count - 1]) else ""
            )
            return (ref,), f"{lead}{sign} {rest}".rstrip()
    for count in range(1, min(_WORDS_MAX + 1, len(words) - 1)):
        if not _command(words[-count:], statuses, timed=timed):
            continue
        before = text[: tokens[-count].start()].rstrip(" \t\n,;|–—-")
        if found := possible(before, cards):
            refs, rest = found
            tail = text[tokens[-count].start() :]
            sign = "," if tail[0].isalnum() and rest[-1:].isalnum() else ""
            return refs, f"{rest}{sign} {tail}"
    return None


def _command(words: Sequence[str], statuses: Iterable[str], *, timed: bool) -> bool:
    """Whether all of ``words`` command, and are no text."""
    if names_readers(words):
        return True
    plain = [word for one in words if any(map(str.isalnum, word := plain_word(one)))]
    if _PROMISE.fullmatch(" ".join(plain)):
        return True
    strong = [
        word in {*Severity}
        or near(word, (*_READERS, *statuses), most=1) is not None
        or _COMMANDING.fullmatch(word) is not None
        or (timed and _TIME.fullmatch(word) is not None)
        for word in plain
    ]
    return any(strong) and all(
        one or _BETWEEN.fullmatch(word) for one, word in zip(strong, plain, strict=True)
    )
