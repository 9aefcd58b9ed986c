"""The way of requests to the app, by Socket Mode or signed HTTP.

It waits for the acknowledgement as long as Slack does, and keeps every request with its result.
``acts`` makes the payloads and shows the results.

Source: https://docs.slack.dev/apis/events-api#retries
"""

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence

from bot.sandbox.blocks import Json
from bot.sandbox.http_mode import HttpMode
from bot.sandbox.requests import COMMAND, EVENT, Request
from bot.sandbox.socket_mode import AppConnection, SocketMode

ACK_SECONDS = 3.0
EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)


class Courier:
    """Sends requests to the app in the current mode, keeps them all, and can redeliver one."""

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
        """The address for HTTP mode; None means Socket Mode."""
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
        """Deliver one payload; returns the request with its acknowledgement."""
        request = Request(str(uuid.uuid4()), kind, payload, self._clock(), self.mode)
        await self._carry(request, accepts_response=accepts_response)
        return request

    def send_event(self, payload: Json) -> Request:
        """Deliver an event in the background, with Slack's retries until it is acknowledged."""
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
        to: AppConnection | str | None = None,
    ) -> list[Request]:
        """Deliver ``copies`` duplicates of a request, by default of the last one.

        ``at_once`` sends all of them at the same moment. ``to`` is another connection, or in HTTP
        mode another URL. The acknowledgements are kept; nobody sees the messages in them.
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
        """Slack's handshake with a request URL: whether the app returned the challenge."""
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
        """Slack's occasional ``ssl_check`` of a command's URL; returns the status of the answer."""
        payload = {"ssl_check": "1", "token": "verification-token"}
        request = Request(str(uuid.uuid4()), COMMAND, payload, self._clock(), "http")
        await self._carry(request, accepts_response=True)
        return None if request.ack is None else request.ack.status

    async def settle(self) -> None:
        """Wait until no event is on its way or waiting for a retry."""
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
        to: AppConnection | str | None = None,
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
                to=to if isinstance(to, AppConnection) else None,
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
