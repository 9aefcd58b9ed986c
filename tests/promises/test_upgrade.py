"""While servers are upgraded one by one, the old code goes on working on the new schema."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect, text

from storage import migrations


def engine(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)


def migrate(url, revision):
    with engine(url).begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        command.upgrade(migrations._config(connection), revision)  # noqa: SLF001


def revisions(url):
    with engine(url).begin() as connection:
        script = ScriptDirectory.from_config(migrations._config(connection))  # noqa: SLF001
        return [revision.revision for revision in script.walk_revisions()][::-1]


def columns(url):
    """What the code of that schema reads and writes: every column of every table."""
    inspector = inspect(engine(url))
    return {
        table: {column["name"]: column for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_code_before_goes_on_working_on_the_new_schema(kind, database_url):
    steps = revisions(database_url)
    migrate(database_url, steps[0])
    for revision in steps[1:]:
        before = columns(database_url)
        migrate(database_url, revision)
        after = columns(database_url)

        for table, known in before.items():
            # Everything that the old code names is still there, of the same type.
            assert {name: str(after[table][name]["type"]) for name in known} == {
                name: str(column["type"]) for name, column in known.items()
            }
            # And what it does not know, it need not write.
            for name in after[table].keys() - known.keys():
                new = after[table][name]
                assert new["nullable"] or new["default"] is not None, f"{table}.{name}"


def test_nothing_of_an_old_schema_is_lost_on_the_way(database_url):
    steps = revisions(database_url)
    migrate(database_url, steps[0])
    with engine(database_url).begin() as connection:
        connection.execute(text("INSERT INTO workspace (id, last_number) VALUES ('T1', 0)"))
    migrate(database_url, "head")

    with engine(database_url).begin() as connection:
        assert connection.execute(text("SELECT id FROM workspace")).scalars().all() == ["T1"]
