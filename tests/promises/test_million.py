"""A million closed incidents add nothing to the cost of boards, pages, changes and claims."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

import pytest

from core.boards import BoardFilter, Scope
from core.commands import Change
from core.incident import Actor, Note, Person
from storage import claims
from storage.public import PublicReader
from storage.snapshot import connection_of
from tests.promises.conftest import settle, tell

MILLION = 1_000_000
FEW = 1_000
# The first number that is free for copies: the incidents that people work on stand below.
FREE = 10
TIMES = 60

NUMBERS = {
    "sqlite": "WITH RECURSIVE n(number) AS "
    "(SELECT {0} UNION ALL SELECT number + 1 FROM n WHERE number < {1})",
    "postgresql": "WITH n(number) AS (SELECT generate_series({0}, {1}))",
}
# Ids in order: the same tables, and they are filled in a fraction of the time.
NEW_ID = {
    "sqlite": "printf('%032x', {0})",
    "postgresql": "lpad(to_hex({0}), 32, '0')::uuid",
}
MAKE_ROOM = {
    "sqlite": "PRAGMA cache_size = -400000",
    "postgresql": "SET LOCAL statement_timeout = 0",
}
# Rows that PostgreSQL has read in this transaction, from tables and by indexes.
VISITED = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"


def fill(tx, kind, first, last):
    """Copies the first incident, which is closed, with two lines of its timeline."""
    run = connection_of(tx).exec_driver_sql

    def copy(table, rows, **values):
        columns = run(f"SELECT * FROM {table} LIMIT 0").keys()
        chosen = ", ".join(values.get(name, f"its.{name}") for name in columns)
        numbers = NUMBERS[kind].format(first, last)
        run(f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {chosen} FROM {rows}")

    run(MAKE_ROOM[kind])
    number, id_ = "n.number", NEW_ID[kind]
    one = "incident its WHERE its.number = 1"
    copy("incident", f"n, {one}", number=number, id=id_.format(number))
    # Two lines each, the declaration and the end.
    last_two = "its.entry IN (1, 4)"
    ours = f"its.incident_id = (SELECT id FROM incident WHERE number = 1) AND {last_two}"
    line = "n.number * 10 + its.entry"
    copy(
        "incident_update",
        f"n, incident_update its WHERE {ours}",
        incident_id=id_.format(number),
        id=id_.format(line),
    )


class Meter:
    """How much a database does for a piece of work, which no busy machine changes.

    On SQLite the steps of its machine, on PostgreSQL the rows that are read.
    """

    def __init__(self, app, kind):
        self._store = app.store
        self._kind = kind
        self._count = itertools.count()

    def _now(self, tx):
        if self._kind == "postgresql":
            return int(connection_of(tx).exec_driver_sql(VISITED).scalar_one())
        return next(self._count)

    async def of(self, work):
        """The cost of ``work``, whose effects are undone."""

        def counted(tx):
            driver: Any = connection_of(tx).connection.driver_connection
            if self._kind == "sqlite":
                driver.set_progress_handler(lambda: next(self._count) and 0, 1)
            savepoint = connection_of(tx).begin_nested()
            before = self._now(tx)
            try:
                work(tx)
                return self._now(tx) - before
            finally:
                savepoint.rollback()
                if self._kind == "sqlite":
                    driver.set_progress_handler(None, 0)

        return await self._store.write(counted)


async def seconds(ask):
    """The median of many."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def works_of(app, actor, clock):
    """The everyday questions of people and worker to the database."""

    def board(tx):
        tx.board(actor, BoardFilter(scope=Scope.OPEN), before=None, after=None, limit=10)

    def everything(tx):
        tx.board(actor, BoardFilter(scope=Scope.ALL), before=None, after=None, limit=10)

    def page(tx):
        incident = tx.incident(actor.workspace, 2)
        tx.card(incident)
        PublicReader(connection_of(tx)).incident(actor.workspace, incident.id, at=clock())

    def timeline(tx):
        tx.timeline(tx.incident(actor.workspace, 2), before=None, limit=20)

    def change(tx):
        note = Change(actor=actor, ref=2, note=Note("still here"))
        app.incidents._perform(tx, note, clicked_at=None)  # noqa: SLF001 - in a transaction that can be counted

    def claim(tx):
        assert claims.claim(connection_of(tx), "worker", limit=10, at=clock())

    return (board, everything, page, timeline, change, claim)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_million_closed_incidents_cost_nothing(kind, ratchet, slack, clock, mia, figures):
    await tell(mia, "declare Over", "status 1 identified", "status 1 monitoring", "resolve 1")
    await tell(mia, "declare Checkout is down", "update 2 Cards are refused.")
    await settle(ratchet, clock)
    await tell(mia, "note 2 db-3 lost quorum")
    await ratchet.worker.stop()
    await tell(mia, "severity 2 high")
    actor = Actor(workspace=slack.workspace.team_id, person=Person("U0MIA", "mia"), channel="C0")
    meter = Meter(ratchet, kind)

    works = works_of(ratchet, actor, clock)

    async def costs():
        return [await meter.of(work) for work in works]

    async def paces():
        return [
            await seconds(lambda: ratchet.incidents.board(actor, BoardFilter(scope=Scope.OPEN))),
            await seconds(lambda: ratchet.incidents.timeline(actor, 2)),
            await seconds(
                lambda: ratchet.incidents.execute(
                    Change(actor=actor, ref=3, note=Note("still here"))
                )
            ),
        ]

    await tell(mia, "declare Search is slow")
    await ratchet.store.write(lambda tx: fill(tx, kind, FREE, FREE + FEW))
    await analysed(ratchet, kind)
    few, fast = await costs(), await paces()
    for first in range(FREE + FEW + 1, FREE + MILLION, 100_000):
        last = min(first + 99_999, FREE + MILLION)
        await ratchet.store.write(lambda tx, f=first, t=last: fill(tx, kind, f, t))
    await analysed(ratchet, kind)
    many, slow = await costs(), await paces()

    figures(f"{kind}, among {FEW:,} closed incidents and a million:")
    for work, before, after in zip(works, few, many, strict=True):
        figures(f"  {work.__name__}: {before:,} and {after:,}")
    for before, after in zip(fast, slow, strict=True):
        figures(f"  {before * 1_000:.2f} and {after * 1_000:.2f} ms")
    assert [
        work.__name__
        for work, before, after in zip(works, few, many, strict=True)
        if after > before * 1.2 + 20
    ] == []
    # Generous: indexes are deeper by a level or two, and machines are busy.
    assert all(b <= 3 * a + 0.01 for a, b in zip(fast, slow, strict=True))


async def analysed(app, kind):
    await app.store.write(lambda tx: connection_of(tx).exec_driver_sql("ANALYZE").close())
