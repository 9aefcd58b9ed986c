"""A warm process is one as any other: its surroundings, its signals and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS, until
from tests.ports import a_free_port, listening
from tests.warm import WARM

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture
def started(tmp_path):
    """Starts a program in a folder of its own, with pipes; kills it in the end."""
    programs = []

    def started(python, *arguments, **variables):
        program = subprocess.Popen(
            [python, *arguments],
            cwd=tmp_path,
            env=ENVIRONMENT | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        programs.append(program)
        return program

    yield started
    for program in programs:
        program.kill()
        program.communicate()


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("-m", "bot", "--version"), {}),
        (("-m", "bot", "migrate"), {}),
        (("-m", "bot", "migrate"), {"DATABASE_URL": "sqlite:///another.db"}),
        (("-m", "bot", "keys", "list"), {"TZ": "NPT-5:45", "LOG_LEVEL": "loud"}),
        (("-m", "bot", "nonsense"), {"COLUMNS": "60"}),
        (("-m", "bot.attended", "bot", "--version"), {}),
        (("-c", "import sys; print(__name__, sys.path[0]); sys.exit(sys.argv[1])", "the end"), {}),
        (("-m", "calendar", "2026", "1"), {}),
    ],
)
def test_it_says_and_leaves_what_a_cold_one_does(started, tmp_path, arguments, variables):
    told = []
    for python in (sys.executable, WARM.python):
        before = os.umask(0o027)
        try:
            program = started(python, *arguments, **variables)
        finally:
            os.umask(before)
        said = program.communicate(timeout=PATIENCE_SECONDS)
        files = {file.name: file.stat().st_mode for file in tmp_path.iterdir()}
        for file in tmp_path.iterdir():
            file.unlink()
        told.append((program.returncode, said, files))

    cold, warm = told
    assert warm == cold


def test_its_files_are_no_larger_than_its_shell_allows(tmp_path):
    shell = ("/bin/bash", "-c", 'ulimit -f 1; exec "$0" -c "$1"')
    writing = "open('large', 'wb', 0).write(b'x' * 4096)"
    for python in (sys.executable, WARM.python):
        subprocess.run([*shell, python, writing], cwd=tmp_path, env=ENVIRONMENT, check=True)

        assert (tmp_path / "large").stat().st_size == 1024


@pytest.fixture
async def server(started):
    """A module that runs until it is ended, with its port."""
    port = a_free_port()
    serve = ("-m", "bot.attended", "http.server", str(port), "--bind", "127.0.0.1")
    program = started(WARM.python, *serve)
    await until(lambda: listening(port))
    return program, port


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)],
    ids=lambda value: str(int(value)),
)
async def test_its_signals_reach_its_process_and_it_ends_as_that_does(server, number, code):
    program, port = server

    program.send_signal(number)

    assert program.wait(PATIENCE_SECONDS) == code
    assert not listening(port)


async def test_its_process_does_not_outlive_it(server):
    program, port = server

    program.kill()

    await until(lambda: not listening(port))


async def test_the_end_of_its_standard_input_is_that_of_its_process(server):
    program, port = server

    program.stdin.close()
    program.stdin = None

    # An attended process kills itself then.
    assert program.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert not listening(port)
