"""The result of a check as one line, and a question to Slack that may end in one."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.people import UNREACHABLE
from bot.slack.web import code_of


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of `ratchet doctor`: the result of a check and, if it failed, the cure."""

    well: bool
    text: str


async def asked(
    subject: str, call: Awaitable[AsyncSlackResponse], *, cure: str
) -> AsyncSlackResponse | CheckResult:
    """Slack's answer, or the failed check of ``subject`` with the ``cure`` for a refusal."""
    try:
        return await call
    except SlackApiError as error:
        if code := code_of(error):
            return CheckResult(well=False, text=f"{subject}: Slack says {code}; {cure}")
    except UNREACHABLE:
        pass
    server = "Slack, or the server at SLACK_API_URL,"
    return CheckResult(well=False, text=f"{subject}: {server} does not answer; check the network")
