"""The client of Slack's Web API, and the names of Slack's errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import KeySettings, Settings

# The fields of answers that Ratchet reads (``a.b``: b in a). A successful answer without them is
# not Slack's.
ANSWERS: Mapping[str, Mapping[str, type]] = {
    "apps.connections.open": {"url": str},
    "auth.test": {"user": str, "team_id": str},
    "chat.postMessage": {"channel": str, "ts": str},
    "conversations.create": {"channel.id": str},
    "conversations.history": {"messages": list},
    "conversations.info": {"channel": dict},
    "conversations.list": {"channels": list},
    "conversations.replies": {"messages": list},
    "files.completeUploadExternal": {"files": list},
    "files.getUploadURLExternal": {"upload_url": str, "file_id": str},
    "usergroups.list": {"usergroups": list},
    "usergroups.users.list": {"users": list},
    "users.info": {"user.id": str},
    "views.open": {"view.id": str},
}


class OddAnswer(aiohttp.ClientError):
    """The answer is not Slack's. As after a cut connection, Slack may have done what was asked.

    It is a proxy's page with status 200, text, bytes, or JSON of another shape; slack_sdk raises
    errors of several kinds for them, or returns them.
    """


class _StrictClient(AsyncWebClient):
    """slack_sdk's client, which raises `OddAnswer` for an answer that is not Slack's."""

    async def _request(
        self, *, http_verb: str, api_url: str, req_args: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except aiohttp.ClientError:
            raise
        except (ValueError, RecursionError):
            # Not UTF-8, or a number of ten thousand digits. The error quotes it, so it is dropped.
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


def a_client(settings: Settings | KeySettings, *, timeout_seconds: int) -> AsyncWebClient:
    """A client that tries each call once; retries are the caller's decision."""
    return _StrictClient(
        token=settings.slack_bot_token,
        base_url=settings.slack_api_url,
        timeout=timeout_seconds,
        # slack_sdk's own handlers repeat a post after a cut connection, and may post it twice.
        retry_handlers=[],
    )


def code_of(error: SlackApiError) -> str:
    """Slack's name for its refusal, such as ``is_archived``; empty for an answer of a proxy's.

    A proxy may answer with a page or with broken JSON, and with any status; slack_sdk returns
    those in types of their own.
    """
    answer = getattr(error.response, "data", None)
    code = None
    if isinstance(answer, dict) and answer.get("ok") is False:
        code = answer.get("error")
    return code if isinstance(code, str) else ""
