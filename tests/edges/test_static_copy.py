"""The static copy of a page: what a file server shows of it, and what it leaves alone."""

from __future__ import annotations

import json
import os
import re
import stat
from errno import ENOSPC
from urllib.parse import urljoin

import httpx
import pytest

from bot.app import build
from bot.http.status.shelf import Shelf
from bot.publishing.copying import StaticCopy
from bot.publishing.folder import CopyFolder, NotPublished
from bot.settings import Settings
from core.commands import Redact
from core.incident import Note, PublicText, Severity
from core.page import DAYS, PageSettings
from core.service import Incidents
from storage.store import SqlStore
from tests.builders import NINE, WORKSPACE, a_change, a_declaration, an_actor, an_id, the_settings
from tests.cli import invoke
from tests.file_server import a_file_server
from tests.northwind import import_northwind

ACME = PageSettings(workspace=WORKSPACE, slug="acme", title="Acme status", published_at=NINE)
RIVAL = PageSettings(workspace="T0OTHER", slug="rival", title="Rival", published_at=NINE)


@pytest.fixture
def store(database_url):
    store = SqlStore(database_url, defaults=the_settings())
    yield store
    store.close()


@pytest.fixture
def incidents(store, clock):
    return Incidents(store, clock=clock, wake=lambda: None)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "www").mkdir()
    return tmp_path / "www" / "status"


@pytest.fixture
def copy(store, folder, clock):
    return StaticCopy(store, folder, clock=clock, address=lambda _page, _alone: "https://s.example")


@pytest.fixture
async def published(store, incidents, clock):
    """The page of Acme with one incident that is over and one that is open, and a note."""
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    await incidents.execute(a_declaration())
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=1, note=Note("db-3 lost quorum")))
    await incidents.execute(a_change(ref=1, public=PublicText("We look into it.")))
    for status in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=status))
    await incidents.execute(a_declaration(id=an_id("second"), title="Mail is late"))
    clock.advance(minutes=1)


def texts(folder):
    files = [file for file in folder.resolve().rglob("*") if file.is_file()]
    return {str(file.relative_to(folder.resolve())): file.read_bytes() for file in files}


@pytest.mark.usefixtures("published")
async def test_any_file_server_shows_the_copy(copy, folder):
    assert copy.make()
    with a_file_server(folder) as address:
        async with httpx.AsyncClient(base_url=address, follow_redirects=True) as reader:
            page = await reader.get("/")
            found = {
                path: (await reader.get(path)).text
                for path in (
                    "/index.md",
                    "/incidents/1",
                    "/incidents/1.md",
                    "/incidents/2",
                    "/history",
                    "/history/2026-03",
                    "/days/2026-03-02.md",
                    "/history.atom",
                    "/badge.svg",
                )
            }
            summary = (await reader.get("/api/v2/summary.json")).json()
            unresolved = (await reader.get("/api/v2/incidents/unresolved.json")).json()

    assert "it is out of date" in page.text
    assert 'data-stale="2026-03-02T09:12:00.000Z"' in page.text
    assert "We look into it." in found["/incidents/1"]
    assert "# " in found["/incidents/1.md"]
    assert summary["page"]["url"] == "https://s.example"
    assert [one["name"] for one in unresolved["incidents"]] == ["Mail is late"]
    assert b"db-3" not in b"".join(texts(folder).values())


@pytest.mark.usefixtures("published")
async def test_the_copy_has_the_page_that_hosts_of_files_serve_for_unknown_paths(
    copy, folder, store, clock
):
    copy.make()
    shelf = Shelf(store, clock=clock, address=lambda _page, _alone: "https://s.example")
    made = (folder / "404.html").read_bytes()

    assert b"There is no such page" in made
    assert b"Made <time" in made
    assert b"it is out of date" in made
    # A host serves it in any folder, where only a whole address leads anywhere.
    links = re.findall(rb'(?:href|src)="(.*?)"', made)
    assert {link for link in links if not link.startswith(b"https://s.example")} == {
        b"data:,",
        b"#main",
        b"#subscribe",
    }
    assert OF_A_COPY.sub(b"", made) == (await shelf.missing(WORKSPACE)).body


