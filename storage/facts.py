"""The content of a message, read when its turn comes: for responders, or for everybody.

A message for everybody is made from public rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    select,
)

from core.audience import may_be_told
from core.boards import Card
from core.decision import ABOUT_PROMISES, Envelope, Surface
from core.handover import HandOver
from core.incident import Incident, Severity, Update
from core.promise import Promise
from core.public_side import PublicIncident, PublicUpdate
from core.stats import Milestone, first_words
from core.subscription import Subscription
from core.workspace import WorkspaceSettings
from storage.channel_facts import ChannelFacts, channel_facts, note_of
from storage.entries import declared_severity, entry
from storage.messages import PEOPLE
from storage.models import incident as _incident
from storage.models import posted
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.snapshot import connection_of

RESPONDERS_CARDS = frozenset({Surface.WORKING_CARD, Surface.OWNER_CARD})
# Messages with the facts of such a card, where that card may be shown.
_AS_CARDS = RESPONDERS_CARDS | {Surface.MENTION, Surface.OWNER_LEFT}


class Posted(NamedTuple):
    """The place of a message in Slack. ``channel`` is a conversation's id, for direct ones too."""

    channel: str
    ts: str


class ChannelMade(NamedTuple):
    """Slack has made the channel with that id."""

    channel: str


class Members(NamedTuple):
    """The ids of the people whom the bot has invited to a channel, and not removed since."""

    ids: frozenset[str]


# What a delivery leaves behind in Slack, beside an edit.
Delivery: TypeAlias = Posted | ChannelMade | Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The content of a message, from the rows as they are now.

    A responders' card has ``card``, None if its readers may not see the incident (any more). All
    others have ``incident``, read only from public facts, with the texts that are public at
    ``try_at``; None if the incident has no public side. ``name`` is ``INC-42`` in any case. A reply
    or a withdrawal has ``update`` too. ``place`` is the surface's post (None: not posted yet), and
    ``thread`` the status card's, whose thread takes the replies. A nudge about a promise has
    ``card`` and ``promise``: before its post None if that is over, or the receiver has nothing to
    do with it any more; afterwards ``card`` is None if its readers may not see the incident.
    ``direct``: it goes to a person, and ``responds`` and ``publishes`` say what they may do. A
    notice about a hand-over has ``hand_over`` and ``card``, None if its reader may not see the
    incident. A mention has ``card`` and ``written``, the moment of its update. A working card
    that is not posted yet has ``declared_severity``. ``settings`` are those of the workspace, for
    messages that mention the group of responders, and for channels that they are invited to. A
    delivery about a channel of the incident's own has ``channel``, None if there is none; one that
    pins the card there has its ``place``, and a note has ``note``, None if that channel does not
    show it. In a subscribed channel, ``subscribed``, replies are shown in the channel as well only
    with ``broadcast``; a post that is not ``wanted`` is not made, and is edited if it is there.
    ``faulty``: as far as is known, that channel takes no posts. A word about a subscription has
    ``subscription``, None if there is nothing to tell any more.
    """

    name: str = ""
    card: Card | None = None
    incident: PublicIncident | None = None
    update: PublicUpdate | None = None
    place: Posted | None = None
    thread: Posted | None = None
    promise: Promise | None = None
    direct: bool = False
    responds: bool = True
    publishes: bool = True
    hand_over: HandOver | None = None
    declared_severity: Severity | None = None
    written: datetime | None = None
    settings: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    channel: ChannelFacts | None = None
    note: Update | None = None
    subscribed: bool = False
    broadcast: bool = True
    wanted: bool = True
    faulty: bool = False
    subscription: Subscription | None = None

    def reached(self, *, at: datetime) -> Milestone | None:
        """The time to the first public text, if this is it."""
        # Measured in the status channel, once.
        if self.incident is None or self.update is None or self.subscribed:
            return None
        return first_words(self.incident, self.update, at=at)


_NUMBER = select(_incident.c.number).where(
    _incident.c.workspace_id == bindparam("workspace"), _incident.c.id == bindparam("incident")
)
is_place = and_(
    posted.c.workspace_id == bindparam("of_workspace"),
    posted.c.incident_id == bindparam("of_incident"),
    posted.c.surface == bindparam("shown_on"),
    posted.c.channel == bindparam("to_channel"),
    posted.c.entry == bindparam("of_entry"),
)
_PLACE = select(posted.c.posted_in, posted.c.ts).where(is_place)


def responders_facts(
    reader: SqlReader, workspace: str, incident: UUID, envelope: Envelope
) -> Facts:
    """The content of a post of ``incident`` for responders."""
    if envelope.surface in ABOUT_PROMISES:
        return _nudge_facts(reader, workspace, incident, envelope)
    if envelope.surface in _AS_CARDS:
        return _card_facts(reader, workspace, incident, envelope)
    return _hand_over_facts(reader, workspace, incident, envelope)


def _card_facts(reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope) -> Facts:
    incident = reader.incident(workspace, incident_id)
    shown = incident if incident and _may_show(incident, envelope) else None
    connection = connection_of(reader)
    place = _found(connection, place_of(workspace, incident_id, envelope))
    first = shown is not None and place is None and envelope.surface is Surface.WORKING_CARD
    return Facts(
        name=incident.name if incident else "",
        card=reader.card(shown) if shown else None,
        direct=envelope.channel.startswith(PEOPLE),
        place=place,
        declared_severity=declared_severity(connection, shown) if shown and first else None,
        written=_written(connection, incident, envelope) if incident and envelope.entry else None,
        settings=reader.workspace(workspace).settings,
    )


def _written(connection: Connection, incident: Incident, envelope: Envelope) -> datetime | None:
    """The moment of the update that a mention is about."""
    found = entry(connection, incident, envelope.entry or 0)
    return found.at if found else None


def _hand_over_facts(
    reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope
) -> Facts:
    incident = reader.incident(workspace, incident_id)
    if incident is None:
        return Facts()
    if envelope.surface is Surface.HAND_OVER_LOST:
        asked = _lost(reader, incident, envelope)
    else:
        asked = reader.hand_over(incident, envelope.entry or 0)
    return Facts(
        name=incident.name,
        card=reader.card(incident) if may_be_told(incident, envelope.channel) else None,
        direct=envelope.channel.startswith(PEOPLE),
        # A message to an owner who left reaches nobody.
        hand_over=asked if envelope.channel != incident.left_owner else None,
        place=_found(connection_of(reader), place_of(workspace, incident_id, envelope)),
        settings=reader.workspace(workspace).settings,
    )


def _lost(reader: SqlReader, incident: Incident, envelope: Envelope) -> HandOver | None:
    """The hand-over by which the receiver lost ``incident``; None if they own it again."""
    found = entry(connection_of(reader), incident, envelope.entry or 0)
    owner = incident.owner
    if found is None or owner is None or owner.id == envelope.channel:
        return None
    return HandOver(entry=found.entry, to=owner, by=found.by, asked_at=found.at)


def _nudge_facts(reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope) -> Facts:
    incident = reader.incident(workspace, incident_id)
    if incident is None:
        return Facts()
    place = _found(connection_of(reader), place_of(workspace, incident_id, envelope))
    named = (one for one in reader.promises(incident) if one.entry == envelope.entry)
    promise = next((one for one in named if place or one.over_at is None), None)
    owner = incident.owner or incident.declared_by
    receivers = {incident.card_channel, owner.id, incident.declared_by.id}
    # One that is there is edited, whoever leads by now; it shows what its reader may see.
    concerned = place or envelope.channel in receivers - {incident.left_owner}
    shown = place is None or may_be_told(incident, envelope.channel)
    return Facts(
        name=incident.name,
        card=reader.card(incident) if shown else None,
        promise=promise if concerned else None,
        direct=envelope.channel.startswith(PEOPLE),
        place=place,
        settings=reader.workspace(workspace).settings,
    )


def of_channel(reader: SqlReader, workspace: str, incident_id: UUID, envelope: Envelope) -> Facts:
    """The content of a delivery about a channel of the incident's own."""
    incident = reader.incident(workspace, incident_id)
    if incident is None:
        return Facts()
    pins = envelope.surface is Surface.CHANNEL_PIN
    shown = replace(envelope, surface=Surface.WORKING_CARD) if pins else envelope
    takes_notes = envelope.surface is Surface.CHANNEL_NOTE
    return Facts(
        name=incident.name,
        place=_found(connection_of(reader), place_of(workspace, incident_id, shown)),
        settings=reader.workspace(workspace).settings,
        channel=channel_facts(reader, workspace, incident_id, envelope),
        note=note_of(reader, incident, envelope) if takes_notes else None,
        wanted=envelope.surface is not Surface.CHANNEL_READERS
        or _is_last_of_readers(connection_of(reader), incident, envelope),
    )


