"""Numbers that a restore skips, and messages that are looked for after it."""

from __future__ import annotations

import pytest

from core.decision import Surface
from core.incident import PublicText
from storage import audit
from storage.findings import missing
from storage.models import State
from storage.numbers import newest_declaration, skip_to, skipped_in
from storage.outbox import UNKNOWN_OUTCOME
from storage.posts import channels, known
from tests.builders import INCIDENTS_CHANNEL, NINE, STATUS_CHANNEL, WORKSPACE, a_change, an_id


@pytest.mark.parametrize(
    ("first", "last", "skipped", "left"),
    [
        (3, 2, (), []),
        (3, 5, (), [(3, 5)]),
        (3, 5, ((3, 5),), []),
        (3, 5, ((1, 9),), []),
        (3, 5, ((4, 4),), [(3, 3), (5, 5)]),
        (3, 9, ((1, 3), (5, 6), (12, 14)), [(4, 4), (7, 9)]),
        (3, 5, ((1, 2),), [(3, 5)]),
        (3, 5, ((6, 8),), [(3, 5)]),
    ],
)
def test_numbers_that_were_skipped_are_not_missing(first, last, skipped, left):
    assert list(missing(first, last, skipped)) == left


async def test_numbers_continue_above_those_that_are_in_use(store, declare):
    await declare()

    async def skip(number, workspace=WORKSPACE):
        return await store.write(lambda tx: skip_to(tx, workspace, number, at=NINE))

    assert await skip(1) is None
    assert await skip(4) == (2, 4)
    assert await skip(4) is None
    assert await skip(5) == (5, 5)
    assert (await declare()).number == 6
    assert await skip(2, "T0NEW") == (1, 2)
    assert await store.read(lambda reader: skipped_in(reader, WORKSPACE)) == ((2, 4), (5, 5))
    assert await store.read(newest_declaration) == NINE
    assert await store.read(lambda reader: list(audit.findings(reader))) == []


async def test_a_number_that_was_not_skipped_is_still_missing(store, declare):
    await declare()
    await store.write(lambda tx: skip_to(tx, WORKSPACE, 3, at=NINE))
    await store.write(lambda tx: tx.next_number(WORKSPACE))
    found = await store.read(lambda reader: list(map(str, audit.findings(reader))))
    assert found == [
        (
            f"{WORKSPACE}: 4 incidents were counted, and the newest is INC-1; "
            "restore a backup, and report it"
        )
    ]
    await declare()
    found = await store.read(lambda reader: list(map(str, audit.findings(reader))))
    assert found == [f"{WORKSPACE}: INC-4 is missing; restore a backup, and report it"]


async def test_every_message_is_looked_for_after_a_restore(
    store, declare, incidents, outbox, clock
):
    await declare()
    await incidents.execute(a_change(ref=1, public=PublicText("Cards are refused.")))
    claimed = {one.surface: one for one in await outbox.claim("gone", limit=9, at=clock())}
    await outbox.dead(claimed[Surface.WORKING_CARD], error="is_archived", at=clock())
    clock.advance(seconds=1)
    await incidents.execute(a_change(ref=1, to="identified"))

    count = await outbox.look_first(at=clock())

    found = await outbox.undelivered()
    assert count == len(found)
    assert all(one.unsure for one in found)
    assert State.RUNNING not in {one.state for one in found}
    cards = [one for one in found if one.surface is Surface.STATUS_CARD]
    assert [(one.id, one.error) for one in cards] == [
        (claimed[Surface.STATUS_CARD].id, UNKNOWN_OUTCOME)
    ]
    dead = [one.error for one in found if one.state is State.DEAD]
    assert dead == ["is_archived"]
    assert await outbox.look_first(at=clock()) == count


async def test_known_channels_are_those_with_posts_and_with_waiting_messages(
    store, declare, outbox, clock
):
    await declare()
    everywhere = {(WORKSPACE, INCIDENTS_CHANNEL), (WORKSPACE, STATUS_CHANNEL)}
    assert set(await store.read(channels)) == everywhere
    for message in await outbox.claim("worker", limit=9, at=clock()):
        ts = "2.0" if message.channel == STATUS_CHANNEL else "1.0"
        await outbox.delivered(message, at=clock(), posted=(message.channel, ts))

    assert await store.read(channels) == (
        (WORKSPACE, STATUS_CHANNEL),
        (WORKSPACE, INCIDENTS_CHANNEL),
    )


async def test_known_incidents_are_those_of_the_workspace(store, declare):
    incident = await declare()
    asked = ({incident.id, an_id("nobody")}, {1, 2})

    assert await store.read(lambda reader: known(reader, WORKSPACE, *asked)) == (
        {incident.id},
        {1},
    )
    assert await store.read(lambda reader: known(reader, "T0OTHER", *asked)) == (set(), set())
