"""The bodies of dialect 2: requests, answers and errors. It has names and no rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.http.shapes import (
    LifecycleName,
    ListQuery,
    Moment,
    MomentInput,
    RequestBody,
    StatusName,
    UserId,
)
from core.boards import Card
from core.incident import CATEGORY_MAX, TITLE_MAX, Incident, Kind, Severity, Update, Visibility

T = TypeVar("T")

LIFECYCLE = "response"
NOTE_MAX = 500
MESSAGE_MAX = 1_000
ERROR_MESSAGE_MAX = 1_000


class SeverityWord(StrEnum):
    """The severities of this dialect, from the most severe on."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


CANONICAL = dict(zip(SeverityWord, Severity, strict=True))
SPOKEN = {severity: word for word, severity in CANONICAL.items()}

# The `action` of each kind of update. A transition to one of STEPS has the name of the status.
ACTIONS = {
    Kind.DECLARED: "created",
    Kind.MOVED: "status_changed",
    Kind.ACKNOWLEDGED: "acknowledged",
    Kind.WROTE: "update_published",
    Kind.ASSIGNED: "assigned",
    Kind.SEVERITY: "severity_changed",
    Kind.DESCRIPTION: "description_changed",
    Kind.TITLE: "title_changed",
    Kind.COMPONENTS: "components_changed",
    Kind.PRIVACY: "privacy_changed",
    Kind.INVITED: "person_invited",
    Kind.UNINVITED: "person_uninvited",
    Kind.CORRECTED: "update_published",
    Kind.RESOLUTION: "resolution_named",
    Kind.REPORTED: "report_written",
    Kind.PROMISED: "update_promised",
    Kind.TOOK_OVER: "taken_over",
    Kind.DECLINED: "assigned",
    Kind.CHANNEL: "channel_changed",
}
STEPS = frozenset({"acknowledged", "resolved", "closed"})
COMMENT = "comment_added"


# --- requests --------------------------------------------------------------------------------


class IncidentReport(RequestBody):
    """A new incident. Without `started_at` it starts now."""

    severity: Annotated[SeverityWord, Field(strict=False)]
    title: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX)
    ]
    type: (
        Annotated[
            str, StringConstraints(strip_whitespace=True, min_length=1, max_length=CATEGORY_MAX)
        ]
        | None
    ) = Field(None, description="The kind of failure, in a word.", examples=["timeout"])
    error_message: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=ERROR_MESSAGE_MAX)]
        | None
    ) = None
    started_at: MomentInput | None = None
    lifecycle: LifecycleName | None = None
    confirm_public: bool = Field(
        default=False,
        description="Takes the title although a key with a leak guard sees in it what may not be "
        "meant for the public.",
    )


class StatusUpdate(RequestBody):
    """The next status, with a note for responders. Without `assignee_id` the owner stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "closed", "note": "The check was wrong."}]}
    )

    status: StatusName
    note: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_MAX)]
        | None
    ) = None
    assignee_id: UserId | None = None


class CommentBody(RequestBody):
    """A comment that only responders can read."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": "db-3 lost its quorum at 08:14"}]}
    )

    message: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MESSAGE_MAX)
    ]


class IncidentRecordQuery(ListQuery):
    """The filters of a list of incidents."""

    severity: SeverityWord | None = None


# --- answers ---------------------------------------------------------------------------------


class IncidentRecord(BaseModel):
    """`valid_transitions` lists the statuses that may come next."""

    id: UUID
    number: int
    title: str
    type: str | None
    severity: SeverityWord
    status: str
    lifecycle: str
    valid_transitions: list[str]
    error_message: str | None
    private: bool
    assignee_id: str | None
    acknowledged_by: str | None
    started_at: Moment
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, incident: Incident) -> Self:
        return cls(
            id=incident.id,
            number=incident.number,
            title=incident.title,
            type=incident.category,
            severity=SPOKEN[incident.severity],
            status=incident.status,
            lifecycle=incident.lifecycle.name,
            valid_transitions=list(incident.next_steps),
            error_message=incident.description,
            private=incident.private,
            assignee_id=incident.owner.id if incident.owner else None,
            acknowledged_by=incident.acknowledged_by.id if incident.acknowledged_by else None,
            started_at=incident.started_at,
            created_at=incident.created_at,
            updated_at=incident.updated_at,
        )


