"""Help, made from the table of verbs. Pure."""

from __future__ import annotations

from bot.slack.blocks import (
    Json,
    actions,
    context,
    message,
    paragraphs,
)
from bot.slack.buttons import all_help_button, declare_button
from bot.slack.markup import (
    escape,
    plain_text,
)
from bot.slack.verbs import COMMAND, FIRST, VERBS, VERBS_BY_WORD, Verb
from core.lifecycle import Lifecycle

NAMING = (
    "`<n>` is 42, INC-42, the incident's id or the link of its card. Leave it out where exactly "
    "one open incident has its card in the channel."
)


TRAY_LINE = f"`{COMMAND}` shows what is open, with buttons for the next steps."


def help_for(verb: str | None, lifecycle: Lifecycle, *, whole: bool = False) -> Json:
    """Help for the verbs that matter first, for one, or for all (``whole``).

    It is made from the table that the parser reads by. ``lifecycle`` is the default one: an example
    that it cannot follow says so.
    """
    if verb:
        return _help_for_one(VERBS_BY_WORD[verb], lifecycle)
    return _help_for_all() if whole else _help_first()


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


def _line(verb: Verb) -> str:
    return f"`{escape(verb.usage)}` {verb.summary}."


def _help_first() -> Json:
    lines = [TRAY_LINE, *(_line(VERBS_BY_WORD[name]) for name in FIRST)]
    rest = f"`{COMMAND} help all` explains all commands, `{COMMAND} help <verb>` one."
    return message(
        [*lines, escape(rest), escape(NAMING)],
        [
            *paragraphs(lines, between="\n"),
            *paragraphs([escape(rest)]),
            context(escape(NAMING)),
            *actions([declare_button(), all_help_button()]),
        ],
    )


def _help_for_all() -> Json:
    lines = [TRAY_LINE, *map(_line, VERBS)]
    return message(
        [*lines, escape(NAMING)],
        [*paragraphs(lines, between="\n"), context(escape(NAMING)), *actions([declare_button()])],
    )
