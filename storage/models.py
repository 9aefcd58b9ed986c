"""The tables. Rows are for this package alone: what leaves it are the values of core.

Every key begins with the workspace, so that the tables can be partitioned by it. Foreign keys hold
together what a lost line of code could tear apart; what they cannot say stands beside the column.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    and_,
    literal_column,
    true,
)
from sqlmodel import Field, SQLModel

from core.incident import Surface


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Takes aware values alone and gives them back in UTC, whatever the database keeps.

    SQLite drops time zones, PostgreSQL answers in the session's: here both forget the zone of the
    writer and remember the moment.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """``value`` in UTC.

        Raises:
            ValueError: it is naive, so nobody knows which moment it means.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The moment that was stored, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class State(StrEnum):
    """Where an outbox message stands: who moves it on, when, and what if they never come."""

    # Waits. The worker of any process claims it once ``try_at`` has come, no older message of its
    # lane waits or runs (a card passes what is not due yet), and its channel takes posts again. If
    # no worker ever comes it stays, and its age since ``due_at`` turns `/readyz` red.
    AVAILABLE = "available"
    # A worker is handing it to Slack and moves it on when Slack has answered or failed to. If that
    # worker dies, `Outbox.rescue` makes it available again; ``attempts`` has counted the try.
    RUNNING = "running"
    # Slack has it. Final; pruned by the schedule after some days.
    DELIVERED = "delivered"
    # The edit of a card, when an older one of the same card came back undelivered: that one shows
    # now all that this one would have shown, and may stand in the channel already, under its own
    # ``uid``. Final; pruned like a delivered one.
    MERGED = "merged"
    # No retry can cure it. Kept, and counted by `/readyz` and `/metrics`, until an operator calls
    # `ratchet outbox retry`, which makes it available again.
    DEAD = "dead"


# What Slack does not have yet, or can never have. It stays few; what is delivered grows.
KEPT = (State.AVAILABLE, State.RUNNING, State.DEAD)

CARDS = (Surface.WORKING_CARD, Surface.OWNER_CARD, Surface.STATUS_CARD)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _Row(SQLModel):
    metadata = metadata


class WorkspaceRow(_Row, table=True):
    """One Slack team. ``last_number`` is the number of its newest incident, 0 before the first."""

    __tablename__ = "workspace"

    id: str = Field(primary_key=True)
    status_channel: str | None = None
    last_number: int = 0


class LifecycleRow(_Row, table=True):
    """A lifecycle that some incident was declared with. Never changed, so that it keeps it."""

    __tablename__ = "lifecycle"

    digest: str = Field(primary_key=True)  # SHA-256 of the definition, in hexadecimal
    name: str
    definition: str  # TOML, as `Lifecycle.as_toml` writes it and `core.lifecycle.read` takes it


class IncidentRow(_Row, table=True):
    """An incident as it stands now.

    ``is_open`` and ``public_word`` follow from the status and its lifecycle; they are kept because
    boards and the status page select by them.
    """

    __tablename__ = "incident"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        ForeignKeyConstraint(["lifecycle"], ["lifecycle.digest"]),
        UniqueConstraint("workspace_id", "number"),
    )

    workspace_id: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    number: int
    title: str
    description: str | None = None
    category: str | None = None
    severity: str
    lifecycle: str
    status: str
    public_word: str
    is_open: bool
    private: bool
    declared_by_id: str
    declared_by_name: str
    owner_id: str | None = None
    owner_name: str | None = None
    acknowledged_by_id: str | None = None
    acknowledged_by_name: str | None = None
    # How many rows it has in incident_component: most have none, and need no second look.
    component_count: int = 0
    channel: str | None = None
    channel_private: bool
    started_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int
    last_entry: int


class UpdateRow(_Row, table=True):
    """One line of a timeline. Inserted once; a redaction takes the body away and nothing else."""

    __tablename__ = "incident_update"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "incident_id"], ["incident.workspace_id", "incident.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    id: UUID
    kind: str
    visibility: str
    by_id: str
    by_name: str
    at: datetime = Field(sa_type=UtcDateTime)
    body: str | None = None
    old: str | None = None
    new: str | None = None
    # Before it the body is for responders alone; None: it was not held back, or is a note's.
    public_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redacted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redacted_by_id: str | None = None
    redacted_by_name: str | None = None


class ComponentRow(_Row, table=True):
    """A component. ``folded`` is its name without case: two that differ in case alone are one."""

    __tablename__ = "component"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        UniqueConstraint("workspace_id", "folded"),
    )

    workspace_id: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str
    folded: str
    description: str | None = None
    group_label: str | None = None


class IncidentComponentRow(_Row, table=True):
    """A component that an incident touches; ``position`` is the order in which they were named."""

    __tablename__ = "incident_component"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "incident_id"], ["incident.workspace_id", "incident.id"]
        ),
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    component_id: UUID


