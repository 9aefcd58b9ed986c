"""Components that people name in lists: where each ends, which exist, and that each counts once."""

from __future__ import annotations

import pytest

from core.components import known_components, names_in, tagged
from core.errors import InvalidField
from core.missing import NoSuchComponent
from core.refusals import NotAComponent
from tests.builders import a_component, a_workspace, an_id

API, SEARCH = a_component("API"), a_component("search")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), ()),
        (("api",), (API,)),
        ((" Search ", API.id), (SEARCH, API)),
        (("API", "api", API.id), (API,)),
    ],
    ids=["none", "in any case", "a name and an id", "one three times"],
)
def test_components_are_named_by_name_or_id_and_counted_once(names, found):
    assert known_components(names, (API, SEARCH)) == found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("serach", 'include one that is unknown: the nearest name is "search"'),
        ("billing", 'include one that is unknown: choose from "API" and "search"'),
        ("+billing", 'include one that is unknown: choose from "API" and "search"'),
    ],
)
def test_an_unknown_name_makes_no_component_and_a_near_one_is_named(name, told):
    with pytest.raises(InvalidField) as refused:
        known_components((name,), (API, SEARCH))

    assert (refused.value.field, refused.value.problem) == ("components", told)


def test_a_component_that_may_not_be_named_is_unknown_and_no_near_name():
    hidden = {SEARCH.id}

    for name in ("serach", "search"):
        with pytest.raises(NotAComponent) as refused:
            known_components((name,), (API, SEARCH), hidden)
        assert (refused.value.suggestion, refused.value.known) == (None, ("API",))
        assert refused.value.problem == 'include one that is unknown: choose from "API"'
    assert known_components((SEARCH.id,), (API, SEARCH), hidden) == (SEARCH,)


def test_a_component_that_may_not_be_named_is_tagged_as_if_it_were_new():
    hidden, team = {SEARCH.id}, a_workspace()

    assert tagged(("search",), (API, SEARCH), team, hidden) == ((SEARCH,), (SEARCH,))
    (near,), made = tagged(("serach",), (API, SEARCH), team, hidden)
    assert (near.name, made) == ("serach", (near,))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("api", ("api",)),
        (" api , web,, ", ("api", "web")),
        ("api\u3001web\uff0csearch \ufe50 db", ("api", "web", "search", "db")),
    ],
    ids=["nothing", "one", "blanks", "other scripts"],
)
def test_a_list_of_names_has_commas_of_any_script_between_them(text, names):
    assert names_in(text) == names


def test_an_unknown_name_comes_with_the_near_one_and_all_others():
    with pytest.raises(NotAComponent) as refused:
        known_components(("api", "serach"), (API, SEARCH))
    unknown = refused.value

    assert (unknown.asked, unknown.suggestion) == ("serach", "search")
    assert unknown.known == ("API", "search")


def test_a_filter_names_at_most_as_many_as_an_incident():
    with pytest.raises(InvalidField, match="are 51: at most 50 can be named"):
        known_components(("api",) * 51, (API,))


def test_an_unknown_id_is_refused():
    with pytest.raises(NoSuchComponent):
        known_components((an_id("gone"),), (API, SEARCH))
