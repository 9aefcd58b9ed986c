"""Ends the servers of a test process that was interrupted or killed.

A killed process cannot stop its servers. The watchdog is a second process at the other end of
a pipe: it is told of every server, and when the pipe closes it ends those that still run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

# A server that was asked to stop is killed after this time.
STOPPING_SECONDS = 20


class Watchdog:
    """The watchdog of this process; it starts with the first server."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    @contextlib.contextmanager
    def watching(self, pid: int, *, asked: signal.Signals = signal.SIGKILL) -> Iterator[None]:
        """End process ``pid`` by the signal ``asked``, should this process end within the block."""
        self._tell({"pid": pid, "signal": asked})
        try:
            yield
        finally:
            self._tell({"pid": pid, "signal": 0})

    @contextlib.contextmanager
    def removing(self, folder: Path) -> Iterator[None]:
        """Remove ``folder`` at the end of the block, or of this process."""
        self._tell({"folder": str(folder), "kept": True})
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._tell({"folder": str(folder), "kept": False})

    def _tell(self, line: dict[str, object]) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__],
                stdin=subprocess.PIPE,
                text=True,
                # Ctrl-C reaches the processes of a session; the watchdog has to outlive it.
                start_new_session=True,
            )
        assert self._process.stdin is not None
        # A killed watchdog fails no test.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()


WATCHDOG = Watchdog()


def began(pid: int) -> str | None:
    """The moment when process ``pid`` began, None if it does not run: numbers are given out again.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (state, starttime)
    """
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    # A zombie has ended, and waits for its parent to notice.
    return None if state == "Z" else fields[18]


def watch(lines: Iterable[str]) -> None:
    """Keep the list of servers and folders until the lines end; then end and remove the rest."""
    servers: dict[int, tuple[str, int]] = {}
    folders: set[str] = set()
    for line in lines:
        match json.loads(line):
            case {"pid": pid, "signal": 0}:
                servers.pop(pid, None)
            case {"pid": pid, "signal": number} if since := began(pid):
                servers[pid] = (since, number)
            case {"folder": folder, "kept": True}:
                folders.add(folder)
            case {"folder": folder}:
                folders.discard(folder)
    end(servers)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end(servers: dict[int, tuple[str, int]]) -> None:
    """End those of the processes that still run, by their signals and then by SIGKILL."""

    def running() -> list[int]:
        return [pid for pid, (since, _) in servers.items() if began(pid) == since]

    for pid in running():
        _signal(pid, servers[pid][1])
    last = time.monotonic() + STOPPING_SECONDS
    while running() and time.monotonic() < last:
        time.sleep(0.05)
    for pid in running():
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    watch(sys.stdin)
