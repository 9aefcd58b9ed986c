"""The tables. Rows stay inside this package, which gives values of core to its callers.

Every key begins with the workspace, so that the tables can be partitioned by it. Foreign keys
protect the references between rows against errors in the code. A comment beside a column says the
rest.
"""

from storage.models.base import UtcDateTime, among, metadata
from storage.models.imports import imported_incident, imported_update
from storage.models.incidents import (
    hand_over,
    incident,
    incident_invited,
    is_closed,
    is_move,
    is_not_private,
    is_on_card,
    is_open,
    is_tagged,
    is_untagged,
    lifecycle,
    promise,
    setting,
    skipped,
    update,
    workspace,
)
from storage.models.messages import (
    CARDS,
    KEPT,
    State,
    channel_pace,
    is_available,
    is_kept,
    is_waiting_card,
    kept,
    outbox,
    own_channel,
    posted,
)
from storage.models.page import (
    component,
    component_group,
    component_override,
    incident_component,
    page,
    tagging,
)
from storage.models.requests import api_key, catch_up, compatibility, draft, handled, idempotency
from storage.models.subscriptions import subscription
from storage.models.webhooks import (
    webhook,
    webhook_component,
    webhook_message,
    webhook_told,
)

__all__ = [
    "CARDS",
    "KEPT",
    "State",
    "UtcDateTime",
    "among",
    "api_key",
    "catch_up",
    "channel_pace",
    "compatibility",
    "component",
    "component_group",
    "component_override",
    "draft",
    "hand_over",
    "handled",
    "idempotency",
    "imported_incident",
    "imported_update",
    "incident",
    "incident_component",
    "incident_invited",
    "is_available",
    "is_closed",
    "is_kept",
    "is_move",
    "is_not_private",
    "is_on_card",
    "is_open",
    "is_tagged",
    "is_untagged",
    "is_waiting_card",
    "kept",
    "lifecycle",
    "metadata",
    "outbox",
    "own_channel",
    "page",
    "posted",
    "promise",
    "setting",
    "skipped",
    "subscription",
    "tagging",
    "update",
    "webhook",
    "webhook_component",
    "webhook_message",
    "webhook_told",
    "workspace",
]
