"""The facts that deliveries about own channels need, and the rows that they write.

Only `storage.outbox` uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from core.channel import OwnChannel
from core.decision import NEW_CHANNEL, Envelope, Surface
from core.incident import Incident, Kind, Update, Visibility
from core.opening import opened, people_of
from core.pen import responders_cards
from storage import entries, own_channels
from storage.enqueue import enqueue_of
from storage.messages import OutboxMessage
from storage.models import update
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.transactions import SqlTransaction

# The numbers of the entries with a note, behind a given one. No text is read.
_NOTES = (
    select(update.c.entry)
    .where(
        update.c.workspace_id == bindparam("workspace"),
        update.c.incident_id == bindparam("incident"),
        update.c.entry > bindparam("after"),
        update.c.visibility == Visibility.INTERNAL,
        update.c.kind != Kind.REPORTED,
        update.c.body.is_not(None),
    )
    .order_by(update.c.entry)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """One channel of an incident, as it is now.

    ``current``: its readers are the present readers of the incident. ``title`` is the one that the
    readers of its name may read, None if there is none. ``people`` are the ids of those who belong
    there, ``members`` of those whom the bot has invited.
    """

    incident: UUID
    number: int
    own: OwnChannel
    current: bool
    title: str | None = None
    people: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


def channel_facts(
    reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope
) -> ChannelFacts | None:
    """The channel that ``envelope`` is about; None if there is none.

    The title of a public channel is not read here: it comes from the public side.
    """
    incident = reader.incident(workspace, incident_id)
    own = _named(incident, envelope) if incident else None
    if incident is None or own is None:
        return None
    connection = connection_of(reader)
    invited = own.id and own_channels.members(connection, workspace, incident_id, own.id)
    return ChannelFacts(
        incident=incident_id,
        number=incident.number,
        own=own,
        current=own.private == incident.private,
        title=incident.title if own.private else None,
        people=people_of(incident),
        members=invited or frozenset(),
    )


def note_of(reader: SqlReader, incident: Incident, envelope: Envelope) -> Update | None:
    """The note of ``envelope``, if its channel is one that shows the notes of ``incident``.

    That is a private channel of this incident. One that was withdrawn has no body.
    """
    takes = any(one.private and one.id == envelope.channel for one in incident.channels)
    if not takes or envelope.entry is None:
        return None
    found = entries.entry(connection_of(reader), incident, envelope.entry)
    return found if found and found.visibility is Visibility.INTERNAL else None


def made(tx: SqlTransaction, message: OutboxMessage, channel: str, *, at: datetime) -> None:
    """Writes that Slack has made ``channel``, with the messages that follow from it."""
    incident = tx.incident(message.workspace, message.incident)
    own = _named(incident, message.envelope) if incident else None
    if incident is None or own is None or own.id is not None:
        return
    own = replace(own, id=channel, error=None)
    named = {"workspace": message.workspace, "incident": message.incident, "after": own.entry}
    notes = connection_of(tx).execute(_NOTES, named).scalars().all()
    incident = _with(incident, own)
    tx.save_channel(incident, own, opened(incident, own, notes), at=at)


def not_made(tx: SqlTransaction, message: OutboxMessage, error: str, *, at: datetime) -> None:
    """Writes the reason for which Slack did not make a channel.

    The cards show it, and the person who asked for the channel is told.
    """
    incident = tx.incident(message.workspace, message.incident)
    own = _named(incident, message.envelope) if incident else None
    if incident is None or own is None or own.id is not None:
        return
    own = replace(own, error=error)
    asked = entries.entry(connection_of(tx), incident, own.entry)
    told = tuple(_refused(asked)) if asked else ()
    cards = tuple(responders_cards(None, incident))
    tx.save_channel(_with(incident, own), own, (*cards, *told), at=at)


def _refused(asked: Update) -> Iterator[Envelope]:
    """The word to the person of ``asked``; none if it was a severity that asked for a channel."""
    if asked.kind is Kind.CHANNEL and asked.by.in_slack:
        yield Envelope(surface=Surface.CHANNEL_REFUSED, channel=asked.by.id, entry=asked.entry)


def pin(connection: Connection, message: OutboxMessage, *, at: datetime) -> None:
    """Writes the message that pins a card, if its post is in a channel of the incident's own."""
    workspace, incident = message.workspace, message.incident
    if own_channels.incident_of(connection, workspace, message.channel) == incident:
        pinning = Envelope(surface=Surface.CHANNEL_PIN, channel=message.channel)
        enqueue_of(connection, workspace, incident, [pinning], at=at)


def _named(incident: Incident, envelope: Envelope) -> OwnChannel | None:
    if envelope.surface is Surface.CHANNEL_REFUSED:
        return next((one for one in incident.channels if one.entry == envelope.entry), None)
    new = envelope.surface is Surface.CHANNEL
    return next(
        (
            one
            for one in incident.channels
            if envelope.channel == (NEW_CHANNEL[one.private] if new else one.id)
        ),
        None,
    )


def _with(incident: Incident, own: OwnChannel) -> Incident:
    others = (one for one in incident.channels if one.private != own.private)
    return replace(incident, channels=(*others, own))
