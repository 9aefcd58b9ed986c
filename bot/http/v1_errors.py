"""The errors of dialect 1, as they are answered. They have names and no rule."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from bot.http.v1_shapes import AnswerPart
from core.leaks import LeakKind


class ErrorBody(AnswerPart):
    """The shape of every error. `message` names the cause and a way out."""

    status_code: int
    type: Literal[
        "invalid_request_error", "not_authorized_error", "validation_error", "internal_error"
    ]
    code: str
    request_id: UUID
    message: str


class Unauthorized(ErrorBody):
    """The API key is missing or invalid."""

    code: Literal["not_authorized"]
    reason: Literal["missing_authorization_header", "invalid_api_key"]


class TransitionRefused(ErrorBody):
    """A refused transition also has the current status, the requested one and the valid ones."""

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


class LeakPlace(AnswerPart):
    """A place of the text, in characters after trimming. Its words are not repeated."""

    kind: LeakKind
    start: int
    length: int


class Stopped(ErrorBody):
    """Something stands against it now. `findings` comes with `possible_leak` alone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "statusCode": 409,
                    "type": "invalid_request_error",
                    "code": "possible_leak",
                    "requestId": "0d4f0b1e-5f0a-4a56-9d0c-5d5f1c0f9a11",
                    "message": "Nothing was published on INC-42: the public text may hold words "
                    "of a private note. Change it, or confirm it. `confirmPublic: true` "
                    "confirms it.",
                    "findings": [{"kind": "note", "start": 12, "length": 4}],
                }
            ]
        }
    )

    code: Literal["idempotency_conflict", "name_conflict", "possible_leak"]
    findings: list[LeakPlace] | None = None


class FieldErrorBody(AnswerPart):
    """The error of one field."""

    field: str
    message: str


class ValidationFailed(ErrorBody):
    """The body or the query fails validation."""

    code: Literal["validation_failed"]
    errors: list[FieldErrorBody]
