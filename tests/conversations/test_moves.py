"""All sixteen pairs of both lifecycles, asked for in Slack: only legal moves happen."""

from __future__ import annotations

import itertools

import pytest

from bot.slack.words import status_name
from core.lifecycle import PRESETS
from tests.standin import labels

PAIRS = [
    pytest.param(lifecycle, start, to, id=f"{lifecycle.name}-{start}-{to}")
    for lifecycle in PRESETS
    for start, to in itertools.product([s.name for s in lifecycle.statuses], repeat=2)
]


@pytest.fixture
def mode():
    """One mode is enough here: the stories prove the differences between the two."""
    return "http"


@pytest.fixture
async def standing(slack, ratchet):
    """Declares INC-1 and walks it to a status."""
    mia = slack.person("mia")

    async def standing(lifecycle, status):
        await mia.command(
            "#payments", f"/incident declare Checkout is down lifecycle:{lifecycle.name}"
        )
        for step in lifecycle.path(lifecycle.initial, status):
            await mia.command("#payments", f"/incident status 1 {step}")
        return mia

    return standing


@pytest.mark.parametrize(("lifecycle", "start", "to"), PAIRS)
async def test_only_the_moves_of_the_table_happen(lifecycle, start, to, standing):
    mia = await standing(lifecycle, start)

    asked = await mia.command("#payments", f"/incident status 1 {to} because")

    answer = await asked.answer()
    shown = await (await mia.command("#payments", "/incident show 1")).answer()
    if to in lifecycle.next_steps(start):
        assert f"is now *{status_name(to)}* (was {status_name(start)})" in answer.words()
        assert f"*{status_name(to)}*" in shown.words()
    else:
        assert status_name(start).lower() in answer.text.lower()
        assert f"*{status_name(start)}*" in shown.words()
    offered = lifecycle.next_steps(to if to in lifecycle.next_steps(start) else start)
    moves = [label for label in labels(answer) if label.startswith("Move") and "steps" not in label]
    assert [label.rpartition(" to ")[2] for label in moves] == [
        status_name(step) for step in offered
    ]
