"""Help, made from the table of verbs. Pure."""

from __future__ import annotations

from bot.slack.blocks import (
    Json,
    actions,
    context,
    message,
    paragraphs,
)
from bot.slack.buttons import declare_button
from bot.slack.markup import (
    escape,
    plain_text,
)
from bot.slack.verbs import COMMAND, VERBS, VERBS_BY_WORD, Verb
from core.lifecycle import Lifecycle

NAMING = (
    "`<n>` is 42, INC-42, the incident's id or the link of its card. Leave it out where exactly "
    "one open incident has its card in the channel."
)


def help_for(verb: str | None, lifecycle: Lifecycle) -> Json:
    """Help for all verbs, or for one, made from the table that the parser reads by.

    ``lifecycle`` is the default one: an example that it cannot follow says so.
    """
    return _help_for_one(VERBS_BY_WORD[verb], lifecycle) if verb else _help_for_all()


def _help_for_one(verb: Verb, lifecycle: Lifecycle) -> Json:
    known = not verb.step or verb.step in lifecycle
    where = "" if known else f", in a lifecycle with `{verb.step}`"
    told = [
        f"`{escape(verb.usage)}` {verb.summary}.",
        f"For example{where}: `{COMMAND} {escape(plain_text(verb.example))}`.",
    ]
    if verb.aliases:
        told.append(f"Also: {', '.join(verb.aliases)}.")
    naming = [escape(NAMING)] if "<n>" in verb.usage else []
    return message([*told, *naming], [*paragraphs(told, between="\n"), *map(context, naming)])


def _help_for_all() -> Json:
    tray_line = f"`{COMMAND}` shows what is open, with buttons for the next steps."
    lines = [tray_line, *(f"`{escape(verb.usage)}` {verb.summary}." for verb in VERBS)]
    return message(
        [*lines, escape(NAMING)],
        [*paragraphs(lines, between="\n"), context(escape(NAMING)), *actions([declare_button()])],
    )
