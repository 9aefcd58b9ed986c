"""Promises of the next public update: when one is due, how it ended, what happens when. Pure.

A promise is kept by a text that is public in time. Its state follows from its moments, so it is in
one state at any time, and a broken promise cannot be rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

REMIND_BEFORE = timedelta(minutes=5)
# A later reminder is not sent: its moment passed while nobody looked.
REMIND_WITHIN = timedelta(minutes=1)
# After a broken promise responders get so long before they are told of it.
TELL_AFTER = timedelta(minutes=2)
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=7)


class PromiseState(StrEnum):
    """How a promise stands at some moment."""

    OPEN = "open"  # nothing was said yet, and there is time
    KEPT = "kept"  # a text was public by then
    LATE = "late"  # broken, and a text was public later
    BROKEN = "broken"  # nothing was public by then
    RELEASED = "released"  # it was ended before it was due
    UNSAID = "unsaid"  # it was taken back before it was public: it counts nowhere


class Release(StrEnum):
    """The cause for which a promise ended without a text."""

    PERSON = "person"  # somebody released it
    MOVED = "moved"  # another promise took its place
    ENDED = "ended"  # the incident reached its end, or is resolved for the public
    READERS = "readers"  # the incident became private, or public


class Stage(StrEnum):
    """The newest stage of a promise that is done; each is done once, in this order."""

    MADE = "made"
    REMINDED = "reminded"  # the owner was reminded
    DUE = "due"  # the cards say that it was due
    TOLD = "told"  # the responders were told that it is broken


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUpdate:
    """A promise as it is asked for; without any of the three, the default of the severity.

    ``within`` counts from the moment at which the promise is public, ``later`` from the due moment
    of the promise in force.
    """

    within: timedelta | None = None
    by: datetime | None = None
    later: timedelta | None = None

    @property
    def is_default(self) -> bool:
        """Whether the severity decides."""
        return self.within is None and self.by is None and self.later is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promise of one incident. ``entry`` is the update that made it, and its name.

    ``public_at`` is the moment from which it is public, and counts. ``internal``: the incident is
    private, so the promise is for its responders. ``answered_by`` is the entry of the text that is
    public at ``answered_at``, which may lie ahead while the text is held back. So may
    ``released_at``, while the promise that follows is held back. ``look_at`` is the moment of the
    next look at it, as its row says.
    """

    entry: int
    public_at: datetime
    due_at: datetime
    internal: bool = False
    stage: Stage = Stage.MADE
    answered_at: datetime | None = None
    answered_by: int | None = None
    released_at: datetime | None = None
    release: Release | None = None
    look_at: datetime | None = field(default=None, compare=False)

    @property
    def over_at(self) -> datetime | None:
        """The moment at which it is over; None while it is in force."""
        return min(filter(None, (self.answered_at, self.released_at)), default=None)

    @property
    def unsaid(self) -> bool:
        """Whether it was taken back before it was public."""
        return self.released_at is not None and self.released_at < self.public_at

    @property
    def remind_at(self) -> datetime:
        """Five minutes before it is due, or at half of its time if that is later."""
        half = self.public_at + (self.due_at - self.public_at) / 2
        return max(self.due_at - REMIND_BEFORE, half)

    def state(self, at: datetime) -> PromiseState:
        """How it stands at the moment ``at``. It is broken once ``due_at`` has passed."""
        answered, released = self.answered_at, self.released_at
        if self.unsaid:
            return PromiseState.UNSAID
        if answered is not None and answered <= min(at, self.due_at):
            return PromiseState.KEPT
        if released is not None and released <= min(at, self.due_at):
            return PromiseState.RELEASED
        if at <= self.due_at:
            return PromiseState.OPEN
        late = answered is not None and answered <= at
        return PromiseState.LATE if late else PromiseState.BROKEN

    @property
    def lateness(self) -> timedelta:
        """The time from the due moment to its text; zero if it was in time, or none came."""
        return max((self.answered_at or self.due_at) - self.due_at, timedelta())

    def next_stage(self) -> tuple[Stage, datetime] | None:
        """The next stage and its moment, None if none is left.

        Whatever answered or released it spares the nudges. The cards follow it to its end.
        """
        moments = (
            (Stage.REMINDED, self.remind_at),
            (Stage.DUE, self.due_at),
            (Stage.TOLD, self.due_at + TELL_AFTER),
        )
        over, done = self.over_at, list(Stage).index(self.stage)
        for stage, moment in moments[done:]:
            if over is None or (stage is Stage.DUE and moment < over):
                return stage, moment
        return None


def next_look(promise: Promise, at: datetime) -> datetime | None:
    """The moment after ``at`` at which something follows from ``promise``; None if nothing does.

    That is its next stage, or the end of a hold: from then on the readers of the cards read it, or
    read it no more.
    """
    stage = promise.next_stage()
    held = (moment for moment in (promise.public_at, promise.over_at) if moment and moment > at)
    return min(filter(None, (stage and stage[1], *held)), default=None)


@dataclass(frozen=True, slots=True)
class Passed:
    """A promise after its due stages; ``effects`` are those that something follows from."""

    promise: Promise
    effects: tuple[Stage, ...]


def passed(promise: Promise, at: datetime) -> Passed:
    """``promise`` after all stages whose moment has passed at ``at``.

    A reminder that comes too late is left out.
    """
    effects: list[Stage] = []
    while (following := promise.next_stage()) and following[1] < at:
        stage, moment = following
        promise = replace(promise, stage=stage)
        if stage is not Stage.REMINDED or at - moment <= REMIND_WITHIN:
            effects.append(stage)
    return Passed(promise, tuple(effects))


