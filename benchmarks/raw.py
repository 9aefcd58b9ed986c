"""The floor: the statements of our store for a transition, sent with nothing but the driver.

They are the same, on the same tables, and each transition commits by itself. There is no lifecycle,
no permission, no value of core, and values that can be constants are. A test compares the
statements with those of the store.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any, Self
from uuid import uuid4

from benchmarks.databases import (
    ACTOR,
    CHANNEL,
    NOTE,
    STATUS_CHANNEL,
    WAY,
    WORKSPACE,
    Database,
    now,
)

# A transition to make: the incident's number and the status to move it to.
Step = tuple[int, str]

BY = (ACTOR.person.id, ACTOR.person.name)

FIND = """
SELECT incident.id, incident.workspace_id, incident.number, incident.title, incident.severity,
  incident.lifecycle, incident.status, incident.private, incident.declared_by_id,
  incident.declared_by_name, incident.owner_id, incident.owner_name, incident.acknowledged_by_id,
  incident.acknowledged_by_name, incident.description, incident.channel, incident.channel_private,
  incident.started_at, incident.created_at, incident.updated_at, incident.version,
  incident.last_entry, incident.category, incident.title_public_at, incident.title_before,
  incident.resolution, incident.duplicate_of, incident.component_count, incident.invited_count,
  incident.promise_count, incident.next_update_by, incident.left_owner, incident.channel_count,
  (SELECT posted.posted_in || '/' || posted.ts AS anon_1 FROM posted
  WHERE posted.workspace_id = incident.workspace_id AND posted.incident_id = incident.id
  AND posted.surface = 'working_card' AND posted.channel = incident.channel
  AND posted.entry = 0) AS card,
  workspace.status_channel, workspace.settings_version, workspace.page_published,
  workspace.has_webhooks, workspace.subscriptions
FROM incident JOIN workspace ON workspace.id = incident.workspace_id
WHERE incident.workspace_id = ? AND incident.number = ?"""
LOCKED = " FOR NO KEY UPDATE OF incident FOR KEY SHARE OF workspace"
CHANGE = """
UPDATE incident SET status=?, public_word=?, updated_at=?, version=?, last_entry=?
WHERE incident.workspace_id = ? AND incident.id = ? AND incident.version = ?"""
CLOSE = CHANGE.replace("public_word=?,", "public_word=?, is_open=?, over_at=?,")
RECORD = """
INSERT INTO incident_update
  (workspace_id, incident_id, entry, id, kind, visibility, by_id, by_name, at, body, old, new,
  public_at, passed, next_update_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ENQUEUE = """
INSERT INTO outbox (uid, workspace_id, incident_id, entry, surface, channel, lane, state, attempts,
  due_at, try_at, unsure, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (lane, surface)
WHERE state IN ('available') AND surface IN ('working_card', 'owner_card', 'status_card')
DO UPDATE SET try_at = CASE WHEN (excluded.try_at > outbox.try_at) THEN excluded.try_at
ELSE outbox.try_at END"""
# The cards of a transition: surface, channel, name of the lane.
CARDS = (("working_card", CHANNEL, "working"), ("status_card", STATUS_CHANNEL, "status"))
# The end is announced by a reply as well.
REPLY = ("public_update", STATUS_CHANNEL, "status")


class Raw:
    """Makes transitions on ``database`` without any code of ours."""

    def __init__(self, database: Database) -> None:
        self._sqlite = database.is_sqlite

        def spelt(statement: str) -> str:
            return statement if self._sqlite else statement.replace("?", "%s")

        self._find = FIND if self._sqlite else spelt(FIND + LOCKED)
        self._change, self._close = spelt(CHANGE), spelt(CLOSE)
        self._record, self._enqueue = spelt(RECORD), spelt(ENQUEUE)

    def move(self, connection: Any, number: int, to: str) -> None:
        """One transition with a note, as one transaction."""
        cursor = connection.cursor()
        if self._sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        row = cursor.execute(self._find, (WORKSPACE, number)).fetchone()
        incident, status, version, entry = row[0], row[6], row[20] + 1, row[21] + 1
        at = self._moment()
        key = (WORKSPACE, incident, version - 1)
        if to == WAY[-1]:
            cursor.execute(self._close, (to, to, False, at, at, version, entry, *key))
        else:
            cursor.execute(self._change, (to, to, at, version, entry, *key))
        if cursor.rowcount != 1:
            raise RuntimeError("a concurrent change won")
        line = (WORKSPACE, incident, entry, self._id(), "moved", "internal", *BY, at, NOTE)
        cursor.execute(self._record, (*line, status, to, None, None, None))
        messages = [(None, *card) for card in CARDS]
        if to == WAY[-1]:
            messages.append((entry, *REPLY))
        cursor.executemany(
            self._enqueue,
            [
                (
                    *(self._id(), WORKSPACE, incident, about, surface, channel),
                    *(f"{incident}:{lane}", "available", 0, at, at, False, at),
                )
                for about, surface, channel, lane in messages
            ],
        )
        if self._sqlite:
            cursor.execute("COMMIT")
        else:
            connection.commit()
        cursor.close()

    def _moment(self) -> Any:
        return now().isoformat(" ")[:26] if self._sqlite else now()

    def _id(self) -> Any:
        return uuid4().hex if self._sqlite else uuid4()


class Threads:
    """Clients of the floor, each a thread, with a connection each or with a shared one."""

    def __init__(self, database: Database, clients: int, *, sharing: bool = False) -> None:
        self._raw = Raw(database)
        self._connections = [database.connect() for _ in range(1 if sharing else clients)]
        self._lock: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if sharing else contextlib.nullcontext()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()

    def seconds_each(self, rows: Sequence[Sequence[Step]]) -> float:
        """Make ``rows``, one for each client; returns the seconds for one transition."""
        start = threading.Barrier(len(rows) + 1)
        failures: list[Exception] = []

        def work(connection: Any, steps: Sequence[Step]) -> None:
            start.wait()
            try:
                for number, to in steps:
                    with self._lock:
                        self._raw.move(connection, number, to)
            except Exception as error:  # noqa: BLE001 - raised below, in the calling thread
                failures.append(error)

        threads = [
            threading.Thread(
                target=work, args=(self._connections[number % len(self._connections)], steps)
            )
            for number, steps in enumerate(rows)
        ]
        for thread in threads:
            thread.start()
        start.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        if failures:
            raise failures[0]
        return seconds / sum(map(len, rows))
