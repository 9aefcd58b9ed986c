"""The words of a message in Slack: its text, blocks, attachments and files. Pure.

People write messages with a text. Alert bots often leave the text empty, or say less in it than in
their blocks and attachments. Reading is total: a payload of any shape becomes a text.

Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack.markup import escape, plain_text

# Deeper blocks are not Slack's, and more characters are not shown by Slack either.
DEPTH_MAX = 12
WORDS_MAX = 40_000
# The ids of one message that are looked up; further ones stay ids.
LOOKED_UP_MAX = 20

_WITHOUT_NAME = re.compile(r"<(@|#|!subteam\^)([A-Z0-9]+)(?:\|)?>")
_FORMATTING = re.compile(r"[\s*_~`>•◦▪]+|&gt;|\d+\.")


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id, for ids that a message gives without one. Without the sign before them."""

    people: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


def markup_of(message: Mapping[str, Any]) -> str:
    """Everything that ``message`` says, in Slack's markup: nothing of it twice."""
    text = _string(message.get("text")).strip()
    parts = [_one_of(text, _lines(_blocks(message.get("blocks"))))]
    parts += [_attachment(one) for one in _objects(message.get("attachments"))]
    files = [name for file in _objects(message.get("files")) if (name := _file(file))]
    if files:
        parts.append(f"{'File' if len(files) == 1 else 'Files'}: {', '.join(files)}")
    return "\n\n".join(filter(None, parts))[:WORDS_MAX]


def bot_name(message: Mapping[str, Any]) -> str | None:
    """The name of the bot that wrote ``message``, as Slack shows it; None for a person."""
    profile = message.get("bot_profile")
    name = message.get("username") or (profile.get("name") if isinstance(profile, dict) else None)
    return name if isinstance(name, str) and name else None


def unnamed(markup: str) -> Names:
    """The ids in ``markup`` that have no name beside them, each with itself as its name."""
    found: dict[str, dict[str, str]] = {"@": {}, "#": {}, "!subteam^": {}}
    for match in _WITHOUT_NAME.finditer(markup):
        if sum(map(len, found.values())) < LOOKED_UP_MAX:
            found[match[1]][match[2]] = match[2]
    return Names(found["@"], found["#"], found["!subteam^"])


def named(markup: str, names: Names) -> str:
    """``markup`` as its readers see it, with the names of ``names`` in the place of ids.

    Nothing of it can mention anybody afterwards, because the views escape it again.
    """
    known = {"@": names.people, "#": names.channels, "!subteam^": names.groups}

    def label(match: re.Match[str]) -> str:
        name = known[match[1]].get(match[2])
        sign = "#" if match[1] == "#" else "@"
        return match[0] if name is None else escape(f"{sign}{name.removeprefix(sign)}")

    return plain_text(_WITHOUT_NAME.sub(label, markup))


def _one_of(text: str, blocks: str) -> str:
    """The fuller of two, if one contains the other; both, if each says something of its own."""
    short, long = _bare(text), _bare(blocks)
    if long in short:
        return text
    return blocks if short in long else f"{text}\n\n{blocks}"


def _bare(markup: str) -> str:
    return _FORMATTING.sub("", markup)


def _attachment(attachment: Mapping[str, Any]) -> str:
    """One attachment, without its fallback, unless there is nothing else."""
    title, link = _text(attachment.get("title")), _string(attachment.get("title_link"))
    lines = [
        _text(attachment.get("pretext")),
        _text(attachment.get("author_name")),
        f"{title} ({escape(link)})" if title and link else title,
        _text(attachment.get("text")),
        *(
            ": ".join(filter(None, (_text(one.get("title")), _text(one.get("value")))))
            for one in _objects(attachment.get("fields"))
        ),
        _lines(_blocks(attachment.get("blocks"))),
        *(_lines(_blocks(one)) for one in _message_blocks(attachment)),
        *(_file(file) for file in _objects(attachment.get("files"))),
        _text(attachment.get("footer")),
    ]
    return _lines(lines) or _text(attachment.get("fallback"))


