"""The use cases of subscribed channels: publishers subscribe them, and end that."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from core import policy
from core.components import known_components, nameable
from core.denials import Denied, Permission
from core.errors import InvalidField
from core.incident import Actor, Component, Person, Severity
from core.missing import NotSubscribed
from core.service import NO_INCIDENT
from core.store import Reader, Store, Transaction
from core.subscription import Subscription, SubscriptionFilter

SUBSCRIPTIONS_MAX = 50
# Channels of a workspace have such ids; those of direct messages and of people begin otherwise.
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The incidents that a channel is to show. ``channel`` is an id of Slack's: ``C0CUSTOMERS``.

    ``severity`` is the lowest that it shows (None: every one), ``components`` are ids, or
    names in any case (empty: no limit). ``broadcast``: replies are shown in the channel as well.
    """

    channel: str
    severity: Severity | None = None
    components: tuple[str | UUID, ...] = ()
    broadcast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """The subscription of a channel after an act; ``before`` None: it had none in force.

    ``former`` is then the one that it had once, which has ended. ``changed``: the act wrote it. If
    it did not, what was asked for was so already, or the act is a repetition.
    """

    subscription: Subscription
    before: Subscription | None
    changed: bool
    former: Subscription | None = None


class Subscribing:
    """``clock`` gives the moment of each act.

    ``request`` of a method identifies a delivery that Slack may repeat: a repetition changes
    nothing, and gets what is there by now.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def subscriptions(self, actor: Actor) -> tuple[Subscription, ...]:
        """The subscriptions that are in force, in the order of their channels.

        A component that may not be named to ``actor`` has no name in a filter, here and in every
        result of `Subscribing`.

        Raises:
            Denied: the actor may not publish.
        """
        _need(actor)

        def work(reader: Reader) -> tuple[Subscription, ...]:
            hidden = reader.unnamed(actor)
            every = reader.subscriptions(actor.workspace)
            return tuple(_without_names(one, hidden) for one in every if one.in_force)

        return await self._store.read(work)

    def admit(self, actor: Actor) -> None:
        """Lets only publishers go on.

        Raises:
            Denied: the actor may not publish.
        """
        _need(actor)

    async def components(self, actor: Actor) -> tuple[str, ...]:
        """The names of the components that a filter can have.

        Raises:
            Denied: the actor may not publish.
        """
        _need(actor)
        team = actor.workspace

        def work(reader: Reader) -> tuple[str, ...]:
            known = reader.arrangement(team).components
            return tuple(one.name for one in nameable(known, reader.unnamed(_everybody(team))))

        return await self._store.read(work)

    async def proposed(self, actor: Actor, wanted: Wanted) -> Subscribed:
        """The result that `subscribe` would have, for a question before it; nothing is written.

        Raises:
            UserError: it is not possible, as `subscribe` says.
        """
        _need(actor)

        return await self._store.write(
            lambda tx: _told(tx, actor, self._proposed(tx, actor, wanted))
        )

    async def subscribe(
        self, actor: Actor, wanted: Wanted, *, request: str | None = None
    ) -> Subscribed:
        """Subscribes a channel to what becomes public from now on.

        One that is subscribed gets the new filter, and begins anew. Incidents that are open already
        have no card there until their next public change.

        Raises:
            Denied: the actor may not publish.
            InvalidField: ``channel`` is no channel, the status channel, or one too many.
            NotAComponent: ``components`` hold an unknown name.
            NoSuchComponent: ``components`` hold an unknown id.
        """
        _need(actor)

        def work(tx: Transaction) -> Subscribed:
            if request is not None and (found := _repeated(tx, actor, wanted.channel, request)):
                return _told(tx, actor, found)
            made = self._proposed(tx, actor, wanted)
            if made.changed:
                tx.keep_subscription(made.subscription)
            self._mark(tx, actor, request)
            return _told(tx, actor, made)

        return await self._store.write(work)

    async def unsubscribe(
        self, actor: Actor, channel: str, *, request: str | None = None
    ) -> Subscribed:
        """Ends the subscription of a channel: it gets no new incidents.

        Cards that it has are kept up to date, with their threads.

        Raises:
            Denied: the actor may not publish.
            NotSubscribed: the channel has no subscription.
        """
        _need(actor)

        def work(tx: Transaction) -> Subscribed:
            if request is not None and (found := _repeated(tx, actor, channel, request)):
                return _told(tx, actor, found)
            before = _of(tx.subscriptions_to_change(actor.workspace), channel)
            if before is None or not before.in_force:
                raise NotSubscribed(channel)
            at = self._clock()
            ended = replace(before, by=actor.person, at=at, ended_at=at, fault=None)
            tx.keep_subscription(ended)
            self._mark(tx, actor, request)
            made = Subscribed(subscription=ended, before=before, changed=True)
            return _told(tx, actor, made)

        return await self._store.write(work)

    async def end_in_status_channel(self, workspace: str) -> Subscription | None:
        """Ends the subscription of the status channel, which may be a subscribed one.

        It is that once the operator has named that channel in the settings. Whoever subscribed it
        is told: no answer to anybody says that it has ended.
        """

        def crossed(reader: Reader) -> bool:
            known = reader.workspace(workspace)
            if known.subscriptions is None or known.status_channel is None:
                return False
            found = _of(reader.subscriptions(workspace), known.status_channel)
            return found is not None and found.in_force

        def end(tx: Transaction) -> Subscription | None:
            at = self._clock()
            ended = ended_by_setup(tx, workspace, by=None, at=at)
            if ended is not None:
                tx.tell_the_end(ended, at=at)
            return ended

        if not await self._store.read(crossed):
            return None
        return await self._store.write(end)

    def _proposed(self, tx: Transaction, actor: Actor, wanted: Wanted) -> Subscribed:
        team, channel = actor.workspace, wanted.channel
        if not CHANNEL.fullmatch(channel):
            raise InvalidField("channel", "is no channel: name one, such as #customers")
        if channel == tx.workspace(team).status_channel:
            raise InvalidField(
                "channel", "is the status channel, which shows all that is public: choose another"
            )
        known = tx.subscriptions_to_change(team)
        found = _of(known, channel)
        before = found if found is not None and found.in_force else None
        if before is None and sum(one.in_force for one in known) >= SUBSCRIPTIONS_MAX:
            raise InvalidField(
                "channel", f"is one too many: unsubscribe one of {SUBSCRIPTIONS_MAX} first"
            )
        named = known_components(
            wanted.components, tx.components(team), tx.unnamed(_everybody(team))
        )
        # Whoever may not know of a component cannot mean to take it out of the filter.
        hidden = tx.unnamed(actor) - {one.id for one in named}
        unseen = (
            tuple(one for one in before.filter.components if one.id in hidden) if before else ()
        )
        limits = SubscriptionFilter(severity=wanted.severity, components=(*named, *unseen))
        if before is not None and (before.filter, before.broadcast) == (limits, wanted.broadcast):
            return Subscribed(subscription=before, before=before, changed=False)
        at = self._clock()
        made = Subscription(
            workspace=team,
            channel=channel,
            filter=limits,
            broadcast=wanted.broadcast,
            by=actor.person,
            at=at,
            since=at if before is None else before.since,
            starts_at=at,
            fault=before.fault if before else None,
        )
        former = found if before is None else None
        return Subscribed(subscription=made, before=before, changed=True, former=former)

    def _mark(self, tx: Transaction, actor: Actor, request: str | None) -> None:
        if request is not None:
            tx.mark_handled(actor.workspace, request, NO_INCIDENT, at=self._clock())


def ended_by_setup(
    tx: Transaction, workspace: str, *, by: Person | None, at: datetime
) -> Subscription | None:
    """Ends the subscription of the channel that has become the status channel, if it has one.

    That shows all that is public; otherwise its filter would be back once the status channel moves.
    ``by`` None: the operator has moved it.
    """
    channel = tx.workspace(workspace).status_channel
    if channel is None:
        return None
    found = _of(tx.subscriptions_to_change(workspace), channel)
    if found is None or not found.in_force:
        return None
    ended = replace(found, by=by or found.by, at=at, ended_at=at, fault=None)
    tx.keep_subscription(ended)
    return ended


def _everybody(workspace: str) -> Actor:
    """Whoever reads the list of subscriptions, and their filters with it."""
    return Actor(workspace=workspace, person=Person("", ""))


def _of(known: tuple[Subscription, ...], channel: str) -> Subscription | None:
    return next((one for one in known if one.channel == channel), None)


def _without_names(one: Subscription, hidden: Collection[UUID]) -> Subscription:
    """``one``, with no name for the components of its filter that are ``hidden``."""
    limited = tuple(
        Component(each.id, "") if each.id in hidden else each for each in one.filter.components
    )
    return replace(one, filter=replace(one.filter, components=limited))


def _told(reader: Reader, actor: Actor, made: Subscribed) -> Subscribed:
    """``made`` as ``actor`` may read it."""
    hidden = reader.unnamed(actor)
    return replace(
        made,
        subscription=_without_names(made.subscription, hidden),
        before=made.before and _without_names(made.before, hidden),
        former=made.former and _without_names(made.former, hidden),
    )


def _repeated(tx: Transaction, actor: Actor, channel: str, request: str) -> Subscribed | None:
    """The subscription as it is now, if ``request`` is done already."""
    if not tx.handled(actor.workspace, request):
        return None
    found = _of(tx.subscriptions(actor.workspace), channel)
    return None if found is None else Subscribed(subscription=found, before=found, changed=False)


def _need(actor: Actor) -> None:
    for permission in (Permission.JOIN, Permission.PUBLISH):
        if not policy.holds(actor, permission):
            raise Denied(actor, permission)
