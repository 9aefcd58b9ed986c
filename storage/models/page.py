"""The tables of the status page and of its components."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    and_,
)
from sqlmodel import Field

from storage.models.base import Row, UtcDateTime, foreign_key, partial_index, table_of
from storage.models.incidents import incident, is_not_private, is_tagged, is_untagged


class PageRow(Row, table=True):
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


class ComponentGroupRow(Row, table=True):
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
    kept_id: str | None = None  # of an imported page. NULL: the page derives one


class ComponentRow(Row, table=True):
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
    kept_id: str | None = None  # of an imported page. NULL: the page derives one


class ComponentOverrideRow(Row, table=True):
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


class TaggingRow(Row, table=True):
    """A component that an entry of a timeline tagged, or untagged. Append-only."""

    __tablename__ = "tagging"
    __table_args__ = (
        foreign_key("incident_update", "workspace_id", "incident_id", "entry"),
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    entry: int = Field(primary_key=True)
    component_id: UUID = Field(primary_key=True)
    tagged: bool


class IncidentComponentRow(Row, table=True):
    """A component that an incident affects; ``position`` is its place in the order of naming."""

    __tablename__ = "incident_component"
    __table_args__ = (
        foreign_key("incident", "workspace_id", "id", here=("workspace_id", "incident_id")),
        ForeignKeyConstraint(
            ["workspace_id", "component_id"], ["component.workspace_id", "component.id"]
        ),
    )

    workspace_id: str = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    component_id: UUID


page = table_of(PageRow)
component_group = table_of(ComponentGroupRow)
component = table_of(ComponentRow)
component_override = table_of(ComponentOverrideRow)
tagging = table_of(TaggingRow)
incident_component = table_of(IncidentComponentRow)

# Whether a component may be named to somebody follows from the incidents that are tagged with it.
Index(
    "ix_incident_component_component",
    incident_component.c.workspace_id,
    incident_component.c.component_id,
)
# The bars of the status page: incidents with components that ended within their days.
partial_index(
    "ix_incident_over",
    incident.c.workspace_id,
    incident.c.over_at,
    where=is_tagged,
)
# The list of the status page: those without components that ended last.
partial_index(
    "ix_incident_ended",
    incident.c.workspace_id,
    incident.c.over_at,
    where=and_(is_untagged, incident.c.over_at.is_not(None), is_not_private),
)
