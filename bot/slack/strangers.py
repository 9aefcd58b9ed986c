"""Words at the ends of a title that other verbs have options for, and a declaration has none. Pure.

A status, an owner or a promise there is hardly a word of the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.slack.audience_words import ends_with_readers
from bot.slack.owner_words import owners_said, people_at_end, people_at_start
from bot.slack.promise_words import ENDED, promise_at_end, promise_at_start
from bot.slack.references import plain_word
from bot.slack.typed import Typed
from core.incident import Severity

_PROMISE_MAX = 9  # words, with those before the time
_BRACKETED = re.compile(r"[(\[{].*[)\]}][.,;:!?]*", re.DOTALL)
_ARROW = re.compile("[-=]+>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]")
_DASH = re.compile("[-\u2013\u2014|]+")
_KEYS = frozenset({"status", "state"})
_TIME = re.compile(r"[0-9]+(?:[a-z]+|:[0-9]{2})")


def strangers(tokens: Sequence[str], typed: Typed) -> Iterator[tuple[int, int]]:
    """The places of such words among ``tokens``: where they start and end. They may overlap."""
    last = len(tokens)
    yield from owners_said(tokens)
    if count := people_at_start(tokens):
        yield 0, count
    if count := people_at_end(tokens):
        yield last - count, last
    first = promise_at_start(tokens[:_PROMISE_MAX], typed)
    if first and first[0] < last:
        yield 0, first[0]
    for start in range(max(1, last - _PROMISE_MAX), last - 1):
        if promise_at_end(tokens[max(0, start - _PROMISE_MAX) : start], tokens[start:], typed):
            yield start, last
    yield from _statuses(tokens, typed)


def _statuses(tokens: Sequence[str], typed: Typed) -> Iterator[tuple[int, int]]:
    """A status with a sign: "(monitoring)", "-> monitoring", ", status monitoring"."""
    last, statuses = len(tokens), typed.known.statuses
    if last > 2 and _ARROW.fullmatch(tokens[0]) and plain_word(tokens[1]) in statuses:
        yield 0, 2
    if last > 1 and _BRACKETED.fullmatch(tokens[0]) and plain_word(tokens[0]) in statuses:
        yield 0, 1
    if last > 2 and plain_word(tokens[0]) in _KEYS and plain_word(tokens[1]) in statuses:
        yield 0, 2
    if last < 2 or plain_word(tokens[-1]) not in statuses:
        return
    before = tokens[-2]
    if _BRACKETED.fullmatch(tokens[-1]):
        yield last - 1, last
    signed = _ARROW.fullmatch(before) or (_DASH.fullmatch(before) and tokens[-1][-1].isalnum())
    keyed = last > 2 and plain_word(before) in _KEYS and _ends(tokens[:-2], tokens[-2:])
    if signed or keyed:
        yield last - 2, last


def _ends(before: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a sign, or another word that commands, sets ``words`` off from those ``before``."""
    if ENDED.search(before[-1]) or _BRACKETED.fullmatch(" ".join(words)):
        return True
    word = plain_word(before[-1])
    commands = word in {*Severity} or word.startswith("@") or _TIME.fullmatch(word)
    return bool(commands) or ends_with_readers(before)
