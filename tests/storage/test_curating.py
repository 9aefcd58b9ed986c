"""The status page is published and arranged, over the whole store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.arranging import ComponentChange
from core.curating import Curation
from core.decision import Surface
from core.errors import InvalidField
from core.incident import Severity
from core.page import ComponentStatus
from core.projection import project
from tests.builders import NINE, WORKSPACE, a_change, an_actor

ADMIN = an_actor(admin=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def curation(store, clock):
    return Curation(store, clock=clock)


@pytest.fixture
def page(store, clock):
    async def page():
        facts = await store.read_public(lambda view: view.page_facts(WORKSPACE, at=clock()))
        return facts and project(facts, clock())

    return page


@pytest.fixture
def component(incidents):
    async def component(name, group=None):
        await incidents.make_component(
            ADMIN, name=name, description=None, group=group, then=lambda _tx, _made: None
        )

    return component


def told(page):
    return [
        (group.group and group.group.name, [one.component.name for one in group.components])
        for group in page.groups
    ]


async def test_an_admin_publishes_the_page_and_takes_it_off(curation, page):
    made = await curation.publish(ADMIN, title="Acme status")
    again = await curation.publish(ADMIN, noindex=False)

    assert (made.slug, again.slug, again.noindex) == ("acme-status", "acme-status", False)
    assert (await page()).settings == again
    await curation.unpublish(ADMIN)
    assert await page() is None
    assert (await curation.arrangement(an_actor())).page is None


async def test_the_slug_of_a_page_that_was_taken_off_stays_with_its_workspace(curation):
    other = replace(ADMIN, workspace="T0OTHER")
    await curation.publish(ADMIN, slug="acme")
    await curation.unpublish(ADMIN)

    with pytest.raises(InvalidField, match="taken by another workspace: choose another"):
        await curation.publish(other, slug="acme")


async def test_a_component_that_was_tagged_is_shown_by_an_admin(curation, page, declare, clock):
    await curation.publish(ADMIN)
    await declare(components=("db",), severity=Severity.CRITICAL)
    assert (await page()).components == ()
    clock.advance(minutes=1)
    await curation.change_component(ADMIN, "DB", ComponentChange(name="Database", shown=True))

    assert told(await page()) == [(None, ["Database"])]
    assert (await page()).components[0].status is ComponentStatus.MAJOR_OUTAGE
    assert (await page()).since == clock.now


async def test_cards_that_name_a_component_follow_what_is_shown_of_it(
    curation, incidents, declare, outbox, clock
):
    """On both databases: those of open incidents, and of those that changed within a week."""

    async def cards():
        """The numbers of status cards that were waiting, all delivered now."""
        found = 0
        while await outbox.next_due():
            clock.advance(seconds=1)
            for message in await outbox.claim("worker", limit=100, at=clock()):
                there = (await outbox.facts(message)).place
                place = None if there else (message.channel, f"1772442000.{message.id:06d}")
                await outbox.delivered(message, at=clock(), posted=place)
                found += message.surface is Surface.STATUS_CARD
        return found

    for steps in ((), ("identified", "monitoring", "resolved")):
        incident = await declare(components=("db",))
        for step in steps:
            await incidents.execute(a_change(ref=incident.number, to=step))
    await declare()
    await cards()
    told = []
    for change in (
        ComponentChange(shown=True),
        ComponentChange(description="All data"),
        ComponentChange(name="Database"),
        ComponentChange(name="db"),
    ):
        await curation.change_component(ADMIN, "database" if told[2:] else "db", change)
        told.append(await cards())
    clock.advance(days=8)
    await curation.change_component(ADMIN, "db", ComponentChange(shown=False))

    assert (told, await cards()) == ([2, 0, 2, 2], 1)


async def test_components_move_between_groups(curation, page, component):
    await curation.publish(ADMIN)
    await component("API", group="Shop")
    await component("Web", group="SHOP")
    await component("Search")
    assert told(await page()) == [("Shop", ["API", "Web"]), (None, ["Search"])]
    await curation.change_component(ADMIN, "search", ComponentChange(group="Tools"))
    await curation.change_component(ADMIN, "web", ComponentChange(group="tools"))
    await curation.change_component(ADMIN, "api", ComponentChange(cleared=frozenset({"group"})))

    assert told(await page()) == [("Tools", ["Search", "Web"]), (None, ["API"])]


async def test_a_group_keeps_its_components_and_its_id_under_another_name(
    curation, page, component
):
    await curation.publish(ADMIN)
    await component("API", group="Größe")
    await component("Web", group="GRÖSSE")
    before = (await page()).groups[0].group
    after = await curation.change_group(ADMIN, "größe", rename="Sizes", position=3)

    assert told(await page()) == [("Sizes", ["API", "Web"])]
    assert (after.id, after.position) == (before.id, 3)


async def test_a_name_that_is_free_again_is_that_of_another_component_and_group(
    curation, page, component, declare
):
    await curation.publish(ADMIN)
    await component("API", group="Größe")
    await curation.change_component(ADMIN, "api", ComponentChange(name="Web"))
    await curation.change_group(ADMIN, "größe", rename="Sizes")
    await component("API", group="GRÖSSE")
    await declare(components=("api",), severity=Severity.CRITICAL)

    assert told(await page()) == [("GRÖSSE", ["API"]), ("Sizes", ["Web"])]
    assert [one.status for one in (await page()).components] == [
        ComponentStatus.MAJOR_OUTAGE,
        ComponentStatus.OPERATIONAL,
    ]


async def test_a_publisher_sets_a_status_until_a_time(curation, page, component, clock):
    await curation.publish(ADMIN)
    await component("API")
    maintained = ComponentStatus.UNDER_MAINTENANCE
    await curation.override(
        an_actor(), "api", maintained, until=NINE + HOUR, reason="db-3 gets a disk"
    )
    assert (await page()).components[0].status is maintained
    assert "db-3" not in repr(await page())
    clock.advance(hours=1)
    assert (await page()).components[0].status is ComponentStatus.OPERATIONAL
