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

    ``incident`` is the id of the incident, and ``entry`` the newest update that it is about; None
    for a component. ``kept`` is the id that readers know either by if it was imported.
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
    about = None if shown is None else _about(subject, shown)
    return _written({**_head(subject, page, about), "incident": told})


def _about(subject: HookSubject, shown: PageIncident) -> str | None:
    """The id of the update that an event is about, which is in its body; None: it is about none.

    A text may come with another fact, such as a severity, whose entry is the newest of the event.
    """
    for one in shown.updates:
        written_with = one.entry < (subject.entry or 0) and one.told_at == subject.at
        if one.entry == subject.entry or written_with:
            return id_of_update(shown.incident, one)
    return None


def component_body(
    subject: HookSubject,
    page: StatusPage,
    component: UUID,
    shown: PageComponent | None,
    *,
    old: ComponentStatus,
) -> bytes:
    """The body of an event about a component, which had the status ``old``.

    ``shown`` None: the page shows it no more. It counts as operational then, and has no name.
    """
    new = ComponentStatus.OPERATIONAL if shown is None else shown.status
    own = subject.kept or object_id(component)
    told: Json = {"id": own, "status": new.value}
    if shown is not None:
        own = ids_of_parts(page)[component]
        told = next(one for one in components(page) if one["id"] == own)
    update = {
        "id": update_id(component, int(subject.at.timestamp())),
        "component_id": own,
        "old_status": old.value,
        "new_status": new.value,
        "created_at": moment(subject.at),
    }
    head = _head(subject, page, None)
    return _written({**head, "component_update": update, "component": told})


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
