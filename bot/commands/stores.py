"""The store of a command that works on the database, and the end of one whose database fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from bot.commands.setup import storage_settings, wrong
from bot.settings import StorageSettings
from core.store import StoreUnavailable
from storage.store import SqlStore, UnknownSchema, opened


@contextmanager
def database_url(settings: StorageSettings | None = None) -> Iterator[str]:
    """The address of the database. Ends the program with 1 when the block cannot use it."""
    settings = settings or storage_settings()
    try:
        yield settings.database_url
    except (StoreUnavailable, UnknownSchema) as error:
        wrong(error, code=1)


@contextmanager
def opened_store(settings: StorageSettings | None = None) -> Iterator[SqlStore]:
    """The store of a database that exists and is migrated.

    Ends the program with 1 when there is none, or when it cannot be used.
    """
    with database_url(settings) as url, opened(url) as store:
        yield store


@contextmanager
def migrated_store(settings: StorageSettings | None = None) -> Iterator[SqlStore]:
    """The store, with its database created if it is missing, and migrated.

    Ends the program with 1 when it cannot be used.
    """
    with database_url(settings) as url, closing(SqlStore(url)) as store:
        store.migrate()
        yield store
