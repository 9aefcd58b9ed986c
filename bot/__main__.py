"""The command line ``ratchet``.

Exit codes: 0, 1 a check failed, 2 wrong usage or settings, 130 interrupted by ``Ctrl-C``.
"""

from __future__ import annotations

import gc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.commands import (
    database,
    demo,
    doctor,
    imports,
    keys,
    lifecycles,
    outbox,
    pages,
    publish,
    restore,
    reviews,
    serve,
    templates,
    webhooks,
)

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


class Commands(TyperGroup):
    """The commands; one that is interrupted says so."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Interrupted: the command did not get to its end.", err=True)
            raise typer.Exit(INTERRUPTED) from None


cli = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("ratchet"))
        raise typer.Exit


@cli.callback()
def ratchet(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Ratchet: incidents that only move forward, in Slack."""


cli.command("serve")(serve.serve)
cli.command("demo")(demo.demo)
cli.command("doctor")(doctor.doctor)
cli.command("migrate")(database.migrate)
cli.command("backup")(database.backup)
cli.command("restore")(restore.restore)
cli.command("export")(database.export)
cli.command("report")(reviews.report)
cli.command("stats")(reviews.stats)
cli.command("publish")(publish.publish)
cli.add_typer(imports.cli, name="import")
cli.add_typer(pages.page, name="page")
cli.add_typer(pages.components, name="components")
cli.add_typer(webhooks.cli, name="webhooks")
cli.add_typer(outbox.cli, name="outbox")
cli.add_typer(keys.cli, name="keys")
cli.add_typer(lifecycles.cli, name="lifecycles")
cli.add_typer(templates.cli, name="templates")


# New objects after which Python looks for garbage, instead of 700. What a command imports stays:
# looking through it again and again took a sixth of each start.
GARBAGE_AFTER = 20_000


def main() -> None:
    """The entry point of the console script."""
    gc.set_threshold(GARBAGE_AFTER)
    cli()


if __name__ == "__main__":
    main()
