"""The leak guard over the use cases: what is compared, and when nothing is."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from core.commands import Redact, SetPrivacy, Walk
from core.denials import Denied
from core.guarding import refuse_leaks
from core.incident import Note, PublicText
from core.leaks import LeakKind
from core.refusals import PossibleLeak
from tests.builders import (
    GRACE,
    NINE,
    a_change,
    a_declaration,
    a_workspace,
    an_actor,
    decide,
    known,
)

NOTE = "db-3 lost its quorum"
LEAK = "The host db-3 is down."


@pytest.fixture
async def declared(incidents):
    """INC-1, with a private note and a description."""
    await incidents.execute(a_declaration(description="Seen on web_14 first"))
    await incidents.execute(a_change(ref=1, note=NOTE))


def change(text, **more):
    return a_change(ref=1, public=text, **more)


OPENED = SetPrivacy(actor=an_actor(), ref=1, private=False)


@pytest.mark.parametrize(
    ("title", "text", "note", "found"),
    [
        ("db-3 is down", None, NOTE, ["db-3"]),
        ("Checkout is down", "We moved it off db-3.", NOTE, ["db-3"]),
        ("db-3 is down", "We moved it off db-3.", NOTE, ["db-3", "db-3"]),
        ("Write to ops@example.com", None, None, ["ops@example.com"]),
    ],
    ids=["title", "text", "both", "shape"],
)
async def test_what_a_private_incident_makes_public_is_looked_at(
    incidents, title, text, note, found
):
    await incidents.execute(a_declaration(title="Checkout is down", description=f"{title} now"))
    if text:
        await incidents.execute(change(text, confirmed=True))
    private = replace(OPENED, private=True)
    await incidents.execute(private)
    await incidents.execute(a_change(ref=1, title=title, note=note or "A plain word"))

    with pytest.raises(PossibleLeak) as refused:
        await incidents.execute(OPENED)

    error = refused.value
    assert [error.text[one.start : one.end] for one in error.findings] == found
    assert error.message.startswith("INC-1 stays private: the title, or a text that becomes")
    assert (await incidents.find(an_actor(), 1)).private
    assert not (await incidents.execute(replace(OPENED, confirmed=True))).incident.private
    assert (await incidents.execute(private)).changed


async def test_a_private_incident_without_anything_particular_becomes_public(incidents):
    await incidents.execute(a_declaration(private=True, description="Checkout is down since four"))

    assert (await incidents.execute(OPENED)).changed
    assert not (await incidents.execute(OPENED)).changed


STOPPED = [
    pytest.param(change(LEAK), id="a note"),
    pytest.param(change("The trouble began on web_14."), id="the description"),
    pytest.param(change("We moved it off web_15.", note="web_15 is broken"), id="its own note"),
    pytest.param(change("Write to ops@example.com."), id="a shape"),
    pytest.param(
        Walk(
            actor=an_actor(),
            ref=1,
            to="monitoring",
            reason=Note("web_15 is broken"),
            public=PublicText("We moved it off web_15."),
        ),
        id="a walk",
    ),
]


@pytest.mark.parametrize("command", STOPPED)
async def test_a_text_that_may_leak_is_stopped_and_taken_once_it_is_confirmed(
    incidents, declared, command
):
    before = await incidents.find(an_actor(), 1)

    with pytest.raises(PossibleLeak):
        await incidents.execute(command)

    assert await incidents.find(an_actor(), 1) == before
    confirmed = {name: getattr(command, name) for name in command.__dataclass_fields__}
    outcome = await incidents.execute(type(command)(**{**confirmed, "confirmed": True}))
    assert outcome.changed


TAKEN = [
    pytest.param(change("We are looking into it."), id="harmless"),
    pytest.param(a_change(ref=1, note=LEAK), id="a note"),
    pytest.param(a_change(ref=1, to="identified"), id="a bare step"),
    pytest.param(Redact(actor=an_actor(), ref=1, entry=2), id="a withdrawal"),
]


@pytest.mark.parametrize("command", TAKEN)
async def test_anything_else_is_taken(incidents, declared, command):
    assert (await incidents.execute(command)).changed


async def test_the_refusal_has_the_places_and_its_message_no_word(incidents, declared):
    with pytest.raises(PossibleLeak) as refused:
        await incidents.execute(change(f"  {LEAK} "))

    (found,) = refused.value.findings
    assert (found.kind, refused.value.text[found.start : found.end]) == (LeakKind.NOTE, "db-3")
    assert "db-3" not in f"{refused.value} {refused.value!r} {refused.value.message}"


async def test_a_description_that_was_replaced_is_compared_too(incidents, declared):
    await incidents.execute(a_change(ref=1, description="Seen on web_99"))

    for host in ("web_14", "web_99"):
        with pytest.raises(PossibleLeak):
            await incidents.execute(change(f"The trouble began on {host}."))


async def test_words_that_are_public_already_are_no_finding(incidents, declared):
    await incidents.execute(change(LEAK, confirmed=True))

    assert (await incidents.execute(change("db-3 is back."))).changed


async def test_a_note_of_long_ago_is_compared_as_any_other(incidents, declared):
    for number in range(220):
        await incidents.execute(a_change(ref=1, note=f"looking {number}"))

    with pytest.raises(PossibleLeak):
        await incidents.execute(change(LEAK))


TITLES = [
    pytest.param(a_change(ref=1, title="db-3 is down"), "db-3", id="a note"),
    pytest.param(a_change(ref=1, title="Trouble on web_14"), "web_14", id="the description"),
    pytest.param(a_change(ref=1, title="Ask ops@example.com"), "ops@example.com", id="a shape"),
    pytest.param(
        a_change(ref=1, title="No web_15", description="It is web_15"), "web_15", id="its own"
    ),
]


@pytest.mark.parametrize(("command", "word"), TITLES)
async def test_a_title_that_may_leak_is_stopped_until_it_is_confirmed(
    incidents, declared, command, word
):
    with pytest.raises(PossibleLeak, match="Nothing was changed on INC-1: the title") as refused:
        await incidents.execute(command)

    (found,) = refused.value.findings
    assert refused.value.title
    assert refused.value.text[found.start : found.end] == word
    assert (await incidents.execute(replace(command, confirmed=True))).changed


async def test_a_private_incident_has_any_title(incidents, declared):
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))

    assert (await incidents.execute(a_change(ref=1, title="db-3 is down"))).changed


@pytest.mark.parametrize(
    "title", ["db-3.internal is slow", "Checkout of web_14 fails", "Cards fail [region]"]
)
async def test_a_declaration_is_stopped_until_it_is_confirmed(incidents, title):
    declaration = a_declaration(title=title, description="Seen on web_14 first")
    with pytest.raises(PossibleLeak, match="Nothing was declared: the title") as refused:
        await incidents.execute(declaration)

    assert (refused.value.incident, refused.value.title) == (None, True)
    assert (await incidents.execute(replace(declaration, private=True, id=uuid4()))).changed
    assert (await incidents.execute(replace(declaration, confirmed=True))).changed


async def test_a_title_may_begin_as_its_description_does(incidents):
    told = "Checkout fails for all customers of the shop"

    assert await incidents.execute(a_declaration(title=told, description=f"{told} since nine"))


@pytest.mark.parametrize(("status_channel", "stopped"), [(None, False), ("C0STATUS", True)])
async def test_a_title_is_looked_at_where_it_can_be_public(store, status_channel, stopped):
    declaration = a_declaration(title="db-3.internal is slow")
    workspace = a_workspace(status_channel=status_channel)
    decision = decide(None, declaration, known(workspace=workspace), at=NINE)

    def look(reader):
        refuse_leaks(reader, declaration, None, decision, workspace)

    if not stopped:
        await store.read(look)
        return
    with pytest.raises(PossibleLeak):
        await store.read(look)


async def test_somebody_who_may_not_publish_learns_that_first(incidents, declared):
    with pytest.raises(Denied):
        await incidents.execute(change(LEAK, actor=an_actor(GRACE, publisher=False)))
