"""A request to the app, and its acknowledgement."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.blockkit import Json

COMMAND = "slash_commands"
INTERACTIVE = "interactive"
EVENT = "events_api"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the app answered to one request, or the name of the failure that Slack would give it."""

    latency_seconds: float
    error: str | None = None
    """``operation_timeout``, ``dispatch_failed``, or None when the app acknowledged in time."""
    status: int | None = None
    """The HTTP status; None in Socket Mode and when no answer came."""
    body: Any = None
    """The parsed JSON, or the text, or None for an empty acknowledgement."""
    reason: str = ""
    """Why, in the words of ``x-slack-retry-reason``: http_timeout, http_error,
    connection_failed."""
    no_retry: bool = False


@dataclass(slots=True, eq=False)
class Request:
    """One request to the app, with its acknowledgement once there is one."""

    id: str
    kind: str
    payload: Json
    at: float
    mode: str
    attempt: int = 0
    redelivered: bool = False
    connection: str | None = None
    ack: Acknowledgement | None = None
