"""The look at questions without an answer: each is done once, whatever process looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.handing import unanswered
from core.store import HandOverName, Store, StoreUnavailable, Transaction

# Hand-overs of one look; the others follow in the next.
AT_ONCE = 200


class HandOvers:
    """New owners who have not answered. ``wake`` calls the worker."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake

    async def look(self) -> None:
        """Tells of hand-overs whose time is over. Each is a row, which one transaction claims.

        An error with one of them keeps none of the others waiting. It is raised at the end.
        """
        at = self._clock()
        found = await self._store.read(lambda reader: reader.due_hand_overs(at=at, limit=AT_ONCE))
        told = False
        failed: Exception | None = None
        for name in found:
            try:
                told |= await self._store.write(_work(name, at))
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                failed = error
        if told:
            self._wake()
        if failed:
            raise failed


def _work(name: HandOverName, at: datetime) -> Callable[[Transaction], bool]:
    return lambda tx: _done(tx, name, at)


def _done(tx: Transaction, name: HandOverName, at: datetime) -> bool:
    """Does what follows for one hand-over. Whether a message came of it."""
    incident = tx.incident(name.workspace, name.incident)
    if incident is None:
        return False
    # Read under the lock of its incident: an answer, or another process, may have been faster.
    asked = tx.hand_over(incident, name.entry)
    if asked is None or asked.look_at is None:
        return False
    acted = tx.has_acted(incident, asked.to, after=asked.entry)
    silent = asked.is_silent(incident, acted=acted, at=at)
    envelopes = unanswered(incident, asked) if silent else ()
    tx.save_look(incident, replace(asked, looked=True), envelopes, at=at)
    return bool(envelopes)
