"""The stand-in as a server in the running event loop: ``async with Sandbox(manifest) as slack``.

It consists of one workspace, the Web API, both modes of delivery, the people and the page. Nothing
is read from the environment.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.sandbox.acts import Acts, Interaction
from bot.sandbox.courier import ACK_SECONDS, Courier
from bot.sandbox.faults import Faults
from bot.sandbox.front import Front
from bot.sandbox.limits import Limits
from bot.sandbox.mint import Clock
from bot.sandbox.model import App, Channel, Message, Post, User
from bot.sandbox.people import Person
from bot.sandbox.requests import Request
from bot.sandbox.socket_mode import AppConnection, SocketMode
from bot.sandbox.webapi import Call, WebApi
from bot.sandbox.workspace import TRIGGER_SECONDS, Workspace


def a_small_team(workspace: Workspace) -> None:
    """The default people and channels of a new stand-in.

    mia (an admin), bo and sam are members; gus is a guest. The bot is in #general, #payments,
    #status and the private #war-room (with mia and bo), and not in #random. #old-news is archived.
    """
    mia = workspace.add_user("mia", real_name="Mia Marsh", is_admin=True)
    bo = workspace.add_user("bo", real_name="Bo Lind")
    sam = workspace.add_user("sam", real_name="Sam Ortiz")
    gus = workspace.add_user("gus", real_name="Gus Guest", is_restricted=True)
    for name in ("general", "payments", "status"):
        workspace.add_channel(name, members=[mia, bo, sam, gus])
    workspace.add_channel("random", members=[mia, bo, sam], bot=False)
    workspace.add_channel("war-room", members=[mia, bo], private=True)
    workspace.add_channel("old-news", members=[mia, bo, sam], archived=True)


class Sandbox:
    """A Slack of one's own: give the app ``api_url``, tokens and secret, then act as people.

    With a ``request_url``, given here or set later, requests go over HTTP; otherwise over Socket
    Mode.
    ``clock`` (seconds since 1970) is for timestamps, triggers, response_urls and rate limits;
    ``wall_clock`` is for the signatures of HTTP mode, which the app compares with its own time. An
    acknowledgement has ``ack_seconds`` and the opening of a dialog ``trigger_seconds``; ``until``,
    ``connected`` and an interaction's ``answer`` wait for ``patience_seconds`` by default.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        *,
        populate: Callable[[Workspace], None] = a_small_team,
        request_url: str | None = None,
        clock: Clock = time.time,
        wall_clock: Clock = time.time,
        ack_seconds: float = ACK_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
        patience_seconds: float = 5.0,
        limits: Limits | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        bot_token: str = "xoxb-sandbox-bot",  # noqa: S107 - opens nothing but this server
        app_token: str = "xapp-sandbox-app",  # noqa: S107 - the same
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - the same
    ) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.url = ""
        self.faults = Faults()
        self.workspace = Workspace(
            App.from_manifest(manifest), clock=clock, trigger_seconds=trigger_seconds
        )
        populate(self.workspace)
        self.courier = Courier(
            app_id=self.workspace.app.id,
            signing_secret=signing_secret,
            request_url=request_url,
            ack_seconds=ack_seconds,
            clock=clock,
            wall_clock=wall_clock,
        )
        self.courier.watch = lambda request: self.workspace.changed("request", request=request)
        self.courier.sockets.watch = lambda: self.workspace.changed("connections")
        self.acts = Acts(
            self.workspace,
            self.courier,
            base_url=lambda: self.url,
            patience_seconds=patience_seconds,
        )
        self.webapi = WebApi(
            self.acts,
            self.courier.sockets,
            self.faults,
            limits or Limits(),
            bot_token=bot_token,
            app_token=app_token,
            base_url=lambda: self.url,
        )
        self.front = Front(self.acts, self.courier, self.webapi, self.faults)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; ``url`` and ``api_url`` are valid afterwards."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.webapi.serve)
        app.router.add_get("/link/", self.courier.sockets.serve)
        app.router.add_post("/upload/{secret}", self.webapi.files.serve)
        for kind in ("commands", "actions", "app"):
            app.router.add_post(
                f"/{kind}/{{team}}/{{number}}/{{secret}}", self.webapi.serve_response_url
            )
        app.add_routes(self.front.routes())
        app.on_shutdown.append(self.front.let_go)
        # A client that closes its connection during a slow call cancels the call.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        self.faults.clear()
        await self.courier.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- for tests and the page ---

    @property
    def api_url(self) -> str:
        """The base address of the Web API, for slack_sdk's ``base_url``."""
        return f"{self.url}/api/"

    @property
    def request_url(self) -> str | None:
        return self.courier.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self.courier.request_url = url

    @property
    def sockets(self) -> SocketMode:
        return self.courier.sockets

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API and every post to a response_url, oldest first."""
        return self.webapi.calls

    @property
    def requests(self) -> list[Request]:
        """Every try of every request to the app, oldest first."""
        return self.courier.requests

    @property
    def interactions(self) -> list[Interaction]:
        return self.acts.interactions

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def person(self, name: str) -> Person:
        return Person(self.workspace.user(name), self.acts)

    def channel_view(self, channel: str | Channel) -> list[Post]:
        return self.workspace.channel_view(channel)

    def ephemerals(self, user: str | User) -> list[Message]:
        return self.workspace.ephemerals(user)

    async def until(
        self, claim: Callable[[], bool], *, timeout_seconds: float | None = None
    ) -> None:
        """Wait until ``claim()`` is true, or raise TimeoutError; see ``Acts.until``."""
        await self.acts.until(claim, timeout_seconds)

    async def connected(
        self, *, connections: int = 1, timeout_seconds: float | None = None
    ) -> None:
        """Wait until the app has at least ``connections`` in Socket Mode."""
        await self.until(
            lambda: len(self.sockets.connections) >= connections, timeout_seconds=timeout_seconds
        )

    async def redeliver(
        self,
        request: Request | None = None,
        *,
        copies: int = 1,
        at_once: bool = False,
        to: AppConnection | str | None = None,
    ) -> list[Request]:
        """Deliver a request again, by default the last; see ``Courier.again``."""
        return await self.courier.again(request, copies=copies, at_once=at_once, to=to)

    def signed_headers(
        self, body: bytes, *, content_type: str, at: float | None = None
    ) -> dict[str, str]:
        """Slack's headers for ``body``; with ``at`` they are stale or early."""
        return self.courier.http.signed_headers(body, content_type=content_type, at=at)
