"""Values of core as the columns of their rows.

Only modules of `storage` use it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from core.incident import Incident, Update
from core.lifecycle import Lifecycle


@lru_cache(maxsize=256)
def lifecycle_row(lifecycle: Lifecycle) -> dict[str, str]:
    """The row of a lifecycle."""
    definition = lifecycle.as_toml()
    return {
        "digest": hashlib.sha256(definition.encode()).hexdigest(),
        "name": lifecycle.name,
        "definition": definition,
    }


def incident_columns(incident: Incident) -> dict[str, Any]:
    """The columns that a change may write."""
    owner, acknowledged_by = incident.owner, incident.acknowledged_by
    return {
        "title": incident.title,
        "title_public_at": incident.title_public_at,
        "title_before": incident.title_before,
        "description": incident.description,
        "category": incident.category,
        "private": incident.private,
        "resolution": incident.resolution and incident.resolution.how.value,
        "duplicate_of": incident.resolution and incident.resolution.duplicate_of,
        "severity": incident.severity.value,
        "status": incident.status,
        "public_word": incident.public_word.value,
        "is_open": not incident.terminal,
        "owner_id": owner and owner.id,
        "owner_name": owner and owner.name,
        "acknowledged_by_id": acknowledged_by and acknowledged_by.id,
        "acknowledged_by_name": acknowledged_by and acknowledged_by.name,
        "component_count": len(incident.components),
        "invited_count": len(incident.invited) or None,
        "promise_count": incident.promises or None,
        "next_update_by": incident.next_update_by,
        "channel_count": len(incident.channels) or None,
        "updated_at": incident.updated_at,
        "version": incident.version,
        "last_entry": incident.last_entry,
    }


def update_row(workspace: str, update: Update) -> dict[str, Any]:
    return {
        "workspace_id": workspace,
        "incident_id": update.incident,
        "entry": update.entry,
        "id": update.id,
        "kind": update.kind.value,
        "visibility": update.visibility.value,
        "by_id": update.by.id,
        "by_name": update.by.name,
        "at": update.at,
        "body": update.body,
        "old": update.old,
        "new": update.new,
        "public_at": update.public_at,
        "passed": update.passed or None,
        "next_update_by": update.next_update_by,
    }
