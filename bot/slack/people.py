"""Names, membership and groups of people, asked of Slack seldom and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.messages import Names
from bot.slack.web import code_of
from bot.telemetry import log
from core.errors import InvalidField, UserError
from core.incident import Actor, Groups, Membership, Person, Place

K = TypeVar("K")
T = TypeVar("T")

FRESH = timedelta(minutes=5)
# While Slack does not answer, day-old facts are better than turning responders away.
STALE = timedelta(hours=24)
# The wait for an answer of Slack's when a remembered one would do.
PATIENCE = timedelta(seconds=0.5)
REMEMBERED = 10_000
# The wait for the names in a message. Its reader waits for the dialog meanwhile.
NAMING_SECONDS = 2.0
PRIVATE_CHANNEL = "private-channel"
UNNAMED_GROUP = "group"

# Slack's refusal to list a group that was deleted, and the members of such a group: nobody.
# Source: https://docs.slack.dev/reference/methods/usergroups.users.list#errors
GROUP_GONE = "no_such_subteam"
GONE = frozenset({"nobody: the group is gone"})

# The errors of a call that did not reach Slack, or lost its response. A refusal is another error.
UNREACHABLE = (aiohttp.ClientError, asyncio.TimeoutError, OSError)

# Slack's own bot has ``is_bot`` false.
# Source: https://docs.slack.dev/reference/objects/user-object
SLACKBOT = "USLACKBOT"


CHANNEL_UNKNOWN = "channel_not_found"


class SlackUnavailable(UserError):
    """Slack does not answer, and nothing about the person is remembered.

    ``unknown``: it answers, and knows no such channel, or the bot is not in a private one.
    """

    def __init__(self, *, unknown: bool = False) -> None:
        self.unknown = unknown
        super().__init__(
            "Slack does not answer at the moment, so I cannot check who you are. "
            "Nothing was changed; try again in a minute."
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """One user of Slack.

    Source: https://docs.slack.dev/reference/objects/user-object
    """

    name: str
    membership: Membership
    admin: bool
    zone: tzinfo = UTC


# An optional scope of the app: without it no report is sent as a file.
FILES_SCOPE = "files:write"


@dataclass(frozen=True, slots=True)
class Home:
    """The workspace of the bot's token; None for a whole organization.

    ``sends_files``: the token has the optional scope for that. ``address`` is that of its messages
    in Slack, such as ``https://acme.slack.com/``; None if Slack does not say it.
    """

    workspace: str | None
    sends_files: bool = False
    address: str | None = None

    def is_of(self, workspace: str) -> bool:
        """Whether a request from ``workspace`` is for this bot."""
        return self.workspace in {None, workspace}


async def home_of(client: AsyncWebClient) -> Home:
    """The workspace of the client's token, as Slack says.

    Raises:
        SlackUnavailable: Slack refuses the token. An error of `UNREACHABLE`: it does not answer.
    """
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        raise _refused("auth.test", error) from error
    return home_in(answer)


def home_in(answer: AsyncSlackResponse) -> Home:
    """The workspace in an answer of ``auth.test``.

    Source: https://docs.slack.dev/reference/methods/auth.test
    """
    granted = (answer.headers.get("x-oauth-scopes") or "").split(",")
    return Home(
        None if answer.get("is_enterprise_install") else str(answer["team_id"]),
        sends_files=FILES_SCOPE in {scope.strip() for scope in granted},
        address=address_in(answer.get("url")),
    )


@dataclass(frozen=True, slots=True)
class _Channel:
    """A channel of Slack; ``name`` is empty if it has none."""

    name: str
    private: bool


def address_in(url: object) -> str | None:
    """``url`` with its last slash; None for anything that is no address."""
    if not isinstance(url, str) or not url.startswith("https://"):
        return None
    return url.rstrip("/") + "/"


class People:
    """The people of the workspace, looked up with ``client`` and remembered for five minutes.

    A bot has the token of one workspace, so members of another one are strangers here.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._profiles = Memory[tuple[str, str], Profile](clock)
        self._groups = Memory[str, frozenset[str]](clock)
        self._homes = Memory[None, Home](clock)
        self._channels = Memory[str, _Channel](clock)
        self._handles = Memory[None, Mapping[str, str]](clock)
        self._home: Home | None = None
        self._presumed: Home | None = None

    async def actor(
        self, workspace: str, user: str, *, channel: str | None, groups: Groups
    ) -> Actor:
        """``user`` with their membership and their part in ``groups``, for the policy to judge.

        Nobody is in a group that was deleted in Slack, except workspace admins: one of them must
        choose another, and people may need help before that.

        Raises:
            SlackUnavailable: Slack does not answer, and nothing is remembered.
        """
        profile, responders, publishers = await asyncio.gather(
            self._profile(workspace, user),
            self._members(groups.responders),
            self._members(groups.publishers),
        )
        named = ((groups.responders, responders), (groups.publishers, publishers))
        gone = frozenset(group for group, members in named if group and members is GONE)
        responder = _is_in(responders, user, profile)
        return Actor(
            workspace=workspace,
            person=Person(user, profile.name),
            membership=profile.membership,
            responder=responder,
            publisher=responder if publishers is None else _is_in(publishers, user, profile),
            admin=profile.admin,
            channel=channel,
            groups=replace(groups, gone=gone),
        )

    async def member(self, workspace: str, user: str, *, role: str = "owner") -> Person:
        """``user`` as an owner of incidents, or in another ``role``.

        Raises:
            InvalidField: of the name ``role``; they are no full member of the workspace.
        """
        profile = await self._profile(workspace, user)
        if profile.membership is not Membership.MEMBER:
            raise InvalidField(role, "must be a full member of this workspace: choose another")
        return Person(user, profile.name)

    async def membership(self, workspace: str, user: str) -> Membership:
        """The relation of ``user`` to the workspace.

        Raises:
            SlackUnavailable: Slack does not answer, and nothing is remembered.
        """
        return (await self._profile(workspace, user)).membership

    async def members_of(self, group: str | None) -> frozenset[str]:
        """The ids of the members of ``group``; nobody without one, or once Slack has deleted it.

        Raises:
            SlackUnavailable: Slack does not answer, and nothing is remembered.
        """
        members = await self._members(group)
        return frozenset() if members is None or members is GONE else members

    async def zone(self, workspace: str, user: str) -> tzinfo:
        """The time zone of ``user``; UTC while Slack does not answer."""
        try:
            return (await self._profile(workspace, user)).zone
        except SlackUnavailable:
            return UTC

    async def name(self, workspace: str, user: str) -> str:
        """The name of ``user``; their id while Slack does not answer."""
        try:
            return (await self._profile(workspace, user)).name
        except SlackUnavailable:
            return user

    async def names(self, workspace: str, asked: Names) -> Names:
        """The names of the ids that ``asked`` has; those that Slack does not tell are left out.

        A private channel has no name for people outside of it, and its readers are not known here.
        """
        people, channels, groups = await asyncio.gather(
            _told(asked.people, lambda user: self._name_of(workspace, user)),
            _told(asked.channels, self._channel_name),
            _told(asked.groups, self._group_name),
        )
        return Names(people, channels, groups)

    async def _name_of(self, workspace: str, user: str) -> str:
        return (await self._profile(workspace, user)).name

    async def _channel_name(self, channel: str) -> str:
        known = await self._channel(channel)
        return PRIVATE_CHANNEL if known.private or not known.name else known.name

    async def place(self, channel: str) -> Place:
        """``channel`` as the place of a card; public unless Slack says at once that it is not.

        So a private incident never has its card where the readers are not known.
        """
        try:
            async with asyncio.timeout(NAMING_SECONDS):
                return Place(channel, private=(await self._channel(channel)).private)
        except (SlackUnavailable, TimeoutError):
            return Place(channel)

    async def lacks(self, channel: str) -> bool:
        """Whether Slack says at once that no card could be posted in ``channel``."""
        try:
            async with asyncio.timeout(NAMING_SECONDS):
                await self._channel(channel)
        except (SlackUnavailable, TimeoutError) as error:
            return isinstance(error, SlackUnavailable) and error.unknown
        return False

    async def _channel(self, channel: str) -> _Channel:
        return await self._channels.recall(channel, lambda: self._ask_channel(channel))

    async def _ask_channel(self, channel: str) -> _Channel:
        try:
            found = (await self._client.conversations_info(channel=channel))["channel"]
        except SlackApiError as error:
            raise _unnamed("conversations.info", error) from error
        name = found.get("name")
        private = found.get("is_private") is True
        return _Channel(name if isinstance(name, str) else "", private=private)

    async def _group_name(self, group: str) -> str:
        handles = await self._handles.recall(None, self._ask_handles)
        return handles.get(group, UNNAMED_GROUP)

    async def groups(self) -> Mapping[str, str]:
        """The handles of all user groups by their ids; none while Slack does not answer."""
        try:
            return await self._handles.recall(None, self._ask_handles)
        except SlackUnavailable:
            return {}

    async def _ask_handles(self) -> Mapping[str, str]:
        try:
            answer = await self._client.usergroups_list()
        except SlackApiError as error:
            raise _unnamed("usergroups.list", error) from error
        return {
            group["id"]: group.get("handle") or group.get("name") or UNNAMED_GROUP
            for group in answer["usergroups"]
        }

    def presume(self, workspace: str) -> None:
        """Takes ``workspace`` for the token's own until Slack says which it is."""
        self._presumed = Home(workspace)

    async def serves(self, workspace: str) -> bool:
        """Whether this installation serves ``workspace``.

        Raises:
            SlackUnavailable: Slack does not answer, and no workspace is presumed.
        """
        return (await self._home_workspace()).is_of(workspace)

    @property
    def sends_files(self) -> bool:
        """Whether the app may send files, as far as Slack has said so already."""
        return self._home is not None and self._home.sends_files

    def is_home(self, workspace: str) -> bool:
        """Whether the bot's token is of this one workspace, as far as is known by now.

        Of an organization's token no workspace is the home.
        """
        home = self._home or self._presumed
        return home is not None and home.workspace == workspace

    def address(self, workspace: str) -> str | None:
        """The address of ``workspace`` in Slack, as far as Slack has said so already.

        An organization's messages are found under its own address.
        """
        home = self._home
        return home.address if home and home.is_of(workspace) else None

    async def _profile(self, workspace: str, user: str) -> Profile:
        home, profile = await asyncio.gather(
            self._home_workspace(),
            self._profiles.recall((workspace, user), lambda: self._ask_profile(workspace, user)),
        )
        return profile if home.is_of(workspace) else Profile(user, Membership.STRANGER, admin=False)

    async def _home_workspace(self) -> Home:
        if self._home is None:
            try:
                # For good: the workspace of a token never changes.
                self._home = await self._homes.recall(None, lambda: home_of(self._client))
            except SlackUnavailable:
                if self._presumed is None:
                    raise
                return self._presumed
        return self._home

    async def _ask_profile(self, workspace: str, user: str) -> Profile:
        try:
            answer = await self._client.users_info(user=user)
        except SlackApiError as error:
            if code_of(error) in {"user_not_found", "user_not_visible"}:
                return Profile(user, Membership.STRANGER, admin=False)
            raise _refused("users.info", error) from error
        return profile_of(answer["user"], workspace=workspace)

    async def _members(self, group: str | None) -> frozenset[str] | None:
        return None if group is None else await self._groups.recall(group, lambda: self._ask(group))

    async def _ask(self, group: str) -> frozenset[str]:
        try:
            answer = await self._client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            if code_of(error) == GROUP_GONE:
                log.warning("slack refused", method="usergroups.users.list", error=GROUP_GONE)
                return GONE
            raise _refused("usergroups.users.list", error) from error
        return frozenset(answer["users"])


