"""Every refusal and failure that an API answer can report: one table for both dialects.

A dialect words a `Problem` in its own envelope and adds nothing. No problem quotes a body or any
other value of a field, which may be a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from bot.ways import over_http
from core.denials import Denied, Permission
from core.errors import EmptyUpdate, InvalidField, UnknownLifecycle, UserError
from core.leaks import Leak
from core.missing import NoSuchComponent, NoSuchEntry, NoSuchWebhook, NotFound, NotSubscribed
from core.refusals import (
    ComponentExists,
    CurrentTitle,
    IncidentResolved,
    NoPublicSide,
    NoPublicSurface,
    NotAComponent,
    NothingToRedact,
    PossibleLeak,
    RedactionNotPermitted,
    Refused,
    RepeatedComponent,
)
from core.store import ClaimLost, StoreUnavailable
from storage.keys import KeyScope

BODY_MAX_BYTES = 65_536
RETRY_AFTER_SECONDS = 1
FIELD_NAME_MAX = 100
FIELDS_IN_MESSAGE = 10

# For requests that use the names of core's fields.
SAME_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be accepted; ``problem`` continues a sentence that begins with it."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refusal or a failure. ``status`` and ``code`` are those of dialect 1.

    ``refused`` is set for a refused transition, ``reason`` for a missing or invalid API key,
    ``findings`` for a public text that was stopped.
    """

    status: int
    code: str
    message: str
    fields: tuple[FieldError, ...] = ()
    refused: Refused | None = None
    findings: tuple[Leak, ...] = ()
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """Ends a request with ``problem`` as its answer. Raised by the gate and by the dialects."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def not_authorized(reason: str) -> ApiError:
    """``reason``: ``missing_authorization_header`` or ``invalid_api_key``."""
    message = {
        "missing_authorization_header": "No API key was sent: send it as `Authorization: Bearer "
        "<key>` or as `X-API-Key: <key>`.",
        "invalid_api_key": "The API key is wrong or was revoked: ask the operator for another.",
    }[reason]
    return ApiError(
        Problem(
            status=401,
            code="not_authorized",
            message=message,
            reason=reason,
            headers={"WWW-Authenticate": "Bearer"},
        )
    )


def not_found(kind: str = "incident") -> ApiError:
    """Malformed, unknown and foreign ids get the same answer, to the byte."""
    return ApiError(_NOT_FOUND[kind])


def invalid(fields: Iterable[FieldError]) -> ApiError:
    """The body or the query fails validation."""
    return ApiError(_invalid(tuple(fields)))


def unreadable(problem: str) -> ApiError:
    """The body is not a JSON object."""
    return invalid([FieldError("body", problem)])


def body_too_large() -> ApiError:
    return ApiError(
        Problem(
            status=413,
            code="body_too_large",
            message=f"The body is larger than {BODY_MAX_BYTES:,} bytes: send less.",
        )
    )


def not_json() -> ApiError:
    return ApiError(
        Problem(
            status=415,
            code="unsupported_media_type",
            message="The body must be JSON: send `Content-Type: application/json`.",
        )
    )


def too_many(retry_after_seconds: int) -> ApiError:
    return ApiError(
        Problem(
            status=429,
            code="rate_limited",
            message=f"Too many requests with this key: try again in {retry_after_seconds} s.",
            headers={"Retry-After": str(retry_after_seconds)},
        )
    )


def slack_unavailable(error: UserError) -> ApiError:
    """Slack, which knows the members of a workspace, does not answer."""
    return ApiError(_unavailable(error.told(over_http)))


def invalid_target_user() -> ApiError:
    return ApiError(
        Problem(
            status=400,
            code="invalid_target_user",
            message="The target user must be a full member of this workspace: choose another.",
        )
    )


def key_reused() -> ApiError:
    """The ``Idempotency-Key`` belongs to another request."""
    return _conflict("This Idempotency-Key belongs to another request: use a new one.")


def answer_withdrawn() -> ApiError:
    """The kept answer held a text that has been withdrawn."""
    return _conflict("This request was done; the text that it wrote has been withdrawn since.")


def still_running() -> ApiError:
    return _conflict(
        "A request with this Idempotency-Key is running: ask again for its answer.",
        {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _conflict(message: str, headers: Mapping[str, str] | None = None) -> ApiError:
    return ApiError(
        Problem(status=409, code="idempotency_conflict", message=message, headers=headers or {})
    )


_NOT_FOUND = {
    kind: Problem(
        status=404, code="not_found", message=f"No {kind} with the given ID exists in {place}."
    )
    for kind, place in {
        "incident": "your workspace",
        "update": "the timeline of this incident",
        "component": "your workspace",
        "group": "your workspace",
        "webhook": "your workspace",
    }.items()
}

_SCOPES = {
    Permission.JOIN: KeyScope.READ,
    Permission.RESPOND: KeyScope.WRITE,
    Permission.PUBLISH: KeyScope.PUBLISH,
    Permission.ADMINISTER: KeyScope.ADMIN,
}

# Our wording for each type of pydantic error. Pydantic's own messages may quote the value.
_WORDING = {
    "bool_type": "must be true or false",
    "dict_type": "must be a JSON object",
    "int_type": "must be a whole number",
    "extra_forbidden": "is not known: leave it out",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode text",
    "union_tag_not_found": "is missing",
}

_PUBLIC_ONLY = "belongs to a public update: leave it out of an internal one"

# What a text needs that has a form; the words are those of core.
_FORMS = {
    "eventId": "must be the id of an event, as the log has it",
    "slug": "needs 1 to 40 small letters, digits and hyphens, and no hyphen at its ends",
    "language": 'is no language tag: write one such as "en" or "de-CH"',
}


def problem_of(  # noqa: PLR0911 - one return for each kind of error, side by side
    error: Exception, *, fields: Mapping[str, str] = SAME_NAMES
) -> Problem:
    """The problem to answer for ``error``; an unforeseen error is a 500.

    ``fields`` maps fields of core to their names in the request.
    """
    match error:
        case ApiError():
            return error.problem
        case RequestValidationError():
            return _invalid(tuple(map(_field_error, error.errors())))
        case UserError():
            return _refusal(error, fields)
        case ClaimLost():
            return still_running().problem
        case StoreUnavailable():
            # Does not say that nothing was changed: after a lost commit that is unknown.
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
                message="There is no such address: /openapi.json lists all addresses.",
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
    error: UserError, fields: Mapping[str, str]
) -> Problem:
    refused = error if isinstance(error, Refused) else None
    match error:
        case NotAComponent() | InvalidField():
            return _invalid((FieldError(fields.get(error.field, error.field), error.problem),))
        case UnknownLifecycle():
            names = ", ".join(error.known)
            return _invalid((FieldError("lifecycle", f"must be one of {names}"),))
        case EmptyUpdate():
            return _invalid((FieldError(fields.get("note", "body"), "or a status must be given"),))
        case NotFound():
            return _NOT_FOUND["incident"]
        case NoSuchEntry():
            return _NOT_FOUND["update"]
        case CurrentTitle():
            return Problem(status=400, code="nothing_to_redact", message=error.told(over_http))
        case NothingToRedact():
            return Problem(
                status=400, code="nothing_to_redact", message="This update has no text to withdraw."
            )
        case PossibleLeak():
            confirms = fields.get("confirmed", "confirmPublic")
            return Problem(
                status=409,
                code="possible_leak",
                message=f"{error.told(over_http)} `{confirms}: true` confirms it.",
                findings=error.findings,
            )
        case Denied():
            scope = _SCOPES[error.permission]
            return Problem(
                status=403,
                code="insufficient_scope",
                message=f"This API key may not do that: the request needs the scope {scope}.",
            )
        case _:
            status, code = _CODES.get(type(error), (400, "invalid_status_transition"))
            return Problem(status=status, code=code, message=error.told(over_http), refused=refused)


# Every other refusal is a transition that the lifecycle does not allow.
_CODES: dict[type[UserError], tuple[int, str]] = {
    NoSuchComponent: (400, "invalid_component_id"),
    NoSuchWebhook: (404, "not_found"),
    NotSubscribed: (404, "not_found"),
    RepeatedComponent: (400, "duplicate_component_id"),
    ComponentExists: (409, "name_conflict"),
    IncidentResolved: (400, "incident_resolved"),
    NoPublicSide: (404, "not_found"),
    NoPublicSurface: (400, "no_public_surface"),
    RedactionNotPermitted: (403, "redaction_not_permitted"),
}


def _invalid(fields: tuple[FieldError, ...]) -> Problem:
    listed = "; ".join(f"{one.field} {one.problem}" for one in fields[:FIELDS_IN_MESSAGE])
    return Problem(status=422, code="validation_failed", message=f"{listed}.", fields=fields)


def _field_error(  # noqa: C901 - one case for each type of error
    error: Mapping[str, Any],
) -> FieldError:
    """One error of pydantic, in our words.

    Source: https://docs.pydantic.dev/latest/errors/validation_errors
    """
    kind, place, context = error["type"], error["loc"], error.get("ctx", {})
    match kind:
        case "string_too_short":
            problem = f"must have {context['min_length']} character or more"
        case "string_too_long":
            problem = f"has more than {context['max_length']:,} characters"
        case "greater_than_equal":
            problem = f"must be {context['ge']:,} or more"
        case "less_than_equal":
            problem = f"must be {context['le']:,} or less"
        case "too_long":
            problem = f"has more than {context['max_length']} entries"
        case "literal_error" | "enum":
            problem = f"must be {context['expected'].replace(chr(39), '')}"
        case "union_tag_invalid":
            problem = f"must be {context['expected_tags'].replace(chr(39), '')}"
        case "value_error":
            problem = str(context["error"])
        case "missing" if place == ("body",):
            problem = "is missing: send a JSON object"
        case _:
            named = _PUBLIC_ONLY if place[1:] in PUBLIC_FIELDS else None
            problem = named or _WORDING.get(kind) or _FORMS.get(str(place[-1]), "is invalid")
    parts = list(place[1:])
    if len(parts) > 1 and parts[0] in VARIANTS:
        del parts[0]
    if discriminator := context.get("discriminator"):
        parts.append(discriminator.strip("'"))
    return FieldError(".".join(map(field_name, parts)) or str(place[0]), problem)


# The two shapes of the body of an update. Pydantic puts the shape before the name of the field.
VARIANTS = frozenset({"internal", "public"})
# The fields that an internal update does not have, and a public one has.
PUBLIC_FIELDS = frozenset({("internal", "nextUpdateIn"), ("internal", "confirmPublic")})


def field_name(part: object) -> str:
    """The name of a field. The client may have made it up, of any length and characters."""
    whole = str(part).encode("utf-8", "replace").decode()
    return whole if len(whole) <= FIELD_NAME_MAX else f"{whole[:FIELD_NAME_MAX]}…"
