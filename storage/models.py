"""The tables. Rows stay inside this package, which gives values of core to its callers.

Every key begins with the workspace, so that the tables can be partitioned by it. Foreign keys
protect the references between rows against errors in the code. A comment beside a column says the
rest.
"""

from datetime import UTC, date, datetime
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
    false,
    literal_column,
    not_,
    or_,
    true,
)
from sqlmodel import Field, SQLModel

from core.decision import Surface
from core.incident import TRANSITIONS, Kind, Visibility


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. It takes only aware values, and returns them in UTC from either database.

    SQLite drops time zones; PostgreSQL returns its session's. Here both keep the moment and forget
    the writer's zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """``value`` in UTC.

        Raises:
            ValueError: it is naive, so it names no moment.
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


def _to(table: str, *columns: str, here: tuple[str, ...] = ()) -> ForeignKeyConstraint:
    """The foreign key to ``columns`` of ``table``; ``here`` are their names in this table."""
    return ForeignKeyConstraint(here or columns, [f"{table}.{column}" for column in columns])


class WorkspaceRow(_Row, table=True):
    """One Slack team. ``last_number`` is the number of its newest incident, 0 before the first.

    ``settings_version`` rises whenever settings are saved, None before the first time.
    ``status_channel`` is read with every incident; its author and its time are in `SettingRow`.
    """

    __tablename__ = "workspace"

    id: str = Field(primary_key=True)
    status_channel: str | None = None
    last_number: int = 0
    settings_version: int | None = None
    page_published: bool | None = None  # NULL: no


class SettingRow(_Row, table=True):
    """A setting that a workspace saved itself, as `core.settings` writes it; never a secret."""

    __tablename__ = "setting"
    __table_args__ = (_to("workspace", "id", here=("workspace_id",)),)

    workspace_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    by_id: str | None = None
    by_name: str | None = None
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LifecycleRow(_Row, table=True):
    """A lifecycle. Immutable: an incident keeps the definition it was declared with."""

    __tablename__ = "lifecycle"

    digest: str = Field(primary_key=True)  # SHA-256 of the definition, in hexadecimal
    name: str
    definition: str  # TOML, as `Lifecycle.as_toml` writes it and `core.lifecycle.read` takes it


