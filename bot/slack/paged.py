"""Lists with numbered pages: the rows of one page, its place in words, the ways to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from bot.slack.blocks import Json, button
from bot.slack.pressed import encode
from bot.slack.words import page_of

T = TypeVar("T")


class NumberedPage(Generic[T]):
    """One page of ``rows``, at most ``most`` of them.

    ``number`` counts from 1; a later page than the last shows the last. ``here`` are its rows.
    """

    def __init__(self, rows: Sequence[T], number: int, *, most: int) -> None:
        self._last = max(1, -(-len(rows) // most))
        self.number = min(number, self._last)
        above = (self.number - 1) * most
        self.here = rows[above : above + most]
        self._place = page_of(f"{len(rows)}", above, len(self.here))

    def heading(self, name: str) -> str:
        """``Components (21-40 of 57)``, with a dash."""
        return f"{name} ({self._place})"

    def buttons(self, kind: str) -> list[Json]:
        """The buttons to the pages beside it; their values are of the kind ``kind``."""
        ways = []
        if self.number > 1:
            ways.append(("Previous", "newer", self.number - 1))
        if self.number < self._last:
            ways.append(("Next", "older", self.number + 1))
        return [
            button(label, action_id=action, value=encode(kind, to)) for label, action, to in ways
        ]
