"""The two databases, and how work is run on each: whole, in threads, answered after the commit.

Work is a function of a connection. It is kept whole or not at all, and whoever gave it hears of it
only when it is on disk.

SQLite takes one writer, so one thread writes. It takes everything that waits, runs each in a
savepoint of its own inside one transaction, and commits once: a commit costs the disk the same
whether it holds one change or sixty. PostgreSQL takes many: each work has its own transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import queue
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any, ClassVar, Protocol, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from core.service import StoreUnavailable
from storage.models import ERASED

Work = Callable[[Connection], Any]
T = TypeVar("T")

# How many wait to write, at most. Beyond it the honest answer is "not now": each one that waits
# holds memory, and will have been given up on before its turn comes.
WAITING_MAX = 10_000
# How long a work may wait for its turn, and how long after that it may be tried again.
TURN_SECONDS = 30
AGAIN_SECONDS = 20
TOGETHER_MAX = 64
READERS = 4
POSTGRESQL_WRITERS = 12
TRIES = 6
BUSY_SECONDS = 10
# PostgreSQL ends a statement itself. Who hears nothing for longer has nobody at the other end: a
# line that swallows what it is given (a proxy, a firewall, a server that was halted) never fails.
STATEMENT_SECONDS = 15
SILENT_SECONDS = 18


class SecondServer(StoreUnavailable):
    """Another process serves from the same SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Another `ratchet serve` runs on {path}, and an SQLite file takes only one. Stop the "
            "other, or set DATABASE_URL to a PostgreSQL database, which takes any number."
        )


class FileGone(StoreUnavailable):
    """What stands at the SQLite file's path is not the file that was opened, or nothing is."""

    def __init__(self, *, unsure: bool = False) -> None:
        super().__init__("the database file was moved, deleted or replaced", unsure=unsure)


class LogGone(StoreUnavailable):
    """The write-ahead log beside the SQLite file is not the one that was opened."""

    def __init__(self, *, unsure: bool = False) -> None:
        super().__init__("the log beside the database file was moved or deleted", unsure=unsure)


class FileDamaged(StoreUnavailable):
    """The SQLite file does not hold what SQLite has written into it; ``words`` are SQLite's."""

    def __init__(self, words: str) -> None:
        super().__init__(f"the database file is damaged: {words}")
        self.words = words


class Conflict(Exception):
    """Somebody else changed the row first. The work is run again, on what is there now."""


class Answer(Protocol):
    """Where the outcome of a work goes."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, result: Any, /) -> None:
        """The work is kept; this is what it returned."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Nothing of it was kept, and this is why."""


@dataclass(slots=True)
class _Job:
    """A work with its answer, and in the end its outcome. ``loop`` None: a thread waits for it."""

    work: Work
    answer: Answer
    loop: asyncio.AbstractEventLoop | None
    result: Any = None
    error: BaseException | None = None
    given_at: float = field(default_factory=monotonic)

    def begins(self) -> bool:
        """Whether it is to be run: somebody waits for it still, and has not waited too long."""
        if not self.answer.done() and monotonic() - self.given_at > TURN_SECONDS:
            self.error = StoreUnavailable("the database is too busy: others were before this")
        return self.error is None and not self.answer.done()

    def tell(self) -> None:
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.error)


class _Crew:
    """Threads that take jobs from one queue. ``run`` is given up to ``together`` at a time."""

    def __init__(
        self, run: Callable[[list[_Job]], None], *, name: str, threads: int, together: int = 1
    ) -> None:
        self._run = run
        self._together = together
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._name = name
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Runs ``work`` in a thread; the future is of the running loop."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._put(_Job(work, answer, loop))
        return answer

    def run_now(self, work: Work) -> Any:
        """Runs ``work`` in a thread, and waits for it."""
        answer: Future[Any] = Future()
        self._put(_Job(work, answer, None))
        return answer.result()

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._jobs.qsize() >= WAITING_MAX:
                raise StoreUnavailable("the database is too busy: too much waits already")
            if not self._threads:
                self._start()
            self._jobs.put(job)

    def _start(self) -> None:
        for number in range(self._wanted):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            stop = False
            with contextlib.suppress(queue.Empty):
                while len(jobs) < self._together and not stop:
                    following = self._jobs.get_nowait()
                    if following is None:
                        stop = True
                    else:
                        jobs.append(following)
            wanted = [job for job in jobs if job.begins()]
            try:
                if wanted:
                    self._run(wanted)
            except BaseException as error:  # noqa: BLE001 - a thread that died would answer nobody
                for failed in wanted:
                    failed.error = error
            _tell(jobs)
            if stop:
                return

    def close(self) -> None:
        """Finishes what was given, and takes nothing more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            thread.join()


def _tell(jobs: list[_Job]) -> None:
    """Answers all, with one call into each loop."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, told in by_loop.items():
        if loop is None:
            _tell_all(told)
        else:
            # A loop that was closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_tell_all, told)


