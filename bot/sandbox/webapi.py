"""The Web API under ``/api/<method>``, as strict as Slack's: token, scopes, arguments, rights,
limits, in that order.

Each method is a function from the arguments to the answer, and raises ``Refused`` with Slack's name
for the fault. Direct messages of several people, files, reactions and pins are not there.

Source: https://docs.slack.dev/reference/methods
"""

import asyncio
import base64
import binascii
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web

from bot.sandbox import blockkit, contents, faults
from bot.sandbox.blockkit import Json
from bot.sandbox.delivery import SocketMode
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.people import Acts
from bot.sandbox.workspace import Channel, Message, Refused, User, View, Workspace

MOST_TEXT_OF_AN_UPDATE = 4_000
MOST_INVITED = 100

Arguments = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Call:
    """One call of the Web API, or one post to a response_url, and what it was answered."""

    id: int
    method: str
    arguments: Json
    at: float
    status: int | None = None
    """None while it is being answered, and for good where the connection was cut."""
    answer: Any = None
    fault: str | None = None
    """The kind of the rule that decided about it, if one did."""
    seconds: float = 0.0
    """How long the answer took; 0 while it is being made."""
    started: float = field(default_factory=time.perf_counter, repr=False)


@dataclass(slots=True)
class Limits:
    """How many calls Slack takes: one post per second and channel with a small burst, and the tiers
    per minute.
    """

    posting: bool = True
    tiers: bool = False
    burst: int = 5
    """Posts that a channel takes at once before the one per second counts."""
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict)
    _calls: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, method: str, channel: str | None, *, at: float) -> int:
        """Seconds until this call would be taken; 0 when it is taken now, and counted."""
        if (
            self.posting
            and method in ("chat.postMessage", "chat.postEphemeral")
            and channel is not None
        ):
            left, since = self._posts.get(channel, (float(self.burst), at))
            left = min(float(self.burst), left + at - since)
            if left < 1:
                self._posts[channel] = (left, at)
                return 1
            self._posts[channel] = (left - 1, at)
        if self.tiers and method in TIERS:
            calls = self._calls.setdefault(method, deque())
            while calls and calls[0] <= at - 60:
                calls.popleft()
            if len(calls) >= TIERS[method]:
                return max(1, round(calls[0] + 60 - at))
            calls.append(at)
        return 0


