"""The audit names every error in the store, with its cure, and finds none in a sound store."""

from __future__ import annotations

import itertools
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import create_engine

from core.commands import Acknowledge, Redact, SetPromise
from core.decision import Surface
from core.incident import DeclaredText, Note, Place, PublicText, Severity
from core.lifecycle import RESPONSE
from core.promise import NextUpdate
from core.service import Incidents
from core.subscribing import Subscribing, Wanted
from storage import audit
from storage.outbox import Outbox
from storage.store import SqlStore
from tests.builders import (
    ADA,
    CI,
    GRACE,
    INCIDENTS_CHANNEL,
    STATUS_CHANNEL,
    WORKSPACE,
    a_change,
    a_declaration,
    an_actor,
    an_id,
    set_status_channel,
    the_settings,
)
from tests.clock import Clock
from tests.storage.conftest import declaring
from tests.stores import alone

WAR_ROOM = "C0WARROOM"
CANARY = "vermilion-canary"
NOBODY = "f" * 32


def delivering(outbox, clock):
    """Delivers all waiting messages to a Slack that takes everything."""
    count = itertools.count()

    async def deliver():
        while await outbox.next_due():
            clock.advance(seconds=1)
            for message in await outbox.claim("worker", limit=100, at=clock()):
                place = (await outbox.facts(message)).place
                is_post = place is None and message.surface is not Surface.WITHDRAWAL
                ts = f"{int(clock().timestamp())}.{next(count):06d}"
                place = (message.channel, ts) if is_post else None
                await outbox.delivered(message, at=clock(), posted=place)

    return deliver


@pytest.fixture
def deliver(outbox, clock):
    return delivering(outbox, clock)


def busy(address):
    """Six incidents with everything that can happen to one.

    INC-1 has all kinds of entries. INC-2 is private in a private channel, and only the owner sees
    INC-3. INC-4 came over the API. INC-5 is over. INC-6 has waiting, running and dead messages.
    """
    with closing(SqlStore(address, defaults=the_settings(status_channel=STATUS_CHANNEL))) as store:
        alone(be_busy(store, Clock()))


async def be_busy(store, clock):
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    outbox = Outbox(store)
    declare = declaring(incidents)
    deliver = delivering(outbox, clock)

    async def change(ref, **changes):
        clock.advance(seconds=1)
        await incidents.execute(a_change(ref=ref, **changes))

    await declare(components=("API",))
    await incidents.execute(Acknowledge(actor=an_actor(), ref=1))
    await change(1, public=PublicText(f"{CANARY} cards are refused"))
    await change(1, note=Note(f"{CANARY} db-3 lost quorum"))
    await change(1, severity=Severity.CRITICAL, title=f"{CANARY} Payments are down")
    await change(1, components=("API", "Web"))
    await change(1, to="identified", note=Note(f"{CANARY} rolled back"))
    await deliver()
    await change(1, to="monitoring", public=PublicText(f"{CANARY} it is better"), owner=GRACE)
    await change(1, severity=Severity.LOW, components=())
    await change(1, title="Payments were down", owner=ADA)
    await incidents.execute(Redact(actor=an_actor(), ref=1, entry=3))
    await declare(private=True, place=Place(WAR_ROOM, private=True))
    await declare(private=True, owner=GRACE)
    await change(2, note=Note(f"{CANARY} nobody may know"))
    await change(3, owner=ADA)
    await declare(actor=an_actor(CI, channel=None), place=None)
    await change(4, public=PublicText(f"{CANARY} slow"))
    clock.advance(seconds=1)
    within = NextUpdate(within=timedelta(minutes=30))
    await incidents.execute(SetPromise(actor=an_actor(), ref=4, next_update=within))
    await declare(lifecycle=RESPONSE)
    await incidents.execute(Acknowledge(actor=an_actor(GRACE), ref=5))
    await change(5, to="resolved", public=PublicText(f"{CANARY} over"))
    await change(5, to="closed")
    await deliver()
    await declare()
    for message in await outbox.claim("worker", limit=1, at=clock()):
        await outbox.dead(message, error="is_archived", at=clock())
    await change(6, public=PublicText(f"{CANARY} one"))
    await change(6, public=PublicText(f"{CANARY} two"))
    await outbox.claim("worker", limit=1, at=clock.advance(seconds=1))
    await change(6, severity=Severity.LOW)
    await describe(declare, incidents, clock)


