"""The way of log lines to standard error, through a bounded queue and a thread.

Nobody needs to read standard error: a pipe without a reader fills up, and then a write blocks for
good. A request must not wait for that. So lines wait in a queue; without room there, they are
dropped and counted.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

# A line is at most some kilobytes long and usually 300 bytes, so the queue stays in megabytes.
WAITING_MAX = 4_096
# The end of a process may wait for its last lines so long, out of the ten seconds of a stop.
LAST_LINES_SECONDS = 1.0


class LogWriter:
    """Writes to standard error like a stream, and never fails or waits.

    ``report`` logs that so many lines were dropped, as soon as standard error takes lines again.
    A stream in memory, such as the one of a test, is written to at once.
    """

    # A pipe without a reader, a closed file, and no file at all.
    GONE = (OSError, ValueError, AttributeError)

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        # Its `put` may be interrupted by a finalizer that logs; the one of `Queue` may not.
        self._waiting: SimpleQueue[str | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._dropped_since = 0
        self.dropped = 0

    def write(self, text: str) -> None:
        """Takes ``text``, whole lines, for standard error."""
        if _descriptor() is None:
            with contextlib.suppress(*self.GONE):
                sys.stderr.write(text)
        elif threading.current_thread() is self._thread:
            self._put(text)
        elif self._waiting.qsize() >= WAITING_MAX:
            self._drop(text)
        else:
            self._waiting.put(text)
            self._start()

    def flush(self) -> None:
        """Does nothing: the thread writes each line whole."""

    def finish(self, *, seconds: float = LAST_LINES_SECONDS) -> None:
        """Waits until all lines so far are written, at most ``seconds``."""
        if self._thread is not None:
            written = threading.Event()
            self._waiting.put(written)
            written.wait(seconds)

    def _start(self) -> None:
        if self._thread is None and self._starting.acquire(blocking=False):
            # A daemon: at the end of the process it may be blocked for good.
            thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            self._thread = thread
            thread.start()

    def _run(self) -> None:
        while True:
            text = self._waiting.get()
            if isinstance(text, threading.Event):
                text.set()
            elif self._put(text) and self._dropped_since:
                count, self._dropped_since = self._dropped_since, 0
                self._report(count)

    def _drop(self, text: str) -> None:
        lines = text.count("\n")
        self.dropped += lines
        self._dropped_since += lines

    def _put(self, text: str) -> bool:
        """Writes ``text``, however long that takes; whether all of it could be written.

        Not by `sys.stderr`: a thread that is blocked there holds a lock, on which Python's own end
        would wait for good.
        """
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while left:
                descriptor = _descriptor()
                if descriptor is None:
                    raise OSError("no standard error")
                try:
                    left = left[os.write(descriptor, left) :]
                except BlockingIOError:
                    # Another program made the terminal or pipe, which we share, non-blocking.
                    select.select([], [descriptor], [], 1)
        except self.GONE:
            self._drop(text)
            return False
        return True


def _descriptor() -> int | None:
    """The file descriptor of standard error; None for a stream in memory, or none at all."""
    try:
        return sys.stderr.fileno()
    except (io.UnsupportedOperation, AttributeError, ValueError):
        return None
