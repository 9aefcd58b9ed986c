"""The tables of webhooks: endpoints, the messages to them, and what each has been told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer
from sqlmodel import Field

from storage.models.base import Row, UtcDateTime, among, foreign_key, partial_index, table_of
from storage.models.messages import KEPT, State


class WebhookRow(Row, table=True):
    """An endpoint. `core.webhooks.Endpoint` explains the columns.

    ``secret`` signs what is sent, so it is kept whole; only deliveries read it.
    ``components`` are the ids of the filter's, with blanks between them. NULL: every component.
    """

    __tablename__ = "webhook"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),)

    workspace_id: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    url: str
    secret: str
    old_secret: str | None = None
    rotating_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    severity: str | None = None
    components: str | None = None
    state: str
    added_by_id: str
    added_by_name: str
    added_at: datetime = Field(sa_type=UtcDateTime)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    off_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # No message before it: the receiver asked for a pause.
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebhookMessageRow(Row, table=True):
    """An event on its way to an endpoint: its incident or its component, and never a text.

    It has a table of its own beside the outbox. The status of a component has no incident. Servers
    of an earlier version claim from the outbox, and know none of these. Messages that wait a day
    for a receiver that is down must not lengthen each claim for Slack, or turn `/readyz` red.

    ``storage.models.State`` describes ``state``; here `State.MERGED` means that nothing was left to
    be sent.
    """

    __tablename__ = "webhook_message"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "webhook_id"], ["webhook.workspace_id", "webhook.id"]
        ),
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    # Within a lane ids rise in the order of the commits, because each writer locks the incident.
    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    )
    uid: UUID  # the ``webhook-id``: the same for every try, so a receiver knows it again
    workspace_id: str
    webhook_id: UUID
    event: str
    incident_id: UUID | None = None
    entry: int | None = None
    component_id: UUID | None = None
    lane: str
    state: str
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)  # when it is public; its age counts from then
    try_at: datetime = Field(sa_type=UtcDateTime)  # when it is tried next; retries push it back
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str | None = None
    error: str | None = None  # the code of the last failure; never a text
    created_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by an admin; the last


class WebhookToldRow(Row, table=True):
    """An incident that an endpoint is told of, so it is told of its end as well.

    Without it an incident that becomes less severe would leave a filter, and stay open there.
    """

    __tablename__ = "webhook_told"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "webhook_id"], ["webhook.workspace_id", "webhook.id"]
        ),
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    workspace_id: str = Field(primary_key=True)
    webhook_id: UUID = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)


class WebhookComponentRow(Row, table=True):
    """The status of a component as an endpoint knows it."""

    __tablename__ = "webhook_component"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "webhook_id"], ["webhook.workspace_id", "webhook.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    webhook_id: UUID = Field(primary_key=True)
    component_id: UUID = Field(primary_key=True)
    status: str


webhook = table_of(WebhookRow)
webhook_message = table_of(WebhookMessageRow)
webhook_told = table_of(WebhookToldRow)
webhook_component = table_of(WebhookComponentRow)

_is_waiting = among(webhook_message.c.state, State.AVAILABLE)
_is_kept = among(webhook_message.c.state, *KEPT)
# The worker: endpoints with messages, older messages of a lane.
partial_index(
    "ix_webhook_message_available",
    webhook_message.c.workspace_id,
    webhook_message.c.webhook_id,
    webhook_message.c.id,
    where=_is_waiting,
)
partial_index(
    "ix_webhook_message_lane", webhook_message.c.lane, webhook_message.c.id, where=_is_kept
)
Index(None, webhook_message.c.webhook_id, webhook_message.c.id)  # the log of an endpoint
Index(None, webhook_message.c.done_at)
