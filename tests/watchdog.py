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
    def watching(
        self, pid: int, *, asked: signal.Signals = signal.SIGKILL, folder: Path | None = None
    ) -> Iterator[None]:
        """End process ``pid`` by the signal ``asked``, should this process end within the block.

        ``folder`` is removed afterwards.
        """
        self._tell({"pid": pid, "signal": asked, "folder": folder and str(folder)})
        try:
            yield
        finally:
            self._tell({"pid": pid, "signal": 0})

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
    """The moment when process ``pid`` began, None for none: a number may be given out again.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (starttime)
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return None


def watch(lines: Iterable[str]) -> None:
    """Keep the list of servers until the lines end, and end those that are left."""
    servers = {}
    for line in lines:
        told = json.loads(line)
        if told["signal"]:
            servers[told["pid"]] = (began(told["pid"]), told)
        else:
            servers.pop(told["pid"], None)

    def running() -> list[int]:
        return [pid for pid, (since, _) in servers.items() if since and began(pid) == since]

    for pid in running():
        _signal(pid, servers[pid][1]["signal"])
    end = time.monotonic() + STOPPING_SECONDS
    while running() and time.monotonic() < end:
        time.sleep(0.05)
    for pid in running():
        _signal(pid, signal.SIGKILL)
    for _, told in servers.values():
        if told["folder"]:
            shutil.rmtree(told["folder"], ignore_errors=True)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    watch(sys.stdin)
