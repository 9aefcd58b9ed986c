"""The bodies of dialect 1: requests, answers and errors. It has names and no rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Generic, Literal, Self, TypeVar
from uuid import UUID

from fastapi import Path
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from bot.http.shapes import (
    ChannelId,
    LifecycleName,
    ListQuery,
    Moment,
    MomentInput,
    RequestBody,
    StatusName,
    UpdateText,
    UserId,
    whole_number,
    without_fraction,
)
from core.boards import BoardFilter, Card, Scope
from core.incident import (
    COMPONENTS_MAX,
    DESCRIPTION_MAX,
    Kind,
    Person,
    Severity,
    Update,
    Visibility,
)
from core.promise import LONGEST, SHORTEST

T = TypeVar("T")

TITLE_MAX = 100
# Above the number of every incident.
NEWEST = 2**31 - 2
SHORTEST_SECONDS = int(SHORTEST.total_seconds())
LONGEST_SECONDS = int(LONGEST.total_seconds())
EXAMPLE: JsonDict = {
    "id": "5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11",
    "orgId": "T024BE7LD",
    "number": 42,
    "title": "Checkout is down",
    "description": "Since the deploy of 08:50.",
    "severity": "critical",
    "status": "identified",
    "lifecycle": "statuspage",
    "validNext": ["monitoring"],
    "affectedComponents": [{"id": "c0e4c0f4-3f0e-4b6e-8a51-1d5a9b6f2e07", "name": "Checkout"}],
    "private": False,
    "ownerId": "U024BE7LH",
    "acknowledgedBy": {"id": "U024BE7LH", "name": "Mia"},
    "acknowledgedAt": "2026-03-02T09:03:10.000Z",
    "resolvedAt": None,
    "nextUpdateBy": "2026-03-02T10:22:33.000Z",
    "links": {"slack": "https://acme.slack.com/archives/C024BE91L/p1772442000000100"},
    "startedAt": "2026-03-02T08:50:00.000Z",
    "createdAt": "2026-03-02T09:00:00.000Z",
    "updatedAt": "2026-03-02T09:52:33.000Z",
}


class CamelCase(BaseModel):
    """The fields of this dialect have names in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)


# --- requests --------------------------------------------------------------------------------

ComponentIds = Annotated[
    list[Annotated[str, Field(json_schema_extra={"format": "uuid"})]],
    Field(max_length=COMPONENTS_MAX, description="Each at most once; an empty list clears."),
]
UpdateId = Annotated[str, Path(alias="updateId", json_schema_extra={"format": "uuid"})]


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX)]
SeverityName = Annotated[Severity, Field(strict=False)]


class NewIncident(RequestBody, CamelCase):
    """`severity` has no default. Without `lifecycle` the operator's default applies.

    Without `startedAt` it starts now.
    """

    title: Title
    severity: SeverityName
    description: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_MAX)] | None
    ) = None
    started_at: MomentInput | None = None
    component_ids: ComponentIds = []
    lifecycle: LifecycleName | None = None
    private: bool = False
    owner_id: UserId | None = None
    channel_id: (
        Annotated[
            ChannelId,
            Field(
                description="The channel of the working card. Without it the operator's channel "
                "for the API gets the card, if there is one. A private incident has its card only "
                "in a private channel."
            ),
        ]
        | None
    ) = None
    confirm_public: bool = Field(
        default=False,
        description="Takes the title although a key with a leak guard sees in it what may not be "
        "meant for the public.",
    )


class IncidentFacts(RequestBody, CamelCase):
    """The facts that are corrected; one that is null or left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"severity": "critical", "description": "Since the deploy of 14:10."}],
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("title", "severity", "description")
            ],
        }
    )

    title: Title | None = None
    severity: SeverityName | None = None
    description: (
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=DESCRIPTION_MAX),
        ]
        | None
    ) = None
    confirm_public: bool = Field(
        default=False,
        description="Takes the title although a key with a leak guard sees in it what may not be "
        "meant for the public.",
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.title is None and self.severity is None and self.description is None:
            raise ValueError("must have a title, a severity or a description")
        return self


class StatusChange(RequestBody, CamelCase):
    """The next status, with a note that only responders can read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "identified"}]})

    status: StatusName
    resolution_note: UpdateText | None = None


class PublicUpdateBody(RequestBody, CamelCase):
    """A text for customers, with or without the next status and a promise of the next update."""

    visibility: Literal["public"]
    body: UpdateText
    status_change: StatusName | None = None
    next_update_in: (
        Annotated[
            int,
            Field(
                ge=SHORTEST_SECONDS,
                le=LONGEST_SECONDS,
                description="Promises the next public update in so many seconds, counted from the "
                "moment at which this one is public. There is no default.",
            ),
            BeforeValidator(without_fraction),
        ]
        | None
    ) = None
    confirm_public: bool = Field(
        default=False,
        description="Publishes the text although a key with a leak guard sees in it what may not "
        "be meant for the public.",
    )


