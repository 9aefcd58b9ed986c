"""Writes: whole or not at all, by one of many rivals, and answered after the commit."""

import asyncio
import itertools
import sqlite3
import threading

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from core.commands import Acknowledge, Declare, Redact
from core.decision import ForChange
from core.engine import decide
from core.incident import Note, Place, PublicText
from core.lifecycle import RESPONSE, STATUSPAGE, read
from core.refusals import StaleStatus
from core.service import Incidents
from core.settings import Setting
from core.store import StoreUnavailable
from storage.snapshot import connection_of
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
    set_status_channel,
)
from tests.patience import PATIENCE_SECONDS

SECRET = "vermilion-canary"

LATER = Declare(
    actor=an_actor(),
    id=an_id("later"),
    title="Search is slow",
    lifecycle=RESPONSE,
    components=("api", "search"),
    owner=GRACE,
    description=SECRET,
    place=Place("C0INCIDENTS"),
)

# Commands that together run every statement of a change.
CHANGES = {
    "declare": LATER,
    "move with both texts": a_change(
        ref=1, to="identified", public=PublicText("We know."), note=Note(SECRET)
    ),
    "facts": a_change(ref=1, title="Checkout", components=("web", "+billing"), owner=LINUS),
    "acknowledge": Acknowledge(actor=an_actor(GRACE), ref=1),
    "redact": Redact(actor=an_actor(), ref=1, entry=2),
}


async def at_once(*works):
    """The results or errors of all ``works``, run concurrently."""
    return await asyncio.gather(*works, return_exceptions=True)


@pytest.fixture
async def noted(declare, incidents):
    """INC-1 with two components and a note, as entry 2."""
    await declare(components=("api", "web"))
    await incidents.execute(a_change(ref=1, note=Note(SECRET)))


async def test_a_saved_incident_comes_back_unchanged(incidents, store):
    outcome = await incidents.execute(LATER)

    back = await store.read(lambda reader: reader.incident(WORKSPACE, LATER.id))
    assert back == outcome.incident
    assert (back.owner.name, back.description, back.lifecycle) == ("Grace", SECRET, RESPONSE)
    assert [component.name for component in back.components] == ["api", "search"]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_saved_change_comes_back_unchanged(change, noted, incidents, store):
    outcome = await incidents.execute(CHANGES[change])

    incident = outcome.incident
    back = await store.read(lambda reader: reader.incident(WORKSPACE, incident.id))
    assert back == incident
    page = await store.read(lambda reader: reader.timeline(incident, before=None, limit=50))
    assert page.items[len(page.items) - len(outcome.updates) :] == outcome.updates
    if outcome.redacted:
        assert page.items[outcome.redacted.entry - 1] == outcome.redacted


class Injected(sqlite3.OperationalError):
    """An error of a database, which SQLAlchemy wraps like one of the driver's."""


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_that_fails_at_any_statement_leaves_nothing(
    change, noted, incidents, contents, on_statement
):
    """Each statement in turn fails, then the commit, until all go through."""
    before = contents()
    fails_at, seen = [0], [0]

    def fail(statement):
        # These statements neither write nor commit.
        if statement.startswith(("BEGIN", "ROLLBACK", "SAVEPOINT", "PRAGMA", "SET ")):
            return
        seen[0] += 1
        if seen[0] == fails_at[0]:
            raise RuntimeError("the database failed")

    on_statement(fail)
    for fails_at[0] in itertools.count(1):
        seen[0] = 0
        try:
            await incidents.execute(CHANGES[change])
        except (RuntimeError, StoreUnavailable):
            seen[0] = -1_000_000
            assert contents() == before
        else:
            seen[0] = -1_000_000
            break

    assert fails_at[0] > 5
    assert contents() != before


async def test_a_failed_commit_is_reported_and_leaves_nothing(
    kind, noted, incidents, contents, on_statement
):
    before = contents()

    def fail(*_):
        raise RuntimeError("the disk is gone")

    if kind == "sqlite":
        on_statement(lambda statement: fail() if statement == "COMMIT" else None)
    else:
        event.listen(Engine, "commit", fail)
    try:
        with pytest.raises(RuntimeError, match="the disk is gone"):
            await incidents.execute(CHANGES["facts"])
    finally:
        if kind == "postgresql":
            event.remove(Engine, "commit", fail)

    assert contents() == before


