"""Refusals and questions that carry the request: their buttons do what was asked, with the text."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from bot.slack import written
from bot.slack.answers import Answers, Carried
from bot.slack.arranged import OpenPage
from bot.slack.blocks import Json
from bot.slack.candidates import Candidates, Found, unnamed
from bot.slack.carrying import (
    alternatives,
    bound,
    has_only_options,
    text_of,
    whole_of,
    with_word,
)
from bot.slack.interaction import Interaction
from bot.slack.markup import escape
from bot.slack.offering import impossible, none_to_withdraw
from bot.slack.questions import BUTTONS_MAX, Offer, asked, problem_of, value_of
from bot.slack.requests import (
    Choice,
    FromDraft,
    OpenNote,
    OpenSetup,
    OtherIncidents,
    Question,
    Request,
    ShowBoard,
)
from bot.slack.typed import Numbered
from bot.ways import in_slack
from core import policy
from core.denials import Denied, Permission
from core.drafting import DraftBook, DraftGone
from core.errors import UserError
from core.incident import Actor, Incident, Note
from core.lifecycle import Catalogue
from core.missing import NotFound, WhichIncident
from core.refusals import (
    IncidentResolved,
    PossibleLeak,
)
from core.service import Incidents

DRAFTS = UUID("0d0a3a52-6f0c-5b8e-9d6e-5c4fb9a1a7f3")
# A shorter text is typed again as fast as a button is found.
WORTH_KEEPING = 20


class Asking:
    """Draws the answers that offer what was refused, and keeps the drafts behind their buttons."""

    def __init__(
        self, incidents: Incidents, drafts: DraftBook, answers: Answers, *, catalogue: Catalogue
    ) -> None:
        self._incidents = incidents
        self._candidates = Candidates(incidents)
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
        page: OtherIncidents | None = None,
        numbered: Numbered | None = None,
    ) -> UserError | Carried:
        """``error`` with an answer that offers ``request`` once more; ``error`` itself if not.

        ``typed`` is the whole text that was typed; ``draft`` is the draft that the request came
        from, which is replaced. ``page`` is that of the incidents, if it is not the first.
        ``numbered`` is the number before the text, if there is one: it may be a part of it.
        """
        whole = typed if len(typed) >= WORTH_KEEPING else ""
        text = "" if has_only_options(error, request) else text_of(request) or whole
        text = page.text if page else text
        refused = self._refused(actor, error, text)
        if refused is not None:
            return refused
        choices: Sequence[Choice] = alternatives(error, with_word(request, error, typed))
        if numbered:
            error, choices = await self._with_number(actor, error, choices, numbered)
            text = max([text, *(text_of(one.request) for one in choices)], key=len)
        possible = [choice for choice in choices if _is_for(actor, choice.request)]
        if choices and not possible:
            return Denied(actor, Permission.ADMINISTER)
        error, found = await self._sorted_out(actor, error, possible, text, typed, page=page)
        offers = found.offers
        if text and not any(text_of(offer.request) for offer in offers):
            offers.append(Offer(Choice(OpenNote(text=Note(text)))))
        if found.others:
            # The board has the same buttons for a request without a text.
            more = Choice(found.others) if text else Choice(ShowBoard(), "All open")
            offers.insert(BUTTONS_MAX - 2, Offer(more))
        if not offers:
            return error
        if any(value_of(offer) is None for offer in offers):
            draft = draft or self.draft_of(interaction)
            about = {offer.incident.id for offer in offers if offer.incident}
            held = [None if value_of(offer) else offer.request for offer in offers]
            await self._drafts.keep(actor, draft, written.written(held), about)
        told = self._told(interaction, error)
        if found.told and not (isinstance(error, WhichIncident) and error.open_here):
            told = f"{told} {found.told}"
        if isinstance(error, Question) and (reason := impossible(possible, offers)):
            refusal = self._answers.refusal(interaction, reason)["text"]
            # After the end no spelling of the command helps.
            ended = isinstance(reason, IncidentResolved)
            told = refusal if ended else f"{refusal}\n{told}"
        return Carried(error, asked(told, typed or whole_of(request) or text, offers, draft))

    async def sure(self, actor: Actor, request: Request, numbered: Numbered) -> None:
        """Asks about ``request`` where its number may be a part of the text.

        That is where a command without one is about another incident.

        Raises:
            Question: one choice takes the number as the incident, the others as text.
        """
        here = await self._here(actor, numbered)
        if here is None:
            return
        try:
            named = await self._incidents.find(actor, numbered.ref)
        except NotFound:
            return  # the refusal offers both
        if named.terminal:
            return  # so does this one, and a correction is possible
        raise Question(
            f"{numbered.ref} may name {named.name}, or belong to the text: without a number, a "
            f"command here is about {here.name}. Nothing was done.",
            [Choice(request), *_about(here, numbered)],
        )

    async def _here(self, actor: Actor, numbered: Numbered) -> Incident | None:
        """The open incident that a command without a number is about; None if it is the named one.

        A sign before the number says that it names an incident.
        """
        if not numbered.bare or numbered.ref is None:
            return None
        try:
            here = await self._incidents.find(actor, None)
        except WhichIncident:
            return None
        return None if here.terminal or here.number == numbered.ref else here

    async def _with_number(
        self, actor: Actor, error: UserError, choices: Sequence[Choice], numbered: Numbered
    ) -> tuple[UserError, Sequence[Choice]]:
        """``error`` and its ``choices``, with those that take the number as a part of the text."""
        if numbered.ref is None:
            return error, [*numbered.as_text(), *choices]
        try:
            await self._incidents.find(actor, numbered.ref)
        except NotFound as missing:
            if isinstance(error, Question):
                every = Choice(ShowBoard(), "All open")
                error, choices = missing, [*map(unnamed, choices), every]
            return error, [*numbered.as_text(), *choices]
        here = await self._here(actor, numbered)
        return error, [*choices, *_about(here, numbered)] if here else choices

    async def others(
        self, interaction: Interaction, actor: Actor, page: OtherIncidents, draft: UUID
    ) -> UserError | Carried:
        """A question about the incident once more, with another ``page`` of them."""
        question = Question("Which incident is it? Nothing was done.", page.choices)
        return await self.carried(
            interaction, actor, question, None, typed=page.typed, draft=draft, page=page
        )

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
        self,
        actor: Actor,
        error: UserError,
        choices: Sequence[Choice],
        text: str,
        typed: str,
        *,
        page: OtherIncidents | None,
    ) -> tuple[UserError, Found]:
        """The offers for ``choices``, beside the ``error``: a question may have another answer.

        Its incident may be unknown, or have ended.
        """
        found = await self._candidates.offers(actor, choices, text, typed, page)
        if not isinstance(error, Question):
            return error, found
        if not found.offers and (missing := await self._candidates.missing(actor, choices)):
            named = list(map(unnamed, choices))
            found = await self._candidates.offers(actor, named, text, typed, page)
            every = Offer(Choice(ShowBoard(), "All open"))
            others = found.others if text else None
            return missing, replace(found, offers=[*found.offers, every], others=others)
        if not found.offers and (none := none_to_withdraw(choices)):
            return none, Found([])
        reason = None if text else impossible(choices, found.offers)
        if isinstance(reason, IncidentResolved):
            return reason, Found([])
        return error, found

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


def _about(incident: Incident, numbered: Numbered) -> list[Choice]:
    """What the command of ``numbered`` means for ``incident``, with the number as text."""
    return [replace(one, request=bound(one.request, incident)) for one in numbered.as_text()]


def _may_not(error: UserError, actor: Actor) -> bool:
    """Whether ``error`` says that the person may not act; then nothing is kept or offered."""
    if not isinstance(error, Denied):
        return False
    return error.permission is not Permission.PUBLISH or not actor.responder


def _is_for(actor: Actor, request: Request) -> bool:
    """Whether ``actor`` may open what ``request`` opens, if only admins may."""
    administers = isinstance(request, OpenSetup | OpenPage)
    return not administers or policy.holds(actor, Permission.ADMINISTER)


def draft_reply(told: str, offer: Offer, draft: UUID) -> Json:
    """A message with one button, whose request is in ``draft``."""
    return asked(told, "", [offer], draft)
