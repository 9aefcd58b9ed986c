"""The checks that every API request passes, in both dialects.

The order: key (401), rate (429), kept answer of the Idempotency-Key, what the path names (404),
body (413, 415, 422), then the operation. The use cases check everything else.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, NoReturn
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from bot.http import problems
from bot.http.call import ApiCall, Dialect, FindMember, FindPlace, Serves, answered
from bot.http.problems import BODY_MAX_BYTES, FieldError, problem_of
from bot.telemetry import Metrics, log
from bot.webhooks.outward import Outward
from bot.webhooks.verifying import Proving
from core.curating import Curation
from core.endpoints import Webhooks
from core.errors import UserError
from core.incident import Actor, Person
from core.lifecycle import Catalogue
from core.service import Incidents
from core.store import ClaimLost, Receipt, StoreUnavailable
from storage import idempotency, keys
from storage.idempotency import Admitted, Answered, Reused, Running
from storage.keys import Key, KeyScope
from storage.store import SqlStore

CHANGING = frozenset({"POST", "PUT", "PATCH"})
IDEMPOTENCY_KEY_MAX = 255
# The verb of every request without a valid key, in metrics.
UNVERIFIED = "unverified"
UUID_SHAPE = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json\s*(;.*)?", re.IGNORECASE)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Refuse = Callable[[Exception], Response]


# Keys that a `RateLimit` keeps before it looks for those that it can forget.
KEYS_BEFORE_SWEEP = 4_096


class RateLimit:
    """Allows each key ``rate`` requests a second, in bursts of up to twice as many; 0: no limit.

    Each process counts for itself. It forgets keys that have asked for nothing lately, so that its
    memory is bounded by the requests of a few seconds.
    """

    def __init__(self, rate: int, *, clock: Callable[[], datetime]) -> None:
        self._rate = rate
        self._clock = clock
        self._left: dict[str, tuple[float, datetime]] = {}
        self._sweep_at = KEYS_BEFORE_SWEEP

    def take(self, key: str) -> int:
        """Counts a request of ``key``. Seconds until the next is allowed; 0: this one is."""
        if not self._rate:
            return 0
        at = self._clock()
        left = self._refilled(*self._left.get(key, (self._most, at)), at=at)
        passes = left >= 1
        self._left[key] = (left - passes, at)
        if len(self._left) >= self._sweep_at:
            self._sweep(at)
        return 0 if passes else math.ceil((1 - left) / self._rate)

    def __len__(self) -> int:
        """The number of keys that it remembers."""
        return len(self._left)

    @property
    def _most(self) -> float:
        return 2.0 * self._rate

    def _refilled(self, left: float, since: datetime, *, at: datetime) -> float:
        # A clock that is set back adds nothing and removes nothing.
        return min(self._most, left + max(0.0, (at - since).total_seconds()) * self._rate)

    def _sweep(self, at: datetime) -> None:
        """Forgets the keys that may ask as much as unknown ones."""
        self._left = {
            key: (left, since)
            for key, (left, since) in self._left.items()
            if self._refilled(left, since, at=at) < self._most
        }
        self._sweep_at = max(KEYS_BEFORE_SWEEP, 2 * len(self._left))


class Gate:
    """``find_member`` finds the people that can own an incident; ``rate`` is requests a second.

    ``find_place`` tells where the card of a declared incident goes. ``outward`` calls webhooks.

    A key of a workspace that this installation does not serve opens nothing.
    """

    def __init__(
        self,
        store: SqlStore,
        incidents: Incidents,
        lifecycles: Catalogue,
        find_member: FindMember,
        serves: Serves,
        *,
        find_place: FindPlace,
        outward: Outward,
        clock: Callable[[], datetime],
        rate: int,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._incidents = incidents
        self._curation = Curation(store, clock=clock)
        self._proving = Proving(Webhooks(store, clock=clock), outward, clock=clock)
        self._lifecycles = lifecycles
        self._find_member = find_member
        self._serves = serves
        self._find_place = find_place
        self._clock = clock
        self._rate_limit = RateLimit(rate, clock=clock)
        self._metrics = metrics

    async def answer(
        self, dialect: Dialect, route: APIRoute, operation: Handler, request: Request
    ) -> Response:
        """The answer of ``operation``, or a refusal in the words of ``dialect``. Never raises."""
        began, request_id = monotonic(), uuid4()
        refuse = partial(self._refuse, dialect, request_id)
        workspace: str | None = None
        try:
            key = await self._key(request)
            workspace = key.workspace
            response = await self._once(key, operation, request, refuse)
        except Exception as error:  # noqa: BLE001 - the edge: no code behind it would answer
            response = refuse(error)
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

    def refuse_address(self, dialect: Dialect, error: Exception) -> Response:
        """The answer for an unknown address, or for a method that the address does not take."""
        began, request_id = monotonic(), uuid4()
        response = self._refuse(dialect, request_id, error)
        response.headers["X-Request-Id"] = str(request_id)
        self._note(dialect, "unknown", response, began=began, request_id=request_id)
        return response

    def _refuse(self, dialect: Dialect, request_id: UUID, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("request failed", request_id=request_id, exc_info=error)
        response = answered(*dialect.word(problem, request_id))
        response.headers.update(problem.headers)
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
            # The caller is unknown. A line for each of its requests could fill the logs.
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
        scheme, space, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not space:
            if "x-api-key" not in request.headers:
                raise problems.not_authorized("missing_authorization_header")
            presented = request.headers["x-api-key"]
        key = await self._store.read(lambda reader: keys.find(reader, presented.strip()))
        if key is None or not await self._is_served(key.workspace):
            raise problems.not_authorized("invalid_api_key")
        if seconds := self._rate_limit.take(key.id):
            raise problems.too_many(seconds)
        return key

    async def _is_served(self, workspace: str) -> bool:
        try:
            return await self._serves(workspace)
        except UserError as error:
            raise problems.slack_unavailable(error) from None

    async def _once(
        self, key: Key, operation: Handler, request: Request, refuse: Refuse
    ) -> Response:
        """Runs ``operation`` once for each Idempotency-Key, and repeats its first answer.

        `ApiCall.keep` keeps the answer of a change in the transaction of the change.
        """
        body = await _read(request)
        claimed = await self._claimed(key, request, body)
        if isinstance(claimed, Answered):
            return _replayed(claimed)
        claim = claimed.claim if claimed else None
        try:
            return await operation(await self._checked(key, request, body, claim))
        except Exception as error:  # noqa: BLE001 - a refusal is an answer, and is kept as one
            response = refuse(error)
            if claim:
                await self._settle(claim, response)
            return response

    async def _claimed(
        self, key: Key, request: Request, body: bytes | None
    ) -> Admitted | Answered | None:
        """A claim on the request, or the answer kept for it; None without an Idempotency-Key.

        Raises:
            ApiError: the first request is running, was another one, or its text is withdrawn.
        """
        name = _idempotency_key(request)
        if name is None or not _has_valid_length(name) or body is None:
            return None
        keyed = idempotency.KeyedRequest(
            workspace=key.workspace, key=key.id, name=name, digest=_digest(request, body)
        )
        found = await self._store.write(lambda tx: idempotency.claim(tx, keyed, at=self._clock()))
        match found:
            case Running():
                raise problems.still_running()
            case Reused():
                raise problems.key_reused()
            case Answered(body=None):
                raise problems.answer_withdrawn()
        return found

    async def _checked(
        self, key: Key, request: Request, body: bytes | None, claim: UUID | None
    ) -> Request:
        """The request for FastAPI, with its incident found and its body parsed.

        Raises:
            ApiError, NotFound: it is refused.
        """
        actor = _actor(key)
        if (named := request.path_params.get("id")) is not None:
            incident = uuid_of(named)
            if incident is None:
                raise problems.not_found()
            await self._incidents.find(actor, incident)
        await self._find_arranged(actor, request)
        checked = _CheckedRequest(request.scope, body or b"", _parsed(request, body))
        checked.state.call = ApiCall(
            incidents=self._incidents,
            curation=self._curation,
            proving=self._proving,
            clock=self._clock,
            lifecycles=self._lifecycles,
            actor=actor,
            find_member=self._find_member,
            find_place=self._find_place,
            claim=claim,
            leak_guard=key.leak_guard,
        )
        return checked

    async def _find_arranged(self, actor: Actor, request: Request) -> None:
        """Finds the component, the group of components or the webhook that the path names.

        Raises:
            ApiError: there is none.
        """
        for parameter, kind in (("componentId", "component"), ("groupId", "group")):
            if (named := request.path_params.get(parameter)) is None:
                continue
            known = await self._curation.arrangement(actor)
            there = known.components if kind == "component" else known.groups
            if uuid_of(named) not in {one.id for one in there}:
                raise problems.not_found(kind)
        if (webhook := request.path_params.get("webhookId")) is not None:
            endpoints = await self._store.read(lambda reader: reader.endpoints(actor.workspace))
            if uuid_of(webhook) not in {one.id for one in endpoints}:
                raise problems.not_found("webhook")

    async def _settle(self, claim: UUID, response: Response) -> None:
        """Keeps a refusal as the answer. After a failure on our side the claim is given back."""
        body = bytes(response.body).decode()
        receipt = Receipt(claim=claim, status=response.status_code, body=body)
        try:
            if response.status_code < 500:
                await self._store.write(lambda tx: tx.keep(receipt))
            else:
                await self._store.write(lambda tx: idempotency.give_back(tx, claim))
        except (ClaimLost, StoreUnavailable):
            # Nothing was changed, so a repeated request may be answered anew.
            log.warning("answer not kept")


class _CheckedRequest(Request):
    """A request that the gate has read: FastAPI gets the body and the parsed object from here."""

    def __init__(self, scope: Scope, read: bytes, parsed: dict[str, Any] | None) -> None:
        super().__init__(scope)
        self._read = read
        self._parsed = parsed

    async def body(self) -> bytes:
        return self._read

    async def json(self) -> dict[str, Any] | None:
        return self._parsed


def gated(dialect: Dialect) -> type[APIRoute]:
    """The class of the routes of ``dialect``: each operation runs behind the gate."""

    class GatedRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            operation = super().get_route_handler()

            async def handler(request: Request) -> Response:
                gate: Gate = request.app.state.gate
                return await gate.answer(dialect, self, operation, request)

            return handler

    return GatedRoute


def uuid_of(text: str) -> UUID | None:
    """The UUID in its usual form, of 36 characters; None for any other text."""
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


def _idempotency_key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") if request.method in CHANGING else None


def _has_valid_length(idempotency_key: str) -> bool:
    return 0 < len(idempotency_key) <= IDEMPOTENCY_KEY_MAX


def _digest(request: Request, body: bytes) -> str:
    """The SHA-256 of everything that decides what a request does, in hexadecimal."""
    parts = (request.method, request.url.path, request.url.query)
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + body).hexdigest()


def _replayed(first: Answered) -> Response:
    response = answered(first.status, str(first.body))
    response.headers["Idempotency-Replayed"] = "true"
    return response


async def _read(request: Request) -> bytes | None:
    """The body; None if it is too large.

    Raises:
        ApiError: the connection ended within the body.
    """
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_MAX_BYTES:
                return None
    except ClientDisconnect:
        raise problems.unreadable("was cut off") from None
    return bytes(body)


def _parsed(request: Request, body: bytes | None) -> dict[str, Any] | None:
    """The JSON object in the body; None if there is none. The operation checks the fields.

    Raises:
        ApiError: 413, 415 or 422, also for an Idempotency-Key of a wrong length.
    """
    name = _idempotency_key(request)
    if name is not None and not _has_valid_length(name):
        problem = f"must have 1 to {IDEMPOTENCY_KEY_MAX} characters"
        raise problems.invalid([FieldError("Idempotency-Key", problem)])
    if request.method not in CHANGING:
        return None
    if body is None:
        raise problems.body_too_large()
    if not body:
        return None
    if not JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
        raise problems.not_json()
    try:
        value = json.loads(body.decode(), parse_constant=_no_number, object_pairs_hook=_object_of)
    except RepeatedKey as error:
        raise problems.invalid([FieldError(error.name, "is there more than once")]) from None
    # ValueError covers malformed JSON, bytes that are not UTF-8, and numbers of thousands of
    # digits. RecursionError: thousands of brackets.
    except (ValueError, RecursionError):
        raise problems.unreadable("is no valid JSON") from None
    if not isinstance(value, dict):
        raise problems.unreadable("must be a JSON object")
    return value


class RepeatedKey(Exception):
    """An object in the body has two values for ``name``. Parsers disagree on which one counts."""

    def __init__(self, name: str) -> None:
        super().__init__("a key of an object is there more than once")
        self.name = problems.field_name(name)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of ``pairs``.

    Raises:
        RepeatedKey: two of them have one name, however its characters are written.
    """
    whole: dict[str, Any] = {}
    for name, value in pairs:
        if name in whole:
            raise RepeatedKey(name)
        whole[name] = value
    return whole


def _no_number(constant: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)
