"""The front API, for the stand-in's page: a small Slack client with an inspector.

Everything is JSON. Times are seconds since 1970 as numbers, message times (``ts``) are strings. A
POST needs ``Content-Type: application/json`` and the page's own origin. A failure is
``{"error": name, "sentence": …}``: 400 for a malformed request, 404 for an unknown person, channel
or message, 409 with ``cannot_do`` for an act that Slack's client would prevent.

Reading
=======
``GET /front/state?as=U…`` → everything but messages and views::

    {"team": {"id", "name", "domain"},
     "me": user or null, "users": [user], "groups": [{"id", "handle", "name", "members"}],
     "channels": [channel],              # those that ``as`` may see, with the direct message
     "app": {"id", "name", "bot_id", "bot_user", "home_tab", "messages_read_only",
             "commands": [{"name", "description", "usage_hint"}],
             "shortcuts": [{"kind": "global" | "message", "callback_id", "name", "description"}]},
     "mode": "socket" | "http", "connections": [{"id", "half_open", "delay_seconds"}],
     "limits": {"posting", "tiers", "burst"}, "faults": [fault], "welcome": "",
     "beside": [name], "elsewhere": {name: address}, "now": 1750000000.0, "seq": 17}

    user: Slack's user object (id, name, real_name, is_admin, is_restricted, is_bot, deleted, …)
    channel: {"id", "name", "kind": "public" | "private" | "im", "is_member", "bot_is_member",
              "is_archived", "topic", "pins": how many, "with_user", "messages": how many}

``GET /front/messages?as=U…&channel=C…`` → ``{"channel": id, "messages": [message]}``, oldest first,
the person's own ephemeral ones among them::

    message: {"channel", "ts", "author": user id, "by_app", "text", "blocks", "attachments",
              "files": [{"id", "name", "title", "size", "content"}], "thread_ts", "is_reply",
              "broadcast", "only_you", "edits", "deleted", "metadata",
              "origin": "api" | "ack" | "response_url" | "person", "interaction": id or null,
              "replies": [message]}

A broadcast reply is in ``replies`` of its parent, and the page draws it in the channel as well, at
its ``ts``. An ephemeral message in a thread is in the list, with its ``thread_ts``.

``GET /front/views?as=U…`` → ``{"stack": [view], "home": view or null}``, the topmost last. A view
is Slack's view object (title, blocks, submit, close, hash, state.values with the input so far, …)
with ``"errors": {block_id: sentence}``, which the page shows beside the inputs.

``GET /beside/{name}`` → the app's own page of a name in ``beside``, as HTML.

``GET /front/log?after=0`` → ``{"seq": n, "entries": [entry]}``: the entries with ``seq`` above
``after``, in the order of their last change::

    entry: {"seq", "kind": "interaction" | "request" | "call", "at", …}
    interaction: {"id", "act", "user", "label", "error", "error_seen", "details", "field_errors",
                  "request": id or null, "messages": [ts], "options": [option],
                  "uses": [{"at", "error"}]}
    request: {"id", "type": "slash_commands" | "interactive" | "events_api", "payload", "mode",
              "attempt", "redelivered", "connection",
              "ack": null or {"milliseconds", "error", "status", "body"}}
    call: {"id", "method", "arguments", "answer", "status", "fault", "milliseconds"}

A post to a response_url is a call of the method ``response_url``.

Acting
======
``POST /front/act`` with ``{"as": "U…", "act": …, …}`` → ``{"interaction": interaction or null}``,
after the app has acknowledged or failed (3 s at most). The page shows ``interaction.error_seen``.

    {"act": "command", "channel": "C…", "text": "/incident list"}
    {"act": "say", "channel": "C…", "text": "…", "thread_ts": "…" (optional)}
    {"act": "press", "target": target, "control": action_id}    # after its confirm dialog, if any
    {"act": "choose", "target": target, "control": action_id, "value": value,
     "query": "…" (optional)}
    {"act": "options", "target": target, "control": action_id, "query": "…"}
                                                                # → interaction.options
    {"act": "shortcut", "callback_id": "…"}
    {"act": "message_shortcut", "channel": "C…", "ts": "…", "callback_id": "…"}
    {"act": "open_home"}
    {"act": "fill", "control": action_id, "value": value, "query": "…" (optional)}   # in the dialog
    {"act": "submit", "values": {block_id: value} (optional)}      # fills these in, then submits
    {"act": "close", "whole_stack": false}

    target: {"channel": "C…", "ts": "…"} | {"view": "V…"}    # a message; a dialog or the Home tab
    value: text of an input; value (or text) of an option; id of a user or channel; "2025-06-15";
           "09:30"; seconds since 1970; a list of these for a multi-select; null for none

``press``, ``choose``, ``options`` and ``fill`` also take ``"block": block_id``: an action_id is
unique only within its block.

The server keeps the value of an input after ``fill``. The page sends ``fill`` when the focus leaves
an input, so that an update of the dialog by the app keeps the value.

Injected faults
===============
``GET /front/faults`` → ``{"faults": [fault]}``; ``POST /front/faults`` with ``{"kind", "method":
"*", "channel": null, "times": 1, "seconds": 0, "error": ""}`` → the fault; ``DELETE
/front/faults/{id}``; ``DELETE /front/faults`` ends all. Kinds: slow, late_answer, rate_limited,
server_error, unavailable, refused, lost_answer, garbled, cut (see ``faults``).

``POST /front/sockets`` with ``{"do": "close" | "cut" | "half_open" | "slow" | "disconnect",
"seconds": 1, "reason": "refresh_requested"}`` → ``{}``: to every connection of the app, or to
``"connection": id``.

``POST /front/limits`` with any of ``{"posting": true, "tiers": false, "burst": 5}`` → the limits.

``POST /front/redeliver`` with ``{"request": id or null for the last, "copies": 1, "at_once":
false}`` → ``{"requests": [request]}``.

Changes
=======
``WS /front/events`` sends one object per change: ``{"seq", "kind", …}``. By kind, with the fields
and the address that the page reads again::

    message, message_deleted   {"channel", "ts", "only_for"}   /front/messages of that channel
    channel, user              {"channel"} or {"user"}         /front/state
    view, home                 {"user", "view"}                /front/views of that user
    connections                {}                              /front/state
    restored                   {}                              everything
    interaction, request, call {"entry": entry of the log}     none
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from bot.sandbox.acts import Acts, Interaction
from bot.sandbox.blocks import Json
from bot.sandbox.controls import CannotDo
from bot.sandbox.courier import Courier
from bot.sandbox.faults import Faults
from bot.sandbox.front_acts import FrontActs
from bot.sandbox.front_json import (
    connection_json,
    entry_json,
    fault_json,
    message_json,
    view_json,
    workspace_json,
)
from bot.sandbox.people import Person
from bot.sandbox.requests import Request
from bot.sandbox.socket_mode import AppConnection
from bot.sandbox.webapi import Call, WebApi

STATIC = Path(__file__).parent / "static"
# A page beside Slack runs no scripts and loads nothing.
POLICY_BESIDE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LOGGED = ("interaction", "request", "call")


class Front:
    """Serves the page and its API on top of one stand-in."""

    def __init__(self, acts: Acts, courier: Courier, webapi: WebApi, rules: Faults) -> None:
        self._acts = acts
        self._front_acts = FrontActs(acts.workspace)
        self._workspace = acts.workspace
        self._courier = courier
        self._webapi = webapi
        self._faults = rules
        self.welcome = ""
        """A line of greeting at the top of the page, in words."""
        self.beside: dict[str, Callable[[], Awaitable[str]]] = {}
        """Pages of the app outside Slack by their names, each a function that returns HTML."""
        self.elsewhere: dict[str, str] = {}
        """Pages of the app on its own server by their names: their addresses, as links.

        One that is in ``beside`` as well is shown beside the channel, and follows every change.
        """
        self._seq = 0
        self._log: dict[Interaction | Request | Call, int] = {}
        self._pages: dict[web.WebSocketResponse, asyncio.Queue[Json]] = {}
        self._workspace.subscribe(self._changed)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/front/state", self._guarded(self._state)),
            web.get("/front/messages", self._guarded(self._messages)),
            web.get("/front/views", self._guarded(self._views)),
            web.get("/front/log", self._guarded(self._entries)),
            web.post("/front/act", self._guarded(self._act)),
            web.get("/front/faults", self._guarded(self._list_faults)),
            web.post("/front/faults", self._guarded(self._add_fault)),
            web.delete("/front/faults", self._guarded(self._clear_faults)),
            web.delete("/front/faults/{id}", self._guarded(self._clear_fault)),
            web.post("/front/sockets", self._guarded(self._upset_sockets)),
            web.post("/front/limits", self._guarded(self._set_limits)),
            web.post("/front/redeliver", self._guarded(self._redeliver)),
            web.get("/front/events", self._events),
            web.get("/", self._page),
            web.get("/archives/{channel}/{message}", self._page),
            web.get("/beside/{name}", self._beside),
            web.get("/{file:[A-Za-z0-9_.-]+}", self._file),
        ]

    # --- the edge: origin, errors, files ---

    def _guarded(
        self, answer: Callable[[web.Request], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(http: web.Request) -> web.Response:
            if not _of_this_page(http):
                return _failure(400, "wrong_origin", "Only the stand-in's own page may ask.")
            try:
                return web.json_response(await answer(http))
            except CannotDo as problem:
                return _failure(409, "cannot_do", str(problem))
            except LookupError as problem:
                return _failure(404, "not_found", str(problem))
            except (TypeError, ValueError) as problem:
                return _failure(400, "bad_request", str(problem))

        return guarded

    async def _page(self, _http: web.Request) -> web.StreamResponse:
        return _served("index.html")

    async def _file(self, http: web.Request) -> web.StreamResponse:
        return _served(http.match_info["file"])

    async def _beside(self, http: web.Request) -> web.StreamResponse:
        drawn = self.beside.get(http.match_info["name"])
        if drawn is None or not _of_this_page(http):
            return web.Response(status=404, text="There is no page here.")
        headers = {"Content-Security-Policy": POLICY_BESIDE}
        return web.Response(text=await drawn(), content_type="text/html", headers=headers)

    # --- reading ---

    def _person(self, name: object) -> Person:
        return Person(self._workspace.user(str(name)), self._acts)

    async def _state(self, http: web.Request) -> Json:
        me = self._workspace.user(http.query["as"]) if "as" in http.query else None
        return {
            **workspace_json(self._workspace, me),
            "mode": self._courier.mode,
            "connections": [connection_json(each) for each in self._courier.sockets.connections],
            "limits": self._limits_json(),
            "faults": [fault_json(rule) for rule in self._faults],
            "welcome": self.welcome,
            "beside": list(self.beside),
            "elsewhere": self.elsewhere,
            "now": self._workspace.clock(),
            "seq": self._seq,
        }

    async def _messages(self, http: web.Request) -> Json:
        person = self._person(http.query["as"])
        channel = self._workspace.channel(http.query["channel"])
        seen = person.reads(channel)
        return {"channel": channel.id, "messages": [message_json(message) for message in seen]}

    async def _views(self, http: web.Request) -> Json:
        user = self._workspace.user(http.query["as"]).id
        home = self._workspace.homes.get(user)
        return {
            "stack": [view_json(view) for view in self._workspace.stacks.get(user, [])],
            "home": None if home is None else view_json(home),
        }

    async def _entries(self, http: web.Request) -> Json:
        after = int(http.query.get("after", "0"))
        entries = [
            {"seq": seq, **entry_json(thing)} for thing, seq in self._log.items() if seq > after
        ]
        return {"seq": self._seq, "entries": entries}

    async def _act(self, http: web.Request) -> Json:
        asked = await _body(http)
        interaction = await self._front_acts.do(self._person(asked["as"]), asked)
        return {"interaction": None if interaction is None else entry_json(interaction)}

    # --- injected faults ---

    async def _list_faults(self, _http: web.Request) -> Json:
        return {"faults": [fault_json(rule) for rule in self._faults]}

    async def _add_fault(self, http: web.Request) -> Json:
        asked = await _body(http)
        rule = self._faults.add(
            str(asked["kind"]),
            str(asked.get("method") or "*"),
            channel=asked.get("channel") or None,
            times=asked.get("times", 1),
            seconds=float(asked.get("seconds") or 0),
            error=str(asked.get("error") or ""),
        )
        return fault_json(rule)

    async def _clear_fault(self, http: web.Request) -> Json:
        for rule in self._faults:
            if str(rule.id) == http.match_info["id"]:
                rule.clear()
                return {}
        raise LookupError("there is no such fault")

    async def _clear_faults(self, _http: web.Request) -> Json:
        self._faults.clear()
        return {}

    async def _upset_sockets(self, http: web.Request) -> Json:
        asked = await _body(http)
        sockets = self._courier.sockets
        meant = self._meant(asked.get("connection"))
        match asked.get("do"):
            case "close":
                await sockets.close(*meant)
            case "cut":
                sockets.cut(*meant)
            case "half_open":
                sockets.half_open(*meant)
            case "slow":
                sockets.slow(float(asked.get("seconds", 1)), *meant)
            case "disconnect":
                await sockets.announce_disconnect(asked.get("reason", "refresh_requested"), *meant)
            case other:
                raise ValueError(f"nothing of the kind {other!r} can happen to a socket")
        self._workspace.changed("connections")
        return {}

    def _meant(self, connection_id: str | None) -> list[AppConnection]:
        if connection_id is None:
            return []
        found = [each for each in self._courier.sockets.connections if each.id == connection_id]
        if not found:
            raise LookupError(f"there is no connection {connection_id}")
        return found

    async def _set_limits(self, http: web.Request) -> Json:
        asked = await _body(http)
        limits = self._webapi.limits
        limits.posting = bool(asked.get("posting", limits.posting))
        limits.tiers = bool(asked.get("tiers", limits.tiers))
        limits.burst = int(asked.get("burst", limits.burst))
        return self._limits_json()

    def _limits_json(self) -> Json:
        limits = self._webapi.limits
        return {"posting": limits.posting, "tiers": limits.tiers, "burst": limits.burst}

    async def _redeliver(self, http: web.Request) -> Json:
        asked = await _body(http)
        wanted = asked.get("request")
        found = [each for each in self._courier.requests if wanted in (None, each.id)]
        if not found:
            raise LookupError("there is no such request")
        copies = await self._courier.again(
            found[-1], copies=int(asked.get("copies", 1)), at_once=bool(asked.get("at_once"))
        )
        return {"requests": [entry_json(each) for each in copies]}

    # --- changes ---

    def _changed(self, kind: str, facts: Json) -> None:
        self._seq += 1
        change: Json = {"seq": self._seq, "kind": kind}
        if kind in LOGGED:
            thing: Interaction | Request | Call = facts[kind]
            # A changed entry moves to the end: the log is in the order of seq.
            self._log.pop(thing, None)
            self._log[thing] = self._seq
            change["entry"] = {"seq": self._seq, **entry_json(thing)}
        else:
            change |= facts
        for changes in self._pages.values():
            changes.put_nowait(change)

    async def let_go(self, _app: web.Application) -> None:
        """Close the connections of all pages, which would delay the server's end."""
        for socket in tuple(self._pages):
            await socket.close()

    async def _events(self, http: web.Request) -> web.StreamResponse:
        if not _of_this_page(http):
            return _failure(400, "wrong_origin", "Only the stand-in's own page may listen.")
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(http)
        changes: asyncio.Queue[Json] = asyncio.Queue()
        self._pages[socket] = changes
        telling = asyncio.create_task(_tell(socket, changes))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            del self._pages[socket]
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return socket


async def _tell(socket: web.WebSocketResponse, changes: asyncio.Queue[Json]) -> None:
    while True:
        await socket.send_str(json.dumps(await changes.get()))


def _of_this_page(http: web.Request) -> bool:
    """Whether the request comes from this server's own page, and not from another open site."""
    host = urlsplit(f"//{http.host}").hostname
    origin = http.headers.get("Origin")
    own = origin is None or urlsplit(origin).netloc == http.host
    plain = http.method != "POST" or http.content_type == "application/json"
    return own and plain and host in ("127.0.0.1", "::1", "localhost")


def _failure(status: int, error: str, sentence: str) -> web.Response:
    return web.json_response({"error": error, "sentence": sentence}, status=status)


def _served(name: str) -> web.StreamResponse:
    path = STATIC / name
    if not path.is_file():
        return web.Response(status=404, text="There is no page here.")
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


async def _body(http: web.Request) -> Json:
    body = await http.json()
    if not isinstance(body, dict):
        raise TypeError("the body must be an object")
    return body
