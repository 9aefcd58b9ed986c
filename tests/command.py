"""``ratchet`` as a process, as an operator starts it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGINT
from typing import NamedTuple

from bot.demo import bot
from bot.sandbox import Sandbox
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import a_free_port, listening, two_free_ports
from tests.warm import WARM
from tests.watchdog import WATCHDOG

ROOT = Path(__file__).parents[1]


@asynccontextmanager
async def a_command(
    *arguments: str,
    folder: Path,
    program: Sequence[str] = ("-m", "bot"),
    cold: bool = False,
    session: bool = False,
    stdout: int = DEVNULL,
    stderr: int = DEVNULL,
    **variables: str,
) -> AsyncIterator[Process]:
    """``ratchet`` with ``arguments`` in ``folder``, which is also its home.

    ``cold``: it imports everything by itself, as at an operator.
    ``session``: it leads a process group of its own, as in a terminal.

    Its environment holds ``variables``, PATH and HOME. It is killed at the end of the block, and
    when the test process is gone.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable if cold else WARM.python, *program, *arguments),
        cwd=folder,
        start_new_session=session,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            **variables,
        },
        stdout=stdout,
        stderr=stderr,
    )
    with WATCHDOG.watching(process.pid):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


class WholeDemo(NamedTuple):
    """`ratchet demo` as a process: the addresses of its page and of its API, its first lines."""

    page: str
    api: str
    told: str


@asynccontextmanager
async def a_whole_demo(
    *arguments: str, folder: Path, cold: bool = False, killed: bool = False
) -> AsyncIterator[WholeDemo]:
    """``ratchet demo`` with ``arguments`` in ``folder``, which runs; in the end as by Ctrl-C.

    ``cold``: it and its processes import everything by themselves, as at home.
    ``killed``: in the end as by ``kill -9``.
    """
    port = two_free_ports()
    command = a_command(
        *("demo", "--port", str(port), *arguments),
        folder=folder,
        cold=cold,
        session=True,
        stdout=PIPE,
        stderr=STDOUT,
    )
    async with command as process:
        assert process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lines or not lines[-1].startswith("Ctrl-C"):
                line = await process.stdout.readline()
                assert line, "".join(lines)
                lines.append(line.decode())
        yield WholeDemo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", "".join(lines))
        if killed:
            process.kill()
            await until(lambda: process.returncode is not None and not listening(port + 1))
            return
        os.killpg(process.pid, SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
    log = (folder / ".ratchet-demo/ratchet.log").read_text()
    assert '"event": "stopped"' in log.splitlines()[-1]


@asynccontextmanager
async def a_demo(slack: Sandbox, *, folder: Path, http: bool) -> AsyncIterator[str]:
    """The bot as the demo starts it, connected to ``slack``; its HTTP address."""
    started = bot(
        slack, folder=folder, port=a_free_port(), http=http, within_seconds=PATIENCE_SECONDS
    )
    async with started as running:
        with WATCHDOG.watching(running.process.pid):
            yield running.address
