"""Every sentence about readers is true: held against the policy, for every kind of person."""

import re
from dataclasses import replace
from itertools import product

import pytest

from bot.slack.words import (
    RESPONDERS,
    declaration_hint,
    fact_hint,
    note_hint,
    places_left,
    public_hint,
    readers_in_public,
    who_sees,
)
from core.audience import audience, audience_of_declaration, note_audience, reads
from core.incident import Membership, Person, Place
from core.policy import may_read_notes, may_see
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    a_workspace,
    an_actor,
    an_incident,
)

MARY, ALAN = Person("U0MARY", "Mary"), Person("U0ALAN", "Alan")
HERE, ELSEWHERE = Place(INCIDENTS_CHANNEL, private=True), Place(INCIDENTS_CHANNEL)

INCIDENTS = [
    an_incident(private=private, place=place, owner=owner, invited=invited)
    for private, place, owner, invited in product(
        [False, True], [None, HERE, ELSEWHERE], [None, ADA, GRACE], [(), (LINUS,), (GRACE, LINUS)]
    )
]
# Each kind of person: who they are, what they may do, and where they ask.
PEOPLE = [
    an_actor(person, admin=admin, responder=responder, channel=channel)
    for person, admin, responder, channel in product(
        [ADA, GRACE, LINUS, MARY],
        [False, True],
        [False, True],
        [None, INCIDENTS_CHANNEL, "C0OTHER"],
    )
]


def is_told_to_read(sentence, actor):
    """Whether a person who reads ``sentence`` learns that they are among the readers."""
    return (
        "everyone" in sentence
        or f"<@{actor.person.id}>" in sentence
        or ("workspace admins" in sentence and actor.admin)
        or (actor.channel is not None and f"people in <#{actor.channel}>" in sentence)
    )


@pytest.mark.parametrize("incident", INCIDENTS, ids=range(len(INCIDENTS)))
def test_the_sentence_names_exactly_those_who_may_see_the_incident(incident):
    sentence = who_sees(incident)

    for actor in PEOPLE:
        assert is_told_to_read(sentence, actor) is may_see(actor, incident)


@pytest.mark.parametrize("incident", INCIDENTS, ids=range(len(INCIDENTS)))
def test_the_reader_of_the_sentence_is_called_you_only_if_they_are_named(incident):
    for person in (ADA, GRACE, LINUS, MARY):
        sentence = who_sees(incident, reader=person.id)
        named = f"<@{person.id}>" in who_sees(incident)

        assert bool(re.search(r"\byou\b(?! invite)", sentence)) is named
        assert f"<@{person.id}>" not in sentence


@pytest.mark.parametrize("incident", INCIDENTS, ids=range(len(INCIDENTS)))
def test_notes_are_read_by_the_responders_among_them(incident):
    for actor in PEOPLE:
        may = may_see(actor, incident) and may_read_notes(actor)

        assert reads(actor, note_audience(incident)) is may


SHOWN, HIDDEN = a_workspace(status_channel="C0STATUS"), a_workspace(status_channel=None)
EVERYONE = "Everyone in the status channel will read this."
EVERYBODY_HERE = "Read by everyone in this workspace."


def is_named(sentence, actor, incident):
    """Whether ``actor`` learns from ``sentence``, in plain text, that they are a reader."""
    here = actor.channel is not None and actor.channel == incident.card_channel
    return (
        sentence in {EVERYONE, EVERYBODY_HERE, RESPONDERS}
        or re.search(rf"\b{actor.person.name}\b", sentence) is not None
        or ("workspace admins" in sentence and actor.admin)
        or ("people in the private channel of its card" in sentence and here)
    )


@pytest.mark.parametrize("incident", INCIDENTS, ids=range(len(INCIDENTS)))
def test_the_hint_at_each_box_names_exactly_its_readers(incident):
    for actor in PEOPLE:
        sees = may_see(actor, incident)
        note = note_hint(incident)

        assert is_named(fact_hint(incident, HIDDEN), actor, incident) is sees
        assert is_named(fact_hint(incident, SHOWN), actor, incident) is sees
        assert note.startswith("Responders only")
        assert (actor.responder and is_named(note, actor, incident)) is (
            sees and may_read_notes(actor)
        )


def test_a_hint_of_a_note_says_of_the_invited_only_that_they_may_see_the_incident():
    hint = note_hint(an_incident(private=True, invited=(LINUS,)))

    assert hint == (
        "Responders only, and of them only those who may see INC-42: Ada, Linus, its owner, "
        "workspace admins and whoever you invite. Never leaves this workspace."
    )


@pytest.mark.parametrize("incident", INCIDENTS, ids=range(len(INCIDENTS)))
def test_only_an_incident_that_everybody_sees_has_a_box_for_public_texts(incident):
    everybody_sees = all(may_see(actor, incident) for actor in PEOPLE)

    assert public_hint(incident, SHOWN) == (EVERYONE if everybody_sees else None)
    assert public_hint(incident, HIDDEN) is None


@pytest.mark.parametrize("place", [None, HERE, ELSEWHERE], ids=["none", "private", "public"])
@pytest.mark.parametrize("private", [True, False])
def test_the_dialog_of_a_declaration_knows_its_readers_beforehand(place, private):
    declared = an_incident(declared_by=ADA, place=place, private=private)
    before = audience_of_declaration(ADA, place, private=private)

    assert before == audience(declared)
    for actor in PEOPLE:
        assert reads(actor, before) is may_see(actor, declared)