class MovedIncident(BaseModel):
    """`recovery_time_seconds`: from the start to the first resolution, null before."""

    incident: IncidentRecord
    recovery_time_seconds: int | None

    @classmethod
    def of(cls, card: Card) -> Self:
        began, ended = card.incident.started_at, card.resolved_at
        return cls(
            incident=IncidentRecord.of(card.incident),
            recovery_time_seconds=int((ended - began).total_seconds()) if ended else None,
        )


class UpdateRecord(BaseModel):
    """One entry of the timeline. `message` is null if there is no text or it was withdrawn."""

    id: UUID
    incident_id: UUID
    action: str
    user_id: str
    user_name: str
    message: str | None
    old_value: str | None
    new_value: str | None
    created_at: Moment

    @classmethod
    def of(cls, update: Update) -> Self:
        return cls(
            id=update.id,
            incident_id=update.incident,
            action=action(update),
            user_id=update.by.id,
            user_name=update.by.name,
            message=update.body,
            old_value=_value(update, update.old),
            new_value=_value(update, update.new),
            created_at=update.at,
        )


def action(update: Update) -> str:
    """The kind of change that ``update`` records."""
    if is_comment(update):
        return COMMENT
    if update.kind is Kind.MOVED and update.new in STEPS:
        return update.new
    return ACTIONS[update.kind]


def _value(update: Update, value: str | None) -> str | None:
    """``value`` in the words of this dialect."""
    return SPOKEN[Severity(value)] if value and update.kind is Kind.SEVERITY else value


def is_comment(update: Update) -> bool:
    """Whether ``update`` is only a note."""
    return update.kind is Kind.WROTE and update.visibility is Visibility.INTERNAL


class IncidentRecords(BaseModel):
    """Newest first. `next_cursor` is null on the last page."""

    incidents: list[IncidentRecord]
    next_cursor: str | None


class SuccessEnvelope(BaseModel, Generic[T]):
    """The envelope of success."""

    success: Literal[True]
    data: T


class TimelineEnvelope(BaseModel):
    """A page of the timeline. `next_cursor` is null on the last page."""

    success: Literal[True]
    data: list[UpdateRecord]
    next_cursor: str | None


class FailureError(BaseModel):
    """`code` is for programs, `message` for people."""

    code: str
    message: str
    details: dict[str, str]


class TransitionDetails(BaseModel):
    """The current status, the requested one and the valid ones."""

    model_config = ConfigDict(populate_by_name=True)

    from_status: str = Field(alias="fromStatus")
    to_status: str | None = Field(alias="toStatus")
    valid_transitions: list[str] = Field(alias="validTransitions")


class ValidationFailure(BaseModel):
    """`details`: `fromStatus` after a refused transition; otherwise each field with its error."""

    code: Literal["VALIDATION_ERROR"]
    message: str
    details: TransitionDetails | dict[str, str]


class FailureEnvelope(BaseModel):
    """The envelope of every error but 400."""

    success: Literal[False]
    error: FailureError


class ValidationFailureEnvelope(BaseModel):
    """The envelope of a body that fails validation, and of a refused transition."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": False,
                    "error": {
                        "code": "VALIDATION_ERROR",
                        "message": "Cannot transition from closed to open. Incident is in final "
                        "state and cannot be modified.",
                        "details": {
                            "fromStatus": "closed",
                            "toStatus": "open",
                            "validTransitions": [],
                        },
                    },
                }
            ]
        }
    )

    success: Literal[False]
    error: ValidationFailure
