"""The cost of a command does not grow with the number of closed incidents."""

from __future__ import annotations

import itertools

import pytest

from core.boards import BoardFilter, Scope
from core.incident import Actor, Person
from storage.public import PublicReader
from storage.snapshot import connection_of
from tests.promises.conftest import settle, tell

MANY = """
WITH RECURSIVE n(number) AS (SELECT 10 UNION ALL SELECT number + 1 FROM n WHERE number < {})
INSERT INTO incident SELECT {} FROM n, incident WHERE incident.number = 1
"""


@pytest.fixture
def steps(ratchet):
    """How many steps SQLite's machine takes for a work, which no busy machine changes."""

    async def steps(work):
        def counted(reader):
            count = itertools.count()
            driver = connection_of(reader).connection.driver_connection
            driver.set_progress_handler(lambda: next(count) and 0, 1)
            try:
                work(reader)
            finally:
                driver.set_progress_handler(None, 0)
            return next(count)

        return await ratchet.store.write(counted)

    return steps


async def closed_incidents(app, until):
    """Copies the first incident, which is closed, up to that number."""

    def copy(tx):
        columns = [
            row[1] for row in connection_of(tx).exec_driver_sql("PRAGMA table_info(incident)").all()
        ]
        values = {"number": "n.number", "id": "lower(hex(randomblob(16)))"}
        chosen = ", ".join(values.get(name, f"incident.{name}") for name in columns)
        connection_of(tx).exec_driver_sql(MANY.format(until, chosen))
        connection_of(tx).exec_driver_sql("ANALYZE")

    await app.store.write(copy)


async def test_20000_closed_incidents_cost_nothing(ratchet, steps, slack, clock, mia):
    await tell(mia, "declare Over", "resolve 1")
    await tell(mia, "declare Checkout is down", "update 2 Cards are refused.")
    await settle(ratchet, clock)
    actor = Actor(workspace=slack.workspace.team_id, person=Person("U0MIA", "mia"), channel="C0")

    def board(tx):
        tx.board(actor, BoardFilter(scope=Scope.OPEN), before=None, after=None, limit=10)

    def everything(tx):
        tx.board(actor, BoardFilter(scope=Scope.ALL), before=None, after=None, limit=10)

    def one(tx):
        incident = tx.incident(actor.workspace, 2)
        tx.card(incident)
        tx.timeline(incident, before=None, limit=20)
        PublicReader(connection_of(tx)).incident(actor.workspace, incident.id, at=clock())

    works = (board, everything, one)
    await closed_incidents(ratchet, 100)
    few = [await steps(work) for work in works]
    await ratchet.store.write(
        lambda tx: (
            connection_of(tx).exec_driver_sql("DELETE FROM incident WHERE number >= 10").close()
        )
    )
    await closed_incidents(ratchet, 20_000)
    many = [await steps(work) for work in works]

    assert all(after <= before * 1.2 + 100 for before, after in zip(few, many, strict=True))


LONG = """
WITH RECURSIVE n(entry) AS (SELECT 4 UNION ALL SELECT entry + 1 FROM n WHERE entry < {})
INSERT INTO incident_update SELECT {} FROM n, incident_update
WHERE incident_update.entry = 2 + n.entry % 2
"""


async def test_a_card_of_5000_entries_costs_what_one_of_three_costs(
    ratchet, steps, slack, clock, mia
):
    await tell(mia, "declare Checkout is down", "note 1 db-3 is slow", "update 1 We look at it.")
    await settle(ratchet, clock)
    team = slack.workspace.team_id

    def card(tx):
        tx.card(tx.incident(team, 1))

    def lengthen(tx):
        connection = connection_of(tx)
        table = connection.exec_driver_sql("PRAGMA table_info(incident_update)").all()
        values = {"entry": "n.entry", "id": "lower(hex(randomblob(16)))"}
        columns = [values.get(row[1], f"incident_update.{row[1]}") for row in table]
        connection.exec_driver_sql(LONG.format(5_000, ", ".join(columns)))
        connection.exec_driver_sql("UPDATE incident SET last_entry = 5000")
        connection.exec_driver_sql("ANALYZE")

    few = await steps(card)
    await ratchet.store.write(lengthen)

    assert await steps(card) <= few * 1.2
