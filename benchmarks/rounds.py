"""Measuring on a machine that is not ours alone: small slices in turn, medians of their ratios."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median

# Does a slice of work and returns the seconds that one operation took: wall time over operations,
# however many clients shared the work.
Slice = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds per operation, one of each side in every round."""

    rounds: tuple[Mapping[str, float], ...]

    @property
    def first(self) -> str:
        """The side that was named first, which the comparison is about."""
        return next(iter(self.rounds[0]))

    def seconds(self, side: str) -> float:
        """The median of a side."""
        return median(one[side] for one in self.rounds)

    def ratio(self, side: str, other: str) -> float:
        """How many times what ``other`` cost ``side`` costs: the median of the rounds' ratios.

        A neighbour that takes the machine for a second slows both sides of a round alike, so that
        the ratio holds where the times do not.
        """
        return median(one[side] / one[other] for one in self.rounds)


async def in_turn(sides: Mapping[str, Slice], *, rounds: int, within_seconds: float) -> Samples:
    """A slice of each side, round after round, every second round the other way about.

    A round before the first warms caches and connections up and does not count. No round begins
    after ``within_seconds``, but three there are, however slow the machine.
    """
    began = time.perf_counter()
    counted: list[Mapping[str, float]] = []
    for number in range(rounds + 1):
        if len(counted) >= 3 and time.perf_counter() - began > within_seconds:
            break
        names = list(sides)[:: -1 if number % 2 else 1]
        seconds = dict.fromkeys(sides, 0.0)
        for name in names:
            # What the other side left to be collected is not this side's to pay for.
            gc.collect()
            seconds[name] = await sides[name]()
        if number:
            counted.append(seconds)
    return Samples(tuple(counted))
