"""The look at owners of open incidents: a deactivated one leads nothing, and the channel is told.

Nobody tells the bot at once: Slack's event for it would bring every change of every profile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from uuid import UUID

from core.decision import Envelope, Surface
from core.errors import UserError
from core.incident import Incident, Membership
from core.nudging import messages
from core.pen import responders_cards
from core.promise import Stage
from core.store import OwnerName, Store, Transaction

# Owners of one look; the others follow in the next. Each may be a question to Slack.
AT_ONCE = 50

# The membership of a person, by the ids of workspace and person. Raises a UserError while nobody
# can say.
MembershipOf = Callable[[str, str], Awaitable[Membership]]


class Owners:
    """Notices owners who were deactivated, or came back. ``wake`` calls the worker."""

    def __init__(
        self,
        store: Store,
        membership_of: MembershipOf,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        at_once: int = AT_ONCE,
    ) -> None:
        self._store = store
        self._membership_of = membership_of
        self._clock = clock
        self._wake = wake
        self._at_once = at_once
        self._after: OwnerName | None = None

    async def look(self) -> None:
        """Asks for the next owners, and tells of those who left since the last look."""
        after, limit = self._after, self._at_once
        found = await self._store.read(lambda reader: reader.owners(after=after, limit=limit))
        self._after = found[-1] if len(found) == limit else None
        told = False
        for owner in found:
            told |= await self._asked(owner)
        if told:
            self._wake()

    async def _asked(self, owner: OwnerName) -> bool:
        """Whether a message came of the owner's membership."""
        try:
            membership = await self._membership_of(owner.workspace, owner.person)
        except UserError:
            return False
        left = membership is Membership.DEACTIVATED
        changing = await self._store.read(lambda reader: reader.owned(owner, left=left))
        told = False
        for incident in changing:
            told |= await self._store.write(self._work(owner, incident, left=left))
        return told

    def _work(
        self, owner: OwnerName, incident: UUID, *, left: bool
    ) -> Callable[[Transaction], bool]:
        return lambda tx: _done(tx, owner, incident, left=left, at=self._clock())


def _done(tx: Transaction, owner: OwnerName, id_: UUID, *, left: bool, at: datetime) -> bool:
    """Marks one incident of ``owner``; whether a message came of it."""
    incident = tx.incident(owner.workspace, id_)
    # Read under its lock: a command, or another process, may have been faster.
    if incident is None or incident.owner is None or incident.owner.id != owner.person:
        return False
    if incident.owner_left is left or incident.terminal:
        return False
    marked = incident.with_owner_left(left=left)
    told = tuple(_told(tx, marked)) if left else ()
    envelopes = (*responders_cards(None, marked), *told)
    tx.save_owner_left(marked, envelopes, at=at)
    return bool(envelopes)


def _told(tx: Transaction, incident: Incident) -> Iterator[Envelope]:
    """The word to the working channel, or to others who see it; and a reminder that is lost."""
    people = [person.id for person in incident.card_people]
    for channel in [incident.card_channel] if incident.card_channel else people:
        yield Envelope(surface=Surface.OWNER_LEFT, channel=channel, entry=incident.last_entry)
    for promise in tx.promises(incident) if incident.promises else ():
        if promise.stage is Stage.REMINDED and promise.over_at is None:
            yield from messages(Stage.REMINDED, incident, promise, ())
