"""The type of moments takes only aware values, and returns them in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import StatementError

from storage.models import UtcDateTime

moments = Table("moments", MetaData(), Column("at", UtcDateTime))


@pytest.fixture
def database(empty_url):
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://"))
    moments.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("offset", [timedelta(hours=5, minutes=45), timedelta(hours=-8), None])
def test_a_moment_comes_back_as_the_same_moment_in_utc(database, offset):
    zone = UTC if offset is None else timezone(offset)
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=zone)
    with database.begin() as connection:
        connection.execute(insert(moments), {"at": at})
        (back,) = connection.execute(select(moments.c.at)).one()

    assert back == at
    assert back.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database):
    with (
        database.begin() as connection,
        pytest.raises(StatementError, match="without a time zone"),
    ):
        connection.execute(insert(moments), {"at": datetime(2026, 3, 2, 9, 0)})  # noqa: DTZ001


def test_none_comes_back_as_none(database):
    with database.begin() as connection:
        connection.execute(insert(moments), {"at": None})

        assert connection.execute(select(moments.c.at)).scalar_one() is None


# Only fixed offsets: with daylight saving time a local time may be ambiguous or missing.
zones = st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))


@given(st.lists(st.datetimes(timezones=zones), min_size=2, max_size=8))
def test_moments_are_ordered_in_any_time_zone(times):
    times = [at for at in times if 1 < at.year < 9999]
    engine = create_engine("sqlite://")
    moments.metadata.create_all(engine)
    with engine.begin() as connection:
        for at in times:
            connection.execute(insert(moments), {"at": at})
        back = connection.execute(select(moments.c.at).order_by(moments.c.at)).scalars().all()
    engine.dispose()

    assert back == sorted(times)