@pytest.mark.parametrize("kind", ["sqlite"])
class TestTogether:
    """SQLite: works that wait for the writer are committed together."""

    @pytest.fixture
    def held(self, store):
        """Holds the writer back until it is released, so that later works wait together."""
        go = threading.Event()
        started = threading.Event()

        async def held():
            def wait(_tx):
                started.set()
                go.wait(PATIENCE_SECONDS)

            first = store.write(wait)
            await asyncio.to_thread(started.wait, PATIENCE_SECONDS)
            return first, go

        return held

    async def test_many_changes_are_one_commit(self, held, declare, on_statement):
        said = []
        on_statement(said.append)
        first, go = await held()
        declared = [asyncio.ensure_future(declare()) for _ in range(20)]
        await asyncio.sleep(0)
        go.set()
        await first
        numbers = sorted([(await one).number for one in declared])

        assert numbers == list(range(1, 21))
        assert said.count("COMMIT") == 2

    async def test_a_failing_work_does_not_affect_the_others(self, held, store, rows):
        def add(name):
            return lambda tx: set_status_channel(tx, name, "C1").id

        def fail(tx):
            set_status_channel(tx, "T0BAD", "C1")
            raise StopIteration

        first, go = await held()
        works = [add("T1"), fail, add("T2"), fail, add("T3")]
        waiting = [store.write(work) for work in works]
        go.set()
        outcomes = await at_once(first, *waiting)

        assert [repr(one) for one in outcomes[1:]] == [
            "'T1'",
            "RuntimeError('the work ran out of items')",
            "'T2'",
            "RuntimeError('the work ran out of items')",
            "'T3'",
        ]
        assert rows("SELECT id FROM workspace ORDER BY id") == [("T1",), ("T2",), ("T3",)]

    async def test_a_failed_commit_fails_all_of_them(self, held, store, rows, on_statement):
        first, go = await held()
        waiting = [
            store.write(lambda tx, name=name: set_status_channel(tx, name, "C1").id)
            for name in ("T1", "T2", "T3")
        ]

        def fail(statement):
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")

        on_statement(fail)
        go.set()
        outcomes = await at_once(first, *waiting)

        assert {type(one) for one in outcomes} == {StoreUnavailable}
        assert rows("SELECT id FROM workspace") == []

    async def test_a_full_disk_keeps_none_of_them_and_is_reported(self, store):
        def fill(tx):
            connection_of(tx).exec_driver_sql("PRAGMA max_page_count = 1")
            connection_of(tx).exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(100000) AS b")

        with pytest.raises(StoreUnavailable, match="full"):
            await store.write(fill)
        assert await store.write(lambda tx: set_status_channel(tx, "T1", "C1").id) == "T1"

    async def test_a_write_waits_for_another_process(self, store, url):
        path = url.removeprefix("sqlite:///")
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        waiting = store.write(lambda tx: set_status_channel(tx, "T1", "C1").id)
        reading = await store.read(lambda reader: reader.workspace("T1").status_channel)
        other.execute("COMMIT")
        other.close()

        assert reading == STATUS_CHANNEL
        assert await waiting == "T1"

    async def test_a_refused_transition_among_many_is_the_only_one_that_fails(
        self, held, declare, incidents
    ):
        for _ in range(3):
            await declare()
        first, go = await held()
        steps = ("identified", "resolved", "identified")
        moves = [a_change(ref=ref, to=to) for ref, to in enumerate(steps, start=1)]
        waiting = [asyncio.ensure_future(incidents.execute(move)) for move in moves]
        await asyncio.sleep(0)
        go.set()
        outcomes = await at_once(first, *waiting)

        assert [type(one).__name__ for one in outcomes[1:]] == [
            "Outcome",
            "TransitionNotAllowed",
            "Outcome",
        ]


