"""What an API answers when it does not do what was asked: one table for both dialects.

A dialect words a `Problem` in its own envelope and adds nothing to it. No problem quotes a body, or
any other value of a field: it may be a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.refusals import (
    ComponentExists,
    Denied,
    IncidentResolved,
    NoPublicSurface,
    NoSuchComponent,
    NoSuchEntry,
    NotFound,
    NothingToRedact,
    Permission,
    RedactionNotPermitted,
    Refused,
    RepeatedComponent,
)
from core.service import ClaimLost, StoreUnavailable
from storage.keys import KeyScope

BODY_MAX_BYTES = 65_536
RETRY_AFTER_SECONDS = 1
FIELD_NAME_MAX = 100
FAULTS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """What ails one field of a request; ``problem`` continues a sentence about it."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A request that was not done. ``status`` and ``code`` are those of the first dialect.

    ``refused`` where a move was asked for, ``reason`` where nobody knows who asks.
    """

    status: int
    code: str
    message: str
    faults: tuple[Fault, ...] = ()
    refused: Refused | None = None
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class TurnedAway(Exception):
    """Raised by the gate and by dialects, with what is to be answered."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def not_authorized(reason: str) -> TurnedAway:
    """Nobody knows who asks. ``reason``: ``missing_authorization_header``, ``invalid_api_key``."""
    message = {
        "missing_authorization_header": "No API key was sent: send it as `Authorization: Bearer "
        "<key>` or as `X-API-Key: <key>`.",
        "invalid_api_key": "The API key is wrong or was revoked: ask the operator for another.",
    }[reason]
    return TurnedAway(
        Problem(
            status=401,
            code="not_authorized",
            message=message,
            reason=reason,
            headers={"WWW-Authenticate": "Bearer"},
        )
    )


def not_found(what: str = "incident") -> TurnedAway:
    """The same, to the byte, for an id that is none, nobody's, and another workspace's."""
    return TurnedAway(_NOT_FOUND[what])


def invalid(faults: Iterable[Fault]) -> TurnedAway:
    """Fields that cannot be taken as they are."""
    return TurnedAway(_invalid(tuple(faults)))


def unreadable(why: str) -> TurnedAway:
    """A body that is no JSON object at all."""
    return invalid([Fault("body", why)])


def body_too_large() -> TurnedAway:
    return TurnedAway(
        Problem(
            status=413,
            code="body_too_large",
            message=f"The body is larger than {BODY_MAX_BYTES:,} bytes: send less.",
        )
    )


def not_json() -> TurnedAway:
    return TurnedAway(
        Problem(
            status=415,
            code="unsupported_media_type",
            message="The body must be JSON: send `Content-Type: application/json`.",
        )
    )


def too_many(retry_after_seconds: int) -> TurnedAway:
    return TurnedAway(
        Problem(
            status=429,
            code="rate_limited",
            message=f"Too many requests with this key: try again in {retry_after_seconds} s.",
            headers={"Retry-After": str(retry_after_seconds)},
        )
    )


def nobody_to_ask(error: UserError) -> TurnedAway:
    """Slack, which knows who somebody is, does not answer."""
    return TurnedAway(_unavailable(error.message))


def invalid_target_user() -> TurnedAway:
    return TurnedAway(
        Problem(
            status=400,
            code="invalid_target_user",
            message="The target user must be a full member of this workspace: choose another.",
        )
    )


def key_reused() -> TurnedAway:
    """The ``Idempotency-Key`` came with another request before."""
    return _conflict("This Idempotency-Key belongs to another request: use a new one.")


def answer_withdrawn() -> TurnedAway:
    """The first answer held a text that is gone."""
    return _conflict("This request was done; the text that it wrote has been withdrawn since.")


