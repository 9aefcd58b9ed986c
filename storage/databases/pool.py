"""Threads that run work on a database, and hand each outcome back to its caller."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import Connection

from core.store import StoreUnavailable

Work = Callable[[Connection], Any]

# The longest queue. Beyond it work is refused: each waiting job holds memory, and its caller will
# have given up before its turn comes.
WAITING_MAX = 10_000
# The longest wait for a turn.
TURN_SECONDS = 30
READERS = 4


class Reply(Protocol):
    """A future, of asyncio or of a thread, that takes the outcome of a work."""

    def done(self) -> bool:
        """Whether it has an outcome already, or its caller has given up."""

    def set_result(self, result: Any, /) -> None:
        """The work is committed and returned ``result``."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Nothing of the work was kept, because of ``exception``."""


@dataclass(slots=True)
class Job:
    """A work with its reply and, in the end, its outcome. ``loop`` None: a thread waits for it."""

    work: Work
    reply: Reply
    loop: asyncio.AbstractEventLoop | None
    result: Any = None
    error: BaseException | None = None
    given_at: float = field(default_factory=monotonic)

    def begins(self) -> bool:
        """Whether it is to be run: its caller still waits, and has not waited too long."""
        if not self.reply.done() and monotonic() - self.given_at > TURN_SECONDS:
            self.error = StoreUnavailable("the database is too busy: others were before this")
        return self.error is None and not self.reply.done()

    def tell(self) -> None:
        if self.reply.done():
            return
        if self.error is None:
            self.reply.set_result(self.result)
        else:
            self.reply.set_exception(self.error)


class Crew:
    """Threads that take jobs from one queue. ``run`` gets up to ``together`` of them at a time.

    A thread starts when a job comes and none is idle, until there are ``threads``: each opens a
    connection of its own.
    """

    def __init__(
        self, run: Callable[[list[Job]], None], *, name: str, threads: int, together: int = 1
    ) -> None:
        self._run = run
        self._together = together
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._name = name
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        # One for each thread that has ended its jobs, and is not yet meant for another.
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Runs ``work`` in a thread. The future belongs to the running event loop."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Any] = loop.create_future()
        self._put(Job(work, reply, loop))
        return reply

    def run_now(self, work: Work) -> Any:
        """Runs ``work`` in a thread, and waits for it."""
        reply: Future[Any] = Future()
        self._put(Job(work, reply, None))
        return reply.result()

    def _put(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._jobs.qsize() >= WAITING_MAX:
                raise StoreUnavailable("the database is too busy: too much waits already")
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._wanted:
                self._start()
            self._jobs.put(job)

    def _start(self) -> None:
        name = f"{self._name}-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system gives no more; those that there are take the job in their turn.
            if not self._threads:
                raise StoreUnavailable("the system starts no thread") from None
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            stop = False
            with contextlib.suppress(queue.Empty):
                while len(jobs) < self._together and not stop:
                    following = self._jobs.get_nowait()
                    if following is None:
                        stop = True
                    else:
                        jobs.append(following)
            wanted = [job for job in jobs if job.begins()]
            try:
                if wanted:
                    self._run(wanted)
            except BaseException as error:  # noqa: BLE001 - a dead thread would leave callers waiting
                for failed in wanted:
                    failed.error = error
            # Before its callers are told, so that what they ask next starts no other thread.
            self._idle.release()
            _tell(jobs)
            if stop:
                return

    def close(self) -> None:
        """Finishes the queued jobs and refuses new ones."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            thread.join()


def _tell(jobs: list[Job]) -> None:
    """Hands every job its outcome, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, there in by_loop.items():
        if loop is None:
            _tell_all(there)
        else:
            # A closed loop raises RuntimeError; no caller waits there any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_tell_all, there)


def _tell_all(jobs: list[Job]) -> None:
    for job in jobs:
        job.tell()
