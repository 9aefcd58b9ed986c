"""The bot's permissions: the scopes of its token, the channels it may see, the places it may write.

Source: https://docs.slack.dev/reference/methods
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.errors import SlackError
from bot.sandbox.model import Channel, Message, User
from bot.sandbox.workspace import Workspace

Arguments = Mapping[str, Any]

# One scope of the tuple is enough. For conversations.* it also depends on the kind of the channel.
SCOPES: Mapping[str, tuple[str, ...]] = {
    "bots.info": ("users:read",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.join": ("channels:join",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "pins.add": ("pins:write",),
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
    **{
        method: {"public": ("channels:manage",), "private": ("groups:write",)}
        for method in (
            "conversations.archive",
            "conversations.create",
            "conversations.kick",
            "conversations.rename",
        )
    },
    **{
        method: {
            "public": ("channels:manage", "channels:write.topic"),
            "private": ("groups:write", "groups:write.topic"),
        }
        for method in ("conversations.setPurpose", "conversations.setTopic")
    },
    "conversations.invite": {
        "public": ("channels:manage", "channels:write.invites"),
        "private": ("groups:write", "groups:write.invites"),
    },
    "conversations.open": {"im": ("im:write",)},
}


class Rights:
    """Checks a call of the bot and finds the things that its arguments name.

    Each check raises ``SlackError`` with Slack's name for the error.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._app = workspace.app

    def opens(self, method: str) -> None:
        """Check that the token has a scope for ``method``, in at least one kind of channel."""
        self.scoped(SCOPES.get(method, ()))
        by_kind = SCOPES_BY_KIND.get(method, {})
        needed = [scope for scopes in by_kind.values() for scope in scopes]
        self.scoped(needed)

    def scoped(self, needed: Sequence[str]) -> None:
        if needed and not any(scope in self._app.scopes for scope in needed):
            raise SlackError(
                "missing_scope", needed=",".join(needed), provided=",".join(self._app.scopes)
            )

    def scoped_for(self, method: str, channel: Channel) -> None:
        needed = SCOPES_BY_KIND[method].get(channel.kind)
        if needed is None:
            raise SlackError("method_not_supported_for_channel_type")
        self.scoped(needed)

    def channel(self, arguments: Arguments, *, by_name: bool = False) -> Channel:
        """The channel with this id, if the bot may see it."""
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
            raise SlackError("channel_not_found")
        return found

    def target(self, arguments: Arguments) -> Channel:
        """The target of a message: a channel by id or name, or a person's direct message."""
        person = self._workspace.users.get(str(arguments["channel"]))
        if person is None:
            return self.channel(arguments, by_name=True)
        if person.is_bot:
            raise SlackError("cannot_dm_bot")
        return self._workspace.direct(person)

    def may_write(self, channel: Channel) -> None:
        if channel.is_archived:
            raise SlackError("is_archived")
        if channel.kind == "im" and not self._app.messages_tab:
            raise SlackError("messages_tab_disabled")
        public = channel.kind == "public" and "chat:write.public" in self._app.scopes
        if self._app.bot_user not in channel.members and not public:
            raise SlackError("not_in_channel")

    def user(self, ref: object, error: str = "user_not_found") -> User:
        if ref not in self._workspace.users:
            raise SlackError(error)
        return self._workspace.users[str(ref)]

    def thread(self, channel: Channel, arguments: Arguments) -> str | None:
        thread_ts = arguments.get("thread_ts")
        if thread_ts in (None, ""):
            return None
        parent = channel.by_ts.get(str(thread_ts))
        if parent is None:
            raise SlackError("thread_not_found")
        if parent.is_reply or parent.deleted:
            raise SlackError("cannot_reply_to_message")
        return parent.ts

    def own_message(self, channel: Channel, arguments: Arguments, *, error: str) -> Message:
        ts = str(arguments["ts"])
        if any(
            message.ts == ts and message.channel == channel.id
            for message in self._workspace.hidden_messages
        ):
            raise SlackError(error)
        message = channel.by_ts.get(ts)
        if message is None or message.deleted:
            raise SlackError("message_not_found")
        if not message.by_app:
            raise SlackError(error)
        return message
