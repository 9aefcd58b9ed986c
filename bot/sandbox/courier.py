"""How requests reach the app: Socket Mode or signed HTTP, with the acknowledgement awaited as long
as Slack does.

It carries payloads and records what became of them. What is in a payload, and what a person sees
when no acknowledgement comes, is ``people``'s affair.

Sources: https://docs.slack.dev/apis/events-api/using-socket-mode,
https://docs.slack.dev/authentication/verifying-requests-from-slack,
https://docs.slack.dev/apis/events-api#retries
"""

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence

from bot.sandbox.blockkit import Json
from bot.sandbox.http_mode import HttpMode
from bot.sandbox.requests import COMMAND, EVENT, Request
from bot.sandbox.socket_mode import AppConnection, SocketMode

ACK_SECONDS = 3.0
EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)


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
        to: AppConnection | str | None = None,
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
