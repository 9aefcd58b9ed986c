"""Programs of other people, and the addresses at which they read our public side.

A server of pages and a file server with the static copy show the same database; each test of a
client reads both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from storage.store import SqlStore
from tests.browser.chromium import axe, chromium
from tests.builders import the_settings
from tests.clock import Clock
from tests.file_server import a_file_server
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import a_free_port, listening
from tests.programs import NODE, NODE_MODULES, PROGRAMS, ROOT
from tests.watchdog import WATCHDOG
from tests.world.filling import fill

__all__ = ["axe", "chromium"]

SCRIPTS = ROOT / "tests/world/scripts"
# A browser keeps every host below "localhost" on this machine; other programs know the address.
HOSTS = "127.0.0.1=T0ACME,status.localhost=T0ACME"


@contextlib.contextmanager
def a_process(*command, folder, **variables):
    """A process with ``variables``, PATH and HOME, as long as the block lasts."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with WATCHDOG.watching(process.pid):
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def ran(*command, stdin=None, **variables):
    """What a command prints that succeeds."""
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def present():
    """The moment at which the database is filled."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def filled(tmp_path_factory, present):
    """The address of the database of `tests/world/filling.py`."""
    url = f"sqlite:///{tmp_path_factory.mktemp('world')}/ratchet.db"
    with contextlib.closing(SqlStore(url, defaults=the_settings())) as store:
        store.migrate()
        asyncio.run(fill(store, Clock(present)))
    return url


@pytest.fixture(scope="session")
def server(filled, tmp_path_factory):
    """`ratchet serve --only page` with all pages: its port."""
    port = a_free_port()
    command = (sys.executable, "-m", "bot", "serve", "--only", "page")
    variables = {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": filled,
        "PORT": str(port),
        "STATUS_HOST": HOSTS,
    }
    with a_process(*command, folder=tmp_path_factory.mktemp("server"), **variables) as process:

        def listens():
            assert process.poll() is None, "it ended instead of starting"
            return listening(port)

        asyncio.run(until(listens))
        yield port


@pytest.fixture(scope="session")
def copy(filled, tmp_path_factory):
    """The folder of the static copy, as `ratchet publish` makes it."""
    folder = tmp_path_factory.mktemp("copy") / "www"
    ran(
        *(sys.executable, "-m", "bot", "publish", "--to", folder, "--workspace", "T0ACME"),
        PYTHONPATH=str(ROOT),
        DATABASE_URL=filled,
        STATUS_HOST=HOSTS,
    )
    return folder


@contextlib.contextmanager
def an_address(request):
    if request.param == "static copy":
        # Pages of other sites may read the files: docs/operations.md.
        anybody = {"Access_Control_Allow_Origin": "*"}
        with a_file_server(request.getfixturevalue("copy"), **anybody) as address:
            yield address
        return
    port = request.getfixturevalue("server")
    below = request.param == "server, by slug"
    yield f"http://localhost:{port}/status/acme" if below else f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session", params=["server", "static copy"])
def root(request):
    """The address of Acme's page, which is the root of a host."""
    with an_address(request) as address:
        yield address


@pytest.fixture(scope="session", params=["server", "server, by slug", "static copy"])
def site(request):
    """An address of Acme's page, also one below ``/status``."""
    with an_address(request) as address:
        yield address


@pytest.fixture(scope="session")
def node():
    """Runs a script of `tests/world/scripts` with the packages of npm; what it prints."""

    def node(script, *arguments, stdin=None):
        command = (NODE, SCRIPTS / script, *arguments)
        return ran(*command, stdin=stdin, NODE_PATH=str(NODE_MODULES))

    return node


@pytest.fixture(scope="session")
def statuspage_io(node):
    """Reads a page with npm's statuspage.io: each of its answers by name."""
    return lambda address: node("statuspage_io.js", address)


@pytest.fixture(scope="session")
def statuscheck():
    """Reads a page with statuscheck, in an environment of its own."""
    python = PROGRAMS["statuscheck"].path
    return lambda address: ran(python, SCRIPTS / "read_with_statuscheck.py", address)


@pytest.fixture(scope="session")
def status_widget():
    """The script of the widget for other people's pages."""
    return PROGRAMS["status_widget"].path


@pytest.fixture(scope="session")
def vnu():
    """Checks files with the Nu checker; fails with its complaints."""
    java, jar = PROGRAMS["vnu"].places
    return lambda kind, *files: ran(java, "-jar", jar, "--errors-only", f"--{kind}", *files)


@pytest.fixture(scope="session")
def w3m():
    """A page as w3m shows it, in one line with single spaces."""
    command = (PROGRAMS["w3m"].path, "-dump", "-cols", "200", "-O", "UTF-8")
    return lambda address: " ".join(ran(*command, address).split())


@pytest.fixture(scope="session")
def svix(node):
    """Runs a script with npm's svix."""
    return node
