"""A view of the database, which work is given, and the way from it to a connection.

For modules of storage alone: a contract refuses this import to every other package.
"""

from __future__ import annotations

from sqlalchemy import Connection


class View:
    """One consistent view of the database, or one transaction. Its connection is private."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def connection_of(view: View) -> Connection:
    """The connection under ``view``, for the statements of another module of storage."""
    return view._connection  # noqa: SLF001 - the one way to it, which a contract keeps in storage
