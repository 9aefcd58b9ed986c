"""Timelines with their notes, in pages; only for people who may read notes."""

import pytest

from core.denials import Denied, Permission
from tests.builders import CI, GRACE, LINUS, a_change, an_actor


async def test_a_timeline_is_paged_from_its_newest_end(incidents, declare):
    await declare()
    for number in range(4):
        await incidents.execute(a_change(ref=1, note=f"note {number}"))

    card, newest = await incidents.timeline(an_actor(), 1, limit=2)
    _, older = await incidents.timeline(an_actor(), 1, limit=2, before=newest.older)

    assert card.incident.last_entry == 5
    assert [update.body for update in newest.items] == ["note 2", "note 3"]
    assert [update.body for update in older.items] == ["note 0", "note 1"]


async def test_the_history_is_the_transitions_with_their_notes(incidents, declare):
    await declare()
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    await incidents.execute(a_change(ref=1, to="identified", note="found it"))
    await incidents.execute(a_change(ref=1, title="Search is down"))

    card, moves = await incidents.history(an_actor(GRACE), 1)

    assert card.incident.status == "identified"
    assert [(update.entry, update.status_change, update.body) for update in moves] == [
        (1, "investigating", None),
        (3, "identified", "found it"),
    ]


async def oldest(incidents, actor, **asked):
    return await incidents.oldest_entries(actor, 1, **{"limit": 5, "then": tuple_of} | asked)


async def newest(incidents, actor, **asked):
    every = {"limit": 5, "wanted": lambda _: True, "then": tuple_of}
    return await incidents.newest_entries(actor, 1, **every | asked)


def tuple_of(page):
    return [update.entry for update in page.items], page.older, page.newer


@pytest.fixture
async def long(incidents, declare):
    """INC-1 with twelve entries, of which every third but the first is no comment."""
    await declare()
    for number in range(2, 13):
        change = {"title": f"Search {number}"} if number % 3 == 0 else {"note": "found it"}
        await incidents.execute(a_change(ref=1, **change))


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ({}, ([1, 2, 3, 4, 5], None, 5)),
        ({"after": 5}, ([6, 7, 8, 9, 10], None, 10)),
        ({"after": 10}, ([11, 12], None, None)),
        ({"after": 7}, ([8, 9, 10, 11, 12], None, None)),
        ({"after": 12}, ([], None, None)),
        ({"after": 10**9}, ([], None, None)),
        ({"limit": 12}, ([*range(1, 13)], None, None)),
        ({"limit": 1}, ([1], None, 1)),
    ],
)
async def test_a_page_of_the_oldest_entries(incidents, long, asked, page):
    assert await oldest(incidents, an_actor(GRACE), **asked) == page


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ({}, ([12, 11, 10, 9, 8], 8, None)),
        ({"before": 8}, ([7, 6, 5, 4, 3], 3, None)),
        ({"before": 3}, ([2, 1], None, None)),
        ({"before": 1}, ([], None, None)),
        ({"before": 6}, ([5, 4, 3, 2, 1], None, None)),
        ({"limit": 12}, ([*range(12, 0, -1)], None, None)),
    ],
)
async def test_a_page_of_the_newest_entries(incidents, long, asked, page):
    assert await newest(incidents, an_actor(GRACE), **asked) == page


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ({"limit": 2}, ([12, 9], 9, None)),
        ({"limit": 2, "before": 9}, ([6, 3], 3, None)),
        ({"limit": 2, "before": 3}, ([1], None, None)),
        ({"limit": 5}, ([12, 9, 6, 3, 1], None, None)),
        ({"limit": 1, "before": 2}, ([1], None, None)),
    ],
)
async def test_a_page_is_filled_with_the_entries_that_are_wanted(incidents, long, asked, page):
    def wanted(update):
        return update.entry % 3 == 0 or update.entry == 1

    assert await newest(incidents, an_actor(GRACE), wanted=wanted, **asked) == page


async def a_page(incidents, actor):
    return await incidents.timeline(actor, 1)


async def history(incidents, actor):
    return await incidents.history(actor, 1)


@pytest.mark.parametrize("read", [a_page, oldest, newest, history])
async def test_only_responders_and_api_keys_read_notes(incidents, declare, read):
    await declare(owner=GRACE)

    await read(incidents, an_actor(GRACE))
    await read(incidents, an_actor(CI, channel=None, responder=False, sees_private=True))
    with pytest.raises(Denied) as refused:
        await read(incidents, an_actor(LINUS, responder=False))

    assert refused.value.permission is Permission.RESPOND
    assert "Grace" in refused.value.message
