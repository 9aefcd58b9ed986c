"""Slack's rules for Block Kit as one table of shapes: lengths, counts, required fields, surfaces.

Pure: values in, a list of complaints out, in Slack's words and with Slack's places, for example
``must be less than 151 characters [json-pointer:/blocks/0/text/text]``. Nothing here knows a
workspace.

Sources: https://docs.slack.dev/reference/block-kit and the types and limits that Slack's SDKs
carry.
"""

from collections.abc import Mapping, Sequence

from bot.sandbox.blocks import Json, interactive, text_length
from bot.sandbox.elements import (
    ACCESSORIES,
    ACTIONS,
    BUTTON,
    IMAGE,
    INPUTS,
    SLACK_FILE,
    URL,
    element,
)
from bot.sandbox.rules import (
    Also,
    Rule,
    Shape,
    among,
    anything,
    array,
    boolean,
    exactly_one_of,
    mrkdwn,
    number,
    placed,
    plain,
    string,
    text,
    typed,
)

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
        return [placed("must provide an object", "/view")]
    if view.get("type") != kind:
        return [placed(f"must be a view of type {kind}", "/view/type")]
    errors: list[str] = []
    (_MODAL_VIEW if kind == MODAL else _HOME_VIEW)(view, "/view", errors)
    blocks = view.get("blocks")
    errors += _blocks_errors(blocks, kind, "/view/blocks")
    if kind == MODAL and "submit" not in view and not errors and _has_input(blocks):
        errors.append(placed("missing required field: submit", "/view"))
    return errors


def _has_input(blocks: object) -> bool:
    return isinstance(blocks, list) and any(block["type"] == "input" for block in blocks)


# --- rich text ---

_STYLE = Shape(
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
        boolean,
    ),
)


