"""What becomes of another status page here: its parts, beside those that are here already."""

from __future__ import annotations

import pytest

from core.foreign import OwnIds
from core.imported import parts_of
from core.incident import COMPONENT_NAME_MAX
from core.page import ComponentGroup, ShownComponent
from tests.abroad import a_foreign_component, a_foreign_group, a_foreign_page
from tests.builders import NINE, WORKSPACE, an_id

LONG = "x" * (COMPONENT_NAME_MAX + 1)
CUT = f"{'x' * (COMPONENT_NAME_MAX - 1)}…"
UNLISTABLE = "in a list of names the old one would read differently"
TOO_LONG = f"names have at most {COMPONENT_NAME_MAX} characters"


def a_group(name, **changes):
    fields = {"id": an_id(f"group {name}"), "name": name, "position": 7}
    return ComponentGroup(**fields | changes, created_at=NINE, updated_at=NINE)


def a_shown(name, **changes):
    fields = {"id": an_id(f"component {name}"), "name": name, "position": 3}
    return ShownComponent(**fields | changes, created_at=NINE, updated_at=NINE)


def parts(*components, groups=(), here=(), groups_here=()):
    """The parts of a page with these ``components`` and ``groups``, beside those that are here."""
    page = a_foreign_page(components=components, groups=groups)
    return parts_of(page, WORKSPACE, groups_here, here, OwnIds())


def test_a_group_of_the_same_name_gets_the_id_and_the_new_components():
    europe, there = a_group("Europe"), a_foreign_group("EUROPE")

    made = parts(a_foreign_component(group=there.id), groups=[there], groups_here=[europe])

    assert made.groups == ()
    assert made.kept_groups == {europe.id: there.id}
    assert [(one.name, one.group, one.kept) for one in made.components] == [
        ("API", europe.id, "component-API")
    ]
    assert made.notes == ()


def test_a_component_of_the_same_name_gets_the_id_and_stays_where_it_is():
    api = a_shown("api")

    made = parts(a_foreign_component("API"), here=[api])

    assert made.components == ()
    assert made.kept_components == {api.id: "component-API"}
    assert made.known["component-API"].name == "api"


def test_what_is_new_has_the_facts_of_there_and_an_id_that_stays_the_same():
    there = a_foreign_group("Europe", position=4, description="All of it.")
    api = a_foreign_component("API", group=there.id, position=9, showcase=True)

    made = parts(api, groups=[there])

    ((group,), (component,)) = made.groups, made.components
    assert (group.position, group.description, group.kept) == (4, "All of it.", there.id)
    assert (component.group, component.position, component.showcase) == (group.id, 9, True)
    assert made.names == {group.id: "Europe"}
    assert parts(api, groups=[there]) == made


def test_what_was_imported_before_is_known_by_its_id_whatever_its_name_is_now():
    group = a_group("EMEA", kept="group-Europe")
    api = a_shown("Public API", kept="component-API")

    made = parts(
        a_foreign_component("API"),
        groups=[a_foreign_group("Europe")],
        here=[api],
        groups_here=[group],
    )

    assert (made.groups, made.components) == ((), ())
    assert (made.kept_groups, made.kept_components) == ({}, {})
    assert made.known["component-API"].id == api.id


@pytest.mark.parametrize(
    ("names", "group", "called", "notes"),
    [
        (
            ("API", "api"),
            "Europe",
            ["API", "api (Europe)"],
            ['"api" is called "api (Europe)" here: names are unique.'],
        ),
        (
            ("API", "API", "API"),
            None,
            ["API", "API 2", "API 3"],
            [
                '"API" is called "API 2" here: names are unique.',
                '"API" is called "API 3" here: names are unique.',
            ],
        ),
        (
            (LONG,),
            None,
            [CUT],
            [f'"{"x" * 59}…" is called "{CUT}" here: {TOO_LONG}.'],
        ),
        (
            ("EU,API",),
            None,
            ["EU / API"],
            [f'"EU,API" is called "EU / API" here: {UNLISTABLE}.'],
        ),
    ],
    ids=["of two groups", "without a group", "long", "a comma"],
)
def test_a_name_that_is_taken_or_impossible_becomes_one_like_it_and_is_told(
    names, group, called, notes
):
    there = [a_foreign_group(group)] if group else []
    components = [
        a_foreign_component(name, id=f"component-{number}", group=group and f"group-{group}")
        for number, name in enumerate(names)
    ]

    made = parts(*components, groups=there)

    assert [one.name for one in made.components] == called
    assert list(made.notes) == notes


def test_a_group_without_a_name_or_with_a_taken_one_gets_one():
    groups = [
        a_foreign_group(name, id=f"group-{number}")
        for number, name in enumerate(("", "Europe", "europe"))
    ]

    made = parts(groups=groups)

    assert [one.name for one in made.groups] == ["Group", "Europe", "europe 2"]
