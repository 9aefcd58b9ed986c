"""`ratchet keys`."""

from __future__ import annotations

from typing import Annotated

import typer

# The values of `storage.keys.KeyScope`; a test compares them. The help shows them without storage.
SCOPES = ("read", "write", "publish", "admin")

cli = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@cli.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="The author's name in timelines, for its changes.")],
    scope: Annotated[
        str, typer.Option(help="Each includes those before it.", metavar="|".join(SCOPES))
    ] = SCOPES[0],
    workspace: Annotated[
        str | None,
        typer.Option(help="The id of the Slack team, T…; that of the bot's token if left out."),
    ] = None,
    leak_guard: Annotated[
        bool,
        typer.Option(
            "--leak-guard",
            help="Stop its public texts that may hold what must not leave, until confirmed.",
        ),
    ] = False,
) -> None:
    """Make an API key and print it, this once."""
    from bot.clock import now
    from bot.commands.homes import served_store
    from bot.commands.setup import key_settings, wrong
    from core.errors import InvalidField
    from core.texts import name_of
    from storage import keys

    if scope not in SCOPES:
        wrong(f'There is no scope "{scope}": choose one of {", ".join(SCOPES)}.')
    try:
        named = name_of(name)
    except InvalidField as error:
        wrong(error)
    settings = key_settings()
    with served_store(workspace, settings) as (store, team):
        key, whole = store.write_now(
            lambda tx: keys.create(
                tx,
                workspace=team,
                name=named,
                scope=keys.KeyScope(scope),
                at=now(),
                leak_guard=leak_guard,
            )
        )
    # Nothing but the key goes to standard output, so that a script can read it.
    typer.echo(whole)
    typer.echo(f"Keep it: only its prefix {key.prefix} can be shown again.", err=True)


@cli.command("list")
def list_keys() -> None:
    """Show the API keys: prefix, workspace, scope, name, and when they were made."""
    from bot.commands.stores import opened_store
    from storage import keys

    with opened_store() as store:
        known = store.read_now(keys.every)
    for key in known:
        guard = ", leak guard" if key.leak_guard else ""
        ended = f", revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
        typer.echo(
            f"{key.prefix}  {key.workspace}  {key.scope:<7}  {key.name}, "
            f"made {key.created_at:%Y-%m-%d}{guard}{ended}"
        )
    if not known:
        typer.echo("There are no API keys.")


@cli.command()
def revoke(
    prefix: Annotated[
        str, typer.Argument(help="The prefix that `keys list` shows.", metavar="PREFIX")
    ],
) -> None:
    """Revoke an API key: requests with it are refused from now on."""
    from bot.clock import now
    from bot.commands.setup import wrong
    from bot.commands.stores import opened_store
    from storage import keys

    # A whole key is accepted, too: its owner may not have the prefix at hand.
    shown = prefix.removeprefix("rk_live_")[:8]
    with opened_store() as store:
        key = store.write_now(lambda tx: keys.revoke(tx, shown, at=now()))
    if key is None:
        wrong("There is no such API key: `ratchet keys list` shows those that exist.", code=1)
    typer.echo(f"{key.prefix} ({key.name}) is revoked.")
