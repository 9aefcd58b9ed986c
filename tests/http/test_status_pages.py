"""Status pages over HTTP: who finds one, what is kept, and what a reader is told who has it."""

from __future__ import annotations

import json
from datetime import timedelta

import feedparser
import httpx
import pytest
from starlette.responses import PlainTextResponse

from bot.http.status.accepting import prefers_markdown
from bot.http.status.routes import StatusPages
from bot.http.status.shelf import Shelf
from bot.page.addresses import root_of
from core.commands import Redact, SetPrivacy
from core.incident import DescribedComponent, PublicText, Severity
from core.page import PageSettings
from core.service import Incidents
from core.store import StoreUnavailable
from storage.store import SqlStore
from tests.builders import (
    NINE,
    WORKSPACE,
    a_change,
    a_component,
    a_declaration,
    an_actor,
    an_id,
    the_settings,
)
from tests.northwind import import_northwind
from tests.pages import PATHS

OTHER = "T0OTHER"
ACME = PageSettings(workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
RIVAL = PageSettings(workspace=OTHER, slug="rival", title="Rival", published_at=NINE)


@pytest.fixture
def store(a_database):
    with a_database("sqlite") as url:
        store = SqlStore(url, defaults=the_settings())
        yield store
        store.close()


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None, publish_delay=timedelta(seconds=10))


@pytest.fixture
def pages(store, clock):
    """A client of the pages; every other address gets ``rest``."""
    made = StatusPages(
        PlainTextResponse("rest"),
        Shelf(
            store,
            clock=clock,
            address=lambda page, _alone: f"https://status.example/status/{page.slug}",
            fresh=timedelta(),
        ),
        hosts={
            "status.acme.example": WORKSPACE,
            "status.rival.example": OTHER,
            "status.example": None,
        },
        clock=clock,
        fresh=timedelta(),
        rate=0,
    )
    transport = httpx.ASGITransport(app=made)
    return httpx.AsyncClient(transport=transport, base_url="http://ratchet.example")


@pytest.fixture
async def published(store, incidents, clock):
    """The page of Acme with an open incident that is public, and a note."""
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    await incidents.execute(a_declaration())
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    await incidents.execute(a_change(ref=1, public=PublicText("We look into it.")))
    clock.advance(minutes=1)