@pytest.mark.parametrize("place", [None, HERE, ELSEWHERE], ids=["none", "private", "public"])
def test_the_box_of_a_declaration_names_exactly_its_readers(place):
    hint = declaration_hint(ADA, place, HIDDEN, secluded=False)
    ticked, unticked = hint.split(" Not ticked: ")
    declared = an_incident(declared_by=ADA, place=place, private=True)

    assert unticked == "everyone in this workspace."
    for actor in PEOPLE:
        named = (
            actor.person == ADA
            or (actor.admin and "workspace admins" in ticked)
            or ("people in this channel" in ticked and actor.channel == INCIDENTS_CHANNEL)
        )
        assert named is may_see(actor, declared)


FACTS = "will read its title, severity, status, components and times."


@pytest.mark.parametrize(
    ("workspace", "everyone"),
    [
        (a_workspace(status_channel=None), ""),
        (SHOWN, f"; everyone in the status channel {FACTS}"),
        (
            replace(SHOWN, page=True),
            f"; everyone in the status channel and on the status page {FACTS}",
        ),
        (replace(HIDDEN, webhooks=True), f"; everyone behind webhooks {FACTS}"),
        (
            replace(HIDDEN, subscriptions=1),
            f"; everyone in subscribed channels whose filter it passes {FACTS}",
        ),
        (None, f"; everyone where incidents are public {FACTS}"),
    ],
)
def test_the_box_of_a_declaration_names_the_places_where_it_would_be_public(workspace, everyone):
    hint = declaration_hint(ADA, ELSEWHERE, workspace, secluded=False)

    unticked = f" Not ticked: everyone in this workspace{everyone}"
    assert hint.endswith(unticked if everyone else f"{unticked}.")
    # The same places as in the answer to a declaration.
    assert bool(everyone) is bool(workspace is None or readers_in_public(workspace))


def test_an_owner_and_the_invited_who_are_still_to_come_are_named():
    sentence = who_sees(an_incident(private=True))

    assert "its owner" in sentence
    assert "whoever you invite" in sentence


def test_a_key_reads_every_incident_and_people_of_other_workspaces_none():
    private = an_incident(private=True)

    assert may_see(an_actor(CI, sees_private=True), private)
    assert not may_see(an_actor(ADA, workspace="T0OTHER"), private)
    assert not may_see(an_actor(ALAN, membership=Membership.GUEST), private)


@pytest.mark.parametrize(
    ("places", "channels", "readers", "hint"),
    [
        ({}, None, None, None),
        (
            {"status_channel": "C0STATUS"},
            None,
            "everyone in <#C0STATUS>",
            "Everyone in the status channel will read this.",
        ),
        (
            {"status_channel": "C0STATUS", "page": True},
            None,
            "everyone in <#C0STATUS> and on the status page",
            "Everyone in the status channel and on the status page will read this.",
        ),
        (
            {"status_channel": "C0STATUS", "subscriptions": 2, "page": True},
            None,
            (
                "everyone in <#C0STATUS>, in subscribed channels whose filter it passes and on "
                "the status page"
            ),
            (
                "Everyone in the status channel, in subscribed channels whose filter it passes "
                "and on the status page will read this."
            ),
        ),
        (
            {"subscriptions": 1},
            None,
            "everyone in subscribed channels whose filter it passes",
            "Everyone in subscribed channels whose filter it passes will read this.",
        ),
        (
            {"status_channel": "C0STATUS", "subscriptions": 1},
            ["C0STATUS", "C0CUSTOMERS"],
            "everyone in <#C0STATUS> and in <#C0CUSTOMERS>",
            (
                "Everyone in the status channel and in subscribed channels whose filter it passes "
                "will read this."
            ),
        ),
        (
            {"subscriptions": 7},
            [f"C0{number}" for number in range(7)],
            "everyone in <#C00>, in <#C01>, in <#C02>, in <#C03>, in <#C04> and in 2 more channels",
            "Everyone in subscribed channels whose filter it passes will read this.",
        ),
        (
            {"subscriptions": 1},
            [],
            None,
            "Everyone in subscribed channels whose filter it passes will read this.",
        ),
        (
            {"webhooks": True},
            None,
            "everyone behind webhooks",
            "Everyone behind webhooks will read this.",
        ),
        (
            {"status_channel": "C0STATUS", "page": True, "webhooks": True},
            None,
            "everyone in <#C0STATUS>, on the status page and behind webhooks",
            (
                "Everyone in the status channel, on the status page and behind webhooks will "
                "read this."
            ),
        ),
        (
            {"subscriptions": 0, "page": True},
            None,
            "everyone on the status page",
            "Everyone on the status page will read this.",
        ),
    ],
)
def test_the_readers_of_what_is_public_are_those_of_its_places(places, channels, readers, hint):
    channel, others = places.get("status_channel"), places.keys() - {"status_channel"}
    workspace = a_workspace(status_channel=channel)
    workspace = replace(workspace, **{name: places[name] for name in others})

    assert readers_in_public(workspace, channels) == readers
    assert public_hint(an_incident(), workspace) == hint
    assert (readers_in_public(workspace) is None) is not workspace.has_public_surface
    assert public_hint(an_incident(private=True), workspace) is None


def test_the_places_that_an_incident_leaves_are_all_that_show_it():
    nowhere = a_workspace(status_channel=None)
    on_the_page = replace(nowhere, page=True)
    channels = ("C0STATUS", "C0ALL")

    assert places_left(nowhere, ()) is None
    assert places_left(on_the_page, ()) == "the status page and its feeds"
    assert places_left(replace(on_the_page, webhooks=True), channels) == (
        "<#C0STATUS>, <#C0ALL>, the status page, its feeds and webhooks"
    )
