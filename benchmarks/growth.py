"""The cost of everything that has piled up: closed incidents, and entries of one incident."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from benchmarks import filling, pages
from benchmarks.databases import ACTOR, WORKSPACE, Database, now
from benchmarks.measures import Comparison, Effort, Service, Supply
from benchmarks.rounds import Slice, in_turn
from core.boards import BoardFilter, Scope
from core.incident import Severity
from core.projection import project
from core.ranking import Rank
from core.service import Incidents
from storage.store import SqlStore

T = TypeVar("T")

READS_IN_A_SLICE = 50
TARGET = 1.2


EVERYTHING = BoardFilter(scope=Scope.ALL)

# `/incident list` with its filters. Nothing belongs to the actor, so `mine` finds nothing.
LISTS = {
    "open": BoardFilter(),
    "open, severity:medium": BoardFilter(severity=Severity.MEDIUM),
    "open, status:investigating": BoardFilter(status="investigating"),
    "mine, without any": BoardFilter(scope=Scope.MINE),
    "all": EVERYTHING,
    "all, status:resolved": replace(EVERYTHING, status="resolved"),
    "all, severity:low, without any": replace(EVERYTHING, severity=Severity.LOW),
    "all, both": replace(EVERYTHING, status="resolved", severity=Severity.MEDIUM),
}


def _api_lists() -> Mapping[str, BoardFilter]:
    """Lists of the API; `filling.fill` declares one incident every few hours until now."""
    since, until = now() - timedelta(days=21), now() - timedelta(days=20)
    return {
        "all": EVERYTHING,
        "status": replace(EVERYTHING, status="resolved"),
        "severity": replace(EVERYTHING, severity=Severity.MEDIUM),
        "since": replace(EVERYTHING, since=since),
        "until": replace(EVERYTHING, until=until),
        "a day": replace(EVERYTHING, since=since, until=until),
        "a day, status": replace(EVERYTHING, since=since, until=until, status="resolved"),
    }


Read = Callable[[Incidents, SqlStore], Awaitable[object]]


def reads(number: int) -> dict[str, Read]:
    """Every read whose cost must not grow; ``number`` is an open incident."""

    def listed(narrowed: BoardFilter) -> Read:
        return lambda incidents, _: incidents.ranking(ACTOR, narrowed)

    def newest(narrowed: BoardFilter) -> Read:
        return lambda incidents, _: incidents.board(ACTOR, narrowed)

    return {
        **{f"list {name}": listed(narrowed) for name, narrowed in LISTS.items()},
        # Its open ones are on the pages above.
        "list all, the ended ones": lambda incidents, _: incidents.ranking(
            ACTOR, EVERYTHING, before=Rank(Severity.LOW, 0)
        ),
        **{f"API, {name}": newest(narrowed) for name, narrowed in _api_lists().items()},
        "open here": lambda incidents, _: incidents.open_here(ACTOR),
        "card": lambda incidents, _: incidents.card(ACTOR, number),
        "timeline": lambda incidents, _: incidents.timeline(ACTOR, number),
        # As many incidents were declared in the last days, however many there are.
        "stats of two weeks": lambda incidents, _: incidents.statistics(
            ACTOR, period=timedelta(days=14)
        ),
        "status page": lambda _, store: store.read_public(
            lambda view: view.open_incidents(WORKSPACE, at=now())
        ),
        "the whole page": lambda _, store: store.read_public(
            lambda view: project(_found(view.page_facts(WORKSPACE, at=now())), now())
        ),
        "a month of the page": lambda _, store: store.read_public(
            lambda view: view.history(
                WORKSPACE, start=now() - timedelta(days=30), end=now(), at=now()
            )
        ),
        "an incident of the page": lambda _, store: store.read_public(
            lambda view: view.numbered(WORKSPACE, 3, at=now())
        ),
        "public history": lambda _, store: store.read_public(
            lambda view: view.recent_incidents(WORKSPACE, at=now())
        ),
    }


def _found(value: T | None) -> T:
    if value is None:
        raise LookupError("the page is not published")
    return value


@dataclass(frozen=True, slots=True)
class Side:
    """One database, open."""

    store: SqlStore
    incidents: Incidents
    service: Service
    number: int

    async def slice_of(self, read: Read) -> float:
        """Seconds for one ``read``, one after another."""
        began = time.perf_counter()
        for _ in range(READS_IN_A_SLICE):
            await read(self.incidents, self.store)
        return (time.perf_counter() - began) / READS_IN_A_SLICE


async def of_incidents(
    make: Callable[[str], Database], effort: Effort, *, name: str
) -> AsyncIterator[Comparison]:
    """Every list, and a transition, among very many closed incidents and among few."""
    with contextlib.ExitStack() as stack:
        sides: dict[str, Side] = {}
        for closed in (effort.many_closed, effort.few_closed):
            database = make(f"closed_{closed}")
            numbers = await filling.fill(database, open_=effort.incidents, closed=closed)
            await pages.publish(database)
            store = stack.enter_context(database.store())
            supply = Supply(numbers[1:], effort)
            incidents = Incidents(store, clock=now, wake=lambda: None)
            sides[f"{closed:,} closed"] = Side(store, incidents, Service(store, supply), numbers[0])
        many, few = sides
        compared: dict[str, Mapping[str, Slice]] = {}
        for measure in reads(0):
            compared[measure] = {
                named: partial(side.slice_of, reads(side.number)[measure])
                for named, side in sides.items()
            }
        # At the end, because it closes those that are open.
        compared["transition"] = {
            named: partial(side.service.transitions, 1) for named, side in sides.items()
        }
        for measure, slices in compared.items():
            samples = await in_turn(slices, rounds=effort.rounds, within_seconds=effort.seconds / 3)
            yield Comparison.of(
                samples,
                measure=f"{name}: {measure}, {many}",
                clients=1,
                target=TARGET,
                against=few,
            )


async def of_entries(
    make: Callable[[str], Database], effort: Effort, *, name: str
) -> AsyncIterator[Comparison]:
    """The card and a page of the timeline of an incident with very many entries."""
    database = make("entries")
    numbers = await filling.fill(database, open_=2, closed=effort.few_closed)
    filling.lengthen(database, numbers[0], effort.many_entries)
    with database.store() as store:
        incidents = Incidents(store, clock=now, wake=lambda: None)
        many, few = f"{effort.many_entries:,} entries", "3 entries"
        sides = {
            named: Side(store, incidents, Service(store, Supply((), effort)), number)
            for named, number in zip((many, few), numbers, strict=True)
        }
        for measure in ("card", "timeline"):
            samples = await in_turn(
                {
                    named: partial(side.slice_of, reads(side.number)[measure])
                    for named, side in sides.items()
                },
                rounds=effort.rounds,
                within_seconds=effort.seconds / 3,
            )
            # A page of the timeline has 20 entries, so a short one has less to show.
            yield Comparison.of(
                samples,
                measure=f"{name}: {measure}, {many}",
                clients=1,
                target=TARGET if measure == "card" else None,
                against=few,
            )
