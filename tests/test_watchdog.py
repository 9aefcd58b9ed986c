"""A run of tests that is interrupted or killed leaves no server behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import until
from tests.ports import listening
from tests.watchdog import began

ROOT = Path(__file__).parents[1]

# A suite that starts one server of each kind, says which, and hangs.
HANGING = """
import asyncio
import os
from pathlib import Path

from tests.command import a_command
from tests.ports import a_free_port, listening
from tests.patience import until
from tests.postgres import binaries
from tests.promises.conftest import environment
from tests.promises.processes import Server
from tests.standin import a_standin

async def test_it_hangs(request, tmp_path):
    async with a_standin() as slack:
        port = a_free_port()
        variables = environment(slack, "sqlite:///one.db", PORT=str(port))
        server = Server(environment(slack, f"sqlite:///{tmp_path}/other.db"))
        await server.start()
        async with a_command("serve", folder=tmp_path, **variables) as process:
            await until(lambda: listening(port))
            pids = [process.pid, server.pid]
            if binaries():
                pids.append(request.getfixturevalue("postgresql").pid)
                Path("folder").write_text(str(request.getfixturevalue("postgresql").folder))
            Path("port").write_text(str(port))
            Path("started").write_text(" ".join(map(str, [os.getpid(), *pids])))
            await asyncio.Event().wait()
"""


# A shell starts background jobs with Ctrl-C ignored, and every descendant inherits that.
INTERRUPTIBLE = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture
def hanging(tmp_path):
    """A run of pytest with ``options``, which hangs once its servers have started."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    running = contextlib.ExitStack()

    def hanging(*options):
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", INTERRUPTIBLE),
                *("-m", "pytest", "-q", "-c", ROOT / "pyproject.toml"),
                *("--rootdir", tmp_path, "-p", "tests.conftest", "--basetemp", tmp_path / "tmp"),
                *(*options, tmp_path / "test_hanging.py"),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        running.callback(process.wait)
        running.callback(process.kill)
        return process

    with running:
        yield hanging


def interrupted(run, _worker):
    """Ctrl-C, which every process of the terminal gets."""
    os.killpg(run.pid, signal.SIGINT)


def terminated(run, _worker):
    run.terminate()


def killed(run, _worker):
    run.kill()


def worker_killed(_run, worker):
    os.kill(worker, signal.SIGKILL)


ONE_PROCESS, XDIST = (), ("-n", "1")


@pytest.mark.parametrize(
    ("end", "options"),
    [
        (interrupted, ONE_PROCESS),
        (killed, XDIST),
        pytest.param(killed, ONE_PROCESS, marks=pytest.mark.torture),
        pytest.param(terminated, ONE_PROCESS, marks=pytest.mark.torture),
        pytest.param(interrupted, XDIST, marks=pytest.mark.torture),
        pytest.param(worker_killed, XDIST, marks=pytest.mark.torture),
    ],
    ids=lambda value: value.__name__ if callable(value) else " ".join(value) or "one process",
)
async def test_a_run_that_ends_early_leaves_no_server_behind(end, options, hanging, tmp_path):
    run = hanging(*options)
    started = tmp_path / "started"
    await until(lambda: run.poll() is not None or (started.exists() and started.read_text()))
    worker, *servers = map(int, started.read_text().split())
    assert all(began(pid) for pid in servers)

    end(run, worker)

    await until(lambda: not any(began(pid) for pid in servers))
    # The command's process is behind another one: see `tests.warm`.
    await until(lambda: not listening(int((tmp_path / "port").read_text())))
    kept = tmp_path / "folder"
    await until(lambda: not (kept.exists() and Path(kept.read_text()).exists()))
