"""`ratchet migrate`, `ratchet backup` and `ratchet export`: the database as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# The name of standard output in place of a file, by the convention of command lines.
STANDARD_OUTPUT = Path("-")


def migrate() -> None:
    """Bring the database up to date. `serve` does the same by itself."""
    from bot.commands.stores import migrated_store

    with migrated_store():
        typer.echo("The database is up to date.")


def backup(file: Annotated[Path, typer.Argument(help="The new file.", metavar="FILE")]) -> None:
    """Copy the SQLite database into the new FILE, also while the bot runs.

    PRIVATE: the copy holds all that the database holds. Only its owner may read it.
    """
    from bot.commands.setup import wrong
    from bot.commands.stores import database_url
    from storage.backup import back_up
    from storage.files import NotWritten

    if file == STANDARD_OUTPUT:
        wrong("A backup is an SQLite file and cannot go to standard output: name a new file.")
    try:
        with database_url() as url:
            back_up(url, file)
    except NotWritten as error:
        wrong(error, code=1)
    typer.echo(f"Everything that was confirmed until now is in {file}.")


def export(
    file: Annotated[
        Path | None,
        typer.Argument(help="The new file; standard output if left out or -.", metavar="FILE"),
    ] = None,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Public parts only: no notes, no people.")
    ] = False,
    workspace: Annotated[
        str | None, typer.Option(help="The incidents of one Slack team, T…; of all if left out.")
    ] = None,
) -> None:
    """Write every incident with its timeline as JSON Lines, also while the bot runs.

    PRIVATE: it holds all notes and all private incidents, unless --public is
    given. Only its owner may read FILE; keep it where you keep the database.
    """
    from bot.clock import now
    from bot.commands.setup import wrong
    from bot.commands.stores import opened_store
    from bot.export import UnknownWorkspace, archive, into_file, to_stream
    from storage.files import NotWritten

    if file == STANDARD_OUTPUT:
        file = None
    try:
        with opened_store() as store:
            lines = archive(store, public=public, workspace=workspace, at=now())
            if file:
                into_file(lines, file)
            elif not to_stream(lines, typer.get_binary_stream("stdout")):
                # The reader closed the pipe before the last line.
                raise typer.Exit(1)
    except (NotWritten, UnknownWorkspace) as error:
        wrong(error, code=1)
    if file:
        kept = "Everything public" if public else "Everything, notes included,"
        typer.echo(f"{kept} is in {file}.")
