"""The schema's history. Driven from code: there is no alembic.ini, and no command to learn."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from storage.models import compatibility, metadata


class UnknownSchema(Exception):
    """The database is of a newer Ratchet that left nothing for this one. Nothing was changed."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database was migrated by a newer Ratchet (to {revision}, which this one does not "
            "know). Upgrade Ratchet, or restore a backup that was made before."
        )
        self.revision = revision


def upgrade(connection: Connection) -> None:
    """Brings the schema up to date in the transaction of ``connection``, which nobody else holds.

    Raises:
        UnknownSchema: a newer Ratchet has been here, and this one may not work on what it made.
    """
    if not is_current(connection):
        command.upgrade(_config(connection), "head")


def is_current(connection: Connection) -> bool:
    """Whether the schema is up to date, or newer and made so that this code may work on it.

    The latter is how servers are upgraded one by one, and how the upgrade of one is taken back.

    Raises:
        UnknownSchema: a newer Ratchet has been here, and this one may not work on what it made.
    """
    script = ScriptDirectory.from_config(_config(connection))
    known = {revision.revision for revision in script.walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    for revision in heads:
        if revision not in known:
            if oldest_code(connection) in known:
                return True
            raise UnknownSchema(revision)
    return heads == tuple(script.get_heads())


def oldest_code(connection: Connection) -> str | None:
    """The oldest schema whose code may work on that of the database; None: it does not say."""
    if not inspect(connection).has_table(compatibility.name):
        return None
    oldest: str = connection.execute(select(compatibility.c.oldest)).scalar_one()
    return oldest


def head() -> str:
    """The name of the schema that is current."""
    (revision,) = ScriptDirectory(str(Path(__file__).parent)).get_heads()
    return revision


def differences(connection: Connection) -> list[object]:
    """What the tables of the database and of `storage.models` do not have in common."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
