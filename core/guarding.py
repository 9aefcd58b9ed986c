"""The leak guard: a decision publishes no private words, unless a person confirms it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.commands import Change, Command, Declare, SetPrivacy, Walk
from core.decision import Decision
from core.incident import Incident, Update, Visibility
from core.leaks import Leak, leaks
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
    """Refuses a public text or a public title of ``decision`` that seems to hold private words.

    Each is compared with every private text of the incident, and with the shapes of secrets. The
    title of a declaration has only the words of its description beside it, not their order: it
    often repeats the beginning. A private incident that becomes public is compared in the same way.

    Raises:
        PossibleLeak: it does, and ``command`` is not confirmed.
    """
    if not isinstance(command, Change | Walk | Declare | SetPrivacy) or command.confirmed:
        return
    if isinstance(command, SetPrivacy):
        if before is not None and before.private and not decision.incident.private:
            _refuse_opening(reader, before)
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


def _refuse_opening(reader: Reader, before: Incident) -> None:
    """Refuses to make ``before`` public whose title, or a public text of its past, may leak.

    They are looked at as one text, a line each, so that one confirmation is for all of them.
    """
    private, _ = reader.texts(before)
    notes = [*private, *(before.description or "").split()]
    known = [component.name for component in before.components]
    lines = [before.title, *(one.body for one in reader.public_texts(before) if one.body)]
    findings: list[Leak] = []
    start = 0
    for line in lines:
        seen = leaks(line, notes, public=known)
        findings += [replace(one, start=start + one.start) for one in seen]
        start += len(line) + 1
    if findings:
        raise PossibleLeak(before, tuple(findings), "\n".join(lines), opening=True)


def _written(before: Incident, updates: tuple[Update, ...]) -> Iterator[str | None]:
    """The description of ``before``, and the private texts of ``updates``."""
    yield before.description
    for one in updates:
        if not _is_public(one):
            yield one.body


def _is_public(update: Update) -> bool:
    return update.visibility is Visibility.PUBLIC
