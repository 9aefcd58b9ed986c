"""The bodies of dialect 1: what is asked, what is answered, what is refused. Names alone."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Self, TypeVar
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from bot.http.shapes import Asked, Body, LifecycleName, Listing, Moment, StatusName, UserId
from core.incident import (
    COMPONENT_DESCRIPTION_MAX,
    COMPONENT_NAME_MAX,
    COMPONENTS_MAX,
    DESCRIPTION_MAX,
    DescribedComponent,
    Incident,
    Person,
    Severity,
    Update,
    Visibility,
)

T = TypeVar("T")

TITLE_MAX = 100
EXAMPLE: JsonDict = {
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "orgId": "T024BE7LD",
    "number": 42,
    "title": "Payment service elevated error rate",
    "severity": "critical",
    "status": "identified",
    "lifecycle": "statuspage",
    "validNext": ["monitoring"],
    "affectedComponents": [{"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "name": "Payments API"}],
    "private": False,
    "ownerId": "U024BE7LH",
    "createdAt": "2025-04-07T08:23:11.000Z",
    "updatedAt": "2025-04-07T09:15:44.000Z",
}


class Camel(BaseModel):
    """Names in camel case, as all of this dialect's."""

    model_config = ConfigDict(alias_generator=to_camel)


# --- what is asked ---------------------------------------------------------------------------

ComponentName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=COMPONENT_NAME_MAX)
]
ComponentIds = Annotated[
    list[Annotated[str, Field(json_schema_extra={"format": "uuid"})]],
    Field(max_length=COMPONENTS_MAX, description="Each once; an empty list for none."),
]
UpdateId = Annotated[str, Path(alias="updateId", json_schema_extra={"format": "uuid"})]


class NewIncident(Asked, Camel):
    """`severity` has no default; `lifecycle` is the operator's choice where it is left out."""

    title: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX)
    ]
    severity: Annotated[Severity, Field(strict=False)]
    description: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_MAX)] | None
    ) = None
    component_ids: ComponentIds = []
    lifecycle: LifecycleName | None = None
    private: bool = False
    owner_id: UserId | None = None


class StatusChange(Asked, Camel):
    """The next step, with a note that responders alone will read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "identified"}]})

    status: StatusName
    resolution_note: Body | None = None


class PublicUpdate(Asked, Camel):
    """What customers are to read, with or without the next step."""

    visibility: Literal["public"]
    body: Body
    status_change: StatusName | None = None


class InternalUpdate(Asked, Camel):
    """A note that responders alone will read, the next step, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("body", "statusChange")
            ]
        }
    )

    visibility: Literal["internal"]
    body: Body | None = None
    status_change: StatusName | None = None


class Handoff(Asked, Camel):
    """Who leads from now on."""

    target_user_id: UserId


class Tags(Asked, Camel):
    """All components that the incident affects."""

    component_ids: ComponentIds


class NewComponent(Asked, Camel):
    """`name` is unique in the workspace, in any case."""

    name: ComponentName
    description: (
        Annotated[
            str, StringConstraints(strip_whitespace=True, max_length=COMPONENT_DESCRIPTION_MAX)
        ]
        | None
    ) = None
    group_label: ComponentName | None = None


class Filters(Listing):
    """The query of a list of incidents."""

    severity: Severity | None = None


# --- what is answered ------------------------------------------------------------------------


class Shown(Camel):
    """A part of an answer; its absent facts are null, never left out."""

    model_config = ConfigDict(populate_by_name=True)


class Who(Shown):
    """A Slack user, or an API key (`key:…`)."""

    id: str
    name: str

    @classmethod
    def of(cls, person: Person | None) -> Who | None:
        return cls(id=person.id, name=person.name) if person else None


class AffectedComponent(Shown):
    """A component, by name."""

    id: UUID
    name: str


class ShownComponent(AffectedComponent):
    """A component with what its list says of it."""

    description: str | None
    group_label: str | None

    @classmethod
    def of(cls, known: DescribedComponent) -> ShownComponent:
        return cls(
            id=known.component.id,
            name=known.component.name,
            description=known.description,
            group_label=known.group,
        )


