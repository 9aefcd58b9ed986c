"""Slack's requests over HTTP: verified before anything is read, then read and answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

# Answers a request of any shape.
Headers = Mapping[str, str | Sequence[str]]
Dispatch = Callable[[Mapping[str, Any], Headers], Awaitable[BoltResponse]]

PATH = "/slack/events"
FORM = "application/x-www-form-urlencoded"


class Door:
    """The ASGI application at `/slack/events`. It receives whole bodies only.

    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """

    def __init__(self, dispatch: Dispatch, *, signing_secret: str) -> None:
        self._dispatch = dispatch
        self._verifier = SignatureVerifier(signing_secret)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        body: bytes = (await receive())["body"]
        if not self._genuine(body, headers):
            return _plain(HTTPStatus.UNAUTHORIZED)
        if (scope["method"], scope["path"]) != ("POST", PATH):
            return _plain(HTTPStatus.NOT_FOUND)
        said = await self._dispatch(read(body, headers.get("content-type", FORM)), headers)
        return Response(said.body, status_code=said.status, headers=said.first_headers())

    def _genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            return self._verifier.is_valid_request(body, headers)
        except ValueError:
            # The timestamp is no number, or the body no UTF-8: Slack did not send it.
            return False


def read(body: bytes, content_type: str) -> Mapping[str, Any]:
    """The content of ``body``: JSON, a form, or JSON in a form's field; empty for anything else.

    Bolt's own reader looks for the word "payload" anywhere, so that a command with that word in
    its text is not recognized as a command.
    """
    text = body.decode(errors="replace")
    if not content_type.startswith("application/json"):
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if set(fields) != {"payload"}:
            return fields
        text = fields["payload"]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _plain(status: HTTPStatus) -> Response:
    return PlainTextResponse(f"{status.phrase}\n", status_code=status)
