"""`ratchet outbox`."""

from __future__ import annotations

import typer

cli = typer.Typer(help="List and retry messages to Slack.", no_args_is_help=True)


@cli.command("list")
def list_messages() -> None:
    """Show the messages that wait for Slack, and those that could not be delivered."""
    import asyncio

    from bot.commands.stores import opened_store
    from storage.outbox import Outbox

    with opened_store() as store:
        messages = asyncio.run(Outbox(store).undelivered())
    for message in messages:
        typer.echo(
            f"{message.state}  {message.surface} in {message.channel}, "
            f"incident {message.incident}, due {message.due_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"{message.attempts} tries, {message.error or 'no error'}"
        )
    if not messages:
        typer.echo("Nothing waits, and everything could be delivered.")


@cli.command()
def retry() -> None:
    """Retry the messages that could not be delivered; the bot does it within a second."""
    import asyncio

    from bot.clock import now
    from bot.commands.stores import opened_store
    from storage.outbox import Outbox

    with opened_store() as store:
        count = asyncio.run(Outbox(store).retry_dead(at=now()))
    typer.echo(f"{count} messages will be tried again.")
