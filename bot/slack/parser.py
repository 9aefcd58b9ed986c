"""Text to request: finds the verb, and asks where the words may mean several things. Pure.

The text after ``/incident`` becomes a `Request`. Slack's escaping is undone here, before anything
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.slack import references, verbs
from bot.slack.boxes import Box, OpenBox
from bot.slack.carrying import ref_of
from bot.slack.declaring import read_declare
from bot.slack.heads import status_first
from bot.slack.likeness import near
from bot.slack.markup import plain_text
from bot.slack.mending import draft_of
from bot.slack.reading import MENTIONING, READERS
from bot.slack.references import (
    NoNumber,
    at_head,
    first_word,
    is_meant_as_reference,
    plain_word,
)
from bot.slack.requests import (
    Choice,
    OpenAssign,
    OpenDeclare,
    OpenInvite,
    OpenPromise,
    OpenUpdate,
    Question,
    Request,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowTray,
    UsageError,
)
from bot.slack.tried import SENTENCES
from bot.slack.typed import Circumstances, Elsewhere, Typed, quoted
from bot.slack.verbs import COMMAND, Verb
from core.commands import Change, Declare, Ref, TakeNextStep
from core.errors import UserError
from core.incident import Note
from core.times import written_start

# A verb and its number without a blank between them: "note42", "ack#42".
_GLUED = re.compile(r"([a-z]+)[:#-]*([0-9]+)")


def parse(text: str, known: Circumstances) -> Request:
    """The request that ``text``, typed after ``/incident``, makes.

    Only ``update`` makes a text public; every other text is a note.

    Raises:
        UsageError: a typing error, with the usage line and the closest word.
        Question: the words may mean several things; each choice is one of them.
    """
    # A command that was copied brings its first word along.
    while (first := first_word(text)) and (length := copied(first[0])):
        text = text[first.start() + length :]
    if first is None:
        return ShowTray()
    word = plain_word(plain_text(first[0]))
    arguments = text[first.end() :]
    if verb := verbs.find(word):
        return _read(verb, _arguments(verb, arguments), known)
    if (glued := _GLUED.fullmatch(word)) and (verb := verbs.find(glued[1])):
        typed = f"{glued[2]} {_arguments(verb, arguments)}"
        found = [harmless(one, known) for one in _asked(verb, [(typed, False)], known)]
        problem = f"There is no command {quoted(word)}. Did you mean {glued[1]} {glued[2]}?"
        raise Question(problem, found or _alone(verb, typed, known), usage=verb.usage)
    if (said := _without_verb(text, known)) is not None:
        return said
    raise _no_command(word, plain_text(first[0]), arguments, known)


def copied(word: str) -> int:
    """The length of ``/incident`` at the beginning of ``word``; 0 if it begins otherwise."""
    if plain_word(word) == COMMAND:
        return len(word)
    return len(COMMAND) if word.casefold().startswith(f"{COMMAND}/") else 0


def _read(verb: Verb, arguments: str, known: Circumstances) -> Request:
    """The request of ``verb``; another meaning of its words, or a slip in them, is asked about."""
    try:
        return _once(verb, arguments, known)
    except Elsewhere as unsure:
        problem = f"The number of the incident comes right after `{verb.name}`."
        meant = _elsewhere(verb, unsure, arguments, known) or _alone(verb, arguments, known)
        told = f"{problem}{_likely(unsure.readings)} Nothing was done."
        raise Question(told, meant, usage=verb.usage) from None
    except UsageError as slip:
        meant = []
        if slip.slip and slip.suggestion:
            meant, fixes = _fixed(verb, arguments, known, {slip.slip: slip.suggestion.rstrip(":")})
            if meant and READERS[verb.name] is read_declare:
                meant += _edited(verb, arguments, known, meant, fixes)
        if meant:
            told = f"{slip.problem} Did you mean {slip.suggestion}?"
        elif READERS[verb.name] is read_declare:
            told = f"{slip.problem} Nothing was declared."
            meant = _mended(verb, arguments, known, slip)
        elif meant := _alone(verb, arguments, known):
            likely = f" Did you mean {slip.suggestion}?" if slip.suggestion else ""
            told = f"{slip.problem}{likely}"
        else:
            raise
        told += f" {slip.hint}" if slip.hint else ""
        raise Question(told, meant, usage=verb.usage) from None


def _likely(readings: Iterable[str]) -> str:
    """The question after the numbers that ``readings`` begin with; empty if one has another."""
    refs = [one.split(maxsplit=1)[0] for one in readings]
    if not refs or not all(ref.isdecimal() for ref in refs):
        return ""
    return f" Did you mean {' or '.join(f'INC-{ref}' for ref in refs)}?"


def _elsewhere(verb: Verb, unsure: Elsewhere, arguments: str, known: Circumstances) -> list[Choice]:
    """What ``arguments`` mean with the reference in its place, and with its word as text.

    If it is clearly a reference, the words are text only in a dialog: nothing is done to another
    incident, and no number is published, by one button.
    """
    readings = [(one, False) for one in unsure.readings]
    if not unsure.clear:
        return meanings(verb, [*readings, (arguments, True)], known)
    meant = meanings(verb, readings, known)
    for one, _ in readings if not meant else ():
        meant += _alone(verb, one, known)
    return meant + list(filter(None, map(_in_dialog, meanings(verb, [(arguments, True)], known))))


def _in_dialog(choice: Choice) -> Choice | None:
    """The dialog with the text of ``choice``; None if there is none for it."""
    match choice.request:
        case Change(title=str(text)) as change:
            return Choice(OpenBox(ref=change.ref, box=Box.TITLE, text=text), "Edit first…")
        case Change(description=str(text)) as change:
            return Choice(OpenBox(ref=change.ref, box=Box.DESCRIPTION, text=text), "Edit first…")
        case Change() as change if change.asks & {"public", "note", "to"}:
            return Choice(OpenUpdate.of(change), "Edit first…")
        case TakeNextStep() as step:
            dialog = OpenUpdate(ref=step.ref, to="", note=step.note, severity=step.severity)
            return Choice(dialog, "Edit first…")
        case OpenUpdate() | OpenBox() | OpenAssign() | OpenInvite() | OpenPromise():
            return choice
        case _:
            return None


def _mended(verb: Verb, arguments: str, known: Circumstances, slip: UsageError) -> list[Choice]:
    """A refused declaration with each word in place of the ``slip``, and as the dialog."""
    meant: list[Choice] = []
    for word in slip.instead if slip.slip else ():
        fixed, _ = _fixed(verb, arguments, known, {slip.slip: word})
        sure = [one.request for one in fixed if isinstance(one.request, Declare)]
        # Where something else is to be asked about, the dialog is the place for it.
        if len(fixed) == len(sure) == 1:
            meant.append(Choice(sure[0], f"Declare it ({word})"))
    draft = draft_of(Typed(arguments, verb=verb, known=known))
    return [*meant, Choice(draft, "Edit first…")]


def _alone(verb: Verb, arguments: str, known: Circumstances) -> list[Choice]:
    """The request of ``verb`` without the words that it cannot take.

    It is about the incident that ``arguments`` begin with, or that their last word may name. A
    word that names none although it is written as a reference is left out, and the text behind it
    stays.
    """
    typed = arguments.lstrip()
    first = first_word(typed)
    try:
        ref, _ = at_head(typed, known.cards)
        unusable = ref is None and first is not None and is_meant_as_reference(first[0])
    except NoNumber:
        ref, unusable = None, True
    found: list[Choice] = []
    if unusable and first and (rest := typed[first.end() :].strip()):
        found = meanings(verb, [(rest, True)], known)
    named: tuple[Ref, ...] = (ref,) if ref is not None else ()
    if not (named or unusable) and (elsewhere := references.possible(typed, known.cards)):
        named, _ = elsewhere
    takes_one = re.search("[<[]n[]>]", verb.arguments) is not None
    if named and takes_one:
        alone = meanings(verb, [(str(one), False) for one in named], known)
        # A number alone might be minutes, or an entry; other words stand beside it.
        found = [one for one in alone if ref_of(one.request) != (True, None)]
    if not found and not (takes_one and ref is not None):
        found = meanings(verb, [("", False)], known)
    return [harmless(one, known) for one in found]


def _edited(
    verb: Verb,
    arguments: str,
    known: Circumstances,
    meant: Sequence[Choice],
    fixes: Mapping[str, str],
) -> list[Choice]:
    """The dialog with a declaration whose slips are read as ``fixes`` say; none beside another."""
    if any(isinstance(one.request, OpenDeclare) for one in meant):
        return []
    draft = draft_of(Typed(arguments, verb=verb, known=known, fixes=fixes))
    return [Choice(draft, "Edit first…")]


def _arguments(verb: Verb, typed: str) -> str:
    """``typed`` without Slack's escaping, which some verbs need."""
    return typed if verb.name in MENTIONING else plain_text(typed)


