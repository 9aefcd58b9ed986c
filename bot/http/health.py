"""Liveness, readiness and metrics, for monitoring. They need no key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Readiness:
    """``reason`` tells why this process should get no requests; None: it is ready.

    ``dead_messages`` counts the messages that Slack refuses for good. They need an operator, and
    do not affect readiness. ``webhooks_off`` counts the webhooks that failed until they were
    switched off; neither do they. None: the database does not answer.
    """

    reason: str | None
    dead_messages: int | None = None
    webhooks_off: int | None = None


def router(
    *, readiness: Callable[[], Awaitable[Readiness]], registry: CollectorRegistry
) -> APIRouter:
    """The three addresses. ``readiness`` also updates the gauges of the outbox."""
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
            "webhooks_off": now.webhooks_off,
        }
        return JSONResponse(body, status_code=200 if now.reason is None else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        await readiness()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
