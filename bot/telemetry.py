"""Log lines and metrics. Neither can hold text that people wrote.

A log line is the name of an event, and fields out of `FIELDS`. Any other field is dropped, and the
line names it: a careless call cannot write a note into the log. Errors are logged as type and
place, without their message, which may quote a text. Lines of libraries and uncaught errors keep
their level and place, and lose their text for the same reason.
"""

from __future__ import annotations

import atexit
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.log_writer import LogWriter

# All fields that a log line may have. None of them is a person's free text.
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

# Keys that structlog's formatter adds to the fields, and removes before it writes.
META = frozenset({"_from_structlog", "_record"})

SECRETS = re.compile(
    r"xox[a-z](?:\.xox[a-z])?-[\w.-]+|xapp-[\w.-]+|rk_live_\w+"
    r"|https://hooks\.slack(?:-gov)?\.com/\S+|://[^/\s:]*:\S*@"
)
# Characters that end a line, move a terminal's cursor or change the direction of the text.
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
LINE_MAX = 1_000
FRAMES = 12
CAUSES = 4


def safe_line(text: str) -> str:
    """``text`` as one line of at most 1,000 characters, with tokens and passwords masked."""
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
    """Masks secrets, and replaces characters that could end a line or colour a terminal."""
    return {name: value if name in META else _plain(value) for name, value in event.items()}


def _plain(value: object) -> object:
    """``value`` if its type limits its text; otherwise the name of the type."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() | UUID() | date() | Enum() | PurePath():
            return safe_line(str(value))
        case _:
            # An error's text has its message, and a list's text has its items.
            return f"<{type(value).__qualname__}>"


def _errors_as_places(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    event.pop("stack_info", None)
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = " < ".join(_kinds(error))
        event["where"] = _place(error) or event.get("where")
    return event


def _kinds(error: BaseException) -> Iterator[str]:
    """The types of ``error``, of its cause, of that one's cause, …, without messages."""
    cause: BaseException | None = error
    for _ in range(CAUSES):
        if cause is None:
            return
        yield type(cause).__qualname__
        context = None if cause.__suppress_context__ else cause.__context__
        cause = cause.__cause__ or context


def _place(error: BaseException) -> str:
    """The calls that led to ``error``, newest first, without messages and values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(
        f"{'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )


def _libraries_without_text(
    _: object, __: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """Replaces a library's text, which may quote a body, by its place in the library's source."""
    record: logging.LogRecord = event["_record"]
    event["event"] = "library"
    event["logger"] = record.name
    event["where"] = f"{record.module}:{record.lineno}"
    return event


def configure_logs(*, log_format: str, log_level: str) -> None:
    """Sends all log lines, ours and the libraries', to standard error in one format."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    ours: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        # Quotes values: an unquoted value that contains "x=1" would look like another field.
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
        logger_factory=_LineLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(LINES)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, _libraries_without_text],
            processors=[
                *safe,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                last,
            ],
            # Never formats the text: an error in the format would print its arguments.
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, level))
    # Otherwise logging prints a line that it cannot write, with its arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    _log_uncaught_errors()


def _log_uncaught_errors() -> None:
    """Logs uncaught errors as type and place; Python would print their messages."""
    sys.excepthook = lambda _, error, __: log.critical("crashed", exc_info=error)
    sys.unraisablehook = lambda raised: log.error("clean-up failed", exc_info=raised.exc_value)
    threading.excepthook = lambda raised: log.error("thread died", exc_info=raised.exc_value)


log = structlog.get_logger("ratchet")

# All lines of the process; nobody waits for them but its end.
LINES = LogWriter(lambda count: log.warning("log lines dropped", count=count))
atexit.register(LINES.finish)

# For the server's connections. Our errors are logged. Malformed HTTP is not: anybody could fill the
# disk with such lines.
connections_log = logging.getLogger("ratchet.connections")
connections_log.setLevel(logging.ERROR)


class _LineLogger:
    """Hands finished lines to `LINES`. structlog's own loggers hold a lock while they write."""

    def __init__(self, *_: object) -> None: ...

    def msg(self, line: str) -> None:
        LINES.write(f"{line}\n")

    debug = info = warning = error = critical = msg


class _DroppedLines(Collector):
    """The count of log lines that nobody took, as a metric."""

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "ratchet_log_lines_dropped",
            "Log lines dropped because standard error took no more",
            value=LINES.dropped,
        )


class Metrics:
    """The metrics of `/metrics`. Labels are words of our own tables, never a person's text."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_DroppedLines())
        self.requests = Counter(
            "ratchet_requests",
            "Requests by entry point, verb and outcome (done, refused, failed)",
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
            "Attempts to deliver by surface and outcome (delivered, later, dead)",
            ["surface", "outcome"],
            registry=self.registry,
        )
        self.delivered_after = Histogram(
            "ratchet_delivery_seconds",
            "Time from a message's due time to its delivery",
            ["surface"],
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
            registry=self.registry,
        )
        self.milestones = {
            name: Histogram(
                f"ratchet_incident_{name}_seconds",
                f"Time {what}, of incidents that are not private, by severity",
                ["severity"],
                buckets=(60, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800),
                registry=self.registry,
            )
            for name, what in {
                "acknowledge": "from a declaration to its first acknowledgement",
                "public_update": "from the start of an incident until its first public text is out",
                "resolve": "from the start of an incident until the public reads that it is over",
            }.items()
        }
        self.outbox = Gauge(
            "ratchet_outbox_messages",
            "Outbox messages by state",
            ["state"],
            registry=self.registry,
        )
        self.outbox_age = Gauge(
            "ratchet_outbox_oldest_due_seconds",
            "Age of the oldest due outbox message",
            registry=self.registry,
        )
        self.webhook_messages = Gauge(
            "ratchet_webhook_messages",
            "Messages to webhooks that wait, or were given up (waiting, dead)",
            ["state"],
            registry=self.registry,
        )
        self.webhooks_off = Gauge(
            "ratchet_webhooks_off",
            "Webhooks that failed until they were switched off",
            registry=self.registry,
        )