# A copy says when it was made; its policy, and the moment at which it is out of date, are in it.
OF_A_COPY = re.compile(
    rb'<meta http-equiv="Content-Security-Policy".*?>\n|<p data-stale=".*" hidden></p>\n'
    rb'| data-stale=".*?"|<p>Made .*?</p>\n|\nMade [^<\n]*\n\Z'
)


@pytest.mark.usefixtures("published")
async def test_the_copy_agrees_with_the_server_byte_for_byte(copy, folder, store, incidents, clock):
    shelf = Shelf(store, clock=clock, address=lambda _page, _alone: "https://s.example")
    copy.make()
    for change in (
        {"ref": 2, "to": "identified"},
        {"ref": 2, "title": "Mail is very late", "severity": Severity.CRITICAL},
        {"ref": 2, "public": PublicText("It moves again.")},
    ):
        clock.advance(days=1)
        await incidents.execute(a_change(**change))
        clock.advance(minutes=1)
        copy.look()
        files = texts(folder)
        assert len(files) > 2 * DAYS
        for name, body in files.items():
            path = name.removesuffix("index.html").removesuffix("/")
            of_none = name == "404.html"
            served = await (shelf.missing(WORKSPACE) if of_none else shelf.find(WORKSPACE, path))
            assert whole(name, OF_A_COPY.sub(b"", body)) == in_a_copy(files, served.body), (
                name,
                change,
            )


# A link in a page, as HTML or as Markdown, with its address.
LINK = re.compile(rb'((?:href="|\]\())((?:(?!data:|#|http)[^")]+))')
TO_A_NEIGHBOUR = re.compile(
    rb'<a rel="prev" href="https://s\.example/(.*?)">.*?</a>|^- \[.*\]\(https://s\.example/(.*)\)\n',
    re.MULTILINE,
)


def whole(name, body):
    """The file ``name`` of a copy with the whole addresses of what it links."""

    def address(found):
        path = urljoin(f"https://s.example/{name}", found[2].decode()).removesuffix("index.html")
        bare = path if path == "https://s.example/" else path.removesuffix("/")
        return found[1] + bare.encode()

    return LINK.sub(address, body) if name.endswith((".html", ".md")) else body


def in_a_copy(files, body):
    """What the server says without the links to a month or a day that the copy does not hold."""

    def kept(found):
        path = (found[1] or found[2]).decode()
        held = {path, f"{path}/index.html"} & files.keys()
        return found[0] if held else b"<span></span>" if found[1] else b""

    return TO_A_NEIGHBOUR.sub(kept, body)


@pytest.mark.usefixtures("published")
async def test_each_link_of_the_copy_leads_to_a_file_of_it(copy, folder, store, clock):
    """So that all of it can be read from any place, also from a folder, with the bot down."""
    await import_northwind(store, clock, folder.parent)
    copy.make()
    files = texts(folder)
    led = set()
    for name, body in files.items():
        if not name.endswith((".html", ".md")) or name == "404.html":
            continue
        links = {found[2].decode() for found in LINK.finditer(body)}
        to = {urljoin(f"file:///{name}", link).removeprefix("file:///") for link in links}
        assert to, name
        assert not to - files.keys(), name
        assert not re.search(rb'(?:href="|\]\()https://s\.example', body), name
        led |= to
    people = {name for name in files if name.endswith((".html", ".md"))} - {"404.html"}
    # The former addresses of imported incidents are for links from elsewhere.
    assert {name for name in people - led if "/inc000" not in name} == set()
    for name in ("history.atom", "updates.rss", "api/v2/summary.json"):
        assert b"https://s.example" in files[name]
        assert b"../" not in files[name]


@pytest.mark.usefixtures("published")
async def test_each_page_of_the_copy_turns_out_of_date(copy, folder):
    copy.make()
    pages = {name: body for name, body in texts(folder).items() if name.endswith(".html")}
    turning = {
        name for name, body in pages.items() if b'data-stale="2026-03-02T09:12:00.000Z"' in body
    }

    assert len(pages) > DAYS
    # The incident is over: nothing on its page can become wrong.
    assert pages.keys() - turning == {"incidents/1/index.html"}
    assert b"it is out of date" not in pages["incidents/1/index.html"]