class IncidentRow(_Row, table=True):
    """An incident as it is now.

    ``is_open`` and ``public_word`` follow from the status and its lifecycle; they are columns so
    that boards and public reads can select by them.
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
    # The counts of its rows in incident_component and incident_invited: most have none, and need no
    # second query. NULL: none.
    component_count: int = 0
    invited_count: int | None = None
    # The moment from which everybody may read the title, and the public title until then. Of a
    # private incident both are NULL.
    title_public_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    title_before: str | None = None
    # The count of its rows in promise, and the due moment of the one in force. NULL: none.
    promise_count: int | None = None
    next_update_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    left_owner: str | None = None  # the id of the owner who was found deactivated
    # The count of its rows in own_channel. NULL: none.
    channel_count: int | None = None
    resolution: str | None = None
    duplicate_of: int | None = None  # the number of the other incident
    # Whether a component was ever tagged. NULL: no.
    tagged: bool | None = None
    # The moment of the newest transition, if the public word is resolved. NULL: it is not.
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    channel: str | None = None
    channel_private: bool
    started_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int
    last_entry: int


class UpdateRow(_Row, table=True):
    """One line of a timeline. Immutable, except that a redaction erases its texts."""

    __tablename__ = "incident_update"
    __table_args__ = (_to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),)

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
    # The moment from which everybody may read the body. None: at once, or never (a note).
    public_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redacted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redacted_by_id: str | None = None
    redacted_by_name: str | None = None
    # Whether it is a step of a walk before its last, which the public does not see. NULL: no.
    passed: bool | None = None
    # The due moment of the promise that it made. NULL: it made none.
    next_update_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # The names of the texts of a declaration that were withdrawn, with blanks between them. NULL:
    # an earlier version withdrew description and category together.
    withdrawn: str | None = None


class PromiseRow(_Row, table=True):
    """A promise of the next public update; ``entry`` is the update that made it.

    ``core.promise.Promise`` explains the moments.
    """

    __tablename__ = "promise"
    __table_args__ = (_to("incident_update", "workspace_id", "incident_id", "entry"),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    public_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    internal: bool
    stage: str
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: int | None = None
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    release: str | None = None
    # The moment of its next stage. NULL: nothing is left to be done.
    look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class HandOverRow(_Row, table=True):
    """The question to a new owner; ``entry`` is the update that made them owner.

    ``core.handover.HandOver`` explains the columns.
    """

    __tablename__ = "hand_over"
    __table_args__ = (_to("incident_update", "workspace_id", "incident_id", "entry"),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    to_id: str
    to_name: str
    by_id: str
    by_name: str
    previous_id: str | None = None
    previous_name: str | None = None
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answer: str | None = None
    looked: bool
    # The moment at which the time for an answer is over. NULL: nothing is left to be done.
    look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PageRow(_Row, table=True):
    """The status page of a workspace. ``published_at`` NULL: it is not published.

    ``version`` rises with each write that the page may show, and is shown nowhere. ``changed_at``
    is the moment of the newest change that leaves no public fact with a moment of its own.
    """

    __tablename__ = "page"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        UniqueConstraint("slug"),
    )

    workspace_id: str = Field(primary_key=True)
    slug: str
    title: str
    language: str
    noindex: bool
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ComponentGroupRow(_Row, table=True):
    """A heading over components, which name it in ``group_label``, in any case."""

    __tablename__ = "component_group"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),
        UniqueConstraint("workspace_id", "folded"),
    )

    workspace_id: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str
    folded: str
    position: int
    description: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class OwnChannelRow(_Row, table=True):
    """A channel of an incident's own; ``entry`` is the update that asked for it.

    ``core.channel.OwnChannel`` explains the columns.
    """

    __tablename__ = "own_channel"
    __table_args__ = (_to("incident_update", "workspace_id", "incident_id", "entry"),)

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


class ComponentRow(_Row, table=True):
    """A component. ``folded`` is its case-folded name, so names that differ in case are one.

    ``shown``: it is on the status page. NULL: no, for each flag. ``created_at`` NULL: a server of
    an earlier version made it, so its record begins with the page.
    """

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
    position: int | None = None
    shown: bool | None = None
    showcase: bool | None = None
    only_if_degraded: bool | None = None
    start_date: date | None = None
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ComponentOverrideRow(_Row, table=True):
    """A status that a publisher gave a component by hand. Append-only; ``reason`` is private.

    ``status`` NULL: the override before it was cleared. ``until`` NULL: until the next one.
    """

    __tablename__ = "component_override"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    component_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    status: str | None = None
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = None
    by_id: str
    by_name: str
    at: datetime = Field(sa_type=UtcDateTime)


class TaggingRow(_Row, table=True):
    """A component that an entry of a timeline tagged, or untagged. Append-only."""

    __tablename__ = "tagging"
    __table_args__ = (
        _to("incident_update", "workspace_id", "incident_id", "entry"),
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    component_id: UUID = Field(primary_key=True)
    tagged: bool


class IncidentComponentRow(_Row, table=True):
    """A component that an incident affects; ``position`` is its place in the order of naming."""

    __tablename__ = "incident_component"
    __table_args__ = (
        _to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    component_id: UUID


class InvitedRow(_Row, table=True):
    """A person who was invited to see a private incident; ``position`` counts the invitations."""

    __tablename__ = "incident_invited"
    __table_args__ = (_to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    person_id: str
    person_name: str


class PostedRow(_Row, table=True):
    """The place of a surface of an incident in Slack: the next message there is an edit.

    ``channel`` is the envelope's, which is a person's id for a direct message; ``posted_in`` is the
    conversation that Slack chose for it. ``entry`` is 0 for a card.
    """

    __tablename__ = "posted"
    __table_args__ = (_to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    posted_in: str
    ts: str


class OutboxRow(_Row, table=True):
    """A message to Slack: its incident, its surface and its channel, and never its text."""

    __tablename__ = "outbox"
    __table_args__ = (_to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),)

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


class ChannelPaceRow(_Row, table=True):
    """The pace of a channel. It is a row, so that all processes keep it together."""

    __tablename__ = "channel_pace"

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    held_until: datetime = Field(sa_type=UtcDateTime)  # no message before it, by Slack's demand
    next_post_at: datetime = Field(sa_type=UtcDateTime)  # no new message before it; edits may go


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
    leak_guard: bool | None = None  # None: a key from before there was one, or without it


class IdempotencyRow(_Row, table=True):
    """A request that its client may repeat. ``status`` None: it is not answered yet.

    An answer needs the ``claim``. If the process that holds it dies, another attempt may take it
    after 30 seconds. The schedule deletes the row after a day.
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
    body: str | None = None  # the answer; erased if the text in it was withdrawn
    about: UUID | None = None  # the update whose text the answer holds


