"""`ratchet serve --only page`: the pages, beside a bot or without one."""

from __future__ import annotations

import httpx
import pytest

from bot.app import build
from bot.pages import PageServer
from bot.settings import PublicSettings, Settings
from core.incident import PublicText
from core.page import PageSettings
from core.service import Incidents
from storage.store import SqlStore, opened
from tests.builders import NINE, WORKSPACE, a_change, a_declaration, the_settings
from tests.cli import invoke

ACME = PageSettings(workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE)


@pytest.fixture
async def published(database_url, clock):
    """The page of Acme with a public incident, and a note; nothing has it open any more."""
    store = SqlStore(database_url, defaults=the_settings())
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    await incidents.execute(a_declaration())
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    await incidents.execute(a_change(ref=1, public=PublicText("We look into it.")))
    clock.advance(minutes=1)
    store.close()


@pytest.fixture
async def reader(database_url, clock):
    """A client of a server of pages alone, which knows no token."""
    variables = {"DATABASE_URL": database_url, "PORT": "0", "STATUS_HOST": "status.example"}
    with opened(database_url) as store:
        server = PageServer(PublicSettings.from_env(variables), store, clock=clock)
        await server.start()
        async with httpx.AsyncClient(base_url=server.http.address) as reader:
            yield reader
        await server.stop()


@pytest.mark.usefixtures("published")
async def test_pages_are_served_without_a_bot(reader):
    page = await reader.get("/status/acme")
    own = await reader.get("/index.md", headers={"Host": "status.example"})

    assert "We look into it." in page.text
    assert "db-3" not in page.text + own.text
    assert "https://status.example/incidents/1.md" in own.text
    assert (await reader.get("/healthz")).text == "ok\n"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("path", ["/", "/v1/incidents", "/slack/events", "/metrics", "/readyz"])
async def test_nothing_else_is_served(reader, path):
    assert (await reader.get(path)).status_code == 404
    assert (await reader.post(path)).status_code == 404


@pytest.mark.usefixtures("published")
async def test_pages_are_served_beside_a_bot(reader, environment, clock):
    app = build(Settings.from_env(environment), clock=clock)
    await app.start()
    both = [await reader.get("/status/acme"), await reader.get(f"{app.http.address}/nothing")]
    await app.stop()
    alone = await reader.get("/status/acme")

    assert [one.status_code for one in (*both, alone)] == [200, 404, 200]


def test_an_unknown_part_is_refused():
    told = invoke(["serve", "--only", "worker"])

    assert (told.exit_code, told.stderr) == (
        2,
        'There is no part "worker" to serve: write --only page, or leave it out.\n',
    )


def test_pages_alone_create_no_database(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    told = invoke(["serve", "--only", "page"])

    assert told.exit_code == 1
    assert list(tmp_path.iterdir()) == []
