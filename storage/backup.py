"""A copy of an SQLite database, taken while others write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.store import StoreUnavailable
from storage.databases.failures import NotOpened
from storage.databases.opening import database
from storage.databases.postgresql import PostgreSQL
from storage.databases.sqlite import BESIDE
from storage.files import NotWritten, new_file


def back_up(url: str, file: Path) -> None:
    """Copies all confirmed changes into the new ``file``, which appears whole or not at all.

    Only its owner may read it.

    Raises:
        StoreUnavailable: there is no database, it is not SQLite, or the copy failed; the text says
            why.
        NotWritten: ``file`` exists, cannot be written, or would become a part of the database.
    """
    source = database(url)
    if isinstance(source, PostgreSQL):
        raise StoreUnavailable("PostgreSQL is backed up by its own `pg_dump`")
    source.see_there()
    try:
        _see_apart(source.path, file)
    except (OSError, RuntimeError, ValueError):  # such as a name too long, or a loop of links
        raise NotWritten(f"{file} is no name of a new file: name another.") from None
    with new_file(file) as part:
        try:
            _copy(source.path, part)
        except sqlite3.Error as error:
            # `new_file` has created the part, so only the database can be closed to us.
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN:
                raise NotOpened(source.path) from None
            raise StoreUnavailable(f"{file} could not be written: {error}") from None


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as copy:
        # In one step: a copy page by page would start anew after each concurrent write.
        live.backup(copy)
        # No log beside the copy, so that one file holds all of it.
        copy.execute("PRAGMA journal_mode = DELETE").close()
        [(found,)] = copy.execute("PRAGMA integrity_check").fetchall()
    if found != "ok":
        raise StoreUnavailable(f"{source} is damaged: {found}")


def _see_apart(source: Path, file: Path) -> None:
    """Refuses the database itself, by any of its names, and the files that belong to it.

    SQLite would take a file named like its log for the log, even one that is written while no
    server runs.
    """
    named = file.parent.resolve() / file.name
    beside = {source.with_name(f"{source.name}{suffix}") for suffix in BESIDE}
    is_live = file.exists() and any(
        one.exists() and file.samefile(one) for one in (source, *beside)
    )
    if is_live or {named, file.resolve()} & {source, *beside}:
        raise NotWritten(f"{file} belongs to the database itself: name another file.")
    if file.is_dir():
        raise NotWritten(f"{file} is a folder: name a new file in it.")
