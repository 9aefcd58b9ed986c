"""The demo: a stand-in for Slack with a page, and the unmodified bot connected to it.

The bot is a separate process, started as an operator starts it. Only the address of Slack in its
settings is different. The past of the demo is a story, which `bot.past` has played before.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
import shutil
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import aiohttp

from bot.sandbox.receiver import PATH, Receiver
from bot.sandbox.server import Sandbox
from bot.sandbox.story import Story, story
from bot.stand_in import (
    DATABASE,
    PAGE,
    is_kept,
    keep,
    keep_up,
    manifest,
    settings_for,
    take_up,
    team,
    with_templates,
)

FOLDER = Path(".ratchet-demo")
FIRST_STORY = "outage"
KEY = "api-key"
LOG = "ratchet.log"
STARTED_WITHIN_SECONDS = 30
STOPPED_WITHIN_SECONDS = 10

_begun: list[Process] = []


class BotDidNotStart(Exception):
    """A process of the demo failed, or did not connect. The text names the log."""


class BotEnded(Exception):
    """The bot ended while the demo ran. The text names the log."""


class CannotRun(Exception):
    """The demo cannot run here, and nothing was changed. The text says why."""


class RunningBot(NamedTuple):
    """The bot's process, and the variables that it runs with."""

    address: str
    process: Process
    settings: Mapping[str, str]


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
    settings = {**settings_for(slack, port=port), **with_templates(folder), **door}
    with _log(folder) as lines:
        process = await _begin("bot", "serve", folder=folder, settings=settings, log=lines)
    try:
        connected = _listening(address) if http else slack.connected(timeout_seconds=within_seconds)
        await _until_started(process, connected, within_seconds=within_seconds, folder=folder)
        yield RunningBot(address, process, settings)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOPPED_WITHIN_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def _log(folder: Path) -> IO[bytes]:
    return (folder / LOG).open("ab")