@pytest.mark.usefixtures("published")
class TestAddresses:
    @pytest.mark.parametrize("path", PATHS)
    async def test_every_address_of_a_page_has_public_facts_and_no_note(self, pages, path):
        answer = await pages.get(f"/status/acme{path}")

        assert answer.status_code == 200
        assert "db-3" not in answer.text
        assert "quorum" not in answer.text

    @pytest.mark.parametrize(
        "host", ["status.acme.example", "STATUS.acme.example.", "status.acme.example.:8443"]
    )
    async def test_a_host_of_its_own_is_known_in_each_form(self, pages, host):
        assert "Acme status" in (await pages.get("/", headers={"Host": host})).text

    async def test_a_host_without_workspace_serves_the_only_page(self, pages, store, clock):
        host = {"Host": "status.example"}
        assert "Acme status" in (await pages.get("/index.md", headers=host)).text

        await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))
        assert (await pages.get("/index.md", headers=host)).status_code == 404

    async def test_an_imported_incident_is_found_at_its_former_address(
        self, pages, store, clock, tmp_path
    ):
        await import_northwind(store, clock, tmp_path)
        host = {"Host": "status.acme.example"}

        found = await pages.get("/incidents/inc0000000b2", headers=host)

        assert found.status_code == 200
        assert "Payments over 5 &lt; 10 fail" in found.text
        assert (await pages.get("/incidents/inc0000000b2.md", headers=host)).status_code == 200
        assert (await pages.get("/incidents/inc000000000", headers=host)).status_code == 404

    async def test_the_root_of_another_host_is_not_touched(self, pages):
        assert (await pages.get("/", headers={"Host": "acme.example"})).text == "rest"

    @pytest.mark.parametrize("path", PATHS)
    async def test_a_host_of_its_own_has_the_same_at_its_root(self, pages, path):
        path = "/index.md" if path == ".md" else path
        at_root = await pages.get(path or "/", headers={"Host": "Status.Acme.Example:443"})

        assert at_root.content == (await pages.get(f"/status/acme{path}")).content

    async def test_the_only_page_needs_no_slug(self, pages):
        named = await pages.get("/status/acme")

        assert (await pages.get("/status")).content == named.content
        assert (await pages.get("/status/")).content == named.content
        assert (await pages.get("/status.md")).text.startswith("# Acme status")

    async def test_of_two_pages_each_needs_its_slug(self, pages, store, clock):
        await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))

        assert (await pages.get("/status")).status_code == 404
        assert (await pages.get("/status/")).text == "There is no such page.\n"
        rival = await pages.get("/status/rival")
        assert "Rival" in rival.text
        assert "Checkout" not in rival.text

    @pytest.mark.parametrize(
        "path",
        [
            "/incidents/2",
            "/incidents/0",
            "/incidents/999999999",
            "/incidents/x",
            "/incidents",
            "/history/1999-01",
            "/history/2026-13",
            "/history/2026-04",
            "/days/2026-02-30",
            "/days/2026-03-03",
            "/days/9999-12-31",
            "/%2e%2e/secret",
            "/404",
            "/x//",
        ],
    )
    async def test_an_unknown_address_of_a_page_is_answered_in_its_form(self, pages, path):
        answer = await pages.get(f"/status/acme{path}")
        at_root = await pages.get(path, headers={"Host": "status.acme.example"})

        assert answer.status_code == at_root.status_code == 404
        assert answer.content == at_root.content
        assert "<title>No such page · Acme status</title>" in answer.text
        assert '<a href="https://status.example/status/acme">The status now</a>' in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        shown = await pages.get("/status/acme")
        policy = answer.headers["content-security-policy"]
        assert policy == shown.headers["content-security-policy"]

    @pytest.mark.parametrize(
        ("path", "accept"),
        [
            ("/status/other", BROWSER),
            ("/status/other/incidents/1", BROWSER),
            ("/status//", BROWSER),
            ("/status/acme/incidents/2.md", BROWSER),
            ("/status/acme/incidents/2", "text/markdown"),
            ("/status/acme/nothing", "text/markdown"),
            ("/status/acme/api/v2/nothing.json", BROWSER),
            ("/status/acme/api/v2", BROWSER),
            ("/status/acme/history.atom.md", BROWSER),
            ("/status/acme/favicon.ico", BROWSER),
        ],
    )
    async def test_an_unknown_page_or_file_is_a_plain_404(self, pages, path, accept):
        answer = await pages.get(path, headers={"Accept": accept})

        assert (answer.status_code, answer.text) == (404, "There is no such page.\n")
        assert answer.headers["cache-control"] == "no-store"

    async def test_a_private_incident_is_answered_like_a_number_that_never_was(
        self, pages, incidents, clock
    ):
        async def answered(number, path):
            answer = await pages.get(path.format(number), headers={"Accept": BROWSER})
            return answer.status_code, answer.headers.raw, answer.content

        paths = ("/status/acme/incidents/{}", "/status/acme/incidents/{}.md")
        before = [await answered(2, path) for path in paths]
        private = a_declaration(id=an_id("private"), title="Keys leaked", private=True)
        await incidents.execute(private)
        clock.advance(minutes=1)

        for path, was in zip(paths, before, strict=True):
            assert await answered(2, path) == await answered(999, path) == was
            assert was[0] == 404

    async def test_a_reader_of_an_old_link_finds_the_way_once_its_incident_is_private(
        self, pages, incidents, clock
    ):
        assert (await pages.get("/status/acme/incidents/1")).status_code == 200
        never = await pages.get("/status/acme/incidents/2")
        await incidents.execute(SetPrivacy(actor=an_actor(), ref=1, private=True, confirmed=True))
        clock.advance(minutes=1)
        answer = await pages.get("/status/acme/incidents/1")

        assert (answer.status_code, answer.content) == (404, never.content)

    async def test_a_page_that_is_taken_off_leaves_no_words_of_its_own(self, pages, store, clock):
        await pages.get("/status/acme/incidents/2")
        await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
        host = {"Host": "status.acme.example"}

        for answer in (
            await pages.get("/status/acme/incidents/2"),
            await pages.get("/incidents/2", headers=host),
        ):
            assert (answer.status_code, answer.text) == (404, "There is no such page.\n")

    async def test_addresses_beside_pages_are_not_touched(self, pages):
        assert (await pages.get("/statuses")).text == "rest"
        assert (await pages.get("/v1/incidents")).text == "rest"

    @pytest.mark.parametrize("path", ["", "/incidents/1", "/history", "/days/2026-03-02"])
    async def test_a_reader_may_ask_for_markdown(self, pages, path):
        answer = await pages.get(f"/status/acme{path}", headers={"Accept": "text/markdown"})

        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert answer.headers["vary"] == "Accept"

    @pytest.mark.parametrize("path", ["/history.atom", "/api/v2/summary.json", "/badge.svg"])
    async def test_other_files_do_not_depend_on_what_the_reader_prefers(self, pages, path):
        plain = await pages.get(f"/status/acme{path}")
        answer = await pages.get(f"/status/acme{path}", headers={"Accept": "text/markdown"})

        assert (answer.status_code, answer.content) == (200, plain.content)

    @pytest.mark.parametrize("path", ["", "/incidents/1", "/history", "/history.atom"])
    async def test_a_slash_at_the_end_changes_nothing(self, pages, path):
        answer = await pages.get(f"/status/acme{path}/")

        assert answer.content == (await pages.get(f"/status/acme{path}")).content

    @pytest.mark.parametrize("weight", ["q=0", " Q=0.000", "q=0."])
    async def test_a_reader_who_refuses_markdown_gets_none(self, pages, weight):
        accept = f"text/markdown;{weight}, text/html"
        answer = await pages.get("/status/acme", headers={"Accept": accept})

        assert answer.headers["content-type"] == "text/html; charset=utf-8"

    async def test_several_headers_count_as_one(self, pages):
        accept = [("Accept", "text/html;q=0.5"), ("Accept", "text/markdown;q=0.9")]
        answer = await pages.get("/status/acme", headers=accept)

        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"

    async def test_pages_can_only_be_read(self, pages):
        assert (await pages.post("/status/acme")).status_code == 405


