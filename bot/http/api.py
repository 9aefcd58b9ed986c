"""Dialect 2, `/api`: requests become commands, outcomes become answers. It has no rule."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Query, Response
from pydantic import BaseModel

from bot.http import shapes
from bot.http.api_shapes import (
    CANONICAL,
    LIFECYCLE,
    CommentBody,
    FailureEnvelope,
    IncidentRecord,
    IncidentRecordQuery,
    IncidentRecords,
    IncidentReport,
    MovedIncident,
    StatusUpdate,
    SuccessEnvelope,
    TimelineEnvelope,
    UpdateRecord,
    ValidationFailureEnvelope,
    is_comment,
)
from bot.http.call import CurrentCall, Dialect, IncidentId, answered
from bot.http.operations import Operations
from bot.http.problems import Problem
from bot.http.shapes import EMPTY_BODY, EmptyBody, TimelineQuery
from core.boards import Page
from core.commands import Acknowledge, Change, Declare
from core.decision import Outcome
from core.incident import Note, Update
from core.refusals import Refused
from core.store import Transaction

INVALID = 400
CODES = {
    "not_authorized": "UNAUTHORIZED",
    "insufficient_scope": "FORBIDDEN",
    "server_error": "INTERNAL_ERROR",
}


def word(problem: Problem, request_id: UUID) -> tuple[int, str]:
    """``problem`` in the envelope of failures. Only the header has the id of the request."""
    del request_id
    details: dict[str, Any] = {one.field: one.problem for one in problem.fields}
    status, code, message = problem.status, problem.code, problem.message
    if status in {400, 422}:
        status, code = INVALID, "VALIDATION_ERROR"
    if refused := problem.refused:
        message = refusal(refused)
        details = {
            "fromStatus": refused.incident.status,
            "toStatus": refused.asked,
            "validTransitions": list(refused.next_steps),
        }
    error = {"code": CODES.get(code, code.upper()), "message": message, "details": details}
    return status, json.dumps({"success": False, "error": error})


def refusal(refused: Refused) -> str:
    """A refused transition in the words of this dialect."""
    here, to, steps = refused.incident.status, refused.asked, refused.next_steps
    if steps:
        return (
            f"Cannot transition incident from '{here}' to '{to}'. "
            f"Valid transitions: {', '.join(steps)}"
        )
    asked = f"Cannot transition from {here} to {to}. " if to else ""
    return f"{asked}Incident is in final state and cannot be modified."


def refusal_shape(status: int) -> type[BaseModel]:
    """The shape of the bodies with that status."""
    return ValidationFailureEnvelope if status == INVALID else FailureEnvelope


operations = Operations(
    Dialect(name="api", word=word, refusal=refusal_shape, invalid=INVALID), tag="Dialect 2"
)


def wrapped(data: BaseModel) -> str:
    """``data`` in the envelope of success."""
    return f'{{"success":true,"data":{data.model_dump_json()}}}'


def show_incident(_: Transaction, outcome: Outcome) -> str:
    """The incident after the change."""
    return wrapped(IncidentRecord.of(outcome.incident))


def show_moved(tx: Transaction, outcome: Outcome) -> str:
    """The incident after a transition, with the time of its recovery."""
    return wrapped(MovedIncident.of(tx.card(outcome.incident)))


def show_update(_: Transaction, outcome: Outcome) -> str:
    """The new update."""
    return wrapped(UpdateRecord.of(outcome.updates[0]))


@operations.changes(
    "POST", "/incidents", "Report an incident", answer=SuccessEnvelope[IncidentRecord], status=201
)
async def declare(call: CurrentCall, asked: IncidentReport) -> Response:
    command = Declare(
        actor=call.actor,
        id=uuid4(),
        title=asked.title,
        lifecycle=call.lifecycles.find(LIFECYCLE if asked.lifecycle is None else asked.lifecycle),
        severity=CANONICAL[asked.severity],
        description=asked.error_message,
        category=asked.type,
        started_at=asked.started_at,
        place=await call.place(),
        confirmed=asked.confirm_public or not call.leak_guard,
    )
    fields = {
        "category": "type",
        "description": "error_message",
        "confirmed": "confirm_public",
    }
    return await call.change(command, show_incident, fields=fields, status=201)


@operations.reads(
    "/incidents",
    "List incidents, newest first",
    answer=SuccessEnvelope[IncidentRecords],
    refused=(INVALID,),
)
async def list_incidents(
    call: CurrentCall, asked: Annotated[IncidentRecordQuery, Query()]
) -> Response:
    await call.know_status(asked.status)
    filters = asked.filter(CANONICAL[asked.severity] if asked.severity else None)
    before = asked.before(filters)
    page = await call.incidents.board(call.actor, filters, before=before, limit=asked.limit)
    records = IncidentRecords(
        incidents=[IncidentRecord.of(incident) for incident in page.items],
        next_cursor=shapes.cursor(filters, page.older),
    )
    return answered(200, wrapped(records))


@operations.reads("/incidents/{id}", "Get an incident", answer=SuccessEnvelope[IncidentRecord])
async def get_incident(call: CurrentCall, incident_id: IncidentId) -> Response:
    incident = await call.incidents.find(call.actor, incident_id)
    return answered(200, wrapped(IncidentRecord.of(incident)))


@operations.changes(
    "PUT",
    "/incidents/{id}/status",
    "Update the status of an incident",
    answer=SuccessEnvelope[MovedIncident],
)
async def move(call: CurrentCall, incident_id: IncidentId, asked: StatusUpdate) -> Response:
    command = Change(
        actor=call.actor,
        ref=incident_id,
        to=asked.status,
        note=None if asked.note is None else Note(asked.note),
        owner=await call.owner(asked.assignee_id, field="assignee_id"),
    )
    return await call.change(command, show_moved)


@operations.changes(
    "POST",
    "/incidents/{id}/acknowledge",
    "Acknowledge an incident",
    answer=SuccessEnvelope[IncidentRecord],
)
async def acknowledge(
    call: CurrentCall, incident_id: IncidentId, _: EmptyBody = EMPTY_BODY
) -> Response:
    return await call.change(Acknowledge(actor=call.actor, ref=incident_id), show_incident)


@operations.changes(
    "POST",
    "/incidents/{id}/updates",
    "Add a comment for responders",
    answer=SuccessEnvelope[UpdateRecord],
    status=201,
)
async def comment(call: CurrentCall, incident_id: IncidentId, asked: CommentBody) -> Response:
    command = Change(actor=call.actor, ref=incident_id, note=Note(asked.message))
    return await call.change(
        command, show_update, fields={"note": "message"}, status=201, quotes_a_text=True
    )


@operations.reads(
    "/incidents/{id}/updates",
    "Get the timeline of an incident without comments, newest first",
    answer=TimelineEnvelope,
    refused=(INVALID,),
)
async def get_timeline(
    call: CurrentCall, incident_id: IncidentId, asked: Annotated[TimelineQuery, Query()]
) -> Response:
    def shown(page: Page[Update]) -> str:
        return TimelineEnvelope(
            success=True,
            data=[UpdateRecord.of(update) for update in page.items],
            next_cursor=shapes.timeline_cursor("api", incident_id, page.older),
        ).model_dump_json()

    body = await call.incidents.newest_entries(
        call.actor,
        incident_id,
        before=asked.position("api", incident_id),
        limit=asked.limit,
        wanted=lambda update: not is_comment(update),
        then=shown,
    )
    return answered(200, body)
