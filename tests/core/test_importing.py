"""The import of another status page: what it refuses, adds, leaves out, and says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.denials import Denied, Permission
from core.importing import LISTED, Imported, Imports, Tally
from core.incident import Membership
from core.page import ComponentStatus
from core.refusals import NotImported
from tests.abroad import (
    YESTERDAY,
    a_foreign_component,
    a_foreign_group,
    a_foreign_incident,
    a_foreign_page,
    a_foreign_update,
)
from tests.builders import NINE, WORKSPACE, a_change, a_declaration, an_actor, an_id

ADMIN = an_actor(admin=True)
LOOK = a_foreign_update(0, "investigating", "We look.")
FOUND = a_foreign_update(5, "identified", "We found it.")
OVER = a_foreign_update(12, "resolved", "It is over.")
ENDED = a_foreign_incident(LOOK, OVER)
OPEN = a_foreign_incident(LOOK, id="incident-open", name="Logins fail")
PAGE = a_foreign_page(
    ENDED, groups=[a_foreign_group()], components=[a_foreign_component(group="group-Europe")]
)


@pytest.fixture
def imports(store, clock):
    return Imports(store, clock=clock)


@pytest.fixture
def bring(imports):
    async def bring(page, *, open_too=None):
        return await imports.run(ADMIN, page, open_too=open_too)

    return bring


@pytest.fixture
def present(incidents, store):
    """What is there: components, groups, and each incident with its status and its entries."""

    async def present():
        known = await store.read(lambda reader: reader.arrangement(WORKSPACE))
        page = await store.read(lambda reader: reader.kept_page(WORKSPACE))
        listed = await store.read(
            lambda reader: [
                one
                for number in range(1, 9)
                if (one := reader.incident(WORKSPACE, number)) is not None
            ]
        )
        return page, known.components, known.groups, listed

    return present


async def test_a_page_is_added_once(bring, imports, present):
    looked = await imports.look(ADMIN, PAGE, open_too=None)
    assert (await present())[1:] == ((), (), [])

    first = await bring(PAGE)
    there = await present()

    assert (
        first
        == looked
        == Imported(
            groups=Tally(added=1),
            components=Tally(added=1),
            incidents=Tally(added=1),
            updates=Tally(added=2),
            page=True,
        )
    )
    assert not first.nothing
    page, components, groups, (incident,) = there
    assert (page, incident.number, incident.status) == (PAGE.id, 1, "resolved")
    assert [one.kept for one in (*components, *groups)] == ["component-API", "group-Europe"]
    again = await bring(PAGE)
    assert again.nothing
    assert again == Imported(
        groups=Tally(there=1),
        components=Tally(there=1),
        incidents=Tally(there=1),
        updates=Tally(there=2),
    )
    assert await present() == there


async def test_what_came_later_is_added_to_what_is_there(bring, present):
    await bring(a_foreign_page(OPEN), open_too=True)
    later = replace(OPEN, status="resolved", updates=(OVER, FOUND, LOOK), updated_at=OVER.shown_at)

    told = await bring(a_foreign_page(later, ENDED))

    assert told == Imported(incidents=Tally(added=1, changed=1), updates=Tally(added=4, there=1))
    assert [(one.title, one.status) for one in (await present())[3]] == [
        ("Logins fail", "resolved"),
        ("Checkout fails", "resolved"),
    ]


async def test_incidents_get_their_numbers_in_the_order_of_their_first_texts(bring, present):
    late = a_foreign_incident(
        a_foreign_update(60, "resolved", "Over."), id="a", name="The second", created_at=YESTERDAY
    )
    silent = a_foreign_incident(
        id="b", name="The first", created_at=YESTERDAY - timedelta(days=1), status="resolved"
    )

    await bring(a_foreign_page(late, silent))

    assert [one.title for one in (await present())[3]] == ["The first", "The second"]


async def test_an_incident_that_was_continued_here_is_left_alone_and_told(
    bring, incidents, present
):
    await bring(a_foreign_page(OPEN), open_too=True)
    await incidents.execute(a_change(ref=1, to="identified"))
    before = await present()
    later = replace(OPEN, updates=(FOUND, LOOK), status="identified")

    told = await bring(a_foreign_page(later))

    assert told == Imported(
        incidents=Tally(there=1),
        updates=Tally(there=1, left=1),
        notes=("INC-1 was changed here: 1 newer update of it there was left out.",),
    )
    assert await present() == before


async def test_an_unresolved_incident_is_asked_about_and_nothing_is_written(bring, present):
    with pytest.raises(NotImported) as refused:
        await bring(a_foreign_page(ENDED, OPEN))

    assert refused.value.message == (
        "Nothing was imported, because these incidents are not resolved there. Give "
        "--include-open to import them as open incidents, or --leave-open to leave them out until "
        "they are resolved: incident-open (investigating, Logins fail)."
    )
    assert await present() == (None, (), (), [])


async def test_only_the_first_of_many_unresolved_incidents_are_named(bring):
    many = [replace(OPEN, id=f"open-{number}") for number in range(LISTED + 2)]

    with pytest.raises(NotImported, match=r"open-9 \(investigating, Logins fail\), and 2 more\."):
        await bring(a_foreign_page(*many))


async def test_unresolved_incidents_can_be_left_out_or_taken(bring, present):
    page = a_foreign_page(ENDED, OPEN)

    left = await bring(page, open_too=False)
    assert left.notes == ("1 unresolved there: left out. Run it again once resolved.",)
    assert [one.title for one in (await present())[3]] == ["Checkout fails"]

    taken = await bring(page, open_too=True)
    assert (taken.incidents, taken.updates, taken.notes) == (
        Tally(added=1, there=1),
        Tally(added=1, there=2),
        (),
    )
    assert [one.terminal for one in (await present())[3]] == [True, False]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Old API"], '"Old API", which is a component no more: it is'),
        (["Old API", "FTP"], '"Old API" and "FTP", which are components no more: they are'),
        ([None], '"gone-0", which is a component no more: it is'),
    ],
)
async def test_a_component_that_is_gone_there_is_named_and_counted(bring, names, told):
    ids = [f"gone-{number}" for number in range(len(names))]
    here = a_foreign_component()
    tags = (here.id, *ids, "group-Europe")
    page = a_foreign_page(
        replace(ENDED, components=tags),
        components=[here],
        groups=[a_foreign_group()],
        names={id_: name for id_, name in zip(ids, names, strict=True) if name},
    )

    first, again = [await bring(page) for _ in range(2)]

    assert first.notes == again.notes == (f"Incidents there name {told} left out.",)
    assert first.components == Tally(added=1, left=len(ids))
    assert first.read == 5 + len(names)
    assert again.components == Tally(there=1, left=len(ids))


async def test_a_status_by_hand_there_is_named_when_its_component_is_new(bring, present):
    down = a_foreign_component(status=ComponentStatus.MAJOR_OUTAGE)

    first, again = [await bring(a_foreign_page(components=[down])) for _ in range(2)]

    (note,) = first.notes
    assert note == (
        '"API" is major_outage there: its open incidents decide here, or '
        "`ratchet components override`."
    )
    assert again == Imported(components=Tally(there=1))
    assert (await present())[1][0].by_hand(NINE) is None


async def test_a_workspace_keeps_the_ids_of_one_page(bring):
    await bring(PAGE)

    with pytest.raises(NotImported, match="keeps the ids of the page kq0z1x9p7m2d, and this is x:"):
        await bring(replace(PAGE, id="x"))


@pytest.mark.parametrize(
    ("late", "taken"),
    [(timedelta(hours=1), True), (timedelta(hours=1, seconds=1), False)],
    ids=["as far as clocks differ", "farther"],
)
async def test_a_text_that_is_still_to_come_is_refused(bring, present, late, taken):
    text = replace(OVER, shown_at=NINE + late)
    page = a_foreign_page(a_foreign_incident(text))

    if taken:
        assert (await bring(page)).incidents == Tally(added=1)
        return
    with pytest.raises(NotImported, match=r"incident-1 has a text of 2026-03-02 10:00 UTC, which"):
        await bring(page)
    assert await present() == (None, (), (), [])


@pytest.mark.parametrize(
    "name", ["created_at", "started_at", "monitoring_at", "resolved_at", "updated_at"]
)
async def test_no_moment_of_an_incident_is_still_to_come_known_or_not(bring, present, name):
    later = a_foreign_page(a_foreign_incident(LOOK, OVER, **{name: NINE + timedelta(days=1)}))
    for _ in range(2):
        with pytest.raises(NotImported, match=f"has {name} 2026-03-03 09:00 UTC, which is still"):
            await bring(later)
        await bring(a_foreign_page(ENDED))

    assert len((await present())[3]) == 1


async def test_several_incidents_of_this_workspace_are_counted(bring, incidents):
    ids = [(await incidents.execute(a_declaration(id=an_id(n)))).incident.id for n in (1, 2)]
    own = [a_foreign_incident(LOOK, OVER, id=str(one), created_at=NINE) for one in ids]

    assert (await bring(a_foreign_page(*own))).notes == (
        "2 incidents are of this workspace itself: left out.",
    )


@pytest.mark.parametrize("private", [False, True])
async def test_what_this_workspace_has_itself_is_left_out(bring, incidents, present, private):
    outcome = await incidents.execute(a_declaration(components=("+API",), private=private))
    (api,) = outcome.incident.components
    own = a_foreign_incident(
        LOOK, OVER, id=str(outcome.incident.id), created_at=outcome.incident.created_at
    )
    there = a_foreign_component(id=str(api.id), name="Its former name")
    before = await present()

    told = await bring(a_foreign_page(own, components=[there]))

    assert told == Imported(
        components=Tally(there=1),
        incidents=Tally(left=1),
        updates=Tally(left=2),
        page=True,
        notes=("1 incident is of this workspace itself: left out.",),
    )
    assert (await present())[1:] == before[1:]


async def test_a_text_that_was_written_here_is_no_new_one_there(bring, incidents, present):
    await bring(a_foreign_page(OPEN), open_too=True)
    await incidents.execute(a_change(ref=1, to="identified"))
    (here,) = (await present())[3]
    ours = replace(FOUND, id=f"{here.id} {here.last_entry}")

    assert await bring(a_foreign_page(replace(OPEN, updates=(ours, LOOK)))) == Imported(
        incidents=Tally(there=1), updates=Tally(there=2)
    )


# Each with the component that has its name here already, and an update that says nothing.
SILENT = a_foreign_update(2, "investigating", "")
FULL = a_foreign_page(
    a_foreign_incident(LOOK, SILENT, OVER),
    OPEN,
    groups=[a_foreign_group()],
    components=[a_foreign_component(group="group-Europe"), a_foreign_component("Web")],
)


async def test_what_was_read_is_the_sum_of_what_became_of_it(bring, incidents):
    await incidents.execute(a_declaration(components=("+API",)))

    def sums(told):
        return [
            (one.read, one.added, one.there, one.changed, one.left)
            for one in (told.groups, told.components, told.incidents, told.updates)
        ]

    first, second, third = [await bring(FULL, open_too=opened) for opened in (False, True, True)]

    assert sums(first) == [(1, 1, 0, 0, 0), (2, 1, 0, 1, 0), (2, 1, 0, 0, 1), (4, 2, 0, 0, 2)]
    assert sums(second) == [(1, 0, 1, 0, 0), (2, 0, 2, 0, 0), (2, 1, 1, 0, 0), (4, 1, 2, 0, 1)]
    assert sums(third) == [(1, 0, 1, 0, 0), (2, 0, 2, 0, 0), (2, 0, 2, 0, 0), (4, 0, 3, 0, 1)]
    assert third.nothing


EARLY = YESTERDAY - timedelta(seconds=1)


@pytest.mark.parametrize(
    "odd",
    [
        {"resolved_at": EARLY},
        {"monitoring_at": EARLY},
        {"started_at": YESTERDAY + timedelta(hours=1), "resolved_at": OVER.shown_at},
    ],
)
async def test_an_end_before_the_start_is_refused(bring, present, odd):
    with pytest.raises(NotImported, match=r"incident-1 has .*, which lies before its start"):
        await bring(a_foreign_page(a_foreign_incident(LOOK, OVER, **odd)))

    assert await present() == (None, (), (), [])
    begun = {"started_at": YESTERDAY, "monitoring_at": YESTERDAY, "resolved_at": OVER.shown_at}
    assert (
        await bring(a_foreign_page(a_foreign_incident(LOOK, OVER, **begun)))
    ).incidents == Tally(added=1)


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date.max])
async def test_a_component_whose_record_begins_on_an_odd_day_is_refused(bring, present, day):
    with pytest.raises(NotImported, match=f"component-API has the start_date {day}, which is a"):
        await bring(a_foreign_page(components=[a_foreign_component(start_date=day)]))

    assert await present() == (None, (), (), [])
    assert await bring(
        a_foreign_page(components=[a_foreign_component(start_date=YESTERDAY.date())])
    )


async def test_texts_that_were_edited_there_are_told_and_stay(bring, present):
    await bring(PAGE)
    before = await present()
    looked, over = (
        replace(one, body="Edited.", updated_at=one.updated_at + timedelta(hours=1))
        for one in (LOOK, OVER)
    )

    one = await bring(replace(PAGE, incidents=(a_foreign_incident(looked, OVER),)))
    two = await bring(replace(PAGE, incidents=(a_foreign_incident(looked, over),)))

    assert one.updates == two.updates == Tally(there=2)
    assert (one.nothing, two.nothing, await present()) == (True, True, before)
    told = "INC-1: 1 text was changed there since it was imported, and stays as before here."
    assert one.notes == (told,)
    told = "INC-1: 2 texts were changed there since they were imported, and stay as before here."
    assert two.notes == (told,)


@pytest.mark.parametrize(
    ("actor", "permission"),
    [
        (an_actor(), Permission.ADMINISTER),
        (an_actor(admin=True, membership=Membership.GUEST), Permission.JOIN),
    ],
    ids=["a responder", "a guest"],
)
async def test_only_admins_import_or_look(imports, actor, permission):
    for act in (
        imports.run(actor, PAGE, open_too=None),
        imports.look(actor, PAGE, open_too=None),
    ):
        with pytest.raises(Denied) as refused:
            await act
        assert refused.value.permission is permission
