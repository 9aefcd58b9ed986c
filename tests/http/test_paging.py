"""The timeline in pages, in both dialects; its length costs the event loop nothing."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest

from bot.http import api_shapes, v1_shapes
from core.incident import Note
from core.service import Incidents
from storage.store import SqlStore
from tests.builders import a_change, a_declaration, an_actor, an_id, the_settings
from tests.clock import Clock
from tests.stores import alone

LONG = 250


class V1:
    """Dialect 1: everything, oldest first."""

    prefix, newest_first, refused = "/v1", False, 422

    @staticmethod
    def page(answer):
        data = answer.json()["data"]
        return [update["id"] for update in data["updates"]], data["nextCursor"]

    @staticmethod
    def fields(answer):
        return [error["field"] for error in answer.json()["errors"]]


class Api:
    """Dialect 2: without comments, newest first."""

    prefix, newest_first, refused = "/api", True, 400

    @staticmethod
    def page(answer):
        body = answer.json()
        return [update["id"] for update in body["data"]], body["next_cursor"]

    @staticmethod
    def fields(answer):
        return list(answer.json()["error"]["details"])


@pytest.fixture(params=[V1, Api], ids=["v1", "api"])
def dialect(request):
    return request.param


def fill(address):
    """INC-1 with 250 entries, of which 50 are comments."""
    with closing(SqlStore(address, defaults=the_settings())) as store:
        alone(fill_up(Incidents(store, clock=Clock(), wake=lambda: None)))


async def fill_up(incidents):
    await incidents.execute(a_declaration(id=an_id(LONG)))
    for number in range(2, LONG + 1):
        asked = {"note": Note("found it")} if number % 5 == 0 else {"title": f"Search {number}"}
        await incidents.execute(a_change(ref=1, **asked))


@pytest.fixture
def url(a_database):
    with a_database("sqlite", fill=fill) as url:
        yield url


@pytest.fixture
def long():
    """The id of an incident with 250 entries, of which 50 are comments."""
    return str(an_id(LONG))


@pytest.fixture
def read(ci, dialect):
    """Reads one page: the ids of its entries, and the next cursor."""

    async def read(incident, **asked):
        answer = await ci.get(f"{dialect.prefix}/incidents/{incident}/updates", params=asked)
        assert answer.status_code == 200, answer.text
        return dialect.page(answer)

    return read


@pytest.fixture
def whole(read):
    """Reads all pages: the ids of the entries, and the sizes of the pages."""

    async def whole(incident, **asked):
        found, cursor = await read(incident, **asked)
        sizes = [len(found)]
        while cursor:
            page, cursor = await read(incident, **asked, cursor=cursor)
            found += page
            sizes.append(len(page))
        return found, sizes

    return whole


@pytest.fixture
def expected(dialect, store):
    """The ids of the entries that the dialect shows, in its order."""

    async def expected(incident):
        def entries(reader):
            found = reader.incident("T0RATCHET", 1)
            return reader.timeline(found, before=None, limit=LONG + 1).items

        shown = [
            str(update.id)
            for update in await store.read(entries)
            if dialect is V1 or not api_shapes.is_comment(update)
        ]
        return shown[::-1] if dialect.newest_first else shown

    return expected


@pytest.mark.parametrize("limit", [1, 7, 50, 199, 200])
async def test_the_pages_together_are_the_timeline(long, whole, expected, limit):
    found, sizes = await whole(long, limit=limit)

    assert found == await expected(long)
    assert {*sizes[:-1]} <= {limit}


async def test_a_page_has_100_entries_unless_told_otherwise(long, whole):
    _, sizes = await whole(long)

    assert sizes[0] == 100


async def test_entries_written_meanwhile_neither_repeat_nor_hide_others(
    long, read, dialect, incidents, expected
):
    before = await expected(long)
    found, cursor = await read(long, limit=100)
    await incidents.execute(a_change(actor=an_actor(sees_private=True), ref=1, title="Search"))
    while cursor:
        page, cursor = await read(long, limit=100, cursor=cursor)
        found += page

    # Oldest first, the new entry is the last one of the last page.
    assert found == (before if dialect.newest_first else await expected(long))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.0", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=0000000000000000-1", "cursor"),
        ("cursor=", "cursor"),
        ("page=2", "page"),
    ],
)
async def test_a_wrong_page_is_refused_by_its_field(ci, declared, dialect, query, field):
    incident = await declared()

    answer = await ci.get(f"{dialect.prefix}/incidents/{incident}/updates?{query}")

    assert answer.status_code == dialect.refused
    assert dialect.fields(answer) == [field]


async def test_a_cursor_belongs_to_its_timeline_and_its_dialect(ci, declared, dialect, long, read):
    _, cursor = await read(long, limit=10)
    other = "/api" if dialect is V1 else "/v1"

    elsewhere = await ci.get(
        f"{dialect.prefix}/incidents/{await declared()}/updates", params={"cursor": cursor}
    )
    otherwise = await ci.get(f"{other}/incidents/{long}/updates", params={"cursor": cursor})

    assert {elsewhere.status_code, otherwise.status_code} <= {400, 422}
    assert "another timeline" in elsewhere.text
    assert "another timeline" in otherwise.text


async def test_a_cursor_beyond_every_number_is_an_empty_page(ci, dialect, long, read):
    _, cursor = await read(long, limit=10)
    mark = cursor.partition("-")[0]

    found, following = await read(long, cursor=f"{mark}-{9_999_999_999 if dialect is V1 else 1}")

    assert (found, following) == ([], None)


async def test_a_page_is_built_outside_of_the_event_loop(dialect, long, read):
    shape = v1_shapes.UpdateBody if dialect is V1 else api_shapes.UpdateRecord
    called = set()
    # For this thread only, which is that of the event loop.
    sys.setprofile(lambda frame, _event, _argument: called.add(frame.f_code))
    try:
        found, _ = await read(long)
    finally:
        sys.setprofile(None)

    assert found
    assert dialect.page.__code__ in called
    assert shape.of.__func__.__code__ not in called
