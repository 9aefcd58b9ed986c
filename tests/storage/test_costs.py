"""Frequent reads use an index, so closed incidents cost them nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import CacheStats

from core.boards import BoardFilter, Scope
from core.commands import Redact
from core.incident import Note, PublicText, Severity
from storage.public import PublicReader
from storage.snapshot import connection_of
from tests.builders import NINE, WORKSPACE, a_change, an_actor, an_id

LOOKS = {
    "open": lambda reader: board(reader, BoardFilter()),
    "open, another page": lambda reader: board(reader, BoardFilter(), before=7),
    "open, back again": lambda reader: board(reader, BoardFilter(), after=7),
    "mine": lambda reader: board(reader, BoardFilter(scope=Scope.MINE)),
    "here": lambda reader: board(reader, BoardFilter(channel="C1")),
    "all": lambda reader: board(reader, BoardFilter(scope=Scope.ALL)),
    "all of a status": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, status="identified")
    ),
    "all of a severity": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, severity=Severity.LOW)
    ),
    "tray": lambda reader: reader.open_in_channel(WORKSPACE, "C1"),
    "by number": lambda reader: reader.incident(WORKSPACE, 1),
    "by id": lambda reader: reader.incident(WORKSPACE, an_id(1)),
    "card": lambda reader: reader.card(reader.incident(WORKSPACE, 1)),
    "timeline": lambda reader: reader.timeline(
        reader.incident(WORKSPACE, 1), before=None, limit=10
    ),
    "sections": lambda reader: reader.sections(reader.incident(WORKSPACE, 1)),
    "declared in a month": lambda reader: declared(reader, an_actor()),
    "histories": lambda reader: reader.histories(WORKSPACE, [an_id(1)]),
    "status page": lambda reader: public(reader).open_incidents(WORKSPACE, at=NINE),
    "history": lambda reader: public(reader).recent_incidents(WORKSPACE, at=NINE),
}


def public(reader):
    return PublicReader(connection_of(reader))


def declared(reader, actor):
    month = {"since": NINE - timedelta(days=30), "until": NINE + timedelta(days=1)}
    return reader.declared(actor, **month)


def board(reader, narrowed, *, before=None, after=None):
    return reader.board(an_actor(), narrowed, before=before, after=after, limit=10)


@pytest.fixture
def plan(rows, on_statement):
    """The lines of SQLite's plans for all statements of a function."""

    async def plan(asking):
        statements = []
        on_statement(statements.append)
        await asking()
        return [
            row[-1]
            for statement in statements
            if statement.startswith(("SELECT", "UPDATE", "INSERT"))
            for row in rows(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?"))
        ]

    return plan


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("look", LOOKS)
async def test_no_read_scans_all_incidents(look, store, declare, plan):
    await declare(components=("api",))

    lines = await plan(lambda: store.read(LOOKS[look]))

    assert lines
    assert [line for line in lines if line.startswith("SCAN")] == []


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("look", ["open", "mine", "here", "tray", "status page"])
async def test_boards_of_open_incidents_do_not_scan_closed_ones(look, store, declare, plan):
    await declare()

    first, *_ = await plan(lambda: store.read(LOOKS[look]))

    assert "ix_incident_open" in first


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("actor", [an_actor(), an_actor(admin=True)], ids=["member", "admin"])
async def test_a_period_is_found_without_a_scan_of_older_incidents(actor, store, declare, plan):
    await declare()

    first, *_ = await plan(lambda: store.read(lambda reader: declared(reader, actor)))

    assert "ix_incident_workspace_id_created_at" in first
    assert "created_at>? AND created_at<?" in first


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_no_step_of_the_outbox_scans_delivered_messages(outbox, declare, incidents, plan):
    await declare()

    async def deliver():
        await incidents.execute(a_change(ref=1, to="identified", note=Note("x")))
        message, other = await outbox.claim("w1", limit=5, at=NINE)
        await outbox.facts(message)
        await outbox.later(message, until=NINE, error="ratelimited")
        await outbox.dead(other, error="is_archived", at=NINE)
        await outbox.rescue(claimed_before=NINE, at=NINE, until=NINE)
        await outbox.retry_dead(at=NINE)
        await outbox.depth(at=NINE)
        await outbox.next_due()

    lines = await plan(deliver)

    # A scan of waiting messages is allowed: they are few, and have indexes of their own.
    assert [line for line in lines if re.match("SCAN (outbox|other|ahead)$", line)] == []


async def test_each_statement_is_compiled_once(declare, incidents, store, outbox, clock):
    """A statement that SQLAlchemy cannot cache is compiled on each run, at more than its cost."""
    anew = []

    def look(_connection, _cursor, statement, _parameters, context, _many):
        if context.compiled and context.cache_hit is not CacheStats.CACHE_HIT:
            anew.append(statement)

    async def everything():
        number = (await declare(components=("api", "web"))).number
        change = a_change(ref=number, public=PublicText("x"), note=Note("x"), title=f"{number}")
        await incidents.execute(replace(change, to="identified"))
        await incidents.execute(Redact(actor=an_actor(), ref=number, entry=2))
        for message in await outbox.claim("w1", limit=9, at=clock.advance(seconds=9)):
            await outbox.facts(message)
            await outbox.delivered(message, at=clock(), posted=("C1", "1.0"))
        for ask in LOOKS.values():
            await store.read(ask)

    await everything()
    event.listen(Engine, "before_cursor_execute", look)
    try:
        await everything()
    finally:
        event.remove(Engine, "before_cursor_execute", look)

    assert anew == []
