"""Is everything as it should be? Looks at each thing that a start needs, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.doctor.comparison import Compared, compare
from bot.settings import Settings
from bot.slack.people import UNREACHABLE
from bot.slack.web import a_client, code_of
from core.service import StoreUnavailable
from storage import audit
from storage.outbox import Outbox
from storage.store import SqlStore, UnknownSchema

# The scopes of app_manifest.yml, each with what it is for. A test holds the two together.
SCOPES = {
    "commands": "/incident",
    "chat:write": "cards and public updates",
    "channels:join": "joining the public channel where an incident is declared",
    "channels:read": "checking the status channel",
    "groups:read": "checking a private status channel",
    "channels:history": "finding a post whose answer got lost, so that it is not sent twice",
    "groups:history": "the same in private channels",
    "users:read": "names, and turning guests away",
    "usergroups:read": "RESPONDERS_GROUP and PUBLISHERS_GROUP",
}
TIMEOUT_SECONDS = 5
# Whoever has so many faults needs a backup, not a longer list.
FAULTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: what was found and, where it is not well, what to do."""

    well: bool
    text: str


async def examine(
    settings: Settings,
    *,
    deep: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[Finding]:
    """Looks at database, token, scopes, groups and status channel, one after another.

    ``deep``: it replays every timeline as well, holds incidents, cards and outbox against it, and
    what Slack shows against all of them. ``pause`` waits for so many seconds, if Slack asks for it.
    """
    findings = [Finding(well=True, text="settings: complete")]
    findings += [finding async for finding in _database(settings, deep=deep)]
    client = a_client(settings, timeout_seconds=TIMEOUT_SECONDS)
    started = monotonic()
    token = await _asked(
        "token", client.auth_test(), cure="copy SLACK_BOT_TOKEN again from the app's page"
    )
    if isinstance(token, Finding):
        return [*findings, token]
    took = round((monotonic() - started) * 1000)
    text = f"token: {token['user']} in workspace {token['team_id']}, answered in {took} ms"
    findings.append(Finding(well=True, text=text))
    findings.append(_scopes(token.headers.get("x-oauth-scopes", "")))
    findings += [finding async for finding in _slack(settings, client)]
    if deep:
        look = partial(compare, client=client, workspace=token["team_id"], at=clock(), pause=pause)
        findings += [finding async for finding in _shown(settings, look)]
    return findings


def _store(settings: Settings) -> SqlStore:
    return SqlStore(settings.database_url, status_channel=settings.status_channel)


async def _database(settings: Settings, *, deep: bool) -> AsyncIterator[Finding]:
    try:
        with closing(
            SqlStore(settings.database_url, status_channel=settings.status_channel)
        ) as store:
            current = await asyncio.to_thread(store.is_current)
            text = (
                "up to date" if current else "not migrated yet; `ratchet serve` does it by itself"
            )
            yield Finding(well=True, text=f"database: {text}")
            if current:
                yield await _outbox(Outbox(store))
            if current and deep:
                for finding in await _audit(store):
                    yield finding
    except (StoreUnavailable, UnknownSchema) as error:
        yield Finding(well=False, text=f"database: {error}; see DATABASE_URL")


async def _outbox(outbox: Outbox) -> Finding:
    dead = [message for message in await outbox.undelivered() if message.state == "dead"]
    if not dead:
        return Finding(well=True, text="outbox: everything could be delivered")
    why = ", ".join(sorted({f"{message.error} in {message.channel}" for message in dead}))
    cure = "cure that, then run `ratchet outbox retry`"
    return Finding(well=False, text=f"outbox: {len(dead)} could never be delivered ({why}); {cure}")


async def _audit(store: SqlStore) -> list[Finding]:
    faults: list[audit.Finding] = []
    mark: audit.Bookmark | None = audit.Bookmark()
    while mark and len(faults) < FAULTS_MAX:
        found, mark = await store.read(partial(audit.look, mark=mark))
        faults += found
    findings = [Finding(well=False, text=f"audit: {fault}") for fault in faults[:FAULTS_MAX]]
    if len(faults) >= FAULTS_MAX:
        text = f"audit: after {FAULTS_MAX} faults it looked no further"
        return [*findings, Finding(well=False, text=text)]
    text = "audit: every timeline is legal; incidents, cards and outbox agree with it"
    return findings or [Finding(well=True, text=text)]


async def _shown(
    settings: Settings, look: Callable[[SqlStore], Awaitable[list[Compared]]]
) -> AsyncIterator[Finding]:
    """What Slack shows, held against the store."""
    try:
        with closing(_store(settings)) as store:
            if not await asyncio.to_thread(store.is_current):
                return
            compared = await look(store)
    except (StoreUnavailable, UnknownSchema):
        yield Finding(well=False, text="slack: not compared, for the database cannot be read")
        return
    for one in compared:
        for fault in one.faults[:FAULTS_MAX]:
            yield Finding(well=False, text=f"slack: {fault}")
        yield Finding(well=one.well, text=f"slack: {one.note}")
    if not compared:
        yield Finding(well=True, text="slack: nothing stands there to be compared")


async def _slack(settings: Settings, client: AsyncWebClient) -> AsyncIterator[Finding]:
    if settings.slack_app_token:
        yield await _socket(client, settings.slack_app_token)
    for variable, group in (
        ("RESPONDERS_GROUP", settings.responders_group),
        ("PUBLISHERS_GROUP", settings.publishers_group),
    ):
        if group:
            yield await _group(client, variable, group)
    if settings.status_channel:
        yield await _status_channel(client, settings.status_channel)
    else:
        text = "status channel: none in the settings; `/incident setup #channel` sets one"
        yield Finding(well=True, text=text)


async def _asked(
    what: str, call: Awaitable[AsyncSlackResponse], *, cure: str
) -> AsyncSlackResponse | Finding:
    """Slack's answer, or what is wrong with ``what``; ``cure`` is for where Slack refuses."""
    try:
        return await call
    except SlackApiError as error:
        if code := code_of(error):
            return Finding(well=False, text=f"{what}: Slack says {code}; {cure}")
    except UNREACHABLE:
        pass
    address = "Slack, or what stands at SLACK_API_URL,"
    return Finding(well=False, text=f"{what}: {address} does not answer; check the network")


def _scopes(granted: str) -> Finding:
    missing = SCOPES.keys() - {scope.strip() for scope in granted.split(",")}
    if not missing:
        return Finding(well=True, text="scopes: all granted")
    listed = "; ".join(f"{scope} ({SCOPES[scope]})" for scope in sorted(missing))
    return Finding(
        well=False, text=f"scopes: missing {listed}. Paste app_manifest.yml again and reinstall"
    )


async def _socket(client: AsyncWebClient, app_token: str) -> Finding:
    cure = "make an app-level token with connections:write and set SLACK_APP_TOKEN"
    call = client.apps_connections_open(app_token=app_token)
    offered = await _asked("socket mode", call, cure=cure)
    if isinstance(offered, Finding):
        return offered
    return Finding(well=True, text="socket mode: Slack offers a connection")


async def _group(client: AsyncWebClient, variable: str, group: str) -> Finding:
    call = client.usergroups_users_list(usergroup=group)
    listed = await _asked(variable, call, cure="set the id of a user group, S…")
    if isinstance(listed, Finding):
        return listed
    if count := len(listed["users"]):
        return Finding(well=True, text=f"{variable}: {count} in {group}")
    return Finding(well=False, text=f"{variable}: nobody is in {group}, so nobody may act")


async def _status_channel(client: AsyncWebClient, channel: str) -> Finding:
    cure = "set STATUS_CHANNEL to a channel's id; invite Ratchet if it is private"
    call = client.conversations_info(channel=channel)
    answer = await _asked("status channel", call, cure=cure)
    if isinstance(answer, Finding):
        return answer
    found = answer["channel"]
    name = f"#{found['name']}"
    if found.get("is_archived"):
        return Finding(well=False, text=f"status channel: {name} is archived; set another")
    if found.get("is_private") and not found.get("is_member"):
        return Finding(well=False, text=f"status channel: type /invite @Ratchet in {name}")
    return Finding(well=True, text=f"status channel: {name}")
