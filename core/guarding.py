"""The leak guard: the public text of a decision must not hold what is private, unless confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from core.commands import Change, Command, Walk
from core.decision import Decision
from core.incident import Incident, Kind, Update, Visibility
from core.leaks import leaks
from core.refusals import PossibleLeak
from core.store import Reader

# The newest entries of a timeline whose notes are compared. The compare runs in the transaction of
# the change, and others wait for that.
ENTRIES_COMPARED = 200


def refuse_leaks(
    reader: Reader, command: Command, before: Incident | None, decision: Decision
) -> None:
    """Refuses the public text of ``decision`` if it holds what must not leave.

    Raises:
        PossibleLeak: it does, and ``command`` is not confirmed.
    """
    if before is None or not isinstance(command, Change | Walk) or command.confirmed:
        return
    texts = [one.body for one in decision.updates if _is_public(one) and one.body is not None]
    if not texts:
        return
    entries = reader.timeline(before, before=None, limit=ENTRIES_COMPARED).items
    written = (*entries, *decision.updates)
    incident = decision.incident
    notes = [note for note in (before.description, *_notes(written)) if note]
    public = [incident.title, *(component.name for component in incident.components)]
    public += [one.body for one in entries if _is_public(one) and one.body is not None]
    for text in texts:
        if findings := leaks(text, notes, public=public):
            raise PossibleLeak(before, findings, text)


def _notes(entries: tuple[Update, ...]) -> Iterator[str | None]:
    """The private texts of ``entries``; a description has the one before it as well."""
    for one in entries:
        if not _is_public(one):
            yield one.body
            if one.kind is Kind.DESCRIPTION:
                yield one.old


def _is_public(update: Update) -> bool:
    return update.visibility is Visibility.PUBLIC
