"""Drafts: one person's, for an hour, at most twenty; erased when used or withdrawn."""

from __future__ import annotations

import json

import pytest

from bot.export import archive
from core.commands import Redact
from core.drafting import DraftBook, DraftGone
from core.drafts import DRAFTS_MAX
from core.incident import DeclaredText, Note
from tests.builders import ADA, GRACE, WORKSPACE, a_change, an_actor, an_id

SECRET = "vermilion-canary"
ONE = an_id("draft")


@pytest.fixture
def book(store, clock):
    return DraftBook(store, clock=clock)


async def kept(book, draft=ONE, *, by=ADA, body=SECRET, incidents=()):
    await book.keep(an_actor(by), draft, body, incidents)


async def found(book, draft=ONE, *, by=ADA) -> str | None:
    try:
        return await book.find(an_actor(by), draft)
    except DraftGone:
        return None


async def test_a_draft_is_found_only_by_its_author(book):
    await kept(book)

    assert await found(book) == SECRET
    assert await found(book, by=GRACE) is None
    with pytest.raises(DraftGone):
        await book.find(an_actor(workspace="T0OTHER"), ONE)


async def test_a_draft_is_found_for_an_hour_and_erased_after_it(book, clock, store, contents):
    await kept(book)
    clock.advance(minutes=59)
    assert await found(book) == SECRET

    clock.advance(minutes=1)

    assert await found(book) is None
    await store.write(lambda tx: tx.forget_drafts(at=clock()))
    assert SECRET not in repr(contents())


async def test_a_person_has_at_most_twenty_drafts_and_keeps_the_newest(book, clock):
    await kept(book, an_id("grace"), by=GRACE)
    drafts = [an_id(number) for number in range(DRAFTS_MAX + 3)]
    for draft in drafts:
        clock.advance(seconds=1)
        await kept(book, draft)

    left = [draft for draft in drafts if await found(book, draft)]
    assert left == drafts[3:]
    assert await found(book, an_id("grace"), by=GRACE)


async def test_a_draft_replaces_one_of_the_same_id(book, contents):
    await kept(book)
    await kept(book, body="another text")

    assert await found(book) == "another text"
    assert SECRET not in repr(contents())


async def test_a_draft_is_erased_with_the_change_that_uses_it(book, declare, incidents, contents):
    await declare()
    await kept(book)

    await incidents.perform(
        a_change(ref=1, note=Note("a note")),
        lambda tx, _: tx.erase_draft(WORKSPACE, ADA.id, ONE),
    )

    assert SECRET not in repr(contents())


async def test_a_refused_change_leaves_the_draft(book, declare, incidents):
    await declare()
    await kept(book)

    with pytest.raises(ZeroDivisionError):
        await incidents.perform(
            a_change(ref=1, note=Note("a note")),
            lambda tx, _: (tx.erase_draft(WORKSPACE, ADA.id, ONE), 1 // 0),
        )

    assert await found(book) == SECRET


@pytest.mark.parametrize("by", [ADA, GRACE], ids=["of its author", "of another person"])
@pytest.mark.parametrize("body", [SECRET, json.dumps([{"of": {"note": f"a {SECRET}"}}, None, 1])])
async def test_a_withdrawal_empties_the_drafts_that_hold_the_text(
    by, body, book, declare, incidents, contents
):
    await declare()
    await incidents.execute(a_change(ref=1, note=Note(SECRET)))
    await kept(book, by=by, body=body)

    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))

    assert SECRET not in repr(contents())
    with pytest.raises(DraftGone, match="is withdrawn now"):
        await book.find(an_actor(by), ONE)


@pytest.mark.parametrize("by", [ADA, GRACE], ids=["of its author", "of another person"])
@pytest.mark.parametrize(
    "command",
    [
        a_change(ref=1, note=Note(SECRET)),
        a_change(ref=1, title="X"),
        a_change(ref=1, description=SECRET),
    ],
    ids=["note", "title", "description"],
)
async def test_a_withdrawal_keeps_what_anybody_typed_of_another_text(
    by, command, book, declare, incidents
):
    incident = await declare()
    await incidents.execute(command)
    typed = json.dumps([{"kind": "X", "of": {"note": "the cache is cold"}}])
    await kept(book, by=by, body=typed, incidents=[incident.id])

    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2, present_too=True))

    assert await found(book, by=by) == typed


@pytest.mark.parametrize(
    "text", ["the first title", "the new title", "the description", "the category"]
)
async def test_a_withdrawn_text_that_has_a_name_is_in_no_draft(
    text, book, declare, incidents, contents
):
    await declare(title="The first title", description="The description", category="The category")
    await incidents.execute(a_change(ref=1, title="The new title"))
    await incidents.execute(a_change(ref=1, title="The present title"))
    await kept(book, by=GRACE, body=text)

    for name in DeclaredText:
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=name))

    assert await found(book, by=GRACE) is None


async def test_no_archive_holds_a_draft(book, declare, store, clock):
    await declare()
    await kept(book)

    for public in (False, True):
        lines = list(archive(store, public=public, workspace=None, at=clock()))
        assert SECRET.encode() not in b"".join(lines)
