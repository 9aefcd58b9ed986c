"""The schema's history. It is run from code, without an alembic.ini or a command of alembic's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from storage.models import compatibility, metadata


class UnknownSchema(Exception):
    """The schema is newer than this Ratchet, which may not work on it. Nothing was changed."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database was migrated by a newer Ratchet (to {revision}, which this one does not "
            "know). Upgrade Ratchet, or restore a backup that was made before."
        )
        self.revision = revision


def upgrade(connection: Connection) -> None:
    """Brings the schema up to date in the transaction of ``connection``.

    Raises:
        UnknownSchema: a newer Ratchet migrated it, and this one may not work on it.
    """
    if not is_current(connection):
        command.upgrade(_config(connection), "head")


def is_current(connection: Connection) -> bool:
    """Whether the schema is up to date, or newer and compatible with this code.

    With a compatible schema servers are upgraded one by one, and one of them can be downgraded.

    Raises:
        UnknownSchema: a newer Ratchet migrated it, and this one may not work on it.
    """
    heads = MigrationContext.configure(connection).get_current_heads()
    for revision in heads:
        if revision not in _known():
            if oldest_code(connection) in _known():
                return True
            raise UnknownSchema(revision)
    return heads == (head(),)


def oldest_code(connection: Connection) -> str | None:
    """The revision of the oldest code that may work on the database; None if it has none."""
    if not inspect(connection).has_table(compatibility.name):
        return None
    oldest: str = connection.execute(select(compatibility.c.oldest)).scalar_one()
    return oldest


def head() -> str:
    """The revision of the newest schema that this code knows."""
    (revision,) = _history().get_heads()
    return revision


@cache
def _history() -> ScriptDirectory:
    """All revisions that this code knows. Each is a module that alembic runs to read it."""
    return ScriptDirectory(str(Path(__file__).parent))


@cache
def _known() -> frozenset[str]:
    """The names of all revisions that this code knows."""
    return frozenset(revision.revision for revision in _history().walk_revisions())


def differences(connection: Connection) -> list[object]:
    """The differences between the tables of the database and those of `storage.models`."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
