"""Checks of subscribed channels: whether the bot can post in each, and who can cure it if not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.results import CheckResult, asked
from core.subscription import Subscription


async def subscribed_checks(
    client: AsyncWebClient, subscriptions: Sequence[Subscription], *, status_channel: str | None
) -> AsyncIterator[CheckResult]:
    """One line for each subscription that is in force."""
    for one in subscriptions:
        if one.in_force and one.channel == status_channel:
            text = f"subscription of {one.channel}: it is the status channel by now, so"
            yield CheckResult(well=True, text=f"{text} this ends once Ratchet is started")
        elif one.in_force:
            yield await _check(client, one)


async def _check(client: AsyncWebClient, one: Subscription) -> CheckResult:
    end = f"{one.by.name}, who subscribed it, or another publisher ends that with"
    call = client.conversations_info(channel=one.channel)
    cure = f"invite Ratchet if it is private, or {end} `/incident unsubscribe`"
    answer = await asked(f"subscription of {one.channel}", call, cure=cure)
    if isinstance(answer, CheckResult):
        return answer
    found = answer["channel"]
    name = f"#{found['name']}"
    text = f"subscription of {name}"
    if found.get("is_archived"):
        cure = f"unarchive it, or {end} `/incident unsubscribe {name}`"
        return CheckResult(well=False, text=f"{text}: it is archived; {cure}")
    if found.get("is_private") and not found.get("is_member"):
        cure = f"type /invite @Ratchet there, or {end} `/incident unsubscribe {name}`"
        return CheckResult(well=False, text=f"{text}: it is private and without Ratchet; {cure}")
    if one.fault:
        cure = f"let it post there, or {end} `/incident unsubscribe {name}`"
        since = f"{one.fault.at:%Y-%m-%d %H:%M} UTC"
        refused = f"takes no posts since {since} (Slack says {one.fault.code})"
        return CheckResult(well=False, text=f"{text}: {refused}; {cure}")
    return CheckResult(well=True, text=f"{text}: {_shows(one)}, by {one.by.name}")


def _shows(one: Subscription) -> str:
    """The filter, as people type it: ``severity:high+ components:api``."""
    severity = f"severity:{one.filter.severity}+" if one.filter.severity else ""
    named = ",".join(each.name or "(gone)" for each in one.filter.components)
    components = f"components:{named}" if named else ""
    return " ".join(filter(None, (severity, components))) or "every public incident"
