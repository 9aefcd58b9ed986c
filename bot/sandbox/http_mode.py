"""HTTP mode: signed POSTs to the app's request URL.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.blocks import Json
from bot.sandbox.requests import Acknowledgement, Request


class HttpMode:
    """Sends each payload as one signed POST, encoded by its kind."""

    def __init__(self, signing_secret: str, *, wall_clock: Callable[[], float]) -> None:
        self._signer = SignatureVerifier(signing_secret)
        self._wall_clock = wall_clock
        self._session: aiohttp.ClientSession | None = None

    def signed_headers(
        self, body: bytes, *, content_type: str, at: float | None = None
    ) -> dict[str, str]:
        """Slack's headers for ``body``, stale or early with ``at`` (seconds since 1970)."""
        timestamp = str(int(self._wall_clock() if at is None else at))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body)
        return {
            "content-type": content_type,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": str(signature),
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }

    async def send(
        self, request: Request, *, url: str, seconds: float, reason: str = ""
    ) -> Acknowledgement:
        content_type, body = encoded(request.kind, request.payload)
        headers = self.signed_headers(body, content_type=content_type)
        if request.attempt:
            headers |= {"x-slack-retry-num": str(request.attempt), "x-slack-retry-reason": reason}
        return await self.post(url, body, headers, seconds=seconds)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> Acknowledgement:
        """Send one POST unchanged, with a good or a bad signature."""
        started = time.perf_counter()
        if self._session is None:
            # No limit on concurrent requests. No connection is used twice: the app may close an
            # idle one at that moment, which would count as a failure of the app.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        try:
            async with asyncio.timeout(seconds):
                async with self._session.post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    text = await answer.text()
        except TimeoutError:
            return Acknowledgement(
                time.perf_counter() - started, error="operation_timeout", reason="http_timeout"
            )
        except aiohttp.ClientError:
            return Acknowledgement(
                time.perf_counter() - started, error="dispatch_failed", reason="connection_failed"
            )
        return Acknowledgement(
            time.perf_counter() - started,
            error=None if answer.ok else "dispatch_failed",
            status=answer.status,
            body=_parsed(text, answer.content_type),
            reason="" if answer.ok else "http_error",
            no_retry=answer.headers.get("x-slack-no-retry") == "1",
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()


def encoded(kind: str, payload: Json) -> tuple[str, bytes]:
    """Content type and body of a payload in HTTP mode."""
    match kind:
        case "slash_commands":
            return "application/x-www-form-urlencoded", urlencode(payload).encode()
        case "interactive":
            return "application/x-www-form-urlencoded", urlencode(
                {"payload": json.dumps(payload)}
            ).encode()
        case _:
            return "application/json", json.dumps(payload).encode()


def _parsed(text: str, content_type: str) -> Any:
    if not text:
        return None
    if content_type != "application/json":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
