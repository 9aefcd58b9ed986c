"""An export delays nobody and holds every change confirmed before it began."""

from __future__ import annotations

import json
from asyncio.subprocess import PIPE
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from bot.sandbox import Limits
from bot.sandbox.courier import ACK_SECONDS
from core.decision import Decision
from core.incident import Kind
from tests import tables
from tests.builders import NINE, an_incident, an_update
from tests.command import a_command
from tests.patience import until
from tests.promises.conftest import environment, tell
from tests.promises.processes import Ledger, Server, hasty, people_at_work
from tests.standin import a_standin

ROOT = Path(__file__).parents[2]
WITHDRAWN = "vermilion-canary"
CLOSED = 600  # more than all the buffers on the way to a slow reader hold


@pytest.fixture
def exporting(database_url, tmp_path):
    """``ratchet export`` as a process; the end of the block ends it."""
    return partial(a_command, "export", folder=tmp_path, stdout=PIPE, DATABASE_URL=database_url)


async def fill(app, workspace):
    """Writes many incidents with a few updates each, past the rules."""

    def work(tx):
        for _ in range(CLOSED):
            incident = an_incident(
                id=uuid4(), workspace=workspace, number=tx.next_number(workspace), last_entry=3
            )
            began = an_update(incident, entry=1, kind=Kind.DECLARED, new=incident.status, at=NINE)
            notes = [an_update(incident, entry=entry) for entry in (2, 3)]
            tx.save(Decision(incident=incident, updates=(began, *notes)))

    await app.store.write(work)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_unread_export_delays_nothing(kind, start, slack, mia, exporting, database_url):
    async with start() as app:
        await tell(mia, "declare Checkout is down", f"note 1 {WITHDRAWN}")
        await fill(app, slack.workspace.team_id)
        async with exporting() as export:
            first = json.loads(await export.stdout.readline())
            await tell(mia, "note 1 still here", "list", "redact 1 2")
            assert held_back(app, database_url) is False

            assert export.returncode is None
            rest = (await export.stdout.read()).splitlines()
            assert await export.wait() == 0
        incidents = [line for line in map(json.loads, rest) if line["type"] == "incident"]
        assert (first["type"], len(incidents)) == ("archive", CLOSED + 1)


def on_disk(path):
    return b"".join(Path(path + end).read_bytes() for end in ("", "-wal"))


def held_back(app, database_url):
    """Whether an open view makes the database keep deleted rows."""
    if app.store.kind == "sqlite":
        path = database_url.removeprefix("sqlite:///")
        return WITHDRAWN.encode() in on_disk(path)
    old_views = tables.rows(
        app.store,
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND xact_start < now() - interval '1 second'",
    )
    return bool(old_views)


@pytest.fixture
async def hasty_slack():
    async with a_standin(clock=hasty, limits=Limits(posting=False)) as slack:
        yield slack


async def under_load(slack, url, exporting, folder):
    """Exports while people work: the faults of the archive, and each acknowledgement's seconds."""
    ledger, seconds = Ledger(), []
    server = Server(environment(slack, url))
    await server.start()
    async with people_at_work(slack, [server], ledger, seed=7):
        await until(lambda: len(ledger.confirmed) >= 10)
        confirmed = list(ledger.confirmed)
        async with exporting("archive.jsonl") as export:
            while export.returncode is None:
                asked = await slack.person("mia").command("#payments", "/incident list")
                seconds.append(asked.ack.latency_seconds)
        assert export.returncode == 0
        written = (folder / "archive.jsonl").read_text().splitlines()
    await server.stop()
    return faults(map(json.loads, written), confirmed), seconds


async def test_an_export_under_load_is_whole(hasty_slack, database_url, exporting, tmp_path):
    found, _ = await under_load(hasty_slack, database_url, exporting, tmp_path)

    assert found == []


@pytest.mark.torture
async def test_an_export_under_load_delays_no_command(
    hasty_slack, database_url, exporting, tmp_path, figures
):
    _, seconds = await under_load(hasty_slack, database_url, exporting, tmp_path)

    figures(f"{len(seconds)} commands during an export: {max(seconds):.2f} s at most")
    assert max(seconds) < ACK_SECONDS


def faults(lines, confirmed):
    """Confirmed texts that are not in the export once, and incidents without all their entries."""
    open_since, found = {}, []
    words = []
    for line in lines:
        if line["type"] == "incident":
            open_since[line["id"]] = (line, [])
        elif line["type"] == "update":
            incident, entries = open_since[line["incident"]]
            entries.append(line["entry"])
            words.append(incident["title"] if line["kind"] == "declared" else line["body"])
    for incident, entries in open_since.values():
        if entries != list(range(1, incident["last_entry"] + 1)):
            found.append(f"INC-{incident['number']} has the entries {entries}")
    return found + [word for word in confirmed if words.count(word) != 1]
