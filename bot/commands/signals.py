"""The end of a command that runs until it is stopped: SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable


def stop_event(last: Callable[[], object] = lambda: None) -> asyncio.Event:
    """An event that the first signal sets. A second signal ends the process at once, with 1.

    ``last`` is called before that.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_end, stop, last)
    return stop


def _stop_or_end(stop: asyncio.Event, last: Callable[[], object]) -> None:
    if stop.is_set():
        last()
        # The operator does not want to wait any longer; everything confirmed is committed.
        os._exit(1)
    stop.set()
