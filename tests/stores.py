"""Stores for tests: one without threads, and stores around another one on which more happens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sqlalchemy import Connection

from storage.public import PublicReader
from storage.store import SqlStore


def alone(work: Coroutine[Any, Any, None]) -> None:
    """Does ``work``, on an event loop of its own, for a fixture between those of a test's loop."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


class OneThread(SqlStore):
    """The store on an SQLite file, whose work is done in the thread that asks for it.

    A test of `core` needs nothing else: its code is measured where the test runs, and no thread
    starts while another one is being traced.
    """

    _own: Connection | None = None

    def write(self, work):
        return self._outcome("BEGIN IMMEDIATE", self._transaction(work), "COMMIT")

    def read(self, work):
        return self._outcome("BEGIN", self._view(work), "ROLLBACK")

    def read_public(self, work):
        return self._outcome("BEGIN", lambda own: work(PublicReader(own)), "ROLLBACK")

    def _outcome(self, begin, work, end):
        reply = asyncio.get_running_loop().create_future()
        self._own = self._own or self._database.engine.connect()
        self._own.exec_driver_sql(begin)
        try:
            reply.set_result(work(self._own))
        except Exception as error:  # noqa: BLE001 - its caller gets it
            reply.set_exception(error)
            end = "ROLLBACK"
        self._own.exec_driver_sql(end)
        return reply

    def close(self):
        if self._own is not None:
            self._own.close()
        super().close()


class Failing:
    """A store whose first write fails with ``error``; later ones succeed."""

    def __init__(self, store, error):
        self._store = store
        self._errors = [error]

    def read(self, work):
        return self._store.read(work)

    def read_public(self, work):
        return self._store.read_public(work)

    async def write(self, work):
        if self._errors:
            raise self._errors.pop()
        return await self._store.write(work)


class FoundByTwo:
    """A store in which another process was faster with everything that the look has found."""

    def __init__(self, store, names):
        self._store = store
        self._names = names

    async def read(self, _):
        return self._names

    def read_public(self, work):
        return self._store.read_public(work)

    def write(self, work):
        return self._store.write(work)
