"""Text to request: one reader for each verb of the table. Pure.

The text after ``/incident`` becomes a `Request`. Slack's escaping is undone here, before anything
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.slack import references, verbs
from bot.slack.declaring import component_names, read_declare
from bot.slack.heads import Head, HeadKind, head_of, status_first
from bot.slack.likeness import near
from bot.slack.markup import plain_text
from bot.slack.references import NoNumber, at_head, first_word, plain_word
from bot.slack.requests import (
    AskPrivate,
    AssignTo,
    Choice,
    InviteUser,
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenPublic,
    OpenUpdate,
    Question,
    Request,
    SetStatusChannel,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowReport,
    ShowStats,
    ShowTimeline,
    ShowTray,
    UsageError,
)
from bot.slack.spans import DAY, as_minutes, next_time, span_of
from bot.slack.tried import SENTENCES
from bot.slack.typed import Circumstances, Elsewhere, Typed, option, quoted, status_of, unquoted
from bot.slack.verbs import COMMAND, Verb
from core.errors import UserError, nearest
from core.incident import (
    Acknowledge,
    BoardFilter,
    Change,
    Declare,
    Note,
    PublicText,
    Redact,
    Ref,
    Scope,
    SetPromise,
    Severity,
    TakeNextStep,
)
from core.lifecycle import NAME
from core.promise import NextUpdate
from core.stats import PERIOD_DAYS_MAX


def parse(text: str, known: Circumstances) -> Request:
    """The request that ``text``, typed after ``/incident``, makes.

    Only ``update`` makes a text public; every other text is a note.

    Raises:
        UsageError: a typing error, with the usage line and the closest word.
        Question: the words may mean several things; each choice is one of them.
    """
    # A command that was copied brings its first word along.
    while (first := first_word(text)) and plain_word(first[0]) == COMMAND:
        text = text[first.end() :]
    if first is None:
        return ShowTray()
    word = plain_word(plain_text(first[0]))
    arguments = text[first.end() :]
    if verb := verbs.find(word):
        return _read(verb, _arguments(verb, arguments), known)
    if (said := _without_verb(text, known)) is not None:
        return said
    raise _no_command(word, plain_text(first[0]), arguments, known)


def _read(verb: Verb, arguments: str, known: Circumstances) -> Request:
    """The request of ``verb``; another meaning of its words, or a slip in them, is asked about."""
    try:
        return _once(verb, arguments, known)
    except Elsewhere as unsure:
        problem = "No incident is named where its number belongs, and one word looks like one."
        meant = [] if unsure.ref is None else _meanings(verb, [(unsure.arguments, False)], known)
        meant += _meanings(verb, [(arguments, True)], known)
        raise Question(f"{problem} Nothing was done.", meant, usage=verb.usage) from None
    except UsageError as slip:
        if not (slip.slip and slip.suggestion):
            raise
        fixes = {slip.slip: slip.suggestion.rstrip(":")}
        meant = _fixed(verb, arguments, known, fixes)
        if not meant:
            raise
        told = f"{slip.problem} Did you mean {slip.suggestion}?"
        told += f" {slip.hint}" if slip.hint else ""
        raise Question(told, meant, usage=verb.usage) from None


def _arguments(verb: Verb, typed: str) -> str:
    """``typed`` without Slack's escaping, which some verbs need."""
    return typed if verb.name in MENTIONING else plain_text(typed)


def _once(
    verb: Verb,
    arguments: str,
    known: Circumstances,
    *,
    literal: bool = False,
    fixes: Mapping[str, str] | None = None,
) -> Request:
    typed = Typed(arguments, verb=verb, known=known, literal=literal, fixes=fixes)
    return READERS[verb.name](typed)


def _meanings(
    verb: Verb, readings: Iterable[tuple[str, bool]], known: Circumstances
) -> list[Choice]:
    """The requests that ``readings`` make: arguments of ``verb``, and whether they are literal."""
    meant: list[Choice] = []
    for arguments, literal in readings:
        try:
            meant.append(Choice(_once(verb, arguments, known, literal=literal)))
        except Question as question:
            meant += question.choices
        except (Elsewhere, UsageError):
            continue
    return meant


def _fixed(verb: Verb, arguments: str, known: Circumstances, fixes: dict[str, str]) -> list[Choice]:
    """The request with the typed words of ``fixes`` replaced, and further slips after them."""
    for _ in range(3):
        try:
            return [Choice(_once(verb, arguments, known, fixes=fixes))]
        except Question as question:
            return list(question.choices)
        except Elsewhere:
            return []
        except UsageError as slip:
            if not (slip.slip and slip.suggestion) or slip.slip in fixes:
                return []
            fixes = {**fixes, slip.slip: slip.suggestion.rstrip(":")}
    return []


