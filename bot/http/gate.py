"""What every request to the API passes, whatever its dialect: who asks, how often, and once only.

The order: a key (401), its pace (429), the request's first answer if it has one, the incident that
the path names (404), the body (413, 415, 422), and then the dialect. The use cases judge the rest.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from http import HTTPStatus
from time import monotonic
from typing import Any, NoReturn
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message

from bot.http import problems
from bot.http.problems import BODY_MAX_BYTES, Fault, problem_of
from bot.http.visit import Dialect, Member, Visit, answered
from bot.telemetry import Metrics, log
from core.incident import Actor, Person
from core.lifecycle import Catalogue
from core.service import ClaimLost, Incidents, Receipt, StoreUnavailable
from storage import idempotency, keys
from storage.idempotency import Admitted, Answered, Reused, Running
from storage.keys import Key, KeyScope
from storage.store import SqlStore

CHANGING = frozenset({"POST", "PUT", "PATCH"})
IDEMPOTENCY_KEY_MAX = 255
# What a request without a key that counts is counted as, whatever it asked for.
UNVERIFIED = "unverified"
UUID_SHAPE = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json\s*(;.*)?", re.IGNORECASE)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Pace:
    """Lets each key through ``rate`` times a second, with bursts of twice as many; 0 for no limit.

    Each process counts for itself.
    """

    def __init__(self, rate: int, *, clock: Callable[[], datetime]) -> None:
        self._rate = rate
        self._clock = clock
        self._left: dict[str, tuple[float, datetime]] = {}

    def take(self, key: str) -> int:
        """Seconds until the key may come again; 0 where it may pass now."""
        if not self._rate:
            return 0
        at = self._clock()
        most = 2.0 * self._rate
        left, since = self._left.get(key, (most, at))
        # A clock that was set back gives nothing, and takes nothing away.
        left = min(most, left + max(0.0, (at - since).total_seconds()) * self._rate)
        passes = left >= 1
        self._left[key] = (left - passes, at)
        return 0 if passes else math.ceil((1 - left) / self._rate)


class Gate:
    """``member`` finds the people who can own an incident; ``rate`` is of requests a second."""

    def __init__(
        self,
        store: SqlStore,
        incidents: Incidents,
        lifecycles: Catalogue,
        member: Member,
        *,
        clock: Callable[[], datetime],
        rate: int,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._incidents = incidents
        self._lifecycles = lifecycles
        self._member = member
        self._clock = clock
        self._pace = Pace(rate, clock=clock)
        self._metrics = metrics

    async def pass_through(
        self, dialect: Dialect, route: APIRoute, inner: Handler, request: Request
    ) -> Response:
        """The answer to ``request``, whatever happens; it never raises."""
        began, request_id = monotonic(), uuid4()
        workspace: str | None = None

        def refused(error: Exception, named: Mapping[str, str]) -> Response:
            return self.refuse(dialect, error, request_id, named)

        try:
            key = await self._key(request)
            workspace = key.workspace
            response = await self._once(request, key, route, inner, refused=refused)
        except Exception as error:  # noqa: BLE001 - the edge: nobody behind it would answer
            response = refused(error, {})
        response.headers["X-Request-Id"] = str(request_id)
        self._note(
            dialect,
            f"{request.method} {route.path_format}",
            response,
            began=began,
            request_id=request_id,
            workspace=workspace,
        )
        return response

    def refuse(
        self,
        dialect: Dialect,
        error: Exception,
        request_id: UUID,
        named: Mapping[str, str],
    ) -> Response:
        """What ``dialect`` answers for ``error``; a fault on our side is logged."""
        problem = problem_of(error, named=named)
        if problem.status >= 500:
            log.error("request failed", request_id=request_id, exc_info=error)
        response = answered(*dialect.word(problem, request_id))
        response.headers.update(problem.headers)
        return response

    def stranger(self, dialect: Dialect, error: Exception) -> Response:
        """The answer at an address, or to a method, that there is not."""
        began, request_id = monotonic(), uuid4()
        response = self.refuse(dialect, error, request_id, {})
        response.headers["X-Request-Id"] = str(request_id)
        self._note(dialect, "unknown", response, began=began, request_id=request_id)
        return response

    def _note(
        self,
        dialect: Dialect,
        verb: str,
        response: Response,
        *,
        began: float,
        request_id: UUID,
        workspace: str | None = None,
    ) -> None:
        status = response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            verb = UNVERIFIED
        outcome = "done" if status < 400 else "refused" if status < 500 else "failed"
        self._metrics.requests.labels(dialect.name, verb, outcome).inc()
        if workspace is None and outcome == "refused":
            # Nobody knows who asks: a line for each would fill the logs for whoever wants to.
            return
        log.info(
            "request",
            door=dialect.name,
            verb=verb,
            status=status,
            outcome=outcome,
            duration_ms=round((monotonic() - began) * 1_000, 1),
            request_id=request_id,
            workspace=workspace,
        )

    async def _key(self, request: Request) -> Key:
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _:
            if "x-api-key" not in request.headers:
                raise problems.not_authorized("missing_authorization_header")
            presented = request.headers["x-api-key"]
        key = await self._store.read(lambda reader: keys.find(reader, presented.strip()))
        if key is None:
            raise problems.not_authorized("invalid_api_key")
        if seconds := self._pace.take(key.id):
            raise problems.too_many(seconds)
        return key

    async def _once(
        self,
        request: Request,
        key: Key,
        route: APIRoute,
        inner: Handler,
        *,
        refused: Callable[[Exception, Mapping[str, str]], Response],
    ) -> Response:
        """What is answered the first time and, where the request says so, every other time."""
        body = await _read(request)
        visit = Visit(
            incidents=self._incidents,
            lifecycles=self._lifecycles,
            actor=_actor(key),
            member=self._member,
        )
        name = request.headers.get("idempotency-key") if request.method in CHANGING else None
        if name is not None and body is not None and 0 < len(name) <= IDEMPOTENCY_KEY_MAX:
            asked = idempotency.KeyedRequest(
                workspace=key.workspace, key=key.id, name=name, digest=_digest(request, body)
            )
            found = await self._store.write(
                lambda tx: idempotency.claim(tx, asked, at=self._clock())
            )
            match found:
                case Answered(body=None):
                    raise problems.answer_withdrawn()
                case Answered():
                    response = answered(found.status, str(found.body))
                    response.headers["Idempotency-Replayed"] = "true"
                    return response
                case Running():
                    raise problems.still_running()
                case Reused():
                    raise problems.key_reused()
                case Admitted():
                    visit.claim = found.claim
        try:
            await self._see(request, visit)
            _check(route, request, body, name)
            request.state.visit = visit
            response = await inner(Request(request.scope, _replay(body or b"")))
        except Exception as error:  # noqa: BLE001 - a refusal is an answer, and may be kept as one
            response = refused(error, visit.named)
        if visit.claim and not visit.kept:
            await self._settle(visit.claim, response)
        return response

    async def _see(self, request: Request, visit: Visit) -> None:
        """Turns away whoever names an incident that does not exist for them."""
        named = request.path_params.get("id")
        if named is not None:
            incident = uuid_of(named)
            if incident is None:
                raise problems.not_found()
            await self._incidents.find(visit.actor, incident)

    async def _settle(self, claim: UUID, response: Response) -> None:
        """Writes a refusal as the answer; what failed on our side may be tried again at once."""
        body = bytes(response.body).decode()
        receipt = Receipt(claim=claim, status=response.status_code, body=body)
        try:
            if response.status_code < 500:
                await self._store.write(lambda tx: tx.keep(receipt))
            else:
                await self._store.write(lambda tx: idempotency.give_back(tx, claim))
        except (ClaimLost, StoreUnavailable):
            # Nothing was changed, so that whoever asks again may be answered anew.
            log.warning("answer not kept")


def door(dialect: Dialect) -> type[APIRoute]:
    """The class of the routes of ``dialect``: their handlers run behind the application's gate."""

    class Door(APIRoute):
        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                gate: Gate = request.app.state.gate
                return await gate.pass_through(dialect, self, inner, request)

            return handler

    return Door


