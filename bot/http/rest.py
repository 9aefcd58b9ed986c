"""The FastAPI application: both dialects, their description, and the addresses of monitoring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import compile_path

from bot.http import api, components, health, webhooks
from bot.http.gate import CHANGING, IDEMPOTENCY_KEY_MAX, Gate
from core.lifecycle import Catalogue

# Read once: it is in a file among those of the package.
VERSION = version("ratchet")
# Several modules add to the operations of one dialect.
DIALECTS = tuple(dict.fromkeys(module.operations for module in (components, webhooks, api)))
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <key>`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
HEADERS = {
    "X-Request-Id": {
        "description": "The id of the request, as in the log line.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if this is the kept answer to an earlier, equal request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds until a retry can succeed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"schema": {"type": "string"}},
}
HEADERS_OF = {
    "401": ("WWW-Authenticate",),
    "409": ("Retry-After",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Any text. A repeated request with the same key is done once and gets the same "
    "answer for 24 hours; another request with the same key is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_MAX},
}
# The answer to a person who opens the root, or another address that is of no dialect.
ELSEWHERE = (
    "There is nothing at this address. Ratchet has status pages below /status/, and an API at /v1/ "
    "and /api/, which /openapi.json describes."
)
DESCRIPTION = """\
Two dialects over the same incidents, rules and permissions. Every request needs an API key, made
with `ratchet keys create`; both headers work in both dialects. Bodies are JSON objects of at most
64 KiB; unknown fields are refused by name. Lengths of texts count after trimming; a text has at
least one visible character, and no control characters but line feeds and tabs.
"""


def application(
    gate: Gate,
    lifecycles: Catalogue,
    *,
    public_url: str | None = None,
    watched: health.Watched | None = None,
) -> FastAPI:
    """Both dialects behind ``gate``, `/openapi.json`, and what monitoring asks about ``watched``.

    ``public_url`` is the server that `/openapi.json` names; None: the one that it was read from.
    """
    app = FastAPI(
        title="Ratchet",
        version=VERSION,
        description=DESCRIPTION,
        servers=[{"url": public_url}] if public_url else None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.gate = gate
    _serve(app, (dialect.router for dialect in DIALECTS))

    @cache  # Made at the first request: it takes longer than the rest of the start.
    def described() -> str:
        return json.dumps(description(app, lifecycles))

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(described(), media_type="application/json")

    if watched:
        app.state.watched = watched
        _serve(app, [health.routes])
    app.add_exception_handler(HTTPException, _unknown_address)
    return app


def _serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Adds the routes of ``routers`` to ``app``, as they are.

    `include_router` would make each of them anew, for prefixes and dependencies that no router has:
    the first request to every application would wait a tenth of a second for it.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


async def _unknown_address(request: Request, error: Exception) -> Response:
    """404 or 405, in the dialect of the address; outside of both as a plain sentence."""
    path = request.url.path
    for operations in DIALECTS:
        if path.startswith(f"{operations.router.prefix}/"):
            gate: Gate = request.app.state.gate
            response = gate.refuse_address(operations.dialect, error)
            if allowed := sorted(_methods(operations.router, path)):
                response.headers["Allow"] = ", ".join(allowed)
            return response
    refused = cast("HTTPException", error)
    told = ELSEWHERE if refused.status_code == HTTPStatus.NOT_FOUND else str(refused.detail)
    return PlainTextResponse(f"{told}\n", refused.status_code, refused.headers)


def _methods(router: APIRouter, path: str) -> set[str]:
    """The methods of the address ``path``; empty for an unknown address."""
    return {
        method
        for route in router.routes
        if isinstance(route, APIRoute) and compile_path(route.path)[0].match(path)
        for method in route.methods or ()
    }


def description(app: FastAPI, lifecycles: Catalogue) -> dict[str, Any]:
    """The OpenAPI description: FastAPI's own, and the gate's part of every operation."""
    described = app.openapi()
    described["components"]["securitySchemes"] = SECURITY
    described["components"]["headers"] = HEADERS
    for method, operation in _operations(described):
        operation["security"] = [{name: []} for name in SECURITY]
        # FastAPI's own shape of a refusal, which no operation uses.
        if "HTTPValidationError" in json.dumps(operation["responses"].get("422", {})):
            del operation["responses"]["422"]
        changing = method.upper() in CHANGING
        if changing:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        for status, response in operation["responses"].items():
            names = ["X-Request-Id", *HEADERS_OF.get(status, ())]
            if changing and status < "429":
                names.append("Idempotency-Replayed")
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    schemas = described["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _show_nulls(schemas)
    known = {
        "x-lifecycles": [lifecycle.name for lifecycle in lifecycles],
        "x-statuses": list(lifecycles.statuses),
    }
    _name(described, known)
    return described


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in described["paths"].values():
        yield from path.items()


def _show_nulls(schemas: dict[str, Any]) -> None:
    """Puts the null fields back into the examples: FastAPI leaves them out, and no answer does."""
    for schema in schemas.values():
        for example in schema.get("examples", ()):
            for name in schema.get("required", ()):
                example.setdefault(name, None)


def _name(part: object, known: Mapping[str, list[str]]) -> None:
    """Lists the lifecycles, or all statuses, of this installation in each field that names one."""
    if isinstance(part, list):
        for item in part:
            _name(item, known)
    elif isinstance(part, dict):
        for mark in known.keys() & part.keys():
            del part[mark]
            part["enum"] = known[mark]
        for item in part.values():
            _name(item, known)
