"""The schedule repeats its jobs, also after one has failed."""

import asyncio
from datetime import timedelta

import pytest

from bot.schedule import Schedule
from tests.patience import PATIENCE_SECONDS

SOON = timedelta(milliseconds=5)


@pytest.fixture
async def schedule():
    schedule = Schedule()
    yield schedule
    schedule.stop()


class Looks:
    """A job that counts its runs; ``until`` waits for a number of them."""

    def __init__(self, *, fails=False, holds=None):
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0
        self._fails = fails
        self._holds = holds
        self._looked = asyncio.Condition()

    async def look(self):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self._looked:
            self.count += 1
            self._looked.notify_all()
        try:
            if self._holds:
                await self._holds.wait()
            if self._fails:
                raise OSError("db-3 lost quorum")
        finally:
            self.at_once -= 1

    async def until(self, count):
        async with asyncio.timeout(PATIENCE_SECONDS), self._looked:
            await self._looked.wait_for(lambda: self.count >= count)


async def test_each_job_is_repeated(schedule):
    looks, others = Looks(), Looks()
    schedule.every(SOON, looks.look)
    schedule.every(SOON, others.look)
    schedule.start()

    await looks.until(3)
    await others.until(3)


async def test_a_failed_look_does_not_stop_the_next(schedule, capsys):
    looks = Looks(fails=True)
    schedule.every(SOON, looks.look)
    schedule.start()

    await looks.until(3)

    assert "look failed" in capsys.readouterr().out


async def test_one_job_never_runs_twice_at_once(schedule):
    hold = asyncio.Event()
    slow, quick = Looks(holds=hold), Looks()
    schedule.every(SOON, slow.look)
    schedule.every(SOON, quick.look)
    schedule.start()

    await quick.until(5)
    assert slow.count == 1
    hold.set()
    await slow.until(3)
    assert slow.most_at_once == 1


async def test_no_job_runs_before_the_start_or_after_the_stop(schedule):
    looks = Looks()
    schedule.every(SOON, looks.look)
    assert looks.count == 0
    schedule.start()
    await looks.until(1)
    schedule.stop()
    other = Schedule()
    later = Looks()
    other.every(SOON, later.look)
    other.start()
    seen = looks.count
    await later.until(5)
    other.stop()

    assert looks.count <= seen + 1


async def test_a_schedule_that_never_started_can_be_stopped(schedule):
    schedule.stop()
