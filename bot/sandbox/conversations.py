"""The methods of the Web API for conversations: conversations.*."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.sandbox import contents
from bot.sandbox.blocks import Json
from bot.sandbox.errors import SlackError
from bot.sandbox.model import Channel, Message
from bot.sandbox.paging import page
from bot.sandbox.rights import SCOPES_BY_KIND, Arguments, Rights
from bot.sandbox.workspace import Workspace

MOST_INVITED = 100
MOST_TOPIC = 250


class Conversations:
    """Each method is a function from the arguments to the answer, and raises ``SlackError``."""

    def __init__(self, workspace: Workspace, rights: Rights) -> None:
        self._workspace = workspace
        self._rights = rights
        self._app = workspace.app

    def methods(self) -> Mapping[str, Callable[[Arguments], Json]]:
        return {
            "conversations.archive": self._archive,
            "conversations.create": self._create,
            "conversations.history": self._history,
            "conversations.info": self._info,
            "conversations.invite": self._invite,
            "conversations.join": self._join,
            "conversations.kick": self._kick,
            "conversations.list": self._list,
            "conversations.members": self._members,
            "conversations.open": self._open,
            "conversations.rename": self._rename,
            "conversations.replies": self._replies,
            "conversations.setPurpose": self._set_purpose,
            "conversations.setTopic": self._set_topic,
        }

    def _create(self, arguments: Arguments) -> Json:
        name = str(arguments["name"])
        private = contents.truthy(arguments.get("is_private"))
        self._rights.scoped(
            SCOPES_BY_KIND["conversations.create"]["private" if private else "public"]
        )
        self._free(name)
        channel = self._workspace.add_channel(name, private=private, creator=self._app.bot_user)
        return {"channel": channel.as_slack(bot_user=self._app.bot_user)}

    def _free(self, name: str) -> None:
        """Refuse a name that breaks Slack's rules, or that another channel has: archived or not."""
        if len(name) > 80:
            raise SlackError("invalid_name_maxlength")
        if not re.search(r"[^\W_]", name):
            raise SlackError("invalid_name_punctuation")
        if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
            raise SlackError("invalid_name_specials")
        if any(
            channel.name == name and channel.kind != "im"
            for channel in self._workspace.channels.values()
        ):
            raise SlackError("name_taken")

    def _managed(self, method: str, arguments: Arguments, *, archived: str) -> Channel:
        """The channel that ``method`` changes; ``archived`` is the error for an archived one."""
        channel = self._rights.channel(arguments)
        if channel.kind == "im":
            raise SlackError("method_not_supported_for_channel_type")
        self._rights.scoped_for(method, channel)
        if channel.is_archived:
            raise SlackError(archived)
        if self._app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _archive(self, arguments: Arguments) -> Json:
        channel = self._managed("conversations.archive", arguments, archived="already_archived")
        if channel.is_general:
            raise SlackError("cant_archive_general")
        channel.is_archived = True
        self._workspace.changed("channel", channel=channel.id)
        return {}

    def _kick(self, arguments: Arguments) -> Json:
        channel = self._managed("conversations.kick", arguments, archived="is_archived")
        user = self._rights.user(arguments["user"])
        if user.id == self._app.bot_user:
            raise SlackError("cant_kick_self")
        if channel.is_general:
            raise SlackError("cant_kick_from_general")
        if user.id not in channel.members:
            raise SlackError("not_in_channel")
        channel.members.remove(user.id)
        self._workspace.changed("channel", channel=channel.id)
        return {}

    def _rename(self, arguments: Arguments) -> Json:
        channel = self._managed("conversations.rename", arguments, archived="is_archived")
        if channel.creator != self._app.bot_user:
            raise SlackError("not_authorized")
        name = str(arguments["name"])
        self._free(name)
        channel.previous_names.insert(0, channel.name)
        channel.name = name
        return self._changed(channel)

    def _set_topic(self, arguments: Arguments) -> Json:
        channel = self._managed("conversations.setTopic", arguments, archived="is_archived")
        channel.topic = _short(arguments["topic"])
        return self._changed(channel)

    def _set_purpose(self, arguments: Arguments) -> Json:
        channel = self._managed("conversations.setPurpose", arguments, archived="is_archived")
        channel.purpose = _short(arguments["purpose"])
        return self._changed(channel)

    def _changed(self, channel: Channel) -> Json:
        self._workspace.changed("channel", channel=channel.id)
        return {"channel": channel.as_slack(bot_user=self._app.bot_user)}

    def _info(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        self._rights.scoped_for("conversations.info", channel)
        described = channel.as_slack(bot_user=self._app.bot_user)
        if contents.truthy(arguments.get("include_num_members")):
            described["num_members"] = len(channel.members)
        return {"channel": described}

    def _join(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        if channel.kind != "public":
            raise SlackError("method_not_supported_for_channel_type")
        if channel.is_archived:
            raise SlackError("is_archived")
        warning = {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
        if self._app.bot_user in channel.members:
            return {"channel": channel.as_slack(bot_user=self._app.bot_user), **warning}
        channel.members.append(self._app.bot_user)
        self._workspace.changed("channel", channel=channel.id)
        return {"channel": channel.as_slack(bot_user=self._app.bot_user)}

    def _invite(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        self._rights.scoped_for("conversations.invite", channel)
        if channel.is_archived:
            raise SlackError("is_archived")
        if self._app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        invited = [
            part.strip() for part in str(arguments.get("users") or "").split(",") if part.strip()
        ]
        if not invited:
            raise SlackError("no_user")
        if len(invited) > MOST_INVITED:
            raise SlackError.with_details(
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
            raise SlackError(errors[0]["error"], errors=errors)  # type: ignore[arg-type]
        channel.members += welcome
        self._workspace.changed("channel", channel=channel.id)
        described = channel.as_slack(bot_user=self._app.bot_user)
        return {"channel": described, "errors": errors} if errors else {"channel": described}

    def _uninvitable(self, user_id: str, channel: Channel) -> str | None:
        user = self._workspace.users.get(user_id)
        if user is None or user.deleted:
            return "user_not_found"
        if user_id == self._app.bot_user:
            return "cant_invite_self"
        if user_id in channel.members:
            return "already_in_channel"
        return "user_is_restricted" if user.is_ultra_restricted else None

    def _open(self, arguments: Arguments) -> Json:
        if arguments.get("channel"):
            channel = self._rights.channel(arguments)
            if channel.kind != "im":
                raise SlackError("method_not_supported_for_channel_type")
        else:
            users = [part for part in str(arguments.get("users") or "").split(",") if part]
            if not users:
                raise SlackError("users_list_not_supplied")
            if len(users) > 8:
                raise SlackError("too_many_users")
            people = [self._rights.user(user) for user in users]
            if any(person.deleted for person in people):
                raise SlackError("user_disabled")
            if len(people) > 1:
                # Direct messages of several people are left out of this stand-in.
                raise SlackError("invalid_user_combination")
            if people[0].is_bot:
                raise SlackError("cannot_dm_bot")
            channel = self._workspace.direct(people[0])
        if contents.truthy(arguments.get("return_im")):
            return {"channel": channel.as_slack(bot_user=self._app.bot_user)}
        return {"channel": {"id": channel.id}}

    def _list(self, arguments: Arguments) -> Json:
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
            raise SlackError("invalid_types")
        wanted = {kinds[kind] for kind in asked}
        for kind in wanted & set(SCOPES_BY_KIND["conversations.list"]):
            self._rights.scoped(SCOPES_BY_KIND["conversations.list"][kind])
        found = [
            channel.as_slack(bot_user=self._app.bot_user)
            for channel in self._workspace.channels.values()
            if channel.kind in wanted
            and (channel.kind == "public" or self._app.bot_user in channel.members)
            and not (channel.is_archived and contents.truthy(arguments.get("exclude_archived")))
        ]
        return page(found, arguments, "channels", most=1000)

    def _members(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        self._rights.scoped_for("conversations.members", channel)
        return page(channel.members, arguments, "members", most=1000)

    def _history(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        self._rights.scoped_for("conversations.history", channel)
        if self._app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        broadcast = [
            reply for message in channel.messages for reply in message.replies if reply.broadcast
        ]
        seen = sorted([*channel.messages, *broadcast], key=lambda message: message.ts, reverse=True)
        described = self._as_slack(_between(seen, arguments), arguments)
        return {**page(described, arguments, "messages", most=999), "pin_count": 0}

    def _replies(self, arguments: Arguments) -> Json:
        channel = self._rights.channel(arguments)
        self._rights.scoped_for("conversations.replies", channel)
        if self._app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        message = channel.by_ts.get(str(arguments["ts"]))
        if message is None:
            raise SlackError("thread_not_found")
        parent = channel.by_ts[str(message.thread_ts)] if message.is_reply else message
        described = self._as_slack(
            [parent, *_between(parent.replies, arguments)], arguments, in_thread=True
        )
        return page(described, arguments, "messages", most=1000)

    def _as_slack(
        self, messages: Sequence[Message], arguments: Arguments, *, in_thread: bool = False
    ) -> list[Json]:
        with_metadata = contents.truthy(arguments.get("include_all_metadata"))
        return [
            self._workspace.as_slack(message, with_metadata=with_metadata, in_thread=in_thread)
            for message in messages
        ]


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
        raise SlackError(f"invalid_ts_{name}") from None


def _short(text: object) -> str:
    if len(str(text)) > MOST_TOPIC:
        raise SlackError("too_long")
    return str(text)