async def describe(declare, incidents, clock):
    """INC-7 has a description that was corrected; those of INC-8 are withdrawn."""
    for ref in (7, 8):
        await declare()
        for text in ("one", "two"):
            clock.advance(seconds=1)
            await incidents.execute(a_change(ref=ref, description=f"{CANARY} {text}"))
    by_name = Redact(actor=an_actor(), ref=8, entry=DeclaredText.DESCRIPTION)
    await incidents.execute(by_name)


@pytest.fixture
def damage(url, kind):
    """Damages the tables with a connection of the test's own, without foreign keys."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def damage(*statements):
        with engine.begin() as connection:
            if kind == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = replica")
            for statement in statements:
                connection.exec_driver_sql(statement)

    yield damage
    engine.dispose()


@pytest.fixture
def found(store):
    async def found(**options):
        return await store.read(lambda reader: list(audit.findings(reader, **options)))

    return found


async def test_an_empty_store_has_no_findings(found):
    assert await found() == []


async def test_an_incident_older_than_the_status_channel_needs_no_card(opened, clock, found):
    store = opened()
    incidents = Incidents(store, clock=clock, wake=lambda: None)
    await incidents.execute(a_declaration(id=an_id("before")))
    await incidents.execute(a_change(ref=1, severity=Severity.LOW))
    clock.advance(seconds=1)
    await store.write(lambda tx: set_status_channel(tx, WORKSPACE, "C0FIRST"))
    await incidents.execute(a_declaration(id=an_id("first")))
    await incidents.execute(a_change(ref=2, public=PublicText("Cards are refused.")))
    clock.advance(seconds=1)
    await store.write(lambda tx: set_status_channel(tx, WORKSPACE, "C0SECOND"))
    await incidents.execute(a_declaration(id=an_id("second")))
    await incidents.execute(a_change(ref=2, public=PublicText("Cards are taken.")))

    assert await found() == []


class TestSubscribedChannels:
    @pytest.fixture
    async def two(self, store, declare, incidents, deliver, clock):
        """INC-1 is in the status channel and in a subscribed one, each with two updates."""
        subscribing = Subscribing(store, clock=clock)
        await declare(severity=Severity.LOW)
        clock.advance(seconds=1)
        await incidents.execute(a_change(ref=1, public=PublicText("Cards are refused.")))
        await deliver()
        await subscribing.subscribe(an_actor(), Wanted(channel="C0CUSTOMERS"))
        await subscribing.subscribe(
            an_actor(), Wanted(channel="C0WORST", severity=Severity.CRITICAL)
        )
        for text in ("We know.", "We watch."):
            clock.advance(seconds=1)
            await incidents.execute(a_change(ref=1, public=PublicText(text)))
        await deliver()
        return subscribing

    async def test_in_order_they_have_no_findings(self, two, found, clock):
        assert await found() == []
        clock.advance(seconds=1)
        await two.unsubscribe(an_actor(), "C0CUSTOMERS")
        assert await found() == []

    @pytest.mark.parametrize(
        ("lost", "text"),
        [
            (
                "surface IN ('status_card', 'public_update') AND channel = 'C0CUSTOMERS'",
                "its card is not in C0CUSTOMERS, which is subscribed, nor is it waiting",
            ),
            (
                "surface = 'status_card' AND channel = 'C0CUSTOMERS'",
                "it has public updates in C0CUSTOMERS, and no card there",
            ),
            (
                "entry = 4 AND channel = 'C0CUSTOMERS'",
                (
                    "entry 4 is public, and was neither posted to C0CUSTOMERS, which is "
                    "subscribed, nor is it waiting"
                ),
            ),
            (
                f"entry = 4 AND channel = '{STATUS_CHANNEL}'",
                "entry 4 is public, and was neither posted nor is it waiting",
            ),
            (
                (
                    "surface IN ('status_card', 'public_update') "
                    f"AND channel = '{STATUS_CHANNEL}' AND entry <> 2"
                ),
                "it has public updates in C0STATUS, and no card there",
            ),
        ],
    )
    @pytest.mark.usefixtures("two")
    async def test_what_is_lost_in_one_channel_is_found(self, found, damage, lost, text):
        damage(f"DELETE FROM posted WHERE {lost}")

        assert text in [finding.text for finding in await found()]

    async def test_texts_from_before_a_status_channel_need_no_post_there(
        self, opened, clock, found
    ):
        store = opened()
        subscribing = Subscribing(store, clock=clock)
        incidents = Incidents(store, clock=clock, wake=lambda: None)
        await subscribing.subscribe(an_actor(), Wanted(channel="C0CUSTOMERS"))
        await incidents.execute(a_declaration(id=an_id("first")))
        await incidents.execute(a_change(ref=1, public=PublicText("Cards are refused.")))
        clock.advance(seconds=1)
        await store.write(lambda tx: set_status_channel(tx, WORKSPACE, STATUS_CHANNEL))

        assert await found() == []
        await incidents.execute(a_declaration(id=an_id("second")))
        assert await found() == []


async def test_the_audit_reads_every_page(declare, found, damage):
    for _ in range(5):
        await declare()
    assert await found(page_size=2) == []

    damage("UPDATE incident SET severity = 'low', version = 2 WHERE number = 5")

    assert [finding.about for finding in await found(page_size=2)] == [f"{WORKSPACE} INC-5"]


def about(number):
    return f"workspace_id = '{WORKSPACE}' AND incident_id = {the(number)}"


def the(number):
    return f"(SELECT id FROM incident WHERE number = {number})"


def posting(number, surface, *, channel=STATUS_CHANNEL, entry=0, ts="1700000000.000001"):
    return (
        "INSERT INTO posted (workspace_id, incident_id, surface, channel, entry, posted_in, ts) "
        f"VALUES ('{WORKSPACE}', {the(number)}, '{surface}', '{channel}', {entry}, "
        f"'{channel}', '{ts}')"
    )


def own_channel(number, *, private=False):
    """Statements that add C0OWN as a channel of the incident's own, and count it."""
    return [
        f"UPDATE incident SET channel_count = 1 WHERE number = {number}",
        (
            "INSERT INTO own_channel (workspace_id, incident_id, private, entry, channel, stage, "
            f"kept) VALUES ('{WORKSPACE}', {the(number)}, {private}, 1, 'C0OWN', 'open', false)"
        ),
    ]


