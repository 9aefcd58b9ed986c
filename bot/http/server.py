"""The HTTP door: one FastAPI application and the server that runs it inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.telemetry import log

# Slack's largest request is a submitted view, of at most 250 kB, form-encoded.
SLACK_BODY_MAX = 1_000_000


class AddressTaken(Exception):
    """Nothing can listen at ``HOST`` and ``PORT``. The text says why and what to set."""


class HttpServer:
    """Serves ``routers``, and hands `/slack/…` to ``slack``, an ASGI application of its own.

    ``port`` 0 takes any free one; `address` tells which, once started.
    """

    def __init__(
        self, *, host: str, port: int, routers: list[APIRouter], slack: ASGIApp | None
    ) -> None:
        self._host = host
        self._port = port
        self._slack = slack and RequestBodyLimitMiddleware(slack, max_body_size=SLACK_BODY_MAX)
        self._rest = FastAPI(title="Ratchet", redoc_url=None)
        for router in routers:
            self._rest.include_router(router)
        self._server: _QuietServer | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it can be reached, once started."""
        return f"http://{self._host}:{self._port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Slack's requests go past FastAPI: each layer costs some of the three seconds."""
        slack = self._slack if scope.get("path", "").startswith("/slack/") else None
        await (slack or self._rest)(scope, receive, send)

    async def start(self) -> None:
        """Listens, and answers requests from now on.

        Raises:
            AddressTaken: another program is there, or the address is not this machine's.
        """
        listener = self._listener()
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=65_536,
        )
        self._server = _QuietServer(config)
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._running.done():
            await asyncio.sleep(0.005)
        log.info("listening", address=self.address)

    def _listener(self) -> socket.socket:
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
        except OSError as error:
            raise AddressTaken(
                f"PORT {self._port} on HOST {self._host} cannot be used ({error.strerror}): "
                "stop the other program, or set another PORT"
            ) from None
        return listener

    async def stop(self) -> None:
        """Takes no more, lets what runs finish within five seconds."""
        if self._server and self._running:
            self._server.should_exit = True
            await self._running


class _QuietServer(uvicorn.Server):
    """Leaves signals to the process that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