def _without_verb(text: str, known: Circumstances) -> ShowCard | None:
    """A command that begins with a reference or a status. Anything after a reference asks."""
    status = verbs.VERBS_BY_WORD["status"]
    try:
        ref, rest = at_head(text, known.cards)
    except NoNumber:
        return None
    if ref is not None:
        if not rest:
            return ShowCard(ref=ref)
        return _reference_first(ref, rest, known)
    found = references.possible(text, known.cards) if len(text.split()) == 1 else None
    if found and found[0] is not None:
        choice = Choice(ShowCard(ref=found[0]))
        raise Question("This may name an incident. Nothing was done.", [choice])
    first = first_word(text)
    word = plain_word(first[0]) if first else ""
    # A word that is answered with a sentence of its own is no slip of a status.
    if word in known.steps or (word not in SENTENCES and near(word, known.steps, most=1)):
        meant = word if word in known.steps else str(near(word, known.steps))
        rest = plain_text(text[first.end() :].lstrip()) if first else ""
        try:
            ref, note = at_head(rest, known.cards)
        except NoNumber:
            ref, note = None, rest
        named = [(f"{ref} {meant} {note}", True)] if ref is not None else []
        readings = named or [(f"{meant} {rest}", False)]
        meanings = _asked(status, readings, known)
        raise Question(
            "A command begins with a verb. Nothing was done.", meanings, usage=status.usage
        )
    return None


def _asked(verb: Verb, readings: Sequence[tuple[str, bool]], known: Circumstances) -> list[Choice]:
    """`_meanings`, and those of a reference that stands elsewhere."""
    found = _meanings(verb, readings, known)
    if found:
        return found
    for arguments, _ in readings:
        try:
            _once(verb, arguments, known)
        except Elsewhere as unsure:
            meant = [] if unsure.ref is None else [(unsure.arguments, False)]
            return _meanings(verb, [*meant, (arguments, True)], known)
        except (Question, UsageError):
            continue
    return []


def _reference_first(ref: Ref, rest: str, known: Circumstances) -> ShowCard:
    """Asks about a command that begins with a reference and goes on."""
    first = first_word(rest)
    word, others = (plain_word(first[0]), rest[first.end() :].lstrip()) if first else ("", "")
    found: list[Choice] = []
    usage = None
    if verb := verbs.find(word):
        usage = verb.usage
        typed = f"{ref} {_arguments(verb, others)}"
        found = [_harmless(one) for one in _meanings(verb, [(typed, False)], known)]
    elif step := status_first(plain_text(rest), known.statuses):
        usage = verbs.VERBS_BY_WORD["status"].usage
        status, others = step
        found = [Choice(Change(actor=known.actor, ref=ref, to=status, note=_note(others)))]
    else:
        found = [Choice(Change(actor=known.actor, ref=ref, note=Note(plain_text(rest))))]
    raise Question(
        "A command begins with a verb. Nothing was done.",
        [*found, Choice(ShowCard(ref=ref))],
        usage=usage,
    )


def _note(text: str) -> Note | None:
    return Note(text) if text else None


def _harmless(choice: Choice) -> Choice:
    """``choice``, or the dialog filled with it if it would publish a text at once."""
    match choice.request:
        case Change(public=public) as change if public is not None:
            return Choice(OpenUpdate(ref=change.ref, to=change.to, public=public))
        case Declare() as new:
            draft = OpenDeclare(
                title=new.title,
                severity=new.severity,
                lifecycle=new.lifecycle.name,
                components=tuple(str(name) for name in new.components),
                private=new.private,
            )
            return Choice(draft)
        case _:
            return choice


