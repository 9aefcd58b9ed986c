"""Catch-ups: what is new on incidents since a person's last act, or since they last caught up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import policy
from core.boards import BoardFilter
from core.commands import Ref
from core.denials import Denied, Permission
from core.incident import Actor, Incident, Person, Update
from core.loading import readable
from core.store import CaughtUp, Reader, Store

# So many entries of an incident are read for its news, and so many open incidents are looked at.
ENTRIES_READ = 100
INCIDENTS_READ = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The entries of ``incident`` that are new for one person, newest first; none of their own.

    ``count`` is their number; of more than `ENTRIES_READ` only so many are in ``entries``.
    ``since`` is the moment of the person's last act or catch-up, None if there was none that is
    known; ``caught_up``: it was a catch-up.
    """

    incident: Incident
    count: int
    entries: tuple[Update, ...]
    since: datetime | None = None
    caught_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNews:
    """The open incidents with something new, worst first: of ``total`` open ones, ``looked_at``."""

    news: tuple[News, ...]
    looked_at: int
    total: int


def news_of(
    incident: Incident, newest: Sequence[Update], before: CaughtUp | None, person: Person
) -> News:
    """What is new for ``person``; ``newest`` are the newest entries, oldest first."""
    own = next((one for one in reversed(newest) if one.by == person), None)
    acted = own.entry if own else 0
    seen = max(acted, before.entry if before else 0)
    entries = tuple(one for one in reversed(newest) if one.entry > seen)
    if own and acted >= seen:
        return News(
            incident=incident, count=incident.last_entry - seen, entries=entries, since=own.at
        )
    return News(
        incident=incident,
        count=incident.last_entry - seen,
        entries=entries,
        since=before and before.at,
        caught_up=before is not None,
    )


class CatchUps:
    """Finds what is new for a person, and keeps how far they have read: nothing else is written."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def catch_up(self, actor: Actor, ref: Ref) -> News:
        """What is new on one incident, which ``actor`` has read from now on.

        Raises:
            NotFound, WhichIncident: there is none for this actor.
            Denied: the actor may not read notes.
        """
        _admit(actor)

        def read(reader: Reader) -> News:
            incident = readable(reader, actor, ref)
            return _news(reader, actor, incident, _marks(reader, actor, [incident]))

        found = await self._store.read(read)
        mark = CaughtUp(entry=found.incident.last_entry, at=self._clock())
        incident, person = found.incident, actor.person.id
        await self._store.write(lambda tx: tx.keep_caught_up(incident, person, mark))
        return found

    async def open_news(self, actor: Actor) -> OpenNews:
        """The open incidents with something new; they count as read no more than before.

        Raises:
            Denied: the actor may not read notes.
        """
        _admit(actor)
        if not policy.may_read_notes(actor):
            raise Denied(actor, Permission.RESPOND, reads=True)

        def read(reader: Reader) -> OpenNews:
            page = reader.ranking(
                actor, BoardFilter(), before=None, after=None, limit=INCIDENTS_READ
            )
            marks = _marks(reader, actor, page.items)
            found = [_news(reader, actor, incident, marks) for incident in page.items]
            return OpenNews(
                news=tuple(one for one in found if one.count),
                looked_at=len(page.items),
                total=page.total,
            )

        return await self._store.read(read)


def _admit(actor: Actor) -> None:
    if not policy.holds(actor, Permission.JOIN):
        raise Denied(actor, Permission.JOIN)


def _marks(reader: Reader, actor: Actor, incidents: Sequence[Incident]) -> Mapping[UUID, CaughtUp]:
    ids = [incident.id for incident in incidents]
    return reader.caught_up(actor.workspace, actor.person.id, ids)


def _news(reader: Reader, actor: Actor, incident: Incident, marks: Mapping[UUID, CaughtUp]) -> News:
    before = marks.get(incident.id)
    unread = incident.last_entry - (before.entry if before else 0)
    newest = reader.timeline(incident, before=None, limit=min(max(unread, 1), ENTRIES_READ))
    return news_of(incident, newest.items, before, actor.person)
