"""Channels of their own in decisions: opened, followed, filled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.channel import ChannelAct, ChannelStage, OwnChannel
from core.commands import Redact, SetChannel, SetInvitation, SetPrivacy, WriteReport
from core.decision import Envelope, Surface
from core.incident import KEPT, OPENED, Kind, Note, Person, Severity
from core.lifecycle import RESPONSE
from core.opening import closing, is_note, opened, people_of
from core.refusals import ChannelArchived, IncidentResolved, NoChannels
from core.workspace import IncidentChannels
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    a_change,
    a_declaration,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

OFFERED = a_workspace(incident_channels=IncidentChannels(offered=True))
SEVERE = a_workspace(
    incident_channels=IncidentChannels(
        offered=True, at=frozenset({Severity.CRITICAL, Severity.HIGH})
    )
)
OPEN, KEEP = (
    SetChannel(actor=an_actor(), ref=42, act=act) for act in (ChannelAct.OPEN, ChannelAct.KEEP)
)
ITS = OwnChannel(private=False, entry=2, id="C0OWN")
SECLUDED = replace(ITS, private=True, id="C0SECLUDED")
OWNED = an_incident(channels=(ITS,), last_entry=2)
HIDDEN = an_incident(private=True, channels=(SECLUDED,), last_entry=2)
CARD = Envelope(surface=Surface.WORKING_CARD, channel=INCIDENTS_CHANNEL)
MAKE = Envelope(surface=Surface.CHANNEL, channel="new:public")
NAME = Envelope(surface=Surface.CHANNEL_NAME, channel="C0OWN")
PEOPLE = Envelope(surface=Surface.CHANNEL_PEOPLE, channel="C0OWN")
# The word about the entry that changed the readers.
READERS = Envelope(surface=Surface.CHANNEL_READERS, channel="C0OWN", entry=3)


def about_channels(decision):
    return [one for one in decision.envelopes if one.surface.value.startswith("channel")]


def on(incident, command, **facts):
    return decide(incident, command, known(**{"workspace": OFFERED} | facts), at=NINE)


def test_a_channel_is_asked_for_and_everything_else_follows():
    decision = on(an_incident(), OPEN)

    assert [(one.kind, one.new) for one in decision.updates] == [(Kind.CHANNEL, OPENED)]
    assert decision.incident.channels == (OwnChannel(private=False, entry=2),)
    assert decision.envelopes == (CARD, MAKE)


def test_a_private_incident_gets_a_private_one():
    decision = on(an_incident(private=True, channels=(ITS,)), OPEN)

    assert decision.incident.channels == (ITS, OwnChannel(private=True, entry=2))
    assert about_channels(decision) == [replace(MAKE, channel="new:private")]


def test_a_second_one_for_the_same_readers_changes_nothing():
    assert on(OWNED, OPEN).incident == OWNED


def test_one_that_slack_did_not_make_is_asked_for_again():
    failed = replace(ITS, id=None, error="missing_scope")
    decision = on(replace(OWNED, channels=(failed,)), OPEN)

    assert decision.incident.channels == (OwnChannel(private=False, entry=3),)


def test_without_the_setting_or_after_the_end_none_is_opened():
    with pytest.raises(NoChannels):
        on(an_incident(), OPEN, workspace=a_workspace())
    with pytest.raises(IncidentResolved):
        on(an_incident(status="resolved"), OPEN)


def test_one_that_is_opened_after_the_public_end_ends_at_once():
    decision = on(an_incident(lifecycle=RESPONSE, status="resolved"), OPEN)

    assert [one.over_at for one in decision.incident.channels] == [NINE]


@pytest.mark.parametrize(
    ("before", "command", "opens"),
    [
        (None, a_declaration(severity=Severity.HIGH), True),
        (None, a_declaration(severity=Severity.LOW), False),
        (an_incident(severity=Severity.LOW), a_change(severity=Severity.HIGH), True),
        (an_incident(severity=Severity.LOW), a_change(severity=Severity.MEDIUM), False),
        (an_incident(severity=Severity.HIGH), a_change(severity=Severity.CRITICAL), False),
        (replace(OWNED, severity=Severity.LOW), a_change(severity=Severity.HIGH), False),
        (an_incident(severity=Severity.LOW), a_change(to="identified"), False),
    ],
)
def test_a_severity_of_the_setting_opens_one_by_itself(before, command, opens):
    decision = on(before, command, workspace=SEVERE)

    assert (MAKE in decision.envelopes) is opens


def test_the_end_at_such_a_severity_opens_none():
    before = an_incident(status="monitoring", severity=Severity.LOW)
    decision = on(before, a_change(to="resolved", severity=Severity.HIGH), workspace=SEVERE)

    assert decision.incident.channels == ()


def test_the_name_waits_for_the_hold_of_the_title():
    held = NINE + timedelta(seconds=10)
    declared = on(None, a_declaration(), workspace=SEVERE, publish_delay=timedelta(seconds=10))
    renamed = on(OWNED, a_change(title="Cards fail"), publish_delay=timedelta(seconds=10))
    hidden = on(HIDDEN, a_change(title="Cards fail"), publish_delay=timedelta(seconds=10))

    assert about_channels(declared) == [replace(MAKE, not_before=held)]
    assert about_channels(renamed) == [replace(NAME, not_before=held)]
    assert about_channels(hidden) == [replace(NAME, channel="C0SECLUDED")]


def test_new_people_are_invited_and_the_card_is_edited():
    decision = on(OWNED, a_change(owner=GRACE))

    assert about_channels(decision) == [PEOPLE]
    assert replace(CARD, channel="C0OWN") in decision.envelopes


def test_an_unchanged_incident_changes_no_channel():
    assert on(OWNED, a_change(severity=OWNED.severity)).envelopes == ()


def test_the_end_and_a_new_beginning_are_followed():
    ended = on(replace(OWNED, status="monitoring"), a_change(to="resolved")).incident

    assert [one.over_at for one in ended.channels] == [NINE]


def test_notes_go_to_a_private_channel_alone():
    note = a_change(note=Note("db-3 lost quorum"))
    told = Envelope(surface=Surface.CHANNEL_NOTE, channel="C0SECLUDED", entry=3)

    assert about_channels(on(HIDDEN, note)) == [told]
    assert about_channels(on(OWNED, note)) == []
    assert about_channels(on(replace(HIDDEN, private=False), note)) == []
    assert about_channels(on(replace(HIDDEN, private=False, channels=(ITS, SECLUDED)), note)) == []


def test_a_section_of_the_report_is_no_note():
    assert not is_note(an_update(kind=Kind.REPORTED))
    assert is_note(an_update())
    assert not is_note(an_update(body=None))

    wrote = WriteReport(actor=an_actor(), ref=42, seen=2, cause=Note("A full disk."))
    assert about_channels(on(HIDDEN, wrote)) == []


def test_a_note_that_is_withdrawn_is_withdrawn_in_every_private_channel():
    note = an_update(HIDDEN)
    both = replace(HIDDEN, private=False, channels=(ITS, SECLUDED, replace(SECLUDED, id=None)))
    withdraw = Redact(actor=an_actor(), ref=42, entry=2)
    told = Envelope(surface=Surface.CHANNEL_NOTE, channel="C0SECLUDED", entry=2)

    assert about_channels(on(both, withdraw, entry=note)) == [told]
    section = an_update(HIDDEN, kind=Kind.REPORTED, new="cause")
    assert about_channels(on(both, withdraw, entry=section)) == []


def test_an_incident_that_becomes_private_leaves_its_public_channel():
    hide = SetPrivacy(actor=an_actor(), ref=42, private=True)
    decision = on(replace(OWNED, status="resolved", channels=(replace(ITS, over_at=NINE),)), hide)

    assert about_channels(decision) == [NAME, READERS]
    assert replace(CARD, channel="C0OWN") in decision.envelopes
    assert decision.incident.own_channel is None
    assert [one.over_at for one in decision.incident.channels] == [None]


def test_an_incident_that_becomes_public_again_returns_to_its_channel():
    show = SetPrivacy(actor=an_actor(), ref=42, private=False)
    before = replace(HIDDEN, channels=(ITS, SECLUDED))
    waiting = replace(HIDDEN, channels=(replace(ITS, id=None), SECLUDED))

    former = [replace(one, channel="C0SECLUDED") for one in (NAME, READERS)]
    assert about_channels(on(before, show)) == [NAME, PEOPLE, READERS, *former]
    assert about_channels(on(waiting, show)) == [MAKE, *former]


def test_an_invitation_is_one_to_the_channel_too():
    invite = SetInvitation(actor=an_actor(), ref=42, person=GRACE, invited=True)

    assert about_channels(on(HIDDEN, invite)) == [replace(PEOPLE, channel="C0SECLUDED")]


def test_a_channel_that_is_kept_or_archived():
    gone = replace(ITS, stage=ChannelStage.ARCHIVED)
    both = on(replace(HIDDEN, channels=(gone, SECLUDED)), KEEP)

    assert [(one.kind, one.new) for one in both.updates] == [(Kind.CHANNEL, KEPT)]
    assert both.incident.channels == (gone, replace(SECLUDED, kept=True))
    assert on(both.incident, KEEP).incident == both.incident
    with pytest.raises(ChannelArchived):
        on(replace(OWNED, channels=(gone,)), KEEP)


KEEP_TITLE = WriteReport(actor=an_actor(), ref=42, seen=2, cause=Note("A full disk."))


def test_an_archived_channel_is_followed_no_more():
    gone = replace(OWNED, channels=(replace(ITS, stage=ChannelStage.ARCHIVED, over_at=NINE),))
    ended = replace(gone, status="resolved")
    hide = SetPrivacy(actor=an_actor(), ref=42, private=True)

    assert about_channels(on(ended, KEEP_TITLE)) == []
    # What it says in public is private now.
    assert about_channels(on(ended, hide)) == [NAME]
    assert replace(CARD, channel="C0OWN") in on(ended, hide).envelopes


def test_people_of_a_channel_are_the_readers_of_a_private_incident():
    people = {"owner": GRACE, "invited": (LINUS, Person("key:x", "x"))}

    assert people_of(an_incident(private=True, **people)) == {ADA.id, GRACE.id, LINUS.id}
    assert people_of(an_incident(**people)) == {ADA.id, GRACE.id}
    assert people_of(an_incident(declared_by=CI)) == set()


def test_messages_that_follow_the_creation():
    name, people = (replace(one, channel="C0SECLUDED") for one in (NAME, PEOPLE))
    note = Envelope(surface=Surface.CHANNEL_NOTE, channel="C0SECLUDED", entry=4)

    assert opened(HIDDEN, SECLUDED, [4])[-3:] == (name, people, note)
    assert opened(OWNED, ITS, [4]) == (CARD, replace(CARD, channel="C0OWN"), NAME, PEOPLE)
    assert opened(OWNED, replace(ITS, id=None), []) == ()
    assert opened(replace(OWNED, private=True), ITS, [])[-1] == NAME
    assert PEOPLE not in opened(replace(OWNED, private=True), ITS, [])


def test_the_messages_of_the_end():
    told = Envelope(surface=Surface.CHANNEL_CLOSING, channel="C0OWN", entry=2)
    archive = Envelope(surface=Surface.CHANNEL_ARCHIVE, channel="C0OWN")

    assert closing(OWNED, replace(ITS, stage=ChannelStage.ANNOUNCED)) == (told,)
    assert closing(OWNED, replace(ITS, stage=ChannelStage.ARCHIVED)) == (archive,)
    assert closing(OWNED, ITS) == closing(OWNED, replace(ITS, id=None)) == ()
