"""The group of responders is mentioned once when an incident becomes severe enough."""

import pytest

from core.decision import Envelope, Surface
from core.incident import Note, Place, Severity
from core.service import Incidents
from storage.outbox import Outbox
from tests.builders import (
    INCIDENTS_CHANNEL,
    NINE,
    a_change,
    a_declaration,
    a_workspace,
    an_id,
    an_incident,
    decide,
    known,
)

LOW, MEDIUM, HIGH, CRITICAL = (
    Severity.LOW,
    Severity.MEDIUM,
    Severity.HIGH,
    Severity.CRITICAL,
)
SEVERE = frozenset({HIGH, CRITICAL})
MENTION = Envelope(surface=Surface.MENTION, channel=INCIDENTS_CHANNEL, entry=2)
MENTIONING = a_workspace(mention_at=SEVERE, responders_group="S0RESPONDERS")
SECLUDED = Place(INCIDENTS_CHANNEL, private=True)


@pytest.mark.parametrize(
    ("incident", "to", "facts", "mentions"),
    [
        ({"severity": LOW}, HIGH, {}, [MENTION]),
        ({"severity": LOW}, MEDIUM, {}, []),
        ({"severity": HIGH}, CRITICAL, {}, []),
        ({"severity": HIGH}, LOW, {}, []),
        ({"severity": LOW}, HIGH, {"mentioned": True}, []),
        ({"severity": LOW}, HIGH, {"workspace": a_workspace()}, []),
        ({"severity": LOW, "place": None}, HIGH, {}, []),
        ({"severity": LOW, "private": True}, HIGH, {}, []),
        ({"severity": LOW, "private": True, "place": SECLUDED}, HIGH, {}, [MENTION]),
    ],
    ids=[
        "raised",
        "not enough",
        "severe already",
        "lowered",
        "mentioned before",
        "nobody is to be",
        "without a channel",
        "privately",
        "in a private channel",
    ],
)
def test_an_incident_that_is_raised_mentions_the_group(incident, to, facts, mentions):
    facts = known(**({"workspace": MENTIONING} | facts))
    decision = decide(an_incident(**incident), a_change(severity=to), facts, at=NINE)

    assert [one for one in decision.envelopes if one.surface is Surface.MENTION] == mentions


async def test_it_is_mentioned_once_in_its_life(store, clock):
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await incidents.execute(a_declaration(id=an_id(1), severity=LOW))
    await incidents.execute(a_change(ref=1, note=Note("db-3")))
    for severity in (HIGH, LOW, CRITICAL, HIGH):
        await incidents.execute(a_change(ref=1, severity=severity))

    waiting = await Outbox(store).undelivered()
    assert [one.entry for one in waiting if one.surface is Surface.MENTION] == [3]


@pytest.fixture
def defaults():
    return MENTIONING.settings