class ShownIncident(Shown):
    """`orgId` is the id of the workspace; `validNext` are the steps that are allowed now."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    org_id: str
    number: int
    title: str
    severity: Severity
    status: str
    lifecycle: str
    valid_next: list[str]
    affected_components: list[AffectedComponent]
    private: bool
    owner_id: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, incident: Incident, **more: Any) -> Self:
        return cls(
            id=incident.id,
            org_id=incident.workspace,
            number=incident.number,
            title=incident.title,
            severity=incident.severity,
            status=incident.status,
            lifecycle=incident.lifecycle.name,
            valid_next=list(incident.next_steps),
            affected_components=[
                AffectedComponent(id=component.id, name=component.name)
                for component in incident.components
            ],
            private=incident.private,
            owner_id=incident.owner.id if incident.owner else None,
            created_at=incident.created_at,
            updated_at=incident.updated_at,
            **more,
        )


class Move(Shown):
    """A status that the incident came to. A public text is no note: it stands in the updates."""

    id: UUID
    status: str
    changed_at: Moment
    resolution_note: str | None

    @classmethod
    def of(cls, update: Update) -> Move:
        internal = update.visibility is Visibility.INTERNAL
        return cls(
            id=update.id,
            status=str(update.status_change),
            changed_at=update.at,
            resolution_note=update.body if internal else None,
        )


class IncidentWithHistory(ShownIncident):
    """An incident with every status that it has had, the initial one included, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    status_history: list[Move]


class ShownUpdate(Shown):
    """One line of the timeline. `body` is null where there is none or it was withdrawn."""

    id: UUID
    incident_id: UUID
    body: str | None
    status_change: str | None
    visibility: Visibility
    posted_by: Who
    posted_at: Moment
    redacted_at: Moment | None
    redacted_by: Who | None

    @classmethod
    def of(cls, update: Update) -> ShownUpdate:
        return cls(
            id=update.id,
            incident_id=update.incident,
            body=update.body,
            status_change=update.status_change,
            visibility=update.visibility,
            posted_by=Who(id=update.by.id, name=update.by.name),
            posted_at=update.at,
            redacted_at=update.redacted_at,
            redacted_by=Who.of(update.redacted_by),
        )


class IncidentPage(Shown):
    """Newest first. `nextCursor` is null on the last page."""

    incidents: list[ShownIncident]
    next_cursor: str | None


class UpdateList(Shown):
    """The whole timeline, oldest first."""

    updates: list[ShownUpdate]


class ComponentList(Shown):
    """All components of the workspace, by name."""

    components: list[ShownComponent]


class Answer(BaseModel, Generic[T]):
    """The envelope of what was done."""

    data: T


# --- refusals --------------------------------------------------------------------------------


class Refusal(Shown):
    """The shape of every error. `message` says what is wrong and what to do instead."""

    status_code: int
    type: Literal[
        "invalid_request_error", "not_authorized_error", "validation_error", "internal_error"
    ]
    code: str
    request_id: UUID
    message: str


class Unauthorized(Refusal):
    """Nobody knows who asks."""

    code: Literal["not_authorized"]
    reason: Literal["missing_authorization_header", "invalid_api_key"]


class MoveRefused(Refusal):
    """A refused transition also says where the incident is, what was asked, what is possible."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "statusCode": 400,
                    "type": "invalid_request_error",
                    "code": "invalid_status_transition",
                    "requestId": "0d4f0b1e-5f0a-4a56-9d0c-5d5f1c0f9a11",
                    "message": "INC-42 is investigating and cannot become resolved now. "
                    "Valid next steps: identified.",
                    "from": "investigating",
                    "to": "resolved",
                    "validNext": ["identified"],
                }
            ]
        }
    )

    code: Literal[
        "duplicate_component_id",
        "incident_resolved",
        "invalid_component_id",
        "invalid_status_transition",
        "invalid_target_user",
        "no_public_surface",
        "nothing_to_redact",
    ]
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    valid_next: list[str] | None = None


class FieldFault(Shown):
    """What ails one field."""

    field: str
    message: str


class Invalid(Refusal):
    """The body or the query cannot be taken as it is."""

    code: Literal["validation_failed"]
    errors: list[FieldFault]
