"""Drafts: kept of those who may act, found by their author, and shown in no log."""

from __future__ import annotations

import pytest

from core.drafting import DraftBook, DraftGone
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