def in_force(promises: Iterable[Promise]) -> Promise | None:
    """The newest promise that nothing has ended, or is about to end; it may be held back."""
    left = (promise for promise in promises if promise.over_at is None)
    return max(left, key=lambda promise: promise.entry, default=None)


def promised(
    promises: Iterable[Promise], at: datetime, *, internal: bool = False
) -> Iterator[Promise]:
    """The promises that the public was told of by the moment ``at``, in their order.

    ``internal``: those that the responders of a private incident were told of.
    """
    for promise in promises:
        if promise.public_at <= at and promise.internal is internal and not promise.unsaid:
            yield promise


def shown(promises: Iterable[Promise], at: datetime, *, internal: bool = False) -> Promise | None:
    """The promise that the public reads at the moment ``at``, due or not; None if there is none.

    ``internal``: the one that the responders of a private incident read.
    """
    told = promised(promises, at, internal=internal)
    newest = max(told, key=lambda promise: promise.entry, default=None)
    if newest is None or (newest.over_at is not None and newest.over_at <= at):
        return None
    return newest


def answered(
    promises: Iterable[Promise], *, entry: int, public_at: datetime, internal: bool = False
) -> Iterator[Promise]:
    """The promises with the text of ``entry`` as their answer, if they still wait for one.

    A promise that was broken before it was moved or released is answered, too: late. An
    ``internal`` text answers only internal promises, a public one the others.
    """
    for promise in promises:
        released = promise.released_at
        broken = released is not None and released > promise.due_at
        lets_go = released is None or (
            broken and promise.release in {Release.MOVED, Release.PERSON}
        )
        if promise.answered_at is None and lets_go and promise.internal is internal:
            yield replace(promise, answered_at=public_at, answered_by=entry)
        else:
            yield promise


def released(
    promises: Iterable[Promise], how: Release, *, at: datetime, since: datetime | None = None
) -> Iterator[Promise]:
    """The promises, those in force released at ``at``.

    ``since`` is for a promise that takes their place later than now: one that is held back until
    ``at``. One that is itself held back at ``since`` was never said.
    """
    now = at if since is None else since
    for promise in promises:
        until = promise.released_at
        if promise.over_at is None:
            moment = now if promise.public_at > now else at
            yield replace(promise, released_at=moment, release=how)
        elif promise.answered_at is None and until is not None and until > now:
            # It gave way to a promise that is held back, and goes by its own release now.
            yield replace(promise, released_at=at)
        else:
            yield promise


def withheld(promises: Iterable[Promise], *, at: datetime) -> Iterator[Promise]:
    """The promises of an incident whose readers change at ``at``.

    No text that is held back answers one any more.
    """
    for promise in promises:
        late = promise.answered_at is not None and promise.answered_at > at
        open_ = replace(promise, answered_at=None, answered_by=None) if late else promise
        yield from released([open_], Release.READERS, at=at)


def taken_back(
    promises: Iterable[Promise],
    texts: Mapping[int, datetime],
    *,
    entry: int,
    ended_at: datetime | None,
    at: datetime,
) -> Iterator[Promise]:
    """The promises without the text of ``entry``, which was taken back before it was public.

    ``texts`` are the public texts that are left: their entries, with the moments at which they are
    public. ``ended_at`` is the moment since which the incident is over, so that no promise of it
    stays in force; None if it is not.
    """
    kept = sorted(promises, key=lambda promise: promise.entry)
    for place, promise in enumerate(kept):
        if promise.entry == entry:
            gone = replace(promise, answered_at=None, answered_by=None)
            yield replace(gone, released_at=at, release=Release.PERSON)
            continue
        if promise.answered_by != entry:
            yield promise
            continue
        later = [(public, one) for one, public in texts.items() if one > promise.entry]
        public_at, by = min(later, default=(None, None))
        again = replace(promise, answered_at=public_at, answered_by=by)
        after = [one for one in kept[place + 1 :] if one.entry != entry and not one.unsaid]
        if again.over_at is None and ended_at is not None:
            again = replace(again, released_at=ended_at, release=Release.ENDED)
        elif again.over_at is None and after:
            again = replace(again, released_at=after[0].public_at, release=Release.MOVED)
        yield again


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The count of promises by the way they ended. Open and unsaid ones are in none."""

    kept: int = 0
    late: int = 0
    broken: int = 0
    released: int = 0

    def __add__(self, other: Score) -> Score:
        """The score of both together."""
        return Score(
            kept=self.kept + other.kept,
            late=self.late + other.late,
            broken=self.broken + other.broken,
            released=self.released + other.released,
        )

    @property
    def words(self) -> str:
        """``3 kept, 1 late``; ``none`` if nothing was promised."""
        counts = {
            "kept": self.kept,
            "late": self.late,
            "broken": self.broken,
            "released": self.released,
        }
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def score(promises: Iterable[Promise], at: datetime) -> Score:
    """The score of ``promises`` at the moment ``at``."""
    states = [promise.state(at) for promise in promises]
    return Score(
        kept=states.count(PromiseState.KEPT),
        late=states.count(PromiseState.LATE),
        broken=states.count(PromiseState.BROKEN),
        released=states.count(PromiseState.RELEASED),
    )
