"""Promises in decisions: made, moved, kept by a text, released. Pure; `core.promise` has the rules.

A promise changes with the update that makes, answers or ends it, in one decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core import promise
from core.commands import SetPromise
from core.decision import Decision, ForChange, Known
from core.errors import InvalidField
from core.incident import Incident, Kind, Update, Visibility
from core.lifecycle import PublicWord
from core.pen import Pen, public_cards, responders_cards
from core.promise import LONGEST, SHORTEST, NextUpdate, Promise, Release
from core.refusals import (
    IncidentResolved,
    NoPublicSurface,
    NothingToPromise,
    NothingToRelease,
    PromiseOver,
)
from core.texts import body_of


@dataclass(frozen=True, slots=True)
class Promised:
    """A change with its promises: the incident, its new updates, the changed promises."""

    incident: Incident
    updates: tuple[Update, ...]
    promises: tuple[Promise, ...]


def is_over(incident: Incident) -> bool:
    """Whether nobody waits for a next update: the end, or resolved for the public."""
    return incident.terminal or incident.public_word is PublicWord.RESOLVED


def with_promises(
    incident: Incident,
    updates: tuple[Update, ...],
    asked: NextUpdate | None,
    known: ForChange,
    *,
    at: datetime,
) -> Promised:
    """``incident`` after a change, with what its ``updates`` mean for promises.

    A text answers the promises before it. A public one makes the promise that is ``asked`` for,
    unless the incident is over.
    """
    promises = known.promises
    text = next((one for one in updates if _speaks(one, incident)), None)
    made: tuple[Promise, ...] = ()
    if text is not None:
        public_at = text.public_at or at
        promises = tuple(
            promise.answered(
                promises, entry=text.entry, public_at=public_at, internal=incident.private
            )
        )
        if asked is not None and text.visibility is Visibility.PUBLIC and not is_over(incident):
            due_at = due(asked, incident, known, public_at=public_at)
            if due_at is not None:
                made = (Promise(entry=text.entry, public_at=public_at, due_at=due_at),)
                text = replace(text, next_update_by=due_at)
                updates = tuple(text if one.entry == text.entry else one for one in updates)
    if is_over(incident):
        promises = tuple(promise.released(promises, Release.ENDED, at=at))
    return _promised(incident, updates, known.promises, (*promises, *made))


def set_promise(
    incident: Incident, command: SetPromise, known: ForChange, *, at: datetime
) -> Decision:
    """The decision to promise the next public update, or to release the promise.

    A new one is held back like a text. A release is public at once.
    """
    reason = None if command.reason is None else body_of("reason", command.reason)
    if incident.terminal:
        raise IncidentResolved(incident, None)
    present = promise.in_force(known.promises)
    if command.expected is not None and (present is None or present.entry != command.expected):
        raise PromiseOver(incident)
    asked = command.next_update
    pen = Pen(incident, command.actor, at, known.publish_delay)
    if asked is None:
        if present is None:
            raise NothingToRelease(incident)
        entry = pen.update(Kind.PROMISED, body=reason)
        left = tuple(promise.released(known.promises, Release.PERSON, at=at))
        done = _promised(incident, (entry,), known.promises, left)
        return _decision(pen, incident, done, known)
    if is_over(incident):
        raise NothingToPromise(incident)
    if not (incident.private or known.workspace.has_public_surface):
        raise NoPublicSurface(incident)
    public_at = at if incident.private else at + known.publish_delay
    due_at = due(asked, incident, known, public_at=public_at)
    if due_at is None:
        raise InvalidField("next_update", f"has no default for the severity {incident.severity}")
    entry = pen.update(Kind.PROMISED, body=reason, next_update_by=due_at)
    moved = promise.released(known.promises, Release.MOVED, at=public_at, since=at)
    new = Promise(entry=entry.entry, public_at=public_at, due_at=due_at, internal=incident.private)
    done = _promised(incident, (entry,), known.promises, (*moved, new))
    return _decision(pen, incident, done, known, not_before=public_at)


def without_text(
    incident: Incident,
    promises: tuple[Promise, ...],
    texts: Iterable[Update],
    *,
    entry: int,
    moved: Update | None,
    at: datetime,
) -> Promised:
    """``incident`` after the text of ``entry`` was taken back before it was public.

    ``moved`` is its newest transition, which may be the end.
    """
    left = {one.entry: one.public_at or one.at for one in texts if one.entry != entry}
    ended_at = moved.at if moved and is_over(incident) else None
    kept = promise.taken_back(promises, left, entry=entry, ended_at=ended_at, at=at)
    return _promised(incident, (), promises, tuple(kept))


def with_other_readers(
    incident: Incident, promises: tuple[Promise, ...], *, at: datetime
) -> Promised:
    """``incident`` after it became private, or public: its promise ends."""
    return _promised(incident, (), promises, tuple(promise.withheld(promises, at=at)))


def due(
    asked: NextUpdate, incident: Incident, known: ForChange, *, public_at: datetime
) -> datetime | None:
    """The due moment of a promise that is public at ``public_at``; None for no default.

    Raises:
        InvalidField: it is too near, or too far.
        PromiseOver: none is in force that could be due later.
    """
    if asked.is_default:
        within = known.workspace.settings.promise_defaults.get(incident.severity)
        return None if within is None else public_at + within
    if asked.later is not None:
        present = promise.in_force(known.promises)
        if present is None:
            raise PromiseOver(incident)
        due_at = max(present.due_at, public_at) + asked.later
    else:
        due_at = asked.by or public_at + (asked.within or timedelta())
    if not SHORTEST <= due_at - public_at <= LONGEST:
        raise InvalidField("next_update", "must be from one minute to seven days away")
    return due_at


def _speaks(update: Update, incident: Incident) -> bool:
    """Whether ``update`` is a text for the readers of a promise.

    On a private incident these are its responders, so a note is one.
    """
    return update.body is not None and (incident.private or update.visibility is Visibility.PUBLIC)


def _promised(
    incident: Incident,
    updates: tuple[Update, ...],
    before: tuple[Promise, ...],
    after: tuple[Promise, ...],
) -> Promised:
    present = promise.in_force(after)
    changed = replace(
        incident,
        promises=len(after),
        next_update_by=present.due_at if present else None,
    )
    return Promised(changed, updates, tuple(one for one in after if one not in before))


def _decision(
    pen: Pen,
    before: Incident,
    done: Promised,
    known: Known,
    *,
    not_before: datetime | None = None,
) -> Decision:
    cards = (
        *responders_cards(before, done.incident),
        *public_cards(done.incident, known, not_before=not_before),
    )
    return pen.decision(done.incident, done.updates, known, envelopes=cards, promises=done.promises)
