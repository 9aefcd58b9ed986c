"""The archive is complete, and read in short snapshots; a public one holds only public facts."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from bot.export import UnknownWorkspace, archive
from core.channel import ChannelAct, ChannelStage, OwnChannel
from core.commands import AnswerHandOver, Redact, SetChannel
from core.decision import Decision
from core.incident import (
    Component,
    DeclaredText,
    DescribedComponent,
    Incident,
    Kind,
    Note,
    Person,
    Place,
    PublicText,
    Resolution,
    Resolved,
    Severity,
    Update,
    Visibility,
    update_id,
)
from core.lifecycle import RESPONSE, read
from core.service import Incidents
from core.settings import Setting
from core.subscribing import Subscribing, Wanted
from core.workspace import IncidentChannels
from storage.export import INCIDENTS_MAX, UPDATES_MAX
from storage.migrations import head
from storage.store import SqlStore
from tests.builders import (
    GRACE,
    INCIDENTS_CHANNEL,
    LINUS,
    NINE,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
    an_incident,
    the_settings,
)

OTHER = "T0OTHER"
PRIVATE = "vermilion"  # in every text of `said` that is only for responders


@pytest.fixture
def lines(store):
    """The lines of an archive, parsed."""

    def lines(**asked):
        options = {"public": False, "workspace": None, "at": NINE}
        return [json.loads(line) for line in archive(store, **options | asked)]

    return lines


@pytest.fixture
async def said(declare, incidents, url, store, clock):
    """Three incidents that fill every field between them, and one of another workspace."""
    described = DescribedComponent(
        component=Component(an_id("api"), "api"), description="all of it", group="core"
    )
    await store.write(lambda tx: tx.add_component(WORKSPACE, described, at=NINE))
    await declare(
        components=("API", "Wörk-Queue"),
        description=f"{PRIVATE} first\nsecond \u2028 line",
        category=PRIVATE,
        owner=GRACE,
    )
    for change in (
        {"to": "identified", "note": Note(f"{PRIVATE} lost quorum")},
        {"public": PublicText("We are looking into it.")},
        {"public": PublicText("indigo, withdrawn")},
        {"note": Note(f"{PRIVATE}, withdrawn")},
        {"title": "Checkout & cart are down", "severity": Severity.CRITICAL},
    ):
        clock.advance(seconds=61.25)
        await incidents.execute(a_change(ref=1, **change))
    for entry in (4, 5):
        await incidents.execute(Redact(actor=an_actor(), ref=1, entry=entry))
    await declare(lifecycle=RESPONSE)
    await declare(
        private=True, title=f"{PRIVATE} incident", place=Place(INCIDENTS_CHANNEL, private=True)
    )
    offering = the_settings(incident_channels=IncidentChannels(offered=True))
    opens = SetChannel(actor=an_actor(), ref=3, act=ChannelAct.OPEN)
    with closing(SqlStore(url, defaults=offering)) as other:
        await Incidents(other, clock=clock, wake=lambda: None).execute(opens)
    await incidents.execute(
        a_declaration(id=an_id("other"), actor=an_actor(workspace=OTHER), title="Not yours")
    )


def a_person(line):
    return line and Person(**line)


def a_moment(line):
    return line and datetime.fromisoformat(line)


def a_channel(line):
    moments = {name: a_moment(line[name]) for name in ("over_at", "announced_at")}
    return OwnChannel(**line | moments | {"stage": ChannelStage(line["stage"])})


def as_incident(line, lifecycles):
    elsewhere = {"type", "channel", "channel_private"}
    facts = {name: value for name, value in line.items() if name not in elsewhere}
    channel = line["channel"]
    return Incident(
        **facts
        | {
            "place": channel and Place(channel, private=line["channel_private"]),
            "id": UUID(line["id"]),
            "severity": Severity(line["severity"]),
            "lifecycle": lifecycles[line["lifecycle"]],
            "components": tuple(Component(UUID(c["id"]), c["name"]) for c in line["components"]),
            "invited": tuple(map(a_person, line["invited"])),
            "title_public_at": a_moment(line["title_public_at"]),
            "channels": tuple(map(a_channel, line["channels"])),
            "resolution": line["resolution"]
            and Resolved(
                how=Resolution(line["resolution"]["how"]),
                duplicate_of=line["resolution"]["duplicate_of"],
            ),
            **{name: a_person(line[name]) for name in ("declared_by", "owner", "acknowledged_by")},
            **{name: a_moment(line[name]) for name in ("started_at", "created_at", "updated_at")},
        }
    )


def as_update(line):
    facts = {name: value for name, value in line.items() if name not in {"type", "workspace"}}
    return Update(
        **facts
        | {
            "id": UUID(line["id"]),
            "incident": UUID(line["incident"]),
            "kind": Kind(line["kind"]),
            "visibility": Visibility(line["visibility"]),
            "withdrawn": tuple(map(DeclaredText, line["withdrawn"])),
            **{name: a_person(line[name]) for name in ("by", "redacted_by")},
            **{name: a_moment(line[name]) for name in ("at", "public_at", "redacted_at")},
        }
    )


def of_kind(lines, kind):
    return [line for line in lines if line["type"] == kind]


async def test_the_archive_holds_all_that_was_written(said, lines, store):
    written = lines()

    lifecycles = {
        line["digest"]: read(line["definition"])[0] for line in of_kind(written, "lifecycle")
    }
    incidents = [as_incident(line, lifecycles) for line in of_kind(written, "incident")]
    updates = [as_update(line) for line in of_kind(written, "update")]
    known = await store.read(
        lambda reader: [
            *(reader.incident(WORKSPACE, number) for number in (1, 2, 3)),
            reader.incident(OTHER, 1),
        ]
    )
    timelines = [
        await store.read(lambda reader, i=incident: reader.timeline(i, before=None, limit=99).items)
        for incident in known
    ]
    by_id = {incident.id: incident for incident in incidents}
    # Compared as texts, because two persons with the same id and other names are equal.
    assert [repr(by_id[incident.id]) for incident in known] == list(map(repr, known))
    assert sorted(map(repr, updates)) == sorted(repr(u) for items in timelines for u in items)
    assert {line["name"] for line in of_kind(written, "lifecycle")} == {"statuspage", "response"}
    assert of_kind(written, "component")[0] == {
        "type": "component",
        "workspace": WORKSPACE,
        "id": str(an_id("api")),
        "name": "api",
        "description": "all of it",
        "group": "core",
    }


async def test_the_first_line_is_a_header_and_references_come_after_their_targets(said, lines):
    first, *others = lines()

    assert first == {
        "type": "archive",
        "format": 1,
        "at": "2026-03-02T09:00:00.000000Z",
        "schema": head(),
        "public": False,
    }
    assert [line["workspace"] for line in of_kind(others, "workspace")] == [OTHER, WORKSPACE]
    known = set()
    for line in others:
        if line["type"] == "incident":
            assert line["lifecycle"] in known
        elif line["type"] in {"update", "promise", "hand_over"}:
            assert line["incident"] in known
        elif line["type"] != "workspace":
            assert line["workspace"] in known
        known |= {line.get(name) for name in ("workspace", "digest", "id")}
    updates = of_kind(others, "update")
    timeline = [line["entry"] for line in updates if line["incident"] == str(an_id(1))]
    assert timeline == list(range(1, 8))


async def test_a_withdrawn_text_is_not_in_the_archive(said, lines):
    withdrawn = [line for line in of_kind(lines(), "update") if line["redacted_at"]]

    assert [(line["entry"], line["body"]) for line in withdrawn] == [(4, None), (5, None)]
    assert "indigo" not in repr(lines())
    assert f"{PRIVATE}, withdrawn" not in repr(lines())


async def test_the_archive_of_a_workspace_holds_nothing_of_another(said, lines):
    assert {line["workspace"] for line in lines(workspace=OTHER)[1:]} == {OTHER}
    assert "Not yours" not in repr(lines(workspace=WORKSPACE))
    assert [line["name"] for line in of_kind(lines(workspace=OTHER), "lifecycle")] == ["statuspage"]
    with pytest.raises(UnknownWorkspace, match="T0NOBODY"):
        lines(workspace="T0NOBODY")


async def test_a_public_archive_names_no_person_and_holds_no_private_text(said, lines):
    written = lines(public=True, workspace=WORKSPACE)

    assert [line["number"] for line in of_kind(written, "incident")] == [2, 1]
    bodies = [line["body"] for line in of_kind(written, "update") if line["body"]]
    assert bodies == ["We are looking into it."]
    for private in (PRIVATE, "indigo", "Ada", "Grace", "U0", "all of it", "C0INCIDENTS"):
        assert private not in repr(written)


async def test_no_byte_of_a_public_archive_depends_on_the_notes(incidents, clock, store):
    exports = []
    for workspace, private in (("T0ONE", "a"), ("T0TWO", f"{PRIVATE} <!channel> \n" * 60)):
        clock.now = NINE
        ours: dict[str, Any] = {"actor": an_actor(workspace=workspace)}
        change = {**ours, "ref": 1}
        for command in (
            a_declaration(**ours, description=private, category=private[:100]),
            a_change(**change, to="identified", note=Note(private)),
            a_change(**change, public=PublicText("We are looking into it.")),
            a_change(**change, note=Note(private), owner=GRACE),
            Redact(**change, entry=2),
        ):
            await incidents.execute(command)
            clock.advance(seconds=60)
        lines = archive(store, public=True, workspace=workspace, at=NINE)
        exports.append(b"".join(lines).replace(workspace.encode(), b"T"))

    assert b"We are looking into it." in exports[0]
    assert exports[0] == exports[1]


# --- pages -------------------------------------------------------------------------------------


@pytest.fixture
def fill(store, declare):
    """Writes one incident for each length, with so many updates, without the rules of core."""

    async def fill(*lengths, body="x"):
        await declare()

        def work(tx):
            for number, length in enumerate(lengths, start=2):
                incident = an_incident(number=tx.next_number(WORKSPACE), last_entry=length)
                updates = tuple(an_entry(incident, entry, body) for entry in range(1, length + 1))
                tx.save(Decision(incident=incident, updates=updates))
                assert incident.number == number

        await store.write(work)

    return fill


def an_entry(incident, entry, body):
    return Update(
        id=update_id(incident.id, entry),
        incident=incident.id,
        entry=entry,
        kind=Kind.DECLARED if entry == 1 else Kind.WROTE,
        visibility=Visibility.INTERNAL,
        by=GRACE,
        at=NINE,
        body=body,
        new="investigating" if entry == 1 else None,
    )


@pytest.mark.parametrize(
    "lengths",
    [
        [1] * (INCIDENTS_MAX + 3),
        [UPDATES_MAX - 1],
        [UPDATES_MAX],
        [UPDATES_MAX + 1, 1, 3 * UPDATES_MAX, 2],
        [UPDATES_MAX // 2, UPDATES_MAX // 2, 1],
    ],
    ids=["many", "almost a page", "a page", "long ones", "a page of two"],
)
async def test_every_incident_and_update_is_exported_once_for_any_layout_of_pages(
    fill, lines, lengths
):
    await fill(*lengths)
    written = lines()

    assert [line["number"] for line in of_kind(written, "incident")] == list(
        range(1, len(lengths) + 2)
    )
    entries = {}
    for line in of_kind(written, "update"):
        entries.setdefault(line["incident"], []).append(line["entry"])
    assert list(entries.values()) == [list(range(1, count + 1)) for count in [1, *lengths]]


async def test_the_export_holds_only_a_page_in_memory(fill, store):
    await fill(12_000)
    for line in archive(store, public=False, workspace=None, at=NINE):
        assert line  # A first run fills the statement cache, so the second measures only the data.
    tracemalloc.start()
    try:
        size = sum(map(len, archive(store, public=False, workspace=None, at=NINE)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size > 4_000_000
    assert peak < size / 2


async def test_an_export_leaves_out_new_incidents_and_is_consistent_about_changed_ones(
    fill, declare, incidents, store
):
    await fill(*[1] * INCIDENTS_MAX)
    reading = archive(store, public=False, workspace=None, at=NINE)
    read_so_far = [json.loads(next(reading)) for _ in range(10)]
    last = INCIDENTS_MAX + 1
    await incidents.execute(a_change(ref=last, to="identified", note=Note("meanwhile")))
    await declare(id=an_id("later"))
    written = [*read_so_far, *map(json.loads, reading)]

    numbers = [line["number"] for line in of_kind(written, "incident")]
    assert numbers == list(range(1, last + 1))
    changed = of_kind(written, "incident")[-1]
    timeline = [line for line in of_kind(written, "update") if line["incident"] == changed["id"]]
    assert changed["last_entry"] == len(timeline) == 2
    assert timeline[-1]["new"] == changed["status"] == "identified"


async def test_hand_overs_follow_their_incident_with_their_answers(declare, incidents, lines):
    await declare()
    for owner in (GRACE, LINUS):
        await incidents.execute(a_change(ref=1, owner=owner))
    await incidents.execute(AnswerHandOver(actor=an_actor(LINUS), ref=1, entry=3, takes=True))

    exported = lines()
    found = [line for line in exported if line["type"] == "hand_over"]

    assert [(one["entry"], one["to"]["name"], one["answer"]) for one in found] == [
        (2, "Grace", "moot"),
        (3, "Linus", "taken"),
    ]
    assert found[1]["previous"] == {"id": GRACE.id, "name": "Grace"}
    made = [line["entry"] for line in exported if line.get("kind") == "assigned"]
    assert made == [one["entry"] for one in found]
    assert exported[-2:] == found
    assert not [line for line in lines(public=True) if line["type"] == "hand_over"]


async def test_saved_settings_follow_their_workspace_with_author_and_moment(
    incidents, lines, store
):
    changes = {Setting.DEFAULT_SEVERITY: "low", Setting.STATUS_CHANNEL: "C0STATUS"}
    await store.write(lambda tx: tx.save_settings(WORKSPACE, changes, seen=None, by=GRACE, at=NINE))
    by = {"at": "2026-03-02T09:00:00.000000Z", "by": {"id": GRACE.id, "name": GRACE.name}}

    _, workspace, *settings = lines()

    assert workspace == {
        "type": "workspace",
        "workspace": WORKSPACE,
        "status_channel": "C0STATUS",
    }
    line = {"type": "setting", "workspace": WORKSPACE} | by
    assert settings == [
        line | {"name": "status_channel", "value": "C0STATUS"},
        line | {"name": "default_severity", "value": "low"},
    ]


async def test_a_public_archive_holds_no_setting(said, lines, store):
    changes = {Setting.RESPONDERS_GROUP: "S0ONCALL"}
    await store.write(lambda tx: tx.save_settings(WORKSPACE, changes, seen=None, by=GRACE, at=NINE))

    assert of_kind(lines(public=True), "setting") == []
    assert "S0ONCALL" not in repr(lines(public=True))


async def test_subscriptions_are_kept_ended_ones_as_well(declare, store, lines, clock):
    subscribing = Subscribing(store, clock=clock)
    await declare(components=("api",))
    wanted = Wanted(channel="C0API", severity=Severity.HIGH, components=("api",), broadcast=True)
    await subscribing.subscribe(an_actor(), wanted)
    await subscribing.subscribe(an_actor(), Wanted(channel="C0CUSTOMERS"))
    await subscribing.unsubscribe(an_actor(), "C0CUSTOMERS")

    first, second = of_kind(lines(), "subscription")

    assert (first["channel"], first["severity"], first["broadcast"]) == ("C0API", "high", True)
    assert [one["name"] for one in first["components"]] == ["api"]
    assert first["by"]["name"] == "Ada"
    assert (first["starts_at"], first["ended_at"]) == ("2026-03-02T09:00:00.000000Z", None)
    assert (second["channel"], second["ended_at"]) == ("C0CUSTOMERS", second["starts_at"])
    assert of_kind(lines(public=True), "subscription") == []
