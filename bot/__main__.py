"""The command line ``ratchet``. Exit codes: 0, 1 a check failed, 2 wrong usage or settings."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from dotenv import dotenv_values
from uvicorn.loops.auto import auto_loop_factory

from bot.app import build, now
from bot.demo import BotDidNotStart, stories
from bot.demo import run as run_demo
from bot.doctor import examine
from bot.export import NotWritten, UnknownWorkspace, archive, into_file, to_stream
from bot.http.server import AddressTaken
from bot.settings import (
    SettingFault,
    Settings,
    StorageSettings,
    UnreadableFile,
    WrongSettings,
    is_loopback,
    read_lifecycles,
)
from bot.telemetry import configure_logs, one_line
from core.engine import name_of
from core.errors import InvalidField, LifecycleFaults, UnknownLifecycle
from core.lifecycle import PRESETS, Catalogue, Lifecycle
from core.service import StoreUnavailable
from storage import keys
from storage.backup import back_up
from storage.export import opened
from storage.keys import KeyScope
from storage.outbox import Outbox
from storage.store import SecondServer, Store, UnknownSchema

cli = typer.Typer(
    help="Ratchet: incidents that only move forward, in Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
lifecycles_cli = typer.Typer(help="Check and draw lifecycles.", no_args_is_help=True)
cli.add_typer(lifecycles_cli, name="lifecycles")
keys_cli = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
cli.add_typer(keys_cli, name="keys")
outbox_cli = typer.Typer(help="See and send again what waits for Slack.", no_args_is_help=True)
cli.add_typer(outbox_cli, name="outbox")


def environment() -> Mapping[str, str]:
    """What the process was started with, over the `.env` of the working directory.

    `.env` is read, not loaded, and Slack's variables are taken out of the process: Bolt looks for
    some by itself, and with two of them it would open an installation flow and write files for it.

    Raises:
        WrongSettings: `.env` is there, and cannot be read.
    """
    given = dict(os.environ)
    for name in given:
        if name.startswith("SLACK_"):
            del os.environ[name]
    try:
        # Editors on Windows put a mark before the first line. A password may hold ${…}.
        in_file = dotenv_values(".env", encoding="utf-8-sig", interpolate=False)
    except (OSError, UnicodeDecodeError):
        fault = SettingFault(".env", "cannot be read", "make it a text file in UTF-8, or remove it")
        raise WrongSettings([fault]) from None
    return {**{name: value or "" for name, value in in_file.items()}, **given}


def slack_settings() -> Settings:
    """The settings of a command that speaks with Slack; where they are wrong, the program ends."""
    try:
        settings = Settings.from_env(environment())
    except WrongSettings as error:
        wrong(*error.faults)
    if is_loopback(settings.slack_api_url):
        # slack_sdk takes a proxy for every address, and none leads to this machine itself.
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            os.environ.pop(name, None)
    return settings


def wrong(*lines: object, code: int = 2) -> NoReturn:
    """Ends the program with one line for each fault."""
    for line in lines:
        typer.echo(one_line(str(line)), err=True)
    raise typer.Exit(code)


@cli.command()
def serve() -> None:
    """Run the bot: Slack, HTTP, worker and schedule in one process."""
    settings = slack_settings()
    configure_logs(log_format=settings.log_format, log_level=settings.log_level)
    try:
        # uvloop where it can be had, as uvicorn itself would: a command takes a third less time.
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_serve(settings))
    except (AddressTaken, SecondServer, UnknownSchema, StoreUnavailable) as error:
        wrong(error)


async def _serve(settings: Settings) -> None:
    app = build(settings)
    stop = _signalled()
    try:
        await app.start()
        await stop.wait()
    finally:
        await app.stop()


def _signalled() -> asyncio.Event:
    """An event that is set when the process is asked to stop; asked twice, it ends at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_end, stop)
    return stop


def _stop_or_end(stop: asyncio.Event) -> None:
    if stop.is_set():
        # Asked twice: whoever asks has waited long enough, and what is confirmed is committed.
        os._exit(1)
    stop.set()


@cli.command()
def migrate() -> None:
    """Bring the database up to date. `serve` does the same by itself."""
    try:
        settings = StorageSettings.from_env(environment())
        configure_logs(log_format=settings.log_format, log_level=settings.log_level)
        with closing(Store(settings.database_url)) as store:
            store.migrate()
    except WrongSettings as error:
        wrong(*error.faults)
    except (StoreUnavailable, UnknownSchema) as error:
        wrong(error, code=1)
    typer.echo("The database is up to date.")


