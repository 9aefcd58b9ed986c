"""The word to people that a webhook is off, read when its turn comes: whom it is for, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.webhooks import FAILED, EndpointState, told_that_it_is_off
from storage import webhooks
from storage.queries import SqlReader
from storage.snapshot import connection_of


@dataclass(frozen=True, slots=True)
class HookNotice:
    """``state`` is why it is off, ``receiver`` the id of a person or a channel."""

    state: EndpointState
    receiver: str


def notice_of(
    reader: SqlReader, workspace: str, endpoint: UUID, *, off_at: datetime
) -> HookNotice | None:
    """The word about an endpoint that failed at ``off_at``.

    None if it was switched on or off or removed since, or if there is nobody to be told.
    """
    known = webhooks.endpoints(connection_of(reader), workspace)
    one = next((each for each in known if each.id == endpoint), None)
    if one is None or one.state not in FAILED or one.off_at != off_at:
        return None
    receiver = told_that_it_is_off(
        one.added_by,
        api_channel=reader.workspace(workspace).settings.api_channel,
        saved=reader.saved_settings(workspace),
    )
    return None if receiver is None else HookNotice(one.state, receiver)
