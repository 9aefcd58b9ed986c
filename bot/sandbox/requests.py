"""A request to the app, and its acknowledgement."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.blocks import Json

COMMAND = "slash_commands"
INTERACTIVE = "interactive"
EVENT = "events_api"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The app's answer to one request, or Slack's name for its failure."""

    latency_seconds: float
    error: str | None = None
    """``operation_timeout``, ``dispatch_failed``, or None for an acknowledgement in time."""
    status: int | None = None
    """The HTTP status; None in Socket Mode and without an answer."""
    body: Any = None
    """The parsed JSON, or the text, or None for an empty acknowledgement."""
    reason: str = ""
    """``x-slack-retry-reason``: http_timeout, http_error or connection_failed."""
    no_retry: bool = False


@dataclass(slots=True, eq=False)
class Request:
    """One request to the app; ``ack`` is None until the acknowledgement or the failure."""

    id: str
    kind: str
    payload: Json
    at: float
    mode: str
    attempt: int = 0
    redelivered: bool = False
    connection: str | None = None
    ack: Acknowledgement | None = None
