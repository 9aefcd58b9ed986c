"""Dialect 2, `/api`: translates requests into commands, outcomes into answers. It holds no rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from bot.http import shapes
from bot.http.api_shapes import (
    CANONICAL,
    LIFECYCLE,
    FailedValidation,
    Failure,
    Filters,
    IncidentRecord,
    IncidentRecords,
    Message,
    MovedIncident,
    NewStatus,
    Report,
    Success,
    UpdateRecord,
    is_comment,
)
from bot.http.gate import door
from bot.http.problems import Problem
from bot.http.shapes import NOTHING, Nothing
from bot.http.visit import Dialect, OnIncident, Visiting, answered
from core.incident import Acknowledge, Change, Declare, Note, Outcome
from core.refusals import Refused
from core.service import Transaction

OF_ANY_CHANGE = (400, 403, 409, 413, 415)
CODES = {
    "not_authorized": "UNAUTHORIZED",
    "insufficient_scope": "FORBIDDEN",
    "server_error": "INTERNAL_ERROR",
}


def word(problem: Problem, request_id: UUID) -> tuple[int, str]:
    """``problem`` in the envelope that failures have here; its request is in the header alone."""
    del request_id
    details: dict[str, Any] = {fault.field: fault.problem for fault in problem.faults}
    status, code, message = problem.status, problem.code, problem.message
    if status in {400, 422}:
        status, code = 400, "VALIDATION_ERROR"
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
    """Why an incident cannot move, in the words of this dialect."""
    here, to, steps = refused.incident.status, refused.asked, refused.next_steps
    if steps:
        return (
            f"Cannot transition incident from '{here}' to '{to}'. "
            f"Valid transitions: {', '.join(steps)}"
        )
    asked = f"Cannot transition from {here} to {to}. " if to else ""
    return f"{asked}Incident is in final state and cannot be modified."


DIALECT = Dialect("api", word)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the description says of an operation that may be refused so."""
    return {
        status: {"model": FailedValidation if status == 400 else Failure} for status in statuses
    }


def wrapped(data: BaseModel | list[UpdateRecord]) -> str:
    """``data`` in the envelope of what was done."""
    shown = (
        data.model_dump_json()
        if isinstance(data, BaseModel)
        else f"[{','.join(one.model_dump_json() for one in data)}]"
    )
    return f'{{"success":true,"data":{shown}}}'


def show_incident(_: Transaction, outcome: Outcome) -> str:
    """The incident as it is after the change."""
    return wrapped(IncidentRecord.of(outcome.incident))


def show_moved(tx: Transaction, outcome: Outcome) -> str:
    """The incident after a move, with how long the recovery took."""
    return wrapped(MovedIncident.of(tx.card(outcome.incident)))


def show_update(_: Transaction, outcome: Outcome) -> str:
    """The update that was written."""
    return wrapped(UpdateRecord.of(outcome.updates[0]))


routes = APIRouter(
    prefix="/api",
    tags=["Dialect 2"],
    route_class=door(DIALECT),
    responses=refusals(401, 429, 500, 503),
)


def changes(
    method: str,
    path: str,
    summary: str,
    *,
    answer: type[BaseModel],
    status: int = 200,
    refused: tuple[int, ...] = (404,),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorator of an operation that changes something."""
    return routes.api_route(
        path,
        methods=[method],
        summary=summary,
        status_code=status,
        response_model=answer,
        responses=refusals(*OF_ANY_CHANGE, *refused),
    )


@changes(
    "POST",
    "/incidents",
    "Report an incident",
    status=201,
    answer=Success[IncidentRecord],
    refused=(),
)
async def declare(visit: Visiting, asked: Report) -> Response:
    visit.named = {"category": "type", "description": "error_message"}
    command = Declare(
        actor=visit.actor,
        id=uuid4(),
        title=asked.title,
        lifecycle=visit.lifecycles.find(LIFECYCLE if asked.lifecycle is None else asked.lifecycle),
        severity=CANONICAL[asked.severity],
        description=asked.error_message,
        category=asked.type,
        started_at=asked.started_at,
    )
    return await visit.change(command, show_incident, status=201)


@routes.get(
    "/incidents",
    response_model=Success[IncidentRecords],
    responses=refusals(400),
    summary="List incidents, newest first",
)
async def listing(visit: Visiting, asked: Annotated[Filters, Query()]) -> Response:
    narrowed = asked.narrowed(CANONICAL[asked.severity] if asked.severity else None)
    before = asked.before(narrowed)
    page = await visit.incidents.board(visit.actor, narrowed, before=before, limit=asked.limit)
    shown = IncidentRecords(
        incidents=[IncidentRecord.of(incident) for incident in page.items],
        next_cursor=shapes.cursor(narrowed, page.older),
    )
    return answered(200, wrapped(shown))


@routes.get(
    "/incidents/{id}",
    response_model=Success[IncidentRecord],
    responses=refusals(404),
    summary="Get an incident",
)
async def one(visit: OnIncident) -> Response:
    incident = await visit.incidents.find(visit.actor, visit.incident)
    return answered(200, wrapped(IncidentRecord.of(incident)))


@changes(
    "PUT",
    "/incidents/{id}/status",
    "Update the status of an incident",
    answer=Success[MovedIncident],
)
async def move(visit: OnIncident, asked: NewStatus) -> Response:
    visit.named = {"owner": "assignee_id"}
    command = Change(
        actor=visit.actor,
        ref=visit.incident,
        to=asked.status,
        note=None if asked.note is None else Note(asked.note),
        owner=await visit.leader(asked.assignee_id),
    )
    return await visit.change(command, show_moved)


@changes(
    "POST",
    "/incidents/{id}/acknowledge",
    "Say that somebody is looking at it",
    answer=Success[IncidentRecord],
)
async def acknowledge(visit: OnIncident, _: Nothing = NOTHING) -> Response:
    return await visit.change(Acknowledge(actor=visit.actor, ref=visit.incident), show_incident)


@changes(
    "POST",
    "/incidents/{id}/updates",
    "Add a comment for responders",
    status=201,
    answer=Success[UpdateRecord],
)
async def comment(visit: OnIncident, asked: Message) -> Response:
    visit.named = {"note": "message"}
    command = Change(actor=visit.actor, ref=visit.incident, note=Note(asked.message))
    return await visit.change(command, show_update, status=201, quotes_a_text=True)


@routes.get(
    "/incidents/{id}/updates",
    response_model=Success[list[UpdateRecord]],
    responses=refusals(404),
    summary="Get what happened to an incident, newest first, without comments",
)
async def timeline(visit: OnIncident) -> Response:
    updates = await visit.incidents.whole_timeline(visit.actor, visit.incident)
    shown = [UpdateRecord.of(update) for update in reversed(updates) if not is_comment(update)]
    return answered(200, wrapped(shown))
