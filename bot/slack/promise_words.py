"""The words of ``promise``, and of a time before a public text: when the next one is due. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.slack.references import plain_word
from bot.slack.requests import Choice, OpenPromise, Question
from bot.slack.typed import Typed, quoted
from core.commands import SetPromise
from core.promise import LONGEST, SHORTEST, NextUpdate
from core.times import ENDS, as_minutes, duration, names_day, next_time, span_of, start_of

# A time of day that has just passed was rather meant for today than for tomorrow.
JUST_PASSED = timedelta(hours=3)


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
    words = [word for word in map(plain_word, said.split()) if word]
    if len(words) > 1 and words[0] in {"in", "by", "at"}:
        words = words[1:]
    time = typed.fixed(" ".join(words))
    if within := span_of(time):
        return replace(asked, next_update=NextUpdate(within=within))
    by = next_time(time, at=typed.known.at, zone=typed.known.zone)
    if by is None:
        raise typed.wrong(
            f"{quoted(said)} is no time.",
            suggestion=as_minutes(time),
            hint=f"{ENDS[0].upper()}{ENDS[1:]} in your own time zone, or none.",
            slip=time,
        )
    tomorrow = replace(asked, next_update=NextUpdate(by=by))
    last = start_of(time, at=typed.known.at, zone=typed.known.zone)
    just_passed = last is not None and typed.known.at - last.at <= JUST_PASSED
    if just_passed and not names_day(time) and not typed.literal:
        raise Question(
            f"{quoted(said)} has just passed in your time zone. Nothing was promised.",
            [Choice(tomorrow, "Promise it for tomorrow")],
            usage=typed.verb.usage,
        )
    return tomorrow


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
    """``promised`` in words, for a button: ``by 15:30``, ``in 30 min``."""
    if promised.by:
        return f"by {promised.by.astimezone(typed.known.zone):%H:%M}"
    return f"in {duration(promised.within)}" if promised.within else ""
