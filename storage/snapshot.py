"""A snapshot of the database, which work is given, and the way from it to a connection.

Only for modules of storage: a contract refuses this import to every other package.
"""

from __future__ import annotations

from sqlalchemy import Connection


class Snapshot:
    """One snapshot of the database, or one transaction. Its connection is private."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def connection_of(snapshot: Snapshot) -> Connection:
    """The connection under ``snapshot``, for the statements of another module of storage."""
    return snapshot._connection  # noqa: SLF001 - the one way to it, which a contract keeps in storage
