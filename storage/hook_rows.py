"""Messages to webhooks as rows: the events of an incident, and of components. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from core.incident import Component, Incident
from core.webhooks import Endpoint, Happening, HookEvent
from storage.models import State


def about(
    endpoint: Endpoint,
    incident: Incident,
    happened: Iterable[Happening],
    *,
    knows: bool,
    at: datetime,
) -> Iterator[dict[str, Any]]:
    """The messages about an incident to an endpoint, which knows it or not."""
    if not knows and not endpoint.filter.matches(incident.severity, incident.components):
        return
    for each in happened:
        if knows or each.event is not HookEvent.WITHDRAWN:
            yield message_row(
                endpoint,
                event=each.event,
                incident=incident.id,
                entry=each.entry,
                due_at=each.due_at,
                at=at,
            )


def about_components(
    endpoint: Endpoint, concerned: Iterable[Component], *, due_at: datetime, at: datetime
) -> Iterator[dict[str, Any]]:
    """The messages about the status of components to an endpoint."""
    for each in concerned:
        if wants(endpoint, each.id):
            yield message_row(
                endpoint, event=HookEvent.COMPONENT, component=each.id, due_at=due_at, at=at
            )


def wants(endpoint: Endpoint, concerned: UUID) -> bool:
    limited_to = {one.id for one in endpoint.filter.components}
    return not limited_to or concerned in limited_to


def message_row(
    endpoint: Endpoint,
    *,
    event: HookEvent,
    incident: UUID | None = None,
    entry: int | None = None,
    component: UUID | None = None,
    due_at: datetime,
    at: datetime,
) -> dict[str, Any]:
    due = max(due_at, at)
    return {
        **of(endpoint),
        "uid": uuid4(),
        "event": event.value,
        "incident_id": incident,
        "entry": entry,
        "component_id": component,
        "lane": f"{endpoint.id}:{incident or component}",
        "state": State.AVAILABLE.value,
        "attempts": 0,
        "due_at": due,
        "try_at": due,
        "created_at": at,
    }


def of(endpoint: Endpoint) -> dict[str, Any]:
    return {"workspace_id": endpoint.workspace, "webhook_id": endpoint.id}
