"""Promise 23: time alone changes the page at its moments, and private text never does."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.http.status.shelf import Shelf
from core.arranging import ComponentChange
from core.commands import Redact
from core.curating import Curation
from core.incident import DescribedComponent, Note, Place, PublicText, Severity
from core.page import ComponentStatus, PageSettings
from core.promise import NextUpdate
from core.service import Incidents
from storage.store import SqlStore
from tests.builders import (
    GRACE,
    LINUS,
    NINE,
    WORKSPACE,
    a_change,
    a_component,
    a_declaration,
    an_actor,
    an_id,
    the_settings,
)
from tests.clock import Clock
from tests.pages import PATHS

CANARY = "xyzzy-db-3"
DELAY = timedelta(seconds=10)
TICK = timedelta(microseconds=1)
ACME = PageSettings(workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE)
BEGIN = NINE + timedelta(seconds=65)
# The moments after `BEGIN` at which time alone changes something, by what it is.
TURNS = {
    "a held text": NINE + timedelta(seconds=70),
    "a held title": BEGIN + DELAY,
    "the end of an override": NINE + timedelta(minutes=20),
    "a promise": NINE + timedelta(minutes=31, seconds=10) + TICK,
    "midnight": datetime(2026, 3, 3, tzinfo=UTC),
    "the next midnight": datetime(2026, 3, 4, tzinfo=UTC),
}
# The addresses of the site, without the slash that follows the address of the page.
ALL = [
    *dict.fromkeys("index.md" if path == ".md" else path.removeprefix("/") for path in PATHS),
    "incidents/2",
    "incidents/2.md",
    "days/2026-03-03",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def opened(a_database, kind):
    """Opens an empty database with a page and two components, for the length of a block."""

    @contextmanager
    def opened():
        with a_database(kind) as url:
            store = SqlStore(url, defaults=the_settings())
            store.write_now(lambda tx: tx.publish_page(ACME, at=NINE))
            for name in ("API", "Web"):
                one = DescribedComponent(component=a_component(name))
                store.write_now(lambda tx, one=one: tx.add_component(WORKSPACE, one, at=NINE))
            yield store
            store.close()

    return opened


def a_shelf(store, clock, fresh=timedelta()):
    return Shelf(
        store, clock=clock, address=lambda page, _alone: f"/status/{page.slug}", fresh=fresh
    )


async def every_byte(shelf):
    """The kept bytes of each address, None where there is none."""
    return {path: await shelf.find(WORKSPACE, path) for path in ALL}


async def an_evening(store, clock, *, private="a", person=GRACE):
    """Two incidents with everything that turns public, or ends, by itself; until `BEGIN`."""
    incidents = Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)
    curation = Curation(store, clock=clock)
    actor = an_actor(person, admin=True)
    who = {"actor": actor}
    await incidents.execute(
        a_declaration(**who, components=("API",), description=f"It began with {private}.")
    )
    clock.advance(minutes=1)
    await incidents.execute(a_change(**who, ref=1, to="identified", note=Note(private)))
    await incidents.execute(
        a_change(
            **who,
            ref=1,
            public=PublicText("We look into it."),
            next_update=NextUpdate(within=timedelta(minutes=30)),
        )
    )
    await curation.override(
        actor,
        "Web",
        ComponentStatus.UNDER_MAINTENANCE,
        until=NINE + timedelta(minutes=20),
        reason=private,
    )
    clock.advance(seconds=5)
    await incidents.execute(
        a_declaration(**who, id=an_id("second"), title="Mail is late", severity=Severity.MEDIUM)
    )
    await incidents.execute(
        a_declaration(
            **who,
            id=an_id("private"),
            title=f"Breach of {private}",
            severity=Severity.CRITICAL,
            private=True,
            components=("API", private),
            place=Place("C0SECRET", private=True),
        )
    )
    await incidents.execute(a_change(**who, ref=3, note=Note(private), owner=person))


def around(turns):
    """Moments close to each of ``turns`` and between them, in order."""
    near = (timedelta(seconds=-1), -TICK, timedelta(), TICK, timedelta(seconds=1))
    close = [turn + by for turn in turns for by in near]
    between = [turn + (after - turn) / 2 for turn, after in pairwise(turns)]
    return sorted({BEGIN, *(one for one in (*close, *between) if one >= BEGIN)})


async def test_time_alone_turns_each_public_byte_at_its_moment(opened):
    clock = Clock()
    turns = sorted(TURNS.values())
    with opened() as store:
        await an_evening(store, clock)
        assert clock() == BEGIN
        # It looks for writes once in its life, so only time changes what it shows.
        kept = a_shelf(store, clock, fresh=timedelta(hours=1))
        before, passed = None, None
        for clock.now in around(turns):
            shown = await every_byte(kept)
            assert shown == await every_byte(a_shelf(store, clock)), clock.now
            now = [turn for turn in turns if turn <= clock.now]
            if passed == now:
                assert shown == before, clock.now
            elif passed is not None:
                for path in ("", "index.md", "api/v2/summary.json"):
                    assert shown[path] != before[path], (path, clock.now)
            before, passed = shown, now


async def test_what_turns_is_on_the_page_from_its_moment(opened):
    clock = Clock()
    with opened() as store:
        await an_evening(store, clock)
        shelf = a_shelf(store, clock)
        for turn, path, words in (
            ("a held text", "", "We look into it."),
            ("a held title", "incidents/2.md", "Mail is late"),
            ("midnight", "days/2026-03-03", "3 March 2026"),
        ):
            clock.now = TURNS[turn] - TICK
            found = await shelf.find(WORKSPACE, path)
            assert found is None or words not in found.body.decode(), turn
            clock.now = TURNS[turn]
            assert words in (await shelf.find(WORKSPACE, path)).body.decode(), turn


HIDDEN = {
    "tags one": lambda acts: acts.tag("API", "+acquisition-zeta"),
    "tags a known one": lambda acts: acts.tag("API", "zeta"),
    "untags one": lambda acts: acts.tag("API"),
    "adds one": lambda acts: acts.curation.add_component(
        acts.actor, ComponentChange(name="Omega", group="Unseen", shown=False)
    ),
    "renames one": lambda acts: acts.curation.change_component(
        acts.actor, "zeta", ComponentChange(name="Zeta two", description="A deal.")
    ),
    "moves one": lambda acts: acts.curation.change_component(
        acts.actor, "zeta", ComponentChange(group="+Later", position=4)
    ),
    "overrides one": lambda acts: acts.curation.override(
        acts.actor, "zeta", ComponentStatus.MAJOR_OUTAGE
    ),
    "renames a group of hidden ones": lambda acts: acts.curation.change_group(
        acts.actor, "Deals", rename="Acquisitions"
    ),
}


class Acts:
    """The acts of one admin, on incident 1."""

    def __init__(self, store, clock):
        self.actor = an_actor(GRACE, admin=True)
        self.curation = Curation(store, clock=clock)
        self._incidents = Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)

    async def tag(self, *names):
        await self._incidents.execute(a_change(actor=self.actor, ref=1, components=names))


@pytest.mark.parametrize("act", HIDDEN.values(), ids=HIDDEN)
async def test_no_public_byte_depends_on_a_component_that_is_hidden(opened, act):
    clock = Clock()
    with opened() as store:
        await an_evening(store, clock)
        acts = Acts(store, clock)
        await acts.curation.add_component(
            acts.actor, ComponentChange(name="zeta", group="Deals", shown=False)
        )
        await acts.tag("API", "+beta")
        clock.advance(minutes=1)
        before = await every_byte(a_shelf(store, clock))
        clock.advance(minutes=5)
        await act(acts)
        after = await every_byte(a_shelf(store, clock))

    assert {path: one and (one.body, one.changed_at) for path, one in after.items()} == {
        path: one and (one.body, one.changed_at) for path, one in before.items()
    }


async def test_to_tag_a_component_that_is_shown_is_a_public_change(opened):
    clock = Clock()
    with opened() as store:
        await an_evening(store, clock)
        before = await every_byte(a_shelf(store, clock))
        at = clock.advance(minutes=5)
        await Acts(store, clock).tag("API", "Web", "+beta")
        after = await every_byte(a_shelf(store, clock))

    for path in ("", "incidents/1.md", "history.atom", "api/v2/summary.json"):
        assert after[path].body != before[path].body, path
        assert after[path].changed_at == at, path


async def test_no_public_byte_depends_on_private_text(opened):
    seen = []
    for private, person in (("a", GRACE), (f"{CANARY} <!channel> *b* " * 3, LINUS)):
        clock = Clock()
        with opened() as store:
            await an_evening(store, clock, private=private.strip(), person=person)
            incidents = Incidents(store, clock=clock, wake=lambda: None)
            if person is LINUS:
                await incidents.execute(a_declaration(id=an_id("more"), title=CANARY, private=True))
                await incidents.execute(a_change(ref=1, note=Note(CANARY)))
                await incidents.execute(Redact(actor=an_actor(LINUS, admin=True), ref=1, entry=4))
            shelf = a_shelf(store, clock)
            for clock.now in around(sorted(TURNS.values())):
                seen.append((private, clock.now, await every_byte(shelf)))

    half = len(seen) // 2
    assert CANARY not in repr(seen[half:][0][2])
    for (_, at, harmless), (_, _, secret) in zip(seen[:half], seen[half:], strict=True):
        assert secret == harmless, at
        assert CANARY not in repr(secret)