def lane_of_own(number):
    """The lane of messages in C0OWN."""
    return (
        "(SELECT replace(min(lane), ':status:C0STATUS', ':channel:C0OWN') FROM outbox "
        f"WHERE surface = 'status_card' AND {about(number)})"
    )


def message(number, surface, *, channel=STATUS_CHANNEL, entry="NULL", state="delivered", lane=None):
    """A statement that adds a message; SQLite and PostgreSQL spell an id differently."""
    lane = (
        lane or f"(SELECT min(lane) FROM outbox WHERE surface = 'status_card' AND {about(number)})"
    )
    return (
        "INSERT INTO outbox (uid, workspace_id, incident_id, entry, surface, channel, lane, state, "
        "attempts, due_at, try_at, unsure, created_at, done_at) "
        f"SELECT uid, '{WORKSPACE}', {the(number)}, {entry}, '{surface}', '{channel}', {lane}, "
        f"'{state}', 0, due_at, try_at, unsure, created_at, done_at "
        "FROM outbox WHERE id = (SELECT max(id) FROM outbox WHERE state = 'delivered')"
    )


ANSWER = (
    "INSERT INTO idempotency "
    "(workspace_id, key_id, name, digest, claim, claimed_at, status, body, about) "
    "SELECT workspace_id, 'ci', 'once', '', id, at, 201, 'vermilion-canary', id "
    f"FROM incident_update WHERE entry = 3 AND {about(1)}"
)
NO_CARD_OF_4 = (
    f"DELETE FROM posted WHERE surface = 'status_card' AND {about(4)}",
    f"DELETE FROM outbox WHERE surface = 'status_card' AND {about(4)}",
)

