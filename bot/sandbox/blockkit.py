"""Slack's rules for Block Kit as one table of shapes: lengths, counts, required fields, surfaces.

Pure: values in, a list of complaints out, in Slack's words and with Slack's places, for example
``must be less than 151 characters [json-pointer:/blocks/0/text/text]``. Nothing here knows a
workspace.

Sources: https://docs.slack.dev/reference/block-kit and the types and limits that Slack's SDKs
carry.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Rule = Callable[[object, str, list[str]], None]

MESSAGE, MODAL, HOME = "message", "modal", "home"
MOST_BLOCKS = {MESSAGE: 50, MODAL: 100, HOME: 100}
# Slack documents 12,000 and refuses at about 13,200: the difference is a buffer for block
# containers.
MOST_TEXT_OF_A_MESSAGE = 13_200
MOST_MARKDOWN_OF_A_MESSAGE = 12_000
MOST_BYTES_OF_A_VIEW = 250_000


def message_errors(blocks: object) -> list[str]:
    """Slack's complaints about the blocks of a message; empty for blocks that it accepts."""
    return _blocks_errors(blocks, MESSAGE, "/blocks")


def view_errors(view: object, *, kind: str) -> list[str]:
    """Slack's complaints about a view opened as ``modal`` or published as ``home``."""
    if not isinstance(view, dict):
        return [_placed("must provide an object", "/view")]
    if view.get("type") != kind:
        return [_placed(f"must be a view of type {kind}", "/view/type")]
    errors: list[str] = []
    (_MODAL_VIEW if kind == MODAL else _HOME_VIEW)(view, "/view", errors)
    blocks = view.get("blocks")
    errors += _blocks_errors(blocks, kind, "/view/blocks")
    if kind == MODAL and "submit" not in view and not errors and _has_input(blocks):
        errors.append(_placed("missing required field: submit", "/view"))
    return errors


def _has_input(blocks: object) -> bool:
    return isinstance(blocks, list) and any(block["type"] == "input" for block in blocks)


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


# --- the rules that the shapes are made of ---


def _placed(complaint: str, at: str) -> str:
    return f"{complaint} [json-pointer:{at}]"


def _string(most: int | None = None, *, least: int = 0, pattern: str = "") -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, str):
            errors.append(_placed("must provide a string", at))
        elif most is not None and len(value) > most:
            errors.append(_placed(f"must be less than {most + 1} characters", at))
        elif len(value) < least:
            errors.append(_placed(f"must be more than {least - 1} characters", at))
        elif pattern and not re.fullmatch(pattern, value):
            errors.append(_placed("must match the expected format", at))

    return rule


def _number(least: float | None = None, most: float | None = None, *, whole: bool = True) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            errors.append(_placed("must provide a number", at))
        elif least is not None and value < least:
            errors.append(_placed(f"must be greater than or equal to {least}", at))
        elif most is not None and value > most:
            errors.append(_placed(f"must be less than or equal to {most}", at))

    return rule


def _boolean(value: object, at: str, errors: list[str]) -> None:
    if not isinstance(value, bool):
        errors.append(_placed("must provide a boolean", at))


def _anything(value: object, at: str, errors: list[str]) -> None:
    """Accepts every value, as Slack does."""


def _among(*allowed: object) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if value not in allowed:
            errors.append(_placed("must be a valid enum value", at))

    return rule


def _list(item: Rule, *, least: int = 0, most: int | None = None) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            errors.append(_placed("must provide an array", at))
            return
        if most is not None and len(value) > most:
            errors.append(_placed(f"no more than {most} items allowed", at))
        if len(value) < least:
            errors.append(_placed(f"no less than {least} items allowed", at))
        for index, entry in enumerate(value):
            item(entry, f"{at}/{index}", errors)

    return rule


