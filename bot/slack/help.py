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
from core.denials import Permission
from core.lifecycle import Lifecycle

NAMING = (
    "`<n>` is 42, INC-42, the incident's id or the link of its card. Leave it out where exactly "
    "one open incident has its card in the channel."
)


TRAY_LINE = f"`{COMMAND}` shows what is open, with buttons for the next steps."


ALL = frozenset(Permission)
OTHERS = "Other commands are for responders, publishers or workspace admins."


def help_for(
    verb: str | None,
    lifecycle: Lifecycle,
    *,
    whole: bool = False,
    may: frozenset[Permission] = ALL,
) -> Json:
    """Help for the verbs that matter first, for one, or for all (``whole``).

    It is made from the table that the parser reads by. ``lifecycle`` is the default one: an example
    that it cannot follow says so. Lists have the verbs that the reader ``may`` use.
    """
    if verb:
        return _help_for_one(VERBS_BY_WORD[verb], lifecycle)
    return _help_for_all(may) if whole else _help_first(may)


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


def _help_first(may: frozenset[Permission]) -> Json:
    first = [VERBS_BY_WORD[name] for name in FIRST if VERBS_BY_WORD[name].needs in may]
    if not first:
        return _help_for_all(may)
    lines = [TRAY_LINE, *map(_line, first)]
    rest = f"`{COMMAND} help all` explains all commands, `{COMMAND} help <verb>` one."
    return message(
        [*lines, escape(rest), escape(NAMING)],
        [
            *paragraphs(lines, between="\n"),
            *paragraphs([escape(rest)]),
            context(escape(NAMING)),
            *actions([*_declare(may), all_help_button()]),
        ],
    )


def _help_for_all(may: frozenset[Permission]) -> Json:
    lines = [TRAY_LINE, *(_line(verb) for verb in VERBS if verb.needs in may)]
    others = [] if may >= ALL else [OTHERS]
    return message(
        [*lines, *others, escape(NAMING)],
        [
            *paragraphs(lines, between="\n"),
            *paragraphs(others),
            context(escape(NAMING)),
            *actions(_declare(may)),
        ],
    )


def _declare(may: frozenset[Permission]) -> list[Json]:
    return [declare_button()] if Permission.RESPOND in may else []
