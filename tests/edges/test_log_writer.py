"""A log that nobody reads stops nothing: lines wait in a queue, and are dropped and counted."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from bot.log_writer import WAITING_MAX
from bot.telemetry import LINES, Metrics
from tests.warm import WARM

ROOT = Path(__file__).parents[2]
SOME, MANY = 50, 3 * WAITING_MAX

# Logs numbered lines, and says on standard output when it is done with that.
PROGRAM = """
import sys
from bot.telemetry import LINES, configure_logs, log

configure_logs(log_format="json", log_level="info")
for number in range(int(sys.argv[1])):
    log.info("request", count=number)
print("done", flush=True)
sys.stdin.read()
print(LINES.dropped, flush=True)
"""


@pytest.fixture
def program():
    """Starts `PROGRAM` with pipes; standard error is read only as far as a test reads it."""
    started = []

    def program(lines):
        process = subprocess.Popen(
            [WARM.python, "-c", PROGRAM, str(lines)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield program
    for process in started:
        process.kill()
        process.communicate()


def numbers(lines):
    return [line["count"] for line in map(json.loads, lines) if line["event"] == "request"]


def test_nobody_waits_for_a_reader(program):
    process = program(MANY)

    assert process.stdout.readline() == "done\n"


def test_lines_that_fit_into_the_queue_are_all_written_once_somebody_reads(program):
    process = program(SOME)
    process.stdout.readline()

    _, errors = process.communicate("")

    assert numbers(errors.splitlines()) == list(range(SOME))
    assert process.returncode == 0


def test_dropped_lines_are_counted_and_reported_when_the_log_resumes(program):
    process = program(MANY)
    process.stdout.readline()

    out, errors = process.communicate("")

    lines = [json.loads(line) for line in errors.splitlines()]
    reports = [line for line in lines if line["event"] == "log lines dropped"]
    written = numbers(errors.splitlines())
    assert {report["level"] for report in reports} == {"warning"}
    assert sum(report["count"] for report in reports) == MANY - len(written) == int(out)
    assert written == sorted(set(written))


def test_an_end_does_not_wait_for_a_reader_that_never_comes(program):
    process = program(MANY)
    process.stdout.readline()

    process.stdin.close()
    process.stdin = None

    assert process.wait() == 0


def test_a_reader_that_has_gone_stops_nothing(program):
    process = program(SOME)
    process.stderr.close()
    process.stderr = None

    assert process.stdout.readline() == "done\n"
    assert process.communicate("")[0] in {f"{SOME}\n", *(f"{count}\n" for count in range(SOME))}
    assert process.returncode == 0


def test_dropped_lines_are_a_metric():
    found = Metrics().registry.get_sample_value("ratchet_log_lines_dropped_total")

    assert found == LINES.dropped


async def test_a_bot_with_an_unread_log_answers_and_stops(slack, environment, tmp_path):
    reading, writing = os.pipe()
    # The smallest pipe there is: a dozen lines fill it.
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    process = await asyncio.create_subprocess_exec(
        *(WARM.python, "-m", "bot", "serve"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOG_FORMAT": "json"}
        | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=writing,
    )
    os.close(writing)
    try:
        await slack.connected()
        mia = slack.person("mia")
        for number in range(60):
            asked = await mia.command("#payments", f"/incident show {number + 1}")
            assert asked.error is None
            assert f"INC-{number + 1}" in (await asked.answer()).words()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(reading)
