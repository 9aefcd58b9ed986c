"""Drafts: requests that were not done, kept for a while so that a button can do them. No rules.

A draft holds what one person typed. It is private, whatever it was typed for: it is shown to its
author only, and never logged or exported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

DRAFT_LIFE = timedelta(hours=1)
DRAFTS_MAX = 20  # of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """``person`` is the author's id. ``body`` is written and read by the entry point.

    ``incidents`` are the ids of all incidents that it is about. A draft that held a withdrawn text
    is kept without its body, which is empty then, so that its author can be told why.
    """

    id: UUID
    workspace: str
    person: str
    at: datetime
    incidents: frozenset[UUID] = frozenset()
    body: str = field(repr=False)

    @property
    def withdrawn(self) -> bool:
        """Whether a withdrawal has erased its body."""
        return not self.body


class Drafts(Protocol):
    """The drafts in the store. A draft is found for `DRAFT_LIFE`, and only by its author."""

    def keep_draft(self, draft: Draft) -> None:
        """Writes it in place of one with the same id; the author's oldest above the limit go."""

    def draft(self, workspace: str, person: str, draft: UUID, *, at: datetime) -> Draft | None:
        """The person's draft of that id; None if it is used, too old, or somebody else's."""

    def erase_draft(self, workspace: str, person: str, draft: UUID) -> None:
        """Erases the person's draft of that id, if it is there."""
