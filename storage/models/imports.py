"""The tables of what imported incidents keep of the page that they come from: all is public."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.models.base import Row, UtcDateTime, foreign_key, table_of


class ImportedIncidentRow(Row, table=True):
    """The facts of an imported incident; `core.public_side.KeptIncident` explains the columns."""

    __tablename__ = "imported_incident"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
        UniqueConstraint("workspace_id", "kept_id"),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    kept_id: str
    entries: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    monitoring_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    address: str | None = None
    atom: str | None = None


class ImportedUpdateRow(Row, table=True):
    """The facts of an imported update. Append-only; ``affected`` is JSON, NULL: no components."""

    __tablename__ = "imported_update"
    __table_args__ = (foreign_key("incident_update", "workspace_id", "incident_id", "entry"),)

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    kept_id: str
    status: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    affected: str | None = None


imported_incident = table_of(ImportedIncidentRow)
imported_update = table_of(ImportedUpdateRow)
