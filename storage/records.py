"""The rows of an incident for the audit, unchecked; findings, and their cures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.channel import OwnChannel
from core.decision import Surface
from core.incident import Component, Kind
from core.lifecycle import Lifecycle
from core.promise import Promise
from core.public_side import KeptIncident, KeptUpdate
from core.subscription import Subscription
from storage.rows import AnyRow

RESTORE = "restore a backup, and report it"
REPORT = "report it"
DRAW_ANEW = "its next change posts it; report it"
WRITE_AGAIN = "write it again with `/incident update` in Slack, and report it"
DELETE = "delete that message in Slack now, and report it"
ERASE_BODIES = "run `UPDATE incident_update SET body = NULL WHERE redacted_at IS NOT NULL`"
ERASE_DESCRIPTIONS = "withdraw it once more, with `/incident withdraw <n> description` in Slack"
ERASE_CATEGORIES = "withdraw it once more, with `/incident withdraw <n> category` in Slack"
ERASE_ANSWERS = "run `UPDATE idempotency SET body = NULL WHERE about IS NOT NULL`"
RESTART = "stop Ratchet and start it again: posts are searched for before they are sent again"


@dataclass(frozen=True, slots=True)
class Finding:
    """An error in the store. ``about`` names workspace and incident, and never a title or text."""

    about: str
    text: str
    cure: str

    def __str__(self) -> str:
        return f"{self.about}: {self.text}; {self.cure}"


Problem = tuple[str, str]  # the text of a finding, and its cure


@dataclass(frozen=True, slots=True)
class Record:
    """The rows of one incident, unchecked.

    ``follows`` is the number of the incident before it. ``lifecycle`` is None if it cannot be
    read. ``entries`` are oldest first. ``waiting`` are the messages that are not delivered yet, or
    can never be. ``kept`` is what it keeps of the page that it was imported from, with its updates
    by entry; None for others. ``tagged`` are the components by id; ``subscriptions`` are all of the
    workspace's, and ``status_channel`` is its present one.
    """

    row: AnyRow
    follows: int
    lifecycle: Lifecycle | None
    entries: Sequence[AnyRow]
    components: tuple[str, ...]
    places: Sequence[AnyRow]
    waiting: Sequence[AnyRow]
    promises: Sequence[Promise]
    channels: Sequence[OwnChannel]
    kept: tuple[KeptIncident, Mapping[int, KeptUpdate]] | None = None
    tagged: Sequence[Component] = ()
    subscriptions: Sequence[Subscription] = ()
    status_channel: str | None = None

    @property
    def subscribed(self) -> frozenset[str]:
        """The channels that are or were subscribed, without the status channel."""
        return frozenset(one.channel for one in self.subscriptions) - {self.status_channel}

    @property
    def own_entries(self) -> Sequence[AnyRow]:
        """The entries that were not imported: no message ever told of the others."""
        imported = self.kept[0].entries if self.kept else 0
        return [entry for entry in self.entries if entry.entry > imported]

    @property
    def changed_sides(self) -> bool:
        """Whether the incident was made private, or public, after its declaration."""
        return any(entry.kind == Kind.PRIVACY for entry in self.entries)

    def shown_in(self, surface: Surface) -> set[tuple[str, int]]:
        """The channels that have ``surface``, or will have it, with the entry; 0 for a card."""
        return {
            (row.channel, row.entry or 0)
            for row in (*self.places, *self.waiting)
            if row.surface == surface
        }