def _inline(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    return Shape(required, {"style": _STYLE, **(optional or {})})


_RICH_INLINE = typed(
    {
        "text": _inline({"text": string(least=1)}),
        "link": _inline({"url": string(least=1)}, {"text": string(), "unsafe": boolean}),
        "user": _inline({"user_id": string()}),
        "channel": _inline({"channel_id": string()}),
        "usergroup": _inline({"usergroup_id": string()}),
        "team": _inline({"team_id": string()}),
        "broadcast": _inline({"range": among("here", "channel", "everyone")}),
        "emoji": _inline(
            {"name": string()},
            {"unicode": string(), "url": string(), "skin_tone": number(2, 6)},
        ),
        "color": _inline({"value": string()}),
        "date": _inline(
            {"timestamp": number(), "format": string()}, {"fallback": string(), "url": string()}
        ),
    }
)
_RICH_SECTION = Shape({"elements": array(_RICH_INLINE)})
_RICH_TEXT = Shape(
    {
        "elements": array(
            typed(
                {
                    "rich_text_section": _RICH_SECTION,
                    "rich_text_quote": Shape(
                        {"elements": array(_RICH_INLINE)}, {"border": among(0, 1)}
                    ),
                    "rich_text_preformatted": Shape(
                        {"elements": array(_RICH_INLINE)},
                        {"border": among(0, 1), "language": string()},
                    ),
                    "rich_text_list": Shape(
                        {
                            "style": among("bullet", "ordered"),
                            "elements": array(typed({"rich_text_section": _RICH_SECTION})),
                        },
                        {"border": among(0, 1), "indent": number(0, 8), "offset": number(0)},
                    ),
                }
            )
        )
    },
    {"block_id": string(255)},
)
_CELL = typed(
    {
        "rich_text": _RICH_TEXT,
        "raw_text": Shape({"text": string(least=1)}),
        "raw_number": Shape({"text": string(least=1), "value": number(whole=False)}),
    }
)

# --- blocks ---


def _block(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    also: Also | None = None,
) -> Rule:
    return Shape(required or {}, {"block_id": string(255), **(optional or {})}, also)


def _text_or_fields(value: Json, at: str, errors: list[str]) -> None:
    if "text" not in value and "fields" not in value:
        errors.append(placed("missing required field: text", at))


def _action_ids_differ(value: Json, at: str, errors: list[str]) -> None:
    seen: set[str] = set()
    for index, used in enumerate(value.get("elements") or value.get("actions") or ()):
        action_id = used.get("action_id")
        if action_id in seen:
            errors.append(
                placed(
                    f"`action_id` already exists: {action_id}", f"{at}/elements/{index}/action_id"
                )
            )
        if action_id is not None:
            seen.add(action_id)


def _file_only_where_answered(value: Json, at: str, errors: list[str]) -> None:
    if value.get("dispatch_action") and value["element"]["type"] == "file_input":
        errors.append(placed("dispatch_action is not supported with file_input", at))


def _table_is_even(most_columns: int) -> Also:
    def also(value: Json, at: str, errors: list[str]) -> None:
        for index, row in enumerate(value["rows"]):
            if len(row) > most_columns:
                errors.append(
                    placed(f"no more than {most_columns} items allowed", f"{at}/rows/{index}")
                )

    return also


def _data_table_fits(value: Json, at: str, errors: list[str]) -> None:
    _table_is_even(20)(value, at, errors)
    if text_length([value]) > 20_000:
        errors.append(placed("must be less than 20001 characters", at))


_FEEDBACK = Shape({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
_CARD = _block(
    {},
    {
        "title": mrkdwn(150),
        "subtitle": mrkdwn(150),
        "body": mrkdwn(200),
        "subtext": mrkdwn(200),
        "hero_image": typed({"image": IMAGE}),
        "icon": typed({"image": IMAGE}),
        "actions": array(typed({"button": BUTTON}), most=3),
    },
    _action_ids_differ,
)
_TASK = _block(
    {
        "task_id": string(),
        "title": string(),
        "status": among("pending", "in_progress", "complete", "error"),
    },
    {
        "details": typed({"rich_text": _RICH_TEXT}),
        "output": typed({"rich_text": _RICH_TEXT}),
        "sources": array(typed({"url": Shape({"url": URL, "text": string()})})),
    },
)
_SHAPES: dict[str, Rule] = {
    "section": _block(
        {},
        {
            "text": text(3000),
            "fields": array(text(2000), least=1, most=10),
            "accessory": typed(ACCESSORIES),
            "expand": boolean,
        },
        _text_or_fields,
    ),
    "header": _block({"text": plain(150)}),
    "divider": _block(),
    "context": _block(
        {
            "elements": array(
                typed(
                    {
                        "image": IMAGE,
                        "plain_text": plain(3000),
                        "mrkdwn": mrkdwn(3000),
                    }
                ),
                least=1,
                most=10,
            )
        }
    ),
    "actions": _block(
        {"elements": array(typed(ACTIONS), least=1, most=25)}, {}, _action_ids_differ
    ),
    "input": _block(
        {"label": plain(2000), "element": typed(INPUTS)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
        _file_only_where_answered,
    ),
    "image": _block(
        {"alt_text": string(2000)},
        {"image_url": URL, "slack_file": SLACK_FILE, "title": plain(2000)},
        exactly_one_of("image_url", "slack_file"),
    ),
    "markdown": _block({"text": string(MOST_MARKDOWN_OF_A_MESSAGE, least=1)}),
    "rich_text": _RICH_TEXT,
    "table": _block(
        {"rows": array(array(_CELL), least=1, most=100)},
        {
            "column_settings": array(
                Shape({}, {"align": among("left", "center", "right"), "is_wrapped": boolean}),
                most=20,
            )
        },
        _table_is_even(20),
    ),
    "file": _block({"external_id": string(), "source": among("remote")}),
    "video": _block(
        {
            "alt_text": string(200, least=1),
            "title": plain(199),
            "thumbnail_url": URL,
            "video_url": URL,
        },
        {
            "author_name": string(49),
            "description": plain(200),
            "provider_name": string(50),
            "provider_icon_url": URL,
            "title_url": URL,
        },
    ),
    "context_actions": _block(
        {
            "elements": array(
                typed(
                    {
                        "feedback_buttons": element(
                            {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}
                        ),
                        "icon_button": element(
                            {"icon": string(), "text": plain(75)},
                            {
                                "value": string(2000),
                                "accessibility_label": string(75),
                                "visible_to_user_ids": array(string(), most=10),
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
        {"text": text(200)}, {"level": among("default", "info", "warning", "error", "success")}
    ),
    "card": _CARD,
    "carousel": _block({"elements": array(typed({"card": _CARD}), least=1, most=10)}),
    "task_card": _TASK,
    "plan": _block(
        {"title": string(least=1)}, {"tasks": array(typed({"task_card": _TASK}), most=50)}
    ),
    "data_table": _block(
        {"caption": string(least=1), "rows": array(array(_CELL, least=1), least=2, most=201)},
        {"page_size": number(1, 100), "row_header_column_index": number(0, 19)},
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
    {"child_blocks": array(typed({kind: _SHAPES[kind] for kind in _IN_CONTAINER}), most=10)},
    {
        "title": plain(150),
        "subtitle": text(150),
        "rich_text_title": typed({"rich_text": _RICH_TEXT}),
        "icon": typed({"image": IMAGE}),
        "width": string(),
        "has_header_divider": boolean,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
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
    surface: typed(
        {kind: rule for kind, rule in _SHAPES.items() if surface in _ONLY_ON.get(kind, (surface,))}
    )
    for surface in (MESSAGE, MODAL, HOME)
}

# --- views ---

_VIEW: Mapping[str, Rule] = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
# The blocks have their own rule, because the allowed types depend on the surface.
_HOME_VIEW = Shape({"blocks": anything}, _VIEW)
_MODAL_VIEW = Shape(
    {"title": plain(24), "blocks": anything},
    {
        **_VIEW,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
)


def _blocks_errors(blocks: object, surface: str, at: str) -> list[str]:
    errors: list[str] = []
    least = 1 if surface == MODAL else 0
    array(_BLOCK[surface], least=least, most=MOST_BLOCKS[surface])(blocks, at, errors)
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
                placed(f"`block_id` already exists: {block_id}", f"{at}/{index}/block_id")
            )
        if block_id:
            seen.add(block_id)
    return errors


def _out_of_place(blocks: Sequence[Json], surface: str, at: str) -> list[str]:
    """Complaints that depend on the other blocks or on the surface."""
    errors: list[str] = []
    elements = [element for _block_, element in interactive(blocks)]
    if sum(bool(element.get("focus_on_load")) for element in elements) > 1:
        errors.append(placed("only one element may have focus_on_load", at))
    if surface != MODAL:
        errors += [
            placed("response_url_enabled is only supported in modals", at)
            for element in elements
            if element.get("response_url_enabled")
        ]
        errors += [
            placed("unsupported type: file_input", at)
            for element in elements
            if element["type"] == "file_input"
        ]
    if sum(block["type"] == "table" for block in blocks) > 1:
        errors.append(placed("only_one_table_allowed", at))
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MOST_MARKDOWN_OF_A_MESSAGE:
        errors.append(placed(f"must be less than {MOST_MARKDOWN_OF_A_MESSAGE + 1} characters", at))
    return errors
