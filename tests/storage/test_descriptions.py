"""Descriptions in the database: corrected, withdrawn from every table, and sound afterwards."""

from __future__ import annotations

import pytest

from core.commands import Redact
from core.incident import DeclaredText, Kind
from storage import audit
from tests.builders import GRACE, WORKSPACE, a_change, an_actor

SECRET = "vermilion-canary"


@pytest.fixture
def findings(store):
    async def findings():
        found = await store.read(lambda reader: list(audit.findings(reader)))
        return [one.text for one in found]

    return findings


@pytest.fixture
def timeline(store):
    async def timeline():
        def read(reader):
            incident = reader.incident(WORKSPACE, 1)
            return reader.timeline(incident, before=None, limit=20).items

        return await store.read(read)

    return timeline


async def test_a_correction_and_the_text_before_it_are_kept(declare, incidents, timeline, findings):
    await declare(description="ACME called")
    await incidents.execute(a_change(ref=1, description="Everybody called"))

    _, changed = await timeline()
    assert (changed.kind, changed.old, changed.body) == (
        Kind.DESCRIPTION,
        "ACME called",
        "Everybody called",
    )
    assert (await incidents.find(an_actor(), 1)).description == "Everybody called"
    assert await findings() == []


@pytest.mark.parametrize("name", DeclaredText)
async def test_each_text_of_a_declaration_is_withdrawn_alone(
    name, declare, incidents, contents, findings, timeline, clock
):
    texts = {"title": "Slow", "description": "Bo called", "category": "timeout"}
    await declare(**texts | {name.value: SECRET})
    await incidents.execute(a_change(ref=1, title="Down"))
    clock.advance(seconds=20)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=name))

    assert SECRET not in repr(contents())
    kept = repr(contents())
    assert all(text in kept for own, text in texts.items() if own != name.value)
    assert (await timeline())[0].withdrawn == (name,)
    assert await findings() == []


async def test_all_descriptions_leave_every_table(declare, incidents, contents, findings, clock):
    await declare(description=f"{SECRET} one")
    for text in (f"{SECRET} two", f"{SECRET} three"):
        await incidents.execute(a_change(ref=1, description=text))
    clock.advance(seconds=20)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=DeclaredText.DESCRIPTION))

    assert SECRET not in repr(contents())
    assert await findings() == []


async def test_texts_of_others_stay_and_the_store_is_sound(
    declare, incidents, contents, findings, clock
):
    await declare(description=f"{SECRET} one")
    grace = an_actor(GRACE)
    await incidents.execute(a_change(actor=grace, ref=1, description="hers"))
    await incidents.execute(a_change(ref=1, description=f"{SECRET} three"))
    clock.advance(seconds=20)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=DeclaredText.DESCRIPTION))

    kept = repr(contents())
    assert SECRET not in kept
    assert "hers" in kept
    assert await findings() == []
