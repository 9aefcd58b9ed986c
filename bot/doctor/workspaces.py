"""Checks of the settings of a workspace: the value in force, its source, and Slack's word on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.results import CheckResult, asked
from bot.doctor.subscribed import subscribed_checks
from core.errors import UnknownLifecycle
from core.lifecycle import Catalogue
from core.settings import SavedSetting, Setting, write
from core.subscription import Subscription
from core.workspace import WorkspaceSettings

SETUP = "`/incident setup`"
# The settings without a check of their own.
_OTHERS = (Setting.DEFAULT_SEVERITY, Setting.INCIDENT_CHANNELS, Setting.API_CHANNEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The settings of a workspace; ``saved`` are its own, the others are those of `.env`.

    ``subscriptions`` are all of its subscriptions.
    """

    settings: WorkspaceSettings
    subscriptions: tuple[Subscription, ...] = ()
    saved: Mapping[Setting, SavedSetting] = field(default_factory=dict)

    def source(self, setting: Setting) -> str:
        """``(MENTION_AT)``, or the person who saved another value."""
        saved = self.saved.get(setting)
        if saved is None:
            return f"({setting.variable})"
        return f"(saved by {saved.by.name} with {SETUP})" if saved.by else f"(saved with {SETUP})"

    def source_if_saved(self, setting: Setting) -> str:
        """The source, with a space before it; empty for a default."""
        return f" {self.source(setting)}" if setting in self.saved else ""

    def name(self, setting: Setting) -> str:
        """The name of a setting in a line: its variable, or the setting of the workspace."""
        return f"{setting.variable} of {SETUP}" if setting in self.saved else setting.variable


async def workspace_checks(
    client: AsyncWebClient, known: InForce, catalogue: Catalogue
) -> AsyncIterator[CheckResult]:
    """One line for each setting that says anything."""
    settings = known.settings
    for setting in (Setting.RESPONDERS_GROUP, Setting.PUBLISHERS_GROUP):
        if group := getattr(settings, setting):
            yield await _group(client, setting, known.name(setting), group)
    default = "private" if settings.private_by_default else "public"
    text = f"private conversations: a declaration there is {default} unless it says otherwise"
    yield CheckResult(well=True, text=f"{text} {known.source(Setting.PRIVATE_BY_DEFAULT)}")
    yield CheckResult(well=True, text=_mentions(known))
    if settings.status_channel:
        yield await _status_channel(client, settings.status_channel, known)
    else:
        text = "status channel: none in the settings; `/incident setup #channel` in Slack sets one"
        yield CheckResult(well=True, text=text)
    async for result in subscribed_checks(
        client, known.subscriptions, status_channel=settings.status_channel
    ):
        yield result
    if lifecycle := known.saved.get(Setting.DEFAULT_LIFECYCLE):
        yield _lifecycle(lifecycle.text, known, catalogue)
    for setting in filter(known.saved.__contains__, _OTHERS):
        text = f"{setting.replace('_', ' ')}: {write(setting, settings)} {known.source(setting)}"
        yield CheckResult(well=True, text=text)
    yield _promises(known)


def _promises(known: InForce) -> CheckResult:
    """The promises that updates make by themselves, and the readers of a broken one."""
    settings = known.settings
    if not settings.promise_defaults:
        text = "promises: none by default; `/incident promise` in Slack makes one"
        return CheckResult(well=True, text=text)
    told = "RESPONDERS_GROUP is mentioned when one is broken"
    if settings.responders_group is None:
        told = "nobody is mentioned when one is broken, because RESPONDERS_GROUP is not set"
    defaults = write(Setting.PROMISE_DEFAULTS, settings)
    source = known.source_if_saved(Setting.PROMISE_DEFAULTS)
    return CheckResult(well=True, text=f"promises: {defaults}{source}; {told}")


async def _group(
    client: AsyncWebClient, setting: Setting, variable: str, group: str
) -> CheckResult:
    cure = f"choose another with {SETUP}" if SETUP in variable else "set the id of a user group, S…"
    call = client.usergroups_users_list(usergroup=group)
    listed = await asked(variable, call, cure=cure)
    if isinstance(listed, CheckResult):
        return listed
    if count := len(listed["users"]):
        return CheckResult(well=True, text=f"{variable}: {count} in {group}")
    text = f"{variable}: nobody is in {group}, so nobody may act"
    if setting is Setting.RESPONDERS_GROUP:
        text += ", and nobody new is invited to private channels"
    return CheckResult(well=False, text=text)


async def _status_channel(client: AsyncWebClient, channel: str, known: InForce) -> CheckResult:
    another = "set another"
    cure = "set STATUS_CHANNEL to a channel's id; invite Ratchet if it is private"
    if Setting.STATUS_CHANNEL in known.saved:
        another = f"choose another with {SETUP}"
        cure = f"{another}; invite Ratchet if it is private"
    call = client.conversations_info(channel=channel)
    answer = await asked("status channel", call, cure=cure)
    if isinstance(answer, CheckResult):
        return answer
    found = answer["channel"]
    name = f"#{found['name']}"
    if found.get("is_archived"):
        return CheckResult(well=False, text=f"status channel: {name} is archived; {another}")
    if found.get("is_private") and not found.get("is_member"):
        return CheckResult(well=False, text=f"status channel: type /invite @Ratchet in {name}")
    source = known.source_if_saved(Setting.STATUS_CHANNEL)
    return CheckResult(well=True, text=f"status channel: {name}{source}")


def _lifecycle(name: str, known: InForce, catalogue: Catalogue) -> CheckResult:
    source = known.source(Setting.DEFAULT_LIFECYCLE)
    try:
        catalogue.find(name)
    except UnknownLifecycle:
        text = f"default lifecycle: {name} {source} is in no file any more, so "
        text += f"{catalogue.default.name} is taken; choose another with {SETUP}"
        return CheckResult(well=False, text=text)
    return CheckResult(well=True, text=f"default lifecycle: {name} {source}")


def _mentions(known: InForce) -> str:
    """The severities at which the group of responders is mentioned."""
    source = known.source(Setting.MENTION_AT)
    if not known.settings.mention_at:
        return f"mentions: none {source}"
    if known.settings.responders_group is None:
        return "mentions: none, because RESPONDERS_GROUP is not set"
    severities = write(Setting.MENTION_AT, known.settings)
    return f"mentions: RESPONDERS_GROUP at {severities} {source}"
