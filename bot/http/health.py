"""Liveness, readiness and metrics, for monitoring. They need no key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
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


@dataclass(frozen=True, slots=True)
class Watched:
    """What `routes` tell of. ``readiness`` also updates the gauges of the outbox."""

    readiness: Callable[[], Awaitable[Readiness]]
    registry: CollectorRegistry


# The three addresses of an application whose ``state.watched`` is a `Watched`.
routes = APIRouter(include_in_schema=False)


@routes.get("/healthz")
async def alive() -> Response:
    """Tells that the process runs."""
    return PlainTextResponse("ok\n")


@routes.get("/readyz")
async def ready(request: Request) -> Response:
    """Tells whether requests should come here, and why not."""
    watched: Watched = request.app.state.watched
    now = await watched.readiness()
    body = {
        "ready": now.reason is None,
        "reason": now.reason,
        "dead_messages": now.dead_messages,
        "webhooks_off": now.webhooks_off,
    }
    return JSONResponse(body, status_code=200 if now.reason is None else 503)


@routes.get("/metrics")
async def metrics(request: Request) -> Response:
    """Every metric, in the format of Prometheus."""
    watched: Watched = request.app.state.watched
    await watched.readiness()
    return Response(generate_latest(watched.registry), media_type=CONTENT_TYPE_LATEST)
