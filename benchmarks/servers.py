"""The servers for signed commands, each a separate process.

Ratchet's is the real program. The others are defined here, and are started by
``python -m benchmarks.servers floor|bolt|static``, with Ratchet's own variables. The last one
serves the files of the folder ``STATIC_FOLDER``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.databases import Database
from benchmarks.raw import Raw
from benchmarks.traffic import signature

START_WITHIN_SECONDS = 60
GOOD_FOR_SECONDS = 300

RATCHET = ("bot", "serve")
FLOOR = ("benchmarks.servers", "floor")
BOLT = ("benchmarks.servers", "bolt")
STATIC = ("benchmarks.servers", "static")


def floor(secret: str, database: Database) -> ASGIApp:
    """The minimum for the command: signature, fields, raw SQL, an answer of one line.

    The SQL runs in the event loop: for one connection a thread would only add overhead.
    """
    connection, raw = database.connect(), Raw(database)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers, body, more = dict(scope["headers"]), b"", True
        while more:
            part = await receive()
            body, more = body + part["body"], part.get("more_body", False)
        timestamp = headers[b"x-slack-request-timestamp"]
        expected = signature(secret.encode(), timestamp, body)
        fresh = abs(time.time() - int(timestamp)) < GOOD_FOR_SECONDS
        if not (fresh and hmac.compare_digest(expected.encode(), headers[b"x-slack-signature"])):
            raise PermissionError("forged or stale")
        _verb, number, to, _note = parse_qs(body.decode())["text"][0].split(" ", 3)
        raw.move(connection, int(number), to)
        text = f"INC-{number} is now *{to.title()}*."
        content = json.dumps({"response_type": "ephemeral", "text": text}).encode()
        head = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": content})

    return answer


def bolt(secret: str) -> AsyncSlackRequestHandler:
    """Only Bolt: signature, fields, one listener found, an answer of one line."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-unused")  # noqa: S106 - opens nothing

    app = AsyncApp(signing_secret=secret, process_before_response=True, authorize=authorize)

    @app.command("/incident")
    async def answer(ack: AsyncAck) -> None:
        await ack("INC-42 is now as it was.")

    return AsyncSlackRequestHandler(app)


@contextlib.asynccontextmanager
async def running(*module: str, environment: Mapping[str, str]) -> AsyncIterator[int]:
    """Run the server ``python -m module…`` during the block; yields its port."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        env={"PATH": os.environ["PATH"], "PORT": str(port), **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_WITHIN_SECONDS):
            while not await _listens(port):  # noqa: ASYNC110 - the process sends no event
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(kind: str, environment: Mapping[str, str]) -> None:
    """Serve like `bot.http.server`: the same server and event loop, without a log of requests."""
    apps: Mapping[str, Callable[[], Callable[..., Any]]] = {
        FLOOR[1]: lambda: floor(
            environment["SLACK_SIGNING_SECRET"], Database(environment["DATABASE_URL"])
        ),
        BOLT[1]: lambda: bolt(environment["SLACK_SIGNING_SECRET"]),
        STATIC[1]: lambda: StaticFiles(directory=environment["STATIC_FOLDER"]),
    }
    uvicorn.run(
        apps[kind](),
        port=int(environment["PORT"]),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], os.environ)
