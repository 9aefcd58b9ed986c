"""The HTTP door: the server that runs our applications inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from http import HTTPStatus

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.telemetry import Metrics, log

# Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
TIMESTAMP = re.compile(rb"[0-9]{1,12}")

# Slack's largest request is a submitted view, of at most 250 kB, form-encoded.
SLACK_BODY_MAX = 1_000_000
WAITING_TO_BE_ACCEPTED = 2_048


class AddressTaken(Exception):
    """Nothing can listen at ``HOST`` and ``PORT``. The text says why and what to set."""


class HttpServer:
    """Serves ``rest``, and hands `/slack/…` to ``slack``: each an ASGI application of its own.

    ``port`` 0 takes any free one; `address` tells which, once started.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        rest: ASGIApp,
        slack: ASGIApp | None,
        metrics: Metrics,
    ) -> None:
        self._host = host
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Slack's requests go past FastAPI: each layer costs some of the three seconds."""
        slack = self._slack if scope["path"].startswith("/slack/") else None
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
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=65_536,
        )
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
