"""The bodies of webhooks, in the shape that receivers of Statuspage's own webhooks expect. Pure.

A body is made of the page's value, like every rendering of it. The incident in it has the same
shape as in the JSON of the page.

Source: https://support.atlassian.com/statuspage/docs/enable-webhook-notifications
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.page.addresses import Addresses
from bot.page.ids import id_of_page, id_of_update, ids_of_parts, object_id, update_id
from bot.page.statuspage import Json, components, incident, moment
from core.page import ComponentStatus, PageComponent, PageIncident, StatusPage
from core.webhooks import HookEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSubject:
    """The subject of an event. ``at`` is the moment at which it became public.

    ``incident`` is the id of the incident, and ``entry`` the update; None for a component. ``kept``
    is the id that readers know the incident by if it was imported.
    """

    event: HookEvent
    at: datetime
    incident: UUID | None = None
    entry: int | None = None
    kept: str | None = None


def incident_body(
    subject: HookSubject, page: StatusPage, shown: PageIncident | None, *, address: str | None
) -> bytes:
    """The body of an event about an incident; ``shown`` None: the body has its id alone.

    ``address`` is the page's, None if no page is published.
    """
    told: Json = {"id": subject.kept or (subject.incident and object_id(subject.incident))}
    if shown is not None:
        told = incident(shown, page, Addresses(address or ""))
        if address is None:
            told["shortlink"] = ""
    about = None
    if subject.incident is not None and subject.entry is not None:
        about = update_id(subject.incident, subject.entry)
        if shown is not None:
            named = (one for one in shown.updates if one.entry == subject.entry)
            about = next((id_of_update(shown.incident, one) for one in named), about)
    return _written({**_head(subject, page, about), "incident": told})


def component_body(
    subject: HookSubject, page: StatusPage, shown: PageComponent, *, old: ComponentStatus
) -> bytes:
    """The body of an event about a component, which had the status ``old``."""
    own = ids_of_parts(page)[shown.component.id]
    update = {
        "id": update_id(shown.component.id, int(subject.at.timestamp())),
        "component_id": own,
        "old_status": old.value,
        "new_status": shown.status.value,
        "created_at": moment(subject.at),
    }
    component = next(one for one in components(page) if one["id"] == own)
    head = _head(subject, page, None)
    return _written({**head, "component_update": update, "component": component})


def _head(subject: HookSubject, page: StatusPage, about: str | None) -> Json:
    """The beginning of every body; ``about`` is the id of the update that it is about."""
    return {
        "type": subject.event.value,
        "timestamp": moment(subject.at),
        # The first two are keys of Statuspage's. Nobody unsubscribes by a link here.
        "meta": {"unsubscribe": "", "documentation": "", "update_id": about},
        "page": {
            "id": id_of_page(page),
            "status_indicator": page.indicator.value,
            "status_description": page.description,
        },
    }


def _written(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
