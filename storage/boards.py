"""The lists of incidents: newest first for the API, open ones first and worst first for people.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.expression import CompoundSelect

from core.boards import BoardFilter, Scope
from core.channel import ChannelStage
from core.incident import Actor, Severity
from core.ranking import COUNTED_MAX, Rank
from storage.incidents import INCIDENT
from storage.models import (
    component,
    incident,
    incident_component,
    incident_invited,
    is_closed,
    is_open,
    own_channel,
)
from storage.rows import NEWEST, AnyRow, AnySelect

OPEN_HERE_MAX = 10
# Numbers follow the moments of declarations, except where the clocks of processes differ or one was
# set back. As long as that is by less than this, a list of days misses nothing.
CLOCKS_DIFFER = timedelta(hours=1)

_RANK = {severity: place for place, severity in enumerate(Severity)}

# `core.policy.may_see`, for an actor who does not see all incidents anyway.
visible = or_(
    ~incident.c.private,
    incident.c.declared_by_id == bindparam("person"),
    incident.c.owner_id == bindparam("person"),
    and_(incident.c.channel_private, incident.c.channel == bindparam("spoken_in")),
    exists().where(
        own_channel.c.workspace_id == incident.c.workspace_id,
        own_channel.c.incident_id == incident.c.id,
        own_channel.c.private,
        own_channel.c.stage != ChannelStage.ARCHIVED.value,
        own_channel.c.channel == bindparam("spoken_in"),
    ),
    exists().where(
        incident_invited.c.workspace_id == incident.c.workspace_id,
        incident_invited.c.incident_id == incident.c.id,
        incident_invited.c.person_id == bindparam("person"),
    ),
)

# `core.components.nameable` holds the rule. Admins and API keys see every incident.
_UNNAMED = select(component.c.id).where(
    component.c.workspace_id == bindparam("workspace"),
    component.c.shown.is_not(true()),
    ~exists().where(
        incident_component.c.workspace_id == component.c.workspace_id,
        incident_component.c.component_id == component.c.id,
        incident.c.workspace_id == incident_component.c.workspace_id,
        incident.c.id == incident_component.c.incident_id,
        visible,
    ),
)
_declared = incident.c.created_at
# In a function, so that no database prefers the index of moments to that of numbers.
_declared_at = func.coalesce(_declared, _declared)

_of_workspace = incident.c.workspace_id == bindparam("workspace")
_LAST_BEFORE = (
    select(incident.c.number)
    .where(_of_workspace, _declared < bindparam("moment"))
    .order_by(_declared.desc(), incident.c.number.desc())
    .limit(1)
)
_FIRST_AFTER = (
    select(incident.c.number)
    .where(_of_workspace, _declared > bindparam("moment"))
    .order_by(_declared, incident.c.number)
    .limit(1)
)


def unnamed(connection: Connection, actor: Actor) -> frozenset[UUID]:
    """The components whose names ``actor`` may not know."""
    if actor.admin or actor.sees_private:
        return frozenset()
    asked = {
        "workspace": actor.workspace,
        "person": actor.person.id,
        "spoken_in": actor.channel,
    }
    return frozenset(connection.execute(_UNNAMED, asked).scalars())


def newest(
    connection: Connection,
    actor: Actor,
    narrowed: BoardFilter,
    *,
    key: int,
    newer: bool,
    limit: int,
) -> Sequence[AnyRow]:
    """The first ``limit`` incidents that are older, or ``newer``, than number ``key``."""
    named = _named(actor, narrowed)
    first, last = _numbers(connection, named)
    if narrowed.number is not None:
        first, last = max(first, narrowed.number), min(last, narrowed.number)
    named |= {"first": max(first, key + 1) if newer else first, "limit": limit}
    named["last"] = last if newer else min(last, key - 1)
    names = _conditions_of(actor, narrowed)
    if "status" not in names:
        return connection.execute(_newest(names, newer=newer), named).all()
    statement = _newest_of_status(names, _severities(narrowed), newer=newer)
    rows = connection.execute(statement, named).all()
    return sorted(rows, key=lambda row: row.number if newer else -row.number)[:limit]


def worst(
    connection: Connection,
    actor: Actor,
    narrowed: BoardFilter,
    *,
    key: Rank | None,
    worse: bool,
    limit: int,
) -> Sequence[AnyRow]:
    """The first ``limit`` incidents below ``key`` in a list as `Rank` orders it, or above it."""
    named = _named(actor, narrowed) | _keys(key, worse=worse)
    names, severities = _conditions_of(actor, narrowed), _severities(narrowed)
    halves = sorted(_halves(names), reverse=worse)
    rows: list[AnyRow] = []
    for ended in halves:
        if len(rows) < limit:
            statement = _worst(names, severities, ended=ended, worse=worse)
            half = connection.execute(statement, named | {"limit": limit - len(rows)}).all()
            rows += _in_order(half, worse=worse)[: limit - len(rows)]
    return rows


def total(
    connection: Connection,
    actor: Actor,
    narrowed: BoardFilter,
    *,
    above: Rank | None = None,
    most: int = COUNTED_MAX,
) -> int:
    """The number of incidents ``above`` a place in the list; None: in the whole list.

    ``most`` + 1 if there are more than ``most``.
    """
    names, severities = _conditions_of(actor, narrowed), _severities(narrowed)
    statement = _total(names, severities, whole=above is None)
    named = _named(actor, narrowed) | _keys(above, worse=True) | {"limit": most + 1}
    counted: int = connection.execute(statement, named).scalar_one()
    return counted


def open_in_channel(
    connection: Connection, asked: Mapping[str, str]
) -> tuple[Sequence[AnyRow], int]:
    """The open incidents with their card in a channel, worst first, and the number of them all."""
    names, severities = frozenset({"open", "here"}), tuple(Severity)
    named = {**asked, **_keys(None, worse=False), "limit": OPEN_HERE_MAX + 1}
    statement = _worst(names, severities, ended=False, worse=False)
    rows = _in_order(connection.execute(statement, named).all(), worse=False)
    if len(rows) <= OPEN_HERE_MAX:
        return rows, len(rows)
    # More are counted only where there are more.
    named |= {**_keys(None, worse=True), "limit": COUNTED_MAX + 1}
    counted: int = connection.execute(_total(names, severities, whole=True), named).scalar_one()
    return rows[:OPEN_HERE_MAX], counted


def _named(actor: Actor, narrowed: BoardFilter) -> dict[str, Any]:
    return {
        "workspace": actor.workspace,
        "person": actor.person.id,
        "spoken_in": actor.channel,
        "severity": narrowed.severity,
        "status": narrowed.status,
        "since": narrowed.since,
        "until": narrowed.until,
        "channel": narrowed.channel,
    }


def _severities(narrowed: BoardFilter) -> tuple[Severity, ...]:
    return tuple(Severity) if narrowed.severity is None else (narrowed.severity,)


def _numbers(connection: Connection, named: Mapping[str, Any]) -> tuple[int, int]:
    """The first and last number that may have been declared between the two moments."""
    first, last = 0, NEWEST
    since: datetime | None = named["since"]
    until: datetime | None = named["until"]
    if since is not None:
        asked = {"workspace": named["workspace"], "moment": _moved(since, -CLOCKS_DIFFER)}
        first = connection.execute(_LAST_BEFORE, asked).scalar() or first
    if until is not None:
        asked = {"workspace": named["workspace"], "moment": _moved(until, CLOCKS_DIFFER)}
        last = connection.execute(_FIRST_AFTER, asked).scalar() or last
    return first, last


def _moved(moment: datetime, by: timedelta) -> datetime:
    """``moment`` moved ``by``; unmoved at the ends of the calendar, beyond which nothing is."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _keys(key: Rank | None, *, worse: bool) -> dict[str, int]:
    """For each range, the number above which (if ``worse``), or below which, the page begins."""
    everything, nothing = (0, NEWEST) if worse else (NEWEST, 0)
    keys = {}
    for ended in (False, True):
        for severity, place in _RANK.items():
            number = everything
            if key is not None:
                here, there = (ended, place), (key.ended, _RANK[key.severity])
                begins = here < there if worse else here > there
                number = key.number if here == there else everything if begins else nothing
            keys[_key_name(severity, ended=ended)] = number
    return keys