class HandledRow(_Row, table=True):
    """A request of Slack's that is done: Slack may deliver it again, to any process.

    ``incident_id`` is all zeros if the request was about no incident. The row is written in the
    transaction of the change, and the schedule deletes it after a day.
    """

    __tablename__ = "handled"

    workspace_id: str = Field(primary_key=True)
    request: str = Field(primary_key=True)
    incident_id: UUID
    at: datetime = Field(sa_type=UtcDateTime)


class DraftRow(_Row, table=True):
    """What a person typed and what was not done. Private, whatever it was typed for.

    ``incidents`` are the ids of the incidents that it is about, with blanks between them; ``body``
    is written by the entry point. The row is erased when the draft is used, after an hour, and by a
    withdrawal in one of the incidents.
    """

    __tablename__ = "draft"

    workspace_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # the author's id
    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    incidents: str
    body: str


class CatchUpRow(_Row, table=True):
    """How far a person has read the timeline of an incident, at their last catch-up."""

    __tablename__ = "catch_up"
    __table_args__ = (_to("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),)

    workspace_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # the reader's id
    incident_id: UUID = Field(primary_key=True)
    entry: int
    at: datetime = Field(sa_type=UtcDateTime)


class SkippedRow(_Row, table=True):
    """Numbers, ``first`` to ``last``, that no incident has: a restore found them in use."""

    __tablename__ = "skipped"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),)

    workspace_id: str = Field(primary_key=True)
    first: int = Field(primary_key=True)
    last: int
    at: datetime = Field(sa_type=UtcDateTime)  # of the restore


class CompatibilityRow(_Row, table=True):
    """One row: the oldest schema whose code may work on this one. Only migrations write it."""

    __tablename__ = "compatibility"

    oldest: str = Field(primary_key=True)


def _table(row: type[_Row]) -> Table:
    return metadata.tables[str(row.__tablename__)]


workspace = _table(WorkspaceRow)
setting = _table(SettingRow)
lifecycle = _table(LifecycleRow)
incident = _table(IncidentRow)
update = _table(UpdateRow)
promise = _table(PromiseRow)
hand_over = _table(HandOverRow)
page = _table(PageRow)
component_group = _table(ComponentGroupRow)
own_channel = _table(OwnChannelRow)
component = _table(ComponentRow)
component_override = _table(ComponentOverrideRow)
tagging = _table(TaggingRow)
incident_component = _table(IncidentComponentRow)
incident_invited = _table(InvitedRow)
posted = _table(PostedRow)
outbox = _table(OutboxRow)
channel_pace = _table(ChannelPaceRow)
handled = _table(HandledRow)
api_key = _table(ApiKeyRow)
idempotency = _table(IdempotencyRow)
draft = _table(DraftRow)
catch_up = _table(CatchUpRow)
skipped = _table(SkippedRow)
compatibility = _table(CompatibilityRow)


