"""Frequent reads use an index, so closed incidents cost them nothing."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import CacheStats

from core.boards import BoardFilter, Scope
from core.commands import Acknowledge, Redact, SetPrivacy
from core.endpoints import Webhooks
from core.incident import Note, PublicText, Severity
from core.page import PageSettings
from core.ranking import Rank
from core.service import Incidents
from core.store import OwnerName
from storage import boards, models
from storage.public import PublicReader
from storage.snapshot import connection_of
from tests.builders import NINE, WORKSPACE, a_change, a_declaration, an_actor, an_id

LOOKS = {
    "open": lambda reader: ranking(reader, BoardFilter()),
    "open, another page": lambda reader: ranking(
        reader, BoardFilter(), before=Rank(Severity.HIGH, 7)
    ),
    "open, back again": lambda reader: ranking(reader, BoardFilter(), after=Rank(Severity.HIGH, 7)),
    "open of a severity": lambda reader: ranking(reader, BoardFilter(severity=Severity.HIGH)),
    "open of a status": lambda reader: ranking(reader, BoardFilter(status="identified")),
    "mine": lambda reader: ranking(reader, BoardFilter(scope=Scope.MINE)),
    "all": lambda reader: ranking(reader, BoardFilter(scope=Scope.ALL)),
    "all, another page": lambda reader: ranking(
        reader, BoardFilter(scope=Scope.ALL), before=Rank(Severity.HIGH, 7, ended=True)
    ),
    "all, back again": lambda reader: ranking(
        reader, BoardFilter(scope=Scope.ALL), after=Rank(Severity.HIGH, 7, ended=True)
    ),
    "all of a status": lambda reader: ranking(
        reader, BoardFilter(scope=Scope.ALL, status="identified")
    ),
    "all of a severity": lambda reader: ranking(
        reader, BoardFilter(scope=Scope.ALL, severity=Severity.LOW)
    ),
    "tray": lambda reader: reader.open_in_channel(WORKSPACE, "C1"),
    "newest": lambda reader: board(reader, BoardFilter(scope=Scope.ALL)),
    "newest, another page": lambda reader: board(reader, BoardFilter(scope=Scope.ALL), before=7),
    "newest, back again": lambda reader: board(reader, BoardFilter(scope=Scope.ALL), after=7),
    "newest of a status": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, status="identified")
    ),
    "newest of a severity": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, severity=Severity.LOW)
    ),
    "newest of both": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, status="identified", severity=Severity.LOW)
    ),
    "newest since": lambda reader: board(reader, BoardFilter(scope=Scope.ALL, since=NINE)),
    "newest until": lambda reader: board(reader, BoardFilter(scope=Scope.ALL, until=NINE)),
    "newest of a day": lambda reader: board(
        reader, BoardFilter(scope=Scope.ALL, status="resolved", since=NINE, until=NINE)
    ),
    "tray of an own channel": lambda reader: reader.incident_of_channel(WORKSPACE, "C1"),
    "channels that are due": lambda reader: reader.due_channels(at=NINE, limit=10),
    "by number": lambda reader: reader.incident(WORKSPACE, 1),
    "by id": lambda reader: reader.incident(WORKSPACE, an_id(1)),
    "card": lambda reader: reader.card(reader.incident(WORKSPACE, 1)),
    "timeline": lambda reader: reader.timeline(
        reader.incident(WORKSPACE, 1), before=None, limit=10
    ),
    "owners": lambda reader: reader.owners(after=OwnerName(WORKSPACE, "U0ADA"), limit=10),
    "owned by one who left": lambda reader: reader.owned(OwnerName(WORKSPACE, "U0ADA"), left=True),
    "owned by one who is back": lambda reader: reader.owned(
        OwnerName(WORKSPACE, "U0ADA"), left=False
    ),
    "texts for the leak guard": lambda reader: reader.texts(reader.incident(WORKSPACE, 1)),
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


def ranking(reader, narrowed, *, before=None, after=None):
    return reader.ranking(an_actor(), narrowed, before=before, after=after, limit=10)


# A list reads no row in vain for one of these: its index has them, in this order.
INDEXED = re.compile(r"\b(status|severity|kind|number|entry|created_at >|created_at <)")
# These sort, or choose among the entries of the few incidents that they show.
OF_OPEN = re.compile("ix_incident_(open|mine|open_severity|open_in_channel) ")
CHOOSING = {"status page", "history", "sections", "histories"}
GROWING = {"incident", "incident_update", "own_channel"}
# On PostgreSQL the planner reads a small table whole, unless it is told not to.
LARGE = ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort")


@pytest.fixture
async def explained(store):
    """PostgreSQL's plans for the statements of a read, whatever their values, as lists of nodes."""

    async def explained(look):
        asked = []

        def listener(_connection, _cursor, statement, _parameters, _context, _many):
            places = itertools.count(1)
            asked.append(re.sub(r"%\(\w+\)s", lambda _: f"${next(places)}", statement))

        def read(reader):
            connection = connection_of(reader)
            event.listen(connection, "before_cursor_execute", listener)
            look(reader)
            event.remove(connection, "before_cursor_execute", listener)
            for name in LARGE:
                connection.exec_driver_sql(f"SET LOCAL {name} = off")
            return [
                node
                for statement in asked
                for node in nodes(
                    connection.exec_driver_sql(
                        f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {statement}"
                    ).scalar_one()[0]["Plan"]
                )
            ]

        return await store.read(read)

    return explained


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("look", [look for look in LOOKS if look not in CHOOSING])
async def test_postgresql_reads_no_growing_table_in_vain(look, declare, explained):
    await declare(components=("api",))

    plan = await explained(LOOKS[look])
    growing = [node for node in plan if node.get("Relation Name") in GROWING]
    scans = [node for node in growing if "Index" not in node["Node Type"]]
    read_in_vain = [node for node in growing if INDEXED.search(node.get("Filter", ""))]

    assert growing
    assert (scans, read_in_vain) == ([], [])
    assert [node for node in plan if "Sort" in node["Node Type"]] == []


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_postgresql_plans_no_prepared_statement_anew(store, declare):
    await declare(components=("api",))

    def plans(reader):
        for _ in range(12):  # psycopg prepares a statement when it comes for the sixth time
            LOOKS["open"](reader)
        statement = "SELECT custom_plans, generic_plans FROM pg_prepared_statements"
        return connection_of(reader).exec_driver_sql(statement).all()

    made = await store.read(plans)

    assert made
    assert [one.custom_plans for one in made] == [0] * len(made)
    assert all(one.generic_plans for one in made)


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
    # `anon_1` is the page of one severity, which a statement joins with the others.
    scanned = [line for line in lines if line.startswith("SCAN")]
    assert [line for line in scanned if not re.match("SCAN anon_[0-9]+$", line)] == []


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("look", ["open", "mine", "tray", "status page"])
async def test_boards_of_open_incidents_do_not_read_closed_ones(look, store, declare, plan):
    await declare()

    lines = await plan(lambda: store.read(LOOKS[look]))
    of_incidents = [line for line in lines if line.startswith("SEARCH incident USING")]

    assert of_incidents
    assert [line for line in of_incidents if not OF_OPEN.search(line)] == []


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_page_of_open_incidents_reads_no_ended_one(declare, store, plan):
    """Ended ones are read with the open ones between them, so only where a page needs them."""
    for _ in range(11):
        await declare()
    every = BoardFilter(scope=Scope.ALL)

    def page(reader):
        return boards.worst(
            connection_of(reader), an_actor(), every, key=None, worse=False, limit=11
        )

    lines = await plan(lambda: store.read(page))
    of_incidents = [line for line in lines if line.startswith("SEARCH incident USING")]

    assert of_incidents
    assert [line for line in of_incidents if not OF_OPEN.search(line)] == []


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("look", [look for look in LOOKS if look not in CHOOSING])
async def test_sqlite_sorts_no_list(look, store, declare, plan):
    await declare()

    lines = await plan(lambda: store.read(LOOKS[look]))

    assert [line for line in lines if "ORDER BY" in line and "incident_component" not in line] == []


