"""Failures of a database: which of them may pass, and the error that leaves the store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError, OperationalError

from core.store import StoreUnavailable


class SecondServer(StoreUnavailable):
    """Another process serves from the same SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Another `ratchet serve` runs on {path}, and an SQLite file takes only one. Stop the "
            "other, or set DATABASE_URL to a PostgreSQL database, which takes any number."
        )


class NoDatabase(StoreUnavailable):
    """There is no file at ``path``, and the caller must not create one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no database at {path}: `ratchet migrate` or `ratchet serve` makes it."
        )


class NotOpened(StoreUnavailable):
    """The operating system does not open ``path``. The text says how that is cured."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The database {path} cannot be opened: {_cure(path)}, or set another DATABASE_URL."
        )


class FileGone(StoreUnavailable):
    """The SQLite file was moved, deleted or replaced after it was opened."""

    def __init__(self, *, unsure: bool = False) -> None:
        super().__init__("the database file was moved, deleted or replaced", unsure=unsure)


class LogGone(StoreUnavailable):
    """The write-ahead log beside the SQLite file was moved, deleted or replaced."""

    def __init__(self, *, unsure: bool = False) -> None:
        super().__init__("the log beside the database file was moved or deleted", unsure=unsure)


class FileDamaged(StoreUnavailable):
    """SQLite finds the file malformed; ``words`` is its own message."""

    def __init__(self, words: str) -> None:
        super().__init__(f"the database file is damaged: {words}")
        self.words = words


class Conflict(Exception):
    """A concurrent change of the row committed first. The work runs again on the new row."""


# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "23505",  # unique_violation: two enqueued the same card; on the retry the second merges
    }
)
# Source: https://www.sqlite.org/rescode.html
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Connection exceptions; the server shuts down, crashed, or does not accept connections yet.
CUT = ("08", "57P01", "57P02", "57P03")


def is_cut(error: BaseException) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    refused = state is None and isinstance(error, OperationalError)
    return error.connection_invalidated or refused or str(state).startswith(CUT)


def may_pass(error: BaseException) -> bool:
    if isinstance(error, Conflict):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return is_cut(error) or getattr(error.orig, "sqlstate", None) in PASSING


def translated(
    error: BaseException, *, path: Path | None = None, unsure: bool = False
) -> BaseException:
    """``error`` as it may leave the store: of a database's own error only the kind is kept.

    ``path`` is that of an SQLite file.

    PostgreSQL's texts quote rows, and rows hold notes, so the original is not chained either.
    """
    if isinstance(error, Conflict):
        return StoreUnavailable("the incident was changed by others again and again")
    if isinstance(error, StopIteration):
        # A future refuses StopIteration, and the refusal would keep replies from other callers.
        return RuntimeError("the work ran out of items")
    if not isinstance(error, DBAPIError):
        return error
    original = error.orig
    name = type(original).__name__
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    if code in DAMAGED:
        return FileDamaged(str(original))
    if path and code == sqlite3.SQLITE_CANTOPEN:
        # SQLite's own text names neither the file nor the reason.
        return NotOpened(path)
    if state := getattr(original, "sqlstate", None):
        reason = f"{name} ({state})"
    elif getattr(original, "sqlite_errorcode", None) or is_cut(error):
        # SQLite's messages name only tables and columns; a failed connection has read no rows.
        reason = str(original).strip().partition("\n")[0]
    else:
        reason = name
    return StoreUnavailable(reason, unsure=unsure)


@contextlib.contextmanager
def translated_errors(path: Path | None) -> Iterator[None]:
    """Turns the database's own errors into `StoreUnavailable`, outside of a crew's work."""
    try:
        yield
    except DBAPIError as error:
        raise translated(error, path=path) from None


def _cure(path: Path) -> str:
    try:
        if path.is_dir():
            return "it is a folder; name a file in it"
        if not path.parent.exists():
            return f"its folder does not exist; make it (mkdir -p {path.parent})"
        if not path.parent.is_dir():
            return f"{path.parent} is no folder; name a file in a folder"
        path.stat()
    except (FileNotFoundError, PermissionError):
        pass
    except OSError as error:
        return f"{error.strerror}; name another file"
    return "let the user that runs Ratchet read and write the file and its folder"
