"""The look at questions to new owners without an answer: each is told of once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.handing import unanswered
from core.looking import Looks
from core.store import HandOverName, Reader, Store, Transaction


class HandOvers(Looks[HandOverName]):
    """New owners who have not answered."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        super().__init__(store, clock=clock, wake=wake, due=_due, done=_done)


def _due(reader: Reader, at: datetime, limit: int) -> tuple[HandOverName, ...]:
    return reader.due_hand_overs(at=at, limit=limit)


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
