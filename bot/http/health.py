"""Is it alive, is it well, and what does it count: for machines that watch, without a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def router(
    *, unready: Callable[[], Awaitable[str | None]], registry: CollectorRegistry
) -> APIRouter:
    """The three addresses. ``unready`` says why requests should not come here, or None."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def alive() -> Response:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz")
    async def ready() -> Response:
        reason = await unready()
        body = {"ready": reason is None, "reason": reason}
        return JSONResponse(body, status_code=200 if reason is None else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        await unready()  # Brings the outbox's gauges up to date.
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