@pytest.mark.parametrize("clients", [2, 5, 16])
async def test_one_of_many_concurrent_transitions_wins(clients, opened, clock, declare):
    """Two stores share the clients, as two processes on PostgreSQL do."""
    await declare()
    two = [opened(status_channel=STATUS_CHANNEL) for _ in range(2)]
    services = [Incidents(store, clock=clock, wake=lambda: None) for store in two]
    status = STATUSPAGE.initial
    while steps := STATUSPAGE.next_steps(status):
        move = a_change(ref=1, to=steps[0], expected_status=status)
        outcomes = await at_once(*(services[n % 2].execute(move) for n in range(clients)))
        won = [one for one in outcomes if not isinstance(one, Exception)]
        assert len(won) == 1
        assert {type(one) for one in outcomes if one not in won} == {StaleStatus}
        status = steps[0]

    incident, page = await two[0].read(
        lambda reader: (
            found := reader.incident(WORKSPACE, 1),
            reader.timeline(found, before=None, limit=50),
        )
    )
    moves = [update.status_change for update in page.items if update.status_change]
    assert (incident.status, incident.version) == ("resolved", 4)
    assert [update.entry for update in page.items] == [1, 2, 3, 4]
    assert tuple(moves[1:]) == STATUSPAGE.path(moves[0], "resolved")


async def test_numbers_have_no_gaps_after_refusals_and_concurrent_declarations(opened, clock):
    services = [Incidents(opened(), clock=clock, wake=lambda: None) for _ in range(2)]
    guest = {"title": " "}
    outcomes = await at_once(
        *(
            services[n % 2].execute(
                a_declaration(
                    id=an_id(n),
                    actor=an_actor(workspace=f"T{n % 3}"),
                    **(guest if n % 4 == 0 else {}),
                )
            )
            for n in range(60)
        )
    )

    declared = [one.incident for one in outcomes if not isinstance(one, Exception)]
    assert len(declared) == 45
    for workspace in ("T0", "T1", "T2"):
        numbers = sorted(one.number for one in declared if one.workspace == workspace)
        assert numbers == list(range(1, 16))


async def test_a_concurrent_change_of_a_row_is_never_overwritten(store, declare, rows):
    """The compare-and-set detects a change even without a lock, and the work runs again."""
    await declare()
    runs = []

    def save(tx):
        incident = tx.incident(WORKSPACE, 1)
        runs.append(incident.version)
        if len(runs) == 1:
            # The change of another process.
            connection_of(tx).exec_driver_sql("UPDATE incident SET version = 7")
        known = ForChange(workspace=tx.workspace(WORKSPACE))
        tx.save(decide(incident, a_change(ref=1, note=Note("x")), known, at=NINE))

    if store.kind == "sqlite":
        with pytest.raises(StoreUnavailable, match="changed by others"):
            await store.write(save)
        assert rows("SELECT version FROM incident") == [(1,)]
    else:
        await store.write(save)
        assert runs == [1, 1]
        assert rows("SELECT version FROM incident") == [(2,)]


@pytest.mark.parametrize("kind", ["postgresql"])
class TestConnections:
    """PostgreSQL: a broken connection is replaced, unless it broke in the commit."""

    def cut(self, url, *, but=0):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid != pg_backend_pid() AND pid != %s",
                (but,),
            )

    async def test_broken_connections_in_the_pool_are_replaced(self, url, store, declare):
        await declare()
        self.cut(url)

        assert (await declare()).number == 2
        assert await store.read(lambda reader: reader.incident(WORKSPACE, 2))

    async def test_work_runs_again_if_its_connection_breaks_before_the_commit(
        self, url, store, rows
    ):
        runs = []

        def work(tx):
            set_status_channel(tx, f"T{len(runs)}", "C1")
            runs.append(1)
            if len(runs) == 1:
                self.cut(url)
            return tx.next_number("T0NEXT")

        assert await store.write(work) == 1
        assert rows("SELECT id FROM workspace ORDER BY id") == [("T0NEXT",), ("T1",)]

    async def test_a_connection_lost_in_the_commit_is_reported_as_unsure(self, url, store):
        def break_it(_connection):
            self.cut(url)

        def work(tx):
            event.listen(connection_of(tx), "commit", break_it)
            return tx.next_number("T1")

        with pytest.raises(StoreUnavailable) as raised:
            await store.write(work)

        assert raised.value.unsure

    async def test_both_transactions_of_a_deadlock_are_served(self, opened):
        meet = threading.Barrier(2)
        tries = []

        def crosswise(first, second):
            def work(tx):
                set_status_channel(tx, first, "C1")
                tries.append(first)
                if len(tries) <= 2:
                    meet.wait(PATIENCE_SECONDS)
                set_status_channel(tx, second, "C2")
                return first

            return work

        store = opened()
        await store.write(lambda tx: [set_status_channel(tx, t, "C0").id for t in ("T1", "T2")])
        results = await at_once(
            store.write(crosswise("T1", "T2")), store.write(crosswise("T2", "T1"))
        )

        assert results == ["T1", "T2"]
        # The victim runs again, and once more where it takes its first lock too early.
        assert len(tries) >= 3


