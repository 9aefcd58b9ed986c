"""Events on their way to a real receiver, and what follows from each of its answers."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from bot.delivery.failures import (
    after_webhook_failure,
)
from bot.delivery.webhooks import WebhookTransport, WebhookWorker
from bot.page.addresses import Addresses
from bot.page.ids import object_id, update_id
from bot.page.statuspage import document
from bot.telemetry import Metrics
from bot.webhooks.outward import Outward
from bot.webhooks.signing import new_secret
from core.arranging import ComponentChange
from core.commands import Redact, SetPrivacy
from core.curating import Curation
from core.endpoints import Webhooks
from core.incident import Note, PublicText, Severity
from core.page import ComponentStatus
from core.projection import project
from core.refusals import NoPublicSurface
from core.service import Incidents
from core.webhooks import HookEvent
from storage.hook_queue import HookQueue
from storage.store import SqlStore
from tests import northwind
from tests.builders import (
    GRACE,
    NINE,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
)
from tests.webhooks.receiver import a_receiver

ADMIN = an_actor(admin=True)
PAGE = "https://status.acme.example"


async def test_an_incident_is_told_from_its_beginning_to_its_end(
    add, incidents, worker, receiver, bodies, clock
):
    await add()
    await incidents.execute(a_declaration(id=an_id(1)))
    for to, text in (("identified", "We know."), ("monitoring", None), ("resolved", "Over.")):
        clock.advance(minutes=1)
        public = text and PublicText(text)
        await incidents.execute(
            a_change(ref=1, to=to, public=public, note=Note("db-3 lost quorum"))
        )
    await worker.deliver_due()

    told = bodies()
    assert [(one["type"], one["incident"]["status"]) for one in told] == [
        ("incident.created", "investigating"),
        ("incident.updated", "identified"),
        ("incident.updated", "monitoring"),
        ("incident.resolved", "resolved"),
    ]
    # Each public update arrives once as the newest, and in order.
    assert [one["incident"]["incident_updates"][0]["body"] for one in told] == [
        "Status changed to Investigating.",
        "We know.",
        "Status changed to Monitoring.",
        "Over.",
    ]
    assert [one["meta"]["update_id"] for one in told] == [
        one["incident"]["incident_updates"][0]["id"] for one in told
    ]
    assert told[0]["timestamp"] == "2026-03-02T09:00:00.000Z"
    assert told[0]["page"].keys() == {"id", "status_indicator", "status_description"}
    assert told[-1]["page"]["status_indicator"] == "none"
    assert "quorum" not in repr(receiver.got)


async def test_the_incident_is_the_one_of_the_page(add, incidents, worker, store, bodies, clock):
    await Curation(store, clock=clock).publish(ADMIN, title="Acme")
    await add()
    await incidents.execute(a_declaration(id=an_id(1), components=("+api",)))
    await Curation(store, clock=clock).change_component(ADMIN, "api", ComponentChange(shown=True))
    await worker.deliver_due()

    facts = store.read_public_now(lambda view: view.page_facts(WORKSPACE, at=clock()))
    shown = document("incidents", project(facts, clock()), Addresses(PAGE))["incidents"][0]
    (told,) = [one for one in bodies() if one["type"] == "incident.created"]
    assert told["incident"] == shown


@pytest.mark.parametrize("published", [True, False])
async def test_every_id_in_a_body_is_the_one_that_was_imported(
    add, incidents, worker, store, bodies, clock, tmp_path, published
):
    await northwind.import_northwind(store, clock, tmp_path, northwind.LOGINS_FAIL)
    curation = Curation(store, clock=clock)
    if published:
        await curation.publish(ADMIN, title="Northwind Status")
    await add()
    clock.advance(minutes=1)
    await incidents.execute(Redact(actor=ADMIN, ref=4, entry=2))
    await curation.override(ADMIN, "API", ComponentStatus.MAJOR_OUTAGE)
    await worker.deliver_due()
    await incidents.execute(SetPrivacy(actor=ADMIN, ref=4, private=True))
    await worker.deliver_due()

    told = {one["type"]: one for one in bodies()}
    assert {one["page"]["id"] for one in told.values()} == {northwind.PAGE["id"]}
    withdrawn, gone = told["incident.update_withdrawn"], told["incident.withdrawn"]
    here = next(
        one
        for one in withdrawn["incident"]["incident_updates"]
        if one["body"] == "This update was withdrawn."
    )
    assert withdrawn["meta"]["update_id"] == here["id"]
    assert here["id"] in {one["id"] for one in northwind.LOGINS_FAIL["incident_updates"]}
    assert withdrawn["incident"]["id"] == northwind.LOGINS_FAIL["id"]
    assert gone["incident"] == {"id": northwind.LOGINS_FAIL["id"]}
    changed = [one for one in bodies() if one["type"] == "component.updated"]
    component = next(one for one in changed if one["component"]["name"] == "API")
    assert component["component_update"]["component_id"] == northwind.API
    assert component["component"]["id"] == northwind.API
    assert component["component"]["page_id"] == northwind.PAGE["id"]


async def test_a_webhook_is_enough_for_a_public_update(kind, a_database, receiver, clock):
    with a_database(kind) as url, closing(SqlStore(url)) as store:
        incidents = Incidents(store, clock=clock, wake=lambda: None)
        hooks = Webhooks(store, clock=clock)
        await incidents.execute(a_declaration(id=an_id(1)))
        told = a_change(ref=1, public=PublicText("Cards fail."))
        with pytest.raises(NoPublicSurface):
            await incidents.execute(told)
        proposed = await hooks.propose(ADMIN, an_id("hook"), receiver.url)
        await hooks.keep(ADMIN, proposed, new_secret())
        await incidents.execute(told)
        (event,) = await HookQueue(store).claim("w1", limit=9, at=clock())

    assert event.event is HookEvent.UPDATED


async def test_without_a_page_the_incident_has_no_link(add, incidents, worker, bodies):
    await add()
    await incidents.execute(a_declaration(id=an_id(1)))
    await worker.deliver_due()

    assert bodies()[0]["incident"]["shortlink"] == ""


async def test_a_withdrawal_has_no_text_and_a_private_incident_its_id_alone(
    add, incidents, worker, receiver, bodies, clock
):
    await add()
    await incidents.execute(a_declaration(id=an_id(1)))
    clock.advance(minutes=1)
    await incidents.execute(a_change(ref=1, public=PublicText("Cards of Acme fail.")))
    await worker.deliver_due()
    receiver.got.clear()
    clock.advance(minutes=1)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=2))
    clock.advance(minutes=1)
    await worker.deliver_due()
    await incidents.execute(SetPrivacy(actor=ADMIN, ref=1, private=True))
    await worker.deliver_due()

    withdrawn, gone = bodies()
    assert withdrawn["type"] == "incident.update_withdrawn"
    assert withdrawn["meta"]["update_id"] == update_id(an_id(1), 2)
    assert withdrawn["incident"]["incident_updates"][0]["body"] == "This update was withdrawn."
    assert "Acme" not in repr(receiver.got)
    assert (gone["type"], gone["incident"]) == (
        "incident.withdrawn",
        {"id": object_id(an_id(1))},
    )


async def test_a_component_is_told_when_its_status_is_another_one(
    add, incidents, worker, store, bodies, receiver, clock
):
    await incidents.execute(a_declaration(id=an_id(1), components=("+api",)))
    curation = Curation(store, clock=clock)
    await curation.change_component(ADMIN, "api", ComponentChange(shown=True))
    clock.advance(minutes=1)
    await add()
    await incidents.execute(a_change(ref=1, severity=Severity.CRITICAL))
    await worker.deliver_due()
    clock.advance(minutes=1)
    until = clock() + timedelta(hours=1)
    maintained = ComponentStatus.UNDER_MAINTENANCE
    await curation.override(ADMIN, "api", maintained, until=until, reason="db-3")
    await worker.deliver_due()
    await incidents.execute(a_change(ref=1, severity=Severity.LOW))
    await worker.deliver_due()
    clock.advance(hours=1)
    await worker.deliver_due()

    told = [one["component_update"] for one in bodies() if one["type"] == "component.updated"]
    assert [(one["old_status"], one["new_status"]) for one in told] == [
        ("partial_outage", "major_outage"),
        ("major_outage", "under_maintenance"),
        ("under_maintenance", "operational"),
    ]
    component = next(one for one in bodies() if one["type"] == "component.updated")["component"]
    assert (component["name"], component["status"]) == ("api", "major_outage")
    assert "db-3" not in repr(receiver.got)


@pytest.fixture
def curation(store, clock):
    return Curation(store, clock=clock)


@pytest.fixture
def changed(worker, bodies, receiver, clock):
    """The events of components that follow from an act: old and new status, and the component."""

    async def changed(act):
        receiver.got.clear()
        clock.advance(minutes=1)
        await act
        await worker.deliver_due()
        found = [one for one in bodies() if one["type"] == "component.updated"]
        return [
            (
                one["component_update"]["old_status"],
                one["component_update"]["new_status"],
                one["component"].get("name"),
                one["component"]["status"],
            )
            for one in found
        ]

    return changed


async def test_a_component_is_told_when_it_is_hidden_shown_or_renamed(
    add, incidents, curation, changed, bodies, receiver
):
    await curation.add_component(ADMIN, ComponentChange(name="Invoices"))
    await add()

    def change(known, /, **changes):
        return curation.change_component(ADMIN, known, ComponentChange(**changes))

    outage, fine = "major_outage", "operational"
    assert await changed(curation.override(ADMIN, "Invoices", ComponentStatus.MAJOR_OUTAGE)) == [
        (fine, outage, "Invoices", outage)
    ]
    own = bodies()[0]["component"]["id"]
    assert await changed(change("Invoices", name="Billing")) == [
        (outage, outage, "Billing", outage)
    ]
    # It counts as operational for its readers, and has no name any more.
    assert await changed(change("Billing", shown=False)) == [(outage, fine, None, fine)]
    assert bodies()[0]["component"] == {"id": own, "status": fine}
    assert bodies()[0]["component_update"]["component_id"] == own
    assert await changed(change("Billing", name="Bills")) == []
    assert "Bills" not in repr(receiver.got)
    assert await changed(change("Bills", shown=True)) == [(fine, outage, "Bills", outage)]
    assert bodies()[0]["component"]["id"] == own
    assert await changed(change("Bills", description="All of them.", position=4)) == []
    assert await changed(curation.override(ADMIN, "Bills", None)) == [(outage, fine, "Bills", fine)]
    # One that is well is told when its name changes alone.
    assert await changed(change("Bills", shown=False)) == []
    assert await changed(change("Bills", shown=True)) == []
    assert await changed(change("Bills", name="Books")) == [(fine, fine, "Books", fine)]


async def test_a_filter_holds_for_a_component_that_is_hidden_or_renamed(add, curation, changed):
    for name in ("Invoices", "Search"):
        await curation.add_component(ADMIN, ComponentChange(name=name))
    await add(components=["Search"])

    def change(known, /, **changes):
        return curation.change_component(ADMIN, known, ComponentChange(**changes))

    await changed(curation.override(ADMIN, "Invoices", ComponentStatus.MAJOR_OUTAGE))
    assert await changed(change("Invoices", name="Billing")) == []
    assert await changed(change("Billing", shown=False)) == []
    await changed(curation.override(ADMIN, "Search", ComponentStatus.MAJOR_OUTAGE))
    assert len(await changed(change("Search", name="Finder"))) == 1
    assert len(await changed(change("Finder", shown=False))) == 1


async def test_an_imported_component_that_is_hidden_keeps_its_id(
    add, store, curation, changed, bodies, clock, tmp_path
):
    await northwind.import_northwind(store, clock, tmp_path, northwind.LOGINS_FAIL)
    await add()
    await changed(curation.override(ADMIN, "API", ComponentStatus.MAJOR_OUTAGE))
    await changed(curation.change_component(ADMIN, "API", ComponentChange(shown=False)))

    assert bodies()[0]["component"] == {"id": northwind.API, "status": "operational"}
    assert bodies()[0]["component_update"]["component_id"] == northwind.API


FOUND = PublicText("We have found it.")
ABOUT = [
    ("text", a_change(ref=1, public=FOUND), 2),
    ("step", a_change(ref=1, to="identified"), 2),
    ("step and note", a_change(ref=1, to="identified", note=Note("db-3")), 2),
    ("step and severity", a_change(ref=1, to="identified", severity=Severity.LOW), 2),
    ("text and severity", a_change(ref=1, public=FOUND, severity=Severity.LOW), 2),
    ("severity", a_change(ref=1, severity=Severity.LOW), None),
    ("title", a_change(ref=1, title="Carts fail"), None),
    ("components", a_change(ref=1, components=("+api",)), None),
]


@pytest.mark.parametrize(
    ("command", "entry"), [one[1:] for one in ABOUT], ids=[a[0] for a in ABOUT]
)
async def test_an_event_names_an_update_of_its_body_or_none(
    command, entry, add, incidents, curation, worker, bodies, receiver, clock
):
    await curation.add_component(ADMIN, ComponentChange(name="api"))
    await add()
    await incidents.execute(a_declaration(id=an_id(1)))
    clock.advance(minutes=1)
    await worker.deliver_due()
    assert bodies()[0]["meta"]["update_id"] == update_id(an_id(1), 1)
    receiver.got.clear()
    await incidents.execute(command)
    clock.advance(minutes=1)
    await worker.deliver_due()

    (told,) = [one for one in bodies() if one["type"] == "incident.updated"]
    assert told["meta"]["update_id"] == (entry and update_id(an_id(1), entry))
    ids = {one["id"] for one in told["incident"]["incident_updates"]}
    assert told["meta"]["update_id"] in {None, *ids}


async def test_an_event_about_readers_names_no_update(
    add, incidents, worker, bodies, receiver, clock
):
    await add()
    await incidents.execute(a_declaration(id=an_id(1), private=True))
    for private in (False, True, False):
        clock.advance(minutes=1)
        await incidents.execute(SetPrivacy(actor=ADMIN, ref=1, private=private))
        await worker.deliver_due()

    assert [(one["type"], one["meta"]["update_id"]) for one in bodies()] == [
        ("incident.created", None),
        ("incident.withdrawn", None),
        ("incident.created", None),
    ]


async def test_two_incidents_that_differ_in_private_words_send_the_same_bytes(a_database, clock):
    async def sent(private, person):
        from storage.store import SqlStore  # noqa: PLC0415 - a store of its own for each
        from tests.builders import the_settings  # noqa: PLC0415

        clock.now = NINE
        with a_database("sqlite") as url:
            store = SqlStore(url, defaults=the_settings())
            incidents = Incidents(store, clock=clock, wake=lambda: None)
            async with (
                a_receiver() as receiver,
                Outward(allow_private=True, agent="Ratchet") as outward,
            ):
                hooks = Webhooks(store, clock=clock)
                proposed = await hooks.propose(ADMIN, an_id("hook"), receiver.url)
                await hooks.keep(ADMIN, proposed, new_secret())
                who = {"actor": an_actor(person, admin=True)}
                await incidents.execute(
                    a_declaration(**who, id=an_id(1), description=private, components=("+api",))
                )
                await incidents.execute(a_change(**who, ref=1, note=Note(private)))
                await incidents.execute(
                    a_change(**who, ref=1, to="identified", note=Note(private), owner=person)
                )
                await incidents.execute(
                    a_change(**who, ref=1, public=PublicText("We look."), confirmed=True)
                )
                await incidents.execute(
                    a_declaration(**who, id=an_id(2), title=private, private=True)
                )
                worker = WebhookWorker(
                    HookQueue(store),
                    WebhookTransport(outward, address=lambda _page, _alone: PAGE),
                    name="test",
                    clock=clock,
                    chance=lambda: 0.0,
                    metrics=Metrics(),
                    verdict=after_webhook_failure,
                )
                await worker.deliver_due()
            store.close()
            return [body for _, _, body in receiver.got]

    one = await sent("xyzzy-db-3 lost quorum", GRACE)
    assert len(one) == 3
    assert one == await sent("a", ADMIN.person)