def _key_name(severity: Severity, *, ended: bool) -> str:
    return f"{'ended' if ended else 'open'}_{severity}"


def _in_order(rows: Sequence[AnyRow], *, worse: bool) -> list[AnyRow]:
    return sorted(rows, key=lambda row: (_RANK[row.severity], -row.number), reverse=worse)


def _conditions_of(actor: Actor, narrowed: BoardFilter) -> frozenset[str]:
    """The names of the conditions of a list, which choose its statement."""
    named = {
        "visible": not (actor.admin or actor.sees_private),
        "open": narrowed.scope is not Scope.ALL,
        "mine": narrowed.scope is Scope.MINE,
        "severity": narrowed.severity is not None,
        "status": narrowed.status is not None,
        "since": narrowed.since is not None,
        "until": narrowed.until is not None,
        "here": narrowed.channel is not None,
    }
    return frozenset(name for name, holds in named.items() if holds)


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "visible": visible,
    "open": is_open,
    "mine": incident.c.owner_id == bindparam("person"),
    "severity": incident.c.severity == bindparam("severity"),
    "status": incident.c.status == bindparam("status"),
    "since": _declared_at >= bindparam("since"),
    "until": _declared_at <= bindparam("until"),
    # `Place.may_show`: a private incident has its card in a private channel only.
    "here": and_(
        incident.c.channel == bindparam("channel"),
        or_(~incident.c.private, incident.c.channel_private),
    ),
}


