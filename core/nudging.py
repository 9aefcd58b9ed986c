"""The look at promises: what is due is done once, whatever process looks, and however often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from core.decision import Envelope, Surface
from core.incident import Incident
from core.pen import responders_cards, status_card
from core.promise import Promise, Stage, passed
from core.store import PromiseName, Store, StoreUnavailable, Transaction

# Promises of one look; the others follow in the next.
AT_ONCE = 200


class Nudges:
    """Reminders of promises, and what follows from a broken one. ``wake`` calls the worker."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake

    async def look(self) -> None:
        """Does the stages that are due. Each is a row, which one transaction claims.

        An error with one promise keeps none of the others waiting. It is raised at the end.
        """
        at = self._clock()
        found = await self._store.read(lambda reader: reader.due_promises(at=at, limit=AT_ONCE))
        told = False
        failed: Exception | None = None
        for name in found:
            try:
                told |= await self._store.write(_work(name, at))
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                failed = error
        if told:
            self._wake()
        if failed:
            raise failed


def _work(name: PromiseName, at: datetime) -> Callable[[Transaction], bool]:
    return lambda tx: _done(tx, name, at)


def _done(tx: Transaction, name: PromiseName, at: datetime) -> bool:
    """Does the due stages of one promise. Whether a message came of it."""
    incident = tx.incident(name.workspace, name.incident)
    if incident is None:
        return False
    # Read under the lock of its incident: a command, or another process, may have been faster.
    promise = next((one for one in tx.promises(incident) if one.entry == name.entry), None)
    if promise is None:
        return False
    result = passed(promise, at)
    if result.promise == promise:
        return False
    cards = tx.published(incident).cards if Stage.DUE in result.effects else ()
    envelopes = tuple(
        envelope
        for effect in result.effects
        for envelope in messages(effect, incident, promise, cards)
    )
    tx.save_stage(incident, result.promise, envelopes, at=at)
    return bool(envelopes)


def messages(
    effect: Stage, incident: Incident, promise: Promise, cards: tuple[str, ...]
) -> Iterator[Envelope]:
    """The messages of a stage. ``cards`` are the channels with the status card.

    Without an owner in Slack the working channel is reminded, without a working channel the
    declarer; so is the owner told of a broken promise where no channel may be.
    """
    people = [one.id for one in (incident.owner, incident.declared_by) if one and one.in_slack]
    channels = list(filter(None, [incident.card_channel]))
    match effect:
        case Stage.REMINDED:
            owner = people[:1] if incident.owner and incident.owner.in_slack else []
            to, surface = [*owner, *channels, *people], Surface.PROMISE_REMINDER
        case Stage.TOLD:
            to, surface = [*channels, *people], Surface.PROMISE_BREACH
        case _:
            yield from responders_cards(None, incident)
            for channel in () if incident.private else cards:
                yield status_card(incident, channel)
            return
    for channel in to[:1]:
        yield Envelope(surface=surface, channel=channel, entry=promise.entry)
