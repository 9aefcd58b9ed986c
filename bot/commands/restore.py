"""`ratchet restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def restore(
    file: Annotated[
        Path | None, typer.Argument(help="A file of `ratchet backup`.", metavar="FILE")
    ] = None,
    *,
    marks_only: Annotated[
        bool,
        typer.Option("--marks-only", help="Only the marks, after `pg_restore`, or a copy by hand."),
    ] = False,
) -> None:
    """Put the backup FILE in the place of the SQLite database. Stop the bot first.

    The replaced database is kept beside it. Messages that Slack may have by now
    are looked for before they are posted, and no number is given twice.
    """
    from contextlib import closing

    from bot.clock import now
    from bot.commands.setup import key_settings, wrong
    from bot.restoring import Marker
    from core.store import StoreUnavailable
    from storage.restore import NotRestored
    from storage.store import SqlStore, UnknownSchema

    if (file is None) != marks_only:
        wrong("Name a backup, or give --marks-only: one of the two.")
    settings = key_settings()
    marker = Marker(settings, at=now())
    try:
        if file:
            marker.restore(file)
        else:
            with closing(SqlStore(settings.database_url)) as store:
                marker.mark_only(store)
    except (NotRestored, StoreUnavailable, UnknownSchema) as error:
        wrong(error, code=1)
    for line in marker.lines:
        typer.echo(line)
    done = f"{file} is in the place of the database." if file else "The database is marked."
    typer.echo(f"{done} Start the bot, then run `ratchet doctor --deep`.")
