"""The demo: a stand-in for Slack with a page, and the unmodified bot connected to it.

The bot is a separate process, started as an operator starts it. Only the address of Slack in its
settings is different.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bot.sandbox.saving import restore, saved
from bot.sandbox.server import Sandbox
from bot.sandbox.story import STORIES, Stage, read

FOLDER = Path(".ratchet-demo")
# Beside the sources in a checkout; inside the package after an installation from a wheel.
MANIFESTS = (
    Path(__file__).parents[1] / "app_manifest.yml",
    Path(__file__).with_name("app_manifest.yml"),
)
STARTED_WITHIN_SECONDS = 30
QUIET_SECONDS = 0.8
# A longer pause in a story is skipped. The first 12 seconds let a public update be delivered.
WAITS_SECONDS = 12
STOPPED_WITHIN_SECONDS = 10


class BotDidNotStart(Exception):
    """The bot's process ended, or did not connect. The text names its log."""


def manifest() -> dict[str, Any]:
    """The manifest of the Slack app, with the scopes that the stand-in enforces."""
    path = next(path for path in MANIFESTS if path.is_file())
    read_in: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read_in


class RunningBot(NamedTuple):
    """The bot's process."""

    address: str
    pid: int


@asynccontextmanager
async def bot(
    slack: Sandbox,
    *,
    folder: Path,
    port: int,
    http: bool,
    within_seconds: float = STARTED_WITHIN_SECONDS,
) -> AsyncIterator[RunningBot]:
    """``ratchet serve`` as a process, connected to ``slack``.

    Raises:
        BotDidNotStart: it ended at once, or is not connected after ``within_seconds``.
    """
    address = f"http://127.0.0.1:{port}"
    door = {"SLACK_APP_TOKEN": slack.app_token}
    if http:
        door = {"SLACK_SIGNING_SECRET": slack.signing_secret}
        slack.request_url = f"{address}/slack/events"
    settings = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "STATUS_CHANNEL": slack.workspace.channel("#status").id,
        "DATABASE_URL": "sqlite:///ratchet.db",
        "PORT": str(port),
        "LOG_FORMAT": "json",
        **door,
    }
    log = (folder / "ratchet.log").resolve()
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"),
            # A `.env` in the working directory is for another bot.
            cwd=folder,
            env=_only(settings),
            stdout=lines,
            stderr=lines,
        )
    try:
        connected = _listening(address) if http else slack.connected(timeout_seconds=within_seconds)
        await _until_started(process, connected, within_seconds=within_seconds, log=log)
        yield RunningBot(address, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOPPED_WITHIN_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def _only(settings: Mapping[str, str]) -> dict[str, str]:
    """``settings`` and the variables that every process needs: no tokens of the shell."""
    kept = ("PATH", "HOME", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    # The process runs these sources, also from another folder.
    return {**environment, "PYTHONPATH": str(Path(__file__).parents[1]), **settings}


async def _until_started(
    process: asyncio.subprocess.Process,
    connected: Coroutine[None, None, None],
    *,
    within_seconds: float,
    log: Path,
) -> None:
    ended = asyncio.create_task(process.wait())
    ready = asyncio.create_task(connected)
    done, waiting = await asyncio.wait(
        {ended, ready}, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    for task in waiting:
        task.cancel()
    if ready not in done:
        raise BotDidNotStart(f"The bot did not start; {log} says why.")


async def _listening(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def tell(slack: Sandbox, story: str) -> None:
    """Play the acts of a story as fast as the stand-in allows, without checking expectations."""

    async def settle() -> None:
        seen = -1
        while seen != (seen := len(slack.calls)):  # noqa: ASYNC110 - quiet is known by waiting
            await asyncio.sleep(QUIET_SECONDS)

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds if seconds <= WAITS_SECONDS else 0)

    stage = Stage(slack, settle=settle, wait=wait)
    for line in read((STORIES / f"{story}.txt").read_text(encoding="utf-8")):
        if not line.expects:
            await stage.play(line)


def _kept(*, clean: bool) -> Path:
    """The file for the state of the stand-in between two runs; its folder is created."""
    if clean:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / "slack.json"


async def run(
    *,
    port: int,
    http: bool,
    story: str | None,
    clean: bool,
    announce: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Run stand-in and bot until ``stop`` is set; ``announce`` prints a line.

    ``story`` is played only without a saved state; ``clean`` deletes the state of earlier runs.

    Raises:
        BotDidNotStart: it ended at once, or is not connected after 30 s.
        OSError: the port is taken.
    """
    kept = _kept(clean=clean)
    async with Sandbox(manifest(), port=port) as slack:
        fresh = not kept.is_file()
        if not fresh:
            restore(slack.workspace, json.loads(kept.read_text(encoding="utf-8")))
        try:
            async with bot(slack, folder=FOLDER, port=port + 1, http=http) as running:
                page = f"{slack.url}/?at=payments"
                announce(f"Ratchet is running against a stand-in for Slack: open {page}")
                announce(f"HTTP: {running.address}    Log: {FOLDER}/ratchet.log")
                if fresh and story:
                    await tell(slack, story)
                    announce(f'The story "{story}" has been told; go on from there.')
                announce("Ctrl-C ends it.")
                await stop.wait()
        finally:
            kept.write_text(json.dumps(saved(slack.workspace)), encoding="utf-8")
