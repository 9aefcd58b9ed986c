"""A store for the use cases of `core`, and what is done with it."""

from __future__ import annotations

from contextlib import closing

import pytest

from core.service import Incidents
from tests.builders import a_declaration, an_id, the_settings
from tests.stores import OneThread


@pytest.fixture
def defaults():
    """The settings of a workspace that has saved none."""
    return the_settings()


@pytest.fixture
def store(a_database, defaults):
    with a_database("sqlite") as url, closing(OneThread(url, defaults=defaults)) as store:
        yield store


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def declare(incidents):
    """Declares an incident, each with an id of its own."""
    count = 0

    async def declare(**changes):
        nonlocal count
        count += 1
        outcome = await incidents.execute(a_declaration(**{"id": an_id(count)} | changes))
        return outcome.incident

    return declare
