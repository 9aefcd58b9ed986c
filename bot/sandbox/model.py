"""The things of a workspace: the app, people, channels, messages, views, and rights that expire."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.sandbox.blocks import Json


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
    """Whether people can only read in the Messages tab of the app."""
    interactive: bool

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "App":
        """Read a manifest (schema 1 or 2) given as the dict that its YAML or JSON holds."""
        features = manifest.get("features", {})
        settings = manifest.get("settings", {})
        home = features.get("app_home", {})
        name = manifest["display_information"]["name"]
        scopes = manifest.get("oauth_config", {}).get("scopes", {})
        key = slug(name)
        return cls(
            name=name,
            id=f"A0{key}",
            bot_id=f"B0{key}",
            bot_user=f"U0{key}",
            bot_name=features.get("bot_user", {}).get("display_name", name),
            # Who installs the app may leave the optional ones out; here they are granted.
            scopes=(*scopes.get("bot", ()), *scopes.get("bot_optional", ())),
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
    """A user of another workspace, in a shared channel."""
    tz: str = "Europe/Berlin"
    tz_offset: int = 3_600
    """Seconds ahead of UTC, as in winter."""

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
            "tz_offset": self.tz_offset,
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
    """One message, edited in place; ``snapshot()`` keeps an earlier form."""

    channel: str
    ts: str
    text: str
    author: str
    """Id of the user, the bot's user included."""
    by_app: bool = False
    blocks: list[Json] = field(default_factory=list)
    blocks_as_sent: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    """Each with ``name``, ``title``, ``size`` and ``content``."""
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    """The only user that sees it; None for an ordinary message."""
    edited_ts: str | None = None
    edits: int = 0
    deleted: bool = False
    origin: str = "api"
    """``api``, ``ack``, ``response_url`` or ``person``."""
    interaction: str | None = None
    """Id of the act that it answers, for a message from an acknowledgement or a response_url."""
    replies: list["Message"] = field(default_factory=list)

    def snapshot(self) -> "Message":
        """This message as it is drawn now, for a click after it has changed."""
        return replace(self, blocks=list(self.blocks), replies=list(self.replies))

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def words(self) -> str:
        """Every readable text, line by line: that of the blocks, or without blocks ``text``."""
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
    shared: str = ""
    """``connected`` with another organization (Slack Connect), ``offered`` to one, or neither."""
    pins: list[str] = field(default_factory=list)
    """The ts of the pinned messages, oldest pin first."""
    previous_names: list[str] = field(default_factory=list)
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
            "is_shared": self.shared == "connected",
            "is_org_shared": False,
            "is_ext_shared": self.shared == "connected",
            "is_pending_ext_shared": self.shared == "offered",
            "pending_shared": [],
            "unlinked": 0,
            "topic": {"value": self.topic, **described},
            "purpose": {"value": self.purpose, **described},
            "previous_names": self.previous_names,
        }


@dataclass(slots=True, eq=False)
class View:
    """A modal or a Home tab in front of one person, with the values of its inputs."""

    id: str
    kind: str
    user: str
    team_id: str
    app: App
    given: Json
    """The view as the app sent it, checked, with every missing id added."""
    hash: str
    root_id: str
    previous_id: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """By block_id: the sentence that the person sees beside the input."""
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
        """Every readable text, line by line."""
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
    """The final state of a message, without values that differ from run to run.

    See ``Workspace.channel_view``.
    """

    by: str
    text: str
    blocks: list[Json]
    broadcast: bool = False
    replies: tuple["Post", ...] = ()


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


def slug(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper()) or "X"