@pytest.mark.parametrize(
    ("accept", "markdown"),
    [
        ("", False),
        ("*/*", False),
        ("text/*", False),
        (BROWSER, False),
        ("application/json", False),
        ("text/markdown", True),
        ("TEXT/Markdown ; charset=utf-8", True),
        ("text/markdown, */*", True),
        ("text/markdown, text/html", True),
        ("text/html, text/markdown", False),
        ("text/markdown;q=0.9,text/html;q=0.5", True),
        ("text/html;q=0.5,text/markdown;q=0.9", True),
        ("text/markdown;q=0.5,text/html;q=0.9", False),
        ("text/markdown;q=0.5,text/html;q=0.5", True),
        ("text/markdown;q=0.7, text/*;q=0.3", True),
        ("text/markdown;q=0.3, text/*;q=0.7", False),
        ("text/*;q=0.9, text/html;q=0.2", True),
        ("*/*;q=0.9, text/html;q=0", True),
        ("text/markdown;q=0", False),
        ("text/markdown;q=0, text/html;q=0", False),
        ("text/markdown;q=2, text/html;q=0.1", False),
        ("text/markdown;q=high", False),
        (", ,;q=1,text/markdown;q=0.001", True),
    ],
)
def test_the_weights_of_accept_decide_between_markdown_and_html(accept, markdown):
    assert prefers_markdown(accept) is markdown


