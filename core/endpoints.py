"""The use cases of webhooks: admins add endpoints, limit them, switch them off and remove them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, TypeVar
from uuid import UUID

from core import policy
from core.components import known_components
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.incident import Actor, Severity
from core.missing import NoSuchWebhook
from core.store import Store, Transaction
from core.subscription import SubscriptionFilter
from core.webhooks import ROTATION, Endpoint, EndpointState, Rotated, Sending

URL_MAX = 2_000
ENDPOINTS_MAX = 50
LOG_MAX = 100

T = TypeVar("T")
Then: TypeAlias = Callable[[Transaction, T], object]


def _nothing(_tx: Transaction, _made: object) -> None:
    """Writes nothing more."""


class Webhooks:
    """``clock`` gives the moment of each act.

    ``then`` of a method gets what was made, in the transaction of the change: what it writes is
    committed with it, or not at all.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def endpoints(self, actor: Actor) -> tuple[Endpoint, ...]:
        """All endpoints, oldest first, without their secrets.

        Raises:
            Denied: the actor is no workspace admin.
        """
        _need(actor)
        return await self._store.read(lambda reader: reader.endpoints(actor.workspace))

    async def find(
        self, actor: Actor, endpoint: UUID, *, then: Then[Endpoint] = _nothing
    ) -> Endpoint:
        """One endpoint, without its secrets.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """
        _need(actor)

        def work(tx: Transaction) -> Endpoint:
            one = _named(tx.endpoints(actor.workspace), endpoint)
            then(tx, one)
            return one

        return await self._store.write(work)

    async def propose(
        self,
        actor: Actor,
        endpoint: UUID,
        url: str,
        *,
        severity: Severity | None = None,
        components: tuple[str | UUID, ...] = (),
    ) -> Endpoint:
        """A new endpoint of that id, which is not kept yet: its address must answer before.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField, NoSuchComponent: the address or the filter is not possible.
        """
        _need(actor)
        address = _address(url)

        def work(tx: Transaction) -> Endpoint:
            _need_room(tx.endpoints(actor.workspace))
            at = self._clock()
            known = tx.components(actor.workspace)
            return Endpoint(
                id=endpoint,
                workspace=actor.workspace,
                url=address,
                filter=SubscriptionFilter(
                    severity=severity, components=known_components(components, known)
                ),
                added_by=actor.person,
                added_at=at,
                starts_at=at,
            )

        return await self._store.write(work)

    async def keep(
        self, actor: Actor, proposed: Endpoint, secret: str, *, then: Then[Endpoint] = _nothing
    ) -> Endpoint:
        """Keeps an endpoint whose address has answered. It starts now.

        Raises:
            Denied: the actor is no workspace admin.
            InvalidField: others were added while the address was waited for.
        """
        _need(actor)

        def work(tx: Transaction) -> Endpoint:
            _need_room(tx.endpoints_to_change(actor.workspace))
            at = self._clock()
            kept = replace(proposed, workspace=actor.workspace, added_at=at, starts_at=at)
            tx.add_endpoint(kept, secret)
            then(tx, kept)
            return kept

        return await self._store.write(work)

    async def refilter(
        self,
        actor: Actor,
        endpoint: UUID,
        *,
        severity: Severity | None,
        components: tuple[str | UUID, ...],
        then: Then[Endpoint] = _nothing,
    ) -> Endpoint:
        """Gives it another filter, for what happens from now on.

        Raises:
            Denied, NoSuchWebhook, InvalidField, NoSuchComponent: it is not possible.
        """

        def change(tx: Transaction, one: Endpoint, _at: datetime) -> Endpoint:
            wanted = known_components(components, tx.components(actor.workspace))
            limited = SubscriptionFilter(severity=severity, components=wanted)
            after = replace(one, filter=limited)
            tx.refilter_endpoint(after)
            return after

        return await self._change(actor, endpoint, change, then)

    async def rotate(
        self, actor: Actor, endpoint: UUID, secret: str, *, then: Then[Rotated] = _nothing
    ) -> Rotated:
        """Gives it a new secret; the one before signs as well for `ROTATION`.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """

        def change(tx: Transaction, one: Endpoint, at: datetime) -> Rotated:
            after = replace(one, rotating_until=at + ROTATION)
            tx.rotate_secret(after, secret)
            until = one.rotating_until
            return Rotated(after, until - ROTATION if until and until > at else None)

        return await self._change(actor, endpoint, change, then)

    async def switch(
        self, actor: Actor, endpoint: UUID, *, on: bool, then: Then[Endpoint] = _nothing
    ) -> Endpoint:
        """Switches it off, or on again: then it starts anew, and gets nothing from before.

        One that failed is off already; to switch it off says that this may stay so.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """

        def change(tx: Transaction, one: Endpoint, at: datetime) -> Endpoint:
            if one.state is (EndpointState.ON if on else EndpointState.OFF):
                return one
            after = replace(one, state=EndpointState.OFF, off_at=at)
            if on:
                after = replace(
                    one, state=EndpointState.ON, starts_at=at, off_at=None, failing_since=None
                )
            tx.switch_endpoint(after)
            return after

        return await self._change(actor, endpoint, change, then)

    async def remove(
        self, actor: Actor, endpoint: UUID, *, then: Then[Endpoint] = _nothing
    ) -> Endpoint:
        """Deletes it, with its secrets and its log.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """

        def change(tx: Transaction, one: Endpoint, _at: datetime) -> Endpoint:
            tx.remove_endpoint(one)
            return one

        return await self._change(actor, endpoint, change, then)

    async def log(
        self, actor: Actor, endpoint: UUID, *, limit: int = LOG_MAX
    ) -> tuple[Sending, ...]:
        """The newest events of an endpoint, newest first.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """
        _need(actor)

        def work(tx: Transaction) -> tuple[Sending, ...]:
            one = _named(tx.endpoints(actor.workspace), endpoint)
            return tx.sendings(actor.workspace, one.id, limit=min(max(limit, 1), LOG_MAX))

        return await self._store.write(work)

    async def resend(
        self, actor: Actor, endpoint: UUID, uid: UUID, *, then: Then[bool] = _nothing
    ) -> bool:
        """Has an event sent once more, with the same id; False if there is none such.

        Nothing from before its start is sent, so one that is off gets nothing.

        Raises:
            Denied, NoSuchWebhook, InvalidField: it is not possible.
        """

        def change(tx: Transaction, one: Endpoint, at: datetime) -> bool:
            if not one.on:
                raise InvalidField(
                    "webhook", "is switched off: switch it on, and it gets what is new from then on"
                )
            return tx.resend(one, uid, at=at)

        return await self._change(actor, endpoint, change, then)

    async def secrets(self, actor: Actor, endpoint: UUID) -> tuple[Endpoint, tuple[str, ...]]:
        """An endpoint, and the secrets that sign now: for a trial of it, and for no answer.

        Raises:
            Denied, NoSuchWebhook: it is not possible.
        """
        _need(actor)

        def work(tx: Transaction) -> tuple[Endpoint, tuple[str, ...]]:
            one = _named(tx.endpoints(actor.workspace), endpoint)
            return one, tx.secrets_of(one).at(self._clock())

        return await self._store.write(work)

    async def _change(
        self,
        actor: Actor,
        endpoint: UUID,
        change: Callable[[Transaction, Endpoint, datetime], T],
        then: Then[T],
    ) -> T:
        _need(actor)

        def work(tx: Transaction) -> T:
            one = _named(tx.endpoints_to_change(actor.workspace), endpoint)
            made = change(tx, one, self._clock())
            then(tx, made)
            return made

        return await self._store.write(work)


def _named(known: tuple[Endpoint, ...], endpoint: UUID) -> Endpoint:
    found = next((one for one in known if one.id == endpoint), None)
    if found is None:
        raise NoSuchWebhook
    return found


def _need_room(known: tuple[Endpoint, ...]) -> None:
    if len(known) >= ENDPOINTS_MAX:
        raise InvalidField("url", f"is one too many: remove one of {ENDPOINTS_MAX} first")


def _address(url: str) -> str:
    """An address as it is kept. Whether it may be called is decided when it is."""
    address = url.strip()
    visible = all(" " < letter < "\x7f" for letter in address)
    if not address.startswith(("https://", "http://")) or not visible:
        raise InvalidField("url", 'is not whole: write one such as "https://example.com/hooks"')
    if len(address) > URL_MAX:
        raise InvalidField("url", f"has {len(address)} characters: at most {URL_MAX} are kept")
    return address


def _need(actor: Actor) -> None:
    for permission in (Permission.JOIN, Permission.ADMINISTER):
        if not policy.holds(actor, permission):
            raise Denied(actor, permission)