def _tell_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()


class SQLite:
    """A file. One thread writes, a few read beside it, each on a consistent view."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, url: URL) -> None:
        self.path = Path(url.database or "").resolve()
        self._log = self.path.with_name(f"{self.path.name}-wal")
        self.engine = create_engine(
            url,
            poolclass=QueuePool,
            # Transactions are begun here, in words: the driver would begin them too late.
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            hide_parameters=True,
        )
        event.listen(self.engine, "do_connect", self._look_before)
        event.listen(self.engine, "connect", self._prepare)
        self._serves = False
        self._file: _Identity | None = None
        # The log that the writer has opened: it is there from its first transaction on.
        self._log_file: _Identity | None = None
        self._damage: str | None = None
        self._lock: IO[str] | None = None
        self._connections = threading.local()
        self._opened: list[Connection] = []
        self.writers = _Crew(self._write, name="store-writer", threads=1, together=TOGETHER_MAX)
        self.readers = _Crew(self._read, name="store-reader", threads=READERS)

    def claim_single_server(self) -> None:
        """Holds a lock beside the file until `close`. Whoever holds it is the one that checkpoints.

        Raises:
            SecondServer: another process holds it.
        """
        path = self.path.with_name(f"{self.path.name}.lock")
        try:
            lock = path.open("a")
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise SecondServer(self.path) from None
        self._lock = lock
        self._serves = True

    @property
    def fault(self) -> str | None:
        """What is wrong with the file that is served from; None where nothing is known to be."""
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
                # A table that is rebuilt is gone for a moment, and rows point at it.
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.exec_driver_sql("COMMIT")
            finally:
                connection.invalidate()

    def close(self) -> None:
        """Finishes what was given, and lets go of the file."""
        self.writers.close()
        self.readers.close()
        # With its last connection the log goes, and the file is anybody's.
        self._file = self._log_file = None
        for connection in self._opened:
            connection.close()
        self.engine.dispose()
        if self._lock:
            self._lock.close()

    def _look_before(
        self, _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> None:
        """Opens nothing in the place of the file that is served from.

        SQLite would make a new one there, and delete the log beside it as one that belongs to none.
        """
        self._see_in_place()
        if self._file:
            words[0] = f"{self.path.as_uri()}?mode=rw"
            named["uri"] = True

    def _see_in_place(self, *, unsure: bool = False) -> None:
        """SQLite itself goes on without a word in a file that has no name any more.

        Raises:
            FileGone, LogGone: it has none; what would be kept there nobody would find again.
        """
        if self._file and _identity(self.path) != self._file:
            raise FileGone(unsure=unsure)
        if self._log_file and _identity(self._log) != self._log_file:
            raise LogGone(unsure=unsure)

    def _see_sound(self) -> None:
        """Where the file was found damaged, no change is taken until somebody has started again.

        Raises:
            FileDamaged, FileGone, LogGone: what is confirmed now might not be found again.
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
            "synchronous = FULL",  # what was confirmed survives a power loss
            "foreign_keys = ON",
            "secure_delete = ON",  # a body that was withdrawn is overwritten, not only unlinked
            # SQLite before 3.51.3 can spoil the file where two connections write or checkpoint at
            # one moment: the server alone checkpoints, and there is one.
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
        """After a failure the next work begins afresh: whatever was open is rolled back."""
        connection: Connection | None = getattr(self._connections, "own", None)
        if connection is not None:
            self._connections.own = None
            self._opened.remove(connection)
            connection.invalidate()
            connection.close()

    def _write(self, jobs: list[_Job]) -> None:
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
                except BaseException as error:  # noqa: BLE001 - it is answered, whatever it is
                    job.error = self._told(error)
                    # Where SQLite has had to roll back everything (a full disk), this fails too,
                    # and with it the whole transaction.
                    connection.exec_driver_sql("ROLLBACK TO work")
                connection.exec_driver_sql("RELEASE work")
            self._see_sound()
            connection.exec_driver_sql("COMMIT")
            self._see_in_place(unsure=True)
        except BaseException as error:  # noqa: BLE001 - nobody may be left without an answer
            failure = self._told(error)
            for job in jobs:
                job.error = job.error or failure
            if isinstance(failure, FileGone | LogGone):
                self._hold_on(failure)
            else:
                self._drop_writer()
            return
        if self._serves and connection.info.get(ERASED):
            self._truncate_log(connection)

    def _told(self, error: BaseException) -> BaseException:
        failure = told(error)
        if self._serves and isinstance(failure, FileDamaged):
            self._damage = failure.words
        return failure

    def _hold_on(self, failure: FileGone | LogGone) -> None:
        """Rolls back and keeps the connection: nothing else leads to what was confirmed before.

        What stands in a log without a name is brought into the file, which has its name still.
        """
        connection: Connection | None = getattr(self._connections, "own", None)
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.exec_driver_sql("ROLLBACK")
            if isinstance(failure, LogGone):
                with contextlib.suppress(DBAPIError):
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()

    def _drop_writer(self) -> None:
        # The next one may open a log of its own: with the last connection the log goes too.
        self._log_file = None
        self._drop_connection()

    def _truncate_log(self, connection: Connection) -> None:
        """Empties the write-ahead log, in which a body that was withdrawn would live on.

        Where a reader still needs the log, the next write tries again.
        """
        try:
            connection.exec_driver_sql("PRAGMA busy_timeout = 100")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1_000}")
        except DBAPIError:
            self._drop_writer()
        else:
            connection.info[ERASED] = bool(busy)

    def _read(self, jobs: list[_Job]) -> None:
        for job in jobs:
            try:
                connection = self._connection(query_only=True)
                connection.exec_driver_sql("BEGIN")
                try:
                    job.result = job.work(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
            except BaseException as error:  # noqa: BLE001 - it is answered, whatever it is
                job.error = self._told(error)
                if isinstance(error, DBAPIError):
                    self._drop_connection()


# Which file it is, whatever it is called: device and inode.
_Identity = tuple[int, int]


def _identity(path: Path) -> _Identity | None:
    """Of the file at ``path``; None where there is none, or nobody may look."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Line(psycopg.Connection[Any]):
    """A connection to PostgreSQL on which nobody waits for ever, whatever becomes of the line.

    ``may_be_silent`` is for a migration, which takes as long as it takes.
    """

    may_be_silent = False

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """What every question to the server goes through.

        Raises:
            psycopg.OperationalError: it said nothing for `SILENT_SECONDS`. The line is closed.
        """
        heard = gen if self.may_be_silent else self._heard(gen)
        return super().wait(heard, *args, **options)

    def _heard(self, gen: PQGen[T]) -> PQGen[T]:
        try:
            awaited = next(gen)
            until = monotonic() + SILENT_SECONDS
            while True:
                # Every tenth of a second it is woken with nothing, as psycopg does for Ctrl-C.
                if ready := (yield awaited):
                    until = monotonic() + SILENT_SECONDS
                elif monotonic() > until:
                    self.close()
                    raise psycopg.OperationalError("the server has said nothing for too long")
                awaited = gen.send(ready)
        except StopIteration as end:
            return cast("T", end.value)


class PostgreSQL:
    """A server. Each work has a connection and a transaction; many run side by side."""

    kind: ClassVar[str] = "postgresql"

    def __init__(self, url: URL) -> None:
        patience = {
            "connect_timeout": 5,
            # A server that vanished without a word is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={name: value for name, value in patience.items() if name not in url.query},
            pool_size=POSTGRESQL_WRITERS + READERS,
            max_overflow=2,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._prepare)
        self._reading = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.writers = _Crew(self._write, name="store-writer", threads=POSTGRESQL_WRITERS)
        self.readers = _Crew(self._read, name="store-reader", threads=READERS)

    @property
    def fault(self) -> str | None:
        """Nothing that is not told by each work itself."""
        return None

    def claim_single_server(self) -> None:
        """Any number of servers may run."""

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction in which the schema may be changed; other migrations wait."""
        with self.engine.connect() as connection, connection.begin():
            line = cast("_Line", connection.connection.driver_connection)
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            line.may_be_silent = True
            try:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
                yield connection
            finally:
                line.may_be_silent = False

    def close(self) -> None:
        """Finishes what was given, and hangs up."""
        self.writers.close()
        self.readers.close()
        self.engine.dispose()

    def _connect(
        self, _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> _Line:
        return _Line.connect(*words, **named)

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.autocommit = True
        # Nobody waits for ever: not for a row, not for an answer, not for one who fell asleep.
        connection.execute("SET lock_timeout = '10s'")
        connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.autocommit = False

    def _write(self, jobs: list[_Job]) -> None:
        for job in jobs:
            self._insist(job, self.engine)

    def _read(self, jobs: list[_Job]) -> None:
        for job in jobs:
            self._insist(job, self._reading)

    def _insist(self, job: _Job, engine: Engine) -> None:
        """Runs the work, again where somebody was faster or the connection broke before the end.

        Where that takes long, whoever asked is told rather than kept waiting.
        """
        patient_until = monotonic() + AGAIN_SECONDS
        for tries_left in reversed(range(TRIES)):
            committing = False
            try:
                with engine.connect() as connection, connection.begin() as transaction:
                    job.result = job.work(connection)
                    committing = True
                    transaction.commit()
            except BaseException as error:  # noqa: BLE001 - it is answered, whatever it is
                if committing and _is_cut(error):
                    job.error = told(error, unsure=True)
                elif tries_left and monotonic() < patient_until and _may_pass(error):
                    # Not all of them at the same moment again.
                    sleep(random.uniform(0, 0.01 * 2 ** (TRIES - tries_left)))  # noqa: S311
                    continue
                else:
                    job.error = told(error)
            return


# Any number, as long as no other program locks it in the same database.
MIGRATION_LOCK = 7_283_454_381

# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "23505",  # unique_violation: two made the same card wait, and the second merges now
    }
)
# Source: https://www.sqlite.org/rescode.html
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Connection exceptions; the server shuts down, crashed, or does not take connections yet.
CUT = ("08", "57P01", "57P02", "57P03")