def test_a_step_writes_no_index_that_grows_with_closed_incidents():
    """An open incident is in no index of closed ones, before and after its step."""
    written = {"status", "public_word", "updated_at", "version", "last_entry"}
    indexes = [one for one in models.incident.indexes if written & set(one.columns.keys())]

    assert {one.name for one in indexes} == {"ix_incident_open_status", "ix_incident_closed_status"}
    assert all(one.dialect_options["sqlite"]["where"] is not None for one in indexes)


# The reads of a card: its newest entry that is shown, and the moments of its moves. Notes, of which
# a long timeline mostly consists, are in neither index.
OF_CARDS = {"ix_incident_update_on_card", "ix_incident_update_move"}


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_sqlite_reads_a_card_without_its_notes(store, declare, plan):
    await declare()

    lines = await plan(lambda: store.read(LOOKS["card"]))
    found = [line for line in lines if "incident_update" in line]

    assert {re.findall("ix_[a-z_]+", line)[0] for line in found} == OF_CARDS


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_postgresql_reads_a_card_without_its_notes(store, declare, explained):
    await declare()

    plan = await explained(LOOKS["card"])
    found = [node for node in plan if node.get("Relation Name") == "incident_update"]

    assert {node["Index Name"] for node in found} == OF_CARDS


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("actor", [an_actor(), an_actor(admin=True)], ids=["member", "admin"])
async def test_a_period_is_found_without_a_scan_of_older_incidents(actor, store, declare, plan):
    await declare()

    first, *_ = await plan(lambda: store.read(lambda reader: declared(reader, actor)))

    assert "ix_incident_created" in first
    assert "created_at>? AND created_at<?" in first


