"""The words to people about the channels that they subscribed: it takes no posts, or has ended.

A word is a message of the outbox, written together with the fact.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from core.decision import Envelope, Surface
from core.subscription import Subscription
from storage.enqueue import enqueue_of
from storage.messages import OutboxMessage
from storage.models import State, incident, kept, outbox, subscription
from storage.queries import SqlReader
from storage.snapshot import connection_of
from storage.subscriptions import subscription_of

_IN_CHANNEL = (
    subscription.c.workspace_id == bindparam("in_workspace"),
    subscription.c.channel == bindparam("in_channel"),
)
_FAULTY = (
    update(subscription)
    .where(*_IN_CHANNEL, subscription.c.ended_at.is_(None), subscription.c.fault.is_(None))
    .values(fault=bindparam("code"), faulty_since=bindparam("moment"))
)
_SOUND = (
    update(subscription)
    .where(*_IN_CHANNEL, subscription.c.fault.is_not(None))
    .values(fault=None, faulty_since=None)
)
_NEWEST = (
    select(incident.c.id)
    .where(incident.c.workspace_id == bindparam("in_workspace"))
    .order_by(incident.c.number.desc())
    .limit(1)
)
# Words about earlier faults, which nobody needs any more.
_DROP_WORDS = (
    update(outbox)
    .where(
        kept(outbox, State.AVAILABLE, State.DEAD),
        outbox.c.surface == Surface.NO_POSTS,
        outbox.c.workspace_id == bindparam("in_workspace"),
        outbox.c.channel == bindparam("in_channel"),
    )
    .values(state=State.MERGED, done_at=bindparam("moment"))
)


def mark_faulty(tx: SqlReader, message: OutboxMessage, *, code: str, at: datetime) -> bool:
    """Writes that the channel of ``message`` takes no posts, and the word to whoever subscribed it.

    False, with nothing written, if that is known already, or for any other channel.
    """
    connection = connection_of(tx)
    here = {"in_workspace": message.workspace, "in_channel": message.channel, "moment": at}
    if not connection.execute(_FAULTY, {**here, "code": code}).rowcount:
        return False
    connection.execute(_DROP_WORDS, here)
    word = Envelope(surface=Surface.NO_POSTS, channel=message.channel)
    enqueue_of(connection, message.workspace, message.incident, [word], at=at)
    return True


def mark_sound(tx: SqlReader, workspace: str, channel: str) -> None:
    """Writes that a channel takes posts."""
    connection_of(tx).execute(_SOUND, {"in_workspace": workspace, "in_channel": channel})


def tell_the_end(tx: SqlReader, ended: Subscription, *, at: datetime) -> None:
    """Writes the word that a subscription has ended at the moment ``at``, by no person's act.

    A message belongs to an incident: this one to the newest, whatever that is. Without
    an incident nobody is told.
    """
    connection = connection_of(tx)
    newest = connection.execute(_NEWEST, {"in_workspace": ended.workspace}).scalar_one_or_none()
    if newest is not None and ended.by.in_slack:
        word = Envelope(surface=Surface.SUBSCRIPTION_ENDED, channel=ended.channel)
        enqueue_of(connection, ended.workspace, newest, [word], at=at)


def told_of(reader: SqlReader, message: OutboxMessage) -> Subscription | None:
    """The subscription that the word ``message`` is about; None if it is no longer true."""
    here = subscription_of(connection_of(reader), message.workspace, message.channel)
    if here is None:
        return None
    if message.surface is Surface.SUBSCRIPTION_ENDED:
        told_at = here.ended_at
    else:
        told_at = here.fault.at if here.in_force and here.fault else None
    return here if told_at == message.created_at else None
