"""The ids that everybody reads: twelve characters ``[a-z0-9]``, derived from what never changes.

They hold neither slug nor host nor title, so they stay the same when these change.
Imported incidents, updates and components keep the ids that they had on their former page.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from core.page import PageUpdate, StatusPage
from core.public_side import PublicIncident

LENGTH = 12
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def page_id(workspace: str) -> str:
    """The id of a workspace's page."""
    return _derived("page", workspace)


def object_id(of: UUID) -> str:
    """The id of a component, a group or an incident."""
    return _derived("object", str(of))


def update_id(incident: UUID, entry: int) -> str:
    """The id of an incident's update; ``entry`` is its number in the timeline."""
    return _derived("update", f"{incident} {entry}")


def id_of_page(page: StatusPage) -> str:
    """The id that readers see of a page."""
    return page.settings.kept or page_id(page.settings.workspace)


def id_of_incident(incident: PublicIncident) -> str:
    """The id that readers see of an incident."""
    return incident.kept.id if incident.kept else object_id(incident.id)


def id_of_update(incident: PublicIncident, update: PageUpdate) -> str:
    """The id that readers see of an incident's update."""
    return update.kept.id if update.kept else update_id(incident.id, update.entry)


def ids_of_parts(page: StatusPage) -> dict[UUID, str]:
    """The ids that readers see of the page's components and groups."""
    shown = (one.component for one in page.components)
    kept = {one.id: one.kept for one in shown}
    kept |= {group.group.id: group.group.kept for group in page.groups if group.group is not None}
    return {id_: own or object_id(id_) for id_, own in kept.items()}


def _derived(kind: str, name: str) -> str:
    number = int.from_bytes(hashlib.sha256(f"{kind} {name}".encode()).digest())
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)
