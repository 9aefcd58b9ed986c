"""`ratchet import`: another status page, with its ids."""

from __future__ import annotations

from typing import Annotated

import typer

cli = typer.Typer(help="Import a status page from elsewhere.", no_args_is_help=True)
# The columns of the result: of each kind, the first number is the sum of the others.
HEADINGS = ("read", "added", "there before", "changed", "left out")


@cli.callback()
def imports() -> None:
    """Import a status page from elsewhere."""


@cli.command()
def statuspage(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="The address of a page, or files: summary.json, incidents.json, history.atom.",
            metavar="FILE|URL…",
        ),
    ],
    *,
    include_open: Annotated[
        bool, typer.Option("--include-open", help="Unresolved incidents are imported as open.")
    ] = False,
    leave_open: Annotated[
        bool, typer.Option("--leave-open", help="Unresolved incidents are left out.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be imported, and write nothing.")
    ] = False,
    workspace: Annotated[
        str | None,
        typer.Option(help="The id of the Slack team, T…; that of the bot's token if left out."),
    ] = None,
) -> None:
    """Import components, groups and incidents of a page of Atlassian Statuspage.

    Their ids stay, so that clients and feed readers see no change. Nothing is
    posted to Slack or sent to webhooks. What was imported before is left as it
    is: a second run adds what is new.
    """
    from bot.clock import now
    from bot.commands.operator import arranged
    from bot.commands.setup import wrong
    from bot.importing.reading import UnreadableSource, read
    from bot.page.ids import object_id, update_id
    from core.foreign import OwnIds
    from core.importing import Imports

    if include_open and leave_open:
        wrong("--include-open and --leave-open contradict each other: give one of them.")
    open_too = True if include_open else False if leave_open else None
    try:
        page, notes = read(sources)
    except UnreadableSource as error:
        wrong(error, code=1)

    act = Imports.look if dry_run else Imports.run
    told = arranged(
        lambda store, operator: act(
            Imports(store, clock=now, own=OwnIds(object=object_id, update=update_id)),
            operator,
            page,
            open_too=open_too,
        ),
        workspace,
    )
    for line in (*notes, *told.notes):
        typer.echo(line)
    kinds = {
        "groups": told.groups,
        "components": told.components,
        "incidents": told.incidents,
        "updates": told.updates,
    }
    typer.echo("            " + "".join(f"{heading:>14}" for heading in HEADINGS))
    for name, one in kinds.items():
        counts = (one.read, one.added, one.there, one.changed, one.left)
        typer.echo(f"{name:<12}" + "".join(f"{count:>14}" for count in counts))
    if told.nothing:
        rest = "Everything was there before"
        if notes or told.notes or not told.read:
            rest = "Nothing else is new" if told.read else "Nothing in it can be imported"
        typer.echo(f"{rest}: nothing was changed.")
        return
    what = page.name if told.read else f"Only the id of {page.name}"
    if dry_run:
        typer.echo(f"{what} would be imported. Nothing was written.")
    else:
        typer.echo(f"{what} was imported{', with its ids' if told.read else ''}.")
