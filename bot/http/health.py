"""Is it alive, is it well, and what does it count: for machines that watch, without a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Readiness:
    """``reason`` says why no requests should come here, None where they should.

    ``dead_messages`` are those that Slack will never take as things are: they make it no less
    ready, and somebody has to look. None where the database does not say.
    """

    reason: str | None
    dead_messages: int | None = None


def router(
    *, readiness: Callable[[], Awaitable[Readiness]], registry: CollectorRegistry
) -> APIRouter:
    """The three addresses. ``readiness`` also brings the outbox's gauges up to date."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz")
    async def ready() -> Response:
        now = await readiness()
        body = {
            "ready": now.reason is None,
            "reason": now.reason,
            "dead_messages": now.dead_messages,
        }
        return JSONResponse(body, status_code=200 if now.reason is None else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        await readiness()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
