"""Refusals and questions that carry the request: their buttons do what was asked, with the text."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from bot.slack import written
from bot.slack.answers import Answers, Carried
from bot.slack.arranged import OpenPage
from bot.slack.blocks import Json
from bot.slack.boxes import Box, OpenBox
from bot.slack.carrying import (
    AFTER_THE_END,
    FOLLOW_UP,
    after_the_end,
    alternatives,
    bound,
    has_only_options,
    named,
    ref_of,
    text_of,
    whole_of,
    with_status_as_text,
    with_word,
)
from bot.slack.interaction import Interaction
from bot.slack.markup import escape
from bot.slack.questions import OFFERED_MAX, Offer, asked, problem_of, value_of
from bot.slack.requests import (
    AssignTo,
    Choice,
    FromDraft,
    OpenAssign,
    OpenDeclare,
    OpenNote,
    OpenPromise,
    OpenReport,
    OpenSetup,
    OpenUpdate,
    OpenWalk,
    Question,
    Request,
    ShowBoard,
    ShowCard,
    follow_up,
)
from bot.slack.verbs import COMMAND
from bot.ways import in_slack
from core import policy
from core.boards import BoardFilter, Scope
from core.commands import Acknowledge, Change, Redact, SetPromise, TakeNextStep
from core.denials import Denied, Permission
from core.drafting import DraftBook, DraftGone
from core.errors import UserError
from core.incident import Actor, DeclaredText, Incident, Kind, Note
from core.lifecycle import Catalogue
from core.missing import NotFound, WhichIncident
from core.refusals import (
    IncidentResolved,
    PossibleLeak,
    TransitionNotAllowed,
    UnknownStatus,
)
from core.service import Incidents

DRAFTS = UUID("0d0a3a52-6f0c-5b8e-9d6e-5c4fb9a1a7f3")
# A shorter text is typed again as fast as a button is found.
WORTH_KEEPING = 20


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


class Asking:
    """Draws the answers that offer what was refused, and keeps the drafts behind their buttons."""

    def __init__(
        self, incidents: Incidents, drafts: DraftBook, answers: Answers, *, catalogue: Catalogue
    ) -> None:
        self._incidents = incidents
        self._drafts = drafts
        self._answers = answers
        self._catalogue = catalogue

    async def carried(
        self,
        interaction: Interaction,
        actor: Actor,
        error: UserError,
        request: Request | None,
        *,
        typed: str = "",
        draft: UUID | None = None,
    ) -> UserError | Carried:
        """``error`` with an answer that offers ``request`` once more; ``error`` itself if not.

        ``typed`` is the whole text that was typed; ``draft`` is the draft that the request came
        from, which is replaced.
        """
        whole = typed if len(typed) >= WORTH_KEEPING else ""
        text = "" if has_only_options(error, request) else text_of(request) or whole
        refused = self._refused(actor, error, text)
        if refused is not None:
            return refused
        choices = alternatives(error, with_word(request, error, typed))
        possible = [choice for choice in choices if _is_for(actor, choice.request)]
        if choices and not possible:
            return Denied(actor, Permission.ADMINISTER)
        error, offers = await self._sorted_out(actor, error, possible, text, typed)
        if text and not any(text_of(offer.request) for offer in offers):
            offers.append(Offer(Choice(OpenNote(text=Note(text)))))
        if not offers:
            return error
        offers = offers[:OFFERED_MAX]
        if any(value_of(offer) is None for offer in offers):
            draft = draft or self.draft_of(interaction)
            about = {offer.incident.id for offer in offers if offer.incident}
            held = [None if value_of(offer) else offer.request for offer in offers]
            await self._drafts.keep(actor, draft, written.written(held), about)
        told = self._told(interaction, error)
        if isinstance(error, Question) and (impossible := _impossible(possible, offers)):
            refusal = self._answers.refusal(interaction, impossible)["text"]
            # After the end no spelling of the command helps.
            ended = isinstance(impossible, IncidentResolved)
            told = refusal if ended else f"{refusal}\n{told}"
        return Carried(error, asked(told, typed or whole_of(request) or text, offers, draft))

    async def answering(
        self, interaction: Interaction, actor: Actor, work: Awaitable[Json | None]
    ) -> Json | None:
        """The reply of ``work``, which a click began; a question that it ends in has its buttons.

        Raises:
            Carried: `carried`, with that question.
        """
        try:
            return await work
        except Question as question:
            raise await self.carried(interaction, actor, question, None) from None

    def _refused(self, actor: Actor, error: UserError, text: str) -> UserError | None:
        """The answer without a request: the person may not act, or there is nothing to keep."""
        if not self._drafts.serves(actor):
            return Denied(actor, Permission.RESPOND) if isinstance(error, Question) else error
        asks = isinstance(error, Question | WhichIncident | PossibleLeak)
        return error if _may_not(error, actor) or not (text or asks) else None

    async def _sorted_out(
        self, actor: Actor, error: UserError, choices: Sequence[Choice], text: str, typed: str
    ) -> tuple[UserError, list[Offer]]:
        """The offers for ``choices``, beside the ``error``: a question may have another answer.

        Its incident may be unknown, or have ended.
        """
        offers = await self._offers(actor, choices, text, typed)
        if not isinstance(error, Question):
            return error, offers
        if not offers and (missing := await self._missing(actor, choices)):
            others = await self._offers(actor, list(map(_unnamed, choices)), text, typed)
            return missing, [*others, Offer(Choice(ShowBoard(), "All open"))]
        if not offers and (none := _none_to_withdraw(choices)):
            return none, []
        impossible = None if text else _impossible(choices, offers)
        if isinstance(impossible, IncidentResolved):
            return impossible, []
        return error, offers

    def draft_of(self, interaction: Interaction) -> UUID:
        """The id of the draft of a request: the same if Slack delivers the request twice."""
        return uuid5(DRAFTS, interaction.once) if interaction.once else uuid4()

    async def request(self, actor: Actor, chosen: FromDraft) -> Request:
        """The request that ``chosen`` names.

        Raises:
            DraftGone: the draft was used, is too old or cannot be read any more.
        """
        body = await self._drafts.find(actor, chosen.draft)
        try:
            request = written.read(body, actor=actor, catalogue=self._catalogue)[chosen.index]
        except (written.Unreadable, IndexError):
            raise DraftGone from None
        if request is None:
            raise DraftGone
        return request

    def _told(self, interaction: Interaction, error: UserError) -> str:
        if isinstance(error, Question):
            return problem_of(error)
        if isinstance(error, WhichIncident):
            return escape(error.told(in_slack))
        told: str = self._answers.refusal(interaction, error)["text"]
        return told

    async def _offers(
        self, actor: Actor, choices: Sequence[Choice], text: str, typed: str
    ) -> list[Offer]:
        """``choices`` with their incidents; one that names none becomes one for each candidate."""
        groups: list[tuple[Request, list[Offer]]] = []
        sure = [choice for choice in choices if ref_of(choice.request)[1] is not None]
        for choice in choices:
            incidents = await self._about(actor, choice.request)
            if incidents is None:
                groups.append((choice.request, [Offer(choice)]))
                continue
            if choice not in sure and len(incidents) > 1 and _about_one(groups):
                # A number was typed, and without it no incident is named here.
                continue
            for incident in incidents:
                if not await self._has_entry(actor, choice.request, incident):
                    continue
                request = bound(choice.request, incident)
                offer = Offer(replace(choice, request=request), incident)
                groups.append((request, _possible(offer, text, typed)))
        offers = _first_ones(groups, text)
        kept: list[Offer] = []
        for offer in offers:
            if offer.request not in [one.request for one in kept]:
                kept.append(offer)
        return _longest(kept)

    async def _has_entry(self, actor: Actor, request: Request, incident: Incident) -> bool:
        """Whether ``incident`` may have the text that ``request`` withdraws, if it names one."""
        match request:
            case Redact(entry=int(entry)):
                return entry <= incident.last_entry
            case Redact(entry=DeclaredText.DESCRIPTION):
                return incident.description is not None
            case Redact(entry=DeclaredText.CATEGORY):
                return incident.category is not None
            case Redact(entry=DeclaredText.TITLE) if actor.responder:
                _, page = await self._incidents.timeline(actor, incident.id)
                titled = any(update.kind is Kind.TITLE for update in page.items)
                return titled or page.older is not None
            case _:
                return True

    async def _missing(self, actor: Actor, choices: Sequence[Choice]) -> NotFound | None:
        """The refusal of the first incident that ``choices`` name, if there is none such."""
        for choice in choices:
            _, ref = ref_of(choice.request)
            if ref is not None:
                try:
                    await self._incidents.find(actor, ref)
                except NotFound as missing:
                    return missing
        return None

    async def _about(self, actor: Actor, request: Request) -> Sequence[Incident] | None:
        """The incidents that ``request`` may be about; None if it is about none at all."""
        named, ref = ref_of(request)
        if not named:
            return None
        if ref is not None:
            try:
                return [await self._incidents.find(actor, ref)]
            except NotFound:
                return []
        here = await self._incidents.open_here(actor)
        if here:
            return here
        page = await self._incidents.ranking(actor, BoardFilter(scope=Scope.OPEN))
        return page.items


def _none_to_withdraw(choices: Sequence[Choice]) -> Question | None:
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


def _longest(offers: Sequence[Offer]) -> list[Offer]:
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


def _may_not(error: UserError, actor: Actor) -> bool:
    """Whether ``error`` says that the person may not act; then nothing is kept or offered."""
    if not isinstance(error, Denied):
        return False
    return error.permission is not Permission.PUBLISH or not actor.responder


def _is_for(actor: Actor, request: Request) -> bool:
    """Whether ``actor`` may open what ``request`` opens, if only admins may."""
    administers = isinstance(request, OpenSetup | OpenPage)
    return not administers or policy.holds(actor, Permission.ADMINISTER)


def _unnamed(choice: Choice) -> Choice:
    """``choice`` for an incident that is still to be chosen."""
    about, _ = ref_of(choice.request)
    return replace(choice, request=named(choice.request, None)) if about else choice


def _about_one(groups: Sequence[tuple[Request, Sequence[Offer]]]) -> bool:
    """Whether ``groups`` offer something about an incident."""
    return any(offer.incident for _, offers in groups for offer in offers)


def _first_ones(groups: Sequence[tuple[Request, list[Offer]]], text: str) -> list[Offer]:
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


def _possible(offer: Offer, text: str, typed: str) -> list[Offer]:
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


def _impossible(choices: Sequence[Choice], offers: Sequence[Offer]) -> UserError | None:
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


def draft_reply(told: str, offer: Offer, draft: UUID) -> Json:
    """A message with one button, whose request is in ``draft``."""
    return asked(told, "", [offer], draft)
