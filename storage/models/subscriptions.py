"""The table of subscribed channels."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from storage.models.base import Row, UtcDateTime, table_of


class SubscriptionRow(Row, table=True):
    """A channel that is or was subscribed. `core.subscription.Subscription` explains the columns.

    ``components`` are the ids of the filter's, with blanks between them. NULL: every component.
    ``since`` NULL: as ``starts_at``, in a row of an earlier version.
    ``fault`` is Slack's code for which the channel takes no posts, since ``faulty_since``.
    A row stays after its end: the cards in its channel are kept up to date.
    """

    __tablename__ = "subscription"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"]),)

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    severity: str | None = None
    components: str | None = None
    broadcast: bool = False
    by_id: str
    by_name: str
    at: datetime = Field(sa_type=UtcDateTime)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fault: str | None = None
    faulty_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


subscription = table_of(SubscriptionRow)