def _is_in(members: frozenset[str] | None, user: str, profile: Profile) -> bool:
    """Whether ``user`` is among ``members``; None: every full member is."""
    return members is None or user in members or (members is GONE and profile.admin)


async def _told(ids: Iterable[str], ask: Callable[[str], Awaitable[str]]) -> dict[str, str]:
    """The answers of ``ask`` for each of ``ids`` that come within `NAMING_SECONDS`, by id."""

    async def told(id_: str) -> tuple[str, str]:
        try:
            async with asyncio.timeout(NAMING_SECONDS):
                return id_, await ask(id_)
        except (SlackUnavailable, TimeoutError):
            return id_, ""

    return {id_: name for id_, name in await asyncio.gather(*map(told, ids)) if name}


def _unnamed(method: str, error: SlackApiError) -> SlackUnavailable:
    # Nobody is turned away because of it: the text keeps the id.
    log.info("name not found", method=method, error=code_of(error))
    return SlackUnavailable(unknown=code_of(error) == CHANNEL_UNKNOWN)


def _refused(method: str, error: SlackApiError) -> SlackUnavailable:
    # Waiting does not help against a revoked token or a deleted group: the operator must act.
    log.warning("slack refused", method=method, error=code_of(error))
    return SlackUnavailable()


def profile_of(user: Mapping[str, Any], *, workspace: str) -> Profile:
    """The profile in Slack's user object. Bots are strangers, because they lead no incidents.

    In an Enterprise organization ``team_id`` is only one of a person's workspaces.
    """
    names = user.get("profile") or {}
    name = names.get("display_name") or names.get("real_name") or user.get("real_name")
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    is_bot = user.get("is_bot") or user["id"] == SLACKBOT
    if user.get("deleted"):
        membership = Membership.DEACTIVATED
    elif user.get("is_stranger") or is_bot or workspace not in teams:
        membership = Membership.STRANGER
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        membership = Membership.GUEST
    else:
        membership = Membership.MEMBER
    return Profile(
        name=name or user.get("name") or user["id"],
        membership=membership,
        admin=bool(user.get("is_admin") or user.get("is_owner")),
        zone=_zone(user.get("tz"), user.get("tz_offset")),
    )


