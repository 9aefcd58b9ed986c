"""Socket Mode over several connections, each of which reconnects to a new address by itself."""

from __future__ import annotations

import asyncio
from time import time
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack.door import Dispatch

# While one is renewed, every few hours, the other takes the requests. Slack allows an app ten:
# enough for five processes.
# Source: https://docs.slack.dev/apis/events-api/using-socket-mode
CONNECTIONS = 2
# The interval of pings. A connection without an answer to four pings is given up.
PING_SECONDS = 2
CONNECT_SECONDS = 10
FINISH_SECONDS = 3


class _SocketClient(SocketModeClient):
    """slack_sdk's client, with each address used once.

    After a failed connection slack_sdk tries its address for ever, but Slack's addresses work once.
    """

    _address: str | None = None

    @property  # type: ignore[override]
    def wss_uri(self) -> str | None:
        """An unused address, which is forgotten as soon as it is read."""
        address, self._address = self._address, None
        return address

    @wss_uri.setter
    def wss_uri(self, address: str | None) -> None:
        self._address = address

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002
        """Replaces a dead connection; with ``force``, any."""
        async with self.connect_operation_lock:
            if force or not await self.is_connected():
                await self.connect()  # type: ignore[no-untyped-call] # slack_sdk leaves it bare


class SocketConnection:
    """One connection for ``app``. Slack gives untaken requests to another when it is closed."""

    def __init__(self, app: AsyncApp, dispatch: Dispatch, app_token: str) -> None:
        self._dispatch = dispatch
        self._client = _SocketClient(
            app_token, logger=app.logger, web_client=app.client, ping_interval=PING_SECONDS
        )
        self._client.socket_mode_request_listeners.append(self._take)  # type: ignore[arg-type]
        self._taken: set[asyncio.Task[Any]] = set()
        self._stopping = False

    async def open(self) -> None:
        """Tries until Slack accepts it, or until it is closed."""
        await self._client.aiohttp_client_session.close()
        self._client.aiohttp_client_session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)
        )
        await self._client.connect()  # type: ignore[no-untyped-call] # slack_sdk leaves it bare

    async def close(self) -> None:
        """Finishes the requests that it has taken, and disconnects."""
        self._stopping = True
        if self._taken:
            await asyncio.wait(self._taken, timeout=FINISH_SECONDS)
        await self._client.close()  # type: ignore[no-untyped-call] # the same

    async def _take(self, client: _SocketClient, request: SocketModeRequest) -> None:
        if self._stopping:
            return
        task = asyncio.current_task()
        if task:
            self._taken.add(task)
            task.add_done_callback(self._taken.discard)
        started = time()
        response = await self._dispatch(request.payload, build_headers(request) or {})
        await send_async_response(client, request, response, started)
