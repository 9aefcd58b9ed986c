"""Private later, public again, invitations, and how an incident ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.commands import NameResolution, SetInvitation, SetPrivacy
from core.decision import Envelope, Published, Surface
from core.incident import Kind, Place, PublicText, Resolution, Resolved, Visibility
from core.refusals import AlreadyPublic, InvalidDuplicate, NotOver, NotPrivate, TitleChanged
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    STATUS_CHANNEL,
    a_change,
    an_actor,
    an_incident,
    an_update,
    decide,
    known,
)

DELAY = timedelta(seconds=10)
WORKING = Envelope(surface=Surface.WORKING_CARD, channel=INCIDENTS_CHANNEL)
STATUS = Envelope(surface=Surface.STATUS_CARD, channel=STATUS_CHANNEL)
POSTS = Published(cards=(STATUS_CHANNEL,), replies=((STATUS_CHANNEL, 3),))
TEXT = an_update(entry=3, visibility=Visibility.PUBLIC, body="We look.")


def direct(person):
    return Envelope(surface=Surface.OWNER_CARD, channel=person.id)


def reply(surface, entry=3):
    return Envelope(surface=surface, channel=STATUS_CHANNEL, entry=entry)


def private(incident, by=GRACE, **facts):
    command = SetPrivacy(actor=an_actor(by), ref=42, private=True)
    return decide(incident, command, known(**facts), at=NINE)


def public(incident, *, title=None, **facts):
    command = SetPrivacy(actor=an_actor(), ref=42, private=False, expected_title=title)
    return decide(incident, command, known(**facts), at=NINE)


@pytest.mark.parametrize("status", ["investigating", "resolved"])
def test_the_public_side_is_taken_away_from_every_surface(status):
    decision = private(an_incident(owner=LINUS, status=status), published=POSTS)

    assert decision.incident.private
    assert decision.incident.invited == (GRACE,)
    assert [(one.kind, one.old, one.new) for one in decision.updates] == [
        (Kind.PRIVACY, "public", "private")
    ]
    assert decision.envelopes == (
        WORKING,
        direct(ADA),
        direct(LINUS),
        direct(GRACE),
        STATUS,
        reply(Surface.WITHDRAWAL),
    )


@pytest.mark.parametrize(
    ("by", "incident"),
    [(ADA, {}), (LINUS, {"owner": LINUS}), (GRACE, {"invited": (GRACE,)}), (CI, {})],
    ids=["declarer", "owner", "invited before", "an API key"],
)
def test_only_a_person_who_would_not_see_it_any_more_is_invited(by, incident):
    before = an_incident(**incident)

    assert private(before, by).incident.invited == before.invited


def test_a_declaration_that_is_still_held_back_never_becomes_public():
    held = an_incident(title_public_at=NINE + DELAY)

    decision = private(held)

    assert decision.incident.title_public_at is None
    assert all(one.not_before is None for one in decision.envelopes)


def test_only_what_is_held_back_becomes_private_unasked():
    held = an_incident(title_public_at=NINE + timedelta(seconds=10))
    renamed = replace(held, title_before="Down")
    command = SetPrivacy(actor=an_actor(), ref=42, private=True, held_only=True)

    assert decide(held, command, known(), at=NINE).incident.private
    for incident in (renamed, an_incident()):
        with pytest.raises(AlreadyPublic):
            decide(incident, command, known(), at=NINE)
        assert decide(incident, replace(command, held_only=False), known(), at=NINE).updates
    gone = replace(held, private=True)
    assert not decide(gone, command, known(), at=NINE).changes_anything


def test_a_side_that_is_taken_already_changes_nothing():
    assert not private(an_incident(private=True)).changes_anything
    assert not public(an_incident()).changes_anything


def test_public_again_is_held_back_with_card_and_texts():
    decision = public(
        an_incident(private=True), publish_delay=DELAY, published=POSTS, texts=(TEXT,)
    )
    at = NINE + DELAY

    assert (decision.incident.title_public_at, decision.incident.title_before) == (at, None)
    assert decision.incident.public_title(NINE) is None
    assert decision.envelopes == tuple(
        replace(one, not_before=at)
        for one in (WORKING, direct(ADA), STATUS, reply(Surface.WITHDRAWAL))
    )


def test_a_public_text_that_was_never_posted_is_posted_then():
    decision = public(an_incident(private=True), texts=(TEXT,))

    assert decision.envelopes[-2:] == (STATUS, reply(Surface.PUBLIC_UPDATE))


def test_nobody_makes_another_title_public_than_the_one_they_read():
    with pytest.raises(TitleChanged):
        public(an_incident(private=True), title="Something else")

    assert public(an_incident(private=True), title="Checkout is down").changes_anything


def invitation(incident, person, *, invited):
    command = SetInvitation(actor=an_actor(), ref=42, person=person, invited=invited)
    return decide(incident, command, known(), at=NINE)


def test_an_invited_person_gets_the_card():
    decision = invitation(an_incident(private=True), GRACE, invited=True)

    assert decision.incident.invited == (GRACE,)
    assert decision.envelopes == (direct(ADA), direct(GRACE))


def test_the_card_of_an_invited_person_ends_with_the_invitation():
    decision = invitation(an_incident(private=True, invited=(GRACE,)), GRACE, invited=False)

    assert decision.incident.invited == ()
    assert decision.envelopes == (direct(ADA), direct(GRACE))
    assert [(one.kind, one.old) for one in decision.updates] == [(Kind.UNINVITED, "Grace")]


def test_the_invited_get_a_card_where_a_private_channel_has_one_too():
    place = Place(INCIDENTS_CHANNEL, private=True)
    decision = invitation(an_incident(private=True, place=place), GRACE, invited=True)

    assert decision.envelopes == (WORKING, direct(GRACE))


def test_an_invitation_is_given_once_and_taken_back_once():
    incident = an_incident(private=True, invited=(GRACE,))

    assert not invitation(incident, GRACE, invited=True).changes_anything
    assert not invitation(incident, LINUS, invited=False).changes_anything


def test_nobody_is_invited_to_what_everybody_sees():
    with pytest.raises(NotPrivate):
        invitation(an_incident(), GRACE, invited=True)


# --- how it ended ----------------------------------------------------------------------------


def resolution(incident, how, number=None, **facts):
    command = NameResolution(actor=an_actor(), ref=42, how=how, duplicate_of=number)
    return decide(incident, command, known(**facts), at=NINE)


OVER = an_incident(status="resolved")


def test_how_it_ended_is_kept_and_corrected_and_shown_nowhere():
    first = resolution(OVER, Resolution.FIXED)
    second = resolution(
        first.incident, Resolution.DUPLICATE, 41, duplicate_of=an_incident(number=41)
    )

    assert first.incident.resolution == Resolved(how=Resolution.FIXED)
    assert second.incident.resolution.words == "duplicate of INC-41"
    assert [(one.old, one.new) for one in second.updates] == [("fixed", "duplicate of INC-41")]
    assert (first.envelopes, second.envelopes) == ((), ())
    assert not resolution(first.incident, Resolution.FIXED).changes_anything


def test_before_the_end_nobody_knows_how_it_ends():
    with pytest.raises(NotOver):
        resolution(an_incident(), Resolution.FIXED)


@pytest.mark.parametrize(
    ("how", "number", "other", "told"),
    [
        (Resolution.DUPLICATE, None, None, "must be named by its number, such as INC-41."),
        (Resolution.DUPLICATE, 41, None, "is unknown: there is no INC-41 here."),
        (Resolution.DUPLICATE, 42, OVER, "must be another one than INC-42."),
        (Resolution.FIXED, 41, an_incident(number=41), "must be named by its number"),
    ],
    ids=["of nothing", "of none that the actor sees", "of itself", "no duplicate"],
)
def test_a_duplicate_names_another_incident(how, number, other, told):
    with pytest.raises(InvalidDuplicate, match=f"The other incident {told}"):
        resolution(OVER, how, number, duplicate_of=other)


# --- one correction after the end ------------------------------------------------------------


def test_after_the_end_an_author_puts_one_text_in_the_place_of_a_withdrawn_one():
    withdrawn = replace(TEXT, body=None, redacted_at=NINE, redacted_by=ADA)
    decision = decide(
        OVER,
        a_change(public=PublicText("It was one region.")),
        known(correctable=withdrawn, publish_delay=DELAY),
        at=NINE,
    )

    (entry,) = decision.updates
    assert (entry.kind, entry.old, entry.visibility) == (Kind.CORRECTED, "3", Visibility.PUBLIC)
    assert entry.public_at == NINE + DELAY
    assert entry.status_change is None
    assert reply(Surface.PUBLIC_UPDATE, 2) in [
        replace(one, not_before=None) for one in decision.envelopes
    ]