async def _begin(
    *arguments: str,
    folder: Path,
    settings: Mapping[str, str],
    log: IO[bytes],
    stdout: int | IO[bytes] | None = None,
) -> Process:
    """``python -m`` with ``arguments`` as a process in ``folder``, which has only ``settings``.

    It ends with the demo, also if that is killed.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.attended", *arguments),
        # Ctrl-C reaches only the demo, which ends its processes: the bot takes a second signal for
        # impatience, and would not close its database.
        start_new_session=True,
        # A `.env` in the working directory is for another bot.
        cwd=folder,
        env=_only(settings),
        stdin=PIPE,
        stdout=log if stdout is None else stdout,
        stderr=log,
    )
    _begun.append(process)
    return process


def kill_all() -> None:
    """Kill the processes of the demo, which cannot wait for them any longer."""
    for process in _begun:
        if process.returncode is None:
            process.kill()


def _only(settings: Mapping[str, str]) -> dict[str, str]:
    """``settings`` and the variables that every process needs: no tokens of the shell."""
    kept = ("PATH", "HOME", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    # The process runs these sources, also from another folder.
    return {**environment, "PYTHONPATH": str(Path(__file__).parents[1]), **settings}


async def _until_started(
    process: Process,
    connected: Coroutine[None, None, None],
    *,
    within_seconds: float,
    folder: Path,
) -> None:
    ended = asyncio.create_task(process.wait())
    ready = asyncio.create_task(connected)
    done, waiting = await asyncio.wait(
        {ended, ready}, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    for task in waiting:
        task.cancel()
    if ready not in done:
        raise BotDidNotStart(f"The bot did not start; {folder}/{LOG} says why.")


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


async def beside(address: str) -> str:
    """The page at ``address`` as it is now, for the pane beside Slack: without scripts.

    Its links open in a window. While the bot does not answer, it is a sentence that says so.
    """
    try:
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            page = await answer.text()
    except aiohttp.ClientError:
        page = "<!DOCTYPE html><title>Status page</title><p>The bot does not answer.</p>"
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    return page.replace("<title>", '<base target="_blank"><title>', 1)


async def _said(*arguments: str, folder: Path, settings: Mapping[str, str]) -> str:
    """The output of ``ratchet`` with ``arguments``.

    Raises:
        BotDidNotStart: the command failed.
    """
    with _log(folder) as lines:
        process = await _begin(
            "bot", *arguments, folder=folder, settings=settings, log=lines, stdout=PIPE
        )
        # `communicate` would close its standard input, and end it.
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said = await process.stdout.read()
        await process.wait()
    if process.returncode:
        raise BotDidNotStart(f"A command of the demo failed; {folder}/{LOG} says why.")
    return said.decode()


async def _key(folder: Path, settings: Mapping[str, str]) -> str:
    """The API key of the demo. It is made once, and kept in a file for its owner alone."""
    file = folder / KEY
    if not file.is_file():
        made = await _said(
            *("keys", "create", "--name", "demo", "--scope", "admin"),
            folder=folder,
            settings=settings,
        )
        part = folder / f"{KEY}.new"
        part.touch(mode=0o600)
        part.write_text(made, encoding="utf-8")
        part.replace(file)
    return file.read_text(encoding="utf-8").strip()


async def _hook(receiver: Receiver, *, api: str, key: str) -> bool:
    """Adds ``receiver`` as any webhook is added, in the place of those of earlier runs.

    False: the key is of an earlier version and may not add one.
    """
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(api, headers=headers) as http:
        async with http.get("/v1/webhooks") as answer:
            if answer.status != 200:
                return False
            known = (await answer.json())["data"]["webhooks"]
        for one in known:
            if one["url"].endswith(PATH):
                await (await http.delete(f"/v1/webhooks/{one['id']}")).release()
        async with http.post("/v1/webhooks", json={"url": receiver.url}) as answer:
            if answer.status != 201:
                return False
            receiver.trust((await answer.json())["data"]["secret"])
    return True


async def _play(name: str, *, folder: Path, stop: asyncio.Event) -> None:
    """Play the story ``name``, as if it had happened until now.

    Raises:
        BotDidNotStart: the story failed.
    """
    with _log(folder) as lines:
        process = await _begin("bot.past", name, folder=folder, settings={}, log=lines)
    await _until_ended(process, stop)
    if process.returncode is None:
        process.kill()
    if await process.wait() and not stop.is_set():
        raise BotDidNotStart(f"The story could not be played; {folder}/{LOG} says why.")


async def _until_ended(process: Process, stop: asyncio.Event) -> None:
    """Returns once ``process`` has ended, or ``stop`` is set."""
    both = {asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())}
    _, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds ``folder`` for this demo alone. A folder that is empty in the end is removed.

    Raises:
        CannotRun: another demo holds it, or it cannot be made.
    """
    try:
        # The texts of incidents and the API key are in it.
        folder.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CannotRun(
            f"{folder} cannot be used ({error.strerror}): run the demo in another folder."
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRun(
                "A demo runs in this folder already, and nothing was changed: end it first, with "
                "Ctrl-C."
            ) from None
        try:
            yield
        finally:
            with suppress(OSError):
                folder.rmdir()
    finally:
        os.close(handle)


def _see_free(port: int) -> None:
    """Checks that the demo can listen at ``port``.

    Raises:
        CannotRun: it cannot.
    """
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except OSError as error:
        cure = "name another one with --port."
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(f"Another program uses port {port}: {cure}") from None
        raise CannotRun(
            f"Port {port} cannot be used ({os.strerror(error.errno or 0)}): {cure}"
        ) from None


def _empty(folder: Path, *, but: frozenset[str] = frozenset()) -> None:
    """Deletes everything in ``folder`` except the files whose names are in ``but``."""
    for inside in folder.iterdir():
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside)
        elif inside.name not in but:
            inside.unlink()


