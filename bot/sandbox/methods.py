"""The methods of the Web API, but conversations.* and files.*.

Each is a function from the arguments to the answer, and raises ``SlackError``.

Source: https://docs.slack.dev/reference/methods
"""

from collections.abc import Callable, Mapping

from bot.sandbox import blockkit, contents
from bot.sandbox.acts import Acts
from bot.sandbox.blocks import Json
from bot.sandbox.conversations import Conversations
from bot.sandbox.errors import SlackError
from bot.sandbox.files import Files
from bot.sandbox.model import Message, View
from bot.sandbox.paging import page
from bot.sandbox.rights import Arguments, Rights
from bot.sandbox.socket_mode import SocketMode

MOST_TEXT_OF_AN_UPDATE = 4_000
MOST_PINS = 100
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "bots.info": ("bot",),
    "chat.delete": ("channel", "ts"),
    "chat.getPermalink": ("channel", "message_ts"),
    "chat.postEphemeral": ("channel", "user"),
    "chat.postMessage": ("channel",),
    "chat.update": ("channel", "ts"),
    "conversations.archive": ("channel",),
    "conversations.create": ("name",),
    "conversations.history": ("channel",),
    "conversations.info": ("channel",),
    "conversations.invite": ("channel",),
    "conversations.join": ("channel",),
    "conversations.kick": ("channel", "user"),
    "conversations.members": ("channel",),
    "conversations.rename": ("channel", "name"),
    "conversations.replies": ("channel", "ts"),
    "conversations.setPurpose": ("channel", "purpose"),
    "conversations.setTopic": ("channel", "topic"),
    "files.completeUploadExternal": ("files",),
    "files.getUploadURLExternal": ("filename", "length"),
    "pins.add": ("channel",),
    "usergroups.users.list": ("usergroup",),
    "users.info": ("user",),
    "views.open": ("view", "trigger_id"),
    "views.publish": ("view", "user_id"),
    "views.push": ("view", "trigger_id"),
    "views.update": ("view",),
}


