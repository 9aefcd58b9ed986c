"""Dialect 1, `/v1`: translates requests into commands, outcomes into answers. It holds no rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel

from bot.http import problems, shapes
from bot.http.gate import door, uuid_of
from bot.http.problems import Problem
from bot.http.shapes import NOTHING, Nothing
from bot.http.v1_shapes import (
    Answer,
    ComponentList,
    Filters,
    Handoff,
    IncidentPage,
    IncidentWithHistory,
    InternalUpdate,
    Invalid,
    Move,
    MoveRefused,
    NewComponent,
    NewIncident,
    PublicUpdate,
    Refusal,
    Shown,
    ShownComponent,
    ShownIncident,
    ShownUpdate,
    StatusChange,
    Tags,
    Unauthorized,
    UpdateId,
    UpdateList,
)
from bot.http.visit import Dialect, OnIncident, Visiting, answered
from core.errors import InvalidField
from core.incident import (
    Acknowledge,
    Change,
    Declare,
    DescribedComponent,
    Note,
    Outcome,
    PublicText,
    Redact,
    Update,
)
from core.refusals import NoSuchComponent
from core.service import Transaction

SHAPES = {400: MoveRefused, 401: Unauthorized, 422: Invalid}
OF_ANY_CHANGE = (403, 409, 413, 415, 422)


def word(problem: Problem, request_id: UUID) -> tuple[int, str]:
    """``problem`` in the one shape that errors have here."""
    match problem.status:
        case 401:
            kind = "not_authorized_error"
        case 422:
            kind = "validation_error"
        case status if status >= 500:
            kind = "internal_error"
        case _:
            kind = "invalid_request_error"
    body: dict[str, Any] = {
        "statusCode": problem.status,
        "type": kind,
        "code": problem.code,
        "requestId": str(request_id),
        "message": problem.message,
    }
    if problem.reason:
        body["reason"] = problem.reason
    if problem.faults:
        body["errors"] = [
            {"field": fault.field, "message": f"{fault.field} {fault.problem}."}
            for fault in problem.faults
        ]
    if refused := problem.refused:
        body["from"] = refused.incident.status
        body["to"] = refused.asked
        body["validNext"] = list(refused.next_steps)
    return problem.status, json.dumps(body)


DIALECT = Dialect("v1", word)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the description says of an operation that may be refused so."""
    return {status: {"model": SHAPES.get(status, Refusal)} for status in statuses}


def wrapped(shown: Shown) -> str:
    """``shown`` in the envelope of what was done."""
    return f'{{"data":{shown.model_dump_json(by_alias=True)}}}'


def show_incident(_: Transaction, outcome: Outcome) -> str:
    """The incident as it is after the change."""
    return wrapped(ShownIncident.of(outcome.incident))


def show_update(_: Transaction, outcome: Outcome) -> str:
    """The update that was written."""
    return wrapped(ShownUpdate.of(outcome.updates[0]))


def component_id(text: str) -> UUID:
    """The id of a component.

    Raises:
        NoSuchComponent: it is no id, so that no component has it.
    """
    found = uuid_of(text)
    if found is None:
        raise NoSuchComponent
    return found


routes = APIRouter(
    prefix="/v1",
    tags=["Dialect 1"],
    route_class=door(DIALECT),
    responses=refusals(401, 429, 500, 503),
)


