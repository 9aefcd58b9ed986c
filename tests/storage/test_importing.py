"""A page of Statuspage is imported, and its clients see the same page as before."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.importing.reading import read
from bot.page.addresses import Addresses
from bot.page.feeds import FEEDS
from bot.page.statuspage import document
from core.commands import Redact, SetPrivacy
from core.curating import Curation
from core.endpoints import Webhooks
from core.importing import Imports
from core.incident import PublicText, Severity
from core.projection import project
from storage import audit, export
from storage.remembered import Remembered
from tests import northwind
from tests.builders import NINE, WORKSPACE, a_change, an_actor, an_id

ADMIN = an_actor(admin=True)
AT = Addresses("https://status.example.com")


@pytest.fixture
def foreign(tmp_path):
    """The page as the reader of files gives it."""

    def foreign(*documents, feed=None):
        names = []
        for number, one in enumerate(documents):
            names.append(tmp_path / f"{number}.json")
            names[-1].write_text(json.dumps(one))
        if feed is not None:
            names.append(tmp_path / "history.atom")
            names[-1].write_text(feed)
        return read([str(name) for name in names])[0]

    return foreign


@pytest.fixture
def imports(store, clock):
    return Imports(store, clock=clock)


@pytest.fixture
def bring(imports, foreign):
    """Imports documents, those of the past if none are given."""

    async def bring(*documents, open_too=None, **more):
        documents = documents or (northwind.summary(), northwind.incidents())
        return await imports.run(ADMIN, foreign(*documents, **more), open_too=open_too)

    return bring


@pytest.fixture
def page(store, clock):
    """The page, which is the same with what is remembered of it and without."""
    remembered = Remembered()

    async def page():
        await Curation(store, clock=clock).publish(ADMIN, title="Northwind Status")
        facts, again = await store.read_public(
            lambda view: [
                view.page_facts(WORKSPACE, at=clock(), remembered=one) for one in (None, remembered)
            ]
        )
        assert again == facts
        return project(facts, clock())

    return page


@pytest.fixture
def findings(store):
    async def findings():
        return await store.read(lambda reader: [str(one) for one in audit.findings(reader)])

    return findings


def same(there, here):
    """The fields that differ, or that one of them lacks."""
    names = there.keys() | here.keys()
    return {
        name: (there.get(name), here.get(name))
        for name in names
        if there.get(name, "none") != here.get(name, "none")
    }


async def test_clients_read_the_same_incidents_as_before(bring, page):
    await bring()

    here = document("incidents", await page(), AT)

    assert here["page"]["id"] == northwind.PAGE["id"]
    assert [one["id"] for one in here["incidents"]] == [one["id"] for one in northwind.PAST]
    for told, shown in zip(northwind.PAST, here["incidents"], strict=True):
        differing = same(told, shown)
        assert differing.keys() <= {"shortlink", "components"}
        assert {one["id"] for one in shown["components"]} == {
            one["id"] for one in told["components"]
        }


async def test_clients_read_the_same_components_and_groups_as_before(bring, page):
    await bring()

    here = {one["id"]: one for one in document("components", await page(), AT)["components"]}

    assert here.keys() == {one["id"] for one in northwind.COMPONENTS}
    for told in northwind.COMPONENTS:
        assert same(told, here[told["id"]]) == {}


async def test_feed_readers_see_no_new_entry(bring, page):
    await bring(northwind.summary(), northwind.incidents(), feed=northwind.FEED)

    now = await page()
    atom = FEEDS["history.atom"](now, AT).decode()
    rss = FEEDS["history.rss"](now, AT).decode()

    assert "<id>tag:status.northwind.example,2005:Incident/4711</id>" in atom
    assert "<updated>2026-02-20T09:00:00.900Z</updated>" in atom
    for one in northwind.PAST:
        guid = f">https://status.northwind.example/incidents/{one['id']}</guid>"
        assert guid in rss
    assert "&lt;strong&gt;Postmortem&lt;/strong&gt;" in rss


async def test_a_second_run_changes_nothing(bring, contents):
    first = await bring()
    before = contents()

    second = await bring()

    told = (first.groups, first.components, first.incidents, first.updates)
    assert [(one.added, one.read) for one in told] == [(2, 2), (4, 4), (3, 3), (9, 9)]
    assert second.nothing
    assert contents() == before


async def test_a_look_writes_nothing_and_says_the_same(imports, foreign, contents, store):
    page = foreign(northwind.summary(), northwind.incidents())
    before = contents()

    looked = await imports.look(ADMIN, page, open_too=None)

    assert contents() == before
    assert await imports.run(ADMIN, page, open_too=None) == looked


async def test_a_later_run_adds_what_is_new(bring, page):
    older = [northwind.CHECKOUT_FAILS, northwind.SLOW_PAGES]
    await bring(northwind.summary(), northwind.incidents(*older))

    later = await bring()

    told = (later.components, later.incidents, later.updates)
    assert [(one.added, one.there) for one in told] == [(0, 4), (1, 2), (2, 7)]
    listed = document("incidents", await page(), AT)["incidents"]
    assert [one["id"] for one in listed] == [one["id"] for one in northwind.PAST]


async def test_nothing_is_sent_anywhere(bring, store, clock, rows):
    hooks = Webhooks(store, clock=clock)
    asked = await hooks.propose(ADMIN, an_id("hook"), "https://hooks.example.com/in")
    await hooks.keep(ADMIN, asked, "whsec_x")

    await bring(northwind.summary(northwind.LOGINS_FAIL), open_too=True)
    await bring()

    assert rows("SELECT count(*) FROM outbox") == [(0,)]
    assert rows("SELECT count(*) FROM webhook_message") == [(0,)]


async def test_the_store_agrees_with_itself(bring, findings, page, clock, declare):
    await declare()
    await bring(northwind.summary(northwind.LOGINS_FAIL), northwind.incidents(), open_too=True)
    await page()

    assert [one for one in await findings() if "INC-1:" not in one] == []


async def test_an_open_incident_goes_on_under_our_lifecycle(bring, page, incidents, clock):
    await bring(northwind.summary(northwind.LOGINS_FAIL), open_too=True)
    found = await incidents.find(an_actor(), 1)
    assert (found.status, found.next_steps, found.severity) == (
        "identified",
        ("monitoring",),
        Severity.HIGH,
    )

    clock.advance(minutes=5)
    text = PublicText("A new certificate is in place.")
    await incidents.execute(a_change(ref=1, to="monitoring", public=text))

    (one,) = document("incidents/unresolved", await page(), AT)["incidents"]
    assert (one["id"], one["status"], one["updated_at"]) == (
        "inc0000000d4",
        "monitoring",
        "2026-03-02T09:05:00.000Z",
    )
    assert [told["id"] for told in one["incident_updates"]][1:] == ["updd40000002", "updd40000001"]


RESOLVED_THERE = northwind.LOGINS_FAIL | {
    "status": "resolved",
    "updated_at": "2026-03-02T08:50:00.000Z",
    "resolved_at": "2026-03-02T08:50:00.000Z",
    "incident_updates": [
        northwind.update("updd40000003", "resolved", "Fixed.", "2026-03-02T08:50:00.000Z"),
        *northwind.LOGINS_FAIL["incident_updates"],
    ],
}


async def test_what_came_after_is_added_to_an_open_incident(bring, page, findings, incidents):
    await bring(northwind.summary(northwind.LOGINS_FAIL), open_too=True)

    told = await bring(northwind.summary(), northwind.incidents(RESOLVED_THERE))

    assert (told.incidents.added, told.updates.added, told.notes) == (0, 1, ())
    (one,) = document("incidents", await page(), AT)["incidents"]
    assert same(RESOLVED_THERE, one).keys() <= {"shortlink", "components", "incident_updates"}
    assert [told["id"] for told in one["incident_updates"]] == [
        "updd40000003",
        "updd40000002",
        "updd40000001",
    ]
    assert (await incidents.find(an_actor(), 1)).terminal
    assert await findings() == []


@pytest.mark.parametrize(
    "odd",
    [
        northwind.MAIL_IS_LATE | {"status": "monitoring"},
        northwind.CHECKOUT_FAILS | {"status": "identified"},
        northwind.MAIL_IS_LATE | {"incident_updates": []},
        northwind.LOGINS_FAIL | {"incident_updates": []},
        northwind.CHECKOUT_FAILS
        | {
            "incident_updates": [
                one | {"body": ""} for one in northwind.CHECKOUT_FAILS["incident_updates"]
            ]
        },
        northwind.MAIL_IS_LATE | {"started_at": None, "resolved_at": None, "components": None},
    ],
    ids=["earlier status", "reopened", "no texts", "no texts, open", "empty texts", "nulls"],
)
async def test_an_incident_that_contradicts_itself_is_imported_soundly(bring, page, findings, odd):
    await bring(northwind.summary(), northwind.incidents(odd), open_too=True)

    (one,) = document("incidents", await page(), AT)["incidents"]

    assert (one["id"], one["created_at"]) == (odd["id"], odd["created_at"])
    assert await findings() == []
    assert (await bring(northwind.summary(), northwind.incidents(odd), open_too=True)).nothing


async def test_imported_incidents_stand_behind_newer_ones_on_the_page(bring, declare, page, clock):
    await declare(title="Ours")
    await bring()

    listed = document("incidents", await page(), AT)["incidents"]

    assert [one["name"] for one in listed] == [
        "Ours",
        "Mail is late",
        "Checkout fails",
        "Slow pages",
    ]


async def test_a_component_of_the_same_name_keeps_its_place_and_gets_the_id(
    bring, page, incidents, declare
):
    ours = await incidents.make_component(
        ADMIN, name="website", description="Ours.", group=None, then=lambda _, made: made
    )
    await bring()

    shown = {one.component.id: one.component for one in (await page()).components}

    assert shown[ours.component.id].kept == northwind.WEB
    assert shown[ours.component.id].description == "Ours."


async def test_an_imported_text_is_withdrawn_like_any_other(bring, page, incidents, clock):
    await bring()
    clock.advance(minutes=1)
    await incidents.execute(Redact(actor=ADMIN, ref=3, entry=2))

    one = document("incidents", await page(), AT)["incidents"][0]

    assert one["incident_updates"][1]["body"] == "This update was withdrawn."
    assert one["incident_updates"][1]["id"] == "updc30000001"
    assert one["updated_at"] == "2026-03-02T09:01:00.000Z"


async def test_an_imported_incident_can_be_made_private(bring, page, incidents):
    await bring()
    await incidents.execute(SetPrivacy(actor=an_actor(), ref=3, private=True))

    listed = document("incidents", await page(), AT)["incidents"]

    assert [one["name"] for one in listed] == ["Checkout fails", "Slow pages"]


async def test_an_imported_incident_is_found_by_the_id_of_its_former_address(bring, store, clock):
    await bring()

    found, unknown, foreign = [
        await store.read_public(lambda view, t=team, i=id_: view.known_as(t, i, at=clock()))
        for team, id_ in (
            (WORKSPACE, "inc0000000b2"),
            (WORKSPACE, "inc000000000"),
            ("T0OTHER", "inc0000000b2"),
        )
    ]

    assert (found.title, found.tags[0][1][0].name) == ("Checkout fails", "API")
    assert (unknown, foreign) == (None, None)


async def test_the_bars_show_the_imported_past(bring, page):
    await bring()

    shown = {one.component.kept: one for one in (await page()).components}

    worst = {day.date.isoformat(): day.status for day in shown[northwind.API].days}
    assert worst["2026-01-15"] == "major_outage"
    assert worst["2026-01-16"] == "operational"


async def test_the_archive_has_what_is_kept(bring, store, page):
    await bring()
    await page()

    records = [*export.everything(store, WORKSPACE)]

    kept = [one[1] for one in records if isinstance(one, tuple)]
    assert [one.id for one in kept if hasattr(one, "entries")] == [
        "inc0000000a1",
        "inc0000000b2",
        "inc0000000c3",
    ]
    assert len([one for one in kept if isinstance(one, tuple)]) == 9


async def test_the_next_incident_here_gets_ids_of_its_own(bring, declare, page, clock):
    await bring()
    clock.advance(seconds=30)
    await declare(title="Ours")

    first = document("incidents", await page(), AT)["incidents"][0]

    assert first["name"] == "Ours"
    assert len(first["id"]) == 12
    assert first["started_at"] == (NINE + timedelta(seconds=30)).isoformat(
        timespec="milliseconds"
    ).replace("+00:00", "Z")
