"""Messages about a promise: the reminder of its owner, and the word that it is broken. Pure.

They are posted once. One to a person names the title, and is edited with each change of the
incident until the promise is over. One in a channel has the card beside it, and names none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.slack.blocks import Json, actions, context, message, paragraphs
from bot.slack.buttons import (
    later_button,
    promise_button,
    release_button,
    update_button,
)
from bot.slack.markup import moment
from bot.slack.words import about, untitled, way_to_card
from core.incident import Incident
from core.promise import Promise, PromiseState, Release
from core.times import duration

OTHERS_REMINDED = "You may not give it yourself, so others are reminded as well."


def reminder(
    incident: Incident,
    promise: Promise,
    *,
    at: datetime,
    posted: bool = False,
    direct: bool = False,
    acts: bool = True,
) -> Json | None:
    """The reminder that a promise is due soon; None once it is due, unless it is ``posted``.

    ``direct``: it goes to a person, who sees the incident. ``acts``: they may give the update.
    """
    if at > promise.due_at and not posted:
        return None
    by = moment(promise.due_at, seen_from=at)
    told = _about(incident, f"the next {_kind(promise)} is promised by {by}", direct=direct)
    if not acts:
        return _nudge(f"{told} {OTHERS_REMINDED}", incident, ())
    buttons = [update_button(incident), later_button(incident, promise.entry)]
    return _nudge(told, incident, [*buttons, release_button(incident)])


def breach(
    incident: Incident,
    promise: Promise,
    *,
    group: str | None,
    at: datetime,
    direct: bool = False,
    acts: bool = True,
) -> Json:
    """The word that a promise is broken; ``group`` is the group of responders, if there is one.

    Without a working channel it is a direct message: nobody of a group that it mentioned would read
    it.
    """
    by = moment(promise.due_at, seen_from=at)
    late = f"the {_kind(promise)} that was promised by {by} has not come"
    told = _about(incident, late, direct=direct)
    if group and incident.card_channel:
        told = f"<!subteam^{group}> {told}"
    buttons = [update_button(incident), promise_button(incident)] if acts else []
    return _nudge(told, incident, buttons)


def _about(incident: Incident, sentence: str, *, direct: bool) -> str:
    told = f"{untitled(incident)}: {sentence}"
    return about(told, incident) if direct else f"{told}."


def over(incident: Incident, promise: Promise, *, at: datetime) -> Json:
    """Either message once the promise is over: what came of it, and no buttons."""
    return _nudge(f"{untitled(incident)}: {_end_of(incident, promise, at=at)}.", incident, ())


def _end_of(incident: Incident, promise: Promise, *, at: datetime) -> str:
    due = moment(promise.due_at, seen_from=at)
    promised = f"the {_kind(promise)} that was promised by {due}"
    no_more = f"nobody waits for the {_kind(promise)} by {due} any more"
    state = promise.state(at)
    match state:
        case PromiseState.KEPT:
            return f"{promised} has come"
        case PromiseState.LATE:
            return f"{promised} came {duration(promise.lateness)} late"
        case PromiseState.UNSAID:
            return f"{no_more}, because the promise was taken back"
        case PromiseState.BROKEN:
            # It is told for good, whatever came of it.
            promised += " has not come, and"
            no_more = f"{promised} nobody waits for it any more"
        case _:
            pass
    if promise.release is Release.MOVED and (due_at := incident.next_update_by):
        return f"{promised} is promised by {moment(due_at, seen_from=at)} now"
    return f"{no_more}, because {_RELEASES[promise.release or Release.PERSON]}"


_RELEASES = {
    Release.PERSON: "the promise was released",
    Release.MOVED: "another promise took its place",
    Release.ENDED: "the incident has ended",
    Release.READERS: "its readers changed",
}


def _nudge(told: str, incident: Incident, buttons: Sequence[Json]) -> Json:
    below = map(context, way_to_card(incident))
    return message([told], [*paragraphs([told]), *actions(buttons), *below])


def _kind(promise: Promise) -> str:
    return "update" if promise.internal else "public update"
