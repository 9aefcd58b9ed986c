"""`ratchet report` and `ratchet stats`: what responders read in Slack, for the operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

T = TypeVar("T")
Workspace = Annotated[
    str | None, typer.Option(help="The id of the Slack team, T…; needed if there are several.")
]


def report(
    incident: Annotated[
        str, typer.Argument(help="The incident: 42, INC-42 or its id.", metavar="N")
    ],
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Public facts and texts alone: no notes, no people.")
    ] = False,
    workspace: Workspace = None,
) -> None:
    """Write the report of incident N as Markdown, to standard output.

    PRIVATE: it holds all notes, unless --public is given.
    """
    from core.report import markdown

    ref = _reference(incident)

    def told(incidents: Any, actor: Any) -> Coroutine[Any, Any, str]:
        if public:
            text: Coroutine[Any, Any, str] = incidents.public_report(actor, ref)
        else:
            text = incidents.report(actor, ref, lambda _, made: markdown(made))
        return text

    typer.echo(_asked(told, workspace), nl=False)


def stats(
    period: Annotated[
        str, typer.Argument(help="The length of the period: 7d, 4w.", metavar="[PERIOD]")
    ] = "30d",
    *,
    html: Annotated[bool, typer.Option("--html", help="As a page with pictures.")] = False,
    workspace: Workspace = None,
) -> None:
    """Show the figures of the last PERIOD beside those of the period before.

    PRIVATE: private incidents are counted.
    """
    from datetime import timedelta

    from bot.commands.setup import wrong
    from bot.figures import page, table
    from core.stats import PERIOD_DAYS_MAX

    match = re.fullmatch("([0-9]{1,4})([dw]?)", period)
    days = int(match[1]) * (7 if match[2] == "w" else 1) if match else 0
    if not 1 <= days <= PERIOD_DAYS_MAX:
        wrong(f'"{period}" is no period: write 1d to {PERIOD_DAYS_MAX}d.')
    made = _asked(
        lambda incidents, actor: incidents.statistics(actor, period=timedelta(days=days)), workspace
    )
    typer.echo(page(made) if html else table(made), nl=False)


def _reference(text: str) -> int | UUID:
    """The incident that ``text`` names, written as in a command of Slack."""
    from bot.commands.setup import wrong
    from bot.slack.references import NoNumber, at_head

    with suppress(NoNumber):
        ref, rest = at_head(text, {})
        if ref is not None and not rest:
            return ref
    return wrong(f'"{text}" names no incident: write 42, #42, INC-42 or its id.')


def _asked(ask: Callable[[Any, Any], Coroutine[Any, Any, T]], workspace: str | None) -> T:
    from bot.clock import now
    from bot.commands.operator import asked
    from core.service import Incidents

    return asked(
        lambda store, operator: ask(Incidents(store, clock=now, wake=lambda: None), operator),
        workspace,
    )
