"""How far people have read: kept for each person, bounded, and the one thing that is written."""

from __future__ import annotations

import pytest

from bot.export import archive
from core.catching import ENTRIES_READ, CatchUps
from core.incident import Note
from storage import audit
from storage.catching import KEPT_MAX
from tests.builders import ADA, GRACE, LINUS, WORKSPACE, a_change, an_actor

SECRET = "vermilion-canary"


@pytest.fixture
def catch_ups(store, clock):
    return CatchUps(store, clock=clock)


@pytest.fixture
def note(incidents, clock):
    async def note(ref=1, by=ADA):
        clock.advance(seconds=1)
        await incidents.execute(a_change(actor=an_actor(by), ref=ref, note=Note(SECRET)))

    return note


async def test_each_person_has_a_mark_of_their_own(declare, note, catch_ups):
    await declare()
    await note()

    assert (await catch_ups.catch_up(an_actor(GRACE), 1)).count == 2
    await note()

    assert (await catch_ups.catch_up(an_actor(GRACE), 1)).count == 1
    assert (await catch_ups.catch_up(an_actor(GRACE), 1)).count == 0
    assert (await catch_ups.catch_up(an_actor(LINUS), 1)).count == 3
    assert (await catch_ups.catch_up(an_actor(ADA), 1)).count == 0


async def test_reading_writes_nothing_but_the_mark(declare, note, catch_ups, contents):
    await declare()
    await note()
    before = contents()

    await catch_ups.open_news(an_actor(GRACE))
    assert contents() == before
    await catch_ups.catch_up(an_actor(GRACE), 1)

    changed = {table for table, rows in contents().items() if rows != before[table]}
    assert changed == {"catch_up"}
    assert SECRET not in repr(contents()["catch_up"])


async def test_a_person_has_a_bounded_number_of_marks(declare, catch_ups, clock, rows):
    for number in range(1, KEPT_MAX + 3):
        await declare()
        clock.advance(seconds=1)
        await catch_ups.catch_up(an_actor(GRACE), number)
    await catch_ups.catch_up(an_actor(LINUS), 1)

    assert rows("SELECT person, count(*) FROM catch_up GROUP BY person ORDER BY person") == [
        (GRACE.id, KEPT_MAX),
        (LINUS.id, 1),
    ]
    assert (await catch_ups.catch_up(an_actor(GRACE), 1)).count == 1


async def test_a_long_timeline_is_read_only_at_its_end(declare, incidents, catch_ups, on_statement):
    await declare()
    for _ in range(ENTRIES_READ + 5):
        await incidents.execute(a_change(ref=1, note=Note("one more")))
    asked = []
    on_statement(asked.append)

    news = await catch_ups.catch_up(an_actor(GRACE), 1)

    assert (len(news.entries), news.count) == (ENTRIES_READ, ENTRIES_READ + 6)
    assert len([one for one in asked if "incident_update" in one and "LIMIT" in one]) == 1


async def test_marks_are_not_exported_and_the_store_is_sound(
    declare, note, catch_ups, store, clock
):
    await declare()
    await note()
    await catch_ups.catch_up(an_actor(GRACE), 1)

    lines = b"".join(archive(store, public=False, workspace=WORKSPACE, at=clock()))
    assert GRACE.id.encode() not in lines
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_marks_are_found_by_their_key(declare, catch_ups, rows, kind):
    await declare()
    await catch_ups.catch_up(an_actor(GRACE), 1)

    (plan,) = {
        row[-1]
        for row in rows(
            "EXPLAIN QUERY PLAN SELECT entry FROM catch_up "
            "WHERE workspace_id = 'T' AND person = 'U' AND incident_id IN ('a')"
        )
    }
    assert "USING INDEX" in plan
    assert "SCAN" not in plan