class Methods:
    """Answers the calls of an app that has shown its token."""

    def __init__(
        self, acts: Acts, rights: Rights, sockets: SocketMode, *, base_url: Callable[[], str]
    ) -> None:
        self._acts = acts
        self._rights = rights
        self._sockets = sockets
        self._base_url = base_url
        self._workspace = acts.workspace
        self._app = acts.workspace.app
        self.files = Files(acts.workspace, rights, base_url=base_url)
        self._methods: Mapping[str, Callable[[Arguments], Json]] = {
            "api.test": self._api_test,
            "apps.connections.open": self._apps_connections_open,
            "auth.test": self._auth_test,
            "bots.info": self._bots_info,
            "chat.delete": self._chat_delete,
            "chat.getPermalink": self._chat_get_permalink,
            "chat.postEphemeral": self._chat_post_ephemeral,
            "chat.postMessage": self._chat_post_message,
            "chat.update": self._chat_update,
            **Conversations(self._workspace, rights).methods(),
            **self.files.methods(),
            "pins.add": self._pins_add,
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

    def __contains__(self, method: str) -> bool:
        return method in self._methods

    def call(self, method: str, arguments: Arguments) -> Json:
        """The answer of ``method``, without ``ok``.

        Raises:
            SlackError: Slack would answer with this error.
        """
        self._rights.opens(method)
        missing = [name for name in REQUIRED.get(method, ()) if arguments.get(name) in (None, "")]
        if missing:
            raise SlackError.with_details(
                "invalid_arguments", [f"missing required field: {name}" for name in missing]
            )
        return self._methods[method](arguments)

    def _api_test(self, arguments: Arguments) -> Json:
        if arguments.get("error"):
            raise SlackError(str(arguments["error"]), args=dict(arguments))
        return {"args": dict(arguments)} if arguments else {}

    def _apps_connections_open(self, _arguments: Arguments) -> Json:
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
            raise SlackError("team_not_found")
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
            raise SlackError("bot_not_found")
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

    def _chat_post_message(self, arguments: Arguments) -> Json:
        if "as_user" in arguments:
            raise SlackError("as_user_not_supported")
        channel = self._rights.target(arguments)
        self._rights.may_write(channel)
        said = contents.content(arguments, most_in_blocks=blockkit.MOST_TEXT_OF_A_MESSAGE)
        thread_ts = self._rights.thread(channel, arguments)
        message = self._workspace.post(
            Message(
                channel=channel.id,
                ts=self._workspace.mint.ts(),
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
            raise SlackError("as_user_not_supported")
        channel = self._rights.channel(arguments)
        message = self._rights.own_message(channel, arguments, error="cant_update_message")
        if channel.is_archived:
            raise SlackError("is_inactive")
        said = contents.content(arguments, most_text=MOST_TEXT_OF_AN_UPDATE)
        if contents.truthy(arguments.get("reply_broadcast")):
            if not message.is_reply:
                raise SlackError("cant_broadcast_message")
            message.broadcast = True
        self._workspace.edit(
            message,
            text=said.text,
            blocks=said.blocks,
            attachments=said.attachments,
            metadata=said.metadata,
        )
        described = self._workspace.as_slack(message)
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": described}

    def _chat_delete(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        message = self._rights.own_message(channel, arguments, error="cant_delete_message")
        self._workspace.delete(message)
        return {"channel": channel.id, "ts": message.ts}

    def _chat_post_ephemeral(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments, by_name=True)
        self._rights.may_write(channel)
        if arguments["user"] not in channel.members:
            raise SlackError("user_not_in_channel")
        said = contents.content(arguments, most_text=MOST_TEXT_OF_AN_UPDATE)
        message = self._workspace.post(
            Message(
                channel=channel.id,
                ts=self._workspace.mint.ts(),
                text=said.text,
                author=self._app.bot_user,
                by_app=True,
                blocks_as_sent=said.blocks,
                attachments=said.attachments,
                thread_ts=self._rights.thread(channel, arguments),
                only_for=str(arguments["user"]),
            )
        )
        return {"message_ts": message.ts}

    def _chat_get_permalink(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        message = channel.by_ts.get(str(arguments["message_ts"]))
        if message is None:
            raise SlackError("message_not_found")
        link = f"{self._base_url()}/archives/{channel.id}/p{message.ts.replace('.', '')}"
        if message.is_reply:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def _pins_add(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        if channel.is_archived:
            raise SlackError("is_archived")
        if self._app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        message = channel.by_ts.get(str(arguments.get("timestamp") or ""))
        if message is None or message.deleted:
            raise SlackError("message_not_found")
        if message.ts in channel.pins:
            raise SlackError("already_pinned")
        if len(channel.pins) >= MOST_PINS:
            raise SlackError("too_many_pins")
        channel.pins.append(message.ts)
        self._workspace.changed("channel", channel=channel.id)
        return {}

    def _users_info(self, arguments: Arguments) -> Json:
        return {"user": self._rights.user(arguments["user"]).as_slack()}

    def _users_list(self, arguments: Arguments) -> Json:
        members = [
            user.as_slack() for user in self._workspace.users.values() if not user.is_stranger
        ]
        return page(members, arguments, "members", most=1000)

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
            raise SlackError("no_such_subteam")
        return {"users": list(group.members)}

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
            raise SlackError.with_details("invalid_arguments", ["missing required field: view_id"])
        view = next((view for view in self._workspace.views() if _is_meant(view, arguments)), None)
        if view is None:
            raise SlackError("not_found")
        given = contents.view(arguments["view"], kind=view.kind)
        expected = arguments.get("hash") or None
        return {"view": self._workspace.change_view(view, given, expected_hash=expected).as_slack()}

    def _views_publish(self, arguments: Arguments) -> Json:
        given = contents.view(arguments["view"], kind=blockkit.HOME)
        if not self._app.home_tab:
            raise SlackError("not_enabled")
        user = self._workspace.users.get(str(arguments["user_id"]))
        if user is None or user.is_stranger or user.is_bot:
            raise SlackError.with_details("invalid_arguments", ["invalid `user_id`"])
        expected = arguments.get("hash") or None
        return {
            "view": self._workspace.publish_home(user.id, given, expected_hash=expected).as_slack()
        }


def _is_meant(view: View, arguments: Arguments) -> bool:
    if arguments.get("view_id"):
        return view.id == str(arguments["view_id"])
    return view.external_id == str(arguments["external_id"])
