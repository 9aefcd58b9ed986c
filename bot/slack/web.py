"""Slack's Web API as Ratchet calls it: the client, and the names of its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings

# What is read of the answers: where a method says that it did it and has not these texts, lists or
# objects (``a.b``: b in a), it was not Slack who answered.
ANSWERS: Mapping[str, Mapping[str, type]] = {
    "apps.connections.open": {"url": str},
    "auth.test": {"user": str, "team_id": str},
    "chat.postMessage": {"channel": str, "ts": str},
    "conversations.history": {"messages": list},
    "conversations.info": {"channel": dict},
    "conversations.replies": {"messages": list},
    "usergroups.users.list": {"users": list},
    "users.info": {"user.id": str},
    "views.open": {"view.id": str},
}


class OddAnswer(aiohttp.ClientError):
    """What came back is not Slack's. As after a cut connection, nobody knows what was done.

    A proxy's page in a status of success, text, bytes, JSON of another shape: slack_sdk fails over
    them in ways of its own, or hands them on.
    """


class _Client(AsyncWebClient):
    """slack_sdk's client, for which an answer is Slack's or there was none."""

    async def _request(
        self, *, http_verb: str, api_url: str, req_args: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except aiohttp.ClientError:
            raise
        except (ValueError, RecursionError):
            # No UTF-8, a number of ten thousand digits. The error quotes it, and goes no further.
            raise OddAnswer from None
        told = answer["data"]
        if not isinstance(told, dict):
            raise OddAnswer
        expected = ANSWERS.get(api_url.rpartition("/")[2], {})
        if told.get("ok") and not (
            told["ok"] is True
            and all(isinstance(_part(told, path), kind) for path, kind in expected.items())
        ):
            raise OddAnswer
        return answer


def _part(told: object, path: str) -> object:
    for name in path.split("."):
        told = told.get(name) if isinstance(told, dict) else None
    return told


def a_client(settings: Settings, *, timeout_seconds: int) -> AsyncWebClient:
    """A client that asks once: whoever calls it decides whether to ask again."""
    return _Client(
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
    code = None
    if isinstance(answer, dict) and answer.get("ok") is False:
        code = answer.get("error")
    return code if isinstance(code, str) else ""
