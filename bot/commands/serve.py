"""`ratchet serve`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol

import typer

PAGE = "page"


class Served(Protocol):
    """What runs until the process is told to stop."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


def serve(
    *,
    only: Annotated[
        str | None,
        typer.Option(help="page: serve the status pages alone, beside a bot.", metavar="page"),
    ] = None,
) -> None:
    """Run the bot: Slack, HTTP, worker and schedule in one process."""
    from bot.app import build
    from bot.commands.setup import slack_settings, wrong
    from bot.telemetry import configure_logs, log

    if only is not None:
        if only != PAGE:
            wrong(f'There is no part "{only}" to serve: write --only page, or leave it out.')
        _serve_pages()
        return
    settings = slack_settings()
    configure_logs(log_format=settings.log_format, log_level=settings.log_level)
    for miss in settings.near_misses:
        log.warning("unknown setting", reason=str(miss))
    _run(lambda: build(settings))


def _serve_pages() -> None:
    from bot.clock import SteadyClock
    from bot.commands.setup import public_settings
    from bot.commands.stores import database_url
    from bot.pages import PageServer
    from storage.store import opened

    settings = public_settings()
    with database_url(settings) as url, opened(url) as store:
        _run(lambda: PageServer(settings, store, clock=SteadyClock()))


def _run(build: Callable[[], Served]) -> None:
    import asyncio

    from uvicorn.loops.auto import auto_loop_factory

    from bot.commands.setup import wrong
    from bot.commands.signals import stop_event
    from bot.http.server import AddressTaken
    from core.store import StoreUnavailable
    from storage.store import SecondServer, UnknownSchema

    async def run() -> None:
        served = build()
        stop = stop_event()
        try:
            await served.start()
            await stop.wait()
        finally:
            await served.stop()

    try:
        # uvloop, if it is installed, as uvicorn does by itself: a command takes a third less time.
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(run())
    except (AddressTaken, SecondServer, UnknownSchema, StoreUnavailable) as error:
        wrong(error)
