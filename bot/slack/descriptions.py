"""The description of an incident: on its cards. Pure."""

from __future__ import annotations

from bot.slack.blocks import Json, context, section
from bot.slack.markup import TEXT_MAX, cut, escape, pieces
from bot.slack.verbs import COMMAND
from core.incident import Incident

# The lines of a description that a card in a channel shows, and their characters.
LINES_MAX = 3
FIRST_LINES_MAX = 300
# Slack refuses a message with more than about 12,000 characters of text, and has refused one with
# 11,341. Buttons and the sentence about readers need the rest.
SHOWN_MAX = 9_500


def first_lines(incident: Incident) -> list[Json]:
    """The first lines of the description, and where the rest is."""
    text = incident.description or ""
    first = "\n".join(line for line in text.splitlines()[:LINES_MAX] if line.strip())
    kept = cut(first, FIRST_LINES_MAX)
    quoted = section(f"Description: {escape(kept)}")
    if kept == text:
        return [quoted]
    more = f"… `{COMMAND} show {incident.number}` shows the whole description."
    return [quoted, context(more)]


def whole_description(incident: Incident, room: int) -> list[Json]:
    """The description, up to ``room`` characters; the others are counted."""
    text = incident.description or ""
    kept = cut(text, room)
    first, *rest = pieces(kept, TEXT_MAX - len("Description: "))
    told = [section(f"Description: {first}"), *map(section, rest)]
    left = len(text) - len(kept)
    more = f"… {left:,} more characters: `{COMMAND} report {incident.number}` shows all of them."
    return told if not left else [*told, context(more)]
