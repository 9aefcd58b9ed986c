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

    from bot.commands.setup import slack_settings
    from bot.doctor.checks import examine
    from bot.telemetry import configure_logs, safe_line

    settings = slack_settings()
    configure_logs(log_format=settings.log_format, log_level="error")
    findings = asyncio.run(examine(settings, deep=deep or mark_gone, mark_gone=mark_gone))
    for finding in findings:
        typer.echo(safe_line(f"{'ok  ' if finding.well else 'FAIL'}  {finding.text}"))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)
