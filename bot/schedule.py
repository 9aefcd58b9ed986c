"""What runs on a clock. APScheduler says when to look; what there is to do is in rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.telemetry import log


class Schedule:
    """Looks again and again. A look that fails is logged, and the next one comes all the same."""

    def __init__(self) -> None:
        # Jobs live in memory: two schedulers on one job store would each run every job.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, interval: timedelta, look: Callable[[], Awaitable[object]]) -> None:
        """Calls ``look`` each ``interval``; never twice at once, and missed looks count as one."""

        async def looked() -> None:
            try:
                await look()
            except Exception:  # noqa: BLE001 - whatever it was, the next look must come
                log.error("look failed", action=look.__name__, exc_info=True)

        self._scheduler.add_job(looked, "interval", seconds=interval.total_seconds())

    def start(self) -> None:
        """Begins to look, first after one interval."""
        self._scheduler.start()

    def stop(self) -> None:
        """Looks no more. A look that is under way is cut off: what it was about is in rows."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
