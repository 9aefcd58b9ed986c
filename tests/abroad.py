"""Another status page as values: what an import reads. Each builder gives a whole value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.foreign import (
    ForeignComponent,
    ForeignGroup,
    ForeignIncident,
    ForeignPage,
    ForeignUpdate,
)
from core.page import ComponentStatus, Impact
from tests.builders import NINE

YESTERDAY = NINE - timedelta(days=1)


def a_foreign_group(name: str = "Europe", **changes: Any) -> ForeignGroup:
    """A group there."""
    fields: dict[str, Any] = {
        "id": f"group-{name}",
        "name": name,
        "position": 1,
        "description": None,
        "created_at": YESTERDAY,
        "updated_at": YESTERDAY,
    }
    return ForeignGroup(**fields | changes)


def a_foreign_component(name: str = "API", **changes: Any) -> ForeignComponent:
    """A component there, operational and in no group."""
    fields: dict[str, Any] = {
        "id": f"component-{name}",
        "name": name,
        "status": ComponentStatus.OPERATIONAL,
        "position": 1,
        "description": None,
        "showcase": False,
        "only_if_degraded": False,
        "start_date": None,
        "group": None,
        "created_at": YESTERDAY,
        "updated_at": YESTERDAY,
    }
    return ForeignComponent(**fields | changes)


def a_foreign_update(minute: int, status: str, body: str, **changes: Any) -> ForeignUpdate:
    """An update there, so many minutes after yesterday's nine o'clock."""
    at = YESTERDAY + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "id": f"update-{minute}",
        "status": status,
        "body": body,
        "created_at": at,
        "updated_at": at,
        "shown_at": at,
    }
    return ForeignUpdate(**fields | changes)


def a_foreign_incident(*updates: ForeignUpdate, **changes: Any) -> ForeignIncident:
    """An incident there that is resolved, with these updates."""
    last = updates[-1].shown_at if updates else YESTERDAY
    fields: dict[str, Any] = {
        "id": "incident-1",
        "name": "Checkout fails",
        "status": updates[-1].status if updates else "resolved",
        "impact": Impact.MAJOR,
        "created_at": YESTERDAY,
        "updated_at": last,
        "started_at": None,
        "monitoring_at": None,
        "resolved_at": None,
        "updates": updates[::-1],
    }
    return ForeignIncident(**fields | changes)


def a_foreign_page(*incidents: ForeignIncident, **changes: Any) -> ForeignPage:
    """The page of Northwind."""
    fields: dict[str, Any] = {
        "id": "kq0z1x9p7m2d",
        "name": "Northwind Status",
        "address": None,
        "incidents": incidents,
    }
    return ForeignPage(**fields | changes)
