"""A form in Slack's own client: the values of its inputs, and the checks before it is sent.

Pure. The sentences are those that the person sees beside the input.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.blocks import STATE, Json, initial_state, interactive, options_of

MOST_TYPED = 3000


def several(value: Any) -> list[Any]:
    """One value, or a collection of them, as a list."""
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def error(block: Json, state: Mapping[str, Mapping[str, Json]]) -> str | None:
    """The sentence about a wrong value in ``block``; None for a value that may be sent."""
    if block["type"] != "input":
        return None
    element = block["element"]
    value = state[block["block_id"]][element["action_id"]][STATE[element["type"]][0]]
    if value in (None, "", []):
        return None if block.get("optional") else "Please complete this required field."
    if isinstance(value, list):
        most = element.get("max_selected_items", len(value))
        return None if len(value) <= most else f"Select {most} or fewer."
    return _wrong_text(element, value) if isinstance(value, str) else None


def _wrong_text(element: Json, value: str) -> str | None:
    match element["type"]:
        case "plain_text_input":
            return _wrong_length(element, value)
        case "email_text_input" if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            return "Please enter a valid email address."
        case "url_text_input" if not re.fullmatch(r"https?://\S+", value):
            return "Please enter a valid URL."
        case "number_input":
            return _wrong_number(element, value)
    return None


def _wrong_length(element: Json, value: str) -> str | None:
    most = element.get("max_length", MOST_TYPED)
    if len(value) > most:
        return f"Must be {most} characters or fewer."
    least = element.get("min_length", 0)
    return None if len(value) >= least else f"Must be at least {least} characters."


def _wrong_number(element: Json, value: str) -> str | None:
    try:
        number = float(value) if element["is_decimal_allowed"] else int(value)
    except ValueError:
        return "Please enter a number."
    least, most = (float(element.get(key, number)) for key in ("min_value", "max_value"))
    return None if least <= number <= most else "Please enter a number in the allowed range."


def state_of(
    blocks: Sequence[Json], typed: Mapping[str, Mapping[str, Json]]
) -> dict[str, dict[str, Json]]:
    """``state.values`` of ``blocks``: a value in ``typed`` stays if its input is still the same."""
    state: dict[str, dict[str, Json]] = {}
    for block, element in interactive(blocks):
        start = initial_state(element)
        if start is None:
            continue
        kept = typed.get(block["block_id"], {}).get(element["action_id"])
        stays = (
            kept is not None and kept["type"] == element["type"] and _still_offered(element, kept)
        )
        state.setdefault(block["block_id"], {})[element["action_id"]] = (
            dict(kept) if stays and kept else start
        )
    return state


def _still_offered(element: Json, entry: Json) -> bool:
    offered = options_of(element)
    chosen = (
        [entry["selected_option"]]
        if entry.get("selected_option")
        else entry.get("selected_options", [])
    )
    return not offered or all(
        option["value"] in {offer["value"] for offer in offered} for option in chosen
    )
