"""`/incident components` and `/incident setup page`: the status page, managed from Slack."""

from __future__ import annotations

import json

import pytest

from core.arranging import ComponentChange
from core.curating import Curation
from core.incident import Person
from core.page import ComponentStatus
from tests.builders import an_actor
from tests.conversations.conftest import running
from tests.standin import opened


@pytest.fixture
def mode():
    return "http"


@pytest.fixture
def curation(ratchet, clock):
    return Curation(ratchet.store, clock=clock)


@pytest.fixture
def admin(slack):
    """Mia, a workspace admin, as the core knows her."""
    mia = slack.workspace.user("mia")
    return an_actor(Person(mia.id, "mia"), workspace=slack.workspace.team_id, admin=True)


@pytest.fixture
def known(curation, admin):
    """The components by name."""

    async def known():
        found = await curation.arrangement(admin)
        return {one.name: one for one in found.components}

    return known


@pytest.fixture
def listed(slack, ratchet):
    """Opens the list as mia, and returns her."""

    async def listed():
        mia = slack.person("mia")
        await mia.command("#payments", "/incident components")
        await slack.until(lambda: mia.has_view and "Components (" in mia.view.words())
        return mia

    return listed


async def answered(slack, person, words):
    await slack.until(lambda: any(words in told.words() for told in person.ephemerals))


async def test_the_answer_about_a_component_says_whether_the_page_is_published(
    slack, listed, curation, admin
):
    mia = await listed()
    for name, told in [
        ("Search", "Search is added. The status page shows it once the page is published."),
        ("Checkout API", "Checkout API is added. The status page shows it."),
    ]:
        await mia.press(mia.view, "Add a component…")
        await opened(slack, mia, "component")
        await mia.fill("Name", name)
        await mia.submit()
        await slack.until(lambda told=told: told in mia.view.words().replace("*", ""))
        await curation.publish(admin, title="Northwind Status", slug="northwind")


async def test_an_admin_adds_a_component_and_the_list_says_so(slack, listed, known):
    mia = await listed()
    await mia.press(mia.view, "Add a component…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Checkout API")
    await mia.fill("Description", "Takes orders")
    await mia.fill("Group", "Core")
    await mia.fill("Position", "20")
    await mia.fill("Record begins on", "2026-03-01")

    await mia.submit()

    await slack.until(lambda: "is added. The status page shows it once" in mia.view.words())
    made = (await known())["Checkout API"]
    assert (made.description, made.position, made.shown) == ("Takes orders", 20, True)
    assert str(made.start_date) == "2026-03-01"
    assert "Core" in mia.view.words()


async def test_a_group_like_another_is_made_only_if_a_plus_asks_for_it(
    slack, listed, curation, admin
):
    await curation.add_component(admin, ComponentChange(name="Search", group="Core"))
    mia = await listed()
    await mia.press(mia.view, "Add a component…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Checkout API")
    await mia.fill("Group", "Cores")

    refused = await mia.submit()

    assert list(refused.field_errors) == ["group"]
    assert 'did you mean "Core"?' in refused.field_errors["group"]
    assert len((await curation.arrangement(admin)).components) == 1
    await mia.fill("Group", "+Cores")
    await mia.submit()
    await slack.until(lambda: "The group *Cores* is made." in mia.view.words())


async def test_only_what_was_changed_in_the_dialog_is_written(
    slack, listed, known, curation, admin
):
    await curation.add_component(admin, ComponentChange(name="Checkout", description="Old"))
    mia = await listed()
    await mia.choose(mia.view, "menu", "Edit…")
    await opened(slack, mia, "component")
    # Another admin describes it meanwhile.
    await curation.change_component(admin, "Checkout", ComponentChange(description="New"))
    await mia.fill("Name", "Checkout API")
    await mia.fill("On the page", ["Clients may feature it (showcase)"])

    await mia.submit()

    await slack.until(lambda: "is on no public surface" in mia.view.words())
    made = (await known())["Checkout API"]
    assert (made.description, made.shown, made.showcase) == ("New", False, True)


@pytest.mark.parametrize(
    ("label", "typed", "field", "told"),
    [
        ("Name", "payments", "name", 'There is a component "Payments" already'),
        ("Position", "first", "position", "The position is a number"),
        ("Record begins on", "1 March", "start_date", "The start date is no day"),
        ("Record begins on", "9999-12-31", "start_date", "The start date is a day from 2000-01-01"),
        ("Name", "API, Web", "name", "The name holds a comma"),
        ("Name", "none", "name", 'The name is "none", which means no component in lists'),
    ],
)
async def test_a_value_that_is_not_possible_is_refused_at_its_field(
    slack, listed, known, curation, admin, label, typed, field, told
):
    await curation.add_component(admin, ComponentChange(name="Payments"))
    mia = await listed()
    await mia.press(mia.view, "Add a component…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Search")
    await mia.fill(label, typed)

    submitted = await mia.submit()

    assert list(submitted.field_errors) == [field]
    assert told in submitted.field_errors[field]
    assert mia.view.callback_id == "component"
    assert list(await known()) == ["Payments"]


