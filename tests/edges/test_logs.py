"""Log lines: no note, no secret, no message of an error, and one line per event."""

import ast
import contextlib
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.telemetry import FIELDS, LINE_MAX, Metrics, configure_logs, log, safe_line
from core.decision import Surface

NOTE = "db-3 lost quorum"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["console", "json"])
def form(request):
    return request.param


@pytest.fixture
def logs(form, capsys, logging_as_before):
    """Logs like those of `ratchet serve`. Each call returns the lines since the last one."""
    # Bolt gives its loggers the root's level when an app is made, perhaps by another test.
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)
    configure_logs(log_format=form, log_level="info")

    def written():
        return capsys.readouterr().err.splitlines()

    return written


def a_failure():
    """An error like a database's: it has a cause, and both quote the text."""
    try:
        int(NOTE)
    except ValueError as cause:
        error = KeyError(NOTE)
        error.__cause__ = cause
        return error


def test_a_line_is_an_event_and_its_fields(logs, form):
    log.info("request", door="command", verb="status", duration_ms=3.1, reason=None)

    (line,) = logs()
    if form == "json":
        told = json.loads(line)
        assert datetime.fromisoformat(told.pop("timestamp")).tzinfo == UTC
        assert told == {
            "door": "command",
            "duration_ms": 3.1,
            "event": "request",
            "level": "info",
            "reason": None,
            "verb": "status",
        }
    else:
        assert "request" in line
        assert "door='command' duration_ms=3.1 reason=None verb='status'" in line


@pytest.mark.parametrize("name", ["note", "text", "body", "_note", "_record_of", "", "exception"])
def test_an_unlisted_field_is_dropped_and_named(logs, name):
    log.info("request", **{name: NOTE}, door="command")

    (line,) = logs()
    assert NOTE not in line
    assert f"dropped: {name}" in line


@pytest.mark.parametrize(
    "value", [ValueError(NOTE), [NOTE], {"note": NOTE}, (NOTE,), NOTE.encode(), lambda: NOTE]
)
def test_a_value_of_another_type_shows_only_its_type(logs, value):
    log.info("request", reason=value)

    (line,) = logs()
    assert NOTE not in line
    assert f"<{type(value).__qualname__}>" in line


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Surface.STATUS_CARD, "status_card"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02 09:00:00+00:00"),
        (Path("ratchet.db"), "ratchet.db"),
        (True, "true"),
        (7, "7"),
    ],
)
def test_plain_values_are_shown(logs, value, shown):
    log.info("request", reason=value)

    assert shown in logs()[0].replace("True", "true")


@pytest.mark.parametrize("given_as", ["the error", "true", "a tuple"])
def test_an_error_is_its_type_and_its_place(logs, given_as):
    try:
        raise a_failure()
    except KeyError as error:
        exc_info = {"the error": error, "true": True, "a tuple": sys.exc_info()}[given_as]
        log.error("request failed", exc_info=exc_info)

    (line,) = logs()
    assert NOTE not in line
    assert "KeyError < ValueError" in line
    assert "edges/test_logs.py:" in line
    assert "test_an_error_is_its_type_and_its_place" in line


def test_exc_info_without_an_error_is_left_out(logs):
    log.error("request failed", exc_info=True)

    assert len(logs()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "aiohttp.client",
        "alembic",
        "apscheduler",
        "asyncio",
        "forged\nlogger",
        "ratchet:_on_command",
        "slack_bolt.AsyncApp",
        "slack_sdk.web",
        "sqlalchemy.pool",
        "uvicorn.error",
    ],
)
def test_a_line_of_a_library_keeps_its_place_and_loses_its_text(logs, name):
    logging.getLogger(name).warning("body: %s", NOTE)
    logging.getLogger(name).error(f"on {NOTE}", exc_info=a_failure())  # noqa: G004 - as Bolt does
    logging.getLogger(name).error("stack", stack_info=True, extra={"note": NOTE})
    logging.getLogger(name).warning("%d of %s", NOTE)  # noqa: PLE1206 - libraries slip too
    logging.getLogger(name).info("not even this: %s", NOTE)

    lines = logs()
    assert len(lines) == 4
    for line in lines:
        assert "test_logs:" in line or "edges/test_logs.py:" in line
        assert NOTE not in line
        assert name.split("\n")[0] in line


def test_libraries_obey_the_log_level(form, logs, capsys):
    configure_logs(log_format=form, log_level="error")
    logging.getLogger("slack_bolt").warning("x")
    log.warning("x")

    assert capsys.readouterr().err == ""


