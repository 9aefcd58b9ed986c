"""The documents of Statuspage's public API v2, as far as an import reads them.

Source: https://metastatuspage.com/api
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from core.page import ComponentStatus, Impact

POSITION_MAX = 9_999
# The statuses of a scheduled maintenance, beside those of an incident.
PLANNED = ("scheduled", "in_progress", "verifying", "completed")


def _in_reach(at: datetime) -> datetime:
    if not 2_000 <= at.year <= 2_200:
        raise ValueError("must be a moment of this century")
    return at


Id = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$")]
Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Text = Annotated[str, StringConstraints(max_length=100_000)]
Position = Annotated[int, AfterValidator(lambda place: min(max(place, 0), POSITION_MAX))]

# The statuses of incidents and of maintenances.
StatusWord = Literal[
    "investigating",
    "identified",
    "monitoring",
    "resolved",
    "postmortem",
    "scheduled",
    "in_progress",
    "verifying",
    "completed",
]


class _Part(BaseModel):
    """A part of a document; what an import does not need is not looked at."""

    model_config = ConfigDict(extra="ignore")


class PageShape(_Part):
    """The page itself."""

    id: Id
    name: Name
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,500}$")] | None = None


class ComponentShape(_Part):
    """A component, or a group of components."""

    id: Id
    name: Name
    status: ComponentStatus = ComponentStatus.OPERATIONAL
    created_at: Moment
    updated_at: Moment
    position: Position = 0
    description: Text | None = None
    showcase: bool = False
    start_date: date | None = None
    group_id: Id | None = None
    group: bool = False
    only_show_if_degraded: bool = False


class AffectedShape(_Part):
    """A component in an update."""

    code: Id
    name: Name
    old_status: ComponentStatus
    new_status: ComponentStatus


class NamedShape(_Part):
    """A component of an incident, by its id; its page may have it no more."""

    id: Id
    name: Text | None = None


class UpdateShape(_Part):
    """An update of an incident."""

    id: Id
    status: StatusWord
    body: Text | None = None
    created_at: Moment
    updated_at: Moment
    display_at: Moment | None = None
    affected_components: list[AffectedShape] | None = None


class IncidentShape(_Part):
    """An incident with its updates."""

    id: Id
    name: Name
    status: StatusWord
    impact: Literal["none", "minor", "major", "critical", "maintenance"]
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None = None
    monitoring_at: Moment | None = None
    resolved_at: Moment | None = None
    incident_updates: list[UpdateShape]
    components: list[NamedShape] | None = None

    @property
    def is_maintenance(self) -> bool:
        """Whether it is planned work, which Statuspage keeps as an incident of its own kind."""
        words = {self.status, *(one.status for one in self.incident_updates)}
        return self.impact == "maintenance" or not words.isdisjoint(PLANNED)

    @property
    def as_impact(self) -> Impact:
        """Its impact; that of planned work is none."""
        return Impact.NONE if self.impact == "maintenance" else Impact(self.impact)


class Document(_Part):
    """`summary.json`, `components.json` or `incidents.json`."""

    page: PageShape
    components: list[ComponentShape] | None = None
    incidents: list[IncidentShape] | None = None
    scheduled_maintenances: list[object] | None = None
