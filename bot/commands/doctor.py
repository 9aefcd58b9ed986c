"""`ratchet doctor`."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    *,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also replay every timeline, and compare Slack's messages with it."
        ),
    ] = False,
    mark_gone: Annotated[
        bool,
        typer.Option(
            "--mark-gone",
            help="As --deep, and say on each card without an incident that it is unknown.",
        ),
    ] = False,
) -> None:
    """Check settings, database, token, scopes and the status channel; each line says what to do."""
    import asyncio

    from bot.commands.setup import settings_to_check
    from bot.doctor.checks import examine, examine_database
    from bot.doctor.results import CheckResult
    from bot.settings import Settings
    from bot.telemetry import configure_logs, safe_line

    settings, problems = settings_to_check()
    deep = deep or mark_gone
    findings = [CheckResult(well=False, text=f"settings: {problem}") for problem in problems]
    if settings:
        configure_logs(log_format=settings.log_format, log_level="error")
    if isinstance(settings, Settings):
        findings = asyncio.run(examine(settings, deep=deep, mark_gone=mark_gone))
    elif settings:
        findings += asyncio.run(examine_database(settings.database_url, deep=deep))
    for finding in findings:
        typer.echo(safe_line(f"{'ok  ' if finding.well else 'FAIL'}  {finding.text}"))
    if problems:
        typer.echo("Slack was not asked: correct the settings first.", err=True)
        raise typer.Exit(2)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)