async def test_a_repeated_delivery_adds_nothing_twice(slack, listed, known):
    mia = await listed()
    await mia.press(mia.view, "Add a component…")
    await opened(slack, mia, "component")
    await mia.fill("Name", "Search")
    await mia.submit()
    await slack.until(lambda: "is added" in mia.view.words())

    await slack.redeliver(copies=2, at_once=True)

    await slack.until(lambda: "is added" in mia.view.words())
    assert list(await known()) == ["Search"]


async def test_a_status_by_hand_has_an_end_in_the_persons_zone_and_a_private_reason(
    slack, listed, known, curation, admin, clock
):
    await curation.add_component(admin, ComponentChange(name="Search"))
    slack.workspace.user("mia").tz_offset = 3_600
    mia = await listed()
    await mia.choose(mia.view, "menu", "Status by hand…")
    await opened(slack, mia, "override")
    await mia.fill("Status", "Under maintenance")
    await mia.fill("End", "tomorrow 08:00")
    await mia.fill("Private reason", "wombat moves the rack")

    await mia.submit()

    await slack.until(lambda: "*Under maintenance* by hand" in mia.view.words())
    made = (await known())["Search"].by_hand(clock())
    assert made.status is ComponentStatus.UNDER_MAINTENANCE
    assert (made.until.hour, made.until.minute) == (7, 0)
    assert "wombat" not in mia.view.words()

    await mia.choose(mia.view, "menu", "Status by hand…")
    await opened(slack, mia, "override")
    assert "Its status by hand ends" in mia.view.words()
    await mia.submit()
    await slack.until(lambda: "Nothing was changed." in mia.view.words())
    assert (await known())["Search"].by_hand(clock()) == made

    await mia.choose(mia.view, "menu", "Status by hand…")
    await opened(slack, mia, "override")
    await mia.fill("Status", "Its incidents decide")
    await mia.submit()
    await slack.until(lambda: "its incidents decide" in mia.view.words())
    assert (await known())["Search"].by_hand(clock()) is None


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("soon", "The end names no moment"),
        ("today 00:01", "The end is past"),
        ("8:50", "The end has passed today: write 2026-03-03 08:50 if you mean tomorrow"),
    ],
)
async def test_an_end_that_is_no_moment_to_come_is_refused_at_its_field(
    slack, listed, known, curation, admin, typed, told
):
    await curation.add_component(admin, ComponentChange(name="Search"))
    mia = await listed()
    await mia.choose(mia.view, "menu", "Status by hand…")
    await opened(slack, mia, "override")
    await mia.fill("Status", "Major outage")
    await mia.fill("End", typed)
    await mia.fill("Private reason", "wombat")

    submitted = await mia.submit()

    assert told in submitted.field_errors["until"]
    assert (await known())["Search"].overrides == ()


async def test_a_group_keeps_its_components_under_another_name(
    slack, listed, known, curation, admin
):
    await curation.add_component(admin, ComponentChange(name="Search", group="Core"))
    mia = await listed()
    await mia.choose(mia.view, "menu:group", "Edit the group…")
    await opened(slack, mia, "group")
    await mia.fill("Name", "Platform")
    await mia.submit()

    await slack.until(lambda: "The group *Platform* is saved." in mia.view.words())
    found = await curation.arrangement(admin)
    assert [one.name for one in found.groups] == ["Platform"]
    assert found.components[0].group == found.groups[0].id


@pytest.mark.parametrize(
    ("menu", "entry", "form", "told"),
    [
        ("menu", "Edit…", "component", "Nothing was changed. The status page shows *Search*"),
        ("menu:group", "Edit the group…", "group", "Nothing was changed. The group *Core* is as"),
    ],
)
async def test_a_dialog_that_is_sent_as_it_was_drawn_changes_nothing_and_says_so(
    slack, listed, curation, admin, menu, entry, form, told
):
    await curation.add_component(admin, ComponentChange(name="Search", group="Core"))
    before = await curation.arrangement(admin)
    mia = await listed()
    await mia.choose(mia.view, menu, entry)
    await opened(slack, mia, form)
    await mia.submit()

    await slack.until(lambda: told in mia.view.words())
    assert await curation.arrangement(admin) == before


