"""Statements that are compiled once per test process instead of once per database.

SQLAlchemy keeps what it compiled with each engine. Ratchet opens one per process, and compiles each
statement once; the tests open thousands, and spent a third of their time on the same statements.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

# Each statement with its dialect, which is a part of the key.
COMPILED: dict[Any, Any] = {}


class _Alike:
    """A dialect that equals the others of its kind, as all of them speak to the same program."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """SQLAlchemy calls this with each new engine."""
        engine.update_execution_options(compiled_cache=COMPILED)


class SQLite(_Alike, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class PostgreSQL(_Alike, PGDialect_psycopg):
    supports_statement_cache = True


def share() -> None:
    """Lets each engine that is opened from now on use what others have compiled."""
    registry.register("sqlite", __name__, SQLite.__name__)
    registry.register("postgresql.psycopg", __name__, PostgreSQL.__name__)
