"""The readers of an incident, of its notes, and of one that is about to be declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.audience import (
    Audience,
    ReaderGroup,
    audience,
    audience_of_declaration,
    may_be_told,
    note_audience,
    reads,
)
from core.incident import Groups, Place
from tests.builders import ADA, CI, GRACE, INCIDENTS_CHANNEL, LINUS, an_actor, an_incident

EVERYONE = Audience(groups=(ReaderGroup.EVERYONE,), people={})
CLOSED = Place(INCIDENTS_CHANNEL, private=True)
PUBLIC = an_incident()
PRIVATE = an_incident(private=True, owner=GRACE, place=CLOSED)
OTHER_GROUP = Groups(responders="S0RESPONDERS", publishers=None)


@pytest.mark.parametrize(
    ("place", "private", "channels"),
    [
        (None, False, None),
        (CLOSED, False, None),
        (None, True, ()),
        (Place(INCIDENTS_CHANNEL), True, ()),
        (CLOSED, True, (INCIDENTS_CHANNEL,)),
    ],
)
def test_the_readers_of_a_declaration_are_those_of_its_incident(place, private, channels):
    asked = audience_of_declaration(ADA, place, private=private)

    assert asked == audience(an_incident(private=private, place=place, declared_by=ADA))
    if channels is None:
        assert asked == EVERYONE
    else:
        assert (asked.channels, asked.people[ReaderGroup.DECLARER]) == (channels, (ADA,))


@pytest.mark.parametrize(
    ("actor", "of_incident", "of_notes"),
    [
        (an_actor(ADA, channel=None), True, True),
        (an_actor(GRACE, channel=None), True, True),
        (an_actor(LINUS, channel=None), False, False),
        (an_actor(LINUS, channel=None, admin=True), True, True),
        (an_actor(LINUS, channel=INCIDENTS_CHANNEL), True, True),
        (an_actor(GRACE, channel=None, groups=OTHER_GROUP, responder=False), True, False),
        (an_actor(CI, channel=None, sees_private=True), True, True),
    ],
    ids=["declarer", "owner", "another", "admin", "in the channel", "no responder", "key"],
)
def test_notes_are_read_by_the_responders_among_the_readers(actor, of_incident, of_notes):
    assert reads(actor, audience(PRIVATE)) is of_incident
    assert reads(actor, note_audience(PRIVATE)) is of_notes


def test_notes_of_a_public_incident_are_for_responders_alone():
    stranger = an_actor(LINUS, groups=OTHER_GROUP, responder=False)

    assert reads(stranger, audience(PUBLIC))
    assert not reads(stranger, note_audience(PUBLIC))
    assert note_audience(PUBLIC) == replace(EVERYONE, among_responders=True)


@pytest.mark.parametrize(
    ("receiver", "told"),
    [(GRACE.id, True), (ADA.id, True), (INCIDENTS_CHANNEL, True), (LINUS.id, False), ("C0", False)],
)
def test_only_readers_are_sent_anything_about_a_private_incident(receiver, told):
    assert may_be_told(PRIVATE, receiver) is told
    assert may_be_told(PUBLIC, receiver)
