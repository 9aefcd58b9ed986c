"""The elements of Block Kit as shapes: buttons, selects, inputs, and the objects in them.

Source: https://docs.slack.dev/reference/block-kit/block-elements
"""

from collections.abc import Mapping

from bot.sandbox.blocks import Json, options_of
from bot.sandbox.rules import (
    Also,
    Rule,
    Shape,
    among,
    anything,
    array,
    boolean,
    exactly_one_of,
    number,
    placed,
    plain,
    string,
    text,
)


def _starts_among_options(key: str) -> Also:
    def also(value: Json, at: str, errors: list[str]) -> None:
        if "static" in value["type"]:
            exactly_one_of("options", "option_groups")(value, at, errors)
        starts = value.get(key, [])
        offered = [(_words(option), option.get("value")) for option in options_of(value)]
        if any(
            (_words(start), start.get("value")) not in offered
            for start in (starts if isinstance(starts, list) else [starts])
        ):
            errors.append(placed("must exactly match one of the provided options", f"{at}/{key}"))

    return also


def _words(option: Json) -> str:
    return str(option["text"]["text"])


ID = string(255, least=1)
URL = string(3000, least=1, pattern=r"\S+")
_CONFIRM = Shape(
    {"text": text(300)},
    {
        "title": plain(100),
        "confirm": plain(30),
        "deny": plain(30),
        "style": among("primary", "danger"),
    },
)
_OPTION = Shape({"text": plain(75), "value": string(150)}, {"description": plain(75)})
_RICH_OPTION = Shape({"text": text(75), "value": string(150)}, {"description": text(75)})
_OVERFLOW_OPTION = Shape(
    {"text": plain(75)}, {"value": string(150), "description": plain(75), "url": URL}
)
_GROUP = Shape({"label": plain(75), "options": array(_OPTION, least=1, most=100)})
OPTIONS_ANSWER = Shape(
    {},
    {"options": array(_OPTION, most=100), "option_groups": array(_GROUP, most=100)},
    exactly_one_of("options", "option_groups"),
)
SLACK_FILE = Shape({}, {"id": string(), "url": string()}, exactly_one_of("id", "url"))
_DISPATCH = Shape(
    {}, {"trigger_actions_on": array(among("on_enter_pressed", "on_character_entered"))}
)
_FILTER = Shape(
    {},
    {
        "include": array(among("im", "mpim", "private", "public"), least=1),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)


def element(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    also: Also | None = None,
) -> Rule:
    return Shape(required or {}, {"action_id": ID, "confirm": _CONFIRM, **(optional or {})}, also)


_FOCUS: Mapping[str, Rule] = {"focus_on_load": boolean}
_CHOICE: Mapping[str, Rule] = {**_FOCUS, "placeholder": plain(150)}
_MANY: Mapping[str, Rule] = {**_CHOICE, "max_selected_items": number(1)}
_STATIC: Mapping[str, Rule] = {
    "options": array(_OPTION, least=1, most=100),
    "option_groups": array(_GROUP, least=1, most=100),
}
_TYPED: Mapping[str, Rule] = {
    **_FOCUS,
    "placeholder": plain(150),
    "dispatch_action_config": _DISPATCH,
}


def _lengths_in_order(value: Json, at: str, errors: list[str]) -> None:
    if value.get("min_length", 0) > value.get("max_length", 3000):
        errors.append(placed("min_length must be less than or equal to max_length", at))


IMAGE = Shape(
    {"alt_text": string(2000)},
    {"image_url": URL, "slack_file": SLACK_FILE},
    exactly_one_of("image_url", "slack_file"),
)
BUTTON = element(
    {"text": plain(75)},
    {
        "url": URL,
        "value": string(2000),
        "style": among("primary", "danger"),
        "accessibility_label": string(75),
    },
)
_WORKFLOW_BUTTON = Shape(
    {
        "text": plain(75),
        "workflow": Shape(
            {"trigger": Shape({"url": URL}, {"customizable_input_parameters": anything})}
        ),
    },
    {
        "action_id": ID,
        "confirm": _CONFIRM,
        "style": among("primary", "danger"),
        "accessibility_label": string(75),
    },
)
_SELECTS: Mapping[str, Rule] = {
    "static_select": element(
        {},
        {**_CHOICE, **_STATIC, "initial_option": _OPTION},
        _starts_among_options("initial_option"),
    ),
    "external_select": element(
        {}, {**_CHOICE, "min_query_length": number(0), "initial_option": _OPTION}
    ),
    "users_select": element({}, {**_CHOICE, "initial_user": string()}),
    "conversations_select": element(
        {},
        {
            **_CHOICE,
            "initial_conversation": string(),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": _FILTER,
        },
    ),
    "channels_select": element(
        {}, {**_CHOICE, "initial_channel": string(), "response_url_enabled": boolean}
    ),
}
_MULTI_SELECTS: Mapping[str, Rule] = {
    "multi_static_select": element(
        {},
        {**_MANY, **_STATIC, "initial_options": array(_OPTION)},
        _starts_among_options("initial_options"),
    ),
    "multi_external_select": element(
        {}, {**_MANY, "min_query_length": number(0), "initial_options": array(_OPTION)}
    ),
    "multi_users_select": element({}, {**_MANY, "initial_users": array(string())}),
    "multi_conversations_select": element(
        {},
        {
            **_MANY,
            "initial_conversations": array(string()),
            "default_to_current_conversation": boolean,
            "filter": _FILTER,
        },
    ),
    "multi_channels_select": element({}, {**_MANY, "initial_channels": array(string())}),
}
_PICKERS: Mapping[str, Rule] = {
    "checkboxes": element(
        {"options": array(_RICH_OPTION, least=1, most=10)},
        {**_FOCUS, "initial_options": array(_RICH_OPTION, least=1)},
        _starts_among_options("initial_options"),
    ),
    "radio_buttons": element(
        {"options": array(_RICH_OPTION, least=1, most=10)},
        {**_FOCUS, "initial_option": _RICH_OPTION},
        _starts_among_options("initial_option"),
    ),
    "datepicker": element({}, {**_CHOICE, "initial_date": string(pattern=r"\d{4}-\d{2}-\d{2}")}),
    "timepicker": element(
        {}, {**_CHOICE, "initial_time": string(pattern=r"\d{2}:\d{2}"), "timezone": string()}
    ),
}
_DATETIME = element({}, {**_FOCUS, "initial_date_time": number(1_000_000_000, 9_999_999_999)})
_RICH_TEXT_INPUT = Shape(
    {},
    {
        **_TYPED,
        "action_id": ID,
        "initial_value": anything,
        "min_lines": number(1, 100),
        "max_lines": number(1, 100),
    },
)
_OVERFLOW = element({"options": array(_OVERFLOW_OPTION, least=1, most=5)})
ACCESSORIES: Mapping[str, Rule] = {
    "image": IMAGE,
    "button": BUTTON,
    "workflow_button": _WORKFLOW_BUTTON,
    "overflow": _OVERFLOW,
    **_SELECTS,
    **_MULTI_SELECTS,
    **_PICKERS,
}
ACTIONS: Mapping[str, Rule] = {
    **{kind: rule for kind, rule in ACCESSORIES.items() if kind != "image"},
    "datetimepicker": _DATETIME,
    "rich_text_input": _RICH_TEXT_INPUT,
}


def _typing(
    required: Mapping[str, Rule] | None = None, optional: Mapping[str, Rule] | None = None
) -> Rule:
    return Shape(
        required or {}, {"action_id": ID, **_TYPED, "initial_value": string(), **(optional or {})}
    )


INPUTS: Mapping[str, Rule] = {
    **_SELECTS,
    **_MULTI_SELECTS,
    **_PICKERS,
    "datetimepicker": _DATETIME,
    "rich_text_input": _RICH_TEXT_INPUT,
    "plain_text_input": Shape(
        {},
        {
            "action_id": ID,
            **_TYPED,
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        },
        _lengths_in_order,
    ),
    "email_text_input": _typing(),
    "url_text_input": _typing(),
    "number_input": _typing(
        {"is_decimal_allowed": boolean}, {"min_value": string(), "max_value": string()}
    ),
    "file_input": Shape(
        {}, {"action_id": ID, "filetypes": array(string()), "max_files": number(1, 10)}
    ),
}
