"""A view that came back from Slack: what it remembers, and the state of its inputs. Pure.

A submission brings nothing but the view, so a dialog keeps its incident and its origin in
``private_metadata``. Reading is total: a view that is none of ours holds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot.slack.requests import UsageError
from bot.slack.verbs import COMMAND
from core.incident import Incident, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The place of the click that opened a dialog. ``response_url``, a secret, takes the answer.

    ``on_card``: it was opened from a card.
    """

    place: Place | None = None
    response_url: str | None = None
    on_card: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """The draft that a dialog was filled with, and the place of its request in it."""

    draft: UUID
    index: int


def metadata(
    origin: Origin, incident: Incident | None = None, *, kept: Kept | None = None, **more: str
) -> str:
    """The ``private_metadata`` of a dialog that was opened at ``origin``, with ``more`` in it."""
    place = origin.place
    remembered = {
        "channel": place.channel if place else None,
        "channel_private": place is not None and place.private,
        "response_url": origin.response_url,
    }
    if origin.on_card:
        more["on_card"] = "yes"
    about = {"incident": str(incident.id), "status": incident.status} if incident else {}
    draft = {"draft": str(kept.draft), "index": kept.index} if kept else {}
    return json.dumps({**remembered, **about, **draft, **more}, separators=(",", ":"))


def kept_of(view: Mapping[str, Any]) -> Kept | None:
    """The draft that ``view`` was filled with, if any."""
    remembered = remembered_in(view)
    try:
        return Kept(UUID(str(remembered["draft"])), int(remembered["index"]))
    except (KeyError, ValueError, TypeError):
        return None


def remembered_in(view: Mapping[str, Any]) -> dict[str, Any]:
    """The ``private_metadata`` of ``view``; empty if it is none of ours."""
    try:
        remembered = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def origin_of(view: Mapping[str, Any]) -> Origin:
    """The origin of ``view``; its channel may have been chosen in the dialog itself."""
    remembered = remembered_in(view)
    channel, url = remembered.get("channel"), remembered.get("response_url")
    channel = channel or element(view, "channel").get("selected_conversation")
    private = remembered.get("channel_private") is True
    return Origin(
        place=Place(channel, private=private) if isinstance(channel, str) else None,
        response_url=url if isinstance(url, str) else None,
        on_card=remembered.get("on_card") == "yes",
    )


def about(view: Mapping[str, Any]) -> tuple[UUID, str]:
    """The id of the view's incident, and the status that the view was drawn for."""
    remembered = remembered_in(view)
    try:
        return UUID(str(remembered["incident"])), str(remembered["status"])
    except (KeyError, ValueError):
        raise unreadable() from None


def unreadable() -> UsageError:
    return UsageError(
        "This dialog cannot be read any more, and nothing was changed.",
        hint=f"`{COMMAND}` shows what is open, with buttons that open a new one.",
    )


def element(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The state of the input ``name``, which Slack sends as ``values.<block_id>.<action_id>``."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    for block_id, elements in values.items() if isinstance(values, dict) else ():
        if str(block_id).split(":")[0] == name and isinstance(elements, dict):
            return next((held for held in elements.values() if isinstance(held, dict)), {})
    return {}


def drawn_for(view: Mapping[str, Any], name: str) -> str:
    """The value that the input ``name`` was drawn for, which its block_id has behind a colon."""
    return next((block.partition(":")[2] for block in _inputs_of(view, name)), "")


def has_input(view: Mapping[str, Any], name: str) -> bool:
    return any(_inputs_of(view, name))


def _inputs_of(view: Mapping[str, Any], name: str) -> list[str]:
    """The block_ids of the input ``name``."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    blocks = map(str, values) if isinstance(values, dict) else ()
    return [block for block in blocks if block.split(":")[0] == name]


def label(view: Mapping[str, Any]) -> object:
    """The words on the button that sent ``view``."""
    submit = view.get("submit")
    return submit.get("text") if isinstance(submit, dict) else None


def typed(view: Mapping[str, Any], name: str) -> str:
    value = element(view, name).get("value")
    return value if isinstance(value, str) else ""


def typed_in_parts(view: Mapping[str, Any], name: str) -> str:
    """The text of the boxes ``name``, ``name_2``, …: a long text needs several."""
    parts = [typed(view, name)]
    while part := typed(view, f"{name}_{len(parts) + 1}"):
        parts.append(part)
    return "".join(parts)


def chosen(view: Mapping[str, Any], name: str) -> str:
    """The chosen value of a select, a row of checkboxes (its first) or a choice of people."""
    held = element(view, name)
    chosen, ticked = held.get("selected_option"), held.get("selected_options")
    if isinstance(ticked, list) and ticked:
        chosen = ticked[0]
    value = chosen.get("value") if isinstance(chosen, dict) else held.get("selected_user")
    return value if isinstance(value, str) else ""
