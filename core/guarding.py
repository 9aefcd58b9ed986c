"""The leak guard: what a decision makes public must not hold what is private, unless confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from core.commands import Change, Command, Declare, Walk
from core.decision import Decision
from core.incident import Incident, Update, Visibility
from core.leaks import leaks
from core.refusals import PossibleLeak
from core.store import Reader
from core.workspace import Workspace


def refuse_leaks(
    reader: Reader,
    command: Command,
    before: Incident | None,
    decision: Decision,
    workspace: Workspace,
) -> None:
    """Refuses a public text or a public title of ``decision`` that holds what must not leave.

    Each is compared with every private text of the incident, and with the shapes of secrets. The
    title of a declaration has only the words of its description beside it, not their order: it
    often repeats the beginning.

    Raises:
        PossibleLeak: it does, and ``command`` is not confirmed.
    """
    if not isinstance(command, Change | Walk | Declare) or command.confirmed:
        return
    incident = decision.incident
    texts = [one.body for one in decision.updates if _is_public(one) and one.body is not None]
    titled = not incident.private and workspace.has_public_surface
    title = titled and (before is None or before.title != incident.title)
    if not texts and not title:
        return
    known = [component.name for component in incident.components]
    if before is None:
        notes = (incident.description or "").split()
    else:
        private, public = reader.texts(before)
        notes = [*private, *filter(None, _written(before, decision.updates))]
        known += [before.title, *public]
    if title and (findings := leaks(incident.title, notes, public=known)):
        raise PossibleLeak(before, findings, incident.title, title=True)
    for text in texts:
        if findings := leaks(text, notes, public=(*known, incident.title)):
            raise PossibleLeak(before, findings, text)


def _written(before: Incident, updates: tuple[Update, ...]) -> Iterator[str | None]:
    """The description of ``before``, and the private texts of ``updates``."""
    yield before.description
    for one in updates:
        if not _is_public(one):
            yield one.body


def _is_public(update: Update) -> bool:
    return update.visibility is Visibility.PUBLIC