def _once(
    verb: Verb,
    arguments: str,
    known: Circumstances,
    *,
    literal: bool = False,
    numberless: bool = False,
    fixes: Mapping[str, str] | None = None,
) -> Request:
    typed = Typed(
        arguments, verb=verb, known=known, literal=literal, numberless=numberless, fixes=fixes
    )
    return READERS[verb.name](typed)


def meanings(
    verb: Verb,
    readings: Iterable[tuple[str, bool]],
    known: Circumstances,
    *,
    numberless: bool = False,
) -> list[Choice]:
    """The requests that ``readings`` make: arguments of ``verb``, and whether they are literal."""
    meant: list[Choice] = []
    for arguments, literal in readings:
        try:
            one = _once(verb, arguments, known, literal=literal, numberless=numberless)
            meant.append(Choice(one))
        except Question as question:
            meant += question.choices
        except (Elsewhere, UsageError):
            continue
    return meant


def _fixed(
    verb: Verb, arguments: str, known: Circumstances, fixes: Mapping[str, str]
) -> tuple[list[Choice], Mapping[str, str]]:
    """The request with the typed words of ``fixes`` replaced, and further slips after them.

    Also all words that were replaced.
    """
    for _ in range(3):
        try:
            return [Choice(_once(verb, arguments, known, fixes=fixes))], fixes
        except Question as question:
            return list(question.choices), fixes
        except Elsewhere:
            break
        except UsageError as slip:
            if not (slip.slip and slip.suggestion) or slip.slip in fixes:
                break
            fixes = {**fixes, slip.slip: slip.suggestion.rstrip(":")}
    return [], fixes


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
    if found and found[0]:
        choices = [Choice(ShowCard(ref=ref)) for ref in found[0]]
        raise Question("This may name an incident. Nothing was done.", choices)
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
    """`meanings`, and those of a reference that stands elsewhere."""
    found = meanings(verb, readings, known)
    if found:
        return found
    for arguments, _ in readings:
        try:
            _once(verb, arguments, known)
        except Elsewhere as unsure:
            return _elsewhere(verb, unsure, arguments, known)
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
        found = [harmless(one, known) for one in meanings(verb, [(typed, False)], known)]
    elif step := status_first(plain_text(rest), known.statuses):
        status = verbs.VERBS_BY_WORD["status"]
        usage = status.usage
        found = meanings(status, [(f"{ref} {' '.join(step)}", False)], known)
    if not found:
        note = verbs.VERBS_BY_WORD["note"]
        found = meanings(note, [(f"{ref} {plain_text(rest)}", False)], known)
    raise Question(
        "A command begins with a verb. Nothing was done.",
        [*found, Choice(ShowCard(ref=ref))],
        usage=usage,
    )