def _is_last_of_readers(connection: Connection, incident: Incident, envelope: Envelope) -> bool:
    """Whether the readers are still those of the change that ``envelope`` is about."""
    changed = entry(connection, incident, envelope.entry or 0)
    return changed is not None and changed.new == ("private" if incident.private else "public")


def _may_show(incident: Incident, envelope: Envelope) -> bool:
    """Whether the receiver of a responders' card, or a message like it, may see ``incident``."""
    to_people = envelope.surface in {Surface.OWNER_CARD, Surface.OWNER_LEFT}
    if to_people and envelope.channel != incident.card_channel:
        return envelope.channel in {person.id for person in incident.card_people}
    return incident.shows_card_in(envelope.channel)


def public_facts(
    reader: PublicReader, workspace: str, incident: UUID, envelope: Envelope, *, at: datetime
) -> Facts:
    """The content of a post in public, with the texts that are public at ``at``."""
    connection = connection_of(reader)
    here = place_of(workspace, incident, envelope)
    place = _found(connection, here)
    shown = reader.incident(workspace, incident, at=at)
    # Only the number, for the posts of an incident that has no public side any more.
    number = connection.execute(_NUMBER, {"workspace": workspace, "incident": incident}).scalar()
    name = f"INC-{number}"
    if envelope.entry is None:
        return Facts(name=name, incident=shown, place=place)
    updates = shown.updates if shown else ()
    status_card = {**here, "shown_on": Surface.STATUS_CARD.value, "of_entry": 0}
    return Facts(
        name=name,
        incident=shown,
        update=next((one for one in updates if one.entry == envelope.entry), None),
        place=place,
        thread=_found(connection, status_card),
    )


def place_of(workspace: str, incident: UUID, envelope: Envelope) -> dict[str, Any]:
    """The key of a post in ``posted``."""
    surface = envelope.surface
    return {
        "of_workspace": workspace,
        "of_incident": incident,
        # A withdrawal edits the reply of its entry.
        "shown_on": (Surface.PUBLIC_UPDATE if surface is Surface.WITHDRAWAL else surface).value,
        "to_channel": envelope.channel,
        "of_entry": envelope.entry or 0,
    }


def _found(connection: Connection, place: Mapping[str, Any]) -> Posted | None:
    row = connection.execute(_PLACE, place).first()
    return row and Posted(*row)
