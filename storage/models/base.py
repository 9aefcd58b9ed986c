"""Parts of all tables: their metadata, the type of a moment, foreign keys, partial indexes."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    TypeDecorator,
    literal_column,
)
from sqlmodel import SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. It takes only aware values, and returns them in UTC from either database.

    SQLite drops time zones; PostgreSQL returns its session's. Here both keep the moment and forget
    the writer's zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """``value`` in UTC.

        Raises:
            ValueError: it is naive, so it names no moment.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The moment that was stored, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Row(SQLModel):
    """A row of one of the tables."""

    metadata = metadata


def foreign_key(table: str, *columns: str, here: tuple[str, ...] = ()) -> ForeignKeyConstraint:
    """The foreign key to ``columns`` of ``table``; ``here`` are their names in this table."""
    return ForeignKeyConstraint(here or columns, [f"{table}.{column}" for column in columns])


def table_of(row: type[Row]) -> Table:
    """The table of ``row``."""
    return metadata.tables[str(row.__tablename__)]


def among(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Whether ``column`` holds one of ``words``, which are written out and not parameters.

    A partial index, and on PostgreSQL the index of an ON CONFLICT, is found only if the statement
    repeats its condition word for word.
    """
    return column.in_([literal_column(f"'{word}'") for word in words])


def partial_index(
    name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False
) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