def _no_command(word: str, typed: str, arguments: str, known: Circumstances) -> UserError:
    """The answer to a first word that is no verb."""
    if sentence := SENTENCES.get(word):
        try:
            ref, rest = at_head(plain_text(arguments).lstrip(), known.cards)
        except NoNumber:
            ref, rest = None, ""
        found = []
        if ref is not None:
            kept = Change(actor=known.actor, ref=ref, note=Note(rest))
            found = [*([Choice(kept)] if rest else []), Choice(ShowCard(ref=ref))]
        return Question(f"There is no command {quoted(typed)}. {sentence}", found)
    problem = f"There is no command {quoted(typed)}."
    # A slip leads to a verb that publishes or ends only if it is one letter away.
    close = near(word, (name for name in verbs.VERBS_BY_WORD if not _is_grave(name)))
    close = near(word, filter(_is_grave, verbs.VERBS_BY_WORD), most=1) or close
    if close is None:
        return UsageError(problem, hint=f"`{COMMAND} help` lists all commands.")
    verb = verbs.VERBS_BY_WORD[close]
    if verb.name in ENDING:
        # The status is chosen on the card, which asks before the end.
        ref = _ref_of(arguments, known)
        found = [] if ref is None else [Choice(ShowCard(ref=ref))]
    else:
        typed_on = _arguments(verb, arguments)
        found = [_harmless(one) for one in _asked(verb, [(typed_on, False)], known)]
    if not found:
        return UsageError(problem, suggestion=verb.name, usage=verb.usage)
    return Question(f"{problem} Did you mean {verb.name}?", found, usage=verb.usage)


def _ref_of(arguments: str, known: Circumstances) -> Ref:
    try:
        return at_head(arguments, known.cards)[0]
    except NoNumber:
        return None


# Verbs that end an incident, and those that show a text to everybody.
ENDING = frozenset({"resolve", "close"})
GRAVE = ENDING | {"update", "declare", "title", "setup", "withdraw", "public", "promise"}


def _is_grave(word: str) -> bool:
    return verbs.VERBS_BY_WORD[word].name in GRAVE


# --- one reader for each verb ----------------------------------------------------------------


def _read_list(typed: Typed) -> ShowBoard:
    asked: dict[str, str] = {}
    while token := typed.word():
        key, value = option(token)
        if key:
            hint = "Options: severity:, status:."
            key = typed.one_of(("severity", "status"), key, name="option", hint=hint)
            value = value or typed.word()
            if not value:
                raise typed.wrong(f"The value of `{key}:` is missing.")
        else:
            key = "scope"
            value = _scope(token, typed)
        if key in asked:
            raise typed.wrong(f"The {key} is named twice.")
        asked[key] = value
    return ShowBoard(
        narrowed=BoardFilter(
            scope=Scope(asked.get("scope", Scope.OPEN)),
            severity=typed.severity(asked["severity"]) if "severity" in asked else None,
            status=_status_filter(asked["status"], typed) if "status" in asked else None,
        )
    )


def _scope(word: str, typed: Typed) -> str:
    plain = typed.fixed(plain_word(word))
    if plain in {*Scope}:
        return plain
    raise typed.wrong(
        f"I can't list {quoted(word)}.",
        suggestion=nearest(word, Scope),
        hint="Try open, all or mine.",
        slip=plain,
    )


def _status_filter(word: str, typed: Typed) -> str:
    known = typed.known.statuses
    # Incidents keep a lifecycle that has left the catalogue, so an unknown status may still exist;
    # one that is close to a known status is a slip.
    if word.casefold() in known or (NAME.fullmatch(word.casefold()) and not nearest(word, known)):
        return word.casefold()
    return typed.one_of(known, word, name="status")


def _read_show(typed: Typed) -> ShowCard:
    return ShowCard(ref=typed.only_ref())


def _read_status(typed: Typed) -> Change:
    ref = typed.ref()
    step = status_first(typed.rest, typed.known.statuses)
    if step and first_word(typed.rest) and not near(plain_word(typed.peek()), {step[0]}):
        change = Change(actor=typed.actor, ref=ref, to=step[0], note=_note(step[1]))
        problem = f"The status comes right after the number: {step[0]}. Nothing was done."
        raise Question(problem, [Choice(change)], usage=typed.verb.usage)
    return Change(actor=typed.actor, ref=ref, to=typed.status(), note=typed.note())


def _read_next(typed: Typed) -> TakeNextStep:
    return TakeNextStep(actor=typed.actor, ref=typed.ref(before_text=True), note=typed.note())


def _read_ack(typed: Typed) -> Acknowledge:
    return Acknowledge(actor=typed.actor, ref=typed.only_ref())


def _read_move(typed: Typed, *, to: str) -> Change:
    return Change(actor=typed.actor, ref=typed.ref(before_text=True), to=to, note=typed.note())


