"""The acts of curation: what is kept, what is repeated, what is refused, and who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.arranging import Arranged, ComponentChange
from core.curating import Curation
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.incident import BODY_MAX, Membership, Severity
from core.missing import NoSuchComponent
from core.page import ComponentStatus, FormerPage, Override
from core.refusals import ComponentExists
from tests.builders import GRACE, NINE, an_actor, an_id

ADMIN = an_actor(admin=True)
STRANGER = an_actor(admin=True, workspace="T0OTHER")
HOUR = timedelta(hours=1)
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
ONCE = "envelope 1"


@pytest.fixture
def curation(store, clock):
    return Curation(store, clock=clock)


@pytest.fixture
def add(curation):
    async def add(name, group=None):
        change = ComponentChange(name=name, group=group)
        return (await curation.add_component(ADMIN, change)).component

    return add


def names(arrangement):
    """The name of each component, with that of its group."""
    groups = {one.id: one.name for one in arrangement.groups}
    return {one.name: groups.get(one.group) for one in arrangement.components}


# --- the page --------------------------------------------------------------------------------


async def test_a_page_that_was_taken_off_is_published_as_it_was(curation, clock):
    settings = {"title": "Acme status", "slug": "acme", "language": "de-CH", "noindex": False}
    made = await curation.publish(ADMIN, **settings)
    assert (await curation.arrangement(an_actor())).page == made
    former = await curation.unpublish(ADMIN)
    clock.advance(minutes=1)

    known = await curation.arrangement(an_actor())
    assert (known.page, known.former) == (None, former)
    assert await curation.publish(ADMIN) == replace(made, published_at=clock.now)
    assert (await curation.arrangement(an_actor())).former is None


@pytest.mark.parametrize("published", [True, False])
async def test_settings_that_come_with_the_end_of_a_page_are_kept_for_the_next(curation, published):
    if published:
        await curation.publish(ADMIN, title="Acme", slug="acme", noindex=True)

    former = await curation.unpublish(
        ADMIN, title="Acme status", slug="acme-2", language="de-CH", noindex=False
    )

    known = await curation.arrangement(an_actor())
    assert (known.page, known.former) == (None, former)
    assert former == FormerPage(slug="acme-2", title="Acme status", language="de-CH", noindex=False)


async def test_a_setting_that_is_not_possible_leaves_the_page_as_it_is(curation):
    made = await curation.publish(ADMIN, title="Acme")

    with pytest.raises(InvalidField, match="is no language tag"):
        await curation.unpublish(ADMIN, language="English")

    assert (await curation.arrangement(an_actor())).page == made


@pytest.mark.parametrize("language", ["xx", "xx-YY", "abc"])
async def test_a_language_that_is_unknown_is_refused_with_those_that_are_known(curation, language):
    with pytest.raises(InvalidField, match=r"is unknown: it begins with one of aa, ab, .*, zu"):
        await curation.publish(ADMIN, language=language)


async def test_a_workspace_without_a_page_has_none_to_take_off(curation):
    assert await curation.unpublish(ADMIN) is None


async def test_a_repeated_publication_says_what_was_taken_off_since(curation):
    await curation.publish(ADMIN, title="Acme", slug="acme", request=ONCE)
    await curation.unpublish(ADMIN)

    repeated = await curation.publish(ADMIN, title="Acme", request=ONCE)

    assert repeated.slug == "acme"
    assert (await curation.arrangement(an_actor())).page is None


# --- components ------------------------------------------------------------------------------


async def test_a_component_that_is_added_is_on_the_page_with_its_values(curation):
    made = await curation.add_component(
        ADMIN,
        ComponentChange(
            name=" Public  API ",
            description="What you call.",
            group="Shop",
            position=7,
            start_date=date(2026, 1, 1),
        ),
    )

    assert made.new_group == "Shop"
    made, known = made.component, await curation.arrangement(an_actor())
    assert known.components == (made,)
    assert names(known) == {"Public API": "Shop"}
    assert (made.shown, made.position, made.description) == (True, 7, "What you call.")
    assert (made.start_date, made.created_at) == (date(2026, 1, 1), NINE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (ComponentChange(), "name"),
        (ComponentChange(name="API", position=-1), "position"),
        (ComponentChange(name="API", group="x" * 101), "group"),
    ],
)
async def test_a_component_that_is_not_possible_is_not_added(curation, change, field):
    with pytest.raises(InvalidField) as refused:
        await curation.add_component(ADMIN, change)

    assert refused.value.field == field
    assert (await curation.arrangement(ADMIN)).components == ()


async def test_components_that_were_made_by_tagging_are_shown_by_an_admin(curation, declare, clock):
    db, web = (await declare(components=("db", "web"))).components
    assert {one.shown for one in (await curation.arrangement(ADMIN)).components} == {False}
    clock.advance(minutes=1)
    first = await curation.show_components(ADMIN, [db.id])
    clock.advance(minutes=1)

    both = await curation.show_components(ADMIN, [web.id, db.id])

    assert [(one.name, one.shown, one.updated_at) for one in both] == [
        ("web", True, NINE + timedelta(minutes=2)),
        ("db", True, NINE + timedelta(minutes=1)),
    ]
    assert both[1:] == first
    with pytest.raises(NoSuchComponent):
        await curation.show_components(ADMIN, [db.id, an_id("gone")])


async def test_components_move_between_groups_whose_names_have_no_case(curation, add):
    await add("API", group="Shop")
    await add("Web", group="SHOP")
    await add("Search")
    assert names(await curation.arrangement(ADMIN)) == {
        "API": "Shop",
        "Web": "Shop",
        "Search": None,
    }
    await curation.change_component(ADMIN, "search", ComponentChange(group="Tools"))
    await curation.change_component(ADMIN, "web", ComponentChange(group="tools"))
    await curation.change_component(ADMIN, "api", ComponentChange(cleared=frozenset({"group"})))

    assert names(await curation.arrangement(ADMIN)) == {
        "API": None,
        "Web": "Tools",
        "Search": "Tools",
    }


async def test_what_was_changed_is_named_and_a_group_that_was_made(curation, add):
    await add("API", group="Shop")
    change = ComponentChange(name="Web", group="Tools", position=7, showcase=True, shown=True)

    first = await curation.change_component(ADMIN, "API", change)
    second = await curation.change_component(ADMIN, "Web", ComponentChange(group="SHOP"))

    assert first.changed == ("name", "group", "position", "showcase")
    assert (first.new_group, second.changed, second.new_group) == ("Tools", ("group",), None)


@pytest.mark.parametrize("act", ["add", "change"])
async def test_a_group_like_another_is_made_only_if_a_plus_asks_for_it(curation, add, act):
    await add("API", group="Shop")
    await add("Web")
    before = await curation.arrangement(ADMIN)

    async def put(group):
        if act == "add":
            return await curation.add_component(ADMIN, ComponentChange(name="New", group=group))
        return await curation.change_component(ADMIN, "Web", ComponentChange(group=group))

    with pytest.raises(InvalidField) as refused:
        await put("Shops")
    assert refused.value.message == (
        'The group "Shops" is unknown: did you mean "Shop"? To make a new one of that name, '
        'write "+Shops".'
    )
    assert await curation.arrangement(ADMIN) == before
    assert (await put("+Shops")).new_group == "Shops"
    assert names(await curation.arrangement(ADMIN))["New" if act == "add" else "Web"] == "Shops"


async def test_a_change_to_the_same_values_leaves_no_trace(curation, add, clock):
    made = await add("API", group="Shop")
    clock.advance(minutes=1)

    same = await curation.change_component(
        ADMIN, made.id, ComponentChange(name="API", group="shop", shown=True)
    )

    assert same == Arranged(component=made)
    assert (await curation.arrangement(ADMIN)).components == (made,)


async def test_names_stay_unique_in_any_case(curation, add):
    api, _ = await add("API"), await add("Web")

    with pytest.raises(ComponentExists) as refused:
        await curation.change_component(ADMIN, "web", ComponentChange(name="api"))
    assert refused.value.component.id == api.id
    with pytest.raises(ComponentExists):
        await add("WEB")


async def test_a_name_that_is_free_again_is_that_of_another_component(curation, add, declare):
    made = []
    for renamed in ("Web", "Search"):
        made.append(await add("API"))
        await curation.change_component(ADMIN, made[-1].id, ComponentChange(name=renamed))

    (tagged,) = (await declare(components=("api",))).components

    known = {one.name: one.id for one in (await curation.arrangement(ADMIN)).components}
    assert known == {"Web": made[0].id, "Search": made[1].id, "api": tagged.id}
    assert len(set(known.values())) == 3


async def test_a_name_that_is_free_again_is_that_of_another_group(curation, add):
    await add("API", group="Shop")
    await curation.change_group(ADMIN, "Shop", rename="Store")
    await add("Web", group="Shop")
    await curation.change_group(ADMIN, "Shop", rename="Tools")
    await add("Search")

    await curation.change_component(ADMIN, "Search", ComponentChange(group="shop"))

    assert names(await curation.arrangement(ADMIN)) == {
        "API": "Store",
        "Web": "Tools",
        "Search": "shop",
    }


async def test_a_group_keeps_its_components_under_another_name(curation, add):
    await add("API", group="Shop")
    (before,) = (await curation.arrangement(ADMIN)).groups

    after = await curation.change_group(ADMIN, before.id, rename="Store", position=3)

    assert names(await curation.arrangement(ADMIN)) == {"API": "Store"}
    assert (after.id, after.position) == (before.id, 3)


# --- a status by hand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "by_hand", "status"),
    [
        (None, None, ComponentStatus.OPERATIONAL),
        (Severity.CRITICAL, None, ComponentStatus.MAJOR_OUTAGE),
        (Severity.CRITICAL, MAINTAINED, MAINTAINED),
        (None, ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.PARTIAL_OUTAGE),
    ],
    ids=["nothing", "an incident", "both", "by hand"],
)
async def test_the_overview_has_the_status_of_now(
    curation, add, declare, severity, by_hand, status
):
    made = await add("API")
    if severity:
        await declare(components=("api",), severity=severity)
    if by_hand:
        await curation.override(ADMIN, made.id, by_hand)

    overview = await curation.overview(an_actor())

    assert overview.statuses == {made.id: status}
    assert overview.arrangement == await curation.arrangement(an_actor())


async def test_an_override_is_in_force_until_its_end_or_until_it_is_cleared(curation, add, clock):
    await add("API")
    given = await curation.override(
        an_actor(), "api", MAINTAINED, until=NINE + HOUR, reason="db-3 gets a disk"
    )
    assert given.overrides == (Override(at=NINE, status=MAINTAINED, until=NINE + HOUR),)
    assert "db-3" not in repr(await curation.arrangement(an_actor()))
    clock.advance(minutes=1)

    cleared = await curation.override(an_actor(), "api", None)

    assert cleared.overrides == (*given.overrides, Override(at=clock(), status=None))
    assert (cleared.by_hand(NINE), cleared.by_hand(clock())) == (given.overrides[0], None)
    assert (await curation.arrangement(an_actor())).components == (cleared,)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"until": NINE}, "until"),
        ({"reason": "x" * (BODY_MAX + 1)}, "reason"),
        ({"reason": "\u200b"}, "reason"),
    ],
    ids=["an end that is past", "a long reason", "a reason that nobody sees"],
)
async def test_an_override_that_is_not_possible_changes_nothing(curation, add, more, field):
    made = await add("API")

    with pytest.raises(InvalidField) as refused:
        await curation.override(ADMIN, "api", MAINTAINED, **more)

    assert refused.value.field == field
    assert (await curation.arrangement(ADMIN)).components == (made,)


# --- who may, what is repeated, and what is kept together --------------------------------------


def acts(curation, actor, one, group, **options):
    """Every act of an admin, on the component ``one`` in ``group``."""
    return (
        curation.publish(actor, title="Acme", **options),
        curation.change_component(actor, one, ComponentChange(position=5), **options),
        curation.change_group(actor, group, rename="Store", **options),
        curation.unpublish(actor, **options),
    )


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(GRACE), Permission.ADMINISTER),
        (an_actor(GRACE, admin=True, membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["a publisher", "a guest"],
)
async def test_only_admins_arrange(curation, add, actor, permission):
    made = await add("API", group="Shop")
    before = await curation.arrangement(ADMIN)

    for act in (
        *acts(curation, actor, made.id, "shop"),
        curation.add_component(actor, ComponentChange(name="Web")),
        curation.show_components(actor, [made.id]),
    ):
        with pytest.raises(Denied) as refused:
            await act
        assert refused.value.permission is permission
    assert await curation.arrangement(ADMIN) == before


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(publisher=False), Permission.PUBLISH),
        (an_actor(membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["a responder", "a guest"],
)
async def test_only_publishers_give_a_status_by_hand(curation, add, actor, permission):
    await add("API")

    with pytest.raises(Denied) as refused:
        await curation.override(actor, "api", MAINTAINED)

    assert refused.value.permission is permission


async def test_a_guest_does_not_even_see_the_arrangement(curation):
    guest = an_actor(membership=Membership.GUEST)

    for read in (curation.arrangement(guest), curation.overview(guest)):
        with pytest.raises(Denied):
            await read


async def test_another_workspace_sees_and_arranges_nothing_of_ours(curation, add):
    made = await add("API", group="Shop")

    for act in (
        curation.change_component(STRANGER, "API", ComponentChange(shown=False)),
        curation.change_group(STRANGER, "Shop", rename="Store"),
        curation.override(STRANGER, "API", MAINTAINED),
    ):
        with pytest.raises(InvalidField, match="is unknown"):
            await act
    with pytest.raises(NoSuchComponent):
        await curation.show_components(STRANGER, [made.id])
    assert (await curation.arrangement(STRANGER)).components == ()
    assert (await curation.arrangement(ADMIN)).components == (made,)


async def test_a_repeated_request_changes_nothing_and_gets_what_is_there_by_now(curation, clock):
    await curation.publish(ADMIN, title="Acme", request="page")
    await curation.publish(ADMIN, title="Acme status")
    again = ComponentChange(name="API", group="Shop")
    made = (await curation.add_component(ADMIN, again, request="component")).component
    await curation.show_components(ADMIN, [made.id], request="shown")
    await curation.change_component(ADMIN, made.id, ComponentChange(position=1), request="place")
    await curation.override(ADMIN, made.id, MAINTAINED, request="by hand")
    known = await curation.arrangement(ADMIN)
    (group,) = known.groups
    await curation.change_group(ADMIN, group.id, position=1, request="group")
    clock.advance(minutes=1)
    last = (await curation.change_component(ADMIN, made.id, ComponentChange(position=9))).component
    found = Arranged(component=last)
    moved = await curation.change_group(ADMIN, group.id, position=9)
    before = await curation.arrangement(ADMIN)
    change = ComponentChange(position=1)

    assert await curation.publish(ADMIN, title="Acme", request="page") == before.page
    assert await curation.add_component(ADMIN, again, request="component") == found
    assert await curation.show_components(ADMIN, [made.id], request="shown") == (last,)
    assert await curation.change_component(ADMIN, made.id, change, request="place") == found
    assert await curation.override(ADMIN, made.id, MAINTAINED, request="by hand") == last
    assert await curation.change_group(ADMIN, group.id, position=1, request="group") == moved
    assert await curation.arrangement(ADMIN) == before


async def test_a_repeated_removal_of_the_page_keeps_one_that_was_published_since(curation):
    await curation.publish(ADMIN)
    await curation.unpublish(ADMIN, request=ONCE)
    page = await curation.publish(ADMIN)

    assert await curation.unpublish(ADMIN, request=ONCE) is None
    assert (await curation.arrangement(ADMIN)).page == page


async def test_what_follows_an_act_is_kept_with_it_or_both_are_not(curation, add):
    made = await add("API", group="Shop")
    before = await curation.arrangement(ADMIN)

    def fails(_tx, _made):
        raise ZeroDivisionError

    for act in (
        *acts(curation, ADMIN, made.id, "shop", then=fails),
        curation.override(ADMIN, made.id, MAINTAINED, then=fails),
    ):
        with pytest.raises(ZeroDivisionError):
            await act
    assert await curation.arrangement(ADMIN) == before
