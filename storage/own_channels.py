"""The rows of channels of their own. One is claimed by its row, under the lock of its incident.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from core.channel import ChannelStage, OwnChannel
from core.incident import Incident
from core.store import ChannelName
from storage.models import own_channel
from storage.rows import AnyRow
from storage.statements import upsert

_VALUE = (
    own_channel.c.private,
    own_channel.c.entry,
    own_channel.c.channel,
    own_channel.c.error,
    own_channel.c.over_at,
    own_channel.c.announced_at,
    own_channel.c.stage,
    own_channel.c.kept,
)
_OF_INCIDENTS = (
    select(own_channel.c.incident_id, *_VALUE)
    .where(
        own_channel.c.workspace_id == bindparam("workspace"),
        own_channel.c.incident_id.in_(bindparam("incidents", expanding=True)),
    )
    .order_by(own_channel.c.incident_id, own_channel.c.private)
)
_DUE = (
    select(own_channel.c.workspace_id, own_channel.c.incident_id, own_channel.c.private)
    .where(own_channel.c.look_at.is_not(None), own_channel.c.look_at <= bindparam("at"))
    .order_by(own_channel.c.look_at)
    .limit(bindparam("limit"))
)
_INCIDENT_OF = select(own_channel.c.incident_id).where(
    own_channel.c.workspace_id == bindparam("workspace"),
    own_channel.c.channel == bindparam("channel"),
)
_MEMBERS = select(own_channel.c.members).where(
    own_channel.c.workspace_id == bindparam("workspace"),
    own_channel.c.incident_id == bindparam("incident"),
    own_channel.c.channel == bindparam("channel"),
)
_SET_MEMBERS = (
    update(own_channel)
    .where(
        own_channel.c.workspace_id == bindparam("of_workspace"),
        own_channel.c.incident_id == bindparam("of_incident"),
        own_channel.c.channel == bindparam("of_channel"),
    )
    .values(members=bindparam("ids"))
)


def _keep(insert: Any) -> Any:
    kept = insert(own_channel)
    written = ("entry", "channel", "error", "over_at", "announced_at", "stage", "kept", "look_at")
    return kept.on_conflict_do_update(
        index_elements=list(own_channel.primary_key),
        set_={name: kept.excluded[name] for name in written},
    )


_KEEP = upsert(_keep)


def channels_of(
    connection: Connection, workspace: str, incidents: Sequence[UUID]
) -> dict[UUID, tuple[OwnChannel, ...]]:
    """The channels of each of ``incidents`` that has any, the public one first."""
    if not incidents:
        return {}
    found: dict[UUID, tuple[OwnChannel, ...]] = {}
    for row in connection.execute(_OF_INCIDENTS, {"workspace": workspace, "incidents": incidents}):
        found[row.incident_id] = (*found.get(row.incident_id, ()), _channel(row))
    return found


def due(connection: Connection, *, at: datetime, limit: int) -> tuple[ChannelName, ...]:
    """The channels with a stage that is due, the longest due first."""
    rows: Sequence[AnyRow] = connection.execute(_DUE, {"at": at, "limit": limit}).all()
    return tuple(ChannelName(*row) for row in rows)


def incident_of(connection: Connection, workspace: str, channel: str) -> UUID | None:
    """The id of the incident whose own channel ``channel`` is; None for others."""
    sought = {"workspace": workspace, "channel": channel}
    found: UUID | None = connection.execute(_INCIDENT_OF, sought).scalar()
    return found


def members(connection: Connection, workspace: str, incident: UUID, channel: str) -> frozenset[str]:
    """The ids of the people whom the bot has invited to ``channel``, and not removed since."""
    sought = {"workspace": workspace, "incident": incident, "channel": channel}
    return frozenset((connection.execute(_MEMBERS, sought).scalar() or "").split())


def set_members(
    connection: Connection, workspace: str, incident: UUID, channel: str, ids: Collection[str]
) -> None:
    """Writes that the bot has invited the people with ``ids`` to ``channel``."""
    named = {"of_workspace": workspace, "of_incident": incident, "of_channel": channel}
    connection.execute(_SET_MEMBERS, {**named, "ids": " ".join(sorted(ids)) or None})


def keep(connection: Connection, incident: Incident, channels: Sequence[OwnChannel]) -> None:
    """Writes ``channels`` of ``incident``, each in place of its row."""
    for one in channels:
        row = {
            "workspace_id": incident.workspace,
            "incident_id": incident.id,
            "private": one.private,
            "entry": one.entry,
            "channel": one.id,
            "error": one.error,
            "over_at": one.over_at,
            "announced_at": one.announced_at,
            "stage": one.stage.value,
            "kept": one.kept,
            "look_at": one.look_at,
        }
        connection.execute(_KEEP[connection.dialect.name], row)


def _channel(row: AnyRow) -> OwnChannel:
    return OwnChannel(
        private=row.private,
        entry=row.entry,
        id=row.channel,
        error=row.error,
        over_at=row.over_at,
        announced_at=row.announced_at,
        stage=ChannelStage(row.stage),
        kept=row.kept,
    )
