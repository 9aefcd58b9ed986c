"""`ratchet publish`: the static copy of the status page."""

from __future__ import annotations

from typing import Annotated

import typer


def publish(
    *,
    to: Annotated[str, typer.Option(help="The folder for a file server.", metavar="DIR")],
    workspace: Annotated[
        str | None, typer.Option(help="The page of this Slack team, T…; the only one if left out.")
    ] = None,
) -> None:
    """Write the status page into DIR as files, which outlive the bot.

    DIR is a new or an empty folder, or that of an earlier copy of the same
    page. It is replaced as a whole; folders above it that are missing are made.
    """
    from pathlib import Path

    from bot.clock import now
    from bot.commands.setup import public_settings, wrong
    from bot.commands.stores import database_url
    from bot.publishing.copying import copy_of
    from bot.publishing.folder import NotPublished
    from storage.store import opened

    if not to.strip():
        wrong("--to names no folder: give an empty or a new one.")
    settings = public_settings()
    server = settings.public_url or ""
    if not (server or settings.status_hosts):
        wrong("The copy names its own address: set STATUS_HOST or PUBLIC_URL.")
    with database_url(settings) as url, opened(url) as store:
        try:
            made = copy_of(store, Path(to), settings, clock=now, workspace=workspace).make()
        except NotPublished as error:
            wrong(error, code=1)
    if not made:
        whose = f"The page of {workspace} is not" if workspace else "No page is"
        wrong(f"{whose} published, so there is no copy: run `ratchet page publish`.", code=1)
    typer.echo(f"The status page is in {to}.")
