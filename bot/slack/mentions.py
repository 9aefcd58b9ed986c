"""Mentions of the group of responders, which call them to an incident. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Json, actions, context, message, paragraphs, section
from bot.slack.buttons import update_button
from bot.slack.words import owned_by, status_word, way_to_card
from core.incident import Incident


def with_mention(card: Mapping[str, Any], group: str) -> Json:
    """The first post of a working card, with the mention of ``group`` before everything else."""
    called = f"<!subteam^{group}>"
    return {
        **card,
        "text": f"{called} {card['text']}",
        "blocks": [section(called), *card["blocks"]],
    }


def raised(incident: Incident, group: str) -> Json | None:
    """The word to ``group`` that ``incident`` has become more severe; None if it is over.

    It is not edited as the incident changes, so it names no title.
    """
    if incident.terminal:
        return None
    told = [
        f"<!subteam^{group}> {incident.name} now has the severity *{incident.severity}*.",
        f"It is *{status_word(incident.status)}*, and owned by {owned_by(incident)}.",
    ]
    below = map(context, way_to_card(incident))
    return message(told, [*paragraphs(told), *actions([update_button(incident)]), *below])


def again(name: str) -> Json:
    """The same word once the incident of ``name`` is public again, and nobody is called to it."""
    told = f"{name} is public again."
    return message([told], paragraphs([told]))
