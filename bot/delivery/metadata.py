"""The metadata of our posts in Slack: which message of the outbox each of them shows. Pure.

Every app and every member of the workspace may read metadata, so it holds ids and no text.

Source: https://docs.slack.dev/messaging/message-metadata
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.decision import NUDGES, Surface
from storage.facts import Facts
from storage.messages import OutboxMessage

EVENT = "ratchet_message"
NAME = re.compile(r"INC-(\d{1,9})\b")
REPLIES = frozenset({Surface.PUBLIC_UPDATE, Surface.WITHDRAWAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOrigin:
    """The origin of a post, as its metadata has it. A post of an earlier version has only ``uid``.

    An edit replaces the metadata. So ``uid`` is the outbox message of the last edit, while
    ``incident`` (an id), ``surface``, ``entry`` and ``written`` (the time of its update, the due
    moment of a promise, the time of a hand-over) stay.
    ``gone``: it has been said there that the incident is unknown.
    """

    uid: UUID | None = None
    incident: UUID | None = None
    name: str | None = None
    surface: str | None = None
    entry: int | None = None
    written: str | None = None
    gone: bool = False

    def is_of(self, message: OutboxMessage, facts: Facts) -> bool:
        """Whether the post shows ``message``, or what it has become by later edits."""
        if self.uid == message.uid:
            return True
        if self.incident != message.incident:
            return False
        same = self.surface == message.surface
        if message.surface in REPLIES | NUDGES | {Surface.CHANNEL_NOTE}:
            # After a restore, entries get the same numbers once more, at other times.
            ours = (message.entry, _written(facts))
            same = same or {self.surface, message.surface} <= REPLIES
            return same and (self.entry, self.written) == ours
        return same


def mark(message: OutboxMessage, facts: Facts) -> dict[str, Any]:
    """The metadata of the post of ``message``: `origin` reads it back."""
    payload = {
        "id": str(message.uid),
        "incident": str(message.incident),
        "name": facts.name,
        "surface": message.surface.value,
        "entry": message.entry,
        "written": _written(facts),
    }
    return {
        "event_type": EVENT,
        "event_payload": {name: value for name, value in payload.items() if value},
    }


def mark_gone(name: str) -> dict[str, Any]:
    """The metadata of the card of an incident that is unknown; ``name`` is ``INC-42``."""
    return {"event_type": EVENT, "event_payload": {"name": name, "gone": True}}


def origin(posted: Mapping[str, Any]) -> PostOrigin | None:
    """The origin of ``posted``; None if it has none, or metadata of another kind."""
    metadata = posted.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT:
        return None
    payload = metadata.get("event_payload")
    if not isinstance(payload, dict):
        return None
    entry, name = payload.get("entry"), payload.get("name")
    return PostOrigin(
        uid=_uuid(payload.get("id")),
        incident=_uuid(payload.get("incident")),
        name=name if isinstance(name, str) and NAME.fullmatch(name) else None,
        surface=_text(payload.get("surface")),
        entry=entry if isinstance(entry, int) else None,
        written=_text(payload.get("written")),
        gone=payload.get("gone") is True,
    )


def _written(facts: Facts) -> str | None:
    moment = facts.written
    if facts.promise:
        moment = facts.promise.due_at
    elif facts.hand_over:
        moment = facts.hand_over.asked_at
    elif written := facts.update or facts.note:
        moment = written.at
    return moment.isoformat() if moment else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
