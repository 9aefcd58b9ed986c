"""``ratchet`` as a process, as an operator starts it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.demo import bot
from bot.sandbox import Sandbox
from tests.patience import PATIENCE_SECONDS
from tests.ports import a_free_port
from tests.watchdog import WATCHDOG

ROOT = Path(__file__).parents[1]


@asynccontextmanager
async def a_command(
    *arguments: str,
    folder: Path,
    program: Sequence[str] = ("-m", "bot"),
    stdout: int = DEVNULL,
    stderr: int = DEVNULL,
    **variables: str,
) -> AsyncIterator[Process]:
    """``ratchet`` with ``arguments`` in ``folder``, which is also its home.

    Its environment holds ``variables``, PATH and HOME. It is killed at the end of the block, and
    when the test process is gone.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, *arguments),
        cwd=folder,
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


@asynccontextmanager
async def a_demo(slack: Sandbox, *, folder: Path, http: bool) -> AsyncIterator[str]:
    """The bot as the demo starts it, connected to ``slack``; its HTTP address."""
    started = bot(
        slack, folder=folder, port=a_free_port(), http=http, within_seconds=PATIENCE_SECONDS
    )
    async with started as running:
        with WATCHDOG.watching(running.pid):
            yield running.address
