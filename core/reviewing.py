"""The reads of a review: reports, promises and statistics, as far as the actor may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from core import policy
from core.commands import Ref
from core.denials import Denied, Permission
from core.incident import Actor, Incident, Update
from core.loading import found, readable
from core.promise import Promise, in_force
from core.refusals import NoPublicSide
from core.report import Report, public_markdown, report_of
from core.stats import Measured, Statistics, measure, statistics
from core.store import PublicView, Reader, Store

T = TypeVar("T")

# A long snapshot would keep a withdrawn text in SQLite's log, so each is short.
HISTORIES_PAGE = 200


def report(reader: Reader, actor: Actor, ref: Ref, then: Callable[[Incident, Report], T]) -> T:
    """The result of ``then`` on one incident and its internal report.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
        Denied: the actor may not read notes.
    """
    incident = readable(reader, actor, ref)
    whole = reader.timeline(incident, before=None, limit=incident.last_entry)
    return then(incident, report_of(incident, whole.items, reader.promises(incident)))


def public_report(view: PublicView, incident: Incident, *, at: datetime) -> str:
    """The public report of ``incident`` as Markdown, from public columns alone.

    Raises:
        NoPublicSide: nothing of it is public at the moment ``at``.
    """
    public = view.incident(incident.workspace, incident.id, at=at)
    if public is None:
        raise NoPublicSide(incident)
    return public_markdown(public)


def sections(reader: Reader, actor: Actor, ref: Ref) -> tuple[Incident, tuple[Update, ...]]:
    """One incident with the entries of its report's sections, for an actor who may write them.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
        Denied: the actor is no responder.
    """
    incident = found(reader, actor, ref)
    if not policy.holds(actor, Permission.RESPOND):
        raise Denied(actor, Permission.RESPOND, incident)
    return incident, reader.sections(incident)


def promise(reader: Reader, actor: Actor, ref: Ref) -> tuple[Incident, Promise | None]:
    """One incident, and the promise of it that is in force; None if nothing is promised.

    Raises:
        NotFound, WhichIncident: there is none for this actor.
    """
    incident = found(reader, actor, ref)
    return incident, in_force(reader.promises(incident))


async def statistics_of(
    store: Store, actor: Actor, *, period: timedelta, at: datetime
) -> Statistics:
    """The figures of the ``period`` that ends ``at``, and of the one before.

    They are made from the incidents that exist for ``actor``: nobody learns from a figure that
    there is a private one.

    Raises:
        Denied: the actor may not read notes.
    """
    if not policy.may_read_notes(actor):
        raise Denied(actor, Permission.RESPOND, reads=True)
    since = at - 2 * period
    ids = await store.read(lambda reader: reader.declared(actor, since=since, until=at))
    measured: list[Measured] = []
    for start in range(0, len(ids), HISTORIES_PAGE):
        part = ids[start : start + HISTORIES_PAGE]
        measured += await store.read(_measures(actor, part, at))
    return statistics(measured, since=at - period, until=at)


def _measures(
    actor: Actor, incidents: Sequence[UUID], at: datetime
) -> Callable[[Reader], list[Measured]]:
    """Reads and measures ``incidents``; one that was made private meanwhile may be invisible."""

    def measures(reader: Reader) -> list[Measured]:
        found = reader.histories(actor.workspace, incidents)
        seen = [(one, timeline) for one, timeline in found if policy.may_see(actor, one)]
        promises = reader.promises_of(actor.workspace, [one for one, _ in seen])
        return [measure(one, timeline, promises.get(one.id, ()), at=at) for one, timeline in seen]

    return measures
