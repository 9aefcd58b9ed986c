"""`ratchet serve`."""

from __future__ import annotations


def serve() -> None:
    """Run the bot: Slack, HTTP, worker and schedule in one process."""
    import asyncio

    from uvicorn.loops.auto import auto_loop_factory

    from bot.app import build
    from bot.commands.setup import slack_settings, wrong
    from bot.commands.signals import stop_event
    from bot.http.server import AddressTaken
    from bot.telemetry import configure_logs, log
    from core.store import StoreUnavailable
    from storage.store import SecondServer, UnknownSchema

    settings = slack_settings()
    configure_logs(log_format=settings.log_format, log_level=settings.log_level)
    for miss in settings.near_misses:
        log.warning("unknown setting", reason=str(miss))

    async def run() -> None:
        app = build(settings)
        stop = stop_event()
        try:
            await app.start()
            await stop.wait()
        finally:
            await app.stop()

    try:
        # uvloop, if it is installed, as uvicorn does by itself: a command takes a third less time.
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(run())
    except (AddressTaken, SecondServer, UnknownSchema, StoreUnavailable) as error:
        wrong(error)
