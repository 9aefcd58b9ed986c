"""How requests reach the app: Socket Mode or signed HTTP, with the acknowledgement awaited as long
as Slack does.

It carries payloads and records what became of them. What is in a payload, and what a person sees
when no acknowledgement comes, is ``people``'s affair.

Sources: https://docs.slack.dev/apis/events-api/using-socket-mode,
https://docs.slack.dev/authentication/verifying-requests-from-slack,
https://docs.slack.dev/apis/events-api#retries
"""

import asyncio
import contextlib
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.blockkit import Json

ACK_SECONDS = 3.0
MOST_CONNECTIONS = 10
EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)

COMMAND, INTERACTIVE, EVENT = "slash_commands", "interactive", "events_api"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the app answered to one request, or the name of the failure that Slack would give it."""

    latency_seconds: float
    error: str | None = None
    """``operation_timeout``, ``dispatch_failed``, or None when the app acknowledged in time."""
    status: int | None = None
    """The HTTP status; None in Socket Mode and when no answer came."""
    body: Any = None
    """The parsed JSON, or the text, or None for an empty acknowledgement."""
    reason: str = ""
    """Why, in the words of ``x-slack-retry-reason``: http_timeout, http_error,
    connection_failed."""
    no_retry: bool = False


@dataclass(slots=True, eq=False)
class Request:
    """One request to the app, with its acknowledgement once there is one."""

    id: str
    kind: str
    payload: Json
    at: float
    mode: str
    attempt: int = 0
    redelivered: bool = False
    connection: str | None = None
    ack: Acknowledgement | None = None


@dataclass(slots=True, eq=False)
class Connection:
    """One Socket Mode connection of the app, and what is wrong with it on purpose."""

    id: str
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    half_open: bool = False
    """Nothing comes through any more in either direction, and nobody has been told."""
    delay_seconds: float = 0.0
    unacknowledged: dict[str, list["_Envelope"]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Envelope:
    request: Request
    text: str
    answered: asyncio.Future[Json]


class SocketMode:
    """The WebSocket side. Each envelope goes to one connection, in turn; one that is lost goes to
    another.
    """

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.connections: list[Connection] = []
        self._tickets: set[str] = set()
        self._stranded: list[_Envelope] = []
        self._turn = 0
        # The loop itself holds tasks only weakly.
        self._tasks: set[asyncio.Task[None]] = set()
        self.watch: Callable[[], None] = lambda: None

    def new_ticket(self) -> str:
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return ticket

    async def serve(self, http: web.Request) -> web.StreamResponse:
        """Hold one connection of the app, from hello to its end."""
        ticket = http.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404, text="invalid ticket")
        self._tickets.remove(ticket)
        # Pings are answered by hand, so that a half-open connection can leave them unanswered.
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await socket.prepare(http)
        connection = Connection(f"connection-{secrets.token_hex(4)}", socket, http.transport)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self._tell(connection, self._farewell("too_many_websockets"))
            await socket.close()
            return socket
        self.connections.append(connection)
        await self._tell(connection, self._hello())
        self.watch()
        await self._send_stranded()
        try:
            await self._listen(connection)
        finally:
            self._forget(connection)
        return socket

    def next_connection(self) -> Connection | None:
        if not self.connections:
            return None
        self._turn += 1
        return self.connections[self._turn % len(self.connections)]

    async def send(
        self,
        request: Request,
        *,
        seconds: float,
        accepts_response: bool,
        reason: str = "",
        to: Connection | None = None,
    ) -> Acknowledgement:
        """Deliver one envelope and wait for its acknowledgement, ``seconds`` at most."""
        started = time.perf_counter()
        connection = to or self.next_connection()
        if connection is None:
            return Acknowledgement(0.0, error="dispatch_failed", reason="connection_failed")
        message: Json = {
            "envelope_id": request.id,
            "payload": request.payload,
            "type": request.kind,
            "accepts_response_payload": accepts_response,
        }
        if request.kind == EVENT:
            message |= {"retry_attempt": request.attempt, "retry_reason": reason}
        envelope = _Envelope(
            request, json.dumps(message), asyncio.get_running_loop().create_future()
        )
        try:
            async with asyncio.timeout(seconds):
                await self._hand_over(connection, envelope)
                answer = await envelope.answered
        except TimeoutError:
            return Acknowledgement(
                time.perf_counter() - started, error="operation_timeout", reason="http_timeout"
            )
        finally:
            self._withdraw(envelope)
        return Acknowledgement(time.perf_counter() - started, body=answer.get("payload") or None)

    # --- what can go wrong, on purpose ---

    async def close(self, *connections: Connection) -> None:
        """End connections (all, when none is named) with a close frame, as Slack does when it
        restarts a host.
        """
        for connection in connections or tuple(self.connections):
            self._forget(connection)
            await connection.socket.close()

    def cut(self, *connections: Connection) -> None:
        """End connections without a word, as a network does."""
        for connection in connections or tuple(self.connections):
            self._forget(connection)
            if connection.transport is not None:
                connection.transport.abort()

    def half_open(self, *connections: Connection) -> None:
        """Let connections go silent: they look alive and carry nothing, pings included."""
        for connection in connections or tuple(self.connections):
            connection.half_open = True

    def slow(self, seconds: float, *connections: Connection) -> None:
        """Let every envelope wait ``seconds`` on its way to the app; 0 ends it."""
        for connection in connections or tuple(self.connections):
            connection.delay_seconds = seconds

    async def announce_disconnect(
        self, reason: str = "refresh_requested", *connections: Connection
    ) -> None:
        """Slack's own farewell. ``warning`` comes about 10 s before the end; the other reasons are
        the end.
        """
        for connection in connections or tuple(self.connections):
            await self._tell(connection, self._farewell(reason))
            if reason != "warning":
                await self.close(connection)

    # --- inside ---

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": "applink-sandbox",
                "build_number": 1,
                "approximate_connection_time": 3600,
            },
            "connection_info": {"app_id": self.app_id},
        }

    def _farewell(self, reason: str) -> Json:
        return {
            "type": "disconnect",
            "reason": reason,
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-sandbox"},
            "connection_info": {"app_id": self.app_id},
        }

    async def _tell(self, connection: Connection, message: Json) -> None:
        with contextlib.suppress(ConnectionError):
            await connection.socket.send_str(json.dumps(message))

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.half_open:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledged(connection, message.data)

    def _acknowledged(self, connection: Connection, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        if not isinstance(answer, dict):
            return
        # Copies of one envelope have one id: each acknowledgement is for the oldest of them.
        waiting = connection.unacknowledged.get(str(answer.get("envelope_id")), [])
        if waiting and not waiting[0].answered.done():
            waiting.pop(0).answered.set_result(answer)

    async def _hand_over(self, connection: Connection, envelope: _Envelope) -> None:
        envelope.request.connection = connection.id
        connection.unacknowledged.setdefault(envelope.request.id, []).append(envelope)
        if connection.delay_seconds:
            await asyncio.sleep(connection.delay_seconds)
        if connection.half_open or envelope not in connection.unacknowledged.get(
            envelope.request.id, ()
        ):
            return
        try:
            await connection.socket.send_str(envelope.text)
        except ConnectionError:
            self._forget(connection)

    def _withdraw(self, envelope: _Envelope) -> None:
        if envelope in self._stranded:
            self._stranded.remove(envelope)
        for connection in self.connections:
            waiting = connection.unacknowledged.get(envelope.request.id, [])
            if envelope in waiting:
                waiting.remove(envelope)
            if not waiting:
                connection.unacknowledged.pop(envelope.request.id, None)

    def _forget(self, connection: Connection) -> None:
        if connection not in self.connections:
            return
        self.connections.remove(connection)
        for envelopes in connection.unacknowledged.values():
            self._stranded += envelopes
        connection.unacknowledged.clear()
        if self.connections:
            task = asyncio.create_task(self._send_stranded())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.watch()

    async def _send_stranded(self) -> None:
        while self._stranded and (connection := self.next_connection()) is not None:
            envelope = self._stranded.pop(0)
            envelope.request.redelivered = True
            await self._hand_over(connection, envelope)


class HttpMode:
    """The request URL side: each payload is one signed POST, encoded as its kind asks."""

    def __init__(self, signing_secret: str, *, wall_clock: Callable[[], float]) -> None:
        self._signer = SignatureVerifier(signing_secret)
        self._wall_clock = wall_clock
        self._session: aiohttp.ClientSession | None = None

    def signed_headers(
        self, body: bytes, *, content_type: str, at: float | None = None
    ) -> dict[str, str]:
        """The headers Slack would send with ``body``; ``at`` (seconds since 1970) makes them stale
        or early.
        """
        timestamp = str(int(self._wall_clock() if at is None else at))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body)
        return {
            "content-type": content_type,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": str(signature),
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }

    async def send(
        self, request: Request, *, url: str, seconds: float, reason: str = ""
    ) -> Acknowledgement:
        content_type, body = encoded(request.kind, request.payload)
        headers = self.signed_headers(body, content_type=content_type)
        if request.attempt:
            headers |= {"x-slack-retry-num": str(request.attempt), "x-slack-retry-reason": reason}
        return await self.post(url, body, headers, seconds=seconds)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> Acknowledgement:
        """One POST as it is, signed well or badly, and what came back."""
        started = time.perf_counter()
        if self._session is None:
            # As many at once as people act, and no connection used twice: one that the app closes
            # in the same moment would count as a failure of the app's.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        try:
            async with asyncio.timeout(seconds):
                async with self._session.post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    text = await answer.text()
        except TimeoutError:
            return Acknowledgement(
                time.perf_counter() - started, error="operation_timeout", reason="http_timeout"
            )
        except aiohttp.ClientError:
            return Acknowledgement(
                time.perf_counter() - started, error="dispatch_failed", reason="connection_failed"
            )
        return Acknowledgement(
            time.perf_counter() - started,
            error=None if answer.ok else "dispatch_failed",
            status=answer.status,
            body=_parsed(text, answer.content_type),
            reason="" if answer.ok else "http_error",
            no_retry=answer.headers.get("x-slack-no-retry") == "1",
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()


def encoded(kind: str, payload: Json) -> tuple[str, bytes]:
    """Content type and body of a payload in HTTP mode."""
    match kind:
        case "slash_commands":
            return "application/x-www-form-urlencoded", urlencode(payload).encode()
        case "interactive":
            return "application/x-www-form-urlencoded", urlencode(
                {"payload": json.dumps(payload)}
            ).encode()
        case _:
            return "application/json", json.dumps(payload).encode()


def _parsed(text: str, content_type: str) -> Any:
    if not text:
        return None
    if content_type != "application/json":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


class Courier:
    """Sends requests to the app in the mode that is set, keeps them all, and can send one again."""

    def __init__(
        self,
        *,
        app_id: str,
        signing_secret: str,
        request_url: str | None,
        ack_seconds: float,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.sockets = SocketMode(app_id)
        self.http = HttpMode(signing_secret, wall_clock=wall_clock)
        self.request_url = request_url
        """Where HTTP mode posts to; None means Socket Mode."""
        self.ack_seconds = ack_seconds
        self.event_retry_seconds: Sequence[float] = EVENT_RETRY_SECONDS
        self.requests: list[Request] = []
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.watch: Callable[[Request], None] = lambda _request: None

    @property
    def mode(self) -> str:
        return "socket" if self.request_url is None else "http"

    async def send(self, kind: str, payload: Json, *, accepts_response: bool = False) -> Request:
        """Deliver one payload; the request that comes back has its acknowledgement."""
        request = Request(str(uuid.uuid4()), kind, payload, self._clock(), self.mode)
        await self._carry(request, accepts_response=accepts_response)
        return request

    def send_event(self, payload: Json) -> Request:
        """Deliver an event in the background, again and again as Slack does until it is
        acknowledged.
        """
        request = Request(str(uuid.uuid4()), EVENT, payload, self._clock(), self.mode)
        task = asyncio.create_task(self._carry_event(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return request

    async def again(
        self,
        request: Request | None = None,
        *,
        copies: int = 1,
        at_once: bool = False,
        to: Connection | str | None = None,
    ) -> list[Request]:
        """Deliver a request (the last one, when none is named) once more, or ``copies`` times.

        ``at_once`` sends all copies at the same moment. ``to`` names another connection, or in HTTP
        mode another URL. The acknowledgements are recorded, and what they say is shown to nobody.
        """
        original = request or self.requests[-1]
        duplicates = [
            Request(
                original.id,
                original.kind,
                original.payload,
                self._clock(),
                self.mode,
                redelivered=True,
            )
            for _ in range(copies)
        ]
        carried = [self._carry(duplicate, accepts_response=True, to=to) for duplicate in duplicates]
        if at_once:
            await asyncio.gather(*carried)
        else:
            for each in carried:
                await each
        return duplicates

    async def verify_url(self) -> bool:
        """Slack's handshake with a request URL: whether the app gave the challenge back."""
        challenge = secrets.token_hex(16)
        payload = {
            "type": "url_verification",
            "token": "verification-token",
            "challenge": challenge,
        }
        request = Request(str(uuid.uuid4()), EVENT, payload, self._clock(), "http")
        await self._carry(request, accepts_response=True)
        body = request.ack.body if request.ack is not None else None
        return (body.get("challenge") if isinstance(body, dict) else body) == challenge

    async def check_ssl(self) -> int | None:
        """Slack's occasional ``ssl_check`` of a command's URL: the status it was answered with."""
        payload = {"ssl_check": "1", "token": "verification-token"}
        request = Request(str(uuid.uuid4()), COMMAND, payload, self._clock(), "http")
        await self._carry(request, accepts_response=True)
        return None if request.ack is None else request.ack.status

    async def settle(self) -> None:
        """Wait until no event is on its way or waiting for another try."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        await self.http.stop()

    async def _carry(
        self,
        request: Request,
        *,
        accepts_response: bool,
        reason: str = "",
        to: Connection | str | None = None,
    ) -> None:
        self.requests.append(request)
        self.watch(request)
        if self.request_url is not None:
            url = to if isinstance(to, str) else self.request_url
            request.ack = await self.http.send(
                request, url=url, seconds=self.ack_seconds, reason=reason
            )
        else:
            request.ack = await self.sockets.send(
                request,
                seconds=self.ack_seconds,
                accepts_response=accepts_response,
                reason="" if not reason else "timeout",
                to=to if isinstance(to, Connection) else None,
            )
        self.watch(request)

    async def _carry_event(self, request: Request) -> None:
        reason = ""
        for attempt, pause in enumerate((0.0, *self.event_retry_seconds)):
            await asyncio.sleep(pause)
            each = request
            if attempt:
                each = Request(
                    request.id,
                    EVENT,
                    request.payload,
                    self._clock(),
                    self.mode,
                    attempt=attempt,
                    redelivered=True,
                )
            await self._carry(each, accepts_response=False, reason=reason)
            if each.ack is None or each.ack.error is None or each.ack.no_retry:
                return
            reason = each.ack.reason