def uuid_of(text: str) -> UUID | None:
    """The id that ``text`` is, in the one way to write it; None where it is none."""
    return UUID(text) if UUID_SHAPE.fullmatch(text) else None


def _actor(key: Key) -> Actor:
    return Actor(
        workspace=key.workspace,
        person=Person(f"key:{key.id}", key.name),
        responder=key.scope.includes(KeyScope.WRITE),
        publisher=key.scope.includes(KeyScope.PUBLISH),
        admin=key.scope.includes(KeyScope.ADMIN),
        sees_private=True,
    )


def _digest(request: Request, body: bytes) -> str:
    """The hash of all that decides what a request does."""
    told = (request.method, request.url.path, request.url.query)
    return hashlib.sha256("\n".join(told).encode() + b"\n" + body).hexdigest()


async def _read(request: Request) -> bytes | None:
    """The body; None where it is larger than may be."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_MAX_BYTES:
                return None
    except ClientDisconnect:
        raise problems.unreadable("was cut off") from None
    return bytes(body)


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _check(route: APIRoute, request: Request, body: bytes | None, name: str | None) -> None:
    """Refuses what is no request in JSON; the fields are the dialect's to judge."""
    if name is not None and not 0 < len(name) <= IDEMPOTENCY_KEY_MAX:
        problem = f"must have 1 to {IDEMPOTENCY_KEY_MAX} characters"
        raise problems.invalid([Fault("Idempotency-Key", problem)])
    if route.body_field is None:
        return
    if body is None:
        raise problems.body_too_large()
    if not body:
        if route.body_field.field_info.is_required():
            raise problems.unreadable("is missing: send a JSON object")
        return
    if not JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
        raise problems.not_json()
    try:
        value = json.loads(body.decode(), parse_constant=_no_number)
    # ValueError is not only malformed JSON and bytes that are no UTF-8: a number of thousands of
    # digits is one too. RecursionError is thousands of brackets.
    except (ValueError, RecursionError):
        raise problems.unreadable("is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise problems.unreadable("must be a JSON object")


def _no_number(constant: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(constant)
