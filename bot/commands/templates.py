"""`ratchet templates`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(help="Check templates of public updates.", no_args_is_help=True)


# One command would otherwise take the place of the group.
@cli.callback()
def templates() -> None:
    """Check templates of public updates."""


@cli.command()
def check(
    file: Annotated[Path, typer.Argument(help="A TOML file of templates.", metavar="FILE")],
) -> None:
    """Check a file of templates, and name every error with its place."""
    from bot.commands.setup import wrong
    from bot.team_files import UnreadableFile, read_templates
    from core.errors import InvalidFile

    try:
        found = read_templates(file)
    except UnreadableFile as error:
        wrong(f"{file} {error.why}")
    except InvalidFile as error:
        wrong(*(f"{file}: {problem}" for problem in error.problems), code=1)
    for template in found:
        typer.echo(f"{template.name}: {template.severity or 'every severity'}")
