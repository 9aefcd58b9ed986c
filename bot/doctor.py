"""Is everything as it should be? Looks at each thing that a start needs, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from storage.store import Store, StoreUnavailable, UnknownSchema

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's. ``text`` says what was found and, where it is not well, what to do."""

    well: bool
    text: str


async def examine(settings: Settings) -> list[Finding]:
    """Looks at database, token, scopes, groups and status channel, one after another."""
    findings = [Finding(well=True, text="settings: complete")]
    findings += [finding async for finding in _database(settings)]
    findings += [finding async for finding in _slack(settings)]
    return findings


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    store = Store(settings.database_url)
    try:
        current = await asyncio.to_thread(store.is_current)
    except (StoreUnavailable, UnknownSchema) as error:
        yield Finding(well=False, text=f"database: {error}")
    else:
        text = "up to date" if current else "not migrated yet; `ratchet serve` does it by itself"
        yield Finding(well=True, text=f"database: {text}")
    finally:
        await asyncio.to_thread(store.close)


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    client = AsyncWebClient(
        token=settings.slack_bot_token,
        base_url=settings.slack_api_url,
        timeout=TIMEOUT_SECONDS,
        retry_handlers=[],
    )
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        code = error.response.get("error")
        yield Finding(
            well=False,
            text=f"token: Slack refuses it ({code}); copy SLACK_BOT_TOKEN from the app's page again",
        )
        return
    except (aiohttp.ClientError, TimeoutError, OSError):
        yield Finding(
            well=False,
            text=f"token: {settings.slack_api_url} does not answer; check the network and SLACK_API_URL",
        )
        return
    yield Finding(well=True, text=f"token: {answer['user']} in workspace {answer['team_id']}")
    yield _scopes(answer.headers.get("x-oauth-scopes", ""))
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


def _scopes(granted: str) -> Finding:
    missing = SCOPES.keys() - {scope.strip() for scope in granted.split(",")}
    if not missing:
        return Finding(well=True, text="scopes: all granted")
    listed = "; ".join(f"{scope} ({SCOPES[scope]})" for scope in sorted(missing))
    return Finding(
        well=False, text=f"scopes: missing {listed}. Paste app_manifest.yml again and reinstall"
    )


async def _socket(client: AsyncWebClient, app_token: str) -> Finding:
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        code = error.response.get("error")
        cure = "make an app-level token with connections:write and set SLACK_APP_TOKEN"
        return Finding(well=False, text=f"socket mode: Slack refuses the token ({code}); {cure}")
    return Finding(well=True, text="socket mode: Slack offers a connection")


async def _group(client: AsyncWebClient, variable: str, group: str) -> Finding:
    try:
        answer = await client.usergroups_users_list(usergroup=group)
    except SlackApiError as error:
        code = error.response.get("error")
        return Finding(well=False, text=f"{variable}: Slack says {code}; set a user group's id")
    count = len(answer["users"])
    if count == 0:
        return Finding(well=False, text=f"{variable}: nobody is in {group}, so nobody may act")
    return Finding(well=True, text=f"{variable}: {count} in {group}")


async def _status_channel(client: AsyncWebClient, channel: str) -> Finding:
    try:
        found = (await client.conversations_info(channel=channel))["channel"]
    except SlackApiError as error:
        code = error.response.get("error")
        cure = "set STATUS_CHANNEL to a channel's id; invite Ratchet if it is private"
        return Finding(well=False, text=f"status channel: Slack says {code}; {cure}")
    if found.get("is_archived"):
        return Finding(
            well=False, text=f"status channel: #{found['name']} is archived; set another"
        )
    if not found.get("is_member") and found.get("is_private"):
        return Finding(well=False, text=f"status channel: /invite Ratchet to #{found['name']}")
    return Finding(well=True, text=f"status channel: #{found['name']}")
