"""Jobs on a clock. APScheduler says when to look; the work itself is in rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import now
from bot.telemetry import log

# APScheduler goes by the machine's clock. How often it is compared with elapsed time, and the
# difference that counts as a clock that was set back.
COMPARED_EVERY_SECONDS = 1.0
SET_BACK = timedelta(seconds=1)


class Schedule:
    """Repeats looks at the rows. A failed look is logged and does not stop the next one."""

    def __init__(self) -> None:
        # Jobs live in memory: two schedulers on one job store would each run every job.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._jobs: list[tuple[Job, timedelta]] = []
        self._comparison: asyncio.TimerHandle | None = None

    def every(self, interval: timedelta, look: Callable[[], Awaitable[object]]) -> Job:
        """Call ``look`` each ``interval``; never twice at once, and missed looks count as one."""

        async def looked() -> None:
            try:
                await look()
            except asyncio.CancelledError:
                # `stop` cut it off, as it should. APScheduler would log that as an error.
                return
            except Exception:  # noqa: BLE001 - the next look must come after any error
                log.error("look failed", action=look.__name__, exc_info=True)

        job = self._scheduler.add_job(looked, "interval", seconds=interval.total_seconds())
        self._jobs.append((job, interval))
        return job

    def start(self) -> None:
        """Begin; the first look comes after one interval."""
        self._scheduler.start()
        self._compare()

    def _compare(self) -> None:
        """Runs the jobs now that would wait longer than their interval: the clock was set back.

        The event loop's own timers count elapsed time, and call this.
        """
        at = now()
        late = [job for job, interval in self._jobs if job.next_run_time - at > interval + SET_BACK]
        for job in late:
            job.modify(next_run_time=at)
        if late:
            log.warning("clock set back", count=len(late))
        loop = asyncio.get_running_loop()
        self._comparison = loop.call_later(COMPARED_EVERY_SECONDS, self._compare)

    def stop(self) -> None:
        """Look no more. A running look is cut off: its work is in rows and waits."""
        if self._comparison:
            self._comparison.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