class InternalUpdateBody(RequestBody, CamelCase):
    """A note that only responders can read, the next status, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("body", "statusChange")
            ]
        }
    )

    visibility: Literal["internal"]
    body: UpdateText | None = None
    status_change: StatusName | None = None


class Handoff(RequestBody, CamelCase):
    """The new owner of the incident."""

    target_user_id: UserId


class ComponentTags(RequestBody, CamelCase):
    """All components that the incident affects from now on."""

    component_ids: ComponentIds


class IncidentListQuery(ListQuery):
    """The filters of a list of incidents."""

    severity: Severity | None = None
    number: Annotated[int, Field(ge=1, le=NEWEST), whole_number(NEWEST)] | None = Field(
        None, description="The number of the only incident: 42 of INC-42."
    )
    open: Literal["true"] | None = Field(None, description="Only those that have not ended.")

    def filters(self) -> BoardFilter:
        """The same filters for `Incidents.listed`."""
        filters = replace(self.filter(self.severity), number=self.number)
        return filters if self.open is None else replace(filters, scope=Scope.OPEN)


# --- answers ---------------------------------------------------------------------------------


class AnswerPart(CamelCase):
    """A part of an answer. Absent facts are null; no field is left out."""

    model_config = ConfigDict(populate_by_name=True)


class PersonBody(AnswerPart):
    """A Slack user, or an API key (`key:…`)."""

    id: str
    name: str

    @classmethod
    def of(cls, person: Person | None) -> PersonBody | None:
        return cls(id=person.id, name=person.name) if person else None


class AffectedComponent(AnswerPart):
    """A component with its name."""

    id: UUID
    name: str


class Links(AnswerPart):
    """Places where people read the incident."""

    slack: Annotated[
        str | None,
        Field(description="The working card in Slack; null until Slack has it, or without one."),
    ]


class IncidentBody(AnswerPart):
    """`orgId` is the id of the workspace; `validNext` lists the statuses that may come next."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    org_id: str
    number: int
    title: str
    description: Annotated[
        str | None, Field(description="For everybody who sees the incident; never public.")
    ]
    severity: Severity
    status: str
    lifecycle: str
    valid_next: list[str]
    affected_components: list[AffectedComponent]
    private: bool
    owner_id: str | None
    acknowledged_by: PersonBody | None
    acknowledged_at: Annotated[Moment | None, Field(description="The first acknowledgement.")]
    resolved_at: Annotated[
        Moment | None,
        Field(description="The first status that is resolved in the words of the status page."),
    ]
    next_update_by: Annotated[
        Moment | None,
        Field(description="When the next public update is promised; past if it is overdue."),
    ]
    links: Links
    started_at: Annotated[
        Moment, Field(description="When it began; the declaration, unless it was given.")
    ]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, card: Card, **more: Any) -> Self:
        incident = card.incident
        return cls(
            id=incident.id,
            org_id=incident.workspace,
            number=incident.number,
            title=incident.title,
            description=incident.description,
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
            acknowledged_by=PersonBody.of(incident.acknowledged_by),
            acknowledged_at=card.acknowledged_at,
            resolved_at=card.resolved_at,
            next_update_by=incident.next_update_by,
            links=Links(slack=incident.card_link),
            started_at=incident.started_at,
            created_at=incident.created_at,
            updated_at=incident.updated_at,
            **more,
        )


class StatusHistoryEntry(AnswerPart):
    """One status of the incident. A public text is not repeated here: the updates have it."""

    id: UUID
    status: str
    changed_at: Moment
    resolution_note: str | None

    @classmethod
    def of(cls, update: Update) -> StatusHistoryEntry:
        internal = update.visibility is Visibility.INTERNAL
        return cls(
            id=update.id,
            status=str(update.status_change),
            changed_at=update.at,
            resolution_note=update.body if internal else None,
        )


class IncidentWithHistory(IncidentBody):
    """An incident with all its statuses, the initial one included, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    status_history: list[StatusHistoryEntry]


class UpdateBody(AnswerPart):
    """One entry of the timeline. `body` is null if there is no text or it was withdrawn."""

    id: UUID
    incident_id: UUID
    kind: Annotated[Kind, Field(description="What happened.")]
    old: Annotated[str | None, Field(description="The fact before: a status, a name, a title.")]
    new: Annotated[str | None, Field(description="The fact after; null with `old` if withdrawn.")]
    body: str | None
    status_change: str | None
    visibility: Visibility
    posted_by: PersonBody
    posted_at: Moment
    next_update_by: Annotated[
        Moment | None, Field(description="The promise of the next update that came with it.")
    ]
    redacted_at: Moment | None
    redacted_by: PersonBody | None

    @classmethod
    def of(cls, update: Update) -> UpdateBody:
        return cls(
            id=update.id,
            incident_id=update.incident,
            kind=update.kind,
            old=update.old,
            new=update.new,
            body=update.body,
            status_change=update.status_change,
            visibility=update.visibility,
            posted_by=PersonBody(id=update.by.id, name=update.by.name),
            posted_at=update.at,
            next_update_by=update.next_update_by,
            redacted_at=update.redacted_at,
            redacted_by=PersonBody.of(update.redacted_by),
        )


class IncidentPage(AnswerPart):
    """Newest first. `nextCursor` is null on the last page."""

    incidents: list[IncidentBody]
    next_cursor: str | None


class UpdateList(AnswerPart):
    """A page of the timeline, oldest first. `nextCursor` is null on the last page."""

    updates: list[UpdateBody]
    next_cursor: str | None


class DataEnvelope(BaseModel, Generic[T]):
    """The envelope of success."""

    data: T


# --- errors ----------------------------------------------------------------------------------
