"""The bodies of dialect 1 about webhooks. It has names and no rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.http.shapes import Moment, RequestBody, whole_number
from bot.http.v1_shapes import (
    AffectedComponent,
    AnswerPart,
    CamelCase,
    ComponentIds,
    PersonBody,
    SeverityName,
)
from bot.webhooks.verifying import Trial, third_secret
from core.endpoints import LOG_MAX, URL_MAX
from core.incident import Severity
from core.webhooks import Endpoint, EndpointState, HookEvent, Rotated, Sending

Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=URL_MAX),
    Field(
        description="Begins with https:// and answers a signed request.",
        examples=["https://example.com/hooks"],
    ),
]
LOG_PAGE = 20
SHOWN_ONCE = (
    "The secret was shown once, in the first answer. If that is lost, POST /v1/webhooks/{}/rotate "
    "with another Idempotency-Key, and give the receiver the secret of its answer."
)
# The fields of core by their names here, for refusals.
FIELDS: Mapping[str, str] = {"components": "componentIds"}


# --- requests --------------------------------------------------------------------------------


class HookFilter(RequestBody, CamelCase):
    """The incidents that a webhook gets. Without `severity`: all."""

    severity: SeverityName | None = Field(
        default=None, description="The lowest: `high` means high and critical."
    )
    component_ids: ComponentIds = Field(
        default=[], description="Only incidents that tag one of them; empty: every incident."
    )


class NewWebhook(HookFilter):
    """The address must answer a signed request, of type `webhook.verification`, with a 2xx."""

    url: Url


class SwitchBody(RequestBody, CamelCase):
    """Off, or on again: then it gets nothing of the time between."""

    on: bool


class ResendBody(RequestBody, CamelCase):
    """An event of the log, which is sent once more with the same id."""

    event_id: Annotated[UUID, Field(strict=False)]


class LogQuery(BaseModel):
    """How much of a log is read."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, whole_number(LOG_MAX)] = Field(LOG_PAGE, ge=1, le=LOG_MAX)


# --- answers ---------------------------------------------------------------------------------


class WebhookBody(AnswerPart):
    """An address that gets what becomes public. Its secret is in no later answer."""

    id: UUID
    url: str
    state: Annotated[
        EndpointState,
        Field(description="gone: it answered 410. silent: three days without a success."),
    ]
    severity: Severity | None
    components: list[AffectedComponent]
    added_by: PersonBody
    created_at: Moment
    starts_at: Annotated[Moment, Field(description="Nothing that was public before is sent.")]
    rotating_until: Annotated[
        Moment | None, Field(description="Until then the secret before signs as well.")
    ]
    last_success_at: Moment | None
    failing_since: Moment | None
    off_at: Moment | None

    @classmethod
    def of(cls, one: Endpoint) -> WebhookBody:
        return cls(**_facts(one))


class WebhookWithSecret(WebhookBody):
    """A webhook with its new secret, which is shown this once: no answer to a repetition has it."""

    secret: Annotated[
        str | None,
        Field(
            description="null in the answer to a repeated request.",
            examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
        ),
    ]
    notice: Annotated[
        str | None,
        Field(
            description="What to do without the secret; or which secret ended, if three were there."
        ),
    ]

    @classmethod
    def with_secret(cls, one: Endpoint, secret: str) -> WebhookWithSecret:
        return cls(**_facts(one), secret=secret, notice=None)

    @classmethod
    def rotated(cls, made: Rotated, secret: str) -> WebhookWithSecret:
        notice = third_secret(made)
        return cls(**_facts(made.endpoint), secret=secret, notice=notice)

    @classmethod
    def without_secret(cls, one: Endpoint) -> WebhookWithSecret:
        return cls(**_facts(one), secret=None, notice=SHOWN_ONCE.format(one.id))


def _facts(one: Endpoint) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "state": one.state,
        "severity": one.filter.severity,
        "components": [
            AffectedComponent(id=each.id, name=each.name) for each in one.filter.components
        ],
        "added_by": PersonBody(id=one.added_by.id, name=one.added_by.name),
        "created_at": one.added_at,
        "starts_at": one.starts_at,
        "rotating_until": one.rotating_until,
        "last_success_at": one.last_success_at,
        "failing_since": one.failing_since,
        "off_at": one.off_at,
    }


class WebhookList(AnswerPart):
    """All webhooks of the workspace, oldest first."""

    webhooks: list[WebhookBody]


class TrialBody(AnswerPart):
    """The end of a verification request. `status` is null where no answer came."""

    taken: bool
    status: int | None
    problem: Annotated[
        str | None, Field(description="What the address did, as the end of a sentence.")
    ]

    @classmethod
    def of(cls, trial: Trial) -> TrialBody:
        return cls(taken=not trial.problem, status=trial.status, problem=trial.problem or None)


class SendingBody(AnswerPart):
    """An event on its way to a webhook. `id` is the `webhook-id` of its requests."""

    id: UUID
    type: HookEvent
    incident_id: UUID | None
    component_id: UUID | None
    state: Annotated[
        str,
        Field(
            description="available: it waits. running: it is being sent. delivered: it was taken. "
            "merged: nothing was left to send, or the webhook was switched off. dead: it was given "
            "up.",
            examples=["delivered"],
        ),
    ]
    attempts: int
    error: Annotated[
        str | None, Field(description="The code of the last failure, or switched_off.")
    ]
    public_at: Moment
    next_attempt_at: Moment | None
    ended_at: Moment | None
    resent_at: Annotated[
        Moment | None, Field(description="When it was sent once more the last time, by `resend`.")
    ]

    @classmethod
    def of(cls, one: Sending) -> SendingBody:
        next_attempt: datetime | None = one.try_at if one.done_at is None else None
        return cls(
            id=one.uid,
            type=one.event,
            incident_id=one.incident,
            component_id=one.component,
            state=one.state,
            attempts=one.attempts,
            error=one.error,
            public_at=one.due_at,
            next_attempt_at=next_attempt,
            ended_at=one.done_at,
            resent_at=one.resent_at,
        )


class HookLog(AnswerPart):
    """The newest events of a webhook, newest first."""

    events: list[SendingBody]


class Resent(AnswerPart):
    """The event that is sent once more."""

    event_id: UUID