def changes(
    method: str,
    path: str,
    summary: str,
    *,
    status: int = 200,
    answer: type[BaseModel] = Answer[ShownIncident],
    refused: tuple[int, ...] = (400, 404),
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


@changes("POST", "/incidents", "Declare an incident", status=201, refused=(400,))
async def declare(visit: Visiting, asked: NewIncident) -> Response:
    visit.named = {"components": "componentIds", "owner": "ownerId"}
    command = Declare(
        actor=visit.actor,
        id=uuid4(),
        title=asked.title,
        lifecycle=visit.lifecycles.default
        if asked.lifecycle is None
        else visit.lifecycles.find(asked.lifecycle),
        severity=asked.severity,
        private=asked.private,
        components=tuple(map(component_id, asked.component_ids)),
        owner=await visit.leader(asked.owner_id),
        description=asked.description,
    )
    return await visit.change(command, show_incident, status=201)


@routes.get(
    "/incidents",
    response_model=Answer[IncidentPage],
    responses=refusals(422),
    summary="List incidents, newest first",
)
async def listing(visit: Visiting, asked: Annotated[Filters, Query()]) -> Response:
    narrowed = asked.narrowed(asked.severity)
    before = asked.before(narrowed)
    page = await visit.incidents.board(visit.actor, narrowed, before=before, limit=asked.limit)
    shown = IncidentPage(
        incidents=[ShownIncident.of(incident) for incident in page.items],
        next_cursor=shapes.cursor(narrowed, page.older),
    )
    return answered(200, wrapped(shown))


@routes.get(
    "/incidents/{id}",
    response_model=Answer[IncidentWithHistory],
    responses=refusals(404),
    summary="Get an incident with its status history",
)
async def one(visit: OnIncident) -> Response:
    incident, moves = await visit.incidents.history(visit.actor, visit.incident)
    history = [Move.of(update) for update in moves]
    return answered(200, wrapped(IncidentWithHistory.of(incident, status_history=history)))


@changes("PATCH", "/incidents/{id}/status", "Move an incident to its next status")
async def move(visit: OnIncident, asked: StatusChange) -> Response:
    visit.named = {"note": "resolutionNote"}
    note = None if asked.resolution_note is None else Note(asked.resolution_note)
    command = Change(actor=visit.actor, ref=visit.incident, to=asked.status, note=note)
    return await visit.change(command, show_incident)


@changes(
    "POST",
    "/incidents/{id}/updates",
    "Post a public update or a note, with or without the next status",
    status=201,
    answer=Answer[ShownUpdate],
)
async def post_update(
    visit: OnIncident,
    asked: Annotated[PublicUpdate | InternalUpdate, Body(discriminator="visibility")],
) -> Response:
    visit.named = {"note": "body", "public_update": "body"}
    public = isinstance(asked, PublicUpdate)
    command = Change(
        actor=visit.actor,
        ref=visit.incident,
        to=asked.status_change,
        public=PublicText(str(asked.body)) if public else None,
        note=Note(asked.body) if asked.body is not None and not public else None,
    )
    return await visit.change(command, show_update, status=201, quotes_a_text=True)


@routes.get(
    "/incidents/{id}/updates",
    response_model=Answer[UpdateList],
    responses=refusals(404),
    summary="Get the timeline of an incident, notes included, oldest first",
)
async def timeline(visit: OnIncident) -> Response:
    updates = await visit.incidents.whole_timeline(visit.actor, visit.incident)
    return answered(200, wrapped(UpdateList(updates=[ShownUpdate.of(u) for u in updates])))


@changes(
    "POST",
    "/incidents/{id}/updates/{updateId}/redact",
    "Withdraw the text of an update",
    answer=Answer[ShownUpdate],
)
async def redact(visit: OnIncident, update: UpdateId, _: Nothing = NOTHING) -> Response:
    entry = uuid_of(update)
    if entry is None:
        raise problems.not_found("update")

    def show(tx: Transaction, outcome: Outcome) -> str:
        # Also where it had been withdrawn before, and the outcome tells of no change.
        redacted = tx.entry(outcome.incident, entry)
        return wrapped(ShownUpdate.of(cast("Update", redacted)))

    command = Redact(actor=visit.actor, ref=visit.incident, entry=entry)
    return await visit.change(command, show)


@changes("POST", "/incidents/{id}/acknowledge", "Say that somebody is looking at it")
async def acknowledge(visit: OnIncident, _: Nothing = NOTHING) -> Response:
    command = Acknowledge(actor=visit.actor, ref=visit.incident)
    return await visit.change(command, show_incident)


@changes("POST", "/incidents/{id}/handoff", "Hand an incident over to somebody")
async def hand_off(visit: OnIncident, asked: Handoff) -> Response:
    try:
        owner = await visit.leader(asked.target_user_id)
    except InvalidField:
        raise problems.invalid_target_user() from None
    command = Change(actor=visit.actor, ref=visit.incident, owner=owner)
    return await visit.change(command, show_incident)


@changes("PUT", "/incidents/{id}/components", "Say which components an incident affects")
async def tag(visit: OnIncident, asked: Tags) -> Response:
    visit.named = {"components": "componentIds"}
    named = tuple(map(component_id, asked.component_ids))
    command = Change(actor=visit.actor, ref=visit.incident, components=named)
    return await visit.change(command, show_incident)


@routes.get("/components", response_model=Answer[ComponentList], summary="List components")
async def components(visit: Visiting) -> Response:
    known = await visit.incidents.components(visit.actor)
    return answered(
        200, wrapped(ComponentList(components=[ShownComponent.of(one) for one in known]))
    )


@changes(
    "POST", "/components", "Make a component", status=201, answer=Answer[ShownComponent], refused=()
)
async def make_component(visit: Visiting, asked: NewComponent) -> Response:
    visit.named = {"group": "groupLabel"}

    def show(tx: Transaction, made: DescribedComponent) -> str:
        body = wrapped(ShownComponent.of(made))
        visit.keep(tx, 201, body)
        return body

    body = await visit.incidents.make_component(
        visit.actor,
        name=asked.name,
        description=asked.description,
        group=asked.group_label,
        then=show,
    )
    return visit.done(body, status=201)
