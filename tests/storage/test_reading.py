"""The reads: boards by key, private incidents, timelines, cards, and the public side."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import policy
from core.boards import BoardFilter, Scope
from core.commands import Redact, SetInvitation, SetPrivacy
from core.incident import Note, Place, PublicText, Severity
from core.lifecycle import RESPONSE
from core.ranking import Rank
from storage import boards
from storage.snapshot import connection_of
from tests.builders import ADA, GRACE, LINUS, NINE, WORKSPACE, a_change, an_actor

ALL = BoardFilter(scope=Scope.ALL)


@pytest.fixture
def board(store):
    async def board(narrowed=ALL, *, actor=None, **keys):
        keys = {"before": None, "after": None, "limit": 10} | keys
        return await store.read(lambda reader: reader.board(actor or an_actor(), narrowed, **keys))

    return board


async def test_pages_follow_each_other_without_gap_or_repetition(board, declare):
    for _ in range(25):
        await declare()

    seen, key = [], None
    while True:
        page = await board(before=key)
        seen += [incident.number for incident in page.items]
        if page.older is None:
            break
        key = page.older
    back = await board(after=page.items[0].number)

    assert seen == list(range(25, 0, -1))
    assert [incident.number for incident in back.items] == list(range(15, 5, -1))


@pytest.mark.parametrize(
    ("narrowed", "numbers"),
    [
        (BoardFilter(), [3, 2]),
        (ALL, [3, 2, 1]),
        (BoardFilter(scope=Scope.MINE), [3]),
        (BoardFilter(severity=Severity.LOW), [2]),
        (BoardFilter(scope=Scope.ALL, status="resolved"), [1]),
    ],
    ids=["open", "all", "mine", "severity", "status"],
)
async def test_a_board_shows_only_incidents_that_match_its_filter(
    narrowed, numbers, board, declare, incidents
):
    await declare()
    for step in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=step))
    await declare(severity=Severity.LOW, place=Place("C0ELSEWHERE"))
    await declare(owner=ADA)

    page = await board(narrowed)

    assert [incident.number for incident in page.items] == numbers


@pytest.fixture
def ranking(store):
    async def ranking(narrowed=ALL, *, actor=None, **keys):
        keys = {"before": None, "after": None, "limit": 10} | keys
        return await store.read(lambda r: r.ranking(actor or an_actor(), narrowed, **keys))

    return ranking


@pytest.fixture
def end(incidents):
    async def end(number):
        for step in ("identified", "monitoring"):
            await incidents.execute(a_change(ref=number, to=step))
        return (await incidents.execute(a_change(ref=number, to="resolved"))).incident

    return end


def by_rank(incidents):
    def rank(one):
        return one.terminal, list(Severity).index(one.severity), -one.number

    return sorted(incidents, key=rank)


@pytest.mark.parametrize("every", [1, 3, 25], ids=["all ended", "some ended", "one ended"])
async def test_pages_of_open_and_worst_first_follow_each_other_both_ways(
    every, ranking, declare, end
):
    severities = list(Severity)
    declared = [await declare(severity=severities[n * 7 % 4]) for n in range(25)]
    declared = [await end(one.number) if one.number % every == 0 else one for one in declared]

    pages, key = [], None
    while not pages or key:
        pages.append(await ranking(before=key, limit=4))
        key = pages[-1].older
    back, key = [], pages[-1].newer
    while key:
        back.append(await ranking(after=key, limit=4))
        key = back[-1].newer

    assert [one for page in pages for one in page.items] == by_rank(declared)
    assert [page.items for page in back] == [page.items for page in pages[-2::-1]]
    assert {page.total for page in (*pages, *back)} == {25}
    assert (pages[0].newer, pages[-1].older) == (None, None)
    assert [page.above for page in pages] == [0, 4, 8, 12, 16, 20, 24]
    assert [page.above for page in back] == [20, 16, 12, 8, 4, 0]


@pytest.mark.parametrize(
    ("narrowed", "numbers"),
    [
        (BoardFilter(), [4, 3, 2]),
        (ALL, [4, 3, 2, 1]),
        (BoardFilter(scope=Scope.MINE), [3]),
        (BoardFilter(severity=Severity.LOW), [2]),
        (BoardFilter(scope=Scope.ALL, severity=Severity.CRITICAL), [4, 1]),
        (BoardFilter(scope=Scope.ALL, status="resolved"), [1]),
        (BoardFilter(scope=Scope.ALL, status="resolved", severity=Severity.LOW), []),
        (BoardFilter(status="resolved"), []),
    ],
    ids=["open", "all", "mine", "severity", "all of it", "status", "both", "open of an end"],
)
async def test_open_ones_come_first_of_those_that_match_and_then_the_worst(
    narrowed, numbers, ranking, declare, end
):
    await declare(severity=Severity.CRITICAL)
    await end(1)
    await declare(severity=Severity.LOW)
    await declare(owner=ADA, severity=Severity.HIGH)
    await declare(severity=Severity.CRITICAL)

    page = await ranking(narrowed)

    assert [incident.number for incident in page.items] == numbers
    assert page.total == len(numbers)


async def test_the_key_of_an_incident_that_left_the_list_still_leads_on(
    ranking, declare, incidents
):
    for severity in (Severity.LOW, Severity.HIGH, Severity.LOW):
        await declare(severity=severity)
    first = await ranking(BoardFilter(), limit=1)
    await incidents.execute(a_change(ref=2, severity=Severity.LOW))

    second = await ranking(BoardFilter(), before=first.older)
    above = await ranking(BoardFilter(), after=Rank(Severity.CRITICAL, 1))
    below = await ranking(BoardFilter(), before=Rank(Severity.LOW, 1))

    assert [one.number for one in second.items] == [3, 2, 1]
    assert (above.items, above.older) == ((), Rank(Severity.CRITICAL, 1))
    assert (below.items, below.newer) == ((), Rank(Severity.LOW, 1))


async def test_one_that_is_resolved_and_still_open_is_before_one_that_has_ended(
    ranking, declare, end, incidents
):
    await declare(severity=Severity.CRITICAL)
    await end(1)
    await declare(lifecycle=RESPONSE, severity=Severity.LOW)
    await incidents.execute(a_change(ref=2, to="resolved"))

    page = await ranking(BoardFilter(scope=Scope.ALL, status="resolved"))

    assert [one.number for one in page.items] == [2, 1]


async def test_a_page_goes_on_behind_an_incident_that_ended_meanwhile(ranking, declare, end):
    for severity in (Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM):
        await declare(severity=severity)
    first = await ranking(ALL, limit=2)
    await end(3)

    second = await ranking(ALL, before=first.older, limit=2)
    back = await ranking(ALL, after=second.newer, limit=2)

    assert [one.number for one in first.items] == [2, 3]
    assert [one.number for one in second.items] == [4, 1]
    assert [one.number for one in back.items] == [2]


async def test_the_open_ones_of_a_channel_are_listed_worst_first(store, declare):
    for severity in (Severity.HIGH, *[Severity.LOW] * 10):
        await declare(severity=severity, place=Place("C1"))

    here = await store.read(lambda reader: reader.open_in_channel(WORKSPACE, "C1"))

    assert [one.number for one in here.items] == [1, *range(11, 2, -1)]
    assert here.total == 11


async def test_a_list_is_counted_up_to_a_limit(store, declare):
    for severity in (Severity.HIGH, Severity.LOW, Severity.LOW, Severity.LOW):
        await declare(severity=severity)

    def totals(reader):
        connection = connection_of(reader)
        return [boards.total(connection, an_actor(), ALL, most=most) for most in (2, 3, 4, 5)]

    assert await store.read(totals) == [3, 4, 4, 4]


@pytest.mark.parametrize(
    ("bounds", "numbers"),
    [
        ({"since": 0}, [4, 3, 2, 1]),
        ({"since": 1}, [4, 3, 2]),
        ({"since": 4}, []),
        ({"until": 1}, [3, 2, 1]),
        ({"until": -1}, []),
        ({"since": 1, "until": 1}, [3, 2]),
        ({"since": 1, "until": 2, "before": 3}, [2]),
        ({"since": 0, "until": 1, "after": 2}, [3]),
    ],
)
async def test_days_bound_a_list_even_if_a_clock_was_set_back(
    bounds: dict[str, int], numbers, board, declare, clock
):
    """Incident 3 was declared after incident 2, by a clock that was 20 minutes behind."""
    for days, minutes in ((1, 0), (0, -20), (1, 0), (0, 0)):
        await declare()
        clock.advance(days=days, minutes=minutes)
    keys = {name: bounds[name] for name in ("before", "after") if name in bounds}
    moments: Any = {
        name: NINE + timedelta(days=bounds[name]) for name in bounds if name not in keys
    }
    if "since" in moments:
        moments["since"] -= timedelta(minutes=30)

    page = await board(BoardFilter(scope=Scope.ALL, **moments), **keys)

    assert [one.number for one in page.items] == numbers


PEOPLE = st.sampled_from([ADA, GRACE, LINUS])
CHANNELS = st.sampled_from([None, "C0A", "C0B"])
FACTS = st.fixed_dictionaries(
    {
        "private": st.booleans(),
        "place": st.none() | st.builds(Place, st.sampled_from(["C0A", "C0B"]), st.booleans()),
        "owner": st.none() | PEOPLE,
    }
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    facts=FACTS,
    declarer=PEOPLE,
    looker=PEOPLE,
    invited=st.sets(PEOPLE, max_size=2),
    admin=st.booleans(),
    channel=CHANNELS,
)
async def test_a_board_shows_exactly_the_incidents_that_the_policy_allows(
    facts, declarer, looker, invited, admin, channel, board, ranking, declare, incidents
):
    incident = await declare(actor=an_actor(declarer), **facts)
    for person in invited if incident.private else ():
        invitation = SetInvitation(
            actor=an_actor(admin=True), ref=incident.id, person=person, invited=True
        )
        incident = (await incidents.execute(invitation)).incident
    actor = an_actor(looker, admin=admin, channel=channel)

    page = await board(actor=actor, limit=1)
    worst = await ranking(BoardFilter(severity=incident.severity), actor=actor, limit=1)

    shown = [one.number for one in page.items] == [incident.number]
    assert shown == policy.may_see(actor, incident)
    assert shown == ([one.number for one in worst.items] == [incident.number])


async def test_another_workspace_sees_nothing(board, declare, store):
    incident = await declare()
    stranger = an_actor(workspace="T0OTHER")

    assert (await board(actor=stranger)).items == ()
    assert await store.read(lambda reader: reader.incident("T0OTHER", incident.id)) is None
    assert await store.read(lambda reader: reader.incident("T0OTHER", 1)) is None


async def test_a_timeline_is_paged_from_its_newest_end(store, declare, incidents):
    incident = await declare()
    for count in range(24):
        await incidents.execute(a_change(ref=1, note=Note(f"note {count}")))
    incident = await store.read(lambda reader: reader.incident(WORKSPACE, 1))

    newest = await store.read(lambda r: r.timeline(incident, before=None, limit=10))
    older = await store.read(lambda r: r.timeline(incident, before=newest.older, limit=10))

    assert [update.entry for update in newest.items] == list(range(16, 26))
    assert [update.entry for update in older.items] == list(range(6, 16))
    assert newest.newer is None
    assert older.newer is not None


async def test_a_card_computes_its_times_and_holds_no_note(store, declare, incidents, clock):
    await declare()
    clock.advance(minutes=5)
    await incidents.execute(a_change(ref=1, to="identified"))
    for step in ("monitoring", "resolved"):
        clock.advance(minutes=10)
        await incidents.execute(a_change(ref=1, to=step, note=Note("db-3 lost quorum")))

    card = await store.read(lambda reader: reader.card(reader.incident(WORKSPACE, 1)))

    assert card.resolved_at == NINE + timedelta(minutes=25)
    assert card.last.new == "resolved"
    assert "quorum" not in repr(card)


async def test_the_public_side_holds_only_public_facts(store, declare, incidents, clock):
    incident = await declare(description="internal words")
    await incidents.execute(a_change(ref=1, note=Note("a note")))
    await incidents.execute(a_change(ref=1, to="identified", note=Note("another note")))
    await incidents.execute(a_change(ref=1, public=PublicText("We are on it.")))
    await incidents.execute(a_change(ref=1, public=PublicText("A slip.")))
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=5))
    await declare(private=True, title="Nobody's business")

    seen = await store.read_public(
        lambda public: public.incident(WORKSPACE, incident.id, at=clock())
    )
    listed = await store.read_public(lambda public: public.open_incidents(WORKSPACE, at=clock()))

    assert [(u.entry, u.status, u.body, u.withdrawn) for u in seen.updates] == [
        (5, None, None, True),
        (4, None, "We are on it.", False),
        (3, "identified", None, False),
        (1, "investigating", None, False),
    ]
    assert [one.number for one in listed] == [1]
    for private in ("note", "internal", "A slip", ADA.name):
        assert private not in repr((seen, listed))


async def test_the_transitions_of_an_incident_are_read_oldest_first(store, declare, incidents):
    incident = await declare()
    await incidents.execute(a_change(ref=1, to="identified", note=Note("db-3 lost quorum")))
    await incidents.execute(a_change(ref=1, note=Note("no transition")))
    await incidents.execute(a_change(ref=1, to="monitoring"))

    moves = await store.read(lambda reader: reader.moves(incident))

    assert [(move.new, move.body) for move in moves] == [
        ("investigating", None),
        ("identified", "db-3 lost quorum"),
        ("monitoring", None),
    ]


# --- the link of the card --------------------------------------------------------------------


@pytest.fixture
def linking(opened):
    """A store that knows the address of the workspace."""
    return opened(address=lambda _: "https://acme.slack.com/")


async def posted(outbox, clock):
    """Delivers the cards as Slack would, each with a ts of its own."""
    claimed = await outbox.claim("w1", limit=9, at=clock.advance(seconds=2))
    for ts, message in enumerate(claimed):
        place = (message.channel, f"1772442000.00010{ts}")
        await outbox.delivered(message, at=clock(), posted=place)


async def test_an_incident_leads_to_its_card_as_soon_as_slack_has_that(
    linking, store, outbox, clock, declare
):
    incident = await declare()
    before = await linking.read(lambda reader: reader.incident(WORKSPACE, 1))
    await posted(outbox, clock)

    after = await linking.read(lambda reader: reader.incident(WORKSPACE, 1))
    (listed,) = (
        await linking.read(
            lambda reader: reader.board(an_actor(), ALL, before=None, after=None, limit=10)
        )
    ).items
    unknown = await store.read(lambda reader: reader.incident(WORKSPACE, 1))

    assert (before.card_link, unknown.card_link) == (None, None)
    assert after.card_link == "https://acme.slack.com/archives/C0INCIDENTS/p1772442000000100"
    assert listed.card_link == after.card_link
    assert before == after == incident


async def test_an_incident_of_no_channel_leads_nowhere(linking, outbox, clock, declare):
    await declare(private=True)
    await declare(place=None)
    await posted(outbox, clock)

    for number in (1, 2):
        incident = await linking.read(lambda reader, ref=number: reader.incident(WORKSPACE, ref))
        assert incident.card_link is None


async def test_a_card_that_became_private_is_no_way_to_an_incident(
    linking, outbox, clock, declare, incidents
):
    await declare()
    await posted(outbox, clock)
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))

    incident = await linking.read(lambda reader: reader.incident(WORKSPACE, 1))

    assert incident.card_address
    assert incident.card_link is None
