"""What is remembered of a page changes nothing of it, and spares reading what is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.arranging import ComponentChange
from core.commands import Redact, SetPrivacy
from core.curating import Curation
from core.incident import PublicText
from core.page import ComponentStatus, PageSettings
from core.projection import Projector, project
from core.promise import NextUpdate
from core.service import Incidents
from storage.remembered import Remembered
from tests.builders import NINE, WORKSPACE, a_change, an_actor

DELAY = timedelta(seconds=10)
ADMIN = an_actor(admin=True)
WAY = ("identified", "monitoring", "resolved")


class Acts:
    """What happens to INC-1, which is over, or around it."""

    def __init__(self, store, clock):
        self.incidents = Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)
        self.curation = Curation(store, clock=clock)
        self.clock = clock

    async def change(self, ref=1, **facts):
        await self.incidents.execute(a_change(ref=ref, **facts))

    async def withdraw(self, entry, ref=1):
        await self.incidents.execute(Redact(actor=ADMIN, ref=ref, entry=entry))

    async def privacy(self, *, private):
        await self.incidents.execute(SetPrivacy(actor=ADMIN, ref=1, private=private))

    async def component(self, **facts):
        await self.curation.change_component(ADMIN, "API", ComponentChange(**facts))

    async def override(self):
        await self.curation.override(ADMIN, "API", ComponentStatus.MAJOR_OUTAGE)

    async def end(self, **facts):
        """Ends INC-2; its text is held back for ten seconds."""
        for status in WAY[:-1]:
            await self.change(ref=2, to=status)
        await self.change(ref=2, to="resolved", **facts)

    async def wait(self, **span):
        self.clock.advance(**span)


# Each is a list of acts; the page is compared after every one of them.
HISTORIES = {
    "nothing": [],
    "a text of the end that is held back": [
        lambda acts: acts.end(public=PublicText("It is over.")),
        lambda acts: acts.wait(seconds=9),
        lambda acts: acts.wait(seconds=1),
    ],
    "a text of the end that is withdrawn while it is held back": [
        lambda acts: acts.end(public=PublicText("It is over.")),
        lambda acts: acts.withdraw(4, ref=2),
        lambda acts: acts.wait(seconds=10),
    ],
    "a title that is held back at the end": [
        lambda acts: acts.end(title="Card payments fail"),
        lambda acts: acts.wait(seconds=9),
        lambda acts: acts.wait(seconds=1),
    ],
    "a clock that is set back": [
        lambda acts: acts.end(public=PublicText("It is over.")),
        lambda acts: acts.wait(seconds=10),
        lambda acts: acts.wait(seconds=-10),
    ],
    "a text in the place of a withdrawn one": [
        lambda acts: acts.withdraw(2),
        lambda acts: acts.change(public=PublicText("We were rolling back.")),
        lambda acts: acts.wait(seconds=10),
    ],
    "a withdrawn text": [lambda acts: acts.withdraw(2)],
    "a component of another name": [lambda acts: acts.component(name="Gateway")],
    "a component that is no longer shown": [
        lambda acts: acts.component(shown=False),
        lambda acts: acts.component(shown=True),
    ],
    "a status by hand": [lambda acts: acts.override()],
    "it becomes private, and public again": [
        lambda acts: acts.privacy(private=True),
        lambda acts: acts.privacy(private=False),
        lambda acts: acts.wait(seconds=10),
    ],
    "another one goes on": [
        lambda acts: acts.change(
            ref=2,
            public=PublicText("We look."),
            next_update=NextUpdate(within=timedelta(minutes=30)),
        ),
        lambda acts: acts.wait(seconds=10),
        lambda acts: acts.wait(hours=1),
        lambda acts: acts.change(ref=2, to="identified"),
    ],
    "days": [lambda acts: acts.wait(days=1), lambda acts: acts.wait(days=91)],
}


@pytest.fixture
async def acts(store, clock, declare):
    """INC-1 is over, with a text and a promise that was kept; INC-2 is open."""
    acts = Acts(store, clock)
    settings = PageSettings(
        workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE
    )
    await store.write(lambda tx: tx.publish_page(settings, at=NINE))
    for name in ("API", "Web"):
        await acts.incidents.make_component(
            ADMIN, name=name, description=None, group=None, then=lambda _tx, _made: None
        )
    await declare(components=("API",))
    await declare(components=("API",))
    half_an_hour = NextUpdate(within=timedelta(minutes=30))
    await acts.change(public=PublicText("We are rolling back."), next_update=half_an_hour)
    for status in WAY:
        clock.advance(minutes=1)
        await acts.change(to=status)
    clock.advance(minutes=1)
    return acts


@pytest.fixture
def read(store, clock):
    async def read(remembered=None):
        return await store.read_public(
            lambda view: view.page_facts(WORKSPACE, at=clock(), remembered=remembered)
        )

    return read


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
async def test_a_page_is_the_same_with_what_is_remembered_and_without(acts, read, clock, history):
    remembered, projector = Remembered(), Projector()
    for act in (None, *history):
        if act is not None:
            await act(acts)
        fresh, facts = await read(), await read(remembered)

        assert facts == fresh
        assert projector.project(facts, clock()) == project(fresh, clock())


async def test_of_what_is_over_only_what_changed_is_read(acts, read, declare, clock):
    remembered = Remembered()
    before = {one.number: one for one in (await read(remembered)).incidents}
    await acts.change(ref=2, to="identified")
    await declare()
    clock.advance(seconds=10)
    after = {one.number: one for one in (await read(remembered)).incidents}

    assert {number: after[number] is before.get(number) for number in after} == {
        1: True,
        2: False,
        3: False,
    }
    await acts.withdraw(2)
    again = {one.number: one for one in (await read(remembered)).incidents}
    assert again[1] != after[1]


async def test_a_text_that_was_withdrawn_is_not_remembered(acts, read):
    remembered = Remembered()
    await read(remembered)
    await acts.withdraw(2)
    await read(remembered)

    assert "rolling back" not in repr(vars(remembered))