@pytest.mark.usefixtures("published")
async def test_each_file_for_people_says_when_it_was_made(copy, folder):
    copy.make()
    said = {
        name: re.findall(
            "^Made (.*)$", re.sub("</?(?:time|p).*?>", "", body.decode()), re.MULTILINE
        )
        for name, body in texts(folder).items()
        if name.endswith((".md", ".html"))
    }
    over = {"incidents/1/index.html", "incidents/1.md"}
    made = "2 Mar 2026, 09:02 UTC"

    for name, lines in said.items():
        good = "" if name in over else "; after 2 Mar 2026, 09:12 UTC it is out of date"
        assert lines == [f"{made}{good}."], name


@pytest.mark.usefixtures("published")
async def test_the_copy_is_for_everybody_whatever_the_umask(copy, folder):
    before = os.umask(0o077)
    try:
        copy.make()
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(one.stat().st_mode) for one in folder.rglob("*") if one.is_file()}
    folders = [folder.resolve(), folder.resolve().parent, *(p for p in folder.rglob("*"))]

    assert modes == {0o644}
    assert {stat.S_IMODE(one.stat().st_mode) for one in folders if one.is_dir()} == {0o755}


@pytest.mark.usefixtures("published")
async def test_a_withdrawn_text_leaves_with_the_next_copy(copy, folder, incidents, clock):
    copy.make()
    assert b"We look into it." in texts(folder)["incidents/1/index.html"]
    await incidents.execute(Redact(actor=an_actor(admin=True), ref=1, entry=3))
    clock.advance(seconds=1)
    copy.look()
    beside = b"".join(file.read_bytes() for file in folder.parent.rglob("*") if file.is_file())

    assert b"We look into it." not in beside
    assert len(list(folder.resolve().parent.glob("copy-*"))) == 1


@pytest.mark.usefixtures("published")
async def test_only_pages_with_new_facts_are_rendered_anew(copy, folder, clock):
    copy.make()
    over, open_ = (folder / f"incidents/{number}/index.html" for number in (1, 2))
    files = (over.stat().st_ino, open_.stat().st_ino)
    clock.advance(minutes=4)
    copy.look()
    assert (over.stat().st_ino, open_.stat().st_ino) == files
    clock.advance(minutes=1)
    copy.look()

    assert over.stat().st_ino == files[0]
    assert "it is out of date" not in over.read_text("utf-8")
    assert "Made" in open_.read_text("utf-8")
    assert 'data-stale="2026-03-02T09:17:00.000Z"' in (folder / "index.html").read_text("utf-8")


@pytest.mark.usefixtures("published")
async def test_the_end_of_a_page_is_the_end_of_its_copy(copy, folder, store, clock):
    copy.make()
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
    copy.look()

    assert not folder.exists()
    assert not list(folder.parent.glob(".status.ratchet/copy-*"))
    assert not copy.make()


@pytest.mark.usefixtures("published")
async def test_no_other_page_takes_the_place_of_one_that_is_off(copy, folder, store, clock):
    copy.make()
    await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
    for _ in range(2):
        copy.look()
        assert not folder.exists()
        assert not list(folder.parent.glob(".status.ratchet/copy-*"))

    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))
    copy.look()

    assert "Acme status" in (folder / "index.html").read_text()
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))
    copy.look()
    rival = StaticCopy(
        store, folder, clock=clock, address=lambda _page, _alone: "x", workspace="T0OTHER"
    )
    assert rival.make()
    assert "Rival" in (folder / "index.html").read_text()


@pytest.mark.usefixtures("published")
async def test_a_copy_that_cannot_be_deleted_is_named(copy, folder, store, clock):
    copy.make()
    # Not even root can delete a file as if it were a folder.
    left = folder.parent / ".status.ratchet" / "copy-left"
    left.touch()
    await store.write(lambda tx: tx.unpublish_page(WORKSPACE, at=clock()))

    with pytest.raises(
        NotPublished,
        match=f"{folder} is taken away, but {left} cannot be deleted: do it by hand.",
    ):
        copy.make()

    assert not folder.exists()