# Calls a minute of the methods that have a tier; chat.postMessage, auth.test and chat.getPermalink
# have their own rules.
TIERS: Mapping[str, int] = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.create": 20,
    "conversations.list": 20,
    "conversations.info": 50,
    "conversations.invite": 50,
    "conversations.join": 50,
    "conversations.open": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.members": 100,
    "users.info": 100,
    "users.list": 20,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "views.open": 100,
    "views.push": 100,
    "views.update": 100,
    "views.publish": 100,
    "team.info": 50,
    "bots.info": 50,
    "apps.connections.open": 20,
}
# Methods that take their arguments from a form or the address alone; a JSON body is not read.
FORM_ONLY = frozenset(
    {
        "bots.info",
        "chat.getPermalink",
        "conversations.info",
        "conversations.list",
        "conversations.members",
        "conversations.replies",
        "team.info",
        "usergroups.list",
        "usergroups.users.list",
        "users.info",
        "users.list",
    }
)
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "bots.info": ("bot",),
    "chat.delete": ("channel", "ts"),
    "chat.getPermalink": ("channel", "message_ts"),
    "chat.postEphemeral": ("channel", "user"),
    "chat.postMessage": ("channel",),
    "chat.update": ("channel", "ts"),
    "conversations.create": ("name",),
    "conversations.history": ("channel",),
    "conversations.info": ("channel",),
    "conversations.invite": ("channel",),
    "conversations.join": ("channel",),
    "conversations.members": ("channel",),
    "conversations.replies": ("channel", "ts"),
    "usergroups.users.list": ("usergroup",),
    "users.info": ("user",),
    "views.open": ("view", "trigger_id"),
    "views.publish": ("view", "user_id"),
    "views.push": ("view", "trigger_id"),
    "views.update": ("view",),
}
# Any one of the scopes opens the method; those of conversations.* depend on the kind of the channel
# as well.
SCOPES: Mapping[str, tuple[str, ...]] = {
    "bots.info": ("users:read",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.join": ("channels:join",),
    "team.info": ("team:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
}
SCOPES_BY_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **{
        method: {
            "public": ("channels:history",),
            "private": ("groups:history",),
            "im": ("im:history",),
        }
        for method in ("conversations.history", "conversations.replies")
    },
    **{
        method: {"public": ("channels:read",), "private": ("groups:read",), "im": ("im:read",)}
        for method in ("conversations.info", "conversations.list", "conversations.members")
    },
    "conversations.create": {"public": ("channels:manage",), "private": ("groups:write",)},
    "conversations.invite": {
        "public": ("channels:manage", "channels:write.invites"),
        "private": ("groups:write", "groups:write.invites"),
    },
    "conversations.open": {"im": ("im:write",)},
}


class WebApi:
    """Answers the calls of one app and keeps them."""

    def __init__(
        self,
        workspace: Workspace,
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
        self._workspace = workspace
        self._acts = acts
        self._sockets = sockets
        self._faults = rules
        self._bot_token = bot_token
        self._app_token = app_token
        self._base_url = base_url
        self._app = workspace.app
        self._methods: Mapping[str, Callable[[Arguments], Json]] = {
            "api.test": self._api_test,
            "auth.test": self._auth_test,
            "bots.info": self._bots_info,
            "chat.delete": self._chat_delete,
            "chat.getPermalink": self._chat_get_permalink,
            "chat.postEphemeral": self._chat_post_ephemeral,
            "chat.postMessage": self._chat_post_message,
            "chat.update": self._chat_update,
            "conversations.create": self._conversations_create,
            "conversations.history": self._conversations_history,
            "conversations.info": self._conversations_info,
            "conversations.invite": self._conversations_invite,
            "conversations.join": self._conversations_join,
            "conversations.list": self._conversations_list,
            "conversations.members": self._conversations_members,
            "conversations.open": self._conversations_open,
            "conversations.replies": self._conversations_replies,
            "team.info": self._team_info,
            "usergroups.list": self._usergroups_list,
            "usergroups.users.list": self._usergroups_users_list,
            "users.info": self._users_info,
            "users.list": self._users_list,
            "views.open": self._views_open,
            "views.publish": self._views_publish,
            "views.push": self._views_push,
            "views.update": self._views_update,
        }

    # --- over HTTP ---

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
        """Do what was asked by clients that have lost their connection, as far as it is time."""
        now = self._workspace.clock()
        due = [deed for at, deed in self._late if at <= now]
        self._late = [(at, deed) for at, deed in self._late if at > now]
        for deed in due:
            deed()

    async def serve_response_url(self, http: web.Request) -> web.StreamResponse:
        """Answer one post to a response_url; the address is the whole of the right to do it."""
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
        except Refused as refused:
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
            # The app gave up waiting and hung up: as far as Slack goes, the call was never made.
            call.fault = faults.SLOW
            call.seconds = time.perf_counter() - call.started
            raise

    def _refusal_by(self, rule: Fault | None) -> web.Response | None:
        """What a rule answers in place of the method; None where the method is to be heard."""
        if rule is None or rule.kind in faults.DONE_ALL_THE_SAME:
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
            answer = {"ok": True, **self.call(method, arguments)}
        except Refused as refused:
            answer = {"ok": False, "error": refused.error, **refused.extra}
        return web.json_response(answer, headers=headers)

    def _limited_channel(self, arguments: Arguments) -> str | None:
        if not arguments.get("channel"):
            return None
        try:
            return self._target(arguments).id
        except Refused:
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
        if method not in self._methods and method != "apps.connections.open":
            raise Refused("unknown_method", req_method=method)
        if method == "api.test":
            return
        if token is None:
            raise Refused("not_authed")
        if token not in (self._bot_token, self._app_token):
            raise Refused("invalid_auth")
        if (token == self._app_token) != (method == "apps.connections.open"):
            raise Refused("not_allowed_token_type")

    def call(self, method: str, arguments: Arguments) -> Json:
        """What ``method`` answers to an app that has shown its token; raises Refused."""
        if method == "apps.connections.open":
            return self._apps_connections_open()
        self._scoped(SCOPES.get(method, ()))
        if method in SCOPES_BY_KIND and not any(
            scope in self._app.scopes
            for needed in SCOPES_BY_KIND[method].values()
            for scope in needed
        ):
            self._scoped([scope for needed in SCOPES_BY_KIND[method].values() for scope in needed])
        missing = [name for name in REQUIRED.get(method, ()) if arguments.get(name) in (None, "")]
        if missing:
            raise Refused.with_faults(
                "invalid_arguments", [f"missing required field: {name}" for name in missing]
            )
        return self._methods[method](arguments)

    def _scoped(self, needed: Sequence[str]) -> None:
        if needed and not any(scope in self._app.scopes for scope in needed):
            raise Refused(
                "missing_scope", needed=",".join(needed), provided=",".join(self._app.scopes)
            )

    def _scoped_for(self, method: str, channel: Channel) -> None:
        needed = SCOPES_BY_KIND[method].get(channel.kind)
        if needed is None:
            raise Refused("method_not_supported_for_channel_type")
        self._scoped(needed)

    # --- who is meant ---

    def _channel(self, arguments: Arguments, *, by_name: bool = False) -> Channel:
        """The channel named by id, as far as the bot may know of it."""
        wanted = str(arguments["channel"]) if arguments.get("channel") else ""
        found = self._workspace.channels.get(wanted)
        if found is None and by_name:
            name = wanted.removeprefix("#")
            found = next(
                (
                    each
                    for each in self._workspace.channels.values()
                    if each.name == name and each.kind == "public"
                ),
                None,
            )
        if found is None or (found.kind != "public" and self._app.bot_user not in found.members):
            raise Refused("channel_not_found")
        return found

    def _target(self, arguments: Arguments) -> Channel:
        """Where a message is to go: a channel by id or name, or a person's direct message."""
        person = self._workspace.users.get(str(arguments["channel"]))
        if person is None:
            return self._channel(arguments, by_name=True)
        if person.is_bot:
            raise Refused("cannot_dm_bot")
        return self._workspace.direct(person)

    def _may_write(self, channel: Channel) -> None:
        if channel.is_archived:
            raise Refused("is_archived")
        if channel.kind == "im" and not self._app.messages_tab:
            raise Refused("messages_tab_disabled")
        public = channel.kind == "public" and "chat:write.public" in self._app.scopes
        if self._app.bot_user not in channel.members and not public:
            raise Refused("not_in_channel")

    def _user(self, ref: object, error: str = "user_not_found") -> User:
        if ref not in self._workspace.users:
            raise Refused(error)
        return self._workspace.users[str(ref)]

    def _thread(self, channel: Channel, arguments: Arguments) -> str | None:
        thread_ts = arguments.get("thread_ts")
        if thread_ts in (None, ""):
            return None
        parent = channel.by_ts.get(str(thread_ts))
        if parent is None:
            raise Refused("thread_not_found")
        if parent.is_reply or parent.deleted:
            raise Refused("cannot_reply_to_message")
        return parent.ts

    def _own_message(self, channel: Channel, arguments: Arguments, *, error: str) -> Message:
        ts = str(arguments["ts"])
        if any(
            message.ts == ts and message.channel == channel.id
            for message in self._workspace.hidden_messages
        ):
            raise Refused(error)
        message = channel.by_ts.get(ts)
        if message is None or message.deleted:
            raise Refused("message_not_found")
        if not message.by_app:
            raise Refused(error)
        return message

    # --- api, apps, auth, team, bots ---

    def _api_test(self, arguments: Arguments) -> Json:
        if arguments.get("error"):
            raise Refused(str(arguments["error"]), args=dict(arguments))
        return {"args": dict(arguments)} if arguments else {}

    def _apps_connections_open(self) -> Json:
        base = self._base_url().replace("http", "ws", 1)
        ticket = self._sockets.new_ticket()
        return {"url": f"{base}/link/?ticket={ticket}&app_id={self._app.id}"}

    def _auth_test(self, _arguments: Arguments) -> Json:
        return {
            "url": f"https://{self._workspace.domain}.slack.com/",
            "team": self._workspace.name,
            "user": self._workspace.users[self._app.bot_user].name,
            "team_id": self._workspace.team_id,
            "user_id": self._app.bot_user,
            "bot_id": self._app.bot_id,
            "is_enterprise_install": False,
        }

    def _team_info(self, arguments: Arguments) -> Json:
        if arguments.get("team") not in (None, "", self._workspace.team_id):
            raise Refused("team_not_found")
        return {
            "team": {
                "id": self._workspace.team_id,
                "name": self._workspace.name,
                "url": f"https://{self._workspace.domain}.slack.com/",
                "domain": self._workspace.domain,
                "email_domain": "",
                "icon": {"image_default": True},
            }
        }

    def _bots_info(self, arguments: Arguments) -> Json:
        if arguments["bot"] != self._app.bot_id:
            raise Refused("bot_not_found")
        return {
            "bot": {
                "id": self._app.bot_id,
                "deleted": False,
                "name": self._app.bot_name,
                "updated": 0,
                "app_id": self._app.id,
                "user_id": self._app.bot_user,
                "icons": {},
            }
        }

    # --- chat ---

    def _chat_post_message(self, arguments: Arguments) -> Json:
        if "as_user" in arguments:
            raise Refused("as_user_not_supported")
        channel = self._target(arguments)
        self._may_write(channel)
        said = contents.content(arguments, most_in_blocks=blockkit.MOST_TEXT_OF_A_MESSAGE)
        thread_ts = self._thread(channel, arguments)
        message = self._workspace.post(
            Message(
                channel=channel.id,
                ts=self._workspace.new_ts(),
                text=said.text,
                author=self._app.bot_user,
                by_app=True,
                blocks_as_sent=said.blocks,
                attachments=said.attachments,
                metadata=said.metadata,
                thread_ts=thread_ts,
                broadcast=thread_ts is not None
                and contents.truthy(arguments.get("reply_broadcast")),
            )
        )
        self._acts.announce(message)
        return {
            "channel": channel.id,
            "ts": message.ts,
            "message": self._workspace.as_slack(message),
        }

    def _chat_update(self, arguments: Arguments) -> Json:
        if "as_user" in arguments:
            raise Refused("as_user_not_supported")
        channel = self._channel(arguments)
        message = self._own_message(channel, arguments, error="cant_update_message")
        if channel.is_archived:
            raise Refused("is_inactive")
        said = contents.content(arguments, most_text=MOST_TEXT_OF_AN_UPDATE)
        if contents.truthy(arguments.get("reply_broadcast")):
            if not message.is_reply:
                raise Refused("cant_broadcast_message")
            message.broadcast = True
        self._workspace.edit(
            message,
            text=said.text,
            blocks=said.blocks,
            attachments=said.attachments,
            metadata=said.metadata,
        )
        told = self._workspace.as_slack(message)
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": told}

    def _chat_delete(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        message = self._own_message(channel, arguments, error="cant_delete_message")
        self._workspace.delete(message)
        return {"channel": channel.id, "ts": message.ts}

    def _chat_post_ephemeral(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments, by_name=True)
        self._may_write(channel)
        if arguments["user"] not in channel.members:
            raise Refused("user_not_in_channel")
        said = contents.content(arguments, most_text=MOST_TEXT_OF_AN_UPDATE)
        message = self._workspace.post(
            Message(
                channel=channel.id,
                ts=self._workspace.new_ts(),
                text=said.text,
                author=self._app.bot_user,
                by_app=True,
                blocks_as_sent=said.blocks,
                attachments=said.attachments,
                thread_ts=self._thread(channel, arguments),
                only_for=str(arguments["user"]),
            )
        )
        return {"message_ts": message.ts}

    def _chat_get_permalink(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        message = channel.by_ts.get(str(arguments["message_ts"]))
        if message is None:
            raise Refused("message_not_found")
        link = f"{self._base_url()}/archives/{channel.id}/p{message.ts.replace('.', '')}"
        if message.is_reply:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    # --- conversations ---

    def _conversations_create(self, arguments: Arguments) -> Json:
        name = str(arguments["name"])
        private = contents.truthy(arguments.get("is_private"))
        self._scoped(SCOPES_BY_KIND["conversations.create"]["private" if private else "public"])
        if len(name) > 80:
            raise Refused("invalid_name_maxlength")
        if not re.search(r"[^\W_]", name):
            raise Refused("invalid_name_punctuation")
        if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
            raise Refused("invalid_name_specials")
        if any(
            channel.name == name and channel.kind != "im"
            for channel in self._workspace.channels.values()
        ):
            raise Refused("name_taken")
        channel = self._workspace.add_channel(name, private=private, creator=self._app.bot_user)
        return {"channel": channel.as_slack(bot_user=self._app.bot_user)}

    def _conversations_info(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        self._scoped_for("conversations.info", channel)
        told = channel.as_slack(bot_user=self._app.bot_user)
        if contents.truthy(arguments.get("include_num_members")):
            told["num_members"] = len(channel.members)
        return {"channel": told}

    def _conversations_join(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        if channel.kind != "public":
            raise Refused("method_not_supported_for_channel_type")
        if channel.is_archived:
            raise Refused("is_archived")
        warning = {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
        if self._app.bot_user in channel.members:
            return {"channel": channel.as_slack(bot_user=self._app.bot_user), **warning}
        channel.members.append(self._app.bot_user)
        self._workspace.changed("channel", channel=channel.id)
        return {"channel": channel.as_slack(bot_user=self._app.bot_user)}

    def _conversations_invite(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        self._scoped_for("conversations.invite", channel)
        if channel.is_archived:
            raise Refused("is_archived")
        if self._app.bot_user not in channel.members:
            raise Refused("not_in_channel")
        invited = [
            part.strip() for part in str(arguments.get("users") or "").split(",") if part.strip()
        ]
        if not invited:
            raise Refused("no_user")
        if len(invited) > MOST_INVITED:
            raise Refused.with_faults(
                "invalid_arguments", [f"no more than {MOST_INVITED} items allowed"]
            )
        refused = {
            user: error
            for user in invited
            if (error := self._uninvitable(user, channel)) is not None
        }
        errors = [{"user": user, "ok": False, "error": error} for user, error in refused.items()]
        welcome = [user for user in invited if user not in refused]
        if errors and not (contents.truthy(arguments.get("force")) and welcome):
            raise Refused(errors[0]["error"], errors=errors)  # type: ignore[arg-type]
        channel.members += welcome
        self._workspace.changed("channel", channel=channel.id)
        told = channel.as_slack(bot_user=self._app.bot_user)
        return {"channel": told, "errors": errors} if errors else {"channel": told}

    def _uninvitable(self, user_id: str, channel: Channel) -> str | None:
        user = self._workspace.users.get(user_id)
        if user is None or user.deleted:
            return "user_not_found"
        if user_id == self._app.bot_user:
            return "cant_invite_self"
        if user_id in channel.members:
            return "already_in_channel"
        return "user_is_restricted" if user.is_ultra_restricted else None

    def _conversations_open(self, arguments: Arguments) -> Json:
        if arguments.get("channel"):
            channel = self._channel(arguments)
            if channel.kind != "im":
                raise Refused("method_not_supported_for_channel_type")
        else:
            users = [part for part in str(arguments.get("users") or "").split(",") if part]
            if not users:
                raise Refused("users_list_not_supplied")
            if len(users) > 8:
                raise Refused("too_many_users")
            people = [self._user(user) for user in users]
            if any(person.deleted for person in people):
                raise Refused("user_disabled")
            if len(people) > 1:
                # Direct messages of several people are left out of this stand-in.
                raise Refused("invalid_user_combination")
            if people[0].is_bot:
                raise Refused("cannot_dm_bot")
            channel = self._workspace.direct(people[0])
        if contents.truthy(arguments.get("return_im")):
            return {"channel": channel.as_slack(bot_user=self._app.bot_user)}
        return {"channel": {"id": channel.id}}

    def _conversations_list(self, arguments: Arguments) -> Json:
        kinds = {
            "public_channel": "public",
            "private_channel": "private",
            "im": "im",
            "mpim": "mpim",
        }
        asked = [
            part.strip() for part in str(arguments.get("types") or "public_channel").split(",")
        ]
        if any(kind not in kinds for kind in asked):
            raise Refused("invalid_types")
        wanted = {kinds[kind] for kind in asked}
        for kind in wanted & set(SCOPES_BY_KIND["conversations.list"]):
            self._scoped(SCOPES_BY_KIND["conversations.list"][kind])
        found = [
            channel.as_slack(bot_user=self._app.bot_user)
            for channel in self._workspace.channels.values()
            if channel.kind in wanted
            and (channel.kind == "public" or self._app.bot_user in channel.members)
            and not (channel.is_archived and contents.truthy(arguments.get("exclude_archived")))
        ]
        return _page(found, arguments, "channels", most=1000)

    def _conversations_members(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        self._scoped_for("conversations.members", channel)
        return _page(channel.members, arguments, "members", most=1000)

    def _conversations_history(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        self._scoped_for("conversations.history", channel)
        if self._app.bot_user not in channel.members:
            raise Refused("not_in_channel")
        broadcast = [
            reply for message in channel.messages for reply in message.replies if reply.broadcast
        ]
        seen = sorted([*channel.messages, *broadcast], key=lambda message: message.ts, reverse=True)
        told = self._told(_between(seen, arguments), arguments)
        return {**_page(told, arguments, "messages", most=999), "pin_count": 0}

    def _conversations_replies(self, arguments: Arguments) -> Json:
        channel = self._channel(arguments)
        self._scoped_for("conversations.replies", channel)
        if self._app.bot_user not in channel.members:
            raise Refused("not_in_channel")
        message = channel.by_ts.get(str(arguments["ts"]))
        if message is None:
            raise Refused("thread_not_found")
        parent = channel.by_ts[str(message.thread_ts)] if message.is_reply else message
        told = self._told([parent, *_between(parent.replies, arguments)], arguments, in_thread=True)
        return _page(told, arguments, "messages", most=1000)

    def _told(
        self, messages: Sequence[Message], arguments: Arguments, *, in_thread: bool = False
    ) -> list[Json]:
        with_metadata = contents.truthy(arguments.get("include_all_metadata"))
        return [
            self._workspace.as_slack(message, with_metadata=with_metadata, in_thread=in_thread)
            for message in messages
        ]

    # --- users and their groups ---

    def _users_info(self, arguments: Arguments) -> Json:
        return {"user": self._user(arguments["user"]).as_slack()}

    def _users_list(self, arguments: Arguments) -> Json:
        told = [user.as_slack() for user in self._workspace.users.values() if not user.is_stranger]
        return _page(told, arguments, "members", most=1000)

    def _usergroups_list(self, arguments: Arguments) -> Json:
        with_users = contents.truthy(arguments.get("include_users"))
        with_disabled = contents.truthy(arguments.get("include_disabled"))
        return {
            "usergroups": [
                {
                    "id": group.id,
                    "team_id": self._workspace.team_id,
                    "is_usergroup": True,
                    "name": group.name,
                    "handle": group.handle,
                    "description": "",
                    "is_external": False,
                    "date_delete": int(group.disabled),
                    "user_count": len(group.members),
                    **({"users": group.members} if with_users else {}),
                }
                for group in self._workspace.groups.values()
                if with_disabled or not group.disabled
            ]
        }

    def _usergroups_users_list(self, arguments: Arguments) -> Json:
        group = self._workspace.groups.get(str(arguments["usergroup"]))
        if group is None or (
            group.disabled and not contents.truthy(arguments.get("include_disabled"))
        ):
            raise Refused("no_such_subteam")
        return {"users": list(group.members)}

    # --- views ---

    def _views_open(self, arguments: Arguments) -> Json:
        given = contents.view(arguments["view"], kind=blockkit.MODAL)
        user = self._workspace.spend_trigger(arguments["trigger_id"])
        return {"view": self._workspace.show_view(user, given, push=False).as_slack()}

    def _views_push(self, arguments: Arguments) -> Json:
        given = contents.view(arguments["view"], kind=blockkit.MODAL)
        user = self._workspace.spend_trigger(arguments["trigger_id"])
        return {"view": self._workspace.show_view(user, given, push=True).as_slack()}

    def _views_update(self, arguments: Arguments) -> Json:
        if not arguments.get("view_id") and not arguments.get("external_id"):
            raise Refused.with_faults("invalid_arguments", ["missing required field: view_id"])
        view = next((view for view in self._workspace.views() if _is_meant(view, arguments)), None)
        if view is None:
            raise Refused("not_found")
        given = contents.view(arguments["view"], kind=view.kind)
        expected = arguments.get("hash") or None
        return {"view": self._workspace.change_view(view, given, expected_hash=expected).as_slack()}

    def _views_publish(self, arguments: Arguments) -> Json:
        given = contents.view(arguments["view"], kind=blockkit.HOME)
        if not self._app.home_tab:
            raise Refused("not_enabled")
        user = self._workspace.users.get(str(arguments["user_id"]))
        if user is None or user.is_stranger or user.is_bot:
            raise Refused.with_faults("invalid_arguments", ["invalid `user_id`"])
        expected = arguments.get("hash") or None
        return {
            "view": self._workspace.publish_home(user.id, given, expected_hash=expected).as_slack()
        }


def _is_meant(view: View, arguments: Arguments) -> bool:
    if arguments.get("view_id"):
        return view.id == str(arguments["view_id"])
    return view.external_id == str(arguments["external_id"])


def _rate_limited(seconds: int) -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


async def _arguments(http: web.Request, method: str) -> tuple[Json, str | None]:
    """The arguments of a call and the token it shows, wherever Slack lets them stand."""
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


def _between(messages: Sequence[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = (_time(arguments, name) for name in ("oldest", "latest"))
    inclusive = contents.truthy(arguments.get("inclusive"))

    def inside(message: Message) -> bool:
        at = float(message.ts)
        if inclusive and at in (oldest, latest):
            return True
        return (oldest is None or at > oldest) and (latest is None or at < latest)

    return [message for message in messages if inside(message)]


def _time(arguments: Arguments, name: str) -> float | None:
    given = arguments.get(name)
    if given in (None, "", "0", 0):
        return None
    try:
        return float(str(given))
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _page(found: Sequence[Any], arguments: Arguments, name: str, *, most: int) -> Json:
    """One page of ``found``: ``limit`` entries (100 unless told) from where ``cursor`` says."""
    try:
        limit = int(arguments.get("limit") or 100)
    except ValueError:
        raise Refused("invalid_limit") from None
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = _start(arguments.get("cursor"))
    end = start + limit
    more = end < len(found)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if more else ""
    told: Json = {name: list(found[start:end]), "response_metadata": {"next_cursor": cursor}}
    return {**told, "has_more": more} if name == "messages" else told


def _start(cursor: object) -> int:
    if cursor in (None, ""):
        return 0
    try:
        return int(base64.b64decode(str(cursor), validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise Refused("invalid_cursor") from None
