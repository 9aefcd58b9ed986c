"""Stores around a real one, on which something else happens first."""

from __future__ import annotations


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