UNCAUGHT = f"""
import threading, warnings
from bot.telemetry import configure_logs

class Left:
    def __del__(self):
        raise ValueError({NOTE!r})

def fail():
    raise ValueError({NOTE!r})

configure_logs(log_format="json", log_level="info")
warnings.warn({NOTE!r})
Left()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
raise ValueError({NOTE!r})
"""


def test_an_uncaught_error_is_logged_without_its_message():
    process = subprocess.run(
        [sys.executable, "-c", UNCAUGHT],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert process.returncode == 1
    assert NOTE not in process.stderr
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "library",
        "clean-up failed",
        "thread died",
        "crashed",
    ]
    assert [line.get("error") for line in lines] == [None, *["ValueError"] * 3]


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234-abcd",
        "xoxe.xoxb-1-abcd",
        "xoxp-1-2-3-abcd",
        "xapp-1-A0-1-abcd",
        "rk_live_abcd1234",
        "https://hooks.slack.com/commands/T0/1/abcd",
        "https://hooks.slack-gov.com/actions/T0/1/abcd",
        "postgresql://ratchet:abcd@db/ratchet",
        "postgresql://ratchet:ab/cd@abcd@db/ratchet",
    ],
)
def test_tokens_and_passwords_are_masked(logs, secret):
    log.info(f"started {secret}", database=secret, reason=f"({secret}, {secret})")

    (line,) = logs()
    assert "abcd" not in line
    assert line.count("[secret]") == 4


CONTROLS = [
    "\n",
    "\r",
    "\x1b[31m",
    "\x00",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ud800",
]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("field", ["event", "reason", "channel"])
def test_a_value_cannot_begin_a_line_or_move_the_cursor(logs, control, field):
    forged = f"C1{control}2026-03-02T09:00:00Z [info] all is well"
    fields = {"event": "request", field: forged}
    log.info(**fields)

    (line,) = logs()
    assert control[0] not in line
    assert all(character.isprintable() for character in line)


def test_a_value_cannot_look_like_a_field(logs, form):
    log.info("request", reason="x\" level=critical error='y")

    (line,) = logs()
    if form == "json":
        assert json.loads(line)["reason"] == "x\" level=critical error='y"
    else:
        assert r"""reason='x" level=critical error=\'y'""" in line


def test_a_long_value_is_cut(logs):
    log.info("request", reason="x" * 1_000_000)

    assert len(logs()[0]) < LINE_MAX + 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(fields=st.dictionaries(st.sampled_from(sorted(FIELDS - {"event"})), st.text()))
def test_any_fields_make_safe_line(logs, fields):
    log.info("request", **fields)

    assert len(logs()) == 1


@given(text=st.text())
def test_a_safe_line_is_safe_line(text):
    assert safe_line(text).splitlines() in ([safe_line(text)], [])


class ClosedPipe:
    """A standard error whose reader is gone."""

    def write(self, _text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize("standard_error", [ClosedPipe(), None])
def test_an_unread_log_raises_no_error(logs, standard_error):
    with contextlib.redirect_stderr(standard_error):
        log.info("request")
        logging.getLogger("slack_bolt").warning("x")


# --- the code that logs ------------------------------------------------------------------------

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def calls_of_log():
    """Each call that writes a log line, with its place."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level)):
                    if level in LEVELS:
                        yield f"{path.stem}:{node.lineno}", node


def test_each_call_of_the_log_has_a_constant_event_and_listed_fields():
    calls = dict(calls_of_log())

    assert len(calls) > 20
    events = {place: call.args for place, call in calls.items()}
    assert {
        place
        for place, words in events.items()
        if len(words) != 1 or not isinstance(words[0], ast.Constant)
    } == set()
    unlisted = {
        place: fields
        for place, call in calls.items()
        if (fields := {word.arg for word in call.keywords} - FIELDS - {"exc_info"})
    }
    assert unlisted == {}


def test_only_telemetry_writes_log_lines():
    own = ROOT / "bot" / "telemetry.py"
    stand_in = ROOT / "bot" / "sandbox"
    for path in sorted((ROOT / "bot").rglob("*.py")):
        if path == own or path.is_relative_to(stand_in):
            continue
        imported = {
            name.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert imported & {"logging", "structlog", "traceback"} == set()
    for path in [*ROOT.glob("core/*.py"), *ROOT.glob("storage/*.py")]:
        assert "getLogger" not in path.read_text()


def test_metrics_have_only_these_labels():
    metrics = Metrics()
    labels = {
        label
        for family in metrics.registry.collect()
        for metric in (metrics.requests, metrics.deliveries, metrics.acknowledged, metrics.outbox)
        for label in metric._labelnames  # noqa: SLF001 - there is no other way to see them
        if family
    }

    assert labels == {"door", "verb", "outcome", "surface", "state"}
