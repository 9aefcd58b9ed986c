"""A withdrawn text is erased from the store, and not only hidden."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.commands import Redact
from core.incident import Note, PublicText
from tests.builders import STATUS_CHANNEL, WORKSPACE, a_change, an_actor

SECRET = "vermilion-canary"
LONG = f"{SECRET} " * 117  # the longest body: it fills pages of the file of its own


@pytest.fixture
async def redacted(declare, incidents, clock):
    """INC-1 with a note and a public update of the secret, both withdrawn, and a transition."""
    await declare()
    await incidents.execute(a_change(ref=1, to="identified", note=Note(LONG)))
    await incidents.execute(
        a_change(ref=1, public=PublicText(f"{SECRET} {LONG}"[:2_000]), confirmed=True)
    )
    for entry in (2, 3):
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))


async def test_a_redaction_erases_the_body_and_keeps_the_rest(redacted, store):
    timeline = await store.read(
        lambda reader: reader.timeline(reader.incident(WORKSPACE, 1), before=None, limit=10)
    )

    _, note, public = timeline.items
    assert (note.body, note.by.name, note.new, note.redacted) == (None, "Ada", "identified", True)
    assert (public.body, public.visibility, public.redacted_by.name) == (None, "public", "Ada")


async def test_no_table_holds_a_withdrawn_text(redacted, contents):
    assert SECRET not in repr(contents())


@pytest.mark.parametrize("kind", ["sqlite"])
class TestFile:
    """SQLite: neither the file nor its log holds the text, even while the server runs."""

    @pytest.fixture
    def store(self, opened):
        store = opened(status_channel=STATUS_CHANNEL)
        store.open_for_serving()
        return store

    def on_disk(self, url):
        path = Path(url.removeprefix("sqlite:///"))
        files = [path, path.with_name(f"{path.name}-wal")]
        return b"".join(file.read_bytes() for file in files if file.exists())

    async def test_the_files_hold_the_text_until_it_is_withdrawn(self, declare, incidents, url):
        await declare()
        await incidents.execute(a_change(ref=1, note=Note(LONG)))

        assert SECRET.encode() in self.on_disk(url)

    @pytest.mark.usefixtures("redacted")
    async def test_the_files_do_not_hold_the_text_after_the_redaction(self, url):
        assert SECRET.encode() not in self.on_disk(url)

    async def test_a_concurrent_reader_only_delays_the_erasure(
        self, store, declare, incidents, url
    ):
        await declare()
        await incidents.execute(a_change(ref=1, note=Note(LONG)))
        loop = asyncio.get_running_loop()
        reading, go_on = loop.create_future(), asyncio.Event()

        def read(reader):
            reader.incident(WORKSPACE, 1)
            loop.call_soon_threadsafe(reading.set_result, None)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)

        long_read = store.read(read)
        await reading
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
        await store.write(lambda tx: tx.workspace(WORKSPACE))
        held_back = SECRET.encode() in self.on_disk(url)
        go_on.set()
        await long_read
        for _ in range(2):
            await store.write(lambda tx: tx.workspace(WORKSPACE))

        assert held_back
        assert SECRET.encode() not in self.on_disk(url)
