"""The readers of verbs that take a text: `update`, `note`, `title` and `description`. Pure.

Words of a text that may be an option, a status or an audience are asked about: nothing is published
or moved by a guess, and no option is lost in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.slack.asides import OWNER, Asides, asides_of
from bot.slack.audience_words import PRIVATE, readers_at_end
from bot.slack.boxes import Box, OpenBox
from bot.slack.declaring import component_names
from bot.slack.heads import PUBLIC, Head, HeadKind, head_of, opened_within
from bot.slack.likeness import near
from bot.slack.promise_words import promised_by, when
from bot.slack.references import WORD, NoNumber, at_head, number_of, plain_word
from bot.slack.requests import AskPrivate, Choice, OpenUpdate, Question, Request
from bot.slack.typed import Typed, option, quoted, status_of, unquoted
from core.commands import Change, Ref, SetPromise, TakeNextStep
from core.incident import Note, PublicText, Severity
from core.promise import NextUpdate

Noted = TypeVar("Noted", Change, TakeNextStep)

_PUBLIC_ASIDES = frozenset(HeadKind)
_PRIVATE_ASIDES = frozenset(HeadKind) - {HeadKind.OPTION}
_FACTS = frozenset({HeadKind.STATUS, HeadKind.SEVERITY})
# The whole note of a step, if it is another incident or says that the step is not meant.
_OTHER = re.compile(r"(?:(?:and|also|plus|&|\+|,|/) ?)?(?:#|inc ?-?)?([0-9]{1,9})")
_NOT_NOW = re.compile(
    "no|nope|not|not (?:yet|now|ready|done)|don'?t|never|wait|later|soon|stop|cancel|undo|tomorrow|"
    "tonight|not resolved(?: yet)?|almost|maybe|perhaps|when ready|if possible"
)
# Before a new title: "title 42 to …", "= …", "new title: …". "To" with a capital begins a sentence.
_TITLE_LEAD = re.compile(
    r"(?:[:=]+|[-=]+>|[\u2192\u21d2]|to|is|as|"
    r"(?:[Nn]ew |[Tt]he )?[Tt]itle(?: is)?(?: ?[:=]| to)|[Nn]ew:)\s+(?=\S)"
)
ALL_AS_NOTE = "Keep all of it as the note"


def note_of(text: str) -> Note | None:
    """``text`` as a note; None for an empty one."""
    return Note(text) if text else None


def unfilled(typed: Typed, problem: str, *requests: Request) -> Question:
    """The answer to a command whose text or value is missing: ``requests`` ask for it."""
    return Question(f"{problem} Nothing was done.", map(Choice, requests), usage=typed.verb.usage)


def noted(request: Noted, typed: Typed, *, to: str | None) -> Noted:
    """``request`` without a word like ``private:`` before its note: every note is private.

    ``to`` is its status, as in `OpenUpdate`.

    Raises:
        Question: the note has a word like ``public:``, or an option, at one of its ends.
    """
    if typed.literal or not request.note:
        return request
    if _moves(request):
        _ask_before_step(request, typed)
    head = head_of(request.note, statuses=(), note=True)
    if head and head.kind is HeadKind.AUDIENCE and head.value != PUBLIC and head.marked:
        request = replace(request, note=note_of(head.rest))
    if request.note is None:
        return request
    asides = asides_of(_without_private(request.note), typed, _PRIVATE_ASIDES, public=False)
    readers = any(one.kind is HeadKind.AUDIENCE for one in asides.found)
    opened = None if readers else opened_within(asides.rest, (PUBLIC,))
    if opened and opened[2].endswith((":", "：")):
        raise _opened(request, asides, opened, typed, to=to)
    if not asides.found or (readers and not asides.rest):
        return request
    if readers:
        raise _for_everyone(request, asides, head, typed, to=to)
    facts, promised = _facts(asides.found), _promised(asides.found, typed)
    rest = note_of(asides.rest)
    meant: list[Choice] = []
    if facts:
        kept = request.note if promised else rest
        meant.append(Choice(_with_facts(replace(request, note=kept), facts)))
    if promised:
        alone = SetPromise(actor=request.actor, ref=request.ref, next_update=promised, reason=rest)
        meant.append(Choice(alone, "Promise it, without a step" if _moves(request) else ""))
    raise Question(
        f"{_named(asides)} may be no part of the note. Nothing was done.",
        [*meant, Choice(request, ALL_AS_NOTE)],
        usage=typed.verb.usage,
    )


def _moves(request: Change | TakeNextStep) -> bool:
    return isinstance(request, TakeNextStep) or request.to is not None


def _ask_before_step(request: Change | TakeNextStep, typed: Typed) -> None:
    """Asks about a note that is another incident, a time or a refusal, and hardly a note."""
    note = request.note or ""
    other = _other_incident(note)
    time = re.sub(r"^(?:in|at|by) ", "", plain_word(note))
    as_note = Choice(request, "Do it, with this as its note")
    if other:
        meant = [
            Choice(replace(request, note=None)),
            Choice(replace(request, ref=other, note=None)),
            as_note,
        ]
        problem = f"{quoted(note)} may be another incident: each has a command of its own."
    elif _NOT_NOW.fullmatch(plain_word(note)) or promised_by(time, typed):
        kept = Change(actor=request.actor, ref=request.ref, note=request.note)
        meant = [Choice(kept, "Keep it as a note, without a step"), as_note]
        problem = f"{quoted(note)} may mean that this is not the moment."
    else:
        return
    raise Question(f"{problem} Nothing was done.", meant, usage=typed.verb.usage)


def _other_incident(text: str) -> int | None:
    """The number of an incident that is the whole of ``text``, as in "resolve 8 and 9"."""
    match = _OTHER.fullmatch(" ".join(filter(None, map(plain_word, text.split()))))
    return number_of(match[1]) if match else None


def _with_facts(taken: Change | TakeNextStep, facts: dict[str, Any]) -> Change | TakeNextStep:
    if isinstance(taken, TakeNextStep) and "to" in facts:
        taken = Change(actor=taken.actor, ref=taken.ref, note=taken.note)
    return replace(taken, **facts)


def _opened(
    request: Noted, asides: Asides, opened: re.Match[str], typed: Typed, *, to: str | None
) -> Question:
    """Asks about ``public: …`` behind the words of a note: the dialog has both texts apart."""
    before = re.sub(r"[\s,;|(\[{–—-]+$", "", asides.rest[: opened.start()])
    after = asides.rest[opened.end(2) :].strip()
    if after.count(")") > after.count("("):
        after = re.sub(r"\)(\W*)$", r"\1", after)
    both = replace(_in_public(request, asides, after, typed, to=to), note=note_of(before))
    return Question(
        f"{quoted((opened[1] + opened[2]).strip())} may begin a text for everyone. "
        "Nothing was done.",
        [Choice(both, "As a public update…"), Choice(request, "As a private note")],
        usage=typed.verb.usage,
    )


def _in_public(
    request: Noted, asides: Asides, text: str, typed: Typed, *, to: str | None
) -> OpenUpdate:
    """The dialog of a public update with ``text``, for ``request`` and the options beside it."""
    facts, promised = _facts(asides.found), _promised(asides.found, typed)
    dialog = OpenUpdate(
        ref=request.ref,
        to=facts.get("to", to),
        public=PublicText(text),
        severity=facts.get("severity", request.severity),
    )
    return replace(dialog, next_update=promised) if promised else dialog


def _promised(found: Sequence[Head], typed: Typed) -> NextUpdate | None:
    """The promise among ``found``; None if there is none, or its time cannot be promised."""
    times = [one.value for one in found if one.kind is HeadKind.PROMISE]
    return promised_by(times[0], typed) if times else None


def _without_private(note: str) -> str:
    """``note`` without words like "private" behind it: an option may stand before them."""
    tokens = list(WORD.finditer(note))
    said = readers_at_end([one[0] for one in tokens])
    if said is None or said.name == PUBLIC or not said.start:
        return note
    return note[: tokens[said.start].start()].rstrip(" ,;|\t\n")


def _for_everyone(
    request: Noted, asides: Asides, head: Head | None, typed: Typed, *, to: str | None
) -> Question:
    """Asks whether a note is meant for everyone, because of words at one of its ends."""
    public = _in_public(request, asides, asides.rest, typed, to=to)
    private = request
    marked = head and head.kind is HeadKind.AUDIENCE and head.marked
    if marked and len(asides.found) == 1:
        private = replace(request, note=Note(asides.rest))
    return Question(
        "This may be meant for everyone. Nothing was done.",
        [Choice(public, "As a public update…"), Choice(private, "As a private note")],
        usage=typed.verb.usage,
    )


def _facts(found: Sequence[Head]) -> dict[str, Any]:
    """The fields of a change that statuses and severities among ``found`` fill in."""
    facts: dict[str, Any] = {}
    for one in found:
        if one.kind is HeadKind.STATUS and one.value:
            facts["to"] = one.value
        if one.kind is HeadKind.SEVERITY:
            facts["severity"] = Severity(one.value)
    return facts


def _named(asides: Asides) -> str:
    """The words that are asked about: ``"severity high" and "next 30m"``."""
    if not asides.words:
        return "The first words"
    return " and ".join(map(quoted, asides.words))


def read_update(typed: Typed) -> Change:
    """The public update, with its status if it has one.

    Raises:
        Question: the text is missing, or words at its ends may not belong to it.
    """
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
    if typed.literal:
        return change
    if other := _other_incident(text):
        raise Question(
            f"{quoted(text)} may be another incident, and the public text is missing. "
            "Nothing was published.",
            [
                Choice(OpenUpdate(ref=ref, to=to)),
                Choice(OpenUpdate(ref=other, to=to)),
                Choice(change, "Publish all of it"),
            ],
            usage=typed.verb.usage,
        )
    asides = asides_of(text, typed, _PUBLIC_ASIDES, public=True)
    if asides.found:
        raise _about_asides(change, asides, typed)
    return change


def _without_text(ref: Ref, to: str | None, typed: Typed) -> Question:
    """Offers the dialog of an update whose text is missing, and the step alone."""
    to = to and (near(to, typed.known.statuses) or to)
    step = [Choice(Change(actor=typed.actor, ref=ref, to=to))] if to else []
    return Question(
        "The public text is missing. Nothing was published.",
        [Choice(OpenUpdate(ref=ref, to=to)), *step],
        usage=typed.verb.usage,
    )


def _about_asides(change: Change, asides: Asides, typed: Typed) -> Question:
    """Asks whether words at the ends of a public text are text."""
    ref, rest = change.ref, asides.rest
    if ref is None and not typed.numberless:
        try:
            ref, rest = at_head(rest, typed.known.cards)
        except NoNumber:
            rest = asides.rest
    facts = _facts(asides.found)
    audience = next((one for one in asides.found if one.kind is HeadKind.AUDIENCE), None)
    problem = f"{_named(asides)} may not belong to the public text."
    if any(one.value == OWNER for one in asides.found):
        problem += " `/incident assign` names an owner."
    meant: list[Choice] = []
    if audience and audience.value != PUBLIC:
        problem = "This may be meant only for responders."
        if rest:
            # A note has no place for a promise, an owner or another option: they stay in its text.
            taken = {one.kind for one in asides.found} <= {*_FACTS, HeadKind.AUDIENCE}
            kept = Note(rest if taken else change.public or rest)
            note = replace(change, ref=ref, public=None, note=kept, next_update=None)
            meant = [Choice(replace(note, **facts))]
    else:
        meant = _published(replace(change, ref=ref, **facts), asides, rest, typed)
    whole = Choice(change, "Publish all of it")
    edited = Choice(OpenUpdate.of(change), "Edit first…")
    return Question(
        f"{problem} Nothing was published.", [*meant, whole, edited], usage=typed.verb.usage
    )


def _published(change: Change, asides: Asides, rest: str, typed: Typed) -> list[Choice]:
    """The update ``change`` with the ``rest`` of its text and the promise among ``asides``.

    Empty if the words mean nothing that can be done.
    """
    promised = _promised(asides.found, typed)
    if promised is None and any(one.kind is HeadKind.PROMISE for one in asides.found):
        return []
    public = PublicText(rest) if rest else None
    facts = _facts(asides.found)
    if promised is None:
        said = public and any(one.kind is HeadKind.AUDIENCE for one in asides.found)
        owner = public and any(one.value == OWNER for one in asides.found)
        label = "Publish without these words" if owner and not facts else ""
        return [Choice(replace(change, public=public), label)] if facts or said or owner else []
    if public is None:
        alone = SetPromise(actor=change.actor, ref=change.ref, next_update=promised)
        return [] if facts else [Choice(alone)]
    told = "Publish"
    told += f", move it to {facts['to']}" if "to" in facts else ""
    told += f", set it to {facts['severity']}" if "severity" in facts else ""
    told += f", next update {when(promised, typed)}"
    return [Choice(replace(change, public=public, next_update=promised), told)]


def read_note(typed: Typed) -> Change:
    """The private note.

    Raises:
        Question: the text is missing, or words at its ends may not belong to it.
    """
    ref = typed.ref(before_text=True)
    missing = unfilled(typed, "The text of the note is missing.", OpenBox(ref=ref, box=Box.NOTE))
    if not typed.rest:
        raise missing
    change = Change(actor=typed.actor, ref=ref, note=Note(typed.text("The text of the note")))
    change = noted(change, typed, to=None)
    if change.note is None:
        raise missing
    return change


def read_title(typed: Typed) -> Change:
    """The new title.

    Raises:
        Question: it is missing, or words at its ends may not belong to it.
    """
    ref = typed.ref(before_text=True)
    if not typed.rest:
        raise unfilled(typed, "The title is missing.", OpenBox(ref=ref, box=Box.TITLE))
    text = typed.text("The title")
    change = Change(actor=typed.actor, ref=ref, title=unquoted(text))
    if typed.literal:
        return change
    # The words of a quoted title are title; but its readers are in doubt all the same.
    kinds = _PUBLIC_ASIDES if change.title == text else frozenset({HeadKind.AUDIENCE})
    asides = asides_of(text, typed, kinds, public=True, bare=False)
    quoted_option = change.title != text and head_of(
        text, statuses=typed.known.statuses, words=False
    )
    if not asides.found and (lead := _TITLE_LEAD.match(text)):
        raise _about_lead(change, lead[0], text, typed)
    if not asides.found and not quoted_option:
        return change
    raise Question(
        f"{_named(asides)} may not belong to the title, which is public. Nothing was changed.",
        [
            *_renamed(change, asides, text),
            Choice(
                replace(change, title=text) if not asides.found else change,
                "Rename it as typed",
            ),
            Choice(replace(change, title=None, note=Note(text))),
            Choice(OpenBox(ref=ref, box=Box.TITLE, text=text), "Edit first…"),
        ],
        usage=typed.verb.usage,
    )


def _about_lead(change: Change, lead: str, text: str, typed: Typed) -> Question:
    """Asks about words that lead to a title and are no part of it: "new title: …"."""
    without = replace(change, title=unquoted(text[len(lead) :]))
    return Question(
        f"{quoted(lead.strip())} may not belong to the title, which is public. "
        "Nothing was changed.",
        [
            Choice(without, "Rename it without these words"),
            Choice(change, "Rename it as typed"),
            Choice(OpenBox(ref=change.ref, box=Box.TITLE, text=text), "Edit first…"),
        ],
        usage=typed.verb.usage,
    )


def _renamed(change: Change, asides: Asides, text: str) -> list[Choice]:
    """What the words beside a title mean: facts, other readers, or nothing that a title takes."""
    facts, kinds = _facts(asides.found), {one.kind for one in asides.found}
    readers = [one.value for one in asides.found if one.kind is HeadKind.AUDIENCE]
    if readers and readers != [PUBLIC]:
        return [Choice(AskPrivate(ref=change.ref))]
    if not kinds or (not facts and asides.rest in {text, ""}):
        return []
    label = "" if kinds <= _FACTS else "Rename it without these words"
    return [Choice(replace(change, title=asides.rest or None, **facts), label)]


def read_description(typed: Typed) -> Change | OpenBox:
    """The new description; without a text, the dialog.

    Raises:
        Question: words at its ends may not belong to it.
    """
    ref = typed.ref(before_text=True)
    if not typed.rest:
        return OpenBox(ref=ref, box=Box.DESCRIPTION)
    text = typed.text("The description")
    change = Change(actor=typed.actor, ref=ref, description=text)
    asides = Asides((), (), text)
    if not typed.literal:
        asides = asides_of(text, typed, _FACTS, public=False)
    if not asides.found:
        return change
    taken = replace(change, description=asides.rest or None, **_facts(asides.found))
    raise Question(
        f"{_named(asides)} may be no part of the description. Nothing was changed.",
        [Choice(taken), Choice(change, "Keep all of it as the description")],
        usage=typed.verb.usage,
    )


def with_facts(change: Change, names: str, typed: Typed) -> Change:
    """``change`` of the components that ``names`` lists.

    Raises:
        Question: a severity or a status stands behind the names, or one says who reads.
    """
    others = tuple(one for one in change.components or () if one not in {PRIVATE, f"({PRIVATE})"})
    if change.components and others != change.components:
        without = [Choice(replace(change, components=others))] if others else []
        raise Question(
            f"{quoted(PRIVATE)} may say who reads this. Nothing was changed.",
            [
                Choice(AskPrivate(ref=change.ref)),
                *without,
                Choice(change, "Keep all of it as components"),
            ],
            usage=typed.verb.usage,
        )
    asides = asides_of(names, typed, _FACTS, public=False)
    if not asides.found or not (rest := component_names(asides.rest, typed)):
        return change
    raise Question(
        f"{_named(asides)} may be no part of the components. Nothing was changed.",
        [
            Choice(replace(change, components=rest, **_facts(asides.found))),
            Choice(change, "Keep all of it as components"),
        ],
        usage=typed.verb.usage,
    )