async def test_others_read_a_list_and_publishers_may_set_a_status(slack, ratchet, curation, admin):
    await curation.add_component(admin, ComponentChange(name="Search"))
    bo = slack.person("bo")
    asked = await bo.command("#payments", "/incident components")

    told = await asked.answer()

    assert "Search · Operational · shown." in told.text
    assert "Workspace admins arrange them" in told.words()
    assert "Edit…" not in repr(told.blocks)
    await bo.choose(told, "menu", "Status by hand…")
    await opened(slack, bo, "override")
    await bo.fill("Status", "Degraded performance")
    await bo.submit()
    await answered(slack, bo, "*Degraded performance* by hand")


async def test_an_open_incident_decides_the_status_and_a_private_one_does_not(
    slack, ratchet, curation, admin
):
    await curation.add_component(admin, ComponentChange(name="Search"))
    await curation.add_component(admin, ComponentChange(name="Payments"))
    bo = slack.person("bo")
    await bo.command(
        "#payments", "/incident declare Search is down severity:high components:search"
    )
    await bo.command("#payments", "/incident declare Cards fail components:payments private")

    told = await (await bo.command("#payments", "/incident components")).answer()

    assert "Search · Partial outage · shown." in told.text
    assert "Payments · Operational · shown." in told.text


@pytest.mark.parametrize("count", [0, 1, 60, 250])
async def test_every_component_is_on_one_page_of_the_list(slack, listed, curation, admin, count):
    for number in range(count):
        await curation.add_component(
            admin, ComponentChange(name=f"Part {number:03}", group=f"+Group {number % 7}")
        )
    mia = await listed()
    seen, view = [], mia.view.id
    while True:
        words = mia.view.words()
        assert len(mia.view.blocks) <= 50
        seen += [f"Part {n:03}" for n in range(count) if f"Part {n:03}" in words]
        if "Next" not in repr(mia.view.blocks):
            break
        await mia.press(mia.view, "Next")
        await slack.until(lambda before=words: mia.view.words() != before)

    assert sorted(seen) == [f"Part {n:03}" for n in range(count)]
    assert mia.view.id == view
    assert count or "There are no components yet." in mia.view.words()


async def test_a_component_that_was_made_by_tagging_is_shown_by_an_admin(slack, ratchet, known):
    mia = slack.person("mia")
    asked = await mia.command("#payments", "/incident declare Search is down components:Search")
    told = await asked.answer()
    assert "Search is on no public surface yet." in told.text
    assert not (await known())["Search"].shown

    await mia.press(told, "Show on the page")

    await answered(slack, mia, "Search is shown in public from now on.")
    assert (await known())["Search"].shown
    again = await mia.command("#payments", "/incident components 1 Search, Payments")
    told = (await again.answer()).text
    assert "Payments is on no public surface yet." in told
    assert "Search" not in told.partition("Payments is on no")[0].partition("now affects")[0]


async def test_tagging_takes_no_name_that_the_list_would_refuse(slack, ratchet, known):
    bo = slack.person("bo")
    await (await bo.command("#payments", "/incident declare Search is down")).answer()

    asked = await bo.command("#payments", "/incident components 1 Search, none")

    told = (await asked.answer()).text
    assert 'The components need other names: one is "none", which means no component' in told
    assert await known() == {}


async def test_somebody_who_is_no_admin_is_told_who_can_show_it(slack, ratchet):
    bo = slack.person("bo")
    asked = await bo.command("#payments", "/incident declare Search is down components:Search")

    told = await asked.answer()

    assert "A workspace admin can show it: `/incident components`." in told.text
    assert "Show on the page" not in repr(told.blocks)


@pytest.mark.parametrize("private", [" private", ""])
async def test_only_a_public_incident_offers_to_show_its_components(slack, ratchet, private):
    mia = slack.person("mia")
    line = f"/incident declare Search is down components:Search{private}"
    told = await (await mia.command("#payments", line)).answer()

    assert ("Show on the page" in repr(told.blocks)) is not private


