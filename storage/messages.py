"""Outbox messages as values. A message names a surface of an incident, and never holds a text.

Messages of one lane (an incident on one surface in one channel) are delivered one after another,
oldest first. Only a card may pass a message that is not due yet: it shows nothing that is held
back. `storage.models.State` describes the life of a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.decision import Envelope, Surface
from storage.models import State, outbox
from storage.rows import AnyRow

# The first letters of the ids of people, who get direct messages.
PEOPLE = ("U", "W")
# The pace of new messages in one channel.
# Source: https://docs.slack.dev/apis/web-api/rate-limits
POST_EVERY = timedelta(seconds=1)
# The pace of new channels in a workspace: 20 a minute.
# Source: the tier of https://docs.slack.dev/reference/methods/conversations.create
MAKE_EVERY = timedelta(seconds=3)

LANES = {
    Surface.WORKING_CARD: "working",
    Surface.OWNER_CARD: "owner",
    Surface.STATUS_CARD: "status",
    Surface.PUBLIC_UPDATE: "status",
    Surface.WITHDRAWAL: "status",
    Surface.PROMISE_REMINDER: "promise",
    Surface.PROMISE_BREACH: "promise",
    Surface.HAND_OVER: "hand_over",
    Surface.HAND_OVER_DECLINED: "hand_over",
    Surface.HAND_OVER_UNANSWERED: "hand_over",
    Surface.HAND_OVER_LOST: "hand_over",
    Surface.OWNER_LEFT: "hand_over",
    Surface.MENTION: "mention",
    Surface.CHANNEL: "channel",
    Surface.CHANNEL_NAME: "channel",
    Surface.CHANNEL_PEOPLE: "channel",
    Surface.CHANNEL_PIN: "channel",
    Surface.CHANNEL_READERS: "channel",
    Surface.CHANNEL_CLOSING: "channel",
    Surface.CHANNEL_ARCHIVE: "channel",
    # Behind the removal of a person who may not read it.
    Surface.CHANNEL_NOTE: "channel",
    Surface.CHANNEL_REFUSED: "channel",
    Surface.NO_POSTS: "no_posts",
    Surface.SUBSCRIPTION_ENDED: "subscription_ended",
}


PUBLIC_SURFACES = frozenset({Surface.STATUS_CARD, Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL})


def lane(incident: UUID, envelope: Envelope) -> str:
    """The lane of a message, such as ``<incident>:status:C0STATUS``."""
    return f"{incident}:{LANES[envelope.surface]}:{envelope.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """An outbox message, as it was when it was read.

    ``uid`` is in the metadata of its post. ``incident`` is an id; ``entry`` is the number of the
    update that a reply, a withdrawal, a note or a hand-over is about. ``channel`` is a channel's
    or, for a direct message, a person's id; `NEW_CHANNEL` for a channel that is to be made.
    ``attempts`` counts this try as well; ``error`` is the code of the last failure. ``unsure``: an
    earlier try may have reached Slack, so the post is searched for before it is sent again.
    """

    id: int
    uid: UUID
    workspace: str
    incident: UUID
    entry: int | None
    surface: Surface
    channel: str
    state: State
    attempts: int
    due_at: datetime
    try_at: datetime
    claimed_by: str | None
    error: str | None
    unsure: bool
    created_at: datetime

    @property
    def envelope(self) -> Envelope:
        """The envelope that this message was made from, without its time."""
        return Envelope(surface=self.surface, channel=self.channel, entry=self.entry)


# In the order in which `message_of` unpacks them.
COLUMNS = (
    outbox.c.id,
    outbox.c.uid,
    outbox.c.workspace_id,
    outbox.c.incident_id,
    outbox.c.entry,
    outbox.c.surface,
    outbox.c.channel,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.due_at,
    outbox.c.try_at,
    outbox.c.claimed_by,
    outbox.c.error,
    outbox.c.unsure,
    outbox.c.created_at,
)


def message_of(row: AnyRow) -> OutboxMessage:
    """The message in a row of `COLUMNS`."""
    (
        id_,
        uid,
        workspace,
        incident,
        entry,
        surface,
        channel,
        state,
        attempts,
        due_at,
        try_at,
        claimed_by,
        error,
        unsure,
        created_at,
    ) = row
    return OutboxMessage(
        id=id_,
        uid=uid,
        workspace=workspace,
        incident=incident,
        entry=entry,
        surface=Surface(surface),
        channel=channel,
        state=State(state),
        attempts=attempts,
        due_at=due_at,
        try_at=try_at,
        claimed_by=claimed_by,
        error=error,
        unsure=unsure,
        created_at=created_at,
    )
