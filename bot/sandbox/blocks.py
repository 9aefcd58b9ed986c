"""The blocks of Block Kit as values: their texts, their elements, and how Slack keeps them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def text_length(blocks: Sequence[Json]) -> int:
    """Characters of all texts in ``blocks`` together, as ``msg_blocks_too_long`` counts them."""
    total, waiting = 0, list[Any](blocks)
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            total += len(value["text"]) if isinstance(value.get("text"), str) else 0
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return total


def interactive(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Each element that a person can use, with the block that names it, in reading order."""
    for block in blocks:
        match block.get("type"):
            case "section":
                candidates = [block["accessory"]] if "accessory" in block else []
            case "actions" | "context_actions":
                candidates = block["elements"]
            case "input":
                candidates = [block["element"]]
            case "card":
                candidates = block.get("actions", [])
            case "carousel":
                yield from interactive(block["elements"])
                continue
            case "container":
                yield from interactive(block["child_blocks"])
                continue
            case _:
                candidates = []
        for element in candidates:
            if element["type"] != "image":
                yield block, element


# For each element with a value: the key of that value in state.values, and the key of its start.
STATE: Mapping[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
# The keys of state.values that hold a list.
PLURAL = {
    "selected_options",
    "selected_users",
    "selected_conversations",
    "selected_channels",
    "files",
}


def initial_state(element: Json) -> Json | None:
    """The entry of state.values for an untouched ``element``; None for one that holds nothing."""
    if element["type"] not in STATE:
        return None
    key, start = STATE[element["type"]]
    return {"type": element["type"], key: element.get(start, [] if key in PLURAL else None)}


def options_of(element: Json) -> list[Json]:
    """All options an element offers by itself, those of its groups included."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def named(blocks: Sequence[Json], mint: Callable[[], str]) -> list[Json]:
    """``blocks`` as Slack stores them: every missing block_id and action_id is added."""
    return [_named(block, mint) for block in blocks]


def _named(block: Json, mint: Callable[[], str]) -> Json:
    stored = {"block_id": mint(), **block} if "block_id" not in block else dict(block)
    for key in ("accessory", "element"):
        if key in stored:
            stored[key] = _with_action_id(stored[key], mint)
    if stored["type"] in ("actions", "context_actions"):
        stored["elements"] = [_with_action_id(element, mint) for element in stored["elements"]]
    if stored["type"] == "card" and "actions" in stored:
        stored["actions"] = [_with_action_id(element, mint) for element in stored["actions"]]
    if stored["type"] == "carousel":
        stored["elements"] = named(stored["elements"], mint)
    if stored["type"] == "container":
        stored["child_blocks"] = named(stored["child_blocks"], mint)
    complete: Json = _with_defaults(stored)
    return complete


def _with_action_id(element: Json, mint: Callable[[], str]) -> Json:
    return (
        element
        if element["type"] == "image" or "action_id" in element
        else {**element, "action_id": mint()}
    )


def _with_defaults(value: Any) -> Any:
    # Slack answers with the defaults written out: blocks read back differ from blocks sent.
    if isinstance(value, list):
        return [_with_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    complete = {key: _with_defaults(item) for key, item in value.items()}
    if complete.get("type") == "plain_text":
        complete.setdefault("emoji", True)
    if complete.get("type") == "mrkdwn":
        complete.setdefault("verbatim", False)
    return complete
