"""`ratchet import statuspage`: files and addresses, each slip, and HTML as plain text."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.http.status.shelf import Shelf
from bot.importing.plain import plain
from bot.importing.reading import FILE_MAX_BYTES, UnreadableSource, read
from core.curating import Curation
from storage.keys import known_workspaces
from storage.store import SqlStore
from tests import northwind
from tests.builders import an_actor, the_settings
from tests.cli import invoke
from tests.edges.conftest import logging_as_before
from tests.file_server import a_file_server

__all__ = ["logging_as_before"]

TEAM = ("--workspace", "T0ACME")
HEADINGS = (
    "            " + "          read         added  there before       changed      left out\n"
)


@pytest.fixture
def ratchet(ready, tmp_path, logging_as_before):
    """Runs ``ratchet import statuspage`` in a folder of its own: exit code, output, errors."""
    ready(tmp_path)

    def ratchet(*arguments):
        with contextlib.chdir(tmp_path):
            result = invoke(["import", "statuspage", *arguments, *TEAM])
        return result.exit_code, result.stdout, result.stderr

    return ratchet


@pytest.fixture
def saved(tmp_path):
    """Writes the documents of the page into the folder of the command."""

    def saved(**documents):
        documents = {"summary": northwind.summary(), "incidents": northwind.incidents()} | documents
        for name, value in documents.items():
            text = value if isinstance(value, str) else json.dumps(value)
            (tmp_path / f"{name}.json").write_text(text)
        return tuple(f"{name}.json" for name in documents)

    return saved


IMPORTED = "Northwind Status was imported, with its ids.\n"


def row(name, *counts):
    return f"{name:<12}" + "".join(f"{count:>14}" for count in counts) + "\n"


def table(**rows):
    return HEADINGS + "".join(row(name, *counts) for name, counts in rows.items())


def counted(told):
    """The rows of a table that the command told: read, added, there, changed, left out."""
    rows = (line.split() for line in told.splitlines())
    kinds = {"groups", "components", "incidents", "updates"}
    return {name: tuple(map(int, counts)) for name, *counts in rows if name in kinds}


# --- the command -------------------------------------------------------------------------------


def test_two_files_are_imported_once(ratchet, saved):
    names = saved()

    dry, first, second = (ratchet(*names, *more) for more in (["--dry-run"], [], []))

    assert dry == (
        0,
        table(groups=(2, 2, 0, 0, 0), components=(4, 4, 0, 0, 0), incidents=(3, 3, 0, 0, 0))
        + row("updates", 9, 9, 0, 0, 0)
        + "Northwind Status would be imported. Nothing was written.\n",
        "",
    )
    assert first == (0, dry[1].rpartition("Northwind ")[0] + IMPORTED, "")
    assert second == (
        0,
        table(groups=(2, 0, 2, 0, 0), components=(4, 0, 4, 0, 0), incidents=(3, 0, 3, 0, 0))
        + row("updates", 9, 0, 9, 0, 0)
        + "Everything was there before: nothing was changed.\n",
        "",
    )


def test_unresolved_incidents_are_asked_about(ratchet, saved):
    names = saved(summary=northwind.summary(northwind.LOGINS_FAIL))

    code, told, wrong = ratchet(*names)

    assert (code, told) == (1, "")
    assert "Nothing was imported" in wrong
    assert "inc0000000d4" in wrong
    assert ratchet(*names, "--include-open", "--leave-open")[0] == 2
    assert "1 unresolved there: left out." in ratchet(*names, "--leave-open")[1]
    taken = counted(ratchet(*names, "--include-open")[1])
    assert (taken["incidents"], taken["updates"]) == ((4, 1, 3, 0, 0), (11, 2, 9, 0, 0))


MAINTENANCE = northwind.incident(
    "incp00000001",
    "Disks",
    "scheduled",
    [northwind.update("updp00000001", "scheduled", "New disks.", "2026-01-01T00:00:00Z")],
    impact="none",
)
LEFT_OUT = "Scheduled maintenances are left out, and not counted.\n"


def test_the_last_sentence_says_what_became_of_it(ratchet, saved):
    planned = saved(
        summary=northwind.summary() | {"components": []}, incidents=northwind.incidents(MAINTENANCE)
    )
    empty = table(groups=(0,) * 5, components=(0,) * 5, incidents=(0,) * 5, updates=(0,) * 5)
    only_the_id = "Only the id of Northwind Status"

    told = [ratchet(*planned, *more)[1] for more in (["--dry-run"], [], [])]

    assert told == [
        f"{LEFT_OUT}{empty}{only_the_id} would be imported. Nothing was written.\n",
        f"{LEFT_OUT}{empty}{only_the_id} was imported.\n",
        f"{LEFT_OUT}{empty}Nothing in it can be imported: nothing was changed.\n",
    ]
    both = saved(incidents=northwind.incidents(MAINTENANCE, northwind.MAIL_IS_LATE))
    told = [ratchet(*both)[1].splitlines()[-1] for _ in range(2)]
    assert told == [IMPORTED.strip(), "Nothing else is new: nothing was changed."]


def test_components_that_are_gone_there_are_named_and_counted(ratchet, saved):
    names = saved(incidents=northwind.incidents(AMISS))

    first, second = (ratchet(*names)[1] for _ in range(2))

    told = 'Incidents there name "API v1", which is a component no more: it is left out.'
    for said in (first, second):
        assert told in said.splitlines()
        assert counted(said)["components"][-1] == 1


def read_in(summary, incidents):
    """So many of each kind are in two documents, each id once."""
    parts = {one["id"]: one for one in summary["components"]}
    told = {one["id"]: one for one in (*incidents["incidents"], *summary["incidents"])}
    return {
        "groups": sum(one["group"] for one in parts.values()),
        "components": sum(not one["group"] for one in parts.values())
        + len({one["id"] for each in told.values() for one in each["components"]} - parts.keys()),
        "incidents": len(told),
        "updates": sum(len(one["incident_updates"]) for one in told.values()),
    }


AMISS = northwind.MAIL_IS_LATE | {
    "components": [{**northwind.COMPONENTS[1], "id": "gone0000gone", "name": "API v1"}],
    "incident_updates": [
        *northwind.MAIL_IS_LATE["incident_updates"],
        northwind.update("updc30000000", "investigating", "", "2026-02-20T07:30:00.000Z"),
    ],
}
RUNS = {
    "a page": (northwind.summary(), northwind.incidents()),
    "an unresolved incident in both files": (
        northwind.summary(northwind.LOGINS_FAIL),
        northwind.incidents(northwind.LOGINS_FAIL, northwind.MAIL_IS_LATE),
    ),
    "an incident twice, with a silent text and a component that is gone": (
        northwind.summary(),
        northwind.incidents(AMISS, AMISS),
    ),
}


@pytest.mark.parametrize("run", RUNS)
def test_all_that_was_read_is_accounted_for_in_each_run(ratchet, saved, run):
    summary, incidents = RUNS[run]
    names = saved(summary=summary, incidents=incidents)

    for more in ["--leave-open"], ["--leave-open"], ["--include-open"], []:
        told = counted(ratchet(*names, *more)[1])

        assert {name: read for name, (read, *_) in told.items()} == read_in(summary, incidents)
        for count, *became in told.values():
            assert count == sum(became)


def test_our_own_page_is_accounted_for(ratchet, saved, tmp_path):
    assert ratchet(*saved())[0] == 0
    with closing(SqlStore(f"sqlite:///{tmp_path}/ratchet.db", defaults=the_settings())) as store:
        operator = an_actor(workspace="T0ACME", admin=True)
        curation = Curation(store, clock=lambda: datetime.now(UTC))
        asyncio.run(curation.publish(operator))
        shelf = Shelf(
            store,
            clock=lambda: datetime.now(UTC),
            address=lambda *_: "https://s.example",
            fresh=timedelta(),
        )
        ours = {
            name: json.loads(asyncio.run(shelf.find("T0ACME", f"api/v2/{name}.json")).body)
            for name in ("summary", "incidents")
        }

    told = counted(ratchet(*saved(**ours))[1])

    assert {name: read for name, (read, *_) in told.items()} == read_in(**ours)
    assert [(read, there) for read, _, there, *_ in told.values()] == [
        (2, 2),
        (4, 4),
        (3, 3),
        (9, 9),
    ]


BROKEN = northwind.incidents() | {"incidents": [northwind.MAIL_IS_LATE | {"created_at": "soon"}]}
LATE = "2026-02-20T09:00:00Z"


def odd(**fields):
    """The document of incidents with one that has these fields."""
    return json.dumps(northwind.incidents(northwind.MAIL_IS_LATE | fields))


def component(**fields):
    """A document with the component API, which has these fields."""
    api = northwind.component(northwind.API, "API", 1)
    return json.dumps(northwind.incidents() | {"components": [api | fields]})


FAULTS = {
    "no JSON": ("<html>", "is neither JSON nor a feed"),
    "cut off": (json.dumps(northwind.incidents())[:-20], "is no JSON: save the answer"),
    "a list": ("[]", "the document must be a JSON object: save the answer as it is."),
    "no object": ('{"page": 1}', "page must be a JSON object: save the answer as it is."),
    "another document": ('{"data": []}', "page is missing: is it a document of Statuspage's API"),
    "a wrong moment": (
        json.dumps(BROKEN),
        "the incident inc0000000c3, incidents[0].created_at is no moment: write one such as",
    ),
    "nesting": ("[" * 100_000, "is no JSON"),
    "no UTF-8": ("\udcff", "is no JSON"),
    "another page": (
        json.dumps(northwind.incidents() | {"page": northwind.PAGE | {"id": "other0000000"}}),
        "import one page at a time",
    ),
    "an entity": ('<!DOCTYPE x [<!ENTITY a "b">]><feed/>', "declares entities"),
    "RSS": ('<rss version="2.0"/>', "is no Atom feed: name history.atom"),
    "a moment without a zone": (
        json.dumps(
            northwind.incidents(northwind.MAIL_IS_LATE | {"updated_at": "2026-01-01T00:00:00"})
        ),
        "incidents[0].updated_at has no time zone: write it such as",
    ),
    "an unknown status": (
        json.dumps(northwind.incidents(northwind.MAIL_IS_LATE | {"status": "done"})),
        "incidents[0].status is none of investigating, identified,",
    ),
    "an odd id": (
        json.dumps(northwind.incidents(northwind.MAIL_IS_LATE | {"id": "<script>"})),
        "the incident <script>, incidents[0].id is no id of at most 64 letters",
    ),
    "an id that is no text": (odd(id=7), "incidents.json: incidents[0].id is no text."),
    "no name": (odd(name=" "), "the incident inc0000000c3, incidents[0].name is empty."),
    "a name of signs": (odd(name="\u202e<p></p>"), "the incident inc0000000c3, name is empty"),
    "a long name": (
        odd(name="x" * 5_000),
        "the incident inc0000000c3, name has 5,000 characters, and at most 255 fit: shorten it",
    ),
    "a text without end": (
        odd(incident_updates=[northwind.update("u1", "resolved", "x" * 100_001, LATE)]),
        "incidents[0].incident_updates[0].body has more than 100,000 characters.",
    ),
    "no list": (odd(incident_updates={}), "incident_updates is no JSON list: save the answer"),
    "an incident that is none": (
        json.dumps(northwind.incidents() | {"incidents": [7]}),
        "incidents.json: incidents[0] must be a JSON object: save the answer as it is.",
    ),
    "another century": (odd(resolved_at="1026-02-20T09:00:00Z"), "is no moment of the years 2000"),
    "an end before the start": (
        odd(resolved_at="2026-02-20T05:00:00Z"),
        "has resolved_at 2026-02-20 05:00:00 UTC, which lies before its start at 2026-02-20 06:59",
    ),
    "a component with an odd day": (
        component(start_date="1st of May"),
        "the component eu1api0000aa, components[0].start_date is no day: write one such as",
    ),
    "a component of the future": (
        component(start_date="2199-12-31"),
        "The component eu1api0000aa has the start_date 2199-12-31, which is a day from 2000-01-01",
    ),
    "a component with a long story": (
        component(description="x" * 1_001),
        "the component eu1api0000aa, description has 1,001 characters, and at most 1,000 fit",
    ),
    "a flag that is none": (component(showcase="maybe"), "showcase is neither true nor false."),
    "a place that is none": (component(position="first"), "position is no whole number."),
    "a status that is none": (component(status="fine"), "status is none of major_outage, "),
    "an odd address": (
        json.dumps(northwind.incidents() | {"page": northwind.PAGE | {"url": "ftp://x"}}),
        "incidents.json: page.url is no address with http:// or https://.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_imported_leaves_nothing(ratchet, saved, tmp_path, fault):
    content, told = FAULTS[fault]
    saved()
    (tmp_path / "incidents.json").write_bytes(content.encode(errors="surrogateescape"))

    code, said, wrong = ratchet("summary.json", "incidents.json")

    assert (code, said) == (1, "")
    assert told in wrong
    assert wrong.count("\n") == 1
    assert "Value error" not in wrong
    left = tmp_path / "ratchet.db"
    assert not left.exists() or not SqlStore(f"sqlite:///{left}").read_now(known_workspaces)


def test_a_missing_file_is_named(ratchet):
    assert ratchet("nowhere.json") == (
        1,
        "",
        "nowhere.json cannot be read: No such file or directory.\n",
    )


def test_a_file_without_an_end_is_not_read_to_its_end(ratchet):
    assert "has more than 10,000,000 bytes" in ratchet("/dev/zero")[2]


def test_maintenances_are_left_out(saved, tmp_path):
    planned = northwind.update("updp00000001", "scheduled", "New disks.", "2026-01-01T00:00:00Z")
    work = northwind.incident("incp00000001", "Disks", "scheduled", [planned], impact="none")
    saved(incidents=northwind.incidents(work, northwind.MAIL_IS_LATE))

    page, notes = read([str(tmp_path / "incidents.json")])

    assert [one.id for one in page.incidents] == ["inc0000000c3"]
    assert notes == ("Scheduled maintenances are left out, and not counted.",)


# --- addresses ---------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path):
    """The page at an address of this machine."""
    folder = tmp_path / "elsewhere"
    (folder / "api/v2").mkdir(parents=True)
    (folder / "api/v2/summary.json").write_text(json.dumps(northwind.summary()))
    (folder / "api/v2/incidents.json").write_text(json.dumps(northwind.incidents()))
    (folder / "history.atom").write_text(northwind.FEED)
    with a_file_server(folder) as address:
        yield folder, address


def test_the_address_of_a_page_reads_all_its_documents(elsewhere):
    page, notes = read([f"{elsewhere[1]}/"])

    assert (len(page.components), len(page.groups), len(page.incidents)) == (4, 2, 3)
    assert page.atom == {
        "https://status.northwind.example/incidents/inc0000000c3": (
            "tag:status.northwind.example,2005:Incident/4711"
        )
    }
    assert notes == ()


def test_a_page_without_a_feed_is_read_without_it(elsewhere):
    (elsewhere[0] / "history.atom").unlink()

    page, _ = read([elsewhere[1]])

    assert (len(page.incidents), page.atom) == (3, {})


def test_a_page_without_incidents_is_not_imported_by_half(elsewhere):
    (elsewhere[0] / "api/v2/incidents.json").unlink()

    with pytest.raises(UnreadableSource, match=r"incidents\.json answered 404"):
        read([elsewhere[1]])


def test_an_endless_answer_is_cut_off(elsewhere):
    (elsewhere[0] / "api/v2/summary.json").write_bytes(b" " * (FILE_MAX_BYTES + 1))

    with pytest.raises(UnreadableSource, match="has more than 10,000,000 bytes"):
        read([elsewhere[1]])


@pytest.mark.parametrize(
    "address",
    ["http://status.example.com", "ftp://status.example.com", "file:///etc/passwd", "https-x://y"],
)
def test_only_https_is_read(address):
    with pytest.raises(UnreadableSource, match="give one with https://"):
        read([address])


def test_an_address_where_nobody_answers_is_named(elsewhere):
    host = elsewhere[1].rpartition(":")[0]

    with pytest.raises(UnreadableSource, match=r":1/api/v2/summary\.json takes no connection: "):
        read([f"{host}:1"])


def test_an_address_that_speaks_no_tls_is_named_in_our_words(elsewhere):
    with pytest.raises(UnreadableSource) as refused:
        read([elsewhere[1].replace("http:", "https:")])

    assert str(refused.value).endswith(
        "/api/v2/summary.json has no certificate that can be trusted, or speaks no TLS: check it "
        "and try again, or save its documents as files."
    )


# --- HTML as plain text ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Just words.", "Just words."),
        ("Two\r\nlines", "Two\nlines"),
        ("One<br>two<br/>three<br />four", "One\ntwo\nthree\nfour"),
        ("One<br><br><br><br>two", "One\n\ntwo"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        (
            'See <a href="https://x.example/p">our report</a>.',
            "See our report (https://x.example/p).",
        ),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<b>Bold</b> and <em>more</em>", "Bold and more"),
        ("latency < 5 ms & falling", "latency < 5 ms & falling"),
        ("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c\xa0d"),
        ("set <your-name> in List<String>", "set <your-name> in List<String>"),
        ("before<script>alert(1)</script>after", "beforeafter"),
        ("a<!-- nobody -->b", "ab"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("<br>", ""),
        ("if a <b and c> d", "if a <b and c> d"),
        ("if a<b then c>d", "if a<b then c>d"),
        ("if (a<i && i>b) &amp;&amp; x<y", "if (a<i && i>b) && x<y"),
        ("a<b &amp; c>d, <b>bold</b>", "a<b & c>d, bold"),
        ("a<b c <i>slow</i>", "a<b c slow"),
        ("a List<b>, and a<s", "a List<b>, and a<s"),
        (
            'no start</b>, no end <a href="https://x.example">here',
            'no start</b>, no end <a href="https://x.example">here',
        ),
        ("a<script>b", "a<script>b"),
        ("a<!-- b", "a<!-- b"),
        ("a<!-- x --><!-- y -->b<!-- c", "ab<!-- c"),
        ("a<!b>c<?d>e<![f]>", "a<!b>c<?d>e<![f]>"),
        ("I <3 it</3>", "I <3 it</3>"),
        ("<B CLASS='x'>Bold</B> <i><b>more</i></b>", "Bold more"),
        (
            "<a target=_blank href=https://x.example/?a=1&amp;b=2>here</a>",
            "here (https://x.example/?a=1&b=2)",
        ),
        ("<table><tr><td nowrap>one</td></tr><tr><td>two</table>", "one\ntwo"),
        ("<b/>a<span/>b<hr>c", "ab\nc"),
        ('<img src="x" alt="y">a<img src=x />', "a"),
        ("<p dir=ltr>one<p>two", "one\n\ntwo"),
    ],
)
def test_html_becomes_plain_text(html, text):
    assert plain(html) == text


@pytest.mark.parametrize(
    "sign", ["<!--", "<b>", "</b>", "<a b=", '<a b="', "<a ", "<a href='x' ", "<p", " ", "<", "&"]
)
def test_a_hostile_text_is_read_in_one_go(sign):
    """Each sign as often as a text has room: what is read again and again would never end."""
    assert plain(f"<b {sign * (100_000 // len(sign))}")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_serving_page_shows_what_is_imported_beside_it(
    a_database, kind, saved, tmp_path, clock, logging_as_before
):
    names = [str(tmp_path / name) for name in saved()]
    clock.now = datetime.now(UTC)
    with a_database(kind) as url, closing(SqlStore(url, defaults=the_settings())) as store:
        store.open_for_serving()
        shelf = Shelf(store, clock=clock, address=lambda *_: "https://s.example", fresh=timedelta())
        await Curation(store, clock=clock).publish(an_actor(workspace="T0ACME", admin=True))

        async def shown():
            kept = await shelf.find("T0ACME", "api/v2/incidents.json")
            return [one["name"] for one in json.loads(kept.body)["incidents"]]

        assert await shown() == []
        told = await asyncio.to_thread(
            invoke,
            ["import", "statuspage", *names, *TEAM],
            env={"DATABASE_URL": url},
        )

        assert told.exit_code == 0
        assert "Mail is late" in await shown()