async def test_the_page_is_published_and_taken_off_from_slack(slack, ratchet, curation, admin):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident setup page")
    await opened(slack, mia, "page")
    await mia.fill("Publication", ["Publish the page, for everybody to read"])
    await mia.fill("Title", "Acme status")
    await mia.submit()

    await answered(slack, mia, "/status/acme-status")
    page = (await curation.arrangement(admin)).page
    assert page.noindex
    # Another admin changes the title while the dialog is open: sent untouched, it undoes nothing.
    await mia.command("#payments", "/incident setup page")
    await opened(slack, mia, "page")
    await curation.publish(admin, title="Acme, all of it")
    await mia.submit()
    await answered(slack, mia, "Nothing was changed.")
    assert (await curation.arrangement(admin)).page.title == "Acme, all of it"
    await curation.publish(admin, title="Acme status")
    await mia.open_home()
    await slack.until(lambda: mia.id in slack.workspace.homes)
    assert "|Acme status>" in mia.home.words()

    await mia.command("#payments", "/incident setup page")
    await opened(slack, mia, "page")
    await mia.fill("Publication", [])
    await mia.fill("Title", "Acme, soon")
    await mia.submit()
    await answered(slack, mia, "Its title “Acme, soon”, its name `acme-status` in the address and")
    known = await curation.arrangement(admin)
    assert (known.page, known.former.title) == (None, "Acme, soon")


@pytest.mark.parametrize("others", [0, 1])
async def test_slack_names_the_address_at_which_the_page_is_served(
    environment, slack, clock, others
):
    """`STATUS_HOST` without a workspace serves the page of the only workspace that has one."""
    environment["STATUS_HOST"] = "status.example.com"
    async with running(environment, slack, clock) as app:
        curation = Curation(app.store, clock=clock)
        for team in ["T0OTHER"][:others]:
            await curation.publish(an_actor(workspace=team, admin=True), slug="other")
        mia = slack.person("mia")
        await mia.command("#payments", "/incident setup page")
        await opened(slack, mia, "page")
        await mia.fill("Publication", ["Publish the page, for everybody to read"])
        await mia.fill("Title", "Acme status")
        await mia.submit()

        at = f"{app.http.address}/status/acme-status" if others else "https://status.example.com"
        await answered(slack, mia, f"is published at {at}")


@pytest.mark.parametrize(
    ("label", "typed", "field"),
    [("Name in the address", "Acme!", "slug"), ("Language of dates", "Klingon?", "language")],
)
async def test_a_setting_of_the_page_is_refused_at_its_field(
    slack, ratchet, curation, admin, label, typed, field
):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident setup page")
    await opened(slack, mia, "page")
    await mia.fill("Publication", ["Publish the page, for everybody to read"])
    await mia.fill(label, typed)

    submitted = await mia.submit()

    assert list(submitted.field_errors) == [field]
    assert (await curation.arrangement(admin)).page is None


async def test_settings_that_are_chosen_stay_while_the_page_is_published(slack, ratchet):
    mia = slack.person("mia")
    await mia.command("#payments", "/incident setup")
    await opened(slack, mia, "setup")
    await mia.fill("Severity of a new incident", "Low")
    await mia.press(mia.view, "Status page…")
    await opened(slack, mia, "page")
    await mia.fill("Publication", ["Publish the page, for everybody to read"])
    await mia.submit()
    await slack.until(lambda: "is published at" in mia.view.words())

    await mia.close()
    assert mia.view.callback_id == "setup"
    await mia.submit()
    await answered(slack, mia, "Severity of a new incident: low")


async def test_somebody_who_is_no_admin_cannot_open_the_page(slack, ratchet):
    bo = slack.person("bo")
    await bo.command("#payments", "/incident setup page")

    await slack.until(lambda: bo.has_view and "Only workspace admins" in str(bo.view.blocks))


async def test_the_status_channel_names_a_component_once_it_is_shown(
    slack, ratchet, curation, admin, settle
):
    def cards():
        return [post.words() for post in slack.workspace.channel("#status").messages]

    await curation.add_component(admin, ComponentChange(name="Payments"))
    mia = slack.person("mia")
    line = "/incident declare It is slow components:Payments,wombat"
    told = await (await mia.command("#payments", line)).answer()
    await settle()
    (card,) = cards()
    assert "Payments" in card
    assert "wombat" not in card

    await mia.press(told, "Show on the page")
    await answered(slack, mia, "shown in public")
    await settle()
    (card,) = cards()
    assert "Payments, wombat" in card

    hide = ComponentChange(shown=False)
    await curation.change_component(admin, "wombat", hide)
    await settle()
    assert "wombat" not in cards()[0]


async def test_hidden_components_leave_the_same_bytes_in_the_status_channel(slack, ratchet, settle):
    mia = slack.person("mia")
    for named in ("", " components:wombat"):
        await mia.command("#payments", f"/incident declare It is slow{named}")
    await settle()

    first, second = (
        json.dumps([{**block, "block_id": ""} for block in post.blocks]) + post.text
        for post in slack.workspace.channel("#status").messages
    )
    assert first.replace("INC-1", "INC-2") == second