async def test_no_note_is_in_an_error_of_the_database(store, noted, incidents):
    """The database quotes the refused row in its error, and SQLAlchemy the parameters."""

    def refused(tx):
        connection_of(tx).exec_driver_sql(
            "UPDATE incident_update SET id = NULL WHERE body LIKE '%canary%'"
        )

    with pytest.raises(StoreUnavailable) as raised:
        await store.write(refused)

    seen: BaseException | None = raised.value
    while seen:
        assert SECRET not in repr(seen)
        assert not isinstance(seen, DBAPIError)
        seen = seen.__cause__ or seen.__context__


async def test_a_closed_store_finishes_its_work_and_refuses_new_work(opened, url):
    store = opened()
    given = [store.write(lambda tx: tx.next_number("T1")) for _ in range(50)]
    await asyncio.to_thread(store.close)

    assert sorted(await asyncio.gather(*given)) == list(range(1, 51))
    with pytest.raises(StoreUnavailable, match="closed"):
        store.write(lambda tx: tx.next_number("T1"))
    store.close()


async def test_a_read_sees_one_moment(store, declare, incidents):
    await declare()

    def look(reader):
        before = reader.incident(WORKSPACE, 1).status
        store.write_now(_moved)
        return before, reader.incident(WORKSPACE, 1).status

    def _moved(tx):
        incident = tx.incident(WORKSPACE, 1)
        known = ForChange(workspace=tx.workspace(WORKSPACE))
        tx.save(decide(incident, a_change(ref=1, to="identified"), known, at=NINE))

    assert await store.read(look) == ("investigating", "investigating")
    after = await store.read(lambda reader: reader.incident(WORKSPACE, 1).status)
    assert after == "identified"


async def test_reads_that_follow_each_other_share_a_thread_and_those_at_once_have_their_own(store):
    one_after_another = {await store.read(lambda _: threading.get_ident()) for _ in range(5)}
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)
    at_once = await asyncio.gather(*(store.read(lambda _: together.wait()) for _ in range(4)))

    assert len(one_after_another) == 1
    assert sorted(at_once) == [0, 1, 2, 3]


async def test_a_reader_cannot_write(store):
    with pytest.raises(StoreUnavailable, match=r"(?i)read.?only"):
        await store.read(
            lambda reader: connection_of(reader).exec_driver_sql(
                "INSERT INTO workspace (id, last_number) VALUES ('T1', 0)"
            )
        )


async def test_an_incident_keeps_the_lifecycle_of_its_declaration(opened, store, declare):
    """After an edit of the lifecycle's file open incidents keep the old lifecycle."""
    old = "[mine.a]\ninitial = true\nnext = ['b']\npublic = 'investigating'\n"
    end = "[mine.{0}]\nterminal = true\npublic = 'resolved'\n"
    (before,) = read(old + end.format("b"))
    (after,) = read(old.replace("'b'", "'c'") + end.format("c"))
    await declare(lifecycle=before)
    await declare(lifecycle=after)
    await declare(lifecycle=before)

    def lifecycles(reader):
        return [reader.incident(WORKSPACE, number).lifecycle for number in (1, 2, 3)]

    assert await store.read(lifecycles) == [before, after, before]
    assert await opened().read(lifecycles) == [before, after, before]


