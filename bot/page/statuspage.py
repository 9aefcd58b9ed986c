"""JSON in the shape of Atlassian Statuspage's public API v2, which existing clients read. Pure.

No key of the shape is left out.

Source: https://metastatuspage.com/api
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bot.page.addresses import Addresses
from bot.page.ids import id_of_incident, id_of_page, id_of_update, ids_of_parts, object_id
from core.incident import Component
from core.page import (
    Affected,
    ComponentGroup,
    PageComponent,
    PageGroup,
    PageIncident,
    PageUpdate,
    StatusPage,
)

Json = dict[str, Any]


def document(name: str, page: StatusPage, addresses: Addresses) -> Json:
    """The document ``name``, one of `DOCUMENTS`."""
    return {"page": _page(page, addresses), **DOCUMENTS[name](page, addresses)}


def incident(of: PageIncident, page: StatusPage, addresses: Addresses) -> Json:
    """One incident with its updates, newest first."""
    return incidents([of], page, addresses)[0]


def incidents(of: Iterable[PageIncident], page: StatusPage, addresses: Addresses) -> list[Json]:
    """Incidents with their updates, newest first."""
    ids = ids_of_parts(page)
    shown = {one["id"]: one for one in components(page)}
    return [_incident(one, page, addresses, ids, shown) for one in of]


def _incident(
    of: PageIncident,
    page: StatusPage,
    addresses: Addresses,
    ids: dict[UUID, str],
    shown: dict[str, Json],
) -> Json:
    public = of.incident
    return {
        "id": id_of_incident(public),
        "name": public.title,
        "status": of.status,
        "created_at": moment(public.kept.created_at if public.kept else public.declared_at),
        "updated_at": moment(public.updated_at),
        "monitoring_at": _moment(of.monitoring_at),
        "resolved_at": _moment(public.resolved_at),
        "impact": of.impact.value,
        "shortlink": addresses.incident(public),
        "started_at": moment(public.started_at),
        "page_id": id_of_page(page),
        "incident_updates": [_update(one, of, ids) for one in of.updates],
        "components": [shown[ids[one.id]] for one in _shown(public.components, ids)],
    }


def components(page: StatusPage) -> list[Json]:
    """All components and groups, in the order of the page; a group comes before its own."""
    own = id_of_page(page)
    ids = ids_of_parts(page)
    made: list[Json] = []
    top = 0
    for group in page.groups:
        if group.group is not None:
            top += 1
            made.append(_group(group.group, group, own, ids, position=top))
        for place, one in enumerate(group.components, 1):
            top += group.group is None
            position = top if group.group is None else place
            made.append(_component(one, group.group, own, ids, position=position))
    return made


def _shown(of: tuple[Component, ...], ids: dict[UUID, str]) -> list[Component]:
    return [one for one in of if one.id in ids]


def _page(page: StatusPage, addresses: Addresses) -> Json:
    return {
        "id": id_of_page(page),
        "name": page.settings.title,
        "url": addresses.root,
        "time_zone": "Etc/UTC",
        "updated_at": moment(page.since),
    }


def _status(page: StatusPage, _addresses: Addresses) -> Json:
    return {"status": {"indicator": page.indicator.value, "description": page.description}}


def _components(page: StatusPage, _addresses: Addresses) -> Json:
    return {"components": components(page)}


def _incidents(page: StatusPage, addresses: Addresses) -> Json:
    return {"incidents": incidents(page.recent, page, addresses)}


def _unresolved(page: StatusPage, addresses: Addresses) -> Json:
    newest_first = sorted(page.open, key=lambda one: one.incident.since_declared, reverse=True)
    return {"incidents": incidents(newest_first, page, addresses)}


def _maintenances(_page: StatusPage, _addresses: Addresses) -> Json:
    return {"scheduled_maintenances": []}


def _summary(page: StatusPage, addresses: Addresses) -> Json:
    return {
        **_components(page, addresses),
        **_unresolved(page, addresses),
        **_maintenances(page, addresses),
        **_status(page, addresses),
    }


DOCUMENTS: dict[str, Callable[[StatusPage, Addresses], Json]] = {
    "summary": _summary,
    "status": _status,
    "components": _components,
    "incidents": _incidents,
    "incidents/unresolved": _unresolved,
    "scheduled-maintenances": _maintenances,
    "scheduled-maintenances/upcoming": _maintenances,
    "scheduled-maintenances/active": _maintenances,
}


def _component(
    of: PageComponent,
    group: ComponentGroup | None,
    page: str,
    ids: dict[UUID, str],
    *,
    position: int,
) -> Json:
    fact = of.component
    return {
        "id": ids[fact.id],
        "name": fact.name,
        "status": of.status.value,
        "created_at": moment(fact.created_at),
        "updated_at": moment(max(fact.updated_at, of.since)),
        "position": position,
        "description": fact.description,
        "showcase": fact.showcase,
        "start_date": fact.start_date and f"{fact.start_date:%Y-%m-%d}",
        "group_id": group and ids[group.id],
        "page_id": page,
        "group": False,
        "only_show_if_degraded": fact.only_if_degraded,
    }


def _group(
    group: ComponentGroup, of: PageGroup, page: str, ids: dict[UUID, str], *, position: int
) -> Json:
    return {
        "id": ids[group.id],
        "name": group.name,
        "status": of.status.value,
        "created_at": moment(group.created_at),
        "updated_at": moment(group.updated_at),
        "position": position,
        "description": group.description,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page,
        "group": True,
        "only_show_if_degraded": False,
        "components": [ids[one.component.id] for one in of.components],
    }


def _update(update: PageUpdate, of: PageIncident, ids: dict[UUID, str]) -> Json:
    return {
        "id": id_of_update(of.incident, update),
        "status": update.status,
        "body": update.words,
        "incident_id": id_of_incident(of.incident),
        "created_at": moment(update.kept.created_at if update.kept else update.at),
        "updated_at": moment(update.changed_at),
        "display_at": moment(update.at),
        "affected_components": [_affected(one, ids) for one in update.affected] or None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _affected(one: Affected, ids: dict[UUID, str]) -> Json:
    return {
        "code": ids.get(one.id) or object_id(one.id),
        "name": one.name,
        "old_status": one.old.value,
        "new_status": one.new.value,
    }


def moment(at: datetime) -> str:
    """ISO 8601 with milliseconds: ``2026-03-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
