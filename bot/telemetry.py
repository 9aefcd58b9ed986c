"""What the operator can see: log lines and metrics. No field of either can hold what people wrote.

A log line is an event's name and fields out of `FIELDS`; any other field is dropped, and the drop
itself is named, so that a note cannot reach a log by a careless call. Errors are logged as their
type and place, without their message, which may quote what somebody typed. Libraries' own lines,
and errors that nobody caught, keep their level and place and lose their text for the same reason.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO, cast
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Every field a log line may have. None of them is free text of people.
FIELDS = frozenset(
    {
        "action",
        "address",
        "attempts",
        "channel",
        "count",
        "database",
        "door",
        "duration_ms",
        "error",
        "event",
        "incident",
        "level",
        "logger",
        "method",
        "outcome",
        "path",
        "reason",
        "reference",
        "request_id",
        "status",
        "surface",
        "timestamp",
        "verb",
        "version",
        "where",
        "workspace",
    }
)

# What structlog's formatter keeps beside the fields, and takes away before it writes.
META = frozenset({"_from_structlog", "_record"})

SECRETS = re.compile(
    r"xox[a-z](?:\.xox[a-z])?-[\w.-]+|xapp-[\w.-]+|rk_live_\w+"
    r"|https://hooks\.slack(?:-gov)?\.com/\S+|://[^/\s:]*:\S*@"
)
# What ends a line, moves a terminal's cursor, or turns the direction in which a line is read.
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
LINE_MAX = 1_000
FRAMES = 12
CAUSES = 4


def one_line(text: str) -> str:
    """``text`` as one line, at most 1,000 characters long, without tokens and passwords."""
    masked = SECRETS.sub("[secret]", text[: 10 * LINE_MAX])
    cut = masked if len(masked) <= LINE_MAX else masked[: LINE_MAX - 1] + "…"
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", cut)


def _only_known_fields(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    known = {name: value for name, value in event.items() if name in FIELDS or name in META}
    if dropped := event.keys() - known.keys():
        named = "dropped: " + ", ".join(sorted(dropped))
        known["where"] = f"{known['where']}; {named}" if "where" in known else named
    return known


def _without_forgery(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Masks secrets and takes out what could end a line or colour a terminal."""
    return {name: value if name in META else _plain(value) for name, value in event.items()}


def _plain(value: object) -> object:
    """``value`` where its type says all that its text can hold; else the type alone."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() | UUID() | date() | Enum() | PurePath():
            return one_line(str(value))
        case _:
            # An error brings its message along, and a list whatever is in it.
            return f"<{type(value).__qualname__}>"


def _errors_as_places(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    event.pop("stack_info", None)
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = " < ".join(kinds(error))
        event["where"] = place(error) or event.get("where")
    return event


def kinds(error: BaseException) -> Iterator[str]:
    """The type of ``error``, then of what it came of, and so on; no messages."""
    came_of: BaseException | None = error
    for _ in range(CAUSES):
        if came_of is None:
            return
        yield type(came_of).__qualname__
        hidden = None if came_of.__suppress_context__ else came_of.__context__
        came_of = came_of.__cause__ or hidden


def place(error: BaseException) -> str:
    """Where ``error`` was raised and by way of what, newest first; no message and no values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(
        f"{'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )


def _libraries_without_text(
    _: object, __: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """A library's line says where in its source it spoke; what it said may quote a body."""
    record: logging.LogRecord = event["_record"]
    event["event"] = "library"
    event["logger"] = record.name
    event["where"] = f"{record.module}:{record.lineno}"
    return event


class _StandardError:
    """Standard error that cannot fail: no request may fail because nobody reads the logs."""

    # A pipe without a reader, a file that was closed; none at all, where it was never opened.
    GONE = (OSError, ValueError, AttributeError)

    def write(self, text: str) -> None:
        with contextlib.suppress(*self.GONE):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(*self.GONE):
            sys.stderr.flush()


def configure_logs(*, log_format: str, log_level: str) -> None:
    """Sends every line of the process, ours and the libraries', to standard error in one form."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    ours: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        # Quoted values: one that holds "x=1" would otherwise look like a field of its own.
        structlog.dev.ConsoleRenderer(colors=False, repr_native_str=True)
        if log_format == "console"
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    safe: list[structlog.typing.Processor] = [
        _errors_as_places,
        _only_known_fields,
        _without_forgery,
    ]
    structlog.configure(
        processors=[*ours, *safe, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, _libraries_without_text],
            processors=[
                *safe,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                last,
            ],
            # The text is never even put together, so that a slip in it cannot show its parts.
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, level))
    # Else a line that cannot be written is shown with all that it was made of.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    _log_what_nobody_catches()


def _log_what_nobody_catches() -> None:
    """Python's own way is to print the message of the error, and what it was raised about."""
    sys.excepthook = lambda _, error, __: log.critical("crashed", exc_info=error)
    sys.unraisablehook = lambda raised: log.error("clean-up failed", exc_info=raised.exc_value)
    threading.excepthook = lambda raised: log.error("thread died", exc_info=raised.exc_value)


log = structlog.get_logger("ratchet")

# For the server's connections. What somebody sends that is no HTTP leaves no line: anybody could
# fill the disk with them. Our own failures do.
connections_log = logging.getLogger("ratchet.connections")
connections_log.setLevel(logging.ERROR)


class Metrics:
    """The counters of `/metrics`. Labels are words of our own tables, never what people typed."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ratchet_requests",
            "Requests by door, what was asked and how it ended (done, refused, failed)",
            ["door", "verb", "outcome"],
            registry=self.registry,
        )
        self.acknowledged = Histogram(
            "ratchet_acknowledgement_seconds",
            "Time from a Slack request's arrival to its acknowledgement; Slack allows 3",
            ["door"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
            registry=self.registry,
        )
        self.deliveries = Counter(
            "ratchet_deliveries",
            "Messages to Slack by surface and what became of the try (delivered, later, dead)",
            ["surface", "outcome"],
            registry=self.registry,
        )
        self.delivered_after = Histogram(
            "ratchet_delivery_seconds",
            "From the moment when a message was due to the moment when Slack had it",
            ["surface"],
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
            registry=self.registry,
        )
        self.outbox = Gauge(
            "ratchet_outbox_messages",
            "Outbox messages by state",
            ["state"],
            registry=self.registry,
        )
        self.outbox_age = Gauge(
            "ratchet_outbox_oldest_due_seconds",
            "How long the oldest due outbox message has been waiting",
            registry=self.registry,
        )
