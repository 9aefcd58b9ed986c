"""From a refused request to the requests that its answer offers, with everything typed. Pure.

Nothing that a person typed is lost: each choice carries the text. None of them publishes a text
that the person did not give to a verb that publishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.slack.arranged import OpenPage
from bot.slack.boxes import Box, OpenBox
from bot.slack.requests import (
    AssignTo,
    Choice,
    InviteUser,
    LeavePromise,
    OpenDeclare,
    OpenNote,
    OpenPromise,
    OpenReport,
    OpenSetup,
    OpenUpdate,
    OpenWalk,
    OpenWithdrawal,
    Question,
    Request,
    Shorten,
    ShowBoard,
    ShowCard,
    ShowStats,
    follow_up,
)
from bot.slack.subscription_requests import AboutSubscriptions
from bot.slack.verbs import VERBS_BY_WORD
from bot.slack.words import walk_label
from core.commands import (
    Acknowledge,
    Change,
    Declare,
    Redact,
    Ref,
    SetPrivacy,
    SetPromise,
    TakeNextStep,
    Walk,
    WriteReport,
)
from core.denials import Denied, Permission
from core.errors import InvalidField, UserError
from core.incident import BODY_MAX, DESCRIPTION_MAX, TITLE_MAX, Incident, Note, PublicText
from core.missing import NotFound, UnknownComponent, WhichIncident
from core.promise import NextUpdate
from core.refusals import (
    IncidentResolved,
    NoPublicSurface,
    NothingToRelease,
    PossibleLeak,
    SeveralNextSteps,
    StaleStatus,
    TooSoon,
    TransitionNotAllowed,
    UnknownStatus,
)

# The label of the one public text that an incident takes after its end.
INSTEAD = "Publish it in the place of yours"
FOLLOW_UP = "Declare a follow-up…"
# The labels of what can be done with a public text that may hold what must not leave.
AS_IT_IS, EDIT, AS_NOTE = "Publish as it is", "Edit…", "Keep as a note"
DECLARE_IT, DECLARE_PRIVATE = "Declare as it is", "Declare it private"
WITHDRAW, KEEP_PRIVATE = "Withdraw a text…", "Keep private"
# A correction is possible after the end, and so are these.
AFTER_THE_END = frozenset({INSTEAD, AS_IT_IS, EDIT})


# Their commands have options, and no words of a sentence.
OPTIONS_ONLY = ShowBoard | ShowStats | OpenSetup | OpenPage
# The lines of these show or withdraw what is there: they hold no text that could be kept.
WITHOUT_TEXT = ("list", "show", "timeline", "catchup", "stats", "help", "withdraw")
USAGES_WITHOUT_TEXT = frozenset(VERBS_BY_WORD[word].usage for word in WITHOUT_TEXT)


def text_of(  # noqa: C901, PLR0911, PLR0912 - one for each kind of text
    request: Request | None,
) -> str:
    """The free text that ``request`` carries; empty if none."""
    match request:
        case Change(public=str(text)) | OpenUpdate(public=str(text)):
            return text
        case Change(note=str(text)) | TakeNextStep(note=str(text)) | OpenUpdate(note=str(text)):
            return text
        case Change(title=str(text)) | Declare(title=text):
            return text
        case Change(description=str(text)):
            return text
        case Change(components=tuple(names)):
            return ", ".join(map(str, names))
        case OpenWalk(public=str(text)) | OpenWalk(note=str(text)) | Walk(public=str(text)):
            return text
        case Walk(reason=text):
            return text
        case OpenNote(text=text) | OpenReport(text=str(text)):
            return text
        case SetPromise(reason=str(text)) | LeavePromise(reason=str(text)):
            return text
        case OpenBox(text=text):
            return text
        case OpenDeclare():
            return request.description or request.title
        case WriteReport():
            return "\n\n".join(filter(None, request.texts.values()))
        case Shorten():
            return text_of(request.request)
        case _:
            return ""


def whole_of(request: Request | None) -> str:
    """Everything that ``request`` says in sentences: a public text, and the note beside it."""
    match request:
        case Change(public=str(), note=str()) | OpenUpdate(public=str(), note=str()):
            return f"{request.public}\n\n{request.note}"
        case OpenWalk(public=str(), note=str()):
            return f"{request.public}\n\n{request.note}"
        case Walk(reason=reason, public=public):
            return "\n\n".join(filter(None, [public, reason]))
        case _:
            return text_of(request)


def after_the_end(request: Request, incident: Incident) -> Iterator[Choice]:
    """The places for the text of ``request``, which ``incident`` takes no more.

    The report is private, so a note may become part of it, and a public text, too.
    """
    if text := whole_of(request):
        if not (isinstance(request, Change) and request.components is not None):
            yield Choice(OpenReport(ref=incident.id, text=Note(text)))
        yield Choice(follow_up(incident, text), FOLLOW_UP)


def has_only_options(error: UserError, request: Request | None) -> bool:
    """Whether the words of a refused command are options, none of which could be kept as a note.

    Those of lists and figures are, and those of settings and subscriptions. So are the words behind
    the incident that a command shows, or withdraws a text of, and the person that one names.
    """
    if isinstance(request, AssignTo | InviteUser | Redact):
        return True
    if isinstance(error, Question) and error.usage in USAGES_WITHOUT_TEXT:
        return True
    asked = [choice.request for choice in error.choices] if isinstance(error, Question) else []
    if asked and all(isinstance(one, OPTIONS_ONLY) for one in asked):
        return True
    return any(isinstance(one, AboutSubscriptions) for one in (request, *asked))


def with_text(
    request: Declare | Change | TakeNextStep, text: str
) -> Declare | Change | TakeNextStep:
    """``request`` with ``text`` in place of its text, for the same readers."""
    match request:
        case Change(public=str()):
            return replace(request, public=PublicText(text))
        case Change(title=str()) | Declare():
            return replace(request, title=text)
        case Change(description=str()):
            return replace(request, description=text)
        case Change() | TakeNextStep():
            return replace(request, note=Note(text))


def with_word(request: Request | None, error: UserError, typed: str) -> Request | None:
    """``request``; a word that is like no status belongs to its note."""
    if isinstance(error, UnknownStatus) and isinstance(request, Change) and not error.suggestion:
        return with_status_as_text(request, typed)
    return request


def with_status_as_text(request: Change, typed: str) -> Change:
    """``request`` with the word that should have been a status in front of its note.

    ``typed`` has the word as it was typed.
    """
    if request.to is None or request.note is None:
        return request
    before = typed[: typed.rfind(request.note)].split() if request.note in typed else []
    word = before[-1] if before else request.to
    return replace(request, note=Note(f"{word} {request.note}"))


def ref_of(request: object) -> tuple[bool, Ref]:
    """Whether ``request`` is about an incident, and the one that it names."""
    if isinstance(request, Shorten):
        return ref_of(request.request)
    return hasattr(request, "ref"), getattr(request, "ref", None)


def bound(request: Request, incident: Incident) -> Request:
    """``request`` about ``incident`` only, whatever its number; a step is of its status only."""
    match request:
        case Shorten(request=Change() | TakeNextStep() as longer):
            inner = bound(longer, incident)
            return Shorten(request=inner) if isinstance(inner, Change | TakeNextStep) else request
        case TakeNextStep() if len(incident.next_steps) == 1:
            step = Change(
                actor=request.actor,
                ref=incident.id,
                to=incident.next_steps[0],
                note=request.note,
                severity=request.severity,
            )
            return replace(step, expected_status=incident.status)
        case OpenUpdate(to=""):
            alone = incident.next_steps[0] if len(incident.next_steps) == 1 else None
            return replace(request, ref=incident.id, to=alone)
        case Change(to=str()) | TakeNextStep() | Acknowledge() | AssignTo():
            return replace(request, ref=incident.id, expected_status=incident.status)
        case _ if hasattr(request, "ref"):
            return named(request, incident.id)
        case _:
            return request


def named(request: Request, ref: Ref) -> Request:
    """``request`` about the incident ``ref``. It must be about one."""
    about: Any = request
    made: Request = replace(about, ref=ref)
    return made


def alternatives(error: UserError, request: Request | None) -> tuple[Choice, ...]:
    """The requests that the answer to ``error`` offers instead of ``request``."""
    if isinstance(error, Question):
        return error.choices
    if request is None:
        return ()
    incident = getattr(error, "incident", None)
    if isinstance(incident, Incident):
        request = bound(request, incident)
    return tuple(_alternatives(error, request))


def _alternatives(  # noqa: C901, PLR0912 - one case for each class of error
    error: UserError, request: Request
) -> Iterator[Choice]:
    match error:
        case WhichIncident() | NotFound():
            if hasattr(request, "ref"):
                yield Choice(named(request, None))
        case UnknownStatus(incident=incident, suggestion=meant):
            yield from _steps(request, incident, (meant,) if meant else incident.next_steps)
        case TransitionNotAllowed(incident=incident, path=path):
            offered = list(_steps(request, incident, incident.next_steps))
            if isinstance(request, Change) and request.to == incident.status:
                # Its text is meant for the status that the incident has; no further step was named.
                offered.sort(key=lambda one: getattr(one.request, "to", None) is not None)
            yield from offered
            if len(path) > 1 and path[-1] != incident.status and isinstance(request, Change):
                walk = OpenWalk(ref=incident.id, to=path[-1], note=request.note)
                yield Choice(replace(walk, public=request.public), walk_label(path))
        case SeveralNextSteps(incident=incident):
            yield from _steps(request, incident, incident.next_steps)
        case StaleStatus(incident=incident) if incident.terminal:
            yield from after_the_end(request, incident)
        case StaleStatus(incident=incident):
            yield from _steps(request, incident, incident.next_steps)
        case TooSoon():
            yield Choice(request)
        case IncidentResolved(incident=incident, correctable=correctable):
            if correctable and isinstance(request, Change) and request.public:
                instead = Change(actor=request.actor, ref=request.ref, public=request.public)
                yield Choice(instead, INSTEAD)
            yield from after_the_end(request, incident)
        case InvalidField(field="public_update" | "note" | "title" | "description"):
            if isinstance(request, Change | TakeNextStep | Declare) and too_long(request):
                yield Choice(Shorten(request=request))
            else:
                yield from _edited(request)
        case InvalidField(field="next_update") if isinstance(request, Change):
            # Its moment has passed since the question.
            yield Choice(OpenUpdate.of(replace(request, next_update=NextUpdate())), EDIT)
        case InvalidField(field="next_update") if isinstance(request, SetPromise):
            yield Choice(OpenPromise(ref=request.ref))
        case NoPublicSurface() | Denied(permission=Permission.PUBLISH):
            yield from _as_note(request)
        case NothingToRelease(incident=incident) if isinstance(request, SetPromise | LeavePromise):
            if request.reason:
                yield Choice(Change(actor=request.actor, ref=incident.id, note=request.reason))
        case PossibleLeak():
            yield from _despite(request, error)
        case UnknownComponent(asked=asked, suggestion=meant):
            for name in (meant, f"+{asked}"):
                yield from _named(request, asked, name)
        case _:
            return


def _steps(request: Request, incident: Incident, steps: tuple[str, ...]) -> Iterator[Choice]:
    """The request with each of ``steps`` that is valid now, and its text without any step."""
    if isinstance(request, TakeNextStep):
        request = Change(
            actor=request.actor,
            ref=incident.id,
            to="",
            note=request.note,
            severity=request.severity,
        )
    if not isinstance(request, Change):
        return
    here = replace(request, expected_status=incident.status)
    for step in steps:
        if step in incident.next_steps:
            yield Choice(replace(here, to=step))
    if text_of(request):
        yield Choice(replace(request, to=None, expected_status=None))
        if request.public is not None and not incident.terminal:
            stays = replace(request, to=None)
            yield Choice(OpenUpdate.of(stays, ref=incident.id), "Edit first…")


def _edited(request: Request) -> Iterator[Choice]:
    """The dialog that holds the text of ``request``, to be changed there."""
    match request:
        case Change(public=str()):
            yield Choice(OpenUpdate.of(request), EDIT)
        case Change(title=str(text)):
            yield Choice(OpenBox(ref=request.ref, box=Box.TITLE, text=text), EDIT)
        case Change(description=str(text)):
            yield Choice(OpenBox(ref=request.ref, box=Box.DESCRIPTION, text=text), EDIT)
        case Change(to=None, note=str(text)):
            yield Choice(OpenBox(ref=request.ref, box=Box.NOTE, text=text), EDIT)
        case Change(note=str()):
            yield Choice(OpenUpdate.of(request), EDIT)
        case Declare():
            yield Choice(OpenDeclare.of(request), EDIT)
        case _:
            return


def _as_note(request: Request) -> Iterator[Choice]:
    if isinstance(request, Change) and request.public is not None:
        yield Choice(as_note(request))


def as_note(request: Change | Walk) -> Change | Walk:
    """``request`` with its public text as a part of its note; a promise goes with that text."""
    note = request.reason if isinstance(request, Walk) else request.note
    whole = Note("\n\n".join(text for text in (request.public, note) if text))
    if isinstance(request, Walk):
        return replace(request, public=None, reason=whole)
    return replace(request, public=None, note=whole, next_update=None)


def _despite(request: Request, error: PossibleLeak) -> Iterator[Choice]:
    """The ways on for ``request``, whose public text or title was stopped."""
    incident = error.incident
    if isinstance(request, Declare):
        yield Choice(replace(request, confirmed=True), DECLARE_IT)
        yield Choice(OpenDeclare.of(request), EDIT)
        yield Choice(replace(request, private=True), DECLARE_PRIVATE)
    if isinstance(request, SetPrivacy) and incident is not None:
        # The title that was looked at is the one that is confirmed.
        agreed = replace(request, expected_title=incident.title, confirmed=True)
        yield Choice(agreed, AS_IT_IS)
        titled = any(one.start < len(incident.title) for one in error.findings)
        title = Change(actor=request.actor, ref=incident.id, title=incident.title)
        yield (
            Choice(Shorten(request=title), EDIT)
            if titled
            else Choice(OpenWithdrawal(ref=incident.id), WITHDRAW)
        )
        yield Choice(ShowCard(ref=incident.id), KEEP_PRIVATE)
    if not isinstance(request, Change) or incident is None:
        return
    yield Choice(replace(request, confirmed=True), AS_IT_IS)
    if request.public is None and request.title is not None:
        yield Choice(Shorten(request=request), EDIT)
        note = Change(actor=request.actor, ref=incident.id, note=Note(request.title))
        yield Choice(note, AS_NOTE)
        return
    yield Choice(OpenUpdate.of(request, ref=incident.id), EDIT)
    if not incident.terminal:
        yield Choice(as_note(request), AS_NOTE)


def _named(request: Request, asked: str, name: str) -> Iterator[Choice]:
    if isinstance(request, Change | Declare) and request.components:
        names = tuple(name if one == asked else one for one in request.components)
        if names != request.components:
            label = f"Add {name[1:]} as a new one" if name.startswith("+") else f"Take {name}"
            yield Choice(replace(request, components=names), label)


def too_long(request: Declare | Change | TakeNextStep) -> bool:
    """Whether the text of ``request`` is longer than any of its kind may be."""
    return len(text_of(request).strip()) > most_of(request)


def most_of(request: Declare | Change | TakeNextStep) -> int:
    """The number of characters that a text such as that of ``request`` may have."""
    if isinstance(request, Declare) or (isinstance(request, Change) and request.title is not None):
        return TITLE_MAX
    if isinstance(request, Change) and request.description is not None:
        return DESCRIPTION_MAX
    return BODY_MAX
