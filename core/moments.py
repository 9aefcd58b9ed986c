"""The moments of one incident from which times are computed; they are stored nowhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.incident import Incident, Kind, Update, Visibility
from core.lifecycle import PublicWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The moments that an incident has reached; None for one that it has not.

    ``acknowledged`` is the first acknowledgement, ``resolved`` the first status with the public
    word ``resolved``. At ``public_texts`` a text became public, ``public`` are these and changes
    of the public word. Both are oldest first.
    """

    declared: datetime
    started: datetime
    acknowledged: datetime | None
    resolved: datetime | None
    public_texts: tuple[datetime, ...]
    public: tuple[datetime, ...]

    @property
    def first_public_text(self) -> datetime | None:
        """The moment of the first text that everybody could read."""
        return min(self.public_texts, default=None)


def moments_of(incident: Incident, timeline: Iterable[Update]) -> Moments:
    """The moments of ``incident``. Of its ``timeline`` only transitions and public texts count.

    A text that was taken back was never public. A step of a walk before its last is no change of
    the public word.
    """
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    texts: list[datetime] = []
    moves: list[datetime] = []
    word: PublicWord | None = None
    for update in timeline:
        if update.kind is Kind.ACKNOWLEDGED and acknowledged is None:
            acknowledged = update.at
        if update.visibility is Visibility.PUBLIC and not update.taken_back:
            texts.append(update.public_at or update.at)
        if update.status_change is None:
            continue
        now = incident.lifecycle.public_word(update.status_change)
        if now is PublicWord.RESOLVED and resolved is None:
            resolved = update.at
        if now is not word and not update.passed:
            moves.append(update.at)
            word = now
    return Moments(
        declared=incident.created_at,
        started=incident.started_at,
        acknowledged=acknowledged,
        resolved=resolved,
        public_texts=tuple(sorted(texts)),
        public=tuple(sorted([*texts, *moves])),
    )
