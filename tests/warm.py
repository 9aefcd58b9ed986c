"""`ratchet` as a process that does not have to import everything first, which takes two seconds.

A process of its own imports what the commands import, and then waits. The program `WARM.python`
takes the arguments of Python: for ``-c``, and for ``-m`` and a module of ours, the process that
waits forks, and the new process runs the code with the arguments, variables, folder, mask, standard
files and largest file of the program. The program hands on its signals, and ends as the code ends.
If it is killed, so is the code. Whatever else Python is asked to do, the program becomes Python and
does it.

So such a process is a process as any other, except for its imports and its parent: tests of these
take `sys.executable`.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

ROOT = Path(__file__).parents[1]
# Each imports what the commands import inside of their functions.
IMPORTED = (
    "alembic.command",
    "bot.app",
    "bot.commands",
    "bot.demo",
    "bot.doctor.checks",
    "bot.http.server",
    "bot.sandbox.story",
    "core.importing",
    "core.stats",
    "psycopg",
    "storage.backup",
    "storage.export",
    "typer.rich_utils",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
HANDED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
LINE_MAX = 1 << 20

PROGRAM = """\
#!{python} -IS
import json, os, resource, signal, socket, sys
if sys.argv[1] != "-c" and (sys.argv[1] != "-m" or sys.argv[2].partition(".")[0] != "bot"):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
os.umask(mask := os.umask(0))
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
asked = [sys.argv[1:], dict(os.environ), os.getcwd(), mask, limits]
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
line.connect({address!r})
socket.send_fds(line, [json.dumps(asked).encode()], [0, 1, 2])
for number in {signals}:
    signal.signal(number, lambda number, _: line.send(bytes([number])))
nothing = os.open(os.devnull, os.O_RDWR)
for file in range(3):
    os.dup2(nothing, file)
code = int(line.recv(16) or -signal.SIGKILL)
if code < 0:
    if -code in {signals}:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class Warm:
    """The process that waits; it starts when its program is first asked for."""

    @cached_property
    def python(self) -> str:
        """The path of the program that stands in for Python."""
        # Not in memory: programs may not be run from there everywhere.
        folder = Path(tempfile.mkdtemp(prefix="ratchet-warm-"))
        program = folder / "python"
        program.write_text(
            PROGRAM.format(
                python=sys.executable,
                address=str(folder / "socket"),
                signals=tuple(map(int, HANDED_ON)),
            )
        )
        program.chmod(0o700)
        # It ends when this process has ended, by the end of its standard input.
        self._process = subprocess.Popen(
            [sys.executable, __file__, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return str(program)


WARM = Warm()


class Waiting:
    """The other side: forks once for each program that connects."""

    def __init__(self, folder: Path) -> None:
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.bind(str(folder / "socket"))
        self._door.listen(16)
        self._lines: dict[int, socket.socket] = {}
        # A child that ends writes here, so that nothing has to be asked again and again.
        self._ended, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def asked(self) -> list[Any] | None:
        """What one program asks for, in the process that was forked for it; None: all is over."""
        while True:
            awaited: list[Any] = [0, self._ended, self._door, *self._lines.values()]
            ready, _, _ = select.select(awaited, [], [])
            if 0 in ready:
                for pid in self._lines:
                    os.kill(pid, signal.SIGKILL)
                return None
            if self._ended in ready:
                os.read(self._ended, LINE_MAX)
                self._tell_ends()
            for pid, line in list(self._lines.items()):
                if line in ready:
                    self._hand_on(pid, line)
            if self._door in ready and (job := self._fork()):
                return job

    def _tell_ends(self) -> None:
        for pid in list(self._lines):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._lines.pop(pid) as line, suppress(OSError):
                    line.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _hand_on(self, pid: int, line: socket.socket) -> None:
        """Gives the process the signal of its program; that one's end is a signal as well."""
        if pid not in self._lines:
            return
        if signals := line.recv(1):
            os.kill(pid, signals[0])
        else:
            self._lines.pop(pid).close()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self) -> list[Any] | None:
        line, _ = self._door.accept()
        asked, files, _, _ = socket.recv_fds(line, LINE_MAX, 3)
        if not asked:
            line.close()  # the program was killed at once
            return None
        if pid := os.fork():
            for file in files:
                os.close(file)
            self._lines[pid] = line
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # A shell that runs the tests in its background has it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        for ours, theirs in enumerate(files):
            os.dup2(theirs, ours)
        for file in (*files, self._ended, self._wake):
            os.close(file)
        for other in (self._door, line, *self._lines.values()):
            other.close()
        job: list[Any] = json.loads(asked)
        return job


def main(folder: Path) -> None:
    for module in IMPORTED:
        import_module(module)
    for command in walk_packages(import_module("bot.commands").__path__, "bot.commands."):
        import_module(command.name)
    gc.collect()
    gc.freeze()
    waiting = Waiting(folder)
    os.write(1, b"ready\n")
    if not (asked := waiting.asked()):
        shutil.rmtree(folder)
        return
    (how, what, *arguments), variables, place, mask, limits = asked
    os.chdir(place)
    os.umask(mask)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    sys.executable = str(folder / "python")
    if how == "-c":
        sys.argv = [how, *arguments]
        sys.path[0] = ""
        exec(what, {"__name__": "__main__"})  # noqa: S102 - what Python does with it
    else:
        sys.argv = [what, *arguments]
        sys.path[0] = place
        runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
