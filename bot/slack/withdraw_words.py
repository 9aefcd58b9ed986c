"""The words of ``/incident withdraw``: an incident, and the number or name of a text. Pure."""

from __future__ import annotations

import re

from bot.slack.references import NoNumber, at_head, number_of, plain_word, possible
from bot.slack.requests import Choice, OpenWithdrawal, Question, Request, UsageError
from bot.slack.text_readers import unfilled
from bot.slack.typed import Typed, quoted
from core.commands import Redact

# Words around the number of an entry, or the name of a text, that add nothing to it: "the entry 3",
# "no. 3", and "entry 3 of", of which the incident was read before.
_BEFORE = re.compile(
    r"(?:the +)?((?:entry|entries|update|note|text|item|line)\b[.:]? *)?"
    r"(?:(?:number|no|nr)\b[.:]? *)?",
    re.IGNORECASE,
)
_BEHIND = re.compile(r" +(?:of|from|in|on)(?: +(?:the|this|that|it))?$", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:of|from|in|on) +(?:the +)?", re.IGNORECASE)


def read_withdrawal(typed: Typed) -> Redact:
    """The withdrawal that is asked for.

    Raises:
        Question: the incident or the text is missing, or the two stand the other way round.
    """
    # It cannot be undone, so a number or a name alone is asked about.
    whole = typed.rest
    name = typed.name_of_texts()
    marked = _marked_entry(whole)
    if (name is not None or marked) and not typed.literal:
        problem = "The number of the incident is missing."
        asked = Redact(actor=typed.actor, ref=None, entry=name or marked or 0)
        raise unfilled(typed, problem, asked)
    alone = name is not None or len(whole.split()) == 1
    if alone and not typed.literal:
        _ask_which_text(typed)
        problem = f"{quoted(typed.rest)} names no incident, and no text of one."
        raise unfilled(typed, problem, *_withdrawals(typed))
    ref = None if alone else typed.ref()
    if ref is not None:
        _ask_if_behind(whole, typed)
    if not (name or typed.rest):
        raise unfilled(typed, "The number of the entry is missing.", OpenWithdrawal(ref=ref))
    typed.rest = _BEFORE.sub("", _BEHIND.sub("", typed.rest), count=1)
    entry = name or typed.name_of_texts() or typed.entry()
    typed.end()
    return Redact(actor=typed.actor, ref=ref, entry=entry)


def _marked_entry(words: str) -> int | None:
    """The number of an entry that ``words`` name and call one: "entry 3"; None otherwise."""
    before = _BEFORE.match(words)
    if before is None or not before[1]:
        return None
    rest = plain_word(_BEHIND.sub("", words[before.end() :])).removeprefix("#")
    return number_of(rest) if rest.isdigit() else None


def _ask_if_behind(whole: str, typed: Typed) -> None:
    """Asks about a number that was read as the incident, with another one behind it: "3 of 8"."""
    between = _BETWEEN.match(typed.rest)
    first = plain_word(whole.split(maxsplit=1)[0]).removeprefix("#")
    if between is None or not first.isdigit() or typed.literal:
        return
    try:
        ref, rest = at_head(typed.rest[between.end() :], typed.known.cards)
    except NoNumber:
        return
    entry = number_of(first)
    if ref is None or rest or entry is None:
        return
    problem = "The number of the incident comes first, then that of the entry."
    raise unfilled(typed, problem, Redact(actor=typed.actor, ref=ref, entry=entry))


def _withdrawals(typed: Typed) -> list[Request]:
    """The dialogs of the incidents that the words may name; of one that is to be chosen if none."""
    found = possible(typed.rest, typed.known.cards)
    return [OpenWithdrawal(ref=ref) for ref in (found and found[0]) or [None]]


def _ask_which_text(typed: Typed) -> None:
    """Asks about a word alone if it names an incident; it may also be the number of an entry."""
    try:
        ref, _ = at_head(typed.rest, typed.known.cards)
    except NoNumber:
        return
    if ref is None:
        return
    choices = [Choice(OpenWithdrawal(ref=ref))]
    problem = "Which text of it?"
    try:
        entry = typed.entry()
    except UsageError:
        pass
    else:
        choices.append(Choice(Redact(actor=typed.actor, ref=None, entry=entry)))
        problem = f"Which text of INC-{ref}, or is {entry} an entry?"
    raise Question(f"{problem} Nothing was done.", choices, usage=typed.verb.usage)
