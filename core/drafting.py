"""The use cases of drafts. Only an entry point that a person types into makes any."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from uuid import UUID

from core import policy
from core.denials import Permission
from core.drafts import Draft
from core.errors import UserError
from core.incident import Actor
from core.store import Store

# So many words in a row that a draft shares with a withdrawn text are a part of that text.
SHARED_WORDS = 4


class DraftGone(UserError):
    """The draft was used, is older than an hour, gave way to newer ones, or was withdrawn.

    Nothing was changed.

    ``withdrawn``: it held words of a text that was withdrawn after the question.
    """

    def __init__(self, *, withdrawn: bool = False) -> None:
        self.withdrawn = withdrawn
        why = (
            "What you typed had words of a text that is withdrawn now, so it was not kept"
            if withdrawn
            else "That question is answered already, is older than an hour, or many others "
            "followed it"
        )
        super().__init__(f"{why}. Nothing was changed: type it once more.")


def may_hold(
    draft: Draft,
    typed: Collection[str],
    texts: Collection[str],
    *,
    incident: UUID,
    authors: Collection[str],
) -> bool:
    """Whether one of ``texts``, withdrawn in ``incident``, could come back through ``draft``.

    ``typed`` are the texts in the body of ``draft``.

    Anybody's draft holds a text that stands in it whole, however it is spelled and spaced. People
    who typed a text, ``authors`` by their ids, may have typed it in another wording before: their
    drafts about ``incident`` hold it, too, if they share `SHARED_WORDS` in a row with it.
    """
    own = draft.person in authors and incident in draft.incidents
    return any(
        _stands_in(text, one) or (own and not _runs(text).isdisjoint(_runs(one)))
        for text in map(_same, texts)
        for one in map(_same, typed)
    )


def _same(text: str) -> str:
    """``text`` as every spelling of it is compared: without its capitals and widths."""
    return unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _stands_in(text: str, whole: str) -> bool:
    """Whether ``text`` stands in ``whole`` between two words, where its script has words apart."""
    sought = " ".join(_words(text))
    if not sought:
        return "".join(text.split()) in "".join(whole.split())
    start = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", sought) else ""
    end = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", sought) else ""
    return re.search(start + re.escape(sought) + end, " ".join(_words(whole))) is not None


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    last = len(words) - SHARED_WORDS
    return {tuple(words[at : at + SHARED_WORDS]) for at in range(last + 1)}


class DraftBook:
    """Keeps and finds the drafts of people who may act."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def serves(self, actor: Actor) -> bool:
        """Whether drafts of ``actor`` are kept: only of those who may do anything with them."""
        return policy.holds(actor, Permission.RESPOND) or policy.holds(actor, Permission.PUBLISH)

    async def keep(self, actor: Actor, draft: UUID, body: str, incidents: Iterable[UUID]) -> None:
        """Keeps ``body`` as the draft of that id, in place of an earlier one."""
        kept = Draft(
            id=draft,
            workspace=actor.workspace,
            person=actor.person.id,
            at=self._clock(),
            incidents=frozenset(incidents),
            body=body,
        )
        await self._store.write(lambda tx: tx.keep_draft(kept))

    async def find(self, actor: Actor, draft: UUID) -> str:
        """The body of the actor's draft.

        Raises:
            DraftGone: there is none, it is somebody else's, or it held a withdrawn text.
        """
        at = self._clock()
        found = await self._store.write(
            lambda tx: tx.draft(actor.workspace, actor.person.id, draft, at=at)
        )
        if found is None:
            raise DraftGone
        if found.withdrawn:
            raise DraftGone(withdrawn=True)
        return found.body
