"""What the operator can see: log lines and metrics. No field of either can hold what people wrote.

A log line is an event's name and fields out of `FIELDS`; any other field is dropped, and the drop
itself is named, so that a note cannot reach a log by a careless call. Errors are logged as their
type and place, without their message, which may quote what somebody typed. Libraries' own lines
keep their level and place and lose their text for the same reason.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

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

SECRETS = re.compile(
    r"xox[a-z]-[\w.-]+|xapp-[\w.-]+|rk_live_\w+|https://hooks\.slack\.com/\S+|://[^/\s:@]*:[^/\s@]+@"
)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
FRAMES = 12


def _only_known_fields(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    known = {name: value for name, value in event.items() if name in FIELDS or name[0] == "_"}
    if dropped := event.keys() - known.keys() - {"exc_info", "stack_info"}:
        known["where"] = "dropped: " + ", ".join(sorted(dropped))
    return known


def _without_forgery(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Masks secrets and takes out what could end a line or colour a terminal."""
    return {name: _clean(value) if name[0] != "_" else value for name, value in event.items()}


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", SECRETS.sub("[secret]", str(value)))


def _errors_as_places(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["where"] = place(error)
    return event


def place(error: BaseException) -> str:
    """Where ``error`` was raised and by way of what, newest first; no message and no values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(
        f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )


def _libraries_without_text(
    _: object, __: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """A library's line says where in its source it spoke; what it said may quote a body."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["event"] = "library"
        event["logger"] = record.name
        event["where"] = f"{record.module}:{record.lineno}"
        if record.exc_info:
            event["exc_info"] = record.exc_info
    return event


def configure_logs(*, log_format: str, log_level: str) -> None:
    """Sends every line of the process, ours and the libraries', to standard error in one form."""
    ours: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
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
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, _libraries_without_text],
            processors=[
                *safe,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


log = structlog.get_logger("ratchet")


class Metrics:
    """The counters of `/metrics`. Labels are names out of our own tables, never what people typed."""

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
