"""Does the store agree with itself? Replays every timeline and looks for every public update."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, bindparam, or_, select

from core.incident import Incident, Surface, Update, Visibility
from storage.models import incident as _incident
from storage.models import outbox, posted, workspace
from storage.queries import NEWEST, Reader

_WORKSPACES = select(workspace.c.id, workspace.c.last_number).order_by(workspace.c.id)
_NUMBERS = (
    select(_incident.c.number)
    .where(
        _incident.c.workspace_id == bindparam("workspace"),
        _incident.c.number > bindparam("after"),
    )
    .order_by(_incident.c.number)
    .limit(500)
)
_about = and_(
    posted.c.workspace_id == bindparam("workspace"),
    posted.c.incident_id == bindparam("incident"),
    posted.c.surface == Surface.PUBLIC_UPDATE,
)
_PLACES = select(posted.c.entry).where(_about)
_MESSAGES = select(outbox.c.entry).where(
    outbox.c.workspace_id == bindparam("workspace"),
    outbox.c.incident_id == bindparam("incident"),
    or_(outbox.c.surface == Surface.PUBLIC_UPDATE, outbox.c.surface == Surface.WITHDRAWAL),
)


def faults(reader: Reader) -> Iterator[str]:
    """What is not as it must be, incident by incident; nothing where all is well.

    It reads everything, so it takes its time; no text of people stands in what it says.
    """
    for team, last_number in reader.connection.execute(_WORKSPACES).all():
        expected = 0
        while numbers := reader.connection.scalars(
            _NUMBERS, {"workspace": team, "after": expected}
        ).all():
            for number in numbers:
                expected += 1
                if number != expected:
                    yield f"{team}: INC-{expected} is missing"
                    expected = number
                incident = reader.incident(team, number)
                if incident:
                    for fault in (
                        *replayed(incident, _timeline(reader, incident)),
                        *_unsent(reader, incident),
                    ):
                        yield f"{team} {incident.name}: {fault}"
        if last_number != expected:
            yield f"{team}: {last_number} incidents were counted, and the newest is INC-{expected}"


def replayed(incident: Incident, timeline: tuple[Update, ...]) -> Iterator[str]:
    """Where ``timeline``, oldest first, does not lead by legal steps to ``incident`` as it is."""
    entries = [update.entry for update in timeline]
    if entries != list(range(1, incident.last_entry + 1)):
        yield f"entries are {entries}, and the last one is {incident.last_entry}"
    lifecycle = incident.lifecycle
    status = None
    for update in timeline:
        moved = update.status_change
        if moved is None:
            continue
        legal = (lifecycle.initial,) if status is None else lifecycle.next_steps(status)
        if moved not in legal:
            yield f"entry {update.entry} moved it from {status} to {moved}"
        if update.old != status:
            yield f"entry {update.entry} says it was {update.old}, and it was {status}"
        status = moved
    if status != incident.status:
        yield f"it is {incident.status}, and its timeline leads to {status}"


def _timeline(reader: Reader, incident: Incident) -> tuple[Update, ...]:
    return reader.timeline(incident, before=None, limit=NEWEST - 1).items


def _unsent(reader: Reader, incident: Incident) -> Iterator[str]:
    """Public updates that stand nowhere and that nobody is going to post."""
    named = {"workspace": incident.workspace, "incident": incident.id}
    known = {
        *reader.connection.scalars(_PLACES, named),
        *reader.connection.scalars(_MESSAGES, named),
    }
    for update in _timeline(reader, incident):
        public = update.visibility is Visibility.PUBLIC and not update.redacted
        if public and update.entry not in known:
            yield f"entry {update.entry} is public, and was neither posted nor is it waiting"
