"""Incidents as responders read them: their columns, and the values made from their rows.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, literal_column, select

from core.channel import OwnChannel
from core.decision import Surface
from core.incident import Component, Incident, Person, Place, Resolution, Resolved, Severity
from storage import own_channels
from storage.entries import person_of
from storage.models import incident, posted
from storage.rows import AnyRow, invitations, lifecycle_of, tags

# The address of a workspace in Slack, such as ``https://acme.slack.com/``; None until it is known.
Address = Callable[[str], str | None]

# The place of the working card in Slack, for its link: ``C0INCIDENTS/1772442000.000100``. One row
# of the primary key, and no join, which could lead the planner away from the index of a list.
_card = (
    select(posted.c.posted_in.concat(literal_column("'/'")).concat(posted.c.ts))
    .where(
        posted.c.workspace_id == incident.c.workspace_id,
        posted.c.incident_id == incident.c.id,
        posted.c.surface == literal_column(f"'{Surface.WORKING_CARD}'"),
        posted.c.channel == incident.c.channel,
        posted.c.entry == literal_column("0"),
    )
    .correlate(incident)
    .scalar_subquery()
    .label("card")
)

# In the order in which `_incident` unpacks them.
INCIDENT = select(
    incident.c.id,
    incident.c.workspace_id,
    incident.c.number,
    incident.c.title,
    incident.c.severity,
    incident.c.lifecycle,
    incident.c.status,
    incident.c.private,
    incident.c.declared_by_id,
    incident.c.declared_by_name,
    incident.c.owner_id,
    incident.c.owner_name,
    incident.c.acknowledged_by_id,
    incident.c.acknowledged_by_name,
    incident.c.description,
    incident.c.channel,
    incident.c.channel_private,
    incident.c.started_at,
    incident.c.created_at,
    incident.c.updated_at,
    incident.c.version,
    incident.c.last_entry,
    incident.c.category,
    incident.c.title_public_at,
    incident.c.title_before,
    incident.c.resolution,
    incident.c.duplicate_of,
    incident.c.component_count,
    incident.c.invited_count,
    incident.c.promise_count,
    incident.c.next_update_by,
    incident.c.left_owner,
    incident.c.channel_count,
    _card,
).where(incident.c.workspace_id == bindparam("workspace"))


def incidents_of(
    connection: Connection, workspace: str, rows: Sequence[AnyRow], *, address: Address
) -> tuple[Incident, ...]:
    """The incidents of ``rows``, in their order; what has tables of its own is read for all."""
    with_components = [row.id for row in rows if row.component_count]
    tagged = tags(connection, workspace, with_components)
    with_people = [row.id for row in rows if row.invited_count]
    invited = invitations(connection, workspace, with_people)
    with_channels = [row.id for row in rows if row.channel_count]
    channels = own_channels.channels_of(connection, workspace, with_channels)
    return tuple(
        _incident(
            connection, row, tagged=tagged, invited=invited, channels=channels, address=address
        )
        for row in rows
    )


def _incident(
    connection: Connection,
    row: AnyRow,
    *,
    tagged: dict[UUID, tuple[Component, ...]],
    invited: dict[UUID, tuple[Person, ...]],
    channels: dict[UUID, tuple[OwnChannel, ...]],
    address: Address,
) -> Incident:
    (
        id_,
        workspace,
        number,
        title,
        severity,
        lifecycle,
        status,
        private,
        declared_by_id,
        declared_by_name,
        owner_id,
        owner_name,
        acknowledged_by_id,
        acknowledged_by_name,
        description,
        channel,
        channel_private,
        started_at,
        created_at,
        updated_at,
        version,
        last_entry,
        category,
        title_public_at,
        title_before,
        resolution,
        duplicate_of,
        _component_count,
        _invited_count,
        promise_count,
        next_update_by,
        left_owner,
        _channel_count,
        card,
        *_settings,  # where a statement adds them
    ) = row
    return Incident(
        id=id_,
        workspace=workspace,
        number=number,
        title=title,
        severity=Severity(severity),
        lifecycle=lifecycle_of(connection, lifecycle),
        status=status,
        private=private,
        declared_by=Person(declared_by_id, declared_by_name),
        owner=person_of(owner_id, owner_name),
        acknowledged_by=person_of(acknowledged_by_id, acknowledged_by_name),
        components=tagged.get(id_, ()),
        description=description,
        place=Place(channel, private=channel_private) if channel else None,
        started_at=started_at,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
        last_entry=last_entry,
        category=category,
        invited=invited.get(id_, ()),
        title_public_at=title_public_at,
        title_before=title_before,
        promises=promise_count or 0,
        next_update_by=next_update_by,
        left_owner=left_owner,
        card_address=_link(address(workspace), card),
        channels=channels.get(id_, ()),
        resolution=resolution and Resolved(how=Resolution(resolution), duplicate_of=duplicate_of),
    )


def _link(address: str | None, place: str | None) -> str | None:
    """The link of the message at ``place``, such as ``C0INCIDENTS/1772442000.000100``.

    Source: https://docs.slack.dev/reference/methods/chat.getPermalink
    """
    if place is None or address is None:
        return None
    channel, ts = place.split("/")
    return f"{address}archives/{channel}/p{ts.replace('.', '')}"
