"""The leak guard over the use cases: what is compared, and when nothing is."""

from __future__ import annotations

import pytest

from core.commands import Redact, Walk
from core.guarding import ENTRIES_COMPARED
from core.incident import Note, PublicText
from core.leaks import LeakKind
from core.refusals import Denied, PossibleLeak
from tests.builders import GRACE, a_change, a_declaration, an_actor

NOTE = "db-3 lost its quorum"
LEAK = "The host db-3 is down."


@pytest.fixture
async def declared(incidents):
    """INC-1, with a private note and a description."""
    await incidents.execute(a_declaration(description="Seen on web_14 first"))
    await incidents.execute(a_change(ref=1, note=NOTE))


def change(text, **more):
    return a_change(ref=1, public=text, **more)


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


async def test_a_note_of_long_ago_is_not_compared(incidents, declared):
    for number in range(ENTRIES_COMPARED):
        await incidents.execute(a_change(ref=1, note=f"looking {number}"))

    assert (await incidents.execute(change(LEAK))).changed


async def test_somebody_who_may_not_publish_learns_that_first(incidents, declared):
    with pytest.raises(Denied):
        await incidents.execute(change(LEAK, actor=an_actor(GRACE, publisher=False)))
