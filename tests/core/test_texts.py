"""The texts that core makes itself, and the limits of those that people write."""

import pytest

from core.texts import listed


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