def _zone(name: object, offset: object) -> tzinfo:
    """The zone called ``name``, such as ``Europe/Berlin``, which knows its clock changes.

    One that is unknown here is the zone whose clocks are ``offset`` seconds ahead of UTC; UTC for
    anything odd.
    """
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, ZoneInfoNotFoundError):  # no name, a path, a folder of zones
        pass
    if not isinstance(offset, int) or abs(offset) >= 86_400:
        return UTC
    return timezone(timedelta(seconds=offset))


class Memory(Generic[K, T]):
    """Answers by key. Concurrent questions about one key are asked once."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: dict[K, tuple[datetime, T]] = {}
        self._asking: dict[K, asyncio.Task[T]] = {}

    async def recall(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """The fresh answer; if there is none, that of ``ask``; if it fails, a day-old one.

        Raises:
            SlackUnavailable: Slack does not answer, and no answer of the last day is known.
        """
        known = self._known.get(key)
        age = self._clock() - known[0] if known else STALE
        if known and age < FRESH:
            return known[1]
        something = known if known and age < STALE else None
        patience = PATIENCE.total_seconds() if something else None
        try:
            # Shielded, because other callers may wait for the same question.
            return await asyncio.wait_for(asyncio.shield(self._task(key, ask)), patience)
        except (*UNREACHABLE, SlackUnavailable) as error:
            if something:
                return something[1]
            unknown = isinstance(error, SlackUnavailable) and error.unknown
            raise SlackUnavailable(unknown=unknown) from None

    def _task(self, key: K, ask: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._learn(key, ask))
            task.add_done_callback(lambda ended: self._forget_task(key, ended))
        return task

    def _forget_task(self, key: K, ended: asyncio.Task[T]) -> None:
        del self._asking[key]
        # Without a waiting caller asyncio would complain of an error that was never retrieved.
        if not ended.cancelled():
            ended.exception()

    async def _learn(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        answer = await ask()
        self._known.pop(key, None)
        if len(self._known) >= REMEMBERED:
            # The oldest answer comes first.
            del self._known[next(iter(self._known))]
        self._known[key] = (self._clock(), answer)
        return answer
