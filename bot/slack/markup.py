"""Slack's markup: texts made safe to send, and read back as their author saw them. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from core.incident import (
    Person,
)
from core.times import duration

_CONTROL = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")


_ENTITY = re.compile("&(amp|lt|gt);")


_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}


_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S+", re.IGNORECASE)


def plain_text(text: str) -> str:
    """``text`` as its writer saw it: ``<@U1|mia>`` is @mia, ``&lt;`` is <, a link label and URL.

    Nothing of it can mention anybody afterwards, because the views escape it again.
    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    seen = _CONTROL.sub(_seen, text)
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], seen)


def _seen(control: re.Match[str]) -> str:
    sign, target, label = control[1], control[2], control[3] or ""
    if sign == "!" and target.startswith(("date^", "subteam^")):
        return label or "@group"
    if sign:
        mark = "#" if sign == "#" else "@"
        return mark + (label or target).removeprefix(mark)
    if not _LINK.fullmatch(target):
        return control[0]
    # Slack makes links of addresses by itself: then the label is the address, and is said once.
    bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", target, flags=re.IGNORECASE).rstrip("/")
    if label in {"", target, bare}:
        return label or (bare if target.startswith(("mailto:", "tel:")) else target)
    return f"{label} ({target})"


# In an escaped text. A cut address ends in "…", and is no link.
_ADDRESS = re.compile(r"https?://(?=[\w\[])(?:&amp;|[^\s<>&\"])+", re.IGNORECASE)
_AFTER_ADDRESS = ".,;:!?'\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}»*_~`"
TEXT_MAX = 3_000  # of a text object


FALLBACK_MAX = 4_000  # of a message's top-level text


def escape(text: str) -> str:
    """``text`` so that Slack shows it and obeys nothing in it: ``&``, ``<`` and ``>`` are replaced.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """As much of the beginning of ``text`` as is ``most`` characters long once it is escaped."""
    if len(escape(text)) <= most:
        return text
    ends = range(1, min(len(text), most) + 1)
    return text[: bisect_right(ends, most, key=lambda end: len(escape(text[:end])))]


def shown(text: str, most: int) -> str:
    """``text`` escaped, and visibly shortened to ``most`` characters."""
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


def linked(escaped: str, most: int = TEXT_MAX) -> str:
    """The ``escaped`` text with its addresses as links, as far as ``most`` characters allow.

    A link has no label, so that it shows where it goes. One that holds invisible characters, or
    the sign before a label, stays text.
    Source: https://docs.slack.dev/messaging/formatting-message-text#linking-urls
    """
    room = most - len(escaped)

    def link(match: re.Match[str]) -> str:
        nonlocal room
        address = _without_end(match[0])
        if room < 2 or "|" in address or "…" in match[0] or not address.isprintable():
            return match[0]
        room -= 2
        return f"<{address}>{match[0][len(address) :]}"

    return _ADDRESS.sub(link, escaped)


def _without_end(address: str) -> str:
    """``address`` without the punctuation of the sentence around it."""
    while True:
        shorter = address.rstrip(_AFTER_ADDRESS)
        if shorter.endswith((")", "]")) and not any(sign in shorter for sign in "(["):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter


def clipped(text: str, most: int) -> str:
    """``text`` for a plain_text object, visibly shortened to ``most`` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def story(sentences: Iterable[str], most: int = FALLBACK_MAX) -> str:
    """The escaped ``sentences`` as one text, without the last ones that do not fit."""
    told = ""
    for sentence in sentences:
        if len(told) + len(sentence) + 3 > most:
            return f"{told} …".strip()
        told = joined(told, " ", sentence)
    return told


def joined(before: str, between: str, after: str) -> str:
    return f"{before}{between}{after}" if before and not after.startswith("\n") else before + after


def mention(person: Person) -> str:
    """How a message names ``person``: by id, so that Slack shows the name; an API key by name."""
    return f"<@{person.id}>" if person.in_slack else shown(person.name, 100)


def channel_link(channel: str) -> str:
    """A channel by its id, shown by its name."""
    return f"<#{channel}>"


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
