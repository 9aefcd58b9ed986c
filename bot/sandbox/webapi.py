"""The Web API over HTTP, under ``/api/<method>``, and the posts to response_urls.

A call meets, in this order, the injected faults, the check of its token, the rate limits, and the
method in ``methods``, which checks scopes, arguments and permissions.

Source: https://docs.slack.dev/apis/web-api
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web

from bot.sandbox import faults
from bot.sandbox.acts import Acts
from bot.sandbox.blocks import Json
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.limits import Limits
from bot.sandbox.methods import Methods
from bot.sandbox.rights import Arguments, Rights
from bot.sandbox.socket_mode import SocketMode

# Methods with arguments only in a form or in the address; a JSON body is not read.
FORM_ONLY = frozenset(
    {
        "bots.info",
        "chat.getPermalink",
        "conversations.info",
        "conversations.list",
        "conversations.members",
        "conversations.replies",
        "files.getUploadURLExternal",
        "team.info",
        "usergroups.list",
        "usergroups.users.list",
        "users.info",
        "users.list",
    }
)


@dataclass(slots=True, eq=False)
class Call:
    """One call of the Web API, or one post to a response_url, with its answer."""

    id: int
    method: str
    arguments: Json
    at: float
    status: int | None = None
    """None until the answer, and for good after a cut connection."""
    answer: Any = None
    fault: str | None = None
    """The kind of the fault that decided about it, or None."""
    seconds: float = 0.0
    """The time until the answer; 0 before it."""
    started: float = field(default_factory=time.perf_counter, repr=False)


class WebApi:
    """Answers the calls of one app and keeps them."""

    def __init__(
        self,
        acts: Acts,
        sockets: SocketMode,
        rules: Faults,
        limits: Limits,
        *,
        bot_token: str,
        app_token: str,
        base_url: Callable[[], str],
    ) -> None:
        self.calls: list[Call] = []
        self._late: list[tuple[float, Callable[[], object]]] = []
        self.limits = limits
        self._acts = acts
        self._workspace = acts.workspace
        self._app = acts.workspace.app
        self._faults = rules
        self._bot_token = bot_token
        self._app_token = app_token
        self._rights = Rights(acts.workspace)
        self._methods = methods = Methods(acts, self._rights, sockets, base_url=base_url)
        self.files = methods.files

    async def serve(self, http: web.Request) -> web.StreamResponse:
        """Answer one call under ``/api/``."""
        method = http.match_info["method"]
        arguments, token = await _arguments(http, method)
        channel = arguments.get("channel")
        self._catch_up()
        call = self._begin(method, arguments)
        rule = await self._meet_faults(call, method, channel)
        answer = self._refusal_by(rule)
        if answer is None and rule is not None and rule.kind == faults.LOST_ANSWER and rule.seconds:
            deed = partial(self._answer, method, arguments, token)
            self._late.append((self._workspace.clock() + rule.seconds, deed))
            answer = web.Response()
        if answer is None:
            answer = self._answer(method, arguments, token)
        return await self._finish(call, rule, answer, http)

    def _catch_up(self) -> None:
        """Carry out the calls with a lost answer that are due."""
        now = self._workspace.clock()
        due = [deed for at, deed in self._late if at <= now]
        self._late = [(at, deed) for at, deed in self._late if at > now]
        for deed in due:
            deed()

    async def serve_response_url(self, http: web.Request) -> web.StreamResponse:
        """Answer one post to a response_url; it needs no token, because the URL is secret."""
        try:
            body = json.loads(await http.text())
        except ValueError:
            body = None
        call = self._begin(faults.RESPONSE_URL, {"url": http.path, "body": body})
        known = self._workspace.response_urls.get(http.path)
        rule = await self._meet_faults(
            call, faults.RESPONSE_URL, None if known is None else known.channel
        )
        answer = self._refusal_by(rule)
        if answer is None:
            answer = self._answer_response_url(http.path, body)
        return await self._finish(call, rule, answer, http)

    def _answer_response_url(self, path: str, body: object) -> web.Response:
        if not isinstance(body, dict):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        try:
            self._acts.use_response_url(path, body)
        except SlackError as refused:
            status = 404 if refused.error in ("used_url", "expired_url", "no_service") else 400
            return web.json_response(
                {"ok": False, "error": refused.error, **refused.extra}, status=status
            )
        return web.json_response({"ok": True})

    def _begin(self, method: str, arguments: Json) -> Call:
        call = Call(len(self.calls) + 1, method, arguments, self._workspace.clock())
        self.calls.append(call)
        self._workspace.changed("call", call=call)
        return call

    async def _meet_faults(self, call: Call, method: str, channel: object) -> Fault | None:
        try:
            return await self._faults.met_by(method, str(channel) if channel else None)
        except asyncio.CancelledError:
            # The app closed the connection while it waited: the call is not carried out.
            call.fault = faults.SLOW
            call.seconds = time.perf_counter() - call.started
            raise

    def _refusal_by(self, rule: Fault | None) -> web.Response | None:
        """The answer of a rule instead of the method; None if the method runs."""
        if rule is None or rule.kind in faults.CARRIED_OUT:
            return None
        match rule.kind:
            case faults.RATE_LIMITED:
                return _rate_limited(int(rule.seconds))
            case faults.SERVER_ERROR:
                return web.json_response({"ok": False, "error": "internal_error"}, status=500)
            case faults.UNAVAILABLE:
                return web.Response(
                    text="<html><body><h1>503 Service Unavailable</h1></body></html>",
                    content_type="text/html",
                    status=503,
                )
            case faults.REFUSED:
                return web.json_response({"ok": False, "error": rule.error})
            case _:
                return web.Response(status=500)

    def _answer(self, method: str, arguments: Arguments, token: str | None) -> web.Response:
        headers: dict[str, str] = {}
        try:
            self._authenticate(method, token)
            if token == self._bot_token:
                headers["x-oauth-scopes"] = ",".join(self._app.scopes)
            wait = self.limits.wait(
                method, self._limited_channel(arguments), at=self._workspace.clock()
            )
            if wait:
                return _rate_limited(wait)
            answer = {"ok": True, **self._methods.call(method, arguments)}
        except SlackError as refused:
            answer = {"ok": False, "error": refused.error, **refused.extra}
        return web.json_response(answer, headers=headers)

    def _limited_channel(self, arguments: Arguments) -> str | None:
        if not arguments.get("channel"):
            return None
        try:
            return self._rights.target(arguments).id
        except SlackError:
            return None

    async def _finish(
        self, call: Call, rule: Fault | None, answer: web.Response, http: web.Request
    ) -> web.Response:
        if rule is not None and rule.kind == faults.LATE_ANSWER:
            await rule.hold_up()
        call.seconds = time.perf_counter() - call.started
        call.fault = rule.kind if rule is not None else None
        if rule is not None and rule.kind in (faults.CUT, faults.LOST_ANSWER):
            if http.transport is not None:
                http.transport.abort()
        else:
            call.status = answer.status
        if answer.content_type == "application/json" and answer.text is not None:
            call.answer = json.loads(answer.text)
        self._workspace.changed("call", call=call)
        if rule is not None and rule.kind == faults.GARBLED:
            return web.Response(body=rule.body, content_type=rule.content_type)
        return answer

    def _authenticate(self, method: str, token: str | None) -> None:
        if method not in self._methods:
            raise SlackError("unknown_method", req_method=method)
        if method == "api.test":
            return
        if token is None:
            raise SlackError("not_authed")
        if token not in (self._bot_token, self._app_token):
            raise SlackError("invalid_auth")
        if (token == self._app_token) != (method == "apps.connections.open"):
            raise SlackError("not_allowed_token_type")


def _rate_limited(seconds: int) -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


async def _arguments(http: web.Request, method: str) -> tuple[Json, str | None]:
    """The arguments and the token of a call, from the address, the body and the header."""
    arguments: Json = dict(http.query)
    in_body = True
    if http.content_type == "application/json":
        # With a JSON body only the header may carry the token.
        in_body = False
        if method not in FORM_ONLY:
            try:
                body = json.loads(await http.text() or "{}")
            except ValueError:
                body = None
            if isinstance(body, dict):
                arguments |= {name: value for name, value in body.items() if name != "token"}
    elif http.method == "POST":
        arguments |= {
            name: value for name, value in (await http.post()).items() if isinstance(value, str)
        }
    token = arguments.pop("token", None) if in_body else None
    kind, _space, value = http.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = value.strip()
    return arguments, token or None
