"""The posts that Slack should have, for a comparison with those that it has. It only reads.

No statement here selects a body or a description.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select

from core.decision import ABOUT_SUBSCRIPTIONS, CHANNEL_EFFECTS, NOTICES, Envelope, Surface
from core.incident import Kind
from storage.messages import LANES
from storage.models import KEPT, is_kept, is_open, outbox, posted, update
from storage.models import incident as _incident
from storage.queries import SqlReader
from storage.rows import AnyRow
from storage.snapshot import connection_of

# Surfaces of direct messages, which the bot cannot read, and deliveries that are no messages.
DIRECT = (Surface.OWNER_CARD, *ABOUT_SUBSCRIPTIONS, *NOTICES, *CHANNEL_EFFECTS)


@dataclass(frozen=True, slots=True)
class Placed:
    """A post that Slack must have, at ``ts`` in ``conversation``."""

    envelope: Envelope
    conversation: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The posts of one incident that Slack must have, for its ``version``.

    ``titles`` are its title and all former titles: a reply shows the title of its own time.
    ``withdrawn`` are the numbers of withdrawn entries. ``busy`` are pairs of lane and channel in
    which a message waits, runs or is dead, so that posts there may be out of date.
    """

    incident: UUID
    name: str
    version: int
    titles: tuple[str, ...]
    withdrawn: frozenset[int]
    placed: tuple[Placed, ...]
    busy: frozenset[tuple[str, str]]

    def is_busy(self, envelope: Envelope) -> bool:
        """Whether the post in the place of ``envelope`` may be out of date."""
        return (LANES[envelope.surface], envelope.channel) in self.busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A delivered message that the outbox has not pruned yet.

    ``order`` sorts messages by their due time, which changes if an operator retries them.
    """

    incident: UUID
    envelope: Envelope
    order: tuple[datetime, int]


_recent = and_(
    _incident.c.workspace_id == bindparam("workspace"),
    or_(is_open, _incident.c.updated_at >= bindparam("since")),
)
_COUNT_RECENT = select(func.count()).select_from(_incident).where(_recent)
_RECENT = (
    select(_incident.c.id)
    .where(_recent)
    .order_by(_incident.c.updated_at.desc(), _incident.c.number.desc())
    .limit(bindparam("limit"))
)
_of_one = {
    table.name: and_(
        table.c.workspace_id == bindparam("workspace"),
        table.c.incident_id == bindparam("incident"),
    )
    for table in (posted, outbox, update)
}
_ONE = select(_incident.c.number, _incident.c.title, _incident.c.version).where(
    _incident.c.workspace_id == bindparam("workspace"), _incident.c.id == bindparam("incident")
)
_PLACES_OF_ONE = (
    select(
        posted.c.incident_id,
        posted.c.surface,
        posted.c.channel,
        posted.c.entry,
        posted.c.posted_in,
        posted.c.ts,
    )
    .where(_of_one[posted.name])
    .order_by(posted.c.channel, posted.c.surface, posted.c.entry)
)
_BUSY_OF_ONE = select(outbox.c.surface, outbox.c.channel).where(is_kept, _of_one[outbox.name])
_TITLES_OF_ONE = select(update.c.old, update.c.new).where(
    _of_one[update.name], update.c.kind == Kind.TITLE
)
_WITHDRAWN_OF_ONE = select(update.c.entry).where(
    _of_one[update.name], update.c.redacted_at.is_not(None)
)
_DELIVERED = select(
    outbox.c.uid,
    outbox.c.incident_id,
    outbox.c.surface,
    outbox.c.channel,
    outbox.c.entry,
    outbox.c.due_at,
    outbox.c.id,
).where(
    outbox.c.workspace_id == bindparam("workspace"),
    outbox.c.incident_id.in_(bindparam("incidents", expanding=True)),
    outbox.c.state.not_in(KEPT),
)


_CHANNELS = (
    select(posted.c.workspace_id, posted.c.posted_in)
    .where(posted.c.surface.not_in(DIRECT))
    .group_by(posted.c.workspace_id, posted.c.posted_in)
    .order_by(func.max(posted.c.ts).desc())
)
_EXPECTANT = (
    select(outbox.c.workspace_id, outbox.c.channel)
    .where(is_kept, outbox.c.surface.not_in(DIRECT))
    .distinct()
)
_KNOWN_IDS = select(_incident.c.id).where(
    _incident.c.workspace_id == bindparam("workspace"),
    _incident.c.id.in_(bindparam("ids", expanding=True)),
)
_KNOWN_NUMBERS = select(_incident.c.number).where(
    _incident.c.workspace_id == bindparam("workspace"),
    _incident.c.number.in_(bindparam("numbers", expanding=True)),
)


def channels(reader: SqlReader) -> tuple[tuple[str, str], ...]:
    """The channels with posts, and those that wait for some, as pairs of workspace and channel.

    Those with the newest posts are first. Direct messages are not among them.
    """
    connection = connection_of(reader)
    found = [(row[0], row[1]) for one in (_CHANNELS, _EXPECTANT) for row in connection.execute(one)]
    return tuple(dict.fromkeys(found))


def known(
    reader: SqlReader, workspace: str, ids: Collection[UUID], numbers: Collection[int]
) -> tuple[frozenset[UUID], frozenset[int]]:
    """Those of ``ids`` and of ``numbers`` that incidents of ``workspace`` have."""
    connection = connection_of(reader)
    by_id = connection.execute(_KNOWN_IDS, {"workspace": workspace, "ids": list(ids)})
    by_number = connection.execute(
        _KNOWN_NUMBERS, {"workspace": workspace, "numbers": list(numbers)}
    )
    return frozenset(by_id.scalars()), frozenset(by_number.scalars())


def recent(
    reader: SqlReader, workspace: str, *, since: datetime, limit: int
) -> tuple[int, tuple[UUID, ...]]:
    """The number of incidents that are open or were changed after ``since``, and their ids.

    At most ``limit`` ids: of the latest changes, newest first.
    """
    sought = {"workspace": workspace, "since": since, "limit": limit}
    count = connection_of(reader).execute(_COUNT_RECENT, sought).scalar_one()
    return count, tuple(connection_of(reader).execute(_RECENT, sought).scalars())


def delivered(
    reader: SqlReader, workspace: str, incidents: Sequence[UUID]
) -> Mapping[UUID, Delivered]:
    """The delivered messages of ``incidents``, by the id in the metadata of their posts."""
    sought = {"workspace": workspace, "incidents": incidents}
    return {
        row.uid: Delivered(
            incident=row.incident_id,
            envelope=Envelope(surface=Surface(row.surface), channel=row.channel, entry=row.entry),
            order=(row.due_at, row.id),
        )
        for row in connection_of(reader).execute(_DELIVERED, sought)
        if row.surface in LANES
    }


def standing(reader: SqlReader, workspace: str, incident: UUID) -> Standing | None:
    """The posts that Slack must have of ``incident``; None if there is no such incident."""
    named = {"workspace": workspace, "incident": incident}
    row = connection_of(reader).execute(_ONE, named).first()
    if row is None:
        return None
    former = [
        title for pair in connection_of(reader).execute(_TITLES_OF_ONE, named) for title in pair
    ]
    return Standing(
        incident=incident,
        name=f"INC-{row.number}",
        version=row.version,
        titles=tuple(dict.fromkeys([row.title, *filter(None, former)])),
        withdrawn=frozenset(connection_of(reader).execute(_WITHDRAWN_OF_ONE, named).scalars()),
        placed=tuple(
            _placed(place)
            for place in connection_of(reader).execute(_PLACES_OF_ONE, named)
            if place.surface in LANES
        ),
        busy=frozenset(
            (LANES[Surface(surface)], channel)
            for surface, channel in connection_of(reader).execute(_BUSY_OF_ONE, named)
            if surface in LANES
        ),
    )


def _placed(place: AnyRow) -> Placed:
    envelope = Envelope(
        surface=Surface(place.surface), channel=place.channel, entry=place.entry or None
    )
    return Placed(envelope, place.posted_in, place.ts)
