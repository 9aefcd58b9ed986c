"""Lists that show open incidents first, and the worst of them first, page by page."""

from __future__ import annotations

from core.boards import BoardFilter, Scope
from core.incident import Severity
from core.ranking import Rank, rank_of
from tests.builders import a_change, an_actor

LOW, HIGH, CRITICAL = Severity.LOW, Severity.HIGH, Severity.CRITICAL


async def test_pages_lead_down_to_lesser_incidents_and_up_again(incidents, declare):
    for severity in (HIGH, LOW, CRITICAL, HIGH):
        await declare(severity=severity)

    async def page(**at):
        return await incidents.ranking(an_actor(), BoardFilter(), limit=2, **at)

    first = await page()
    assert [one.number for one in first.items] == [3, 4]
    assert (first.newer, first.older, first.total) == (None, Rank(HIGH, 4), 4)
    assert first.older == rank_of(first.items[-1])
    second = await page(before=first.older)
    assert [one.number for one in second.items] == [1, 2]
    assert (second.newer, second.older, second.total) == (Rank(HIGH, 1), None, 4)
    assert (await page(after=second.newer)).items == first.items


async def test_an_open_incident_is_above_a_worse_one_that_has_ended(incidents, declare):
    for severity in (CRITICAL, LOW):
        await declare(severity=severity)
    for step in ("identified", "monitoring", "resolved"):
        await incidents.execute(a_change(ref=1, to=step))

    page = await incidents.ranking(an_actor(), BoardFilter(scope=Scope.ALL), limit=1)

    assert [one.number for one in page.items] == [2]
    assert (page.older, page.total) == (Rank(LOW, 2), 2)
    below = await incidents.ranking(an_actor(), BoardFilter(scope=Scope.ALL), before=page.older)
    assert [rank_of(one) for one in below.items] == [Rank(CRITICAL, 1, ended=True)]
