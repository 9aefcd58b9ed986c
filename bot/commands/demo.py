"""`ratchet demo`, the only command that uses the stand-in for Slack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Listed from the folder: the help shows the names, and importing the stand-in takes a second.
STORIES = sorted(
    path.stem for path in Path(__file__).parents[1].joinpath("sandbox", "stories").glob("*.txt")
)
# The bot takes the port after that of the page.
PORT_MAX = 65_534


def demo(
    *,
    port: Annotated[
        str,
        typer.Option(
            help="Port of the stand-in's page; the bot takes the next one.", metavar="NUMBER"
        ),
    ] = "8080",
    http: Annotated[bool, typer.Option("--http", help="HTTP mode instead of Socket Mode.")] = False,
    story: Annotated[
        str | None,
        typer.Option(
            help=f"Begin anew with this story: {', '.join(STORIES)}. The first run plays outage.",
            metavar="NAME",
        ),
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete the state of earlier runs; begin empty.")
    ] = False,
) -> None:
    """Run the bot, real and whole, against a stand-in for Slack on this machine."""
    import asyncio
    import os

    from bot.commands.setup import number, wrong
    from bot.commands.signals import stop_event
    from bot.settings import VARIABLES
    from core.texts import listed

    first_port = number("--port", port, least=1, most=PORT_MAX)
    if story is not None and story not in STORIES:
        wrong(f'There is no story "{story}": choose one of {", ".join(STORIES)}.')
    try:
        from bot.demo import BotDidNotStart, BotEnded, CannotRun, kill_all, run
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        wrong('The demo needs PyYAML: install "ratchet[demo]".')
    typer.echo("Ratchet and a stand-in for Slack, both on this machine.")
    if ignored := sorted(VARIABLES & os.environ.keys()):
        typer.echo(f"The demo has settings of its own, and does not use {listed(ignored)}.")
    # The state holds texts and an API key: it is for its owner alone.
    os.umask(0o077)

    async def run_until_stopped() -> None:
        await run(
            port=first_port,
            http=http,
            story_name=story,
            clean=clean,
            announce=typer.echo,
            stop=stop_event(kill_all),
        )

    try:
        asyncio.run(run_until_stopped())
    except (BotDidNotStart, BotEnded) as error:
        wrong(error, code=1)
    except CannotRun as error:
        wrong(error)
