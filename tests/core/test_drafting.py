"""Drafts: kept of those who may act, found by their author, and shown in no log."""

from __future__ import annotations

import pytest

from core.drafting import DraftBook, DraftGone, may_hold
from core.drafts import Draft
from tests.builders import ADA, GRACE, NINE, WORKSPACE, an_actor, an_id

SECRET = "vermilion-canary"
ONE = an_id("draft")


@pytest.fixture
def book(store, clock):
    return DraftBook(store, clock=clock)


async def test_a_draft_is_found_by_its_author_for_an_hour(book, clock):
    await book.keep(an_actor(), ONE, SECRET, [])
    clock.advance(minutes=59, seconds=59)
    assert await book.find(an_actor(), ONE) == SECRET

    clock.advance(seconds=1)
    with pytest.raises(DraftGone, match="type it once more") as refused:
        await book.find(an_actor(), ONE)
    assert SECRET not in repr(refused.value)


@pytest.mark.parametrize(
    ("actor", "draft"),
    [
        (an_actor(GRACE), ONE),
        (an_actor(workspace="T0OTHER"), ONE),
        (an_actor(), an_id("another draft")),
    ],
    ids=["another person", "another workspace", "another draft"],
)
async def test_a_draft_of_somebody_else_is_answered_like_one_that_is_gone(book, actor, draft):
    await book.keep(an_actor(), ONE, SECRET, [])

    with pytest.raises(DraftGone):
        await book.find(actor, draft)


@pytest.mark.parametrize(
    ("may", "kept"),
    [
        ({}, True),
        ({"responder": False}, True),
        ({"publisher": False}, True),
        ({"responder": False, "publisher": False}, False),
    ],
    ids=["both", "publishes", "responds", "neither"],
)
async def test_only_people_who_may_do_something_have_drafts(book, may, kept):
    assert book.serves(an_actor(**may)) is kept


def test_a_draft_shows_its_text_in_no_log():
    draft = Draft(id=ONE, workspace=WORKSPACE, person=ADA.id, at=NINE, body=SECRET)

    assert SECRET not in f"{draft} {draft!r}"


HERE, ELSEWHERE = an_id("incident 8"), an_id("incident 9")


def held(typed, text, *, by=ADA, about=HERE):
    """Whether ``typed`` is in a draft that may hold ``text``, which Grace wrote in `HERE`."""
    draft = Draft(
        id=ONE,
        workspace=WORKSPACE,
        person=by.id,
        at=NINE,
        incidents=frozenset({about}),
        body=typed,
    )
    return may_hold(draft, [typed], [text], incident=HERE, authors={GRACE.id})


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("Our list leaked", "Our list leaked"),
        ("to all: our  LIST leaked!", "Our list, leaked"),
        ("the key is hunter2.", "hunter2"),
        ("the \uff2b\uff45\uff59 is out", "key"),
        ("今日顧客リストが漏れた", "顧客リスト"),
        ("darüber", "über"),
        ("it burns 🔥 🔥 here", "🔥🔥"),
    ],
)
def test_a_draft_that_holds_a_withdrawn_text_whole_may_bring_it_back(typed, text):
    assert held(typed, text)
    assert held(typed, text, about=ELSEWHERE)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("the cache is cold", "X"),
        ("the taxes are cold", "x"),
        ("the cache is cold", "The cache is cold again"),
        ("the cache is cold", "🔥"),
    ],
)
def test_a_draft_of_another_text_stays(typed, text):
    assert not held(typed, text)


@pytest.mark.parametrize(
    ("by", "about", "is_held"),
    [(GRACE, HERE, True), (ADA, HERE, False), (GRACE, ELSEWHERE, False)],
    ids=["its author here", "another person", "its author elsewhere"],
)
def test_four_words_of_its_author_are_a_withdrawn_text_in_another_wording(by, about, is_held):
    text = "Our list of customers leaked"

    assert held("We saw that our list of customers is out", text, by=by, about=about) is is_held
    assert not held("We saw our list of names", text, by=by, about=about)


async def test_a_draft_without_its_text_says_that_a_text_was_withdrawn(book):
    await book.keep(an_actor(), ONE, "", [])

    with pytest.raises(DraftGone, match="is withdrawn now"):
        await book.find(an_actor(), ONE)
