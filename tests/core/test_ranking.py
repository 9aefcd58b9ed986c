"""Lists that show the worst first, page by page."""

from __future__ import annotations

from core.boards import BoardFilter
from core.incident import Severity
from core.ranking import Rank, rank_of
from tests.builders import an_actor

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
