"""A PostgreSQL server: each work has a connection and a transaction of its own."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, ClassVar, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Engine, create_engine, event

from storage.databases.failures import is_cut, may_pass, translated
from storage.databases.pool import READERS, Crew, Job

T = TypeVar("T")

WRITERS = 12
TRIES = 6
# Retries of a work end this long after its first try.
AGAIN_SECONDS = 20
# `statement_timeout` aborts slow statements on the server. Longer silence means a dead connection:
# a proxy, a firewall or a halted server drops packets without an error.
STATEMENT_SECONDS = 15
SILENT_SECONDS = 18
# Arbitrary; no other program may use this advisory lock in the same database.
MIGRATION_LOCK = 7_283_454_381


class _Line(psycopg.Connection[Any]):
    """A connection that fails after `SILENT_SECONDS` without a byte from the server.

    ``may_be_silent`` turns this off for a migration, whose statements may take any time.
    """

    may_be_silent = False

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """Waits for the server; psycopg does so here for every statement.

        Raises:
            psycopg.OperationalError: `SILENT_SECONDS` passed. The connection is closed.
        """
        heard = gen if self.may_be_silent else self._heard(gen)
        return super().wait(heard, *args, **options)

    def _heard(self, gen: PQGen[T]) -> PQGen[T]:
        try:
            awaited = next(gen)
            until = monotonic() + SILENT_SECONDS
            while True:
                # psycopg wakes this every 0.1 s with nothing ready (its way to see Ctrl-C).
                if ready := (yield awaited):
                    until = monotonic() + SILENT_SECONDS
                elif monotonic() > until:
                    self.close()
                    raise psycopg.OperationalError("the server has said nothing for too long")
                awaited = gen.send(ready)
        except StopIteration as end:
            return cast("T", end.value)


class PostgreSQL:
    """A PostgreSQL server. Works run concurrently, each in its own transaction."""

    kind: ClassVar[str] = "postgresql"

    def __init__(self, url: URL) -> None:
        patience = {
            "connect_timeout": 5,
            # A vanished server is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={name: value for name, value in patience.items() if name not in url.query},
            pool_size=WRITERS + READERS,
            max_overflow=2,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._prepare)
        self._reading = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.writers = Crew(self._write, name="store-writer", threads=WRITERS)
        self.readers = Crew(self._read, name="store-reader", threads=READERS)

    @property
    def path(self) -> None:
        """Always None: the files are the server's."""

    @property
    def exposed_files(self) -> tuple[Path, ...]:
        """Always empty: the files are the server's."""
        return ()

    @property
    def file_error(self) -> str | None:
        """Always None: an error of the server is an error of the work that met it."""
        return None

    def see_there(self) -> None:
        """Does nothing: a connection creates no database."""

    def claim_single_server(self) -> None:
        """Does nothing: any number of servers may run."""

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
        """Finishes the queued work, then closes all connections."""
        self.writers.close()
        self.readers.close()
        self.engine.dispose()

    def _connect(
        self, _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> _Line:
        return _Line.connect(*words, **named)

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.autocommit = True
        # Bounds for each wait: for a row's lock, for a result, for the next statement.
        connection.execute("SET lock_timeout = '10s'")
        connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        # A list has a range of an index for each severity. Planned anew for the values of each
        # call, as PostgreSQL does where the table is large, it took twice as long.
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.autocommit = False

    def _write(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._insist(job, self.engine)

    def _read(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._insist(job, self._reading)

    def _insist(self, job: Job, engine: Engine) -> None:
        """Runs the work; retries after a conflict, or a connection lost before the commit.

        Retries stop after `AGAIN_SECONDS`, so that the caller gets an error instead of waiting.
        """
        patient_until = monotonic() + AGAIN_SECONDS
        for tries_left in reversed(range(TRIES)):
            committing = False
            try:
                with engine.connect() as connection, connection.begin() as transaction:
                    job.result = job.work(connection)
                    committing = True
                    transaction.commit()
            except BaseException as error:  # noqa: BLE001 - its caller gets it
                if committing and is_cut(error):
                    job.error = translated(error, unsure=True)
                elif tries_left and monotonic() < patient_until and may_pass(error):
                    # Random, so that the rivals do not meet again at the same moment.
                    sleep(random.uniform(0, 0.01 * 2 ** (TRIES - tries_left)))  # noqa: S311
                    continue
                else:
                    job.error = translated(error)
            return
