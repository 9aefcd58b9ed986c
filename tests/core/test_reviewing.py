"""Reports and statistics as use cases: each reader gets what exists for them."""

from datetime import timedelta

import pytest

from core.commands import Acknowledge, NameResolution, Redact, SetPrivacy, SetPromise, WriteReport
from core.denials import Denied
from core.incident import Kind, Membership, Note, Resolution, Section
from core.missing import NoSuchSection, NotFound
from core.promise import NextUpdate, Score
from core.refusals import NoPublicSide
from core.report import markdown
from core.service import Incidents
from core.stats import milestones
from tests.builders import (
    ADA,
    GRACE,
    a_change,
    an_actor,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ADMIN = an_actor(ADA, admin=True)


async def test_reports_and_statistics_have_the_score_of_promises(incidents, declare, clock):
    await declare()
    within = NextUpdate(within=10 * MINUTE)
    await incidents.execute(SetPromise(actor=ADMIN, ref=1, next_update=within))
    clock.advance(minutes=20)
    await incidents.execute(a_change(ref=1, public="We found the cause."))
    clock.advance(minutes=1)
    told = await incidents.report(ADMIN, 1, then=lambda _, report: markdown(report))
    figures = await incidents.statistics(ADMIN, period=DAY)

    assert "- Promises of the next public update: 1 late" in told
    assert figures.whole.now.promises == Score(late=1)


async def test_the_promise_in_force_is_read_with_its_incident(incidents, declare, clock):
    await declare()
    assert (await incidents.promise(ADMIN, 1))[1] is None
    within = NextUpdate(within=10 * MINUTE)
    await incidents.execute(SetPromise(actor=ADMIN, ref=1, next_update=within))

    incident, promise = await incidents.promise(ADMIN, 1)

    assert incident.next_update_by == promise.due_at
    with pytest.raises(NotFound):
        await incidents.promise(ADMIN, 9)


@pytest.fixture
def reached():
    """The milestones that were observed, as a list that grows."""
    return []


@pytest.fixture
def incidents(store, clock, reached):
    return Incidents(
        store,
        clock=clock,
        wake=lambda: None,
        publish_delay=timedelta(seconds=10),
        observe=lambda outcome: reached.extend(milestones(outcome)),
    )


def writing(actor=ADMIN, *, seen=1, **texts):
    return WriteReport(actor=actor, ref=1, seen=seen, **texts)


async def whole(incidents, actor=ADMIN):
    return await incidents.report(actor, 1, lambda _, report: markdown(report))


async def test_a_section_is_written_read_and_withdrawn(incidents, declare, clock):
    await declare()
    await incidents.execute(writing(cause=Note("db-3 lost quorum")))
    await incidents.execute(writing(seen=2, cause=Note("db-4 lost quorum")))
    assert "> db-4 lost quorum" in await whole(incidents)

    clock.advance(hours=1)
    outcome = await incidents.execute(Redact(actor=ADMIN, ref=1, entry=Section.CAUSE))

    assert outcome.redacted.entry == 3
    assert "lost quorum" not in await whole(incidents)
    incident, entries = await incidents.sections(ADMIN, 1)
    assert incident.number == 1
    assert [(one.kind, one.body, one.redacted) for one in entries] == [
        (Kind.REPORTED, None, True)
    ] * 2
    again = await incidents.execute(Redact(actor=ADMIN, ref=1, entry=Section.CAUSE))
    assert not again.changed
    with pytest.raises(NoSuchSection):
        await incidents.execute(Redact(actor=ADMIN, ref=1, entry=Section.IMPACT))


async def test_the_internal_report_is_for_responders_alone(incidents, declare):
    await declare()
    reader = an_actor(GRACE, responder=False)

    for ask in (whole(incidents, reader), incidents.sections(reader, 1)):
        with pytest.raises(Denied):
            await ask
    with pytest.raises(Denied):
        await incidents.execute(writing(reader, cause=Note("db-3")))


async def test_the_public_report_waits_for_the_hold_and_ends_with_privacy(
    incidents, declare, clock
):
    await declare()
    with pytest.raises(NoPublicSide, match="INC-1 has no public side now"):
        await incidents.public_report(ADMIN, 1)

    clock.advance(seconds=10)
    await incidents.execute(writing(cause=Note("db-3 lost quorum")))
    told = await incidents.public_report(an_actor(GRACE, responder=False), 1)

    assert told.startswith("# INC-1 Checkout is down\n")
    assert "quorum" not in told
    await incidents.execute(SetPrivacy(actor=ADMIN, ref=1, private=True))
    with pytest.raises(NoPublicSide):
        await incidents.public_report(ADMIN, 1)
    with pytest.raises(NotFound):
        await incidents.public_report(an_actor(GRACE), 1)


async def counts(incidents, actor=ADMIN, **period):
    figures = await incidents.statistics(actor, period=timedelta(**period or {"days": 30}))
    return figures.whole.now.incidents, figures.whole.before.incidents


async def test_the_public_report_is_the_same_bytes_at_any_time(incidents, declare, clock):
    await declare()
    await incidents.execute(a_change(ref=1, note="db-3 lost quorum"))
    clock.advance(seconds=10)
    before = await incidents.public_report(an_actor(), 1)

    clock.advance(days=400)

    assert before.startswith("# INC-1 ")
    assert await incidents.public_report(an_actor(), 1) == before


async def test_statistics_count_the_incidents_that_exist_for_the_reader(incidents, declare, clock):
    await declare()
    clock.advance(days=10)
    await declare(private=True)
    await declare()
    clock.advance(seconds=1)

    assert await counts(incidents) == (3, 0)
    assert await counts(incidents, days=7) == (2, 1)
    assert await counts(incidents, an_actor(GRACE, channel=None)) == (2, 0)
    assert await counts(incidents, an_actor(ADA, channel=None)) == (3, 0)
    assert await counts(incidents, an_actor(workspace="T0OTHER")) == (0, 0)


async def test_statistics_have_the_times_of_the_timeline(incidents, declare, clock):
    await declare()
    clock.advance(minutes=2)
    await incidents.execute(Acknowledge(actor=ADMIN, ref=1))
    await incidents.execute(a_change(ref=1, public="We look into it."))
    clock.advance(minutes=8)
    for step in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=step))

    now = (await incidents.statistics(ADMIN, period=DAY)).whole.now

    assert now.to_acknowledge.median == 2 * MINUTE
    assert now.to_public_text.median == 2 * MINUTE + timedelta(seconds=10)
    assert now.to_resolve.median == 10 * MINUTE
    assert now.silence.span == 8 * MINUTE - timedelta(seconds=10)
    named = NameResolution(actor=ADMIN, ref=1, how=Resolution.FALSE_ALARM)
    await incidents.execute(named)
    now = (await incidents.statistics(ADMIN, period=DAY)).whole.now
    assert (now.false_alarms, now.to_resolve.count, now.silence) == (1, 0, None)


async def test_statistics_are_for_responders_alone(incidents):
    for actor in (
        an_actor(responder=False),
        an_actor(membership=Membership.GUEST),
    ):
        with pytest.raises(Denied):
            await incidents.statistics(actor, period=DAY)


async def test_milestones_are_observed_once_and_never_of_private_incidents(
    incidents, declare, clock, reached
):
    await declare()
    await declare(private=True)
    clock.advance(minutes=3)
    for number in (1, 2):
        for _ in range(2):
            await incidents.execute(
                Acknowledge(actor=ADMIN, ref=number), request=f"click on {number}"
            )

    assert [(one.name, one.after) for one in reached] == [("acknowledge", 3 * MINUTE)]


async def test_an_effect_outside_the_database_begins_once_for_each_request(incidents, declare):
    incident = await declare()

    begun = [await incidents.begin(ADMIN, request, incident) for request in ("a", "a", "b")]

    assert begun == [True, False, True]
