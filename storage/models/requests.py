"""The tables of API keys, of requests and of what people have typed and read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
)
from sqlmodel import Field

from storage.models.base import Row, UtcDateTime, foreign_key, partial_index, table_of


class ApiKeyRow(Row, table=True):
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


class IdempotencyRow(Row, table=True):
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


class HandledRow(Row, table=True):
    """A request of Slack's that is done: Slack may deliver it again, to any process.

    ``incident_id`` is all zeros if the request was about no incident. The row is written in the
    transaction of the change, and the schedule deletes it after a day.
    """

    __tablename__ = "handled"

    workspace_id: str = Field(primary_key=True)
    request: str = Field(primary_key=True)
    incident_id: UUID
    at: datetime = Field(sa_type=UtcDateTime)


class DraftRow(Row, table=True):
    """A text that a person typed for an act that was not done. It is private, whatever its purpose.

    ``incidents`` are the ids of the incidents that it is about, with blanks between them; ``body``
    is written by the entry point. The row is erased when the draft is used, and after an hour. A
    withdrawal of a text that may be in ``body`` makes that empty.
    """

    __tablename__ = "draft"

    workspace_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # the author's id
    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    incidents: str
    body: str


class CatchUpRow(Row, table=True):
    """How far a person has read the timeline of an incident, at their last catch-up."""

    __tablename__ = "catch_up"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
    )

    workspace_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # the reader's id
    incident_id: UUID = Field(primary_key=True)
    entry: int
    at: datetime = Field(sa_type=UtcDateTime)


class CompatibilityRow(Row, table=True):
    """One row: the oldest schema whose code may work on this one. Only migrations write it."""

    __tablename__ = "compatibility"

    oldest: str = Field(primary_key=True)


api_key = table_of(ApiKeyRow)
idempotency = table_of(IdempotencyRow)
handled = table_of(HandledRow)
draft = table_of(DraftRow)
catch_up = table_of(CatchUpRow)
compatibility = table_of(CompatibilityRow)

# API keys are found only by their prefix: the key names the workspace of a request.
Index(None, api_key.c.id, unique=True)
Index(None, idempotency.c.claim, unique=True)
Index(None, idempotency.c.claimed_at)
Index(None, handled.c.at)
Index(None, draft.c.at)
partial_index(
    "ix_idempotency_about",
    idempotency.c.workspace_id,
    idempotency.c.about,
    where=idempotency.c.about.is_not(None),
)