def still_running() -> TurnedAway:
    return _conflict(
        "A request with this Idempotency-Key is running: ask again for its answer.",
        {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _conflict(message: str, headers: Mapping[str, str] | None = None) -> TurnedAway:
    return TurnedAway(
        Problem(status=409, code="idempotency_conflict", message=message, headers=headers or {})
    )


_NOT_FOUND = {
    what: Problem(
        status=404, code="not_found", message=f"No {what} with the given ID exists in {where}."
    )
    for what, where in {
        "incident": "your workspace",
        "update": "the timeline of this incident",
    }.items()
}

_SCOPES = {
    Permission.JOIN: KeyScope.READ,
    Permission.RESPOND: KeyScope.WRITE,
    Permission.PUBLISH: KeyScope.PUBLISH,
    Permission.ADMINISTER: KeyScope.ADMIN,
}

# What pydantic finds, by the name it has for it, in our words. Its own may quote the value.
_FINDINGS = {
    "bool_type": "must be true or false",
    "dict_type": "must be a JSON object",
    "extra_forbidden": "is not known: leave it out",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode text",
    "union_tag_not_found": "is missing",
}


def problem_of(  # noqa: PLR0911 - one return for each kind of error, side by side
    error: Exception, *, named: Mapping[str, str]
) -> Problem:
    """What is to be answered for ``error``; anything unforeseen is a fault on our side.

    ``named`` gives a field of core the name that it has in the request.
    """
    match error:
        case TurnedAway():
            return error.problem
        case RequestValidationError():
            return _invalid(tuple(map(_fault, error.errors())))
        case UserError():
            return _refusal(error, named)
        case ClaimLost():
            return still_running().problem
        case StoreUnavailable():
            # Not that nothing was changed: that is not always known.
            return _unavailable("The database does not answer. Try again, with an Idempotency-Key.")
        case HTTPException(status_code=405):
            return Problem(
                status=405,
                code="method_not_allowed",
                message="This address does not take that method.",
                headers=error.headers or {},
            )
        case HTTPException(status_code=404):
            return Problem(
                status=404,
                code="not_found",
                message="There is no such address: /openapi.json lists those that there are.",
            )
        case _:
            return Problem(
                status=500,
                code="server_error",
                message="An unexpected error occurred on our side. It has been logged.",
            )


def _unavailable(message: str) -> Problem:
    return Problem(
        status=503,
        code="unavailable",
        message=message,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _refusal(  # noqa: PLR0911 - the same
    error: UserError, named: Mapping[str, str]
) -> Problem:
    refused = error if isinstance(error, Refused) else None
    match error:
        case InvalidField():
            return _invalid((Fault(named.get(error.field, error.field), error.problem),))
        case UnknownLifecycle():
            names = ", ".join(error.known)
            return _invalid((Fault("lifecycle", f"must be one of {names}"),))
        case EmptyUpdate():
            return _invalid((Fault(named.get("note", "body"), "or a status must be given"),))
        case NotFound():
            return _NOT_FOUND["incident"]
        case NoSuchEntry():
            return _NOT_FOUND["update"]
        case NothingToRedact():
            return Problem(
                status=400, code="nothing_to_redact", message="This update has no text to withdraw."
            )
        case Denied():
            scope = _SCOPES[error.permission]
            return Problem(
                status=403,
                code="insufficient_scope",
                message=f"This API key may not do that: it takes one of the scope {scope}.",
            )
        case _:
            status, code = _CODES.get(type(error), (400, "invalid_status_transition"))
            return Problem(status=status, code=code, message=error.message, refused=refused)


# Whatever else is refused is a move that the lifecycle does not allow.
_CODES: dict[type[UserError], tuple[int, str]] = {
    NoSuchComponent: (400, "invalid_component_id"),
    RepeatedComponent: (400, "duplicate_component_id"),
    ComponentExists: (409, "name_conflict"),
    IncidentResolved: (400, "incident_resolved"),
    NoPublicSurface: (400, "no_public_surface"),
    RedactionNotPermitted: (403, "redaction_not_permitted"),
}


def _invalid(faults: tuple[Fault, ...]) -> Problem:
    told = "; ".join(f"{fault.field} {fault.problem}" for fault in faults[:FAULTS_TOLD])
    return Problem(status=422, code="validation_failed", message=f"{told}.", faults=faults)


def _fault(error: Mapping[str, Any]) -> Fault:
    """One of pydantic's findings.

    Source: https://docs.pydantic.dev/latest/errors/validation_errors
    """
    kind, place, told = error["type"], error["loc"], error.get("ctx", {})
    match kind:
        case "string_too_short":
            problem = f"must have {told['min_length']} character or more"
        case "string_too_long":
            problem = f"has more than {told['max_length']:,} characters"
        case "too_long":
            problem = f"has more than {told['max_length']} entries"
        case "literal_error" | "enum":
            problem = f"must be {told['expected'].replace(chr(39), '')}"
        case "union_tag_invalid":
            problem = f"must be {told['expected_tags'].replace(chr(39), '')}"
        case "value_error":
            problem = str(told["error"])
        case _:
            problem = _FINDINGS.get(kind, "cannot be taken")
    parts = list(place[1:])
    if len(parts) > 1 and parts[0] in TAGS:
        del parts[0]
    if discriminator := told.get("discriminator"):
        parts.append(discriminator.strip("'"))
    return Fault(".".join(map(_shown, parts)) or str(place[0]), problem)


# Which of two shapes of a body was meant; pydantic puts it before the name of the field.
TAGS = frozenset({"internal", "public"})


def _shown(part: object) -> str:
    """The name of a field, which a client may have made up."""
    whole = str(part).encode("utf-8", "replace").decode()
    return whole if len(whole) <= FIELD_NAME_MAX else f"{whole[:FIELD_NAME_MAX]}…"
