"""Dialect 1, `/v1`: requests become commands, outcomes become answers. It has no rule."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from fastapi import Body, Query, Response
from pydantic import BaseModel

from bot.http import problems, shapes
from bot.http.call import CurrentCall, Dialect, IncidentId, answered
from bot.http.gate import uuid_of
from bot.http.operations import Operations, in_markdown
from bot.http.problems import Problem
from bot.http.review_shapes import ReportQuery, StatisticsBody, StatsQuery
from bot.http.shapes import EMPTY_BODY, EmptyBody, TimelineQuery
from bot.http.v1_errors import ErrorBody, Stopped, TransitionRefused, Unauthorized, ValidationFailed
from bot.http.v1_shapes import (
    AnswerPart,
    ComponentTags,
    DataEnvelope,
    Handoff,
    IncidentBody,
    IncidentFacts,
    IncidentListQuery,
    IncidentPage,
    IncidentWithHistory,
    InternalUpdateBody,
    NewIncident,
    PublicUpdateBody,
    StatusChange,
    StatusHistoryEntry,
    UpdateBody,
    UpdateId,
    UpdateList,
)
from core.boards import Page
from core.commands import Acknowledge, Change, Declare, Redact
from core.decision import Outcome
from core.errors import InvalidField
from core.incident import Note, PublicText, Update
from core.missing import NoSuchComponent
from core.promise import NextUpdate
from core.report import markdown
from core.store import Transaction

INVALID = 422
REFUSALS: dict[int, type[BaseModel]] = {
    400: TransitionRefused,
    401: Unauthorized,
    409: Stopped,
    INVALID: ValidationFailed,
}


def word(problem: Problem, request_id: UUID) -> tuple[int, str]:
    """``problem`` in the one shape of errors."""
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
    if problem.fields:
        body["errors"] = [
            {"field": one.field, "message": f"{one.field} {one.problem}."} for one in problem.fields
        ]
    if problem.findings:
        body["findings"] = [
            {"kind": one.kind.value, "start": one.start, "length": one.length}
            for one in problem.findings
        ]
    if refused := problem.refused:
        body["from"] = refused.incident.status
        body["to"] = refused.asked
        body["validNext"] = list(refused.next_steps)
    return problem.status, json.dumps(body)


def refusal_shape(status: int) -> type[BaseModel]:
    """The shape of the bodies with that status."""
    return REFUSALS.get(status, ErrorBody)


operations = Operations(
    Dialect(name="v1", word=word, refusal=refusal_shape, invalid=INVALID), tag="Dialect 1"
)


def wrapped(data: AnswerPart) -> str:
    """``data`` in the envelope of success."""
    return f'{{"data":{data.model_dump_json(by_alias=True)}}}'


def show_incident(tx: Transaction, outcome: Outcome) -> str:
    """The incident after the change."""
    (card,) = tx.times(outcome.incident.workspace, [outcome.incident])
    return wrapped(IncidentBody.of(card))


def show_update(_: Transaction, outcome: Outcome) -> str:
    """The new update."""
    return wrapped(UpdateBody.of(outcome.updates[0]))


def component_id(text: str) -> UUID:
    """The id of a component.

    Raises:
        NoSuchComponent: ``text`` is malformed, so no component has it.
    """
    found = uuid_of(text)
    if found is None:
        raise NoSuchComponent
    return found


@operations.changes(
    "POST", "/incidents", "Declare an incident", answer=DataEnvelope[IncidentBody], status=201
)
async def declare(call: CurrentCall, asked: NewIncident) -> Response:
    workspace = await call.incidents.workspace_of(call.actor.workspace)
    lifecycles = call.lifecycles.with_default(workspace.settings.default_lifecycle)
    command = Declare(
        actor=call.actor,
        id=uuid4(),
        title=asked.title,
        lifecycle=lifecycles.default
        if asked.lifecycle is None
        else lifecycles.find(asked.lifecycle),
        severity=asked.severity,
        private=asked.private,
        components=tuple(map(component_id, asked.component_ids)),
        owner=await call.owner(asked.owner_id, field="ownerId"),
        description=asked.description,
        place=await call.place(asked.channel_id),
        started_at=asked.started_at,
        confirmed=asked.confirm_public or not call.leak_guard,
    )
    fields = {"components": "componentIds", "started_at": "startedAt"}
    return await call.change(command, show_incident, fields=fields, status=201)


@operations.reads(
    "/incidents",
    "List incidents, newest first",
    answer=DataEnvelope[IncidentPage],
    refused=(INVALID,),
)
async def list_incidents(
    call: CurrentCall, asked: Annotated[IncidentListQuery, Query()]
) -> Response:
    await call.know_status(asked.status)
    filters = asked.filters()
    before = asked.before(filters)
    page = await call.incidents.listed(call.actor, filters, before=before, limit=asked.limit)
    body = IncidentPage(
        incidents=[IncidentBody.of(card) for card in page.items],
        next_cursor=shapes.cursor(filters, page.older),
    )
    return answered(200, wrapped(body))


@operations.reads(
    "/incidents/{id}",
    "Get an incident with its status history",
    answer=DataEnvelope[IncidentWithHistory],
)
async def get_incident(call: CurrentCall, incident_id: IncidentId) -> Response:
    card, moves = await call.incidents.history(call.actor, incident_id)
    history = [StatusHistoryEntry.of(update) for update in moves]
    return answered(200, wrapped(IncidentWithHistory.of(card, status_history=history)))


@operations.changes(
    "PATCH",
    "/incidents/{id}",
    "Correct title, severity or description",
    answer=DataEnvelope[IncidentBody],
)
async def correct(call: CurrentCall, incident_id: IncidentId, asked: IncidentFacts) -> Response:
    command = Change(
        actor=call.actor,
        ref=incident_id,
        title=asked.title,
        severity=asked.severity,
        description=asked.description,
        confirmed=asked.confirm_public or not call.leak_guard,
    )
    return await call.change(command, show_incident)


@operations.changes(
    "PATCH",
    "/incidents/{id}/status",
    "Move an incident to its next status",
    answer=DataEnvelope[IncidentBody],
)
async def move(call: CurrentCall, incident_id: IncidentId, asked: StatusChange) -> Response:
    note = None if asked.resolution_note is None else Note(asked.resolution_note)
    command = Change(actor=call.actor, ref=incident_id, to=asked.status, note=note)
    return await call.change(command, show_incident, fields={"note": "resolutionNote"})


def _next_update(asked: PublicUpdateBody) -> NextUpdate | None:
    """The promise in a request; over HTTP the severity makes none."""
    seconds = asked.next_update_in
    return None if seconds is None else NextUpdate(within=timedelta(seconds=seconds))


@operations.changes(
    "POST",
    "/incidents/{id}/updates",
    "Post a public update or a note, with or without the next status",
    answer=DataEnvelope[UpdateBody],
    status=201,
)
async def post_update(
    call: CurrentCall,
    incident_id: IncidentId,
    asked: Annotated[PublicUpdateBody | InternalUpdateBody, Body(discriminator="visibility")],
) -> Response:
    public = isinstance(asked, PublicUpdateBody)
    command = Change(
        actor=call.actor,
        ref=incident_id,
        to=asked.status_change,
        public=PublicText(str(asked.body)) if public else None,
        note=Note(asked.body) if asked.body is not None and not public else None,
        next_update=_next_update(asked) if isinstance(asked, PublicUpdateBody) else None,
        confirmed=not (
            call.leak_guard and isinstance(asked, PublicUpdateBody) and not asked.confirm_public
        ),
    )
    fields = {"note": "body", "public_update": "body", "next_update": "nextUpdateIn"}
    return await call.change(command, show_update, fields=fields, status=201, quotes_a_text=True)


@operations.reads(
    "/incidents/{id}/updates",
    "Get the timeline of an incident, notes included, oldest first",
    answer=DataEnvelope[UpdateList],
    refused=(INVALID,),
)
async def get_timeline(
    call: CurrentCall, incident_id: IncidentId, asked: Annotated[TimelineQuery, Query()]
) -> Response:
    def shown(page: Page[Update]) -> str:
        updates = [UpdateBody.of(update) for update in page.items]
        following = shapes.timeline_cursor("v1", incident_id, page.newer)
        return wrapped(UpdateList(updates=updates, next_cursor=following))

    body = await call.incidents.oldest_entries(
        call.actor,
        incident_id,
        after=asked.position("v1", incident_id) or 0,
        limit=asked.limit,
        then=shown,
    )
    return answered(200, body)


@operations.changes(
    "POST",
    "/incidents/{id}/updates/{updateId}/redact",
    "Withdraw the text of an update",
    answer=DataEnvelope[UpdateBody],
)
async def redact(
    call: CurrentCall, incident_id: IncidentId, update_id: UpdateId, _: EmptyBody = EMPTY_BODY
) -> Response:
    entry = uuid_of(update_id)
    if entry is None:
        raise problems.not_found("update")

    def show(tx: Transaction, outcome: Outcome) -> str:
        # Read from the store: a second redaction changes nothing, so the outcome has no update.
        redacted = tx.entry(outcome.incident, entry)
        return wrapped(UpdateBody.of(cast("Update", redacted)))

    command = Redact(actor=call.actor, ref=incident_id, entry=entry)
    return await call.change(command, show)


@operations.changes(
    "POST",
    "/incidents/{id}/acknowledge",
    "Acknowledge an incident",
    answer=DataEnvelope[IncidentBody],
)
async def acknowledge(
    call: CurrentCall, incident_id: IncidentId, _: EmptyBody = EMPTY_BODY
) -> Response:
    return await call.change(Acknowledge(actor=call.actor, ref=incident_id), show_incident)


@operations.changes(
    "POST",
    "/incidents/{id}/handoff",
    "Hand an incident over to another owner",
    answer=DataEnvelope[IncidentBody],
)
async def hand_off(call: CurrentCall, incident_id: IncidentId, asked: Handoff) -> Response:
    try:
        owner = await call.member(asked.target_user_id)
    except InvalidField:
        raise problems.invalid_target_user() from None
    command = Change(actor=call.actor, ref=incident_id, owner=owner)
    return await call.change(command, show_incident)


@operations.changes(
    "PUT",
    "/incidents/{id}/components",
    "Set the components that an incident affects",
    answer=DataEnvelope[IncidentBody],
)
async def tag(call: CurrentCall, incident_id: IncidentId, asked: ComponentTags) -> Response:
    components = tuple(map(component_id, asked.component_ids))
    command = Change(actor=call.actor, ref=incident_id, components=components)
    return await call.change(command, show_incident, fields={"components": "componentIds"})


@operations.reads_markdown(
    "/incidents/{id}/report.md", "Get the report of an incident as Markdown", refused=(INVALID,)
)
async def get_report(
    call: CurrentCall, incident_id: IncidentId, asked: Annotated[ReportQuery, Query()]
) -> Response:
    if asked.audience == "public":
        return in_markdown(await call.incidents.public_report(call.actor, incident_id))
    told = call.incidents.report(call.actor, incident_id, lambda _, report: markdown(report))
    return in_markdown(await told)


@operations.reads(
    "/stats",
    "Get the figures of the last days, beside those of the days before",
    answer=DataEnvelope[StatisticsBody],
    refused=(INVALID,),
)
async def get_statistics(call: CurrentCall, asked: Annotated[StatsQuery, Query()]) -> Response:
    made = await call.incidents.statistics(call.actor, period=timedelta(days=asked.days))
    return answered(200, wrapped(StatisticsBody.of(made)))
