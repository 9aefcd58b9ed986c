"""A server of status pages alone, so that a hung bot does not take them down.

It reads the public side of a database that exists, and writes nothing. It has no Slack, no worker
and no schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.http.server import HttpServer
from bot.http.status.routes import StatusPages
from bot.http.status.shelf import PublicStore, Shelf
from bot.page.addresses import root_of
from bot.settings import PublicSettings
from bot.telemetry import Metrics
from core.page import PageSettings


class PageServer:
    """``store`` is open, and of the schema that this version knows."""

    def __init__(
        self, settings: PublicSettings, store: PublicStore, *, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self.http = HttpServer(
            host=settings.host,
            port=settings.port,
            rest=StatusPages(
                _beside,
                Shelf(store, clock=clock, address=self._address_of),
                hosts=settings.status_hosts,
                clock=clock,
            ),
            slack=None,
            proxies=settings.trusted_proxies,
            metrics=Metrics(),
        )

    async def start(self) -> None:
        """Listens.

        Raises:
            AddressTaken: another program uses the port, or the host is not this machine's.
        """
        await self.http.start()

    async def stop(self) -> None:
        """Takes no more requests."""
        await self.http.stop()

    def _address_of(self, page: PageSettings, alone: bool) -> str:  # noqa: FBT001 - a callback
        server = self._settings.public_url or self.http.address
        return root_of(page, self._settings.status_hosts, server=server, alone=alone)


async def _beside(scope: Scope, receive: Receive, send: Send) -> None:
    """Liveness; every other address is unknown."""
    alive = scope["path"] == "/healthz"
    answer = PlainTextResponse("ok\n") if alive else PlainTextResponse("Not found.\n", 404)
    await answer(scope, receive, send)