def harmless(choice: Choice, known: Circumstances) -> Choice:
    """``choice``, or the dialog filled with it if it would publish a text at once."""
    match choice.request:
        case Change(public=str()) as change:
            return Choice(OpenUpdate.of(change))
        case Declare() as new:
            draft = OpenDeclare(
                title=new.title,
                severity=new.severity,
                lifecycle=new.lifecycle.name,
                components=tuple(str(name) for name in new.components),
                private=new.private,
                since=written_start(new.started_at, known.zone) if new.started_at else "",
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
        found = [Choice(ShowCard(ref=ref))]
        if ref is None:
            found.append(Choice(ShowHelp()))
        elif rest:
            found.insert(0, Choice(Change(actor=known.actor, ref=ref, note=Note(rest))))
        return Question(f"There is no command {quoted(typed)}. {sentence}", found)
    problem = f"There is no command {quoted(typed)}."
    close = close_verb(word)
    if close is None:
        told = f"{problem} `{COMMAND} help` lists all commands."
        return Question(told, [Choice(ShowHelp()), Choice(ShowBoard())])
    verb = verbs.VERBS_BY_WORD[close]
    if verb.name in ENDING:
        # The status is chosen on the card, which asks before the end.
        found = [Choice(ShowCard(ref=_ref_of(arguments, known)))]
    else:
        typed_on = _arguments(verb, arguments)
        found = [harmless(one, known) for one in _asked(verb, [(typed_on, False)], known)]
        found = found or [harmless(one, known) for one in _slips(verb, typed_on, known)]
        found = found or _alone(verb, typed_on, known) or [Choice(ShowHelp(verb=verb.name))]
    return Question(f"{problem} Did you mean {verb.name}?", found, usage=verb.usage)


def close_verb(word: str) -> str | None:
    """The verb that ``word`` may be a slip of."""
    if word in SENTENCES:
        return None
    # A slip leads to a verb that publishes or ends only if it is one letter away.
    close = near(word, (name for name in verbs.VERBS_BY_WORD if not _is_grave(name)))
    return near(word, filter(_is_grave, verbs.VERBS_BY_WORD), most=1) or close


def _slips(verb: Verb, arguments: str, known: Circumstances) -> Sequence[Choice]:
    """What ``verb`` is taken for with a slip in its words as well; empty if that is no help."""
    try:
        _read(verb, arguments, known)
    except Question as question:
        return question.choices
    except UserError:
        pass
    return ()


def _ref_of(arguments: str, known: Circumstances) -> Ref:
    try:
        return at_head(arguments, known.cards)[0]
    except NoNumber:
        return None


# Verbs that end an incident, and those that show a text to everybody.
ENDING = frozenset({"resolve", "close"})
GRAVE = ENDING | {
    "update",
    "declare",
    "title",
    "setup",
    "subscribe",
    "withdraw",
    "public",
    "promise",
}


def _is_grave(word: str) -> bool:
    return verbs.VERBS_BY_WORD[word].name in GRAVE
