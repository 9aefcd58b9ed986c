"""The rows of webhooks: endpoints, and the messages that a change writes to them with itself.

Only modules of `storage` use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Update, bindparam, case, delete, exists, or_, select, update

from core.decision import Decision
from core.incident import Incident, Person
from core.page import ComponentStatus, Override
from core.webhooks import (
    FAILED,
    SWITCHED_OFF,
    Endpoint,
    EndpointState,
    HookEvent,
    Secrets,
    Sending,
    happenings,
    retagged,
    touched,
)
from storage import pages
from storage.filters import columns_of, filters_of
from storage.hook_rows import about, about_components, message_row, of, wants
from storage.models import (
    State,
    among,
    webhook,
    webhook_component,
    webhook_message,
    webhook_told,
)
from storage.models import workspace as workspaces
from storage.rows import AnyRow
from storage.statements import upsert

# Lists select no secret.
_LISTED = select(*(one for one in webhook.c if one.name not in {"secret", "old_secret"})).order_by(
    webhook.c.workspace_id, webhook.c.added_at, webhook.c.id
)
_ENDPOINTS = _LISTED.where(webhook.c.workspace_id == bindparam("workspace"))
_FAILED = _LISTED.where(webhook.c.state.in_(FAILED))
_ON = _ENDPOINTS.where(webhook.c.state == EndpointState.ON)
_ADD = webhook.insert()
_is_it = (webhook.c.workspace_id == bindparam("workspace")) & (webhook.c.id == bindparam("hook"))
_SECRETS = select(webhook.c.secret, webhook.c.old_secret, webhook.c.rotating_until).where(_is_it)
_REFILTER = (
    update(webhook)
    .where(_is_it)
    .values(severity=bindparam("lowest"), components=bindparam("limited_to"))
)
_ROTATE = (
    update(webhook)
    .where(_is_it)
    .values(
        old_secret=webhook.c.secret,
        secret=bindparam("new_secret"),
        rotating_until=bindparam("until"),
    )
)
_SWITCH = (
    update(webhook)
    .where(_is_it)
    .values(
        state=bindparam("new_state"),
        off_at=bindparam("since"),
        starts_at=bindparam("start"),
        failing_since=bindparam("failing"),
        held_until=None,
    )
)
_SWITCH_OFF = (
    update(webhook).where(_is_it).values(state=bindparam("new_state"), off_at=bindparam("since"))
)
_MARK = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(
        has_webhooks=case(
            (
                exists().where(
                    webhook.c.workspace_id == bindparam("workspace"),
                    webhook.c.state == EndpointState.ON,
                ),
                True,
            )
        )
    )
)
_REMOVE = (
    *(
        delete(table).where(
            table.c.workspace_id == bindparam("workspace"), table.c.webhook_id == bindparam("hook")
        )
        for table in (webhook_message, webhook_told, webhook_component)
    ),
    delete(webhook).where(_is_it),
)
_KNOW = upsert(
    lambda insert: insert(webhook_component).on_conflict_do_update(
        index_elements=list(webhook_component.primary_key),
        set_={"status": insert(webhook_component).excluded.status},
    )
)
_TOLD = select(webhook_told.c.webhook_id).where(
    webhook_told.c.workspace_id == bindparam("workspace"),
    webhook_told.c.incident_id == bindparam("incident"),
)
_TELL = upsert(lambda insert: insert(webhook_told).on_conflict_do_nothing())
_FORGET = delete(webhook_told).where(
    webhook_told.c.workspace_id == bindparam("workspace"),
    webhook_told.c.incident_id == bindparam("incident"),
)
_SEND = webhook_message.insert()
# The word to people that an endpoint is off: a message beside its events.
NOTICE = "webhook.off"
_is_event = webhook_message.c.event != NOTICE
# In the place of an entry: a component has another name. It belongs to no timeline.
RENAMED = 0
_LOG = (
    select(webhook_message)
    .where(
        webhook_message.c.workspace_id == bindparam("workspace"),
        webhook_message.c.webhook_id == bindparam("hook"),
        _is_event,
    )
    .order_by(webhook_message.c.id.desc())
    .limit(bindparam("limit"))
)
_RESEND = (
    update(webhook_message)
    .where(
        webhook_message.c.workspace_id == bindparam("workspace"),
        webhook_message.c.webhook_id == bindparam("hook"),
        webhook_message.c.uid == bindparam("sought"),
        _is_event,
        webhook_message.c.state.in_([State.DELIVERED, State.DEAD]),
        webhook_message.c.due_at >= bindparam("start"),
    )
    .values(
        state=State.AVAILABLE,
        attempts=0,
        try_at=bindparam("at"),
        done_at=None,
        error=None,
        resent_at=bindparam("at"),
    )
)
_is_waiting = among(webhook_message.c.state, State.AVAILABLE)
_of_incident = (webhook_message.c.workspace_id == bindparam("workspace")) & (
    webhook_message.c.incident_id == bindparam("incident")
)


def _drop(*conditions: Any) -> Update:
    """Nothing is left to be sent of what waits under these conditions."""
    return (
        update(webhook_message)
        .where(_is_waiting, *conditions)
        .values(state=State.MERGED, done_at=bindparam("at"))
    )


_START_ANEW = (
    update(webhook)
    .where(webhook.c.starts_at < bindparam("start"))
    .values(starts_at=bindparam("start"))
)
_DROP_ALL = (
    update(webhook_message)
    .where(webhook_message.c.state.in_([State.AVAILABLE, State.RUNNING]))
    .values(state=State.MERGED, done_at=bindparam("at"))
)
_DROP_OF_INCIDENT = _drop(_of_incident)
_MOMENT = bindparam("moment", type_=webhook_message.c.due_at.type)
# The bare step that is left of a text, and the components that follow from it, wait no longer. A
# message about a component names no incident: it was written at the same moment as the step.
_WAIT_NO_LONGER = (
    update(webhook_message)
    .where(
        _is_waiting,
        webhook_message.c.workspace_id == bindparam("workspace"),
        or_(
            (webhook_message.c.incident_id == bindparam("incident"))
            & (webhook_message.c.entry == bindparam("number")),
            webhook_message.c.incident_id.is_(None)
            & (webhook_message.c.event == HookEvent.COMPONENT)
            & (webhook_message.c.created_at == bindparam("written"))
            & (webhook_message.c.due_at == bindparam("held_until")),
        ),
        webhook_message.c.due_at > _MOMENT,
    )
    .values(due_at=_MOMENT, try_at=_MOMENT)
)
_DROP_OF_ENTRY = _drop(_of_incident, webhook_message.c.entry == bindparam("number"))
_DROP_OF_ENDPOINT = _drop(
    webhook_message.c.workspace_id == bindparam("workspace"),
    webhook_message.c.webhook_id == bindparam("hook"),
).values(error=SWITCHED_OFF)
_DROP_EVENTS = _DROP_OF_ENDPOINT.where(_is_event)
# An incident that is not public yet is told of at the end of the newest title's hold.
_WAIT_FOR_TITLE = (
    update(webhook_message)
    .where(_is_waiting, _of_incident, webhook_message.c.due_at < _MOMENT)
    .values(due_at=_MOMENT, try_at=_MOMENT)
)


def endpoints(connection: Connection, workspace: str) -> tuple[Endpoint, ...]:
    """All endpoints of the workspace, oldest first."""
    rows = connection.execute(_ENDPOINTS, {"workspace": workspace}).all()
    return tuple(_with_filters(connection, workspace, rows))


def failed(connection: Connection) -> tuple[Endpoint, ...]:
    """The endpoints of all workspaces that failed until they were switched off."""
    rows = connection.execute(_FAILED).all()
    return tuple(one for row in rows for one in _with_filters(connection, row.workspace_id, [row]))


def _on(connection: Connection, workspace: str) -> tuple[Endpoint, ...]:
    rows = connection.execute(_ON, {"workspace": workspace}).all()
    return tuple(_with_filters(connection, workspace, rows))


def _with_filters(
    connection: Connection, workspace: str, rows: Sequence[AnyRow]
) -> Iterator[Endpoint]:
    for row, limits in zip(rows, filters_of(connection, workspace, rows), strict=True):
        yield Endpoint(
            id=row.id,
            workspace=row.workspace_id,
            url=row.url,
            filter=limits,
            state=EndpointState(row.state),
            added_by=Person(row.added_by_id, row.added_by_name),
            added_at=row.added_at,
            starts_at=row.starts_at,
            rotating_until=row.rotating_until,
            last_success_at=row.last_success_at,
            failing_since=row.failing_since,
            off_at=row.off_at,
        )


def sendings(
    connection: Connection, workspace: str, endpoint: UUID, *, limit: int
) -> tuple[Sending, ...]:
    """The newest ``limit`` events of an endpoint, newest first."""
    named = {"workspace": workspace, "hook": endpoint, "limit": limit}
    return tuple(
        Sending(
            uid=row.uid,
            endpoint=row.webhook_id,
            event=HookEvent(row.event),
            incident=row.incident_id,
            component=row.component_id,
            state=row.state,
            attempts=row.attempts,
            due_at=row.due_at,
            try_at=row.try_at,
            done_at=row.done_at,
            error=row.error,
            resent_at=row.resent_at,
        )
        for row in connection.execute(_LOG, named)
    )


def add(connection: Connection, endpoint: Endpoint, secret: str) -> None:
    """Writes a new endpoint with its secret."""
    connection.execute(
        _ADD,
        {
            "workspace_id": endpoint.workspace,
            "id": endpoint.id,
            "url": endpoint.url,
            "secret": secret,
            **columns_of(endpoint.filter),
            "state": endpoint.state.value,
            "added_by_id": endpoint.added_by.id,
            "added_by_name": endpoint.added_by.name,
            "added_at": endpoint.added_at,
            "starts_at": endpoint.starts_at,
        },
    )
    connection.execute(_MARK, {"workspace": endpoint.workspace})


def secrets_of(connection: Connection, endpoint: Endpoint) -> Secrets:
    """Its secrets, which sign what is sent to it."""
    row = connection.execute(_SECRETS, _it(endpoint)).one()
    return Secrets(new=row.secret, old=row.old_secret, old_until=row.rotating_until)


def refilter(connection: Connection, endpoint: Endpoint) -> None:
    """Writes the filter of an endpoint."""
    columns = columns_of(endpoint.filter)
    changed = {"lowest": columns["severity"], "limited_to": columns["components"]}
    connection.execute(_REFILTER, {**_it(endpoint), **changed})


def rotate(connection: Connection, endpoint: Endpoint, secret: str) -> None:
    """Writes a new secret; the one before is kept until ``endpoint.rotating_until``."""
    rotated = {"new_secret": secret, "until": endpoint.rotating_until}
    connection.execute(_ROTATE, {**_it(endpoint), **rotated})


def switch(connection: Connection, endpoint: Endpoint) -> None:
    """Writes the state of an endpoint and its start; what waits for it, or about it, is dropped."""
    switched = {
        "new_state": endpoint.state.value,
        "since": endpoint.off_at,
        "start": endpoint.starts_at,
        "failing": endpoint.failing_since,
    }
    connection.execute(_SWITCH, {**_it(endpoint), **switched})
    at = endpoint.off_at or endpoint.starts_at
    connection.execute(_DROP_OF_ENDPOINT, {**_it(endpoint), "at": at})
    connection.execute(_MARK, {"workspace": endpoint.workspace})


def switch_off(
    connection: Connection, workspace: str, endpoint: UUID, state: EndpointState, *, at: datetime
) -> None:
    """Writes that an endpoint gets nothing any more, and why."""
    named = {"workspace": workspace, "hook": endpoint}
    connection.execute(_SWITCH_OFF, {**named, "new_state": state.value, "since": at})
    drop(connection, workspace, endpoint, at=at)
    connection.execute(_MARK, {"workspace": workspace})
    if state in FAILED:
        connection.execute(_SEND, _notice(workspace, endpoint, at=at))


def drop(connection: Connection, workspace: str, endpoint: UUID, *, at: datetime) -> None:
    """Drops the events that wait for an endpoint."""
    connection.execute(_DROP_EVENTS, {"workspace": workspace, "hook": endpoint, "at": at})


def _notice(workspace: str, endpoint: UUID, *, at: datetime) -> dict[str, Any]:
    return {
        "workspace_id": workspace,
        "webhook_id": endpoint,
        "uid": uuid4(),
        "event": NOTICE,
        "lane": f"{endpoint}:off",
        "state": State.AVAILABLE.value,
        "attempts": 0,
        "due_at": at,
        "try_at": at,
        "created_at": at,
    }


def begin_anew(connection: Connection, *, at: datetime) -> int:
    """Lets every endpoint start at the moment ``at``; returns how many events are dropped.

    It is for a restored database, whose messages may have been sent after the backup.
    """
    connection.execute(_START_ANEW, {"start": at})
    return connection.execute(_DROP_ALL, {"at": at}).rowcount


def remove(connection: Connection, endpoint: Endpoint) -> None:
    """Deletes an endpoint with everything of it."""
    for statement in _REMOVE:
        connection.execute(statement, _it(endpoint))
    connection.execute(_MARK, {"workspace": endpoint.workspace})


def resend(connection: Connection, endpoint: Endpoint, uid: UUID, *, at: datetime) -> bool:
    """Has an event sent once more; False if none such was sent, or given up."""
    named = {**_it(endpoint), "sought": uid, "at": at, "start": endpoint.starts_at}
    return connection.execute(_RESEND, named).rowcount > 0


def know(
    connection: Connection, workspace: str, endpoint: UUID, statuses: Mapping[UUID, ComponentStatus]
) -> None:
    """Writes the status of components as the endpoint knows them."""
    rows = [
        {
            "workspace_id": workspace,
            "webhook_id": endpoint,
            "component_id": one,
            "status": status.value,
        }
        for one, status in statuses.items()
    ]
    if rows:
        connection.execute(_KNOW[connection.dialect.name], rows)


def tell(connection: Connection, before: Incident | None, decision: Decision) -> None:
    """Writes the messages of a decision to the endpoints of its workspace."""
    incident = decision.incident
    hidden: frozenset[UUID] = frozenset()
    if before is not None:
        tags = retagged(before, incident)
        hidden = pages.hidden_of(connection, incident.workspace, tags)
    happened = happenings(before, decision, hidden=hidden)
    concerned, shown_at = touched(before, decision)
    _change_waiting(connection, before, decision)
    if not happened and not concerned:
        return
    of_incident = {"workspace": incident.workspace, "incident": incident.id}
    told = set(connection.execute(_TOLD, of_incident).scalars())
    rows: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for one in _on(connection, incident.workspace):
        knows, at = one.id in told, incident.updated_at
        # One that asks for the component by name is told that the incident has it now.
        asks = not knows and one.filter.components
        told_of = happenings(before, decision) if asks else happened
        made = list(about(one, decision.incident, told_of, knows=knows, at=at))
        rows += made
        if made and one.id not in told:
            new.append({**of(one), "incident_id": incident.id})
        rows += about_components(one, concerned, due_at=shown_at, at=incident.updated_at)
    send(connection, rows, new)
    if any(each.event is HookEvent.WITHDRAWN for each in happened):
        # Once it is public again, it is new to everybody.
        connection.execute(_FORGET, of_incident)


def _change_waiting(connection: Connection, before: Incident | None, decision: Decision) -> None:
    """Drops what is not to be sent any more, and lets wait what is not public yet."""
    incident, at = decision.incident, decision.incident.updated_at
    named = {"workspace": incident.workspace, "incident": incident.id}
    if incident.private and before is not None and not before.private:
        connection.execute(_DROP_OF_INCIDENT, {**named, "at": at})
    redacted = decision.redacted
    if redacted and redacted.taken_back:
        about = {**named, "number": redacted.entry}
        if redacted.status_change is None:
            connection.execute(_DROP_OF_ENTRY, {**about, "at": at})
        else:
            held = {"written": redacted.at, "held_until": redacted.public_at}
            connection.execute(_WAIT_NO_LONGER, {**about, **held, "moment": redacted.redacted_at})
    held_until = incident.title_public_at
    if held_until and held_until > at and incident.title_before is None:
        connection.execute(_WAIT_FOR_TITLE, {**named, "moment": held_until})


def send(
    connection: Connection, rows: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]]
) -> None:
    """Writes the messages ``rows``; with ``told`` endpoints know incidents from now on."""
    if rows:
        connection.execute(_SEND, rows)
    if told:
        connection.execute(_TELL[connection.dialect.name], told)


def tell_component(connection: Connection, workspace: str, concerned: UUID, made: Override) -> None:
    """Writes the messages of a status that is given by hand, and of its end."""
    moments = [made.at] if made.until is None else [made.at, made.until]
    rows = [
        message_row(one, event=HookEvent.COMPONENT, component=concerned, due_at=moment, at=made.at)
        for one in _on(connection, workspace)
        if wants(one, concerned)
        for moment in moments
    ]
    if rows:
        connection.execute(_SEND, rows)


def tell_arranged(
    connection: Connection, workspace: str, concerned: UUID, *, renamed: bool, at: datetime
) -> None:
    """Writes the messages of a component that has another name, or that is shown or hidden."""
    rows = [
        message_row(
            one,
            event=HookEvent.COMPONENT,
            entry=RENAMED if renamed else None,
            component=concerned,
            due_at=at,
            at=at,
        )
        for one in _on(connection, workspace)
        if wants(one, concerned)
    ]
    send(connection, rows, [])


def _it(endpoint: Endpoint) -> dict[str, Any]:
    return {"workspace": endpoint.workspace, "hook": endpoint.id}
