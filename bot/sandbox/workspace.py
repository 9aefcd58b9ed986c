"""The workspace that the stand-in keeps in memory: people, channels, messages, views, and what
expires.

It stores and finds; it refuses only what no Slack could store. Who may do what through the Web API
is ``webapi``'s affair, how a person's act reaches the app is ``people``'s. Nothing here waits or
talks to a network, and the time is a clock that is passed in (a callable giving seconds since
1970).
"""

import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.sandbox import blockkit
from bot.sandbox.blockkit import Json

Clock = Callable[[], float]

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5
MOST_TEXT = 40_000
MOST_VIEWS_IN_A_STACK = 3


class Refused(Exception):
    """What Slack answers with ``ok: false``: its name for the fault, and the fields that come
    along.
    """

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    @classmethod
    def with_faults(cls, error: str, faults: Sequence[str]) -> "Refused":
        return cls(
            error,
            errors=list(faults),
            response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]},
        )


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command that people can type, as the manifest declares it."""

    name: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An entry of the shortcuts menu, or of the menu of a message."""

    kind: str
    """``global`` or ``message``."""
    callback_id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class App:
    """The installed app, as its manifest describes it."""

    name: str
    id: str
    bot_id: str
    bot_user: str
    bot_name: str
    scopes: tuple[str, ...]
    commands: Mapping[str, SlashCommand]
    shortcuts: Mapping[str, Shortcut]
    events: frozenset[str]
    home_tab: bool
    messages_tab: bool
    messages_read_only: bool
    """Whether people may read what the app tells them there, and not write."""
    interactive: bool

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "App":
        """Read a manifest (schema 1 or 2) given as the dict that its YAML or JSON holds."""
        features = manifest.get("features", {})
        settings = manifest.get("settings", {})
        home = features.get("app_home", {})
        name = manifest["display_information"]["name"]
        slug = _slug(name)
        return cls(
            name=name,
            id=f"A0{slug}",
            bot_id=f"B0{slug}",
            bot_user=f"U0{slug}",
            bot_name=features.get("bot_user", {}).get("display_name", name),
            scopes=tuple(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
            commands={
                command["command"]: SlashCommand(
                    name=command["command"],
                    description=command.get("description", ""),
                    usage_hint=command.get("usage_hint", ""),
                    should_escape=command.get("should_escape", False),
                )
                for command in features.get("slash_commands", ())
            },
            shortcuts={
                shortcut["callback_id"]: Shortcut(
                    kind=shortcut["type"],
                    callback_id=shortcut["callback_id"],
                    name=shortcut["name"],
                    description=shortcut.get("description", ""),
                )
                for shortcut in features.get("shortcuts", ())
            },
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
            home_tab=home.get("home_tab_enabled", False),
            messages_tab=home.get("messages_tab_enabled", True),
            messages_read_only=home.get("messages_tab_read_only_enabled", False),
            interactive=settings.get("interactivity", {}).get("is_enabled", False),
        )


@dataclass(slots=True)
class User:
    """A member of the workspace, a guest, a bot, or somebody of another workspace."""

    id: str
    name: str
    real_name: str
    team_id: str
    is_admin: bool = False
    is_restricted: bool = False
    """A guest of several channels."""
    is_ultra_restricted: bool = False
    """A guest of a single channel."""
    deleted: bool = False
    is_bot: bool = False
    is_stranger: bool = False
    """Of another workspace, met through a shared channel."""
    tz: str = "Europe/Berlin"

    def as_slack(self) -> Json:
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": 0,
            "profile": {
                "real_name": self.real_name,
                "real_name_normalized": self.real_name,
                "display_name": self.name,
                "display_name_normalized": self.name,
                "team": self.team_id,
            },
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted or self.is_ultra_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 0,
            **({"is_stranger": True} if self.is_stranger else {}),
        }


@dataclass(slots=True)
class UserGroup:
    """Some people under one handle, such as @responders."""

    id: str
    handle: str
    name: str
    members: list[str]
    disabled: bool = False


