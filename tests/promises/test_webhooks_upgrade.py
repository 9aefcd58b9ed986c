"""A database of before webhooks is upgraded, and older servers write into it meanwhile."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import MetaData

from bot.webhooks.signing import new_secret
from core.endpoints import Webhooks
from storage import audit
from tests.builders import an_actor, an_id
from tests.promises.conftest import serving, settle, tell
from tests.promises.test_upgrade import engine, migrate, noted_by_code_that
from tests.webhooks.receiver import a_receiver

BEFORE_WEBHOOKS = "0020"


def known_before(url, revision=BEFORE_WEBHOOKS):
    """The tables and columns of the version before webhooks, or of another; parents first."""
    migrate(url, revision)
    found = MetaData()
    found.reflect(engine(url))
    return {
        table.name: [column.name for column in table.columns]
        for table in found.sorted_tables
        if table.name not in {"alembic_version", "compatibility"}
    }


def moved(source, target, knows):
    """Copies what the version before knows into a database of that version."""
    with engine(source).connect() as old, engine(target).begin() as new:
        value = "?" if new.dialect.name == "sqlite" else "%s"
        for table, names in knows.items():
            listed = ", ".join(names)
            rows = [*map(tuple, old.exec_driver_sql(f"SELECT {listed} FROM {table}"))]
            values = ", ".join([value] * len(names))
            for row in rows:
                new.exec_driver_sql(f"INSERT INTO {table} ({listed}) VALUES ({values})", row)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_upgraded_database_gets_webhooks_and_sends_nothing_of_its_past(
    kind, database_url, empty_url, slack, clock, mia
):
    knows = known_before(empty_url)
    async with serving(slack, clock, database_url) as app:
        await tell(mia, "declare Checkout is down", "update 1 Cards are refused.")
        await settle(app, clock)
    moved(database_url, empty_url, knows)

    async with (
        a_receiver() as receiver,
        serving(slack, clock, empty_url, WEBHOOK_ALLOW_PRIVATE="yes") as app,
    ):
        assert await app.store.read(lambda reader: list(audit.findings(reader))) == []
        hooks = Webhooks(app.store, clock=clock)
        admin = an_actor(workspace=slack.workspace.team_id, admin=True)
        proposed = await hooks.propose(admin, an_id("hook"), receiver.url)
        await hooks.keep(admin, proposed, new_secret())
        clock.advance(minutes=1)
        # An older server knows no webhook: a change through it is told to none.
        noted_by_code_that(knows, empty_url, 1)
        await app.hook_worker.deliver_due()
        assert receiver.got == []

        clock.advance(minutes=1)
        await tell(mia, "update 1 A fix is out.")
        await settle(app, clock)
        await app.hook_worker.deliver_due()

        # The next event has what was missed.
        ((_, _, body),) = receiver.got
        shown = json.loads(body)["incident"]["incident_updates"]
        assert [one["body"] for one in shown] == [
            "A fix is out.",
            "written again",
            "Cards are refused.",
            "Status changed to Investigating.",
        ]
