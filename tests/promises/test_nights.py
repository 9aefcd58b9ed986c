"""Promises over whole nights: one state each, each stage once, a score that can be recounted."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from datetime import datetime, timedelta

import pytest

from bot.telemetry import configure_logs
from core.decision import Surface
from core.promise import TELL_AFTER, Promise, Release, Stage, score
from storage.store import SqlStore
from tests.promises.nights import Nights, moment, recounted

REMINDER, BREACH = Surface.PROMISE_REMINDER, Surface.PROMISE_BREACH


@pytest.fixture
def nights(a_database):
    """Plays nights on a database, by one process or several, and gives them when they are over."""
    configure_logs(log_format="json", log_level="critical")
    with ExitStack() as stack:

        async def nights(kind, number, *, processes=1, seed=0):
            url = stack.enter_context(a_database(kind))
            stores = [stack.enter_context(closing(SqlStore(url))) for _ in range(processes)]
            played = Nights(stores, nights=number, seed=seed)
            await played.run()
            return played

        yield nights


def promise_of(line):
    """The promise in a line of the export."""
    return Promise(
        entry=line["entry"],
        public_at=datetime.fromisoformat(line["public_at"]),
        due_at=datetime.fromisoformat(line["due_at"]),
        internal=line["internal"],
        stage=Stage(line["stage"]),
        answered_at=moment(line["answered_at"]),
        answered_by=line["answered_by"],
        released_at=moment(line["released_at"]),
        release=line["release"] and Release(line["release"]),
    )


# The longest that the bot is down in a night, with the rests of its worker.
DOWN = timedelta(minutes=50)


async def judge(played):
    """What must hold after every night; the counts of the states, and of the nudges."""
    lines = list(played.lines())
    promises = {
        (line["incident"], line["entry"]): promise_of(line)
        for line in lines
        if line["type"] == "promise"
    }
    told = recounted(lines)
    at = played.clock()

    assert {key: promise.state(at).value for key, promise in promises.items()} == told
    counted = Counter(told.values())
    final = score(promises.values(), at)
    assert (final.kept, final.late, final.broken, final.released) == tuple(
        counted[state] for state in ("kept", "late", "broken", "released")
    )
    assert all(promise.next_stage() is None for promise in promises.values())
    assert played.findings() == []
    counted += await nudged(played, promises, always_public(lines))
    return counted


async def nudged(played, promises, public):
    """Each nudge was decided once and posted at most once, while it had a reason."""
    every = sorted(await played.nudges(), key=lambda one: one.id, reverse=True)
    # The first of each; those behind it are its edits, once its promise is over.
    stages = {(str(one.incident), one.entry, one.surface): one for one in every}
    nudges = {nudge.uid: nudge for nudge in stages.values()}
    posted = {uid: at for uid, at in played.slack.posts if uid in nudges}

    edits = {one.uid for one in every} - {*nudges}
    assert not edits & {uid for uid, _ in played.slack.posts}
    assert len(posted) == sum(uid in nudges for uid, _ in played.slack.posts)
    for uid, at in posted.items():
        promise = promises[str(nudges[uid].incident), nudges[uid].entry]
        assert promise.over_at is None or at <= promise.over_at
        if nudges[uid].surface is REMINDER:
            assert promise.remind_at < at <= promise.due_at
        else:
            assert at > promise.due_at + TELL_AFTER
    for (incident, entry), promise in promises.items():
        breaks = promise.due_at + TELL_AFTER + DOWN
        if incident in public and (promise.over_at is None or promise.over_at > breaks):
            assert stages[incident, entry, BREACH].uid in posted
    return Counter(nudges[uid].surface.value for uid in posted)


def always_public(lines):
    """The incidents that were never private: their working channel is told of what is broken."""
    private = {line["incident"] for line in lines if line.get("kind") == "privacy"}
    private |= {line["id"] for line in lines if line["type"] == "incident" and line["private"]}
    return {line["id"] for line in lines if line["type"] == "incident"} - private


async def test_every_night_ends_with_a_score(nights):
    counted = await judge(await nights("sqlite", 40))

    for word in ("kept", "late", "broken", "released", "unsaid", REMINDER.value, BREACH.value):
        assert counted[word] > 5


@pytest.mark.torture
@pytest.mark.parametrize("batch", range(1, 11))
async def test_ten_thousand_nights_end_with_a_score(nights, figures, batch):
    counted = await judge(await nights("sqlite", 1_000, seed=batch))
    figures(f"1,000 nights: {dict(counted)}")


@pytest.mark.torture
async def test_two_processes_share_the_nights(nights, figures):
    counted = await judge(await nights("postgresql", 50, processes=2, seed=100))
    figures(f"50 nights, two processes: {dict(counted)}")