@dataclass(slots=True, eq=False)
class Message:
    """One message; edited in place, so that whoever holds it sees its last form. ``snapshot()``
    keeps one.
    """

    channel: str
    ts: str
    text: str
    author: str
    """Id of the user who wrote it, the bot's user included."""
    by_app: bool = False
    blocks: list[Json] = field(default_factory=list)
    blocks_as_sent: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    """The one user who sees it; None for an ordinary message."""
    edited_ts: str | None = None
    edits: int = 0
    deleted: bool = False
    origin: str = "api"
    """How it came: ``api``, ``ack``, ``response_url`` or ``person``."""
    interaction: str | None = None
    """Id of the act that it answers, where it came by an acknowledgement or a response_url."""
    replies: list["Message"] = field(default_factory=list)

    def snapshot(self) -> "Message":
        """This message as it is drawn now, for a click on what has been changed since."""
        return replace(self, blocks=list(self.blocks), replies=list(self.replies))

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def words(self) -> str:
        """Every text a person can read in it, line by line: the blocks', or the top-level text
        without any.
        """
        return "\n".join(texts(self.blocks)) if self.blocks else self.text


@dataclass(slots=True, eq=False)
class Channel:
    """A conversation: a public or private channel, or the direct message with the bot."""

    id: str
    name: str
    kind: str
    """``public``, ``private`` or ``im``."""
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    is_archived: bool = False
    is_general: bool = False
    topic: str = ""
    purpose: str = ""
    with_user: str | None = None
    messages: list[Message] = field(default_factory=list)
    by_ts: dict[str, Message] = field(default_factory=dict)

    @property
    def name_for_apps(self) -> str:
        """The name that payloads carry: Slack hides that of private conversations."""
        return {"private": "privategroup", "im": "directmessage"}.get(self.kind, self.name)

    def as_slack(self, *, bot_user: str) -> Json:
        if self.kind == "im":
            return {
                "id": self.id,
                "created": self.created,
                "is_im": True,
                "is_org_shared": False,
                "is_archived": self.is_archived,
                "user": self.with_user,
                "is_open": True,
                "priority": 0,
            }
        described = {"creator": self.creator, "last_set": self.created}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public",
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.kind == "private",
            "created": self.created,
            "creator": self.creator,
            "is_archived": self.is_archived,
            "is_general": self.is_general,
            "is_member": bot_user in self.members,
            "is_shared": False,
            "is_org_shared": False,
            "is_ext_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "unlinked": 0,
            "topic": {"value": self.topic, **described},
            "purpose": {"value": self.purpose, **described},
            "previous_names": [],
        }


