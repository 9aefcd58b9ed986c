"""What becomes of another status page here: its parts, beside those that are here already."""

from __future__ import annotations

from core.foreign import ForeignComponent, ForeignGroup, ForeignPage
from core.imported import parts_of
from core.page import ComponentGroup, ComponentStatus, ShownComponent
from tests.builders import NINE, WORKSPACE, an_id

EUROPE = ComponentGroup(
    id=an_id("group europe"), name="Europe", position=7, created_at=NINE, updated_at=NINE
)
EUROPE_THERE = ForeignGroup(
    id="grp1grp1grp1",
    name="EUROPE",
    position=1,
    description=None,
    created_at=NINE,
    updated_at=NINE,
)
API_THERE = ForeignComponent(
    id="eu1api0000aa",
    name="API",
    status=ComponentStatus.OPERATIONAL,
    position=1,
    description=None,
    showcase=False,
    only_if_degraded=False,
    start_date=None,
    group=EUROPE_THERE.id,
    created_at=NINE,
    updated_at=NINE,
)
PAGE = ForeignPage(
    id="kq0z1x9p7m2d",
    name="Northwind Status",
    address=None,
    groups=(EUROPE_THERE,),
    components=(API_THERE,),
)


def test_a_group_of_the_same_name_gets_the_id_and_the_new_components():
    parts = parts_of(PAGE, WORKSPACE, groups=[EUROPE], components=[])

    assert parts.groups == ()
    assert parts.kept_groups == {EUROPE.id: EUROPE_THERE.id}
    assert [(one.name, one.group, one.kept) for one in parts.components] == [
        ("API", EUROPE.id, API_THERE.id)
    ]
    assert parts.notes == ()


def test_a_component_of_the_same_name_gets_the_id_and_stays_where_it_is():
    api = ShownComponent(
        id=an_id("component api"), name="api", position=3, created_at=NINE, updated_at=NINE
    )

    parts = parts_of(PAGE, WORKSPACE, groups=[EUROPE], components=[api])

    assert parts.components == ()
    assert parts.kept_components == {api.id: API_THERE.id}
    assert parts.known[API_THERE.id].name == "api"
