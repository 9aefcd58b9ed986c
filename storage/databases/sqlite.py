"""An SQLite file: one thread writes, others read beside it.

The writer takes all jobs that wait, runs each in a savepoint of its own inside one transaction, and
commits once: a commit costs the disk the same for one change as for sixty.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, ClassVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from core.store import StoreUnavailable
from storage.databases.failures import (
    FileDamaged,
    FileGone,
    LogGone,
    NoDatabase,
    NotOpened,
    SecondServer,
    translated,
)
from storage.databases.pool import READERS, Crew, Job
from storage.files import close_to_others, is_open_to_others, make_private

TOGETHER_MAX = 64
BUSY_SECONDS = 10
# The endings of the files beside the database that SQLite, or we, keep for it.
BESIDE = ("-wal", "-shm", "-journal", ".lock")
# Errors of a path, which the database beside it has as well; a full disk is none of them.
UNREACHABLE = {errno.EACCES, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EPERM}
# The key in a connection's ``info`` by which a transaction says that it erased a text.
ERASED = "erased"


class SQLite:
    """An SQLite file. One thread writes; each reader has a snapshot of its own."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, url: URL) -> None:
        # Unlike `Path.resolve`, it accepts a loop of links; opening that fails with a reason.
        self.path = Path(os.path.realpath(url.database or ""))
        self._log = self.path.with_name(f"{self.path.name}-wal")
        self.engine = create_engine(
            url,
            poolclass=QueuePool,
            # We send BEGIN ourselves: the driver would send it too late.
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            hide_parameters=True,
        )
        event.listen(self.engine, "do_connect", self._look_before)
        event.listen(self.engine, "connect", self._prepare)
        self._serves = False
        self._file: _Identity | None = None
        # The log that the writer opened; SQLite creates it with the first transaction.
        self._log_file: _Identity | None = None
        self._damage: str | None = None
        self._lock: IO[str] | None = None
        self._lock_is_new = False
        self._connections = threading.local()
        self._opened: list[Connection] = []
        self.writers = Crew(self._write, name="store-writer", threads=1, together=TOGETHER_MAX)
        self.readers = Crew(self._read, name="store-reader", threads=READERS)

    def see_there(self) -> None:
        """Checks that the file exists, for a caller that must not create it.

        Raises:
            NoDatabase: there is none.
            NotOpened: its folder is missing, or cannot be read.
        """
        try:
            self.path.stat()
        except FileNotFoundError:
            if self.path.parent.is_dir():
                raise NoDatabase(self.path) from None
            raise NotOpened(self.path) from None
        except OSError:
            raise NotOpened(self.path) from None

    def claim_single_server(self) -> None:
        """Holds a lock beside the file until `close`. Only its holder checkpoints.

        Raises:
            SecondServer: another process holds the lock.
        """
        path = self.path.with_name(f"{self.path.name}.lock")
        # An earlier version left the files open to everybody on the machine.
        for file in self.files:
            close_to_others(file)
        try:
            is_new = not path.exists()
            make_private(path)
            lock = path.open("a")
        except OSError as error:
            if error.errno in UNREACHABLE:
                raise NotOpened(self.path) from None
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its holder may have removed it meanwhile: then it keeps nobody away.
            if not os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                raise FileNotFoundError
        except OSError:
            lock.close()
            raise SecondServer(self.path) from None
        self._lock = lock
        self._lock_is_new = is_new
        self._serves = True

    def unmake_lock(self) -> None:
        """Removes the lock if `claim_single_server` made it, for a claim that served nothing."""
        if self._lock and self._lock_is_new:
            self.path.with_name(f"{self.path.name}.lock").unlink(missing_ok=True)

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of the database and of all files beside it; not all of them need exist."""
        beside = (self.path.with_name(f"{self.path.name}{suffix}") for suffix in BESIDE)
        return (self.path, *beside)

    @property
    def exposed_files(self) -> tuple[Path, ...]:
        """Those of `files` to which others than their owner have a right."""
        return tuple(file for file in self.files if is_open_to_others(file))

    @property
    def file_error(self) -> str | None:
        """Why the served file takes no changes now; None while no error is known."""
        try:
            self._see_sound()
        except StoreUnavailable as error:
            return error.reason
        return None

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction in which the schema may be changed; other writers wait."""
        with self.engine.connect() as connection:
            try:
                # Rebuilding a table drops it for a moment, while rows refer to it.
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.exec_driver_sql("COMMIT")
            finally:
                connection.invalidate()

    def close(self) -> None:
        """Finishes the queued work, then closes the file."""
        self.writers.close()
        self.readers.close()
        # The last connection deletes the log, and other processes may take the file.
        self._file = self._log_file = None
        for connection in self._opened:
            connection.close()
        self.engine.dispose()
        if self._lock:
            self._lock.close()

    def _look_before(
        self, _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> None:
        """Refuses to open another file in the place of the served one.

        SQLite would create a new file there, and delete the log beside it as a stale one.
        """
        self._see_in_place()
        if self._file is None:
            # SQLite gives the files beside it, such as the log, the same mode.
            make_private(self.path)
        else:
            words[0] = f"{self.path.as_uri()}?mode=rw"
            named["uri"] = True

    def _see_in_place(self, *, unsure: bool = False) -> None:
        """Checks that file and log are still at their paths: SQLite writes to deleted files too.

        Raises:
            FileGone, LogGone: a change that is written now could not be found again.
        """
        if self._file and _identity(self.path) != self._file:
            raise FileGone(unsure=unsure)
        if self._log_file and _identity(self._log) != self._log_file:
            raise LogGone(unsure=unsure)

    def _see_sound(self) -> None:
        """Refuses changes to a damaged file until the process is restarted.

        Raises:
            FileDamaged, FileGone, LogGone: a change that is confirmed now might be lost.
        """
        self._see_undamaged()
        self._see_in_place()

    def _see_undamaged(self) -> None:
        if self._damage:
            raise FileDamaged(self._damage)

    def _prepare(self, connection: Any, _record: object) -> None:
        if self._serves and self._file is None:
            self._file = _identity(self.path)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # confirmed changes survive a power loss
            "foreign_keys = ON",
            "secure_delete = ON",  # a withdrawn body is overwritten, not only unlinked
            # SQLite before 3.51.3 can corrupt the file if two connections write or checkpoint at
            # the same moment. Only the server checkpoints, and there is one server per file.
            f"wal_autocheckpoint = {1_000 if self._serves else 0}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def _connection(self, *, query_only: bool) -> Connection:
        """The thread's own connection."""
        connection: Connection | None = getattr(self._connections, "own", None)
        if connection is None:
            connection = self.engine.connect()
            connection.exec_driver_sql(f"PRAGMA query_only = {query_only}")
            self._connections.own = connection
            self._opened.append(connection)
        return connection

    def _drop_connection(self) -> None:
        """Closes the thread's connection, which rolls back; the next work opens a new one."""
        connection: Connection | None = getattr(self._connections, "own", None)
        if connection is not None:
            self._connections.own = None
            self._opened.remove(connection)
            connection.invalidate()
            connection.close()

    def _write(self, jobs: list[Job]) -> None:
        try:
            connection = self._connection(query_only=False)
            self._see_undamaged()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if self._serves and self._log_file is None:
                self._log_file = _identity(self._log)
            for job in jobs:
                connection.exec_driver_sql("SAVEPOINT work")
                try:
                    job.result = job.work(connection)
                except BaseException as error:  # noqa: BLE001 - its caller gets it
                    job.error = self._translated(error)
                    # If SQLite has rolled back everything (on a full disk), this fails as well,
                    # and with it the whole transaction.
                    connection.exec_driver_sql("ROLLBACK TO work")
                connection.exec_driver_sql("RELEASE work")
            self._see_sound()
            connection.exec_driver_sql("COMMIT")
            self._see_in_place(unsure=True)
        except BaseException as error:  # noqa: BLE001 - every caller gets it
            failure = self._translated(error)
            for job in jobs:
                job.error = job.error or failure
            if isinstance(failure, FileGone | LogGone):
                self._hold_on(failure)
            else:
                self._drop_writer()
            return
        if self._serves and connection.info.get(ERASED):
            self._truncate_log(connection)

    def _translated(self, error: BaseException) -> BaseException:
        failure = translated(error, path=self.path)
        if self._serves and isinstance(failure, FileDamaged):
            self._damage = failure.words
        return failure

    def _hold_on(self, failure: FileGone | LogGone) -> None:
        """Rolls back and keeps the connection: nothing else leads to the confirmed changes.

        If only the log lost its name, its content is written into the file.
        """
        connection: Connection | None = getattr(self._connections, "own", None)
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.exec_driver_sql("ROLLBACK")
            if isinstance(failure, LogGone):
                with contextlib.suppress(DBAPIError):
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()

    def _drop_writer(self) -> None:
        # The last connection deletes the log, so the next writer may open a new one.
        self._log_file = None
        self._drop_connection()

    def _truncate_log(self, connection: Connection) -> None:
        """Empties the write-ahead log, which still holds the withdrawn body.

        While a reader needs the log this fails, and the next write tries it again.
        """
        try:
            connection.exec_driver_sql("PRAGMA busy_timeout = 100")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1_000}")
        except DBAPIError:
            self._drop_writer()
        else:
            connection.info[ERASED] = bool(busy)

    def _read(self, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                connection = self._connection(query_only=True)
                connection.exec_driver_sql("BEGIN")
                try:
                    job.result = job.work(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
            except BaseException as error:  # noqa: BLE001 - its caller gets it
                job.error = self._translated(error)
                if isinstance(error, DBAPIError):
                    self._drop_connection()


# A file regardless of its name: device and inode.
_Identity = tuple[int, int]


def _identity(path: Path) -> _Identity | None:
    """The identity of the file at ``path``; None if it is missing or not readable."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
