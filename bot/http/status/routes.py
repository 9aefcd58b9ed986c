"""The addresses of status pages: ``/status/<slug>``, and the root of a host of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.http.gate import RateLimit
from bot.http.status.accepting import prefers_markdown
from bot.http.status.shelf import FRESH, KeptBytes, Shelf
from bot.page import html
from bot.page.addresses import Hosts
from bot.page.site import HTML
from bot.telemetry import log
from core.store import StoreUnavailable

PREFIX = "/status"
METHODS = "GET, HEAD, OPTIONS"
ANYBODY = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Retry-After",
}
NOT_STORED = {"Cache-Control": "no-store"}
CALM = {
    "Cache-Control": "public, max-age=0, must-revalidate",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    **ANYBODY,
}
# Requests per second and address, in bursts of twice as many: far more than any reader needs.
RATE = 50
AGAIN_AFTER_SECONDS = 5
# A date has whole seconds: a page that has just changed may do so again in the same one.
SETTLED = timedelta(seconds=2)
# The pages for people, which have a form in Markdown.
PAGES = re.compile(r"incidents/.+|history(?:/.+)?|days/.+")
# The paths for programs, which are told of an error in plain text.
FILES = re.compile(r"api(?:/.*)?|(?:.*/)?[^/]*\.[^/.]+", re.DOTALL)


class StatusPages:
    """An ASGI application in front of ``rest``, which gets every request that is for no page.

    ``hosts`` serve a page at their root, and nothing else.
    """

    def __init__(
        self,
        rest: ASGIApp,
        shelf: Shelf,
        *,
        hosts: Hosts,
        clock: Callable[[], datetime],
        fresh: timedelta = FRESH,
        rate: int = RATE,
    ) -> None:
        self._rest = rest
        self._shelf = shelf
        self._hosts = hosts
        self._clock = clock
        self._limit = RateLimit(rate, clock=clock)
        self._slugs = _Slugs(shelf, fresh=fresh)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers requests for a page, and passes all others on."""
        path: str = scope["path"]
        host = _host(scope)
        if host not in self._hosts and not (
            path == PREFIX or path.startswith(("/status/", "/status."))
        ):
            await self._rest(scope, receive, send)
            return
        request = Request(scope, receive)
        await (await self._answer(request, host, path))(scope, receive, send)

    async def _answer(self, request: Request, host: str, path: str) -> Response:
        wait = self._limit.take(request.client.host if request.client else "")
        if wait:
            return PlainTextResponse(
                "Too many requests.\n", 429, {"Retry-After": str(wait), **ANYBODY}
            )
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Max-Age": "86400"}
            asked = request.headers.get("access-control-request-headers")
            heads = {"Access-Control-Allow-Headers": asked} if asked else {}
            return Response(status_code=204, headers={"Allow": METHODS, **allowed, **heads, **CALM})
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("Pages can only be read.\n", 405, {"Allow": METHODS})
        try:
            return await self._read(request, host, path)
        except StoreUnavailable as error:
            log.warning("page not served", reason=error.reason)
            return _away()

    async def _read(self, request: Request, host: str, path: str) -> Response:
        if host in self._hosts:
            rest = path.removeprefix("/")
            workspace = self._hosts[host] or await self._slugs.only()
        else:
            workspace, rest = await self._slugs.named(path)
        if workspace is None:
            return _not_found()
        # A slash at the end is of no account, as in /status/acme/.
        rest = rest if rest == "/" else rest.removesuffix("/")
        wants_markdown = prefers_markdown(", ".join(request.headers.getlist("accept")))
        if rest == ".md" or (wants_markdown and not rest):
            rest = "index.md"
        elif wants_markdown and PAGES.fullmatch(rest):
            rest = f"{rest.removesuffix('.md')}.md"
        kept = await self._shelf.find(workspace, rest)
        if kept is not None:
            return _shown(request, kept, at=self._clock())
        if wants_markdown or FILES.fullmatch(rest):
            return _not_found()
        return _not_found(await self._shelf.missing(workspace))


