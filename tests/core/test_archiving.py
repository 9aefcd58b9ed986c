"""The look at channels of ended incidents: each stage is done once."""

import pytest

from core.archiving import Channels
from core.channel import ChannelAct
from core.commands import SetChannel
from core.decision import Surface
from core.service import Incidents
from core.store import ChannelName
from core.workspace import IncidentChannels
from storage.facts import ChannelMade
from storage.outbox import Outbox
from tests.builders import WORKSPACE, a_change, a_declaration, an_actor, an_id, the_settings
from tests.stores import FoundByTwo


@pytest.fixture
def defaults():
    return the_settings(incident_channels=IncidentChannels(offered=True))


@pytest.fixture
def woken():
    return []


@pytest.fixture
def look(store, clock, woken):
    return Channels(store, clock=clock, wake=lambda: woken.append(clock.now)).look


async def effects(store):
    waiting = await Outbox(store).undelivered()
    last = (Surface.CHANNEL_CLOSING, Surface.CHANNEL_ARCHIVE)
    return [one.surface for one in waiting if one.surface in last]


@pytest.fixture
async def ended(store, clock):
    """An incident that has ended, with a channel of its own."""
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await incidents.execute(a_declaration(id=an_id(1)))
    await incidents.execute(SetChannel(actor=an_actor(), ref=1, act=ChannelAct.OPEN))
    outbox = Outbox(store)
    for message in await outbox.claim("w", limit=10, at=clock()):
        made = ChannelMade("C0OWN") if message.surface is Surface.CHANNEL else None
        await outbox.delivered(message, at=clock(), posted=made)
    for to in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=to))
    return incidents


async def test_each_stage_is_done_once(store, ended, look, clock, woken):
    seen = []
    for days in (0, 2, 0, 1, 0, 9):
        clock.advance(days=days)
        await look()
        seen.append(await effects(store))

    told = [Surface.CHANNEL_CLOSING]
    assert seen == [[], told, told, *[[*told, Surface.CHANNEL_ARCHIVE]] * 3]
    assert len(woken) == 2


async def test_a_channel_that_another_process_has_done_is_passed_over(store, ended, look, clock):
    name = ChannelName(WORKSPACE, an_id(1), private=False)
    gone = [name._replace(incident=an_id("nowhere")), name._replace(private=True), name]
    clock.advance(days=2)
    await look()

    await Channels(FoundByTwo(store, gone), clock=clock, wake=lambda: None).look()

    assert await effects(store) == [Surface.CHANNEL_CLOSING]
