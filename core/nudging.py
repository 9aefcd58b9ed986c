"""The look at promises: each stage is done once, and told to the right people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from core.decision import Envelope, Surface
from core.incident import Groups, Incident
from core.looking import Looks
from core.pen import responders_cards, status_card
from core.promise import Promise, Stage, passed
from core.store import PromiseName, Reader, Store, Transaction


class Nudges(Looks[PromiseName]):
    """Reminders of promises, and what follows from a broken one."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        super().__init__(store, clock=clock, wake=wake, due=_due, done=_done)


def _due(reader: Reader, at: datetime, limit: int) -> tuple[PromiseName, ...]:
    return reader.due_promises(at=at, limit=limit)


def _done(tx: Transaction, name: PromiseName, at: datetime) -> bool:
    """Does the due stages of one promise. Whether a message came of it."""
    incident = tx.incident(name.workspace, name.incident)
    if incident is None:
        return False
    # Read under the lock of its incident: a command, or another process, may have been faster.
    promise = next((one for one in tx.promises(incident) if one.entry == name.entry), None)
    if promise is None or promise.look_at is None or promise.look_at >= at:
        return False
    result = passed(promise, at)
    if result.promise == promise:
        # Its hold is over, or that of what ends it. The status card has a message for that moment.
        tx.save_stage(incident, promise, tuple(responders_cards(None, incident)), at=at)
        return True
    cards = tx.published(incident).cards if Stage.DUE in result.effects else ()
    limited = tx.workspace(incident.workspace).settings.groups != Groups()
    envelopes = tuple(
        envelope
        for effect in result.effects
        for envelope in messages(effect, incident, promise, cards, limited=limited)
    )
    tx.save_stage(incident, result.promise, envelopes, at=at)
    return bool(envelopes)


def messages(
    effect: Stage,
    incident: Incident,
    promise: Promise,
    cards: tuple[str, ...],
    *,
    limited: bool = False,
) -> Iterator[Envelope]:
    """The messages of a stage. ``cards`` are the channels with the status card.

    Without an owner in Slack the working channel is reminded, without a working channel the
    declarer; so is the owner told of a broken promise where no channel may be. ``limited``: not
    everybody may act. Then those have a reminder beside the owner's, which is posted if the owner
    may not: groups are known at its delivery.
    """
    left = {incident.left_owner}
    known = (one for one in (incident.leader, incident.declared_by) if one and one.in_slack)
    people = [one.id for one in known if one.id not in left]
    channels = list(filter(None, [incident.card_channel]))
    match effect:
        case Stage.REMINDED:
            owner = people[:1] if incident.leader and incident.leader.in_slack else []
            to, surface = [*owner, *channels, *people], Surface.PROMISE_REMINDER
        case Stage.TOLD:
            to, surface = [*channels, *people], Surface.PROMISE_BREACH
        case _:
            yield from responders_cards(None, incident)
            for channel in () if incident.private else cards:
                yield status_card(incident, channel)
            return
    beside = limited and effect is Stage.REMINDED and to[:1] != channels
    for channel in tuple(dict.fromkeys(to))[: 2 if beside else 1]:
        yield Envelope(surface=surface, channel=channel, entry=promise.entry)
