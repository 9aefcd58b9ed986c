"""The use cases of drafts. Only an entry point that a person types into makes any."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from core import policy
from core.denials import Permission
from core.drafts import Draft
from core.errors import UserError
from core.incident import Actor
from core.store import Store


class DraftGone(UserError):
    """The draft was used, is older than an hour, or was withdrawn. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "That question is answered already, or older than an hour. Nothing was changed: "
            "type it once more."
        )


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
            DraftGone: there is none, or it is somebody else's.
        """
        at = self._clock()
        found = await self._store.write(
            lambda tx: tx.draft(actor.workspace, actor.person.id, draft, at=at)
        )
        if found is None:
            raise DraftGone
        return found.body