# The statements that damage the store, and the findings by the number of the incident.
DAMAGES = {
    "a number is missing": (
        [
            f"DELETE FROM {table} WHERE {about(5)}"
            for table in ("incident_update", "incident_component", "posted", "outbox")
        ]
        + ["DELETE FROM incident WHERE number = 5"],
        {None: ["INC-5 is missing"]},
    ),
    "more were counted": (
        ["UPDATE workspace SET last_number = 9"],
        {None: ["9 incidents were counted, and the newest is INC-8"]},
    ),
    "the lifecycle cannot be read": (
        ["UPDATE incident SET lifecycle = 'none' WHERE number = 4"],
        {4: ["its lifecycle cannot be read"]},
    ),
    "the status is not the timeline's": (
        ["UPDATE incident SET status = 'resolved' WHERE number = 1"],
        {1: ["it is resolved, and its timeline leads to monitoring"]},
    ),
    "a status was skipped": (
        [
            f"UPDATE incident_update SET old = 'acknowledged' WHERE new = 'closed' AND {about(5)}",
            f"UPDATE incident_update SET new = 'closed' WHERE new = 'resolved' AND {about(5)}",
        ],
        {
            5: [
                "entry 4 moved it from closed to closed",
                "entry 4 says it was acknowledged, and it was closed",
            ]
        },
    ),
    "an unknown status": (
        [
            f"UPDATE incident_update SET new = 'melted' WHERE entry = 9 AND {about(1)}",
            "UPDATE incident SET status = 'melted' WHERE number = 1",
        ],
        {1: ["entry 9 moved it from identified to melted"]},
    ),
    "it is over and kept as open": (
        ["UPDATE incident SET is_open = true WHERE number = 5"],
        {5: ["it is closed, and kept as open"]},
    ),
    "the public word is another": (
        ["UPDATE incident SET public_word = 'resolved' WHERE number = 1"],
        {1: ["it is monitoring, and kept as resolved for the public"]},
    ),
    "an entry is missing": (
        [f"DELETE FROM incident_update WHERE entry = 4 AND {about(1)}"],
        {1: ["entry 4 is missing"]},
    ),
    "the last entry is another": (
        ["UPDATE incident SET last_entry = 7, version = 3 WHERE number = 2"],
        {
            2: [
                "it has 2 entries, and the last one is 7",
                "it is at version 3, which its 2 entries cannot make",
            ]
        },
    ),
    "it was declared twice": (
        [f"UPDATE incident_update SET kind = 'declared' WHERE entry = 2 AND {about(2)}"],
        {2: ["entry 2 is of kind declared"]},
    ),
    "an entry has another's id": (
        [f"UPDATE incident_update SET id = '{NOBODY}' WHERE entry = 2 AND {about(2)}"],
        {2: ["entry 2 has the id of another"]},
    ),
    "an entry has no visibility": (
        [f"UPDATE incident_update SET visibility = 'secret' WHERE entry = 2 AND {about(2)}"],
        {2: ["entry 2 is neither internal nor public"]},
    ),
    "an entry says nothing": (
        [f"UPDATE incident_update SET body = NULL WHERE entry = 2 AND {about(2)}"],
        {2: ["entry 2 says nothing, and was not withdrawn"]},
    ),
    "a private incident has a public update": (
        [
            f"UPDATE incident_update SET visibility = 'public' WHERE entry = 2 AND {about(2)}",
        ],
        {
            2: [
                "entry 2 is public, and the incident is private",
                "entry 2 is public, and was neither posted nor is it waiting",
            ]
        },
    ),
    "the severity is another": (
        ["UPDATE incident SET severity = 'medium' WHERE number = 1"],
        {1: ["its severity is not the one of entry 11"]},
    ),
    "severities disagree": (
        [f"UPDATE incident_update SET new = 'high' WHERE entry = 5 AND {about(1)}"],
        {1: ["entries 5 and 11 disagree about its severity"]},
    ),
    "a description was withdrawn and left": (
        ["UPDATE incident SET description = 'vermilion-canary' WHERE number = 8"],
        {8: ["its description was withdrawn, and is still kept"]},
    ),
    "a description was withdrawn and left in the next entry": (
        [
            f"UPDATE incident_update SET old = 'vermilion-canary' WHERE entry = 3 AND {about(8)}",
        ],
        {8: ["a description was withdrawn, and is still kept in entry 3"]},
    ),
    "a description is lost": (
        ["UPDATE incident SET description = NULL WHERE number = 7"],
        {7: ["its description is not the one of entry 3"]},
    ),
    "a declaration's texts were withdrawn and left": (
        [
            (
                "UPDATE incident SET category = 'vermilion-canary', version = version + 1 "
                "WHERE number = 7"
            ),
            (
                f"UPDATE incident_update SET redacted_at = at, redacted_by_id = by_id, "
                f"redacted_by_name = by_name, withdrawn = 'description category' "
                f"WHERE entry = 1 AND {about(7)}"
            ),
            f"UPDATE incident_update SET old = 'vermilion-canary' WHERE entry = 2 AND {about(7)}",
        ],
        {
            7: [
                "a description was withdrawn, and is still kept in entry 2",
                "its category was withdrawn, and is still kept",
            ]
        },
    ),
    "an earlier version withdrew a declaration and left its texts": (
        [
            (
                "UPDATE incident SET description = 'vermilion-canary', version = version + 1 "
                "WHERE number = 5"
            ),
            (
                f"UPDATE incident_update SET redacted_at = at, redacted_by_id = by_id, "
                f"redacted_by_name = by_name WHERE entry = 1 AND {about(5)}"
            ),
        ],
        {5: ["its description was withdrawn, and is still kept"]},
    ),
    "the title is another": (
        ["UPDATE incident SET title = 'vermilion-canary' WHERE number = 1"],
        {1: ["its title is not the one of entry 14"]},
    ),
    "components were lost": (
        [
            f"DELETE FROM incident_component WHERE {about(1)}",
            f"UPDATE incident_update SET new = 'API' WHERE entry = 12 AND {about(1)}",
        ],
        {1: ["its list of components is not the one of entry 12"]},
    ),
    "components were not counted": (
        ["UPDATE incident SET component_count = 2 WHERE number = 1"],
        {1: ["it counts 2 components, and has 0"]},
    ),
    "another acknowledged": (
        ["UPDATE incident SET acknowledged_by_id = 'U0LINUS' WHERE number = 1"],
        {1: ["its acknowledgement is not the one of entry 2"]},
    ),
    "no entry acknowledged": (
        ["UPDATE incident SET acknowledged_by_id = 'U0LINUS' WHERE number = 4"],
        {4: ["it has an acknowledgement, and no entry for it"]},
    ),
    "the owner was lost": (
        ["UPDATE incident SET owner_id = NULL, owner_name = NULL WHERE number = 1"],
        {1: ["entry 13 gave it an owner, and it has none"]},
    ),
    "the owner is another": (
        ["UPDATE incident SET owner_id = 'U0LINUS', owner_name = 'Linus' WHERE number = 1"],
        {1: ["its owner is not the one of entry 13"]},
    ),
    "a promise was lost": (
        [f"DELETE FROM promise WHERE {about(4)}"],
        {
            4: [
                "entry 3 made another promise than the one that is kept",
                "it counts 1 promises, and has 0",
                "its next update is not the one that is promised",
            ]
        },
    ),
    "a promise is due at another time": (
        [f"UPDATE promise SET due_at = public_at WHERE {about(4)}"],
        {
            4: [
                "entry 3 made another promise than the one that is kept",
                "its next update is not the one that is promised",
            ]
        },
    ),
    "promises were not counted": (
        ["UPDATE incident SET promise_count = NULL WHERE number = 4"],
        {4: ["it counts 0 promises, and has 1"]},
    ),
    "a next update that nobody promised": (
        ["UPDATE incident SET next_update_by = updated_at WHERE number = 1"],
        {1: ["its next update is not the one that is promised"]},
    ),
    "a nudge about no entry": (
        [
            message(
                4,
                "promise_breach",
                entry=99,
                lane="(SELECT replace(min(lane), ':status:', ':promise:') FROM outbox "
                f"WHERE surface = 'status_card' AND {about(4)})",
            )
        ],
        {
            4: [
                (
                    "a message for the promise breach of entry 99 goes to C0STATUS, and there is "
                    "no such entry"
                )
            ]
        },
    ),
    "the version is another": (
        ["UPDATE incident SET version = 99 WHERE number = 1"],
        {1: ["it is at version 99, which its 14 entries cannot make"]},
    ),
    "it was created at another time": (
        ["UPDATE incident SET created_at = updated_at WHERE number = 4"],
        {4: ["it was not created when entry 1 says"]},
    ),
    "it was changed at another time": (
        ["UPDATE incident SET updated_at = created_at WHERE number = 1"],
        {1: ["it was last changed when no entry says so"]},
    ),
    "a text was withdrawn and left": (
        [f"UPDATE incident_update SET body = 'vermilion-canary' WHERE entry = 3 AND {about(1)}"],
        {1: ["entry 3 was withdrawn, and its text is still kept"]},
    ),
    "a text was withdrawn and left in an answer": (
        [ANSWER],
        {1: ["a text was withdrawn, and is still kept in an answer of the API"]},
    ),
    "a private incident has a card in the status channel": (
        [posting(2, "status_card")],
        {2: ["it is private, and its status card is in C0STATUS at 1700000000.000001"]},
    ),
    "a private incident's card is in a public channel": (
        [posting(3, "working_card", channel=INCIDENTS_CHANNEL)],
        {
            3: [
                "its working card is in C0INCIDENTS at 1700000000.000001, and must not be there",
            ]
        },
    ),
    "a note is in the status channel": (
        [posting(1, "public_update", entry=4)],
        {1: ["entry 4 is not public, and was posted in C0STATUS at 1700000000.000001"]},
    ),
    "a note is in a channel that is no private one of its incident": (
        [posting(1, "channel_note", channel="C0OWN", entry=4), *own_channel(1)],
        {1: ["entry 4 is a note, and was posted in C0OWN at 1700000000.000001"]},
    ),
    "a private incident has its card in a public channel of its own": (
        [posting(2, "working_card", channel="C0OWN"), *own_channel(2)],
        {2: ["its working card is in C0OWN at 1700000000.000001, and must not be there"]},
    ),
    "a channel of its own is missing": (
        [*own_channel(4), f"DELETE FROM own_channel WHERE {about(4)}"],
        {4: ["it counts 1 channels of its own, and has 0"]},
    ),
    "a message with a note to a public channel of its own": (
        [
            *own_channel(4),
            message(4, "channel_note", channel="C0OWN", entry=1, lane=lane_of_own(4)),
        ],
        {
            4: [
                (
                    "a message for the channel note of entry 1 goes to C0OWN, and notes go to a "
                    "private channel of their incident only"
                )
            ]
        },
    ),
    "a message with a missing note": (
        [
            *own_channel(4, private=True),
            message(4, "channel_note", channel="C0OWN", entry=99, lane=lane_of_own(4)),
        ],
        {
            4: [
                (
                    "a message for the channel note of entry 99 goes to C0OWN, and there is no "
                    "such entry"
                )
            ]
        },
    ),
    "a missing entry is in the status channel": (
        [posting(1, "public_update", entry=99)],
        {1: ["entry 99 is not public, and was posted in C0STATUS at 1700000000.000001"]},
    ),
    "a card is recorded as an entry": (
        [posting(1, "status_card", entry=7)],
        {1: ["its status card is recorded in C0STATUS at 1700000000.000001 as entry 7"]},
    ),
    "two posts in one place": (
        [
            (
                f"UPDATE posted SET ts = '1700000000.000001' WHERE posted_in = '{STATUS_CHANNEL}' "
                f"AND {about(4)}"
            )
        ],
        {4: ["two posts are recorded in C0STATUS at 1700000000.000001"]},
    ),
    "the place of a missing incident": (
        [
            (
                f"UPDATE posted SET incident_id = '{NOBODY}', ts = '1700000000.000001' "
                "WHERE channel = 'U0ADA'"
            )
        ],
        {
            None: [
                ("the post at 1700000000.000001 in U0ADA is about an incident that does not exist")
            ],
            3: ["its owner's card was neither posted nor is it waiting"],
        },
    ),
    "a working card was lost": (
        [f"DELETE FROM posted WHERE surface = 'working_card' AND {about(1)}"],
        {1: ["its card was neither posted to C0INCIDENTS nor is it waiting"]},
    ),
    "an owner's card was lost": (
        [f"DELETE FROM posted WHERE channel = 'U0ADA' AND {about(3)}"],
        {3: ["its owner's card was neither posted nor is it waiting"]},
    ),
    "a status card was lost": (
        [*NO_CARD_OF_4],
        {4: ["it has public updates in C0STATUS, and no card there"]},
    ),
    "a status card was lost of an incident without public updates": (
        [
            *NO_CARD_OF_4,
            f"DELETE FROM posted WHERE {about(4)}",
            f"UPDATE incident_update SET visibility = 'internal' WHERE {about(4)}",
            f"DELETE FROM outbox WHERE {about(4)}",
        ],
        {4: ["its card is not in the status channel, nor is it waiting"]},
    ),
    "a public update was lost": (
        [f"DELETE FROM posted WHERE entry = 2 AND {about(4)}"],
        {4: ["entry 2 is public, and was neither posted nor is it waiting"]},
    ),
    "a message about a missing incident": (
        [f"UPDATE outbox SET incident_id = '{NOBODY}' WHERE id = 1"],
        {None: ["outbox message 1 is about an incident that does not exist"]},
    ),
    "a message for no surface": (
        ["UPDATE outbox SET surface = 'billboard' WHERE id = 1"],
        {1: ["outbox message 1 is for no surface that there is"]},
    ),
    "a message in another's lane": (
        ["UPDATE outbox SET lane = 'elsewhere' WHERE id = 1"],
        {1: ["a message for the working card goes to C0INCIDENTS, in the lane of another"]},
    ),
    "a message of a private incident to the status channel": (
        [
            message(
                2,
                "status_card",
                lane=f"(SELECT replace(lane, '{WAR_ROOM}', '') FROM outbox "
                f"WHERE {about(2)} LIMIT 1)",
            ),
            (
                "UPDATE outbox SET "
                f"lane = replace(lane, ':working:', ':status:') || '{STATUS_CHANNEL}' "
                f"WHERE surface = 'status_card' AND {about(2)}"
            ),
        ],
        {2: ["it is private, and a message for the status card goes to C0STATUS"]},
    ),
    "a working card goes elsewhere": (
        [
            (
                "UPDATE outbox SET channel = 'C0OTHER', "
                "lane = replace(lane, 'C0INCIDENTS', 'C0OTHER') WHERE id = 1"
            )
        ],
        {1: ["a message for the working card goes to C0OTHER, and must not be there"]},
    ),
    "a card is about an entry": (
        ["UPDATE outbox SET entry = 1 WHERE id = 1"],
        {
            1: [
                (
                    "a message for the working card of entry 1 goes to C0INCIDENTS, "
                    "and a card is about no entry"
                )
            ]
        },
    ),
    "a message about a missing entry": (
        [message(4, "public_update", entry=99)],
        {
            4: [
                (
                    "a message for the public update of entry 99 goes to C0STATUS, "
                    "and there is no such entry"
                )
            ]
        },
    ),
    "a message about a note": (
        [message(4, "public_update", entry=1)],
        {
            4: [
                (
                    "a message for the public update of entry 1 goes to C0STATUS, "
                    "and that entry is not public"
                )
            ]
        },
    ),
    "two cards wait": (
        [
            "DROP INDEX uq_outbox_waiting_card",
            message(4, "status_card", state="available"),
            message(4, "status_card", state="available"),
        ],
        {4: ["2 messages for the status card in C0STATUS are available"]},
    ),
    "a reply waits twice": (
        [
            message(4, "public_update", entry=2, state="dead"),
            message(4, "public_update", entry=2, state="dead"),
        ],
        {4: ["2 messages for the public update of entry 2 in C0STATUS are dead"]},
    ),
    "two messages run": (
        [
            message(4, "status_card", state="running"),
            message(4, "public_update", entry=2, state="running"),
        ],
        {4: ["2 messages of one lane are being posted at once"]},
    ),
    "a message was left running": (
        [
            message(4, "status_card", state="running"),
            (
                "UPDATE outbox SET claimed_at = (SELECT min(created_at) FROM incident) "
                f"WHERE state = 'running' AND {about(4)}"
            ),
            (
                "INSERT INTO handled (workspace_id, request, incident_id, at) "
                f"VALUES ('', 'probe', '{NOBODY}', '2026-03-02 12:00:00.000000+00:00')"
            ),
        ],
        {
            4: ["the status card has been on its way to C0STATUS since 2026-03-02 09:00 UTC"],
            6: ["the status card has been on its way to C0STATUS since 2026-03-02 09:00 UTC"],
        },
    ),
}


@pytest.fixture
def url(request, kind, a_database):
    """The address of an empty database, or of a busy one for a test that asks for it."""
    fill = {"fill": busy} if "busy_store" in request.fixturenames else {}
    with a_database(kind, **fill) as url:
        yield url


@pytest.fixture
def busy_store(store):
    return store


@pytest.mark.usefixtures("busy_store")
async def test_a_sound_busy_store_has_no_findings(found):
    assert await found() == []


@pytest.mark.usefixtures("busy_store")
@pytest.mark.parametrize(("statements", "expected"), DAMAGES.values(), ids=DAMAGES)
async def test_each_finding_is_named_alone_and_without_a_text(damage, found, statements, expected):
    damage(*statements)

    findings = await found()

    wanted = sorted(
        (f"{WORKSPACE} INC-{number}" if number else WORKSPACE, what)
        for number, whats in expected.items()
        for what in whats
    )
    assert sorted((finding.about, finding.text) for finding in findings) == wanted
    assert all(finding.cure for finding in findings)
    assert CANARY not in "".join(map(str, findings))
