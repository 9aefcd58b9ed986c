"""The texts that core makes itself, and the limits of those that people write."""

from functools import partial

import pytest

from core.errors import InvalidField
from core.texts import (
    body_of,
    component_name_of,
    description_of,
    listable,
    listed,
    name_of,
    optional_line_of,
    tagged_name_of,
    title_of,
    unlistable,
)


@pytest.mark.parametrize(
    ("words", "told"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words_are_listed_as_a_person_lists_them(words, told):
    assert listed(words) == told


@pytest.mark.parametrize(
    ("words", "told"),
    [("abc", "a, b and c"), ("abcd", "a, b, c and 1 more"), ("abcde", "a, b, c and 2 more")],
)
def test_of_many_words_the_first_are_listed(words, told):
    assert listed(list(words), most=3) == told


HIDDEN = "\u202a\u202e\u2066\u2069\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad"


@pytest.mark.parametrize("read", [title_of, name_of, component_name_of, tagged_name_of])
def test_titles_and_names_lose_what_nobody_sees(read):
    assert read(f"{HIDDEN} Check{HIDDEN}out\u202e API {HIDDEN}") == "Checkout API"
    assert (
        read("\u0627\u0644\u062f\u0641\u0639 👩\u200d🚒")
        == "\u0627\u0644\u062f\u0641\u0639 👩\u200d🚒"
    )


@pytest.mark.parametrize("read", [partial(body_of, "note"), description_of])
def test_longer_texts_lose_only_what_turns_their_direction(read):
    assert read("a\u202egpj.exe\u2067 b\u2069 \u0e01\u200b\u0e02\u200f\n\nc") == (
        "agpj.exe b \u0e01\u200b\u0e02\u200f\n\nc"
    )


def test_a_line_may_be_left_out_but_not_be_unseen():
    assert [optional_line_of("group", text, 9) for text in (None, "", " \n")] == [None] * 3
    assert optional_line_of("group", " a\nb ", 9) == "a b"
    for text in ("\u200b", "x" * 10):
        with pytest.raises(InvalidField):
            optional_line_of("group", text, 9)


# A name, how a list can hold it, and what is wrong with it in one.
NAMES = [
    ("API, Web", "API / Web", "holds a comma"),
    ("支付\u3001搜索", "支付 / 搜索", "holds a comma"),
    ("API\uff0c", "API", "holds a comma"),
    ("+API", "API", "begins with +"),
    ('"API"', "API", "quotation mark"),
    ("「API」", "API", "quotation mark"),
    ("none", "none component", 'is "none"'),
    ("None!", "None! component", 'is "none"'),
    ("\uff4e\uff4f\uff4e\uff45", "\uff4e\uff4f\uff4e\uff45 component", 'is "none"'),
]


@pytest.mark.parametrize(("name", "instead", "problem"), NAMES)
def test_a_name_that_a_list_would_read_otherwise_is_refused(name, instead, problem):
    with pytest.raises(InvalidField, match=f"^The name .*{problem}"):
        component_name_of(name)
    with pytest.raises(InvalidField, match=f"^The components need other names: one .*{problem}"):
        tagged_name_of(name)
    assert listable(name) == instead
    assert unlistable(instead) is None


@pytest.mark.parametrize("name", ["C++", "Nonesuch", "Customers\u2019 data", '19" racks', "a.b/c"])
def test_other_names_are_as_they_are(name):
    assert component_name_of(name) == listable(name) == name


@pytest.mark.parametrize("name", [",", '"', "+", ' "" '])
def test_of_signs_alone_no_name_is_left(name):
    assert listable(name) == ""