@cli.command()
def backup(file: Annotated[Path, typer.Argument(help="Where the copy goes.")]) -> None:
    """Copy the SQLite database into FILE, also while the bot runs."""
    try:
        settings = StorageSettings.from_env(environment())
        back_up(settings.database_url, file)
    except WrongSettings as error:
        wrong(*error.faults)
    except StoreUnavailable as error:
        wrong(error, code=1)
    typer.echo(f"Everything that was confirmed until now is in {file}.")


@cli.command()
def export(
    file: Annotated[
        Path | None,
        typer.Argument(help="Where it goes: a new file. Without it, to standard output."),
    ] = None,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Only what everybody may read: no note, no person.")
    ] = False,
    workspace: Annotated[
        str | None, typer.Option(help="Only that of this Slack team, T…; else of all.")
    ] = None,
) -> None:
    """Write every incident with its timeline as JSON Lines, also while the bot runs.

    PRIVATE: it holds all notes and all private incidents, unless --public is given. Keep it where
    you keep the database. Its owner alone may read FILE.
    """
    try:
        settings = StorageSettings.from_env(environment())
        configure_logs(log_format=settings.log_format, log_level=settings.log_level)
        with opened(settings.database_url) as store:
            lines = archive(store, public=public, workspace=workspace, at=now())
            if file:
                into_file(lines, file)
            elif not to_stream(lines, typer.get_binary_stream("stdout")):
                # Whoever reads has enough; it is not all.
                raise typer.Exit(1)
    except WrongSettings as error:
        wrong(*error.faults)
    except (StoreUnavailable, UnknownSchema, NotWritten, UnknownWorkspace) as error:
        wrong(error, code=1)
    if file:
        kept = "Everything that everybody may read" if public else "Everything, notes included,"
        typer.echo(f"{kept} is in {file}.")


@outbox_cli.command("list")
def list_outbox() -> None:
    """Show what waits for Slack, and what could never be delivered."""
    with _outbox() as outbox:
        messages = asyncio.run(outbox.undelivered())
    for message in messages:
        typer.echo(
            f"{message.state}  {message.surface} in {message.channel}, "
            f"incident {message.incident}, due {message.due_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"{message.attempts} tries, {message.error or 'no error'}"
        )
    if not messages:
        typer.echo("Nothing waits, and everything could be delivered.")


@outbox_cli.command("retry")
def retry_outbox() -> None:
    """Send what could never be delivered once more; the bot does it, within a second."""
    with _outbox() as outbox:
        count = asyncio.run(outbox.retry_dead(at=now()))
    typer.echo(f"{count} messages will be tried again.")


@contextmanager
def _outbox() -> Iterator[Outbox]:
    try:
        settings = StorageSettings.from_env(environment())
        configure_logs(log_format=settings.log_format, log_level=settings.log_level)
        with closing(Store(settings.database_url)) as store:
            yield Outbox(store)
    except WrongSettings as error:
        wrong(*error.faults)
    except (StoreUnavailable, UnknownSchema) as error:
        wrong(error, code=1)


@cli.command()
def doctor(
    *,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also replay every timeline, and look at what Slack shows."),
    ] = False,
) -> None:
    """Check settings, database, token, scopes and the status channel; each line says what to do."""
    settings = slack_settings()
    configure_logs(log_format=settings.log_format, log_level="error")
    findings = asyncio.run(examine(settings, deep=deep))
    for finding in findings:
        typer.echo(one_line(f"{'ok  ' if finding.well else 'FAIL'}  {finding.text}"))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


@cli.command()
def demo(
    *,
    port: Annotated[
        int, typer.Option(help="Where the page is; the bot takes the next one.")
    ] = 8080,
    http: Annotated[bool, typer.Option("--http", help="HTTP mode instead of Socket Mode.")] = False,
    story: Annotated[
        str, typer.Option(help=f"What is told first: {', '.join(stories())}.")
    ] = "outage",
    clean: Annotated[bool, typer.Option("--clean", help="Start empty; tell nothing.")] = False,
) -> None:
    """Run the bot, real and whole, against a stand-in for Slack on this machine."""
    if story not in stories():
        wrong(f'There is no story "{story}": choose one of {", ".join(stories())}.')

    async def run_until_stopped() -> None:
        await run_demo(
            port=port,
            http=http,
            story=None if clean else story,
            clean=clean,
            announce=typer.echo,
            stop=_signalled(),
        )

    try:
        asyncio.run(run_until_stopped())
    except BotDidNotStart as error:
        wrong(error, code=1)
    except OSError as error:
        wrong(f"PORT {port} cannot be used ({error.strerror}): name another with --port.")