async def test_a_workspace_without_a_status_channel_has_that_of_the_settings(opened):
    store = opened(status_channel="C0SETTINGS")

    async def channel():
        return await store.read(lambda reader: reader.workspace("T1").status_channel)

    channels = [await channel()]
    for chosen in ("C0CHOSEN", None):
        await store.write(lambda tx, chosen=chosen: set_status_channel(tx, "T1", chosen).id)
        channels.append(await channel())

    assert channels == ["C0SETTINGS", "C0CHOSEN", "C0SETTINGS"]
    assert await store.write(lambda tx: tx.next_number("T1")) == 1


async def test_a_handled_request_is_remembered_until_it_is_forgotten(store, clock):
    at, incident = clock(), an_id("one")
    await store.write(lambda tx: tx.mark_handled(WORKSPACE, "one", incident, at=at))

    assert await store.write(lambda tx: tx.handled(WORKSPACE, "one")) == incident
    assert await store.write(lambda tx: tx.handled("T0OTHER", "one")) is None
    assert await store.write(lambda tx: tx.forget_handled(before=at)) == 0
    assert await store.write(lambda tx: tx.forget_handled(before=clock.advance(seconds=1))) == 1
    assert await store.write(lambda tx: tx.handled(WORKSPACE, "one")) is None


async def test_a_request_that_another_process_handled_first_is_found_by_the_rerun(opened, clock):
    runs = []

    def work(tx):
        runs.append(tx.handled(WORKSPACE, "one"))
        if runs[-1] is None:
            tx.mark_handled(WORKSPACE, "one", an_id("one"), at=clock())
        return runs[-1]

    first, second = opened(), opened()
    outcomes = await at_once(first.write(work), second.write(work))

    assert sorted(outcomes, key=repr) == sorted([None, an_id("one")], key=repr)


async def test_probes_leave_one_row(store, clock, rows):
    for _ in range(3):
        await store.write(lambda tx: tx.probe(at=clock.advance(seconds=1)))

    assert len(rows("SELECT * FROM handled")) == 1


async def test_a_setting_is_in_force_in_every_process_at_once(opened):
    one, other = opened(), opened()

    async def severity(store):
        found = await store.read(lambda reader: reader.workspace("T1"))
        return found.settings.default_severity, found.version

    assert await severity(other) == ("medium", 0)
    for version, text in enumerate(["low", "critical", None], start=1):
        changes = {Setting.DEFAULT_SEVERITY: text}
        await one.write(lambda tx, c=changes: tx.save_settings("T1", c, seen=None, by=ADA, at=NINE))
        assert await severity(other) == (text or "medium", version)


async def test_a_setting_that_is_rolled_back_is_in_force_nowhere(store):
    def work(tx):
        changed = tx.save_settings("T1", {Setting.DEFAULT_SEVERITY: "low"}, seen=0, by=ADA, at=NINE)
        assert changed.settings.default_severity == tx.workspace("T1").settings.default_severity
        raise EndOfTest

    with pytest.raises(EndOfTest):
        await store.write(work)
    changes = {Setting.DEFAULT_SEVERITY: "high"}
    await store.write(lambda tx: tx.save_settings("T1", changes, seen=0, by=ADA, at=NINE))

    found = await store.read(lambda reader: reader.workspace("T1"))
    assert (found.settings.default_severity, found.version) == ("high", 1)


async def test_of_two_admins_the_second_changes_nothing(store):
    def save(text):
        changes = {Setting.DEFAULT_SEVERITY: text}
        return store.write(lambda tx: tx.save_settings("T1", changes, seen=0, by=ADA, at=NINE))

    assert await save("low")
    assert await save("high") is None
    (saved,) = await store.read(lambda reader: reader.saved_settings("T1"))
    assert (saved.text, saved.by, saved.at) == ("low", ADA, NINE)


class EndOfTest(Exception):
    """Ends a transaction."""
