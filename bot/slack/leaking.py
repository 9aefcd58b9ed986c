"""The choice in a dialog whose public text may hold what must not leave. Pure.

It stands under the text once that was refused, and is read back with the next submission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from bot.slack.blocks import Json, input_block, option
from bot.slack.carrying import AS_IT_IS, AS_NOTE, DECLARE_IT, DECLARE_PRIVATE, as_note
from bot.slack.dialogs import refilled
from bot.slack.inputs import element
from bot.slack.requests import Request
from core.commands import Change, Declare, Walk
from core.refusals import PossibleLeak
from core.texts import lines, one_line

CHOICE = "leak"
PUBLISH_IT, KEEP_IT = "publish", "note"
# The inputs that hold a public text; a text that is too long has several.
TEXTS = ("public", "text", "text_2")
TITLES = ("title", *TEXTS)
_MARKS = UUID("6e0f7c1d-2f7d-5b0a-8a39-0f6f1f1f2b6c")


def with_choice(view: Mapping[str, Any], error: PossibleLeak, reply: Json) -> Json:
    """``view`` with everything that was typed, under the text of ``reply``, and with the choice.

    The choice to publish is for the text of ``error`` alone: its mark is in the block_id.
    """
    asked = [block for block in view["blocks"] if _name(block) != CHOICE]
    drawn = refilled({**view, "blocks": asked}, reply)
    if error.incident is None:
        options = [option(DECLARE_IT, PUBLISH_IT), option(DECLARE_PRIVATE, KEEP_IT)]
    else:
        options = [option(AS_IT_IS, PUBLISH_IT)]
        if not error.incident.terminal:
            options.append(option(AS_NOTE, KEEP_IT))
    choice = input_block(
        f"{CHOICE}:{_mark(error.text)}",
        "This title" if error.title else "This text",
        {"type": "radio_buttons", "action_id": CHOICE, "options": options},
        hint="Or change it above. What was changed is looked at anew.",
        optional=True,
    )
    blocks = drawn["blocks"]
    held = TITLES if error.title else TEXTS
    place = max(place for place, block in enumerate(blocks) if _name(block) in held)
    return {**drawn, "blocks": [*blocks[: place + 1], choice, *blocks[place + 1 :]]}


def settled(view: Mapping[str, Any], request: Request) -> Request:
    """``request`` of the dialog ``view``, as the choice in it says; without one, as it is."""
    text = _looked_at(request)
    if not isinstance(request, Change | Walk | Declare) or text is None:
        return request
    chosen = (element(view, CHOICE).get("selected_option") or {}).get("value")
    if chosen == KEEP_IT:
        return replace(request, private=True) if isinstance(request, Declare) else as_note(request)
    seen = any(block == f"{CHOICE}:{_mark(text)}" for block in _values(view))
    return replace(request, confirmed=True) if chosen == PUBLISH_IT and seen else request


def _looked_at(request: Request) -> str | None:
    """The text of ``request`` that the leak guard looks at; None without one."""
    match request:
        case Declare(title=title) | Change(public=None, title=str(title)):
            return one_line(title)
        case Change() | Walk():
            return request.public
    return None


def _values(view: Mapping[str, Any]) -> Mapping[str, Any]:
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    return values if isinstance(values, dict) else {}


def _name(block: Mapping[str, Any]) -> str:
    return str(block.get("block_id") or "").partition(":")[0]


def _mark(text: str) -> str:
    """Tells texts apart, without their words."""
    return uuid5(_MARKS, lines(text)).hex
