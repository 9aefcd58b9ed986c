"""Which incidents exist for a person, and which one a request without a number is about."""

from dataclasses import replace

import pytest

from core.boards import BoardFilter
from core.channel import ChannelAct
from core.commands import Acknowledge, Redact, SetChannel
from core.incident import Place
from core.missing import NotFound, WhichIncident
from core.ranking import Ranking
from core.settings import Setting
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    a_change,
    an_actor,
    an_id,
)

ADMIN = an_actor(LINUS, admin=True)
API = an_actor(CI, channel=None, sees_private=True)


async def test_a_private_incident_does_not_exist_for_others(incidents, declare):
    hidden = await declare(private=True, owner=GRACE)
    outsider = an_actor(LINUS)

    for ref, missing in [(1, 9), (hidden.id, an_id("nowhere"))]:
        told = []
        for asked in (ref, missing):
            with pytest.raises(NotFound) as refused:
                await incidents.card(outsider, asked)
            told.append(refused.value.message.replace(str(asked), "…"))
        assert told[0] == told[1]
    for command in [
        a_change(actor=outsider, ref=1, to="identified"),
        Acknowledge(actor=outsider, ref=hidden.id),
        Redact(actor=outsider, ref=1, entry=1),
    ]:
        with pytest.raises(NotFound):
            await incidents.execute(command)
    with pytest.raises(NotFound):
        await incidents.timeline(outsider, 1)
    assert (await incidents.board(outsider, BoardFilter())).items == ()
    for insider in (an_actor(ADA), an_actor(GRACE), ADMIN, API):
        assert (await incidents.card(insider, 1)).incident == hidden
        assert (await incidents.board(insider, BoardFilter())).items == (hidden,)


async def test_an_incident_of_another_workspace_does_not_exist(incidents, declare):
    elsewhere = await declare(actor=an_actor(workspace="T0OTHER"))

    for ref in (1, elsewhere.id):
        with pytest.raises(NotFound):
            await incidents.card(ADMIN, ref)
        with pytest.raises(NotFound):
            await incidents.execute(a_change(actor=ADMIN, ref=ref, to="identified"))
    assert (await declare()).number == 1


async def test_a_channel_names_its_only_open_incident(incidents, declare):
    with pytest.raises(WhichIncident) as refused:
        await incidents.card(an_actor(), None)
    assert refused.value.open_here == ()

    first = await declare()
    assert (await incidents.execute(a_change(ref=None, note="n"))).incident.number == first.number

    second = await declare()
    with pytest.raises(WhichIncident) as refused:
        await incidents.execute(a_change(ref=None, note="n"))
    assert [incident.number for incident in refused.value.open_here] == [2, 1]
    assert (await incidents.open_here(an_actor())).items == refused.value.open_here

    for to in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=to))
    assert (await incidents.card(an_actor(), None)).incident == second


async def test_a_channel_names_no_incident_elsewhere_and_none_over_the_api(incidents, declare):
    await declare()

    for actor in (an_actor(channel="C0OTHER"), API):
        assert await incidents.open_here(actor) == Ranking(items=(), total=0)
        with pytest.raises(WhichIncident):
            await incidents.card(actor, None)


async def test_a_private_channel_names_its_private_incident(incidents, declare):
    war_room = {"place": Place("C0WARROOM", private=True)}
    hidden = await declare(private=True, **war_room)

    here = await incidents.open_here(an_actor(GRACE, channel="C0WARROOM"))
    assert here == Ranking(items=(hidden,), total=1)
    assert (await incidents.card(an_actor(GRACE, channel="C0WARROOM"), None)).incident == hidden
    with pytest.raises(NotFound):
        await incidents.card(an_actor(GRACE, channel=INCIDENTS_CHANNEL), 1)


async def test_in_an_own_channel_no_number_is_needed_even_after_the_end(incidents, declare):
    incident = await declare()
    offer = {Setting.INCIDENT_CHANNELS: "offer"}

    def made(tx, outcome):
        (own,) = outcome.incident.channels
        tx.save_channel(outcome.incident, replace(own, id="C0OWN"), (), at=NINE)

    await incidents.perform(
        a_change(ref=1, note="db-3"),
        lambda tx, _: tx.save_settings(ADMIN.workspace, offer, seen=None, by=LINUS, at=NINE),
    )
    await incidents.perform(SetChannel(actor=an_actor(), ref=1, act=ChannelAct.OPEN), made)
    there = an_actor(GRACE, channel="C0OWN")
    assert (await incidents.card(there, None)).incident.id == incident.id

    for status in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=status))

    assert (await incidents.card(there, None)).incident.id == incident.id
    with pytest.raises(WhichIncident):
        await incidents.card(an_actor(GRACE, channel="C0ELSEWHERE"), None)
