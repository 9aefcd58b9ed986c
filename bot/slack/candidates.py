"""The incidents that a request without one may be about: the worst first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.slack.carrying import bound, named, ref_of
from bot.slack.offering import about_one, first_ones, longest, possible
from bot.slack.questions import OFFERED_MAX, Offer
from bot.slack.requests import Choice, OtherIncidents, Request
from bot.slack.words import page_of
from core.boards import BoardFilter, Scope
from core.commands import Redact
from core.incident import Actor, DeclaredText, Incident, Kind
from core.missing import NotFound
from core.ranking import Rank, Ranking, counted, rank_of
from core.service import BOARD_PAGE, Incidents

# One place is kept for a note in another incident, one for the incidents that are not offered.
_ROOM = OFFERED_MAX - 2
NONE = Ranking(items=(), total=0)


@dataclass(frozen=True, slots=True)
class Found:
    """The ``offers`` for some choices.

    ``told``: a sentence about the page of incidents that they are about; empty if these are all.
    ``others`` leads to the next page, and from the last one to the first; None: there is one page.
    """

    offers: list[Offer]
    told: str = ""
    others: OtherIncidents | None = None


@dataclass(frozen=True, slots=True)
class _Candidates:
    """A page of the incidents that may be meant; ``page.total`` counts those of all pages.

    ``channel``: only those with their card there. ``chosen``: only those that have the text which
    is to be withdrawn, so nobody has counted them.
    """

    page: Ranking
    channel: str | None = None
    chosen: bool = False

    @property
    def told(self) -> str:
        """The place of the page among all, as a sentence."""
        count, above = len(self.page.items), self.page.above
        if self.chosen:
            return "More open incidents than these may have it."
        where = "that are open in this channel" if self.channel else "open incidents"
        place = page_of(counted(self.page.total), above, count)
        return f"Offered: {place} {where}, the worst first."


class Candidates:
    """Finds them in ``incidents``, and makes the offers for them."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    async def offers(
        self,
        actor: Actor,
        choices: Sequence[Choice],
        text: str,
        typed: str,
        page: OtherIncidents | None,
    ) -> Found:
        """``choices`` with their incidents; one that names none becomes one for each candidate.

        ``page`` None: the first page of these.
        """
        groups: list[tuple[Request, list[Offer]]] = []
        unsure = [choice for choice in choices if ref_of(choice.request) == (True, None)]
        candidates = await self._candidates(actor, unsure, page) if unsure else _Candidates(NONE)
        paged = False
        for choice in choices:
            incidents = await self._about(actor, choice.request, candidates)
            if incidents is None:
                groups.append((choice.request, [Offer(choice)]))
                continue
            if choice in unsure and len(incidents) > 1 and about_one(groups):
                # A number was typed, and without it no incident is named here.
                continue
            paged = paged or choice in unsure
            for incident in incidents:
                if not await self._has_entry(actor, choice.request, incident):
                    continue
                request = bound(choice.request, incident)
                offer = Offer(replace(choice, request=request), incident)
                groups.append((request, possible(offer, text, typed)))
        offers: list[Offer] = []
        for offer in first_ones(groups, text):
            if offer.request not in [one.request for one in offers]:
                offers.append(offer)
        offers = longest(offers)[:_ROOM]
        shown = candidates.page
        if not paged or (shown.older is None and not shown.above):
            return Found(offers)
        others = OtherIncidents(
            choices=tuple(choices),
            text=text,
            typed=typed,
            channel=candidates.channel,
            before=shown.older,
        )
        return Found(offers, candidates.told, others)

    async def missing(self, actor: Actor, choices: Sequence[Choice]) -> NotFound | None:
        """The refusal of the first incident that ``choices`` name, if there is none such."""
        for choice in choices:
            _, ref = ref_of(choice.request)
            if ref is not None:
                try:
                    await self._incidents.find(actor, ref)
                except NotFound as missing:
                    return missing
        return None

    async def _about(
        self, actor: Actor, request: Request, candidates: _Candidates
    ) -> Sequence[Incident] | None:
        """The incidents that ``request`` may be about; None if it is about none at all."""
        about, ref = ref_of(request)
        if not about:
            return None
        if ref is None:
            return candidates.page.items
        try:
            return [await self._incidents.find(actor, ref)]
        except NotFound:
            return []

    async def _candidates(
        self, actor: Actor, choices: Sequence[Choice], page: OtherIncidents | None
    ) -> _Candidates:
        """The page of incidents that ``choices``, which name none, may be about.

        Those with their card in the channel come before others; where there is one, no others do.
        """
        if page is not None:
            # A draft keeps the place as a tuple.
            before = Rank(*page.before) if page.before else None
            return await self._page(actor, choices, page.channel, before=before)
        here = await self._incidents.open_here(actor)
        if here.items:
            more = here.total > len(here.items)
            here = replace(here, older=rank_of(here.items[-1]) if more else None)
            found = await self._page(actor, choices, actor.channel, read=here)
            if found.page.items:
                return found
        return await self._page(actor, choices, None)

    async def _page(
        self,
        actor: Actor,
        choices: Sequence[Choice],
        channel: str | None,
        *,
        before: Rank | None = None,
        read: Ranking | None = None,
    ) -> _Candidates:
        """The incidents below ``before`` that fit, as many as a page has.

        ``channel``: only those with their card there. ``read`` is the first page, if it is known.
        """
        narrowed = BoardFilter(scope=Scope.OPEN, channel=channel)
        first = read or await self._incidents.ranking(actor, narrowed, before=before)
        last, items, chosen = first, list[Incident](), False
        while True:
            fitting = [one for one in last.items if await self._fits(actor, choices, one)]
            items += fitting
            chosen = chosen or len(fitting) < len(last.items)
            room = BOARD_PAGE - len(items)
            if last.older is None or room <= 0:
                break
            last = await self._incidents.ranking(actor, narrowed, before=last.older, limit=room)
        page = replace(first, items=tuple(items), older=last.older)
        return _Candidates(page, channel=channel, chosen=chosen)

    async def _fits(self, actor: Actor, choices: Sequence[Choice], incident: Incident) -> bool:
        """Whether ``incident`` may have the text that one of ``choices`` withdraws."""
        for choice in choices:
            if await self._has_entry(actor, choice.request, incident):
                return True
        return False

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


def unnamed(choice: Choice) -> Choice:
    """``choice`` for an incident that is still to be chosen."""
    about, _ = ref_of(choice.request)
    return replace(choice, request=named(choice.request, None)) if about else choice
