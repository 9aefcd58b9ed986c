"""The schedule repeats its jobs, also after one has failed."""

import asyncio
from datetime import timedelta
from logging import WARNING

import pytest

from bot.clock import SET_BACK_MAX, SteadyClock, now
from bot.schedule import Schedule
from tests.builders import NINE
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


async def test_a_look_that_the_stop_cuts_off_is_no_error(schedule, caplog):
    looks = Looks(holds=asyncio.Event())
    schedule.every(SOON, looks.look)
    schedule.start()
    await looks.until(1)

    schedule.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    assert looks.at_once == 0
    assert [record.levelname for record in caplog.records if record.levelno >= WARNING] == []


async def test_a_clock_that_is_set_back_delays_no_job(schedule, capsys):
    looks, others = Looks(), Looks()
    job = schedule.every(SOON, looks.look)
    schedule.every(SOON, others.look)
    schedule.start()
    await looks.until(1)
    # As APScheduler sees it: the next run is an hour ahead of the clock.
    job.modify(next_run_time=now() + timedelta(hours=1))
    seen = looks.count

    await looks.until(seen + 2)

    assert "clock set back" in capsys.readouterr().out


async def test_a_schedule_that_never_started_can_be_stopped(schedule):
    schedule.stop()


# --- the clock ---------------------------------------------------------------------------------


class Machine:
    """The two clocks of a machine, which a test moves."""

    def __init__(self):
        self.wall = NINE
        self.ticks = 0.0

    def passes(self, seconds, *, set_by=0.0):
        """Time passes, and the clock is set forward or back by ``set_by`` seconds."""
        self.wall += timedelta(seconds=seconds + set_by)
        self.ticks += seconds


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def steady(machine):
    return SteadyClock(lambda: machine.wall, lambda: machine.ticks)


def test_the_clock_shows_the_time_of_the_machine(machine, steady):
    machine.passes(60)
    assert steady() == machine.wall == NINE + timedelta(minutes=1)


@pytest.mark.parametrize("back", [1, 60, 3_500])
def test_the_clock_goes_on_while_the_machine_is_set_back(machine, steady, back):
    machine.passes(10, set_by=-back)
    assert steady() == NINE + timedelta(seconds=10)
    machine.passes(20)
    assert steady() == NINE + timedelta(seconds=30)
    machine.passes(30, set_by=back)
    assert steady() == machine.wall == NINE + timedelta(seconds=60)


def test_the_clock_follows_a_machine_that_is_set_forward_or_slept(machine, steady):
    machine.passes(10, set_by=7_200)
    assert steady() == machine.wall


def test_the_clock_follows_a_machine_that_was_hours_ahead(machine, steady):
    machine.passes(1, set_by=10 * SET_BACK_MAX.total_seconds())
    steady()
    machine.passes(1, set_by=-10 * SET_BACK_MAX.total_seconds())
    assert steady() == machine.wall
