"""Whatever happens: no text is in Slack before its time, or after it was taken back."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.promises.test_any_order import FEW, FEWER, MANY, Bot, connections_refused, file_away

DELAY_SECONDS = 10


class HeldBack(Bot):
    """The same people and accidents, with the product's own delay."""

    def __init__(self, kind, a_database, away):
        super().__init__(kind, a_database, away, PUBLISH_DELAY=str(DELAY_SECONDS))
        self.written_at = {}
        self.withdrawn_at = {}

    def word(self):
        word = super().word()
        self.written_at[word] = self.clock.seconds()
        return word

    async def _entry(self, number, word):
        self.withdrawn_at.setdefault(word, self.clock.seconds())
        return await super()._entry(number, word)

    async def _compare(self):
        await super()._compare()
        words = {word for model in self.incidents for word in model.public}
        for call in self.slack.calls:
            for word in words if call.method.startswith("chat.") else ():
                # Words end in a letter that no other has after its number: none is part of another.
                if word in str(call.arguments):
                    assert call.at >= self.written_at[word] + DELAY_SECONDS
                    withdrawn_at = self.withdrawn_at.get(word, call.at)
                    assert withdrawn_at >= self.written_at[word] + DELAY_SECONDS


@pytest.fixture
def away(kind, request):
    if kind == "sqlite":
        return file_away
    return partial(connections_refused, request.getfixturevalue("postgresql"))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("sqlite", FEW),
        ("postgresql", FEWER),
        pytest.param("sqlite", MANY, marks=pytest.mark.torture),
        pytest.param("postgresql", MANY, marks=pytest.mark.torture),
    ],
    ids=["sqlite", "postgresql", "sqlite-long", "postgresql-long"],
)
def test_whatever_happens_no_text_is_there_before_its_time_or_after_it_was_taken_back(
    kind, settings, a_database, away
):
    machine: Any = partial(HeldBack, kind, a_database, away)
    run_state_machine_as_test(machine, settings=settings)
