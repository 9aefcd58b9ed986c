"""Statements of two kinds: upserts, which each dialect spells, and prepared ones, which are fast.

SQLAlchemy's ``execute`` looks up a statement, works out its parameters and describes its result on
each call: 30 µs on SQLite and 60 µs on PostgreSQL, against 4 and 40 µs of the driver itself. Every
change runs four statements, and these are prepared: their text is compiled once and goes to the
driver with new values. Events and errors stay SQLAlchemy's. Rarer statements, and all that return
rows, are simpler without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update, bindparam, select, text
from sqlalchemy.dialects import postgresql, sqlite

from storage.models import workspace


def upsert(build: Callable[[Any], Any]) -> dict[str, Any]:
    """An INSERT with ON CONFLICT, by the name of the dialect.

    ``build`` gets the ``insert`` of each dialect: both have ON CONFLICT, and SQLAlchemy's common
    ``insert`` has not.
    """
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


# The row that all other rows of a workspace refer to; each of them may be the first.
KEEP_WORKSPACE = upsert(
    lambda insert: insert(workspace).values(last_number=0).on_conflict_do_nothing()
)

_WORKSPACE = select(workspace.c.id).where(workspace.c.id == bindparam("id"))
# FOR NO KEY UPDATE, so that rows which refer to the workspace can be written meanwhile.
_LOCK_WORKSPACE = _WORKSPACE.with_for_update(key_share=True)
# It waits for each `SHARED`, as FOR UPDATE of the row would. But a KEY SHARE joins others on a row
# past a FOR UPDATE that waits, so under constant changes that would never come. Locks of a table
# are given in turn: changes that begin later wait behind this one. Readers take no such lock.
_LOCK_WORKSPACES_ALONE = {
    "postgresql": text(f"LOCK TABLE {workspace.name} IN EXCLUSIVE MODE"),
    # SQLite has one writer.
    "sqlite": None,
}
# The end of a statement that reads a workspace for a change of it. Such changes run side by side,
# and beside declarations, which number it.
SHARED = "FOR KEY SHARE OF workspace"


def lock_workspace(connection: Connection, workspace: str, *, alone: bool = False) -> None:
    """Lets changes of what a workspace counts and marks follow one after another.

    Otherwise two could pass a limit together, or each leave out of a count, or of a mark, what the
    other one writes. It comes before the first look.

    ``alone``: it also waits for all changes of incidents that are under way, which hold the
    workspace `SHARED`; changes that begin later wait for it. A new receiver needs that: each change
    is over before its start, or finds it.
    """
    named = {"id": workspace}
    dialect = connection.dialect.name
    # Before the row is written: two that hold the table for that could not both have it alone.
    if alone and (lock := _LOCK_WORKSPACES_ALONE[dialect]) is not None:
        connection.execute(lock)
    connection.execute(KEEP_WORKSPACE[dialect], named)
    connection.execute(_LOCK_WORKSPACE, named)


class Prepared:
    """An INSERT or UPDATE that returns no rows. Every value of it is a parameter."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._worded: dict[str, _Worded] = {}

    def run(self, connection: Connection, *rows: Mapping[str, Any]) -> int:
        """Runs it with each of ``rows``, which have the same keys in every call.

        Returns the number of changed rows if ``rows`` is one; drivers do not count for several.
        """
        dialect = connection.dialect
        worded = self._worded.get(dialect.name)
        if worded is None:
            worded = self._worded[dialect.name] = _Worded(self._statement, dialect, rows[0])
        values = [worded.values(row) for row in rows]
        return connection.exec_driver_sql(
            worded.text, values if len(values) > 1 else values[0]
        ).rowcount


class _Worded:
    """A statement's text in one dialect, with the conversions of its values for the driver."""

    def __init__(
        self, statement: Insert | Update, dialect: Dialect, row: Mapping[str, Any]
    ) -> None:
        columns = list(row) if isinstance(statement, Insert) else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or ()) if compiled.positional else None
        self._conversions: dict[str, Callable[[Any], Any]] = {}
        for name, parameter in compiled.binds.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if convert:
                self._conversions[name] = convert

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        """``row`` as the driver takes it: a tuple in the text's order, or a dict by name."""
        values = dict(row)
        for name, convert in self._conversions.items():
            values[name] = convert(values[name])
        return values if self._names is None else tuple([values[name] for name in self._names])
