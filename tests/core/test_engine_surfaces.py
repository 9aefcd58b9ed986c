"""Surfaces: the messages in Slack that show a change; an envelope never holds a text."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from core.commands import Acknowledge, Redact, TakeNextStep
from core.decision import Envelope, Surface
from core.incident import Kind, Place, Severity, Visibility
from core.lifecycle import RESPONSE
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    a_change,
    a_declaration,
    a_workspace,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

WORKING = Envelope(surface=Surface.WORKING_CARD, channel=INCIDENTS_CHANNEL)
STATUS = Envelope(surface=Surface.STATUS_CARD, channel=STATUS_CHANNEL)
REPLY = Envelope(surface=Surface.PUBLIC_UPDATE, channel=STATUS_CHANNEL, entry=2)
WITHDRAWAL = Envelope(surface=Surface.WITHDRAWAL, channel=STATUS_CHANNEL, entry=2)
TO_ADA = Envelope(surface=Surface.OWNER_CARD, channel=ADA.id)
TO_GRACE = Envelope(surface=Surface.OWNER_CARD, channel=GRACE.id)
TO_LINUS = Envelope(surface=Surface.OWNER_CARD, channel=LINUS.id)


ASKS_GRACE = Envelope(surface=Surface.HAND_OVER, channel=GRACE.id, entry=2)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(a_change(to="identified"), (WORKING, STATUS), id="step"),
        pytest.param(TakeNextStep(actor=an_actor(), ref=42), (WORKING, STATUS), id="next step"),
        pytest.param(
            a_change(to="identified", note="db-3 lost quorum"), (WORKING, STATUS), id="step, note"
        ),
        pytest.param(a_change(note="db-3 lost quorum"), (), id="note"),
        pytest.param(a_change(public="Soon."), (WORKING, STATUS, REPLY), id="public update"),
        pytest.param(
            a_change(public="Soon.", note="db-3 lost quorum"),
            (WORKING, STATUS, REPLY),
            id="public update, note",
        ),
        pytest.param(
            a_change(public="Soon.", note="db-3 lost quorum", to="identified"),
            (WORKING, STATUS, REPLY),
            id="public update, note, step",
        ),
        pytest.param(Acknowledge(actor=an_actor(), ref=42), (WORKING,), id="acknowledgement"),
        pytest.param(a_change(owner=GRACE), (WORKING, ASKS_GRACE), id="owner"),
        pytest.param(a_change(severity=Severity.LOW), (WORKING, STATUS), id="severity"),
        pytest.param(a_change(title="Search is down"), (WORKING, STATUS), id="title"),
        pytest.param(a_change(components=("api",)), (WORKING, STATUS), id="components"),
        pytest.param(a_change(title="Checkout is down"), (), id="what is so already"),
        pytest.param(
            a_change(owner=GRACE, note="db-3 lost quorum"),
            (WORKING, replace(ASKS_GRACE, entry=3)),
            id="owner and note",
        ),
    ],
)
def test_each_change_is_shown_to_those_whom_it_concerns(command, shown):
    assert decide(an_incident(), command, known(), at=NINE).envelopes == shown


@pytest.mark.parametrize(
    ("status", "to", "facts", "replies"),
    [
        pytest.param("monitoring", "resolved", {}, [2], id="the end"),
        pytest.param("identified", "monitoring", {}, [], id="another step"),
        pytest.param("open", "resolved", {"lifecycle": RESPONSE}, [2], id="the public end"),
        pytest.param("resolved", "closed", {"lifecycle": RESPONSE}, [], id="after the public end"),
        pytest.param("monitoring", "resolved", {"private": True}, [], id="private"),
    ],
)
def test_a_bare_end_has_a_short_reply(status, to, facts, replies):
    incident = an_incident(status=status, **facts)

    decision = decide(incident, a_change(to=to, note="db-3"), known(), at=NINE)

    found = [one.entry for one in decision.envelopes if one.surface is Surface.PUBLIC_UPDATE]
    assert found == replies


def test_acknowledging_by_a_transition_is_shown_as_a_transition():
    command = Acknowledge(actor=an_actor(), ref=42)

    decision = decide(an_incident(lifecycle=RESPONSE), command, known(), at=NINE)

    assert decision.envelopes == (WORKING, STATUS)


# --- surfaces --------------------------------------------------------------------------------

IN_PRIVATE_CHANNEL = {"private": True, "place": Place(INCIDENTS_CHANNEL, private=True)}
INCIDENTS = [
    pytest.param({}, STATUS_CHANNEL, (WORKING, STATUS), id="public"),
    pytest.param({"owner": GRACE}, STATUS_CHANNEL, (WORKING, STATUS), id="public, with an owner"),
    pytest.param({}, None, (WORKING,), id="public, no status channel"),
    pytest.param(
        {"place": None}, STATUS_CHANNEL, (TO_ADA, STATUS), id="public, outside of any channel"
    ),
    pytest.param(
        {"place": None, "declared_by": CI}, STATUS_CHANNEL, (STATUS,), id="public, over the API"
    ),
    pytest.param(
        {"place": None, "declared_by": CI, "owner": GRACE},
        STATUS_CHANNEL,
        (STATUS,),
        id="public, over the API, with an owner",
    ),
    pytest.param(
        {"place": Place(INCIDENTS_CHANNEL, private=True)},
        STATUS_CHANNEL,
        (WORKING, STATUS),
        id="public, private channel",
    ),
    pytest.param({"private": True}, STATUS_CHANNEL, (TO_ADA,), id="private, public channel"),
    pytest.param(
        {"private": True, "owner": GRACE},
        STATUS_CHANNEL,
        (TO_ADA, TO_GRACE),
        id="private, public channel, with an owner",
    ),
    pytest.param(
        {"private": True, "owner": CI},
        STATUS_CHANNEL,
        (TO_ADA,),
        id="private, public channel, a key as owner",
    ),
    pytest.param(
        {"private": True, "owner": GRACE, "place": None},
        STATUS_CHANNEL,
        (TO_ADA, TO_GRACE),
        id="private, over the API, with an owner",
    ),
    pytest.param(
        IN_PRIVATE_CHANNEL | {"owner": GRACE}, STATUS_CHANNEL, (WORKING,), id="private channel"
    ),
    pytest.param(IN_PRIVATE_CHANNEL, None, (WORKING,), id="private channel, no status channel"),
]


@pytest.mark.parametrize(("incident", "status_channel", "shown"), INCIDENTS)
def test_a_declaration_is_shown_in_the_channels_that_may_show_it(incident, status_channel, shown):
    workspace = a_workspace(status_channel=status_channel)

    facts = dict(incident)
    actor = an_actor(facts.pop("declared_by", ADA))
    command = a_declaration(actor=actor, **facts)

    decision = decide(None, command, known(workspace=workspace), at=NINE)

    asks = (replace(ASKS_GRACE, entry=1),) if incident.get("owner") == GRACE else ()
    assert decision.envelopes == (*shown, *asks)


@pytest.mark.parametrize(("incident", "status_channel", "shown"), INCIDENTS)
@pytest.mark.parametrize(
    "asked", [{"to": "identified"}, {"severity": Severity.LOW}], ids=["step", "severity"]
)
def test_a_change_is_shown_in_the_channels_that_may_show_it(asked, incident, status_channel, shown):
    workspace = a_workspace(status_channel=status_channel)

    decision = decide(
        an_incident(**incident), a_change(**asked), known(workspace=workspace), at=NINE
    )

    assert decision.envelopes == shown


def test_the_card_of_a_private_incident_that_is_handed_over_ends_for_its_former_owner():
    incident = an_incident(private=True, owner=GRACE)

    decision = decide(incident, a_change(owner=LINUS), known(), at=NINE)

    asks = Envelope(surface=Surface.HAND_OVER, channel=LINUS.id, entry=2)
    lost = Envelope(surface=Surface.HAND_OVER_LOST, channel=GRACE.id, entry=2)
    assert decision.envelopes == (TO_ADA, TO_GRACE, TO_LINUS, lost, asks)


def test_an_incident_of_the_api_has_no_card_channel_and_a_private_one_only_a_private_one():
    assert an_incident(place=None).card_channel is None
    assert an_incident().card_channel == INCIDENTS_CHANNEL
    assert an_incident(private=True).card_channel is None
    assert an_incident(**IN_PRIVATE_CHANNEL).card_channel == INCIDENTS_CHANNEL


# --- redaction -------------------------------------------------------------------------------

NOTE = an_update()
PUBLIC = an_update(visibility=Visibility.PUBLIC, body="We are on it.")


@pytest.mark.parametrize(
    ("entry", "published_in", "shown"),
    [
        pytest.param(PUBLIC, (STATUS_CHANNEL,), (WITHDRAWAL, STATUS), id="public update"),
        pytest.param(
            replace(PUBLIC, kind=Kind.MOVED, new="identified"),
            (STATUS_CHANNEL,),
            (WITHDRAWAL, STATUS),
            id="public update with a step",
        ),
        pytest.param(
            PUBLIC,
            ("C0FORMER", STATUS_CHANNEL),
            (
                replace(WITHDRAWAL, channel="C0FORMER"),
                replace(STATUS, channel="C0FORMER"),
                WITHDRAWAL,
                STATUS,
            ),
            id="public update, sent to another channel before",
        ),
        pytest.param(NOTE, (), (), id="note"),
        pytest.param(
            replace(PUBLIC, body=None, redacted_at=NINE, redacted_by=ADA),
            (STATUS_CHANNEL,),
            (),
            id="withdrawn already",
        ),
    ],
)
def test_a_text_is_withdrawn_in_every_channel_that_shows_it(entry, published_in, shown):
    decision = decide(
        an_incident(last_entry=2, version=2),
        Redact(actor=an_actor(), ref=42, entry=2),
        known(
            entry=entry,
            published_in=published_in,
            workspace=a_workspace(status_channel=None),
        ),
        at=NINE + timedelta(minutes=1),
    )

    assert decision.envelopes == shown


def test_a_withdrawal_waits_for_the_update_that_it_edits():
    held_back = replace(PUBLIC, public_at=NINE + timedelta(seconds=10))
    decision = decide(
        an_incident(last_entry=2, version=2),
        Redact(actor=an_actor(), ref=42, entry=2),
        known(entry=held_back, published_in=(STATUS_CHANNEL,)),
        at=NINE,
    )

    waiting = replace(WITHDRAWAL, not_before=held_back.public_at)
    assert decision.envelopes == (WORKING, waiting, STATUS)


# --- the hold --------------------------------------------------------------------------------

DELAY = timedelta(seconds=10)


@pytest.mark.parametrize("to", [None, "identified"])
def test_a_public_text_and_a_title_are_held_back_and_nothing_else_of_their_change(to):
    change = a_change(to=to, public="We look.", note="db-3", title="Slow")
    decision = decide(an_incident(), change, known(publish_delay=DELAY), at=NINE)

    assert [update.public_at for update in decision.updates] == [
        NINE + DELAY,
        None,
        NINE + DELAY,
    ]
    assert {envelope.surface: envelope.not_before for envelope in decision.envelopes} == {
        Surface.WORKING_CARD: None,
        Surface.STATUS_CARD: NINE + DELAY,
        Surface.PUBLIC_UPDATE: NINE + DELAY,
    }


def test_without_a_delay_a_public_text_is_not_held_back():
    decision = decide(an_incident(), a_change(public="We look."), known(), at=NINE)

    assert {update.public_at for update in decision.updates} == {None}
    assert {envelope.not_before for envelope in decision.envelopes} == {None}


# --- privacy ---------------------------------------------------------------------------------


def test_an_envelope_has_a_target_and_a_subject_and_no_text():
    named = [field.name for field in fields(Envelope)]

    assert named == ["surface", "channel", "entry", "not_before"]


def test_two_changes_that_differ_only_in_their_notes_leave_the_same_envelopes():
    said, unsaid = (
        decide(an_incident(), a_change(to="identified", note=note), known(), at=NINE).envelopes
        for note in ("db-3 lost quorum", None)
    )

    assert said == unsaid