def _is_cut(error: BaseException) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    refused = state is None and isinstance(error, OperationalError)
    return error.connection_invalidated or refused or str(state).startswith(CUT)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, Conflict):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return _is_cut(error) or getattr(error.orig, "sqlstate", None) in PASSING


def told(error: BaseException, *, unsure: bool = False) -> BaseException:
    """``error`` as it may leave the store: a database's own is told by its kind alone.

    PostgreSQL's texts quote rows, and rows hold notes; so nothing of the original goes along.
    """
    if isinstance(error, Conflict):
        return StoreUnavailable("the incident was changed by others again and again")
    if isinstance(error, StopIteration):
        # No future takes one, and whoever shares the answer's way would go without theirs.
        return RuntimeError("the work ran out of items")
    if not isinstance(error, DBAPIError):
        return error
    original = error.orig
    name = type(original).__name__
    if getattr(original, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
        return FileDamaged(str(original))
    if state := getattr(original, "sqlstate", None):
        reason = f"{name} ({state})"
    elif getattr(original, "sqlite_errorcode", None) or _is_cut(error):
        # SQLite's own words name tables and columns; a connection that fails knows no rows yet.
        reason = str(original).strip().partition("\n")[0]
    else:
        reason = name
    return StoreUnavailable(reason, unsure=unsure)


@contextlib.contextmanager
def failures_told() -> Iterator[None]:
    """Turns the database's own errors into `StoreUnavailable`, for what no crew runs."""
    try:
        yield
    except DBAPIError as error:
        raise told(error) from None


Database = SQLite | PostgreSQL


def database(url: str) -> Database:
    """The database of ``DATABASE_URL``: ``sqlite:///…``, ``postgresql://…`` or ``postgres://…``.

    Raises:
        StoreUnavailable: it names no database that can be used.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise StoreUnavailable("DATABASE_URL is no address of a database") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return SQLite(parsed)
        case "postgresql" | "postgres":
            return PostgreSQL(parsed)
        case _:
            raise StoreUnavailable(
                "DATABASE_URL must be sqlite:///<file> or postgresql://<user>@<host>/<name>"
            )
