"""The tables of messages to Slack and of their places there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    and_,
)
from sqlmodel import Field

from core.decision import TELLING, Surface
from storage.models.base import Row, UtcDateTime, among, foreign_key, partial_index, table_of


class State(StrEnum):
    """The state of an outbox message. Each comment names the next state, and its cause."""

    # It waits. The worker of any process claims it when ``try_at`` has come, no older message of
    # its lane waits or runs (a card may pass one that is not due yet), and its channel takes posts.
    # If no worker comes it stays, and its age since ``due_at`` turns `/readyz` red.
    AVAILABLE = "available"
    # A worker delivers it, and records the result. If that worker dies, `Outbox.rescue` makes it
    # available again; ``attempts`` has counted the try.
    RUNNING = "running"
    # Slack has it. Final; the schedule prunes it after some days.
    DELIVERED = "delivered"
    # The edit of a card, merged into an older edit of the same card that came back undelivered.
    # The older one now shows the same, and may be in the channel already, under its own ``uid``.
    # Final; pruned like a delivered one.
    MERGED = "merged"
    # No retry can help. `/readyz` and `/metrics` count it, until `ratchet outbox retry` makes it
    # available again.
    DEAD = "dead"


# The states of messages that Slack does not have: they stay few, while delivered ones grow.
KEPT = (State.AVAILABLE, State.RUNNING, State.DEAD)

CARDS = (Surface.WORKING_CARD, Surface.OWNER_CARD, Surface.STATUS_CARD)


class OwnChannelRow(Row, table=True):
    """A channel of an incident's own; ``entry`` is the update that asked for it.

    ``core.channel.OwnChannel`` explains the columns.
    """

    __tablename__ = "own_channel"
    __table_args__ = (foreign_key("incident_update", "workspace_id", "incident_id", "entry"),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    private: bool = Field(primary_key=True)
    entry: int
    channel: str | None = None  # its id in Slack
    error: str | None = None
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    announced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stage: str
    kept: bool
    # The ids of the people whom the bot has invited, with blanks between them. Only deliveries
    # write it. NULL: nobody yet.
    members: str | None = None
    # The moment of the next stage of its end. NULL: nothing is left to be done.
    look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PostedRow(Row, table=True):
    """The place of a surface of an incident in Slack: the next message there is an edit.

    ``channel`` is the envelope's, which is a person's id for a direct message; ``posted_in`` is the
    conversation that Slack chose for it. ``entry`` is 0 for a card.
    """

    __tablename__ = "posted"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    posted_in: str
    ts: str


class OutboxRow(Row, table=True):
    """A message to Slack: its incident, its surface and its channel, and never its text."""

    __tablename__ = "outbox"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    # Within a lane ids rise in the order of the commits, because each writer locks the incident.
    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    )
    uid: UUID  # in the metadata of the post, which is found by it after a lost response
    workspace_id: str
    incident_id: UUID
    entry: int | None = None
    surface: str
    channel: str
    lane: str
    state: str
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)  # when it should be delivered; its age counts
    try_at: datetime = Field(sa_type=UtcDateTime)  # when it is tried next; retries push it back
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str | None = None
    error: str | None = None  # the code of the last failure; never a text
    # Whether the response to some try was lost, so that Slack may have the message. It stays true
    # for all later tries: each must search for the post before it sends it again.
    unsure: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ChannelPaceRow(Row, table=True):
    """The pace of a channel. It is a row, so that all processes keep it together."""

    __tablename__ = "channel_pace"

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    held_until: datetime = Field(sa_type=UtcDateTime)  # no message before it, by Slack's demand
    next_post_at: datetime = Field(sa_type=UtcDateTime)  # no new message before it; edits may go


own_channel = table_of(OwnChannelRow)
posted = table_of(PostedRow)
outbox = table_of(OutboxRow)
channel_pace = table_of(ChannelPaceRow)

is_available = among(outbox.c.state, State.AVAILABLE)
is_kept = among(outbox.c.state, *KEPT)
is_waiting_card = and_(is_available, among(outbox.c.surface, *CARDS))


def kept(row: FromClause, *states: State) -> ColumnElement[bool]:
    """Whether a message is in one of ``states``, all of which are `KEPT`.

    ``row`` is the outbox, or an alias of it. SQLite uses an index of kept messages only if the
    statement repeats the index's whole condition.
    """
    return and_(among(row.c.state, *KEPT), among(row.c.state, *states))


# The worker: waiting messages in their order, older messages of a lane, and the counts.
partial_index("ix_outbox_available", outbox.c.id, where=is_available)
partial_index("ix_outbox_lane", outbox.c.lane, outbox.c.id, where=is_kept)
partial_index("ix_outbox_kept", outbox.c.state, outbox.c.due_at, where=is_kept)
partial_index(
    "uq_outbox_waiting_card", outbox.c.lane, outbox.c.surface, where=is_waiting_card, unique=True
)
Index(None, outbox.c.done_at)
# What tells of an incident, which others than its readers may not keep.
partial_index(
    "ix_outbox_telling",
    outbox.c.workspace_id,
    outbox.c.incident_id,
    where=among(outbox.c.surface, *sorted(TELLING)),
)

# The look at channels of ended incidents; the incident of a channel.
partial_index(
    "ix_own_channel_look_at", own_channel.c.look_at, where=own_channel.c.look_at.is_not(None)
)
Index("ix_own_channel_channel", own_channel.c.workspace_id, own_channel.c.channel)
# The link of a message names its incident.
Index(None, posted.c.posted_in, posted.c.ts)