def _read_update(typed: Typed) -> Change:
    ref, to = typed.ref(before_text=True, sure=True), None
    key, value = option(typed.peek())
    if key == "status" and value and not typed.literal:
        typed.word()
        to = status_of(value)
        ref = typed.ref(before_text=True, sure=True) if ref is None else ref
    if ref is None:
        ref = typed.ref(before_text=True)
    if not typed.rest:
        raise _without_text(ref, to, typed)
    text = typed.text("The public text")
    change = Change(
        actor=typed.actor, ref=ref, to=to, public=PublicText(text), next_update=NextUpdate()
    )
    head = None if typed.literal else head_of(text, statuses=typed.known.statuses)
    if head is None:
        return change
    raise _about_the_head(change, head, typed)


def _without_text(ref: Ref, to: str | None, typed: Typed) -> Question:
    """Offers the dialog of an update whose text is missing, and the step alone."""
    to = to and (near(to, typed.known.statuses) or to)
    step = [Choice(Change(actor=typed.actor, ref=ref, to=to))] if to else []
    return Question(
        "The public text is missing. Nothing was published.",
        [Choice(OpenUpdate(ref=ref, to=to)), *step],
        usage=typed.verb.usage,
    )


def _about_the_head(change: Change, head: Head, typed: Typed) -> Question:
    """Asks whether the first words of a public text are text."""
    ref, rest = change.ref, head.rest
    if ref is None:
        try:
            ref, rest = at_head(rest, typed.known.cards)
        except NoNumber:
            rest = head.rest
    public = PublicText(rest) if rest else None
    whole = Choice(change, "Publish all of it")
    edited = Choice(OpenUpdate(ref=change.ref, to=change.to, public=change.public), "Edit first…")
    problem = "The first words may not belong to the public text. Nothing was published."
    meant: list[Choice] = []
    match head.kind:
        case HeadKind.STATUS:
            meant = [Choice(replace(change, ref=ref, to=head.value, public=public))]
        case HeadKind.SEVERITY:
            severity = Severity(head.value)
            meant = [Choice(replace(change, ref=ref, severity=severity, public=public))]
        case HeadKind.AUDIENCE if rest:
            problem = "This may be meant only for responders. Nothing was published."
            note = replace(change, ref=ref, public=None, note=Note(rest), next_update=None)
            meant = [Choice(note)]
        case _:
            pass
    return Question(problem, [*meant, whole, edited], usage=typed.verb.usage)


def _read_note(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    return Change(actor=typed.actor, ref=ref, note=Note(typed.text("The text of the note")))


# A time of day that has just passed was rather meant for today than for tomorrow.
JUST_PASSED = timedelta(hours=3)


def _read_promise(typed: Typed) -> SetPromise:
    ref = typed.ref()
    asked = SetPromise(actor=typed.actor, ref=ref)
    if not typed.rest:
        raise typed.wrong("The time is missing: write 30m, 15:30 or none.")
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
            hint="Write 30m, 1h 30m, 15:30 in your own time zone, or none.",
            slip=time,
        )
    tomorrow = replace(asked, next_update=NextUpdate(by=by))
    if typed.known.at - (by - DAY) <= JUST_PASSED and not typed.literal:
        raise Question(
            f"{quoted(said)} has just passed in your time zone. Nothing was promised.",
            [Choice(tomorrow, "Promise it for tomorrow")],
            usage=typed.verb.usage,
        )
    return tomorrow


_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_AROUND = " \t\n.,;:!?()[]{}*_~`'\"“”‘’"
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>|([CG][A-Z0-9]{8,})")


def _read_assign(typed: Typed) -> Change | AssignTo:
    ref = typed.ref()
    if plain_word(typed.rest) in {"", "me"}:
        return Change(actor=typed.actor, ref=ref, owner=typed.actor.person)
    # Punctuation around a mention is no part of it.
    if mention := _MENTION.fullmatch(typed.rest.strip(_AROUND)):
        return AssignTo(actor=typed.actor, ref=ref, user=mention[1])
    raise Question(
        f"{quoted(plain_text(typed.rest))} is nobody that Slack knows: "
        "type @ and pick one person from its list.",
        [Choice(OpenAssign(ref=ref))],
        usage=typed.verb.usage,
    )


def _read_invite(typed: Typed, *, invited: bool) -> InviteUser:
    ref = typed.ref()
    if mention := _MENTION.fullmatch(typed.rest.strip(_AROUND)):
        return InviteUser(actor=typed.actor, ref=ref, user=mention[1], invited=invited)
    nobody = f"{quoted(plain_text(typed.rest))} is nobody that Slack knows"
    raise Question(
        f"{nobody if typed.rest else 'The person is missing'}: "
        "type @ and pick one person from Slack's list.",
        [Choice(OpenInvite(ref=ref, invited=invited))],
        usage=typed.verb.usage,
    )


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
        raise typed.wrong("The severity is missing.")
    severity = typed.severity(word)
    typed.end()
    return Change(actor=typed.actor, ref=ref, severity=severity)