@dataclass(frozen=True, slots=True)
class _Shape:
    """An object with these fields and no others; ``also`` compares them with each other."""

    required: Mapping[str, Rule]
    optional: Mapping[str, Rule] = field(default_factory=dict)
    also: Callable[[Json, str, list[str]], None] | None = None

    def __call__(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            errors.append(_placed("must provide an object", at))
            return
        before = len(errors)
        errors += [
            _placed(f"missing required field: {name}", at)
            for name in self.required
            if name not in value
        ]
        for name, entry in value.items():
            rule = self.required.get(name) or self.optional.get(name)
            if rule is not None:
                rule(entry, f"{at}/{name}", errors)
            elif name != "type":
                errors.append(_placed(f"invalid additional property: {name}", at))
        # ``also`` runs on a complete object only, so a rule about two fields finds both.
        if self.also is not None and len(errors) == before:
            self.also(value, at, errors)


def _typed(shapes: Mapping[str, Rule]) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            errors.append(_placed("must provide an object", at))
        elif not isinstance(value.get("type"), str):
            errors.append(_placed("missing required field: type", at))
        elif value["type"] not in shapes:
            errors.append(_placed(f"unsupported type: {value['type']}", f"{at}/type"))
        else:
            shapes[value["type"]](value, at, errors)

    return rule


def _text(most: int = 3000, *, least: int = 1) -> Rule:
    characters = _string(most, least=least)
    return _typed(
        {
            "plain_text": _Shape({"text": characters}, {"emoji": _boolean}),
            "mrkdwn": _Shape({"text": characters}, {"verbatim": _boolean}),
        }
    )


def _plain(most: int = 3000, *, least: int = 1) -> Rule:
    return _typed({"plain_text": _Shape({"text": _string(most, least=least)}, {"emoji": _boolean})})


def _mrkdwn(most: int = 3000) -> Rule:
    return _typed({"mrkdwn": _Shape({"text": _string(most, least=1)}, {"verbatim": _boolean})})


def _exactly_one_of(*names: str) -> Callable[[Json, str, list[str]], None]:
    def also(value: Json, at: str, errors: list[str]) -> None:
        if sum(name in value for name in names) != 1:
            errors.append(_placed(f"must provide exactly one of: {', '.join(names)}", at))

    return also


def _starts_among_options(key: str) -> Callable[[Json, str, list[str]], None]:
    def also(value: Json, at: str, errors: list[str]) -> None:
        if "static" in value["type"]:
            _exactly_one_of("options", "option_groups")(value, at, errors)
        starts = value.get(key, [])
        offered = [(_words(option), option.get("value")) for option in options_of(value)]
        if any(
            (_words(start), start.get("value")) not in offered
            for start in (starts if isinstance(starts, list) else [starts])
        ):
            errors.append(_placed("must exactly match one of the provided options", f"{at}/{key}"))

    return also


def _words(option: Json) -> str:
    return str(option["text"]["text"])


# --- compositions ---

_ID = _string(255, least=1)
_URL = _string(3000, least=1, pattern=r"\S+")
_CONFIRM = _Shape(
    {"text": _text(300)},
    {
        "title": _plain(100),
        "confirm": _plain(30),
        "deny": _plain(30),
        "style": _among("primary", "danger"),
    },
)
_OPTION = _Shape({"text": _plain(75), "value": _string(150)}, {"description": _plain(75)})
_RICH_OPTION = _Shape({"text": _text(75), "value": _string(150)}, {"description": _text(75)})
_OVERFLOW_OPTION = _Shape(
    {"text": _plain(75)}, {"value": _string(150), "description": _plain(75), "url": _URL}
)
_GROUP = _Shape({"label": _plain(75), "options": _list(_OPTION, least=1, most=100)})
OPTIONS_ANSWER = _Shape(
    {},
    {"options": _list(_OPTION, most=100), "option_groups": _list(_GROUP, most=100)},
    _exactly_one_of("options", "option_groups"),
)
_SLACK_FILE = _Shape({}, {"id": _string(), "url": _string()}, _exactly_one_of("id", "url"))
_DISPATCH = _Shape(
    {}, {"trigger_actions_on": _list(_among("on_enter_pressed", "on_character_entered"))}
)
_FILTER = _Shape(
    {},
    {
        "include": _list(_among("im", "mpim", "private", "public"), least=1),
        "exclude_external_shared_channels": _boolean,
        "exclude_bot_users": _boolean,
    },
)

# --- elements ---


def _element(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    also: Callable[[Json, str, list[str]], None] | None = None,
) -> Rule:
    return _Shape(required or {}, {"action_id": _ID, "confirm": _CONFIRM, **(optional or {})}, also)


_FOCUS: Mapping[str, Rule] = {"focus_on_load": _boolean}
_CHOICE: Mapping[str, Rule] = {**_FOCUS, "placeholder": _plain(150)}
_MANY: Mapping[str, Rule] = {**_CHOICE, "max_selected_items": _number(1)}
_STATIC: Mapping[str, Rule] = {
    "options": _list(_OPTION, least=1, most=100),
    "option_groups": _list(_GROUP, least=1, most=100),
}
_TYPED: Mapping[str, Rule] = {
    **_FOCUS,
    "placeholder": _plain(150),
    "dispatch_action_config": _DISPATCH,
}


def _lengths_in_order(value: Json, at: str, errors: list[str]) -> None:
    if value.get("min_length", 0) > value.get("max_length", 3000):
        errors.append(_placed("min_length must be less than or equal to max_length", at))


_IMAGE = _Shape(
    {"alt_text": _string(2000)},
    {"image_url": _URL, "slack_file": _SLACK_FILE},
    _exactly_one_of("image_url", "slack_file"),
)
_BUTTON = _element(
    {"text": _plain(75)},
    {
        "url": _URL,
        "value": _string(2000),
        "style": _among("primary", "danger"),
        "accessibility_label": _string(75),
    },
)
_WORKFLOW_BUTTON = _Shape(
    {
        "text": _plain(75),
        "workflow": _Shape(
            {"trigger": _Shape({"url": _URL}, {"customizable_input_parameters": _anything})}
        ),
    },
    {
        "action_id": _ID,
        "confirm": _CONFIRM,
        "style": _among("primary", "danger"),
        "accessibility_label": _string(75),
    },
)
_SELECTS: Mapping[str, Rule] = {
    "static_select": _element(
        {},
        {**_CHOICE, **_STATIC, "initial_option": _OPTION},
        _starts_among_options("initial_option"),
    ),
    "external_select": _element(
        {}, {**_CHOICE, "min_query_length": _number(0), "initial_option": _OPTION}
    ),
    "users_select": _element({}, {**_CHOICE, "initial_user": _string()}),
    "conversations_select": _element(
        {},
        {
            **_CHOICE,
            "initial_conversation": _string(),
            "default_to_current_conversation": _boolean,
            "response_url_enabled": _boolean,
            "filter": _FILTER,
        },
    ),
    "channels_select": _element(
        {}, {**_CHOICE, "initial_channel": _string(), "response_url_enabled": _boolean}
    ),
}
_MULTI_SELECTS: Mapping[str, Rule] = {
    "multi_static_select": _element(
        {},
        {**_MANY, **_STATIC, "initial_options": _list(_OPTION)},
        _starts_among_options("initial_options"),
    ),
    "multi_external_select": _element(
        {}, {**_MANY, "min_query_length": _number(0), "initial_options": _list(_OPTION)}
    ),
    "multi_users_select": _element({}, {**_MANY, "initial_users": _list(_string())}),
    "multi_conversations_select": _element(
        {},
        {
            **_MANY,
            "initial_conversations": _list(_string()),
            "default_to_current_conversation": _boolean,
            "filter": _FILTER,
        },
    ),
    "multi_channels_select": _element({}, {**_MANY, "initial_channels": _list(_string())}),
}
_PICKERS: Mapping[str, Rule] = {
    "checkboxes": _element(
        {"options": _list(_RICH_OPTION, least=1, most=10)},
        {**_FOCUS, "initial_options": _list(_RICH_OPTION, least=1)},
        _starts_among_options("initial_options"),
    ),
    "radio_buttons": _element(
        {"options": _list(_RICH_OPTION, least=1, most=10)},
        {**_FOCUS, "initial_option": _RICH_OPTION},
        _starts_among_options("initial_option"),
    ),
    "datepicker": _element({}, {**_CHOICE, "initial_date": _string(pattern=r"\d{4}-\d{2}-\d{2}")}),
    "timepicker": _element(
        {}, {**_CHOICE, "initial_time": _string(pattern=r"\d{2}:\d{2}"), "timezone": _string()}
    ),
}
_DATETIME = _element({}, {**_FOCUS, "initial_date_time": _number(1_000_000_000, 9_999_999_999)})
_RICH_TEXT_INPUT = _Shape(
    {},
    {
        **_TYPED,
        "action_id": _ID,
        "initial_value": _anything,
        "min_lines": _number(1, 100),
        "max_lines": _number(1, 100),
    },
)
_OVERFLOW = _element({"options": _list(_OVERFLOW_OPTION, least=1, most=5)})
_ACCESSORIES: Mapping[str, Rule] = {
    "image": _IMAGE,
    "button": _BUTTON,
    "workflow_button": _WORKFLOW_BUTTON,
    "overflow": _OVERFLOW,
    **_SELECTS,
    **_MULTI_SELECTS,
    **_PICKERS,
}
_ACTIONS: Mapping[str, Rule] = {
    **{kind: rule for kind, rule in _ACCESSORIES.items() if kind != "image"},
    "datetimepicker": _DATETIME,
    "rich_text_input": _RICH_TEXT_INPUT,
}


def _typing(
    required: Mapping[str, Rule] | None = None, optional: Mapping[str, Rule] | None = None
) -> Rule:
    return _Shape(
        required or {}, {"action_id": _ID, **_TYPED, "initial_value": _string(), **(optional or {})}
    )


_INPUTS: Mapping[str, Rule] = {
    **_SELECTS,
    **_MULTI_SELECTS,
    **_PICKERS,
    "datetimepicker": _DATETIME,
    "rich_text_input": _RICH_TEXT_INPUT,
    "plain_text_input": _Shape(
        {},
        {
            "action_id": _ID,
            **_TYPED,
            "initial_value": _string(3000),
            "multiline": _boolean,
            "min_length": _number(0, 3000),
            "max_length": _number(1, 3000),
        },
        _lengths_in_order,
    ),
    "email_text_input": _typing(),
    "url_text_input": _typing(),
    "number_input": _typing(
        {"is_decimal_allowed": _boolean}, {"min_value": _string(), "max_value": _string()}
    ),
    "file_input": _Shape(
        {}, {"action_id": _ID, "filetypes": _list(_string()), "max_files": _number(1, 10)}
    ),
}

# --- rich text ---

_STYLE = _Shape(
    {},
    dict.fromkeys(
        (
            "bold",
            "italic",
            "strike",
            "code",
            "underline",
            "highlight",
            "client_highlight",
            "unlink",
        ),
        _boolean,
    ),
)


def _inline(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    return _Shape(required, {"style": _STYLE, **(optional or {})})


_RICH_INLINE = _typed(
    {
        "text": _inline({"text": _string(least=1)}),
        "link": _inline({"url": _string(least=1)}, {"text": _string(), "unsafe": _boolean}),
        "user": _inline({"user_id": _string()}),
        "channel": _inline({"channel_id": _string()}),
        "usergroup": _inline({"usergroup_id": _string()}),
        "team": _inline({"team_id": _string()}),
        "broadcast": _inline({"range": _among("here", "channel", "everyone")}),
        "emoji": _inline(
            {"name": _string()},
            {"unicode": _string(), "url": _string(), "skin_tone": _number(2, 6)},
        ),
        "color": _inline({"value": _string()}),
        "date": _inline(
            {"timestamp": _number(), "format": _string()}, {"fallback": _string(), "url": _string()}
        ),
    }
)
_RICH_SECTION = _Shape({"elements": _list(_RICH_INLINE)})
_RICH_TEXT = _Shape(
    {
        "elements": _list(
            _typed(
                {
                    "rich_text_section": _RICH_SECTION,
                    "rich_text_quote": _Shape(
                        {"elements": _list(_RICH_INLINE)}, {"border": _among(0, 1)}
                    ),
                    "rich_text_preformatted": _Shape(
                        {"elements": _list(_RICH_INLINE)},
                        {"border": _among(0, 1), "language": _string()},
                    ),
                    "rich_text_list": _Shape(
                        {
                            "style": _among("bullet", "ordered"),
                            "elements": _list(_typed({"rich_text_section": _RICH_SECTION})),
                        },
                        {"border": _among(0, 1), "indent": _number(0, 8), "offset": _number(0)},
                    ),
                }
            )
        )
    },
    {"block_id": _string(255)},
)
_CELL = _typed(
    {
        "rich_text": _RICH_TEXT,
        "raw_text": _Shape({"text": _string(least=1)}),
        "raw_number": _Shape({"text": _string(least=1), "value": _number(whole=False)}),
    }
)

# --- blocks ---


def _block(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    also: Callable[[Json, str, list[str]], None] | None = None,
) -> Rule:
    return _Shape(required or {}, {"block_id": _string(255), **(optional or {})}, also)


def _text_or_fields(value: Json, at: str, errors: list[str]) -> None:
    if "text" not in value and "fields" not in value:
        errors.append(_placed("missing required field: text", at))


def _action_ids_differ(value: Json, at: str, errors: list[str]) -> None:
    seen: set[str] = set()
    for index, element in enumerate(value.get("elements") or value.get("actions") or ()):
        action_id = element.get("action_id")
        if action_id in seen:
            errors.append(
                _placed(
                    f"`action_id` already exists: {action_id}", f"{at}/elements/{index}/action_id"
                )
            )
        if action_id is not None:
            seen.add(action_id)


def _file_only_where_answered(value: Json, at: str, errors: list[str]) -> None:
    if value.get("dispatch_action") and value["element"]["type"] == "file_input":
        errors.append(_placed("dispatch_action is not supported with file_input", at))


def _table_is_even(most_columns: int) -> Callable[[Json, str, list[str]], None]:
    def also(value: Json, at: str, errors: list[str]) -> None:
        for index, row in enumerate(value["rows"]):
            if len(row) > most_columns:
                errors.append(
                    _placed(f"no more than {most_columns} items allowed", f"{at}/rows/{index}")
                )

    return also


def _data_table_fits(value: Json, at: str, errors: list[str]) -> None:
    _table_is_even(20)(value, at, errors)
    if text_length([value]) > 20_000:
        errors.append(_placed("must be less than 20001 characters", at))


_FEEDBACK = _Shape(
    {"text": _plain(75), "value": _string(2000)}, {"accessibility_label": _string(75)}
)
_CARD = _block(
    {},
    {
        "title": _mrkdwn(150),
        "subtitle": _mrkdwn(150),
        "body": _mrkdwn(200),
        "subtext": _mrkdwn(200),
        "hero_image": _typed({"image": _IMAGE}),
        "icon": _typed({"image": _IMAGE}),
        "actions": _list(_typed({"button": _BUTTON}), most=3),
    },
    _action_ids_differ,
)
_TASK = _block(
    {
        "task_id": _string(),
        "title": _string(),
        "status": _among("pending", "in_progress", "complete", "error"),
    },
    {
        "details": _typed({"rich_text": _RICH_TEXT}),
        "output": _typed({"rich_text": _RICH_TEXT}),
        "sources": _list(_typed({"url": _Shape({"url": _URL, "text": _string()})})),
    },
)
_SHAPES: dict[str, Rule] = {
    "section": _block(
        {},
        {
            "text": _text(3000),
            "fields": _list(_text(2000), least=1, most=10),
            "accessory": _typed(_ACCESSORIES),
            "expand": _boolean,
        },
        _text_or_fields,
    ),
    "header": _block({"text": _plain(150)}),
    "divider": _block(),
    "context": _block(
        {
            "elements": _list(
                _typed(
                    {
                        "image": _IMAGE,
                        "plain_text": _plain(3000),
                        "mrkdwn": _mrkdwn(3000),
                    }
                ),
                least=1,
                most=10,
            )
        }
    ),
    "actions": _block(
        {"elements": _list(_typed(_ACTIONS), least=1, most=25)}, {}, _action_ids_differ
    ),
    "input": _block(
        {"label": _plain(2000), "element": _typed(_INPUTS)},
        {"hint": _plain(2000), "optional": _boolean, "dispatch_action": _boolean},
        _file_only_where_answered,
    ),
    "image": _block(
        {"alt_text": _string(2000)},
        {"image_url": _URL, "slack_file": _SLACK_FILE, "title": _plain(2000)},
        _exactly_one_of("image_url", "slack_file"),
    ),
    "markdown": _block({"text": _string(MOST_MARKDOWN_OF_A_MESSAGE, least=1)}),
    "rich_text": _RICH_TEXT,
    "table": _block(
        {"rows": _list(_list(_CELL), least=1, most=100)},
        {
            "column_settings": _list(
                _Shape({}, {"align": _among("left", "center", "right"), "is_wrapped": _boolean}),
                most=20,
            )
        },
        _table_is_even(20),
    ),
    "file": _block({"external_id": _string(), "source": _among("remote")}),
    "video": _block(
        {
            "alt_text": _string(200, least=1),
            "title": _plain(199),
            "thumbnail_url": _URL,
            "video_url": _URL,
        },
        {
            "author_name": _string(49),
            "description": _plain(200),
            "provider_name": _string(50),
            "provider_icon_url": _URL,
            "title_url": _URL,
        },
    ),
    "context_actions": _block(
        {
            "elements": _list(
                _typed(
                    {
                        "feedback_buttons": _element(
                            {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}
                        ),
                        "icon_button": _element(
                            {"icon": _string(), "text": _plain(75)},
                            {
                                "value": _string(2000),
                                "accessibility_label": _string(75),
                                "visible_to_user_ids": _list(_string(), most=10),
                            },
                        ),
                    }
                ),
                least=1,
                most=5,
            )
        },
        {},
        _action_ids_differ,
    ),
    "alert": _block(
        {"text": _text(200)}, {"level": _among("default", "info", "warning", "error", "success")}
    ),
    "card": _CARD,
    "carousel": _block({"elements": _list(_typed({"card": _CARD}), least=1, most=10)}),
    "task_card": _TASK,
    "plan": _block(
        {"title": _string(least=1)}, {"tasks": _list(_typed({"task_card": _TASK}), most=50)}
    ),
    "data_table": _block(
        {"caption": _string(least=1), "rows": _list(_list(_CELL, least=1), least=2, most=201)},
        {"page_size": _number(1, 100), "row_header_column_index": _number(0, 19)},
        _data_table_fits,
    ),
}
_IN_CONTAINER = (
    "actions",
    "context",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "table",
    "video",
)
_SHAPES["container"] = _block(
    {"child_blocks": _list(_typed({kind: _SHAPES[kind] for kind in _IN_CONTAINER}), most=10)},
    {
        "title": _plain(150),
        "subtitle": _text(150),
        "rich_text_title": _typed({"rich_text": _RICH_TEXT}),
        "icon": _typed({"image": _IMAGE}),
        "width": _string(),
        "has_header_divider": _boolean,
        "is_collapsible": _boolean,
        "default_collapsed": _boolean,
    },
)
_ONLY_ON: Mapping[str, tuple[str, ...]] = {
    "alert": (MODAL,),
    "markdown": (MESSAGE,),
    "file": (MESSAGE,),
    "plan": (MESSAGE,),
    "task_card": (MESSAGE,),
    "context_actions": (MESSAGE,),
    "data_table": (MESSAGE,),
    "table": (MESSAGE, HOME),
}
_BLOCK: Mapping[str, Rule] = {
    surface: _typed(
        {kind: rule for kind, rule in _SHAPES.items() if surface in _ONLY_ON.get(kind, (surface,))}
    )
    for surface in (MESSAGE, MODAL, HOME)
}

# --- views ---

_VIEW: Mapping[str, Rule] = {
    "private_metadata": _string(3000),
    "callback_id": _string(255),
    "external_id": _string(255),
}
# The blocks have their own rule, because the allowed types depend on the surface.
_HOME_VIEW = _Shape({"blocks": _anything}, _VIEW)
_MODAL_VIEW = _Shape(
    {"title": _plain(24), "blocks": _anything},
    {
        **_VIEW,
        "submit": _plain(24),
        "close": _plain(24),
        "clear_on_close": _boolean,
        "notify_on_close": _boolean,
    },
)


def _blocks_errors(blocks: object, surface: str, at: str) -> list[str]:
    errors: list[str] = []
    least = 1 if surface == MODAL else 0
    _list(_BLOCK[surface], least=least, most=MOST_BLOCKS[surface])(blocks, at, errors)
    if not isinstance(blocks, list) or errors:
        return errors
    errors += _repeated_block_ids(blocks, at)
    errors += _out_of_place(blocks, surface, at)
    return errors


def _repeated_block_ids(blocks: Sequence[Json], at: str) -> list[str]:
    errors: list[str] = []
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            errors.append(
                _placed(f"`block_id` already exists: {block_id}", f"{at}/{index}/block_id")
            )
        if block_id:
            seen.add(block_id)
    return errors


def _out_of_place(blocks: Sequence[Json], surface: str, at: str) -> list[str]:
    """Complaints that depend on the other blocks or on the surface."""
    errors: list[str] = []
    elements = [element for _block_, element in interactive(blocks)]
    if sum(bool(element.get("focus_on_load")) for element in elements) > 1:
        errors.append(_placed("only one element may have focus_on_load", at))
    if surface != MODAL:
        errors += [
            _placed("response_url_enabled is only supported in modals", at)
            for element in elements
            if element.get("response_url_enabled")
        ]
        errors += [
            _placed("unsupported type: file_input", at)
            for element in elements
            if element["type"] == "file_input"
        ]
    if sum(block["type"] == "table" for block in blocks) > 1:
        errors.append(_placed("only_one_table_allowed", at))
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MOST_MARKDOWN_OF_A_MESSAGE:
        errors.append(_placed(f"must be less than {MOST_MARKDOWN_OF_A_MESSAGE + 1} characters", at))
    return errors
