"""Reads promises as people type them: their moments, and the words behind them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.slack.audience_words import binds
from bot.slack.references import plain_word
from bot.slack.requests import Choice, OpenPromise, Question
from bot.slack.typed import Typed, quoted
from core.commands import SetPromise
from core.incident import Note
from core.promise import LONGEST, SHORTEST, NextUpdate
from core.times import (
    ENDS,
    as_minutes,
    clock_time,
    duration,
    evening_of,
    is_day,
    is_past_today,
    next_time,
    span_of,
)

# No time has more words than ``next update by tomorrow at 3:30 pm``; the others are a reason.
TIME_WORDS_MAX = 8
_LIMITS = "from one minute to seven days away"
COMPACT_TIME = re.compile(r"[0-9]+[a-z:][0-9a-z]*")
_BEFORE_TIME = frozenset({"in", "at", "by", "within", "is"})
_SAYING = frozenset({"next", "promise", "update", "public"})
# "We publish another update in 30 minutes" is a sentence.
_BEFORE_UPDATE = re.compile(
    "another|one|further|more|new|regular|status|first|last|final|second|we|i|they|you|please|each|"
    "every|next|public|expect|get|give|post|publish|send|write|share|provide|any|some"
)
# A word with a sign that sets off what stands behind it.
ENDED = re.compile(r"[.,;:!?|)\]}–—-]$")


def read_promise(typed: Typed) -> SetPromise:
    whole = plain_word(typed.rest)
    ref = typed.ref()
    asked = SetPromise(actor=typed.actor, ref=ref)
    if not typed.rest:
        raise _without_time(whole, asked, typed)
    if typed.fixed(plain_word(typed.peek())) == "none":
        typed.word()
        return replace(asked, reason=typed.note())
    said = typed.text("The time")
    found = _time_at_head(said, typed)
    if found is None:
        time = _time_of(said, typed)
        minutes = as_minutes(time)
        raise typed.wrong(
            f"{quoted(said)} is no time.",
            suggestion=minutes if span_of(minutes or "") else None,
            hint=f"{ENDS[0].upper()}{ENDS[1:]} in your own time zone, {_LIMITS}, or none.",
            slip=time,
        )
    next_update, time, rest = found
    asked = replace(asked, next_update=next_update, reason=Note(rest) if rest else None)
    _see_limits(time, asked, typed)
    if typed.literal:
        return asked
    if next_update.by and is_past_today(time, at=typed.known.at, zone=typed.known.zone):
        raise _past_today(time, asked, typed)
    if rest and plain_word(rest.split()[0]) != "because":
        with_reason = Choice(asked, "Promise it, with this as the private reason")
        raise Question(
            f"{quoted(rest)} stands behind the time. A promise takes a private reason there, and "
            "nothing that the public reads. Nothing was promised.",
            [
                with_reason,
                Choice(replace(asked, reason=None), "Promise it without these words"),
                Choice(OpenPromise(ref=ref)),
            ],
            usage=typed.verb.usage,
        )
    return asked


def _see_limits(time: str, asked: SetPromise, typed: Typed) -> None:
    """Asks about a time that is too near or too far, with the limit beside it."""
    promised = asked.next_update or NextUpdate()
    span = promised.by - typed.known.at if promised.by else promised.within
    if span is None or SHORTEST <= span <= LONGEST:
        return
    limit = LONGEST if span > LONGEST else SHORTEST
    near = [] if promised.by and span < SHORTEST else [NextUpdate(within=limit)]
    raise Question(
        f"{quoted(time)} is too {'far' if limit == LONGEST else 'near'}: the next update must be "
        f"{_LIMITS}. Nothing was promised.",
        [
            *(Choice(replace(asked, next_update=one)) for one in near),
            Choice(OpenPromise(ref=asked.ref)),
        ],
        usage=typed.verb.usage,
    )


def _time_of(said: str, typed: Typed) -> str:
    """``said`` as a time is written, without the words before it."""
    words = [word for word in map(plain_word, said.split()) if word]
    # "next 30m" and "next update by 15:30" are said of the same thing, "next monday" is not.
    while len(words) > 1 and words[0] in {"next", "update", "in", "by", "at"}:
        if words[0] == "next" and is_day(words[1]):
            break
        words = words[1:]
    return typed.fixed(" ".join(words))


def _time_at_head(said: str, typed: Typed) -> tuple[NextUpdate, str, str] | None:
    """The promise that the first words of ``said`` name, these words, and the text behind them."""
    words = list(re.finditer(r"\S+", said))[:TIME_WORDS_MAX]
    for last in reversed(words):
        time, rest = _time_of(said[: last.end()], typed), said[last.end() :].strip()
        if (within := span_of(time)) is not None:
            return NextUpdate(within=within), time, rest
        if by := next_time(time, at=typed.known.at, zone=typed.known.zone):
            return NextUpdate(by=by), time, rest
    return None


def _past_today(time: str, asked: SetPromise, typed: Typed) -> Question:
    """Asks which moment is meant by a time of day that has passed today."""
    at, zone = typed.known.at, typed.known.zone
    meant = []
    if evening := evening_of(time, at=at, zone=zone):
        today = replace(asked, next_update=NextUpdate(by=evening))
        meant.append(Choice(today, f"Promise it for today {evening.astimezone(zone):%H:%M}"))
    if asked.next_update and asked.next_update.by:
        tomorrow = asked.next_update.by.astimezone(zone)
        meant.append(Choice(asked, f"Promise it for tomorrow {tomorrow:%H:%M}"))
    return Question(
        f"{quoted(time)} has passed today in your time zone. Nothing was promised.",
        [*meant, Choice(OpenPromise(ref=asked.ref))],
        usage=typed.verb.usage,
    )


def _without_time(whole: str, asked: SetPromise, typed: Typed) -> Question:
    """Offers the dialog of a promise without a time. A bare number may be minutes as well."""
    meant = [Choice(OpenPromise(ref=asked.ref))]
    problem = "The time is missing: write 30m, 15:30 or none."
    within = span_of(as_minutes(whole) or "")
    if within and SHORTEST <= within <= LONGEST:
        problem = f"{quoted(whole)} may be minutes, or the number of an incident."
        meant.insert(0, Choice(replace(asked, ref=None, next_update=NextUpdate(within=within))))
    return Question(f"{problem} Nothing was promised.", meant, usage=typed.verb.usage)


def promised_by(time: str, typed: Typed) -> NextUpdate | None:
    """The promise that ``time`` names; None if it names none."""
    if within := span_of(time):
        return NextUpdate(within=within) if SHORTEST <= within <= LONGEST else None
    by = next_time(time, at=typed.known.at, zone=typed.known.zone)
    return NextUpdate(by=by) if by else None


def when(promised: NextUpdate, typed: Typed) -> str:
    """``in 30 min``, ``by 15:40`` or, on another day, ``by 2026-03-03 10:00``."""
    if promised.by:
        return f"by {clock_time(promised.by, at=typed.known.at, zone=typed.known.zone)}"
    return f"in {duration(promised.within)}" if promised.within else ""


def promise_at_start(tokens: Sequence[str], typed: Typed) -> tuple[int, str] | None:
    """The number of first words that promise the next update, and their time; None if none do.

    "Next 2 hours may be slow" is a sentence; "next update in 2 hours" says what it is about.
    """
    if (found := _promise(tokens, typed)) is None:
        return None
    first, ends, named = found
    if tokens[0].endswith(":"):  # "Update: in 30 minutes we restart it"
        return None
    for end in ends:
        time = " ".join(map(plain_word, tokens[first:end]))
        compact = end == first + 1 and COMPACT_TIME.fullmatch(time) is not None
        dashed = end < len(tokens) and not any(map(str.isalnum, tokens[end]))
        set_off = dashed or ENDED.search(tokens[end - 1]) is not None
        if end == len(tokens) or set_off or named or (compact and first == 1):
            return end, time
    return None


def promise_at_end(before: Sequence[str], tokens: Sequence[str], typed: Typed) -> str:
    """The time of the next update that ``tokens`` promise, the last ones; empty if none do.

    They belong to the sentence after words that bind them to it: "We get the next update in 2h".
    """
    found = _promise(tokens, typed)
    if found is None or found[1][:1] != [len(tokens)]:
        return ""
    first, _, named = found
    words = [plain_word(one) for one in tokens]
    bracketed = tokens[0][0] in "([{" and tokens[-1].rstrip(".,;:!?")[-1] in ")]}"
    if not (ENDED.search(before[-1]) or bracketed):
        bare = words[0] in {"update", "public"} and _BEFORE_UPDATE.fullmatch(plain_word(before[-1]))
        if bare or binds(before) or ({*words[:first]} & _BEFORE_TIME and not named):
            return ""
    return " ".join(words[first:])


def _promise(tokens: Sequence[str], typed: Typed) -> tuple[int, list[int], bool] | None:
    """Where the time of a promise begins among ``tokens``, where it may end, the longest first.

    The last is whether the words name an update: "next update in 30m". None if they promise none.
    """
    words = [plain_word(one) for one in tokens]
    first = next((place for place, one in enumerate(words) if one not in _SAYING), len(words))
    spoken = first < len(words) and words[first] in _BEFORE_TIME
    named = "update" in words[:first]
    if not first or not (words[0] in {"next", "promise"} or (named and spoken)):
        return None
    first += spoken
    times = range(min(len(words), first + TIME_WORDS_MAX), first, -1)
    ends = [end for end in times if promised_by(" ".join(words[first:end]), typed)]
    return (first, ends, named) if ends else None