class _Slugs:
    """The workspaces of slugs. A slug that nobody has is looked for at most every ``fresh``."""

    def __init__(self, shelf: Shelf, *, fresh: timedelta) -> None:
        self._shelf = shelf
        self._fresh = fresh.total_seconds()
        self._known: dict[str, str] = {}
        self._checked: float | None = None

    async def only(self) -> str | None:
        """The workspace of the only page that is published, None if there are several, or none."""
        now = asyncio.get_running_loop().time()
        if self._checked is None or now - self._checked >= self._fresh:
            self._known = {one.slug: one.workspace for one in await self._shelf.settings()}
            # Only now: after a failed look nothing is known, and the next request looks again.
            self._checked = now
        return next(iter(self._known.values())) if len(self._known) == 1 else None

    async def named(self, path: str) -> tuple[str | None, str]:
        """The workspace that ``path`` names, None if there is none, and the path under its page."""
        only = await self.only()
        if path in {PREFIX, f"{PREFIX}/", f"{PREFIX}.md"}:
            return only, path.removeprefix(PREFIX).removeprefix("/")
        slug, _, rest = path.removeprefix(f"{PREFIX}/").partition("/")
        if slug in self._known:
            return self._known[slug], rest
        if slug.removesuffix(".md") in self._known and not rest:
            return self._known[slug.removesuffix(".md")], ".md"
        return None, ""


def _host(scope: Scope) -> str:
    for header, value in scope["headers"]:
        if header == b"host":
            host: str = value.decode("latin-1").lower()
            name, _, port = host.rpartition(":")
            # A full name may end with a dot.
            return (name if port.isdigit() else host).removesuffix(".")
    return ""


def _shown(request: Request, kept: KeptBytes, *, at: datetime) -> Response:
    changed = kept.changed_at.astimezone(UTC)
    if at - changed < SETTLED:
        # The date of the second before is never taken for these bytes.
        changed -= timedelta(seconds=1)
    headers = {
        **_safe(kept),
        "ETag": kept.etag,
        "Last-Modified": format_datetime(changed, usegmt=True),
        "Vary": "Accept",
    }
    if _is_known(request, kept):
        return Response(status_code=304, headers=headers)
    return Response(kept.body, headers=headers, media_type=kept.media_type)


def _is_known(request: Request, kept: KeptBytes) -> bool:
    """Whether the reader has these bytes already. An ETag wins over a date (RFC 9110, 13.2.2)."""
    named = request.headers.get("if-none-match")
    if named is not None:
        tags = {tag.strip().removeprefix("W/") for tag in named.split(",")}
        return "*" in tags or kept.etag in tags
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        known = parsedate_to_datetime(since)
    except ValueError:
        return False
    return kept.changed_at.replace(microsecond=0) <= known.replace(tzinfo=known.tzinfo or UTC)


def _safe(kept: KeptBytes) -> dict[str, str]:
    """The headers of all bytes of a page; a page for people runs and loads only its own."""
    return {**CALM, "Content-Security-Policy": html.policy()} if kept.media_type == HTML else CALM


def _not_found(kept: KeptBytes | None = None) -> Response:
    """404 with the page's own words; without ``kept`` it does not tell whether there is a page."""
    if kept is None:
        return PlainTextResponse("There is no such page.\n", 404, {**NOT_STORED, **ANYBODY})
    headers = {**_safe(kept), **NOT_STORED}
    return Response(kept.body, 404, headers, media_type=kept.media_type)


def _away() -> Response:
    return PlainTextResponse(
        "The status page cannot be read right now. Try again in a few seconds.\n",
        503,
        {"Retry-After": str(AGAIN_AFTER_SECONDS), **NOT_STORED, **ANYBODY},
    )
