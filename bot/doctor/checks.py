"""Checks of everything that a start needs; each line of the result says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.comparison import Compared, compare
from bot.doctor.orphans import Orphan, Orphans
from bot.doctor.reader import BrokenOff, SlackReader
from bot.doctor.results import CheckResult, asked
from bot.doctor.workspaces import InForce, workspace_checks
from bot.settings import Settings
from bot.slack.people import FILES_SCOPE, Home, home_in
from bot.slack.web import a_client, code_of
from core.store import Reader, StoreUnavailable
from core.webhooks import EndpointState
from storage import audit, keys
from storage.files import is_open_to_others
from storage.hook_queue import HookQueue
from storage.outbox import Outbox
from storage.store import NoDatabase, SqlStore, UnknownSchema

# The scopes of app_manifest.yml, each with its use. A test compares the two.
SCOPES = {
    "commands": "/incident",
    "chat:write": "cards and public updates",
    "channels:join": "joining the public channel where an incident is declared",
    "channels:read": "checking the status channel",
    "groups:read": "checking a private status channel",
    "channels:history": "finding a post whose response was lost, so that it is not sent twice",
    "groups:history": "the same in private channels",
    "users:read": "names, and turning guests away",
    "usergroups:read": "RESPONDERS_GROUP and PUBLISHERS_GROUP",
}
# The optional scopes of app_manifest.yml, each with what is missing without it.
OPTIONAL_SCOPES = {
    FILES_SCOPE: "a report cannot be sent as a file",
    "channels:manage": "no public channel can be opened for an incident",
    "groups:write": "no private channel can be opened for a private incident",
    "pins:write": "the card in the channel of an incident is not pinned",
}
# Those that are needed only for channels of their own (INCIDENT_CHANNELS).
CHANNEL_SCOPES = ("channels:manage", "groups:write", "pins:write")
TIMEOUT_SECONDS = 5
# In the working directory, from which a command reads it.
ENV_FILE = Path(".env")
# After so many findings the cure is a backup, not a longer list.
FINDINGS_MAX = 100


# Why a webhook was switched off, as the end of a sentence.
WHY_OFF = {
    EndpointState.GONE: "it answered 410",
    EndpointState.SILENT: "nothing reached it for three days",
}


async def examine(
    settings: Settings,
    *,
    deep: bool = False,
    mark_gone: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[CheckResult]:
    """Check database, token, scopes, groups and status channel, one after another.

    ``deep``: replay every timeline as well, compare incidents, cards and outbox with it, and
    compare Slack with all of them. ``mark_gone``: also edit the cards in Slack whose incident is
    not in the database; nothing else is ever changed. ``pause`` sleeps so many seconds, if Slack
    asks for it.
    """
    client = a_client(settings, timeout_seconds=TIMEOUT_SECONDS)
    started = monotonic()
    token = await asked(
        "token", client.auth_test(), cure="copy SLACK_BOT_TOKEN again from the app's page"
    )
    took = round((monotonic() - started) * 1000)
    home = None if isinstance(token, CheckResult) else home_in(token)
    results = list(_settings(settings, home))
    opened = partial(_store, settings, home)
    results += [result async for result in _database(opened, home, deep=deep)]
    if isinstance(token, CheckResult):
        return [*results, token]
    text = f"token: {token['user']} in workspace {token['team_id']}, answered in {took} ms"
    results.append(CheckResult(well=True, text=text))
    known = await _in_force(settings, home)
    granted = token.headers.get("x-oauth-scopes", "")
    results.append(_scopes(granted, with_channels=known.settings.incident_channels.offered))
    results += [result async for result in _slack(settings, client, known)]
    if deep:
        now, team, app = clock(), token["team_id"], str(token.get("bot_id"))
        look = partial(compare, client=client, workspace=team, at=now, app=app, pause=pause)
        search = Orphans(SlackReader(client, at=now, pause=pause), client, team, app)
        compared = _compared(settings, home, look, say_gone=search.say_gone if mark_gone else None)
        results += [result async for result in compared]
    return results


async def examine_database(url: str, *, deep: bool = False) -> list[CheckResult]:
    """Check the database alone, when the settings of Slack are wrong."""
    return [result async for result in _database(partial(SqlStore, url), None, deep=deep)]


def _settings(settings: Settings, home: Home | None) -> Iterator[CheckResult]:
    wrong = list(map(str, settings.near_misses))
    if is_open_to_others(ENV_FILE):
        wrong.append(f"others on this machine may read or write {ENV_FILE}: chmod 600 {ENV_FILE}")
    if settings.workspace.status_channel and home and home.workspace is None:
        wrong.append(
            "STATUS_CHANNEL counts for one workspace, and the token is of an organization: leave "
            "it out, and type `/incident setup #channel` in Slack, in each workspace"
        )
    for problem in wrong:
        yield CheckResult(well=False, text=f"settings: {problem}")
    if not wrong:
        yield CheckResult(well=True, text="settings: complete")


def _store(settings: Settings, home: Home | None) -> SqlStore:
    return SqlStore(
        settings.database_url,
        defaults=settings.workspace,
        counts_in=lambda workspace: home is None or home.workspace == workspace,
        address=lambda workspace: home.address if home and home.is_of(workspace) else None,
    )


async def _in_force(settings: Settings, home: Home | None) -> InForce:
    """The settings of the workspace of the token: its own, as far as the database is readable."""
    if home is None or home.workspace is None:
        return InForce(settings=settings.workspace)
    team = home.workspace

    def read(reader: Reader) -> InForce:
        saved = {one.setting: one for one in reader.saved_settings(team)}
        return InForce(
            settings=reader.workspace(team).settings,
            subscriptions=reader.subscriptions(team),
            saved=saved,
        )

    try:
        with closing(_store(settings, home)) as store:
            if await asyncio.to_thread(store.is_current):
                return await store.read(read)
    except (NoDatabase, StoreUnavailable, UnknownSchema):
        pass  # The line about the database says so.
    return InForce(settings=settings.workspace)


async def _database(
    opened: Callable[[], SqlStore], home: Home | None, *, deep: bool
) -> AsyncIterator[CheckResult]:
    try:
        with closing(opened()) as store:
            exposed = store.exposed_files  # before our own connection adds to them
            current = await asyncio.to_thread(store.is_current)
            text = (
                "up to date" if current else "not migrated yet; `ratchet serve` does it by itself"
            )
            yield CheckResult(well=True, text=f"database: {text}")
            for file in exposed:
                text = f"database: others on this machine may read or write {file}: chmod 600 it"
                yield CheckResult(well=False, text=text)
            if current:
                yield await _outbox(Outbox(store))
                for result in await _webhooks(HookQueue(store)):
                    yield result
                for result in await _unserved(store, home):
                    yield result
            if current and deep:
                for result in await _audit(store):
                    yield result
    except NoDatabase as error:
        # As on a machine where the bot has never run. The line shows the path, so that a wrong one
        # is noticed.
        yield CheckResult(well=True, text=f"database: {error}")
    except (StoreUnavailable, UnknownSchema) as error:
        more = "" if "DATABASE_URL" in str(error) else "; see DATABASE_URL"
        yield CheckResult(well=False, text=f"database: {error}{more}")


async def _unserved(store: SqlStore, home: Home | None) -> list[CheckResult]:
    """Keys, incidents and pages of workspaces that this installation does not serve."""
    if home is None:
        return []
    every, known = await store.read(
        lambda reader: (keys.every(reader), keys.known_workspaces(reader))
    )
    results = [
        CheckResult(
            well=False,
            text=f"keys: {key.prefix} ({key.name}) is of {key.workspace}, which this installation "
            f"does not serve: ratchet keys revoke {key.prefix}",
        )
        for key in every
        if key.revoked_at is None and not home.is_of(key.workspace)
    ]
    return results + [
        CheckResult(
            well=False,
            text=f"database: nobody in Slack can find what is kept of {workspace}, which this "
            f"installation does not serve: ratchet export --workspace {workspace} shows them",
        )
        for workspace in known
        if not home.is_of(workspace)
    ]


async def _outbox(outbox: Outbox) -> CheckResult:
    dead = [message for message in await outbox.undelivered() if message.state == "dead"]
    if not dead:
        return CheckResult(well=True, text="outbox: everything could be delivered")
    why = ", ".join(sorted({f"{message.error} in {message.channel}" for message in dead}))
    cure = "cure that, then run `ratchet outbox retry`"
    return CheckResult(
        well=False, text=f"outbox: {len(dead)} could never be delivered ({why}); {cure}"
    )


async def _webhooks(queue: HookQueue) -> list[CheckResult]:
    """One line for each webhook that failed until it was switched off; none if all is well."""
    return [
        CheckResult(
            well=False,
            text=f"webhooks: {one.id} in {one.workspace} is off since {one.off_at:%Y-%m-%d %H:%M} "
            f"UTC, because {WHY_OFF[one.state]}; see to its receiver, then run "
            f"`ratchet webhooks switch {one.id} on`, or `ratchet webhooks remove {one.id}`",
        )
        for one in await queue.failed()
    ]


async def _audit(store: SqlStore) -> list[CheckResult]:
    findings: list[str] = []
    mark: audit.Bookmark | None = audit.Bookmark()
    while mark and len(findings) < FINDINGS_MAX:
        found, mark = await store.read(partial(audit.look, mark=mark))
        findings += map(str, found)
    results = [CheckResult(well=False, text=f"audit: {one}") for one in findings[:FINDINGS_MAX]]
    if len(findings) >= FINDINGS_MAX:
        text = f"audit: after {FINDINGS_MAX} findings it looked no further"
        return [*results, CheckResult(well=False, text=text)]
    text = "audit: every timeline is legal; incidents, cards and outbox agree with it"
    return results or [CheckResult(well=True, text=text)]


async def _compared(
    settings: Settings,
    home: Home | None,
    look: Callable[[SqlStore], Awaitable[list[Compared]]],
    say_gone: Callable[[Orphan], Awaitable[None]] | None,
) -> AsyncIterator[CheckResult]:
    """Slack, compared with the store. ``say_gone`` edits a card without an incident."""
    try:
        with closing(_store(settings, home)) as store:
            if not await asyncio.to_thread(store.is_current):
                return
            compared = await look(store)
    except NoDatabase:
        return
    except (StoreUnavailable, UnknownSchema):
        yield CheckResult(well=False, text="slack: not compared: the database cannot be read")
        return
    for one in compared:
        for difference in one.differences[:FINDINGS_MAX]:
            yield CheckResult(well=False, text=f"slack: {difference}")
        yield CheckResult(well=one.well, text=f"slack: {one.note}")
    if not compared:
        yield CheckResult(well=True, text="slack: no messages to compare")
    if say_gone:
        for orphan in [orphan for one in compared for orphan in one.orphans]:
            yield await _marked(orphan, say_gone)


async def _marked(orphan: Orphan, say_gone: Callable[[Orphan], Awaitable[None]]) -> CheckResult:
    try:
        await say_gone(orphan)
    except SlackApiError as error:
        text = f"slack: the card of {orphan.name} was not marked: Slack says {code_of(error)}"
        return CheckResult(well=False, text=text)
    except BrokenOff as error:
        text = f"slack: the card of {orphan.name} was not marked: {error}"
        return CheckResult(well=False, text=text)
    text = f"slack: the card of {orphan.name} says now that the incident is unknown"
    return CheckResult(well=True, text=text)


async def _slack(
    settings: Settings, client: AsyncWebClient, known: InForce
) -> AsyncIterator[CheckResult]:
    if settings.slack_app_token:
        yield await _socket(client, settings.slack_app_token)
    async for result in workspace_checks(client, known, settings.lifecycles):
        yield result


def _scopes(granted: str, *, with_channels: bool) -> CheckResult:
    given = {scope.strip() for scope in granted.split(",")}
    needed, optional = SCOPES, OPTIONAL_SCOPES
    for_channels = {scope: optional[scope] for scope in CHANNEL_SCOPES}
    optional = {scope: lost for scope, lost in optional.items() if scope not in for_channels}
    if with_channels:
        needed = {**SCOPES, **{scope: f"without it {lost}" for scope, lost in for_channels.items()}}
    missing = needed.keys() - given
    if not missing:
        left_out = "; ".join(
            f"{scope}: {lost}" for scope, lost in optional.items() if scope not in given
        )
        text = f"all but the optional {left_out}" if left_out else "all granted"
        return CheckResult(well=True, text=f"scopes: {text}")
    listed = "; ".join(f"{scope} ({needed[scope]})" for scope in sorted(missing))
    return CheckResult(
        well=False, text=f"scopes: missing {listed}. Paste app_manifest.yml again and reinstall"
    )


async def _socket(client: AsyncWebClient, app_token: str) -> CheckResult:
    cure = "make an app-level token with connections:write and set SLACK_APP_TOKEN"
    call = client.apps_connections_open(app_token=app_token)
    offered = await asked("socket mode", call, cure=cure)
    if isinstance(offered, CheckResult):
        return offered
    return CheckResult(well=True, text="socket mode: Slack offers a connection")
