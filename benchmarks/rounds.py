"""Measuring on a shared machine: small slices in turn, medians of their ratios."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median

# Does a slice of work; returns the seconds for one operation: wall time over operations, of all
# clients together.
Slice = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds per operation, one of each side in every round."""

    rounds: tuple[Mapping[str, float], ...]

    @property
    def first(self) -> str:
        """The first side, which is compared with the others."""
        return next(iter(self.rounds[0]))

    def seconds(self, side: str) -> float:
        """The median of a side."""
        return median(one[side] for one in self.rounds)

    def ratio(self, side: str, other: str) -> float:
        """The cost of ``side`` over that of ``other``: the median of the rounds' ratios.

        Other load on the machine slows both sides of a round alike, so the ratio is stable when
        the times are not.
        """
        return median(one[side] / one[other] for one in self.rounds)


async def in_turn(sides: Mapping[str, Slice], *, rounds: int, within_seconds: float) -> Samples:
    """A slice of each side in every round; every second round is in reverse order.

    An uncounted round first warms caches and connections up. No round begins after
    ``within_seconds``, but there are at least three.
    """
    began = time.perf_counter()
    counted: list[Mapping[str, float]] = []
    for number in range(rounds + 1):
        if len(counted) >= 3 and time.perf_counter() - began > within_seconds:
            break
        names = list(sides)[:: -1 if number % 2 else 1]
        seconds = dict.fromkeys(sides, 0.0)
        for name in names:
            # One side must not pay for the garbage of the other.
            gc.collect()
            seconds[name] = await sides[name]()
        if number:
            counted.append(seconds)
    return Samples(tuple(counted))