def _read_title(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    text = typed.text("The title")
    change = Change(actor=typed.actor, ref=ref, title=unquoted(text))
    if typed.literal or not head_of(text, statuses=typed.known.statuses, words=False):
        return change
    raise Question(
        "The first words may not belong to the title, which is public. Nothing was changed.",
        [Choice(replace(change, title=text)), Choice(replace(change, title=None, note=Note(text)))],
        usage=typed.verb.usage,
    )


def _read_components(typed: Typed) -> Change:
    ref = typed.ref(before_text=True)
    names = unquoted(typed.text("The list of components"))
    if plain_word(names) == "none":
        return Change(actor=typed.actor, ref=ref, components=())
    components = component_names(names.rstrip(", ，、"), typed)
    if not components:
        raise typed.wrong("The list of components is missing.")
    return Change(actor=typed.actor, ref=ref, components=components)


def _read_timeline(typed: Typed) -> ShowTimeline:
    return ShowTimeline(ref=typed.only_ref())


def _read_redact(typed: Typed) -> Redact:
    # It cannot be undone, so a number or a section alone is asked about.
    whole = typed.rest
    section = typed.section()
    alone = section is not None or len(whole.split()) == 1
    if alone and not typed.literal:
        raise Elsewhere(None, whole)
    ref = None if alone else typed.ref()
    entry = section or typed.section() or typed.entry()
    typed.end()
    return Redact(actor=typed.actor, ref=ref, entry=entry)


def _read_report(typed: Typed) -> ShowReport:
    return ShowReport(ref=typed.only_ref())


_PERIOD = re.compile(r"([0-9]{1,4})(d|days?|w|weeks?)?")


def _read_stats(typed: Typed) -> ShowStats:
    word = plain_word(typed.word())
    if not word:
        return ShowStats()
    if typed.rest:
        word, typed.rest = f"{word}{plain_word(typed.rest)}", ""
    match = _PERIOD.fullmatch(word)
    weeks = match is not None and (match[2] or "").startswith("w")
    days = int(match[1]) * (7 if weeks else 1) if match else 0
    if not 1 <= days <= PERIOD_DAYS_MAX:
        raise typed.wrong(f"{quoted(word)} is no period: write 1d to {PERIOD_DAYS_MAX}d.")
    return ShowStats(days=days)


def _read_setup(typed: Typed) -> SetStatusChannel:
    if match := _CHANNEL.fullmatch(typed.rest):
        return SetStatusChannel(channel=match[1] or match[2])
    if not typed.rest:
        raise typed.wrong("The channel is missing.")
    raise typed.wrong(
        f"{quoted(plain_text(typed.rest))} is no channel that Slack knows: "
        "type # and pick one from its list."
    )


def _read_help(typed: Typed) -> ShowHelp:
    word = typed.word()
    typed.end()
    if not word:
        return ShowHelp()
    asked = typed.fixed(plain_word(word))
    if verb := verbs.find(asked):
        return ShowHelp(verb=verb.name)
    if sentence := SENTENCES.get(asked):
        raise UsageError(f"There is no command {quoted(word)}. {sentence}")
    close = near(asked, verbs.VERBS_BY_WORD)
    raise typed.wrong(f"There is no command {quoted(word)}.", suggestion=close, slip=asked)


READERS: Mapping[str, Callable[[Typed], Request]] = {
    "declare": read_declare,
    "list": _read_list,
    "show": _read_show,
    "status": _read_status,
    "next": _read_next,
    "ack": _read_ack,
    "resolve": partial(_read_move, to="resolved"),
    "close": partial(_read_move, to="closed"),
    "update": _read_update,
    "note": _read_note,
    "promise": _read_promise,
    "assign": _read_assign,
    "severity": _read_severity,
    "title": _read_title,
    "components": _read_components,
    "timeline": _read_timeline,
    "withdraw": _read_redact,
    "report": _read_report,
    "stats": _read_stats,
    "private": _read_private,
    "public": _read_public,
    "invite": partial(_read_invite, invited=True),
    "uninvite": partial(_read_invite, invited=False),
    "setup": _read_setup,
    "help": _read_help,
}
# The argument of these is a mention, so Slack's escaping is left in it.
MENTIONING = frozenset({"assign", "invite", "setup", "uninvite"})
