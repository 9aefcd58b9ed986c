"""Messages about a promise: the reminder of its owner, and the word that it is broken. Pure.

They are posted once, and edited only when the promise is over. So they name no title: it may be
withdrawn meanwhile.
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
from bot.slack.words import untitled, way_to_card
from core.incident import Incident
from core.promise import Promise, PromiseState, Release
from core.times import duration


def reminder(
    incident: Incident, promise: Promise, *, at: datetime, posted: bool = False
) -> Json | None:
    """The reminder that a promise is due soon; None once it is due, unless it is ``posted``."""
    if at > promise.due_at and not posted:
        return None
    told = (
        f"{untitled(incident)}: the next {_kind(promise)} is promised by "
        f"{moment(promise.due_at, seen_from=at)}."
    )
    buttons = [update_button(incident), later_button(incident, promise.entry)]
    return _nudge(told, incident, [*buttons, release_button(incident)])


def breach(incident: Incident, promise: Promise, *, group: str | None, at: datetime) -> Json:
    """The word that a promise is broken; ``group`` is the group of responders, if there is one.

    Without a working channel it is a direct message: nobody of a group that it mentioned would read
    it.
    """
    told = (
        f"{untitled(incident)}: the {_kind(promise)} that was promised by "
        f"{moment(promise.due_at, seen_from=at)} has not come."
    )
    if group and incident.card_channel:
        told = f"<!subteam^{group}> {told}"
    buttons = [update_button(incident), promise_button(incident)]
    return _nudge(told, incident, buttons)


def over(incident: Incident, promise: Promise, *, at: datetime) -> Json:
    """Either message once the promise is over: what came of it, and no buttons."""
    due = moment(promise.due_at, seen_from=at)
    told = (
        f"{untitled(incident)}: the {_kind(promise)} that was promised by {due} "
        f"{_end_of(incident, promise, at=at)}."
    )
    return _nudge(told, incident, ())


_STATES = {PromiseState.KEPT: "has come", PromiseState.UNSAID: "was taken back"}
_RELEASES = {
    Release.PERSON: "was released",
    Release.MOVED: "was moved",
    Release.ENDED: "is needed no more: it has ended",
    Release.READERS: "is owed no more, because its readers changed",
}


def _end_of(incident: Incident, promise: Promise, *, at: datetime) -> str:
    state = promise.state(at)
    if state is PromiseState.LATE:
        return f"came {duration(promise.lateness)} late"
    if promise.release is Release.MOVED and (due_at := incident.next_update_by):
        return f"is due by {moment(due_at, seen_from=at)} now"
    return _STATES.get(state) or _RELEASES[promise.release or Release.PERSON]


def _nudge(told: str, incident: Incident, buttons: Sequence[Json]) -> Json:
    below = map(context, way_to_card(incident))
    return message([told], [*paragraphs([told]), *actions(buttons), *below])


def _kind(promise: Promise) -> str:
    return "update" if promise.internal else "public update"