@pytest.mark.usefixtures("published")
def test_a_page_that_a_command_takes_off_has_no_copy(copy, folder, database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PUBLISH_DIR", str(folder))
    monkeypatch.setenv("PUBLIC_URL", "https://ratchet.example.com")
    copy.make()

    off = invoke(["page", "unpublish"])
    assert off.exit_code == 0, off.stderr
    assert f"The static copy in {folder} is taken away." in off.stdout
    assert not folder.exists()
    assert not list(folder.parent.glob(".status.ratchet/copy-*"))

    on = invoke(["page", "publish"])
    assert f"The static copy in {folder} is made anew." in on.stdout
    assert "Acme status" in (folder / "index.html").read_text()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("what", ["folder", "file", "link", "beside"])
async def test_what_is_not_ours_is_refused_and_left_alone(copy, folder, what):
    if what == "folder":
        folder.mkdir()
        (folder / "index.html").write_text("mine")
    elif what == "file":
        folder.write_text("mine")
    elif what == "link":
        (folder.parent / "mine").mkdir()
        folder.symlink_to("mine")
    else:
        (folder.parent / ".status.ratchet").mkdir()
    before = sorted(folder.parent.rglob("*"))

    refused = "is no folder" if what == "file" else "not ours: name an empty or a new folder"
    with pytest.raises(NotPublished, match=refused):
        copy.make()
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "within",
    ["status/sub", "status/a/b", "status/incidents", ".status.ratchet/x", "here/sub", "here/a/b"],
)
async def test_a_folder_within_a_copy_is_refused(copy, folder, store, clock, within):
    copy.make()
    (folder.parent / "here").symlink_to("status")
    before = sorted(folder.parent.rglob("*"))
    inner = StaticCopy(
        store, folder.parent / within, clock=clock, address=lambda _page, _alone: "https://x"
    )

    with pytest.raises(NotPublished, match=f"lies within the copy {folder}, which is deleted as"):
        inner.make()
    assert sorted(folder.parent.rglob("*")) == before
    copy.make()


@pytest.mark.usefixtures("published")
async def test_a_folder_above_a_copy_is_refused(copy, folder, store, clock):
    copy.make()
    above = StaticCopy(store, folder.parent, clock=clock, address=lambda _page, _alone: "https://x")

    with pytest.raises(NotPublished, match="holds files that are not ours"):
        above.make()
    assert (folder / "index.html").is_file()
    beside = folder.with_name("other")
    StaticCopy(store, beside, clock=clock, address=lambda _page, _alone: "https://x").make()
    assert (beside / "index.html").is_file()


@pytest.mark.usefixtures("published")
async def test_an_empty_folder_is_taken(copy, folder):
    folder.mkdir()
    copy.make()

    assert (folder / "index.html").is_file()


@pytest.mark.usefixtures("published")
async def test_of_several_pages_one_must_be_named(copy, folder, store, clock):
    await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))
    with pytest.raises(NotPublished, match="Several pages are published"):
        copy.make()
    copy.look()
    copy.look()
    assert not folder.exists()
    named = StaticCopy(
        store,
        folder,
        clock=clock,
        address=lambda page, alone: f"{page.slug} {alone}",
        workspace="T0OTHER",
    )
    named.make()

    assert json.loads((folder / "api/v2/status.json").read_text())["page"]["url"] == "rival False"