async def test_the_slug_and_the_host_of_another_workspace_show_nothing_of_ours(
    pages, store, incidents, clock
):
    async def shown():
        """The rival's answers at each address, by its slug and by its host."""
        found = {}
        for path in PATHS:
            at_root = "/index.md" if path == ".md" else path or "/"
            asked = (f"/status/rival{path}", ""), (at_root, "status.rival.example")
            for address, host in asked:
                answer = await pages.get(address, headers={"Host": host} if host else {})
                found[address, host] = (answer.status_code, answer.content, answer.headers["etag"])
        return found

    theirs = an_actor(workspace=OTHER)
    await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))
    await incidents.execute(a_declaration(actor=theirs, id=an_id("theirs"), title="Mail is late"))
    clock.advance(minutes=1)
    before = await shown()
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    component = DescribedComponent(component=a_component("Checkout API"))
    await store.write(lambda tx: tx.add_component(WORKSPACE, component, at=clock()))
    await incidents.execute(a_declaration(severity=Severity.CRITICAL, components=("Checkout API",)))
    await incidents.execute(a_change(ref=1, public=PublicText("We look into it.")))
    clock.advance(minutes=1)

    assert {status for status, _, _ in before.values()} == {200}
    assert await shown() == before
    assert (await pages.get("/status/acme")).text.count("We look into it.") == 1


@pytest.mark.parametrize(
    ("hosts", "alone", "address"),
    [
        ({}, True, "https://bot.example/status/acme"),
        ({"s.example": WORKSPACE}, False, "https://s.example"),
        ({"s.example": OTHER}, True, "https://bot.example/status/acme"),
        ({"s.example": None}, True, "https://s.example"),
        ({"s.example": None}, False, "https://bot.example/status/acme"),
    ],
)
def test_the_address_of_a_page_is_its_own_host(hosts, alone, address):
    assert root_of(ACME, hosts, server="https://bot.example", alone=alone) == address


async def test_a_page_that_is_not_published_is_unknown(pages, store, clock):
    assert (await pages.get("/status/acme")).status_code == 404
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    assert (await pages.get("/status/acme")).status_code == 200
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
    assert (await pages.get("/status/acme/api/v2/status.json")).status_code == 404


@pytest.mark.usefixtures("published")
class TestValidators:
    async def test_known_bytes_are_not_sent_again(self, pages):
        first = await pages.get("/status/acme")
        again = await pages.get(
            "/status/acme", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'}
        )
        since = await pages.get(
            "/status/acme", headers={"If-Modified-Since": first.headers["last-modified"]}
        )

        assert (again.status_code, again.content) == (304, b"")
        assert since.status_code == 304
        assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"

    @pytest.mark.parametrize(
        "headers",
        [
            {"If-None-Match": '"other"'},
            {"If-Modified-Since": "Sun, 01 Mar 2026 09:00:00 GMT"},
            {"If-Modified-Since": "yesterday"},
        ],
    )
    async def test_other_bytes_are_sent(self, pages, headers):
        assert (await pages.get("/status/acme", headers=headers)).status_code == 200

    async def test_a_write_is_seen_at_once_and_a_note_changes_nothing(self, pages, incidents):
        first = await pages.get("/status/acme/api/v2/summary.json")
        await incidents.execute(a_change(ref=1, note="db-3 is back"))
        assert (await pages.get("/status/acme/api/v2/summary.json")).content == first.content
        await incidents.execute(a_change(ref=1, to="identified"))
        changed = await pages.get("/status/acme/api/v2/summary.json")

        assert changed.headers["etag"] != first.headers["etag"]
        assert json.loads(changed.content)["incidents"][0]["status"] == "identified"

    async def test_a_held_text_appears_at_its_moment_without_a_write(self, pages, incidents, clock):
        await incidents.execute(a_change(ref=1, public=PublicText("A fix is out.")))
        assert "A fix is out." not in (await pages.get("/status/acme")).text
        clock.advance(seconds=10)
        assert "A fix is out." in (await pages.get("/status/acme")).text

    @pytest.mark.parametrize("feed", ["updates.atom", "updates.rss"])
    @pytest.mark.parametrize("taken_back", [False, True], ids=["public", "taken back"])
    async def test_a_feed_of_updates_has_one_once_its_text_is_settled(
        self, feed, taken_back, pages, incidents, clock
    ):
        address = f"/status/acme/{feed}"

        async def read(**headers):
            return await pages.get(address, headers=headers)

        before = await read()
        begun = clock()
        outcome = await incidents.execute(
            a_change(ref=1, to="identified", public=PublicText("A disk is full."))
        )
        clock.advance(seconds=4)
        held = await read()
        # The status is public at once on every surface that shows the present.
        assert "Identified" in (await pages.get("/status/acme")).text
        assert feedparser.parse(held.text).entries == feedparser.parse(before.text).entries
        if taken_back:
            entry = outcome.updates[0].entry
            await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))
        else:
            clock.advance(seconds=6)

        settled = await read(**{"If-Modified-Since": held.headers["last-modified"]})
        assert settled.status_code == 200
        newest, *others = feedparser.parse(settled.text).entries
        assert [one.id for one in others] == [one.id for one in feedparser.parse(held.text).entries]
        text = "Status changed to Identified." if taken_back else "A disk is full."
        assert text in newest.summary
        published = begun if taken_back else begun + timedelta(seconds=10)
        assert newest.published_parsed[:6] == published.utctimetuple()[:6]
        clock.advance(minutes=1)
        assert (await read()).content == settled.content

    async def test_a_date_never_stands_for_a_change_of_the_same_second(
        self, pages, incidents, clock
    ):
        address = "/status/acme/api/v2/summary.json"
        await incidents.execute(a_change(ref=1, to="identified"))
        read = await pages.get(address)
        clock.advance(milliseconds=600)
        await incidents.execute(a_change(ref=1, to="monitoring"))
        clock.advance(minutes=1)
        since = {"If-Modified-Since": read.headers["last-modified"]}

        assert (await pages.get(address, headers=since)).status_code == 200

    async def test_every_origin_may_read(self, pages):
        asked = await pages.options(
            "/status/acme/api/v2/summary.json",
            headers={"Access-Control-Request-Headers": "if-none-match"},
        )
        read = await pages.get("/status/acme/api/v2/summary.json")

        assert (asked.status_code, asked.headers["access-control-allow-headers"]) == (
            204,
            "if-none-match",
        )
        assert read.headers["access-control-allow-origin"] == "*"
        assert "ETag" in read.headers["access-control-expose-headers"]

    async def test_a_page_runs_and_loads_nothing_but_itself(self, pages):
        answer = await pages.get("/status/acme")

        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "src=" not in answer.text
        assert " on" not in answer.text.split("<style>")[0]


