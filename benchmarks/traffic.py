"""Signed slash commands over loopback, from a client with little cost of its own."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlencode

PATH = "/slack/events"
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


def signature(secret: bytes, timestamp: bytes, body: bytes) -> str:
    """The value of ``X-Slack-Signature``.

    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    return "v0=" + hmac.new(secret, b"v0:" + timestamp + b":" + body, hashlib.sha256).hexdigest()


def command(text: str, *, secret: str, trigger: str, **fields: str) -> bytes:
    """A whole HTTP request with ``/incident text``, signed now: good for five minutes.

    ``trigger`` is different for each command; ``fields`` are the team, the channel and the user.
    """
    body = urlencode(
        {
            "token": "unused",
            "command": "/incident",
            "text": text,
            "response_url": "http://127.0.0.1:9/commands/answered/with/the/acknowledgement",
            "trigger_id": trigger,
            "api_app_id": "A0RATCHET",
            "is_enterprise_install": "false",
            **fields,
        }
    ).encode()
    timestamp = str(int(time.time()))
    head = (
        f"POST {PATH} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        "Accept: application/json,*/*\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {timestamp}\r\n"
        f"X-Slack-Signature: {signature(secret.encode(), timestamp.encode(), body)}\r\n\r\n"
    )
    return head.encode() + body


class NotDone(RuntimeError):
    """A server did not answer with success, so its numbers would mean nothing."""


class Clients:
    """Connections to one server; each sends its next request after the answer to its last."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._connections: list[_Connection] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
            self._connections.append(connection)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._connections:
            connection.close()

    async def seconds_each(
        self, requests: Sequence[Sequence[bytes]], *, expecting: bytes = b"", status: int = 200
    ) -> float:
        """Send ``requests``, one row for each connection; returns the seconds for one request.

        Raises:
            NotDone: an answer has another ``status``, or nowhere the bytes ``expecting``.
        """
        began = time.perf_counter()
        await asyncio.gather(
            *(
                connection.send_all(row, expecting, status)
                for connection, row in zip(self._connections, requests, strict=True)
            )
        )
        return (time.perf_counter() - began) / sum(map(len, requests))

    async def answer(self, request: bytes) -> bytes:
        """The whole answer to ``request``, sent on the first connection."""
        return await self._connections[0].send(request)

    async def waits(self, requests: Sequence[Sequence[bytes]]) -> list[float]:
        """Send ``requests`` at once, one on each connection; returns the seconds to each answer.

        Raises:
            NotDone: an answer is not a 200.
        """

        async def wait(connection: _Connection, row: Sequence[bytes]) -> float:
            await connection.send_all(row, b"", 200)
            return time.perf_counter() - began

        began = time.perf_counter()
        pairs = zip(self._connections, requests, strict=True)
        return await asyncio.gather(*(wait(connection, row) for connection, row in pairs))


class _Connection(asyncio.Protocol):
    """One keep-alive connection, with the HTTP that the three servers need."""

    def __init__(self) -> None:
        self._received = b""
        self._answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A TCP transport; the protocol class declares only the base of all transports.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if self._answered and end and (length is None or len(body) >= int(length[1])):
            answer, self._received = self._received, b""
            self._answered.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(error or NotDone("the server hung up"))

    async def send_all(self, requests: Sequence[bytes], expecting: bytes, status: int) -> None:
        for request in requests:
            answer = await self.send(request)
            if not answer.startswith(b"HTTP/1.1 %d" % status) or expecting not in answer:
                raise NotDone(answer.decode(errors="replace"))

    async def send(self, request: bytes) -> bytes:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def close(self) -> None:
        self._transport.close()
