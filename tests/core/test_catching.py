"""Catch-ups: what is new since a person's last act, or since they last caught up."""

from datetime import timedelta

import pytest

from core.catching import CatchUps, news_of
from core.denials import Denied, Permission
from core.incident import Membership, Note, Severity
from core.missing import NotFound
from core.store import CaughtUp
from tests.builders import (
    ADA,
    GRACE,
    NINE,
    WORKSPACE,
    a_change,
    an_actor,
    an_incident,
    an_update,
)

MINUTE = timedelta(minutes=1)


def entries(*people):
    """One entry a minute, by each of ``people``."""
    return [
        an_update(entry=number, by=person, at=NINE + number * MINUTE)
        for number, person in enumerate(people, start=1)
    ]


@pytest.mark.parametrize(
    ("people", "mark", "new", "since", "caught_up"),
    [
        ((ADA, ADA, ADA), None, [3, 2, 1], None, False),
        ((ADA, GRACE, ADA), None, [3], NINE + 2 * MINUTE, False),
        ((ADA, ADA, GRACE), None, [], NINE + 3 * MINUTE, False),
        ((ADA, ADA, ADA), 2, [3], NINE, True),
        ((ADA, GRACE, ADA), 1, [3], NINE + 2 * MINUTE, False),
        ((GRACE, ADA, ADA), 2, [3], NINE, True),
        ((ADA, ADA, ADA), 3, [], NINE, True),
    ],
    ids=["never", "an act", "the last act", "a mark", "an act later", "a mark later", "all read"],
)
def test_news_begin_behind_the_last_act_or_the_last_catch_up(people, mark, new, since, caught_up):
    before = mark and CaughtUp(entry=mark, at=NINE)

    news = news_of(an_incident(last_entry=3), entries(*people), before, GRACE)

    assert [one.entry for one in news.entries] == new
    assert (news.count, news.since, news.caught_up) == (len(new), since, caught_up)


def test_entries_that_were_not_read_are_counted():
    newest = [an_update(entry=9), an_update(entry=10)]

    news = news_of(an_incident(last_entry=10), newest, CaughtUp(entry=3, at=NINE), GRACE)

    assert ([one.entry for one in news.entries], news.count) == ([10, 9], 7)


@pytest.fixture
def catch_ups(store, clock):
    return CatchUps(store, clock=clock)


@pytest.fixture
def note(incidents, clock):
    async def note(ref=1, by=ADA):
        clock.advance(seconds=1)
        await incidents.execute(a_change(actor=an_actor(by), ref=ref, note=Note("db-3")))

    return note


async def test_a_catch_up_marks_what_was_read(declare, note, catch_ups):
    await declare()
    await note()
    found = await catch_ups.catch_up(an_actor(GRACE), 1)
    assert ([one.entry for one in found.entries], found.caught_up) == ([2, 1], False)

    again = await catch_ups.catch_up(an_actor(GRACE), 1)
    assert (again.count, again.since, again.caught_up) == (0, NINE + timedelta(seconds=1), True)


async def test_open_incidents_with_something_new_are_listed_worst_first(declare, note, catch_ups):
    for severity in ("low", "critical", "high"):
        await declare(severity=Severity(severity))
    await catch_ups.catch_up(an_actor(GRACE), 3)

    found = await catch_ups.open_news(an_actor(GRACE))

    assert [(one.incident.number, one.count) for one in found.news] == [(2, 1), (1, 1)]
    assert (found.looked_at, found.total) == (3, 3)
    await note(3)
    assert [one.incident.number for one in (await catch_ups.open_news(an_actor(GRACE))).news] == [
        2,
        3,
        1,
    ]


async def test_nobody_learns_of_an_incident_that_they_may_not_see(declare, catch_ups):
    await declare(private=True)

    assert (await catch_ups.open_news(an_actor(GRACE, channel=None))).news == ()
    with pytest.raises(NotFound):
        await catch_ups.catch_up(an_actor(GRACE, channel=None), 1)


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(GRACE, responder=False), Permission.RESPOND),
        (an_actor(GRACE, membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["no responder", "guest"],
)
async def test_only_responders_read_notes_and_a_refusal_marks_nothing(
    declare, catch_ups, store, actor, permission
):
    incident = await declare()

    for act in (catch_ups.catch_up(actor, 1), catch_ups.open_news(actor)):
        with pytest.raises(Denied) as refused:
            await act
        assert refused.value.permission is permission
    assert await store.read(lambda r: r.caught_up(WORKSPACE, GRACE.id, [incident.id])) == {}