@dataclass(slots=True, eq=False)
class View:
    """A modal or a Home tab in front of one person, with what that person has typed into it so
    far.
    """

    id: str
    kind: str
    user: str
    team_id: str
    app: App
    given: Json
    """The view as the app gave it, checked, with ids for whatever came without one."""
    hash: str
    root_id: str
    previous_id: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """By block_id: what is wrong with the input, as the person sees it beside the field."""
    versions: int = 1

    @property
    def title(self) -> str:
        return str(self.given.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.given["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        return str(self.given.get("callback_id", ""))

    @property
    def external_id(self) -> str:
        return str(self.given.get("external_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.given.get("private_metadata", ""))

    def words(self) -> str:
        """Every text a person can read in it, line by line."""
        return "\n".join([self.title, *texts(self.blocks)])

    def as_slack(self) -> Json:
        return {
            "id": self.id,
            "team_id": self.team_id,
            "type": self.kind,
            "blocks": self.blocks,
            "private_metadata": self.private_metadata,
            "callback_id": self.callback_id,
            "state": {"values": self.state},
            "hash": self.hash,
            "title": self.given.get("title")
            or {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": self.given.get("clear_on_close", False),
            "notify_on_close": self.given.get("notify_on_close", False),
            "close": self.given.get("close"),
            "submit": self.given.get("submit"),
            "previous_view_id": self.previous_id,
            "root_view_id": self.root_id,
            "app_id": self.app.id,
            "external_id": self.external_id,
            "app_installed_team_id": self.team_id,
            "bot_id": self.app.bot_id,
        }


@dataclass(slots=True)
class Trigger:
    """The right to open one dialog in front of one person, for 3 seconds."""

    id: str
    user: str
    at: float
    spent: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """The right to answer one act, 5 times in 30 minutes."""

    path: str
    """Path and secret, to be joined to the address of the stand-in."""
    user: str
    channel: str
    at: float
    interaction: str
    original: Message | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """A message as it stands at the end, without what differs from run to run; see
    ``Workspace.channel_view``.
    """

    by: str
    text: str
    blocks: list[Json]
    broadcast: bool = False
    replies: tuple["Post", ...] = ()


class Workspace:
    """All of one Slack team. Everything that changes it tells the subscribers, with a kind and a
    few facts.
    """

    def __init__(
        self,
        app: App,
        *,
        team_id: str = "T0SANDBOX",
        name: str = "Sandbox",
        domain: str = "sandbox",
        clock: Clock = time.time,
    ) -> None:
        self.app = app
        self.team_id = team_id
        self.name = name
        self.domain = domain
        self.clock = clock
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.hidden_messages: list[Message] = []
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self._subscribers: list[Callable[[str, Json], None]] = []
        self._numbers = itertools.count(1)
        self._last_microsecond = 0
        bot = User(app.bot_user, app.bot_name.lower(), app.bot_name, team_id, is_bot=True)
        self.users[bot.id] = bot

    # --- who and where ---

    def add_user(
        self, name: str, *, real_name: str = "", team_id: str | None = None, **flags: Any
    ) -> User:
        """A new person; ``flags`` are those of ``User``, such as is_admin, deleted, is_stranger."""
        user = User(
            self._new_key("U0", name, self.users),
            name,
            real_name or name.title(),
            team_id or self.team_id,
            **flags,
        )
        self.users[user.id] = user
        self.changed("user", user=user.id)
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: Iterable[str | User] = (),
        private: bool = False,
        bot: bool = True,
        archived: bool = False,
        creator: str | None = None,
        topic: str = "",
    ) -> Channel:
        """A new channel; ``bot`` says whether the app's bot is a member. Members are ids, names or
        users.
        """
        people = [self.user(member).id for member in members]
        channel = Channel(
            id=self._new_key("C0", name, self.channels),
            name=name,
            kind="private" if private else "public",
            creator=creator or (people[0] if people else self.app.bot_user),
            created=int(self.clock()),
            members=[
                *people,
                *([self.app.bot_user] if bot and self.app.bot_user not in people else []),
            ],
            is_archived=archived,
            is_general=name == "general",
            topic=topic,
        )
        self.channels[channel.id] = channel
        self.changed("channel", channel=channel.id)
        return channel

    def add_group(
        self, handle: str, *, members: Iterable[str | User] = (), name: str = ""
    ) -> UserGroup:
        group = UserGroup(
            self._new_key("S0", handle, self.groups),
            handle,
            name or handle,
            [self.user(member).id for member in members],
        )
        self.groups[group.id] = group
        return group

    def user(self, ref: str | User) -> User:
        """By id, name or @name; LookupError for nobody."""
        if isinstance(ref, User):
            return ref
        wanted = ref.removeprefix("@")
        for user in self.users.values():
            if wanted in (user.id, user.name):
                return user
        raise LookupError(f"there is no user {ref!r}")

    def channel(self, ref: str | Channel) -> Channel:
        """By id, name or #name; ``@name`` is the direct message between that person and the bot."""
        if isinstance(ref, Channel):
            return ref
        if ref.startswith("@"):
            return self.direct(self.user(ref))
        wanted = ref.removeprefix("#")
        for channel in self.channels.values():
            if wanted in (channel.id, channel.name):
                return channel
        raise LookupError(f"there is no channel {ref!r}")

    def direct(self, user: User) -> Channel:
        """The direct message between ``user`` and the bot, opened when there is none yet."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.with_user == user.id:
                return channel
        channel = Channel(
            id=self._new_key("D0", user.name, self.channels),
            name=user.name,
            kind="im",
            creator=user.id,
            created=int(self.clock()),
            members=[user.id, self.app.bot_user],
            with_user=user.id,
        )
        self.channels[channel.id] = channel
        self.changed("channel", channel=channel.id)
        return channel

    # --- messages ---

    def post(self, message: Message) -> Message:
        """Put a message into its channel, or under its parent, or in front of the one who alone
        sees it.
        """
        channel = self.channels[message.channel]
        message.text = message.text[:MOST_TEXT]
        message.blocks = blockkit.named(message.blocks_as_sent, self.new_block_id)
        if message.only_for is not None:
            self.hidden_messages.append(message)
        else:
            channel.by_ts[message.ts] = message
            if message.is_reply:
                parent = channel.by_ts[str(message.thread_ts)]
                parent.thread_ts = parent.ts
                parent.replies.append(message)
            else:
                channel.messages.append(message)
        self.changed("message", channel=channel.id, ts=message.ts, only_for=message.only_for)
        return message

    def edit(
        self,
        message: Message,
        *,
        text: str,
        blocks: list[Json],
        attachments: list[Json] | None = None,
        metadata: Json | None = None,
    ) -> None:
        message.text = text[:MOST_TEXT]
        message.blocks_as_sent = blocks
        message.blocks = blockkit.named(blocks, self.new_block_id)
        message.attachments = attachments or []
        message.metadata = metadata if metadata is not None else message.metadata
        message.edited_ts = self.new_ts()
        message.edits += 1
        self.changed("message", channel=message.channel, ts=message.ts, only_for=message.only_for)

    def delete(self, message: Message) -> None:
        channel = self.channels[message.channel]
        message.deleted = True
        if message.only_for is not None:
            self.hidden_messages.remove(message)
        elif message.replies:
            # A thread outlives its first message, which then says only that it was deleted.
            message.text, message.blocks, message.blocks_as_sent = (
                "This message was deleted.",
                [],
                [],
            )
        else:
            del channel.by_ts[message.ts]
            if message.is_reply:
                channel.by_ts[str(message.thread_ts)].replies.remove(message)
            else:
                channel.messages.remove(message)
        self.changed(
            "message_deleted", channel=channel.id, ts=message.ts, only_for=message.only_for
        )

    def ephemerals(
        self, user: str | User, *, channel: str | Channel | None = None
    ) -> list[Message]:
        """What only this person sees, oldest first."""
        wanted = None if channel is None else self.channel(channel).id
        person = self.user(user).id
        return [
            message
            for message in self.hidden_messages
            if message.only_for == person and wanted in (None, message.channel)
        ]

    def channel_view(self, channel: str | Channel) -> list[Post]:
        """The channel as everybody ends up seeing it: messages in order, each with its thread."""
        return [self._post(message) for message in self.channel(channel).messages]

    def _post(self, message: Message) -> Post:
        return Post(
            by=self.users[message.author].name,
            text=message.text,
            blocks=message.blocks_as_sent,
            broadcast=message.broadcast,
            replies=tuple(self._post(reply) for reply in message.replies),
        )

    def as_slack(
        self, message: Message, *, with_metadata: bool = True, in_thread: bool = False
    ) -> Json:
        """The message object of API answers and payloads."""
        told: Json = {
            "type": "message",
            "user": message.author,
            "ts": message.ts,
            "text": message.text,
            "team": self.team_id,
        }
        if message.by_app:
            told |= {"bot_id": self.app.bot_id, "app_id": self.app.id}
            told["bot_profile"] = self._bot_profile()
        if message.deleted:
            told["subtype"] = "tombstone"
        if message.edited_ts is not None:
            told["edited"] = {"user": message.author, "ts": message.edited_ts}
        if message.metadata is not None and with_metadata:
            told["metadata"] = message.metadata
        parts = {"blocks": message.blocks, "attachments": message.attachments}
        told |= {name: part for name, part in parts.items() if part}
        return told | self._thread(message, with_metadata=with_metadata, in_thread=in_thread)

    def _thread(self, message: Message, *, with_metadata: bool, in_thread: bool) -> Json:
        """What a message object says of the thread it starts or belongs to."""
        if message.thread_ts is None:
            return {}
        told: Json = {"thread_ts": message.thread_ts}
        if message.replies:
            told |= {
                "reply_count": len(message.replies),
                "reply_users": list(dict.fromkeys(reply.author for reply in message.replies)),
                "reply_users_count": len({reply.author for reply in message.replies}),
                "latest_reply": message.replies[-1].ts,
                "is_locked": False,
                "subscribed": False,
            }
        if message.is_reply:
            parent = self.channels[message.channel].by_ts[message.thread_ts]
            told["parent_user_id"] = parent.author
            if message.broadcast:
                told["subtype"] = "thread_broadcast"
                if not in_thread:
                    told["root"] = self.as_slack(parent, with_metadata=with_metadata)
        return told

    def _bot_profile(self) -> Json:
        return {
            "id": self.app.bot_id,
            "app_id": self.app.id,
            "name": self.app.bot_name,
            "team_id": self.team_id,
            "deleted": False,
            "updated": 0,
        }

    # --- views ---

    def show_view(self, user: str, given: Json, *, push: bool) -> View:
        """Open a modal in front of ``user``: in place of what is open, or on top of it when
        ``push``.
        """
        self._external_id_is_free(given, None)
        stack = self.stacks.setdefault(user, [])
        if push and not stack:
            raise Refused("not_found")
        if push and len(stack) >= MOST_VIEWS_IN_A_STACK:
            raise Refused("push_limit_reached")
        view_id = self.new_id("V")
        view = View(
            id=view_id,
            kind=blockkit.MODAL,
            user=user,
            team_id=self.team_id,
            app=self.app,
            given={**given, "blocks": blockkit.named(given["blocks"], self.new_block_id)},
            hash=self._new_hash(),
            root_id=stack[0].id if push else view_id,
            previous_id=stack[-1].id if push else None,
        )
        view.state = _state_of(view.blocks, {})
        if push:
            stack.append(view)
        else:
            stack[:] = [view]
        self.changed("view", user=user, view=view.id)
        return view

    def change_view(self, view: View, given: Json, *, expected_hash: str | None = None) -> View:
        """Redraw a view. What was typed stays where block_id, action_id and kind of the input
        stay.
        """
        if expected_hash is not None and expected_hash != view.hash:
            raise Refused("hash_conflict")
        self._external_id_is_free(given, view)
        view.given = {**given, "blocks": blockkit.named(given["blocks"], self.new_block_id)}
        view.state = _state_of(view.blocks, view.state)
        view.errors = {}
        view.hash = self._new_hash()
        view.versions += 1
        self.changed(
            "view" if view.kind == blockkit.MODAL else "home", user=view.user, view=view.id
        )
        return view

    def publish_home(self, user: str, given: Json, *, expected_hash: str | None = None) -> View:
        view = self.homes.get(user)
        if view is not None:
            return self.change_view(view, given, expected_hash=expected_hash)
        self._external_id_is_free(given, None)
        view_id = self.new_id("V")
        view = View(
            id=view_id,
            kind=blockkit.HOME,
            user=user,
            team_id=self.team_id,
            app=self.app,
            given={**given, "blocks": blockkit.named(given["blocks"], self.new_block_id)},
            hash=self._new_hash(),
            root_id=view_id,
        )
        view.state = _state_of(view.blocks, {})
        self.homes[user] = view
        self.changed("home", user=user, view=view.id)
        return view

    def close_view(self, view: View, *, whole_stack: bool = False) -> list[View]:
        """Take a modal away, and what lies on top of it; gives the closed ones, topmost first."""
        stack = self.stacks.get(view.user, [])
        start = 0 if whole_stack else stack.index(view)
        closed = stack[start:][::-1]
        del stack[start:]
        self.changed("view", user=view.user, view=stack[-1].id if stack else None)
        return closed

    def views(self) -> Iterator[View]:
        yield from self.homes.values()
        for stack in self.stacks.values():
            yield from stack

    def _external_id_is_free(self, given: Json, of: View | None) -> None:
        wanted = given.get("external_id")
        if wanted and any(view.external_id == wanted for view in self.views() if view is not of):
            raise Refused("duplicate_external_id")

    # --- what expires ---

    def new_trigger(self, user: str) -> str:
        secret = self._secret()
        trigger = Trigger(f"{next(self._numbers)}.{int(self.clock())}.{secret}", user, self.clock())
        self.triggers[trigger.id] = trigger
        return trigger.id

    def spend_trigger(self, trigger_id: object) -> str:
        """The user whom the trigger belongs to; Refused when it is unknown, over 3 s old or used
        before.
        """
        trigger = self.triggers.get(trigger_id) if isinstance(trigger_id, str) else None
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.spent:
            raise Refused("exchanged_trigger_id")
        if self.clock() - trigger.at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.spent = True
        return trigger.user

    def new_response_url(
        self,
        kind: str,
        *,
        user: str,
        channel: str,
        interaction: str,
        original: Message | None = None,
    ) -> ResponseUrl:
        """A response_url of ``kind`` ``commands``, ``actions`` or ``app``, good for 5 uses in 30
        minutes.
        """
        path = f"/{kind}/{self.team_id}/{next(self._numbers)}/{self._secret()}"
        url = ResponseUrl(path, user, channel, self.clock(), interaction, original)
        self.response_urls[path] = url
        return url

    def spend_response_url(self, path: str) -> ResponseUrl:
        url = self.response_urls.get(path)
        if url is None:
            raise Refused("no_service")
        if self.clock() - url.at > RESPONSE_URL_SECONDS:
            raise Refused("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise Refused("used_url")
        url.uses += 1
        return url

    # --- from one run to the next ---

    def saved(self) -> Json:
        """People, channels, messages and Home tabs as JSON, without what expires in minutes."""
        return {
            "users": [asdict(user) for user in self.users.values()],
            "groups": [asdict(group) for group in self.groups.values()],
            "channels": [_saved_channel(channel) for channel in self.channels.values()],
            "hidden_messages": [asdict(message) for message in self.hidden_messages],
            "homes": {user: view.given for user, view in self.homes.items()},
            "next_number": next(self._numbers),
            "last_microsecond": self._last_microsecond,
        }

    def restore(self, saved: Json) -> None:
        """Be again what ``saved()`` told, in place of whatever is here now."""
        self.users = {user["id"]: User(**user) for user in saved["users"]}
        self.groups = {group["id"]: UserGroup(**group) for group in saved["groups"]}
        self.channels = {each["id"]: _restored_channel(each) for each in saved["channels"]}
        self.hidden_messages = [_restored_message(each) for each in saved["hidden_messages"]]
        self._numbers = itertools.count(saved["next_number"])
        self._last_microsecond = saved["last_microsecond"]
        self.stacks.clear()
        self.homes.clear()
        for user, given in saved["homes"].items():
            self.publish_home(user, given)
        self.changed("restored")

    # --- names and times that are given out once ---

    def new_ts(self) -> str:
        """A message timestamp: unique in the workspace and later than every one before."""
        self._last_microsecond = max(self._last_microsecond + 1, int(self.clock() * 1_000_000))
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):010d}"

    def new_block_id(self) -> str:
        return f"b{next(self._numbers):x}"

    def _new_hash(self) -> str:
        return f"{int(self.clock())}.{self._secret()[:8]}"

    def _secret(self) -> str:
        # A response_url and a trigger are bearer secrets in Slack, so nobody may get used to
        # guessing them here.
        return secrets.token_hex(12)

    def _new_key(self, prefix: str, name: str, taken: Mapping[str, object]) -> str:
        wanted = prefix + _slug(name)
        keys = itertools.chain([wanted], (f"{wanted}{number}" for number in itertools.count(2)))
        return next(key for key in keys if key not in taken)

    # --- who listens ---

    def subscribe(self, subscriber: Callable[[str, Json], None]) -> Callable[[], None]:
        """Call ``subscriber(kind, facts)`` on every change from now on; gives what ends it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def changed(self, kind: str, **facts: Any) -> None:
        for subscriber in list(self._subscribers):
            subscriber(kind, facts)


def _saved_channel(channel: Channel) -> Json:
    kept = {name: getattr(channel, name) for name in Channel.__slots__ if name != "by_ts"}
    return {**kept, "messages": [asdict(message) for message in channel.messages]}


def _restored_channel(saved: Json) -> Channel:
    channel = Channel(**{**saved, "messages": []})
    channel.messages = [_restored_message(each) for each in saved["messages"]]
    for message in channel.messages:
        channel.by_ts |= {each.ts: each for each in (message, *message.replies)}
    return channel


def _restored_message(saved: Json) -> Message:
    return Message(**{**saved, "replies": [_restored_message(each) for each in saved["replies"]]})


def texts(value: object) -> Iterator[str]:
    """Every text object's text inside ``value``, in reading order."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for key, item in value.items():
            if key != "text" or not isinstance(item, str):
                yield from texts(item)


def _state_of(
    blocks: Sequence[Json], typed: Mapping[str, Mapping[str, Json]]
) -> dict[str, dict[str, Json]]:
    state: dict[str, dict[str, Json]] = {}
    for block, element in blockkit.interactive(blocks):
        start = blockkit.initial_state(element)
        if start is None:
            continue
        kept = typed.get(block["block_id"], {}).get(element["action_id"])
        stays = (
            kept is not None and kept["type"] == element["type"] and _still_offered(element, kept)
        )
        state.setdefault(block["block_id"], {})[element["action_id"]] = (
            dict(kept) if stays and kept else start
        )
    return state


def _still_offered(element: Json, entry: Json) -> bool:
    offered = blockkit.options_of(element)
    chosen = (
        [entry["selected_option"]]
        if entry.get("selected_option")
        else entry.get("selected_options", [])
    )
    return not offered or all(
        option["value"] in {offer["value"] for offer in offered} for option in chosen
    )


def _slug(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper()) or "X"