@keys_cli.command()
def create(
    workspace: Annotated[str, typer.Option(help="The id of the Slack team, T….")],
    name: Annotated[str, typer.Option(help="Who speaks with it: what timelines will say.")],
    scope: Annotated[KeyScope, typer.Option(help="Each includes those before it.")] = KeyScope.READ,
) -> None:
    """Make an API key and print it, this once."""
    if not re.fullmatch("[TE][A-Z0-9]+", workspace):
        wrong("--workspace is no id of a Slack team: it looks like T0123ABCD.")
    try:
        named = name_of(name)
    except InvalidField as error:
        wrong(error)
    with _migrated_store() as store:
        key, whole = store.write_now(
            lambda tx: keys.create(tx, workspace=workspace, name=named, scope=scope, at=now())
        )
    # Apart from what is said about it, so that a script can take it.
    typer.echo(whole)
    typer.echo(f"Keep it: only its prefix {key.prefix} can be shown again.", err=True)


@keys_cli.command("list")
def list_keys() -> None:
    """Show the API keys: prefix, workspace, scope, name, and since when."""
    with _migrated_store() as store:
        known = store.read_now(keys.every)
    for key in known:
        ended = f", revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
        typer.echo(
            f"{key.prefix}  {key.workspace}  {key.scope:<7}  {key.name}, "
            f"made {key.created_at:%Y-%m-%d}{ended}"
        )
    if not known:
        typer.echo("There are no API keys.")


@keys_cli.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The prefix that `keys list` shows.")],
) -> None:
    """Revoke an API key; it opens nothing from now on."""
    # A whole key does as well: its owner may have nothing else at hand.
    shown = prefix.removeprefix("rk_live_")[:8]
    with _migrated_store() as store:
        key = store.write_now(lambda tx: keys.revoke(tx, shown, at=now()))
    if key is None:
        wrong("There is no such API key: `ratchet keys list` shows those that there are.", code=1)
    typer.echo(f"{key.prefix} ({key.name}) is revoked.")


@contextmanager
def _migrated_store() -> Iterator[Store]:
    try:
        settings = StorageSettings.from_env(environment())
        configure_logs(log_format=settings.log_format, log_level=settings.log_level)
        with closing(Store(settings.database_url)) as store:
            store.migrate()
            yield store
    except WrongSettings as error:
        wrong(*error.faults)
    except (StoreUnavailable, UnknownSchema) as error:
        wrong(error, code=1)


LifecycleFile = Annotated[
    Path | None,
    typer.Argument(help="A TOML file of lifecycles; without one, those that are built in."),
]


@lifecycles_cli.command()
def check(file: LifecycleFile = None) -> None:
    """Check a file of lifecycles and name every fault with its place."""
    lifecycles = _lifecycles(file)
    for lifecycle in lifecycles:
        statuses = ", ".join(status.name for status in lifecycle.statuses)
        typer.echo(f"{lifecycle.name}: {statuses}")


@lifecycles_cli.command()
def draw(file: LifecycleFile = None, *, name: str | None = None) -> None:
    """Draw lifecycles as Mermaid state diagrams."""
    lifecycles = _lifecycles(file)
    try:
        chosen = [Catalogue(lifecycles, default=name).default] if name else lifecycles
    except UnknownLifecycle as error:
        wrong(error)
    typer.echo("\n\n".join(lifecycle.draw() for lifecycle in chosen))


def _lifecycles(file: Path | None) -> tuple[Lifecycle, ...]:
    if file is None:
        return PRESETS
    try:
        return read_lifecycles(file)
    except UnreadableFile as error:
        wrong(f"{file} {error.why}")
    except LifecycleFaults as error:
        wrong(*(f"{file}: {fault}" for fault in error.faults), code=1)


def main() -> None:
    """The entry point of the console script."""
    cli()


if __name__ == "__main__":
    main()
