"""The public facts of a status page, read from rows that hold much more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.commands import SetPrivacy
from core.errors import InvalidField
from core.incident import PublicText, Severity
from core.lifecycle import RESPONSE
from core.page import LATELY_MAX, RECENT, ComponentStatus, Impact, PageSettings
from core.projection import project
from core.service import Incidents
from tests.builders import NINE, WORKSPACE, a_change, an_actor

DELAY = timedelta(seconds=10)
HOUR = timedelta(hours=1)
SETTINGS = PageSettings(
    workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE - HOUR
)


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=DELAY)


@pytest.fixture
def publish(store, clock):
    async def publish(settings=SETTINGS):
        await store.write(lambda tx: tx.publish_page(settings, at=clock()))

    return publish


@pytest.fixture
def page(store, clock):
    """The page as it is now, None if it is not published."""

    async def page():
        facts = await store.read_public(lambda view: view.page_facts(WORKSPACE, at=clock()))
        return facts and project(facts, clock())

    return page


@pytest.fixture
def version(store):
    async def version(**sought):
        return await store.read_public(
            lambda view: view.page_version(**sought or {"workspace": WORKSPACE})
        )

    return version


@pytest.fixture
def component(incidents):
    """Makes a component on purpose, so that the page shows it."""

    async def component(name, group=None):
        await incidents.make_component(
            an_actor(admin=True),
            name=name,
            description=None,
            group=group,
            then=lambda _tx, _made: None,
        )

    return component


async def resolve(incidents, incident, clock):
    for status in ("identified", "monitoring", "resolved"):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=incident.id, to=status))


async def test_a_page_is_unknown_until_it_is_published_and_after_it_was_taken_off(
    publish, page, version, store, clock
):
    assert (await page(), await version()) == (None, None)
    await publish()
    assert (await page()).settings == SETTINGS
    assert (await version(slug="acme")) == (WORKSPACE, 1)
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
    assert (await page(), await version(slug="acme")) == (None, None)


async def test_a_slug_belongs_to_one_workspace(publish):
    await publish()

    with pytest.raises(InvalidField, match="taken by another workspace"):
        await publish(PageSettings(workspace="T0OTHER", slug="acme", title="X", published_at=NINE))


async def test_components_that_were_only_tagged_are_not_shown(
    publish, page, component, declare, clock
):
    await component("API", group="Shop")
    await publish()
    await declare(components=("API", "db-3 internal"), severity=Severity.CRITICAL)
    clock.advance(seconds=10)
    shown = await page()

    assert [one.component.name for one in shown.components] == ["API"]
    assert [group.group.name for group in shown.groups] == ["Shop"]
    assert [one.name for one in shown.open[0].incident.components] == ["API"]
    assert (shown.components[0].status, shown.indicator) == (
        ComponentStatus.MAJOR_OUTAGE,
        Impact.CRITICAL,
    )


async def test_severities_and_tags_keep_their_history(
    publish, page, component, declare, incidents, clock
):
    await component("API")
    await component("Web")
    await publish()
    await declare(components=("API",))
    for change in (
        {"severity": Severity.CRITICAL},
        {"components": ("API", "Web")},
        {"components": ("Web",)},
    ):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=1, **change))
    incident = (await page()).open[0].incident

    assert [(at - NINE, one.value) for at, one in incident.severities] == [
        (timedelta(), "high"),
        (timedelta(minutes=1), "critical"),
    ]
    assert [(at - NINE, [one.name for one in tags]) for at, tags in incident.tags] == [
        (timedelta(), ["API"]),
        (timedelta(minutes=2), ["API", "Web"]),
        (timedelta(minutes=3), ["Web"]),
    ]


async def test_a_component_that_is_tagged_later_does_not_count_from_the_start(
    publish, page, component, declare, incidents, clock
):
    await component("API")
    await publish()
    await declare()
    clock.advance(minutes=5)
    await incidents.execute(a_change(ref=1, components=("API",)))
    shown = await page()

    assert shown.components[0].since == clock.now
    assert [len(tags) for _, tags in shown.open[0].incident.tags] == [0, 1]


async def test_bars_know_incidents_that_ended_long_ago_whatever_came_after(
    publish, page, component, declare, incidents, clock
):
    await component("API")
    await publish()
    await declare(components=("API",))
    for status in ("identified", "monitoring", "resolved"):
        clock.advance(minutes=1)
        await incidents.execute(a_change(ref=1, to=status))
    for _ in range(51):
        await declare()
    clock.advance(days=80)
    shown = await page()

    assert 1 not in [one.incident.number for one in shown.recent]
    assert [day.date for day in shown.components[0].days if day.incidents] == [NINE.date()]


async def test_what_ended_lately_is_found_however_many_were_declared_since(
    publish, page, declare, incidents, clock
):
    await publish()
    old = [await declare() for _ in range(LATELY_MAX + 2)]
    for incident in old:
        await resolve(incidents, incident, clock)
    clock.advance(days=1)
    for _ in range(RECENT):
        await declare()
    clock.advance(minutes=1)
    shown = await page()

    assert not {one.incident.number for one in shown.recent} & {one.number for one in old}
    assert [one.incident.number for one in shown.lately[:LATELY_MAX]] == [
        one.number for one in old[:1:-1]
    ]
    # So the page says that there are more.
    assert len(shown.lately) > LATELY_MAX


async def test_a_later_step_that_the_public_does_not_see_is_no_end(
    publish, page, declare, incidents, clock
):
    await publish()
    old = [await declare(lifecycle=RESPONSE) for _ in range(LATELY_MAX + 2)]
    for incident in old:
        await incidents.execute(a_change(ref=incident.id, to="resolved"))
    clock.advance(days=15)
    new = await declare()
    await resolve(incidents, new, clock)
    for _ in range(RECENT):
        await declare()
    for incident in old:
        await incidents.execute(a_change(ref=incident.id, to="closed"))
    clock.advance(minutes=1)

    assert [one.incident.number for one in (await page()).lately] == [new.number]


async def test_a_held_title_appears_by_itself(publish, page, declare, clock):
    await publish()
    await declare()
    before = await page()
    clock.now = before.until
    after = await page()

    assert before.until == NINE + DELAY
    assert (len(before.open), len(after.open)) == (0, 1)
    assert after.until == datetime(2026, 3, 3, tzinfo=UTC)


async def test_a_held_text_appears_by_itself(publish, page, declare, incidents, clock):
    await publish()
    await declare()
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=1, public=PublicText("We look.")))
    before = await page()
    clock.now = before.until
    after = await page()

    assert before.until == NINE + timedelta(minutes=1) + DELAY
    assert "We look." not in repr(before)
    assert after.open[0].updates[0].body == "We look."
    assert (before.since, after.since) == (NINE, clock.now)


async def test_private_acts_raise_no_version_and_move_no_moment(
    publish, page, version, declare, incidents, clock
):
    await publish()
    await declare()
    clock.advance(minutes=1)
    before, known = await page(), await version()
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    await declare(private=True)

    assert await version() == known
    clock.advance(minutes=1)
    assert await page() == before


async def test_what_is_no_longer_public_is_gone_at_once(
    publish, page, version, declare, incidents, clock
):
    await publish()
    await declare()
    clock.advance(minutes=1)
    known = await version()
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True))
    shown = await page()

    assert (shown.open, shown.recent) == ((), ())
    assert shown.since == clock.now
    assert await version() != known


async def test_another_workspace_has_nothing_on_it(publish, page, declare, component, clock):
    await component("API")
    other = PageSettings(workspace="T0OTHER", slug="other", title="Other", published_at=NINE)
    await publish()
    await publish(other)
    await declare()
    clock.advance(minutes=1)

    assert len((await page()).open) == 1


async def test_history_reads_one_range_of_time(publish, declare, store, clock):
    await publish()
    for _ in range(3):
        await declare()
        clock.advance(hours=1)

    found = await store.read_public(
        lambda view: view.history(WORKSPACE, start=NINE + HOUR, end=NINE + 2 * HOUR, at=clock())
    )
    assert [one.number for one in found] == [2]