class PostedRow(_Row, table=True):
    """Where in Slack a surface of an incident stands, so that it is edited and not posted again.

    ``channel`` is the envelope's, which for a direct message is a person; ``posted_in`` is the
    conversation that Slack put it in. ``entry`` is 0 for a card.
    """

    __tablename__ = "posted"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "incident_id"], ["incident.workspace_id", "incident.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    posted_in: str
    ts: str


class OutboxRow(_Row, table=True):
    """A message to Slack: what it is about and where it goes, never its text. See `State`."""

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "incident_id"], ["incident.workspace_id", "incident.id"]
        ),
    )

    # Within a lane ids rise in the order of the commits: whoever writes one holds its incident.
    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    )
    uid: UUID  # goes into the message's metadata, by which a lost answer is found again
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
    # Whether some try may have reached Slack without our hearing of it. Once true it stays, however
    # later tries end: the next one must look for the post before it sends it again.
    unsure: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ChannelPaceRow(_Row, table=True):
    """When a channel takes messages again. A row, so that all processes together keep the pace."""

    __tablename__ = "channel_pace"

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    held_until: datetime = Field(sa_type=UtcDateTime)  # nothing before: Slack said how long
    next_post_at: datetime = Field(sa_type=UtcDateTime)  # no new message before; edits may go


class ApiKeyRow(_Row, table=True):
    """An API key. ``digest`` is the SHA-256 of the whole key, ``id`` its first eight characters."""

    __tablename__ = "api_key"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),)

    workspace_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    scope: str
    digest: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IdempotencyRow(_Row, table=True):
    """A request that its client may repeat. ``status`` None: it has not been answered yet.

    Whoever answers must hold ``claim``. If they die, somebody else may take it after half a minute;
    if nobody comes, the schedule deletes it after a day.
    """

    __tablename__ = "idempotency"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "key_id"], ["api_key.workspace_id", "api_key.id"]),
    )

    workspace_id: str = Field(primary_key=True)
    key_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    digest: str
    claim: UUID
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    status: int | None = None
    body: str | None = None  # the answer; gone where the text that it holds was withdrawn
    about: UUID | None = None  # the update whose text the answer holds


class HandledRow(_Row, table=True):
    """A request of Slack's that has been done: it may be delivered again, to anybody.

    ``incident_id`` is all zeros where it was about no incident.

    Written in the transaction of the change. The schedule deletes it after a day.
    """

    __tablename__ = "handled"

    workspace_id: str = Field(primary_key=True)
    request: str = Field(primary_key=True)
    incident_id: UUID
    at: datetime = Field(sa_type=UtcDateTime)


class CompatibilityRow(_Row, table=True):
    """One row: the oldest schema whose code may work on this one. Migrations alone write it."""

    __tablename__ = "compatibility"

    oldest: str = Field(primary_key=True)


def _table(row: type[_Row]) -> Table:
    return metadata.tables[str(row.__tablename__)]


workspace = _table(WorkspaceRow)
lifecycle = _table(LifecycleRow)
incident = _table(IncidentRow)
update = _table(UpdateRow)
component = _table(ComponentRow)
incident_component = _table(IncidentComponentRow)
posted = _table(PostedRow)
outbox = _table(OutboxRow)
channel_pace = _table(ChannelPaceRow)
handled = _table(HandledRow)
api_key = _table(ApiKeyRow)
idempotency = _table(IdempotencyRow)
compatibility = _table(CompatibilityRow)


def among(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Whether ``column`` holds one of ``words``, written out instead of passed as parameters.

    PostgreSQL finds the index of an ON CONFLICT, and either database a partial index, only where
    the statement says the index's condition in so many words.
    """
    return column.in_([literal_column(f"'{word}'") for word in words])


# Compared, not bare: SQLite takes a partial index only for its own words, and says ``= 1``.
is_open = incident.c.is_open == true()

is_available = among(outbox.c.state, State.AVAILABLE)
is_kept = among(outbox.c.state, *KEPT)
is_waiting_card = and_(is_available, among(outbox.c.surface, *CARDS))


def kept(row: FromClause, *states: State) -> ColumnElement[bool]:
    """Whether a message is in one of ``states``, all of which are `KEPT`.

    ``row`` is the outbox, or an alias of it. SQLite asks an index of kept messages only where the
    statement says all that the index does.
    """
    return and_(among(row.c.state, *KEPT), among(row.c.state, *states))


def _partial(
    name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False
) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


# Boards: newest first, and however many incidents are closed, those that are open stand apart.
_partial("ix_incident_open", incident.c.workspace_id, incident.c.number, where=is_open)
_partial(
    "ix_incident_open_in_channel",
    incident.c.workspace_id,
    incident.c.channel,
    incident.c.number,
    where=is_open,
)
Index(None, incident.c.workspace_id, incident.c.status, incident.c.number)
Index(None, incident.c.workspace_id, incident.c.severity, incident.c.number)

# The worker: what waits in the order in which it came, what is ahead in a lane, what is counted.
_partial("ix_outbox_available", outbox.c.id, where=is_available)
_partial("ix_outbox_lane", outbox.c.lane, outbox.c.id, where=is_kept)
_partial("ix_outbox_kept", outbox.c.state, outbox.c.due_at, where=is_kept)
_partial(
    "uq_outbox_waiting_card", outbox.c.lane, outbox.c.surface, where=is_waiting_card, unique=True
)
Index(None, outbox.c.done_at)

# API keys are looked up by their prefix alone: which workspace a request is for, the key says.
Index(None, api_key.c.id, unique=True)
Index(None, idempotency.c.claim, unique=True)
Index(None, idempotency.c.claimed_at)
Index(None, handled.c.at)
_partial(
    "ix_idempotency_about",
    idempotency.c.workspace_id,
    idempotency.c.about,
    where=idempotency.c.about.is_not(None),
)
# The lists of the API, narrowed to days.
Index(None, incident.c.workspace_id, incident.c.created_at)
