"""What every view is made of: texts that are safe to send, and small builders of blocks. Pure.

Text that people typed passes `escape`, `shown` or `pieces` on its way into mrkdwn; everything else
here takes text that is escaped already. Lengths are counted after escaping, as Slack receives them.

Source of the limits: https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.incident import Person

Json = dict[str, Any]

TEXT_MAX = 3_000  # of a text object
FALLBACK_MAX = 4_000  # of a message's top-level text
HEADER_MAX = 150
LABEL_MAX = 75  # of a button or an option

# --- text ------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """``text`` so that Slack shows it and obeys nothing in it: ``&``, ``<`` and ``>`` are replaced.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """As much of the beginning of ``text`` as is ``most`` characters long once it is escaped."""
    if len(escape(text)) <= most:
        return text
    length = 0
    for end, character in enumerate(text):
        length += len(escape(character))
        if length > most:
            return text[:end]
    return text


def shown(text: str, most: int) -> str:
    """``text`` escaped and, where it is longer than ``most``, visibly shortened."""
    whole = cut(text, most)
    return escape(text) if whole == text else escape(cut(text, most - 1).rstrip()) + "…"


def pieces(text: str, most: int = TEXT_MAX) -> Iterator[str]:
    """The whole of ``text``, escaped, in pieces of at most ``most``: broken at blanks, if any."""
    while text := text.strip():
        piece = cut(text, most)
        if piece != text:
            blank = max(piece.rfind(" "), piece.rfind("\n"))
            piece = piece[: blank if blank > len(piece) // 2 else len(piece)]
        yield escape(piece)
        text = text[len(piece) :]


def clipped(text: str, most: int) -> str:
    """``text`` for a plain_text object, visibly shortened to ``most`` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def story(sentences: Iterable[str], most: int = FALLBACK_MAX) -> str:
    """The escaped ``sentences`` as one text; where there is no room, whole ones are left out."""
    told = ""
    for sentence in sentences:
        if len(told) + len(sentence) + 3 > most:
            return f"{told} …".strip()
        told = _joined(told, " ", sentence)
    return told


def _joined(before: str, between: str, after: str) -> str:
    return f"{before}{between}{after}" if before and not after.startswith("\n") else before + after


def mention(person: Person) -> str:
    """How a message names ``person``: by id, so that Slack shows the name; an API key by name."""
    return f"<@{person.id}>" if person.in_slack else shown(person.name, 100)


def channel_link(channel: str) -> str:
    """A channel by its id, shown by its name."""
    return f"<#{channel}>"


def duration(span: timedelta) -> str:
    """``4 s``, ``12 min``, ``1 h 04 min``, ``2 d 03 h``: two units at most, never below zero."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes == 0:
        return f"{seconds} s"
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24:02} h"


def moment(when: datetime, *, seen_from: datetime) -> str:
    """A date token, shown in each reader's own zone: the time of day, far away with the date.

    Source: https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    unix, utc = int(when.timestamp()), when.astimezone(UTC)
    if abs(seen_from - when) < timedelta(hours=12):
        return f"<!date^{unix}^{{time}}|{utc:%H:%M} UTC>"
    return f"<!date^{unix}^{{date_short_pretty}} {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def ago(when: datetime, *, at: datetime) -> str:
    """How long ago ``when`` is, kept true by Slack for as long as a message stands unedited."""
    return f"<!date^{int(when.timestamp())}^{{ago}}|{duration(at - when)}>"


# --- blocks ----------------------------------------------------------------------------------


def plain(text: str) -> Json:
    """A plain_text object. Slack obeys nothing in it, so what people typed needs no escaping."""
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Json:
    """A mrkdwn object. ``verbatim``: no bare @here or #channel in it comes alive."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Json:
    """A header; ``text`` is shortened where it is too long, so say it whole elsewhere."""
    return {"type": "header", "text": plain(clipped(text, HEADER_MAX))}


def section(text: str) -> Json:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def paragraphs(parts: Iterable[str], *, between: str = " ") -> list[Json]:
    """The escaped ``parts``, each at most `TEXT_MAX` long, in as few sections as will hold them.

    A part that begins with a line feed begins a line instead of following ``between``.
    """
    texts: list[str] = []
    for part in parts:
        if texts and len(texts[-1]) + len(between) + len(part) <= TEXT_MAX:
            texts[-1] = _joined(texts[-1], between, part)
        else:
            texts.append(part)
    return [section(text.strip()) for text in texts]


def context(*texts: str) -> Json:
    """A line in small print."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def button(label: str, *, action_id: str, value: str, spoken: str | None = None) -> Json:
    """A button; ``spoken`` is what a screen reader says where the label alone says too little."""
    made = {
        "type": "button",
        "text": plain(clipped(label, LABEL_MAX)),
        "action_id": action_id,
        "value": value,
    }
    return made if spoken is None else {**made, "accessibility_label": clipped(spoken, LABEL_MAX)}


def option(label: str, value: str) -> Json:
    """One entry of a select, an overflow menu or a row of checkboxes."""
    return {"text": plain(clipped(label, LABEL_MAX)), "value": value}


def overflow(options: Sequence[Json], *, action_id: str) -> Json:
    """The … menu, of one to five options."""
    return {"type": "overflow", "options": list(options), "action_id": action_id}


def select(options: Sequence[Json], *, action_id: str, placeholder: str, **more: Any) -> Json:
    """A static select; more than Slack's 100 options are put into groups of 100."""
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
    """A row of buttons and menus; no row where there are none."""
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
    """An input of a dialog with its label, and the hint that says who will read it."""
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
