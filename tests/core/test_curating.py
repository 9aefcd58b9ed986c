"""The status page is published, and its components are arranged: rules, and permissions."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest

from core.arranging import (
    ComponentChange,
    changed,
    changed_group,
    component_named,
    page_settings,
    slug_from,
    slug_of,
    status_of,
)
from core.components import group_id
from core.errors import InvalidField
from core.incident import Component, Severity
from core.missing import NoSuchComponent
from core.page import ComponentGroup, ComponentStatus, Override, PageSettings, ShownComponent
from tests.builders import NINE, WORKSPACE, an_id, an_incident

LATER = NINE + timedelta(hours=1)
API = ShownComponent(
    id=an_id("api"), name="API", position=1, created_at=NINE, updated_at=NINE, description="Public"
)
ACME = PageSettings(
    workspace=WORKSPACE, slug="acme", title="Acme status", noindex=False, published_at=NINE
)
NOTHING: dict[str, Any] = {"title": None, "slug": None, "language": None, "noindex": None}


@pytest.mark.parametrize("slug", ["a", "acme", "acme-2", "0-0", "a" * 40])
def test_a_slug_has_small_letters_digits_and_hyphens(slug):
    assert slug_of(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "-a", "a-", "Acme", "a_b", "a b", "a" * 41, "é", "a/b", "a\n"]
)
def test_any_other_slug_is_refused(slug):
    with pytest.raises(InvalidField, match="slug needs 1 to 40 small letters"):
        slug_of(slug)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Acme status", "acme-status"),
        ("Crème & Brûlée!", "creme-brulee"),
        ("状態", "status"),
        ("x" * 39 + " yz", "x" * 39),
    ],
)
def test_a_slug_is_made_of_the_title(title, slug):
    assert slug_of(slug_from(title)) == slug


def test_a_first_page_has_defaults_and_stays_away_from_search_engines():
    made = page_settings(WORKSPACE, None, **NOTHING | {"title": " Acme  status "}, at=NINE)

    assert made == PageSettings(
        workspace=WORKSPACE, slug="acme-status", title="Acme status", published_at=NINE
    )
    assert made.noindex


def test_a_change_keeps_the_rest():
    assert page_settings(WORKSPACE, ACME, **NOTHING, at=LATER) == ACME
    made = page_settings(WORKSPACE, ACME, **NOTHING | {"language": "de-CH"}, at=LATER)
    assert (made.language, made.slug, made.noindex) == ("de-CH", "acme", False)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"language": "<b>"}, "language"),
        ({"slug": "A"}, "slug"),
    ],
)
def test_settings_that_are_not_possible_are_refused(change, problem):
    with pytest.raises(InvalidField) as refused:
        page_settings(WORKSPACE, None, **NOTHING | change, at=NINE)

    assert refused.value.field == problem


def test_a_component_gets_new_values_and_the_time_of_the_change():
    after = changed(
        API,
        ComponentChange(
            name="Public API", shown=False, start_date=date(2026, 1, 1), position=3, showcase=True
        ),
        at=LATER,
    )

    assert (after.name, after.shown, after.position, after.showcase) == (
        "Public API",
        False,
        3,
        True,
    )
    assert (after.description, after.updated_at) == ("Public", LATER)


def test_a_value_is_cleared_by_name():
    assert (
        changed(API, ComponentChange(cleared=frozenset({"description"})), at=LATER).description
        is None
    )


def test_a_component_that_stays_the_same_keeps_its_time():
    assert changed(API, ComponentChange(name="API"), at=LATER) is API


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (ComponentChange(position=-1), "position"),
        (ComponentChange(position=10_000), "position"),
        (ComponentChange(name=" "), "name"),
        (ComponentChange(name="API, Web"), "name"),
        (ComponentChange(start_date=date.min), "start_date"),
        (ComponentChange(start_date=date(1999, 12, 31)), "start_date"),
        (ComponentChange(start_date=date.max), "start_date"),
        (ComponentChange(start_date=LATER.date() + timedelta(days=367)), "start_date"),
        (ComponentChange(description="x" * 1_001), "description"),
        (ComponentChange(cleared=frozenset({"name"})), "name"),
    ],
)
def test_values_that_are_not_possible_are_refused(change, field):
    with pytest.raises(InvalidField) as refused:
        changed(API, change, at=LATER)

    assert refused.value.field == field


def test_a_component_is_named_by_id_or_by_name_in_any_case():
    assert component_named((API,), API.id) is component_named((API,), "api") is API
    with pytest.raises(NoSuchComponent):
        component_named((API,), an_id("web"))
    assert component_named((API,), " a\u200bpi ") is API
    with pytest.raises(InvalidField, match='component is unknown: the nearest name is "API"'):
        component_named((API,), "apo")
    with pytest.raises(InvalidField, match=r'choose from "API"\.$'):
        component_named((API,), "search")
    with pytest.raises(InvalidField, match=r"unknown: there are none yet\.$"):
        component_named((), "search")


def test_an_odd_start_that_is_there_already_stays():
    odd = replace(API, start_date=date.max)

    assert changed(odd, ComponentChange(start_date=date.max, position=7), at=LATER).position == 7
    within = ComponentChange(start_date=LATER.date() + timedelta(days=366))
    assert changed(API, within, at=LATER).start_date == within.start_date


TAGGED = Component(API.id, API.name)
DOWN = an_incident(severity=Severity.CRITICAL, components=(TAGGED,))
SLOW = an_incident(number=43, severity=Severity.MEDIUM, components=(TAGGED,))
BY_HAND = Override(at=NINE, status=ComponentStatus.UNDER_MAINTENANCE, until=LATER)


@pytest.mark.parametrize(
    ("overrides", "incidents", "status"),
    [
        ((), (SLOW, DOWN), ComponentStatus.MAJOR_OUTAGE),
        ((), (SLOW, replace(DOWN, private=True)), ComponentStatus.DEGRADED_PERFORMANCE),
        ((), (replace(DOWN, status="resolved"),), ComponentStatus.OPERATIONAL),
        ((), (replace(DOWN, components=()),), ComponentStatus.OPERATIONAL),
        ((), (replace(DOWN, title_public_at=LATER),), ComponentStatus.OPERATIONAL),
        ((), (replace(DOWN, title_public_at=NINE),), ComponentStatus.MAJOR_OUTAGE),
        ((BY_HAND,), (DOWN,), ComponentStatus.UNDER_MAINTENANCE),
        ((replace(BY_HAND, until=NINE),), (DOWN,), ComponentStatus.MAJOR_OUTAGE),
        ((BY_HAND, Override(at=NINE, status=None)), (DOWN,), ComponentStatus.MAJOR_OUTAGE),
    ],
    ids=[
        "the worst",
        "a private one",
        "a resolved one",
        "another component",
        "a held title",
        "a title whose hold is over",
        "by hand",
        "by hand, until now",
        "by hand, cleared",
    ],
)
def test_its_status_is_given_by_hand_or_by_its_open_public_incidents(overrides, incidents, status):
    component = replace(API, overrides=overrides)

    assert status_of(component, incidents, at=NINE) is status


class TestGroups:
    SHOP = ComponentGroup(
        id=group_id(WORKSPACE, "Shop", ()),
        name="Shop",
        position=0,
        created_at=NINE,
        updated_at=NINE,
    )
    OTHER = ComponentGroup(
        id=group_id(WORKSPACE, "Other", ()),
        name="Other",
        position=0,
        created_at=NINE,
        updated_at=NINE,
    )
    NOTHING: ClassVar[dict[str, Any]] = {"rename": None, "position": None, "description": None}

    def change(self, name, **changes):
        return changed_group((self.SHOP, self.OTHER), name, **self.NOTHING | changes, at=LATER)

    def test_a_group_gets_new_values(self):
        after = self.change("shop", rename="Store", position=2, description="All of it")

        assert (after.name, after.position, after.description) == ("Store", 2, "All of it")
        assert (after.id, after.updated_at) == (self.SHOP.id, LATER)
        assert self.change("shop", rename="SHOP").name == "SHOP"
        assert self.change("shop").name == "Shop"
        assert self.change("shop", description="").description is None

    @pytest.mark.parametrize(
        ("name", "changes", "problem"),
        [
            ("Shpo", {}, 'group is unknown: the nearest name is "Shop"'),
            ("Shop", {"position": -1}, "position is a number"),
            ("Shop", {"rename": "other"}, "name is that of another group"),
        ],
    )
    def test_values_that_are_not_possible_are_refused(self, name, changes, problem):
        with pytest.raises(InvalidField, match=problem):
            self.change(name, **changes)
