"""A module run as a program, while the process that began it lives.

``python -m bot.attended bot serve`` is ``python -m bot serve``, and reads standard input, which it
is given as a pipe. A process that is killed cannot end those that it began, but its pipes close: a
bot that outlived its demo would keep the demo's port and its database.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from threading import Thread


def _end_with_the_pipe() -> None:
    """Ends this process at once when standard input is closed, as ``kill -9`` does."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Thread(target=_end_with_the_pipe, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