def _that(names: frozenset[str]) -> list[ColumnElement[bool]]:
    return [_CONDITIONS[name] for name in sorted(names)]


@cache
def _newest(names: frozenset[str], *, newer: bool) -> AnySelect:
    number = incident.c.number
    return (
        INCIDENT.where(*_that(names), number.between(bindparam("first"), bindparam("last")))
        .order_by(number.asc() if newer else number.desc())
        .limit(bindparam("limit"))
    )


@cache
def _newest_of_status(
    names: frozenset[str], severities: tuple[Severity, ...], *, newer: bool
) -> CompoundSelect[*tuple[Any, ...]]:
    """`_newest` in the ranges of the indexes of a status, of which there is one per severity."""
    return union_all(
        *(
            select(_newest(names - {"severity"}, newer=newer).where(*of_range).subquery())
            for ended in _halves(names)
            for _, of_range in _ranges(names, severities, ended=ended)
        )
    )


def _halves(names: frozenset[str]) -> tuple[bool, ...]:
    """Whether the incidents of each half of a list have ended, in the order of the list."""
    return (False,) if "open" in names else (False, True)


def _ranges(
    names: frozenset[str], severities: tuple[Severity, ...], *, ended: bool | None
) -> list[tuple[str, list[ColumnElement[bool]]]]:
    """The ranges of an index that half a list reads: the name of each key, and the conditions.

    ``ended`` None: both halves at once. The incidents of a status are in two indexes, one for each
    half. Other ended ones are in an index with those that are open, which are few.
    """
    half = [] if ended is None or "open" in names else [is_closed if ended else is_open]
    return [
        (
            _key_name(severity, ended=bool(ended)),
            [*half, incident.c.severity == literal_column(f"'{severity}'")],
        )
        for severity in severities
    ]


def _keyed(name: str, *, worse: bool) -> ColumnElement[bool]:
    number = incident.c.number
    return number > bindparam(name) if worse else number < bindparam(name)


@cache
def _worst(
    names: frozenset[str], severities: tuple[Severity, ...], *, ended: bool, worse: bool
) -> CompoundSelect[*tuple[Any, ...]]:
    """The ranges of half a list in one statement: no row is read and dropped."""
    number = incident.c.number
    parts = [
        INCIDENT.where(*_that(names - {"severity"}), *of_range, _keyed(key, worse=worse))
        .order_by(number.asc() if worse else number.desc())
        .limit(bindparam("limit"))
        .subquery()
        for key, of_range in _ranges(names, severities, ended=ended)
    ]
    return union_all(*map(select, parts))


@cache
def _total(names: frozenset[str], severities: tuple[Severity, ...], *, whole: bool) -> AnySelect:
    """The severities and their order lead either database to the indexes that `_worst` reads.

    A ``whole`` list without a status needs no halves.
    """
    number = incident.c.number
    halves = (None,) if whole and "status" not in names else _halves(names)
    parts = [
        select(number)
        .where(_of_workspace, *_that(names - {"severity"}), *of_range, _keyed(key, worse=True))
        .order_by(number.desc())
        .limit(bindparam("limit"))
        .subquery()
        for ended in halves
        for key, of_range in _ranges(names, severities, ended=ended)
    ]
    counted = union_all(*map(select, parts)).limit(bindparam("limit")).subquery()
    return select(func.count()).select_from(counted)
