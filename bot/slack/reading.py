"""One reader for each verb of the table: its typed arguments become a request. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.slack import verbs
from bot.slack.arranged import OpenPage, ShowComponents
from bot.slack.boxes import Box, OpenBox
from bot.slack.declaring import component_names, read_declare
from bot.slack.heads import STATUS_KEYS, status_first
from bot.slack.likeness import near
from bot.slack.list_words import read_list
from bot.slack.markup import plain_text
from bot.slack.option_words import options_said
from bot.slack.promise_words import read_promise
from bot.slack.references import NoNumber, at_head, first_word, plain_word
from bot.slack.requests import (
    AskPrivate,
    AssignTo,
    CatchUp,
    Choice,
    InviteUser,
    OpenAssign,
    OpenInvite,
    OpenPublic,
    OpenSetup,
    Question,
    Request,
    SetStatusChannel,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowReport,
    ShowStats,
    ShowTimeline,
    UsageError,
)
from bot.slack.subscribe_words import read_subscribe, read_subscriptions, read_unsubscribe
from bot.slack.text_readers import (
    note_of,
    noted,
    read_description,
    read_note,
    read_title,
    read_update,
    unfilled,
    with_facts,
)
from bot.slack.tried import SENTENCES
from bot.slack.typed import Elsewhere, Typed, quoted, unquoted
from bot.slack.withdraw_words import read_withdrawal
from core.commands import Acknowledge, Change, Ref, TakeNextStep
from core.incident import Note, Severity
from core.stats import PERIOD_DAYS_MAX


def _read_show(typed: Typed) -> ShowCard:
    return ShowCard(ref=typed.only_ref())


def _read_status(typed: Typed) -> Change:
    ref = typed.ref()
    if not typed.rest:
        raise unfilled(typed, "The status is missing.", TakeNextStep(actor=typed.actor, ref=ref))
    step = status_first(typed.rest, typed.known.statuses)
    if step and first_word(typed.rest) and not near(plain_word(typed.peek()), {step[0]}):
        change = Change(actor=typed.actor, ref=ref, to=step[0], note=note_of(step[1]))
        change = noted(change, typed, to=step[0])
        problem = f"The status comes right after the number: {step[0]}. Nothing was done."
        raise Question(problem, [Choice(change)], usage=typed.verb.usage)
    status = typed.status()
    _ask_if_severity(status, ref, typed)
    if ref is None and not typed.literal:
        _ask_if_behind(status, typed)
    change = Change(actor=typed.actor, ref=ref, to=status, note=typed.note())
    return noted(change, typed, to=change.to)


def _ask_if_severity(status: str, ref: Ref, typed: Typed) -> None:
    """Asks about a severity in the place of a status: "status 42 high"."""
    if status in typed.known.statuses or typed.literal:
        return
    words = [status, *typed.rest.split()]
    found = options_said(words, known=typed.known)
    said = next((one for one in found if one.key == "severity" and not one.start), None)
    named = said.value if said else status if status in {*Severity} else None
    if named is None:
        return
    note = note_of(" ".join(words[said.end if said else 1 :]))
    change = Change(actor=typed.actor, ref=ref, severity=Severity(named), note=note)
    problem = f"{quoted(named)} is a severity, and no status. Nothing was done."
    raise Question(problem, [Choice(change)], usage=typed.verb.usage)


def _ask_if_behind(status: str, typed: Typed) -> None:
    """Asks about a number right behind the status, where the note begins."""
    try:
        ref, note = at_head(typed.rest, typed.known.cards)
    except NoNumber:
        return
    if ref is not None:
        raise Elsewhere(f"{ref} {status} {note}")


def _read_next(typed: Typed) -> TakeNextStep:
    ref = typed.ref(before_text=True)
    step = TakeNextStep(actor=typed.actor, ref=ref, note=typed.note())
    status, rest = _status_before(step.note or "", typed)
    if status and not typed.literal:
        move = Change(actor=typed.actor, ref=ref, to=status, note=note_of(rest))
        problem = "`next` takes the one step that is next, and a note. Nothing was done."
        try:
            meant = [Choice(noted(move, typed, to=status))]
        except Question as question:
            # Its note may be meant for others, or have options: "resolved public: it is over".
            problem, meant = question.problem, list(question.choices)
        as_note = Choice(step, "Take the next step, with this as its note")
        raise Question(problem, [*meant, as_note], usage=typed.verb.usage)
    return noted(step, typed, to="")


def _status_before(note: str, typed: Typed) -> tuple[str, str]:
    """The status that ``note`` begins with, behind "to" or an arrow or not, and what follows."""
    first = first_word(note)
    word = plain_word(first[0]) if first else ""
    if first and word in typed.known.statuses:
        return word, note[first.end() :].lstrip(" ,;:-\t\n")
    signed = word in STATUS_KEYS or not any(map(str.isalnum, word))
    return (signed and status_first(note, typed.known.statuses)) or ("", note)


def _read_ack(typed: Typed) -> Acknowledge:
    return Acknowledge(actor=typed.actor, ref=typed.only_ref())


def _read_move(typed: Typed, *, to: str) -> Change:
    ref = typed.ref(before_text=True)
    change = Change(actor=typed.actor, ref=ref, to=to, note=typed.note())
    return noted(change, typed, to=to)


_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_AROUND = " \t\n.,;:!?()[]{}*_~`'\"“”‘’"
# They may stand between the number and a person: "assign 1 to @bo".
_TO = re.compile(r"to\s+", re.IGNORECASE)
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>|([CG][A-Z0-9]{8,})")


def _read_assign(typed: Typed) -> Change | AssignTo:
    ref = typed.ref()
    person = _TO.sub("", typed.rest, count=1) if _TO.match(typed.rest) else typed.rest
    mine = Change(actor=typed.actor, ref=ref, owner=typed.actor.person)
    if plain_word(person) in {"", "me"}:
        return mine
    if user := _person_in(person):
        return AssignTo(actor=typed.actor, ref=ref, user=user)
    meant = [AssignTo(actor=typed.actor, ref=ref, user=user) for user in _mentioned(typed)]
    if plain_word(person.split(maxsplit=1)[0]) == "me" and not typed.literal:
        raise _nobody(typed, [mine, OpenAssign(ref=ref)], one=True)
    raise _nobody(typed, meant or [OpenAssign(ref=ref)], one=bool(meant))


def _person_in(text: str) -> str:
    """The user whose mention ``text`` is; empty if it is none. Punctuation around it is no part."""
    mention = _MENTION.fullmatch(text.strip(_AROUND))
    return mention[1] if mention else ""


def _mentioned(typed: Typed) -> list[str]:
    """The one user that is mentioned among the words; none if there are several.

    None also where the words are read without the number that they may hold.
    """
    users = list(dict.fromkeys(mention[1] for mention in _MENTION.finditer(typed.rest)))
    return users if len(users) == 1 and not typed.literal else []


def _nobody(typed: Typed, requests: Sequence[Request], *, one: bool) -> Question:
    """The answer to words that are no person. ``one``: among them is a person."""
    if one:
        problem = f"`{typed.verb.name}` takes a number and one person, and no other words."
    else:
        said = quoted(plain_text(typed.rest))
        missing = f"{said} is nobody that Slack knows" if typed.rest else "The person is missing"
        problem = f"{missing}: type @ and pick one person from Slack's list."
    return Question(problem, map(Choice, requests), usage=typed.verb.usage)


def _read_invite(typed: Typed, *, invited: bool) -> InviteUser:
    ref = typed.ref()
    if user := _person_in(typed.rest):
        return InviteUser(actor=typed.actor, ref=ref, user=user, invited=invited)
    meant = [
        InviteUser(actor=typed.actor, ref=ref, user=user, invited=invited)
        for user in _mentioned(typed)
    ]
    raise _nobody(typed, meant or [OpenInvite(ref=ref, invited=invited)], one=bool(meant))


def _read_private(typed: Typed) -> AskPrivate:
    ref = typed.ref(before_text=True)
    if typed.rest:
        note = Change(actor=typed.actor, ref=ref, note=Note(typed.text("The text")))
        raise Question(
            "`private` takes no text: it hides a whole incident. Nothing was done.",
            [Choice(note), Choice(AskPrivate(ref=ref))],
            usage=typed.verb.usage,
        )
    return AskPrivate(ref=ref)


def _read_public(typed: Typed) -> OpenPublic:
    return OpenPublic(ref=typed.only_ref())


def _read_severity(typed: Typed) -> Change:
    ref = typed.ref()
    word = typed.word()
    if not word:
        asked = OpenBox(ref=ref, box=Box.SEVERITY)
        raise unfilled(typed, "The severity is missing.", asked)
    severity = typed.severity(word)
    change = Change(actor=typed.actor, ref=ref, severity=severity)
    if not typed.rest or typed.literal:
        typed.end()
        return change
    change_and_note = replace(change, note=Note(typed.text("The text")))
    try:
        meant = [Choice(noted(change_and_note, typed, to=None))]
    except Question as question:
        meant = list(question.choices)
    raise Question(
        "`severity` takes no text. Nothing was changed.",
        [*meant, Choice(change, f"Set it to {severity} alone")],
        usage=typed.verb.usage,
    )


def _read_components(typed: Typed) -> Change | ShowComponents:
    if not typed.rest:
        return ShowComponents()
    ref = typed.ref(before_text=True)
    missing = unfilled(
        typed, "The list of components is missing.", OpenBox(ref=ref, box=Box.COMPONENTS)
    )
    if not typed.rest:
        raise missing
    names = unquoted(typed.text("The list of components"))
    if plain_word(names) == "none":
        return Change(actor=typed.actor, ref=ref, components=())
    components = component_names(names.rstrip(", ，、"), typed)
    if not components:
        raise missing
    change = Change(actor=typed.actor, ref=ref, components=components)
    return change if typed.literal else with_facts(change, names, typed)


def _read_timeline(typed: Typed) -> ShowTimeline:
    return ShowTimeline(ref=typed.only_ref())


def _read_catchup(typed: Typed) -> CatchUp | ShowNews:
    ref = typed.only_ref()
    return ShowNews() if ref is None else CatchUp(ref=ref)


def _read_report(typed: Typed) -> ShowReport:
    return ShowReport(ref=typed.only_ref())


_PERIOD = re.compile(r"([0-9]{1,4}) ?(d|days?|w|weeks?)?")


def _read_stats(typed: Typed) -> ShowStats:
    word = plain_word(typed.word())
    if not word:
        return ShowStats()
    if typed.rest:
        word, typed.rest = f"{word} {plain_word(typed.rest)}", ""
    match = _PERIOD.fullmatch(word)
    weeks = match is not None and (match[2] or "").startswith("w")
    days = int(match[1]) * (7 if weeks else 1) if match else 0
    if not 1 <= days <= PERIOD_DAYS_MAX:
        raise typed.wrong(f"{quoted(word)} is no period: write 1d to {PERIOD_DAYS_MAX}d.")
    return ShowStats(days=days)


def _read_setup(typed: Typed) -> SetStatusChannel | OpenSetup | OpenPage:
    if match := _CHANNEL.fullmatch(typed.rest):
        return SetStatusChannel(channel=match[1] or match[2])
    if not typed.rest:
        return OpenSetup()
    if (word := plain_word(typed.rest)) == "page":
        return OpenPage()
    page = [Choice(OpenPage())] if near(word, ("page", "statuspage", "status page")) else []
    raise Question(
        f"{quoted(plain_text(typed.rest))} is no channel that Slack knows: "
        "type # and pick one from its list.",
        [*page, Choice(OpenSetup())],
        usage=typed.verb.usage,
    )


def _read_help(typed: Typed) -> ShowHelp:
    word = typed.word()
    if not word:
        return ShowHelp()
    asked = typed.fixed(plain_word(word))
    if typed.rest and (verb := verbs.find(asked)):
        raise Question(
            f"`help` takes one word, and not {quoted(typed.rest)}.",
            [Choice(ShowHelp(verb=verb.name))],
            usage=typed.verb.usage,
        )
    typed.end()
    if asked == "all":
        return ShowHelp(whole=True)
    if verb := verbs.find(asked):
        return ShowHelp(verb=verb.name)
    if sentence := SENTENCES.get(asked):
        raise UsageError(f"There is no command {quoted(word)}. {sentence}")
    close = near(asked, verbs.VERBS_BY_WORD)
    raise typed.wrong(f"There is no command {quoted(word)}.", suggestion=close, slip=asked)


READERS: Mapping[str, Callable[[Typed], Request]] = {
    "declare": read_declare,
    "list": read_list,
    "show": _read_show,
    "status": _read_status,
    "next": _read_next,
    "ack": _read_ack,
    "resolve": partial(_read_move, to="resolved"),
    "close": partial(_read_move, to="closed"),
    "update": read_update,
    "note": read_note,
    "promise": read_promise,
    "assign": _read_assign,
    "severity": _read_severity,
    "title": read_title,
    "description": read_description,
    "components": _read_components,
    "timeline": _read_timeline,
    "catchup": _read_catchup,
    "withdraw": read_withdrawal,
    "report": _read_report,
    "stats": _read_stats,
    "private": _read_private,
    "public": _read_public,
    "invite": partial(_read_invite, invited=True),
    "uninvite": partial(_read_invite, invited=False),
    "subscribe": read_subscribe,
    "unsubscribe": read_unsubscribe,
    "subscriptions": read_subscriptions,
    "setup": _read_setup,
    "help": _read_help,
}
# The argument of these is a mention, so Slack's escaping is left in it.
MENTIONING = frozenset({"assign", "invite", "setup", "subscribe", "uninvite", "unsubscribe"})
