"""`ratchet lifecycles`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(help="Check and draw lifecycles.", no_args_is_help=True)

LifecycleFile = Annotated[
    Path | None,
    typer.Argument(
        help="A TOML file of lifecycles; the built-in ones if left out.", metavar="FILE"
    ),
]


@cli.command()
def check(file: LifecycleFile = None) -> None:
    """Check a file of lifecycles, and name every error with its place."""
    from bot.commands.setup import lifecycles_in

    for lifecycle in lifecycles_in(file):
        statuses = ", ".join(status.name for status in lifecycle.statuses)
        typer.echo(f"{lifecycle.name}: {statuses}")


@cli.command()
def draw(
    file: LifecycleFile = None,
    *,
    name: Annotated[
        str | None, typer.Option(help="The one lifecycle to draw; all if left out.")
    ] = None,
) -> None:
    """Draw lifecycles as Mermaid state diagrams."""
    from bot.commands.setup import lifecycles_in, wrong
    from core.errors import UnknownLifecycle
    from core.lifecycle import Catalogue

    lifecycles = lifecycles_in(file)
    try:
        chosen = [Catalogue(lifecycles, default=name).default] if name else lifecycles
    except UnknownLifecycle as error:
        wrong(error)
    typer.echo("\n\n".join(lifecycle.draw() for lifecycle in chosen))
