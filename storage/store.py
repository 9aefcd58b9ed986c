"""The store: runs work on the database, in transactions and snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from core.store import StoreUnavailable
from core.workspace import WorkspaceSettings
from storage import migrations
from storage.databases.failures import NoDatabase, SecondServer, translated_errors
from storage.databases.opening import database
from storage.incidents import Address
from storage.migrations import UnknownSchema
from storage.public import PublicReader
from storage.queries import SqlReader
from storage.settings import SettingsMemory
from storage.transactions import SqlTransaction

__all__ = ["NoDatabase", "SecondServer", "SqlStore", "UnknownSchema"]

T = TypeVar("T")


class SqlStore:
    """Runs work on the database at ``url``, in threads that start with the first work.

    ``defaults`` are the settings of workspaces that save none. The channels among them count only
    in workspaces for which ``counts_in`` holds. An error of the database becomes
    `StoreUnavailable`; an error of the work itself is raised unchanged.
    """

    def __init__(
        self,
        url: str,
        *,
        defaults: WorkspaceSettings | None = None,
        counts_in: Callable[[str], bool] = lambda _: True,
        address: Address = lambda _: None,
    ) -> None:
        self._database = database(url)
        at_home = defaults or WorkspaceSettings()
        elsewhere = replace(at_home, status_channel=None, api_channel=None)
        self._settings = SettingsMemory(lambda team: at_home if counts_in(team) else elsewhere)
        self._address = address

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._database.kind

    @property
    def file_error(self) -> str | None:
        """Why the SQLite file takes no changes now; None while no error is known."""
        return self._database.file_error

    @property
    def exposed_files(self) -> tuple[Path, ...]:
        """The files of the database to which others than their owner have a right."""
        return self._database.exposed_files

    def write(self, work: Callable[[SqlTransaction], T]) -> asyncio.Future[T]:
        """The result of ``work`` after its commit, or its error after the rollback.

        ``work`` runs again if a concurrent transaction changed the same rows.
        """
        return self._database.writers.submit(self._transaction(work))

    def read(self, work: Callable[[SqlReader], T]) -> asyncio.Future[T]:
        """The result of ``work``, from one snapshot."""
        return self._database.readers.submit(self._view(work))

    def read_public(self, work: Callable[[PublicReader], T]) -> asyncio.Future[T]:
        """The result of ``work``, from one snapshot of the public side."""
        return self._database.readers.submit(_public_view(work))

    def write_now(self, work: Callable[[SqlTransaction], T]) -> T:
        """`write` without an event loop, for the command line."""
        result: T = self._database.writers.run_now(self._transaction(work))
        return result

    def read_now(self, work: Callable[[SqlReader], T]) -> T:
        """`read` without an event loop, for the command line."""
        result: T = self._database.readers.run_now(self._view(work))
        return result

    def read_public_now(self, work: Callable[[PublicReader], T]) -> T:
        """`read_public` without an event loop, for the command line."""
        result: T = self._database.readers.run_now(_public_view(work))
        return result

    def open_for_serving(self) -> None:
        """Refuses a second server on an SQLite file, and migrates.

        Raises:
            SecondServer, UnknownSchema, StoreUnavailable: it cannot serve; the text says why.
        """
        self._database.claim_single_server()
        self.migrate()

    def migrate(self) -> None:
        """Brings the schema up to date under a lock, so any number of processes may call it.

        Raises:
            UnknownSchema: a newer Ratchet migrated the database.
            StoreUnavailable: the database failed or does not answer.
        """
        with translated_errors(self._database.path), self._database.migrating() as connection:
            migrations.upgrade(connection)

    def is_current(self) -> bool:
        """Whether the schema is up to date. It creates no file.

        Raises:
            UnknownSchema: a newer Ratchet migrated the database.
            NoDatabase: there is no file.
            StoreUnavailable: the database failed or does not answer.
        """
        self._database.see_there()
        with (
            translated_errors(self._database.path),
            self._database.engine.connect() as connection,
        ):
            return migrations.is_current(connection)

    def close(self) -> None:
        """Finishes the queued work, refuses new work, and closes the database."""
        self._database.close()

    def _transaction(self, work: Callable[[SqlTransaction], T]) -> Callable[[Connection], T]:
        return lambda connection: work(
            SqlTransaction(connection, settings=self._settings, address=self._address)
        )

    def _view(self, work: Callable[[SqlReader], T]) -> Callable[[Connection], T]:
        return lambda connection: work(
            SqlReader(connection, settings=self._settings, address=self._address)
        )


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    """The store at ``url``, which exists and is migrated: nothing creates or changes it here.

    Raises:
        UnknownSchema: a newer Ratchet migrated the database.
        StoreUnavailable: the database is missing, does not answer, or must be migrated first.
    """
    with closing(SqlStore(url)) as store:
        if not store.is_current():
            raise StoreUnavailable(
                "The database is not up to date: run `ratchet migrate`, or start `ratchet serve`, "
                "which does the same by itself."
            )
        yield store


def _public_view(work: Callable[[PublicReader], T]) -> Callable[[Connection], T]:
    return lambda connection: work(PublicReader(connection))
