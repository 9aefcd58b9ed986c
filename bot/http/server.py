"""The HTTP door: the server that runs our applications inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.telemetry import Metrics, connections_log, log

# Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
TIMESTAMP = re.compile(rb"[0-9]{1,12}")

# Slack's largest request is a submitted view, of at most 250 kB, form-encoded.
SLACK_BODY_MAX = 1_000_000
WAITING_TO_BE_ACCEPTED = 2_048
# What comes before a body: far more than a key, an address and what proxies add.
HEAD_MAX = 65_536
# How long a head may take to arrive, and then a body, and how long an answer may not be taken: who
# is slower holds a connection, and perhaps a file handle, that somebody else needs.
PATIENCE = timedelta(seconds=10)


class AddressTaken(Exception):
    """Nothing can listen at ``HOST`` and ``PORT``. The text says why and what to set."""


class HttpServer:
    """Serves ``rest``, and hands `/slack/…` to ``slack``: each an ASGI application of its own.

    ``port`` 0 takes any free one; `address` tells which, once started. ``patience`` is how long a
    part of a request may take to come, and a part of an answer to be taken.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        rest: ASGIApp,
        slack: ASGIApp | None,
        metrics: Metrics,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._host = host
        self._patience = patience
        self._port = port
        self._slack = slack and _Verified(slack, metrics)
        self._rest = rest
        self._server: _QuietServer | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it can be reached, once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def connections(self) -> frozenset[object]:
        """Those that are open now."""
        return frozenset(self._server.server_state.connections if self._server else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Slack's requests go past FastAPI: each layer costs some of the three seconds.

        A body that does not come in time is one that was cut off.
        """
        end = asyncio.get_running_loop().time() + self._patience.total_seconds()
        late = whole = False

        async def in_time() -> Message:
            nonlocal late, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    part = await receive()
            except TimeoutError:
                late = whole = True
                return {"type": "http.disconnect"}
            whole = not part.get("more_body", False)
            return part

        async def told(message: Message) -> None:
            if late and message["type"] == "http.response.start":
                # The rest of the body would be taken for the next request.
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._route(scope, in_time, told)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        slack = self._slack if scope["path"].startswith("/slack/") else None
        await (slack or self._rest)(scope, receive, send)

    async def start(self) -> None:
        """Listens, and answers requests from now on.

        Raises:
            AddressTaken: another program is there, or the address is not this machine's.
        """
        listener = self._listener()
        self._port = listener.getsockname()[1]
        config = _Config(
            self,
            http=_Patient,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        config.patience = self._patience
        self._server = _QuietServer(config)
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({ready, self._running}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            ready.cancel()
            self._running.result()
        log.info("listening", address=self.address)

    def _listener(self) -> socket.socket:
        """A socket that listens: of two programs that start at once, one is told here."""
        listener = None
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            # By name: asyncio sends without delay only where the socket says that it is TCP's, and
            # an answer in two parts would wait 40 ms for the other side to confirm the first.
            listener = socket.socket(family, kind, protocol)
            # Else a port that was in use a minute ago could not be taken again.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(WAITING_TO_BE_ACCEPTED)
        except (OSError, UnicodeError) as error:
            if listener:
                listener.close()
            reason = error.strerror if isinstance(error, OSError) else "no name of a machine"
            raise AddressTaken(
                f"PORT {self._port} on HOST {self._host} cannot be used ({reason}): "
                "stop the other program, or set another PORT"
            ) from None
        return listener

    async def stop(self) -> None:
        """Takes no more, lets what runs finish within five seconds."""
        if self._server and self._running:
            self._server.should_exit = True
            await self._running


class _Verified:
    """Gives ``slack``, which verifies the signature, whole requests alone; counts what is refused.

    Nothing else is left of a request that is not Slack's: it would fill the logs for its sender.
    """

    def __init__(self, slack: ASGIApp, metrics: Metrics) -> None:
        self._slack = slack
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if not (
            SIGNATURE.fullmatch(headers.get(b"x-slack-signature", b""))
            and TIMESTAMP.fullmatch(headers.get(b"x-slack-request-timestamp", b""))
        ):
            # What compares signatures takes them to be numbers and ASCII.
            await self._refuse(HTTPStatus.UNAUTHORIZED, scope, receive, send)
            return
        if int(headers.get(b"content-length", 0)) > SLACK_BODY_MAX:
            await self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            part = await receive()
            if part["type"] == "http.disconnect":
                # For whoever is still there, and was only slow.
                status = HTTPStatus.REQUEST_TIMEOUT
                await PlainTextResponse(f"{status.phrase}\n", status)(scope, receive, send)
                return
            body += part.get("body", b"")
            more = part.get("more_body", False)
            if len(body) > SLACK_BODY_MAX:
                await self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, scope, receive, send)
                return

        async def whole() -> Message:
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        async def counted(message: Message) -> None:
            if message.get("status") == HTTPStatus.UNAUTHORIZED:
                self._count()
            await send(message)

        await self._slack(scope, whole, counted)

    async def _refuse(self, status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
        self._count()
        await PlainTextResponse(f"{status.phrase}\n", status_code=status)(scope, receive, send)

    def _count(self) -> None:
        self._metrics.requests.labels("http", "unverified", "refused").inc()


class _Config(uvicorn.Config):
    patience = PATIENCE


class _Patient(HttpToolsProtocol):
    """One connection, which is closed when its other side takes or gives too slowly or too much.

    uvicorn itself waits for ever, for a head without end.
    """

    config: _Config

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = connections_log
        self._waiting: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        # Set to 0 by a head that is complete; a body's parts count anew, and mean nothing.
        if self._waiting and self._head_bytes > HEAD_MAX:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._come()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        self._come()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._come()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._come()
        patience = self.config.patience.total_seconds()
        # Not closed: what is not taken would be waited for all the same.
        self._waiting = self.loop.call_later(patience, self.transport.abort)

    def _come(self) -> None:
        self._head_bytes = 0
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None


class _QuietServer(uvicorn.Server):
    """Leaves signals to the process that it is a part of, and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, then sets `ready`."""
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
