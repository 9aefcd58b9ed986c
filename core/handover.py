"""A hand-over: the question to a new owner whether they take the incident. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.incident import Incident, Kind, Person, Update

# Without an answer within this time the one who assigned it is told.
ANSWER_WITHIN = timedelta(minutes=15)


class Answer(StrEnum):
    """The end of a question to a new owner."""

    TAKEN = "taken"  # Got it, or an acknowledgement
    DECLINED = "declined"  # Not me
    MOOT = "moot"  # no answer: somebody else became owner


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A hand-over of one incident. ``entry`` is the update that made it, and its name.

    ``to`` was made owner by ``by``, after ``previous``. ``looked``: the time for an answer is over,
    and whatever follows from that was done.
    """

    entry: int
    to: Person
    by: Person
    previous: Person | None = None
    asked_at: datetime
    answer: Answer | None = None
    looked: bool = False

    @property
    def look_at(self) -> datetime | None:
        """The moment at which the time for an answer is over; None once nothing is left to do."""
        over = self.looked or self.answer is not None
        return None if over else self.asked_at + ANSWER_WITHIN

    def is_silent(self, incident: Incident, *, acted: bool, at: datetime) -> bool:
        """Whether somebody should hear at the moment ``at`` that no answer came.

        ``acted``: the new owner has written an entry since; that is an answer, too. After the end,
        or once somebody else owns ``incident``, nobody waits for one.
        """
        due = self.look_at
        waits = due is not None and due <= at and incident.owner == self.to
        return waits and not acted and not incident.terminal

    def after(self, incident: Incident, updates: Iterable[Update]) -> HandOver:
        """The open question after a change to ``incident``, which wrote ``updates``."""
        if incident.owner != self.to:
            return replace(self, answer=Answer.MOOT)
        if any(one.kind is Kind.ACKNOWLEDGED and one.by == self.to for one in updates):
            return replace(self, answer=Answer.TAKEN)
        return replace(self, looked=self.looked or incident.terminal)

    def heir(self, incident: Incident) -> Person | None:
        """The owner after *Not me*: the one who assigned it, or the owner before, or nobody.

        An API key leads no incident, and the end of one is no time to give it back.
        """
        back = self.by.in_slack and not incident.terminal
        return self.by if back else self.previous
