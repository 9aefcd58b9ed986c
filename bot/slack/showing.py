"""Requests that only show something: lists, cards, timelines, reports, figures, help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.slack import cards, lists, news, reports, views
from bot.slack.blocks import Json
from bot.slack.figures import stats
from bot.slack.help import help_for
from bot.slack.interaction import Interaction
from bot.slack.people import People
from bot.slack.requests import (
    CatchUp,
    Choice,
    LeavePromise,
    Question,
    ShowBoard,
    ShowCard,
    ShowHelp,
    ShowNews,
    ShowReport,
    ShowStats,
    ShowTimeline,
    ShowTray,
)
from bot.slack.timeline import timeline
from core import policy
from core.boards import BoardFilter, Scope
from core.catching import CatchUps
from core.denials import Permission
from core.errors import InvalidField
from core.incident import Actor
from core.lifecycle import Catalogue
from core.refusals import NothingToRelease
from core.service import Incidents

# A request that only shows something.
Shown = (
    ShowTray
    | ShowBoard
    | ShowCard
    | ShowTimeline
    | CatchUp
    | ShowNews
    | ShowReport
    | ShowStats
    | ShowHelp
    | LeavePromise
)


def _responds(actor: Actor) -> bool:
    return policy.holds(actor, Permission.RESPOND)


class Showing:
    """Reads what is asked for, and draws it. It changes nothing but the place of a catch-up."""

    def __init__(
        self,
        incidents: Incidents,
        people: People,
        *,
        catch_ups: CatchUps,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
    ) -> None:
        self._incidents = incidents
        self._people = people
        self._catch_ups = catch_ups
        self._catalogue = catalogue
        self._clock = clock

    async def shown(  # noqa: C901, PLR0911 - one case for each kind of list
        self, interaction: Interaction, actor: Actor, request: Shown
    ) -> Json:
        """The answer to ``request``."""
        at = self._clock()
        match request:
            case ShowTray():
                here = await self._incidents.open_here(actor)
                everywhere = await self._incidents.ranking(
                    actor, BoardFilter(), limit=lists.beside(here)
                )
                return lists.tray(
                    here, everywhere, channel=actor.channel, at=at, responds=_responds(actor)
                )
            case ShowBoard():
                page = await self._incidents.ranking(
                    actor, request.narrowed, before=request.before, after=request.after
                )
                if not page.total:
                    await self._refuse_no_status(actor, request.narrowed)
                return lists.board(page, request, at=at, responds=_responds(actor))
            case ShowCard():
                card = await self._incidents.card(actor, request.ref)
                return cards.card_for_you(
                    card, at=at, reader=actor.person.id, responds=_responds(actor)
                )
            case ShowTimeline():
                card, entries = await self._incidents.timeline(
                    actor, request.ref, before=request.before
                )
                return timeline(card, entries, at=at)
            case ShowReport(ref=ref, page=page):
                incident, made = await self._incidents.report(actor, ref, lambda *made: made)
                can_send = self._people.sends_files
                return reports.report(incident, made, page=page, at=at, can_send=can_send)
            case CatchUp(ref=ref):
                return news.caught_up(await self._catch_ups.catch_up(actor, ref), at=at)
            case ShowNews():
                return news.open_news(await self._catch_ups.open_news(actor), at=at)
            case ShowStats(days=days):
                period = timedelta(days=days)
                return stats(await self._incidents.statistics(actor, period=period), at=at)
            case ShowHelp():
                self._incidents.admit(actor)
                may = frozenset(one for one in Permission if policy.holds(actor, one))
                default = interaction.settings.default_lifecycle
                catalogue = self._catalogue.with_default(default)
                return help_for(request.verb, catalogue.default, whole=request.whole, may=may)
            case LeavePromise():
                return await self._promise_left(actor, request)
            case _:
                assert_never(request)

    async def _promise_left(self, actor: Actor, sent: LeavePromise) -> Json:
        incident, present = await self._incidents.promise(actor, sent.ref)
        if sent.reason and present is None:
            raise NothingToRelease(incident)
        if sent.reason:
            raise InvalidField(
                "next_update",
                "stays as it is, and a reason belongs to a change: choose another moment, "
                'choose "No promise", or empty the reason',
            )
        return views.promise_left(incident, present, at=self._clock())

    async def _refuse_no_status(self, actor: Actor, narrowed: BoardFilter) -> None:
        """Refuses a status that no lifecycle of today has, and no incident either."""
        statuses = list(
            dict.fromkeys(status.name for one in self._catalogue for status in one.statuses)
        )
        if narrowed.status in {None, *statuses}:
            return
        every = BoardFilter(scope=Scope.ALL, status=narrowed.status)
        if (await self._incidents.ranking(actor, every, limit=1)).total:
            return
        without = ShowBoard(narrowed=replace(narrowed, status=None))
        problem = f'There is no status "{narrowed.status}". Statuses: {", ".join(statuses)}.'
        raise Question(problem, [Choice(without, "List them without it")])
