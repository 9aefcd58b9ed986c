"""The tables of workspaces and of their incidents, with the indexes of boards and cards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    false,
    not_,
    or_,
    true,
)
from sqlmodel import Field

from core.incident import TRANSITIONS, Kind, Visibility
from storage.models.base import Row, UtcDateTime, among, foreign_key, partial_index, table_of


class WorkspaceRow(Row, table=True):
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
    has_webhooks: bool | None = None  # an endpoint gets events. NULL: no
    # The count of its subscriptions that are in force. NULL: there never was one.
    subscriptions: int | None = None
    kept_page: str | None = None  # the id of an imported page. NULL: the page derives one


class SettingRow(Row, table=True):
    """A setting that a workspace saved itself, as `core.settings` writes it; never a secret."""

    __tablename__ = "setting"
    __table_args__ = (foreign_key("workspace", "id", here=("workspace_id",)),)

    workspace_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    by_id: str | None = None
    by_name: str | None = None
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LifecycleRow(Row, table=True):
    """A lifecycle. Immutable: an incident keeps the definition it was declared with."""

    __tablename__ = "lifecycle"

    digest: str = Field(primary_key=True)  # SHA-256 of the definition, in hexadecimal
    name: str
    definition: str  # TOML, as `Lifecycle.as_toml` writes it and `core.lifecycle.read` takes it


class IncidentRow(Row, table=True):
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
    # The moment at which the public word became resolved. NULL: it is another one.
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    imported: bool | None = None  # it has a row in imported_incident. NULL: no
    channel: str | None = None
    channel_private: bool
    started_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int
    last_entry: int


class UpdateRow(Row, table=True):
    """One line of a timeline. Immutable, except that a redaction erases its texts."""

    __tablename__ = "incident_update"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
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


class PromiseRow(Row, table=True):
    """A promise of the next public update; ``entry`` is the update that made it.

    ``core.promise.Promise`` explains the moments.
    """

    __tablename__ = "promise"
    __table_args__ = (foreign_key("incident_update", "workspace_id", "incident_id", "entry"),)

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


class HandOverRow(Row, table=True):
    """The question to a new owner; ``entry`` is the update that made them owner.

    ``core.handover.HandOver`` explains the columns.
    """

    __tablename__ = "hand_over"
    __table_args__ = (foreign_key("incident_update", "workspace_id", "incident_id", "entry"),)

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


class InvitedRow(Row, table=True):
    """A person who was invited to see a private incident; ``position`` counts the invitations."""

    __tablename__ = "incident_invited"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    person_id: str
    person_name: str


class SkippedRow(Row, table=True):
    """Numbers, ``first`` to ``last``, that no incident has: a restore found them in use."""

    __tablename__ = "skipped"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),)

    workspace_id: str = Field(primary_key=True)
    first: int = Field(primary_key=True)
    last: int
    at: datetime = Field(sa_type=UtcDateTime)  # of the restore


workspace = table_of(WorkspaceRow)
setting = table_of(SettingRow)
lifecycle = table_of(LifecycleRow)
incident = table_of(IncidentRow)
update = table_of(UpdateRow)
promise = table_of(PromiseRow)
hand_over = table_of(HandOverRow)
incident_invited = table_of(InvitedRow)
skipped = table_of(SkippedRow)

# A comparison, because SQLite writes the condition of the partial index as ``= 1``.
is_open = incident.c.is_open == true()
is_closed = incident.c.is_open == false()
is_tagged = incident.c.tagged == true()
is_untagged = incident.c.tagged.is_(None)
is_not_private = incident.c.private == false()

# The statement of a card repeats these conditions word for word: a long timeline is mostly notes.
is_move = among(update.c.kind, *TRANSITIONS)
# The card shows neither bare notes, nor how the incident ended, nor who writes its report.
is_on_card = or_(
    not_(among(update.c.kind, Kind.WROTE, Kind.RESOLUTION, Kind.REPORTED, Kind.PROMISED)),
    among(update.c.visibility, Visibility.PUBLIC),
)

# Boards. Each list reads a range of one index per severity, however many others there are. Closed
# incidents are not in the partial ones.
partial_index("ix_incident_open", incident.c.workspace_id, incident.c.number, where=is_open)
partial_index(
    "ix_incident_open_severity",
    incident.c.workspace_id,
    incident.c.severity,
    incident.c.number,
    where=is_open,
)
partial_index(
    "ix_incident_mine",
    incident.c.workspace_id,
    incident.c.owner_id,
    incident.c.severity,
    incident.c.number,
    where=is_open,
)
partial_index(
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
    partial_index(
        f"ix_incident_{_name}_status",
        incident.c.workspace_id,
        incident.c.status,
        incident.c.severity,
        incident.c.number,
        where=_where,
    )
# Cards: the newest entry that is shown, and the moves.
partial_index(
    "ix_incident_update_on_card",
    update.c.workspace_id,
    update.c.incident_id,
    update.c.entry,
    where=is_on_card,
)
partial_index(
    "ix_incident_update_move",
    update.c.workspace_id,
    update.c.incident_id,
    update.c.entry,
    where=is_move,
)

# The look at promises: those with a stage that is left to be done.
partial_index("ix_promise_look_at", promise.c.look_at, where=promise.c.look_at.is_not(None))
# The look at hand-overs without an answer.
partial_index("ix_hand_over_look_at", hand_over.c.look_at, where=hand_over.c.look_at.is_not(None))

# The next moment at which a text becomes public.
partial_index(
    "ix_incident_title_public_at",
    incident.c.workspace_id,
    incident.c.title_public_at,
    where=incident.c.title_public_at.is_not(None),
)
partial_index(
    "ix_incident_update_public_at",
    update.c.workspace_id,
    update.c.public_at,
    where=update.c.public_at.is_not(None),
)
# The first and the last number of a range of days.
Index(
    "ix_incident_created",
    incident.c.workspace_id,
    incident.c.created_at,
    incident.c.number,
)
