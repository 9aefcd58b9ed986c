"""Small builders of Block Kit's blocks and elements. Pure.

Texts for mrkdwn are escaped already: `bot.slack.markup`. Lengths are counted after escaping, as
Slack receives them.

Source of the limits: https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.slack.markup import TEXT_MAX, clipped, joined, story

Json = dict[str, Any]

# Slack does not say what it counts: characters, UTF-16 units or bytes. Ten less than it allows
# leave room for some emoji.
MARGIN = 10
HEADER_MAX = 150 - MARGIN
TOLD_AGAIN = "You may have this message twice, because Slack was unreachable."
LABEL_MAX = 75 - MARGIN  # of a button or an option


def plain(text: str) -> Json:
    """A plain_text object. Slack obeys nothing in it, so typed text needs no escaping."""
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Json:
    """A mrkdwn object. ``verbatim``: no bare @here or #channel in it comes alive."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Json:
    """A header. Too long a ``text`` is shortened, so show it whole elsewhere."""
    return {"type": "header", "text": plain(clipped(text, HEADER_MAX))}


def section(text: str) -> Json:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def paragraphs(parts: Iterable[str], *, between: str = " ") -> list[Json]:
    """The escaped ``parts``, each at most `TEXT_MAX` long, in as few sections as possible.

    A part that begins with a line feed begins a line instead of following ``between``.
    """
    texts: list[str] = []
    for part in parts:
        if texts and len(texts[-1]) + len(between) + len(part) <= TEXT_MAX:
            texts[-1] = joined(texts[-1], between, part)
        else:
            texts.append(part)
    return [section(text.strip()) for text in texts]


def with_remark(reply: Json, remark: str) -> Json:
    """``reply`` with the escaped ``remark`` behind its first block.

    A last line of that block that leads to buttons, such as ``Next:``, stays beside them.
    """
    first, *rest = reply["blocks"]
    text = first["text"]["text"] if first["type"] == "section" else ""
    told, _, lead = text.rpartition("\n")
    if told and lead.endswith(":") and rest and rest[0]["type"] == "actions":
        first, rest = section(told), [section(lead), *rest]
    return {
        **reply,
        "text": story([reply["text"], remark]),
        "blocks": [first, section(remark), *rest],
    }


def told_again(word: Mapping[str, Any]) -> Json:
    """A direct message after a first one that Slack may have.

    Nobody can look for that: it takes a scope that reads all direct messages.
    """
    return with_remark(dict(word), TOLD_AGAIN)


def context(*texts: str) -> Json:
    """A line in small print."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def button(label: str, *, action_id: str, value: str, spoken: str | None = None) -> Json:
    """A button. A screen reader says ``spoken`` instead of the label."""
    made = {
        "type": "button",
        "text": plain(clipped(label, LABEL_MAX)),
        "action_id": action_id,
        "value": value,
    }
    return made if spoken is None else {**made, "accessibility_label": clipped(spoken, LABEL_MAX)}


def confirmation(title: str, text: str, *, yes: str, no: str = "Cancel") -> Json:
    """The question that Slack asks before it sends a click.

    Source: https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
    """
    return {
        "title": plain(clipped(title, 100)),
        "text": plain(clipped(text, 300)),
        "confirm": plain(clipped(yes, 30)),
        "deny": plain(clipped(no, 30)),
    }


def option(label: str, value: str) -> Json:
    """One entry of a select, an overflow menu or a row of checkboxes."""
    return {"text": plain(clipped(label, LABEL_MAX)), "value": value}


def overflow(options: Sequence[Json], *, action_id: str) -> Json:
    """The … menu, of one to five options."""
    return {"type": "overflow", "options": list(options), "action_id": action_id}


def select(options: Sequence[Json], *, action_id: str, placeholder: str, **more: Any) -> Json:
    """A static select. More than Slack's 100 options are put into groups of 100."""
    listed: Json = {"options": list(options)}
    if len(options) > 100:
        groups = [options[start : start + 100] for start in range(0, len(options), 100)]
        listed = {
            "option_groups": [
                {
                    "label": plain(f"{index * 100 + 1} to {index * 100 + len(group)}"),
                    "options": group,
                }
                for index, group in enumerate(groups)
            ]
        }
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder),
        **listed,
        **more,
    }


def actions(elements: Sequence[Json]) -> list[Json]:
    """A row of buttons and menus; no row without any."""
    return [{"type": "actions", "elements": list(elements)}] if elements else []


def text_box(action_id: str, *, most: int, initial: str = "", multiline: bool = False) -> Json:
    """A box to type into."""
    made: Json = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": multiline,
        "max_length": most,
    }
    return {**made, "initial_value": initial} if initial else made


def input_block(
    block_id: str,
    label: str,
    element: Json,
    *,
    hint: str | None = None,
    optional: bool = False,
    dispatch: bool = False,
) -> Json:
    """An input of a dialog with its label, and a hint such as the readers of the text."""
    made: Json = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if dispatch:
        made["dispatch_action"] = True
    return {**made, "hint": plain(hint)} if hint else made


def modal(
    callback_id: str,
    title: str,
    blocks: Sequence[Json],
    *,
    submit: str | None = None,
    close: str = "Cancel",
    private_metadata: str = "",
) -> Json:
    """A dialog. ``title``, ``submit`` and ``close`` have at most 24 characters."""
    made = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(clipped(title, 24)),
        "close": plain(close),
        "private_metadata": private_metadata,
        "blocks": list(blocks),
    }
    return {**made, "submit": plain(submit)} if submit else made


def message(told: Sequence[str], blocks: Sequence[Json]) -> Json:
    """The arguments of a call that posts a message: ``text`` tells everything by itself."""
    return {"text": story(told), "blocks": list(blocks)}


def title_blocks(before: str, title: str, after: str = "") -> list[Json]:
    """A header with ``title``, and under a shortened one the whole title."""
    room = HEADER_MAX - len(before) - len(after)
    short = header(f"{before}{clipped(title, room)}{after}")
    whole = {"type": "section", "text": plain(title)}
    return [short] if len(title) <= room else [short, whole]
