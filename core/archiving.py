"""The look at channels of ended incidents: each stage of their end is done once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.channel import passed
from core.looking import Looks
from core.opening import closing
from core.store import ChannelName, Reader, Store, Transaction


class Channels(Looks[ChannelName]):
    """Channels that are to be announced as closing, or archived."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        super().__init__(store, clock=clock, wake=wake, due=_due, done=_done)


def _due(reader: Reader, at: datetime, limit: int) -> tuple[ChannelName, ...]:
    return reader.due_channels(at=at, limit=limit)


def _done(tx: Transaction, name: ChannelName, at: datetime) -> bool:
    """Does the due stage of one channel. Whether a message came of it."""
    incident = tx.incident(name.workspace, name.incident)
    if incident is None:
        return False
    # Read under the lock of its incident: a command, or another process, may have been faster.
    channel = next((one for one in incident.channels if one.private == name.private), None)
    if channel is None:
        return False
    after = passed(channel, at)
    if after == channel:
        return False
    envelopes = closing(incident, after)
    tx.save_channel(incident, after, envelopes, at=at)
    return bool(envelopes)
