"""The number before the text of a command, as a part of that text: "12 of 15 replicas". Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack import verbs
from bot.slack.heads import head_of, status_first
from bot.slack.markup import plain_text
from bot.slack.parser import close_verb, copied, harmless, meanings
from bot.slack.references import (
    NoNumber,
    at_head,
    first_word,
    is_bare,
    is_meant_as_reference,
    plain_word,
)
from bot.slack.requests import Choice
from bot.slack.tried import SENTENCES
from bot.slack.typed import Circumstances, Numbered, option
from bot.slack.verbs import Verb

# The commands with a text behind the number of the incident.
_WITH_TEXT = frozenset(
    {"update", "note", "next", "status", "resolve", "close", "title", "description"}
)


def number_as_text(text: str, known: Circumstances) -> Numbered | None:
    """The number before the text of ``text``, typed after ``/incident``, which may belong to it.

    None if no number, or nothing that is written as one, stands before a text.
    """
    line = _line(text)
    if line is None or line.verb.name not in _WITH_TEXT:
        return None
    head, key = line.arguments, option(line.arguments.split(maxsplit=1)[0])[0]
    if line.verb.name == "update" and key == "status":
        head = head.split(maxsplit=1)[1] if len(head.split()) > 1 else ""
    number = first_word(head)
    if number is None:
        return None
    try:
        ref, rest = at_head(head, known.cards)
    except NoNumber:
        ref, rest = None, head[number.end() :].strip()
    if not isinstance(ref, int):
        # A slip of a reference is one that no incident can have.
        meant = is_meant_as_reference(number[0]) and "#" not in number[0][:2]
        if ref is not None or (rest == head and not meant):
            return None
        rest = head[number.end() :].strip()
    if not rest or (not line.sure and _is_command(rest, known)):
        return None

    def as_text() -> Sequence[Choice]:
        found = meanings(line.verb, [(line.arguments, False)], known, numberless=True)
        return found if line.sure else [harmless(one, known) for one in found]

    bare = is_bare(number[0]) and head_of(rest, statuses=known.statuses) is None
    return Numbered(ref, bare=bare, as_text=as_text)


@dataclass(frozen=True, slots=True)
class _TypedLine:
    """A typed line. ``sure``: it begins with its verb; if not, its text may be a note."""

    verb: Verb
    arguments: str
    sure: bool


def _line(text: str) -> _TypedLine | None:
    """``text`` as verb and arguments; None without any."""
    while (first := first_word(text)) and (length := copied(first[0])):
        text = text[first.start() + length :]
    if first is None:
        return None
    word = plain_word(plain_text(first[0]))
    verb, arguments = verbs.find(word), plain_text(text[first.end() :]).strip()
    sure = verb is not None
    if verb is None:
        close = close_verb(word)
        verb = verbs.VERBS_BY_WORD[close or "note"]
        if close is None and word not in SENTENCES:
            arguments = plain_text(text).strip()
    return _TypedLine(verb, arguments, sure) if arguments else None


def _is_command(rest: str, known: Circumstances) -> bool:
    """Whether the words behind a number are a command: "12 resolve", "12 monitoring"."""
    first = first_word(rest)
    verb = verbs.find(plain_word(first[0])) if first else None
    return verb is not None or status_first(rest, known.statuses) is not None