@pytest.mark.usefixtures("published")
def test_a_command_makes_the_copy(folder, database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    told = invoke(["publish", "--to", str(folder)])
    assert (told.exit_code, told.stderr) == (
        2,
        "The copy names its own address: set STATUS_HOST or PUBLIC_URL.\n",
    )
    monkeypatch.setenv("PUBLIC_URL", "https://bot.example")
    told = invoke(["publish", "--to", str(folder)])
    assert (told.exit_code, told.stdout) == (0, f"The status page is in {folder}.\n")
    told_to_slack = "/feed subscribe https://bot.example/status/acme/updates.rss"
    assert told_to_slack in (folder / "index.html").read_text("utf-8")
    told = invoke(["publish", "--to", str(folder), "--workspace", "T0NOBODY"])
    assert (told.exit_code, told.stderr.splitlines()[0]) == (
        1,
        "The page of T0NOBODY is not published, so there is no copy: run `ratchet page publish`.",
    )
    assert (folder / "index.html").is_file()
    told = invoke(["publish", "--to", ""])
    assert (told.exit_code, told.stderr) == (
        2,
        "--to names no folder: give an empty or a new one.\n",
    )
    told = invoke(["publish", "--to", str(folder / "index.html")])
    assert (told.exit_code, "lies within the copy" in told.stderr) == (1, True)
    deep = folder.parent / "new" / "deep" / "dir"
    told = invoke(["publish", "--to", str(deep)])
    assert (told.exit_code, (deep / "index.html").is_file()) == (0, True)


@pytest.mark.usefixtures("published")
async def test_a_second_page_does_not_end_the_copy_of_the_first(
    copy, folder, store, incidents, clock
):
    copy.make()
    await store.write(lambda tx: tx.publish_page(RIVAL, at=clock()))
    await incidents.execute(Redact(actor=an_actor(admin=True), ref=1, entry=3))
    clock.advance(minutes=1)
    copy.look()

    assert not [name for name, text in texts(folder).items() if b"We look into it" in text]
    rival = StaticCopy(
        store, folder, clock=clock, address=lambda _page, _alone: "x", workspace="T0OTHER"
    )
    before = texts(folder)
    with pytest.raises(NotPublished, match="holds the page of T0RATCHET: name another folder"):
        rival.make()
    await store.write(lambda tx: tx.unpublish_page("T0OTHER", at=clock()))
    assert not rival.make()
    assert texts(folder) == before


@pytest.mark.usefixtures("published")
async def test_what_is_not_published_makes_no_folder(store, folder, clock):
    deep = folder / "deep"
    nobody = StaticCopy(
        store, deep, clock=clock, address=lambda _page, _alone: "x", workspace="T0NOBODY"
    )

    assert not nobody.make()
    assert not folder.exists()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("error", [OSError(ENOSPC, "No space left on device"), KeyboardInterrupt()])
async def test_a_copy_that_ends_half_way_leaves_the_former_whole(copy, folder, error):
    copy.make()
    before = texts(folder)

    def fill(copied):
        copied.write("index.html", lambda: b"half")
        raise error

    with pytest.raises((NotPublished, KeyboardInterrupt)) as ended:
        CopyFolder(folder).replace(fill, owner=WORKSPACE)

    if isinstance(error, OSError):
        assert str(ended.value) == f"{folder} cannot be written: No space left on device"
    assert texts(folder) == before
    assert len(list((folder.parent / ".status.ratchet").glob("copy-*"))) == 1


@pytest.mark.usefixtures("published")
async def test_without_what_was_known_of_a_copy_all_is_made_anew(copy, folder):
    """As after a crash between the new copy and the note of what is in it."""
    copy.make()
    ended = folder / "incidents" / "1" / "index.html"
    before = ended.stat().st_ino
    copy.make()
    assert ended.stat().st_ino == before

    (folder.parent / ".status.ratchet" / "known.json").unlink()
    copy.make()

    assert ended.stat().st_ino != before


@pytest.mark.usefixtures("published")
async def test_a_bot_with_publish_dir_keeps_the_copy(environment, folder, clock):
    changes = {"PUBLISH_DIR": str(folder), "STATUS_HOST": "status.example"}
    app = build(Settings.from_env(environment | changes), clock=clock)
    await app.start()
    await app.publish()
    await app.stop()

    assert "/feed subscribe https://status.example/updates.rss" in (
        folder / "index.html"
    ).read_text("utf-8")


async def test_the_former_addresses_of_imported_incidents_are_in_it(copy, folder, store, clock):
    await import_northwind(store, clock, folder.parent)
    await store.write(lambda tx: tx.publish_page(ACME, at=clock()))

    copy.make()

    there = folder / "incidents/inc0000000b2"
    assert "Checkout fails" in (there / "index.html").read_text()
    assert (there / "index.html").read_bytes() == (folder / "incidents/2/index.html").read_bytes()
    assert there.with_name("inc0000000b2.md").exists()
