"""Socket Mode: the app's connections, and the envelopes that go over them.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import contextlib
import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.sandbox.blocks import Json
from bot.sandbox.requests import EVENT, Acknowledgement, Request

MOST_CONNECTIONS = 10


@dataclass(slots=True, eq=False)
class AppConnection:
    """One Socket Mode connection of the app, with its injected faults."""

    id: str
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    half_open: bool = False
    """The connection is open and carries nothing, in either direction."""
    delay_seconds: float = 0.0
    unacknowledged: dict[str, list["_Envelope"]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Envelope:
    request: Request
    text: str
    answered: asyncio.Future[Json]


class SocketMode:
    """Sends each envelope over one connection, in turn, and a lost one over another."""

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.connections: list[AppConnection] = []
        self._tickets: set[str] = set()
        self._stranded: list[_Envelope] = []
        self._turn = 0
        # The event loop keeps only weak references to tasks.
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
        # ``_listen`` answers pings, because a half-open connection must not.
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await socket.prepare(http)
        connection = AppConnection(f"connection-{secrets.token_hex(4)}", socket, http.transport)
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

    def next_connection(self) -> AppConnection | None:
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
        to: AppConnection | None = None,
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

    # --- injected faults ---

    async def close(self, *connections: AppConnection) -> None:
        """End connections (by default all) with a close frame, as Slack does at a restart."""
        for connection in connections or tuple(self.connections):
            self._forget(connection)
            await connection.socket.close()

    def cut(self, *connections: AppConnection) -> None:
        """End connections without a close frame, as a network does."""
        for connection in connections or tuple(self.connections):
            self._forget(connection)
            if connection.transport is not None:
                connection.transport.abort()

    def half_open(self, *connections: AppConnection) -> None:
        """Silence connections: they stay open and carry nothing, not even pings."""
        for connection in connections or tuple(self.connections):
            connection.half_open = True

    def slow(self, seconds: float, *connections: AppConnection) -> None:
        """Delay every envelope to the app by ``seconds``; 0 ends the fault."""
        for connection in connections or tuple(self.connections):
            connection.delay_seconds = seconds

    async def announce_disconnect(
        self, reason: str = "refresh_requested", *connections: AppConnection
    ) -> None:
        """Send Slack's ``disconnect``. After the reason ``warning`` the connection stays open for
        about 10 s in Slack, and here until it is closed; other reasons close it at once.
        """
        for connection in connections or tuple(self.connections):
            await self._tell(connection, self._farewell(reason))
            if reason != "warning":
                await self.close(connection)

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

    async def _tell(self, connection: AppConnection, message: Json) -> None:
        with contextlib.suppress(ConnectionError):
            await connection.socket.send_str(json.dumps(message))

    async def _listen(self, connection: AppConnection) -> None:
        async for message in connection.socket:
            if connection.half_open:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledged(connection, message.data)

    def _acknowledged(self, connection: AppConnection, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        if not isinstance(answer, dict):
            return
        # Copies of an envelope share its id; an acknowledgement counts for the oldest copy.
        waiting = connection.unacknowledged.get(str(answer.get("envelope_id")), [])
        if waiting and not waiting[0].answered.done():
            waiting.pop(0).answered.set_result(answer)

    async def _hand_over(self, connection: AppConnection, envelope: _Envelope) -> None:
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

    def _forget(self, connection: AppConnection) -> None:
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
