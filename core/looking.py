"""The look at rows that are due: each is done once, whatever process looks, and however often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from core.store import Reader, Store, StoreUnavailable, Transaction

# Rows of one look; the others follow in the next.
AT_ONCE = 200

Name = TypeVar("Name")


class Looks(Generic[Name]):
    """Finds the rows that are due, and does what follows from each, as one transaction.

    ``due`` finds at most so many names of rows at a moment. ``done`` locks the incident of one row,
    asks again, because a command or another process may have been faster, and says whether a
    message came of it. ``wake`` calls the worker.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        due: Callable[[Reader, datetime, int], tuple[Name, ...]],
        done: Callable[[Transaction, Name, datetime], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._due = due
        self._done = done

    async def look(self) -> None:
        """Does what is due.

        An error with one row keeps none of the others waiting. It is raised at the end.
        """
        at = self._clock()
        found = await self._store.read(lambda reader: self._due(reader, at, AT_ONCE))
        told = False
        failed: Exception | None = None
        for name in found:
            try:
                told |= await self._store.write(self._work(name, at))
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                failed = error
        if told:
            self._wake()
        if failed:
            raise failed

    def _work(self, name: Name, at: datetime) -> Callable[[Transaction], bool]:
        return lambda tx: self._done(tx, name, at)
