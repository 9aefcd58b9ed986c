"""Jobs on a clock. APScheduler says when to look; the work itself is in rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.telemetry import log


class Schedule:
    """Repeats looks at the rows. A failed look is logged and does not stop the next one."""

    def __init__(self) -> None:
        # Jobs live in memory: two schedulers on one job store would each run every job.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, interval: timedelta, look: Callable[[], Awaitable[object]]) -> None:
        """Call ``look`` each ``interval``; never twice at once, and missed looks count as one."""

        async def looked() -> None:
            try:
                await look()
            except Exception:  # noqa: BLE001 - the next look must come after any error
                log.error("look failed", action=look.__name__, exc_info=True)

        self._scheduler.add_job(looked, "interval", seconds=interval.total_seconds())

    def start(self) -> None:
        """Begin; the first look comes after one interval."""
        self._scheduler.start()

    def stop(self) -> None:
        """Look no more. A running look is cut off: its work is in rows and waits."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
