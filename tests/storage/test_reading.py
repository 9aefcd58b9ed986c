"""The reads: boards by key, private incidents, timelines, cards, and the public side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import policy
from core.boards import BoardFilter, Scope
from core.commands import Redact, SetInvitation
from core.incident import Note, Place, PublicText, Severity
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
        (BoardFilter(channel="C0ELSEWHERE"), [2]),
    ],
    ids=["open", "all", "mine", "severity", "status", "channel"],
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
    facts, declarer, looker, invited, admin, channel, board, declare, incidents
):
    incident = await declare(actor=an_actor(declarer), **facts)
    for person in invited if incident.private else ():
        invitation = SetInvitation(
            actor=an_actor(admin=True), ref=incident.id, person=person, invited=True
        )
        incident = (await incidents.execute(invitation)).incident
    actor = an_actor(looker, admin=admin, channel=channel)

    page = await board(actor=actor, limit=1)

    shown = [one.number for one in page.items] == [incident.number]
    assert shown == policy.may_see(actor, incident)


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