def _message_blocks(attachment: Mapping[str, Any]) -> Iterator[Any]:
    """The blocks of a message that is shared in another one."""
    for one in _objects(attachment.get("message_blocks")):
        message = one.get("message")
        if isinstance(message, Mapping):
            yield message.get("blocks")


def _file(file: Mapping[str, Any]) -> str:
    return escape(_string(file.get("name")) or _string(file.get("title"))).strip()


# --- blocks ------------------------------------------------------------------------------------


def _blocks(blocks: object) -> Iterator[str]:
    for block in _objects(blocks):
        yield _block(block, 0)


def _block(block: Mapping[str, Any], depth: int) -> str:
    """The words of a block or an element of one, as one or several lines of markup."""
    kind = block.get("type")
    if depth > DEPTH_MAX:
        return ""
    if isinstance(kind, str) and kind.startswith("rich_text") and kind != "rich_text_input":
        return _rich(block, depth)
    if kind == "image":
        return _text(block.get("title")) or _text(block.get("alt_text"))
    if kind == "table":
        rows = block.get("rows")
        return _lines(
            " | ".join(filter(None, (_block(cell, depth + 1) for cell in _objects(row))))
            for row in (rows if isinstance(rows, list) else ())
        )
    between = " " if kind in {"context", "actions"} else "\n"
    if kind in {"actions", "button", "input", "file"}:
        # A button says an act, and not what the message is about.
        return ""
    return between.join(filter(None, _inside(block, depth)))


def _inside(block: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name in ("title", "subtitle", "author_name", "text", "body", "description"):
        yield _text(block.get(name))
    for name in ("fields", "elements", "children", "cards"):
        for one in _objects(block.get(name)):
            yield _block(one, depth + 1)
    accessory = block.get("accessory")
    if isinstance(accessory, Mapping) and accessory.get("type") == "image":
        yield _block(accessory, depth + 1)


def _rich(block: Mapping[str, Any], depth: int) -> str:
    kind = block.get("type")
    elements = list(_objects(block.get("elements")))
    if kind == "rich_text_list":
        indent = block.get("indent")
        start = "  " * (min(indent, DEPTH_MAX) if isinstance(indent, int) else 0)
        ordered = block.get("style") == "ordered"
        return _lines(
            f"{start}{f'{number}.' if ordered else '•'} {_block(one, depth + 1)}"
            for number, one in enumerate(elements, 1)
        )
    if kind == "rich_text":
        return _lines(_block(one, depth + 1).rstrip("\n") for one in elements)
    words = "".join(map(_leaf, elements))
    if kind == "rich_text_quote":
        return _lines(f"&gt; {line}" for line in words.split("\n"))
    return words


def _leaf(  # noqa: PLR0911 - one line for each kind of element
    element: Mapping[str, Any],
) -> str:
    """A part of a line in rich text, in markup.

    Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """

    def value(name: str) -> str:
        return _string(element.get(name))

    match element.get("type"):
        case "link":
            url, label = escape(value("url")), escape(value("text"))
            return f"{label} ({url})" if label and label != url else url
        case "user":
            return f"<@{value('user_id')}>"
        case "channel":
            return f"<#{value('channel_id')}>"
        case "usergroup":
            return f"<!subteam^{value('usergroup_id')}>"
        case "broadcast":
            return f"@{escape(value('range'))}"
        case "emoji":
            return f":{escape(value('name'))}:"
        case "date":
            return escape(value("fallback") or str(element.get("timestamp") or ""))
        case _:
            return escape(value("text") or value("value"))


def _text(value: object) -> str:
    """A text object, or a bare string in markup."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, Mapping):
        return ""
    text = _string(value.get("text")).strip()
    return escape(text) if value.get("type") in {"plain_text", "raw_text"} else text


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, Mapping))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line.strip())
