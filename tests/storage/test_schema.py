"""The schema: migrations build the tables of the models, once, and refuse a newer schema."""

import asyncio

import pytest
from sqlalchemy import create_engine

from core.store import StoreUnavailable
from storage import migrations
from storage.store import NoDatabase, SecondServer, SqlStore, UnknownSchema
from storage.store import opened as opened_store
from tests.builders import set_status_channel


@pytest.fixture
def connection(empty_url):
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def empty_store(empty_url):
    store = SqlStore(empty_url)
    yield store
    store.close()


def test_migrations_build_the_tables_of_the_models(empty_store, connection):
    empty_store.migrate()

    assert migrations.differences(connection) == []


def test_a_database_is_current_once_it_is_migrated_and_stays_so(empty_store, connection):
    before = empty_store.is_current()
    empty_store.migrate()
    empty_store.migrate()

    assert (before, empty_store.is_current()) == (False, True)


def test_a_store_is_opened_only_if_it_is_migrated(empty_url, connection):
    with pytest.raises(StoreUnavailable, match="run `ratchet migrate`"), opened_store(empty_url):
        pass

    assert migrations.differences(connection) != []


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_missing_file_is_not_created_by_reading(empty_url, tmp_path):
    with pytest.raises(NoDatabase, match=f"{tmp_path}/"), opened_store(empty_url):
        pass

    assert list(tmp_path.iterdir()) == []


async def test_servers_that_start_together_migrate_once(empty_url):
    stores = [SqlStore(empty_url) for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(store.migrate) for store in stores))

    assert all(store.is_current() for store in stores)
    for store in stores:
        store.close()


@pytest.mark.parametrize("way", [SqlStore.migrate, SqlStore.is_current, SqlStore.open_for_serving])
def test_a_newer_schema_is_refused_with_a_cure(store, url, way):
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("UPDATE compatibility SET oldest = '9998'")
    engine.dispose()

    with pytest.raises(UnknownSchema, match=r"newer Ratchet.*9999.*Upgrade Ratchet"):
        way(store)


def test_an_sqlite_file_takes_one_server_and_any_number_on_postgresql(kind, opened):
    first, second = opened(), opened()
    first.open_for_serving()

    if kind == "sqlite":
        with pytest.raises(SecondServer, match="PostgreSQL"):
            second.open_for_serving()
        first.close()
    second.open_for_serving()


async def test_other_processes_write_while_a_server_runs(opened):
    server, command_line = opened(), opened()
    server.open_for_serving()

    await asyncio.to_thread(
        command_line.write_now, lambda tx: set_status_channel(tx, "T1", "C0NEW").id
    )

    channel = await server.read(lambda reader: reader.workspace("T1").status_channel)
    assert channel == "C0NEW"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://localhost/ratchet", "sqlite:///<file> or postgresql://"),
        ("sqlite://", "sqlite:///<file> or postgresql://"),
        ("sqlite:///:memory:", "sqlite:///<file> or postgresql://"),
        ("ratchet.db", "no address of a database"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url, reason):
    with pytest.raises(StoreUnavailable, match=reason):
        SqlStore(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_scheme_of_postgresql_is_understood(scheme):
    store = SqlStore(f"{scheme}://ratchet@127.0.0.1:1/ratchet")

    assert store.kind == "postgresql"
    store.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://ratchet:hush@127.0.0.1:1/ratchet", "sqlite:////nowhere/at/all/ratchet.db"],
)
async def test_the_error_of_a_missing_database_has_no_password(url):
    store = SqlStore(url)
    try:
        with pytest.raises(StoreUnavailable) as migrating:
            await asyncio.to_thread(store.open_for_serving)
        with pytest.raises(StoreUnavailable) as writing:
            await store.write(lambda tx: tx.next_number("T1"))
        with pytest.raises(StoreUnavailable) as reading:
            await store.read(lambda reader: reader.workspace("T1"))
    finally:
        store.close()

    for error in (migrating, writing, reading):
        assert str(error.value)
        assert "hush" not in str(error.value)


def test_a_file_that_is_no_database_is_reported(tmp_path):
    (tmp_path / "ratchet.db").write_text("a letter to somebody, and no database at all" * 100)
    store = SqlStore(f"sqlite:///{tmp_path}/ratchet.db")

    with pytest.raises(StoreUnavailable, match="not a database"):
        store.migrate()
    store.close()
