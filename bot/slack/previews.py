"""Dialogs that follow what is typed into them.

Slack tells of every character. The newest state of a dialog is drawn, at most once a second: more
calls of views.update would be refused when several people type.

Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.slack.answers import Answers, Conclusion
from bot.slack.interaction import Interaction

PAUSE = timedelta(seconds=1)

State = tuple[Interaction, Mapping[str, Any]]
Draw = Callable[[Interaction, Mapping[str, Any]], Awaitable[Conclusion]]


@dataclass(slots=True)
class _Dialog:
    """A dialog in which somebody types: its newest state, and the time that Slack gives for it.

    ``waiting`` is the state that is not drawn yet, None if all are.
    """

    newest_at: float
    waiting: State | None

    def take(self) -> State | None:
        """The state that is not drawn yet; it counts as drawn from now on."""
        state, self.waiting = self.waiting, None
        return state

    def put_back(self, state: State) -> None:
        """Leaves ``state`` to be drawn, unless something newer was typed."""
        self.waiting = self.waiting or state


class Previews:
    """Redraws dialogs with ``draw``, with a ``pause`` between two drawings of the same one."""

    def __init__(self, draw: Draw, answers: Answers, *, pause: timedelta = PAUSE) -> None:
        self._draw = draw
        self._answers = answers
        self._pause = pause
        self._dialogs: dict[str, _Dialog] = {}
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Waits for no more typing."""
        self._stopped.set()

    async def typed(
        self, interaction: Interaction, view: Mapping[str, Any], *, typed_at: float
    ) -> None:
        """Draws ``view``, or leaves it to the drawing that is under way.

        Requests may arrive in another order than they were made: an older state is dropped.
        """
        state, view_id = (interaction, view), str(view["id"])
        if dialog := self._dialogs.get(view_id):
            if typed_at >= dialog.newest_at:
                dialog.newest_at, dialog.waiting = typed_at, state
            return
        dialog = self._dialogs[view_id] = _Dialog(typed_at, state)
        try:
            await self._follow(view_id, dialog)
        finally:
            del self._dialogs[view_id]

    async def _follow(self, view_id: str, dialog: _Dialog) -> None:
        seen, tried = None, None
        while state := dialog.take():
            interaction, view = state
            drawn = await self._draw(interaction, view)
            if drawn.error is None and drawn.reply:
                # The state was read before the last drawing, and its hash with it.
                known = [*([seen] if seen else []), view.get("hash")]
                seen = await self._answers.redraw_typed(view_id, drawn.reply, known)
                if seen is None and state is not tried:
                    # Slack did not take it: it is drawn once more.
                    dialog.put_back(state)
                    tried = state
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._pause.total_seconds())