def among(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Whether ``column`` holds one of ``words``, which are written out and not parameters.

    A partial index, and on PostgreSQL the index of an ON CONFLICT, is found only if the statement
    repeats its condition word for word.
    """
    return column.in_([literal_column(f"'{word}'") for word in words])


# A comparison, because SQLite writes the condition of the partial index as ``= 1``.
is_open = incident.c.is_open == true()
is_closed = incident.c.is_open == false()
is_tagged = incident.c.tagged == true()

is_available = among(outbox.c.state, State.AVAILABLE)
is_kept = among(outbox.c.state, *KEPT)
is_waiting_card = and_(is_available, among(outbox.c.surface, *CARDS))


def kept(row: FromClause, *states: State) -> ColumnElement[bool]:
    """Whether a message is in one of ``states``, all of which are `KEPT`.

    ``row`` is the outbox, or an alias of it. SQLite uses an index of kept messages only if the
    statement repeats the index's whole condition.
    """
    return and_(among(row.c.state, *KEPT), among(row.c.state, *states))


def _partial(
    name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False
) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


# The statement of a card repeats these conditions word for word: a long timeline is mostly notes.
is_move = among(update.c.kind, *TRANSITIONS)
# The card shows neither bare notes, nor how the incident ended, nor who writes its report.
is_on_card = or_(
    not_(among(update.c.kind, Kind.WROTE, Kind.RESOLUTION, Kind.REPORTED, Kind.PROMISED)),
    among(update.c.visibility, Visibility.PUBLIC),
)

# Boards. Each list reads a range of one index per severity, however many others there are. Closed
# incidents are not in the partial ones.
_partial("ix_incident_open", incident.c.workspace_id, incident.c.number, where=is_open)
_partial(
    "ix_incident_open_severity",
    incident.c.workspace_id,
    incident.c.severity,
    incident.c.number,
    where=is_open,
)
_partial(
    "ix_incident_mine",
    incident.c.workspace_id,
    incident.c.owner_id,
    incident.c.severity,
    incident.c.number,
    where=is_open,
)
_partial(
    "ix_incident_open_in_channel",
    incident.c.workspace_id,
    incident.c.channel,
    incident.c.severity,
    incident.c.number,
    where=is_open,
)
Index(None, incident.c.workspace_id, incident.c.severity, incident.c.number)
# A change of status writes the index of the few open ones, and only the last one that of closed
# ones, which grows.
for _name, _where in (("open", is_open), ("closed", is_closed)):
    _partial(
        f"ix_incident_{_name}_status",
        incident.c.workspace_id,
        incident.c.status,
        incident.c.severity,
        incident.c.number,
        where=_where,
    )
# Cards: the newest entry that is shown, and the moves.
_partial(
    "ix_incident_update_on_card",
    update.c.workspace_id,
    update.c.incident_id,
    update.c.entry,
    where=is_on_card,
)
_partial(
    "ix_incident_update_move",
    update.c.workspace_id,
    update.c.incident_id,
    update.c.entry,
    where=is_move,
)

# The worker: waiting messages in their order, older messages of a lane, and the counts.
_partial("ix_outbox_available", outbox.c.id, where=is_available)
_partial("ix_outbox_lane", outbox.c.lane, outbox.c.id, where=is_kept)
_partial("ix_outbox_kept", outbox.c.state, outbox.c.due_at, where=is_kept)
_partial(
    "uq_outbox_waiting_card", outbox.c.lane, outbox.c.surface, where=is_waiting_card, unique=True
)
Index(None, outbox.c.done_at)

# The look at promises: those with a stage that is left to be done.
_partial("ix_promise_look_at", promise.c.look_at, where=promise.c.look_at.is_not(None))
# The look at hand-overs without an answer.
_partial("ix_hand_over_look_at", hand_over.c.look_at, where=hand_over.c.look_at.is_not(None))
# The look at channels of ended incidents; the incident of a channel.
_partial("ix_own_channel_look_at", own_channel.c.look_at, where=own_channel.c.look_at.is_not(None))
Index("ix_own_channel_channel", own_channel.c.workspace_id, own_channel.c.channel)

# The bars of the status page: incidents with components that ended within their days.
_partial(
    "ix_incident_over",
    incident.c.workspace_id,
    incident.c.over_at,
    where=is_tagged,
)
# The next moment at which a text becomes public.
_partial(
    "ix_incident_title_public_at",
    incident.c.workspace_id,
    incident.c.title_public_at,
    where=incident.c.title_public_at.is_not(None),
)
_partial(
    "ix_incident_update_public_at",
    update.c.workspace_id,
    update.c.public_at,
    where=update.c.public_at.is_not(None),
)

# API keys are found only by their prefix: the key names the workspace of a request.
Index(None, api_key.c.id, unique=True)
Index(None, idempotency.c.claim, unique=True)
Index(None, idempotency.c.claimed_at)
Index(None, handled.c.at)
Index(None, draft.c.at)
# The link of a message names its incident.
Index(None, posted.c.posted_in, posted.c.ts)
_partial(
    "ix_idempotency_about",
    idempotency.c.workspace_id,
    idempotency.c.about,
    where=idempotency.c.about.is_not(None),
)
# The first and the last number of a range of days.
Index(
    "ix_incident_created",
    incident.c.workspace_id,
    incident.c.created_at,
    incident.c.number,
)
