"""A stop answers the requests that were taken; Slack delivers the others elsewhere."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from time import monotonic

import pytest

from bot.sandbox import Limits
from tests import tables
from tests.command import a_command
from tests.patience import until
from tests.ports import a_free_port, listening
from tests.promises.conftest import environment, tell
from tests.standin import a_standin

ROOT = Path(__file__).parents[2]
FEW, MANY = 16, 80
# Longer than an acknowledgement waits for the answer.
SLOW_SECONDS = 1.2


@pytest.fixture
async def slack(clock):
    async with a_standin(clock=clock.seconds, limits=Limits(posting=False)) as slack:
        yield slack


@pytest.fixture(params=["socket", "http"])
def mode(request):
    return request.param


def notes(app):
    """The count of each note in the timeline."""
    return Counter(
        tables.values(app.store, "SELECT body FROM incident_update WHERE kind = 'wrote'")
    )


def nobody_else_is_slow(_slack, _database_url):
    pass


def slack_is_slow_to_say_who_people_are(slack, _database_url):
    slack.faults.slow("users.info", seconds=SLOW_SECONDS)


def slack_is_slow_to_hear_answers(slack, _database_url):
    slack.faults.slow("response_url", seconds=SLOW_SECONDS)


def the_database_is_locked(_slack, database_url):
    lock(database_url, seconds=SLOW_SECONDS)


TROUBLES = [
    nobody_else_is_slow,
    slack_is_slow_to_say_who_people_are,
    slack_is_slow_to_hear_answers,
    the_database_is_locked,
]


def lock(database_url, *, seconds):
    """Holds SQLite's only lock for writing, as a backup or a slow disk does."""
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(seconds, holder.close)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
async def test_a_stop_in_a_burst_answers_everybody_and_does_nothing_twice(
    trouble, mode, start, slack, mia, database_url
):
    await stopped_in_a_burst(FEW, FEW // 2, trouble, mode, start, slack, mia, database_url)


@pytest.mark.torture
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
@pytest.mark.parametrize("done", [0, MANY // 2])
async def test_a_stop_in_a_burst_of_80_answers_everybody_and_does_nothing_twice(
    done, trouble, mode, start, slack, mia, database_url
):
    await stopped_in_a_burst(MANY, done, trouble, mode, start, slack, mia, database_url)


async def stopped_in_a_burst(count, done, trouble, mode, start, slack, mia, database_url):
    """Stops a server once ``done`` of ``count`` commands are acknowledged, and starts another."""
    async with start(**doors(mode, slack)):
        if mode == "socket":
            await slack.connected(connections=2)
        await tell(slack.person("bo"), "declare Checkout is down")
        trouble(slack, database_url)
        waiting = [
            asyncio.create_task(mia.command("#payments", f"/incident note 1 word{number}x"))
            for number in range(count)
        ]
        await until(lambda: len(slack.requests) > count)
        for ended in islice(asyncio.as_completed(waiting), done):
            await ended
    slack.faults.clear()
    async with start(**doors(mode, slack)) as app:
        asked = await asyncio.gather(*waiting)
        answered = [each for each in asked if each.error is None]
        said = [(each.label, (await each.answer()).words()) for each in answered]
        kept = notes(app)

    words = [re.search(r"word\d+x", label)[0] for label, _ in said]
    assert [word for word in words if kept[word] != 1] == []
    assert [word for word, count in kept.items() if count != 1] == []
    assert [text for _, text in said if "INC-1" not in text] == []
    if mode == "socket":
        # Slack delivers the requests that this process did not take to the next one.
        assert len(answered) == count


# --- real processes ----------------------------------------------------------------------------


def slack_hangs(slack, _database_url):
    for method in ("*", "response_url"):
        slack.faults.slow(method, seconds=60)


def the_database_hangs(_slack, database_url):
    lock(database_url, seconds=60)


HANGS = {"socket": slack_hangs, "http": the_database_hangs}


def doors(mode, slack):
    """The variables that open one door and shut the other."""
    if mode == "http":
        return {}
    return {"SLACK_APP_TOKEN": slack.app_token, "SLACK_SIGNING_SECRET": None}


@asynccontextmanager
async def served(mode, folder):
    """A stand-in, and ``ratchet serve`` connected to it; stand-in, process and port."""
    folder.mkdir()
    port = a_free_port()
    async with a_standin() as slack:
        variables = environment(slack, f"sqlite:///{folder}/ratchet.db", **doors(mode, slack))
        async with a_command("serve", folder=folder, **variables | {"PORT": str(port)}) as process:
            await until(lambda: listening(port))
            if mode == "socket":
                await slack.connected(connections=2)
            else:
                slack.request_url = f"http://127.0.0.1:{port}/slack/events"
            yield slack, process, port


async def stopped(mode, folder, *, asked):
    """Exit code, and seconds since the last of the signals, of a server in the middle of work."""
    async with served(mode, folder) as (slack, process, port):
        mia = slack.person("mia")
        await tell(mia, "declare Checkout is down")
        HANGS[mode](slack, f"sqlite:///{folder}/ratchet.db")
        # Slack has to be asked about these people; mia is known.
        people = [slack.person(slack.workspace.add_user(f"person{n}").name) for n in range(8)]
        slack.workspace.add_channel("all-hands", members=[person.user.name for person in people])
        before = len(slack.requests)
        working = [
            asyncio.create_task(mia.command("#payments", "/incident note 1 y")),
            *(
                asyncio.create_task(person.command("#all-hands", "/incident note 1 x"))
                for person in people
            ),
        ]
        await until(lambda: len(slack.requests) == before + len(working))
        process.terminate()
        if asked == 2:
            await until(lambda: not listening(port))
            process.terminate()
        started = monotonic()
        code = await process.wait()
        for task in working:
            task.cancel()
        return code, monotonic() - started


async def both_stopped(folder, *, asked):
    """How servers of both modes end: their exit codes, and seconds until the later one ended."""
    ends = await asyncio.gather(*(stopped(mode, folder / mode, asked=asked) for mode in HANGS))
    return [code for code, _ in ends], max(seconds for _, seconds in ends)


@pytest.mark.torture
async def test_a_stop_takes_less_than_ten_seconds_while_everything_hangs(tmp_path, figures):
    codes, seconds = await both_stopped(tmp_path, asked=1)

    figures(f"stopped after {seconds:.1f} s while Slack or the database hung")
    assert codes == [0, 0]
    assert seconds < 10


@pytest.mark.torture
async def test_a_second_signal_ends_it_at_once_while_everything_hangs(tmp_path, figures):
    codes, seconds = await both_stopped(tmp_path, asked=2)

    figures(f"ended {seconds:.1f} s after the second signal")
    assert codes == [1, 1]
    assert seconds < 2
