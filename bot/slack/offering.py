"""From choices and their incidents to the offers that are possible. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.slack.boxes import Box, OpenBox
from bot.slack.carrying import (
    AFTER_THE_END,
    FOLLOW_UP,
    after_the_end,
    as_note,
    text_of,
    with_status_as_text,
)
from bot.slack.questions import Offer
from bot.slack.requests import (
    AssignTo,
    Choice,
    OpenAssign,
    OpenDeclare,
    OpenPromise,
    OpenReport,
    OpenUpdate,
    OpenWalk,
    Question,
    Request,
    ShowCard,
    follow_up,
)
from bot.slack.verbs import COMMAND
from core.commands import Acknowledge, Change, Redact, SetPromise, TakeNextStep
from core.errors import UserError
from core.incident import DeclaredText, Incident
from core.refusals import (
    IncidentResolved,
    TransitionNotAllowed,
    UnknownStatus,
)

# An incident that has ended takes none of these.
ADDS = (
    Change
    | OpenBox
    | TakeNextStep
    | Acknowledge
    | AssignTo
    | OpenUpdate
    | OpenAssign
    | SetPromise
    | OpenPromise
)


def none_to_withdraw(choices: Sequence[Choice]) -> Question | None:
    """The answer to a withdrawal by name, without a number, where no open incident has such a text.

    The incidents that ended may have one, and are too many to ask about.
    """
    match [choice.request for choice in choices]:
        case [Redact(ref=None, entry=DeclaredText() as name)]:
            text = "an earlier title" if name is DeclaredText.TITLE else f"a {name}"
            return Question(
                f"No open incident has {text} to withdraw. For one that has ended, type its "
                f"number: `{COMMAND} withdraw <n> {name}`."
            )
        case _:
            return None


def longest(offers: Sequence[Offer]) -> list[Offer]:
    """``offers`` without a place for a text that is a part of the text in another such place.

    After the end the meanings of a command differ only in the words that were read as options.
    """

    def held(offer: Offer) -> tuple[type[Request], str] | None:
        text = text_of(offer.request)
        if offer.choice.label == FOLLOW_UP:
            # Its first line names the incident.
            return OpenDeclare, text.partition("\n\n")[2] or text
        return (OpenReport, text) if isinstance(offer.request, OpenReport) else None

    texts = [held(offer) for offer in offers]
    return [
        offer
        for place, (offer, text) in enumerate(zip(offers, texts, strict=True))
        if text is None
        or not any(
            other
            and other[0] is text[0]
            and text[1] in other[1]
            and (text[1] != other[1] or before < place)
            for before, other in enumerate(texts)
            if before != place
        )
    ]


def about_one(groups: Sequence[tuple[Request, Sequence[Offer]]]) -> bool:
    """Whether ``groups`` offer something about an incident."""
    return any(offer.incident for _, offers in groups for offer in offers)


def first_ones(groups: Sequence[tuple[Request, list[Offer]]], text: str) -> list[Offer]:
    """The offers of ``groups``, each for one request about one incident, the likely ones first.

    Where the incident is the question, each incident has one button for each meaning.
    """
    incidents = {offer.incident.id for _, offers in groups for offer in offers if offer.incident}
    if len(incidents) <= 1:
        return [offer for request, offers in groups for offer in _each_step(request, offers)]
    firsts = [(request, _likely(request, offers, text)) for request, offers in groups if offers]
    possible = [offer for request, offer in firsts if offer.request == request]
    return [*possible, *(offer for _, offer in firsts if offer not in possible)]


def _each_step(request: Request, offers: list[Offer]) -> list[Offer]:
    """``offers``; the next step without a text, of which there are several, is one for each."""
    match request, offers:
        case TakeNextStep(note=None), [Offer(incident=Incident() as incident)]:
            step = Change(actor=request.actor, ref=incident.id, expected_status=incident.status)
            return [Offer(Choice(replace(step, to=to)), incident) for to in incident.next_steps]
        case _:
            return offers


def _likely(request: Request, offers: Sequence[Offer], text: str) -> Offer:
    """The one of ``offers`` that comes closest to ``request`` and keeps the ``text``."""

    def distance(offer: Offer) -> int:
        if offer.request == request:
            return 0
        if isinstance(offer.request, OpenWalk | OpenUpdate):
            return 1
        if text:
            return 2 if text_of(offer.request) else 3
        return 2 if isinstance(offer.request, ShowCard) else 3

    return min(offers, key=distance)


def possible(offer: Offer, text: str, typed: str) -> list[Offer]:
    """``offer``, or what remains of it where its incident cannot take it."""
    incident, request = offer.incident, offer.request
    # The dialog of a description says after the end how that is withdrawn.
    describes = isinstance(request, OpenBox) and request.box is Box.DESCRIPTION
    if incident is None or isinstance(request, ShowCard) or (describes and not text_of(request)):
        return [offer]
    changes = (
        Change
        | OpenBox
        | TakeNextStep
        | Acknowledge
        | AssignTo
        | SetPromise
        | OpenUpdate
        | OpenAssign
        | OpenWalk
    )
    if incident.private and isinstance(request, Change) and request.public is not None:
        # It has no public side: responders alone can read the text.
        request = as_note(request)
        offer = replace(offer, choice=Choice(request))
    show = Offer(Choice(ShowCard(ref=incident.id)), incident)
    if incident.terminal and isinstance(request, changes) and not _is_correction(offer):
        places = list(after_the_end(request, incident))
        places = places or [Choice(follow_up(incident, text), FOLLOW_UP)]
        # A follow-up is about an incident of its own.
        return [show, *(Offer(one, _of(one, incident)) for one in places)]
    if isinstance(request, OpenUpdate):
        return _possible_update(request, incident, offer.choice)
    if isinstance(request, Change) and request.to and request.to not in incident.next_steps:
        walk = [Offer(Choice(asked), incident) for asked in _walk(request, incident)]
        if not text_of(request) and request.severity is None:
            here = replace(request, expected_status=incident.status)
            steps = [] if walk else [replace(here, to=step) for step in incident.next_steps]
            return [*walk, *(Offer(Choice(step), incident) for step in steps), show]
        if request.to not in incident.lifecycle:
            request = with_status_as_text(request, typed)
        stays = replace(request, to=None, expected_status=None)
        return [*walk, Offer(Choice(stays), incident), show]
    return [offer]


def _of(choice: Choice, incident: Incident) -> Incident | None:
    return None if isinstance(choice.request, OpenDeclare) else incident


def _is_correction(offer: Offer) -> bool:
    """Whether it is about the one public text that an incident takes after its end."""
    return offer.choice.label in AFTER_THE_END


def _possible_update(request: OpenUpdate, incident: Incident, choice: Choice) -> list[Offer]:
    """The dialogs that ``incident`` can take ``request`` with."""
    if incident.private and request.public is not None:
        # It has no public side, and its dialog no box for a public text.
        return []
    if not request.to or request.to in incident.next_steps:
        return [Offer(choice, incident)]
    walk = [Offer(Choice(asked), incident) for asked in _walk(request, incident)]
    return [*walk, Offer(replace(choice, request=replace(request, to=None)), incident)]


def impossible(choices: Sequence[Choice], offers: Sequence[Offer]) -> UserError | None:
    """The reason why the one step among ``choices`` is not offered; None if it is, or is none."""
    incidents = {offer.incident.id: offer.incident for offer in offers if offer.incident}
    steps = {one.request.to for one in choices if isinstance(one.request, Change)} - {None}
    if len(incidents) != 1:
        return None
    [incident] = incidents.values()
    if incident.terminal and all(isinstance(one.request, ADDS) for one in choices):
        return IncidentResolved(incident, None)
    if len(steps) != 1 or not (to := steps.pop()):
        return None
    if to in incident.next_steps:
        return None
    if incident.terminal:
        return IncidentResolved(incident, to)
    known = to in incident.lifecycle
    return TransitionNotAllowed(incident, to) if known else UnknownStatus(incident, to)


def _walk(request: Change | OpenUpdate, incident: Incident) -> Iterator[OpenWalk]:
    """The dialog of all steps to the status of ``request``, if it is several steps away."""
    to = request.to
    here = incident.status
    if (
        to
        and to != here
        and to in incident.lifecycle
        and len(incident.lifecycle.path(here, to)) > 1
    ):
        yield OpenWalk(ref=incident.id, to=to, note=request.note, public=request.public)
