"""A copy of an SQLite database, taken while others write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.service import StoreUnavailable
from storage.databases.opening import database
from storage.databases.postgresql import PostgreSQL


def back_up(url: str, file: Path) -> None:
    """Copies all confirmed changes into ``file``, which appears whole or not at all.

    Raises:
        StoreUnavailable: the copy failed, or the database is not SQLite; the text says why.
    """
    source = database(url)
    if isinstance(source, PostgreSQL):
        raise StoreUnavailable("PostgreSQL is backed up by its own `pg_dump`")
    if not source.path.exists():
        raise StoreUnavailable(f"{source.path} is not there")
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(source.path)) as live, closing(sqlite3.connect(part)) as copy:
            # In one step: a copy page by page would start anew after each concurrent write.
            live.backup(copy)
            # No log beside the copy, so that one file holds all of it.
            copy.execute("PRAGMA journal_mode = DELETE").close()
            [(found,)] = copy.execute("PRAGMA integrity_check").fetchall()
        if found != "ok":
            raise StoreUnavailable(f"{source.path} is damaged: {found}")
        part.replace(file)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"{file} could not be written: {error}") from None
    finally:
        part.unlink(missing_ok=True)