async def test_a_reader_who_asks_too_often_is_told_when_to_come_back(store, clock):
    made = StatusPages(
        PlainTextResponse("rest"),
        Shelf(store, clock=clock, address=lambda page, _alone: page.slug),
        hosts={},
        clock=clock,
        rate=1,
    )
    transport = httpx.ASGITransport(app=made)
    client = httpx.AsyncClient(transport=transport, base_url="http://ratchet.example")
    answers = [await client.get("/status") for _ in range(3)]

    assert [one.status_code for one in answers] == [404, 404, 429]
    assert answers[-1].headers["retry-after"] == "1"


async def test_many_incidents_are_in_lists_by_their_limits(pages, store, incidents, clock):
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    for number in range(55):
        await incidents.execute(a_declaration(id=an_id(number)))
    clock.advance(minutes=1)
    found = json.loads((await pages.get("/status/acme/api/v2/incidents.json")).content)

    assert len(found["incidents"]) == 50
    assert (await pages.get("/status/acme/incidents/1")).status_code == 200


class AwayStore:
    """A store whose database does not answer while ``away`` is set."""

    def __init__(self, store):
        self.store = store
        self.away = True

    async def read_public(self, work):
        if self.away:
            raise StoreUnavailable("the connection was refused")
        return await self.store.read_public(work)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("host", ["ratchet.example", "status.example"])
async def test_while_the_database_is_away_a_reader_is_told_to_come_back(store, clock, capsys, host):
    away = AwayStore(store)
    made = StatusPages(
        PlainTextResponse("rest"),
        Shelf(away, clock=clock, address=lambda page, _alone: page.slug),
        hosts={"status.example": None},
        clock=clock,
        rate=0,
    )
    transport = httpx.ASGITransport(app=made)
    client = httpx.AsyncClient(transport=transport, base_url=f"http://{host}")
    path = "/status/acme" if host == "ratchet.example" else "/"
    answers = [await client.get(path) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.text == (
            "The status page cannot be read right now. Try again in a few seconds.\n"
        )
    logged = "".join(capsys.readouterr())
    assert logged.count("page not served") == 2
    assert "Traceback" not in logged

    away.away = False
    assert (await client.get(path)).status_code == 200