async def run(
    *,
    port: int,
    http: bool,
    story_name: str | None,
    clean: bool,
    announce: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Run stand-in and bot until ``stop`` is set; ``announce`` prints a line.

    ``story_name`` is played in place of the state that earlier runs left. None: they go on, or if
    there is no state, `FIRST_STORY` is played. ``clean`` deletes the state; without a name, nothing
    is played then.

    Raises:
        CannotRun: another demo runs in this folder, or a port is taken. Nothing was changed.
        BotDidNotStart: it ended at once, or is not connected after 30 s.
        BotEnded: it ended before ``stop`` was set. The state is kept.
    """
    with _held(FOLDER):
        # Before anything is deleted: the page takes the first port, the bot the second.
        _see_free(port)
        _see_free(port + 1)
        await _run(
            port=port, http=http, story_name=story_name, clean=clean, announce=announce, stop=stop
        )


async def _run(
    *,
    port: int,
    http: bool,
    story_name: str | None,
    clean: bool,
    announce: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    async with Sandbox(manifest(), populate=team, port=port) as slack:
        goes_on = is_kept(FOLDER) and not (clean or story_name)
        name = story_name or (None if clean or goes_on else FIRST_STORY)
        told = story(name) if name else None
        if not goes_on:
            # A run that was killed leaves a half of its story, or of its state.
            _empty(FOLDER)
        if name and told:
            announce(f"Playing the story {name}, with the times at which it happens: {told.about}")
            try:
                await _play(name, folder=FOLDER, stop=stop)
            except BotDidNotStart:
                _empty(FOLDER, but=frozenset({LOG}))
                raise
        if stop.is_set():
            if not is_kept(FOLDER):
                _empty(FOLDER)
            return
        if is_kept(FOLDER):
            take_up(slack.workspace, FOLDER)
        slack.front.welcome = told.hint if told else ""
        announce("Starting the bot …")
        keeping = asyncio.create_task(keep_up(slack.workspace, FOLDER))
        try:
            await _serve(slack, port=port + 1, http=http, told=told, announce=announce, stop=stop)
        except BotDidNotStart:
            if not stop.is_set():
                raise
        finally:
            keeping.cancel()
            if (FOLDER / DATABASE).is_file():
                keep(slack.workspace, FOLDER)


async def _serve(
    slack: Sandbox,
    *,
    port: int,
    http: bool,
    told: Story | None,
    announce: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    async with (
        Receiver() as receiver,
        bot(slack, folder=FOLDER, port=port, http=http) as running,
    ):

        async def figures() -> str:
            return await _said("stats", "30d", "--html", folder=FOLDER, settings=running.settings)

        if stop.is_set():
            return
        slack.front.beside["Statistics"] = figures
        if told is None and not (FOLDER / KEY).is_file():
            publish = ("page", "publish", "--title", PAGE.title, "--slug", PAGE.slug)
            await _said(*publish, folder=FOLDER, settings=running.settings)
        page = f"{running.address}/status/{PAGE.slug}"
        slack.front.elsewhere["Status page"] = page
        slack.front.beside["Status page"] = partial(beside, page)
        person, channel = (told.person, told.channel) if told else ("mia", "#payments")
        announce(f"\nOpen {slack.url}/?as={person}&at={channel.removeprefix('#')}")
        announce(told.hint if told else "This goes on where the last run ended.")
        key = await _key(FOLDER, running.settings)
        announce(f"\nStatus page: {page}")
        if await _hook(receiver, api=running.address, key=key):
            slack.front.elsewhere["Webhooks"] = receiver.url
            slack.front.beside["Webhooks"] = receiver.page
            announce(f"Webhooks: {receiver.url} shows what a receiver gets")
        announce(f"API: {running.address}, with the key {key} (kept in {FOLDER}/{KEY})")
        address = f"sqlite:///{FOLDER}/{DATABASE}"
        announce(f"Command line: DATABASE_URL={address} .venv/bin/ratchet stats")
        announce(f"Log: {FOLDER}/{LOG}")
        announce("Ctrl-C ends it. The next run goes on from there; --clean deletes everything.")
        await _until_ended(running.process, stop)
        if not stop.is_set():
            raise BotEnded(
                f"The bot has ended; {FOLDER}/{LOG} may say why. "
                "The next `ratchet demo` goes on from there."
            )
