"""The HTTP server. It runs our ASGI applications inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator, Sequence
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
# The largest request head, in bytes: far more than a key, an address and a proxy's headers.
HEAD_MAX = 65_536
# The longest time for a head to arrive, then for a body, and for a blocked answer to be read. A
# slower client holds a connection, and perhaps a file handle, that others need.
PATIENCE = timedelta(seconds=10)


class AddressTaken(Exception):
    """``HOST`` and ``PORT`` cannot be used. The text gives the reason and a cure."""


class HttpServer:
    """Serves two ASGI applications: ``slack`` at `/slack/…`, and ``rest`` at all other addresses.

    ``port`` 0 takes a free one; `address` has it after the start. ``proxies`` are addresses and
    networks whose ``X-Forwarded-For`` names the client. ``patience`` limits the time for each part
    of a request to arrive, and for each part of an answer to be read.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        rest: ASGIApp,
        slack: ASGIApp | None,
        metrics: Metrics,
        proxies: Sequence[str] = (),
        patience: timedelta = PATIENCE,
    ) -> None:
        self._host = host
        self._proxies = list(proxies)
        self._patience = patience
        self._port = port
        self._slack = slack and _Verified(slack, metrics)
        self._rest = rest
        self._server: _QuietServer | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The address of the server, such as ``http://127.0.0.1:3000``; known after the start."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def connections(self) -> frozenset[object]:
        """The open connections."""
        return frozenset(self._server.server_state.connections if self._server else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Routes a request. A body that is late counts as cut off.

        Slack's requests bypass FastAPI: each layer costs some of Slack's three seconds.
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

        async def closing(message: Message) -> None:
            if late and message["type"] == "http.response.start":
                # On an open connection the rest of the body would be read as the next request.
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._route(scope, in_time, closing)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        slack = self._slack if scope["path"].startswith("/slack/") else None
        await (slack or self._rest)(scope, receive, send)

    async def start(self) -> None:
        """Listens, and answers requests from now on.

        Raises:
            AddressTaken: another program uses the port, or the host is not this machine's.
        """
        listener = self._listener()
        self._port = listener.getsockname()[1]
        config = _Config(
            self,
            http=_TimedConnection,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
            forwarded_allow_ips=self._proxies,
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
        """A listening socket. If two programs start at once, one of them fails here."""
        listener = None
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            # `protocol` must be passed: asyncio sets TCP_NODELAY only on a socket that names TCP.
            # Without it the second part of an answer waits 40 ms for the acknowledgement of the
            # first.
            listener = socket.socket(family, kind, protocol)
            # Without it a port stays unusable for a minute after its last use.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(WAITING_TO_BE_ACCEPTED)
        except (OSError, UnicodeError) as error:
            if listener:
                listener.close()
            reason = error.strerror if isinstance(error, OSError) else "not a host name"
            raise AddressTaken(
                f"PORT {self._port} on HOST {self._host} cannot be used ({reason}): "
                "stop the other program, or set another PORT"
            ) from None
        return listener

    async def stop(self) -> None:
        """Takes no new requests. Running requests have five seconds to finish."""
        if self._server and self._running:
            self._server.leave()
            await self._running


class _Verified:
    """Passes whole requests to ``slack``, which verifies the signature, and counts the refused.

    A refused request leaves no log line: its sender could fill the logs.
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
            # slack_sdk's verification expects an integer and ASCII, and raises otherwise.
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
                # The client may be slow rather than gone, and can read this.
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


class _TimedConnection(HttpToolsProtocol):
    """One connection. It is closed when the client is too slow, or its head too large.

    uvicorn itself waits for ever, and reads an endless head.
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
        # A complete head sets the count to 0. Parts of a body are counted too, with no timer set.
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
        # abort, not close: close would wait until the client has read everything.
        self._waiting = self.loop.call_later(patience, self.transport.abort)

    def _come(self) -> None:
        self._head_bytes = 0
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None


class _QuietServer(uvicorn.Server):
    """Leaves signals to our process, sets ``ready`` once it listens, and stops at once.

    uvicorn itself looks for its end, and for that of its connections, every 100 ms.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._left = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, then sets `ready`."""
        await super().startup(sockets=sockets)
        self.ready.set()

    def leave(self) -> None:
        """Begins the end."""
        self.should_exit = True
        self._left.set()

    async def main_loop(self) -> None:
        """As uvicorn's own, until `leave` is called."""
        ticks, left = (
            asyncio.create_task(wait) for wait in (super().main_loop(), self._left.wait())
        )
        try:
            await asyncio.wait([ticks, left], return_when=asyncio.FIRST_COMPLETED)
            if ticks.done():
                ticks.result()  # an error in it is the server's
        finally:
            ticks.cancel()
            left.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, which waits, unless no request is running."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for _ in range(3):  # rounds of the loop, in which a connection that was taken is made
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # The loop forgets closed connections in its next round.
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