# The incidents of the status page: each part reads a range of an index of its own.
OF_THE_PAGE = {"ix_incident_open", "ix_incident_over", "ix_incident_created", "ix_incident_ended"}


def of_page(reader):
    return public(reader).page_facts(WORKSPACE, at=NINE)


@pytest.fixture
async def a_page(store):
    settings = PageSettings(workspace=WORKSPACE, slug="acme", title="Acme", published_at=NINE)
    await store.write(lambda tx: tx.publish_page(settings, at=NINE))


@pytest.mark.usefixtures("a_page")
@pytest.mark.parametrize("kind", ["sqlite"])
async def test_sqlite_finds_the_incidents_of_the_page_by_indexes(store, declare, plan):
    await declare()

    lines = await plan(lambda: store.read(of_page))
    by = [re.findall(r"ix_incident_[a-z]+", line) for line in lines if "incident USING" in line]

    assert {name for names in by for name in names} >= OF_THE_PAGE
    assert [line for line in lines if line.startswith("SCAN incident")] == []


@pytest.mark.usefixtures("a_page")
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_postgresql_finds_the_incidents_of_the_page_by_indexes(declare, explained):
    await declare()

    plan = await explained(of_page)
    growing = [node for node in plan if node.get("Relation Name") == "incident"]
    by = {node["Index Name"] for node in growing if "Index Name" in node}

    # For the open ones any index will do, while there are so few.
    assert by >= OF_THE_PAGE - {"ix_incident_open"}
    assert [node for node in growing if "Index" not in node["Node Type"]] == []


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


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_no_change_scans_sent_messages(store, clock, plan):
    hooks, admin = Webhooks(store, clock=clock), an_actor(admin=True)
    proposed = await hooks.propose(admin, an_id("hook"), "https://example.com/hooks")
    await hooks.keep(admin, proposed, "whsec_first")
    held = Incidents(store, clock=clock, wake=lambda: None, publish_delay=timedelta(seconds=10))

    async def change():
        await held.execute(a_declaration())
        await held.execute(a_change(ref=1, to="identified", public=PublicText("x")))
        await held.execute(Redact(actor=an_actor(), ref=1, entry=2))
        await held.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))
        await held.execute(Acknowledge(actor=an_actor(), ref=1))

    lines = await plan(change)

    assert any("webhook_message" in line for line in lines)
    assert any("ix_outbox_telling" in line for line in lines)
    assert [line for line in lines if re.match("SCAN (outbox|webhook_message)$", line)] == []


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
