"""The workspace that the stand-in keeps in memory.

It stores and finds, and refuses only things that no Slack could store. Permissions in the Web API
are in ``rights``; the way from a person's act to the app is in ``acts``. Nothing here waits, uses
a network or reads the system's clock.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.sandbox import blockkit
from bot.sandbox.blocks import Json, named
from bot.sandbox.errors import SlackError
from bot.sandbox.forms import state_of
from bot.sandbox.mint import Clock, Mint
from bot.sandbox.model import (
    App,
    Channel,
    Message,
    Post,
    ResponseUrl,
    Trigger,
    User,
    UserGroup,
    View,
    slug,
)

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5
MOST_TEXT = 40_000
MOST_VIEWS_IN_A_STACK = 3


class Workspace:
    """One Slack team. Each change is announced to the subscribers, with a kind and a few facts."""

    def __init__(
        self,
        app: App,
        *,
        team_id: str = "T0SANDBOX",
        name: str = "Sandbox",
        domain: str = "sandbox",
        clock: Clock = time.time,
        trigger_seconds: float = TRIGGER_SECONDS,
    ) -> None:
        self.app = app
        self.team_id = team_id
        self.name = name
        self.domain = domain
        self.clock = clock
        self.trigger_seconds = trigger_seconds
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.hidden_messages: list[Message] = []
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self._subscribers: list[Callable[[str, Json], None]] = []
        self.mint = Mint(clock)
        bot = User(app.bot_user, app.bot_name.lower(), app.bot_name, team_id, is_bot=True)
        self.users[bot.id] = bot

    # --- people and channels ---

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
        shared: str = "",
    ) -> Channel:
        """A new channel. ``members`` are ids, names or users; ``bot`` adds the app's bot.

        ``shared`` is that of `Channel`.
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
            shared=shared,
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
        """By id, name or @name.

        Raises:
            LookupError: no user has it.
        """
        if isinstance(ref, User):
            return ref
        wanted = ref.removeprefix("@")
        for user in self.users.values():
            if wanted in (user.id, user.name):
                return user
        raise LookupError(f"there is no user {ref!r}")

    def channel(self, ref: str | Channel) -> Channel:
        """By id, name or #name; ``@name`` is the direct message between that person and the bot.

        Raises:
            LookupError: no channel has it.
        """
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
        """The direct message between ``user`` and the bot, opened on first use."""
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
        """Put a message into its channel, under its parent, or in front of the only reader."""
        channel = self.channels[message.channel]
        message.text = message.text[:MOST_TEXT]
        message.blocks = named(message.blocks_as_sent, self.mint.block_id)
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
        message.blocks = named(blocks, self.mint.block_id)
        message.attachments = attachments or []
        message.metadata = metadata if metadata is not None else message.metadata
        message.edited_ts = self.mint.ts()
        message.edits += 1
        self.changed("message", channel=message.channel, ts=message.ts, only_for=message.only_for)

    def delete(self, message: Message) -> None:
        channel = self.channels[message.channel]
        message.deleted = True
        if message.only_for is not None:
            self.hidden_messages.remove(message)
        elif message.replies:
            # Slack keeps the thread; its first message says only that it was deleted.
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
        """The messages that only this person sees, oldest first."""
        wanted = None if channel is None else self.channel(channel).id
        person = self.user(user).id
        return [
            message
            for message in self.hidden_messages
            if message.only_for == person and wanted in (None, message.channel)
        ]

    def forget_private_answers(self) -> None:
        """Forget the messages that only one person sees, as a reload of Slack's client does."""
        for message in list(self.hidden_messages):
            self.delete(message)

    def channel_view(self, channel: str | Channel) -> list[Post]:
        """The channel's final state for everybody: messages in order, each with its thread."""
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
        described: Json = {
            "type": "message",
            "user": message.author,
            "ts": message.ts,
            "text": message.text,
            "team": self.team_id,
        }
        if message.by_app:
            described |= {"bot_id": self.app.bot_id, "app_id": self.app.id}
            described["bot_profile"] = self._bot_profile()
        if message.deleted:
            described["subtype"] = "tombstone"
        if message.edited_ts is not None:
            described["edited"] = {"user": message.author, "ts": message.edited_ts}
        if message.metadata is not None and with_metadata:
            described["metadata"] = message.metadata
        parts = {"blocks": message.blocks, "attachments": message.attachments}
        described |= {name: part for name, part in parts.items() if part}
        return described | self._thread(message, with_metadata=with_metadata, in_thread=in_thread)

    def _thread(self, message: Message, *, with_metadata: bool, in_thread: bool) -> Json:
        """The fields of a message object about the thread that it starts or belongs to."""
        if message.thread_ts is None:
            return {}
        described: Json = {"thread_ts": message.thread_ts}
        if message.replies:
            described |= {
                "reply_count": len(message.replies),
                "reply_users": list(dict.fromkeys(reply.author for reply in message.replies)),
                "reply_users_count": len({reply.author for reply in message.replies}),
                "latest_reply": message.replies[-1].ts,
                "is_locked": False,
                "subscribed": False,
            }
        if message.is_reply:
            parent = self.channels[message.channel].by_ts[message.thread_ts]
            described["parent_user_id"] = parent.author
            if message.broadcast:
                described["subtype"] = "thread_broadcast"
                if not in_thread:
                    described["root"] = self.as_slack(parent, with_metadata=with_metadata)
        return described

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
        """Open a modal in front of ``user``; ``push`` puts it on top of the open ones."""
        self._external_id_is_free(given, None)
        stack = self.stacks.setdefault(user, [])
        if push and not stack:
            raise SlackError("not_found")
        if push and len(stack) >= MOST_VIEWS_IN_A_STACK:
            raise SlackError("push_limit_reached")
        view = self._view(blockkit.MODAL, user, given, over=stack if push else ())
        if push:
            stack.append(view)
        else:
            stack[:] = [view]
        self.changed("view", user=user, view=view.id)
        return view

    def _view(self, kind: str, user: str, given: Json, *, over: Sequence[View] = ()) -> View:
        """A new view for ``user``, ``over`` the open ones."""
        view_id = self.mint.id("V")
        view = View(
            id=view_id,
            kind=kind,
            user=user,
            team_id=self.team_id,
            app=self.app,
            given={**given, "blocks": named(given["blocks"], self.mint.block_id)},
            hash=self.mint.view_hash(),
            root_id=over[0].id if over else view_id,
            previous_id=over[-1].id if over else None,
        )
        view.state = state_of(view.blocks, {})
        return view

    def change_view(self, view: View, given: Json, *, expected_hash: str | None = None) -> View:
        """Redraw a view. An input with the same block_id, action_id and kind keeps its value."""
        if expected_hash is not None and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        self._external_id_is_free(given, view)
        view.given = {**given, "blocks": named(given["blocks"], self.mint.block_id)}
        view.state = state_of(view.blocks, view.state)
        view.errors = {}
        view.hash = self.mint.view_hash()
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
        view = self._view(blockkit.HOME, user, given)
        self.homes[user] = view
        self.changed("home", user=user, view=view.id)
        return view

    def close_view(self, view: View, *, whole_stack: bool = False) -> list[View]:
        """Close a modal and those on top of it; returns the closed ones, topmost first."""
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
            raise SlackError("duplicate_external_id")

    # --- rights that expire ---

    def new_trigger(self, user: str) -> str:
        secret = self.mint.secret()
        trigger = Trigger(f"{self.mint.number()}.{int(self.clock())}.{secret}", user, self.clock())
        self.triggers[trigger.id] = trigger
        return trigger.id

    def spend_trigger(self, trigger_id: object) -> str:
        """The id of the trigger's user.

        Raises:
            SlackError: it is unknown, over 3 seconds old, or spent.
        """
        trigger = self.triggers.get(trigger_id) if isinstance(trigger_id, str) else None
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.spent:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - trigger.at > self.trigger_seconds:
            raise SlackError("expired_trigger_id")
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
        """A response_url for 5 uses in 30 minutes; ``kind`` is commands, actions or app."""
        path = f"/{kind}/{self.team_id}/{self.mint.number()}/{self.mint.secret()}"
        url = ResponseUrl(path, user, channel, self.clock(), interaction, original)
        self.response_urls[path] = url
        return url

    def spend_response_url(self, path: str) -> ResponseUrl:
        url = self.response_urls.get(path)
        if url is None:
            raise SlackError("no_service")
        if self.clock() - url.at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url

    def _new_key(self, prefix: str, name: str, taken: Mapping[str, object]) -> str:
        wanted = prefix + slug(name)
        keys = itertools.chain([wanted], (f"{wanted}{number}" for number in itertools.count(2)))
        return next(key for key in keys if key not in taken)

    # --- subscribers ---

    def subscribe(self, subscriber: Callable[[str, Json], None]) -> Callable[[], None]:
        """Call ``subscriber(kind, facts)`` on every change from now on; returns a function that
        ends it.
        """
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def changed(self, kind: str, **facts: Any) -> None:
        for subscriber in list(self._subscribers):
            subscriber(kind, facts)
