"""What Slack's own client checks in a form before it lets it go to the app.

Pure. The sentences are what the person sees beside the input.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox import blockkit
from bot.sandbox.blockkit import Json

# The keys of state.values that hold a list.
SEVERAL = frozenset(
    {"selected_options", "selected_users", "selected_conversations", "selected_channels", "files"}
)
MOST_TYPED = 3000


def several(value: Any) -> list[Any]:
    """One value, or a collection of them, as a list."""
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def fault(block: Json, state: Mapping[str, Mapping[str, Json]]) -> str | None:
    """What the person is told about the input in ``block``; None when it may go."""
    if block["type"] != "input":
        return None
    element = block["element"]
    value = state[block["block_id"]][element["action_id"]][blockkit.STATE[element["type"]][0]]
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
