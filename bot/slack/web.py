"""Slack's Web API as Ratchet calls it: the client, and the names of its refusals."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings


def a_client(settings: Settings, *, timeout_seconds: int) -> AsyncWebClient:
    """A client that asks once: whoever calls it decides whether to ask again."""
    return AsyncWebClient(
        token=settings.slack_bot_token,
        base_url=settings.slack_api_url,
        timeout=timeout_seconds,
        # slack_sdk's own handlers send a post again after a cut connection: twice, at times.
        retry_handlers=[],
    )


def code_of(error: SlackApiError) -> str:
    """Slack's name for the refusal, such as ``is_archived``; empty where it was not Slack's.

    What stands between us and Slack answers with pages and with broken JSON, in any status, and
    slack_sdk hands those on in types of their own.
    """
    answer = getattr(error.response, "data", None)
    code = answer.get("error") if isinstance(answer, dict) else None
    return code if isinstance(code, str) else ""
